package bridge_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/source"
)

// noServer is a world without a network.
type noServer struct{}

func (noServer) SignUp(context.Context, string, string, string) (workspace.Pending, error) {
	return workspace.Pending{}, fault.New(fault.Unavailable, "No server.")
}

func (noServer) Claim(context.Context, string, workspace.Secret) (workspace.Session, bool, error) {
	return workspace.Session{}, false, fault.New(fault.Unavailable, "No server.")
}

func (noServer) Resend(context.Context, string, workspace.Secret) error {
	return fault.New(fault.Unavailable, "No server.")
}

func (noServer) LogIn(_ context.Context, _, _, password string) (workspace.Session, error) {
	if password == "panic" {
		panic("secret in a panic")
	}
	return workspace.Session{}, errors.New("secret detail " + password)
}
func (noServer) LogOut(context.Context, string, string) error { return nil }

type noCredentials struct{}

func (noCredentials) Load(string) (string, error) { return "", nil }
func (noCredentials) Store(string, string) error  { return nil }
func (noCredentials) Delete(string) error         { return nil }

// desktop keeps what the system was asked for.
type desktop struct {
	opened, copied []string
	err            error
}

func (d *desktop) OpenURL(url string) error       { d.opened = append(d.opened, url); return d.err }
func (d *desktop) SetClipboard(text string) error { d.copied = append(d.copied, text); return d.err }

// fixture is a bridge on a real data file.
type fixture struct {
	*bridge.Bridge
	t   *testing.T
	log *bytes.Buffer
}

func page() fs.FS {
	return fstest.MapFS{
		"index.html":            {Data: []byte("<!doctype html><title>the app</title>")},
		"assets/main-abc123.js": {Data: []byte("export {}")},
		"icon.svg":              {Data: []byte("<svg/>")},
	}
}

func newWorkspace(t *testing.T) *workspace.Workspace {
	t.Helper()
	return workspaceIn(t, t.TempDir(), noServer{}, slog.New(slog.DiscardHandler))
}

