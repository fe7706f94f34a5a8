package workspace_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// The account of newServer, and what its server tells.
const (
	me       = "acc_1"
	personal = "org_personal"
	team     = "org_team"
	bobsInv  = sharing.InvitationID("inv_01J9ZQ0V9K3N8Y2T6W4X5B7C1N")
)

// owned is a device with a dashboard that its server knows and tells all about.
func owned(t *testing.T) (*device, board.ID, *server) {
	t.Helper()
	d := bare(t)
	id := d.create("Shop")
	s := newServer(d, id)
	d.must(d.Welcome(wire.Welcome{Version: 1, Account: me, Email: "a@b", Name: "Ann", Verified: true, Mail: true, Base: "https://x"}, 0))
	d.list(id, wire.Access{Role: sharing.RoleOwner, Share: true, Organisation: personal, Owner: "Ann", Mine: true})
	d.people(id)
	return d, id, s
}

// list tells what the account is to the one dashboard.
func (d *device) list(id board.ID, a wire.Access) {
	d.t.Helper()
	a.Board = id
	_, err := d.Boards(wire.Boards{Boards: []wire.Access{a}, Organisations: []wire.Organisation{
		{ID: team, Name: "Team", Role: "admin"}, {ID: personal, Name: "Ann", Role: "owner", Personal: true},
	}})
	d.must(err)
}

// people tells who can open the dashboard: its owner, Bob who edits it, and Vera by her membership; Carl is invited.
func (d *device) people(id board.ID) {
	d.t.Helper()
	d.must(d.People(wire.People{Board: id, Organisation: "Ann", Size: 2, Members: []sharing.Member{
		{Account: me, Name: "Ann", Email: "a@b", Role: sharing.RoleOwner, Own: true},
		{Account: "acc_bob", Name: "Bob", Email: "bob@example.org", Role: sharing.RoleEditor, Own: true},
		{Account: "acc_vera", Name: "Vera", Email: "vera@example.org", Role: sharing.RoleViewer},
	}, Invitations: []sharing.Invitation{{
		ID: bobsInv, Email: "carl@example.org", Role: sharing.RoleViewer, By: "Ann", Invited: 1, Expires: d.in(1e9), Delivery: sharing.DeliverySent,
	}}}))
}

func (d *device) invite(id board.ID, addresses string) workspace.Invited {
	d.t.Helper()
	got, err := d.Invite(id, addresses, sharing.RoleEditor, " Look at this.\r\nAnn ")
	d.must(err)
	return got
}

// next is the command that may be sent now.
func (d *device) next(id board.ID) sharing.Command {
	d.t.Helper()
	c, ok, err := d.Command(id)
	d.must(err)
	if !ok {
		d.t.Fatal("nothing may be sent")
	}
	return c
}

// settle answers the next command, and tells its fault, if any.
func (d *device) settle(id board.ID, f *fault.Error) sharing.Command {
	d.t.Helper()
	c := d.next(id)
	d.must(d.Result(wire.Result{ID: c.ID, Board: id, Fault: f}))
	return c
}

