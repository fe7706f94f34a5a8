package httpweb_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

const linkPassword = "open sesame"

// clock is one that a test turns on.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_790_000_000_000)
	return c
}

func (c *clock) now() time.Time           { return time.UnixMilli(c.ms.Load()) }
func (c *clock) forward(by time.Duration) { c.ms.Add(by.Milliseconds()) }

func hash(t *testing.T, password string) sharing.Hash {
	t.Helper()
	h, err := sharing.HashPassword(rand.Reader, password)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// lock sets the link's password.
func (s *site) lock(password string) {
	s.t.Helper()
	h := hash(s.t, password)
	s.change(func(c *sharing.Command) { c.Action, c.Hash = sharing.SetPassword, h })
}

func (s *site) post(c *http.Client, path, password string, header ...string) answer {
	s.t.Helper()
	return s.do(c, http.MethodPost, path, url.Values{"password": {password}}, header...)
}

// session gives the password as the page's script does, and returns what it got.
func (s *site) session() string {
	s.t.Helper()
	a := s.post(client(s.t), share(s.link), linkPassword, "Accept", "application/json")
	var in struct {
		Session string
		Expires int64
	}
	if err := json.Unmarshal([]byte(a.body), &in); err != nil || a.status != 200 || in.Session == "" || in.Expires == 0 {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	return in.Session
}

// watchAs opens a viewer's websocket with a session, in the cookie or as the page's script shows it.
func (s *site) watchAs(session string, cookie bool) *websocket.Conn {
	s.t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{"widgets.view", "session." + session}}
	if cookie {
		o = &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {"widgets-unlocked=" + session}}}
	}
	ws := s.watchWith(share(s.link), o)
	if !cookie && ws.Subprotocol() != "widgets.view" {
		s.t.Errorf("the server chose %q", ws.Subprotocol())
	}
	return ws
}

func (s *site) wantGone(ws *websocket.Conn, why string) {
	s.t.Helper()
	if f, code := s.read(ws); f.T != "gone" || f.Why != why || f.Reason == "" {
		s.t.Errorf("got %+v (%d), want gone %q", f, code, why)
	}
	if _, code := s.read(ws); code != wire.CloseDenied {
		s.t.Errorf("closed with %d", code)
	}
}

func TestP1_ThePromptComesBeforeEverything(t *testing.T) {
	s := start(t)
	if err := s.own.Edit(t.Context(), s.id, owner.Set(board.BoardEntity, board.FieldTheme, "dark"), owner.Set(board.BoardEntity, board.FieldDescription, "Deeply secret")); err != nil {
		t.Fatal(err)
	}
	s.get(share(s.link)) // and it is kept
	s.lock(linkPassword)
	for name, cookie := range map[string]string{"no session": "", "nonsense": "widgets-unlocked=x", "another link's": "widgets-unlocked=" + strings.Repeat("A", 64)} {
		a := s.do(client(t), http.MethodGet, share(s.link), nil, "Cookie", cookie)
		if a.status != http.StatusUnauthorized {
			t.Fatalf("%s: %d", name, a.status)
		}
		for _, want := range []string{
			`<html lang="en" data-locked data-theme="system">`, "<title>Password needed</title>", `<main class="prompt" id="prompt">`,
			`<form id="unlock" method="post" action="` + share(s.link) + `">`, `<label for="password">Password</label>`,
			`<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024" autofocus>`,
			`<p class="problem" id="problem" role="alert"></p>`, `<button class="button">Open dashboard</button>`,
			`<style>body{margin:0}</style>`, `<script type="module" src="/assets/share-`,
		} {
			if !strings.Contains(a.body, want) {
				t.Errorf("%s: no %s in %s", name, want, a.body)
			}
		}
		for _, secret := range []string{"Sales", "secret", "dark", "data-v", "og:", "oembed", "description", string(s.id)} {
			if strings.Contains(a.body, secret) {
				t.Errorf("%s: the prompt holds %q: %s", name, secret, a.body)
			}
		}
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "form-action 'self'") || !strings.Contains(csp, "frame-ancestors *") || strings.Contains(csp, "unsafe") ||
			a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Frame-Options") != "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", name, a.header)
		}
		head := s.do(client(t), http.MethodHead, share(s.link), nil)
		head.header.Del("Date")
		a.header.Del("Date")
		if head.status != a.status || head.body != "" || fmt.Sprint(head.header) != fmt.Sprint(a.header) {
			t.Errorf("HEAD: %d %v", head.status, head.header)
		}
	}
	s.wantGone(s.watch(s.link), "locked")
	s.wantGone(s.watchAs("nonsense", false), "locked")
	if a := s.get("/s/" + s.link.ShortID.Reveal()); a.status != 302 {
		t.Errorf("short link: %d", a.status)
	}
}