func workspaceIn(t *testing.T, dir string, accounts workspace.Accounts, log *slog.Logger) *workspace.Workspace {
	t.Helper()
	store, err := localstore.Open(filepath.Join(dir, "data.db"), localstore.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ws, err := workspace.New(workspace.Deps{
		Store: store, Now: time.Now, Random: rand.Reader, Log: log,
		Accounts: accounts, Credentials: noCredentials{}, Version: "test", Desktop: true, DefaultServer: "https://example.org",
	})
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func closed(t *testing.T, deps bridge.Deps) fixture {
	t.Helper()
	log := &bytes.Buffer{}
	deps.Random, deps.Log = rand.Reader, slog.New(slog.NewTextHandler(log, nil))
	b := bridge.New(deps)
	t.Cleanup(b.Close)
	return fixture{b, t, log}
}

func opened(t *testing.T, deps bridge.Deps) fixture {
	t.Helper()
	f := closed(t, deps)
	f.Open(newWorkspace(t))
	return f
}

// do sends a request. Body is sent as it is if it is a string or bytes, as JSON otherwise.
func (f fixture) do(method, path string, body any) *httptest.ResponseRecorder {
	f.t.Helper()
	var r io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			f.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequestWithContext(f.t.Context(), method, path, r))
	return w
}

// ask expects success and decodes the answer into out.
func (f fixture) ask(method, path string, body, out any) {
	f.t.Helper()
	w := f.do(method, path, body)
	if w.Code != http.StatusOK {
		f.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
		f.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
}

func faultIn(t *testing.T, w *httptest.ResponseRecorder) fault.Error {
	t.Helper()
	var in struct{ Error fault.Error }
	if err := json.Unmarshal(w.Body.Bytes(), &in); err != nil || in.Error.Message == "" {
		t.Fatalf("no fault in %d %q: %v", w.Code, w.Body, err)
	}
	return in.Error
}

func (f fixture) create(title string) board.ID {
	f.t.Helper()
	var in struct{ ID board.ID }
	f.ask("POST", "/api/boards", map[string]string{"title": title}, &in)
	return in.ID
}

func (f fixture) view(id board.ID) workspace.BoardView {
	f.t.Helper()
	var v workspace.BoardView
	f.ask("GET", "/api/boards/"+string(id), nil, &v)
	return v
}

func TestADashboardsLife(t *testing.T) {
	f := opened(t, bridge.Deps{})
	id := f.create("Shop")
	var edited workspace.Edited
	f.ask("POST", "/api/boards/"+string(id)+"/edits", `{"label":"add","edits":[{"do":"add","kind":"table","title":"T","layout":{"x":0,"y":0,"w":4,"h":3},
		"columns":[{"name":"a","type":"text"}],"rows":[["=1+1"],["x"]]}]}`, &edited)
	if len(edited.Added) != 1 || edited.Version == 0 {
		t.Fatalf("%+v", edited)
	}
	v := f.view(id)
	if v.Title != "Shop" || len(v.Widgets) != 1 || len(v.Widgets[0].Rows) != 2 || v.Undo == nil {
		t.Fatalf("%+v", v)
	}
	f.ask("POST", "/api/boards/"+string(id)+"/edits", `{"label":"rename","edits":[{"do":"board","field":"title","value":"Store"}]}`, nil)
	var patch workspace.BoardPatch
	f.ask("GET", fmt.Sprintf("/api/boards/%s?have=%d", id, v.Version), nil, &patch)
	if patch.Title != "Store" || len(patch.Order) != 1 || len(patch.Changed) != 0 {
		t.Errorf("%+v", patch)
	}
	f.ask("POST", "/api/boards/"+string(id)+"/undo", nil, nil)
	f.ask("POST", "/api/boards/"+string(id)+"/redo", nil, nil)
	w := f.do("GET", fmt.Sprintf("/api/boards/%s/widgets/%s/rows.csv", id, edited.Added[0]), nil)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || strings.Contains(w.Body.String(), "\n=1") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	text := f.do("GET", "/api/boards/"+string(id)+"/export", nil).Body.String()
	var copied struct{ ID board.ID }
	f.ask("POST", "/api/boards/import", text, &copied)
	if f.view(copied.ID).Title != "Store" {
		t.Errorf("imported %+v", f.view(copied.ID))
	}
	f.ask("POST", "/api/boards/"+string(id)+"/duplicate", nil, &copied)
	f.ask("POST", "/api/boards/"+string(id)+"/trash", nil, nil)
	f.ask("POST", "/api/boards/"+string(id)+"/restore", nil, nil)
	f.ask("POST", "/api/boards/"+string(id)+"/trash", nil, nil)
	f.ask("DELETE", "/api/boards/"+string(id), nil, nil)
	if w := f.do("GET", "/api/boards/"+string(id), nil); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	f.ask("PUT", "/api/settings", `{"theme":"dark"}`, nil)
	var s workspace.AppState
	f.ask("GET", "/api/state", nil, &s)
	if s.Settings.Theme != board.ThemeDark || !s.Desktop || s.Version != "test" || s.DefaultServer != "https://example.org" {
		t.Errorf("%+v", s)
	}
	f.ask("POST", "/api/sync/retry", nil, nil)
	f.ask("POST", "/api/account/logout", nil, nil)
}

func TestB1_BadRequestsGetAClearFaultAndChangeNothing(t *testing.T) {
	f := opened(t, bridge.Deps{})
	id := f.create("Shop")
	at := "/api/boards/" + string(id)
	before := f.view(id).Version
	unknown := "/api/boards/dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D"
	for name, c := range map[string]struct {
		method, path string
		body         any
		status       int
		field        string
	}{
		"unknown request":       {"GET", "/api/nothing", nil, 404, ""},
		"unknown method":        {"PATCH", "/api/state", nil, 404, ""},
		"bare api":              {"GET", "/api", nil, 404, ""},
		"no dashboard id":       {"GET", "/api/boards/%3Cscript%3E", nil, 404, ""},
		"unknown dashboard":     {"GET", unknown, nil, 404, ""},
		"unknown to trash":      {"POST", unknown + "/trash", nil, 404, ""},
		"version":               {"GET", at + "?have=x", nil, 400, "have"},
		"no JSON":               {"POST", "/api/boards", "title", 400, "body"},
		"cut JSON":              {"POST", "/api/boards", `{"title":"a`, 400, "body"},
		"two values":            {"POST", "/api/boards", `{"title":"a"}{}`, 400, "body"},
		"stranger member":       {"POST", "/api/boards", `{"titel":"a"}`, 400, "body"},
		"wrong type":            {"POST", "/api/boards", `{"title":3}`, 400, "title"},
		"long title":            {"POST", "/api/boards", map[string]string{"title": strings.Repeat("a", 201)}, 413, "title"},
		"title of 1 MB":         {"POST", "/api/boards", map[string]string{"title": strings.Repeat("a", 1<<20)}, 413, "body"},
		"theme":                 {"PUT", "/api/settings", `{"theme":"pink"}`, 400, "theme"},
		"bad edit":              {"POST", at + "/edits", `{"label":"","edits":[{"do":"board","field":"theme","value":"pink"}]}`, 400, "theme"},
		"edit of what":          {"POST", at + "/edits", `{"label":"","edits":[{"do":"explode"}]}`, 400, "do"},
		"share how":             {"POST", at + "/share", `{"action":"delete"}`, 400, "action"},
		"share anyhow":          {"POST", at + "/share", `{"action":"publish"}`, 400, "action"},
		"share stranger":        {"POST", at + "/share", `{"action":"enable","pasword":"open sesame"}`, 400, "body"},
		"share password":        {"POST", at + "/share", `{"action":"password","password":"short"}`, 400, "password"},
		"share password type":   {"POST", at + "/share", `{"action":"password","password":12345678}`, 400, "password"},
		"share end":             {"POST", at + "/share", `{"action":"expiry","expires":1}`, 400, "expires"},
		"share end of a day":    {"POST", at + "/share", `{"action":"expiry","expires":1.5}`, 400, "expires"},
		"share slug":            {"POST", at + "/share", `{"action":"slug","slug":"Team"}`, 400, "slug"},
		"share origin":          {"POST", at + "/share", `{"action":"origins","origins":["example.org","//"]}`, 400, "origins[1]"},
		"share origins":         {"POST", at + "/share", `{"action":"origins","origins":"example.org"}`, 400, "origins"},
		"code of what":          {"GET", at + "/qr?format=svg", nil, 400, "of"},
		"code as what":          {"GET", at + "/qr?of=link&format=gif", nil, 400, "format"},
		"code of no link":       {"GET", at + "/qr?of=link&format=svg", nil, 409, ""},
		"code of no dashboard":  {"GET", unknown + "/qr?of=link&format=svg", nil, 404, ""},
		"widget id":             {"GET", at + "/widgets/x/rows.csv", nil, 404, ""},
		"body where none is":    {"POST", at + "/trash", strings.Repeat("x", 1<<20), 413, "body"},
		"options":               {"POST", "/api/files?name=a&options=%7B", "a", 400, "body"},
		"stranger option":       {"POST", "/api/files?name=a&options=%7B%22x%22%3A1%7D", "a", 400, "body"},
		"long options":          {"POST", "/api/files?options=" + strings.Repeat("x", 20_000), "a", 413, "body"},
		"long name":             {"POST", "/api/files?name=" + strings.Repeat("x", 2_000), "a", 400, "name"},
		"broken file":           {"POST", "/api/files?name=a.csv", "a\n\"b", 400, "file"},
		"large file":            {"POST", "/api/files?name=a.csv", make([]byte, source.MaxFile+1), 413, "body"},
		"forgotten file":        {"POST", "/api/files/imp_X", `{"options":{}}`, 404, ""},
		"apply a forgotten one": {"POST", "/api/files/imp_X/apply", `{"board":"` + string(id) + `","kind":"table","title":""}`, 404, ""},
		"event number":          {"GET", "/api/events?after=x&client=c", nil, 400, "after"},
		"event client":          {"GET", "/api/events?after=1", nil, 400, "client"},
		"link to a file":        {"POST", "/api/external", `{"url":"file:///etc/passwd"}`, 400, "url"},
		"link to a script":      {"POST", "/api/external", `{"url":"javascript:alert(1)"}`, 400, "url"},
		"link to a program":     {"POST", "/api/external", `{"url":"-exec"}`, 400, "url"},
		"link without a host":   {"POST", "/api/external", `{"url":"https:///x"}`, 400, "url"},
		"an unreachable server": {"POST", "/api/account/signup", `{"server":"s","email":"e","password":"p"}`, 503, ""},
		"mail of no sign-up":    {"POST", "/api/account/signup/resend", nil, 409, ""},
		"invite nobody":         {"POST", at + "/invite", `{"addresses":" ","role":"viewer","message":""}`, 400, "addresses"},
		"invite to be what":     {"POST", at + "/invite", `{"addresses":"a@b.org","role":"owner","message":""}`, 400, "role"},
		"invite with a novel":   {"POST", at + "/invite", `{"addresses":"a@b.org","role":"viewer","message":"` + strings.Repeat("x", 2_000) + `"}`, 400, "message"},
		"invite with a library": {"POST", at + "/invite", strings.Repeat("x", 1<<20), 413, "body"},
		"invite to no":          {"POST", unknown + "/invite", `{"addresses":"a@b.org","role":"viewer","message":""}`, 404, ""},
		"share whose role":      {"POST", at + "/share", `{"action":"role","account":"","role":"viewer"}`, 400, "account"},
		"share what role":       {"POST", at + "/share", `{"action":"role","account":"acc_1","role":"king"}`, 400, "role"},
		"share no invitation":   {"POST", at + "/share", `{"action":"revoke","invitation":"x"}`, 400, "invitation"},
		"share to nowhere":      {"POST", at + "/share", `{"action":"move","organisation":""}`, 400, "organisation"},
		"share too much":        {"POST", at + "/share", `{"action":"revoke","account":"acc_1"}`, 400, "account"},
		"share by inviting":     {"POST", at + "/share", `{"action":"invite"}`, 400, "action"},
		"look at nothing":       {"POST", "/api/look", `{"board":"x","editing":false}`, 404, ""},
		"look at what is not":   {"POST", "/api/look", `{"board":"dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D","editing":false}`, 404, ""},
		"make it for others":    {"POST", "/api/boards", `{"title":"a","organisation":"org_others"}`, 400, "organisation"},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.do(c.method, c.path, c.body)
			got := faultIn(t, w)
			if w.Code != c.status || got.Field != c.field {
				t.Errorf("%d %+v, want %d in %q", w.Code, got, c.status, c.field)
			}
			if strings.ContainsAny(w.Body.String(), "<") {
				t.Errorf("markup in %s", w.Body)
			}
		})
	}
	if v := f.view(id); v.Version != before || v.Title != "Shop" {
		t.Errorf("the dashboard changed: %+v", v)
	}
	if f.log.Len() > 0 {
		t.Errorf("a screen's mistakes are logged: %s", f.log)
	}
}