func TestI1_Q1_InvitationsWaitOnTheDevice(t *testing.T) {
	d, id, _ := owned(t)
	got := d.invite(id, `dora@example.org, "Dr. E" <EVE@example.org>; nonsense dora@example.org; Bob <bob@example.org> carl@example.org a@b`)
	if text(got) != `{"invited":["dora@example.org","eve@example.org"],"bad":["nonsense"],"present":["bob@example.org","carl@example.org","a@b"]}` {
		t.Errorf("%s", text(got))
	}
	if v := d.share(id).Invitations; v[1].ID >= v[2].ID {
		t.Error("the ids are not in order")
	}
	if got := d.invite(id, "eve@example.org"); len(got.Invited) != 0 || len(got.Present) != 1 {
		t.Errorf("invited twice: %s", text(got))
	}
	d.restart()
	v := d.share(id)
	if len(v.Waiting) != 2 || v.Waiting[0].Action != sharing.Invite || len(v.Invitations) != 3 {
		t.Fatalf("%s", text(v))
	}
	if carl := v.Invitations[0]; carl.Waiting != nil || carl.Delivery != sharing.DeliverySent || carl.By != "Ann" || carl.Expired {
		t.Errorf("%s", text(carl))
	}
	eve := v.Invitations[2]
	if eve.Email != "eve@example.org" || eve.Role != sharing.RoleEditor || eve.Delivery != workspace.DeliveryWaiting || *eve.Waiting != sharing.Invite ||
		eve.By != "Ann" || eve.Invited != d.clock().UnixMilli() || eve.Expires != eve.Invited+sharing.InvitationLifetime {
		t.Errorf("%s", text(eve))
	}
	first := d.settle(id, nil)
	if first.Email != "dora@example.org" || first.Message != "Look at this.\nAnn" || first.Role != sharing.RoleEditor || first.Invitation != v.Invitations[1].ID || first.Base != 0 {
		t.Errorf("%+v", first)
	}
	// Until the server tells the people anew, the invitation stays in sight.
	if v := d.share(id); len(v.Waiting) != 1 || len(v.Invitations) != 3 || v.Invitations[1].Delivery != sharing.DeliveryQueued || v.Invitations[1].Waiting != nil {
		t.Errorf("%s", text(v))
	}
}

func TestI1_B1_BadInvitationsNameTheFieldAndQueueNothing(t *testing.T) {
	d, id, _ := owned(t)
	many := ""
	for i := range sharing.MaxInvitees + 1 {
		many += fmt.Sprintf("p%d@example.org\n", i)
	}
	for name, c := range map[string]struct {
		addresses, message string
		role               sharing.Role
		field              string
	}{
		"nobody":        {" ,; ", "", sharing.RoleViewer, "addresses"},
		"too many":      {many, "", sharing.RoleViewer, "addresses"},
		"as owner":      {"x@example.org", "", sharing.RoleOwner, "role"},
		"as nothing":    {"x@example.org", "", "", "role"},
		"long message":  {"x@example.org", strings.Repeat("a", sharing.MaxMessage+1), sharing.RoleViewer, "message"},
		"control signs": {"x@example.org", "a\x00b", sharing.RoleViewer, "message"},
	} {
		_, err := d.Invite(id, c.addresses, c.role, c.message)
		if f := isFault(t, err, fault.Invalid); f.Field != c.field {
			t.Errorf("%s: names %q (%s)", name, f.Field, f.Message)
		}
	}
	lots := []sharing.Invitation{}
	for i := range sharing.MaxPending {
		lots = append(lots, sharing.Invitation{ID: sharing.InvitationID(fmt.Sprint(i)), Email: fmt.Sprintf("q%d@example.org", i), Expires: d.in(1e9)})
	}
	d.must(d.People(wire.People{Board: id, Invitations: lots}))
	_, err := d.Invite(id, "x@example.org", sharing.RoleViewer, "")
	if f := isFault(t, err, fault.Invalid); f.Field != "addresses" {
		t.Errorf("%+v", f)
	}
	if got := d.invite(id, "nonsense"); len(got.Bad) != 1 || len(got.Invited) != 0 {
		t.Errorf("%s", text(got))
	}
	if v := d.share(id); len(v.Waiting) != 0 {
		t.Errorf("%s", text(v.Waiting))
	}
}

// Before there is an account invitations wait, and the user is told for what.
func TestQ1_InvitationsWaitForAnAccount(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	sub := d.Subscribe()
	defer sub.Close()
	d.invite(id, "bob@example.org")
	events, err := sub.Wait(t.Context())
	d.must(err)
	if !strings.Contains(text(events), "1 invitation waits until you sign in.") {
		t.Errorf("%s", text(events))
	}
	if s := d.State().Sync; s.Hint != "1 invitation waits until you sign in." {
		t.Errorf("%+v", s)
	}
	if v := d.share(id); len(v.Invitations) != 1 || v.Invitations[0].By != "You" || !v.CanManage {
		t.Errorf("%s", text(v))
	}
	newServer(d, id)
	if c := d.settle(id, nil); c.Email != "bob@example.org" {
		t.Errorf("%+v", c)
	}
}

