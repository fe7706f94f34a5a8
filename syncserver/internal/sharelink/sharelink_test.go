package sharelink_test

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// heard is a content.Events that writes down what it hears.
type heard struct{ what []string }

func (h *heard) Content(_ board.ID, d content.Step) {
	h.what = append(h.what, "content")
	if d.From >= d.To || d.Entries == nil {
		h.what = append(h.what, "nonsense")
	}
}
func (h *heard) Access(content.AccessChange) { h.what = append(h.what, "access") }
func (h *heard) List([]store.AccountID)      { h.what = append(h.what, "list") }
func (h *heard) People([]board.ID)           { h.what = append(h.what, "people") }

type world struct {
	t     *testing.T
	path  string
	store store.Store
	heard heard
}

const (
	ann = store.AccountID("acc_ann")
	bob = store.AccountID("acc_bob")
	cat = store.AccountID("acc_cat")
	one = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	two = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

// newWorld has two dashboards of ann's, and bob, who is nobody.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "server.db")}
	w.open()
	w.update(func(tx store.Tx) error {
		for _, a := range []store.AccountID{ann, bob, cat} {
			org := store.OrganisationID("org_" + string(a))
			if err := tx.Accounts().Put(store.Account{ID: a, Email: string(a), Personal: org}); err != nil {
				return err
			}
			if err := tx.Organisations().SetMember(org, a, store.MemberOwner); err != nil {
				return err
			}
		}
		return content.Create(tx, &w.heard, ann, []content.NewBoard{{ID: one, Epoch: 1}, {ID: two, Epoch: 2}})
	})
	w.heard.what = nil
	return w
}

func (w *world) open() {
	w.t.Helper()
	if w.store != nil {
		if err := w.store.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	st, err := boltstore.Open(boltstore.Options{Path: w.path})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = st.Close() })
	w.store = st
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) apply(c sharing.Command) (out sharelink.Outcome) {
	w.t.Helper()
	w.update(func(tx store.Tx) (err error) {
		out, err = sharelink.Apply(tx, &w.heard, access.Account(ann), c, 1)
		return err
	})
	return out
}

func (w *world) command(id board.ID, a sharing.Action) sharing.Command {
	w.t.Helper()
	tok, err := sharing.NewToken(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	short, err := sharing.NewShortID(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return sharing.Command{ID: sharing.NewCommandID(ulid.Make()), Board: id, Action: a, Base: w.link(id).Version, Token: tok, ShortID: short}
}

// do applies a command to the first dashboard that must succeed.
func (w *world) do(a sharing.Action) sharing.Link {
	w.t.Helper()
	out := w.apply(w.command(one, a))
	if out.Fault != nil {
		w.t.Fatalf("%s: %v", a, out.Fault)
	}
	return out.Link
}

func (w *world) link(id board.ID) (l sharing.Link) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx store.Tx) (err error) {
		l, err = tx.Links().Get(id)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// opens reports whether token and short link open a dashboard; they must agree, and refuse alike.
func (w *world) opens(l sharing.Link) bool {
	w.t.Helper()
	var byToken, byShort error
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		_, byToken = access.OpenLink(tx, access.LinkHolder(l.Token), 1)
		_, byShort = access.OpenShortID(tx, l.ShortID.Reveal(), 1)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	if (byToken == nil) != (byShort == nil) {
		w.t.Errorf("token: %v, short link: %v", byToken, byShort)
	}
	if byToken != nil && refusal(byToken) != refusal(access.NoLink()) {
		w.t.Errorf("the refusal %q is not like others", byToken)
	}
	return byToken == nil
}

func refusal(err error) string {
	f := fault.From(err)
	return strings.Join([]string{string(f.Kind), f.Field, f.Message, f.Hint}, "|")
}

func TestL3_DisableAndEnableKeepTheLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on := w.do(sharing.Enable)
	if !w.opens(on) {
		t.Fatal("the link does not open")
	}
	if off := w.do(sharing.Disable); w.opens(on) || off.Token != on.Token {
		t.Error("disabled: the link opens, or is another")
	}
	w.open()
	if w.opens(on) {
		t.Error("disabled, after a restart: the link opens")
	}
	if again := w.do(sharing.Enable); !w.opens(on) || again.Token != on.Token || again.ShortID != on.ShortID {
		t.Error("enabled again: the link does not open, or is another")
	}
}

func TestL4_RotateKillsOldLinksForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.do(sharing.Enable)
	first := w.do(sharing.Rotate)
	second := w.do(sharing.Rotate)
	check := func(when string) {
		t.Helper()
		if w.opens(old) || w.opens(first) || !w.opens(second) {
			t.Errorf("%s: old %v, first %v, second %v", when, w.opens(old), w.opens(first), w.opens(second))
		}
	}
	check("at once")
	w.open()
	check("after a restart")
	// No command brings an old token or short id back, on this dashboard or another.
	for _, id := range []board.ID{one, two} {
		for _, a := range []sharing.Action{sharing.Rotate, sharing.Enable} {
			for _, dead := range []sharing.Link{old, first} {
				c := w.command(id, a)
				c.Token = dead.Token
				d := w.command(id, a)
				d.ShortID = dead.ShortID
				for _, c := range []sharing.Command{c, d} {
					if out := w.apply(c); out.Fault == nil && (out.Link.Token == dead.Token || out.Link.ShortID == dead.ShortID) {
						t.Errorf("%s on %s brought an old link back", a, id)
					}
				}
			}
		}
	}
	check("after commands")
}

func TestL4_DeletedDashboardsLinkIsDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.do(sharing.Enable)
	del := w.command(one, sharing.Delete)
	if out := w.apply(del); out.Fault != nil {
		t.Fatal(out.Fault)
	}
	if out := w.apply(del); out.Fault != nil {
		t.Errorf("the repeated delete: %v", out.Fault)
	}
	c := w.command(two, sharing.Enable)
	c.Token = l.Token
	if out := w.apply(c); out.Fault == nil || w.opens(l) {
		t.Error("its token lives again")
	}
	if out := w.apply(w.command(one, sharing.Enable)); fault.KindOf(out.Fault) != fault.NotFound {
		t.Errorf("enable on a deleted dashboard: %v", out.Fault)
	}
	if !slices.Equal(w.heard.what, []string{"access", "content", "access", "list"}) {
		t.Errorf("heard %v", w.heard.what)
	}
}

func TestV1_EveryChangeOfAccessTakesAPositionAndAnEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	state := func() (epoch, seq uint64) {
		t.Helper()
		if err := w.store.View(t.Context(), func(tx store.Tx) error {
			g, err := access.Open(tx, access.Account(ann), one, access.View)
			if err != nil {
				return err
			}
			v, err := content.Head(tx, g)
			epoch, seq = g.Epoch(), v.Seq
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return epoch, seq
	}
	for _, c := range []struct {
		action  sharing.Action
		changes bool
	}{
		{sharing.Disable, false},
		{sharing.Enable, true},
		{sharing.Enable, false},
		{sharing.Rotate, true},
		{sharing.Disable, true},
		{sharing.Disable, false},
		{sharing.Rotate, true},
	} {
		w.heard.what = nil
		epoch, seq := state()
		w.do(c.action)
		epoch2, seq2 := state()
		if changed := epoch2 == epoch+1 && seq2 == seq+1; changed != c.changes || (!changed && (epoch2 != epoch || seq2 != seq)) {
			t.Errorf("%s: epoch %d to %d, log %d to %d", c.action, epoch, epoch2, seq, seq2)
		}
		want := []string(nil)
		if c.changes {
			want = []string{"access", "content"}
		}
		if !slices.Equal(w.heard.what, want) {
			t.Errorf("%s: heard %v", c.action, w.heard.what)
		}
	}
}

func TestV3_RefusalIsRememberedAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(sharing.Enable)
	stale := w.command(one, sharing.Rotate)
	stale.Base--
	before := w.link(one)
	for range 2 {
		if out := w.apply(stale); fault.KindOf(out.Fault) != fault.Conflict || out.Link != before {
			t.Errorf("%+v", out)
		}
	}
	stolen := stale
	stolen.Board = two
	if out := w.apply(stolen); out.Fault == nil {
		t.Error("a command's id served for another dashboard")
	}
}