func TestWhatGoesWrongInsideIsLoggedAndNotShown(t *testing.T) {
	f := opened(t, bridge.Deps{})
	for _, password := range []string{"plain", "panic"} {
		w := f.do("POST", "/api/account/login", map[string]string{"server": "s", "email": "e", "password": password})
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if faultIn(t, w).Kind != fault.Internal {
			t.Errorf("%s", w.Body)
		}
	}
	if n := strings.Count(f.log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d lines: %s", n, f.log)
	}
	f.create("still works")
}

func TestB1_EveryCallOfAFailedProgramSaysWhy(t *testing.T) {
	f := closed(t, bridge.Deps{UI: page(), Start: 100})
	f.Fail(fault.New(fault.Outdated, "This data was written by a newer version.").WithHint("Update the program."))
	for _, c := range [][2]string{{"GET", "/api/state"}, {"POST", "/api/boards"}, {"GET", "/api/boards/x"}, {"POST", "/api/files?name=a"}} {
		w := f.do(c[0], c[1], nil)
		if got := faultIn(t, w); w.Code != http.StatusPreconditionFailed || got.Kind != fault.Outdated || got.Hint != "Update the program." {
			t.Errorf("%v: %d %+v", c, w.Code, got)
		}
	}
	if w := f.do("GET", "/", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "the app") {
		t.Errorf("page: %d %s", w.Code, w.Body)
	}
	if w := f.do("GET", "/api/events?after=100&client=c", nil); !strings.Contains(w.Body.String(), `"state"`) {
		t.Errorf("events: %s", w.Body)
	}
	if f.log.Len() > 0 {
		t.Errorf("logged: %s", f.log)
	}
}

