package people_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

// invited is what the model knows of an invitation.
type invited struct {
	email   string
	role    sharing.Role
	by      store.AccountID
	state   store.InvitationState
	expires time.Time
	tokens  []string // the last one is the one that counts
}

// model is what ought to become of one dashboard by any sequence of commands, whoever gives them.
type model struct {
	*world

	roles        map[store.AccountID]sharing.Role
	editorsShare bool
	all          map[sharing.InvitationID]*invited
	sent         int
}

func (m *model) ids() []sharing.InvitationID { return slices.Sorted(maps.Keys(m.all)) }

// effective counts that ann owns the organisation.
func (m *model) effective(a store.AccountID) sharing.Role {
	if a == ann {
		return sharing.RoleOwner
	}
	return m.roles[a]
}

func (m *model) shares(a store.AccountID) bool {
	r := m.effective(a)
	return r == sharing.RoleOwner || m.editorsShare && r == sharing.RoleEditor
}

// holds says whether an invitation can be accepted, with its latest link and in time.
func (m *model) holds(i *invited) bool { return i.state == store.InvitationOpen && m.shares(i.by) }

func (m *model) owners() (n int) {
	for _, r := range m.roles {
		if r == sharing.RoleOwner {
			n++
		}
	}
	return n
}

func (m *model) draw(r *rapid.T) (by store.AccountID, id sharing.InvitationID) {
	by = rapid.SampledFrom([]store.AccountID{ann, bob, cat, dan}).Draw(r, "by")
	if len(m.all) > 0 {
		id = rapid.SampledFrom(m.ids()).Draw(r, "invitation")
	}
	return by, id
}

// expect holds an outcome against the kind of fault that was to come; Busy may come with any mail.
func (m *model) expect(r *rapid.T, what string, f *fault.Error, want fault.Kind) (applied bool) {
	r.Helper()
	switch {
	case f == nil && want == "":
		return true
	case f != nil && f.Kind == want:
	case f != nil && f.Kind == fault.Busy && want == "" && m.sent >= 5:
	default:
		r.Fatalf("%s: %v, want %q", what, f, want)
	}
	return false
}

// refused is the fault of somebody who may not share.
func (m *model) refused(by store.AccountID) fault.Kind {
	if m.effective(by) == sharing.RoleNone {
		return fault.NotFound
	}
	return fault.Denied
}

func (m *model) invite(r *rapid.T) {
	by, _ := m.draw(r)
	email := rapid.SampledFrom([]string{address(ann), address(bob), address(cat), address(dan), "eve@example.org"}).Draw(r, "email")
	role := rapid.SampledFrom([]sharing.Role{sharing.RoleViewer, sharing.RoleEditor}).Draw(r, "role")
	want, same := fault.Kind(""), false
	var replaced *invited
	switch {
	case !m.shares(by):
		want = m.refused(by)
	case email == address(by):
		want = fault.Conflict
	default:
		for _, a := range []store.AccountID{ann, bob, cat, dan} {
			if email == address(a) && m.effective(a) != sharing.RoleNone {
				want = fault.Conflict
			}
		}
		for _, i := range m.all {
			switch {
			case want != "" || i.email != email || i.state != store.InvitationOpen:
			case !m.holds(i) || !m.now.Before(i.expires):
				replaced = i
			case i.role == role:
				same = true
			default:
				want = fault.Conflict
			}
		}
	}
	c := command(sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = email, role })
	out := m.apply(by, c)
	if !m.expect(r, "invite", out.Fault, want) {
		return
	}
	if out.Same != same {
		r.Fatalf("invite: same is %v, want %v", out.Same, same)
	}
	if same {
		return
	}
	if replaced != nil {
		replaced.state = store.InvitationRevoked
	}
	m.sent++
	m.all[c.Invitation] = &invited{
		email: email, role: role, by: by, state: store.InvitationOpen, tokens: []string{m.token(c.Invitation)},
		expires: m.now.Add(7 * 24 * time.Hour),
	}
}

