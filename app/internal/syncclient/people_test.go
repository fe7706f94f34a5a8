package syncclient_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// person is somebody with a device.
type person struct {
	*device
	who servertest.SignedIn
}

// join is a new device whose events wake the others too, as theirs wake it.
func join(t *testing.T, s *servertest.Server, email string, others ...person) person {
	t.Helper()
	p := person{device: newDevice(t)}
	for _, o := range others {
		p.rings.add(o.ring)
		o.rings.add(p.ring)
	}
	p.who = p.enter(s, email)
	p.untilSynced()
	return p
}

func (d *device) create(title string) board.ID {
	d.t.Helper()
	id, err := d.Create(title)
	d.must(err)
	d.untilSynced()
	return id
}

func (d *device) share(id board.ID) workspace.ShareView {
	d.t.Helper()
	v, err := d.Board(id)
	if err != nil {
		return workspace.ShareView{}
	}
	return v.Share
}

// summary is what the list tells of a dashboard.
func (d *device) summary(id board.ID) workspace.BoardSummary {
	all := d.State().Boards
	i := slices.IndexFunc(all, func(b workspace.BoardSummary) bool { return b.ID == id })
	if i < 0 {
		return workspace.BoardSummary{}
	}
	return all[i]
}

// member is somebody among the people of a dashboard, by account.
func (d *device) member(id board.ID, account string) (p workspace.Person, ok bool) {
	d.t.Helper()
	people := d.share(id).People
	i := slices.IndexFunc(people, func(p workspace.Person) bool { return p.Account == account })
	if i < 0 {
		return p, false
	}
	return people[i], true
}

// shown waits until a dashboard is in the list and has this title.
func (d *device) shown(id board.ID, title string) {
	d.t.Helper()
	d.until("it is shown", func() bool {
		v, err := d.Board(id)
		return err == nil && v.Title == title
	})
}

// What was asked for offline, over a crash, arrives once: one mail to each, and to nobody whose invitation was taken back.
func TestI1_I5_Q1_Q2_InvitedOffline(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	a.until("the people are told", func() bool { return a.share(id).Organisation != nil })
	if v := a.share(id); !v.Mail || !v.CanManage || v.Organisation.Size != 1 || !v.Organisation.Personal || v.People[0].Email != "ann@example.org" || !v.People[0].You {
		t.Errorf("%s", text(v))
	}
	s.Kill()
	a.untilState(workspace.StateOffline)
	a.edit(id, title("Store"))
	got, err := a.Invite(id, "bob@example.org; carl@example.org, dora@example.org", sharing.RoleEditor, "Look at this.")
	a.must(err)
	if len(got.Invited) != 3 {
		t.Fatalf("%s", text(got))
	}
	waiting := a.share(id).Invitations
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.Revoke, Invitation: waiting[1].ID}))
	a.restart()
	if v := a.share(id); len(v.Invitations) != 2 || v.Invitations[0].Delivery != workspace.DeliveryWaiting || len(v.Waiting) != 2 {
		t.Errorf("%s", text(v))
	}
	s.Restart()
	a.RetrySync()
	a.untilSynced()
	a.until("the server tells the invitations", func() bool {
		return len(a.share(id).Invitations) == 2 && a.share(id).Invitations[0].Delivery != workspace.DeliveryWaiting
	})
	for i, email := range []string{"bob@example.org", "dora@example.org"} {
		inv := a.share(id).Invitations[i]
		if inv.Email != email || inv.ID != waiting[2*i].ID || inv.By != "ann" || inv.Expires-inv.Invited != sharing.InvitationLifetime || inv.Waiting != nil {
			t.Errorf("%s", text(inv))
		}
		l := s.Mail(email, 0)
		if !strings.Contains(l.Text, "Look at this.") || !strings.Contains(l.Text+l.Subject, "Store") {
			t.Errorf("the mail to %s does not tell what was there before the invitation: %s", email, l.Text)
		}
	}
	// Revoked after it was sent, and refused where it makes no sense.
	bob := a.share(id).Invitations[0].ID
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.Revoke, Invitation: bob}))
	a.untilSynced()
	a.until("it is gone", func() bool { return len(a.share(id).Invitations) == 1 })
	if again, err := a.Invite(id, "dora@example.org bob@example.org", sharing.RoleViewer, ""); err != nil || len(again.Present) != 1 || len(again.Invited) != 1 {
		t.Errorf("%s, %v", text(again), err)
	}
	a.untilSynced()
	if v := a.share(id); v.Refused != nil {
		t.Errorf("%s", text(v.Refused))
	}
}