func TestCallsWaitForTheData(t *testing.T) {
	f := closed(t, bridge.Deps{UI: page()})
	if w := f.do("GET", "/", nil); w.Code != http.StatusOK {
		t.Fatalf("the page waits: %d", w.Code)
	}
	answered := make(chan int, 1)
	go func() { answered <- f.do("GET", "/api/state", nil).Code }()
	select {
	case code := <-answered:
		t.Fatalf("answered %d before the data was there", code)
	default:
	}
	f.Open(newWorkspace(t))
	if code := <-answered; code != http.StatusOK {
		t.Errorf("status %d", code)
	}
	g := closed(t, bridge.Deps{})
	go func() { answered <- g.do("GET", "/api/state", nil).Code }()
	g.Close()
	if code := <-answered; code != http.StatusServiceUnavailable {
		t.Errorf("closed: status %d", code)
	}
}

func TestClosingWaitsForThePageAndForCalls(t *testing.T) {
	f := opened(t, bridge.Deps{})
	f.ask("POST", "/api/farewell", nil, nil)
	f.AwaitFarewell(time.Hour)
	f.AwaitFarewell(time.Nanosecond) // a page that says nothing
	f.Close()
	if w := f.do("POST", "/api/boards", `{"title":"late"}`); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a call after the end: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(bridge.Farewell, "/api/farewell") {
		t.Error("the script does not say farewell")
	}
}

