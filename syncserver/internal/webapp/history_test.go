package webapp_test

import (
	"bytes"
	"net/http"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

func (b *browser) history(id board.ID, query string) (h screen.History) {
	b.t.Helper()
	b.do(http.MethodGet, "boards/"+string(id)+"/history"+query, nil, &h)
	return h
}

// A browser tells who changed what, shows an earlier state, and restores a widget or everything as one step that undo takes
// back.
func TestQ3_SI22_RestoreInABrowserAndUndo(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	at := "boards/" + string(id)
	w := ann.table(id, "Orders", "a", "b")
	ann.table(id, "Stays", "x")
	states := map[string]string{}
	note := func() string {
		t.Helper()
		p := ann.history(id, "").Changes[0].Position
		states[p] = content(ann.view(id))
		return p
	}
	first := note()
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleEditor)
	bob := open(t, srv, bobIn)
	bob.edit(id, "Remove", screen.Edit{Do: screen.DoRemove, Widget: w})
	removed := note()
	if h := ann.history(id, "?widget="+string(w)); h.Changes[0].By != "bob" || h.Changes[0].Mine || h.Changes[0].Items[0].What != screen.ItemRemoved || h.Changes[0].Items[0].Title != "Orders" {
		t.Fatalf("%+v", h)
	}
	ann.edit(id, "Rename", title("Store"))
	ann.edit(id, "Add", screen.Edit{Do: screen.DoAdd, Kind: board.KindMarkdown, Title: "New"})
	last := note()

	bob.view(id)

	var then screen.Then
	ann.do(http.MethodGet, at+"/history/"+first, nil, &then)
	if then.Title != "Shop" || len(then.Widgets) != 2 || len(then.Widgets[0].Rows) != 2 || !then.Rows || then.Position != first {
		t.Fatalf("%+v", then)
	}
	var done screen.Edited
	restore := at + "/history/" + first + "/restore"
	ann.do(http.MethodPost, restore, map[string]string{}, &done)
	v := ann.view(id)
	if content(v) != states[first] || done.Version != v.Version || v.Undo == nil || *v.Undo != "Restore an earlier version" {
		t.Fatalf("%s\nundo %v, version %d of %d", content(v), v.Undo, done.Version, v.Version)
	}
	bob.hearOf(id)
	if content(bob.view(id)) != states[first] {
		t.Error("others do not see it")
	}
	ann.refused(fault.Conflict, http.MethodPost, restore, map[string]string{})
	ann.do(http.MethodPost, at+"/undo", nil, nil)
	if got := content(ann.view(id)); got != states[last] {
		t.Errorf("after undo\n%s\nnot\n%s", got, states[last])
	}
	// One widget, by somebody else; then back to without it, by the history of what was restored.
	bob.do(http.MethodPost, restore, map[string]string{"widget": string(w)}, nil)
	v = bob.view(id)
	if len(v.Widgets) != 3 || v.Title != "Store" || v.Undo == nil || *v.Undo != "Restore “Orders”" {
		t.Errorf("%s, undo %v", content(v), v.Undo)
	}
	bob.do(http.MethodPost, at+"/undo", nil, nil)
	if got := content(bob.view(id)); got != states[last] {
		t.Errorf("after undo\n%s\nnot\n%s", got, states[last])
	}
	ann.do(http.MethodPost, at+"/history/"+removed+"/restore", map[string]string{}, nil)
	if got := content(ann.view(id)); got != states[removed] {
		t.Errorf("%s\nnot\n%s", got, states[removed])
	}
	ann.do(http.MethodPost, at+"/trash", nil, nil)
	ann.refused(fault.Conflict, http.MethodPost, restore, map[string]string{})
}

func TestA5_A6_TheHistoryIsForEditors(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	at := "boards/" + string(id)
	ann.edit(id, "Rename", title("canary"))
	ann.edit(id, "Rename", title("Shop"))
	bobIn := srv.SignUp("bob@example.org")
	bob := open(t, srv, bobIn)
	for _, c := range []struct {
		role sharing.Role
		kind fault.Kind
	}{{sharing.RoleNone, fault.NotFound}, {sharing.RoleEditor, ""}, {sharing.RoleViewer, fault.Denied}, {sharing.RoleNone, fault.NotFound}} {
		srv.SetRole(id, bobIn, c.role)
		for _, path := range []string{"/history", "/history/2", "/history/2/restore"} {
			method, in := http.MethodGet, any(nil)
			if path == "/history/2/restore" {
				method, in = http.MethodPost, map[string]string{"widget": "board"}
			}
			a := bob.ask(method, at+path, in)
			if c.kind == "" && a.status == http.StatusOK {
				continue
			}
			edit := bob.ask(http.MethodPost, at+"/edits", map[string]any{"label": "Rename", "edits": []screen.Edit{title("x")}})
			if a.fault == nil || a.fault.Kind != c.kind || !bytes.Equal(a.body, edit.body) {
				t.Errorf("%s as %q: %d %s; an edit: %s", path, c.role, a.status, a.body, edit.body)
			}
		}
	}
}

func TestB1_BadPlacesInTheHistory(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	at := "boards/" + string(ann.shop()) + "/history"
	for _, c := range []struct {
		method, path string
		in           any
		kind         fault.Kind
		field        string
	}{
		{http.MethodGet, "?before=-1", nil, fault.Invalid, "before"},
		{http.MethodGet, "?widget=-1", nil, fault.Invalid, "widget"},
		{http.MethodGet, "/x", nil, fault.Invalid, "position"},
		{http.MethodGet, "/99", nil, fault.NotFound, "position"},
		{http.MethodPost, "/99/restore", map[string]string{}, fault.NotFound, "position"},
		{http.MethodPost, "/1/restore", map[string]string{"widget": "w"}, fault.Invalid, "widget"},
		{http.MethodPost, "/1/restore", map[string]string{"widget": "board", "field": "f"}, fault.Invalid, "field"},
		{http.MethodPost, "/1/restore", map[string]string{"wide": "w"}, fault.Invalid, "body"},
	} {
		if f := ann.refusal(c.kind, c.method, at+c.path, c.in); f.Field != c.field {
			t.Errorf("%s %v: %+v", c.path, c.in, f)
		}
	}
}