func TestI5_RevokeAtAnyTime(t *testing.T) {
	d, id, _ := owned(t)
	revoke := func(i sharing.InvitationID) error {
		return d.Share(id, workspace.ShareChange{Action: sharing.Revoke, Invitation: i})
	}
	resend := func(i sharing.InvitationID) error {
		return d.Share(id, workspace.ShareChange{Action: sharing.Resend, Invitation: i})
	}
	waits := func(want ...sharing.Action) {
		t.Helper()
		got := []sharing.Action{}
		for _, c := range d.share(id).Waiting {
			got = append(got, c.Action)
		}
		if !slices.Equal(got, want) {
			t.Errorf("wait %v, want %v", got, want)
		}
	}
	// One that never left the device is simply taken back, also by a later run of the program.
	d.invite(id, "dora@example.org")
	d.restart()
	dora := d.share(id).Invitations[1].ID
	d.must(resend(dora)) // it goes out anyway
	waits(sharing.Invite)
	d.must(revoke(dora))
	waits()
	isFault(t, revoke(dora), fault.NotFound)
	// One that may have left it is revoked there, also after a crash.
	d.invite(id, "eve@example.org")
	eve := d.next(id)
	d.restart()
	d.must(revoke(eve.Invitation))
	waits(sharing.Revoke)
	if n := len(d.share(id).Invitations); n != 1 {
		t.Errorf("%d invitations", n)
	}
	d.must(d.Result(wire.Result{ID: eve.ID, Board: id})) // the answer comes late
	if c := d.settle(id, nil); c.Action != sharing.Revoke || c.Invitation != eve.Invitation {
		t.Errorf("%+v", c)
	}
	waits()
	// One that the server tells of.
	d.must(resend(bobsInv))
	d.must(resend(bobsInv))
	waits(sharing.Resend)
	if i := d.share(id).Invitations[0]; *i.Waiting != sharing.Resend {
		t.Errorf("%s", text(i))
	}
	d.must(revoke(bobsInv))
	d.must(revoke(bobsInv))
	waits(sharing.Revoke)
	if i := d.share(id).Invitations[0]; *i.Waiting != sharing.Revoke {
		t.Errorf("%s", text(i))
	}
	isFault(t, resend(bobsInv), fault.Conflict)
	if got := d.invite(id, "carl@example.org"); len(got.Invited) != 1 {
		t.Errorf("cannot be invited anew: %s", text(got))
	}
	d.settle(id, nil)
	if v := d.share(id); len(v.Invitations) != 1 || v.Invitations[0].Email != "carl@example.org" || *v.Invitations[0].Waiting != sharing.Invite {
		t.Errorf("%s", text(v))
	}
	for _, bad := range []sharing.InvitationID{"", "inv_x", "inv_01J9ZQ0V9K3N8Y2T6W4X5B7C1Z"} {
		if err := revoke(bad); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// An invitation whose link does not work any more can be sent anew or be made again.
func TestI5_ExpiredInvitations(t *testing.T) {
	d, id, _ := owned(t)
	d.must(d.People(wire.People{Board: id, Invitations: []sharing.Invitation{{ID: bobsInv, Email: "carl@example.org", Expires: d.in(-1)}}}))
	if v := d.share(id); !v.Invitations[0].Expired {
		t.Errorf("%s", text(v))
	}
	if got := d.invite(id, "carl@example.org"); len(got.Invited) != 1 {
		t.Errorf("%s", text(got))
	}
}

func TestI6_RolesAndRemovalAreShownAsWaiting(t *testing.T) {
	d, id, _ := owned(t)
	role := func(account string, r sharing.Role) error {
		return d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: account, Role: r})
	}
	bob := func() workspace.Person { return d.share(id).People[1] }
	if p := bob(); p.Name != "Bob" || p.You || p.Waiting != nil || p.Role != sharing.RoleEditor || !d.share(id).People[0].You {
		t.Errorf("%s", text(p))
	}
	d.must(role("acc_bob", sharing.RoleEditor)) // as it is
	if n := len(d.share(id).Waiting); n != 0 {
		t.Errorf("%d wait", n)
	}
	d.must(role("acc_bob", sharing.RoleViewer))
	d.must(role("acc_bob", sharing.RoleViewer))
	d.restart()
	if p := bob(); p.Role != sharing.RoleEditor || text(p.Waiting) != `{"action":"role","role":"viewer"}` || len(d.share(id).Waiting) != 1 {
		t.Errorf("%s", text(p))
	}
	d.settle(id, nil)
	if p := bob(); p.Role != sharing.RoleViewer || p.Waiting != nil {
		t.Errorf("%s", text(p))
	}
	d.must(role("acc_bob", sharing.RoleNone))
	if p := bob(); text(p.Waiting) != `{"action":"remove"}` {
		t.Errorf("%s", text(p))
	}
	if got := d.invite(id, "bob@example.org"); len(got.Invited) != 1 {
		t.Errorf("whoever is being removed cannot be invited: %s", text(got))
	}
	d.settle(id, nil)
	if n := len(d.share(id).People); n != 2 {
		t.Errorf("%d people", n)
	}
	isFault(t, role("acc_vera", sharing.RoleNone), fault.Conflict) // she is there as a member
	isFault(t, role("acc_bob", sharing.RoleViewer), fault.NotFound)
	isFault(t, role("", sharing.RoleViewer), fault.Invalid)
	isFault(t, role("acc_vera", "king"), fault.Invalid)
	d.must(role("acc_vera", sharing.RoleEditor))
}

