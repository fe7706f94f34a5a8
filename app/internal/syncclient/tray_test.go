package syncclient_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

// lowered is an owner, and somebody whose role was lowered while they were offline and made the edits that fn makes. The
// edits have come back.
func lowered(t *testing.T, before func(a, bob person, id board.ID), fn func(bob person, id board.ID)) (a, bob person, id board.ID) {
	t.Helper()
	s := servertest.Start(t, servertest.Options{})
	a = join(t, s, "ann@example.org")
	id = a.create("Shop")
	bob = join(t, s, "bob@example.org", a)
	patient(a.device, bob.device)
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	before(a, bob, id)
	a.untilSame(bob.device, id)
	a.until("the owner sees bob", func() bool { _, ok := a.member(id, bob.who.Account); return ok })
	bob.kill()
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account, Role: sharing.RoleViewer}))
	a.untilSynced()
	s.Kill()
	bob.start()
	fn(bob, id)
	s.Restart()
	a.RetrySync()
	bob.RetrySync()
	bob.until("the edits are refused", func() bool { b := bob.summary(id); return b.Sync == workspace.SyncRefused && b.Queued == 0 })
	return a, bob, id
}

func (d *device) tray(id board.ID) workspace.Tray {
	d.t.Helper()
	tray, err := d.Tray(id)
	d.must(err)
	return tray
}

// What was refused is told in words that name the widget, can be exported, and is all in the copy, also where somebody else
// wrote later or removed the widget.
func TestQ4_SI2_TheTrayTellsWhatWasRefusedAndTheCopyHasIt(t *testing.T) {
	var orders, notes, gone board.WidgetID
	a, bob, id := lowered(t, func(a, _ person, id board.ID) {
		add := func(kind board.Kind, name string, cols ...string) board.WidgetID {
			return a.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: kind, Title: name, Columns: columns(cols...)}).Added[0]
		}
		orders, notes, gone = add(board.KindTable, "Orders", "n"), add(board.KindMarkdown, "Notes"), add(board.KindStat, "Old", "n")
	}, func(bob person, id board.ID) {
		option := func(w board.WidgetID, name, value string) workspace.Edit {
			return workspace.Edit{Do: workspace.DoOption, Widget: w, Name: name, Value: json.RawMessage(value)}
		}
		bob.edit(id, workspace.Edit{Do: workspace.DoTitle, Widget: orders, Value: json.RawMessage(`"Orders of the day"`)})
		bob.edit(id, count(orders, 1))
		bob.edit(id, count(orders, 2))
		bob.edit(id, option(notes, "text", `"first"`))
		bob.edit(id, option(notes, "text", `"typed offline"`))
		bob.edit(id, count(gone, 7))
		added := bob.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindStat, Title: "New", Columns: columns("n")}).Added[0]
		bob.edit(id, count(added, 3))
		bob.edit(id, title("Bob's shop"))
	})
	// Others go on, later than he.
	a.edit(id, workspace.Edit{Do: workspace.DoTitle, Widget: orders, Value: json.RawMessage(`"All orders"`)})
	a.edit(id, workspace.Edit{Do: workspace.DoRemove, Widget: gone})
	a.edit(id, title("Ann's shop"))
	a.untilSame(bob.device, id)

	tray := bob.tray(id)
	if got := bob.view(id); got.Refused != tray.Edits || bob.summary(id).Refused != tray.Edits || tray.More != 0 || tray.Denied != "" {
		t.Errorf("%d refused, in the tray %s", got.Refused, text(tray))
	}
	now := time.Now().UnixMilli()
	var told []string
	for _, c := range tray.Changes {
		told = append(told, text([]any{c.Change, c.Widget, c.Kind, c.Gone, c.Option, c.Value, c.Rows, c.Times}))
		if c.Reason != "forbidden" || c.Why != "You may view this dashboard, but not change it." || c.At < now-60_000 || c.At > now {
			t.Errorf("%s", text(c))
		}
	}
	want := []string{
		`["title","All orders","table",false,"","Orders of the day",0,1]`,
		`["append","All orders","table",false,"","",2,2]`,
		`["option","Notes","markdown",false,"text","typed offline",0,2]`,
		`["append","Old","stat",true,"","",1,1]`,
	}
	if len(told) != 6 || !slices.Equal(told[:4], want) || !strings.HasPrefix(told[4], `["add","New","stat",false,"","",1,`) || !strings.HasPrefix(told[5], `["title","","",false,"","Bob's shop",0,1]`) {
		t.Errorf("told\n%s", strings.Join(told, "\n"))
	}
	if !tray.Changes[5].Board || tray.Changes[0].Board {
		t.Errorf("%s", text(tray.Changes))
	}

	file, err := bob.ExportTray(id)
	bob.must(err)
	read, err := bob.ImportBoard(file)
	bob.must(err)
	copied, err := bob.KeepCopy(id)
	bob.must(err)
	for _, c := range []board.ID{read, copied} {
		v := bob.view(c)
		if !strings.HasPrefix(v.Title, "Bob's shop") || len(v.Widgets) != 4 {
			t.Fatalf("%s", text(v))
		}
		for _, w := range v.Widgets {
			got := text([]any{w.Kind, w.Rows, w.Options})
			if want := map[string]string{
				"Orders of the day": `["table",[[1],[2]],{}]`, "Notes": `["markdown",[],{"text":"typed offline"}]`, "Old": `["stat",[[7]],{}]`, "New": `["stat",[[3]],{}]`,
			}[w.Title]; got != want {
				t.Errorf("%q is %s, want %s", w.Title, got, want)
			}
		}
	}
	if b := bob.summary(id); b.Sync != workspace.SyncSaved || b.Refused != 0 || len(bob.tray(id).Changes) != 0 {
		t.Errorf("%s", text(b))
	}
	if v := bob.view(id); v.Title != "Ann's shop" {
		t.Errorf("the original is %q", v.Title)
	}
}