func TestThePage(t *testing.T) {
	f := closed(t, bridge.Deps{UI: page()})
	for path, c := range map[string]struct {
		status               int
		contentType, content string
		forEver              bool
	}{
		"/":                      {200, "text/html; charset=utf-8", "the app", false},
		"/index.html":            {200, "text/html; charset=utf-8", "the app", false},
		"/board/dsh_1":           {200, "text/html; charset=utf-8", "the app", false},
		"/assets/main-abc123.js": {200, "text/javascript; charset=utf-8", "export {}", true},
		"/icon.svg":              {200, "image/svg+xml", "<svg/>", false},
		"/assets/gone.js":        {404, "application/json; charset=utf-8", "no such file", false},
		"/../../../etc/passwd.x": {404, "application/json; charset=utf-8", "no such file", false},
	} {
		w := f.do("GET", path, nil)
		h := w.Header()
		if w.Code != c.status || h.Get("Content-Type") != c.contentType || !strings.Contains(w.Body.String(), c.content) {
			t.Errorf("%s: %d %s %s", path, w.Code, h.Get("Content-Type"), w.Body)
		}
		if (h.Get("Cache-Control") == "no-store") == c.forEver {
			t.Errorf("%s: Cache-Control %s", path, h.Get("Cache-Control"))
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: may be sniffed", path)
		}
	}
	if w := f.do("POST", "/", nil); w.Code != http.StatusBadRequest {
		t.Errorf("POST: %d", w.Code)
	}
	if csp := f.do("GET", "/", nil).Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("policy %q", csp)
	}
	bare := closed(t, bridge.Deps{})
	if w := bare.do("GET", "/", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("not built: %d %s", w.Code, w.Body)
	}
}

