// Package devmail is a mail server that keeps what it is given: for development, where no mail is to leave the machine, and
// for tests.
//
// It listens on loopback and speaks SMTP, so that what sends mail does here what it does elsewhere. What it has taken is
// kept in memory, the newest of it. How that is shown is httpweb's. Start reading at Mailbox.
package devmail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	message "github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"

	"widgets.pro/syncserver/internal/mail/relay"
)

const (
	keep        = 200     // mails, unless Config says otherwise
	maxSize     = 1 << 20 // bytes of one mail
	maxReceiver = 10      // of one mail
	timeout     = time.Minute
)

// Mail is a mail that was taken. ID is a number, counted from 1; To is the first address that it was sent to, From the
// one that it says it is from; At is when it came, in ms since 1970.
type Mail struct {
	ID      string `json:"id"`
	To      string `json:"to"`
	From    string `json:"from"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	At      int64  `json:"at"`
}

// Config is what a Mailbox needs; Log and Now must be given.
type Config struct {
	Log *slog.Logger
	Now func() time.Time
	// Keep is how many mails are kept, the newest; 0 means 200.
	Keep int
}

// Mailbox takes mail. It is safe for concurrent use.
type Mailbox struct {
	cfg  Config
	ln   net.Listener
	port int
	smtp *smtp.Server

	mu      sync.Mutex
	count   int
	mails   []Mail // the oldest first
	changed chan struct{}
	serving sync.WaitGroup
}

// Start starts a Mailbox on a free port of loopback. Close it.
func Start(cfg Config) (*Mailbox, error) {
	if cfg.Keep == 0 {
		cfg.Keep = keep
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	b := &Mailbox{cfg: cfg, ln: ln, changed: make(chan struct{})}
	if a, ok := ln.Addr().(*net.TCPAddr); ok {
		b.port = a.Port
	}
	b.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }))
	b.smtp.Domain = "localhost"
	b.smtp.MaxMessageBytes, b.smtp.MaxRecipients = maxSize, maxReceiver
	b.smtp.ReadTimeout, b.smtp.WriteTimeout = timeout, timeout
	b.smtp.EnableSMTPUTF8 = true
	b.smtp.ErrorLog = slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug)
	b.serving.Go(func() {
		if err := b.smtp.Serve(ln); err != nil {
			cfg.Log.Error("development mailbox ended", "error", err)
		}
	})
	return b, nil
}

// Close stops the Mailbox and forgets nothing. Closing again does nothing.
func (b *Mailbox) Close() {
	_ = b.smtp.Close()
	_ = b.ln.Close() // which the library forgets if it has not begun to serve
	b.serving.Wait()
}

// Server is the Mailbox as a mail server.
func (b *Mailbox) Server() relay.Server {
	return relay.Server{Host: "127.0.0.1", Port: b.port, Security: relay.IfOffered}
}

// List is what has come, the newest first.
func (b *Mailbox) List() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := append([]Mail{}, b.mails...) // never nil: in JSON it is a list, also of none
	slices.Reverse(list)
	return list
}

// Get finds a mail that is kept.
func (b *Mailbox) Get(id string) (Mail, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.mails, func(m Mail) bool { return m.ID == id })
	if i < 0 {
		return Mail{}, false
	}
	return b.mails[i], true
}

// Changed is closed when the next mail has come.
func (b *Mailbox) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

func (b *Mailbox) take(to string, raw []byte) error {
	m, err := read(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "This is no mail"}
	}
	m.To, m.At = to, b.cfg.Now().UnixMilli()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	m.ID = strconv.Itoa(b.count)
	b.mails = append(b.mails, m)
	if over := len(b.mails) - b.cfg.Keep; over > 0 {
		b.mails = slices.Delete(b.mails, 0, over)
	}
	close(b.changed)
	b.changed = make(chan struct{})
	return nil
}

// read takes a mail apart.
func read(raw []byte) (m Mail, err error) {
	r, err := message.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return m, fmt.Errorf("read a mail: %w", err)
	}
	if m.Subject, err = r.Header.Subject(); err != nil {
		return m, fmt.Errorf("read the subject: %w", err)
	}
	from, err := r.Header.AddressList("From")
	if err != nil {
		return m, fmt.Errorf("read the sender: %w", err)
	}
	for _, a := range from {
		m.From = a.Address
		if a.Name != "" {
			m.From = a.Name + " <" + a.Address + ">"
		}
	}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, fmt.Errorf("read a part: %w", err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			return m, fmt.Errorf("read a part: %w", err)
		}
		h, ok := p.Header.(*message.InlineHeader)
		if !ok {
			continue
		}
		switch kind, _, _ := h.ContentType(); kind {
		case "text/html":
			m.HTML = string(body)
		case "text/plain":
			m.Text = string(body)
		}
	}
}

// session is one connection. Its methods are as smtp.Session has them.
type session struct {
	box *Mailbox
	to  string
}

// Mail begins a mail.
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt says who the mail is for.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.to == "" {
		s.to = to
	}
	return nil
}

// Data takes the mail.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err //nolint:wrapcheck // the library answers it
	}
	return s.box.take(s.to, raw)
}

// Reset ends a mail.
func (s *session) Reset() { s.to = "" }

// Logout ends the session.
func (s *session) Logout() error { return nil }
