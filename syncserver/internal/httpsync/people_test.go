package httpsync_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// onPeople sends a command on people and returns its result.
func (d *device) onPeople(id board.ID, a sharing.Action, set func(*sharing.Command)) wire.Result {
	d.t.Helper()
	c := sharing.Command{ID: sharing.NewCommandID(ulid.Make()), Board: id, Action: a}
	if a == sharing.Invite {
		c.Invitation = sharing.NewInvitationID(ulid.Make())
	}
	set(&c)
	d.send(wire.Command{Command: c})
	for {
		if r := await[wire.Result](d); r.ID == c.ID {
			return r
		}
	}
}

// joined is bob, with a device that follows the dashboard.
func joined(t *testing.T, srv *servertest.Server, id board.ID, email string, role sharing.Role) *device {
	t.Helper()
	who := srv.SignUp(email)
	srv.SetRole(id, who, role)
	d := newDevice(t, srv, who)
	d.client(id)
	d.connect()
	return d
}

// peopleWhere reads until the people of the dashboard are told as they should be.
func (d *device) peopleWhere(id board.ID, what string, ok func(wire.People) bool) wire.People {
	d.t.Helper()
	d.until(what, func() bool { return ok(d.told[id]) })
	return d.told[id]
}

func TestI5_A3_InvitationsAreToldToThoseWhoShare(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	bob := joined(t, srv, id, "bob@example.org", sharing.RoleEditor)
	p := await[wire.People](bob)
	if len(p.Members) != 2 || p.Members[0].Email != "" || p.Members[1].Email != "" || p.Size != 1 {
		t.Fatalf("an editor is told %+v", p)
	}
	r := a.onPeople(id, sharing.Invite, func(c *sharing.Command) {
		c.Email, c.Role, c.Message = "carl@example.org", sharing.RoleViewer, "Look at this."
	})
	if r.Fault != nil || r.Same {
		t.Fatalf("invite: %+v", r)
	}
	p = a.peopleWhere(id, "the owner hears of the invitation", func(p wire.People) bool { return len(p.Invitations) == 1 })
	inv := p.Invitations[0]
	if inv.Email != "carl@example.org" || inv.Role != sharing.RoleViewer || inv.By != "ann" || inv.Expires-inv.Invited != sharing.InvitationLifetime {
		t.Errorf("the invitation: %+v", inv)
	}
	a.peopleWhere(id, "the owner hears that the mail was sent", func(p wire.People) bool {
		return len(p.Invitations) == 1 && p.Invitations[0].Delivery == sharing.DeliverySent
	})
	if l := srv.Mail("carl@example.org", 0); !slices.ContainsFunc(l.Links, func(s string) bool { return strings.HasPrefix(s, srv.URL()+"/invite/ivt_") }) {
		t.Errorf("the mail leads to %v", l.Links)
	}
	if r := bob.onPeople(id, sharing.Revoke, func(c *sharing.Command) { c.Invitation = inv.ID }); r.Fault == nil || r.Fault.Kind != fault.Denied {
		t.Errorf("an editor revoked: %+v", r)
	}
	if r := a.onPeople(id, sharing.SetEditorShare, func(c *sharing.Command) { c.Allow = true }); r.Fault != nil {
		t.Fatal(r.Fault)
	}
	p = bob.peopleWhere(id, "an editor who shares hears of the invitation", func(p wire.People) bool { return len(p.Invitations) == 1 })
	if !p.EditorsShare || p.Members[0].Email == "" {
		t.Errorf("an editor who shares is told %+v", p)
	}
	if r := bob.onPeople(id, sharing.Revoke, func(c *sharing.Command) { c.Invitation = inv.ID }); r.Fault != nil || r.Same {
		t.Errorf("revoke: %+v", r)
	}
	a.peopleWhere(id, "the owner hears of the revocation", func(p wire.People) bool { return len(p.Invitations) == 0 })
	if r := a.onPeople(id, sharing.Revoke, func(c *sharing.Command) { c.Invitation = inv.ID }); r.Fault != nil || !r.Same {
		t.Errorf("revoke once more: %+v", r)
	}
}

