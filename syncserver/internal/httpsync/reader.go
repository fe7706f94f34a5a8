package httpsync

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// read takes messages until the connection ends. It answers one before it reads the next.
func (c *conn) read(ctx context.Context) {
	if f := c.greet(ctx); f != nil {
		c.end(ctx, f)
		return
	}
	// Run closes the socket when the connection is over, which ends a read: it need not watch ctx too.
	reading := context.WithoutCancel(ctx)
	for {
		if err := c.limit.Wait(ctx); err != nil {
			return
		}
		m, f, ok := c.message(reading)
		if !ok {
			return
		}
		var id board.ID
		if f == nil {
			id, f = c.handle(ctx, m)
		}
		if f == nil {
			continue
		}
		if !c.do(ctx, task{send: wire.Error{Board: id, Fault: f}}) {
			return
		}
		if f.Kind == fault.TooLarge || f.Kind == fault.Outdated || f.Kind == fault.Unauthenticated {
			c.end(ctx, f)
			return
		}
	}
}

// greet reads the hello and answers it.
func (c *conn) greet(ctx context.Context) *fault.Error {
	first, cancel := context.WithTimeout(ctx, c.h.cfg.Timeouts.Hello)
	m, f, ok := c.message(first)
	cancel()
	if !ok {
		return fault.New(fault.Invalid, "No hello came.")
	}
	if f != nil {
		return f
	}
	hello, isHello := m.(wire.Hello)
	if !isHello {
		return fault.Field("t", "The first message must be a hello.")
	}
	v, ok := wire.Negotiate(hello.Versions)
	if !ok {
		return fault.Newf(fault.Outdated, "This server speaks version %d of the protocol, which your app does not.", wire.Version).
			WithHint("Update the app or the server.")
	}
	dev, err := strconv.ParseUint(hello.Dev, 16, 64)
	if err != nil || dev == 0 {
		return fault.Field("dev", "A hello must name the device, in hexadecimal.")
	}
	c.dev = dev
	for i, cur := range hello.Boards {
		if _, err := board.ParseID(string(cur.Board)); err != nil {
			return fault.Field(fmt.Sprintf("boards[%d].b", i), "This is not a dashboard's id.")
		}
	}
	// The session may have ended between the handshake and the moment from which its end would be told to us.
	now := c.h.cfg.Now()
	if err := c.h.cfg.Store.View(ctx, func(tx store.Tx) error {
		_, err := account.Session(tx, c.id.Session, now)
		return err
	}); err != nil {
		return c.fail(ctx, "check the session", err)
	}
	welcome := wire.Welcome{
		Version: v, Time: now.UnixMilli(), Account: string(c.id.Account), Email: c.id.Email, Base: c.h.cfg.Base,
		Name: c.id.Name, Verified: c.id.Verified, Mail: c.h.cfg.Mails,
	}
	if !c.do(ctx, task{send: welcome}) {
		return nil
	}
	if f := c.create(ctx, hello.Boards); f != nil && !c.do(ctx, task{send: wire.Error{Fault: f}}) {
		return nil
	}
	if !c.do(ctx, task{list: true}) {
		return nil
	}
	for i := range hello.Boards {
		if !c.do(ctx, task{follow: &hello.Boards[i]}) {
			return nil
		}
	}
	return nil
}

// handle does what one message asks for. The fault, if any, is about the dashboard with the id.
func (c *conn) handle(ctx context.Context, m wire.Message) (board.ID, *fault.Error) {
	switch m := m.(type) {
	case wire.Subscribe:
		return m.Board, c.subscribe(ctx, m.Cursor)
	case wire.Ops:
		return m.Board, c.submit(ctx, m)
	case wire.Command:
		return m.Command.Board, c.command(ctx, m)
	case wire.Look:
		return m.Board, c.look(ctx, m)
	case wire.Unknown:
		return "", nil
	case wire.Hello:
		return "", fault.Field("t", "There is one hello in a connection.")
	}
	return "", fault.Field("t", "Only the server sends messages of this type.")
}

