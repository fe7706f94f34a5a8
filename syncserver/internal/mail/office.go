// Package mail writes the letters of the server and sends them.
//
// A letter is composed outside the transaction that it belongs to and queued inside it, so that it is sent exactly if what
// it tells of has happened (rule I7). What is queued stays in the store until a mail server has taken it, or it is given
// up; both are noted on the invitation that it brings, if it brings one. The package decides neither who may send what to
// whom nor what a link in a letter does; how a mail server is spoken to is relay's. letter.go holds the letters, compose.go
// their form, outbox.go what is sent when, deliver.go one mail's way and reason.go the words for what went wrong. Start
// reading at Office.
package mail

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/store"
)

// Limits of mail.
const (
	MaxWaiting = 5_000     // mails in the outbox; more are refused
	MaxSize    = 128 << 10 // bytes of one mail
	Lanes      = 4         // connections to the mail server at once
)

// Config is what an Office needs. Store, Now, Random and Base must be given; Log and From as well where there is a Server.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	Now   func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL of the server, without a slash at its end.
	Base string
	// From is whom letters come from.
	From mail.Address
	// Server is the mail server that takes the letters; with the zero Server nothing can be sent.
	Server relay.Server
	// Roots are the authorities whose certificates hold; nil means those of the system.
	Roots *x509.CertPool
	// Timeouts of the conversation with the mail server; zero values are the defaults.
	Timeouts relay.Timeouts
	// Delivered, if not nil, is called when the delivery of an invitation has changed, in the order of commits, as
	// store.Tx.After calls: it must not block and not use the store.
	Delivered func(store.Invitation)
}

// Office composes letters and sends those that are queued. It is safe for concurrent use.
type Office struct {
	cfg    Config
	host   string // of the public address, as it is shown
	dialer *relay.Dialer
	ids    io.Reader // of mails: those of one millisecond are in the order of their making

	wake chan struct{}
	work chan []store.Mail // to the lanes: mails to one address
	back chan outcome      // from the lanes

	stop, cut        context.Context //nolint:containedctx // end the goroutines that Start starts: stop takes no new work, cut breaks it off
	ending, breakOff context.CancelFunc
	running          sync.WaitGroup
}

// New makes an Office that does not send yet.
func New(cfg Config) (*Office, error) {
	u, err := url.Parse(cfg.Base)
	if err != nil {
		return nil, fmt.Errorf("public base URL: %w", err)
	}
	o := &Office{
		cfg: cfg, host: u.Host,
		dialer: &relay.Dialer{Server: cfg.Server, Name: name(u.Hostname()), Roots: cfg.Roots, Timeouts: cfg.Timeouts},
		ids:    &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(cfg.Random, 0)},
		wake:   make(chan struct{}, 1), work: make(chan []store.Mail), back: make(chan outcome),
	}
	o.stop, o.ending = context.WithCancel(context.Background())
	o.cut, o.breakOff = context.WithCancel(context.Background())
	return o, nil
}

// name is how the server introduces itself to others (RFC 5321, section 4.1.3).
func name(host string) string {
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil && host == "":
		return "localhost"
	case err != nil:
		return host
	case a.Is4():
		return "[" + host + "]"
	}
	return "[IPv6:" + a.WithZone("").String() + "]"
}

// Enabled reports whether the server can send mail at all.
func (o *Office) Enabled() bool { return o.cfg.Server != (relay.Server{}) }

// Queue puts a composed letter into the outbox. It is sent once the transaction is durable. Faults: Unavailable if the
// server cannot send mail, Busy if too much waits already.
func (o *Office) Queue(tx store.Tx, m store.Mail) error {
	if !o.Enabled() {
		return fault.New(fault.Unavailable, "This server cannot send mail.").WithHint("Whoever runs it has to name a mail server.")
	}
	waiting, err := tx.Outbox().Len()
	if err != nil {
		return err //nolint:wrapcheck // the store's
	}
	if waiting >= MaxWaiting {
		return fault.New(fault.Busy, "Too many mails wait to be sent.").WithHint("Try again in a while.")
	}
	tx.After(o.look)
	return tx.Outbox().Put(m) //nolint:wrapcheck // the store's
}

// look has the outbox looked through. It does not block.
func (o *Office) look() {
	select {
	case o.wake <- struct{}{}:
	default: // it will be, anyway
	}
}

// Start starts sending, unless the Office is not Enabled. What was queued while none ran is sent at once.
func (o *Office) Start() {
	if !o.Enabled() {
		return
	}
	o.running.Go(func() { o.run(o.stop) })
	for range Lanes {
		o.running.Go(func() { o.lane(o.stop, o.cut) })
	}
}

// Close stops sending: mails that are on their way are finished until ctx ends and then broken off; the rest stays in the
// outbox. It returns when everything has stopped. Closing again does nothing.
func (o *Office) Close(ctx context.Context) {
	o.ending()
	release := context.AfterFunc(ctx, o.breakOff)
	defer release()
	o.running.Wait()
	o.breakOff()
}
