package account

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// Forgot sends the link by which another password can be set. If the address has no account the mail says so, and nothing
// else differs (rule I8). Faults: Invalid names the field; Busy; Unavailable where the server cannot send mail.
func (s *Service) Forgot(ctx context.Context, address string, client netip.Addr) error {
	email, f := sharing.NormaliseEmail(address)
	if f != nil {
		return f
	}
	if err := s.canMail("it cannot help with a forgotten password"); err != nil {
		return err
	}
	secret, err := s.newTicket()
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	letters, err := s.compose(
		mail.ResetPassword{To: email, URL: s.cfg.Base + "/reset/" + secret.Reveal(), Expires: now.Add(ResetLifetime)},
		mail.NoAccount{To: email, SignUp: s.cfg.Base + "/signup"},
	)
	if err != nil {
		return err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if err := payForMail(tx, client, now); err != nil {
			return err
		}
		a, known, err := tx.Accounts().ByEmail(email)
		if err != nil {
			return err
		}
		letter := letters[1]
		if known {
			letter = letters[0]
		}
		// A ticket is kept without an account too, so that both cost the same; its secret is sent to nobody and opens nothing.
		if err := tx.Tickets().Put(store.Ticket{
			Hash: hashToken(secret.Reveal()), Kind: store.TicketReset, Created: now.UnixMilli(), Expires: now.Add(ResetLifetime).UnixMilli(),
			Account: a.ID, Revision: a.Revision,
		}); err != nil {
			return err
		}
		return s.post(tx, letter, now)
	})
	if err != nil {
		return fmt.Errorf("begin a reset: %w", err)
	}
	return nil
}

// Resettable tells whose password a ticket from a mail can set, by the address. It consumes nothing. It fails with NotFound
// where the ticket is not good any more.
func (s *Service) Resettable(ctx context.Context, ticket string) (email string, err error) {
	now := s.cfg.Now()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		a, err := findReset(tx, ticket, now)
		email = a.Email
		return err
	})
	return email, err
}

func findReset(tx store.Tx, ticket string, now time.Time) (store.Account, error) {
	t, a, err := findTicket(tx, ticket, now, store.TicketReset)
	if err == nil && t.Account == "" {
		return a, over()
	}
	return a, err
}

// Reset sets another password by a ticket from a mail, once. Whatever was signed in to the account, programs included, is
// signed out at once, every other ticket is void, the address is proved, and its owner is told. Faults: NotFound where the
// ticket is not good any more; Invalid names the field; Busy.
func (s *Service) Reset(ctx context.Context, ticket, password string, client netip.Addr) error {
	if f := checkPassword(password); f != nil {
		return f
	}
	if err := s.take(s.opened, ratelimit.Client(client)); err != nil {
		return err
	}
	email, err := s.Resettable(ctx, ticket)
	if err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	tell, err := s.notice(email, "Your password was changed by a link that was sent to this address, and every device was signed out.")
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, err := findReset(tx, ticket, now)
		if err != nil {
			return err
		}
		if err := tx.Tickets().Delete(hashToken(ticket)); err != nil {
			return err
		}
		a.Password = hash
		a.Revision++
		if a.Verified == 0 {
			a.Verified = now.UnixMilli()
		}
		if err := tx.Accounts().Put(a); err != nil {
			return err
		}
		if err := s.endSessions(tx, a.ID, all); err != nil {
			return err
		}
		return tell(tx)
	})
	if err != nil {
		return fmt.Errorf("reset a password: %w", err)
	}
	return nil
}
