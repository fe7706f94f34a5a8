package webapp

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

// state is the list of dashboards (oldest first), the account, and that everything is saved.
func (s *Service) state(_ http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	if _, err := s.desk(me); err != nil {
		return nil, err
	}
	now := s.now()
	out := screen.AppState{
		Account:  &screen.Account{ID: string(me.Account), Email: me.Email, Name: me.Name, Server: s.cfg.Base, Verified: me.Verified, ManageURL: s.cfg.Base + "/account"},
		Sync:     screen.SyncStatus{State: screen.StateSynced, Sentence: "All changes are saved.", LastSynced: now},
		Settings: screen.Settings{Theme: board.ThemeSystem}, Place: screen.PlaceWeb, Version: s.cfg.Version,
		DefaultServer: s.cfg.Base,
	}
	err := s.view(r.Context(), me, func(tx store.Tx) (err error) {
		out.Boards, out.Organisations = []screen.BoardSummary{}, []screen.Organisation{}
		mine, err := people.Organisations(tx, me.Account)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		for _, o := range mine {
			to := screen.Organisation{ID: o.ID, Name: o.Name, Role: o.Role, Personal: o.Personal}
			if o.Personal {
				out.Organisations = slices.Insert(out.Organisations, 0, to)
			} else {
				out.Organisations = append(out.Organisations, to)
			}
		}
		grants, err := access.List(tx, me.Account)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		for _, g := range grants {
			b, err := s.summary(tx, g, mine, now)
			if err != nil {
				return err
			}
			out.Boards = append(out.Boards, b)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the dashboards of an account: %w", err)
	}
	return out, nil
}

// summary is one dashboard in the list.
func (s *Service) summary(tx store.Tx, g access.Grant, mine []wire.Organisation, now int64) (b screen.BoardSummary, err error) {
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return b, fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	told, err := people.AccessOf(tx, g, mine)
	if err != nil {
		return b, err //nolint:wrapcheck // says what it was doing
	}
	l, err := s.lines.of(tx, g)
	if err != nil {
		return b, err
	}
	b = screen.BoardSummary{
		ID: rec.ID, Title: l.title, Role: g.Role(), Trashed: rec.Trashed, Sync: screen.SyncSaved, Mode: sharing.Private,
		Widgets: l.widgets, Updated: max(l.updated, rec.Created), Created: rec.Created,
		Mine: told.Mine, Organisation: told.Organisation, CanShare: told.Share,
	}
	if !b.Mine {
		b.Owner = told.Owner
	}
	if b.CanShare {
		link, err := tx.Links().Get(rec.ID)
		if err != nil {
			return b, fmt.Errorf("read the link of %s: %w", rec.ID, err)
		}
		if b.Mode = link.Mode(now); b.Mode != sharing.Private {
			b.Ends = link.Expires
		}
	}
	return b, nil
}

// maxLines bounds the lines that are kept.
const maxLines = 20_000

// line is what the list shows of a dashboard's content, at one version of it. It holds nothing that viewers may not see.
type line struct {
	at      content.Version
	title   string
	widgets int
	updated int64 // ms since 1970
}

// lines keeps the lines of dashboards, so that a list does not read all content.
type lines struct {
	mu  sync.Mutex
	all map[board.ID]line
}

func newLines() *lines { return &lines{all: map[board.ID]line{}} }

func (m *lines) of(tx store.Tx, g access.Grant) (line, error) {
	at, err := content.Head(tx, g)
	if err != nil {
		return line{}, err //nolint:wrapcheck // says what it was doing
	}
	m.mu.Lock()
	l, ok := m.all[g.Board()]
	m.mu.Unlock()
	if ok && l.at == at {
		return l, nil
	}
	l, err = readLine(tx, g, at)
	if err != nil {
		return l, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) >= maxLines {
		for id := range m.all { // any one: the order of maps is random
			delete(m.all, id)
			break
		}
	}
	m.all[g.Board()] = l
	return l, nil
}

func readLine(tx store.Tx, g access.Grant, at content.Version) (line, error) {
	v, _, err := content.Outline(tx, g)
	if err != nil {
		return line{}, err //nolint:wrapcheck // says what it was doing
	}
	hub, err := content.Open(tx, g)
	if err != nil {
		return line{}, err //nolint:wrapcheck // says what it was doing
	}
	latest, err := hub.Latest()
	if err != nil {
		return line{}, fmt.Errorf("read when %s was changed: %w", g.Board(), err)
	}
	return line{at: at, title: v.Title, widgets: len(v.Widgets), updated: hlc.Stamp{T: latest}.Millis()}, nil
}