func TestA3_EditorsShareWhereTheOwnerLetsThem(t *testing.T) {
	d, id, _ := owned(t)
	allow := workspace.ShareChange{Action: sharing.SetEditorShare, Allow: true}
	d.must(d.Share(id, allow))
	d.must(d.Share(id, allow))
	if v := d.share(id); !v.EditorsShare || len(v.Waiting) != 1 {
		t.Errorf("%s", text(v))
	}
	d.settle(id, nil)
	if v := d.share(id); !v.EditorsShare || len(v.Waiting) != 0 {
		t.Errorf("%s", text(v))
	}
	// As an editor who may: people and link, but not what is the owner's.
	d.list(id, wire.Access{Role: sharing.RoleEditor, Share: true, Owner: "Olga", Link: sharing.Link{Enabled: true, Token: "shr_x", Version: 2}})
	if b, v := d.summary(id), d.share(id); !b.CanShare || b.Mine || b.Owner != "Olga" || b.Mode != sharing.Public || !v.CanManage || len(v.Invitations) != 1 {
		t.Errorf("%s %s", text(b), text(v))
	}
	d.invite(id, "dora@example.org")
	for _, ask := range []workspace.ShareChange{
		{Action: sharing.SetEditorShare},
		{Action: sharing.Move, Organisation: team},
		{Action: sharing.SetMemberRole, Account: "acc_bob", Role: sharing.RoleOwner},
	} {
		isFault(t, d.Share(id, ask), fault.Denied)
	}
	// Not any more: nothing that only those may know who share stays here, on disk neither.
	d.list(id, wire.Access{Role: sharing.RoleEditor, Owner: "Olga"})
	d.restart()
	if b, v := d.summary(id), d.share(id); b.CanShare || b.Mode != sharing.Private || v.CanManage || len(v.Invitations) != 0 || len(v.People) != 3 ||
		v.People[1].Email != "" || v.InForce.Token != "" {
		t.Errorf("%s %s", text(b), text(v))
	}
	isFault(t, d.Share(id, to(sharing.Disable)), fault.Denied)
	_, err := d.Invite(id, "x@example.org", sharing.RoleViewer, "")
	isFault(t, err, fault.Denied)
	// A viewer is told of nobody, and may go.
	d.list(id, wire.Access{Role: sharing.RoleViewer, Owner: "Olga"})
	if v := d.share(id); len(v.People) != 1 || !v.People[0].You || v.People[0].Account != me {
		t.Errorf("%s", text(v))
	}
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: me}))
	isFault(t, d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_bob"}), fault.Denied)
}

