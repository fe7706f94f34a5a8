package httpweb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

func TestL1_L2_ALinkShowsTheDashboardLive(t *testing.T) {
	s := start(t)
	a := s.get(share(s.link))
	if a.status != 200 || !strings.Contains(a.body, "<h1>Sales figures</h1>") || !strings.Contains(a.body, "<title>Sales figures</title>") {
		t.Fatalf("answered %d %s", a.status, a.body)
	}
	ws := s.watch(s.link)
	if f, _ := s.read(ws); f.T != "all" || f.Title != "Sales figures" {
		t.Fatalf("first frame %+v", f)
	}
	s.retitle("Sales, second quarter")
	if f, _ := s.read(ws); f.T != "patch" || f.Title != "Sales, second quarter" {
		t.Fatalf("second frame %+v", f)
	}
	if a := s.get(share(s.link)); !strings.Contains(a.body, "second quarter") {
		t.Error("the page is older than the edit that was acknowledged")
	}
}

func TestL7_TheOwnerIsToldHowManyWatch(t *testing.T) {
	s := start(t)
	ws := s.watch(s.link)
	s.read(ws)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.own.Watch(ctx, s.id, func(w wire.Share) bool { return w.Watching == 1 }); err != nil {
		t.Fatal(err)
	}
	_ = ws.CloseNow()
	if err := s.own.Watch(ctx, s.id, func(w wire.Share) bool { return w.Watching == 0 }); err != nil {
		t.Fatal(err)
	}
}

func TestL3_DisabledAndEnabledAgain(t *testing.T) {
	s := start(t)
	s.command(sharing.Disable)
	if a := s.get(share(s.link)); a.status != 404 || strings.Contains(a.body, "Sales") {
		t.Errorf("disabled: %d %s", a.status, a.body)
	}
	if a := s.get("/s/" + s.link.ShortID.Reveal()); a.status != 404 {
		t.Errorf("disabled short link: %d", a.status)
	}
	s.command(sharing.Enable)
	if a := s.get(share(s.link)); a.status != 200 {
		t.Errorf("enabled again: %d", a.status)
	}
	s.Restart()
	if a := s.get(share(s.link)); a.status != 200 {
		t.Errorf("after a restart: %d", a.status)
	}
}

func TestL4_RotateKillsOldLinks(t *testing.T) {
	s := start(t)
	s.get(share(s.link))
	next := s.command(sharing.Rotate)
	check := func(when string) {
		t.Helper()
		for path, want := range map[string]int{
			share(s.link): 404, "/s/" + s.link.ShortID.Reveal(): 404, share(next): 200, "/s/" + next.ShortID.Reveal(): 302,
		} {
			if a := s.get(path); a.status != want {
				t.Errorf("%s: %d, want %d", when, a.status, want)
			}
		}
	}
	check("at once")
	s.Restart()
	check("after a restart")
}

func TestV1_RevocationReachesViewers(t *testing.T) {
	for _, action := range []sharing.Action{sharing.Disable, sharing.Rotate, sharing.Delete, "trash"} {
		t.Run(string(action), func(t *testing.T) {
			s := start(t)
			var viewers []*websocket.Conn
			for range 5 {
				ws := s.watch(s.link)
				s.read(ws)
				viewers = append(viewers, ws)
			}
			begun := time.Now()
			if action == "trash" {
				if err := s.own.Edit(t.Context(), s.id, owner.Set(board.BoardEntity, board.FieldAlive, false)); err != nil {
					t.Fatal(err)
				}
			} else {
				s.command(action)
			}
			if action != sharing.Delete {
				s.retitle("after")
			}
			for _, ws := range viewers {
				f, code := s.read(ws)
				if f.T != "gone" || f.Reason == "" {
					t.Fatalf("got %+v, %d", f, code)
				}
				if _, code := s.read(ws); code != wire.CloseDenied {
					t.Fatalf("closed with %d", code)
				}
			}
			if took := time.Since(begun); took > servertest.AtOnce {
				t.Errorf("took %s", took)
			}
			if action != sharing.Delete { // after which there is no one to tell
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := s.own.Watch(ctx, s.id, func(w wire.Share) bool { return w.Cut == 5 && w.CutMS < 1000 }); err != nil {
					t.Errorf("no receipt: %v", err)
				}
			}
			ws := s.watch(s.link)
			if f, _ := s.read(ws); f.T != "gone" {
				t.Errorf("came back and got %+v", f)
			}
		})
	}
}

