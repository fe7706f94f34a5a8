package people

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// How many mails one account may have sent to people whom it invites, and how many an address gets, whoever invites it
// (rule I7).
//
//nolint:gochecknoglobals // constants
var (
	byInviter = ratelimit.Rate{Burst: sharing.MaxInvitees, Interval: time.Hour / sharing.MaxInvitees}
	byInvited = ratelimit.Rate{Burst: 5, Interval: 24 * time.Hour / 5}
)

// keepFor is how long after its end an invitation is remembered, in ms: so long its link tells what became of it.
const keepFor = 90 * 24 * 3600 * 1000

// forgetAtOnce bounds how many old invitations are forgotten on the way.
const forgetAtOnce = 20

// Minted is what an invitation needs that cannot be made inside a transaction: its secret, of which the hash is kept, and
// the mail with it. The zero Minted is for commands that send none.
type Minted struct {
	Hash store.Hash
	Mail store.Mail
}

// Config is what a Service needs; everything must be given.
type Config struct {
	Store store.Store
	Mail  *mail.Office
	// Events hears of each change once it is durable.
	Events content.Events
	Now    func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL, without a slash at its end.
	Base string
}

// Service invites and lets in. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a Service.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Prepare makes what a command needs before the transaction in which it is applied. Where the command will be refused it may
// return the zero Minted: Apply says why.
func (s *Service) Prepare(ctx context.Context, p access.Principal, c sharing.Command) (Minted, error) {
	if c.Action != sharing.Invite && c.Action != sharing.Resend || !s.cfg.Mail.Enabled() {
		return Minted{}, nil
	}
	l := mail.Invite{To: c.Email, As: RoleInWords(c.Role), Message: c.Message}
	err := s.cfg.Store.View(ctx, func(tx store.Tx) error {
		g, err := access.Open(tx, p, c.Board, access.Share)
		if err != nil {
			return err
		}
		if c.Action == sharing.Resend {
			inv, _, err := tx.Invitations().Get(c.Invitation)
			if err != nil {
				return fmt.Errorf("read an invitation: %w", err)
			}
			if inv.Board != c.Board {
				l.To = ""
				return nil
			}
			l.To, l.As, l.Message = inv.Email, RoleInWords(inv.Role), inv.Message
		}
		if l.By, err = nameOf(tx, p.AccountID()); err != nil {
			return err
		}
		l.What, err = content.Title(tx, g)
		return err
	})
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		return Minted{}, nil
	}
	if err != nil {
		return Minted{}, fmt.Errorf("prepare an invitation: %w", err)
	}
	if email, f := sharing.NormaliseEmail(l.To); f != nil || email != l.To || sharing.CheckMessage(l.Message) != nil {
		return Minted{}, nil
	}
	return s.mint(l)
}

// mint makes a secret and the letter that brings it.
func (s *Service) mint(l mail.Invite) (Minted, error) {
	token, err := sharing.NewInviteToken(s.cfg.Random)
	if err != nil {
		return Minted{}, fmt.Errorf("make an invitation's token: %w", err)
	}
	if l.What == "" {
		l.What = "an untitled dashboard"
	}
	l.URL = token.URL(s.cfg.Base)
	l.Expires = s.cfg.Now().Add(sharing.InvitationLifetime * time.Millisecond)
	m, err := s.cfg.Mail.Compose(l)
	if err != nil {
		return Minted{}, fmt.Errorf("write an invitation: %w", err)
	}
	return Minted{Hash: hashOf(token), Mail: m}, nil
}

func hashOf(t sharing.InviteToken) store.Hash { return sha256.Sum256([]byte(t.Reveal())) }

// RoleInWords is what somebody is invited to be, as it stands in a sentence: "invites you as an editor".
func RoleInWords(r sharing.Role) string {
	switch r {
	case sharing.RoleEditor:
		return "as an editor"
	case sharing.RoleOwner:
		return "as an owner"
	case sharing.RoleViewer, sharing.RoleNone:
	}
	return "to view"
}

func nameOf(tx store.Tx, id store.AccountID) (string, error) {
	a, ok, err := tx.Accounts().Get(id)
	if err != nil {
		return "", fmt.Errorf("read an account: %w", err)
	}
	if !ok {
		return "Somebody", nil
	}
	return a.Shown(), nil
}

// cannotMail is what a command gets that would have to send a mail, where Prepare has written none.
func cannotMail() error {
	return refuse(fault.New(fault.Conflict, "This server cannot send mail, so nobody can be invited.").
		WithHint("Share the dashboard by a link instead, or ask whoever runs the server to set up mail."))
}

