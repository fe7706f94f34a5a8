package organisation

import (
	"context"
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// SetMember changes what a member is; MemberNone removes them. Admins may make members admins and the other way round;
// only owners may make owners, or change what one is; whoever wants to leave may. It acts at once on open connections. It
// fails with Conflict if no owner would remain (SI19).
//
// Who is removed loses the roles that they had on the organisation's dashboards too, and what they alone owned goes to an
// owner of the organisation.
func (s *Service) SetMember(ctx context.Context, by store.AccountID, id store.OrganisationID, account store.AccountID, role store.MemberRole) error {
	if rank(role) == 0 && role != store.MemberNone {
		return fault.Field("role", "A member is owner, admin or member.")
	}
	return s.update(ctx, "change a member", by, id, store.MemberMember, func(tx store.Tx, o store.Organisation, mine store.MemberRole) error {
		was, err := tx.Organisations().Member(id, account)
		if err != nil {
			return fmt.Errorf("read a membership: %w", err)
		}
		leaves := account == by && role == store.MemberNone
		switch {
		case !leaves && !atLeast(mine, store.MemberAdmin):
			return denied(store.MemberAdmin)
		case !leaves && mine != store.MemberOwner && (role == store.MemberOwner || was == store.MemberOwner):
			return denied(store.MemberOwner)
		case was == role:
			return nil
		case was == store.MemberNone:
			return fault.New(fault.NotFound, "This person is not in the organisation any more.").WithHint("Invite them again.")
		case o.Personal:
			return fault.New(fault.Conflict, "Your personal organisation is yours alone.")
		}
		return set(tx, s.cfg.Events, id, account, role)
	})
}

// Join makes an account a member, in the transaction in which it accepts an invitation. It never lowers what the account is
// already. Faults: NotFound if the organisation is gone; Conflict if there is no room.
func Join(tx store.Tx, ev content.Events, id store.OrganisationID, account store.AccountID, role store.MemberRole) error {
	o, ok, err := tx.Organisations().Get(id)
	if err != nil {
		return fmt.Errorf("read an organisation: %w", err)
	}
	if !ok || o.Personal {
		return NotThere()
	}
	was, err := tx.Organisations().Member(id, account)
	if err != nil {
		return fmt.Errorf("read a membership: %w", err)
	}
	if atLeast(was, role) {
		return nil
	}
	if was == store.MemberNone {
		if err := roomForOne(tx, account); err != nil {
			return err
		}
		members, err := tx.Organisations().Members(id)
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		if len(members) >= MaxMembers {
			return full()
		}
	}
	return set(tx, ev, id, account, role)
}

func full() *fault.Error {
	return fault.Newf(fault.Conflict, "An organisation has at most %d members.", MaxMembers)
}

// set changes a membership and has everybody ask again whose access may be another.
func set(tx store.Tx, ev content.Events, id store.OrganisationID, account store.AccountID, role store.MemberRole) error {
	if err := tx.Organisations().SetMember(id, account, role); err != nil {
		return fmt.Errorf("set a member: %w", err)
	}
	heir, err := owner(tx, id)
	if err != nil {
		return err
	}
	boards, err := tx.Boards().OfOrganisation(id)
	if err != nil {
		return fmt.Errorf("list dashboards: %w", err)
	}
	for _, b := range boards {
		if role == store.MemberNone {
			if err := strip(tx, b, account, heir); err != nil {
				return err
			}
		}
		g, err := access.Steward(tx, b)
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
		if err := sharelink.AnnounceTo(tx, ev, g, []store.AccountID{account}); err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
	}
	tx.After(func() { ev.List([]store.AccountID{account}) })
	return nil
}

// owner is one of the organisation's owners. It fails with Conflict if there is none.
func owner(tx store.Tx, id store.OrganisationID) (store.AccountID, error) {
	members, err := tx.Organisations().Members(id)
	if err != nil {
		return "", fmt.Errorf("list members: %w", err)
	}
	for _, m := range members {
		if m.Role == store.MemberOwner {
			return m.Account, nil
		}
	}
	return "", fault.New(fault.Conflict, "An organisation needs an owner.").WithHint("Make somebody else an owner first, or delete the organisation.")
}

// strip takes an account's own role on a dashboard away. If it was the only owner, heir is that from now on.
func strip(tx store.Tx, id board.ID, account, heir store.AccountID) error {
	own, err := tx.Boards().Role(id, account)
	if err != nil || own == sharing.RoleNone {
		return err //nolint:wrapcheck // the store's
	}
	if err := sharelink.Hand(tx, id, account, sharing.RoleNone, heir); err != nil {
		return fmt.Errorf("take a role away: %w", err)
	}
	return nil
}