// TestE4_ParametersOfThePrompt: they come through the form, and change how it looks.
func TestE4_ParametersOfThePrompt(t *testing.T) {
	s := start(t)
	s.lock(linkPassword)
	query := "?embed=true&theme=dark&interactive=false&x=%22%3E%3Cb%3E"
	a := s.get(share(s.link) + query)
	if !strings.Contains(a.body, `<html lang="en" data-locked data-theme="dark" data-fixed data-embed data-still>`) ||
		!strings.Contains(a.body, `action="`+share(s.link)+`?embed=true&amp;theme=dark&amp;interactive=false&amp;x=%22%3E%3Cb%3E"`) || strings.Contains(a.body, "<b>") {
		t.Errorf("%s", a.body)
	}
	if a := s.get(share(s.link) + "?theme=pink"); !strings.Contains(a.body, `data-locked data-theme="system">`) {
		t.Errorf("%s", a.body)
	}
	c := client(t)
	if a := s.post(c, share(s.link)+query, linkPassword); a.status != 303 || a.header.Get("Location") != share(s.link)+query {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := s.do(c, http.MethodGet, share(s.link)+query, nil); !strings.Contains(a.body, `data-theme="dark" data-fixed data-embed data-still>`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.post(client(t), share(s.link)+"?%zz&a=b;c", linkPassword); a.status != 303 {
		t.Errorf("a query that is none: %d", a.status)
	}
}

func TestP3_TheRightPasswordOpensADay(t *testing.T) {
	c := newClock()
	s := startWith(t, servertest.Options{Now: c.now})
	s.lock(linkPassword)
	browser := client(t)
	a := s.post(browser, share(s.link), "wrong")
	if a.status != 401 || !strings.Contains(a.body, `aria-invalid="true" aria-describedby="problem"`) || !strings.Contains(a.body, `role="alert">That is not the password.</p>`) ||
		strings.Contains(a.body, "wrong") || a.header.Get("Set-Cookie") != "" {
		t.Fatalf("wrong: %d %s", a.status, a.body)
	}
	a = s.post(browser, share(s.link), linkPassword)
	cookie := a.header.Get("Set-Cookie")
	if a.status != 303 || a.header.Get("Location") != share(s.link) || a.body != "" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("right: %d %v %s", a.status, a.header, a.body)
	}
	if !regexp.MustCompile(`^widgets-unlocked=[\w-]{64}; Path=` + share(s.link) + `; Max-Age=86400; HttpOnly; SameSite=Lax$`).MatchString(cookie) {
		t.Errorf("cookie %s", cookie)
	}
	session := s.session()
	check := func(when string, want int) {
		t.Helper()
		if a := s.do(browser, http.MethodGet, share(s.link), nil); a.status != want || strings.Contains(a.body, "Sales figures") != (want == 200) {
			t.Errorf("%s: %d %s", when, a.status, a.body)
		}
		for _, cookie := range []bool{true, false} {
			ws := s.watchAs(session, cookie)
			if want != 200 {
				s.wantGone(ws, "locked")
			} else if f, _ := s.read(ws); f.T != "all" || f.Title != "Sales figures" {
				t.Errorf("%s: websocket got %+v", when, f)
			}
			_ = ws.CloseNow()
		}
	}
	check("at once", 200)
	s.Restart()
	check("after a restart", 200)
	c.forward(24*time.Hour - time.Second)
	check("at the end of the day", 200)
	c.forward(time.Second)
	check("after a day", 401)
}

// TestP3_CookiesInFrames: where the server is reached by https, a frame in another site keeps a cookie of its own.
func TestP3_CookiesInFrames(t *testing.T) {
	s := startWith(t, servertest.Options{Base: "https://dash.example"})
	s.lock(linkPassword)
	cookie := s.post(client(t), share(s.link), linkPassword).header.Get("Set-Cookie")
	if !regexp.MustCompile(`^__Secure-widgets-unlocked=[\w-]{64}; Path=` + share(s.link) + `; Max-Age=86400; HttpOnly; Secure; SameSite=None; Partitioned$`).MatchString(cookie) {
		t.Errorf("cookie %s", cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	for name, tt := range map[string]struct {
		cookie string
		want   int
	}{
		"sent":              {value, 200},
		"with an older one": {"__Secure-widgets-unlocked=x; " + value, 200},
		"without prefix":    {strings.TrimPrefix(value, "__Secure-"), 401},
	} {
		if a := s.do(client(t), http.MethodGet, share(s.link), nil, "Cookie", tt.cookie); a.status != tt.want {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

func TestP3_ASessionIsForOneLink(t *testing.T) {
	s := start(t)
	s.lock(linkPassword)
	session := s.session()
	id, err := s.own.Create(t.Context(), "Other secret")
	if err != nil {
		t.Fatal(err)
	}
	s.id = id
	s.link = s.command(sharing.Enable)
	s.lock(linkPassword)
	if a := s.do(client(t), http.MethodGet, share(s.link), nil, "Cookie", "widgets-unlocked="+session); a.status != 401 {
		t.Errorf("the session of another link: %d", a.status)
	}
	s.wantGone(s.watchAs(session, false), "locked")
}

// TestP4_EveryWayASessionEnds: viewers with a session are cut within a second, get nothing of what is edited afterwards,
// and do not come back with what they had.
func TestP4_EveryWayASessionEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		how  func(s *site, c *clock)
		why  string
		page int
	}{
		"changed":        {func(s *site, _ *clock) { s.lock("another one") }, "locked", 401},
		"the same again": {func(s *site, _ *clock) { s.lock(linkPassword) }, "locked", 401},
		"removed":        {func(s *site, _ *clock) { s.command(sharing.RemovePassword) }, "locked", 200},
		"off":            {func(s *site, _ *clock) { s.command(sharing.Disable) }, "gone", 404},
		"replaced":       {func(s *site, _ *clock) { s.command(sharing.Rotate) }, "gone", 404},
		"deleted":        {func(s *site, _ *clock) { s.command(sharing.Delete) }, "gone", 404},
		"ended": {func(s *site, c *clock) {
			at := c.now().Add(time.Minute).UnixMilli()
			s.change(func(c *sharing.Command) { c.Action, c.Expires = sharing.SetExpiry, at })
			c.forward(time.Minute)
		}, "gone", 404},
		"a day later": {func(_ *site, c *clock) { c.forward(24 * time.Hour) }, "locked", 401},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			s := startWith(t, servertest.Options{Now: c.now})
			s.lock(linkPassword)
			session := s.session()
			viewers := []*websocket.Conn{s.watchAs(session, true), s.watchAs(session, false)}
			for _, ws := range viewers {
				if f, _ := s.read(ws); f.T != "all" {
					t.Fatalf("got %+v", f)
				}
			}
			begun := time.Now()
			tt.how(s, c)
			if name != "deleted" {
				s.retitle("after")
			}
			for _, ws := range viewers {
				s.wantGone(ws, tt.why)
			}
			if took := time.Since(begun); took > 3*servertest.AtOnce {
				t.Errorf("took %s", took)
			}
			a := s.do(client(t), http.MethodGet, share(s.link), nil, "Cookie", "widgets-unlocked="+session)
			if a.status != tt.page || strings.Contains(a.body, "after") != (tt.page == 200) {
				t.Errorf("the page answers %d %s", a.status, a.body)
			}
			if tt.page != 200 {
				s.wantGone(s.watchAs(session, false), tt.why)
			}
		})
	}
}

func TestP4_SettingAPasswordCutsEverybody(t *testing.T) {
	s := start(t)
	ws := s.watch(s.link)
	s.read(ws)
	s.lock(linkPassword)
	s.retitle("after")
	s.wantGone(ws, "locked")
}

func TestP5_500ParallelWrongAttempts(t *testing.T) {
	c := newClock()
	s := startWith(t, servertest.Options{Now: c.now})
	s.lock(linkPassword)
	browser := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxConnsPerHost: 100}}
	t.Cleanup(browser.CloseIdleConnections)
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for i := range 500 {
		wg.Go(func() {
			var header []string
			if i%2 == 0 { // one counter, however it is asked
				header = []string{"Accept", "application/json"}
			}
			a := s.post(browser, share(s.link), fmt.Sprint("guess ", i), header...)
			if a.status == 429 && a.header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
		})
	}
	wg.Wait()
	if statuses[401] != 5 || statuses[429] != 495 {
		t.Fatalf("answered %v", statuses)
	}
	check := func(when string) {
		t.Helper()
		a := s.post(browser, share(s.link), linkPassword)
		if a.status != 429 || a.header.Get("Retry-After") != "120" || !strings.Contains(a.body, "Try again in 2 minutes.</p>") || !strings.Contains(a.body, `id="unlock"`) {
			t.Errorf("%s: %d %v %s", when, a.status, a.header, a.body)
		}
		a = s.post(browser, share(s.link), linkPassword, "Accept", "application/json")
		if a.status != 429 || a.header.Get("Retry-After") != "120" || !strings.Contains(a.body, `{"error":{"kind":"busy","message":"Too many passwords`) {
			t.Errorf("%s: %d %v %s", when, a.status, a.header, a.body)
		}
	}
	check("at once")
	s.Kill()
	s.Restart()
	check("after kill -9")
	c.forward(2 * time.Minute)
	if a := s.post(client(t), share(s.link), linkPassword); a.status != 303 {
		t.Errorf("after two minutes: %d", a.status)
	}
}

