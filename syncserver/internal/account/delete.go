package account

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// Leaving says what becomes of things when an account is deleted.
type Leaving struct {
	// Gone are the titles of dashboards that are deleted for ever.
	Gone []string
	// Passed are dashboards that stay, and whose they become.
	Passed []Passed
	// Closed are the names of organisations that are deleted, since nobody else is in them.
	Closed []string
	// Stuck are the names of organisations whose members would be left without an owner: while there is any, the account
	// cannot be deleted.
	Stuck []string
}

// Passed is a dashboard that stays, and the name of who owns it then. Organisation is where it stays, "" where it goes to
// who owns it.
type Passed struct {
	Title, Organisation, To string
}

// plan is Leaving by ids.
type plan struct {
	gone []board.ID
	// withdrawn are the dashboards on which a role of the account's own ends, with who owns those that it owned.
	withdrawn map[board.ID]store.AccountID
	// moved are the dashboards of closed organisations that others own too, with one of those, to whom they go.
	moved               map[board.ID]store.AccountID
	closed, left, stuck []store.OrganisationID
	touched             []board.ID // every dashboard that stays and that the account could invite to
}

// planOf decides what becomes of things when a is deleted.
func planOf(tx store.Tx, a store.Account) (p plan, err error) {
	p.withdrawn, p.moved = map[board.ID]store.AccountID{}, map[board.ID]store.AccountID{}
	orgs, err := tx.Organisations().Of(a.ID)
	if err != nil {
		return p, fmt.Errorf("list organisations: %w", err)
	}
	for _, id := range orgs {
		if err := p.organisation(tx, a, id); err != nil {
			return p, err
		}
	}
	ids, err := tx.Boards().Of(a.ID)
	if err != nil {
		return p, fmt.Errorf("list dashboards: %w", err)
	}
	ids = append(ids, p.touched...)
	slices.Sort(ids)
	p.touched = nil
	for _, id := range slices.Compact(ids) {
		if slices.Contains(p.gone, id) {
			continue
		}
		p.touched = append(p.touched, id)
		if p.moved[id] != "" {
			continue
		}
		if err := p.dashboard(tx, a, id); err != nil {
			return p, err
		}
	}
	return p, nil
}

// organisation decides about one that a is a member of.
func (p *plan) organisation(tx store.Tx, a store.Account, id store.OrganisationID) error {
	ids, err := tx.Boards().OfOrganisation(id)
	if err != nil {
		return fmt.Errorf("list dashboards: %w", err)
	}
	members, err := tx.Organisations().Members(id)
	if err != nil {
		return fmt.Errorf("list members: %w", err)
	}
	if id == a.Personal || len(members) <= 1 {
		p.closed = append(p.closed, id)
		for _, b := range ids {
			other, err := ownerOf(tx, b, a.ID)
			if err != nil {
				return err
			}
			if other == "" {
				p.gone = append(p.gone, b)
				continue
			}
			p.moved[b] = other
			p.touched = append(p.touched, b)
		}
		return nil
	}
	if heirOf(members, a.ID) == "" {
		p.stuck = append(p.stuck, id)
	}
	p.left = append(p.left, id)
	p.touched = append(p.touched, ids...)
	return nil
}

// heirOf is an owner of an organisation other than the account, "" if there is none.
func heirOf(members []store.Member, not store.AccountID) store.AccountID {
	for _, m := range members {
		if m.Role == store.MemberOwner && m.Account != not {
			return m.Account
		}
	}
	return ""
}

// ownerOf is an account other than this one that owns a dashboard by a role of its own, "" if there is none.
func ownerOf(tx store.Tx, id board.ID, not store.AccountID) (store.AccountID, error) {
	roles, err := tx.Boards().Roles(id)
	if err != nil {
		return "", fmt.Errorf("read roles of %s: %w", id, err)
	}
	for _, h := range roles {
		if h.Role == sharing.RoleOwner && h.Account != not {
			return h.Account, nil
		}
	}
	return "", nil
}

