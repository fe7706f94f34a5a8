package account

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// SignUp begins a sign-up: a mail with a ticket goes to the address, and who has that can Confirm. The claim that is
// returned signs in whoever began, once it is confirmed; kept is a page of this site to go on to then, "" for none. If the
// address has an account already the mail says so, and nothing else differs (rule I8). Faults: Invalid names the field;
// Busy; Unavailable where the server cannot send mail.
func (s *Service) SignUp(ctx context.Context, c Credentials, kept string) (claim Token, err error) {
	email, f := sharing.NormaliseEmail(c.Email)
	if f != nil {
		return "", f
	}
	if f := checkPassword(c.Password); f != nil {
		return "", f
	}
	name, f := CheckName(c.Name)
	if f != nil {
		return "", f
	}
	if err := s.canMail("nobody can sign up here"); err != nil {
		return "", err
	}
	if err := s.take(s.signUps, ratelimit.Client(c.Client)); err != nil {
		return "", err
	}
	hash, err := s.hasher.hash(ctx, c.Password)
	if err != nil {
		return "", err
	}
	if claim, err = s.newToken(claimPrefix); err != nil {
		return "", err
	}
	now := s.cfg.Now()
	return claim, s.invite(ctx, store.Ticket{
		Hash: hashToken(claim.Reveal()), Kind: store.TicketClaim, Created: now.UnixMilli(), Expires: now.Add(SignUpLifetime + claimGrace).UnixMilli(),
		Email: email, Password: hash, Name: name, Label: c.Label, Kept: LocalPath(kept),
	}, true, c.Client)
}

// invite sends the mail of a sign-up, for its claim, which holds all there is to know of the account to be. Another mail
// for the same claim leaves the earlier ones good: all lead to one account.
func (s *Service) invite(ctx context.Context, claim store.Ticket, fresh bool, client netip.Addr) error {
	secret, err := s.newTicket()
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	expires := min(now.Add(SignUpLifetime).UnixMilli(), claim.Expires)
	letters, err := s.compose(
		mail.ConfirmSignUp{To: claim.Email, URL: s.cfg.Base + "/confirm/" + secret.Reveal(), Expires: time.UnixMilli(expires)},
		mail.AlreadyHere{To: claim.Email, LogIn: s.cfg.Base + "/login", Reset: s.cfg.Base + "/forgot"},
	)
	if err != nil {
		return err
	}
	ticket := store.Ticket{
		Hash: hashToken(secret.Reveal()), Kind: store.TicketSignUp, Created: now.UnixMilli(),
		Expires: expires, Email: claim.Email, Claim: claim.Hash,
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if err := payForMail(tx, client, now); err != nil {
			return err
		}
		_, known, err := tx.Accounts().ByEmail(claim.Email)
		if err != nil {
			return err
		}
		if fresh {
			if err := tx.Tickets().Put(claim); err != nil {
				return err
			}
		}
		// The ticket is kept for a known address too, to which its secret is not sent, so that both cost the same.
		if err := tx.Tickets().Put(ticket); err != nil {
			return err
		}
		letter := letters[0]
		if known {
			letter = letters[1]
		}
		return s.post(tx, letter, now)
	})
	if err != nil {
		return fmt.Errorf("begin a sign-up: %w", err)
	}
	return nil
}

// Resend sends the mail of a sign-up once more, and tells to which address. It fails with NotFound where the claim is none,
// was used, or its time is over; else as SignUp.
func (s *Service) Resend(ctx context.Context, claim string, client netip.Addr) (email string, err error) {
	if err := s.take(s.polled, ratelimit.Client(client)); err != nil {
		return "", err
	}
	t, err := s.readTicket(ctx, claim, store.TicketClaim)
	if err != nil || t.Account != "" {
		return t.Email, err // it is confirmed already: there is nothing to send
	}
	if err := s.canMail("nobody can sign up here"); err != nil {
		return "", err
	}
	return t.Email, s.invite(ctx, t, false, client)
}

// readTicket is findTicket in a transaction of its own.
func (s *Service) readTicket(ctx context.Context, secret string, kinds ...store.TicketKind) (t store.Ticket, err error) {
	now := s.cfg.Now()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		t, _, err = findTicket(tx, secret, now, kinds...)
		return err
	})
	return t, err
}

// Confirmable tells which address a ticket from a mail would confirm, and whether claim is of the same sign-up, so that
// nothing more is asked. It consumes nothing, since mail scanners open links. It fails with NotFound where the ticket is not
// good any more.
func (s *Service) Confirmable(ctx context.Context, ticket, claim string) (email string, began bool, err error) {
	now := s.cfg.Now()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		c, err := findSignUp(tx, ticket, now)
		email, began = c.Email, c.Hash == hashToken(claim)
		return err
	})
	return email, began && err == nil, err
}

