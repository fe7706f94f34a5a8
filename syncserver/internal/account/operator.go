package account

import (
	"context"
	"fmt"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

// ResetLink makes a link by which another password can be set until expires, for whoever runs the server to pass on where
// mail does not arrive. Faults: Invalid names the field; NotFound if the address has no account.
func (s *Service) ResetLink(ctx context.Context, address string) (url string, expires time.Time, err error) {
	email, f := sharing.NormaliseEmail(address)
	if f != nil {
		return "", expires, f
	}
	secret, err := s.newTicket()
	if err != nil {
		return "", expires, err
	}
	now := s.cfg.Now()
	expires = now.Add(ResetLifetime)
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, ok, err := tx.Accounts().ByEmail(email)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "No account has this address.").WithHint("List the accounts: widgets-server accounts.")
		}
		return tx.Tickets().Put(store.Ticket{
			Hash: hashToken(secret.Reveal()), Kind: store.TicketReset, Created: now.UnixMilli(), Expires: expires.UnixMilli(),
			Account: a.ID, Revision: a.Revision,
		})
	})
	if err != nil {
		return "", expires, fmt.Errorf("make a reset link: %w", err)
	}
	return s.cfg.Base + "/reset/" + secret.Reveal(), expires, nil
}