// What lets people in waits for the edits made before it; what takes access away waits for no edits, nor behind what does.
func TestV1_Q2_RevocationsOvertakeInvitations(t *testing.T) {
	for name, c := range map[string]struct {
		ask   workspace.ShareChange
		waits bool
	}{
		"resend":         {workspace.ShareChange{Action: sharing.Resend, Invitation: bobsInv}, true},
		"revoke":         {workspace.ShareChange{Action: sharing.Revoke, Invitation: bobsInv}, false},
		"lower":          {workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_bob", Role: sharing.RoleViewer}, false},
		"raise":          {workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_vera", Role: sharing.RoleEditor}, true},
		"remove":         {workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_bob"}, false},
		"editors share":  {workspace.ShareChange{Action: sharing.SetEditorShare, Allow: true}, true},
		"move to a team": {workspace.ShareChange{Action: sharing.Move, Organisation: team}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, id, s := owned(t)
			d.edit(id, "Rename", setTitle("", "before"))
			d.invite(id, "dora@example.org")
			d.must(d.Share(id, c.ask))
			d.edit(id, "Rename", setTitle("", "after"))
			got, ok, err := d.Command(id)
			if err != nil || ok == c.waits || ok && got.Action != c.ask.Action {
				t.Fatalf("%v, %+v, %v", ok, got, err)
			}
			if ok {
				d.settle(id, nil)
			}
			s.push()
			if st, err := s.hub.State(); err != nil || boardTitle(st) != "before" {
				t.Errorf("%q has arrived (%v)", boardTitle(st), err)
			}
			for len(d.share(id).Waiting) > 0 {
				d.settle(id, nil)
			}
			s.push()
			if st, err := s.hub.State(); err != nil || boardTitle(st) != "after" {
				t.Errorf("%q has arrived (%v)", boardTitle(st), err)
			}
		})
	}
	t.Run("the same person in order", func(t *testing.T) {
		d, id, s := owned(t)
		d.edit(id, "Rename", setTitle("", "before"))
		d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_vera", Role: sharing.RoleEditor}))
		d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_vera", Role: sharing.RoleViewer}))
		d.must(d.Share(id, to(sharing.Enable)))
		d.must(d.Share(id, to(sharing.Disable)))
		if c, ok, err := d.Command(id); ok || err != nil {
			t.Errorf("%+v overtook (%v)", c, err)
		}
		s.push()
		if c := d.settle(id, nil); c.Role != sharing.RoleEditor {
			t.Errorf("%+v", c)
		}
	})
	t.Run("to where nobody else is", func(t *testing.T) {
		d, id, _ := owned(t)
		d.list(id, wire.Access{Role: sharing.RoleOwner, Share: true, Organisation: team, Owner: "Ann", Mine: true})
		d.edit(id, "Rename", setTitle("", "before"))
		d.must(d.Share(id, workspace.ShareChange{Action: sharing.Move, Organisation: personal}))
		if c := d.next(id); c.Action != sharing.Move {
			t.Errorf("%+v", c)
		}
	})
}

// Commands on people stand between those on the link without any effect on these.
func TestV3_PeopleBetweenChangesOfTheLink(t *testing.T) {
	d, id, c := shared(t)
	d.must(d.People(wire.People{Board: id, Members: []sharing.Member{{Account: "acc_bob", Name: "Bob", Role: sharing.RoleEditor, Own: true}}}))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetStill, Still: true}))
	d.invite(id, "dora@example.org")
	d.must(d.Share(id, to(sharing.Rotate)))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_bob"}))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetSlug, Slug: "team-status"}))
	if l := d.share(id).Wanted; l.Slug != "team-status" || l.Version != c.link.Version+3 {
		t.Errorf("%+v", l)
	}
	for {
		cmd, ok, err := d.Command(id)
		d.must(err)
		if !ok {
			break
		}
		if cmd.Action.People() {
			d.must(d.Result(wire.Result{ID: cmd.ID, Board: id, Link: c.link, Same: cmd.Action == sharing.SetMemberRole}))
			continue
		}
		if f := c.decide(cmd); f != nil {
			t.Errorf("%s: %v", cmd.Action, f)
		}
		c.answer(cmd, c.past[cmd.ID])
	}
	if l := d.share(id).InForce; l.Slug != "team-status" || !l.Still || len(d.share(id).Waiting) != 0 {
		t.Errorf("%+v", l)
	}
}