// dashboard decides about one that stays where it is.
func (p *plan) dashboard(tx store.Tx, a store.Account, id board.ID) error {
	rec, _, err := tx.Boards().Get(id)
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", id, err)
	}
	role, err := tx.Boards().Role(id, a.ID)
	if err != nil {
		return fmt.Errorf("read roles of %s: %w", id, err)
	}
	if rec.Owner != a.ID && role != sharing.RoleOwner {
		if role != sharing.RoleNone {
			p.withdrawn[id] = ""
		}
		return nil
	}
	if p.withdrawn[id], err = ownerOf(tx, id, a.ID); err != nil || p.withdrawn[id] != "" {
		return err
	}
	members, err := tx.Organisations().Members(rec.Organisation)
	if err != nil {
		return fmt.Errorf("list members: %w", err)
	}
	if p.withdrawn[id] = heirOf(members, a.ID); p.withdrawn[id] == "" && !slices.Contains(p.stuck, rec.Organisation) {
		p.stuck = append(p.stuck, rec.Organisation)
	}
	return nil
}

// Leaving tells what would become of things if the account were deleted now.
func (s *Service) Leaving(ctx context.Context, who Identity) (l Leaving, err error) {
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		l, err = leaving(tx, who.Account)
		return err
	})
	if err != nil {
		return Leaving{}, fmt.Errorf("look at what an account would leave: %w", err)
	}
	return l, nil
}

func leaving(tx store.Tx, id store.AccountID) (l Leaving, err error) {
	a, ok, err := tx.Accounts().Get(id)
	if err != nil || !ok {
		return l, orEnded(err)
	}
	p, err := planOf(tx, a)
	if err != nil {
		return l, err
	}
	for _, id := range p.gone {
		title, err := titleOf(tx, a.ID, id)
		if err != nil {
			return l, err
		}
		l.Gone = append(l.Gone, title)
	}
	for id, heir := range p.withdrawn {
		if heir == "" {
			continue
		}
		passed, err := describe(tx, a.ID, id, heir)
		if err != nil {
			return l, err
		}
		l.Passed = append(l.Passed, passed)
	}
	for id, to := range p.moved {
		passed, err := describe(tx, a.ID, id, to)
		if err != nil {
			return l, err
		}
		passed.Organisation = ""
		l.Passed = append(l.Passed, passed)
	}
	if l.Closed, err = namesOf(tx, p.closed, a.Personal); err != nil {
		return l, err
	}
	l.Stuck, err = namesOf(tx, p.stuck, "")
	slices.Sort(l.Gone)
	slices.SortFunc(l.Passed, func(x, y Passed) int {
		return cmp.Or(strings.Compare(x.Title, y.Title), strings.Compare(x.Organisation, y.Organisation), strings.Compare(x.To, y.To))
	})
	return l, err
}

func describe(tx store.Tx, me store.AccountID, id board.ID, heir store.AccountID) (d Passed, err error) {
	if d.Title, err = titleOf(tx, me, id); err != nil {
		return d, err
	}
	rec, _, err := tx.Boards().Get(id)
	if err != nil {
		return d, fmt.Errorf("read dashboard %s: %w", id, err)
	}
	o, _, err := tx.Organisations().Get(rec.Organisation)
	if err != nil {
		return d, fmt.Errorf("read organisation: %w", err)
	}
	to, _, err := tx.Accounts().Get(heir)
	if err != nil {
		return d, fmt.Errorf("read account: %w", err)
	}
	d.Organisation, d.To = o.Name, to.Shown()
	return d, nil
}

func titleOf(tx store.Tx, me store.AccountID, id board.ID) (string, error) {
	g, err := access.Open(tx, access.Account(me), id, access.View)
	if err != nil {
		return "", err //nolint:wrapcheck // a fault, answered as it is
	}
	title, err := content.Title(tx, g)
	if strings.TrimSpace(title) == "" {
		title = "Untitled dashboard"
	}
	return title, err //nolint:wrapcheck // says what it was doing
}

// namesOf are the names of organisations but one.
func namesOf(tx store.Tx, ids []store.OrganisationID, but store.OrganisationID) (out []string, err error) {
	for _, id := range ids {
		if id == but {
			continue
		}
		o, _, err := tx.Organisations().Get(id)
		if err != nil {
			return nil, fmt.Errorf("read organisation: %w", err)
		}
		out = append(out, o.Name)
	}
	return out, nil
}

