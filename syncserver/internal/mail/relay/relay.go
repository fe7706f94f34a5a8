package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"golang.org/x/net/idna"
)

// Timeouts bound every step; zero values are the defaults.
type Timeouts struct {
	Connect time.Duration // until the server has greeted us, TLS is up and we are logged in
	Command time.Duration // for the reply to one command
	Submit  time.Duration // for the reply to a whole mail
	Mail    time.Duration // for one mail, all in all
}

func (t Timeouts) orDefaults() Timeouts {
	or := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	or(&t.Connect, 30*time.Second)
	or(&t.Command, time.Minute)
	or(&t.Submit, 5*time.Minute)
	or(&t.Mail, 8*time.Minute)
	return t
}

const quitTimeout = 2 * time.Second

// Dialer makes connections to a mail server. It is safe for concurrent use.
type Dialer struct {
	Server Server
	// Name is how we introduce ourselves: a host name, or an address in brackets.
	Name string
	// Roots are the authorities whose certificates hold; nil means those of the system.
	Roots    *x509.CertPool
	Timeouts Timeouts
}

// Conn is a connection over which one mail after the other can be sent. It is for one goroutine.
type Conn struct {
	client   *smtp.Client
	net      net.Conn
	timeouts Timeouts
	dirty    bool // something of a mail that failed is left on the server
	broken   bool
	used     bool
}

// Dial connects, encrypts and logs in. It fails with an Error that is Shared.
func (d *Dialer) Dial(ctx context.Context) (*Conn, *Error) {
	t := d.Timeouts.orDefaults()
	ctx, cancel := context.WithTimeout(ctx, t.Connect)
	defer cancel()
	c, f := d.connect(ctx)
	if f != nil {
		return nil, f
	}
	release := cutWith(ctx, c.net)
	defer release()
	c.timeouts = t
	c.client.CommandTimeout, c.client.SubmissionTimeout = t.Command, t.Submit
	if f := d.logIn(c.client); f != nil {
		c.Close(ctx)
		return nil, f
	}
	return c, nil
}

// connect connects and encrypts, and introduces us.
func (d *Dialer) connect(ctx context.Context) (*Conn, *Error) {
	if d.Server.Security != IfOffered {
		return d.encrypted(ctx, false)
	}
	c, f := d.open(ctx, func(conn net.Conn) (*smtp.Client, *Error) { return smtp.NewClient(conn), nil })
	if f != nil {
		return nil, f
	}
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		return c, nil
	}
	c.Close(ctx) // the library begins TLS only on a connection over which nothing was said
	return d.encrypted(ctx, true)
}

func (d *Dialer) encrypted(ctx context.Context, anyCertificate bool) (*Conn, *Error) {
	cfg := &tls.Config{
		ServerName: d.Server.Host, RootCAs: d.Roots, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: anyCertificate, //nolint:gosec // where TLS is optional, whoever is in between can do without it anyway
	}
	if d.Server.Security == Implicit {
		return d.open(ctx, func(conn net.Conn) (*smtp.Client, *Error) {
			secure := tls.Client(conn, cfg)
			if err := secure.HandshakeContext(ctx); err != nil {
				return nil, handshake(err)
			}
			return smtp.NewClient(secure), nil
		})
	}
	return d.open(ctx, func(conn net.Conn) (*smtp.Client, *Error) {
		client, err := smtp.NewClientStartTLS(conn, cfg)
		if err != nil {
			return nil, failed(err, Unreachable, handshake(err).Cause)
		}
		return client, nil
	})
}

// open connects, lets begin make a client of the connection, and introduces us.
func (d *Dialer) open(ctx context.Context, begin func(net.Conn) (*smtp.Client, *Error)) (*Conn, *Error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.Server.Address())
	if err != nil {
		return nil, &Error{Cause: Unreachable, err: err}
	}
	release := cutWith(ctx, conn)
	defer release()
	client, f := begin(conn)
	if f != nil {
		_ = conn.Close()
		return nil, f
	}
	if err := client.Hello(d.Name); err != nil {
		_ = conn.Close()
		lost := Unreachable
		if _, secure := client.TLSConnectionState(); secure {
			lost = handshake(err).Cause // after STARTTLS it is the first word that shakes hands
		}
		return nil, failed(err, Unreachable, lost)
	}
	return &Conn{client: client, net: conn}, nil
}