// A refused command is kept and says whom it was about.
func TestV3_RefusedInvitationsNameTheAddress(t *testing.T) {
	d, id, _ := owned(t)
	sub := d.Subscribe()
	defer sub.Close()
	d.invite(id, "dora@example.org eve@example.org")
	no := fault.New(fault.Busy, "You have invited many people within the hour.").WithHint("Try again in 12 minutes.")
	d.settle(id, no)
	d.settle(id, no)
	const both = "dora@example.org was not invited: You have invited many people within the hour. Try again in 12 minutes. " +
		"eve@example.org was not invited: You have invited many people within the hour. Try again in 12 minutes."
	d.restart()
	if r := d.share(id).Refused; r == nil || r.Action != sharing.Invite || r.Message != both {
		t.Errorf("%s", text(r))
	}
	if n := len(d.share(id).Invitations); n != 1 {
		t.Errorf("%d invitations", n)
	}
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: "acc_bob"}))
	d.settle(id, fault.New(fault.Conflict, "A dashboard needs an owner."))
	if r := d.share(id).Refused; r.Action != sharing.SetMemberRole || r.Message != "Bob was not removed: A dashboard needs an owner." {
		t.Errorf("%s", text(r))
	}
	if p := d.share(id).People[1]; p.Waiting != nil || p.Role != sharing.RoleEditor {
		t.Errorf("%s", text(p))
	}
}

func TestA1_DashboardsAreMadeInAndMovedToOrganisations(t *testing.T) {
	d, id, s := owned(t)
	st := d.State()
	if text(st.Organisations) != `[{"id":"org_personal","name":"Ann","role":"owner","personal":true},{"id":"org_team","name":"Team","role":"admin","personal":false}]` {
		t.Errorf("%s", text(st.Organisations))
	}
	if text(st.Account) != `{"id":"acc_1","email":"a@b","name":"Ann","server":"https://x","verified":true,"manageUrl":"https://x/account"}` {
		t.Errorf("%s", text(st.Account))
	}
	if o := d.share(id).Organisation; text(o) != `{"id":"org_personal","name":"Ann","size":2,"personal":true}` {
		t.Errorf("%s", text(o))
	}
	made, err := d.CreateIn("Plan", team)
	d.must(err)
	if b := d.summary(made); b.Organisation != team || !b.Mine || !b.CanShare || b.Owner != "" {
		t.Errorf("%s", text(b))
	}
	d.restart()
	newHub(d, made).push()
	if c := d.settle(made, nil); c.Action != sharing.Move || c.Organisation != team {
		t.Errorf("%+v", c)
	}
	if b := d.summary(made); b.Organisation != team || len(d.share(made).Waiting) != 0 {
		t.Errorf("%s", text(b))
	}
	own, err := d.CreateIn("Mine", personal)
	d.must(err)
	if n := len(d.share(own).Waiting); n != 0 {
		t.Errorf("%d commands to stay where it is", n)
	}
	_, err = d.CreateIn("Nowhere", "org_of_others")
	if f := isFault(t, err, fault.Invalid); f.Field != "organisation" {
		t.Errorf("%+v", f)
	}
	move := func(o string) error { return d.Share(id, workspace.ShareChange{Action: sharing.Move, Organisation: o}) }
	isFault(t, move("org_of_others"), fault.Invalid)
	d.must(move(personal))
	d.must(move(team))
	if b, o := d.summary(id), d.share(id).Organisation; b.Organisation != team || o.ID != personal {
		t.Errorf("%s %s", text(b), text(o))
	}
	s.push()
	d.settle(id, fault.New(fault.NotFound, "There is no such organisation."))
	if b := d.summary(id); b.Organisation != personal {
		t.Errorf("%s", text(b))
	}
	// Another account is not a member of these.
	d.must(d.LogOut(t.Context()))
	if st := d.State(); len(st.Organisations) != 0 || st.Account != nil {
		t.Errorf("%s", text(st))
	}
}

