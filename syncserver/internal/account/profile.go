package account

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/store"
)

// Profile is an account as its owner sees it. Name is what was chosen, empty where that is left to the address; Shown is
// what others see.
type Profile struct {
	Email, Name, Shown string
	Verified           bool
	Created            time.Time
}

// Profile reads the account.
func (s *Service) Profile(ctx context.Context, who Identity) (p Profile, err error) {
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		a, ok, err := tx.Accounts().Get(who.Account)
		if err == nil && !ok {
			err = ended()
		}
		p = Profile{Email: a.Email, Name: a.Name, Shown: a.Shown(), Verified: a.Verified != 0, Created: time.UnixMilli(a.Created)}
		return err
	})
	if err != nil {
		return Profile{}, fmt.Errorf("read a profile: %w", err)
	}
	return p, nil
}

// Rename sets the name that others see, and has those told who see it; "" leaves it to the address. It fails with Invalid for the field "name".
func (s *Service) Rename(ctx context.Context, who Identity, name string) error {
	name, f := CheckName(name)
	if f != nil {
		return f
	}
	if err := s.take(s.changes, string(who.Account)); err != nil {
		return err
	}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, ok, err := tx.Accounts().Get(who.Account)
		if err != nil {
			return err
		}
		if !ok {
			return ended()
		}
		a.Name = name
		if err := tx.Accounts().Put(a); err != nil {
			return err
		}
		grants, err := access.List(tx, a.ID)
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
		boards := make([]board.ID, len(grants))
		for i, g := range grants {
			boards[i] = g.Board()
		}
		tx.After(func() { s.cfg.Events.People(boards) })
		return nil
	})
	if err != nil {
		return fmt.Errorf("rename an account: %w", err)
	}
	return nil
}

// ChangePassword sets another password for whoever knows the present one, and signs the account out everywhere else. Tokens
// for programs stay. Its owner is told by mail. Faults: Invalid for the fields "present" and "password"; Busy.
func (s *Service) ChangePassword(ctx context.Context, who Identity, present, password string, client netip.Addr) error {
	if f := checkPassword(password); f != nil {
		return f
	}
	a, err := s.prove(ctx, who, "present", present, client)
	if err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	tell, err := s.notice(a.Email, "Your password was changed, and every other device was signed out.")
	if err != nil {
		return err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, err := still(tx, a)
		if err != nil {
			return err
		}
		a.Password = hash
		a.Revision++
		if err := tx.Accounts().Put(a); err != nil {
			return err
		}
		if err := s.endSessions(tx, a.ID, others(who)); err != nil {
			return err
		}
		return tell(tx)
	})
	if err != nil {
		return fmt.Errorf("change a password: %w", err)
	}
	return nil
}

// prove compares a password with the account's, within the budgets of logging in. A wrong one is an Invalid fault for
// the field.
func (s *Service) prove(ctx context.Context, who Identity, field, password string, client netip.Addr) (a store.Account, err error) {
	if password == "" || len(password) > MaxPassword {
		return a, notYours(field)
	}
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		var ok bool
		if a, ok, err = tx.Accounts().Get(who.Account); err == nil && !ok {
			err = ended()
		}
		return err
	})
	if err != nil {
		return a, fmt.Errorf("read account: %w", err)
	}
	if err := s.limit(a.Email, client, nil); err != nil {
		return a, err
	}
	ok, err := s.hasher.verify(ctx, a.Password, password)
	if err == nil && !ok {
		err = notYours(field)
	}
	return a, err
}

func notYours(field string) *fault.Error {
	return fault.Field(field, "This is not your present password.")
}