func TestA6_ViewersAreToldOfNobody(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	v := joined(t, srv, id, "vera@example.org", sharing.RoleViewer)
	a.send(wire.Look{Board: id, Editing: true})
	v.send(wire.Look{Board: id})
	a.until("the owner sees the viewer", func() bool { return len(a.seen[id].People) == 2 })
	a.onPeople(id, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "carl@example.org", sharing.RoleEditor })
	a.edit(id, title("Last"))
	a.push(id)
	for v.view(id).Title != "Last" {
		m, err := v.next()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case wire.People, wire.Presence:
			t.Errorf("a viewer was told %+v", m)
		case wire.Boards:
			if len(m.Boards) == 1 && (m.Boards[0].Share || m.Boards[0].Organisation != "" || m.Boards[0].Owner != "ann" || m.Boards[0].Mine) {
				t.Errorf("a viewer's list: %+v", m.Boards)
			}
		}
	}
}

func TestI6_V1_V2_ARemovedEditorIsCutAtOnce(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := joined(t, srv, id, "bob@example.org", sharing.RoleEditor)
	b.until("bob has the dashboard", func() bool { return b.view(id).Title == "First" })
	b.edit(id, title("typing"))
	typed := b.pending(id)
	began := time.Now()
	if r := a.onPeople(id, sharing.SetMemberRole, func(c *sharing.Command) { c.Account = b.who.Account }); r.Fault != nil {
		t.Fatal(r.Fault)
	}
	a.edit(id, title("secret"))
	a.push(id)
	b.send(typed)
	for denied := 0; denied < 2; { // of the stream, then of the edit
		m, err := b.next()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case wire.Denied:
			denied++
		case wire.Delta, wire.Snapshot, wire.People, wire.Presence:
			if denied > 0 {
				t.Errorf("after the denial: %+v", m)
			}
		case wire.Ack:
			t.Errorf("the edit was taken: %+v", m)
		}
	}
	if d := time.Since(began); d > servertest.AtOnce {
		t.Errorf("it took %s", d)
	}
	if got := b.view(id).Title; got == "secret" {
		t.Error("the secret was seen")
	}
	a.until("the owner has the receipt", func() bool { return a.cutOff[id] == 1 })
	if a.view(id).Title != "secret" {
		t.Error("the removed editor's edit was taken")
	}
}

func TestI6_V1_Q4_ALoweredEditorsEditsComeBack(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := joined(t, srv, id, "bob@example.org", sharing.RoleEditor)
	await[wire.People](b)
	b.edit(id, title("typing"))
	typed := b.pending(id)
	if r := a.onPeople(id, sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = b.who.Account, sharing.RoleViewer }); r.Fault != nil {
		t.Fatal(r.Fault)
	}
	a.onPeople(id, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "carl@example.org", sharing.RoleEditor })
	b.send(typed)
	for {
		m, err := b.next()
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := m.(wire.People); ok && len(p.Invitations) > 0 {
			t.Errorf("a viewer was told %+v", p)
		}
		if k, ok := m.(wire.Ack); ok {
			if len(k.Outcomes) != 1 || k.Outcomes[0].Reason != replica.ReasonForbidden {
				t.Errorf("the edit: %+v", k)
			}
			break
		}
	}
}