func TestA4_PresenceIsShownWhileThereIsAConnection(t *testing.T) {
	d, id, _ := owned(t)
	d.SetConnection(workspace.Connection{State: workspace.StateSynced})
	d.must(d.Presence(wire.Presence{Board: id, People: []wire.Present{{Account: me, Name: "Ann"}, {Account: "acc_bob", Name: "Bob", Editing: true}}}))
	if p := d.share(id).Presence; text(p) != `[{"account":"acc_bob","name":"Bob","editing":true}]` {
		t.Errorf("%s", text(p))
	}
	before := d.view(id).Version
	d.must(d.Presence(wire.Presence{Board: id, People: []wire.Present{{Account: me, Name: "Ann"}, {Account: "acc_bob", Name: "Bob", Editing: true}}}))
	if d.view(id).Version != before {
		t.Error("what is known already is told again")
	}
	d.SetConnection(workspace.Connection{State: workspace.StateOffline})
	if v := d.view(id); len(v.Share.Presence) != 0 || v.Version == before {
		t.Errorf("%s", text(v.Share.Presence))
	}
}

// Looking is told of what the server has, and editing is over when it is not said again.
func TestLookingIsForTheServersDashboards(t *testing.T) {
	d, id, _ := owned(t)
	local := d.create("Local")
	isFault(t, d.Look("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1E", false), fault.NotFound)
	for _, c := range []struct {
		look    board.ID
		editing bool
		wait    int64 // ms, before it is asked
		want    wire.Look
	}{
		{id, false, 0, wire.Look{Board: id}},
		{id, true, 0, wire.Look{Board: id, Editing: true}},
		{id, true, wire.LookEvery - 1, wire.Look{Board: id, Editing: true}},
		{id, true, wire.LookEvery, wire.Look{Board: id}},
		{local, true, 0, wire.Look{}},
		{"", true, 0, wire.Look{}},
	} {
		d.must(d.Look(c.look, c.editing))
		d.wait(time.Duration(c.wait) * time.Millisecond)
		if got := d.Looking(); got != c.want {
			t.Errorf("%+v: got %+v", c, got)
		}
	}
	d.must(d.Look(id, false))
	d.must(d.Denied(wire.Denied{Board: id, Message: "no"}))
	if got := d.Looking(); got != (wire.Look{}) {
		t.Errorf("%+v", got)
	}
}

// Access that was taken away is told in words and leaves nothing of others here; once given back, all is as before.
func TestI6_Q4_RemovedAndInvitedAgain(t *testing.T) {
	d, id, s := owned(t)
	d.list(id, wire.Access{Role: sharing.RoleEditor, Share: true, Owner: "Olga"})
	d.edit(id, "Describe", workspace.Edit{Do: workspace.DoBoard, Field: "description", Value: raws(`"unsent"`)[0]})
	sub := d.Subscribe()
	defer sub.Close()
	d.must(d.Denied(wire.Denied{Board: id, Message: "There is nothing at this address."}))
	events, err := sub.Wait(t.Context())
	d.must(err)
	if !strings.Contains(text(events), "“Shop”: It belongs to Olga and is not shared with you any more.") {
		t.Errorf("%s", text(events))
	}
	d.restart()
	b, v := d.summary(id), d.share(id)
	if b.Sync != workspace.SyncDenied || b.CanShare || v.CanManage || len(v.Invitations) != 0 || len(v.People) != 1 || v.Organisation != nil {
		t.Errorf("%s %s", text(b), text(v))
	}
	_, err = d.Edit(id, []workspace.Edit{setTitle("", "x")}, "Rename")
	isFault(t, err, fault.Denied)
	fresh, err := d.Boards(wire.Boards{Boards: []wire.Access{{Board: id, Role: sharing.RoleEditor, Owner: "Olga"}}})
	d.must(err)
	if len(fresh) != 1 || d.summary(id).Sync != workspace.SyncRefused {
		t.Errorf("%v, %s", fresh, text(d.summary(id)))
	}
	d.edit(id, "Rename", setTitle("", "again"))
	s.push()
	if st, err := s.hub.State(); err != nil || boardTitle(st) != "again" {
		t.Errorf("%q (%v)", boardTitle(st), err)
	}
	copied, err := d.KeepCopy(id)
	d.must(err)
	if v := d.view(copied); v.Title != "again (copy)" || v.Description != "unsent" {
		t.Errorf("%s", text(v))
	}
	if v := d.view(id); v.Sync != workspace.SyncSaved || v.Description != "" {
		t.Errorf("%s", text(v))
	}
}