// TestA5_DeadLinksLookTheSame compares everything that a stranger can see of links that do not work, and roughly the time.
func TestA5_DeadLinksLookTheSame(t *testing.T) {
	clk := newClock()
	s := startWith(t, servertest.Options{Now: clk.now})
	dead := map[string]string{
		"never existed": "/share/shr_0123456789ABCDEFGHIJKLMN", "malformed": "/share/x", "escaped": "/share/%00%2e%2e", "with slash": share(s.link) + "/",
	}
	make404 := func(name string, last sharing.Action) {
		id, err := s.own.Create(t.Context(), "Secret "+name)
		if err != nil {
			t.Fatal(err)
		}
		s.id = id
		l := s.command(sharing.Enable)
		switch string(last) {
		case "trash":
			if err := s.own.Edit(t.Context(), id, owner.Set(board.BoardEntity, board.FieldAlive, false)); err != nil {
				t.Fatal(err)
			}
		case "password":
			s.lock(linkPassword)
			s.command(sharing.Disable)
		case string(sharing.SetExpiry):
			at := clk.now().Add(time.Hour).UnixMilli()
			s.change(func(c *sharing.Command) { c.Action, c.Expires = last, at })
		default:
			s.command(last)
		}
		dead[name] = share(l)
	}
	make404("disabled", sharing.Disable)
	make404("rotated", sharing.Rotate)
	make404("deleted", sharing.Delete)
	make404("trashed", "trash")
	make404("with a password, off", "password")
	make404("ended", sharing.SetExpiry)
	clk.forward(time.Hour)

	c := client(t)
	want := s.do(c, http.MethodGet, dead["never existed"], nil)
	if want.status != 404 || !strings.Contains(want.body, "This link does not work") {
		t.Fatalf("answered %d %s", want.status, want.body)
	}
	want.header.Del("Date")
	times := map[string][]time.Duration{}
	for range 40 {
		for name, path := range dead {
			begun := time.Now()
			got := s.do(c, http.MethodGet, path, nil)
			times[name] = append(times[name], time.Since(begun))
			got.header.Del("Date")
			if got.status != want.status || got.body != want.body || fmt.Sprint(got.header) != fmt.Sprint(want.header) {
				t.Fatalf("%s differs: %d %v\n%s", name, got.status, got.header, got.body)
			}
		}
	}
	for _, query := range []string{"?embed=true", "?theme=dark", "?theme=light&embed=true", "?theme=system&interactive=false&x=<b>"} {
		want := s.do(c, http.MethodGet, dead["never existed"]+query, nil)
		want.header.Del("Date")
		for name, path := range dead {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				got := s.do(c, method, path+query, url.Values{"password": {linkPassword}})
				got.header.Del("Date")
				if got.status != 404 || got.body != want.body || fmt.Sprint(got.header) != fmt.Sprint(want.header) {
					t.Errorf("%s %s%s differs: %d %v\n%s", method, name, query, got.status, got.header, got.body)
				}
			}
			if a := s.do(c, http.MethodPut, path+query, nil); a.status != 405 && name != "with slash" && name != "escaped" {
				t.Errorf("PUT %s: %d", name, a.status)
			}
		}
	}
	if a := s.post(c, dead["never existed"], linkPassword, "Accept", "application/json"); a.status != 404 || a.body != s.post(c, dead["ended"], linkPassword, "Accept", "application/json").body {
		t.Errorf("JSON: %d %s", a.status, a.body)
	}
	for name, ds := range times {
		slices.Sort(ds)
		if m := ds[len(ds)/2]; m > 25*time.Millisecond {
			t.Errorf("%s takes %s", name, m)
		}
	}
	for name, path := range dead {
		if name == "with slash" || name == "escaped" {
			continue
		}
		ws := s.watchPath(path)
		if f, _ := s.read(ws); f.T != "gone" {
			t.Errorf("%s: got %+v", name, f)
		}
		_ = ws.CloseNow()
	}
}

