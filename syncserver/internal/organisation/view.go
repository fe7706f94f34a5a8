package organisation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

// Summary is one organisation of an account, which is Role in it.
type Summary struct {
	ID                  store.OrganisationID
	Name                string
	Personal            bool
	Role                store.MemberRole
	Members, Dashboards int
}

// Person is a member of an organisation. Email is empty for those who may not invite.
type Person struct {
	Account store.AccountID
	Name    string
	Email   string
	Role    store.MemberRole
}

// Details are what a member sees of an organisation. Invitations are those that wait, for those who may invite.
type Details struct {
	Summary
	People      []Person
	Invitations []Invited
}

// Invited is an invitation that waits for its answer.
type Invited struct {
	ID       store.InvitationID
	Email    string
	Role     store.MemberRole
	By       string
	Invited  int64 // ms since 1970
	Expires  int64 // ms since 1970
	Delivery sharing.Delivery
	Reason   string
}

// Of lists the organisations of an account: the personal one first, then by name.
func (s *Service) Of(ctx context.Context, account store.AccountID) (out []Summary, err error) {
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		out = nil
		ids, err := tx.Organisations().Of(account)
		if err != nil {
			return fmt.Errorf("list organisations: %w", err)
		}
		for _, id := range ids {
			o, err := summary(tx, account, id)
			if fault.KindOf(err) == fault.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the organisations of an account: %w", err)
	}
	slices.SortStableFunc(out, func(a, b Summary) int {
		if a.Personal != b.Personal {
			if a.Personal {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func summary(tx store.Tx, account store.AccountID, id store.OrganisationID) (Summary, error) {
	o, mine, err := open(tx, account, id)
	if err != nil {
		return Summary{}, err
	}
	members, err := tx.Organisations().Members(id)
	if err != nil {
		return Summary{}, fmt.Errorf("list members: %w", err)
	}
	boards, err := tx.Boards().OfOrganisation(id)
	if err != nil {
		return Summary{}, fmt.Errorf("list dashboards: %w", err)
	}
	return Summary{ID: id, Name: o.Name, Personal: o.Personal, Role: mine, Members: len(members), Dashboards: len(boards)}, nil
}

// MayInvite reports whether the account whose Summary this is may invite others and change what they are.
func (s Summary) MayInvite() bool { return !s.Personal && atLeast(s.Role, store.MemberAdmin) }

// MayManage reports whether the account whose Summary this is may rename the organisation.
func (s Summary) MayManage() bool { return atLeast(s.Role, store.MemberAdmin) }

// Owned reports whether the account whose Summary this is owns the organisation.
func (s Summary) Owned() bool { return s.Role == store.MemberOwner }

// Look tells a member of an organisation what it is and who is in it, by name.
func (s *Service) Look(ctx context.Context, account store.AccountID, id store.OrganisationID) (d Details, err error) {
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		d = Details{}
		if d.Summary, err = summary(tx, account, id); err != nil {
			return err
		}
		members, err := tx.Organisations().Members(id)
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		for _, m := range members {
			a, ok, err := tx.Accounts().Get(m.Account)
			if err != nil {
				return fmt.Errorf("read an account: %w", err)
			}
			if !ok {
				continue
			}
			p := Person{Account: a.ID, Name: a.Shown(), Role: m.Role}
			if d.MayManage() {
				p.Email = a.Email
			}
			d.People = append(d.People, p)
		}
		if d.MayInvite() {
			d.Invitations, err = invited(tx, id)
		}
		return err
	})
	if err != nil {
		return Details{}, fmt.Errorf("look at an organisation: %w", err)
	}
	slices.SortStableFunc(d.People, func(a, b Person) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Account, b.Account))
	})
	return d, nil
}

func invited(tx store.Tx, id store.OrganisationID) (out []Invited, err error) {
	all, err := tx.Invitations().OfOrganisation(id)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	for _, inv := range all {
		holds, err := Holds(tx, inv)
		if err != nil {
			return nil, err
		}
		if !holds {
			continue
		}
		by, _, err := tx.Accounts().Get(inv.By)
		if err != nil {
			return nil, fmt.Errorf("read an account: %w", err)
		}
		out = append(out, Invited{
			ID: inv.ID, Email: inv.Email, Role: inv.MemberRole, By: by.Shown(), Invited: inv.Created, Expires: inv.Expires, Delivery: inv.Delivery, Reason: inv.Reason,
		})
	}
	return out, nil
}
