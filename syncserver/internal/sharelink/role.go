package sharelink

import (
	"fmt"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// SetRole sets what an account is to a dashboard; RoleNone takes its role away. p must be allowed to manage sharing. It
// fails with Conflict if the dashboard would be left without an owner (SI19).
func SetRole(tx store.Tx, ev content.Events, p access.Principal, id board.ID, account store.AccountID, role sharing.Role) error {
	g, err := access.Open(tx, p, id, access.Share)
	if err != nil {
		return err
	}
	return GiveRole(tx, ev, g, account, role)
}

// GiveRole is SetRole for whoever was asked already whether it is allowed.
func GiveRole(tx store.Tx, ev content.Events, g access.Grant, account store.AccountID, role sharing.Role) error {
	id := g.Board()
	before, err := access.Audience(tx, id)
	if err != nil {
		return err
	}
	if err := Hand(tx, id, account, role, ""); err != nil {
		return err
	}
	if err := Announce(tx, ev, g, before); err != nil {
		return err
	}
	tx.After(func() { ev.List([]store.AccountID{account}) })
	return nil
}

// Hand sets an account's own role on a dashboard and tells nobody, which is for the caller to do in the same transaction. If
// no owner is left, heir becomes that; without an heir it fails with Conflict (SI19).
func Hand(tx store.Tx, id board.ID, account store.AccountID, role sharing.Role, heir store.AccountID) error {
	if err := tx.Boards().SetRole(id, account, role); err != nil {
		return fmt.Errorf("set role on %s: %w", id, err)
	}
	holders, err := tx.Boards().Roles(id)
	if err != nil {
		return fmt.Errorf("read roles of %s: %w", id, err)
	}
	holders = slices.DeleteFunc(holders, func(h store.Holder) bool { return h.Role != sharing.RoleOwner })
	if len(holders) == 0 && heir != "" {
		if err := tx.Boards().SetRole(id, heir, sharing.RoleOwner); err != nil {
			return fmt.Errorf("set role on %s: %w", id, err)
		}
		holders = []store.Holder{{Account: heir, Role: sharing.RoleOwner}}
	}
	if len(holders) == 0 {
		return fault.New(fault.Conflict, "A dashboard needs an owner.").WithHint("Make somebody else its owner first.")
	}
	rec, _, err := tx.Boards().Get(id)
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", id, err)
	}
	if slices.ContainsFunc(holders, func(h store.Holder) bool { return h.Account == rec.Owner }) {
		return nil
	}
	rec.Owner = holders[0].Account
	return tx.Boards().Put(rec)
}

// Announce gives a change of access its position in the log, raises the epoch of grants, and tells the events: whoever
// could see the dashboard before, and whoever can now, is to ask again.
func Announce(tx store.Tx, ev content.Events, g access.Grant, before []store.AccountID) error {
	after, err := access.Audience(tx, g.Board())
	if err != nil {
		return err
	}
	return AnnounceTo(tx, ev, g, slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(before), after...)))))
}

// AnnounceTo is Announce where it is known whose access may have changed.
func AnnounceTo(tx store.Tx, ev content.Events, g access.Grant, accounts []store.AccountID) error {
	id := g.Board()
	hub, err := content.Open(tx, g)
	if err != nil {
		return err
	}
	epoch, from := hub.Head()
	to, err := hub.Mark()
	if err != nil {
		return fmt.Errorf("mark the log of %s: %w", id, err)
	}
	rec, _, err := tx.Boards().Get(id)
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", id, err)
	}
	rec.Epoch++
	if err := tx.Boards().Put(rec); err != nil {
		return err
	}
	tx.After(func() {
		ev.Access(content.AccessChange{Board: id, Epoch: rec.Epoch, Accounts: accounts})
		ev.Content(id, content.Step{Delta: replica.Delta{Epoch: epoch, From: from, To: to, Entries: []replica.Entry{}}})
	})
	return nil
}
