package syncclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

const (
	writeTimeout = 30 * time.Second
	pingEvery    = 30 * time.Second
	pingTimeout  = 15 * time.Second
	// maxInbox is how many received messages may wait for the disk; when it is full the server has to wait.
	maxInbox = 16
	// maxOutbox is how many messages may wait for the socket; when it is full no further edits are fetched.
	maxOutbox = 16
	// maxStalls is how often a dashboard may be subscribed to again, or an answer bring nothing new, on one connection.
	maxStalls = 5
	lookEvery = wire.LookEvery * time.Millisecond
)

// connection is one websocket, from hello to its end. Its methods run on one goroutine; a reader and a writer stand beside
// it.
type connection struct {
	c      *Client
	w      *workspace.Workspace
	login  workspace.Login
	out    [][]byte
	lanes  map[board.ID]*lane
	unsure int  // dashboards whose subscription was not answered yet
	listed bool // the list of dashboards has come
	caught bool
	// looked is what the server was told last of what is on the screen, retell says that it is to hear it again. Glance is
	// the frame that tells it, nil if none waits; it goes after all others.
	looked wire.Look
	retell bool
	glance []byte
	quiet  bool // nothing but glances was exchanged since the workspace was told how things stand
	most   int  // how many changes waited at most since everything was exchanged last
}

// lane is what is under way for one dashboard.
type lane struct {
	ready   bool   // the subscription was answered: numbers and epoch are those of the server
	flying  bool   // edits were sent and not answered
	command string // id of the command that was sent and not answered
	stalls  int
	shut    bool // the server does not let the account in
}

// connect opens a connection and stays until it ends. caughtUp reports whether everything was exchanged once.
func (c *Client) connect(ctx context.Context, login workspace.Login) (caughtUp bool, err error) {
	token, err := c.deps.Credentials.Load(login.Key)
	if err != nil {
		return false, fault.New(fault.Unauthenticated, "The session could not be read from this device's keychain.").
			WithHint("Unlock the keychain and try again, or sign in again.").WithCause(err)
	}
	if token == "" {
		return false, signInAgain(login.Server)
	}
	conn, err := c.dial(ctx, login.Server, token)
	if err != nil {
		return false, err
	}
	// The reader and the writer end when the socket is closed or ctx ends, whichever is first.
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer func() {
		cancel()
		_ = conn.CloseNow()
		group.Wait()
	}()
	k := &connection{c: c, w: c.deps.Workspace, login: login, lanes: map[board.ID]*lane{}}
	inbox, outbox, ended := make(chan wire.Message, maxInbox), make(chan []byte), make(chan error, 3)
	group.Go(func() { ended <- read(ctx, conn, inbox) })
	group.Go(func() { ended <- write(ctx, conn, outbox) })
	group.Go(func() { ended <- c.ping(ctx, conn) })
	err = k.run(ctx, inbox, outbox, ended)
	if ctx.Err() != nil {
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
	return k.caught, err
}

func read(ctx context.Context, conn *websocket.Conn, inbox chan<- wire.Message) error {
	for {
		kind, frame, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if kind != websocket.MessageText {
			return fault.New(fault.Invalid, "The server sent something that is not of this protocol.")
		}
		m, err := wire.Decode(frame)
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		select {
		case inbox <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func write(ctx context.Context, conn *websocket.Conn, outbox <-chan []byte) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case frame := <-outbox:
			wctx, cancel := context.WithTimeout(ctx, writeTimeout)
			err := conn.Write(wctx, websocket.MessageText, frame)
			cancel()
			if err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
	}
}

// ping finds out about a connection that is dead without anybody saying so.
func (c *Client) ping(ctx context.Context, conn *websocket.Conn) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.deps.After(pingEvery):
		}
		pctx, cancel := context.WithTimeout(ctx, pingTimeout)
		err := conn.Ping(pctx)
		cancel()
		if err != nil {
			return fmt.Errorf("ping: %w", err)
		}
	}
}

