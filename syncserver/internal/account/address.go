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

// SendVerification sends the account's own address the link that proves it. It is Conflict if that is done already.
func (s *Service) SendVerification(ctx context.Context, who Identity, client netip.Addr) error {
	if err := s.take(s.changes, string(who.Account)); err != nil {
		return err
	}
	p, err := s.Profile(ctx, who)
	if err != nil {
		return err
	}
	if p.Verified {
		return fault.New(fault.Conflict, "Your address is confirmed already.")
	}
	return s.ask(ctx, who, store.TicketVerify, p.Email, client, nil)
}

// ChangeAddress sends the link by which the account gets another address to that address, for whoever knows the password.
// The present one stays until the link is used, and is told. If the other address belongs to an account, the mail says so
// and nothing else differs (rule I8). Faults: Invalid for the fields "email" and "password"; Conflict if it is the present
// address; Busy; Unavailable where the server cannot send mail.
func (s *Service) ChangeAddress(ctx context.Context, who Identity, address, password string, client netip.Addr) error {
	email, f := sharing.NormaliseEmail(address)
	if f != nil {
		return f
	}
	a, err := s.prove(ctx, who, "password", password, client)
	if err != nil {
		return err
	}
	if a.Email == email {
		f := fault.New(fault.Conflict, "This is your address already.")
		f.Field = "email"
		return f
	}
	tell, err := s.notice(a.Email, "Somebody who knows your password asked to change the address of your account to "+email+
		". Nothing changes until that is confirmed from there. If it was not you, choose another password now.")
	if err != nil {
		return err
	}
	return s.ask(ctx, who, store.TicketEmail, email, client, tell)
}

// ask sends the link that proves an address to be the account's.
func (s *Service) ask(ctx context.Context, who Identity, kind store.TicketKind, email string, client netip.Addr, also func(store.Tx) error) error {
	if err := s.canMail("your address cannot be confirmed"); err != nil {
		return err
	}
	secret, err := s.newTicket()
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	letters, err := s.compose(
		mail.ConfirmAddress{To: email, URL: s.cfg.Base + "/verify/" + secret.Reveal(), Expires: now.Add(VerifyLifetime)},
		mail.AlreadyHere{To: email, LogIn: s.cfg.Base + "/login", Reset: s.cfg.Base + "/forgot"},
	)
	if err != nil {
		return err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if err := payForMail(tx, client, now); err != nil {
			return err
		}
		a, ok, err := tx.Accounts().Get(who.Account)
		if err != nil {
			return err
		}
		if !ok {
			return ended()
		}
		holder, known, err := tx.Accounts().ByEmail(email)
		if err != nil {
			return err
		}
		letter := letters[0]
		if known && holder.ID != a.ID {
			letter = letters[1]
		}
		if err := tx.Tickets().Put(store.Ticket{
			Hash: hashToken(secret.Reveal()), Kind: kind, Created: now.UnixMilli(), Expires: now.Add(VerifyLifetime).UnixMilli(),
			Account: a.ID, Revision: a.Revision, Email: email,
		}); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		return s.post(tx, letter, now)
	})
	if err != nil {
		return fmt.Errorf("ask to confirm an address: %w", err)
	}
	return nil
}

// Verification is what a ticket from a mail proves: that Email is the address of the account whose name is Name. Change
// says that it was not until then. Account is the one that must be signed in for it.
type Verification struct {
	Account     store.AccountID
	Email, Name string
	Change      bool
}

// Verifiable tells what a ticket from a mail would prove. It consumes nothing. It fails with NotFound where the ticket is
// not good any more.
func (s *Service) Verifiable(ctx context.Context, ticket string) (v Verification, err error) {
	now := s.cfg.Now()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		t, a, err := findVerification(tx, ticket, now)
		v = Verification{Account: a.ID, Email: t.Email, Name: a.Shown(), Change: t.Kind == store.TicketEmail}
		return err
	})
	return v, err
}

func findVerification(tx store.Tx, ticket string, now time.Time) (store.Ticket, store.Account, error) {
	t, a, err := findTicket(tx, ticket, now, store.TicketVerify, store.TicketEmail)
	if err == nil && t.Kind == store.TicketVerify && t.Email != a.Email {
		err = over()
	}
	return t, a, err
}

// Verify does what Verifiable tells, once, for by, who is signed in: whoever reads the mail of an address that a stranger
// entered as theirs must not give it to the stranger's account (rule I4). A change of address voids all other tickets, and the address from before is
// told. Faults: NotFound where the ticket is not good any more; Denied if by is another account or none; Conflict if the address got another account in between.
func (s *Service) Verify(ctx context.Context, ticket string, by store.AccountID, client netip.Addr) (v Verification, err error) {
	if err := s.take(s.opened, ratelimit.Client(client)); err != nil {
		return v, err
	}
	now := s.cfg.Now()
	var before string
	if err := s.cfg.Store.View(ctx, func(tx store.Tx) error {
		t, a, err := findVerification(tx, ticket, now)
		if err == nil && a.ID != by {
			err = fault.New(fault.Denied, "This address was entered for another account.").WithHint("Log in to that one first.")
		}
		before, v.Email = a.Email, t.Email
		return err
	}); err != nil {
		return v, err
	}
	tell, err := s.notice(before, "The address of your account is now "+v.Email+". Log in with that one from now on.")
	if err != nil {
		return v, err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		t, a, err := findVerification(tx, ticket, now)
		if err != nil {
			return err
		}
		v = Verification{Account: a.ID, Email: t.Email, Name: a.Shown(), Change: t.Kind == store.TicketEmail}
		if err := tx.Tickets().Delete(t.Hash); err != nil {
			return err
		}
		a.Verified = now.UnixMilli()
		if v.Change {
			a.Email = t.Email
			a.Revision++
			if err := tell(tx); err != nil {
				return err
			}
		}
		return tx.Accounts().Put(a)
	})
	if errors.Is(err, store.ErrTaken) {
		return v, fault.New(fault.Conflict, "This address belongs to another account by now.").WithHint("Choose another address on your account's page.")
	}
	if err != nil {
		return v, fmt.Errorf("confirm an address: %w", err)
	}
	return v, nil
}