// A server that refuses an invitation is believed, and whoever invited is told whom it was about.
func TestV3_InvitationsThatMakeNoSenseAreRefused(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	bob := join(t, s, "bob@example.org", a)
	id := a.create("Shop")
	s.Kill()
	a.untilState(workspace.StateOffline)
	_, err := a.Invite(id, "bob@example.org", sharing.RoleViewer, "")
	a.must(err)
	a.kill()
	s.Restart()
	s.SetRole(id, bob.who, sharing.RoleEditor)
	a.start()
	a.untilSynced()
	a.until("it is told", func() bool { return a.share(id).Refused != nil })
	r := a.share(id).Refused
	if r.Action != sharing.Invite || !strings.HasPrefix(r.Message, "bob@example.org was not invited: ") {
		t.Errorf("%s", text(r))
	}
	if n := len(a.share(id).Invitations); n != 0 {
		t.Errorf("%d invitations", n)
	}
}

// Who was let in has the dashboard in the list, whoever owns it, and works on it offline.
func TestI4_Q1_SharedDashboardsAreListedAndWorkOffline(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	own := bob.create("Bob's")
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	b := bob.summary(id)
	if b.Mine || b.Owner != "ann" || b.Role != sharing.RoleEditor || b.CanShare || b.Organisation != "" {
		t.Errorf("%s", text(b))
	}
	if b := bob.summary(own); !b.Mine || b.Owner != "" || !b.CanShare || b.Organisation == "" {
		t.Errorf("%s", text(b))
	}
	a.until("the owner sees bob", func() bool {
		p, ok := a.member(id, bob.who.Account)
		return ok && p.Email == "bob@example.org" && p.Own
	})
	bob.until("bob sees the people", func() bool { p, ok := bob.member(id, a.who.Account); return ok && p.Email == "" })
	s.Kill()
	bob.untilState(workspace.StateOffline)
	bob.restart()
	bob.edit(id, title("Bob was here"))
	if p, ok := bob.member(id, a.who.Account); !ok || p.Name != "ann" || p.Role != sharing.RoleOwner {
		t.Errorf("%s", text(p))
	}
	s.Restart()
	bob.RetrySync()
	a.RetrySync()
	bob.untilSynced()
	a.shown(id, "Bob was here")
}

// A role that is lowered makes the screens read-only at once; what was typed and not sent stays with its author. A role that
// is raised lets them edit at once.
func TestI6_V1_Q4_LoweredAndRaised(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	a.until("the owner sees bob", func() bool { _, ok := a.member(id, bob.who.Account); return ok })
	role := func(r sharing.Role) {
		t.Helper()
		a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account, Role: r}))
		a.untilSynced()
		bob.until("bob's role is "+string(r), func() bool { return bob.view(id).Role == r })
	}
	role(sharing.RoleViewer)
	if _, err := bob.Edit(id, []workspace.Edit{title("x")}, "Edit"); fault.KindOf(err) != fault.Denied {
		t.Errorf("a viewer edits: %v", err)
	}
	if v := bob.share(id); len(v.People) != 1 || v.Organisation != nil || len(v.Presence) != 0 {
		t.Errorf("a viewer keeps what only editors know: %s", text(v))
	}
	role(sharing.RoleEditor)
	bob.edit(id, title("Bob was here"))
	bob.untilSynced()
	a.shown(id, "Bob was here")

	// Lowered while offline: the edits come back to him and nowhere else.
	bob.kill()
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account, Role: sharing.RoleViewer}))
	a.untilSynced()
	s.Kill()
	bob.start()
	bob.edit(id, title("typed offline"))
	s.Restart()
	bob.RetrySync()
	bob.until("the edit is refused", func() bool { b := bob.summary(id); return b.Sync == workspace.SyncRefused && b.Queued == 0 })
	if v := bob.view(id); v.Role != sharing.RoleViewer || v.Title != "Bob was here" {
		t.Errorf("%s", text(v))
	}
	bob.until("he is told", func() bool { return bob.told("was refused") == 1 })
	copied, err := bob.KeepCopy(id)
	bob.must(err)
	bob.untilSynced()
	if v := bob.view(copied); v.Title != "typed offline (copy)" || v.Role != sharing.RoleOwner {
		t.Errorf("%s", text(v))
	}
	if b := bob.summary(id); b.Sync != workspace.SyncSaved {
		t.Errorf("%s", text(b))
	}
}

