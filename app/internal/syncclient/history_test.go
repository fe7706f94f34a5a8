package syncclient_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/syncclient"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

func (d *device) history(id board.ID) workspace.History {
	d.t.Helper()
	h, err := d.History(d.t.Context(), id, "", "")
	d.must(err)
	return h
}

// conflicting is a server with ann's dashboard “Sales” with a widget “Revenue”, on a device of ann's and on one of bob's, who edits.
func conflicting(t *testing.T) (s *servertest.Server, ann, bob *device, id board.ID, w board.WidgetID, bobIn servertest.SignedIn) {
	t.Helper()
	s = servertest.Start(t, servertest.Options{})
	ann, bob = newDevice(t), newDevice(t)
	ann.enter(s, "ann@example.org")
	bobIn = bob.enter(s, "bob@example.org")
	id, err := ann.Create("Sales")
	ann.must(err)
	w = ann.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindTable, Title: "Revenue", Columns: columns("n"), Rows: []json.RawMessage{json.RawMessage(`[1]`)}}).Added[0]
	ann.untilSynced()
	s.SetRole(id, bobIn, sharing.RoleEditor)
	bob.until("the dashboard is there", func() bool {
		v, err := bob.Board(id)
		return err == nil && len(v.Widgets) == 1
	})
	bob.untilSynced()
	return s, ann, bob, id, w, bobIn
}

func rename(w board.WidgetID, name string) workspace.Edit {
	return workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage(text(name))}
}

// Two people change one field while they are offline: the later one stays everywhere, whoever comes back first. The other is
// told, and finds what they wrote in the history under their name, from where it can be restored, on any device.
func TestQ3_TheLaterWinsAndTheOtherIsInTheHistory(t *testing.T) {
	t.Parallel()
	s, ann, bob, id, w, _ := conflicting(t)
	s.Close()
	ann.untilState(workspace.StateOffline)
	bob.untilState(workspace.StateOffline)
	bob.edit(id, rename(w, "Of bob"))
	bob.edit(id, rename(w, "Of bob, again"))
	for made := time.Now().UnixMilli() + 2; time.Now().UnixMilli() < made; { // two edits of a millisecond have no order by time
		time.Sleep(time.Millisecond)
	}
	ann.edit(id, rename(w, "Of ann"))

	// Offline, what waits is told, and that there is more.
	h := bob.history(id)
	if len(h.Changes) != 1 || !h.Changes[0].Waiting || !h.Changes[0].Mine || h.Changes[0].Items[0].Title != "Of bob, again" || h.Next != "" ||
		!strings.HasPrefix(h.Missing, "Older changes are told when there is a connection to 127.0.0.1:") {
		t.Fatalf("%s", text(h))
	}
	kept := h.Changes[0].Position
	before := ann.content(id)
	bob.kill()
	s.Restart()
	ann.RetrySync()
	ann.untilSynced()
	bob.start()
	bob.untilSynced()
	bob.until("the later one is there", func() bool { return bob.content(id) == before })
	if ann.content(id) != before {
		t.Errorf("%s\nnot\n%s", ann.content(id), before)
	}
	bob.until("it is told", func() bool {
		return bob.told("“Sales”: your change of the title of “Of ann” reached the server after a later one, which stays.") == 1
	})
	if ann.told("reached the server") != 0 {
		t.Error("who won is told, too")
	}
	if _, err := bob.Then(t.Context(), id, kept); fault.KindOf(err) != fault.NotFound {
		t.Errorf("what waited is still there: %v", err)
	}
	for _, d := range []*device{ann, bob} {
		h := d.history(id)
		if len(h.Changes) < 3 || h.Missing != "" || h.Next != "" {
			t.Fatalf("%s", text(h))
		}
		for i, want := range []string{`"Of bob, again"`, `"Of bob"`} {
			c := h.Changes[i]
			if !c.Lost || c.By != "bob" || c.Mine != (d == bob) || c.Waiting || string(c.Items[0].Value) != want || c.Items[0].Title != "Of ann" {
				t.Errorf("%d: %s", i, text(c))
			}
		}
		if c := h.Changes[2]; c.Lost || c.By != "ann" || c.Mine != (d == ann) {
			t.Errorf("%s", text(c))
		}
	}
	lost := ann.history(id).Changes[0].Position
	_, err := ann.RestoreTo(t.Context(), id, lost, string(w), "title")
	ann.must(err)
	bob.until("it is restored", func() bool { return bob.view(id).Widgets[0].Title == "Of bob, again" })
	ann.must(ann.Undo(id))
	bob.until("undone", func() bool { return bob.content(id) == before })
}