func TestL6_HeadersOfSharePages(t *testing.T) {
	s := start(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for path, framed := range map[string]bool{share(s.link): true, "/share/shr_0123456789ABCDEFGHIJKLMN": true, "/": false, "/nowhere": false, "/login": false} {
			a := s.do(client(t), method, path, nil)
			referrer := "no-referrer"
			if path == "/" || path == "/login" { // pages of the site, see TestL6_FormsOfTheSiteSayWhereTheyCameFrom
				referrer = "same-origin"
			}
			for k, want := range map[string]string{
				"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": referrer, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			} {
				if got := a.header.Get(k); got != want {
					t.Errorf("%s %s: %s is %q", method, path, k, got)
				}
			}
			csp := a.header.Get("Content-Security-Policy")
			if framed != strings.Contains(csp, "frame-ancestors *") || framed == strings.Contains(csp, "frame-ancestors 'none'") || framed == (a.header.Get("X-Frame-Options") != "") {
				t.Errorf("%s %s: %q, %q", method, path, csp, a.header.Get("X-Frame-Options"))
			}
			if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
				t.Errorf("%s %s: %q", method, path, csp)
			}
			if strings.Contains(a.header.Get("Content-Type"), "html") != true || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s %s: %v", method, path, a.header)
			}
			if method == http.MethodHead {
				full := s.do(client(t), http.MethodGet, path, nil)
				a.header.Del("Date")
				full.header.Del("Date")
				if a.body != "" || a.status != full.status || fmt.Sprint(a.header) != fmt.Sprint(full.header) {
					t.Errorf("HEAD %s: %d %v, GET %d %v", path, a.status, a.header, full.status, full.header)
				}
			}
		}
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	s := start(t)
	src := regexp.MustCompile(`<script type="module" src="([^"]+)"></script>`).FindStringSubmatch(s.get(share(s.link)).body)
	if src == nil {
		t.Fatal("no script")
	}
	for accept, want := range map[string]string{"br": "br", "gzip": "gzip", "identity": ""} {
		a := s.do(client(t), http.MethodGet, src[1], nil, "Accept-Encoding", accept)
		if a.status != 200 || a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.header.Get("Content-Encoding") != want ||
			!strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %d %v", accept, a.status, a.header)
		}
	}
	for _, path := range []string{"/assets/share.js", "/assets/", "/assets/..%2f..%2fetc%2fpasswd"} {
		if a := s.get(path); a.status != 404 || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}

func TestS1_ShortLinks(t *testing.T) {
	s := start(t)
	a := s.get("/s/" + s.link.ShortID.Reveal() + "?embed=true&theme=dark")
	if a.status != 302 || a.header.Get("Location") != share(s.link)+"?embed=true&theme=dark" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("answered %d %v", a.status, a.header)
	}
	if a := s.do(client(t), http.MethodHead, "/s/"+s.link.ShortID.Reveal(), nil); a.status != 302 || a.header.Get("Location") != share(s.link) {
		t.Errorf("HEAD answered %d %v", a.status, a.header)
	}
	// Misses run out, and then even what is there is not found.
	statuses := map[int]int{}
	for i := range 30 {
		a = s.get(fmt.Sprintf("/s/AAAAAAAA%02d", i))
		statuses[a.status]++
	}
	if statuses[404] != 20 || statuses[429] != 10 || a.header.Get("Retry-After") == "" {
		t.Errorf("misses were answered %v, at last with %v", statuses, a.header)
	}
	if a := s.get("/s/" + s.link.ShortID.Reveal()); a.status != 429 {
		t.Errorf("after too many misses a link that is there: %d", a.status)
	}
	if a := s.get(share(s.link)); a.status != 200 {
		t.Errorf("the link itself: %d", a.status)
	}
}