func (k *connection) run(ctx context.Context, inbox <-chan wire.Message, outbox chan<- []byte, ended <-chan error) error {
	hello, err := k.w.Hello(k.c.deps.App)
	if err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	for _, b := range hello.Boards {
		k.lanes[b.Board] = &lane{}
	}
	k.unsure = len(hello.Boards)
	if err := k.send(hello); err != nil {
		return err
	}
	sent := k.c.deps.Now()
	patience := k.c.deps.After(dialTimeout)
	welcome, look := false, k.c.deps.After(lookEvery)
	for {
		var next []byte
		var room chan<- []byte
		switch {
		case len(k.out) > 0:
			next, room = k.out[0], outbox
		case k.glance != nil:
			next, room = k.glance, outbox
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return closed(k.login.Server, err)
		case room <- next:
			if len(k.out) == 0 {
				k.glance = nil
				continue
			}
			if k.out = k.out[1:]; len(k.out) > 0 {
				continue
			}
		case <-patience:
			if !welcome {
				return notOurs(k.login.Server)
			}
		case <-k.w.Changed():
		case <-k.w.Looked():
		case <-look:
			look = k.c.deps.After(lookEvery)
			k.retell = true
		case <-k.w.Retried():
			if now, ok := k.w.Login(); !ok || now.Number != k.login.Number {
				return errSignedInAnew
			}
		case m := <-inbox:
			if w, ok := m.(wire.Welcome); ok && !welcome {
				welcome = true
				if err := k.welcome(w, sent); err != nil {
					return err
				}
			} else if _, isError := m.(wire.Error); !welcome && !isError {
				return notOurs(k.login.Server)
			} else if err := k.take(m); errors.Is(err, replica.ErrForked) {
				return k.forked(err)
			} else if err != nil {
				return err
			}
		}
		if welcome {
			if err := k.pump(); err != nil {
				return err
			}
			if err := k.look(); err != nil {
				return err
			}
			if err := k.tell(); err != nil {
				return err
			}
		}
	}
}

// look tells which dashboard is on the screen, once its subscription was answered.
func (k *connection) look() error {
	now := k.w.Looking()
	if l := k.lanes[now.Board]; l == nil || !l.ready || l.shut {
		now = wire.Look{}
	}
	if now == k.looked && (!k.retell || now.Board == "") {
		return nil
	}
	k.looked, k.retell = now, false
	frame, err := wire.Encode(now)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	k.glance = frame
	return nil
}

func (k *connection) send(m wire.Message) error {
	frame, err := wire.Encode(m)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	k.out, k.quiet = append(k.out, frame), false
	return nil
}

func (k *connection) welcome(m wire.Welcome, sent time.Time) error {
	if _, ok := wire.Negotiate([]int{m.Version}); !ok {
		return otherVersion(k.login.Server)
	}
	now := k.c.deps.Now()
	middle := sent.Add(now.Sub(sent) / 2)
	k.c.since = time.Time{}
	return k.w.Welcome(m, k.c.offset(m.Time-middle.UnixMilli(), now.Sub(sent), now))
}

// pump fetches from the workspace what may be sent now.
func (k *connection) pump() error {
	for _, id := range k.w.Outgoing() {
		if len(k.out) >= maxOutbox {
			return nil
		}
		l := k.lanes[id]
		if l == nil {
			var err error
			if l, err = k.subscribe(id); err != nil {
				return err
			}
		}
		if l.command == "" {
			cmd, ok, err := k.w.Command(id)
			if err != nil {
				return err
			}
			if ok {
				l.command = cmd.ID
				if err := k.send(wire.Command{Command: cmd}); err != nil {
					return err
				}
			}
		}
		if !l.ready || l.flying || l.shut {
			continue
		}
		ops, err := k.w.Ops(id, 0)
		if err != nil {
			return err
		}
		if len(ops.Ops) > 0 {
			l.flying = true
			if err := k.send(ops); err != nil {
				return err
			}
		}
	}
	return nil
}

