package webapp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

func TestA3_WhatEachRoleMay(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	others := map[sharing.Role]*browser{}
	id := ann.shop()
	w := ann.table(id, "Orders", "x")
	for _, role := range []sharing.Role{sharing.RoleOwner, sharing.RoleEditor, sharing.RoleViewer, sharing.RoleNone} {
		who := srv.SignUp(string(role) + "me@example.org")
		if role != sharing.RoleNone {
			srv.SetRole(id, who, role)
		}
		others[role] = open(t, srv, who)
	}
	at := "boards/" + string(id)
	edit := map[string]any{"label": "Rename", "edits": []screen.Edit{title("Other")}}
	none, viewer, editor, owner := sharing.RoleNone, sharing.RoleViewer, sharing.RoleEditor, sharing.RoleOwner
	for _, c := range []struct {
		method, path string
		in           any
		from         sharing.Role // the least that may
	}{
		{http.MethodGet, at, nil, viewer},
		{http.MethodGet, at + "?have=1", nil, viewer},
		{http.MethodGet, at + "/export", nil, viewer},
		{http.MethodGet, at + "/widgets/" + string(w) + "/rows.csv", nil, viewer},
		{http.MethodPost, at + "/duplicate", nil, viewer},
		{http.MethodPost, at + "/edits", edit, editor},
		{http.MethodPost, at + "/undo", nil, editor},
		{http.MethodPost, at + "/redo", nil, editor},
		{http.MethodPost, at + "/trash", nil, editor},
		{http.MethodPost, at + "/restore", nil, editor},
		{http.MethodPost, at + "/share", map[string]any{"action": "enable"}, owner},
		{http.MethodPost, at + "/share", map[string]any{"action": "slug", "slug": "the-shop"}, owner},
		{http.MethodPost, at + "/share", map[string]any{"action": "disable"}, owner},
		{http.MethodGet, at + "/qr?of=link&format=svg", nil, owner},
	} {
		for role, b := range others {
			a := b.ask(c.method, c.path, c.in)
			may := rank(role) >= rank(c.from)
			if strings.HasSuffix(c.path, "do") && a.fault != nil && a.fault.Kind == fault.Conflict {
				continue // permitted, and there is nothing to undo any more
			}
			switch {
			case may && a.status != http.StatusOK, !may && role == none && (a.fault == nil || a.fault.Kind != fault.NotFound),
				!may && role != none && (a.fault == nil || a.fault.Kind != fault.Denied):
				t.Errorf("%s %s by %q: %d %s", c.method, c.path, role, a.status, a.body)
			}
		}
	}
	// Nobody but an owner deletes for ever, and only from the trash.
	ann.refused(fault.Conflict, http.MethodDelete, at, nil)
	ann.do(http.MethodPost, at+"/trash", nil, nil)
	others[editor].refused(fault.Denied, http.MethodDelete, at, nil)
	others[none].refused(fault.NotFound, http.MethodDelete, at, nil)
	ann.refused(fault.Conflict, http.MethodPost, at+"/edits", edit)
	others[owner].do(http.MethodDelete, at, nil, nil)
	ann.refused(fault.NotFound, http.MethodGet, at, nil)
	if _, ok := ann.listed(id); ok {
		t.Error("a deleted dashboard is listed")
	}
}

func rank(r sharing.Role) int {
	return map[sharing.Role]int{sharing.RoleViewer: 1, sharing.RoleEditor: 2, sharing.RoleOwner: 3}[r]
}