func (m *model) resend(r *rapid.T) {
	by, id := m.draw(r)
	i := m.all[id]
	if i == nil || m.now.Sub(i.expires) > 80*24*time.Hour {
		return
	}
	want := fault.Kind("")
	switch {
	case !m.shares(by):
		want = m.refused(by)
	case i.state == store.InvitationRevoked:
		want = fault.NotFound
	case i.state == store.InvitationAccepted:
		want = fault.Conflict
	}
	out := m.apply(by, command(sharing.Resend, func(c *sharing.Command) { c.Invitation = id }))
	if m.expect(r, "resend", out.Fault, want) {
		m.sent++
		i.by, i.expires = by, m.now.Add(7*24*time.Hour)
		i.tokens = append(i.tokens, m.token(id))
	}
}

func (m *model) revoke(r *rapid.T) {
	by, id := m.draw(r)
	i := m.all[id]
	if i == nil || m.now.Sub(i.expires) > 80*24*time.Hour {
		return
	}
	want := fault.Kind("")
	switch {
	case !m.shares(by):
		want = m.refused(by)
	case i.state == store.InvitationAccepted:
		want = fault.Conflict
	}
	out := m.apply(by, command(sharing.Revoke, func(c *sharing.Command) { c.Invitation = id }))
	if m.expect(r, "revoke", out.Fault, want) {
		if out.Same != (i.state == store.InvitationRevoked) {
			r.Fatalf("revoke: same is %v of %s", out.Same, i.state)
		}
		i.state = store.InvitationRevoked
	}
}

func (m *model) acceptIt(r *rapid.T) {
	by, id := m.draw(r)
	i := m.all[id]
	if i != nil && rapid.Bool().Draw(r, "rightful") {
		for _, a := range []store.AccountID{bob, cat} {
			if i.email == address(a) {
				by = a
			}
		}
	}
	if i == nil || m.now.Sub(i.expires) > 80*24*time.Hour {
		return
	}
	n := rapid.IntRange(0, len(i.tokens)-1).Draw(r, "token")
	o, err := m.people.Open(m.ctx.Context(), i.tokens[n])
	if err != nil {
		r.Fatal(err)
	}
	want := people.Open
	switch {
	case i.state == store.InvitationAccepted:
		want = people.Accepted
	case !m.holds(i):
		want = people.Revoked
	case n < len(i.tokens)-1:
		want = people.Replaced
	case !m.now.Before(i.expires):
		want = people.Expired
	}
	if o.State != want {
		r.Fatalf("it is %s, want %s", o.State, want)
	}
	err = m.accept(by, i.tokens[n])
	mine := i.email == address(by) && by != dan
	switch {
	case !mine:
		if !is(err, fault.Denied) {
			r.Fatalf("accepted by another: %v", err)
		}
	case want == people.Open:
		if err != nil {
			r.Fatalf("accept: %v", err)
		}
		i.state = store.InvitationAccepted
		if m.roles[by] == sharing.RoleNone || m.roles[by] == sharing.RoleViewer {
			m.roles[by] = i.role
		}
	case want != people.Accepted && !is(err, fault.Conflict):
		r.Fatalf("accept of one that is %s: %v", want, err)
	}
}

func (m *model) setRole(r *rapid.T) {
	by, _ := m.draw(r)
	whom := rapid.SampledFrom([]store.AccountID{ann, bob, cat, dan}).Draw(r, "whom")
	role := rapid.SampledFrom([]sharing.Role{sharing.RoleOwner, sharing.RoleEditor, sharing.RoleViewer, sharing.RoleNone}).Draw(r, "role")
	before := maps.Clone(m.roles)
	out := m.apply(by, command(sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = string(whom), role }))
	if out.Fault != nil {
		if out.Fault.Kind == fault.Internal || out.Fault.Message == "" {
			r.Fatal(out.Fault)
		}
		return // that nothing was changed is looked at in check
	}
	leaves := by == whom && role == sharing.RoleNone
	owns := m.effective(by) == sharing.RoleOwner
	switch {
	case !leaves && !m.shares(by):
		r.Fatalf("%s, who is %q, made %s %q", by, before[by], whom, role)
	case !out.Same && !owns && (role == sharing.RoleOwner || before[whom] == sharing.RoleOwner):
		r.Fatalf("an editor made %s, who was %q, %q", whom, before[whom], role)
	case !out.Same && m.effective(whom) == sharing.RoleNone:
		r.Fatalf("%s was brought in without an invitation", whom)
	}
	m.roles[whom] = role
}

