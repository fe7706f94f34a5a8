package page

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

const (
	goneReason       = "This link does not work any more."
	lockedReason     = "This dashboard is protected by a password."
	restartingReason = "The server is restarting."
)

// Subprotocol is the websocket protocol of viewers. They need not name it, unless they offer others beside it.
const Subprotocol = "widgets.view"

// Live answers a viewer's websocket for link t with what changes from now on; p is what the viewer shows. have is the
// version that the viewer holds already, 0 if none; client names the viewer's address for the limits. A link that does not
// open anything is answered by a "gone" message and a close with wire.CloseDenied, whatever the reason. The error is a
// fault where nothing was answered yet; Live returns once the connection runs on its own.
//
//nolint:contextcheck // the connection outlives the request and ends with the service
func (s *Service) Live(w http.ResponseWriter, r *http.Request, t sharing.Token, p Proof, have uint64, client string) error {
	if err := s.admit(client); err != nil {
		return err
	}
	l, snap, err := s.fresh(r.Context(), t, p)
	if k := fault.KindOf(err); err != nil && k != fault.NotFound && k != fault.Unauthenticated {
		s.release(client)
		return err
	}
	socket := &catcher{ResponseWriter: w}
	ws, wsErr := websocket.Accept(socket, r, &websocket.AcceptOptions{OriginPatterns: s.cfg.Origins, Subprotocols: []string{Subprotocol}})
	if wsErr != nil {
		s.release(client) // Accept has answered
		return nil        //nolint:nilerr // a handshake that is none is the client's mistake, and answered
	}
	ws.SetReadLimit(readLimit)
	ctx, cancel := context.WithCancel(s.ctx)
	c := &conn{s: s, ws: ws, tcp: socket.tcp, ticket: ticket{t, p}, client: client, cancel: cancel, wake: make(chan struct{}, 1)}
	c.opens = r.URL.Query().Get("open") == "1"
	if err == nil {
		err = c.join(ctx, l, snap, have)
	}
	if err != nil {
		c.ending = endFor(err)
	}
	s.wg.Go(func() { c.run(ctx) })
	return nil
}

// admit counts a connection, or refuses it.
func (s *Service) admit(client string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fault.New(fault.Unavailable, restartingReason)
	case s.conns >= s.cfg.Total:
		return fault.New(fault.Busy, "Too many viewers are connected to this server.")
	case s.clients[client] >= s.cfg.PerClient:
		return fault.New(fault.Busy, "Too many viewers are connected from your address.")
	}
	s.conns++
	s.clients[client]++
	return nil
}

func (s *Service) release(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns--
	if s.clients[client]--; s.clients[client] <= 0 {
		delete(s.clients, client)
	}
	if s.closed && s.conns == 0 {
		s.cancel()
	}
}

// tend pings every connection once in pingEvery; one that does not answer is broken off, as is one that takes longer than
// WriteTimeout for a frame.
func (s *Service) tend(now int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.boards {
		d.mu.Lock()
		for c := range d.conns {
			if since := c.writing.Load(); since != 0 && now-since > int64(s.cfg.WriteTimeout/sweepEvery) {
				c.kill()
			}
			if now >= c.nextPing {
				c.nextPing = now + int64(pingEvery/sweepEvery)
				s.wg.Go(c.ping)
			}
		}
		d.mu.Unlock()
	}
}

// conn is one viewer's websocket. What is under "guarded" belongs to dashboard.mu once it has joined.
type conn struct {
	s      *Service
	ws     *websocket.Conn
	tcp    *net.TCPConn // below ws; nil if it is something else
	d      *dashboard   // nil if it never joined
	ticket ticket
	client string
	opens  bool // somebody has just opened the page
	cancel context.CancelFunc
	wake   chan struct{} // something is to be sent
	// writing is when the frame was begun that is being written, as Service.tick and one, 0 if there is none. A timer for each
	// frame would cost as much as a quarter of writing it.
	writing atomic.Int64

	// guarded
	version  uint64   // that the viewer has when everything in queue has arrived
	queue    []*frame // at most queueFrames
	resync   bool     // the viewer needs the whole dashboard; the queue is empty
	reload   bool     // the viewer is to load the page anew
	link     *link    // what the ticket opened when that was last decided
	until    int64    // when its time is over, in ms since 1970, 0 if never
	ending   end
	cut      *receipt
	last     *time.Timer // breaks the connection off
	nextPing int64
}

