package workspace_test

import (
	"reflect"
	"strings"
	"testing"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

func (d *device) share(id board.ID) workspace.ShareView { return d.view(id).Share }

// to is a change that needs nothing but its action.
func to(a sharing.Action) workspace.ShareChange { return workspace.ShareChange{Action: a} }

// The address is known as soon as sharing is turned on, offline too, and the dialog tells what is in force and what waits.
func TestL1_AddressIsMadeOffline(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	d.must(d.Share(id, to(sharing.Enable)))
	s := d.share(id)
	if s.InForce.Enabled || !s.Wanted.Enabled || s.Wanted.Mode != sharing.Public || len(s.Waiting) != 1 || s.Synced {
		t.Errorf("%s", text(s))
	}
	if _, ok := sharing.ParseToken(s.Wanted.Token.Reveal()); !ok || s.URL != "" {
		t.Errorf("token %q, URL %q without a server", s.Wanted.Token.Reveal(), s.URL)
	}
	d.must(d.LogIn(t.Context(), "https://widgets.example.org", "a@b", "right"))
	s = d.share(id)
	if s.URL != "https://widgets.example.org/share/"+s.Wanted.Token.Reveal() || s.ShortURL != "https://widgets.example.org/s/"+s.Wanted.ShortID.Reveal() {
		t.Errorf("%q, %q", s.URL, s.ShortURL)
	}
	d.must(d.Welcome(wire.Welcome{Version: 1, Base: "https://public.example.org"}, 0))
	if s := d.share(id); !strings.HasPrefix(s.URL, "https://public.example.org/share/") {
		t.Errorf("%q", s.URL)
	}
	d.restart()
	if again := d.share(id); !reflect.DeepEqual(again.Wanted, s.Wanted) || len(again.Waiting) != 1 {
		t.Errorf("%s", text(again))
	}
}

func TestL3_L4_CommandsChainOnWhatIsWanted(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	isFault(t, d.Share(id, to(sharing.Rotate)), fault.Conflict)
	isFault(t, d.Share(id, to(sharing.Delete)), fault.Invalid)
	isFault(t, d.Share(id, to("publish")), fault.Invalid)
	d.must(d.Share(id, to(sharing.Disable))) // nothing to turn off, nothing to send
	if n := len(d.share(id).Waiting); n != 0 {
		t.Fatalf("%d commands wait", n)
	}
	d.must(d.Share(id, to(sharing.Enable)))
	d.must(d.Share(id, to(sharing.Enable)))
	first := d.share(id).Wanted
	d.must(d.Share(id, to(sharing.Disable)))
	d.must(d.Share(id, to(sharing.Enable)))
	if again := d.share(id).Wanted; again.Token != first.Token || again.ShortID != first.ShortID || !again.Enabled {
		t.Error("turning on again made another link")
	}
	d.must(d.Share(id, to(sharing.Rotate)))
	if now := d.share(id).Wanted; now.Token == first.Token || now.ShortID == first.ShortID || now.Version != 4 {
		t.Errorf("%+v", now)
	}
	// The server, which runs the same Decide, takes the whole chain.
	d.must(d.LogIn(t.Context(), "https://x", "a@b", "right"))
	_, err := d.Hello("test")
	d.must(err)
	s := newHub(d, id)
	s.push()
	link := sharing.Link{}
	for range 4 {
		c, ok, err := d.Command(id)
		d.must(err)
		if !ok {
			t.Fatal("nothing to send")
		}
		var f *fault.Error
		if link, f = sharing.Decide(link, c, 1_790_000_000_000, sharing.Names{}); f != nil {
			t.Fatalf("%s: %v", c.Action, f)
		}
		d.must(d.Result(wire.Result{ID: c.ID, Board: id, Link: link}))
		d.must(d.Result(wire.Result{ID: c.ID, Board: id, Link: link})) // a repeat changes nothing
	}
	v := d.share(id)
	if !reflect.DeepEqual(v.InForce, v.Wanted) || len(v.Waiting) != 0 || v.Refused != nil || !v.Synced || d.view(id).Sync != workspace.SyncSaved {
		t.Errorf("%s", text(v))
	}
}

func TestV3_RefusedCommandIsToldUntilDismissed(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	s := newServer(d, id)
	d.must(d.Share(id, to(sharing.Enable)))
	sub := d.Subscribe()
	defer sub.Close()
	c, ok, err := d.Command(id)
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	there := sharing.Link{Version: 3}
	link, f := sharing.Decide(there, c, 1_790_000_000_000, sharing.Names{})
	if f == nil {
		t.Fatal("not refused")
	}
	d.must(d.Result(wire.Result{ID: c.ID, Board: id, Link: link, Fault: f}))
	v := d.share(id)
	if v.InForce.Enabled || v.Wanted.Enabled || v.Refused == nil || v.Refused.Action != sharing.Enable || v.Refused.Message == "" {
		t.Errorf("%s", text(v))
	}
	events, err := sub.Wait(t.Context())
	d.must(err)
	if !strings.Contains(text(events), f.Message) {
		t.Errorf("not told: %s", text(events))
	}
	d.restart()
	if d.share(id).Refused == nil {
		t.Error("forgotten by a restart")
	}
	d.must(d.DismissRefusal(id))
	if d.share(id).Refused != nil {
		t.Error("not dismissed")
	}
	_ = s
}

// Turning the link on waits for the edits before it; edits after a command wait for the command (Q2).
func TestQ2_CommandsAndEditsKeepTheirOrder(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	s := newServer(d, id)
	secret := d.add(id, board.KindMarkdown, "secret")
	d.edit(id, "Remove", workspace.Edit{Do: workspace.DoRemove, Widget: secret})
	d.must(d.Share(id, to(sharing.Enable)))
	d.edit(id, "Rename", setTitle("", "after"))
	if _, ok, err := d.Command(id); ok || err != nil {
		t.Errorf("the link would be turned on before the edits arrived (%v)", err)
	}
	s.push()
	if st, err := s.hub.State(); err != nil || boardTitle(st) == "after" {
		t.Errorf("an edit went before the command it was made after (%v)", err)
	}
	c, ok, err := d.Command(id)
	if !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	link, _ := sharing.Decide(sharing.Link{}, c, 1_790_000_000_000, sharing.Names{})
	d.must(d.Result(wire.Result{ID: c.ID, Board: id, Link: link}))
	s.push()
	if st, err := s.hub.State(); err != nil || boardTitle(st) != "after" {
		t.Errorf("the edit did not arrive (%v)", err)
	}
	// What takes access away waits for nothing.
	d.edit(id, "Rename", setTitle("", "more"))
	d.must(d.Share(id, to(sharing.Disable)))
	if c, ok, err := d.Command(id); !ok || err != nil || c.Action != sharing.Disable {
		t.Errorf("%v, %v, %v", c, ok, err)
	}
}

func TestV2_ReceiptOfARevocation(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	newServer(d, id)
	on := sharing.Link{Enabled: true, Token: "shr_a", ShortID: "b", Version: 1}
	d.must(d.ShareState(wire.Share{Board: id, Link: on, Watching: 4}))
	if v := d.share(id); v.Watching != 4 || !v.InForce.Enabled || v.Receipt != nil {
		t.Errorf("%s", text(v))
	}
	off := on
	off.Enabled, off.Version = false, 2
	d.must(d.ShareState(wire.Share{Board: id, Link: off, Cut: 4, CutMS: 12}))
	if v := d.share(id); v.Watching != 0 || v.InForce.Enabled || v.Receipt == nil || *v.Receipt != (workspace.Receipt{Cut: 4, MS: 12}) {
		t.Errorf("%s", text(v))
	}
	d.must(d.ShareState(wire.Share{Board: id, Link: on, Watching: 9})) // late
	if d.share(id).InForce.Enabled {
		t.Error("an older state came back")
	}
}

func TestA3_ViewersCannotEditOrShare(t *testing.T) {
	d := bare(t)
	d.must(d.LogIn(t.Context(), "https://x", "a@b", "right"))
	id := board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D")
	fresh, err := d.Boards(wire.Boards{Boards: []wire.Access{{Board: id, Role: sharing.RoleViewer}}})
	d.must(err)
	if len(fresh) != 1 || d.summary(id).Role != sharing.RoleViewer {
		t.Fatalf("%v", fresh)
	}
	_, err = d.Edit(id, []workspace.Edit{setTitle("", "x")}, "Rename")
	isFault(t, err, fault.Denied)
	isFault(t, d.Share(id, to(sharing.Enable)), fault.Denied)
	isFault(t, d.Trash(id), fault.Denied)
	isFault(t, d.Undo(id), fault.Denied)
	if v := d.view(id); v.Share.CanManage || v.Role != sharing.RoleViewer {
		t.Errorf("%s", text(v))
	}
	// Once an editor, the content may be changed, sharing not.
	_, err = d.Boards(wire.Boards{Boards: []wire.Access{{Board: id, Role: sharing.RoleEditor}}})
	d.must(err)
	d.edit(id, "Rename", setTitle("", "x"))
	isFault(t, d.Share(id, to(sharing.Enable)), fault.Denied)
}

func TestQ4_RefusedEditsStayWithTheirAuthor(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	s := newServer(d, id)
	d.edit(id, "Rename", setTitle(w, "mine"))
	d.edit(id, "Rename", setTitle("", "My shop"))
	if !s.refuse() {
		t.Fatal("nothing was refused")
	}
	if v := d.view(id); v.Sync != workspace.SyncRefused || v.Title != "Shop" || v.Queued != 0 || d.widget(id, w).Title != "Orders" {
		t.Errorf("%s", text(v))
	}
	d.restart()
	copied, err := d.KeepCopy(id)
	d.must(err)
	v := d.view(copied)
	if v.Title != "My shop (copy)" || len(v.Widgets) != 1 || v.Widgets[0].Title != "mine" || v.Widgets[0].ID == w || len(v.Widgets[0].Rows) != 1 || v.Role != sharing.RoleOwner {
		t.Errorf("%s", text(v))
	}
	if d.view(id).Sync == workspace.SyncRefused {
		t.Error("the refused edits are still there")
	}
	d.edit(id, "Rename", setTitle(w, "again"))
	s.refuse()
	d.must(d.DiscardRefused(id))
	if v := d.view(id); v.Sync == workspace.SyncRefused || d.widget(id, w).Title != "Orders" {
		t.Errorf("%s", text(v))
	}
}

func TestQ4_LostAccessKeepsWhatWasNotSent(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	newServer(d, id)
	d.edit(id, "Rename", setTitle("", "mine"))
	d.must(d.Denied(wire.Denied{Board: id, Message: "You may not open this dashboard any more."}))
	if v := d.view(id); v.Sync != workspace.SyncDenied {
		t.Errorf("%s", text(v))
	}
	_, err := d.Edit(id, []workspace.Edit{setTitle("", "x")}, "Rename")
	isFault(t, err, fault.Denied)
	if n := len(d.Outgoing()); n != 0 {
		t.Errorf("%d dashboards still want to be sent", n)
	}
	copied, err := d.KeepCopy(id)
	d.must(err)
	if got := d.view(copied).Title; got != "mine (copy)" {
		t.Errorf("title %q", got)
	}
	_, err = d.Board(id)
	isFault(t, err, fault.NotFound)
}

func TestDeletedElsewhere(t *testing.T) {
	d := bare(t)
	id, kept := d.create("Shop"), d.create("Kept")
	newServer(d, id)
	newHub(d, kept).push()
	d.edit(kept, "Rename", setTitle("", "unsent"))
	d.must(d.Denied(wire.Denied{Board: id, Gone: true, Message: "deleted"}))
	d.must(d.Denied(wire.Denied{Board: kept, Gone: true, Message: "deleted"}))
	if b := d.State().Boards; len(b) != 1 || b[0].ID != kept || b[0].Sync != workspace.SyncDenied {
		t.Errorf("%s", text(b))
	}
	d.must(d.DiscardRefused(kept))
	if len(d.State().Boards) != 0 {
		t.Error("still there")
	}
}

func TestAccountsDoNotMix(t *testing.T) {
	d := bare(t)
	mine := d.create("Mine")
	newServer(d, mine)
	d.must(d.LogOut(t.Context()))
	if s := d.State(); s.Account != nil || s.Sync.State != workspace.StateOff || s.Sync.Sentence == "" || len(s.Boards) != 1 || len(d.keys.m) != 0 {
		t.Errorf("%s", text(s))
	}
	d.edit(mine, "Rename", setTitle("", "still mine"))
	isFault(t, d.LogIn(t.Context(), "https://y", "c@d", "wrong"), fault.Unauthenticated)
	if d.State().Account != nil {
		t.Error("signed in with a wrong password")
	}
	d.must(d.LogIn(t.Context(), "https://y", "c@d", "right"))
	h, err := d.Hello("test")
	d.must(err)
	if len(h.Boards) != 0 || len(d.Outgoing()) != 0 || d.Waiting() != 0 {
		t.Errorf("another account's dashboard goes to %s", text(h))
	}
}
