package workspace

import (
	"fmt"
	"slices"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// People takes who can open a dashboard.
func (w *Workspace) People(m wire.People) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.find(m.Board)
	if err != nil || d.rec.Denied != "" {
		return nil // deleted here meanwhile, or late
	}
	next := &localstore.People{
		Members: m.Members, Invitations: m.Invitations, EditorsShare: m.EditorsShare, Organisation: m.Organisation, Size: m.Size,
	}
	if d.people != nil && samePeople(*d.people, *next) {
		return nil
	}
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.PutPeople(m.Board, *next) }); err != nil {
		return fmt.Errorf("store people of dashboard %s: %w", m.Board, err)
	}
	w.mu.Lock()
	d.people = next
	w.mu.Unlock()
	w.publish(w.turned(d)...)
	return nil
}

func samePeople(a, b localstore.People) bool {
	return slices.Equal(a.Members, b.Members) && slices.Equal(a.Invitations, b.Invitations) &&
		a.EditorsShare == b.EditorsShare && a.Organisation == b.Organisation && a.Size == b.Size
}

// permitted is what of the people may be kept by who has a role: whoever may not manage sharing keeps no addresses and no
// invitations, and viewers nothing.
func permitted(p *localstore.People, role sharing.Role, share bool) *localstore.People {
	switch {
	case p == nil, !role.CanEdit():
		return nil
	case share || role.CanShare():
		return p
	}
	next := *p
	next.Invitations = nil
	next.Members = slices.Clone(p.Members)
	for i := range next.Members {
		next.Members[i].Email = ""
	}
	if samePeople(*p, next) {
		return p
	}
	return &next
}

// putPeople stores people, or that there are none.
func putPeople(tx *localstore.Tx, id board.ID, p *localstore.People) error {
	if p == nil {
		return tx.RemovePeople(id)
	}
	return tx.PutPeople(id, *p)
}

// applied is what a command that the server has carried out makes of the people, until the server tells them anew.
func (w *Workspace) applied(d *dashboard, c sharing.Command) *localstore.People {
	if d.people == nil {
		return nil
	}
	next := *d.people
	switch c.Action { //nolint:exhaustive // the others change nothing in it
	case sharing.Invite:
		if slices.ContainsFunc(next.Invitations, func(i sharing.Invitation) bool { return i.ID == c.Invitation }) {
			return d.people
		}
		now := w.clock()
		next.Invitations = append(slices.Clone(next.Invitations), sharing.Invitation{
			ID: c.Invitation, Email: c.Email, Role: c.Role, By: w.userName(), Invited: now, Expires: now + sharing.InvitationLifetime,
			Delivery: sharing.DeliveryQueued,
		})
	case sharing.Revoke:
		next.Invitations = slices.DeleteFunc(slices.Clone(next.Invitations), func(i sharing.Invitation) bool { return i.ID == c.Invitation })
	case sharing.SetMemberRole:
		next.Members = slices.Clone(next.Members)
		next.Members = slices.DeleteFunc(next.Members, func(m sharing.Member) bool { return m.Account == c.Account && c.Role == sharing.RoleNone })
		for i := range next.Members {
			if next.Members[i].Account == c.Account {
				next.Members[i].Role, next.Members[i].Own = c.Role, true
			}
		}
	case sharing.SetEditorShare:
		next.EditorsShare = c.Allow
	}
	if samePeople(*d.people, next) {
		return d.people
	}
	return &next
}

// Presence takes who looks at a dashboard now. It is kept in memory only, and forgotten when the connection ends.
func (w *Workspace) Presence(m wire.Presence) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.find(m.Board)
	if err != nil || d.rec.Denied != "" || slices.Equal(d.presence, m.People) {
		return nil // deleted here meanwhile, or late, or no news
	}
	w.mu.Lock()
	d.presence = m.People
	w.mu.Unlock()
	w.publish(w.turned(d)...)
	return nil
}
