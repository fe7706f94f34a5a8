package webapp

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// board answers with a whole dashboard, or with what changed since version have.
func (s *Service) board(_ http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	have := int64(-1)
	if r.URL.Query().Has("have") {
		if have, err = strconv.ParseInt(r.URL.Query().Get("have"), 10, 64); err != nil || have < 0 {
			return nil, fault.Field("have", "The version must be a number.")
		}
	}
	d, err := s.desk(me)
	if err != nil {
		return nil, err
	}
	d.sit(id)
	l := s.lives.get(id, s.cfg.Now())
	var patch *screen.BoardPatch
	var view screen.BoardView
	var sh screen.ShareView
	err = s.look(r.Context(), me, l, access.View, func(tx store.Tx, g access.Grant) (err error) {
		sh, err = s.share(tx, d, g)
		return err
	}, func(g access.Grant) error {
		pic, parity := l.audience(g)
		h := pic.Head()
		h.Version, h.Role, h.Sync, h.Share = l.version(g), g.Role(), screen.SyncSaved, sh
		if g.May(access.Edit) {
			h.Undo, h.Redo = s.steps.have(me.Account, id).labels()
		}
		if d.seen(id, pic.View()) {
			d.hub.Publish(screen.Event{Type: screen.EventState})
		}
		if have >= 0 && have%2 == parity {
			patch = pic.Patch(h, have/2)
		}
		if patch == nil {
			view = pic.Whole(h)
		}
		return nil
	})
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			d.rise(id)
		}
		return nil, fmt.Errorf("show dashboard %s: %w", id, err)
	}
	if patch != nil {
		return patch, nil
	}
	return view, nil
}

// snapshot is the picture of a dashboard as an account may see it now.
func (s *Service) snapshot(r *http.Request, me account.Identity) (v board.View, err error) {
	id, err := boardID(r)
	if err != nil {
		return v, err
	}
	l := s.lives.get(id, s.cfg.Now())
	err = s.look(r.Context(), me, l, access.View, nil, func(g access.Grant) error {
		pic, _ := l.audience(g)
		v = pic.View()
		return nil
	})
	if err != nil {
		return v, fmt.Errorf("read dashboard %s: %w", id, err)
	}
	return v, nil
}

func (s *Service) export(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	v, err := s.snapshot(r, me)
	if err != nil {
		return nil, err
	}
	text, err := screen.Export(v)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	send(w, "application/json; charset=utf-8", text)
	return nil, nil //nolint:nilnil // the answer is on its way
}

func (s *Service) rowsCSV(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := widgetID(r.PathValue("w"))
	if err != nil {
		return nil, err
	}
	v, err := s.snapshot(r, me)
	if err != nil {
		return nil, err
	}
	for _, x := range v.Widgets {
		if x.ID != id {
			continue
		}
		text, err := screen.RowsCSV(x)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it was doing
		}
		send(w, "text/csv; charset=utf-8", text)
		return nil, nil //nolint:nilnil // the answer is on its way
	}
	return nil, fault.New(fault.NotFound, "This widget does not exist any more.")
}

