// Package people decides who can open a dashboard with an account: invitations by mail, roles, and where a dashboard
// belongs (rules A1, A3, I1-I7).
//
// A command is applied in the transaction that stores its outcome, once, as package sharelink does for links; the mail of
// an invitation is written beforehand (Prepare) and queued in that transaction. Accept is what the invited one does. The
// package knows neither sockets nor pages: content.Events hears of each change once it is durable. Start reading at Apply,
// then Service.Accept; tell.go holds what those who share are told, invite.go inviting.
package people

import (
	"fmt"
	"slices"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// MaxHolders is how many accounts can have a role of their own on one dashboard.
const MaxHolders = 500

// Apply applies a command on people at now (ms since 1970), as sharelink.Apply does for those on links. minted is what
// Prepare made for it. Faults of the command are in the Outcome, whose Link is the dashboard's as it is; the error is the
// store's.
func Apply(tx store.Tx, ev content.Events, p access.Principal, c sharing.Command, minted Minted, now int64) (sharelink.Outcome, error) {
	need := access.Share
	switch {
	case c.Action == sharing.SetEditorShare || c.Action == sharing.Move || c.Role == sharing.RoleOwner:
		need = access.Own
	case c.Action == sharing.SetMemberRole && c.Role == sharing.RoleNone && c.Account == string(p.AccountID()):
		need = access.View // whoever wants to go may
	}
	return sharelink.Once(tx, p, c, need, now, func(g access.Grant, link sharing.Link) (sharelink.Outcome, error) {
		d := decision{tx: tx, ev: ev, g: g, by: p.AccountID(), c: c, minted: minted, now: now}
		same, err := d.carryOut()
		out := sharelink.Outcome{Link: link, Same: same}
		if refused, ok := err.(refusal); ok { //nolint:errorlint // made here and not wrapped: faults of the store are no refusals
			out.Fault, err = refused.fault, nil
		}
		return out, err
	})
}

// decision is one command on its way. Its methods report whether they found what is asked for as it is, and refuse with a
// refusal, before they have written anything.
type decision struct {
	tx     store.Tx
	ev     content.Events
	g      access.Grant
	by     store.AccountID
	c      sharing.Command
	minted Minted
	now    int64
}

// refusal is a fault that is a command's outcome.
type refusal struct{ fault *fault.Error }

// Error is the fault's sentence.
func (r refusal) Error() string { return r.fault.Error() }

func refuse(f *fault.Error) error { return refusal{f} }

func (d decision) carryOut() (same bool, err error) {
	switch d.c.Action {
	case sharing.Invite:
		return d.invite()
	case sharing.Resend:
		return false, d.resend()
	case sharing.Revoke:
		return d.revoke()
	case sharing.SetMemberRole:
		return d.setRole()
	case sharing.SetEditorShare:
		return d.setEditorShare()
	case sharing.Move:
		return d.move()
	case sharing.Enable, sharing.Disable, sharing.Rotate, sharing.Delete, sharing.SetPassword, sharing.RemovePassword,
		sharing.SetExpiry, sharing.SetSlug, sharing.SetStill, sharing.SetOrigins:
	}
	return false, refuse(fault.Field("action", "This change of sharing is not known to this version.").WithHint("Update the program."))
}

// setRole changes what somebody on the dashboard is to it (rule I6). Nobody is brought onto it in this way: that is what
// invitations are for.
func (d decision) setRole() (same bool, err error) {
	id, role := store.AccountID(d.c.Account), d.c.Role
	if !role.CanView() && role != sharing.RoleNone {
		return false, refuse(fault.Field("role", "A member is owner, editor or viewer."))
	}
	holders, err := access.Holders(d.tx, d.g.Board())
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(holders, func(h access.Held) bool { return h.Account == id })
	if i < 0 {
		if role == sharing.RoleNone {
			return true, nil
		}
		return false, refuse(fault.New(fault.NotFound, "This person is not on the dashboard any more.").WithHint("Invite them again."))
	}
	own, err := d.tx.Boards().Role(d.g.Board(), id)
	if err != nil {
		return false, fmt.Errorf("read a role: %w", err)
	}
	if own == role {
		if role == sharing.RoleNone {
			return false, refuse(fault.New(fault.Conflict, "This person sees the dashboard as a member of its organisation.").
				WithHint("Remove them from the organisation, or move the dashboard to another one."))
		}
		return true, nil
	}
	if holders[i].Role == sharing.RoleOwner && !holders[i].Own {
		return false, refuse(fault.New(fault.Conflict, "This person owns the dashboard by their role in its organisation.").
			WithHint("Change their role in the organisation."))
	}
	if own == sharing.RoleOwner && !d.g.May(access.Own) {
		return false, refuse(fault.New(fault.Denied, "Only an owner of this dashboard can change what another owner is."))
	}
	if own == sharing.RoleOwner {
		owners := 0
		roles, err := d.tx.Boards().Roles(d.g.Board())
		if err != nil {
			return false, fmt.Errorf("read roles: %w", err)
		}
		for _, h := range roles {
			if h.Role == sharing.RoleOwner {
				owners++
			}
		}
		if owners < 2 {
			return false, refuse(fault.New(fault.Conflict, "A dashboard needs an owner.").WithHint("Make somebody else its owner first."))
		}
	}
	return false, sharelink.GiveRole(d.tx, d.ev, d.g, id, role)
}

// setEditorShare lets editors manage sharing, or not any more (rule A3).
func (d decision) setEditorShare() (same bool, err error) {
	rec, _, err := d.tx.Boards().Get(d.g.Board())
	if err != nil {
		return false, fmt.Errorf("read dashboard %s: %w", d.g.Board(), err)
	}
	if rec.EditorsShare == d.c.Allow {
		return true, nil
	}
	rec.EditorsShare = d.c.Allow
	if err := d.tx.Boards().Put(rec); err != nil {
		return false, err
	}
	return false, d.announceToAll(nil)
}

// announceToAll announces a change of access that shows in the list of everybody who could or can see the dashboard.
func (d decision) announceToAll(before []store.AccountID) error {
	if err := sharelink.Announce(d.tx, d.ev, d.g, before); err != nil {
		return err
	}
	after, err := access.Audience(d.tx, d.g.Board())
	if err != nil {
		return err
	}
	all := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(before), after...))))
	d.tx.After(func() { d.ev.List(all) })
	return nil
}

