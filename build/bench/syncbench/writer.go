package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest/owner"
)

// messages is how many messages a writer sends on one connection at most: the server takes a burst of so many before it
// slows a connection down, which is not what is measured.
const messages = 900

// writer is one device with a connection. Its messages are made beforehand, so that what is measured is the server.
type writer struct {
	ws     *websocket.Conn
	frames [][]byte
	batch  int // operations in a message
	acked  int // operations
	buf    bytes.Buffer
}

// newWriter connects a new device of an account that follows one dashboard, and prepares its messages: each sets batch
// fields of widgets that are there.
func newWriter(ctx context.Context, base string, a owner.Account, id board.ID, widgets []board.WidgetID, batch int, now time.Time) (*writer, error) {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, fmt.Errorf("make a device: %w", err)
	}
	w := &writer{batch: batch}
	clock := hlc.Clock{Dev: binary.BigEndian.Uint64(raw[:])>>1 + 1}
	if err := w.prepare(&clock, id, widgets, now); err != nil {
		return nil, err
	}
	ws, res, err := websocket.Dial(ctx, "ws"+base[len("http"):]+wire.SyncPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + a.Token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	ws.SetReadLimit(2 * wire.MaxFrame)
	w.ws = ws
	hello, err := wire.Encode(wire.Hello{
		Versions: []int{wire.Version}, App: "bench", Dev: strconv.FormatUint(clock.Dev, 16), Boards: []wire.Cursor{{Board: id}},
	})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if err := ws.Write(ctx, websocket.MessageText, hello); err != nil {
		return nil, fmt.Errorf("say hello: %w", err)
	}
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("wait for the dashboard: %w", err)
		}
		if bytes.HasPrefix(frame, []byte(`{"t":"snap"`)) && bytes.Contains(frame, []byte(`"last":true`)) {
			return w, nil
		}
	}
}

func (w *writer) prepare(clock *hlc.Clock, id board.ID, widgets []board.WidgetID, now time.Time) error {
	n := uint64(0)
	for i := range messages {
		m := wire.Ops{Board: id, Floor: n}
		for range w.batch {
			n++
			op := replica.Op{N: n, Stamp: clock.Now(now.UnixMilli()), Kind: replica.OpSet, Entity: string(widgets[int(n)%len(widgets)])}
			if n%2 == 0 {
				op.Field, op.Value = board.FieldTitle, fmt.Appendf(nil, `"Revenue of the shop, edit %d"`, i)
			} else {
				op.Field, op.Value = board.FieldLayout, fmt.Appendf(nil, `{"x":%d,"y":%d,"w":4,"h":3}`, i%8, i)
			}
			m.Ops = append(m.Ops, op)
		}
		frame, err := wire.Encode(m)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		w.frames = append(w.frames, frame)
	}
	return nil
}

var errVerdict = errors.New("an edit was not simply applied")

// write sends one message after the other, each when the one before was acknowledged, until its messages or the time are
// over.
func (w *writer) write(ctx context.Context, until time.Time, now func() time.Time) error {
	stop := context.AfterFunc(ctx, func() { _ = w.ws.CloseNow() })
	defer stop()
	ctx = context.WithoutCancel(ctx) // which costs less for each message
	for i, frame := range w.frames {
		if !now().Before(until) {
			return nil
		}
		if err := w.ws.Write(ctx, websocket.MessageText, frame); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		if err := w.await(ctx, (i+1)*w.batch); err != nil {
			return err
		}
	}
	return nil
}

// await reads until operation n is acknowledged.
func (w *writer) await(ctx context.Context, n int) error {
	for {
		frame, err := w.read(ctx)
		if err != nil {
			return fmt.Errorf("wait for an answer: %w", err)
		}
		switch {
		case bytes.HasPrefix(frame, []byte(`{"t":"ack"`)):
		case bytes.HasPrefix(frame, []byte(`{"t":"error"`)), bytes.HasPrefix(frame, []byte(`{"t":"denied"`)):
			return fmt.Errorf("the server answers %s", frame)
		default:
			continue
		}
		if bytes.Contains(frame, []byte(`"outcomes"`)) {
			return fmt.Errorf("%w: %s", errVerdict, frame)
		}
		_, rest, _ := bytes.Cut(frame, []byte(`"upTo":`))
		end := bytes.IndexAny(rest, ",}")
		if end < 0 {
			return fmt.Errorf("the server answers %s", frame)
		}
		if w.acked, err = strconv.Atoi(string(rest[:end])); err != nil {
			return fmt.Errorf("the server answers %s", frame)
		}
		if w.acked >= n {
			return nil
		}
	}
}

// read reads one message, which is good until the next.
func (w *writer) read(ctx context.Context) ([]byte, error) {
	_, r, err := w.ws.Reader(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what it waits for
	}
	w.buf.Reset()
	_, err = w.buf.ReadFrom(r)
	return w.buf.Bytes(), err
}