// TestP6_ABudgetIsOfAnAddress: of the one that a trusted proxy names, and of nobody else.
func TestP6_ABudgetIsOfAnAddress(t *testing.T) {
	s := startWith(t, servertest.Options{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	s.lock(linkPassword)
	from := func(address, password string) int {
		t.Helper()
		return s.post(client(t), share(s.link), password, "X-Forwarded-For", address).status
	}
	session := s.session()
	inside := s.watchAs(session, false)
	s.read(inside)
	for i := range 7 {
		want := 401
		if i >= 5 {
			want = 429
		}
		if got := from(fmt.Sprintf("2001:db8:1:2::%x", i), "wrong"); got != want {
			t.Errorf("attempt %d: %d", i+1, got)
		}
	}
	if got := from("192.0.2.7", linkPassword); got != 303 {
		t.Errorf("another address: %d", got)
	}
	if got := from("192.0.2.7, 2001:db8:1:2::9", linkPassword); got != 429 {
		t.Errorf("a claim to be elsewhere: %d", got)
	}
	s.retitle("Sales, still watched")
	if f, _ := s.read(inside); f.T != "patch" {
		t.Errorf("one who is in got %+v", f)
	}
	if a := s.do(client(t), http.MethodGet, share(s.link), nil, "Cookie", "widgets-unlocked="+session, "X-Forwarded-For", "2001:db8:1:2::9"); a.status != 200 {
		t.Errorf("one who was in before: %d", a.status)
	}
}

func TestP6_StrangersCannotNameAnAddress(t *testing.T) {
	s := start(t)
	s.lock(linkPassword)
	statuses := map[int]int{}
	for i := range 8 {
		statuses[s.post(client(t), share(s.link), "wrong", "X-Forwarded-For", fmt.Sprint("192.0.2.", i)).status]++
	}
	if statuses[401] != 5 || statuses[429] != 3 {
		t.Errorf("answered %v", statuses)
	}
}

func TestP7_B1_FormsThatAreWrong(t *testing.T) {
	s := start(t)
	s.lock(linkPassword)
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		words  string
	}{
		"nothing":     {url.Values{}, 422, "Enter the password."},
		"too long":    {url.Values{"password": {strings.Repeat("x", 1025)}}, 422, "too long: the limit is 1,024 bytes"},
		"huge":        {url.Values{"password": {strings.Repeat("x", 20_000)}}, 413, "too long"},
		"repeated":    {url.Values{"password": {"wrong", linkPassword}}, 401, "not the password"},
		"hostile":     {url.Values{"password": {"<script>alert(1)</script>"}}, 401, "not the password"},
		"not UTF-8":   {url.Values{"password": {"\xff\xfe"}}, 401, "not the password"},
		"other field": {url.Values{"pass": {linkPassword}}, 422, "Enter the password."},
	} {
		a := s.do(client(t), http.MethodPost, share(s.link), tt.form)
		if a.status != tt.status || !strings.Contains(a.body, tt.words) || !strings.Contains(a.body, `id="unlock"`) || strings.Contains(a.body, "<script>") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		j := s.do(client(t), http.MethodPost, share(s.link), tt.form, "Accept", "application/json")
		if j.status != tt.status && j.status != 429 || !strings.HasPrefix(j.body, `{"error":{"kind":`) || !strings.HasPrefix(j.header.Get("Content-Type"), "application/json") {
			t.Errorf("%s as JSON: %d %s", name, j.status, j.body)
		}
	}
}

func TestPasswordsOfOpenLinks(t *testing.T) {
	s := start(t)
	if a := s.post(client(t), share(s.link)+"?theme=dark", "whatever"); a.status != 303 || a.header.Get("Location") != share(s.link)+"?theme=dark" || a.header.Get("Set-Cookie") != "" {
		t.Errorf("form: %d %v", a.status, a.header)
	}
	if a := s.post(client(t), share(s.link), "whatever", "Accept", "application/json"); a.status != 200 || strings.TrimSpace(a.body) != `{"expires":0,"session":""}` || a.header.Get("Set-Cookie") != "" {
		t.Errorf("JSON: %d %s", a.status, a.body)
	}
}

func TestPasswordsThatOtherSitesSend(t *testing.T) {
	s := start(t)
	s.lock(linkPassword)
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		if a := s.post(client(t), share(s.link), linkPassword, h...); a.status != 403 || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%v: %d", h, a.status)
		}
	}
	if a := s.post(client(t), share(s.link), linkPassword, "Sec-Fetch-Site", "same-origin"); a.status != 303 {
		t.Errorf("own form: %d", a.status)
	}
}

func TestP2_NoPasswordInTheLog(t *testing.T) {
	s := start(t)
	s.lock(linkPassword)
	session := s.session()
	c := client(t)
	s.post(c, share(s.link), "a wrong one")
	s.post(c, share(s.link), linkPassword)
	s.do(c, http.MethodGet, share(s.link), nil)
	ws := s.watchAs(session, false)
	s.read(ws)
	s.Close()
	for _, secret := range []string{linkPassword, "wrong one", session, "argon2id", "widgets-unlocked", s.link.Token.Reveal()} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