func (d decision) invite() (same bool, err error) {
	c := d.c
	email, f := sharing.NormaliseEmail(c.Email)
	if f == nil && email != c.Email {
		f = fault.Field("email", "This e-mail address is not in the form in which it is kept.")
	}
	if f == nil {
		f = sharing.CheckInvitedRole(c.Role)
	}
	if f == nil {
		f = sharing.CheckMessage(c.Message)
	}
	if _, ok := sharing.ParseInvitationID(string(c.Invitation)); f == nil && !ok {
		f = fault.Field("invitation", "An invitation needs an id.")
	}
	if f != nil {
		return false, refuse(f)
	}
	if _, used, err := d.tx.Invitations().Get(c.Invitation); err != nil {
		return false, fmt.Errorf("look up an invitation: %w", err)
	} else if used {
		return false, refuse(fault.Field("invitation", "This invitation's id belongs to another one."))
	}
	if err := d.mayJoin(email); err != nil {
		return false, err
	}
	all, err := d.tx.Invitations().OfBoard(c.Board)
	if err != nil {
		return false, fmt.Errorf("list invitations: %w", err)
	}
	replaced, pending := "", 0
	for _, inv := range all {
		if inv.State != store.InvitationOpen {
			continue
		}
		pending++
		switch {
		case inv.Email != email:
		case inv.Expires <= d.now:
			replaced = string(inv.ID)
			pending--
		case inv.Role == c.Role:
			return true, nil
		default:
			return false, refuse(fault.Newf(fault.Conflict, "%s is invited already, %s.", email, RoleInWords(inv.Role)).
				WithHint("Revoke that invitation first."))
		}
	}
	if pending >= sharing.MaxPending {
		return false, refuse(fault.Newf(fault.Conflict, "%d invitations wait for an answer, and there is room for no more.", sharing.MaxPending).
			WithHint("Revoke some that are not needed any more."))
	}
	if d.minted.Mail.ID == "" {
		return false, cannotMail()
	}
	if err := spend(d.tx, d.by, email, d.now); err != nil {
		return false, err
	}
	if err := forget(d.tx, all, sharing.InvitationID(replaced), d.now); err != nil {
		return false, err
	}
	return false, d.send(store.Invitation{
		ID: c.Invitation, Board: c.Board, Email: email, Role: c.Role, Message: c.Message, Created: d.now, State: store.InvitationOpen,
	})
}

// mayJoin refuses to invite whoever is there already.
func (d decision) mayJoin(email string) error {
	a, ok, err := d.tx.Accounts().ByEmail(email)
	if err != nil {
		return fmt.Errorf("look up an account: %w", err)
	}
	if ok && a.ID == d.by {
		return refuse(conflict("email", "This is your own address.", ""))
	}
	holders, err := access.Holders(d.tx, d.g.Board())
	if err != nil {
		return err
	}
	if ok && slices.ContainsFunc(holders, func(h access.Held) bool { return h.Account == a.ID }) {
		return refuse(conflict("email", email+" can open this dashboard already.", "Change the role in the list of people."))
	}
	if len(holders) >= MaxHolders {
		return refuse(fault.Newf(fault.Conflict, "%d people can open this dashboard, and there is room for no more.", MaxHolders))
	}
	return nil
}

func conflict(field, message, hint string) *fault.Error {
	f := fault.New(fault.Conflict, message)
	f.Field = field
	return f.WithHint(hint)
}

// spend takes one mail from the budgets of who invites and of who is invited, or refuses.
func spend(tx store.Tx, by store.AccountID, email string, now int64) error {
	at := time.UnixMilli(now)
	budgets := []struct {
		key  []byte
		rate ratelimit.Rate
		what string
	}{
		{budget("inviter", string(by)), byInviter, "You have invited many people within the hour."},
		{budget("invited", email), byInvited, "Many invitations went to " + email + " within the day."},
	}
	full := make([]int64, len(budgets))
	for i, b := range budgets {
		var err error
		if full[i], err = tx.Guard().Budget(b.key); err != nil {
			return fmt.Errorf("read a budget: %w", err)
		}
		if wait := b.rate.Wait(time.UnixMilli(full[i]), at); wait > 0 {
			return refuse(fault.New(fault.Busy, b.what).WithHint("Try again in " + inWords(wait) + ".").WithCause(&ratelimit.ExceededError{After: wait}))
		}
	}
	for i, b := range budgets {
		if err := tx.Guard().SetBudget(b.key, b.rate.Spend(time.UnixMilli(full[i]), at).UnixMilli(), now); err != nil {
			return fmt.Errorf("write a budget: %w", err)
		}
	}
	return nil
}

