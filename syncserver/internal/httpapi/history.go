package httpapi

import (
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// history is a page of a dashboard's history, or of one widget's, for whoever may edit it.
func (p *Programs) history(c *call) (any, error) {
	var out screen.History
	err := p.cfg.Store.View(c.ctx(), func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal(), c.id(), access.Edit)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		q := c.r.URL.Query()
		out, err = content.History(tx, g, q.Get("before"), q.Get("widget"))
		return err //nolint:wrapcheck // says what it was doing
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

// then is a dashboard as it was at a position of its history.
func (p *Programs) then(c *call) (any, error) {
	var out screen.Then
	err := p.past(c, func(_ store.Tx, v board.View, rows bool) error {
		out = screen.NewThen(c.r.PathValue("position"), v, rows)
		return nil
	})
	return out, err
}

// past calls fn with the dashboard at the position that the path names, in the transaction in which it was read.
func (p *Programs) past(c *call, fn func(tx store.Tx, v board.View, rows bool) error) error {
	at, err := screen.ParsePosition(c.r.PathValue("position"))
	if err != nil {
		return err //nolint:wrapcheck // a fault of what is asked for
	}
	return p.cfg.Pasts.InTurn(c.ctx(), c.me.Account, func() error { //nolint:wrapcheck // says what it was doing
		return p.cfg.Store.View(c.ctx(), func(tx store.Tx) error { //nolint:wrapcheck // says what it was doing
			g, err := access.Open(tx, c.principal(), c.id(), access.Edit)
			if err != nil {
				return err //nolint:wrapcheck // access's fault is the answer
			}
			v, rows, err := content.At(tx, g, at)
			if err != nil {
				return err //nolint:wrapcheck // says what it was doing
			}
			return fn(tx, v, rows)
		})
	})
}

// restoreTo makes a dashboard, or a part of it, as it was at a position of its history. What to write is found out before the
// transaction that writes it; somebody's edit in between is one that came before this one, or after it.
func (p *Programs) restoreTo(c *call) (any, error) {
	var in struct {
		Widget string `json:"widget"`
		Field  string `json:"field"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	entity, err := screen.ParseTarget(in.Widget, in.Field)
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of what is asked for
	}
	var edits []replica.Edit
	var again bool
	err = p.past(c, func(tx store.Tx, v board.View, rows bool) (err error) {
		if _, again, err = key.again(tx); again || err != nil {
			return err
		}
		g, err := openAlive(tx, c)
		if err != nil {
			return err
		}
		hub, err := content.Open(tx, g)
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
		state, err := hub.State()
		if err != nil {
			return fmt.Errorf("read dashboard %s: %w", c.id(), err)
		}
		planned, err := screen.Restore(state, c.id(), v, rows, entity, in.Field, func() (board.WidgetID, error) {
			u, err := ulid.New(ulid.Timestamp(time.UnixMilli(c.now)), p.cfg.Random)
			return board.NewWidgetID(u), err //nolint:wrapcheck // fails where random bytes do
		})
		edits = planned.Edits
		return err //nolint:wrapcheck // a fault of what is asked for
	})
	if err != nil {
		return nil, err
	}
	var out head
	err = p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
		_, again, err := key.again(tx)
		if err != nil {
			return err
		}
		g, err := openAlive(tx, c)
		if err != nil {
			return err
		}
		if !again {
			if _, err := p.cfg.Author.Submit(tx, p.cfg.Events, c.principal(), c.id(), edits, c.now); err != nil {
				return err //nolint:wrapcheck // says what it was doing
			}
			if err := key.remember(tx, store.Answer{Board: c.id()}); err != nil {
				return err
			}
		}
		out, err = p.headOf(tx, g, c)
		return err
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

// openAlive grants to edit a dashboard that is not in the trash.
func openAlive(tx store.Tx, c *call) (access.Grant, error) {
	g, err := access.Open(tx, c.principal(), c.id(), access.Edit)
	if err != nil {
		return g, err //nolint:wrapcheck // access's fault is the answer
	}
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return g, fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	if rec.Trashed {
		return g, inTrash()
	}
	return g, nil
}