// join adds c to the viewers of what its token opens, and queues the first frame.
func (c *conn) join(ctx context.Context, l *link, snap *snapshot, have uint64) error {
	for range maxTries {
		if c.add(l, snap, have) { //nolint:contextcheck // an update it may schedule is for all viewers
			return nil
		}
		var err error
		if l, snap, err = c.s.fresh(ctx, c.ticket.token, c.ticket.proof); err != nil {
			return err
		}
	}
	return errBusy()
}

func (c *conn) add(l *link, snap *snapshot, have uint64) bool {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	if c.s.links[c.ticket.token] != l || c.s.closed {
		return false // access changed, or was forgotten, since it was asked
	}
	d := l.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.conns) >= c.s.cfg.PerDashboard {
		c.ending = endRestarting
	}
	if len(d.conns) == 0 && !d.timer {
		d.base = snap
	}
	switch have {
	case snap.version, d.base.version:
		c.version = have
		c.queue = append(c.queue, newHello(have))
	default:
		c.resync = true
	}
	c.d = d
	c.rest(l)
	c.nextPing = c.s.tick.Load() + int64(pingEvery/sweepEvery)
	d.conns[c] = struct{}{}
	if c.opens && c.ending == endNot && c.s.cfg.OnOpen != nil {
		c.s.cfg.OnOpen(d.id, c.ticket.token)
	}
	c.nudge()
	if st := d.state.Load(); st.gen != d.gen.Load() || st.snap != d.base {
		d.scheduleLocked(c.s)
	}
	return true
}

// run writes until the connection ends.
func (c *conn) run(ctx context.Context) {
	defer c.s.release(c.client)
	defer c.stop()
	defer c.leave()
	reading, stopped := context.WithCancel(ctx)
	c.s.wg.Go(func() {
		defer stopped()
		c.read(ctx)
	})
	for {
		data, ending := c.next(ctx)
		switch {
		case ending != endNot:
			c.bye(ending) //nolint:contextcheck // says good-bye although the connection's context may have ended
			return
		case data != nil:
			if err := c.write(ctx, data); err != nil {
				_ = c.ws.CloseNow()
				return
			}
			continue
		}
		select {
		case <-c.wake:
		case <-reading.Done():
			_ = c.ws.CloseNow()
			return
		}
	}
}

// read answers control frames, which the websocket package does while somebody reads, and ends the connection of a viewer
// who sends anything else.
func (c *conn) read(ctx context.Context) {
	if _, _, err := c.ws.Reader(ctx); err == nil {
		_ = c.ws.Close(websocket.StatusPolicyViolation, "viewers send nothing")
	}
}

// next is the next message to write, or why to end; neither if there is nothing to do. When the queue overflowed, the
// next message is the whole dashboard.
func (c *conn) next(ctx context.Context) ([]byte, end) {
	if c.d == nil {
		return nil, c.ending
	}
	c.d.mu.Lock()
	switch {
	case c.ending != endNot:
		defer c.d.mu.Unlock()
		return nil, c.ending
	case c.d.held || c.late():
	case c.reload:
		defer c.d.mu.Unlock()
		c.reload = false
		return encode(reloadMessage{T: "reload"}), endNot
	case c.resync:
		snap := c.d.base
		c.d.mu.Unlock()
		return c.whole(ctx, snap)
	case len(c.queue) > 0:
		f := c.queue[0]
		c.queue = c.queue[1:]
		c.d.mu.Unlock()
		return f.data, endNot
	}
	c.d.mu.Unlock()
	return nil, endNot
}

// whole is the frame that brings everything. It is made without the lock, and is only sent if access did not change and
// nothing newer came meanwhile.
func (c *conn) whole(ctx context.Context, snap *snapshot) ([]byte, end) {
	f, err := snap.allFrame(ctx, c.s)
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	switch {
	case c.ending != endNot:
		return nil, c.ending
	case err != nil:
		return nil, endRestarting
	case c.d.held || c.late() || c.d.base != snap:
		c.nudge()
		return nil, endNot
	}
	c.resync = false
	c.version = f.to
	return f.data, endNot
}

// rest notes what the connection rests on from now on. The caller holds dashboard.mu.
func (c *conn) rest(l *link) { c.link, c.until = l, l.until(c.ticket.proof) }