// A command that finds done what it asks for says so, and says so again.
func TestV3_WhoChangedNothingIsTold(t *testing.T) {
	w := newWorld(t)
	on := w.command(one, sharing.Enable)
	off, again := w.command(one, sharing.Disable), w.command(one, sharing.Disable)
	stale := w.command(one, sharing.Enable)
	for _, c := range []struct {
		sharing.Command
		same, refused bool
	}{{on, false, false}, {off, false, false}, {again, true, false}, {stale, false, true}, {on, false, false}, {off, false, false}, {again, true, false}, {stale, false, true}} {
		if out := w.apply(c.Command); out.Same != c.same || (out.Fault != nil) != c.refused {
			t.Errorf("%s %s: %+v", c.Action, c.ID, out)
		}
	}
}

func TestA2_A5_Decision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.do(sharing.Enable)
	trash := func(trashed bool) {
		value := "true"
		if trashed {
			value = "false"
		}
		w.update(func(tx store.Tx) error {
			var n uint64 = 1
			if !trashed {
				n = 2
			}
			_, err := content.Submit(tx, &w.heard, access.Account(ann), content.Submission{Board: one, Dev: 1, Now: 1000, Ops: []replica.Op{
				{N: n, Stamp: hlc.Stamp{T: n, Dev: 1}, Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldAlive, Value: []byte(value)},
			}})
			return err
		})
	}
	may := func(p access.Principal, id board.ID) (actions string) {
		t.Helper()
		if err := w.store.View(t.Context(), func(tx store.Tx) error {
			for a, name := range map[access.Action]string{access.View: "v", access.Edit: "e", access.Share: "s"} {
				g, err := access.Open(tx, p, id, a)
				if (err == nil) != g.May(a) {
					t.Errorf("a grant and its error disagree: %v", err)
				}
				if err == nil {
					actions += name
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		s := []byte(actions)
		slices.Sort(s)
		return string(s)
	}
	setRole := func(role sharing.Role) {
		t.Helper()
		w.update(func(tx store.Tx) error {
			return sharelink.SetRole(tx, &w.heard, access.Account(ann), one, bob, role)
		})
	}
	member := func(role store.MemberRole) {
		w.update(func(tx store.Tx) error { return tx.Organisations().SetMember("org_acc_ann", cat, role) })
	}
	holder := access.LinkHolder(l.Token)
	for _, c := range []struct {
		name string
		do   func()
		who  access.Principal
		on   board.ID
		want string
	}{
		{"nobody", nil, access.Principal{}, one, ""},
		{"nobody, no such dashboard", nil, access.Principal{}, "dsh_x", ""},
		{"owner", nil, access.Account(ann), one, "esv"},
		{"owner, no such dashboard", nil, access.Account(ann), "dsh_x", ""},
		{"stranger", nil, access.Account(bob), one, ""},
		{"holder of the link", nil, holder, one, "v"},
		{"holder of the link, another dashboard", nil, holder, two, ""},
		{"editor", func() { setRole(sharing.RoleEditor) }, access.Account(bob), one, "ev"},
		{"viewer", func() { setRole(sharing.RoleViewer) }, access.Account(bob), one, "v"},
		{"removed", func() { setRole(sharing.RoleNone) }, access.Account(bob), one, ""},
		{"member", func() { member(store.MemberMember) }, access.Account(cat), two, "v"},
		{"admin", func() { member(store.MemberAdmin) }, access.Account(cat), two, "esv"},
		{"former member", func() { member(store.MemberNone) }, access.Account(cat), two, ""},
		{"holder, trashed", func() { trash(true) }, holder, one, ""},
		{"owner, trashed", nil, access.Account(ann), one, "esv"},
		{"holder, restored", func() { trash(false) }, holder, one, "v"},
		{"holder, disabled", func() { w.do(sharing.Disable) }, holder, one, ""},
		{"holder, deleted", func() { w.do(sharing.Delete) }, holder, one, ""},
		{"owner, deleted", nil, access.Account(ann), one, ""},
	} {
		if c.do != nil {
			c.do()
		}
		if got := may(c.who, c.on); got != c.want {
			t.Errorf("%s may %q, want %q", c.name, got, c.want)
		}
	}
	if (access.Grant{}).May(access.View) {
		t.Error("a zero grant permits something")
	}
}

func TestSI19_AnOwnerRemains(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		return sharelink.SetRole(tx, &w.heard, access.Account(ann), one, ann, sharing.RoleViewer)
	})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("the last owner went: %v", err)
	}
	if out := w.apply(w.command(one, sharing.Enable)); out.Fault != nil {
		t.Errorf("the owner is none any more: %v", out.Fault)
	}
}
