package people_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	netmail "net/mail"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	letters "github.com/emersion/go-message/mail"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	ann = store.AccountID("acc_ann")
	bob = store.AccountID("acc_bob")
	cat = store.AccountID("acc_cat")
	dan = store.AccountID("acc_dan") // whose address is not proved
	one = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	two = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

func address(a store.AccountID) string { return string(a[4:]) + "@example.org" }

func personal(a store.AccountID) store.OrganisationID {
	return store.OrganisationID("org_" + string(a))
}

// heard is a content.Events that writes down what it hears.
type heard struct{ what []string }

func (h *heard) Content(board.ID, content.Step) { h.what = append(h.what, "content") }
func (h *heard) Access(content.AccessChange)    { h.what = append(h.what, "access") }
func (h *heard) List(a []store.AccountID)       { h.what = append(h.what, fmt.Sprint("list", a)) }
func (h *heard) People(b []board.ID)            { h.what = append(h.what, fmt.Sprint("people", len(b))) }

// failer is what a test fails by: a *testing.T, or a rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world has two dashboards of ann's, in her personal organisation, and others who are nobody there.
type world struct {
	t      failer
	ctx    testing.TB
	store  store.Store
	office *mail.Office
	people *people.Service
	heard  heard
	now    time.Time
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(tb.TempDir(), "server.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = st.Close() })
	w := &world{t: tb, ctx: tb, store: st, now: time.UnixMilli(1_790_000_000_000)}
	office, err := mail.New(mail.Config{ // which is not started: what is queued stays
		Store: st, Now: func() time.Time { return w.now }, Random: rand.Reader, Base: "https://dash.example",
		From: netmail.Address{Name: "Widgets", Address: "no-reply@dash.example"}, Server: relay.Server{Host: "localhost", Port: 25},
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.office = office
	w.people = w.service(st)
	w.update(func(tx store.Tx) error {
		for _, a := range []store.AccountID{ann, bob, cat, dan} {
			verified := int64(1)
			if a == dan {
				verified = 0
			}
			if err := tx.Accounts().Put(store.Account{ID: a, Email: address(a), Personal: personal(a), Verified: verified}); err != nil {
				return err
			}
			if err := tx.Organisations().Put(store.Organisation{ID: personal(a), Name: string(a), Personal: true}); err != nil {
				return err
			}
			if err := tx.Organisations().SetMember(personal(a), a, store.MemberOwner); err != nil {
				return err
			}
		}
		return content.Create(tx, &w.heard, ann, []content.NewBoard{{ID: one, Epoch: 1}, {ID: two, Epoch: 2}})
	})
	w.heard.what = nil
	return w
}

func (w *world) service(st store.Store) *people.Service {
	return people.New(people.Config{
		Store: st, Mail: w.office, Events: &w.heard, Now: func() time.Time { return w.now }, Random: rand.Reader, Base: "https://dash.example",
	})
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.ctx.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.View(w.ctx.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func command(a sharing.Action, set func(*sharing.Command)) sharing.Command {
	c := sharing.Command{ID: sharing.NewCommandID(ulid.Make()), Board: one, Action: a}
	if a == sharing.Invite {
		c.Invitation = sharing.NewInvitationID(ulid.Make())
	}
	set(&c)
	return c
}

// apply applies a command as the server does.
func (w *world) apply(by store.AccountID, c sharing.Command) (out sharelink.Outcome) {
	w.t.Helper()
	minted, err := w.people.Prepare(w.ctx.Context(), access.Account(by), c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx store.Tx) (err error) {
		out, err = people.Apply(tx, &w.heard, access.Account(by), c, minted, w.now.UnixMilli())
		return err
	})
	return out
}

// do is apply for what must succeed.
func (w *world) do(by store.AccountID, a sharing.Action, set func(*sharing.Command)) sharing.Command {
	w.t.Helper()
	c := command(a, set)
	if out := w.apply(by, c); out.Fault != nil {
		w.t.Fatalf("%s: %v", a, out.Fault)
	}
	return c
}

func (w *world) invite(by store.AccountID, email string, role sharing.Role) sharing.InvitationID {
	w.t.Helper()
	return w.do(by, sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = email, role }).Invitation
}

func (w *world) invitation(id sharing.InvitationID) (inv store.Invitation) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		inv, _, err = tx.Invitations().Get(id)
		return err
	})
	return inv
}

var tokens = regexp.MustCompile(`ivt_[0-9A-Za-z]{24}`)