// An editor who may share brings in viewers and editors, and gets no further.
func TestA3_AnEditorWhoSharesDoesNotRise(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := joined(t, srv, id, "bob@example.org", sharing.RoleEditor)
	v := joined(t, srv, id, "vera@example.org", sharing.RoleViewer)
	role := func(who string, r sharing.Role) wire.Result {
		return b.onPeople(id, sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = who, r })
	}
	if r := role(v.who.Account, sharing.RoleEditor); r.Fault == nil || r.Fault.Kind != fault.Denied {
		t.Errorf("an editor who may not share changed a role: %+v", r)
	}
	a.onPeople(id, sharing.SetEditorShare, func(c *sharing.Command) { c.Allow = true })
	b.until("the editor hears that they may share", func() bool { return b.told[id].EditorsShare })
	if r := role(v.who.Account, sharing.RoleEditor); r.Fault != nil {
		t.Errorf("a viewer becomes an editor: %v", r.Fault)
	}
	for name, r := range map[string]wire.Result{
		"own rise":        role(b.who.Account, sharing.RoleOwner),
		"another's rise":  role(v.who.Account, sharing.RoleOwner),
		"owner lowered":   role(a.who.Account, sharing.RoleViewer),
		"owner removed":   role(a.who.Account, sharing.RoleNone),
		"setting":         b.onPeople(id, sharing.SetEditorShare, func(*sharing.Command) {}),
		"move":            b.onPeople(id, sharing.Move, func(c *sharing.Command) { c.Organisation = "org_x" }),
		"delete":          b.command(id, sharing.Delete),
		"invited owner":   b.onPeople(id, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "x@example.org", sharing.RoleOwner }),
		"nobody's role":   b.onPeople(id, sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = "acc_x", sharing.RoleEditor }),
		"unknown action":  b.onPeople(id, "dance", func(*sharing.Command) {}),
		"no such role":    role(v.who.Account, "king"),
		"own address":     b.onPeople(id, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "bob@example.org", sharing.RoleViewer }),
		"a member":        b.onPeople(id, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "ann@example.org", sharing.RoleViewer }),
		"address of none": b.onPeople(id, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "Nobody", sharing.RoleViewer }),
	} {
		if r.Fault == nil || r.Fault.Message == "" || r.Fault.Kind == fault.Internal {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := role(b.who.Account, sharing.RoleNone); r.Fault != nil {
		t.Errorf("leaving: %v", r.Fault)
	}
	b.until("the list is empty", func() bool { return len(b.roles) == 0 })
}

func TestPresenceComesAndGoes(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := joined(t, srv, id, "bob@example.org", sharing.RoleEditor)
	a.send(wire.Look{Board: id})
	b.send(wire.Look{Board: id, Editing: true})
	see := func(d *device, want ...string) {
		t.Helper()
		d.until("those who look are told", func() bool {
			var got []string
			for _, p := range d.seen[id].People {
				if p.Editing {
					p.Name += "*"
				}
				got = append(got, p.Name)
			}
			slices.Sort(got)
			return slices.Equal(got, want)
		})
	}
	see(a, "ann", "bob*")
	see(b, "ann", "bob*")
	c := newDevice(t, srv, srv.LogIn("ann@example.org"))
	c.client(id)
	c.connect()
	see(c, "ann", "bob*") // whoever comes is told at once
	b.send(wire.Look{Board: id})
	see(a, "ann", "bob")
	b.cut()
	see(a, "ann")
	// Nobody is seen at what they cannot see.
	eve := newDevice(t, srv, srv.SignUp("eve@example.org"))
	eve.connect()
	eve.send(wire.Look{Board: id, Editing: true})
	eve.send(wire.Look{Board: "nonsense"})
	if e := await[wire.Error](eve); e.Fault.Field != "b" {
		t.Errorf("nonsense was answered %+v", e)
	}
	a.send(wire.Look{})
	see(c)
}

func TestHelloTellsWhoOneIs(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	d := newDevice(t, srv, srv.SignUp("ann@example.org"))
	d.dial()
	d.send(wire.Hello{Versions: []int{wire.Version}, App: "test", Dev: "7"})
	if w := await[wire.Welcome](d); w.Name != "ann" || !w.Mail {
		t.Errorf("welcome: %+v", w)
	}
	if b := await[wire.Boards](d); len(b.Organisations) != 1 || !b.Organisations[0].Personal || b.Organisations[0].Role != "owner" {
		t.Errorf("organisations: %+v", b.Organisations)
	}
}

func TestI6_AnotherNameIsToldAtOnce(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := joined(t, srv, id, "bob@example.org", sharing.RoleEditor)
	a.peopleWhere(id, "the owner sees bob", func(p wire.People) bool { return len(p.Members) == 2 })
	if status := ask(t, srv, b.who.Token, http.MethodPatch, "/api/v1/account", map[string]string{"name": "Robert"}, nil); status != http.StatusNoContent {
		t.Fatalf("rename: %d", status)
	}
	a.peopleWhere(id, "the owner sees Robert", func(p wire.People) bool {
		return slices.ContainsFunc(p.Members, func(m sharing.Member) bool { return m.Name == "Robert" })
	})
}