func (c *conn) subscribe(ctx context.Context, cur wire.Cursor) *fault.Error {
	if _, err := board.ParseID(string(cur.Board)); err != nil {
		return fault.Field("b", "This is not a dashboard's id.")
	}
	if f := c.create(ctx, []wire.Cursor{cur}); f != nil {
		return f
	}
	c.do(ctx, task{follow: &cur})
	return nil
}

// createAtOnce bounds how many dashboards one transaction makes.
const createAtOnce = 100

// create makes those dashboards that the device offers as new.
func (c *conn) create(ctx context.Context, cursors []wire.Cursor) *fault.Error {
	var fresh []content.NewBoard
	now := c.h.cfg.Now().UnixMilli()
	for _, cur := range cursors {
		if !cur.New {
			continue
		}
		epoch, err := c.epoch()
		if err != nil {
			return c.fail(ctx, "make a dashboard", err)
		}
		fresh = append(fresh, content.NewBoard{ID: cur.Board, Epoch: epoch, Now: now})
	}
	for len(fresh) > 0 {
		some := fresh[:min(len(fresh), createAtOnce)]
		fresh = fresh[len(some):]
		if err := c.h.cfg.Store.Update(ctx, func(tx store.Tx) error {
			return content.Create(tx, c.h.events, c.id.Account, some)
		}); err != nil {
			return c.fail(ctx, "make a dashboard", err)
		}
	}
	return nil
}

// epoch draws a random number that is not zero.
func (c *conn) epoch() (uint64, error) {
	b := make([]byte, 8)
	for {
		if _, err := io.ReadFull(c.h.cfg.Random, b); err != nil {
			return 0, fmt.Errorf("read random bytes: %w", err)
		}
		if n := binary.BigEndian.Uint64(b); n != 0 {
			return n, nil
		}
	}
}

func (c *conn) submit(ctx context.Context, m wire.Ops) *fault.Error {
	if _, err := board.ParseID(string(m.Board)); err != nil {
		return fault.Field("b", "This is not a dashboard's id.")
	}
	if len(m.Ops) > 0 && m.Ops[0].Stamp.Dev != c.dev {
		return fault.Field("ops[0].s", "These edits are not from the device that said hello.")
	}
	answer := wire.Ack{Board: m.Board}
	sub := content.Submission{Board: m.Board, Dev: c.dev, Floor: m.Floor, Ops: m.Ops, Now: c.h.cfg.Now().UnixMilli()}
	err := c.h.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
		answer.Ack, err = content.Submit(tx, c.h.events, c.principal, sub)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		c.do(ctx, task{send: wire.Denied{Board: m.Board, Message: fault.From(err).Message}})
		return nil
	}
	if err != nil {
		return c.fail(ctx, "store edits", err)
	}
	c.do(ctx, task{send: answer})
	return nil
}

func (c *conn) command(ctx context.Context, m wire.Command) *fault.Error {
	minted, err := c.h.cfg.People.Prepare(ctx, c.principal, m.Command)
	if err != nil {
		return c.fail(ctx, "prepare a change of access", err)
	}
	now := c.h.cfg.Now().UnixMilli()
	var out sharelink.Outcome
	err = c.h.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
		if m.Command.Action.People() {
			out, err = people.Apply(tx, c.h.events, c.principal, m.Command, minted, now)
		} else {
			out, err = sharelink.Apply(tx, c.h.events, c.principal, m.Command, now)
		}
		return err
	})
	if err != nil {
		return c.fail(ctx, "change access", err)
	}
	c.do(ctx, task{send: wire.Result{ID: m.Command.ID, Board: m.Command.Board, Link: out.Link, Fault: out.Fault, Same: out.Same}})
	return nil
}

// fail makes an error fit to be told: what is no fault already is logged and told in general words.
func (c *conn) fail(ctx context.Context, doing string, err error) *fault.Error {
	f := fault.From(err)
	if f.Kind == fault.Internal && !errors.Is(err, context.Canceled) {
		c.log.ErrorContext(ctx, "a request could not be served", "doing", doing, "error", err)
	}
	return f
}
