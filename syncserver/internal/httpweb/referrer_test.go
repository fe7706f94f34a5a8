package httpweb_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"widgets.pro/shared/sharing"
)

// TestL6_FormsOfTheSiteSayWhereTheyCameFrom is about servers that are reached over plain http in a network of one's own:
// browsers send no Sec-Fetch-Site there, and an origin only from pages that allow it.
func TestL6_FormsOfTheSiteSayWhereTheyCameFrom(t *testing.T) {
	t.Parallel()
	s := start(t)
	ann := client(t)
	s.logIn(ann, "ann@example.org")
	invitation := s.invite(sharing.RoleViewer)
	s.do(client(t), http.MethodPost, "/signup", url.Values{"email": {"ben@example.org"}, "password": {password}})
	s.do(client(t), http.MethodPost, "/forgot", url.Values{"email": {"ann@example.org"}})
	pages := map[*http.Client][]string{
		client(t): {"/login", "/signup", "/forgot", invitation, s.mailed("ben@example.org", 0, "/confirm/"), s.mailed("ann@example.org", 1, "/reset/")},
		ann:       {"/account", "/account/delete", "/organisations", invitation},
	}
	for c, paths := range pages {
		for _, p := range paths {
			a := s.do(c, http.MethodGet, p, nil)
			if a.status != 200 || !strings.Contains(a.body, `<form method="post"`) || a.header.Get("Referrer-Policy") != "same-origin" {
				t.Errorf("%s: %d %q", p, a.status, a.header.Get("Referrer-Policy"))
			}
		}
	}
	right := url.Values{"email": {"ann@example.org"}, "password": {password}}
	s.do(client(t), http.MethodPost, "/login", right, "Origin", s.URL()).is(t, "by the site", 303)
	for _, other := range []string{"null", "http://evil.example"} {
		a := s.do(client(t), http.MethodPost, "/login", right, "Origin", other).is(t, "by "+other, 403)
		if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", other, a.header)
		}
	}

	// The addresses of links are told to nobody, whatever there is to see.
	link := share(s.link)
	locked := s.change(func(c *sharing.Command) { c.Action, c.Hash = sharing.SetPassword, hash(t, linkPassword) })
	for _, p := range []string{link, share(locked), "/share/shr_0123456789ABCDEFGHIJKLMN", "/s/0123456789"} {
		if a := s.get(p); a.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %q", p, a.header.Get("Referrer-Policy"))
		}
	}
	if a := s.do(client(t), http.MethodPost, link, url.Values{"password": {"x"}}, "Origin", "null"); a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("unlock: %q", a.header.Get("Referrer-Policy"))
	}
}
