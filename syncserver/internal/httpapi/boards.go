package httpapi

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

// head is a dashboard without what is on it. Organisation is told to its members, Mode and URL to those who may manage
// sharing: URL is that of the link, if there is one, whether it is on or not.
type head struct {
	ID           board.ID     `json:"id"`
	Title        string       `json:"title"`
	Role         sharing.Role `json:"role"`
	Mine         bool         `json:"mine"`
	Owner        string       `json:"owner"`
	Organisation *belonging   `json:"organisation,omitempty"`
	Trashed      bool         `json:"trashed"`
	CanShare     bool         `json:"canShare"`
	Mode         sharing.Mode `json:"mode,omitempty"`
	URL          string       `json:"url,omitempty"`
}

// belonging is the organisation that a dashboard belongs to.
type belonging struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// whole is a dashboard with its widgets, but for their rows.
type whole struct {
	head
	Description string      `json:"description"`
	Theme       board.Theme `json:"theme"`
	Widgets     []widget    `json:"widgets"`
}

// widget is a widget without its rows. Rows is how many it has.
type widget struct {
	ID      board.WidgetID `json:"id"`
	Kind    board.Kind     `json:"kind"`
	Title   string         `json:"title"`
	Columns []board.Column `json:"columns"`
	Rows    int            `json:"rows"`
}

// list lists what the account may open, by title.
func (p *Programs) list(c *call) (any, error) {
	var out []head
	err := p.cfg.Store.View(c.ctx(), func(tx store.Tx) error {
		out = []head{}
		grants, err := access.List(tx, c.me.Account)
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
		for _, g := range grants {
			h, err := p.headOf(tx, g, c)
			if err != nil {
				return err
			}
			out = append(out, h)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b head) int { return cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) })
	return map[string]any{"boards": out}, err //nolint:wrapcheck // says what it was doing
}

func (p *Programs) headOf(tx store.Tx, g access.Grant, c *call) (h head, err error) {
	mine, err := people.Organisations(tx, c.me.Account)
	if err != nil {
		return h, err //nolint:wrapcheck // says what it was doing
	}
	a, err := people.AccessOf(tx, g, mine)
	if err != nil {
		return h, err //nolint:wrapcheck // says what it was doing
	}
	h = head{ID: a.Board, Role: a.Role, Mine: a.Mine, Owner: a.Owner, CanShare: a.Share}
	for _, o := range mine {
		if o.ID == a.Organisation {
			h.Organisation = &belonging{o.ID, o.Name}
		}
	}
	if h.Title, err = content.Title(tx, g); err != nil {
		return h, err //nolint:wrapcheck // says what it was doing
	}
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return h, fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	if h.Trashed = rec.Trashed; !h.CanShare {
		return h, nil
	}
	link, err := tx.Links().Get(g.Board())
	if err != nil {
		return h, fmt.Errorf("read link of %s: %w", g.Board(), err)
	}
	if h.Mode = link.Mode(c.now); link.Token != "" {
		h.URL = link.Token.URL(p.cfg.Base)
	}
	return h, nil
}

// board is one dashboard with its widgets.
func (p *Programs) board(c *call) (any, error) {
	var out whole
	err := p.cfg.Store.View(c.ctx(), func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal(), c.id(), access.View)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		out.head, err = p.headOf(tx, g, c)
		if err != nil {
			return err
		}
		v, _, err := content.Load(tx, g)
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
		out.Description, out.Theme, out.Widgets = v.Description, v.Theme, make([]widget, len(v.Widgets))
		for i, w := range v.Widgets {
			out.Widgets[i] = widget{ID: w.ID, Kind: w.Kind, Title: w.Title, Columns: w.Columns, Rows: len(w.Rows)}
		}
		return nil
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

// create makes an empty dashboard.
func (p *Programs) create(c *call) (any, error) {
	var in struct {
		Title        string               `json:"title"`
		Organisation store.OrganisationID `json:"organisation"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	title, err := json.Marshal(in.Title)
	if err != nil {
		return nil, fmt.Errorf("encode a title: %w", err)
	}
	edit := replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTitle, Value: title}
	if f := board.CheckEdit(edit); f != nil {
		return nil, f
	}
	n, err := p.newBoard(c, in.Organisation)
	if err != nil {
		return nil, err
	}
	var out head
	err = p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
		id := n.ID
		past, again, err := key.again(tx)
		switch {
		case err != nil:
			return err
		case again:
			id = past.Board
		default:
			if err := content.Create(tx, p.cfg.Events, c.me.Account, []content.NewBoard{n}); err != nil {
				return err //nolint:wrapcheck // says what it was doing
			}
			if _, err := p.cfg.Author.Submit(tx, p.cfg.Events, c.principal(), id, []replica.Edit{edit}, c.now); err != nil {
				return err //nolint:wrapcheck // says what it was doing
			}
			if err := key.remember(tx, store.Answer{Board: id}); err != nil {
				return err
			}
		}
		g, err := access.Open(tx, c.principal(), id, access.View)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		out, err = p.headOf(tx, g, c)
		return err
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

func (p *Programs) newBoard(c *call, org store.OrganisationID) (content.NewBoard, error) {
	u, err := ulid.New(ulid.Timestamp(time.UnixMilli(c.now)), p.cfg.Random)
	if err != nil {
		return content.NewBoard{}, fmt.Errorf("make an id: %w", err)
	}
	var epoch [8]byte
	if _, err := io.ReadFull(p.cfg.Random, epoch[:]); err != nil {
		return content.NewBoard{}, fmt.Errorf("make an epoch: %w", err)
	}
	return content.NewBoard{ID: board.NewID(u), Organisation: org, Epoch: binary.BigEndian.Uint64(epoch[:])>>1 + 1, Now: c.now}, nil
}

// trash puts a dashboard into the trash, where its link shows nothing.
func (p *Programs) trash(c *call) (any, error) { return p.alive(c, "false") }

// restore takes it out again.
func (p *Programs) restore(c *call) (any, error) { return p.alive(c, "true") }

func (p *Programs) alive(c *call, value string) (any, error) {
	var out head
	err := p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal(), c.id(), access.Edit)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		rec, _, err := tx.Boards().Get(g.Board())
		if err != nil {
			return fmt.Errorf("read dashboard %s: %w", g.Board(), err)
		}
		if rec.Trashed != (value == "false") {
			edit := replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldAlive, Value: json.RawMessage(value)}
			if _, err := p.cfg.Author.Submit(tx, p.cfg.Events, c.principal(), g.Board(), []replica.Edit{edit}, c.now); err != nil {
				return err //nolint:wrapcheck // says what it was doing
			}
		}
		out, err = p.headOf(tx, g, c)
		return err
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

// inTrash is the fault of what cannot be done to a dashboard in the trash.
func inTrash() *fault.Error {
	return fault.New(fault.Conflict, "This dashboard is in the trash.").WithHint("Restore it first.")
}