// token is the secret in the latest mail of an invitation.
func (w *world) token(id sharing.InvitationID) (token string) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		inv, _, err := tx.Invitations().Get(id)
		if err != nil {
			return err
		}
		m, ok, err := tx.Outbox().Get(inv.Mail)
		if err != nil || !ok {
			return fmt.Errorf("no mail waits: %w", err)
		}
		r, err := letters.CreateReader(bytes.NewReader(m.Data))
		if err != nil {
			return err
		}
		p, err := r.NextPart()
		if err != nil {
			return err
		}
		text, err := io.ReadAll(p.Body)
		token = tokens.FindString(string(text))
		return err
	})
	if token == "" {
		w.t.Fatal("no token in the mail")
	}
	return token
}

func (w *world) accept(a store.AccountID, token string) error {
	w.t.Helper()
	_, err := w.people.Accept(w.ctx.Context(), a, token)
	return err
}

func (w *world) role(a store.AccountID) (r sharing.Role) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		r, err = tx.Boards().Role(one, a)
		return err
	})
	return r
}

func is(err error, k fault.Kind) bool { return fault.KindOf(err) == k }

func TestQ2_ARepeatedCommandChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := command(sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = address(bob), sharing.RoleViewer })
	for range 3 {
		if out := w.apply(ann, c); out.Fault != nil || out.Same {
			t.Fatalf("%+v", out)
		}
	}
	w.view(func(tx store.Tx) error {
		due, _, err := tx.Outbox().Due(w.now.UnixMilli(), 10)
		if len(due) != 1 || due[0].To != address(bob) || due[0].Invitation != c.Invitation {
			t.Errorf("mails: %+v", due)
		}
		return err
	})
	w.do(ann, sharing.Revoke, func(r *sharing.Command) { r.Invitation = c.Invitation })
	w.view(func(tx store.Tx) error {
		_, first, err := tx.Outbox().Due(w.now.UnixMilli(), 10)
		if first != 0 {
			t.Error("the mail of what was revoked waits still")
		}
		return err
	})
	if out := w.apply(ann, c); out.Fault != nil || w.invitation(c.Invitation).State != store.InvitationRevoked {
		t.Errorf("a repeat revived what was revoked: %+v", out)
	}
}

// Whoever goes by themselves may not share, and takes no link with them.
func TestA6_V1_WhoeverLeavesIsToldNoLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	link := sharing.Link{Enabled: true, Token: "shr_abcdefghijklmnopqrstuvwx", ShortID: "AbCdEfGhI0", Version: 1}
	w.update(func(tx store.Tx) error { return tx.Links().Put(one, link) })
	if err := w.accept(bob, w.token(w.invite(ann, address(bob), sharing.RoleViewer))); err != nil {
		t.Fatal(err)
	}
	c := command(sharing.SetMemberRole, func(c *sharing.Command) { c.Account = string(bob) })
	for range 2 {
		if out := w.apply(bob, c); out.Fault != nil || out.Link != (sharing.Link{}) || w.role(bob) != sharing.RoleNone {
			t.Errorf("left as %q with %+v", w.role(bob), out)
		}
	}
	if out := w.apply(ann, command(sharing.SetEditorShare, func(c *sharing.Command) { c.Allow = true })); out.Link != link {
		t.Errorf("the owner is told %+v", out.Link)
	}
}

func TestI1_I5_InvitingAgainIsKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.invite(ann, "eve@example.org", sharing.RoleViewer)
	again := command(sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "eve@example.org", sharing.RoleViewer })
	if out := w.apply(ann, again); out.Fault != nil || !out.Same {
		t.Errorf("the same again: %+v", out)
	}
	other := command(sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = "eve@example.org", sharing.RoleEditor })
	if out := w.apply(ann, other); out.Fault == nil || out.Fault.Kind != fault.Conflict || out.Fault.Field != "email" {
		t.Errorf("another role: %+v", out)
	}
	w.now = w.now.Add(8 * 24 * time.Hour)
	second := w.invite(ann, "eve@example.org", sharing.RoleEditor)
	if w.invitation(first).State != store.InvitationRevoked || w.invitation(second).State != store.InvitationOpen {
		t.Errorf("one whose time is over was not replaced: %+v", w.invitation(first))
	}
	w.now = w.now.Add(200 * 24 * time.Hour)
	w.invite(ann, "fay@example.org", sharing.RoleEditor)
	if w.invitation(first).ID != "" {
		t.Error("what is over for long is kept for ever")
	}
}

func TestI7_NobodyIsFloodedWithMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.invite(ann, address(bob), sharing.RoleViewer)
	resend := func() sharelink.Outcome {
		return w.apply(ann, command(sharing.Resend, func(c *sharing.Command) { c.Invitation = id }))
	}
	for i := range 4 {
		if out := resend(); out.Fault != nil {
			t.Fatalf("resend %d: %v", i, out.Fault)
		}
	}
	before := w.invitation(id)
	if out := resend(); out.Fault == nil || out.Fault.Kind != fault.Busy || out.Fault.Hint == "" {
		t.Errorf("the sixth mail of a day: %+v", out)
	}
	if w.invitation(id) != before {
		t.Error("what was refused changed the invitation")
	}
	w.now = w.now.Add(5 * time.Hour)
	if out := resend(); out.Fault != nil {
		t.Errorf("hours later: %v", out.Fault)
	}
	for i := range 44 {
		w.invite(ann, fmt.Sprintf("p%d@example.org", i), sharing.RoleViewer)
	}
	refused := 0
	for i := range 10 {
		c := command(sharing.Invite, func(c *sharing.Command) { c.Email, c.Role = fmt.Sprintf("q%d@example.org", i), sharing.RoleViewer })
		if out := w.apply(ann, c); out.Fault != nil && out.Fault.Kind == fault.Busy {
			refused++
		}
	}
	if refused == 0 {
		t.Error("one account may have any number of mails sent")
	}
}

func TestI2_I4_OnlyTheInvitedOneAcceptsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.invite(ann, address(bob), sharing.RoleEditor)
	token := w.token(id)
	if inv := w.invitation(id); string(inv.Hash[:]) == token || inv.Expires-w.now.UnixMilli() != 7*24*3600*1000 {
		t.Errorf("what is kept: %+v", inv)
	}
	if err := w.accept(cat, token); !is(err, fault.Denied) {
		t.Errorf("another account: %v", err)
	}
	w.invite(ann, address(dan), sharing.RoleViewer)
	if _, err := w.people.AcceptWaiting(t.Context(), dan, id); !is(err, fault.NotFound) {
		t.Errorf("by id, somebody else's: %v", err)
	}
	w.heard.what = nil
	if err := w.accept(bob, token); err != nil || w.role(bob) != sharing.RoleEditor {
		t.Fatalf("accept: %v", err)
	}
	if got := fmt.Sprint(w.heard.what); got != "[access content list[acc_bob]]" {
		t.Errorf("heard %s", got)
	}
	if err := w.accept(bob, token); err != nil {
		t.Errorf("once more: %v", err)
	}
	if err := w.accept(cat, token); !is(err, fault.Denied) {
		t.Errorf("somebody else, used: %v", err)
	}
	// The owner removes them: the link does not bring them back.
	w.do(ann, sharing.SetMemberRole, func(c *sharing.Command) { c.Account = string(bob) })
	if err := w.accept(bob, token); err != nil || w.role(bob) != sharing.RoleNone {
		t.Errorf("the used link gave the role again: %v %q", err, w.role(bob))
	}
}

func TestI4_AnUnprovedAddressAcceptsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.invite(ann, address(dan), sharing.RoleViewer)
	if err := w.accept(dan, w.token(id)); !is(err, fault.Denied) || w.role(dan) != sharing.RoleNone {
		t.Errorf("accept: %v", err)
	}
	if all, err := w.people.Waiting(t.Context(), dan); err != nil || len(all) != 0 {
		t.Errorf("waiting: %v %v", all, err)
	}
}

// Nobody comes back by an invitation that they have sent before they were removed.
func TestV1_AnInvitationCountsWhileItsSenderMayShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(ann, sharing.SetEditorShare, func(c *sharing.Command) { c.Allow = true })
	if err := w.accept(bob, w.token(w.invite(ann, address(bob), sharing.RoleEditor))); err != nil {
		t.Fatal(err)
	}
	id := w.invite(bob, address(cat), sharing.RoleViewer)
	token := w.token(id)
	state := func() people.State {
		o, err := w.people.Open(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return o.State
	}
	if state() != people.Open {
		t.Fatal(state())
	}
	w.do(ann, sharing.SetMemberRole, func(c *sharing.Command) { c.Account = string(bob) })
	if err := w.accept(cat, token); state() != people.Revoked || !is(err, fault.Conflict) {
		t.Errorf("%s %v", state(), err)
	}
	if again := w.invite(ann, address(cat), sharing.RoleEditor); w.invitation(id).State != store.InvitationRevoked || w.invitation(again).State != store.InvitationOpen {
		t.Error("the owner cannot invite anew")
	}
}