func (s *Service) create(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	var in struct {
		Title        string `json:"title"`
		Organisation string `json:"organisation"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	return s.make(r, me, board.View{Title: in.Title, Theme: board.ThemeSystem}, false, in.Organisation)
}

func (s *Service) duplicate(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	if _, err := body(w, r, maxSmall); err != nil {
		return nil, err
	}
	v, err := s.snapshot(r, me)
	if err != nil {
		return nil, err
	}
	v.Title = screen.CopyTitle(v.Title)
	return s.make(r, me, v, true, "")
}

func (s *Service) importBoard(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	text, err := body(w, r, maxBoard)
	if err != nil {
		return nil, err
	}
	v, err := screen.Import(text)
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of the file
	}
	return s.make(r, me, v, false, "")
}

// make makes a dashboard with the content of v under new ids, private and the account's own, in its personal organisation
// unless another one is named. Lenient keeps widgets of kinds from a newer version.
func (s *Service) make(r *http.Request, me account.Identity, v board.View, lenient bool, organisation string) (any, error) {
	u, err := s.newULID()
	if err != nil {
		return nil, err
	}
	id := board.NewID(u)
	edits, err := screen.PlanNew(v, lenient, s.newWidgetID)
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of what is asked for
	}
	epoch, err := s.epoch()
	if err != nil {
		return nil, err
	}
	p, err := s.steps.get(me.Account, id, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	now := s.now()
	err = s.update(r.Context(), me, func(tx store.Tx) error {
		if err := content.Create(tx, s.cfg.Rooms, me.Account, []content.NewBoard{{ID: id, Epoch: epoch, Now: now}}); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		who := access.Account(me.Account)
		if _, err := p.author.Submit(tx, s.cfg.Rooms, who, id, edits, now); err != nil || organisation == "" {
			return err //nolint:wrapcheck // wrapped below
		}
		move := sharing.Command{ID: sharing.NewCommandID(u), Board: id, Action: sharing.Move, Organisation: organisation}
		return s.applyPeople(tx, who, move, people.Minted{}, now)
	})
	if err != nil {
		return nil, fmt.Errorf("make a dashboard: %w", err)
	}
	return newID{id}, nil
}

// epoch draws a random number that is not zero.
func (s *Service) epoch() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.cfg.Random, b[:]); err != nil {
		return 0, fmt.Errorf("read random bytes: %w", err)
	}
	return binary.BigEndian.Uint64(b[:]) | 1, nil
}

// setAlive moves a dashboard into the trash, where its link does not work, or out of it.
func (s *Service) setAlive(alive bool) call {
	return func(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
		id, err := boardID(r)
		if err != nil {
			return nil, err
		}
		if _, err := body(w, r, maxSmall); err != nil {
			return nil, err
		}
		value, err := json.Marshal(alive)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		p, err := s.begin(r.Context(), me, id)
		if err != nil {
			return nil, err
		}
		edit := replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldAlive, Value: value}
		now := s.now()
		err = s.update(r.Context(), me, func(tx store.Tx) error {
			if _, err := access.Open(tx, access.Account(me.Account), id, access.Edit); err != nil {
				return err //nolint:wrapcheck // access's fault is the answer
			}
			rec, _, err := tx.Boards().Get(id)
			if err != nil || rec.Trashed != alive {
				return err //nolint:wrapcheck // wrapped below
			}
			_, err = p.author.Submit(tx, s.cfg.Rooms, access.Account(me.Account), id, []replica.Edit{edit}, now)
			return err //nolint:wrapcheck // wrapped below
		})
		if err != nil {
			return nil, fmt.Errorf("move dashboard %s into or out of the trash: %w", id, err)
		}
		return done{}, nil
	}
}

// destroy deletes a trashed dashboard for ever.
func (s *Service) destroy(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	if _, err := body(w, r, maxSmall); err != nil {
		return nil, err
	}
	u, err := s.newULID()
	if err != nil {
		return nil, err
	}
	now := s.now()
	err = s.update(r.Context(), me, func(tx store.Tx) error {
		if _, err := access.Open(tx, access.Account(me.Account), id, access.Share); err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		rec, _, err := tx.Boards().Get(id)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		if !rec.Trashed {
			return fault.New(fault.Conflict, "Only a dashboard in the trash can be deleted for ever.").WithHint("Move it to the trash first.")
		}
		link, err := tx.Links().Get(id)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		c := sharing.Command{ID: sharing.NewCommandID(u), Board: id, Action: sharing.Delete, Base: sharing.Expire(link, now).Version}
		out, err := sharelink.Apply(tx, s.cfg.Rooms, access.Account(me.Account), c, now)
		if err == nil && out.Fault != nil {
			return out.Fault
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("delete dashboard %s: %w", id, err)
	}
	s.lives.forget(id)
	return done{}, nil
}
