// Package witness asks the sync server what is on it, as a device that never was there before: over the real protocol, and
// with no memory of its own. Start reading at Read.
package witness

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"widgets.pro/build/crash/journal"
	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// Dial opens a connection for sync at the server with this base URL. Whoever reads from it must see to CloseNow.
func Dial(ctx context.Context, base, token string) (*websocket.Conn, error) {
	ws, res, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(base, "http")+wire.SyncPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	ws.SetReadLimit(2 * wire.MaxFrame)
	return ws, nil
}

// NewDevice makes the name of a device.
func NewDevice() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("make a device: %w", err)
	}
	return binary.BigEndian.Uint64(b[:])>>1 + 1, nil
}

var (
	errCut      = errors.New("the log was cut and does not reach back to its beginning")
	errRefused  = errors.New("the server does not let this account near the dashboard")
	errComplain = errors.New("the server complains")
)

// Read gets a dashboard as the server tells it to a device that is new: the content, by a snapshot, and then the whole log.
// Nobody may edit it meanwhile.
func Read(ctx context.Context, base, token string, id board.ID) (journal.Server, error) {
	out := journal.Server{Board: id}
	dev, err := NewDevice()
	if err != nil {
		return out, err
	}
	ws, err := Dial(ctx, base, token)
	if err != nil {
		return out, err
	}
	defer func() { _ = ws.CloseNow() }()
	send := func(m wire.Message) error {
		frame, err := wire.Encode(m)
		if err != nil {
			return fmt.Errorf("encode %s: %w", m.Type(), err)
		}
		if err := ws.Write(ctx, websocket.MessageText, frame); err != nil {
			return fmt.Errorf("send %s: %w", m.Type(), err)
		}
		return nil
	}
	hello := wire.Hello{Versions: []int{wire.Version}, App: "witness", Dev: fmt.Sprintf("%x", dev), Boards: []wire.Cursor{{Board: id}}}
	if err := send(hello); err != nil {
		return out, err
	}
	var disk replica.Memory
	clock := hlc.Clock{Dev: dev}
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return out, fmt.Errorf("read: %w", err)
		}
		m, err := wire.Decode(frame)
		if err != nil {
			return out, fmt.Errorf("decode: %w", err)
		}
		switch m := m.(type) {
		case wire.Snapshot:
			if out.State != nil {
				return out, errCut
			}
			if out.State, err = adopt(&disk, &clock, m.Snapshot); err != nil {
				return out, err
			}
			if out.State == nil {
				continue // a page of several
			}
			out.Epoch, out.Head = m.Epoch, m.Seq
			if err := send(wire.Subscribe{Cursor: wire.Cursor{Board: id, Epoch: m.Epoch}}); err != nil {
				return out, err
			}
		case wire.Delta:
			out.Log = append(out.Log, m.Entries...)
			if out.State != nil && m.To >= out.Head {
				return out, nil
			}
		case wire.Denied:
			return out, errRefused
		case wire.Error:
			return out, fmt.Errorf("%w: %w", errComplain, m.Fault)
		}
	}
}

// adopt takes a page, and returns the content once it was the last one.
func adopt(disk *replica.Memory, clock *hlc.Clock, p replica.Snapshot) (*replica.State, error) {
	c, err := replica.OpenClient(disk)
	if err != nil {
		return nil, fmt.Errorf("open the replica: %w", err)
	}
	if _, err := c.Snapshot(p, clock, 0); err != nil {
		return nil, fmt.Errorf("take a snapshot: %w", err)
	}
	if !p.Last {
		return nil, nil //nolint:nilnil // as documented
	}
	s, err := c.Confirmed()
	if err != nil {
		return nil, fmt.Errorf("read the replica: %w", err)
	}
	return s, nil
}
