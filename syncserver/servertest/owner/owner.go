// Package owner is a dashboard's owner as the sync server sees one, for tests and benchmarks: it signs up, makes and edits
// dashboards and commands their links, over the same requests and websocket as the app. It does one thing after the
// other and is not safe for concurrent use. Start reading at SignUp.
package owner

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// Owner is signed in and connected.
type Owner struct {
	Email, Password string

	server string
	token  string
	now    func() time.Time
	ws     *websocket.Conn
	frames chan frame // what was read from ws and not looked at yet
	end    context.CancelFunc
	clock  hlc.Clock
	boards map[board.ID]*replica.Memory
	links  map[board.ID]sharing.Link
	told   []wire.Share // and not yet asked for by Watch
}

// SignUp makes an account at the server with this base URL, with the mail that it sends, and connects. Close the Owner.
func SignUp(ctx context.Context, base, email, password string, now func() time.Time, mail Letters) (*Owner, error) {
	a, err := Register(ctx, base, email, password, mail)
	if err != nil {
		return nil, err
	}
	return connect(ctx, base, a, password, now)
}

// LogIn is SignUp for an account that there is. The Owner knows the links of its dashboards, but not what is on them.
func LogIn(ctx context.Context, base, email, password string, now func() time.Time) (*Owner, error) {
	var a Account
	if _, err := post(ctx, base+"/api/v1/login", map[string]string{"email": email, "password": password}, &a); err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	return connect(ctx, base, a, password, now)
}

func connect(ctx context.Context, base string, a Account, password string, now func() time.Time) (*Owner, error) {
	var dev [8]byte
	if _, err := rand.Read(dev[:]); err != nil {
		return nil, fmt.Errorf("make a device: %w", err)
	}
	o := &Owner{
		Email: a.Email, Password: password, now: now, clock: hlc.Clock{Dev: binary.BigEndian.Uint64(dev[:])>>1 + 1},
		boards: map[board.ID]*replica.Memory{}, links: map[board.ID]sharing.Link{},
	}
	o.server, o.token = base, a.Token
	return o, o.Connect(ctx)
}

// Connect connects again, such as after the server was restarted. What happened meanwhile is in the links that Do starts
// from; edits go on from the replica that the Owner holds.
func (o *Owner) Connect(ctx context.Context) error {
	if o.ws != nil {
		o.Close()
	}
	ws, res, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(o.server, "http")+wire.SyncPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + o.token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	ws.SetReadLimit(2 * wire.MaxFrame)
	reading, end := context.WithCancel(context.WithoutCancel(ctx))
	o.ws, o.frames, o.end = ws, make(chan frame, unread), end
	go read(reading, ws, o.frames)
	hello := wire.Hello{Versions: []int{wire.Version}, App: "owner", Dev: fmt.Sprintf("%x", o.clock.Dev)}
	if err := o.send(ctx, hello); err != nil {
		return err
	}
	_, err = await[wire.Boards](ctx, o)
	return err
}

// Close breaks the connection off.
func (o *Owner) Close() {
	o.end()
	_ = o.ws.CloseNow()
}

// unread is how many frames may wait to be looked at; the server waits with the next.
const unread = 1024

// frame is one that was read, or why there is none any more.
type frame struct {
	text []byte
	err  error
}

