package httpsync

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/socket"
)

// conn is one device's connection.
type conn struct {
	h         *Handler
	ws        *websocket.Conn
	socket    *socket.Conn // below ws
	id        account.Identity
	principal access.Principal
	member    *room.Member
	log       *slog.Logger
	limit     *rate.Limiter

	// todo is what the reader hands to the writer, in order. When it is full the reader waits, and so does the device.
	todo chan task

	dev uint64 // of the hello; the reader's
	// The writer's. welcomed says that the hello was answered: nothing else may be told before.
	follows  map[string]*follow
	welcomed bool
}

// task is one thing for the writer to do: exactly one field is set.
type task struct {
	send   wire.Message
	list   bool
	follow *wire.Cursor
	close  *closing
}

func newConn(h *Handler, ws *websocket.Conn, below *socket.Conn, id account.Identity) *conn {
	return &conn{
		h: h, ws: ws, socket: below, id: id, principal: access.Account(id.Account),
		log:     h.cfg.Log.With("account", string(id.Account)),
		limit:   rate.NewLimiter(messagesPerSecond, messageBurst),
		todo:    make(chan task, replyQueue),
		follows: map[string]*follow{},
	}
}

// run serves the connection until it ends, and waits for its goroutines.
func (c *conn) run(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	c.member = c.h.cfg.Rooms.Enter(c.id.Account, c.id.Session)
	defer c.member.Leave()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		c.read(ctx)
	})
	wg.Go(func() {
		defer cancel()
		c.keepAlive(ctx)
	})
	c.write(ctx)
	cancel()
	_ = c.ws.CloseNow()
	wg.Wait()
}

// keepAlive pings, so that a device that vanished is noticed and proxies keep the connection, and ends the connection
// with its session.
func (c *conn) keepAlive(ctx context.Context) {
	t := time.NewTicker(c.h.cfg.Timeouts.Ping)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !c.h.cfg.Now().Before(c.id.Expires) {
			c.end(ctx, fault.New(fault.Unauthenticated, "Your session has ended."))
			return
		}
		ping, cancel := context.WithTimeout(ctx, c.h.cfg.Timeouts.Pong)
		err := c.ws.Ping(ping)
		cancel()
		if err != nil {
			return
		}
		c.h.cfg.Accounts.Seen(ctx, c.id.Session)
	}
}

// do hands the writer a task; false means that the connection ends.
func (c *conn) do(ctx context.Context, t task) bool {
	select {
	case c.todo <- t:
		return true
	case <-ctx.Done():
		return false
	}
}

// end asks the writer to close with a fault, and waits until it has.
func (c *conn) end(ctx context.Context, f *fault.Error) {
	cl := closingFor(f)
	if c.do(ctx, task{close: &cl}) {
		<-ctx.Done()
	}
}

// message reads one frame. It returns a fault where the frame breaks a rule of the protocol, and false when the connection
// is over.
func (c *conn) message(ctx context.Context) (wire.Message, *fault.Error, bool) {
	typ, frame, ok := c.frame(ctx)
	if !ok {
		return nil, nil, false
	}
	if typ != websocket.MessageText {
		return nil, fault.New(fault.Invalid, "A message must be text."), true
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return nil, fault.From(err), true
	}
	return m, nil, true
}

// frame reads one frame, or its beginning if it is larger than the protocol allows; false when the connection is over.
// When ctx ends in the middle of it, so does the connection.
func (c *conn) frame(ctx context.Context) (typ websocket.MessageType, frame []byte, ok bool) {
	typ, r, err := c.ws.Reader(ctx)
	if err == nil {
		frame, err = io.ReadAll(io.LimitReader(r, wire.MaxFrame+1))
	}
	return typ, frame, err == nil
}