func TestImportIntoDashboards(t *testing.T) {
	f := opened(t, bridge.Deps{})
	id := f.create("Shop")
	var p source.Preview
	f.ask("POST", "/api/files?name=a.csv&options="+url.QueryEscape(`{"header":true}`), []byte("day;sales;note\n2026-03-04;1,5;x\n2026-03-05;2,5;y\n"), &p)
	if p.ID == "" || p.Name != "a.csv" || p.TotalRows != 2 || p.Options.Decimal != "," || len(p.Columns) != 3 || len(p.Sample) != 2 {
		t.Fatalf("%+v", p)
	}
	f.ask("POST", "/api/files/"+p.ID, `{"options":{"keep":[0,1],"delimiter":null}}`, &p)
	if p.Suggested != board.KindLine {
		t.Errorf("%+v", p)
	}
	var applied struct{ Widget board.WidgetID }
	f.ask("POST", "/api/files/"+p.ID+"/apply", map[string]string{"board": string(id), "kind": "line", "title": "Sales"}, &applied)
	w := f.view(id).Widgets[0]
	if w.ID != applied.Widget || w.Kind != board.KindLine || w.Title != "Sales" || len(w.Columns) != 2 || string(w.Rows[1]) != "[1772668800000,2.5]" {
		t.Errorf("%+v", w)
	}
	if again := f.do("POST", "/api/files/"+p.ID+"/apply", map[string]string{"board": string(id), "kind": "line", "title": "Sales"}); again.Code != http.StatusNotFound {
		t.Errorf("applied twice: %d", again.Code)
	}
	var b strings.Builder
	for i := range replica.MaxRows + 5 {
		fmt.Fprintf(&b, "{\"n\":%d,\"text\":\"%s\"}\n", i, strings.Repeat("x", 20))
	}
	f.ask("POST", "/api/files?name=big.ndjson", b.String(), &p)
	f.ask("POST", "/api/files/"+p.ID+"/apply", map[string]string{"board": string(id), "widget": string(w.ID)}, &applied)
	if w := f.view(id).Widgets[0]; applied.Widget != w.ID || len(w.Rows) != replica.MaxRows || !strings.HasPrefix(string(w.Rows[0]), "[5,") {
		t.Errorf("%d rows, first %s", len(w.Rows), w.Rows[0])
	}
}

func TestB1_OnlyAFewFilesWait(t *testing.T) {
	f := opened(t, bridge.Deps{})
	var ids []string
	for range 6 {
		var p source.Preview
		f.ask("POST", "/api/files?name=a.csv", "a,b\n1,2\n", &p)
		ids = append(ids, p.ID)
	}
	for i, id := range ids {
		if w := f.do("POST", "/api/files/"+id, `{"options":{}}`); (w.Code == http.StatusOK) != (i >= 2) {
			t.Errorf("file %d: %d", i, w.Code)
		}
	}
}

func TestSystem(t *testing.T) {
	d := &desktop{}
	f := closed(t, bridge.Deps{System: d})
	var done struct{ Done bool }
	f.ask("POST", "/api/external", `{"url":"https://example.org/?a=<b>"}`, &done)
	f.ask("POST", "/api/external", `{"url":"mailto:a@example.org"}`, &done)
	f.ask("POST", "/api/clipboard", `{"text":"copied"}`, &done)
	if !done.Done || len(d.opened) != 2 || d.opened[1] != "mailto:a@example.org" || len(d.copied) != 1 || d.copied[0] != "copied" {
		t.Errorf("%+v %v", d, done)
	}
	d.err = errors.New("no xdg-open")
	for _, c := range [][2]string{{"/api/external", `{"url":"https://example.org"}`}, {"/api/clipboard", `{"text":""}`}} {
		if w := f.do("POST", c[0], c[1]); w.Code != http.StatusServiceUnavailable || faultIn(t, w).Hint == "" {
			t.Errorf("%s: %d %s", c[0], w.Code, w.Body)
		}
	}
	tab := closed(t, bridge.Deps{})
	tab.ask("POST", "/api/external", `{"url":"https://example.org"}`, &done)
	if done.Done {
		t.Error("a program without a window opened a link")
	}
}
