// Package mail writes the letters of the server and sends them.
//
// A letter is composed outside the transaction that it belongs to and queued inside it, so that it is sent exactly if what
// it tells of has happened (rule I7). Start reading at Office.
package mail

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/url"
	"time"

	message "github.com/emersion/go-message/mail"
	"github.com/oklog/ulid/v2"

	"widgets.pro/syncserver/internal/store"
)

// Letter is one of the letters of this package.
type Letter interface {
	// To is the address.
	to() string
	subject() string
	text() string
}

// ConfirmSignUp asks whoever reads the address to finish signing up.
type ConfirmSignUp struct{ To, URL string }

// AlreadyHere tells the owner of an account that somebody wanted to sign up with its address.
type AlreadyHere struct{ To, LogIn, Reset string }

// ResetPassword brings the link by which another password can be set.
type ResetPassword struct{ To, URL string }

// NoAccount tells somebody who asked for another password that the address has no account here.
type NoAccount struct{ To, SignUp string }

// ConfirmAddress asks whoever reads the new address of an account, or its present one, to prove it.
type ConfirmAddress struct{ To, URL string }

// Changed tells the owner of an account, at the address from before, of a change that could be a thief's. What is a
// sentence.
type Changed struct{ To, What string }

// Invite invites to a dashboard or to an organisation. By is who invites, What its title or name, As the role in words,
// such as "to view" or "as an editor".
type Invite struct {
	To, By, What, As, Message, URL string
	Organisation                   bool
	Expires                        time.Time
}

func (l ConfirmSignUp) to() string  { return l.To }
func (l AlreadyHere) to() string    { return l.To }
func (l ResetPassword) to() string  { return l.To }
func (l NoAccount) to() string      { return l.To }
func (l ConfirmAddress) to() string { return l.To }
func (l Changed) to() string        { return l.To }
func (l Invite) to() string         { return l.To }

func (ConfirmSignUp) subject() string  { return "Confirm your address" }
func (AlreadyHere) subject() string    { return "You have an account already" }
func (ResetPassword) subject() string  { return "Choose another password" }
func (NoAccount) subject() string      { return "There is no account with this address" }
func (ConfirmAddress) subject() string { return "Confirm your address" }
func (Changed) subject() string        { return "Your account was changed" }
func (l Invite) subject() string       { return l.By + " invites you to " + l.What }

func (l ConfirmSignUp) text() string {
	return "Open this link to finish signing up:\n\n" + l.URL + "\n"
}
func (l AlreadyHere) text() string {
	return "You have an account already. Log in:\n\n" + l.LogIn + "\n\nOr choose another password:\n\n" + l.Reset + "\n"
}

func (l ResetPassword) text() string {
	return "Open this link to choose another password:\n\n" + l.URL + "\n"
}

func (l NoAccount) text() string {
	return "There is no account with this address. You can make one:\n\n" + l.SignUp + "\n"
}

func (l ConfirmAddress) text() string {
	return "Open this link to confirm the address:\n\n" + l.URL + "\n"
}
func (l Changed) text() string { return l.What + "\n" }
func (l Invite) text() string  { return l.Message + "\n\nOpen this link:\n\n" + l.URL + "\n" }

// Config is what an Office needs; everything must be given.
type Config struct {
	Store store.Store
	Now   func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL of the server, without a slash at its end.
	Base string
}

// Office composes letters and sends those that are queued. It is safe for concurrent use.
type Office struct {
	cfg  Config
	host string
}

// New makes an Office.
func New(cfg Config) (*Office, error) {
	u, err := url.Parse(cfg.Base)
	if err != nil {
		return nil, fmt.Errorf("public base URL: %w", err)
	}
	return &Office{cfg: cfg, host: u.Hostname()}, nil
}

// Compose writes a letter, ready to be queued. It reads clock and randomness, so it belongs outside the transaction.
func (o *Office) Compose(l Letter) (store.Mail, error) {
	now := o.cfg.Now()
	u, err := ulid.New(ulid.Timestamp(now), o.cfg.Random)
	if err != nil {
		return store.Mail{}, fmt.Errorf("make a mail's id: %w", err)
	}
	m := store.Mail{ID: store.MailID("mail_" + u.String()), To: l.to(), Created: now.UnixMilli(), Next: now.UnixMilli()}
	var h message.Header
	h.SetDate(now)
	h.SetMessageID(u.String() + "@" + o.host)
	h.SetAddressList("To", []*message.Address{{Address: l.to()}})
	h.SetSubject(mime.QEncoding.Encode("utf-8", l.subject()))
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	var out bytes.Buffer
	w, err := message.CreateSingleInlineWriter(&out, h)
	if err != nil {
		return store.Mail{}, fmt.Errorf("write a mail: %w", err)
	}
	if _, err := io.WriteString(w, l.text()); err != nil {
		return store.Mail{}, fmt.Errorf("write a mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return store.Mail{}, fmt.Errorf("write a mail: %w", err)
	}
	m.Data = out.Bytes()
	return m, nil
}

// Queue puts a composed letter into the outbox. It is sent once the transaction is durable.
func (o *Office) Queue(tx store.Tx, m store.Mail) error { return tx.Outbox().Put(m) }

// Enabled reports whether the server can send mail at all.
func (o *Office) Enabled() bool { return true }