// Who may not open a dashboard any more sees in the tray what they had not sent, and may take it away as a file.
func TestQ4_I6_TheTrayOfADashboardThatWasTakenAway(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	a.until("the owner sees bob", func() bool { _, ok := a.member(id, bob.who.Account); return ok })
	bob.kill()
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account}))
	a.untilSynced()
	s.Kill()
	bob.start()
	bob.edit(id, title("typed offline"))
	s.Restart()
	bob.RetrySync()
	bob.until("bob is told", func() bool { return bob.summary(id).Sync == workspace.SyncDenied })
	tray := bob.tray(id)
	if tray.Denied == "" || tray.Edits != 1 || tray.Changes[0].Value != "typed offline" || tray.Changes[0].Why != tray.Denied {
		t.Errorf("%s", text(tray))
	}
	file, err := bob.ExportTray(id)
	bob.must(err)
	if !strings.Contains(string(file), `"title": "typed offline"`) {
		t.Errorf("%s", file)
	}
	bob.must(bob.DiscardRefused(id))
	if b := bob.summary(id); b.ID != "" {
		t.Errorf("%s", text(b))
	}
}

// Whoever may only view from now on is not shown what they wrote before and viewers do not get: nothing of it was refused.
func TestQ4_ALoweredRoleRefusesNothingThatHadArrived(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	bob := join(t, s, "bob@example.org", a)
	s.SetRole(id, bob.who, sharing.RoleEditor)
	bob.shown(id, "Shop")
	w := bob.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindStat, Title: "Gone", Columns: columns("n")}).Added[0]
	bob.edit(id, workspace.Edit{Do: workspace.DoRemove, Widget: w})
	kept := bob.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindTable, Title: "Kept"}).Added[0]
	bob.edit(id, workspace.Edit{Do: workspace.DoOption, Widget: kept, Name: "limit", Value: json.RawMessage("5")})
	bob.edit(id, workspace.Edit{Do: workspace.DoKind, Widget: kept, Value: json.RawMessage(`"stat"`)}) // which has no limit
	a.untilSame(bob.device, id)
	a.until("the owner sees bob", func() bool { _, ok := a.member(id, bob.who.Account); return ok })

	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account, Role: sharing.RoleViewer}))
	bob.until("he is a viewer", func() bool {
		b := bob.summary(id)
		return b.Role == sharing.RoleViewer && b.Sync == workspace.SyncSaved
	})
	a.edit(id, title("Later"))
	bob.until("he sees what comes", func() bool { return bob.summary(id).Title == "Later" })
	if b := bob.summary(id); b.Refused != 0 || b.Queued != 0 || len(bob.tray(id).Changes) != 0 {
		t.Errorf("%s, in the tray %s", text(b), text(bob.tray(id)))
	}
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account, Role: sharing.RoleEditor}))
	bob.until("he is an editor", func() bool { return bob.summary(id).Role == sharing.RoleEditor })
	a.untilSame(bob.device, id)
	if b := bob.summary(id); b.Refused != 0 {
		t.Errorf("%s", text(b))
	}
}
