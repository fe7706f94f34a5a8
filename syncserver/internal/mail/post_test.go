package mail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"widgets.pro/syncserver/internal/mail/relay"
)

// post is a real mail server that does as a test says. Its fields are set before the first connection, or with set.
type post struct {
	host string
	port int
	tls  *tls.Config

	mu sync.Mutex
	// sender, rcpt and data decide about a mail; nil takes it. data may do something to the connection.
	sender func() error
	rcpt   func(to string) error
	data   func(c *smtp.Conn, to string, raw []byte) error
	// greet is called before the server speaks; nil does nothing.
	greet func()
	// users may log in, by these ways; nil asks for nothing.
	users map[string]string
	ways  []string

	server     *smtp.Server
	ln         net.Listener
	down       sync.WaitGroup
	took       []taken
	came       chan struct{} // receives at each mail, and when a session has ended
	open, most int           // sessions at once
	sessions   int
	wire       lockedBuffer // all that was said before TLS
	implicit   bool
	utf8       bool
	timeout    time.Duration
}

type taken struct {
	to   string
	from string
	raw  []byte
	tls  bool
	user string
}

// lockedBuffer can be read while others write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newPost starts a mail server.
func newPost(t *testing.T, fill func(*post)) *post {
	t.Helper()
	p := &post{host: "127.0.0.1", came: make(chan struct{}, 10_000)}
	if fill != nil {
		fill(p)
	}
	p.up(t)
	t.Cleanup(p.shut)
	return p
}

// up listens, on the port of before if there was one.
func (p *post) up(t *testing.T) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(p.host, strconv.Itoa(p.port)))
	if err != nil {
		t.Fatal(err)
	}
	p.port = ln.Addr().(*net.TCPAddr).Port
	s := smtp.NewServer(smtp.BackendFunc(p.session))
	s.Domain, s.TLSConfig, s.AllowInsecureAuth, s.Debug, s.ReadTimeout = "post.example", p.tls, true, &p.wire, p.timeout
	s.EnableSMTPUTF8 = p.utf8
	s.ErrorLog = log.New(io.Discard, "", 0)
	if p.greet != nil {
		ln = slow{ln, p.greet}
	}
	if p.implicit {
		ln = tls.NewListener(ln, p.tls)
	}
	p.server, p.ln = s, ln
	p.down.Go(func() { _ = s.Serve(ln) })
}

// slow is a listener that takes its time.
type slow struct {
	net.Listener
	wait func()
}

func (s slow) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err == nil {
		s.wait()
	}
	return c, err
}

// shut ends the mail server and its connections.
func (p *post) shut() {
	_ = p.server.Close()
	_ = p.ln.Close()
	p.down.Wait()
}

func (p *post) at(s relay.Security) relay.Server {
	return relay.Server{Host: p.host, Port: p.port, Security: s}
}

func (p *post) set(change func(*post)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *post) mails() []taken {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]taken(nil), p.took...)
}

// wait waits until something is so.
func (p *post) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for !done() {
		select {
		case <-p.came:
		case <-timeout:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func (p *post) session(c *smtp.Conn) (smtp.Session, error) {
	p.set(func(p *post) {
		p.open++
		p.sessions++
		p.most = max(p.most, p.open)
	})
	s := &talk{post: p, conn: c}
	if p.users != nil {
		return &guarded{s}, nil
	}
	return s, nil
}

type talk struct {
	post           *post
	conn           *smtp.Conn
	from, to, user string
	ended          bool
}

func (s *talk) Mail(from string, _ *smtp.MailOptions) error {
	if s.post.users != nil && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.from = from
	if s.post.sender != nil {
		return s.post.sender()
	}
	return nil
}

func (s *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.post.mu.Lock()
	rcpt := s.post.rcpt
	s.post.mu.Unlock()
	if rcpt != nil {
		if err := rcpt(to); err != nil {
			return err
		}
	}
	s.to = to
	return nil
}

func (s *talk) Data(r io.Reader) error {
	s.post.mu.Lock()
	data := s.post.data
	s.post.mu.Unlock()
	if data != nil {
		if err := data(s.conn, s.to, nil); err != nil {
			return err
		}
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if data != nil {
		if err := data(s.conn, s.to, raw); err != nil {
			return err
		}
	}
	_, secure := s.conn.TLSConnectionState()
	s.post.set(func(p *post) {
		p.took = append(p.took, taken{to: s.to, from: s.from, raw: raw, tls: secure, user: s.user})
	})
	s.post.came <- struct{}{}
	return nil
}

func (s *talk) Reset() {}

func (s *talk) Logout() error {
	if !s.ended {
		s.ended = true
		s.post.set(func(p *post) { p.open-- })
		s.post.came <- struct{}{}
	}
	return nil
}

// guarded is a talk in which one can log in.
type guarded struct{ *talk }

func (g *guarded) AuthMechanisms() []string { return g.post.ways }

func (g *guarded) Auth(way string) (sasl.Server, error) {
	check := func(user, password string) error {
		g.post.mu.Lock()
		defer g.post.mu.Unlock()
		if want, ok := g.post.users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		g.user = user
		return nil
	}
	switch way {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case sasl.Login:
		return &loginServer{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// loginServer is the other side of AUTH LOGIN.
type loginServer struct {
	check func(user, password string) error
	user  string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil:
		return nil, false, errors.New("a user is expected with the command")
	case l.user == "":
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

// certificate is one for 127.0.0.1, and the authority that vouches for it. It holds on any day, since tests run on many.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

// outside runs functions in a goroutine that is not part of a bubble, since what waits for the network would hold the
// bubble's clock.
type outside struct {
	do   chan func()
	done chan struct{}
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	o := &outside{do: make(chan func()), done: make(chan struct{})}
	go func() {
		for f := range o.do {
			f()
			o.done <- struct{}{}
		}
	}()
	t.Cleanup(func() { close(o.do) })
	return o
}

func (o *outside) run(f func()) {
	o.do <- f
	<-o.done
}