// TestA6_NothingButThePublished seeds canaries where viewers have no business and looks for them in every byte.
func TestA6_NothingButThePublished(t *testing.T) {
	const canary = "CANARY"
	s := start(t)
	w := board.Widget{
		ID: board.NewWidgetID(ulid.Make()), Kind: board.KindTable, Title: "Orders", Layout: board.Layout{W: 4, H: 4},
		Columns: []board.Column{{Name: "n", Type: board.TypeNumber}}, Rows: []json.RawMessage{json.RawMessage(`[42]`)},
		Options: map[string]json.RawMessage{"source": json.RawMessage(`"` + canary + `"`), "limit": json.RawMessage(`7`)},
	}
	gone := w
	gone.ID, gone.Title = board.NewWidgetID(ulid.Make()), canary+" removed"
	edits := append(owner.Widget(w), owner.Widget(gone)...)
	edits = append(edits,
		owner.Set(string(gone.ID), board.FieldAlive, false),
		owner.Set(board.BoardEntity, "source", canary),
		owner.Set(string(w.ID), "query", canary),
		owner.Set(string(w.ID), board.OptionPrefix+"headers", canary),
	)
	ws := s.watch(s.link)
	s.read(ws)
	if err := s.own.Edit(t.Context(), s.id, edits...); err != nil {
		t.Fatal(err)
	}
	_, patch, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := s.watch(s.link)
	_, whole, err := all.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := s.get(share(s.link))
	for name, text := range map[string]string{"page": a.body, "headers": fmt.Sprint(a.header), "frame": string(whole), "patch": string(patch)} {
		if strings.Contains(text, canary) || strings.Contains(text, "ann@example.org") || strings.Contains(text, "acc_") {
			t.Errorf("%s: %s", name, text)
		}
		if name != "headers" && !strings.Contains(text, "Orders") {
			t.Errorf("%s does not hold what is published: %s", name, text)
		}
	}
}