// Who is removed keeps what they had not sent, and sees why; once let in again, all goes on without a restart.
func TestI6_V1_Q4_RemovedAndLetInAgain(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	a.until("the owner sees bob", func() bool { _, ok := a.member(id, bob.who.Account); return ok })
	remove := workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account}
	a.must(a.Share(id, remove))
	a.untilSynced()
	bob.until("bob is told", func() bool {
		return bob.told("“Shop”: It belongs to ann and is not shared with you any more.") == 1
	})
	if b := bob.summary(id); b.Sync != workspace.SyncDenied {
		t.Errorf("%s", text(b))
	}
	a.edit(id, title("Secret"))
	a.untilSynced()
	if got := bob.view(id).Title; got != "Shop" {
		t.Errorf("bob sees %q", got)
	}
	// Let in again: there it is, and he may edit.
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Secret")
	bob.edit(id, title("Bob is back"))
	bob.untilSynced()
	a.shown(id, "Bob is back")
	a.until("the owner sees bob again", func() bool { _, ok := a.member(id, bob.who.Account); return ok })

	// Removed while offline, with an edit under way.
	bob.kill()
	a.must(a.Share(id, remove))
	a.untilSynced()
	s.Kill()
	bob.start()
	bob.edit(id, title("typed offline"))
	s.Restart()
	bob.RetrySync()
	bob.until("bob is told again", func() bool { b := bob.summary(id); return b.Sync == workspace.SyncDenied })
	a.RetrySync()
	a.untilSynced()
	s.SetRole(id, bob.who, sharing.RoleViewer)
	bob.until("bob is in again", func() bool {
		b := bob.summary(id)
		return b.Sync == workspace.SyncRefused && b.Role == sharing.RoleViewer
	})
	bob.shown(id, "Bob is back")
	copied, err := bob.KeepCopy(id)
	bob.must(err)
	if got := bob.view(copied).Title; got != "typed offline (copy)" {
		t.Errorf("%q", got)
	}
	bob.untilSynced()
	// He may go by himself.
	bob.must(bob.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account}))
	bob.until("he has gone", func() bool { b := bob.summary(id); return b.Sync == workspace.SyncDenied })
	bob.must(bob.DiscardRefused(id))
	a.until("the owner sees it", func() bool { _, ok := a.member(id, bob.who.Account); return !ok })
}

// An editor who is let share invites others, and not any more once that is taken back; then no address stays with him.
func TestA3_V1_AnEditorWhoShares(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	a.must(a.Share(id, to(sharing.Enable)))
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetEditorShare, Allow: true}))
	a.untilSynced()
	bob.until("bob may share", func() bool {
		v := bob.share(id)
		return v.CanManage && v.EditorsShare && v.InForce.Mode == sharing.Public
	})
	_, err := bob.Invite(id, "carl@secret.example.org", sharing.RoleViewer, "")
	bob.must(err)
	bob.untilSynced()
	a.until("the owner sees the invitation", func() bool { v := a.share(id); return len(v.Invitations) == 1 && v.Invitations[0].By == "bob" })
	bob.must(bob.Share(id, to(sharing.Rotate)))
	bob.untilSynced()
	token := bob.share(id).InForce.Token
	a.until("the owner sees the new link", func() bool { return a.share(id).InForce.Token == token })
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetEditorShare}))
	a.untilSynced()
	bob.until("bob may not share", func() bool { return !bob.share(id).CanManage })
	if v := bob.share(id); len(v.Invitations) != 0 || v.InForce.Token != "" || v.People[0].Email != "" {
		t.Errorf("%s", text(v))
	}
	if _, err := bob.Invite(id, "dora@example.org", sharing.RoleViewer, ""); fault.KindOf(err) != fault.Denied {
		t.Errorf("%v", err)
	}
}

