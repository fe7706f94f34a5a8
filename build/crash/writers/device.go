package writers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/build/crash/journal"
	"widgets.pro/build/crash/witness"
	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// device is one writer: a device with the client core that ships, which edits its account's dashboards as fast as the server
// takes it, and keeps a journal of everything. It belongs to one goroutine; only the tally is shared.
type device struct {
	name, base, token string
	clock             hlc.Clock
	random            *rand.Rand
	now               func() time.Time
	tally             *tally
	lanes             []*lane
	made              int // edits so far, which makes texts unique
}

// lane is one dashboard of a device.
type lane struct {
	id      board.ID
	widgets []board.WidgetID
	disk    replica.Memory
	journal *journal.Journal
	ready   bool // this connection has told where the dashboard stands
	flying  bool // edits were sent and not answered
}

// most is how many edits of one dashboard may wait for the server before a device makes no more, and how many are made at
// one time.
const (
	mostWaiting = 12
	mostAtOnce  = 4
)

var errProtocol = errors.New("the server broke the protocol")

// run connects again and again until ctx ends. Whatever breaks a connection is what the writers are here for; what must not
// happen is noted in the tally.
func (d *device) run(ctx context.Context, g *gate) {
	for g.pass(ctx) {
		if err := d.session(ctx); errors.Is(err, errProtocol) || errors.Is(err, replica.ErrForked) {
			d.tally.trouble(fmt.Errorf("%s: %w", d.name, err))
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(d.random.IntN(20)) * time.Millisecond): // not all at one moment
		}
	}
}

// session is one connection, from hello to its end.
func (d *device) session(ctx context.Context) error {
	ws, err := witness.Dial(ctx, d.base, d.token)
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	hello := wire.Hello{Versions: []int{wire.Version}, App: "crash", Dev: fmt.Sprintf("%x", d.clock.Dev)}
	for _, l := range d.lanes {
		l.ready, l.flying = false, false
		cursor, err := l.cursor()
		if err != nil {
			return err
		}
		hello.Boards = append(hello.Boards, cursor)
	}
	if err := d.send(ctx, ws, hello); err != nil {
		return err
	}
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		m, err := wire.Decode(frame)
		if err != nil {
			return fmt.Errorf("%w: %w", errProtocol, err)
		}
		if err := d.take(ctx, ws, m); err != nil {
			return err
		}
	}
}

func (d *device) send(ctx context.Context, ws *websocket.Conn, m wire.Message) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	if err := ws.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("send %s: %w", m.Type(), err)
	}
	return nil
}

// take handles one message, and then goes on editing the dashboard that it is about.
func (d *device) take(ctx context.Context, ws *websocket.Conn, m wire.Message) error {
	var l *lane
	var err error
	switch m := m.(type) {
	case wire.Snapshot:
		if l = d.lane(m.Board); l != nil {
			err = l.with(func(c *replica.Client) error {
				_, err := c.Snapshot(m.Snapshot, &d.clock, d.now().UnixMilli())
				return err
			})
			l.ready = l.ready || m.Last
		}
	case wire.Delta:
		if l = d.lane(m.Board); l != nil {
			l.journal.Heard = append(l.journal.Heard, journal.NewHeard(m.Delta))
			err = l.with(func(c *replica.Client) error {
				_, err := c.Delta(m.Delta, &d.clock)
				return err
			})
			l.ready = true
		}
	case wire.Ack:
		if l = d.lane(m.Board); l != nil {
			err = d.acknowledged(l, m)
		}
	case wire.Denied:
		return fmt.Errorf("%w: it denies %s: %s", errProtocol, m.Board, m.Message)
	case wire.Error:
		return fmt.Errorf("%w: it complains about %s: %w", errProtocol, m.Board, m.Fault)
	}
	switch {
	case errors.Is(err, replica.ErrGap):
		l.ready, l.flying = false, false
		cursor, err := l.cursor()
		if err != nil {
			return err
		}
		d.tally.gap()
		return d.send(ctx, ws, wire.Subscribe{Cursor: cursor})
	case err != nil:
		return err
	case l == nil || !l.ready:
		return nil
	}
	return d.push(ctx, ws, l)
}

