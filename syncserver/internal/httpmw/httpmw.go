// Package httpmw is what every request to the server passes before a route sees it: headers that keep a browser on the
// safe side, a limit on bodies, a request id, the access log, and a designed answer where a handler panics. It also tells
// which address a request came from (client.go).
//
// It knows nothing of dashboards, accounts or routes. Nothing here ever logs a path, a query or an address, since a path
// may hold a share token: the log names the route's pattern. Start reading at Wrap.
package httpmw

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultMaxBody is the largest request body, in bytes, unless Options says otherwise. Routes may set a lower limit.
const DefaultMaxBody = 1 << 20

// Options set up Wrap. Logger, Now and Random must be given.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Random is a secure source; eight bytes of it tell the request ids of this run from another's.
	Random io.Reader
	// MaxBody is the largest request body in bytes; 0 means DefaultMaxBody. Larger is that of requests whose path begins so.
	MaxBody int64
	Larger  map[string]int64
	// HSTS tells browsers to come back by https only; for servers whose public address is https.
	HSTS bool
	// OnPanic answers a request whose handler panicked before it had answered. Nil means a plain 500.
	OnPanic http.Handler
}

// Header values that most answers share. A handler may replace any of them.
type baseline struct {
	key    string
	values []string
}

// Wrap returns next behind the middleware.
func Wrap(next http.Handler, o Options) (http.Handler, error) {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	run := make([]byte, 8)
	if _, err := io.ReadFull(o.Random, run); err != nil {
		return nil, fmt.Errorf("make the prefix of request ids: %w", err)
	}
	s := &stack{next: next, o: o, run: hex.EncodeToString(run)}
	s.base = []baseline{
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{"X-Robots-Tag", []string{"noindex, nofollow"}},
		{"Cache-Control", []string{"no-store"}},
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}},
		{"X-Frame-Options", []string{"DENY"}},
		{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Permissions-Policy", []string{"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"}},
	}
	if o.HSTS {
		s.base = append(s.base, baseline{"Strict-Transport-Security", []string{"max-age=31536000"}})
	}
	return s, nil
}

type stack struct {
	next http.Handler
	o    Options
	base []baseline
	run  string
	seq  atomic.Uint64
}

func (s *stack) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	log := s.o.Logger.Enabled(r.Context(), slog.LevelDebug)
	w := &writer{ResponseWriter: rw, stack: s}
	var start time.Time
	if log {
		start = s.o.Now()
	}
	h := rw.Header()
	for i := range s.base {
		h[s.base[i].key] = s.base[i].values
	}
	if r.Body != nil && r.Body != http.NoBody {
		body := &body{ReadCloser: http.MaxBytesReader(rw, r.Body, s.maxBody(r))}
		closing := r.Close
		r = r.WithContext(r.Context()) // net/http looks at the body of its own request: see linger
		r.Body = body
		defer func() {
			if closing && !body.ended {
				linger(rw)
			}
		}()
	}
	defer s.finish(w, r, log, start)
	s.next.ServeHTTP(w, r)
}

func (s *stack) maxBody(r *http.Request) int64 {
	for prefix, limit := range s.o.Larger {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return limit
		}
	}
	return s.o.MaxBody
}

// body notes whether it was read to its end.
type body struct {
	io.ReadCloser
	ended bool
}

// Read reads on.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended = true
	}
	return n, err //nolint:wrapcheck // a reader's error is passed on as it is
}

// linger makes net/http end the connection in two steps, first its own half and the whole only after a while. Closing it
// at once while something that the client sent is unread would reset it, and the client would lose the answer that tells
// it why. On connections that live on net/http does so by itself, but not where the client asked for closing; a reader
// over its limit is the one way to ask for it.
func linger(w http.ResponseWriter) {
	over := http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0)
	_, _ = io.Copy(io.Discard, over)
}

func (s *stack) finish(w *writer, r *http.Request, log bool, start time.Time) {
	p := recover()
	if p != nil {
		if p == http.ErrAbortHandler { //nolint:errorlint // a recovered value, compared as net/http does
			panic(p)
		}
		s.o.Logger.ErrorContext(r.Context(), "handler panicked", "route", route(r), "request_id", w.requestID(),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		if w.status != 0 {
			panic(http.ErrAbortHandler) // half an answer is out: the client must see that it is not whole
		}
		s.answerPanic(w, r)
	}
	if w.status == 0 {
		w.status = http.StatusOK // a handler that wrote nothing
	}
	if log {
		s.o.Logger.DebugContext(r.Context(), "request", "method", method(r), "route", route(r), "status", w.status,
			"bytes", w.bytes, "duration_us", s.o.Now().Sub(start).Microseconds(), "request_id", w.requestID())
	}
}

func (s *stack) answerPanic(w *writer, r *http.Request) {
	if s.o.OnPanic == nil {
		http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
		return
	}
	s.o.OnPanic.ServeHTTP(w, r)
}

// route is the pattern that matched, which holds no part of the request itself.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// method keeps a made-up method name out of the log.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return r.Method
	}
	return "other"
}

// RequestID is the id of the request that w answers, to be shown to the user and found in the log; it also goes into the
// answer's X-Request-Id if the header is not out yet. It is "" if w did not come through Wrap.
func RequestID(w http.ResponseWriter) string {
	for {
		switch t := w.(type) {
		case *writer:
			return t.requestID()
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return ""
		}
	}
}

// writer notes what was answered. The id is only made when somebody asks for it, or for an answer of the 500s.
type writer struct {
	http.ResponseWriter
	stack  *stack
	id     string
	status int
	bytes  int64
}

func (w *writer) requestID() string {
	if w.id == "" {
		w.id = w.stack.run + "-" + strconv.FormatUint(w.stack.seq.Add(1), 36)
		if w.status == 0 {
			w.Header()["X-Request-Id"] = []string{w.id}
		}
	}
	return w.id
}

// WriteHeader notes the status.
func (w *writer) WriteHeader(status int) {
	if status >= http.StatusInternalServerError {
		w.requestID()
	}
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the size.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err //nolint:wrapcheck // a writer's error is passed on as it is
}

// Unwrap lets http.ResponseController reach the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

var errNoHijack = errors.New("the connection cannot be taken over")

// Hijack hands the connection to a websocket.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errNoHijack
	}
	if w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	c, rw, err := h.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take the connection over: %w", err)
	}
	return c, rw, nil
}
