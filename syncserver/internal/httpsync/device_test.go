package httpsync_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// patience bounds how long a test waits for something that must come.
const patience = 20 * time.Second

// device is an app as the server sees it: a replica.Client for each dashboard, and a websocket.
type device struct {
	t      testing.TB
	srv    *servertest.Server
	who    servertest.SignedIn
	clock  hlc.Clock
	boards map[board.ID]*replica.Memory
	links  map[board.ID]sharing.Link
	roles  map[board.ID]sharing.Role
	told   map[board.ID]wire.People
	seen   map[board.ID]wire.Presence
	cutOff map[board.ID]int // by the receipts that came
	ws     *websocket.Conn
}

func newDevice(tb testing.TB, srv *servertest.Server, who servertest.SignedIn) *device {
	tb.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).SetUint64(1<<63))
	if err != nil {
		tb.Fatal(err)
	}
	d := &device{
		t: tb, srv: srv, who: who, clock: hlc.Clock{Dev: n.Uint64() + 1},
		boards: map[board.ID]*replica.Memory{}, links: map[board.ID]sharing.Link{}, roles: map[board.ID]sharing.Role{},
		told: map[board.ID]wire.People{}, seen: map[board.ID]wire.Presence{}, cutOff: map[board.ID]int{},
	}
	tb.Cleanup(d.cut)
	return d
}

func (d *device) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	d.t.Cleanup(cancel)
	return ctx
}