// subscribe asks for a dashboard. One that was deleted here has only its command left to send.
func (k *connection) subscribe(id board.ID) (*lane, error) {
	l := k.lanes[id]
	if l == nil {
		l = &lane{ready: true}
		k.lanes[id] = l
	}
	cursor, err := k.w.Cursor(id)
	if fault.KindOf(err) == fault.NotFound {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	if l.ready {
		k.unsure++
	}
	l.ready, l.flying, l.shut = false, false, false
	return l, k.send(wire.Subscribe{Cursor: cursor})
}

// again subscribes anew to a dashboard whose messages do not follow each other.
func (k *connection) again(id board.ID) error {
	l := k.lanes[id]
	if l == nil {
		return nil
	}
	if l.stalls++; l.stalls > maxStalls {
		return fault.Newf(fault.Unavailable, "%s sends changes that do not follow each other.", hostOf(k.login.Server)).
			WithHint("It is tried again by itself.")
	}
	_, err := k.subscribe(id)
	return err
}

// take handles one message.
func (k *connection) take(m wire.Message) error {
	if p, ok := m.(wire.Presence); ok {
		return k.w.Presence(p)
	}
	k.quiet = false
	switch m := m.(type) {
	case wire.Boards:
		k.listed = true
		fresh, err := k.w.Boards(m)
		if err != nil {
			return err
		}
		for _, id := range fresh {
			if _, err := k.subscribe(id); err != nil {
				return err
			}
		}
		return nil
	case wire.Ack:
		return k.ack(m)
	case wire.Delta:
		err := k.w.Delta(m)
		if errors.Is(err, replica.ErrGap) {
			return k.again(m.Board)
		}
		k.answered(m.Board)
		return err
	case wire.Snapshot:
		err := k.w.Snapshot(m)
		if errors.Is(err, replica.ErrGap) {
			return k.again(m.Board)
		}
		if m.Last {
			k.answered(m.Board)
		}
		return err
	case wire.Share:
		return k.w.ShareState(m)
	case wire.People:
		return k.w.People(m)
	case wire.Result:
		if l := k.lanes[m.Board]; l != nil && l.command == m.ID {
			l.command = ""
		}
		return k.w.Result(m)
	case wire.Denied:
		k.answered(m.Board)
		// Kept, so that it is not asked for again on this connection unless the list of dashboards says so.
		k.lanes[m.Board] = &lane{ready: true, shut: true}
		return k.w.Denied(m)
	case wire.Error:
		return k.complaint(m)
	}
	return nil // a message from a newer version, or one that this side sends
}

// answered notes that the server has told where a dashboard stands.
func (k *connection) answered(id board.ID) {
	if l := k.lanes[id]; l != nil && !l.ready {
		l.ready = true
		k.unsure--
	}
}

func (k *connection) ack(m wire.Ack) error {
	l := k.lanes[m.Board]
	if l == nil || !l.flying {
		return nil // of an earlier subscription
	}
	l.flying = false
	before := k.w.Waiting()
	err := k.w.Ack(m)
	switch {
	case errors.Is(err, replica.ErrGap):
		return k.again(m.Board)
	case err != nil:
		return err
	}
	if k.w.Waiting() < before {
		l.stalls = 0
	} else if l.stalls++; l.stalls > maxStalls {
		return fault.Newf(fault.Unavailable, "%s does not take the changes of this device.", hostOf(k.login.Server)).
			WithHint("It is tried again by itself; everything stays saved on this device.")
	}
	return nil
}

// forked gives this device a new incarnation; the connection begins again under it.
func (k *connection) forked(err error) error {
	if err := k.w.Remake(); err != nil {
		return err
	}
	return fault.New(fault.Unavailable, "This device's data is a copy of another's; it has got a name of its own.").
		WithHint("The server is tried again by itself.").WithCause(err)
}

// complaint handles an error message. One that concerns something under way would leave it waiting for ever.
func (k *connection) complaint(m wire.Error) error {
	f := m.Fault
	if f == nil {
		f = fault.New(fault.Invalid, "The server did not understand this program.")
	}
	k.c.deps.Log.Warn("server complains", "kind", f.Kind, "message", f.Message, "field", f.Field)
	if l := k.lanes[m.Board]; l != nil && (l.flying || l.command != "" || !l.ready) {
		return f
	}
	k.w.Tell(f)
	return nil
}

// tell tells the workspace how things stand.
func (k *connection) tell() error {
	waiting := k.w.Waiting()
	k.most = max(k.most, waiting)
	if !k.listed || k.unsure > 0 || len(k.out) > 0 || waiting > 0 {
		k.quiet = false
		k.w.SetConnection(workspace.Connection{State: workspace.StateSyncing, Total: k.most})
		return nil
	}
	k.most = 0
	if k.quiet {
		return nil
	}
	k.caught, k.quiet = true, true
	k.w.SetConnection(workspace.Connection{State: workspace.StateSynced})
	return k.w.Synced()
}