// Delete deletes the account for ever, for whoever knows its password and has typed its address: what Leaving tells happens,
// its invitations are revoked, and whatever is signed in to it, programs included, is cut, all at once. Its owner is told by
// mail. Faults: Invalid for the fields "email" and "password"; Conflict names an organisation that would be left without
// an owner; Busy.
func (s *Service) Delete(ctx context.Context, who Identity, typed, password string, client netip.Addr) error {
	email, f := sharing.NormaliseEmail(typed)
	if f != nil {
		return f
	}
	if email != who.Email {
		return fault.Field("email", "This is not the address of your account.")
	}
	a, err := s.prove(ctx, who, "password", password, client)
	if err != nil {
		return err
	}
	tell, err := s.afterwards(mail.Deleted{To: a.Email})
	if err != nil {
		return err
	}
	now := s.cfg.Now().UnixMilli()
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		a, err := still(tx, a)
		if err != nil {
			return err
		}
		p, err := planOf(tx, a)
		if err != nil {
			return err
		}
		if len(p.stuck) > 0 {
			return stuck(tx, p.stuck)
		}
		if err := s.carryOut(tx, a, p, now); err != nil {
			return err
		}
		return tell(tx)
	})
	if err != nil {
		return fmt.Errorf("delete an account: %w", err)
	}
	return nil
}

func stuck(tx store.Tx, ids []store.OrganisationID) error {
	names, err := namesOf(tx, ids, "")
	if err != nil {
		return err
	}
	return fault.Newf(fault.Conflict, "You are the only owner of %s, which has other members.", strings.Join(names, " and ")).
		WithHint("Make somebody else an owner first.")
}

// carryOut does what was decided.
func (s *Service) carryOut(tx store.Tx, a store.Account, p plan, now int64) error {
	if err := revokeInvitations(tx, a.ID, p); err != nil {
		return err
	}
	for _, id := range p.gone {
		if err := sharelink.Remove(tx, s.cfg.Events, id, now); err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
	}
	for id, to := range p.moved {
		if err := s.handOver(tx, a.ID, id, to); err != nil {
			return err
		}
	}
	for id, heir := range p.withdrawn {
		if err := sharelink.Withdraw(tx, s.cfg.Events, id, a.ID, heir); err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
	}
	for _, id := range p.left {
		if err := tx.Organisations().SetMember(id, a.ID, store.MemberNone); err != nil {
			return err
		}
	}
	for _, id := range p.closed {
		if err := tx.Organisations().Delete(id); err != nil {
			return err
		}
	}
	if err := s.endSessions(tx, a.ID, all); err != nil {
		return err
	}
	return tx.Accounts().Delete(a.ID)
}

// handOver gives a dashboard to the personal organisation of somebody who owns it too.
func (s *Service) handOver(tx store.Tx, from store.AccountID, id board.ID, to store.AccountID) error {
	heir, _, err := tx.Accounts().Get(to)
	if err != nil {
		return fmt.Errorf("read account: %w", err)
	}
	rec, _, err := tx.Boards().Get(id)
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", id, err)
	}
	rec.Organisation = heir.Personal
	if err := tx.Boards().Put(rec); err != nil {
		return err
	}
	return sharelink.Withdraw(tx, s.cfg.Events, id, from, to) //nolint:wrapcheck // says what it was doing
}

// revokeInvitations forgets the invitations to what is deleted, and revokes those of the account's to what stays. Their mail
// does not go out any more.
func revokeInvitations(tx store.Tx, id store.AccountID, p plan) error {
	each := func(list []store.Invitation, err error, gone bool) error {
		for _, inv := range list {
			if err == nil && (gone || inv.By == id && inv.State == store.InvitationOpen) {
				err = revoke(tx, inv, gone)
			}
		}
		return err
	}
	for i, ids := range [][]board.ID{p.gone, p.touched} {
		for _, b := range ids {
			list, err := tx.Invitations().OfBoard(b)
			if err := each(list, err, i == 0); err != nil {
				return fmt.Errorf("revoke invitations to %s: %w", b, err)
			}
		}
	}
	for i, ids := range [][]store.OrganisationID{p.closed, p.left} {
		for _, o := range ids {
			list, err := tx.Invitations().OfOrganisation(o)
			if err := each(list, err, i == 0); err != nil {
				return fmt.Errorf("revoke invitations to an organisation: %w", err)
			}
		}
	}
	return nil
}

func revoke(tx store.Tx, inv store.Invitation, gone bool) error {
	if err := invitation.Withdraw(tx, inv); err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if gone {
		return tx.Invitations().Delete(inv.ID)
	}
	return nil
}
