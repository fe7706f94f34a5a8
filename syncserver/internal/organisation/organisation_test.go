package organisation_test

import (
	"crypto/rand"
	"fmt"
	netmail "net/mail"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	ann = store.AccountID("acc_ann")
	bob = store.AccountID("acc_bob")
	cat = store.AccountID("acc_cat")
	dan = store.AccountID("acc_dan")
	one = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	two = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

func everybody() []store.AccountID { return []store.AccountID{ann, bob, cat, dan} }

// heard is a content.Events that writes down whose lists changed and how far each dashboard's epoch has come.
type heard struct {
	mu     sync.Mutex
	lists  []store.AccountID
	epochs map[board.ID]uint64
	people int
}

func (h *heard) Content(board.ID, content.Step) {}
func (h *heard) Access(c content.AccessChange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.epochs[c.Board] = c.Epoch
}

func (h *heard) List(a []store.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lists = append(h.lists, a...)
}

func (h *heard) People(b []board.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people += len(b)
}

// world has four accounts and an organisation of ann's, with two dashboards: one of ann's and one of bob's, who is a member.
type world struct {
	t     *testing.T
	store store.Store
	orgs  *organisation.Service
	heard heard
	now   time.Time
	team  store.OrganisationID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db"), Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w := &world{t: t, store: st, now: time.UnixMilli(1_790_000_000_000), heard: heard{epochs: map[board.ID]uint64{}}}
	now := func() time.Time { return w.now }
	office, err := mail.New(mail.Config{ // which is not started: what is queued stays
		Store: st, Now: now, Random: rand.Reader, Base: "https://dash.example",
		From: netmail.Address{Name: "Widgets", Address: "no-reply@dash.example"}, Server: relay.Server{Host: "localhost", Port: 25},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.orgs = organisation.New(organisation.Config{Store: st, Mail: office, Events: &w.heard, Now: now, Random: rand.Reader, Base: "https://dash.example"})
	w.update(func(tx store.Tx) error {
		for _, a := range everybody() {
			personal := store.OrganisationID("org_" + string(a))
			if err := tx.Accounts().Put(store.Account{ID: a, Email: string(a[4:]) + "@example.org", Personal: personal, Verified: 1}); err != nil {
				return err
			}
			if err := tx.Organisations().Put(store.Organisation{ID: personal, Name: string(a), Personal: true}); err != nil {
				return err
			}
			if err := tx.Organisations().SetMember(personal, a, store.MemberOwner); err != nil {
				return err
			}
		}
		return nil
	})
	o, err := w.orgs.Create(t.Context(), ann, "  Team  ")
	if err != nil || o.Name != "Team" {
		t.Fatal(o, err)
	}
	w.team = o.ID
	w.join(bob, store.MemberMember)
	w.update(func(tx store.Tx) error {
		for id, owner := range map[board.ID]store.AccountID{one: ann, two: bob} {
			if err := content.Create(tx, &w.heard, owner, []content.NewBoard{{ID: id, Epoch: 1}}); err != nil {
				return err
			}
			rec, _, err := tx.Boards().Get(id)
			if err != nil {
				return err
			}
			rec.Organisation = w.team
			if err := tx.Boards().Put(rec); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) join(a store.AccountID, role store.MemberRole) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return organisation.Join(tx, &w.heard, w.team, a, role) })
}

func (w *world) set(by, whom store.AccountID, role store.MemberRole) error {
	return w.orgs.SetMember(w.t.Context(), by, w.team, whom, role)
}

// role is what an account is to a dashboard.
func (w *world) role(a store.AccountID, id board.ID) (r sharing.Role) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		g, err := access.Open(tx, access.Account(a), id, access.View)
		r = g.Role()
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func is(err error, k fault.Kind) bool { return fault.KindOf(err) == k }

func TestV1_A2_WhoIsRemovedLosesEveryDashboardAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if w.role(bob, one) != sharing.RoleViewer || w.role(bob, two) != sharing.RoleOwner || w.role(ann, two) != sharing.RoleOwner {
		t.Fatalf("%q %q %q", w.role(bob, one), w.role(bob, two), w.role(ann, two))
	}
	w.heard.lists, w.heard.epochs = nil, map[board.ID]uint64{}
	if err := w.set(ann, bob, store.MemberNone); err != nil {
		t.Fatal(err)
	}
	if w.role(bob, one) != sharing.RoleNone || w.role(bob, two) != sharing.RoleNone {
		t.Errorf("bob still is %q and %q", w.role(bob, one), w.role(bob, two))
	}
	if fmt.Sprint(w.heard.lists) != "[acc_bob]" || len(w.heard.epochs) != 2 {
		t.Errorf("heard %v %v", w.heard.lists, w.heard.epochs)
	}
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		rec, _, err := tx.Boards().Get(two)
		if own, err := tx.Boards().Role(two, ann); err != nil || rec.Owner != ann || own != sharing.RoleOwner || rec.Epoch != w.heard.epochs[two] {
			t.Errorf("what bob owned is %s's, who is %q: %+v", rec.Owner, own, rec)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestA1_WhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join(cat, store.MemberAdmin)
	ctx := t.Context()
	guest := organisation.Guest{Email: "eve@example.org", Role: store.MemberMember}
	for name, c := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"a stranger looks":          {func() error { _, err := w.orgs.Look(ctx, dan, w.team); return err }(), fault.NotFound},
		"a stranger renames":        {w.orgs.Rename(ctx, dan, w.team, "X"), fault.NotFound},
		"a stranger invites":        {w.orgs.Invite(ctx, dan, w.team, guest), fault.NotFound},
		"of none at all":            {w.orgs.Rename(ctx, dan, "org_x", "X"), fault.NotFound},
		"a member renames":          {w.orgs.Rename(ctx, bob, w.team, "X"), fault.Denied},
		"a member invites":          {w.orgs.Invite(ctx, bob, w.team, guest), fault.Denied},
		"a member rises":            {w.set(bob, bob, store.MemberAdmin), fault.Denied},
		"a member removes another":  {w.set(bob, ann, store.MemberNone), fault.Denied},
		"an admin rises":            {w.set(cat, cat, store.MemberOwner), fault.Denied},
		"an admin lowers an owner":  {w.set(cat, ann, store.MemberMember), fault.Denied},
		"an admin removes an owner": {w.set(cat, ann, store.MemberNone), fault.Denied},
		"an admin deletes":          {w.orgs.Delete(ctx, cat, w.team), fault.Denied},
		"nobody is brought in":      {w.set(ann, dan, store.MemberMember), fault.NotFound},
		"no such role":              {w.set(ann, bob, "king"), fault.Invalid},
		"the last owner leaves":     {w.set(ann, ann, store.MemberNone), fault.Conflict},
		"the last owner is lowered": {w.set(ann, ann, store.MemberAdmin), fault.Conflict},
		"it has dashboards":         {w.orgs.Delete(ctx, ann, w.team), fault.Conflict},
		"personal, invite":          {w.orgs.Invite(ctx, ann, "org_acc_ann", guest), fault.Conflict},
		"personal, delete":          {w.orgs.Delete(ctx, ann, "org_acc_ann"), fault.Conflict},
		"personal, leave":           {w.orgs.SetMember(ctx, ann, "org_acc_ann", ann, store.MemberNone), fault.Conflict},
		"invite an owner":           {w.orgs.Invite(ctx, ann, w.team, organisation.Guest{Email: "eve@example.org", Role: store.MemberOwner}), fault.Invalid},
		"invite nobody":             {w.orgs.Invite(ctx, ann, w.team, organisation.Guest{Email: "eve", Role: store.MemberMember}), fault.Invalid},
		"invite oneself":            {w.orgs.Invite(ctx, ann, w.team, organisation.Guest{Email: "ann@example.org", Role: store.MemberMember}), fault.Conflict},
		"invite a member":           {w.orgs.Invite(ctx, ann, w.team, organisation.Guest{Email: "bob@example.org", Role: store.MemberMember}), fault.Conflict},
		"no name":                   {w.orgs.Rename(ctx, ann, w.team, " \t "), fault.Invalid},
		"a long name":               {w.orgs.Rename(ctx, ann, w.team, strings.Repeat("ä", 81)), fault.Invalid},
		"two lines":                 {w.orgs.Rename(ctx, ann, w.team, "a\nb"), fault.Invalid},
		"80 characters":             {w.orgs.Rename(ctx, cat, w.team, strings.Repeat("ä", 80)), ""},
		"an admin invites":          {w.orgs.Invite(ctx, cat, w.team, guest), ""},
		"an admin makes an admin":   {w.set(cat, bob, store.MemberAdmin), ""},
		"the same again":            {w.set(cat, bob, store.MemberAdmin), ""},
	} {
		if !is(c.err, c.want) {
			t.Errorf("%s: %v, want %q", name, c.err, c.want)
		}
	}
}

func TestA1_LimitsAndInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for i := range organisation.MaxOfAccount - 1 {
		if _, err := w.orgs.Create(ctx, dan, fmt.Sprint("Org ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.orgs.Create(ctx, dan, "One too many"); !is(err, fault.Conflict) {
		t.Errorf("one too many: %v", err)
	}
	guest := organisation.Guest{Email: "eve@example.org", Role: store.MemberMember, Message: "Come in."}
	for range 2 { // the second changes nothing
		if err := w.orgs.Invite(ctx, ann, w.team, guest); err != nil {
			t.Fatal(err)
		}
	}
	guest.Role = store.MemberAdmin
	if err := w.orgs.Invite(ctx, ann, w.team, guest); !is(err, fault.Conflict) {
		t.Errorf("in another role: %v", err)
	}
	look := func(a store.AccountID) organisation.Details {
		t.Helper()
		d, err := w.orgs.Look(ctx, a, w.team)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := look(ann)
	if len(d.Invitations) != 1 || len(d.People) != 2 || d.People[0].Email == "" {
		t.Fatalf("an owner sees %+v", d)
	}
	if m := look(bob); len(m.Invitations) != 0 || len(m.People) != 2 || m.People[0].Email != "" {
		t.Errorf("a member sees %+v", m)
	}
	id, accepted := d.Invitations[0].ID, store.InvitationID("inv_accepted")
	if err := w.orgs.Resend(ctx, bob, w.team, id); !is(err, fault.Denied) {
		t.Errorf("a member sends it again: %v", err)
	}
	if err := w.orgs.Resend(ctx, ann, w.team, id); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := w.orgs.Revoke(ctx, ann, w.team, id); err != nil {
			t.Error(err)
		}
	}
	w.update(func(tx store.Tx) error {
		inv, _, err := tx.Invitations().Get(id)
		if err != nil {
			return err
		}
		inv.ID, inv.Hash, inv.State, inv.Mail = accepted, store.Hash{1}, store.InvitationAccepted, ""
		return tx.Invitations().Put(inv)
	})
	for by, want := range map[store.AccountID]fault.Kind{dan: fault.NotFound, bob: fault.Denied, ann: fault.Conflict} {
		if err := w.orgs.Resend(ctx, by, w.team, accepted); !is(err, want) {
			t.Errorf("%s sends what was accepted again: %v", by, err)
		}
	}
	if err := w.orgs.Resend(ctx, ann, w.team, id); !is(err, fault.NotFound) {
		t.Errorf("what was revoked is sent again: %v", err)
	}
	if err := w.store.View(ctx, func(tx store.Tx) error {
		if _, first, err := tx.Outbox().Due(w.now.UnixMilli(), 1); err != nil || first != 0 {
			t.Error("the mail of what was revoked waits still")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Whatever is done in whatever order, there is an owner, of the organisation and of each of its dashboards; and whoever is
// not in it any more sees none of them.
func TestSI19_AnOwnerRemains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		account := rapid.SampledFrom(everybody())
		role := rapid.SampledFrom([]store.MemberRole{store.MemberOwner, store.MemberAdmin, store.MemberMember, store.MemberNone})
		r.Repeat(map[string]func(*rapid.T){
			"set": func(r *rapid.T) {
				if err := w.set(account.Draw(r, "by"), account.Draw(r, "whom"), role.Draw(r, "role")); is(err, fault.Internal) {
					r.Fatal(err)
				}
			},
			"join": func(r *rapid.T) { w.join(account.Draw(r, "who"), role.Draw(r, "role")) },
			"delete": func(r *rapid.T) {
				if err := w.orgs.Delete(w.t.Context(), account.Draw(r, "by"), w.team); err == nil {
					r.Fatal("it was deleted, dashboards and all")
				}
			},
			"": func(r *rapid.T) { w.owned(r) },
		})
	})
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// owned holds the dashboards and the organisation against what must always be.
func (w *world) owned(f failer) {
	f.Helper()
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		members, err := tx.Organisations().Members(w.team)
		if err != nil {
			return err
		}
		in, owners := map[store.AccountID]bool{}, 0
		for _, m := range members {
			in[m.Account] = true
			if m.Role == store.MemberOwner {
				owners++
			}
		}
		if owners == 0 {
			f.Fatalf("the organisation has no owner: %v", members)
		}
		for _, id := range []board.ID{one, two} {
			holders, err := tx.Boards().Roles(id)
			if err != nil {
				return err
			}
			owners := 0
			for _, h := range holders {
				if h.Role == sharing.RoleOwner {
					owners++
				}
				if !in[h.Account] {
					f.Fatalf("%s is gone and still %q of %s", h.Account, h.Role, id)
				}
			}
			if owners == 0 {
				f.Fatalf("%s has no owner: %v", id, holders)
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestSI19_OwnersWhoAllLeaveAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range everybody() {
		w.join(a, store.MemberOwner)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	stayed := 0
	for _, a := range everybody() {
		for _, role := range []store.MemberRole{store.MemberNone, store.MemberMember} {
			wg.Go(func() {
				if err := w.set(a, a, role); is(err, fault.Conflict) {
					mu.Lock()
					stayed++
					mu.Unlock()
				} else if is(err, fault.Internal) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	w.owned(t)
	if stayed == 0 {
		t.Error("nobody was told that an owner must remain")
	}
}