func TestA1_Move(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	team := store.OrganisationID("org_team")
	w.update(func(tx store.Tx) error {
		if err := tx.Organisations().Put(store.Organisation{ID: team, Name: "Team"}); err != nil {
			return err
		}
		return tx.Organisations().SetMember(team, cat, store.MemberOwner)
	})
	move := func(to store.OrganisationID) sharelink.Outcome {
		return w.apply(ann, command(sharing.Move, func(c *sharing.Command) { c.Organisation = string(to) }))
	}
	for _, to := range []store.OrganisationID{team, personal(bob), "org_x", ""} {
		if out := move(to); out.Fault == nil || out.Fault.Kind != fault.NotFound {
			t.Errorf("to %q: %+v", to, out)
		}
	}
	if out := move(personal(ann)); out.Fault != nil || !out.Same {
		t.Errorf("to where it is: %+v", out)
	}
	w.update(func(tx store.Tx) error { return tx.Organisations().SetMember(team, ann, store.MemberMember) })
	w.heard.what = nil
	if out := move(team); out.Fault != nil || out.Same {
		t.Fatalf("%+v", out)
	}
	if got := fmt.Sprint(w.heard.what); got != "[access content list[acc_ann acc_cat]]" {
		t.Errorf("heard %s", got)
	}
	w.view(func(tx store.Tx) error {
		g, err := access.Open(tx, access.Account(cat), one, access.Own)
		if err != nil || g.Role() != sharing.RoleOwner {
			t.Errorf("the organisation's owner: %v", err)
		}
		m, err := people.Tell(tx, g)
		if len(m.Members) != 2 || !m.Members[0].Own || m.Members[1].Own || m.Organisation != "Team" || m.Size != 2 {
			t.Errorf("told: %+v", m)
		}
		return err
	})
	// What comes with the organisation is not taken away on the dashboard.
	for _, role := range []sharing.Role{sharing.RoleNone, sharing.RoleViewer} {
		out := w.apply(ann, command(sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = string(cat), role }))
		if out.Fault == nil || out.Fault.Kind != fault.Conflict {
			t.Errorf("to %q: %+v", role, out)
		}
	}
}

func TestSI19_AnOwnerRemains(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, role := range []sharing.Role{sharing.RoleNone, sharing.RoleViewer, sharing.RoleEditor} {
		out := w.apply(ann, command(sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = string(ann), role }))
		if out.Fault == nil || out.Fault.Kind != fault.Conflict || w.role(ann) != sharing.RoleOwner {
			t.Errorf("the last owner became %q: %+v", role, out)
		}
	}
	if err := w.accept(bob, w.token(w.invite(ann, address(bob), sharing.RoleEditor))); err != nil {
		t.Fatal(err)
	}
	w.do(ann, sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = string(bob), sharing.RoleOwner })
	w.do(bob, sharing.SetMemberRole, func(c *sharing.Command) { c.Account, c.Role = string(ann), sharing.RoleViewer })
	w.view(func(tx store.Tx) error {
		rec, _, err := tx.Boards().Get(one)
		if rec.Owner != bob {
			t.Errorf("the record names %s", rec.Owner)
		}
		return err
	})
}

// The mail of an invitation to a dashboard that was deleted since does not go out, and its link leads nowhere.
func TestV1_ADeletedDashboardTakesItsInvitationsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.invite(ann, "eve@example.org", sharing.RoleViewer)
	token, waiting := w.token(id), w.invitation(id).Mail
	w.update(func(tx store.Tx) error {
		c := sharing.Command{ID: sharing.NewCommandID(ulid.Make()), Board: one, Action: sharing.Delete}
		out, err := sharelink.Apply(tx, &w.heard, access.Account(ann), c, w.now.UnixMilli())
		if err == nil && out.Fault != nil {
			err = out.Fault
		}
		return err
	})
	w.view(func(tx store.Tx) error {
		if _, waits, err := tx.Outbox().Get(waiting); waits || err != nil {
			t.Errorf("its mail waits: %v %v", waits, err)
		}
		return nil
	})
	if inv := w.invitation(id); inv.State != store.InvitationRevoked {
		t.Errorf("the invitation is %q", inv.State)
	}
	if o, err := w.people.Open(t.Context(), token); err != nil || o.State != people.Revoked || o.What != "" {
		t.Errorf("%+v %v", o, err)
	}
}