func (m *model) setEditorShare(r *rapid.T) {
	by, _ := m.draw(r)
	allow := rapid.Bool().Draw(r, "allow")
	want := fault.Kind("")
	if m.effective(by) != sharing.RoleOwner {
		want = m.refused(by)
	}
	if m.expect(r, "editors share", m.apply(by, command(sharing.SetEditorShare, func(c *sharing.Command) { c.Allow = allow })).Fault, want) {
		m.editorsShare = allow
	}
}

func (m *model) wait(r *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 24 * 7, 24 * 8}).Draw(r, "hours")) * time.Hour)
}

func (m *model) check(r *rapid.T) {
	if m.owners() == 0 {
		r.Fatal("nobody owns the dashboard")
	}
	m.view(func(tx store.Tx) error {
		rec, _, err := tx.Boards().Get(one)
		if err != nil {
			return err
		}
		if rec.EditorsShare != m.editorsShare || m.roles[rec.Owner] != sharing.RoleOwner {
			r.Fatalf("%+v, want %v, roles %v", rec, m.editorsShare, m.roles)
		}
		for _, a := range []store.AccountID{ann, bob, cat, dan} {
			own, err := tx.Boards().Role(one, a)
			if err != nil {
				return err
			}
			if own != m.roles[a] {
				r.Fatalf("%s is %q, want %q", a, own, m.roles[a])
			}
		}
		for id, i := range m.all {
			inv, ok, err := tx.Invitations().Get(id)
			if err != nil {
				return err
			}
			if !ok && m.now.Sub(i.expires) > 90*24*time.Hour {
				continue // it was forgotten
			}
			if !ok || inv.State != i.state || inv.Email != i.email || inv.Role != i.role || inv.By != i.by {
				r.Fatalf("%+v, want %+v", inv, i)
			}
			_, waits, err := tx.Outbox().Get(inv.Mail)
			if err != nil || waits != (i.state == store.InvitationOpen || i.state == store.InvitationAccepted) {
				r.Fatalf("of one that is %s the mail waits: %v %v", i.state, waits, err)
			}
		}
		return m.tellRight(r, tx)
	})
}

// tellRight holds what everybody is told against what they may know.
func (m *model) tellRight(r *rapid.T, tx store.Tx) error {
	for _, a := range []store.AccountID{ann, bob, cat, dan} {
		g, err := access.Open(tx, access.Account(a), one, access.Edit)
		if is(err, fault.NotFound) || is(err, fault.Denied) {
			continue
		}
		if err != nil {
			return err
		}
		told, err := people.Tell(tx, g)
		if err != nil {
			return err
		}
		want := 0
		for _, i := range m.all {
			if m.holds(i) && m.shares(a) {
				want++
			}
		}
		if len(told.Invitations) != want || len(told.Members) == 0 || (told.Members[0].Email != "") != m.shares(a) {
			r.Fatal(fmt.Sprintf("%s is told %+v, and ought to hear of %d", a, told, want))
		}
	}
	return nil
}

// Any sequence of invitations, answers, changes of role and waiting ends as the rules say, whoever tries what.
func TestI1_I6_SI19_InvitationsFollowTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		m := &model{world: newWorld(t), roles: map[store.AccountID]sharing.Role{ann: sharing.RoleOwner}, all: map[sharing.InvitationID]*invited{}}
		m.t = r
		// Somebody is there who may share and can be kept from it.
		m.update(func(tx store.Tx) error {
			rec, _, err := tx.Boards().Get(one)
			if err != nil {
				return err
			}
			rec.EditorsShare = true
			if err := tx.Boards().Put(rec); err != nil {
				return err
			}
			return tx.Boards().SetRole(one, bob, sharing.RoleEditor)
		})
		m.roles[bob], m.editorsShare = sharing.RoleEditor, true
		r.Repeat(map[string]func(*rapid.T){
			"invite": m.invite, "resend": m.resend, "revoke": m.revoke, "accept": m.acceptIt, "accept again": m.acceptIt,
			"role": m.setRole, "editors share": m.setEditorShare, "wait": m.wait, "": m.check,
		})
	})
}