func (d *device) acknowledged(l *lane, m wire.Ack) error {
	l.flying = false
	l.journal.Acks = append(l.journal.Acks, m.Ack)
	return l.with(func(c *replica.Client) error {
		before := c.Status().Acked
		if _, err := c.Ack(m.Ack); err != nil {
			return err
		}
		d.tally.acked(c.Status().Acked - before)
		return nil
	})
}

// push edits, unless the writers rest, and sends what waits.
func (d *device) push(ctx context.Context, ws *websocket.Conn, l *lane) error {
	var ops wire.Ops
	err := l.with(func(c *replica.Client) error {
		if st := c.Status(); !d.tally.resting() && st.Waiting < mostWaiting && (st.Waiting == 0 || d.random.IntN(4) == 0) {
			saved, err := c.Edit(&d.clock, d.now().UnixMilli(), d.edits(l, c.Status().Seen == 0))
			if err != nil {
				return err
			}
			l.journal.Saved = append(l.journal.Saved, saved...)
		}
		d.tally.stands(l, c.Status())
		if l.flying || c.Status().Waiting == 0 {
			return nil
		}
		pending, err := c.Pending(0, wire.MaxBatchOps, wire.MaxBatchBytes)
		ops = wire.Ops{Board: l.id, Floor: c.Status().Acked, Ops: pending}
		return err
	})
	if err != nil || len(ops.Ops) == 0 {
		return err
	}
	l.flying = true
	return d.send(ctx, ws, ops)
}

// edits are a few changes that belong together: rows of one's own, a field of one's own, fields that all fight for. Empty says
// that nobody has edited the dashboard yet, as far as the device knows.
func (d *device) edits(l *lane, empty bool) []replica.Edit {
	var edits []replica.Edit
	if empty { // whoever comes first sees to it that there is something to look at
		for i, w := range l.widgets {
			edits = append(edits, set(string(w), board.FieldKind, board.KindTable), set(string(w), board.FieldTitle, fmt.Sprint("Table ", i)), set(string(w), board.FieldAlive, true))
		}
	}
	for range 1 + d.random.IntN(mostAtOnce) {
		d.made++
		widget := string(l.widgets[d.random.IntN(len(l.widgets))])
		text := fmt.Sprintf("%s edit %d", d.name, d.made)
		switch n := d.random.IntN(20); {
		case n < 8:
			rows := make([]json.RawMessage, 1+d.random.IntN(3))
			for i := range rows {
				rows[i] = raw([]any{text, i})
			}
			edits = append(edits, replica.Edit{Kind: replica.OpRows, Entity: widget, Rows: &replica.RowChange{Rows: rows}})
		case n < 13:
			edits = append(edits, set(widget, board.OptionPrefix+"of-"+d.name, d.made))
		case n < 17:
			edits = append(edits, set(widget, board.FieldTitle, text))
		case n < 18:
			edits = append(edits, set(widget, board.FieldLayout, board.Layout{X: d.random.IntN(6), Y: d.random.IntN(40), W: 6, H: 4}))
		default:
			edits = append(edits, set(board.BoardEntity, board.FieldTitle, text))
		}
	}
	return edits
}

func set(entity, field string, value any) replica.Edit {
	return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: field, Value: raw(value)}
}

// raw encodes what can always be encoded.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

func (d *device) lane(id board.ID) *lane {
	for _, l := range d.lanes {
		if l.id == id {
			return l
		}
	}
	return nil
}

// with runs fn on the lane's replica.
func (l *lane) with(fn func(*replica.Client) error) error {
	c, err := replica.OpenClient(&l.disk)
	if err != nil {
		return fmt.Errorf("open the replica of %s: %w", l.id, err)
	}
	return fn(c)
}

func (l *lane) cursor() (cur wire.Cursor, err error) {
	err = l.with(func(c *replica.Client) error {
		st := c.Status()
		cur = wire.Cursor{Board: l.id, Epoch: st.Epoch, Since: st.Seen, New: true}
		return nil
	})
	return cur, err
}

// finish writes down where the device stands in the end.
func (l *lane) finish() error {
	return l.with(func(c *replica.Client) (err error) {
		l.journal.Waiting = c.Status().Waiting
		if l.journal.View, err = c.View(); err != nil {
			return err
		}
		l.journal.Tray, err = c.Tray()
		return err
	})
}
