package httpsync

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
)

// What is written at once: up to so many bytes, or what so many tasks and pieces of news come to.
const (
	flushBytes = 64 << 10
	flushAfter = 64
)

// write does the reader's tasks and follows the rooms until the connection ends. What there is to do at one moment leaves in
// one write to the network.
func (c *conn) write(ctx context.Context) {
	for {
		end, err := c.wait(ctx)
		if ctx.Err() != nil {
			return
		}
		for n := 1; n < flushAfter && err == nil && end == (closing{}); n++ {
			runtime.Gosched() // those who have just been told of the same commit may have more for this connection
			var more bool
			if more, end, err = c.next(ctx); !more {
				break
			}
		}
		if err == nil {
			err = c.flush(ctx)
		}
		if err != nil && ctx.Err() == nil {
			f := fault.From(err)
			if f.Kind == fault.Internal {
				c.log.ErrorContext(ctx, "a connection failed", "error", err)
			}
			end = closingFor(f)
			_ = c.flush(ctx) // what came before still goes out
		}
		if end != (closing{}) {
			_ = c.ws.Close(end.code, end.reason)
			return
		}
	}
}

// wait does the next thing that there is to do; see carryOut.
func (c *conn) wait(ctx context.Context) (end closing, err error) {
	select {
	case <-ctx.Done():
		return end, nil
	case <-c.h.drain:
		return closing{code: wire.CloseRestarting, reason: "The server is restarting; come back in a moment."}, nil
	case t := <-c.todo:
		c.socket.Hold()
		return c.carryOut(ctx, t)
	case <-c.member.Wake():
		c.socket.Hold()
		return c.news(ctx)
	}
}

// next does what there is to do at this moment, if there is anything.
func (c *conn) next(ctx context.Context) (more bool, end closing, err error) {
	select {
	case t := <-c.todo:
		end, err = c.carryOut(ctx, t)
	case <-c.member.Wake():
		end, err = c.news(ctx)
	default:
		return false, end, nil
	}
	return true, end, err
}

// carryOut does a task, and tells how to end the connection if that is the task.
func (c *conn) carryOut(ctx context.Context, t task) (end closing, err error) {
	switch {
	case t.close != nil:
		return *t.close, nil
	case t.list:
		return end, c.list(ctx)
	case t.follow != nil:
		return end, c.follow(ctx, *t.follow)
	}
	_, isWelcome := t.send.(wire.Welcome)
	c.welcomed = c.welcomed || isWelcome
	return end, c.send(ctx, t.send)
}

// news tells what has happened in the rooms, and how to end the connection if the session is over.
func (c *conn) news(ctx context.Context) (end closing, err error) {
	p := c.member.Take()
	if p.Ended {
		return closingFor(fault.New(fault.Unauthenticated, "You have signed out.")), nil
	}
	if !c.welcomed {
		return end, nil // what there is to tell comes after the welcome anyway, as it is by then
	}
	for _, s := range p.Seats {
		if f := c.follows[string(s.Board())]; f != nil && f.seat == s {
			if err := c.advance(ctx, f); err != nil {
				return end, err
			}
		}
	}
	if p.List {
		if err := c.list(ctx); err != nil {
			return end, err
		}
	}
	for id, rc := range p.Share {
		if err := c.share(ctx, id, rc); err != nil {
			return end, err
		}
	}
	for id := range p.People {
		if err := c.people(ctx, id); err != nil {
			return end, err
		}
	}
	for id := range p.Presence {
		if err := c.presence(ctx, id); err != nil {
			return end, err
		}
	}
	return end, nil
}

// list sends the dashboards that the account may open.
func (c *conn) list(ctx context.Context) error {
	var m wire.Boards
	err := c.h.cfg.Store.View(ctx, func(tx store.Tx) error {
		m = wire.Boards{Boards: []wire.Access{}}
		grants, err := access.List(tx, c.id.Account)
		if err != nil {
			return err
		}
		if m.Organisations, err = people.Organisations(tx, c.id.Account); err != nil {
			return err
		}
		for _, g := range grants {
			a, err := people.AccessOf(tx, g, m.Organisations)
			if err != nil {
				return err
			}
			if a.Share {
				if a.Link, a.Views, err = linkOf(tx, g.Board()); err != nil {
					return err
				}
			}
			m.Boards = append(m.Boards, a)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list dashboards: %w", err)
	}
	return c.send(ctx, m)
}

// share sends the state of a link to whoever may manage it.
func (c *conn) share(ctx context.Context, id board.ID, rc room.Receipt) error {
	m := wire.Share{Board: id, Watching: rc.Watching, Cut: rc.Cut, CutMS: rc.Slowest.Milliseconds()}
	err := c.h.cfg.Store.View(ctx, func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal, id, access.Share)
		if err != nil {
			return err
		}
		m.Link, m.Views, err = linkOf(tx, g.Board())
		return err
	})
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return nil // not somebody to whom it is told
	}
	if err != nil {
		return fmt.Errorf("read link of %s: %w", id, err)
	}
	return c.send(ctx, m)
}

// linkOf is what those who may share a dashboard are told of its link: its state, and how often it was opened.
func linkOf(tx store.Tx, id board.ID) (sharing.Link, *wire.Views, error) {
	link, err := tx.Links().Get(id)
	if err != nil {
		return link, nil, fmt.Errorf("read link of %s: %w", id, err)
	}
	v, err := tx.Views().Get(id)
	if err != nil {
		return link, nil, fmt.Errorf("read views of %s: %w", id, err)
	}
	if len(v.Days) == 0 {
		return link, &wire.Views{Days: []uint32{}}, nil // never opened, which is something to tell
	}
	return link, &wire.Views{Last: v.Last, Day: time.Unix(v.Day*24*60*60, 0).UTC().Format(time.DateOnly), Days: v.Days}, nil
}

func (c *conn) send(ctx context.Context, m wire.Message) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return c.sendFrame(ctx, frame)
}

// sendFrame writes one frame. It leaves with the next flush.
func (c *conn) sendFrame(ctx context.Context, frame []byte) error {
	// Nothing waits here, since what is held goes to memory, and so nothing has to be broken off.
	if err := c.ws.Write(context.WithoutCancel(ctx), websocket.MessageText, frame); err != nil {
		return lost(err)
	}
	if c.socket.Held() < flushBytes {
		return nil
	}
	err := c.flush(ctx)
	c.socket.Hold()
	return err
}

// flush writes to the network what was sent. A device that does not take it in time is cut; it comes back and resumes.
func (c *conn) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.h.cfg.Timeouts.Write)
	defer cancel()
	if err := c.socket.Flush(ctx); err != nil {
		return lost(err)
	}
	return nil
}

func lost(err error) error {
	return fault.New(fault.Unavailable, "The connection was lost.").WithCause(err)
}
