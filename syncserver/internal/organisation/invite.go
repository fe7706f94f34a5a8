package organisation

import (
	"context"
	"errors"
	"fmt"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/store"
)

// Guest is whom somebody invites to an organisation, as member or as admin.
type Guest struct {
	Email   string
	Role    store.MemberRole
	Message string
}

// errNothing ends a transaction that has nothing to change.
var errNothing = errors.New("nothing to change")

// Invite invites somebody by mail. Owners and admins may. Whoever is invited already, as the same, is not invited again.
func (s *Service) Invite(ctx context.Context, by store.AccountID, id store.OrganisationID, g Guest) error {
	email, f := sharing.NormaliseEmail(g.Email)
	if f == nil && g.Role != store.MemberMember && g.Role != store.MemberAdmin {
		f = fault.Field("role", "Somebody is invited as member or as admin.")
	}
	if f == nil {
		f = sharing.CheckMessage(g.Message)
	}
	if f != nil {
		return f
	}
	now := s.cfg.Now()
	u, err := ulid.New(ulid.Timestamp(now), s.cfg.Random)
	if err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	inv := store.Invitation{
		ID: sharing.NewInvitationID(u), Organisation: id, Email: email, MemberRole: g.Role, Message: g.Message, Created: now.UnixMilli(),
	}
	minted, err := s.mint(ctx, by, inv)
	if err != nil {
		return err
	}
	err = s.update(ctx, "invite to an organisation", by, id, store.MemberAdmin, func(tx store.Tx, o store.Organisation, _ store.MemberRole) error {
		if o.Personal {
			return fault.New(fault.Conflict, "Your personal organisation is yours alone.").WithHint("Make another organisation to work with others.")
		}
		if err := mayJoin(tx, by, inv); err != nil {
			return err
		}
		if err := s.clear(tx, inv); err != nil {
			return err
		}
		f, err := invitation.Send(tx, inv, by, minted, now.UnixMilli())
		if f != nil {
			return f
		}
		return err //nolint:wrapcheck // says what it was doing
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// mint writes the mail of an invitation in the name of by. For whoever is no member it writes nothing.
func (s *Service) mint(ctx context.Context, by store.AccountID, inv store.Invitation) (invitation.Minted, error) {
	l := mail.Invite{To: inv.Email, As: RoleInWords(inv.MemberRole), Message: inv.Message, Organisation: true}
	err := s.cfg.Store.View(ctx, func(tx store.Tx) error {
		o, _, err := open(tx, by, inv.Organisation)
		if err != nil {
			return err
		}
		a, _, err := tx.Accounts().Get(by)
		if err != nil {
			return fmt.Errorf("read an account: %w", err)
		}
		l.By, l.What = a.Shown(), o.Name
		return nil
	})
	if err != nil {
		return invitation.Minted{}, fmt.Errorf("prepare an invitation: %w", err)
	}
	return s.maker.Mint(l) //nolint:wrapcheck // says what it was doing
}

// RoleInWords is what somebody is invited to be, as it stands in a sentence: "invites you as an admin".
func RoleInWords(r store.MemberRole) string {
	switch r {
	case store.MemberAdmin:
		return "as an admin"
	case store.MemberOwner:
		return "as an owner"
	case store.MemberMember, store.MemberNone:
	}
	return "as a member"
}

// mayJoin refuses to invite whoever is a member already.
func mayJoin(tx store.Tx, by store.AccountID, inv store.Invitation) error {
	a, ok, err := tx.Accounts().ByEmail(inv.Email)
	if err != nil {
		return fmt.Errorf("look up an account: %w", err)
	}
	f := fault.New(fault.Conflict, "This is your own address.")
	f.Field = "email"
	if ok && a.ID == by {
		return f
	}
	members, err := tx.Organisations().Members(inv.Organisation)
	if err != nil {
		return fmt.Errorf("list members: %w", err)
	}
	for _, m := range members {
		if ok && m.Account == a.ID {
			f.Message = inv.Email + " is in the organisation already."
			return f
		}
	}
	if len(members) >= MaxMembers {
		return full()
	}
	return nil
}

// clear makes room for an invitation: one to the same address that does not hold any more is withdrawn, and what has been
// over for long forgotten. It fails with errNothing if the address is invited as the same already.
func (s *Service) clear(tx store.Tx, inv store.Invitation) error {
	all, err := tx.Invitations().OfOrganisation(inv.Organisation)
	if err != nil {
		return fmt.Errorf("list invitations: %w", err)
	}
	pending := 0
	for _, old := range all {
		holds, err := Holds(tx, old)
		if err != nil {
			return err
		}
		switch {
		case old.State != store.InvitationOpen:
		case old.Email != inv.Email && holds:
			pending++
		case old.Email != inv.Email:
		case !holds || old.Expires <= inv.Created:
			if err := invitation.Withdraw(tx, old); err != nil {
				return err //nolint:wrapcheck // says what it was doing
			}
		case old.MemberRole == inv.MemberRole:
			return errNothing
		default:
			return fault.Newf(fault.Conflict, "%s is invited already, %s.", inv.Email, RoleInWords(old.MemberRole)).WithHint("Withdraw that invitation first.")
		}
	}
	if pending >= sharing.MaxPending {
		return fault.Newf(fault.Conflict, "%d invitations wait for an answer, and there is room for no more.", sharing.MaxPending).
			WithHint("Withdraw some that are not needed any more.")
	}
	return invitation.Forget(tx, all, inv.Created) //nolint:wrapcheck // says what it was doing
}

// Holds reports whether an invitation to an organisation still counts: it does for as long as its sender may invite.
func Holds(tx store.Tx, inv store.Invitation) (bool, error) {
	if inv.State != store.InvitationOpen {
		return false, nil
	}
	_, mine, err := open(tx, inv.By, inv.Organisation)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return atLeast(mine, store.MemberAdmin), err
}

// Resend sends an invitation again, with a link that replaces the earlier one. Owners and admins may.
func (s *Service) Resend(ctx context.Context, by store.AccountID, id store.OrganisationID, which store.InvitationID) error {
	var inv store.Invitation
	if err := s.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		_, mine, err := open(tx, by, id)
		if err != nil {
			return err
		}
		if !atLeast(mine, store.MemberAdmin) {
			return denied(store.MemberAdmin)
		}
		inv, err = waiting(tx, id, which)
		return err
	}); err != nil {
		return fmt.Errorf("read an invitation: %w", err)
	}
	minted, err := s.mint(ctx, by, inv)
	if err != nil {
		return err
	}
	now := s.cfg.Now().UnixMilli()
	return s.update(ctx, "send an invitation again", by, id, store.MemberAdmin, func(tx store.Tx, _ store.Organisation, _ store.MemberRole) error {
		inv, err := waiting(tx, id, which)
		if err != nil {
			return err
		}
		f, err := invitation.Send(tx, inv, by, minted, now)
		if f != nil {
			return f
		}
		return err //nolint:wrapcheck // says what it was doing
	})
}

// Revoke ends an invitation; it is no error if it was revoked before. Owners and admins may.
func (s *Service) Revoke(ctx context.Context, by store.AccountID, id store.OrganisationID, which store.InvitationID) error {
	return s.update(ctx, "revoke an invitation", by, id, store.MemberAdmin, func(tx store.Tx, _ store.Organisation, _ store.MemberRole) error {
		inv, err := waiting(tx, id, which)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		return invitation.Withdraw(tx, inv) //nolint:wrapcheck // says what it was doing
	})
}

// waiting finds an invitation to the organisation that waits for its answer. Faults: NotFound, Conflict.
func waiting(tx store.Tx, id store.OrganisationID, which store.InvitationID) (store.Invitation, error) {
	inv, ok, err := tx.Invitations().Get(which)
	if err != nil {
		return inv, fmt.Errorf("read an invitation: %w", err)
	}
	switch {
	case !ok || inv.Organisation != id || inv.State == store.InvitationRevoked:
		return inv, fault.New(fault.NotFound, "There is no such invitation any more.").WithHint("Invite them anew.")
	case inv.State == store.InvitationAccepted:
		return inv, fault.New(fault.Conflict, "This invitation was accepted already.").WithHint("Look at the list of members.")
	}
	return inv, nil
}
