package server

import (
	"context"
	"fmt"
	"time"

	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// AccountLine is an account as whoever runs the server is told of it. Sessions and Tokens are those that still hold.
type AccountLine struct {
	Address          string
	Created          time.Time
	Verified         bool
	Sessions, Tokens int
}

// Operator does what whoever runs a server does with its data file while it does not run. Close it.
type Operator struct {
	deps  Deps
	store *boltstore.Store
}

// Operate opens the data file, which must be there and not in use.
func Operate(d Deps) (*Operator, error) {
	if err := there(d); err != nil {
		return nil, err
	}
	st, err := boltstore.Open(boltstore.Options{Path: d.Config.Data, Log: d.Log})
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of the file
	}
	return &Operator{deps: d, store: st}, nil
}

// Close lets go of the data file.
func (o *Operator) Close() error { return o.store.Close() }

// accountsAtOnce bounds how many accounts one transaction reads.
const accountsAtOnce = 500

// Accounts calls each with every account, the oldest first.
func (o *Operator) Accounts(ctx context.Context, each func(AccountLine) error) error {
	now := o.deps.Now().UnixMilli()
	for last := store.AccountID(""); ; {
		var lines []AccountLine
		if err := o.store.View(ctx, func(tx store.Tx) error {
			lines = nil
			all, err := tx.Accounts().After(last, accountsAtOnce)
			if err != nil {
				return err
			}
			for _, a := range all {
				l, err := lineOf(tx, a, now)
				if err != nil {
					return err
				}
				lines, last = append(lines, l), a.ID
			}
			return nil
		}); err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		for _, l := range lines {
			if err := each(l); err != nil {
				return err
			}
		}
		if len(lines) < accountsAtOnce {
			return nil
		}
	}
}

func lineOf(tx store.Tx, a store.Account, now int64) (AccountLine, error) {
	l := AccountLine{Address: a.Email, Created: time.UnixMilli(a.Created).UTC(), Verified: a.Verified != 0}
	sessions, err := tx.Sessions().Of(a.ID)
	for _, s := range sessions {
		switch {
		case now >= s.Expires:
		case s.Kind == store.KindAPI:
			l.Tokens++
		default:
			l.Sessions++
		}
	}
	return l, err
}

// ResetLink makes a link that sets another password; see account.Service.
func (o *Operator) ResetLink(ctx context.Context, address string) (url string, expires time.Time, err error) {
	accounts, err := account.New(account.Config{Store: o.store, Log: o.deps.Log, Now: o.deps.Now, Random: o.deps.Random, Base: o.deps.Config.Base})
	if err != nil {
		return "", expires, fmt.Errorf("prepare accounts: %w", err)
	}
	return accounts.ResetLink(ctx, address) //nolint:wrapcheck // says what it was doing
}

// TryMail sends a letter through the mail server of the settings. It needs no data file.
func TryMail(ctx context.Context, d Deps, address string) error {
	office, err := mail.New(mail.Config{Log: d.Log, Now: d.Now, Random: d.Random, Base: d.Config.Base, From: d.Config.From, Server: d.Config.Mail})
	if err != nil {
		return fmt.Errorf("prepare mail: %w", err)
	}
	return office.Try(ctx, address) //nolint:wrapcheck // says what it was doing
}