// Who looks is shown to who edits, while they look and are connected.
func TestA4_PresenceOverTheServer(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleViewer)
	bob.shown(id, "Shop")
	sees := func(want string) {
		t.Helper()
		a.until("ann sees "+want, func() bool { return text(a.share(id).Presence) == want })
	}
	at := func(editing string) string {
		return `[{"account":"` + bob.who.Account + `","name":"bob","editing":` + editing + `}]`
	}
	a.must(a.Look(id, false))
	bob.must(bob.Look(id, false))
	sees(at("false"))
	if p := bob.share(id).Presence; len(p) != 0 {
		t.Errorf("a viewer sees %s", text(p))
	}
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.until("bob sees ann", func() bool { p := bob.share(id).Presence; return len(p) == 1 && p[0].Account == a.who.Account })
	bob.must(bob.Look(id, true))
	sees(at("true"))
	bob.must(bob.Look("", false))
	sees("[]")
	bob.must(bob.Look(id, false))
	sees(at("false"))
	if q := a.State().Sync; q.State != workspace.StateSynced {
		t.Errorf("%+v", q)
	}
	// Without a connection nobody is there; with a new one it is told again without being asked.
	s.Kill()
	a.untilState(workspace.StateOffline)
	sees("[]")
	s.Restart()
	bob.RetrySync()
	a.RetrySync()
	sees(at("false"))
	bob.kill()
	sees("[]")
}

// A look is repeated, so that the server knows that it still counts; and it never waits for a connection.
func TestLooksAreRepeated(t *testing.T) {
	const id = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D"
	looks := make(chan wire.Look, 100)
	url := strange(t, []string{wire.Subprotocol}, func(ctx context.Context, conn *websocket.Conn) {
		for {
			_, frame, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var answers []string
			switch m, _ := wire.Decode(frame); m := m.(type) {
			case wire.Hello:
				answers = []string{
					`{"t":"welcome","v":1,"time":1,"account":"acc_x","email":"a@b.org","base":"https://x"}`,
					`{"t":"boards","boards":[{"b":"` + id + `","role":"editor","link":{"enabled":false,"version":0}}]}`,
				}
			case wire.Subscribe:
				answers = []string{`{"t":"snap","b":"` + id + `","epoch":"1","seq":1,"page":0,"last":true}`}
			case wire.Look:
				looks <- m
			}
			for _, a := range answers {
				if conn.Write(ctx, websocket.MessageText, []byte(a)) != nil {
					return
				}
			}
		}
	})
	a := newDevice(t)
	a.kill()
	a.looks = 5 * time.Millisecond
	a.start()
	a.must(a.LogIn(t.Context(), url, "a@b.org", "x"))
	a.untilSynced()
	a.must(a.Look(id, true))
	for range 5 {
		if got := <-looks; got != (wire.Look{Board: id, Editing: true}) {
			t.Errorf("%+v", got)
		}
	}
	a.must(a.Look("", false))
	for got := range looks {
		if got.Board == "" {
			break
		}
	}
	a.must(a.Look(id, false)) // right after: were the empty look repeated, it might come between
	if got := <-looks; got != (wire.Look{Board: id}) {
		t.Errorf("%+v", got)
	}
}

// What other people's addresses are is not kept from before on the disk of who may not know them.
func TestA6_AddressesLeaveTheDisk(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann.canary@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleOwner)
	bob.until("bob knows ann's address", func() bool { p, ok := bob.member(id, a.who.Account); return ok && p.Email == "ann.canary@example.org" })
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.until("bob does not", func() bool { p, ok := bob.member(id, a.who.Account); return ok && p.Email == "" })
	bob.restart()
	if p, ok := bob.member(id, a.who.Account); !ok || p.Email != "" {
		t.Errorf("%s", text(p))
	}
}
