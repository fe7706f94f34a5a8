package account

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// How long tickets are good.
const (
	SignUpLifetime = 24 * time.Hour
	ResetLifetime  = time.Hour
	VerifyLifetime = 24 * time.Hour
	// claimGrace is how much longer than its sign-up a claim lives, for whoever confirms at the last moment.
	claimGrace = time.Hour
)

// How much mail goes out. A client that wants more is told so; at an address that gets more nothing arrives, and nobody is
// told, since that is not for who asks to know (rule I8). Both budgets are kept in the data file.
//
//nolint:gochecknoglobals // constants
var (
	mailsOfClient = ratelimit.Rate{Burst: 20, Interval: time.Minute}
	mailsTo       = ratelimit.Rate{Burst: 5, Interval: 12 * time.Minute}
)

// canMail fails with Unavailable where the server cannot send mail; sentence says what cannot be done therefore.
func (s *Service) canMail(sentence string) error {
	if s.CanMail() {
		return nil
	}
	return fault.New(fault.Unavailable, "This server cannot send mail, so "+sentence+".").WithHint("Ask its operator.")
}

// CanMail reports whether the server can send mail, without which nobody can sign up.
func (s *Service) CanMail() bool { return s.cfg.Mail != nil && s.cfg.Mail.Enabled() }

// compose writes letters outside the transaction that queues one of them.
func (s *Service) compose(letters ...mail.Letter) ([]store.Mail, error) {
	out := make([]store.Mail, len(letters))
	for i, l := range letters {
		var err error
		if out[i], err = s.cfg.Mail.Compose(l); err != nil {
			return nil, fmt.Errorf("write a mail: %w", err)
		}
	}
	return out, nil
}

// payForMail takes one mail from a client's budget, or fails with Busy.
func payForMail(tx store.Tx, client netip.Addr, now time.Time) error {
	wait, err := spend(tx, mailsOfClient, "mail from\x00"+ratelimit.Client(client), now)
	if err != nil || wait == 0 {
		return err
	}
	return busy(&ratelimit.ExceededError{After: wait})
}

// post queues a mail, unless its address got enough already.
func (s *Service) post(tx store.Tx, m store.Mail, now time.Time) error {
	wait, err := spend(tx, mailsTo, "mail to\x00"+m.To, now)
	if err != nil || wait > 0 {
		return err
	}
	if err := s.cfg.Mail.Queue(tx, m); err != nil {
		return fmt.Errorf("queue a mail: %w", err)
	}
	return nil
}

// notice writes the mail that tells an account's owner of a change, and returns what queues it inside the transaction of the
// change: nothing, where the server cannot send mail.
func (s *Service) notice(to, what string) (func(store.Tx) error, error) {
	return s.afterwards(mail.Changed{To: to, What: what})
}

// afterwards is notice for a letter of any kind.
func (s *Service) afterwards(l mail.Letter) (func(store.Tx) error, error) {
	if !s.CanMail() {
		return func(store.Tx) error { return nil }, nil
	}
	letters, err := s.compose(l)
	if err != nil {
		return nil, err
	}
	return func(tx store.Tx) error {
		if err := s.cfg.Mail.Queue(tx, letters[0]); err != nil {
			return fmt.Errorf("queue a mail: %w", err)
		}
		return nil
	}, nil
}

// spend takes one action from a durable budget, or tells how long to wait. The key is stored as a digest, so that no
// address is kept for it.
func spend(tx store.Tx, rate ratelimit.Rate, key string, now time.Time) (wait time.Duration, err error) {
	h := sha256.New()
	_, _ = io.WriteString(h, key) // a hash does not fail
	digest := h.Sum(nil)
	ms, err := tx.Guard().Budget(digest)
	if err != nil {
		return 0, fmt.Errorf("read a budget: %w", err)
	}
	full := time.UnixMilli(ms)
	if wait := rate.Wait(full, now); wait > 0 {
		return wait, nil
	}
	if err := tx.Guard().SetBudget(digest, rate.Spend(full, now).UnixMilli(), now.UnixMilli()); err != nil {
		return 0, fmt.Errorf("spend a budget: %w", err)
	}
	return 0, nil
}

// findTicket is the ticket behind a secret, if it is of one of these kinds and still good at now, and its account, if it
// has one. Otherwise it fails with the same NotFound fault, whatever the reason.
func findTicket(tx store.Tx, secret string, now time.Time, kinds ...store.TicketKind) (t store.Ticket, a store.Account, err error) {
	t, ok, err := tx.Tickets().Get(hashToken(secret))
	if err != nil {
		return t, a, fmt.Errorf("read a ticket: %w", err)
	}
	if !ok || now.UnixMilli() >= t.Expires || !slices.Contains(kinds, t.Kind) {
		return store.Ticket{}, a, over()
	}
	if t.Account == "" {
		return t, a, nil
	}
	a, ok, err = tx.Accounts().Get(t.Account)
	if err != nil {
		return t, a, fmt.Errorf("read account: %w", err)
	}
	if !ok || a.Revision != t.Revision {
		return store.Ticket{}, a, over()
	}
	return t, a, nil
}

func over() *fault.Error {
	return fault.New(fault.NotFound, "This link does not work any more.").
		WithHint("It was used already, or its time is over, or there was a newer change.")
}

// maxKept is the length in bytes of the longest address to go on to.
const maxKept = 512

// LocalPath is p if it is the path of a page of this site, with or without a query, to go on to after signing in; "" if it
// could lead anywhere else.
func LocalPath(p string) string {
	if len(p) > maxKept || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return ""
	}
	u, err := url.Parse(p)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Fragment != "" || path.Clean(u.Path) != u.Path {
		return ""
	}
	return p
}
