package httpweb_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

func TestSignUpLogInAndLogOut(t *testing.T) {
	s := start(t)
	c := client(t)
	if a := s.do(c, http.MethodGet, "/", nil); a.status != 200 || !strings.Contains(a.body, `href="/signup"`) {
		t.Fatalf("welcome: %d %s", a.status, a.body)
	}
	bad := s.do(c, http.MethodPost, "/login", url.Values{"email": {"ann@example.org"}, "password": {"mis-typed"}})
	unknown := s.do(client(t), http.MethodPost, "/login", url.Values{"email": {"ann@example.org"}, "password": {"mis-typed too"}})
	if bad.status != 401 || bad.body != unknown.body || strings.Contains(bad.body, "mis-typed") || !strings.Contains(bad.body, `value="ann@example.org"`) {
		t.Errorf("wrong password: %d %s", bad.status, bad.body)
	}
	in := s.do(c, http.MethodPost, "/login", url.Values{"email": {" Ann@Example.org "}, "password": {password}})
	cookie := in.header.Get("Set-Cookie")
	if in.status != 303 || in.header.Get("Location") != "/" || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Fatalf("log in: %d %v", in.status, in.header)
	}
	if a := s.do(c, http.MethodGet, "/", nil); a.status != 303 || a.header.Get("Location") != "/app" {
		t.Errorf("the start page of whoever is signed in: %d %v", a.status, a.header)
	}
	if a := s.do(c, http.MethodGet, "/login", nil); a.status != 303 {
		t.Errorf("log-in page when signed in: %d", a.status)
	}
	if a := s.do(c, http.MethodPost, "/logout", url.Values{}); a.status != 303 {
		t.Errorf("log out: %d", a.status)
	}
	if a := s.do(c, http.MethodGet, "/", nil); !strings.Contains(a.body, `href="/signup"`) {
		t.Error("still signed in")
	}
	old, _, _ := strings.Cut(cookie, ";")
	if a := s.do(client(t), http.MethodGet, "/", nil, "Cookie", old); !strings.Contains(a.body, `href="/signup"`) {
		t.Error("the ended session still works")
	}
	up := s.do(c, http.MethodPost, "/signup", url.Values{"email": {"ben@example.org"}, "password": {password}})
	if up.status != 200 || !strings.Contains(up.body, "<h1>Check your mail</h1>") || strings.Contains(up.header.Get("Set-Cookie"), "ses_") {
		t.Fatalf("sign up: %d %s", up.status, up.body)
	}
	link := s.mailed("ben@example.org", 0, "/confirm/")
	if a := s.do(c, http.MethodGet, link, nil); a.status != 200 || !strings.Contains(a.body, "ben@example.org") || a.header.Get("Set-Cookie") != "" {
		t.Fatalf("the mail's link: %d %s", a.status, a.body)
	}
	if a := s.do(c, http.MethodPost, link, url.Values{}); a.status != 303 || a.header.Get("Location") != "/" {
		t.Fatalf("confirm: %d %s", a.status, a.body)
	}
	if a := s.do(c, http.MethodGet, "/", nil); a.status != 303 || a.header.Get("Location") != "/app" {
		t.Errorf("a new account sees %d %s", a.status, a.body)
	}
}

func TestB1_FormsThatAreWrong(t *testing.T) {
	s := start(t)
	for name, form := range map[string]url.Values{
		"nothing":   {},
		"no e-mail": {"email": {"<script>alert(1)</script>"}, "password": {password}},
		"too long":  {"email": {strings.Repeat("x", 20_000)}, "password": {password}},
	} {
		a := s.do(client(t), http.MethodPost, "/signup", form)
		if a.status < 400 || a.status >= 500 || !strings.Contains(a.body, `role="alert"`) || strings.Contains(a.body, "<script>") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	s := start(t)
	form := url.Values{"email": {"ann@example.org"}, "password": {password}}
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if a := s.do(client(t), http.MethodPost, "/login", form, h...); a.status != 403 || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%v: %d", h, a.status)
		}
	}
	if a := s.do(client(t), http.MethodPost, "/login", form, "Sec-Fetch-Site", "same-origin"); a.status != 303 {
		t.Errorf("own form: %d", a.status)
	}
}

func TestWithoutFrontEndTheServerSaysSo(t *testing.T) {
	s := &site{Server: servertest.Start(t, servertest.Options{}), t: t}
	s.connect("ann@example.org")
	id, err := s.own.Create(t.Context(), "Sales")
	if err != nil {
		t.Fatal(err)
	}
	s.id = id
	if a := s.get(share(s.command(sharing.Enable))); a.status != 500 || !strings.Contains(a.body, "built without its front end") {
		t.Errorf("answered %d %s", a.status, a.body)
	}
}

func Test404(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/nowhere", "/s", "/share", "/login/x", "/.env"} {
		if a := s.get(path); a.status != 404 || !strings.Contains(a.body, "<h1>There is nothing here</h1>") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