// move gives the dashboard to another organisation of which the mover is a member (rule A1). Roles of their own stay with
// those who have them.
func (d decision) move() (same bool, err error) {
	id := store.OrganisationID(d.c.Organisation)
	rec, _, err := d.tx.Boards().Get(d.g.Board())
	if err != nil {
		return false, fmt.Errorf("read dashboard %s: %w", d.g.Board(), err)
	}
	role, err := d.tx.Organisations().Member(id, d.by)
	if err != nil {
		return false, fmt.Errorf("read a membership: %w", err)
	}
	if role == store.MemberNone {
		return false, refuse(fault.New(fault.NotFound, "There is no such organisation, or you are not a member of it."))
	}
	if rec.Organisation == id {
		return true, nil
	}
	have, err := d.tx.Boards().OfOrganisation(id)
	if err != nil {
		return false, fmt.Errorf("list dashboards: %w", err)
	}
	if len(have) >= content.MaxBoards {
		return false, refuse(fault.Newf(fault.Conflict, "This organisation has %d dashboards, and there is room for no more.", content.MaxBoards))
	}
	before, err := access.Audience(d.tx, rec.ID)
	if err != nil {
		return false, err
	}
	rec.Organisation = id
	if err := d.tx.Boards().Put(rec); err != nil {
		return false, err
	}
	return false, d.announceToAll(before)
}