// dial opens the websocket without a word.
func (d *device) dial() {
	d.t.Helper()
	d.cut()
	ws, _, err := websocket.Dial(d.ctx(), d.srv.SyncURL(), &websocket.DialOptions{ //nolint:bodyclose // websocket.Dial has closed it
		HTTPHeader: http.Header{"Authorization": {"Bearer " + d.who.Token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		d.t.Fatalf("dial: %v", err)
	}
	ws.SetReadLimit(2 * wire.MaxFrame)
	d.ws = ws
}

// connect says hello and waits for the list of dashboards.
func (d *device) connect() {
	d.t.Helper()
	d.dial()
	h := wire.Hello{Versions: []int{wire.Version}, App: "test", Dev: fmt.Sprintf("%x", d.clock.Dev)}
	for id := range d.boards {
		s := d.client(id).Status()
		h.Boards = append(h.Boards, wire.Cursor{Board: id, Epoch: s.Epoch, Since: s.Seen, New: true})
	}
	d.send(h)
	await[wire.Boards](d)
}

func (d *device) cut() {
	if d.ws != nil {
		_ = d.ws.CloseNow()
		d.ws = nil
	}
}

func (d *device) send(m wire.Message) {
	d.t.Helper()
	frame, err := wire.Encode(m)
	if err != nil {
		d.t.Fatal(err)
	}
	d.raw(string(frame))
}

func (d *device) raw(frame string) {
	d.t.Helper()
	if err := d.ws.Write(d.ctx(), websocket.MessageText, []byte(frame)); err != nil {
		d.t.Fatalf("send: %v", err)
	}
}

// next reads one message and takes it in.
func (d *device) next() (wire.Message, error) {
	_, frame, err := d.ws.Read(d.ctx())
	if err != nil {
		return nil, err
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return nil, fmt.Errorf("decode %.200s: %w", frame, err)
	}
	switch m := m.(type) {
	case wire.Boards:
		d.links, d.roles = map[board.ID]sharing.Link{}, map[board.ID]sharing.Role{}
		for _, a := range m.Boards {
			d.links[a.Board], d.roles[a.Board] = a.Link, a.Role
		}
	case wire.People:
		d.told[m.Board] = m
	case wire.Presence:
		d.seen[m.Board] = m
	case wire.Share:
		d.links[m.Board] = m.Link
		d.cutOff[m.Board] += m.Cut
	case wire.Result:
		d.links[m.Board] = m.Link
	case wire.Ack:
		_, err = d.client(m.Board).Ack(m.Ack)
	case wire.Delta:
		_, err = d.client(m.Board).Delta(m.Delta, &d.clock)
	case wire.Snapshot:
		_, err = d.client(m.Board).Snapshot(m.Snapshot, &d.clock, time.Now().UnixMilli())
	}
	return m, err
}

// await reads until a message of type M comes.
func await[M wire.Message](d *device) M {
	d.t.Helper()
	for {
		m, err := d.next()
		if err != nil {
			var want M
			d.t.Fatalf("waiting for %s: %v", want.Type(), err)
		}
		if got, ok := m.(M); ok {
			return got
		}
	}
}

// until reads until done holds.
func (d *device) until(what string, done func() bool) {
	d.t.Helper()
	for !done() {
		if _, err := d.next(); err != nil {
			d.t.Fatalf("waiting until %s: %v", what, err)
		}
	}
}

// closed reads until the server closes the connection and returns how.
func (d *device) closed() websocket.CloseError {
	d.t.Helper()
	for {
		_, err := d.next()
		if err == nil {
			continue
		}
		var ce websocket.CloseError
		if code := websocket.CloseStatus(err); code < 0 {
			d.t.Fatalf("the connection broke: %v", err)
		}
		_ = asClose(err, &ce)
		return ce
	}
}

func (d *device) client(id board.ID) *replica.Client {
	d.t.Helper()
	if d.boards[id] == nil {
		d.boards[id] = &replica.Memory{}
	}
	c, err := replica.OpenClient(d.boards[id])
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *device) edit(id board.ID, edits ...replica.Edit) {
	d.t.Helper()
	if _, err := d.client(id).Edit(&d.clock, time.Now().UnixMilli(), edits); err != nil {
		d.t.Fatal(err)
	}
}

// push sends what waits and reads until it is acknowledged and seen.
func (d *device) push(id board.ID) wire.Ack {
	d.t.Helper()
	d.send(d.pending(id))
	a := await[wire.Ack](d)
	d.until("the edits come back", func() bool { return d.client(id).Status().Seen >= a.Seq })
	return a
}

func (d *device) pending(id board.ID) wire.Ops {
	d.t.Helper()
	c := d.client(id)
	ops, err := c.Pending(0, wire.MaxBatchOps, wire.MaxBatchBytes)
	if err != nil {
		d.t.Fatal(err)
	}
	return wire.Ops{Board: id, Floor: c.Status().Acked, Ops: ops}
}

// command sends a change of access and returns its result.
func (d *device) command(id board.ID, a sharing.Action) wire.Result {
	d.t.Helper()
	c := d.newCommand(id, a)
	d.send(wire.Command{Command: c})
	r := await[wire.Result](d)
	if r.ID != c.ID {
		d.t.Fatalf("the result of %s is for %s", c.ID, r.ID)
	}
	return r
}

func (d *device) newCommand(id board.ID, a sharing.Action) sharing.Command {
	d.t.Helper()
	tok, err := sharing.NewToken(rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	short, err := sharing.NewShortID(rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	c := sharing.Command{ID: sharing.NewCommandID(ulid.Make()), Board: id, Action: a, Base: d.links[id].Version}
	if a == sharing.Enable || a == sharing.Rotate {
		c.Token, c.ShortID = tok, short
	}
	return c
}

func (d *device) view(id board.ID) board.View {
	d.t.Helper()
	s, err := d.client(id).View()
	if err != nil {
		d.t.Fatal(err)
	}
	return board.NewView(id, s)
}

func newBoard() board.ID { return board.NewID(ulid.Make()) }

func title(s string) replica.Edit {
	v, _ := json.Marshal(s)
	return replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTitle, Value: v}
}

func alive(b bool) replica.Edit {
	v, _ := json.Marshal(b)
	return replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldAlive, Value: v}
}

// start runs a server with one account and one of its devices, connected, with one dashboard on the server.
func start(t *testing.T, o servertest.Options) (*servertest.Server, *device, board.ID) {
	t.Helper()
	srv := servertest.Start(t, o)
	d := newDevice(t, srv, srv.SignUp("ann@example.org"))
	id := newBoard()
	d.edit(id, title("First"))
	d.connect()
	d.push(id)
	return srv, d, id
}