// late reports whether the viewer's time is over: nothing is sent any more, and the next sweep cuts. The caller holds
// dashboard.mu.
func (c *conn) late() bool { return c.until != 0 && c.s.cfg.Now().UnixMilli() >= c.until }

// judge carries out what was decided about c after access changed. One whose link is open, but had meanwhile been closed
// or locked or unlocked, is cut all the same and may come back (rule P4). The caller holds dashboard.mu.
func (c *conn) judge(v verdict, cut *receipt) {
	switch {
	case v.end != endNot:
		c.finish(v.end, cut)
	case v.link.revision != c.link.revision:
		c.finish(endLocked, cut)
	default:
		c.reload = c.reload || !v.link.looksLike(c.link)
		c.rest(v.link)
	}
}

// offer queues a patch. The caller holds dashboard.mu.
func (c *conn) offer(f *frame) {
	switch {
	case c.ending != endNot || c.resync || c.version == f.to:
	case c.version != f.from || len(c.queue) >= queueFrames:
		c.queue, c.resync = nil, true
	default:
		c.queue = append(c.queue, f)
		c.version = f.to
	}
	c.nudge()
}

// finish makes the connection end: nothing that waits is sent any more, and after cutDeadline it is broken off. The caller
// holds dashboard.mu.
func (c *conn) finish(e end, cut *receipt) {
	if c.ending != endNot {
		return
	}
	c.ending, c.queue, c.resync = e, nil, false
	if cut != nil {
		cut.add()
		c.cut = cut
	}
	c.nudge()
	c.s.wg.Add(1)
	c.last = time.AfterFunc(cutDeadline, func() {
		defer c.s.wg.Done()
		c.kill()
	})
}

func (c *conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// kill breaks the connection off. What the kernel still holds for a viewer that did not read is thrown away.
func (c *conn) kill() {
	c.cancel()
	if c.tcp != nil {
		_ = c.tcp.SetLinger(0)
		_ = c.tcp.Close()
	}
}

// catcher notes which connection a websocket takes over.
type catcher struct {
	http.ResponseWriter
	tcp *net.TCPConn
}

// Unwrap lets others reach what is below.
func (c *catcher) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Hijack takes the connection over.
func (c *catcher) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take the connection over: %w", err)
	}
	below := conn
	if t, ok := conn.(*tls.Conn); ok {
		below = t.NetConn()
	}
	c.tcp, _ = below.(*net.TCPConn)
	return conn, rw, nil
}

// write writes one frame. It is Service.tend, and whoever calls kill, that ends a write which takes too long.
func (c *conn) write(ctx context.Context, data []byte) error {
	c.writing.Store(c.s.tick.Load() + 1)
	defer c.writing.Store(0)
	return c.ws.Write(context.WithoutCancel(ctx), websocket.MessageText, data) //nolint:wrapcheck // only asked whether it failed
}

// bye says why and closes. It does not wait for the connection's own context, which may be gone already.
func (c *conn) bye(e end) {
	code, reason := websocket.StatusCode(wire.CloseRestarting), restartingReason
	if e == endGone || e == endLocked {
		told := e.told()
		code, reason = wire.CloseDenied, told.Reason
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.s.ctx), goneTimeout)
		err := c.ws.Write(ctx, websocket.MessageText, encode(told))
		cancel()
		if err != nil {
			_ = c.ws.CloseNow()
			return
		}
	}
	c.leave() // what follows is courtesy; finish sees to it that it ends
	_ = c.ws.Close(code, reason)
}

// leave takes c from the viewers, once.
func (c *conn) leave() {
	if c.d == nil {
		return
	}
	c.d.mu.Lock()
	delete(c.d.conns, c)
	cut := c.cut
	c.cut = nil
	c.d.mu.Unlock()
	if cut != nil {
		cut.gone()
	}
}

// stop ends what works for c.
func (c *conn) stop() {
	c.cancel()
	if c.d == nil {
		return
	}
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if c.last != nil && c.last.Stop() {
		c.s.wg.Done()
	}
}

func (c *conn) ping() {
	ctx, cancel := context.WithTimeout(c.s.ctx, pingTimeout)
	defer cancel()
	if err := c.ws.Ping(ctx); err != nil && !errors.Is(err, context.Canceled) {
		c.kill()
	}
}