// findSignUp is the claim behind a ticket from a mail, if it still waits.
func findSignUp(tx store.Tx, ticket string, now time.Time) (claim store.Ticket, err error) {
	t, _, err := findTicket(tx, ticket, now, store.TicketSignUp)
	if err != nil {
		return claim, err
	}
	claim, ok, err := tx.Tickets().Get(t.Claim)
	if err != nil {
		return claim, fmt.Errorf("read a claim: %w", err)
	}
	if !ok || claim.Account != "" || now.UnixMilli() >= claim.Expires {
		return store.Ticket{}, over()
	}
	return claim, nil
}

// Confirmation is what whoever opens the mail of a sign-up shows beside its ticket. The ticket proves the address, not who
// signed up with it: without more, a stranger who signs up with somebody's address would be let into the account that the
// mail's reader makes (rule I4).
type Confirmation struct {
	// Claim is the one that SignUp gave, known to the browser that signed up. With it nothing more is needed.
	Claim string
	// Anew says that the password of the Credentials takes the place of the one that was signed up with, and their name that
	// of the one given then; and that whoever began is not signed in. Otherwise it must be the same.
	Anew bool
}

// Confirm makes the account that a ticket from a mail is for, with its personal organisation (rule A1), and signs it in
// for lifetime, of c looking at Client, Kind and Label, and at Password and Name as shown demands. kept is the page to go on
// to, "" for none. Faults: NotFound where the ticket is not good any more; Invalid names the field; Conflict if the address
// got an account in between; Busy.
func (s *Service) Confirm(ctx context.Context, ticket string, c Credentials, shown Confirmation, lifetime time.Duration) (in SignIn, kept string, err error) {
	if err := s.take(s.opened, ratelimit.Client(c.Client)); err != nil {
		return in, "", err
	}
	now := s.cfg.Now()
	var claim store.Ticket
	if err := s.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		claim, err = findSignUp(tx, ticket, now)
		return err
	}); err != nil {
		return in, "", err
	}
	if shown.Anew {
		claim, err = s.takeOver(ctx, claim, c)
	} else if claim.Hash != hashToken(shown.Claim) {
		err = s.same(ctx, claim, c.Password)
	}
	if err != nil {
		return in, "", err
	}
	a, err := s.newAccount(claim.Email, claim.Password, claim.Name)
	if err != nil {
		return in, "", err
	}
	in, err = s.signIn(ctx, a, c, lifetime, func(tx store.Tx) error {
		waiting, err := findSignUp(tx, ticket, now)
		if err != nil {
			return err
		}
		if err := create(tx, a); err != nil {
			return err
		}
		if err := tx.Tickets().Delete(hashToken(ticket)); err != nil {
			return err
		}
		if shown.Anew {
			return tx.Tickets().Delete(waiting.Hash)
		}
		waiting.Account, waiting.Password = a.ID, ""
		return tx.Tickets().Put(waiting)
	})
	if errors.Is(err, store.ErrTaken) {
		return in, "", fault.New(fault.Conflict, "This address has an account already.").WithHint("Log in instead.")
	}
	return in, claim.Kept, err
}

// same fails unless password is the one that was signed up with.
func (s *Service) same(ctx context.Context, claim store.Ticket, password string) error {
	ok := false
	if len(password) <= MaxPassword {
		var err error
		if ok, err = s.hasher.verify(ctx, claim.Password, password); err != nil {
			return err
		}
	}
	if !ok {
		return fault.Field("password", "This is not the password of this sign-up.").
			WithHint("If you do not know it, or did not sign up yourself, choose another one below.")
	}
	return nil
}

// takeOver is a sign-up with nothing left of what was given when it began but the address.
func (s *Service) takeOver(ctx context.Context, claim store.Ticket, c Credentials) (store.Ticket, error) {
	if f := checkPassword(c.Password); f != nil {
		return claim, f
	}
	name, f := CheckName(c.Name)
	if f != nil {
		return claim, f
	}
	hash, err := s.hasher.hash(ctx, c.Password)
	claim.Password, claim.Name, claim.Kept = hash, name, ""
	return claim, err
}

// Claim signs in whoever began a sign-up, for lifetime, once: done is false while it is not confirmed. It fails with
// NotFound where the claim is none, was used, or its time is over.
func (s *Service) Claim(ctx context.Context, claim string, client netip.Addr, lifetime time.Duration) (in SignIn, done bool, err error) {
	if err := s.take(s.polled, ratelimit.Client(client)); err != nil {
		return in, false, err
	}
	t, err := s.readTicket(ctx, claim, store.TicketClaim)
	if err != nil || t.Account == "" {
		return in, false, err
	}
	now := s.cfg.Now()
	in, err = s.signIn(ctx, store.Account{ID: t.Account, Email: t.Email}, Credentials{Label: t.Label}, lifetime, func(tx store.Tx) error {
		if _, _, err := findTicket(tx, claim, now, store.TicketClaim); err != nil {
			return err
		}
		return tx.Tickets().Delete(hashToken(claim))
	})
	return in, err == nil, err
}
