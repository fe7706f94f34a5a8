package httpsync

import (
	"context"
	"fmt"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
)

// framesAtOnce is how many frames of one dashboard are sent before the others and the answers get their turn.
const framesAtOnce = 32

// snapshotPage is about how many bytes of values a page of a snapshot holds.
const snapshotPage = 256 << 10

// follow is a device's stream of one dashboard.
type follow struct {
	seat  *room.Seat
	grant access.Grant
	at    room.Position
	fresh bool // nothing was sent yet
	// behind says that the store held more when it was read last: a room that has just begun knows nothing of that.
	behind bool
	// present says that the device was told of somebody who looks.
	present bool
}

// follow begins, or begins anew, to send a dashboard from where the device has it.
func (c *conn) follow(ctx context.Context, cur wire.Cursor) error {
	if len(c.follows) >= maxFollowed && c.follows[string(cur.Board)] == nil {
		return c.send(ctx, wire.Error{Board: cur.Board, Fault: fault.Newf(fault.Busy, "A connection follows at most %d dashboards.", maxFollowed)})
	}
	// The seat comes first: whatever is committed after the store was read is then announced to it.
	f := &follow{seat: c.member.Join(cur.Board), at: room.Position{Epoch: cur.Epoch, Seq: cur.Since}, fresh: true}
	c.follows[string(cur.Board)] = f
	if err := c.advance(ctx, f); err != nil {
		return err
	}
	if err := c.people(ctx, cur.Board); err != nil {
		return err
	}
	return c.presence(ctx, cur.Board)
}

// advance sends what the device does not have yet, as long as its grant holds.
func (c *conn) advance(ctx context.Context, f *follow) error {
	for range framesAtOnce {
		state := room.Behind
		if !f.fresh && !f.behind {
			frame, next, st, err := f.seat.Next(f.grant, f.at)
			if err != nil {
				return err
			}
			state = st
			if st == room.Piece {
				if err := c.sendFrame(ctx, frame); err != nil {
					return err
				}
				f.at = next
				continue
			}
		}
		if state == room.UpToDate {
			return nil
		}
		if more, err := c.resume(ctx, f); err != nil || !more {
			return err
		}
	}
	f.seat.Again()
	return nil
}

// resume asks access again and sends what the store has beyond the device's position. more is false if the device may
// see no more of the dashboard.
func (c *conn) resume(ctx context.Context, f *follow) (more bool, err error) {
	id := f.seat.Board()
	var frames [][]byte
	at, behind, gone := f.at, false, false
	err = c.h.cfg.Store.View(ctx, func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal, id, access.View)
		if fault.KindOf(err) == fault.NotFound {
			gone = c.wasOurs(tx, f)
		}
		if err != nil {
			return err
		}
		f.grant = g
		frames, at, behind, err = catchUp(tx, g, f.at, f.fresh)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return false, c.deny(ctx, f, gone, fault.From(err).Message)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", id, err)
	}
	for _, frame := range frames {
		// What was read may have been forbidden since: then it is not sent any more.
		if !f.seat.Valid(f.grant) {
			return true, nil
		}
		if err := c.sendFrame(ctx, frame); err != nil {
			return false, err
		}
	}
	f.at, f.fresh, f.behind = at, false, behind
	return true, nil
}

// wasOurs reports whether a dashboard that cannot be opened was deleted by somebody who may tell us so: it was followed
// on this connection, or is our own.
func (c *conn) wasOurs(tx store.Tx, f *follow) bool {
	rec, ok, err := tx.Boards().Get(f.seat.Board())
	if err != nil || !ok || rec.Destroyed == 0 {
		return false
	}
	return f.grant.May(access.View) || rec.Owner == c.id.Account
}

// deny ends a stream. Nothing about the dashboard follows on this connection (W7).
func (c *conn) deny(ctx context.Context, f *follow, gone bool, message string) error {
	id := f.seat.Board()
	if f.grant.May(access.View) && !gone {
		f.seat.CutOff()
	} else {
		f.seat.Leave()
	}
	c.member.LookAway(id)
	delete(c.follows, string(id))
	if gone {
		message = "This dashboard was deleted for good."
	}
	return c.send(ctx, wire.Denied{Board: id, Gone: gone, Message: message})
}

// catchUp reads what follows a position: a step of the log, or a snapshot where the log does not reach back that far. It
// returns no frame if there is nothing, unless the device waits for its first, and behind if the log goes on after the step.
func catchUp(tx store.Tx, g access.Grant, at room.Position, first bool) (frames [][]byte, next room.Position, behind bool, err error) {
	hub, err := content.Open(tx, g)
	if err != nil {
		return nil, at, false, err
	}
	d, ok, err := hub.Since(content.Epoch(g, at.Epoch), at.Seq, wire.MaxBatchOps, wire.MaxBatchBytes)
	if err != nil {
		return nil, at, false, fmt.Errorf("read log: %w", err)
	}
	if ok {
		step, err := content.NewStep(hub, d)
		if err != nil {
			return nil, at, false, err
		}
		d, ok = step.For(g)
	}
	if !ok {
		frames, next, err = snapshot(hub, g)
		return frames, next, false, err
	}
	if d.From == d.To && !first {
		return nil, at, false, nil
	}
	frame, err := wire.Encode(wire.Delta{Board: g.Board(), Delta: d})
	if err != nil {
		return nil, at, false, fmt.Errorf("encode changes: %w", err)
	}
	_, head := hub.Head()
	return [][]byte{frame}, room.Position{Epoch: d.Epoch, Seq: d.To}, d.To < head, nil
}

// snapshot encodes all pages.
func snapshot(hub *replica.Hub, g access.Grant) ([][]byte, room.Position, error) {
	pages, err := content.Snapshot(g, hub, snapshotPage)
	if err != nil {
		return nil, room.Position{}, err
	}
	frames := make([][]byte, 0, len(pages))
	for _, p := range pages {
		frame, err := wire.Encode(wire.Snapshot{Board: g.Board(), Snapshot: p})
		if err != nil {
			return nil, room.Position{}, fmt.Errorf("encode snapshot: %w", err)
		}
		frames = append(frames, frame)
	}
	last := pages[len(pages)-1]
	return frames, room.Position{Epoch: last.Epoch, Seq: last.Seq}, nil
}