// read reads all the time, as devices do: a server that goes down is answered at once.
func read(ctx context.Context, ws *websocket.Conn, to chan<- frame) {
	for {
		_, text, err := ws.Read(ctx)
		select {
		case to <- frame{text, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// next is the next frame.
func (o *Owner) next(ctx context.Context) ([]byte, error) {
	select {
	case f := <-o.frames:
		if f.err != nil {
			o.frames <- f // for whoever asks again; there is room, since nothing else comes
		}
		return f.text, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Create makes an empty dashboard on the server, with a title.
func (o *Owner) Create(ctx context.Context, title string) (board.ID, error) {
	id := board.NewID(ulid.Make())
	o.boards[id] = &replica.Memory{}
	if err := o.send(ctx, wire.Subscribe{Cursor: wire.Cursor{Board: id, New: true}}); err != nil {
		return "", err
	}
	return id, o.Edit(ctx, id, Set(board.BoardEntity, board.FieldTitle, title))
}

// Edit changes a dashboard, which need not be one's own, and waits until the server has it for certain. An edit that is not
// accepted is an error.
func (o *Owner) Edit(ctx context.Context, id board.ID, edits ...replica.Edit) error {
	if o.boards[id] == nil {
		o.boards[id] = &replica.Memory{}
		if err := o.send(ctx, wire.Subscribe{Cursor: wire.Cursor{Board: id}}); err != nil {
			return err
		}
	}
	c, err := replica.OpenClient(o.boards[id])
	if err != nil {
		return fmt.Errorf("open the replica: %w", err)
	}
	ops, err := c.Edit(&o.clock, o.now().UnixMilli(), edits)
	if err != nil {
		return fmt.Errorf("edit: %w", err)
	}
	for len(ops) > 0 {
		n, size := 0, 0
		for n < len(ops) && n < wire.MaxBatchOps && (n == 0 || size+ops[n].Size() < wire.MaxBatchBytes) {
			size += ops[n].Size()
			n++
		}
		if err := o.send(ctx, wire.Ops{Board: id, Floor: ops[0].N - 1, Ops: ops[:n]}); err != nil {
			return err
		}
		for last := ops[n-1].N; ; {
			a, err := await[wire.Ack](ctx, o)
			if err != nil {
				return err
			}
			for _, out := range a.Outcomes {
				if out.Verdict == replica.Rejected {
					return fmt.Errorf("edit %d was refused: %s %s", out.N, out.Reason, out.Detail)
				}
			}
			if a.UpTo >= last {
				break
			}
		}
		ops = ops[n:]
	}
	return nil
}

// Command is Do for an action that needs nothing else.
func (o *Owner) Command(ctx context.Context, id board.ID, a sharing.Action) (sharing.Link, error) {
	return o.Do(ctx, id, func(c *sharing.Command) { c.Action = a })
}

// Do changes a dashboard's link by the command that fill completes, and returns the link as it is once that is certain. The
// command has an id and is based on the link's present version; for Enable and Rotate a new token is made if it has none.
func (o *Owner) Do(ctx context.Context, id board.ID, fill func(*sharing.Command)) (sharing.Link, error) {
	c := sharing.Command{ID: sharing.NewCommandID(ulid.Make()), Board: id, Base: o.links[id].Version}
	fill(&c)
	if (c.Action == sharing.Enable || c.Action == sharing.Rotate) && c.Token == "" {
		var err, err2 error
		c.Token, err = sharing.NewToken(rand.Reader)
		c.ShortID, err2 = sharing.NewShortID(rand.Reader)
		if err := errors.Join(err, err2); err != nil {
			return sharing.Link{}, fmt.Errorf("make a link: %w", err)
		}
	}
	if err := o.send(ctx, wire.Command{Command: c}); err != nil {
		return sharing.Link{}, err
	}
	for {
		r, err := await[wire.Result](ctx, o)
		switch {
		case err != nil:
			return sharing.Link{}, err
		case r.ID != c.ID:
			continue
		case r.Fault != nil:
			return r.Link, r.Fault
		}
		return r.Link, nil
	}
}

// Link is a dashboard's link as the server said last.
func (o *Owner) Link(id board.ID) sharing.Link { return o.links[id] }

// Watch takes what the server tells of links, beginning with what it has told already, until something of the dashboard's
// comes for which done holds.
func (o *Owner) Watch(ctx context.Context, id board.ID, done func(wire.Share) bool) error {
	for {
		for len(o.told) > 0 {
			s := o.told[0]
			o.told = o.told[1:]
			if s.Board == id && done(s) {
				return nil
			}
		}
		if _, err := await[wire.Share](ctx, o); err != nil {
			return err
		}
	}
}

// Set is an edit of one field.
func Set(entity, field string, value any) replica.Edit {
	v, err := json.Marshal(value)
	if err != nil {
		v = []byte("null")
	}
	return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: field, Value: v}
}

// Widget is the edits that make a widget.
func Widget(w board.Widget) []replica.Edit {
	e := string(w.ID)
	edits := []replica.Edit{
		Set(e, board.FieldKind, w.Kind), Set(e, board.FieldTitle, w.Title), Set(e, board.FieldLayout, w.Layout), Set(e, board.FieldAlive, true),
	}
	for name, v := range w.Options {
		edits = append(edits, replica.Edit{Kind: replica.OpSet, Entity: e, Field: board.OptionPrefix + name, Value: v})
	}
	if len(w.Columns) > 0 {
		columns, err := json.Marshal(w.Columns)
		if err == nil {
			edits = append(edits, replica.Edit{Kind: replica.OpRows, Entity: e, Rows: &replica.RowChange{Replace: true, Columns: columns, Rows: w.Rows}})
		}
	}
	return edits
}

func (o *Owner) send(ctx context.Context, m wire.Message) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	if err := o.ws.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("send %s: %w", m.Type(), err)
	}
	return nil
}

// await reads until a message of type M comes, noting on the way what is told of links.
func await[M wire.Message](ctx context.Context, o *Owner) (m M, err error) {
	for {
		text, err := o.next(ctx)
		if err != nil {
			return m, fmt.Errorf("wait for %s: %w", m.Type(), err)
		}
		got, err := wire.Decode(text)
		if err != nil {
			return m, fmt.Errorf("decode: %w", err)
		}
		switch t := got.(type) {
		case wire.Share:
			o.links[t.Board] = t.Link
			o.told = append(o.told, t)
		case wire.Result:
			o.links[t.Board] = t.Link
		case wire.Boards:
			for _, a := range t.Boards {
				o.links[a.Board] = a.Link
			}
		case wire.Error:
			return m, t.Fault
		}
		if want, ok := got.(M); ok {
			return want, nil
		}
	}
}