// Every request is for somebody who is signed in, and takes nothing from another site's page.
func TestA5_RoutesAreForTheSignedIn(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	nobody := &browser{t: t, srv: srv}
	gone := &browser{t: t, srv: srv, who: srv.LogIn("ann@example.org")}
	gone.do(http.MethodPost, "account/logout", nil, nil)
	id := ann.shop()
	n := 0
	for _, r := range srv.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		path, ours := strings.CutPrefix(path, "/app/api/")
		if !ours {
			continue
		}
		n++
		path = strings.NewReplacer("{id}", string(id), "{w}", "wgt_00000000000000000000000000", "{import}", "imp_X").Replace(path)
		for name, b := range map[string]*browser{"nobody": nobody, "a session that has ended": gone} {
			if a := b.ask(method, path, nil); a.status != http.StatusUnauthorized || a.fault == nil {
				t.Errorf("%s by %s: %d %s", r.Pattern, name, a.status, a.body)
			}
		}
		if method != http.MethodGet {
			a := ann.ask(method, path, nil, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
			if a.fault == nil || a.fault.Kind != fault.Denied || !strings.Contains(a.fault.Message, "another site") {
				t.Errorf("%s from another site: %d %s", r.Pattern, a.status, a.body)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d routes", n)
	}
	if _, ok := ann.listed(id); !ok {
		t.Error("another site's page has done something")
	}
}

func TestEditsAreSeenByOthersAtOnce(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleViewer)
	bob := open(t, srv, bobIn)
	have := bob.view(id)
	w := ann.table(id, "Orders", "one", "two")
	bob.hearOf(id)
	p, whole := bob.patch(id, have.Version)
	if whole || len(p.Changed) != 1 || p.Changed[0].ID != w || len(p.Changed[0].Rows) != 2 {
		t.Fatalf("whole %v, %+v", whole, p)
	}
	// What is appended comes as an addition, and other widgets do not come again.
	ann.table(id, "Stock", "many")
	ann.edit(id, "Append", screen.Edit{Do: screen.DoAppend, Widget: w, Rows: rows("three")})
	bob.hearOf(id)
	first := p.Version
	p, whole = bob.patch(id, p.Version)
	if whole || len(p.Changed) != 2 || len(p.Order) != 2 {
		t.Fatalf("whole %v, %+v", whole, p)
	}
	for _, c := range p.Changed {
		if c.ID == w && (c.Rows != nil || len(c.Append) != 1 || string(c.Append[0]) != `["three"]`) {
			t.Errorf("an appended row comes as %s and %s", c.Rows, c.Append)
		}
	}
	if p, whole = bob.patch(id, p.Version); whole || len(p.Changed) != 0 {
		t.Errorf("nothing changed, and %+v came", p.Changed)
	}
	if p.Version <= first || p.Role != sharing.RoleViewer || p.Undo != nil {
		t.Errorf("%+v", p.BoardHead)
	}
	for name, have := range map[string]int64{"an earlier run's": 3, "the future's": p.Version + 1000, "an editor's": p.Version - 1} {
		if _, whole := bob.patch(id, have); !whole {
			t.Errorf("%s version gets a patch", name)
		}
	}
	if a, b := content(ann.view(id)), content(bob.view(id)); a != b {
		t.Errorf("they see\n%s\nand\n%s", a, b)
	}
	if s, ok := bob.listed(id); !ok || s.Mine || s.Owner != "ann" || s.Title != "Shop" || s.CanShare || s.Role != sharing.RoleViewer || s.Widgets != 2 {
		t.Errorf("%v %+v", ok, s)
	}
	if s, ok := ann.listed(id); !ok || !s.Mine || !s.CanShare || s.Organisation == "" || s.Updated < s.Created {
		t.Errorf("%v %+v", ok, s)
	}
}

// Whoever may only view gets what is published, and nothing of the link or of what was kept back.
func TestA6_ViewersGetTheProjection(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	w := ann.table(id, "Orders", "row")
	ann.edit(id, "Option", screen.Edit{Do: screen.DoKind, Widget: w, Value: json.RawMessage(`"stat"`)})
	ann.edit(id, "Option", screen.Edit{Do: screen.DoOption, Widget: w, Name: "unit", Value: json.RawMessage(`"canary-unit"`)})
	ann.edit(id, "Option", screen.Edit{Do: screen.DoKind, Widget: w, Value: json.RawMessage(`"table"`)})
	ann.share(id, map[string]any{"action": "enable"})
	if v := ann.view(id); v.Share.URL == "" || !strings.Contains(string(v.Widgets[0].Options["unit"]), "canary") {
		t.Fatalf("%+v", v)
	}
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleViewer)
	bob := open(t, srv, bobIn)
	token := string(ann.view(id).Share.InForce.Token)
	look := func(what string, a answer) {
		t.Helper()
		if a.status != http.StatusOK || bytes.Contains(a.body, []byte("canary")) || bytes.Contains(a.body, []byte(token)) ||
			bytes.Contains(a.body, []byte("ann@example.org")) {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	look("the dashboard", bob.ask(http.MethodGet, "boards/"+string(id), nil))
	look("the list", bob.ask(http.MethodGet, "state", nil))
	look("the file", bob.ask(http.MethodGet, "boards/"+string(id)+"/export", nil))
	have := bob.view(id).Version
	ann.edit(id, "Rename", title("Canal"))
	bob.hearOf(id)
	look("the patch", bob.ask(http.MethodGet, fmt.Sprintf("boards/%s?have=%d", id, have), nil))
	// As an editor the same browser gets everything, though it asks for a patch.
	srv.SetRole(id, bobIn, sharing.RoleEditor)
	bob.hearOf(id)
	a := bob.ask(http.MethodGet, fmt.Sprintf("boards/%s?have=%d", id, bob.after), nil)
	if !bytes.Contains(a.body, []byte("canary-unit")) {
		t.Errorf("an editor misses what was not published: %s", a.body)
	}
	srv.SetRole(id, bobIn, sharing.RoleViewer)
	bob.hearOf(id)
	look("the dashboard after losing the role", bob.ask(http.MethodGet, fmt.Sprintf("boards/%s?have=%d", id, have), nil))
}

func TestSI22_UndoAndRedo(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	annIn := srv.SignUp("ann@example.org")
	ann := open(t, srv, annIn)
	id := ann.shop()
	at := "boards/" + string(id)
	ann.refused(fault.Conflict, http.MethodPost, at+"/undo", nil)
	w := ann.table(id, "Orders", "a", "b")
	states := []string{content(ann.view(id))}
	for _, e := range []screen.Edit{
		title("Store"),
		{Do: screen.DoRows, Widget: w, Columns: []board.Column{{Name: "b", Type: board.TypeNumber}}, Rows: []json.RawMessage{[]byte("[1]")}},
		{Do: screen.DoAppend, Widget: w, Rows: []json.RawMessage{[]byte("[2]")}},
		{Do: screen.DoRemove, Widget: w},
	} {
		ann.edit(id, string(e.Do), e)
		states = append(states, content(ann.view(id)))
	}
	second := open(t, srv, srv.LogIn("ann@example.org")) // another browser of the same account undoes the same steps
	for i := len(states) - 2; i >= 0; i-- {
		if v := second.view(id); v.Undo == nil {
			t.Fatal("nothing is said to be undone")
		}
		second.do(http.MethodPost, at+"/undo", nil, nil)
		if got := content(ann.view(id)); got != states[i] {
			t.Errorf("undo to %d:\n%s\nwant\n%s", i, got, states[i])
		}
	}
	for i := 1; i < len(states); i++ {
		ann.do(http.MethodPost, at+"/redo", nil, nil)
		if got := content(ann.view(id)); got != states[i] {
			t.Errorf("redo to %d:\n%s\nwant\n%s", i, got, states[i])
		}
	}
	// What somebody else wrote later stays, and one person's steps are not another's.
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleEditor)
	bob := open(t, srv, bobIn)
	bob.refused(fault.Conflict, http.MethodPost, at+"/undo", nil)
	ann.edit(id, "Rename", title("Hers"))
	bob.edit(id, "Rename", title("His"))
	f := ann.refusal(fault.Conflict, http.MethodPost, at+"/undo", nil)
	if f.Message != screen.Overwritten || ann.view(id).Title != "His" {
		t.Errorf("%+v, %q", f, ann.view(id).Title)
	}
	bob.do(http.MethodPost, at+"/undo", nil, nil)
	if got := ann.view(id).Title; got != "Hers" {
		t.Errorf("title %q", got)
	}
	x := ann.table(id, "Theirs", "1")
	ann.edit(id, "Append", screen.Edit{Do: screen.DoAppend, Widget: x, Rows: rows("2")})
	bob.edit(id, "Append", screen.Edit{Do: screen.DoAppend, Widget: x, Rows: rows("3")})
	before := content(bob.view(id))
	if f := ann.refusal(fault.Conflict, http.MethodPost, at+"/undo", nil); f.Message != screen.Overwritten || content(ann.view(id)) != before {
		t.Errorf("rows that somebody else appended to were replaced: %+v", f)
	}
}

// Whoever has the version that an edit made knows what can be undone, also a tab that fetched the change before its maker
// had the answer; and the other tabs are told.
func TestSI22_AnEditsVersionSaysWhatCanBeUndone(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	tab := open(t, srv, ann.who)
	v := tab.view(id)
	have, undo := v.Version, v.Undo
	for i := range 100 {
		label := fmt.Sprint("Rename ", i)
		made := make(chan int64)
		go func() {
			a, err := ann.send(t.Context(), http.MethodPost, "boards/"+string(id)+"/edits", map[string]any{"label": label, "edits": []screen.Edit{title(label)}})
			var out screen.Edited
			if err == nil {
				err = json.Unmarshal(a.body, &out)
			}
			if err != nil {
				t.Error(err)
			}
			made <- out.Version
		}()
		for version := int64(0); version == 0 || have < version; {
			select {
			case version = <-made:
			default:
			}
			p, whole := tab.patch(id, have)
			if whole {
				t.Fatal("everything came instead of what changed")
			}
			have, undo = p.Version, p.Undo
		}
		if undo == nil || *undo != label {
			t.Fatalf("%s: %v is said to be undone", label, undo)
		}
	}
	tab.hearOf(id)
	ann.do(http.MethodPost, "boards/"+string(id)+"/undo", nil, nil)
	now, _ := tab.patch(id, have)
	tab.hear("what was undone", func(e screen.Event) bool { return e.ID == id && e.Version >= now.Version })
}

// A change of access reaches open browsers: they are told at once, and get nothing any more (rule V1).
func TestV1_LostAccessAndEndedSessions(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleEditor)
	bob := open(t, srv, bobIn)
	have := bob.view(id).Version
	waiting := make(chan []screen.Event, 1)
	go func() {
		var got batch
		a, err := bob.send(t.Context(), http.MethodGet, fmt.Sprintf("events?after=%d&client=%s", bob.after, bob.name), nil)
		if err == nil {
			_ = json.Unmarshal(a.body, &got)
		}
		waiting <- got.Events
	}()
	srv.SetRole(id, bobIn, sharing.RoleNone)
	told := false
	for _, e := range <-waiting {
		told = told || e.Type == screen.EventBoard && e.ID == id && e.Version > have
	}
	if !told {
		bob.hearOf(id)
	}
	at := "boards/" + string(id)
	bob.refused(fault.NotFound, http.MethodGet, fmt.Sprintf("%s?have=%d", at, have), nil)
	bob.refused(fault.NotFound, http.MethodPost, at+"/edits", map[string]any{"label": "x", "edits": []screen.Edit{title("His")}})
	if _, ok := bob.listed(id); ok {
		t.Error("a dashboard that was taken away is listed")
	}
	ann.edit(id, "Rename", title("Secret"))
	for _, e := range bob.poll() {
		if e.Type == screen.EventBoard && e.Version <= have {
			t.Errorf("told of %+v", e)
		}
	}

	// Logging out ends the poll that waits in another tab.
	ended := make(chan answer, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		a, _ := ann.send(t.Context(), http.MethodGet, fmt.Sprintf("events?after=%d&client=%s", ann.after+1<<40, "other"), nil)
		for a.status == http.StatusOK { // what was pending comes first
			var got batch
			_ = json.Unmarshal(a.body, &got)
			a, _ = ann.send(t.Context(), http.MethodGet, fmt.Sprintf("events?after=%d&client=%s", got.Next, "other"), nil)
		}
		ended <- a
	}()
	<-begun
	tab := *ann
	tab.name = "second"
	tab.do(http.MethodPost, "account/logout", nil, nil)
	if a := <-ended; a.status != http.StatusUnauthorized {
		t.Errorf("the poll ended with %d %s", a.status, a.body)
	}
}

