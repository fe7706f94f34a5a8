// Package loopback serves the program's screens to a browser on the same machine: for a machine without a display, and
// for the tests that drive the screens.
//
// Other people and pages on the machine must not get in. The address holds a key that works once and is exchanged for a
// cookie; every request needs the cookie, must be meant for exactly this address (which defeats DNS rebinding) and must
// not come from another page. The package knows nothing of what it serves. Start reading at Listen.
package loopback

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"widgets.pro/shared/fault"
)

const (
	secretBytes  = 24
	maxHeader    = 64 << 10 // bytes
	headerTime   = 10 * time.Second
	idleTime     = 2 * time.Minute
	shutdownTime = 2 * time.Second
)

// Server serves a handler to whoever has had a key.
type Server struct {
	handler  http.Handler
	random   io.Reader
	announce func(address string)
	listener net.Listener
	http     *http.Server
	host     string
	session  string

	mu  sync.Mutex
	key string // the key that works now
}

// Listen opens a port at addr, such as "127.0.0.1:0", whose host must be a loopback address. Announce is called with the
// address to open in the browser, and again with another one whenever an address was used. Serve must follow.
func Listen(ctx context.Context, addr string, handler http.Handler, random io.Reader, log *slog.Logger, announce func(address string)) (*Server, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fault.Field("loopback", "The address must be a host and a port, such as 127.0.0.1:8100.").WithCause(err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fault.Field("loopback", "The screens are only served on a loopback address, such as 127.0.0.1.").
			WithHint("To reach them from another machine, use a tunnel such as ssh -L.")
	}
	s := &Server{handler: handler, random: random, announce: announce}
	if s.session, err = s.secret(); err != nil {
		return nil, err
	}
	if s.key, err = s.secret(); err != nil {
		return nil, err
	}
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", addr); err != nil {
		return nil, fault.New(fault.Unavailable, "The address "+addr+" cannot be used.").WithHint("Choose another port, or 0 for any free one.").WithCause(err)
	}
	s.host = s.listener.Addr().String()
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	announce(s.address(s.key))
	return s, nil
}

// Serve answers requests until ctx ends. It returns once all answers are out, or shortly after.
func (s *Server) Serve(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(s.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve loopback: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := s.http.Shutdown(grace); err != nil {
		_ = s.http.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve loopback: %w", err)
	}
	return nil
}

func (s *Server) address(key string) string { return "http://" + s.host + "/?key=" + key }

func (s *Server) secret() (string, error) {
	var b [secretBytes]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// cookie is the cookie's name. Cookies do not know ports, so two programs need two names.
func (s *Server) cookie() string {
	return "widgets_" + s.host[strings.LastIndexByte(s.host, ':')+1:]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Host != s.host {
		refuse(w, http.StatusMisdirectedRequest, "Open the address exactly as the program printed it.")
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+s.host {
		refuse(w, http.StatusForbidden, "Another page may not use this program.")
		return
	}
	if r.URL.Path == "/" && r.Method == http.MethodGet && r.URL.Query().Has("key") {
		s.enter(w, r)
		return
	}
	if c, err := r.Cookie(s.cookie()); err != nil || !same(c.Value, s.session) {
		refuse(w, http.StatusUnauthorized, "Open the address that the program printed; it works once. If you just did, reload this page.")
		return
	}
	// Browsers say where a request comes from, also where they send no Origin.
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		refuse(w, http.StatusForbidden, "Another page may not use this program.")
		return
	}
	s.handler.ServeHTTP(w, r)
}

// enter exchanges the key for the cookie.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	next, err := s.secret()
	if err != nil {
		refuse(w, http.StatusInternalServerError, "Something went wrong inside the program.")
		return
	}
	s.mu.Lock()
	fits := same(r.URL.Query().Get("key"), s.key)
	if fits {
		s.key = next
	}
	s.mu.Unlock()
	if !fits {
		if c, err := r.Cookie(s.cookie()); err == nil && same(c.Value, s.session) { // reloaded: already in
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		refuse(w, http.StatusUnauthorized, "This address was used before. The program has printed another one.")
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // plain HTTP on loopback: a Secure cookie would not come back
		Name: s.cookie(), Value: s.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
	s.announce(s.address(next))
}

// same compares secrets in constant time, also where their lengths differ.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// refuse answers with a plain sentence, and nothing that tells what runs here.
func refuse(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n")
}