// A widget, and then everything, is made as it was by the server's history, each as one step that Undo takes back. What is made on
// a device by such a state goes on offline; the state itself cannot be had there.
func TestQ3_SI22_AStateOfTheServerIsRestored(t *testing.T) {
	t.Parallel()
	s, ann, bob, id, w, _ := conflicting(t)
	first, was := ann.history(id).Changes[0].Position, ann.content(id)
	bob.edit(id, workspace.Edit{Do: workspace.DoRows, Widget: w, Columns: columns("m"), Rows: []json.RawMessage{json.RawMessage(`[7]`)}})
	bob.edit(id, workspace.Edit{Do: workspace.DoRemove, Widget: w}, title("Other"))
	bob.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindMarkdown, Title: "New"})
	bob.untilSynced()
	ann.until("bob's edits are there", func() bool { return ann.content(id) == bob.content(id) })
	changed := ann.content(id)
	if h := ann.history(id); h.Changes[0].By != "bob" || len(h.Changes[0].Items) != 4 {
		t.Errorf("%s", text(h))
	}
	then, err := ann.Then(t.Context(), id, first)
	ann.must(err)
	if then.Title != "Sales" || len(then.Widgets) != 1 || !then.Rows || len(then.Widgets[0].Rows) != 1 {
		t.Errorf("%s", text(then))
	}
	if _, err := ann.RestoreTo(t.Context(), id, first, string(w), ""); err != nil {
		t.Fatal(err)
	}
	if v := ann.view(id); len(v.Widgets) != 2 || v.Title != "Other" || v.Undo == nil || *v.Undo != "Restore “Revenue”" {
		t.Errorf("%s", text(v))
	}
	ann.must(ann.Undo(id))
	if got := ann.content(id); got != changed {
		t.Errorf("%s\nnot\n%s", got, changed)
	}
	done, err := ann.RestoreTo(t.Context(), id, first, "", "")
	ann.must(err)
	if v := ann.view(id); done.Version != v.Version || ann.content(id) != was || *v.Undo != "Restore an earlier version" {
		t.Errorf("%s\nnot\n%s", ann.content(id), was)
	}
	if _, err := ann.RestoreTo(t.Context(), id, first, "", ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("restored twice: %v", err)
	}
	bob.until("it is restored", func() bool { return bob.content(id) == was })
	ann.must(ann.Undo(id))
	bob.until("it is undone", func() bool { return bob.content(id) == changed })

	ann.untilSynced()
	s.Close()
	ann.untilState(workspace.StateOffline)
	_, err = ann.RestoreTo(t.Context(), id, first, "", "")
	if f := fault.From(err); f.Kind != fault.Unavailable || !strings.Contains(f.Hint, "connection to 127.0.0.1") {
		t.Errorf("%+v", f)
	}
	ann.edit(id, title("Offline"))
	here := ann.history(id).Changes[0].Position
	ann.edit(id, title("Offline, later"))
	if _, err := ann.RestoreTo(t.Context(), id, here, "board", "title"); err != nil || ann.view(id).Title != "Offline" {
		t.Errorf("%v, %q", err, ann.view(id).Title)
	}
}

// Who may edit no more sees no history, and neither does who is signed in to nothing.
func TestA6_TheHistoryEndsWithTheRole(t *testing.T) {
	t.Parallel()
	s, ann, bob, id, _, bobIn := conflicting(t)
	first := ann.history(id).Changes[0].Position
	s.SetRole(id, bobIn, sharing.RoleViewer)
	bob.until("bob views", func() bool { return bob.view(id).Role == sharing.RoleViewer })
	refused := func() {
		t.Helper()
		_, edit := bob.Edit(id, []workspace.Edit{title("x")}, "Edit")
		_, history := bob.History(t.Context(), id, "", "")
		_, then := bob.Then(t.Context(), id, first)
		_, restore := bob.RestoreTo(t.Context(), id, first, "", "")
		for what, err := range map[string]error{"history": history, "then": then, "restore": restore} {
			if fault.KindOf(err) != fault.Denied || text(fault.From(err)) != text(fault.From(edit)) {
				t.Errorf("%s: %v, an edit: %v", what, err, edit)
			}
		}
	}
	refused()
	s.SetRole(id, bobIn, sharing.RoleNone)
	bob.until("it is not bob's any more", func() bool { return bob.view(id).Sync == workspace.SyncDenied })
	refused()
	ann.must(ann.LogOut(t.Context()))
	if h := ann.history(id); len(h.Changes) != 0 || !strings.HasPrefix(h.Missing, "Older changes are told when you are signed in to 127.0.0.1:") {
		t.Errorf("%s", text(h))
	}
}

// A server that answers nonsense, too much or a fault is told in words, and what waits here is told all the same.
func TestB1_AServerThatTellsItsHistoryWrongly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		status     int
		kind       fault.Kind
	}{
		{"not JSON", "<html>", 200, fault.Invalid},
		{"another answer", `{}`, 200, fault.Invalid},
		{"a fault", `{"error":{"kind":"denied","message":"Not you."}}`, 403, fault.Denied},
		{"a spent budget", `{"error":{"kind":"busy","message":"Not now.","hint":"Read a header."}}`, 429, fault.Busy},
		{"an ended session", `{"error":{"kind":"unauthenticated","message":"Who?"}}`, 401, fault.Unauthenticated},
		{"no fault", `x`, 502, fault.Unavailable},
		{"too much", strings.Repeat(" ", 17<<20), 200, fault.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer token" || r.Method != http.MethodGet {
					t.Errorf("%s with %q", r.Method, r.Header.Get("Authorization"))
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(srv.Close)
			a := syncclient.NewArchive(srv.Client())
			_, err := a.History(t.Context(), srv.URL, "token", "dsh_x", "12", "wgt_x")
			if f := fault.From(err); f.Kind != c.kind || f.Message == "" || strings.Contains(f.Hint, "header") || strings.Contains(err.Error(), "token") {
				t.Errorf("%v", err)
			}
			if c.kind == fault.TooLarge {
				return // of a state that would be more
			}
			if _, err := a.Then(t.Context(), srv.URL, "token", "dsh_x", "7"); fault.KindOf(err) != c.kind {
				t.Errorf("%v", err)
			}
		})
	}
}

// A server of an earlier version tells no history, which is said; what waits here is told all the same.
func TestQ3_AServerWithoutAHistory(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":{"kind":"not_found","message":"There is nothing at this address."}}`))
	}))
	t.Cleanup(srv.Close)
	_, err := syncclient.NewArchive(srv.Client()).History(t.Context(), srv.URL, "token", "dsh_x", "", "")
	if f := fault.From(err); f.Kind != fault.Outdated || !strings.HasSuffix(f.Message, " does not tell the history of this dashboard.") {
		t.Errorf("%+v", f)
	}
}
