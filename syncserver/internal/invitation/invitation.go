// Package invitation is what any invitation is made of, whatever it invites to: its secret, the mail that brings it, and
// the budgets that keep the server from being used to send what nobody asked for (rules I2, I7).
//
// Who may invite whom, and what accepting comes to, is for people and organisation to say. Start reading at Maker.Mint,
// then Send.
package invitation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// How many mails one account may have sent to people whom it invites, and how many an address gets, whoever invites it
// (rule I7).
const (
	PerHour = sharing.MaxInvitees
	PerDay  = 5
)

// keepFor is how long after its end an invitation is remembered: so long its link tells what became of it.
const keepFor = 90 * 24 * time.Hour

// forgetAtOnce bounds how many old invitations are forgotten on the way.
const forgetAtOnce = 20

// Minted is what an invitation needs that cannot be made inside a transaction: its secret, of which the hash is kept, and
// the mail that brings it. The zero Minted is for what sends none.
type Minted struct {
	hash   store.Hash
	mail   store.Mail
	office *mail.Office
}

// For reports whether there is a mail, to this address.
func (m Minted) For(email string) bool { return m.office != nil && m.mail.To == email }

// Maker mints invitations. It is safe for concurrent use; every field must be given.
type Maker struct {
	Mail *mail.Office
	Now  func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL, without a slash at its end.
	Base string
}

// Mint makes a secret and finishes the letter that brings it. Where the server sends no mail it makes nothing.
func (m Maker) Mint(l mail.Invite) (Minted, error) {
	if !m.Mail.Enabled() {
		return Minted{}, nil
	}
	token, err := sharing.NewInviteToken(m.Random)
	if err != nil {
		return Minted{}, fmt.Errorf("make an invitation's token: %w", err)
	}
	l.URL = token.URL(m.Base)
	l.Expires = m.Now().Add(sharing.InvitationLifetime * time.Millisecond)
	letter, err := m.Mail.Compose(l)
	if err != nil {
		return Minted{}, fmt.Errorf("write an invitation: %w", err)
	}
	return Minted{hash: Hash(token), mail: letter, office: m.Mail}, nil
}

// Hash is what of a token is kept.
func Hash(t sharing.InviteToken) store.Hash { return sha256.Sum256([]byte(t.Reveal())) }

// NoMail is the fault of inviting where the server cannot send mail.
func NoMail() *fault.Error {
	return fault.New(fault.Conflict, "This server cannot send mail, so nobody can be invited.").
		WithHint("Share a link instead, or ask whoever runs the server to set up mail.")
}

// Send keeps an invitation, new or not, with a new secret that voids an earlier one, and queues the mail that brings it, in
// the name of by, at now (ms since 1970). The fault says why it was not sent, and then nothing was changed; the error is
// the store's.
func Send(tx store.Tx, inv store.Invitation, by store.AccountID, m Minted, now int64) (*fault.Error, error) {
	if !m.For(inv.Email) {
		return NoMail(), nil
	}
	full, f, err := budgets(tx, by, inv.Email, now)
	if f != nil || err != nil {
		return f, err
	}
	letter := m.mail
	letter.Invitation = inv.ID
	if err := m.office.Queue(tx, letter); fault.KindOf(err) == fault.Busy {
		return fault.From(err), nil
	} else if err != nil {
		return nil, fmt.Errorf("queue a mail: %w", err)
	}
	for key, at := range full {
		if err := tx.Guard().SetBudget([]byte(key), at, now); err != nil {
			return nil, fmt.Errorf("write a budget: %w", err)
		}
	}
	if err := takeBack(tx, inv); err != nil {
		return nil, err
	}
	inv.By, inv.Expires, inv.State = by, now+sharing.InvitationLifetime, store.InvitationOpen
	inv.Hash, inv.Mail = m.hash, letter.ID
	inv.Delivery, inv.Reason = sharing.DeliveryQueued, ""
	return nil, keep(tx, inv)
}

// Withdraw ends an invitation, and its mail if that still waits.
func Withdraw(tx store.Tx, inv store.Invitation) error {
	inv.State = store.InvitationRevoked
	if err := keep(tx, inv); err != nil {
		return err
	}
	return takeBack(tx, inv)
}

func keep(tx store.Tx, inv store.Invitation) error {
	if err := tx.Invitations().Put(inv); err != nil {
		return fmt.Errorf("keep an invitation: %w", err)
	}
	return nil
}

// takeBack removes an invitation's latest mail from the outbox, if it is there still: its link leads nowhere.
func takeBack(tx store.Tx, inv store.Invitation) error {
	if inv.Mail == "" {
		return nil
	}
	if err := tx.Outbox().Delete(inv.Mail); err != nil {
		return fmt.Errorf("take back a mail: %w", err)
	}
	return nil
}

// Forget removes those of the invitations that have been over for long, a few at a time.
func Forget(tx store.Tx, all []store.Invitation, now int64) error {
	left := forgetAtOnce
	for _, inv := range all {
		if left == 0 || inv.Expires+keepFor.Milliseconds() >= now {
			continue
		}
		left--
		if err := errors.Join(tx.Invitations().Delete(inv.ID), takeBack(tx, inv)); err != nil {
			return fmt.Errorf("forget an invitation: %w", err)
		}
	}
	return nil
}

// budgets tells when the budgets of who invites and of who is invited will be full again after one more mail, by their keys,
// or why there is none left.
func budgets(tx store.Tx, by store.AccountID, email string, now int64) (map[string]int64, *fault.Error, error) {
	at, full := time.UnixMilli(now), map[string]int64{}
	for _, b := range []struct {
		kind, who, what string
		rate            ratelimit.Rate
	}{
		{"inviter", string(by), "You have invited many people within the hour.", ratelimit.Rate{Burst: PerHour, Interval: time.Hour / PerHour}},
		{"invited", email, "Many invitations went to " + email + " within the day.", ratelimit.Rate{Burst: PerDay, Interval: 24 * time.Hour / PerDay}},
	} {
		digest := sha256.Sum256([]byte(b.kind + "\x00" + b.who)) // so that no address is kept
		was, err := tx.Guard().Budget(digest[:])
		if err != nil {
			return nil, nil, fmt.Errorf("read a budget: %w", err)
		}
		if wait := b.rate.Wait(time.UnixMilli(was), at); wait > 0 {
			return nil, fault.New(fault.Busy, b.what).WithHint("Try again in " + inWords(wait) + ".").WithCause(&ratelimit.ExceededError{After: wait}), nil
		}
		full[string(digest[:])] = b.rate.Spend(time.UnixMilli(was), at).UnixMilli()
	}
	return full, nil, nil
}

// inWords says a wait as people do, and never less than it is.
func inWords(d time.Duration) string {
	count, unit := (d+time.Minute-1)/time.Minute, "minute"
	if count >= 90 {
		count, unit = (d+time.Hour-1)/time.Hour, "hour"
	}
	if count != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", count, unit)
}
