// Package httpsync answers the websocket over which the app syncs (shared/wire).
//
// A connection has one goroutine that reads and one that writes. The reader judges each message in a transaction and
// hands the answer to the writer; the writer also follows the rooms of the dashboards that the device asked for, and
// reads the store where a room cannot help. No transaction is open while anything waits for the socket. Start reading at
// Handler, then reader.go and writer.go; follow.go holds one dashboard's stream.
package httpsync

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/socket"
	"widgets.pro/syncserver/internal/store"
)

// Limits of connections.
const (
	MaxConnections        = 5_000
	MaxAccountConnections = 50

	messagesPerSecond = 100 // of one connection, beyond which reading is slowed down
	messageBurst      = 1_000
	maxFollowed       = wire.MaxHelloBoards
	replyQueue        = 16 // answers that wait for a slow device; when it is full, nothing more is read from it
)

// Timeouts are how long things may take. Zero values are replaced by the defaults beside them.
type Timeouts struct {
	Hello time.Duration // until the first message: 10 s
	Write time.Duration // one frame: 20 s
	Ping  time.Duration // between pings: 25 s
	Pong  time.Duration // until a ping is answered: 60 s
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&t.Hello, 10*time.Second)
	set(&t.Write, 20*time.Second)
	set(&t.Ping, 25*time.Second)
	set(&t.Pong, 60*time.Second)
	return t
}

// Authenticator tells whose session a token is; see account.Service.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (account.Identity, error)
	// Seen notes that a session is in use; most calls cost nothing.
	Seen(ctx context.Context, session store.Hash)
}

// Preparer makes what a command on people needs beforehand; see people.Service.
type Preparer interface {
	Prepare(ctx context.Context, p access.Principal, c sharing.Command) (people.Minted, error)
}

// Config is what a Handler needs. All but Cookie and Timeouts must be given.
type Config struct {
	Store    store.Store
	Rooms    *room.Rooms
	Accounts Authenticator
	Log      *slog.Logger
	Now      func() time.Time
	Random   io.Reader // cryptographically secure, safe for concurrent use
	// Base is the public base URL, without a slash at its end.
	Base string
	// People prepares invitations; see people.Service. Mails says that the server can send them.
	People Preparer
	Mails  bool
	// Cookie reads the session token that a browser sent, "" if none; nil means that cookies are not taken.
	Cookie   func(*http.Request) string
	Timeouts Timeouts
}

// Handler answers wire.SyncPath. It is safe for concurrent use.
type Handler struct {
	cfg    Config
	events content.Events
	host   string

	ctx    context.Context //nolint:containedctx // ends the connections, which outlive their requests
	cancel context.CancelFunc
	drain  chan struct{} // closed when the server goes down
	wg     sync.WaitGroup

	mu      sync.Mutex
	count   int
	drained bool
}

// New makes a Handler. Close must be called to end its connections.
func New(cfg Config) *Handler {
	cfg.Timeouts = cfg.Timeouts.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	h := &Handler{cfg: cfg, events: cfg.Rooms, ctx: ctx, cancel: cancel, drain: make(chan struct{})}
	if u, err := url.Parse(cfg.Base); err == nil {
		h.host = u.Host
	}
	return h
}

// Close tells every device that the server goes down and waits until they have gone, or ctx ends, when the rest is cut.
func (h *Handler) Close(ctx context.Context) {
	h.mu.Lock()
	if !h.drained {
		h.drained = true
		close(h.drain)
	}
	h.mu.Unlock()
	stop := context.AfterFunc(ctx, h.cancel)
	defer stop()
	h.wg.Wait()
	h.cancel()
}

// Cut breaks every connection off without a word, as a crash would, and waits for their goroutines.
func (h *Handler) Cut() {
	h.cancel()
	h.Close(h.ctx)
}

// ServeHTTP authenticates the handshake and runs the connection until it ends.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, f := h.authenticate(r)
	if f != nil {
		refuse(w, f)
		return
	}
	if f := h.enter(id); f != nil {
		refuse(w, f)
		return
	}
	defer h.leave()
	opts := &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}, CompressionMode: websocket.CompressionDisabled}
	if h.host != "" {
		opts.OriginPatterns = []string{h.host}
	}
	taker := socket.Take(w)
	ws, err := websocket.Accept(taker, r, opts)
	if err != nil {
		h.cfg.Log.DebugContext(r.Context(), "a handshake failed", "error", err)
		return
	}
	ws.SetReadLimit(-1) // conn.message has the limit, since the protocol has its own close code for it
	c := newConn(h, ws, taker.Conn(), id)
	c.run(h.ctx) //nolint:contextcheck // a connection outlives its request's context by design of websocket.Accept
}

// authenticate finds the session in the Authorization header, or in a cookie of a request from the same origin (W1).
func (h *Handler) authenticate(r *http.Request) (account.Identity, *fault.Error) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer && h.cfg.Cookie != nil {
		if !h.sameOrigin(r) {
			return account.Identity{}, fault.New(fault.Denied, "This connection was opened by a page of another site.")
		}
		token = h.cfg.Cookie(r)
	}
	id, err := h.cfg.Accounts.Authenticate(r.Context(), token)
	if err != nil {
		if f := fault.From(err); f.Kind != fault.Internal {
			return id, f
		}
		h.cfg.Log.ErrorContext(r.Context(), "a session could not be checked", "error", err)
		return id, fault.From(nil)
	}
	if id.Program() {
		return id, account.NotForPrograms()
	}
	return id, nil
}

// sameOrigin reports whether a page of this server opened the connection. Browsers always send Origin on a websocket.
func (h *Handler) sameOrigin(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && (u.Host == r.Host || (h.host != "" && u.Host == h.host))
}

func (h *Handler) enter(id account.Identity) *fault.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.drained:
		return fault.New(fault.Unavailable, "The server is restarting.").WithHint("Try again in a moment.")
	case h.count >= MaxConnections || h.cfg.Rooms.Connections(id.Account) >= MaxAccountConnections:
		return fault.New(fault.Busy, "There are too many connections already.").WithHint("Try again in a moment.")
	}
	h.count++
	h.wg.Add(1)
	return nil
}

func (h *Handler) leave() {
	h.mu.Lock()
	h.count--
	h.mu.Unlock()
	h.wg.Done()
}