// handshake tells a failure of TLS from one of the network.
func handshake(err error) *Error {
	var op *net.OpError
	if alert := errors.As(err, &op) && strings.HasSuffix(op.Op, " error"); ofNetwork(err) && !alert { // crypto/tls: "remote error", "local error"
		return &Error{Cause: Unreachable, err: err}
	}
	return &Error{Cause: Insecure, err: err}
}

func (d *Dialer) logIn(client *smtp.Client) *Error {
	user, password := d.Server.User, d.Server.Password.Reveal()
	if user == "" {
		return nil
	}
	var how sasl.Client
	switch {
	case client.SupportsAuth(sasl.Plain):
		how = sasl.NewPlainClient("", user, password)
	case client.SupportsAuth(sasl.Login):
		how = sasl.NewLoginClient(user, password)
	default:
		return &Error{Cause: Unauthorised, err: errNoAuth}
	}
	if err := client.Auth(how); err != nil {
		return failed(err, Unauthorised, Unreachable)
	}
	return nil
}

var errNoAuth = errors.New("the server offers no way to log in that is known here")

// cutWith closes a connection when ctx ends, until release is called.
func cutWith(ctx context.Context, conn net.Conn) (release func()) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return func() { stop() }
}

// Usable tells whether another mail can be sent.
func (c *Conn) Usable() bool { return c != nil && !c.broken }

// Send sends one mail; data is the whole of it. The result is nil only if the server has taken the mail.
func (c *Conn) Send(ctx context.Context, from, to string, data []byte) *Error {
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Mail)
	defer cancel()
	release := cutWith(ctx, c.net)
	defer release()
	stale := c.used
	c.used = true
	f := c.send(from, to, data)
	if f == nil {
		return nil
	}
	c.dirty = true
	c.broken = f.Cause == Broken
	f.Early = f.Early && stale && c.broken
	return f
}

func (c *Conn) send(from, to string, data []byte) *Error {
	at := func(step Step, err error) *Error {
		f := failed(err, Refused, Broken)
		f.Step, f.Early = step, step != Content
		return f
	}
	if c.dirty {
		if err := c.client.Reset(); err != nil {
			f := at(Sender, err)
			f.Cause = Broken
			return f
		}
		c.dirty = false
	}
	address, plain := ASCII(to)
	options := &smtp.MailOptions{Size: int64(len(data)), UTF8: !plain}
	if !plain {
		if ok, _ := c.client.Extension("SMTPUTF8"); !ok {
			return &Error{Cause: Unsupported}
		}
	}
	sender, _ := ASCII(from)
	if err := c.client.Mail(sender, options); err != nil {
		return at(Sender, err)
	}
	if err := c.client.Rcpt(address, nil); err != nil {
		return at(Recipient, err)
	}
	w, err := c.client.Data()
	if err != nil {
		return at(Content, err)
	}
	if _, err := w.Write(data); err != nil {
		return at(Content, err)
	}
	if err := w.Close(); err != nil {
		return at(Content, err)
	}
	return nil
}

// Close says goodbye, unless the connection is broken or ctx ends, and closes it.
func (c *Conn) Close(ctx context.Context) {
	if !c.broken {
		ctx, cancel := context.WithTimeout(ctx, quitTimeout)
		release := cutWith(ctx, c.net)
		_ = c.client.Quit() // the server may be gone already
		release()
		cancel()
	}
	_ = c.net.Close()
}

// ASCII is an address with its domain in the form that every mail server knows (RFC 5891); false if it is not plain ASCII
// even then, so that only servers with SMTPUTF8 (RFC 6531) can send to it.
func ASCII(address string) (string, bool) {
	i := strings.LastIndexByte(address, '@')
	if domain, err := idna.Lookup.ToASCII(address[i+1:]); err == nil && i >= 0 {
		address = address[:i+1] + domain
	}
	for j := range len(address) {
		if address[j] > 127 {
			return address, false
		}
	}
	return address, true
}
