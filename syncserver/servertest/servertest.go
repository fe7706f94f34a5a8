// Package servertest runs a real sync server inside a test: a real data file, a real socket on a free port.
//
// Start reading at Start.
package servertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/httpsync"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/server"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/servertest/owner"
)

// Options vary a server. The zero Options are what a test mostly wants.
type Options struct {
	// Front is what the front end's build made; nil means none.
	Front fs.FS
	// Now is the server's clock; nil means the machine's.
	Now func() time.Time
	// Log receives the server's log; nil means that it is thrown away.
	Log io.Writer
	// Data is the path of the data file; "" means a new one in the test's directory.
	Data string
	// MaxBytes bounds the data file, as a full disk would; 0 means no bound.
	MaxBytes int
	// Grouped has the store commit in groups, as servers do. Otherwise it runs each closure twice, the first time for
	// nothing, as it may, and has those fail that do not do the same both times; but not under the race detector.
	Grouped bool
	// Base is the public base URL; "" means the server's own address.
	Base string
	// Proxies are the addresses whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Mail is the mail server that takes the server's mail; the zero Server means the test's own, which Mail reads.
	Mail relay.Server
	// NoMail takes the mail server away.
	NoMail bool
	// DevMailbox has the server show its mail at /dev/mail, instead of sending it to where Mail reads.
	DevMailbox bool
	// Hello, Write, Ping and Pong are timeouts of sync connections; 0 means the server's defaults.
	Hello, Write, Ping, Pong time.Duration
}

// Server is a running server. Its methods are for the test's goroutine.
type Server struct {
	t       testing.TB
	o       Options
	addr    string
	mailbox *devmail.Mailbox

	mu      sync.Mutex
	server  *server.Server
	http    *http.Server
	stop    context.CancelFunc
	stopped chan error
}

// Start starts a server and stops it at the end of the test.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Data == "" {
		o.Data = filepath.Join(tb.TempDir(), "server.db")
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the clock of a test's server is chosen here
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	s := &Server{t: tb, o: o, addr: "127.0.0.1:0"}
	var err error
	s.mailbox, err = devmail.Start(devmail.Config{Log: slog.New(slog.DiscardHandler), Now: o.Now, Keep: keptMails})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.mailbox.Close)
	s.start()
	tb.Cleanup(func() {
		s.Close()
		s.check()
	})
	return s
}

// check looks for damage in the data file, once the server is closed.
func (s *Server) check() {
	s.t.Helper()
	r, err := server.Check(context.Background(), s.o.Data)
	if fault.KindOf(err) == fault.NotFound {
		return // the test took it away
	}
	if err != nil {
		s.t.Errorf("check the data file: %v", err)
	}
	for _, p := range r.Problems {
		s.t.Errorf("the data file is not sound: %s", p)
	}
}

// start listens on the address of before, so that a server that comes back is found where it was.
func (s *Server) start() {
	s.t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	s.addr = ln.Addr().String()
	base := s.o.Base
	if base == "" {
		base = s.URL()
	}
	cfg := config.Config{Listen: s.addr, Data: s.o.Data, Base: base, TrustedProxies: s.o.Proxies, From: mail.Address{Name: "Widgets", Address: "no-reply@widgets.example"}, Mail: s.o.Mail, DevMailbox: s.o.DevMailbox}
	if cfg.Mail == (relay.Server{}) && !cfg.DevMailbox && !s.o.NoMail {
		cfg.Mail = s.mailbox.Server()
	}
	s.server, err = server.New(server.Deps{
		Config: cfg,
		Log:    slog.New(slog.NewTextHandler(s.o.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    s.o.Now, Random: rand.Reader, Front: s.o.Front, MaxBytes: s.o.MaxBytes, Rehearse: rehearses && !s.o.Grouped,
		Timeouts: httpsync.Timeouts{Hello: s.o.Hello, Write: s.o.Write, Ping: s.o.Ping, Pong: s.o.Pong},
	})
	if err != nil {
		_ = ln.Close()
		s.t.Fatalf("start the server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.stopped = cancel, make(chan error, 1)
	s.http = s.server.HTTP()
	go func() { s.stopped <- s.server.ServeWith(ctx, ln, s.http) }()
}

// URL is the server's address, such as http://127.0.0.1:40001. It stays the same over Restart.
func (s *Server) URL() string { return "http://" + s.addr }

// Routes lists every route of the server.
func (s *Server) Routes() []httpmw.Route { return s.server.Routes() }

// OpenViews is how many transactions read the data file at this moment.
func (s *Server) OpenViews() int { return s.server.OpenViews() }

// SyncURL is the address of the websocket of sync.
func (s *Server) SyncURL() string { return "ws://" + s.addr + "/api/v1/sync" }

// Close stops the server as SIGTERM does. Closing again does nothing.
func (s *Server) Close() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return
	}
	s.stop()
	if err := <-s.stopped; err != nil {
		s.t.Errorf("stop the server: %v", err)
	}
	s.stop = nil
}

// Kill ends the server as kill -9 does: without a word to anybody, and with nothing kept that was not committed.
func (s *Server) Kill() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return
	}
	if err := s.server.Kill(s.http); err != nil {
		s.t.Errorf("kill the server: %v", err)
	}
	s.stop()
	if err := <-s.stopped; err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.t.Errorf("kill the server: %v", err)
	}
	s.stop = nil
}

// Restart starts the server again on the same address and data; if it still runs it is closed first.
func (s *Server) Restart() {
	s.t.Helper()
	s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
}

// SignedIn is an account with a session.
type SignedIn = owner.Account

// SignUp makes an account with the password Password, by way of the mail that confirms it, and signs it in.
func (s *Server) SignUp(email string) SignedIn {
	s.t.Helper()
	in, err := owner.Register(s.t.Context(), s.URL(), email, Password, s.Letters)
	if err != nil {
		s.t.Fatalf("sign %s up: %v", email, err)
	}
	return in
}

// Letters is Mail for package owner: the links of a letter. It fails the test where none comes.
func (s *Server) Letters(_ context.Context, to string, skip int) ([]string, error) {
	s.t.Helper()
	return s.Mail(to, skip).Links, nil
}

// LogIn signs an account in once more.
func (s *Server) LogIn(email string) (in SignedIn) {
	s.t.Helper()
	status, body := s.Post("/api/v1/login", "", map[string]string{"email": email, "password": Password})
	if status != http.StatusOK {
		s.t.Fatalf("log in: %d %s", status, body)
	}
	if err := json.Unmarshal(body, &in); err != nil {
		s.t.Fatalf("log in: %v", err)
	}
	return in
}

// SetRole sets what an account is to a dashboard, as its owner would; RoleNone takes its role away.
func (s *Server) SetRole(id board.ID, who SignedIn, role sharing.Role) {
	s.t.Helper()
	if err := s.server.SetRole(s.t.Context(), id, store.AccountID(who.Account), role); err != nil {
		s.t.Fatal(err)
	}
}

// Password is the password of the accounts that SignUp makes.
const Password = "correct horse battery staple"

// Post sends v as JSON, with a session's token unless that is "", and returns status and body.
func (s *Server) Post(path, token string, v any) (status int, body []byte) {
	s.t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL()+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatalf("POST %s: %v", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("POST %s: %v", path, err)
	}
	return res.StatusCode, bytes.TrimSpace(body)
}
