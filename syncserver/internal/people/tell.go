package people

import (
	"fmt"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/store"
)

// Tell says who can open a dashboard with an account, to whoever may edit it: addresses and invitations go to those alone
// who may share it. g must have been made in tx.
func Tell(tx store.Tx, g access.Grant) (wire.People, error) {
	m := wire.People{Board: g.Board(), Members: []sharing.Member{}, Invitations: []sharing.Invitation{}}
	if !g.May(access.Edit) {
		return m, nil
	}
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return m, fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	m.EditorsShare = rec.EditorsShare
	org, _, err := tx.Organisations().Get(rec.Organisation)
	if err != nil {
		return m, fmt.Errorf("read an organisation: %w", err)
	}
	m.Organisation = org.Name
	members, err := tx.Organisations().Members(rec.Organisation)
	if err != nil {
		return m, fmt.Errorf("list members: %w", err)
	}
	m.Size = len(members)
	holders, err := access.Holders(tx, g.Board())
	if err != nil {
		return m, err
	}
	shares := g.May(access.Share)
	for _, h := range holders {
		a, ok, err := tx.Accounts().Get(h.Account)
		if err != nil {
			return m, fmt.Errorf("read an account: %w", err)
		}
		if !ok {
			continue
		}
		p := sharing.Member{Account: string(a.ID), Name: a.Shown(), Role: h.Role, Own: h.Own}
		if shares {
			p.Email = a.Email
		}
		m.Members = append(m.Members, p)
	}
	if shares {
		m.Invitations, err = pending(tx, g.Board())
	}
	return m, err
}

// Organisations lists what an account is a member of, as it is told on the wire.
func Organisations(tx store.Tx, id store.AccountID) ([]wire.Organisation, error) {
	ids, err := tx.Organisations().Of(id)
	if err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	out := make([]wire.Organisation, 0, len(ids))
	for _, o := range ids {
		rec, ok, err := tx.Organisations().Get(o)
		if err != nil {
			return nil, fmt.Errorf("read an organisation: %w", err)
		}
		role, err := tx.Organisations().Member(o, id)
		if err != nil {
			return nil, fmt.Errorf("read a membership: %w", err)
		}
		if ok {
			out = append(out, wire.Organisation{ID: string(o), Name: rec.Name, Role: string(role), Personal: rec.Personal})
		}
	}
	return out, nil
}

// AccessOf says what the holder of a grant is to its dashboard, but for the link. The organisation is told to its members,
// of whose organisations mine is the list.
func AccessOf(tx store.Tx, g access.Grant, mine []wire.Organisation) (wire.Access, error) {
	a := wire.Access{Board: g.Board(), Role: g.Role(), Share: g.May(access.Share)}
	rec, _, err := tx.Boards().Get(g.Board())
	if err != nil {
		return a, fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	if slices.ContainsFunc(mine, func(o wire.Organisation) bool { return o.ID == string(rec.Organisation) }) {
		a.Organisation = string(rec.Organisation)
	}
	a.Mine = rec.Owner == g.Principal().AccountID()
	a.Owner, err = nameOf(tx, rec.Owner)
	return a, err
}

// pending lists the invitations to a dashboard that wait for their answer.
func pending(tx store.Tx, id board.ID) ([]sharing.Invitation, error) {
	out := []sharing.Invitation{}
	all, err := tx.Invitations().OfBoard(id)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	for _, inv := range all {
		counts, err := holds(tx, inv)
		if err != nil {
			return nil, err
		}
		if !counts {
			continue
		}
		by, err := nameOf(tx, inv.By)
		if err != nil {
			return nil, err
		}
		out = append(out, sharing.Invitation{
			ID: inv.ID, Email: inv.Email, Role: inv.Role, By: by, Invited: inv.Created, Expires: inv.Expires, Delivery: inv.Delivery, Reason: inv.Reason,
		})
	}
	return out, nil
}