func TestNoSecretsInTheLog(t *testing.T) {
	s := start(t)
	s.get(share(s.link) + "?theme=dark")
	s.get("/s/" + s.link.ShortID.Reveal())
	s.get("/share/shr_0123456789ABCDEFGHIJKLMN")
	ws := s.watch(s.link)
	s.read(ws)
	c := client(t)
	s.do(c, http.MethodPost, "/login", url.Values{"email": {"ann@example.org"}, "password": {password}})
	s.do(c, http.MethodGet, "/", nil)
	s.Close()
	log := s.log.String()
	for _, secret := range []string{s.link.Token.Reveal(), s.link.ShortID.Reveal(), "shr_", password, "ses_", "theme=dark", "ann@example"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if !strings.Contains(log, `route="GET /share/{token}"`) {
		t.Errorf("the log does not name the route: %s", log)
	}
}

func TestB2_HostileTextIsText(t *testing.T) {
	s := start(t)
	hostile := `</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"'`
	s.retitle(hostile)
	w := board.Widget{
		ID: board.NewWidgetID(ulid.Make()), Kind: board.KindTable, Title: hostile, Layout: board.Layout{W: 4, H: 4},
		Columns: []board.Column{{Name: hostile, Type: board.TypeText}}, Rows: []json.RawMessage{json.RawMessage(`["<script>alert(2)</script>\u0000\u202e"]`)},
	}
	if err := s.own.Edit(t.Context(), s.id, owner.Widget(w)...); err != nil {
		t.Fatal(err)
	}
	c := client(t)
	s.do(c, http.MethodPost, "/login", url.Values{"email": {"ann@example.org"}, "password": {password}})
	for _, path := range []string{share(s.link), "/app/api/state"} {
		if a := s.do(c, http.MethodGet, path, nil); a.status != 200 || strings.Contains(a.body, "<script>") || strings.Contains(a.body, "<img") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	// What is too large never gets that far.
	if err := s.own.Edit(t.Context(), s.id, owner.Set(board.BoardEntity, board.FieldTitle, strings.Repeat("x", 1<<19))); err == nil {
		t.Error("a title of half a megabyte was accepted")
	}
	if a := s.get(share(s.link)); a.status != 200 || len(a.body) > 100_000 {
		t.Errorf("afterwards: %d, %d bytes", a.status, len(a.body))
	}
}

// TestE1_E2_E3_E4_E5_Embedding looks at pages as a frame asks for them, by the link and by its short link.
func TestE1_E2_E3_E4_E5_Embedding(t *testing.T) {
	s := start(t)
	for query, want := range map[string]string{
		"":            `data-theme="system">`,
		"?embed=true": `data-theme="system" data-embed>`,
		"?theme=dark": `data-theme="dark" data-fixed>`,
		"?interactive=false&theme=light&embed=true": `data-theme="light" data-fixed data-embed data-still>`,
		"?theme=<script>&embed=yes&interactive=0":   `data-theme="system">`,
	} {
		a := s.get(share(s.link) + query)
		if a.status != 200 || !strings.Contains(a.body, want) || strings.Contains(a.body, "<a href=") == strings.Contains(want, "still") {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
		short := s.get("/s/" + s.link.ShortID.Reveal() + query)
		if b := s.get(short.header.Get("Location")); short.status != 302 || b.body != a.body {
			t.Errorf("short link with %s: %d %v", query, short.status, short.header)
		}
	}
	s.change(func(c *sharing.Command) { c.Action, c.Still = sharing.SetStill, true })
	if a := s.get(share(s.link) + "?interactive=true"); !strings.Contains(a.body, "data-still") || strings.Contains(a.body, "<a href=") {
		t.Errorf("locked: %s", a.body)
	}
	origins, _ := sharing.ParseOrigins([]string{"example.org", "http://localhost:8000"})
	s.change(func(c *sharing.Command) { c.Action, c.Origins = sharing.SetOrigins, origins })
	check := func(when string, status int) {
		t.Helper()
		a := s.get(share(s.link))
		if csp := a.header.Get("Content-Security-Policy"); a.status != status || !strings.Contains(csp, "; frame-ancestors http://localhost:8000 https://example.org;") || a.header.Get("X-Frame-Options") != "" {
			t.Errorf("%s: %d %s", when, a.status, csp)
		}
	}
	check("open", 200)
	s.lock(linkPassword)
	check("prompt", 401)
}

// TestV1_WhoStaysLoadsAPageThatLooksDifferent: nobody is cut by a change of how a link is shown.
func TestV1_WhoStaysLoadsAPageThatLooksDifferent(t *testing.T) {
	s := start(t)
	ws := s.watch(s.link)
	s.read(ws)
	s.change(func(c *sharing.Command) { c.Action, c.Still = sharing.SetStill, true })
	if f, code := s.read(ws); f.T != "reload" {
		t.Errorf("got %+v (%d)", f, code)
	}
	s.change(func(c *sharing.Command) { c.Action, c.Origins = sharing.SetOrigins, "https://example.org" })
	if f, code := s.read(ws); f.T != "reload" {
		t.Errorf("got %+v (%d)", f, code)
	}
	s.change(func(c *sharing.Command) { c.Action, c.Slug = sharing.SetSlug, "sales" })
	s.retitle("Sales again")
	if f, code := s.read(ws); f.T != "patch" {
		t.Errorf("got %+v (%d)", f, code)
	}
}

func TestE6_TheScriptForFrames(t *testing.T) {
	s := start(t)
	seen := map[string]bool{}
	for accept, want := range map[string]string{"br": "br", "gzip": "gzip", "identity": ""} {
		a := s.do(client(t), http.MethodGet, "/embed.js", nil, "Accept-Encoding", accept)
		tag := a.header.Get("ETag")
		if a.status != 200 || a.header.Get("Cache-Control") != "public, max-age=3600" || a.header.Get("Content-Encoding") != want || tag == "" || seen[tag] ||
			!strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") || a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %d %v", accept, a.status, a.header)
		}
		seen[tag] = true
		if b := s.do(client(t), http.MethodGet, "/embed.js", nil, "Accept-Encoding", accept, "If-None-Match", tag); b.status != 304 || b.body != "" || b.header.Get("ETag") != tag {
			t.Errorf("%s, asked again: %d %v", accept, b.status, b.header)
		}
	}
	bare := &site{Server: servertest.Start(t, servertest.Options{}), t: t}
	if a := bare.get("/embed.js"); a.status != 404 {
		t.Errorf("not built: %d", a.status)
	}
}

func TestMethodsThatAreNotThere(t *testing.T) {
	s := start(t)
	for path, allow := range map[string]string{
		"/login": "GET, HEAD, POST", "/logout": "POST", "/": "GET, HEAD", share(s.link): "GET, HEAD, POST", share(s.link) + "/live": "GET, HEAD", "/embed.js": "GET, HEAD",
	} {
		a := s.do(client(t), http.MethodDelete, path, nil)
		if a.status != 405 || a.header.Get("Allow") != allow || !strings.Contains(a.body, "<h1>That cannot be done here</h1>") {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a := s.get("/logout"); a.status != 405 {
		t.Errorf("GET /logout: %d", a.status)
	}
}