// budget names a budget by a digest, so that no address is kept in it.
func budget(kind, key string) []byte {
	h := sha256.Sum256([]byte(kind + "\x00" + key))
	return h[:]
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

// forget removes what has been over for long, a little at a time, and an invitation that another one replaces.
func forget(tx store.Tx, all []store.Invitation, replaced sharing.InvitationID, now int64) error {
	left := forgetAtOnce
	for _, inv := range all {
		if inv.ID == replaced {
			inv.State = store.InvitationRevoked
			if err := tx.Invitations().Put(inv); err != nil {
				return err
			}
			continue
		}
		if left > 0 && inv.Expires+keepFor < now {
			left--
			if err := tx.Invitations().Delete(inv.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// send keeps an invitation with a new secret and queues the mail that brings it, in the name of whoever sends it.
func (d decision) send(inv store.Invitation) error {
	if err := dispatch(d.tx, inv, d.by, d.minted, d.now); err != nil {
		return err
	}
	d.tellPeople()
	return nil
}

func (d decision) tellPeople() {
	id := d.g.Board()
	d.tx.After(func() { d.ev.People([]board.ID{id}) })
}

// dispatch is what sending any invitation comes to.
func dispatch(tx store.Tx, inv store.Invitation, by store.AccountID, minted Minted, now int64) error {
	if inv.Mail != "" { // its link would be void
		if err := tx.Outbox().Delete(inv.Mail); err != nil {
			return fmt.Errorf("take back a mail: %w", err)
		}
	}
	inv.By, inv.Expires = by, now+sharing.InvitationLifetime
	inv.Hash, inv.Mail = minted.Hash, minted.Mail.ID
	inv.Delivery, inv.Reason = sharing.DeliveryQueued, ""
	if err := tx.Invitations().Put(inv); err != nil {
		return fmt.Errorf("keep an invitation: %w", err)
	}
	m := minted.Mail
	m.Invitation = inv.ID
	if err := tx.Outbox().Put(m); err != nil {
		return fmt.Errorf("queue a mail: %w", err)
	}
	return nil
}

// mine finds the invitation that a command names, if it is to this dashboard.
func (d decision) mine() (store.Invitation, bool, error) {
	inv, ok, err := d.tx.Invitations().Get(d.c.Invitation)
	if err != nil {
		return inv, false, fmt.Errorf("read an invitation: %w", err)
	}
	return inv, ok && inv.Board == d.g.Board(), nil
}

func (d decision) resend() error {
	inv, ok, err := d.mine()
	if err != nil {
		return err
	}
	if !ok || inv.State == store.InvitationRevoked {
		return refuse(fault.New(fault.NotFound, "This invitation was revoked, so it was not sent again.").WithHint("Invite them anew."))
	}
	if inv.State == store.InvitationAccepted {
		return refuse(accepted())
	}
	if d.minted.Mail.ID == "" || d.minted.Mail.To != inv.Email {
		return cannotMail()
	}
	if err := spend(d.tx, d.by, inv.Email, d.now); err != nil {
		return err
	}
	return d.send(inv)
}

func accepted() *fault.Error {
	return fault.New(fault.Conflict, "This invitation was accepted already.").WithHint("Look at the list of people.")
}

// revoke always applies while there is something to revoke (rules I5, V1).
func (d decision) revoke() (same bool, err error) {
	inv, ok, err := d.mine()
	if err != nil {
		return false, err
	}
	switch {
	case !ok || inv.State == store.InvitationRevoked:
		return true, nil
	case inv.State == store.InvitationAccepted:
		return false, refuse(accepted().WithHint("Remove them from the list of people instead."))
	}
	if err := withdraw(d.tx, inv); err != nil {
		return false, err
	}
	d.tellPeople()
	return false, nil
}

// withdraw ends an invitation, and its mail if that still waits.
func withdraw(tx store.Tx, inv store.Invitation) error {
	inv.State = store.InvitationRevoked
	if err := tx.Invitations().Put(inv); err != nil {
		return fmt.Errorf("keep an invitation: %w", err)
	}
	if err := tx.Outbox().Delete(inv.Mail); err != nil {
		return fmt.Errorf("take back a mail: %w", err)
	}
	return nil
}