func TestB1_WhatIsMalformedOrTooLargeChangesNothing(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	w := ann.table(id, "Orders", "a")
	before := content(ann.view(id))
	at := "boards/" + string(id)
	long := strings.Repeat("x", 70<<10)
	many := make([]screen.Edit, 1001)
	for i := range many {
		many[i] = title("x")
	}
	for name, c := range map[string]struct {
		path  string
		in    any
		kind  fault.Kind
		field string
	}{
		"no JSON":             {at + "/edits", []byte("{"), fault.Invalid, "body"},
		"two values":          {at + "/edits", []byte("{}{}"), fault.Invalid, "body"},
		"an unknown member":   {at + "/edits", []byte(`{"edit":[]}`), fault.Invalid, "body"},
		"a wrong type":        {at + "/edits", []byte(`{"label":7}`), fault.Invalid, "label"},
		"no edits":            {at + "/edits", map[string]any{"edits": []int{}}, fault.Invalid, "edits"},
		"too many edits":      {at + "/edits", map[string]any{"edits": many}, fault.TooLarge, ""},
		"a title too long":    {at + "/edits", map[string]any{"edits": []screen.Edit{title(strings.Repeat("x", 5000))}}, fault.TooLarge, "title"},
		"good and bad":        {at + "/edits", map[string]any{"edits": []screen.Edit{title("Other"), {Do: screen.DoOption, Widget: w, Name: strings.Repeat("n", 3_000), Value: json.RawMessage("1")}}}, fault.Invalid, "field"},
		"an unknown widget":   {at + "/edits", map[string]any{"edits": []screen.Edit{{Do: screen.DoRemove, Widget: "wgt_00000000000000000000000000"}}}, fault.NotFound, "widget"},
		"a large small body":  {at + "/share", []byte(`{"action":"` + long + `"}`), fault.TooLarge, "body"},
		"an unknown action":   {at + "/share", map[string]any{"action": "open"}, fault.Invalid, "action"},
		"a short password":    {at + "/share", map[string]any{"action": "password", "password": "x"}, fault.Invalid, "password"},
		"a time that is past": {at + "/share", map[string]any{"action": "expiry", "expires": 1}, fault.Invalid, "expires"},
		"a bad slug":          {at + "/share", map[string]any{"action": "slug", "slug": "No!"}, fault.Invalid, "slug"},
		"no dashboard's id":   {"boards/shop/edits", map[string]any{}, fault.NotFound, ""},
		"no import":           {"files/imp_X/apply", map[string]any{"board": id, "kind": "table"}, fault.NotFound, ""},
		"no file":             {"boards/import", []byte("hello"), fault.Invalid, "text"},
		"an unknown request":  {"boards/" + string(id) + "/explode", nil, fault.NotFound, ""},
	} {
		a := ann.ask(http.MethodPost, c.path, c.in)
		if a.fault == nil || a.fault.Kind != c.kind || a.fault.Field != c.field || a.fault.Message == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	ann.refused(fault.Invalid, http.MethodGet, at+"?have=x", nil)
	ann.refused(fault.Invalid, http.MethodGet, "events?after=x&client=a", nil)
	ann.refused(fault.Invalid, http.MethodGet, "events?after=0&client="+strings.Repeat("a", 65), nil)
	if got := content(ann.view(id)); got != before || ann.view(id).Share.InForce.Enabled {
		t.Errorf("something was changed: %s", got)
	}
	// Larger than any body the rest of the server takes, and still within what a dashboard may hold.
	big := make([]string, 2_000)
	for i := range big {
		big[i] = strings.Repeat("y", 1_000)
	}
	ann.edit(id, "Paste", screen.Edit{Do: screen.DoRows, Widget: w, Columns: []board.Column{{Name: "a", Type: board.TypeText}}, Rows: rows(big...)})
	if n := len(ann.view(id).Widgets[0].Rows); n != len(big) {
		t.Errorf("%d rows", n)
	}
}

func TestSharingByLink(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{Front: fstest.MapFS{
		"share/share.js": {Data: []byte("1")}, "share/share.css": {Data: []byte("body{}")},
		"render/render.js": {Data: []byte(`globalThis.widgets = { board: (j) => JSON.stringify({ title: "x", body: j, css: "" }), widget: (j) => j };`)},
	}})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	opens := func(url string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	ann.share(id, map[string]any{"action": "enable", "password": "open sesame"})
	v := ann.view(id).Share
	if v.InForce.Mode != sharing.Password || v.URL == "" || v.ShortURL == "" || len(v.Waiting) != 0 || !v.Synced || !v.CanManage {
		t.Fatalf("%+v", v)
	}
	if got := opens(v.URL); got != http.StatusUnauthorized {
		t.Errorf("a link with a password answers %d", got)
	}
	ann.share(id, map[string]any{"action": "no_password"})
	if got := opens(v.URL); got != http.StatusOK {
		t.Errorf("an open link answers %d", got)
	}
	ann.hear("the link having been opened", func(e screen.Event) bool { return e.Type == screen.EventBoard && e.ID == id })
	ann.share(id, map[string]any{"action": "slug", "slug": "the-shop"})
	ann.share(id, map[string]any{"action": "still", "still": true})
	ann.share(id, map[string]any{"action": "origins", "origins": []string{"https://example.org"}})
	if v := ann.view(id).Share; !strings.HasSuffix(v.SlugURL, "/s/the-shop") || !v.InForce.Still || len(v.InForce.Origins) != 1 {
		t.Errorf("%+v", v)
	}
	for _, format := range []string{"svg", "png"} {
		a := ann.ask(http.MethodGet, "boards/"+string(id)+"/qr?of=slug&format="+format, nil)
		if a.status != http.StatusOK || !strings.Contains(a.header.Get("Content-Disposition"), "Shop QR code."+format) || len(a.body) < 500 {
			t.Errorf("%s: %d %v", format, a.status, a.header)
		}
	}
	ann.share(id, map[string]any{"action": "rotate"})
	after := ann.view(id).Share
	if after.URL == v.URL || opens(v.URL) != http.StatusNotFound || opens(after.URL) != http.StatusOK {
		t.Errorf("rotated from %s to %s", v.URL, after.URL)
	}
	ann.share(id, map[string]any{"action": "disable"})
	if got := opens(after.URL); got != http.StatusNotFound {
		t.Errorf("a link that is off answers %d", got)
	}
	if s, _ := ann.listed(id); s.Mode != sharing.Private {
		t.Errorf("%+v", s)
	}
	// What is in the trash cannot be shared.
	ann.do(http.MethodPost, "boards/"+string(id)+"/trash", nil, nil)
	ann.refused(fault.Conflict, http.MethodPost, "boards/"+string(id)+"/share", map[string]any{"action": "enable"})
}

func TestFilesAndCopies(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	var preview struct {
		ID        string
		TotalRows int
		Suggested string
	}
	ann.do(http.MethodPost, "files?name=x.csv", []byte("day;n\n2026-01-01;1,5\n2026-01-02;2\n"), &preview)
	if preview.TotalRows != 2 {
		t.Fatalf("%+v", preview)
	}
	ann.do(http.MethodPost, "files/"+preview.ID, map[string]any{"options": map[string]any{"keep": []int{1}}}, &preview)
	var made struct{ Widget board.WidgetID }
	ann.do(http.MethodPost, "files/"+preview.ID+"/apply", map[string]any{"board": id, "kind": "table", "title": "Numbers"}, &made)
	if v := ann.view(id); len(v.Widgets) != 1 || v.Widgets[0].ID != made.Widget || string(v.Widgets[0].Rows[0]) != "[1.5]" {
		t.Errorf("%+v", v.Widgets)
	}
	ann.refused(fault.NotFound, http.MethodPost, "files/"+preview.ID+"/apply", map[string]any{"board": id, "kind": "table"})
	csv := ann.ask(http.MethodGet, "boards/"+string(id)+"/widgets/"+string(made.Widget)+"/rows.csv", nil)
	if string(csv.body) != "n\r\n1.5\r\n2\r\n" {
		t.Errorf("%q", csv.body)
	}
	// Another browser does not reach a file that waits.
	ann.do(http.MethodPost, "files?name=x.csv", []byte("a\n1\n"), &preview)
	bob := open(t, srv, srv.SignUp("bob@example.org"))
	bob.refused(fault.NotFound, http.MethodPost, "files/"+preview.ID, map[string]any{"options": map[string]any{}})

	file := ann.ask(http.MethodGet, "boards/"+string(id)+"/export", nil)
	var imported, copied struct{ ID board.ID }
	bob.do(http.MethodPost, "boards/import", file.body, &imported)
	ann.do(http.MethodPost, "boards/"+string(id)+"/duplicate", nil, &copied)
	if got := bob.view(imported.ID); got.Title != "Shop" || len(got.Widgets) != 1 || got.Role != sharing.RoleOwner || got.Widgets[0].ID == made.Widget {
		t.Errorf("%+v", got)
	}
	if got := ann.view(copied.ID); got.Title != "Shop (copy)" || len(got.Widgets) != 1 || got.Share.InForce.Enabled {
		t.Errorf("%+v", got)
	}
}
