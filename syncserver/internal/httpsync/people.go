package httpsync

import (
	"context"
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
)

// look takes in what the device has before it. A dashboard that its account may not see counts as none: nobody is shown as
// looking at what they cannot see.
func (c *conn) look(ctx context.Context, m wire.Look) *fault.Error {
	if m.Board == "" {
		c.member.Look("", "", false)
		return nil
	}
	if _, err := board.ParseID(string(m.Board)); err != nil {
		return fault.Field("b", "This is not a dashboard's id.")
	}
	var may bool
	err := c.h.cfg.Store.View(ctx, func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal, m.Board, access.View)
		may = g.May(access.View)
		return err
	})
	if k := fault.KindOf(err); err != nil && k != fault.NotFound {
		return c.fail(ctx, "take in who looks", err)
	}
	if !may {
		c.member.LookAway(m.Board)
		return nil
	}
	c.member.Look(m.Board, c.id.Name, m.Editing)
	return nil
}

// people tells who can open a followed dashboard, if the device's account may edit it. What is told is made once for all
// who are told the same.
func (c *conn) people(ctx context.Context, id board.ID) error {
	f := c.follows[string(id)]
	if f == nil {
		return nil
	}
	_, version := f.seat.People(room.Editors) // before the store is read
	var g access.Grant
	var m wire.People
	var frame []byte
	audience := room.Editors
	err := c.h.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		if g, err = access.Open(tx, c.principal, id, access.Edit); err != nil {
			return err
		}
		if g.May(access.Share) {
			audience = room.Sharers
		}
		if frame, _ = f.seat.People(audience); frame == nil {
			m, err = people.Tell(tx, g)
		}
		return err
	})
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return nil // not somebody to whom it is told
	}
	if err == nil && frame == nil {
		if frame, err = wire.Encode(m); err == nil {
			f.seat.KeepPeople(audience, version, frame)
		}
	}
	if err != nil {
		return fmt.Errorf("read the people of %s: %w", id, err)
	}
	if !f.seat.Valid(g) {
		return nil // access has changed since, and it is told again
	}
	return c.sendFrame(ctx, frame)
}

// presence tells who looks at a followed dashboard, if the device's account may edit it.
func (c *conn) presence(ctx context.Context, id board.ID) error {
	f := c.follows[string(id)]
	if f == nil || !f.seat.Valid(f.grant) || !f.grant.May(access.Edit) {
		return nil
	}
	now := f.seat.Present()
	if len(now) == 0 && !f.present {
		return nil
	}
	f.present = true
	if now == nil {
		now = []wire.Present{}
	}
	return c.send(ctx, wire.Presence{Board: id, People: now})
}
