package httpweb_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/syncserver/servertest"
)

// crowd is a server whose clients come from as many addresses as they like, and whose clock can be moved on.
type crowd struct {
	*site
	moved atomic.Int64
	asked int
}

func startCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{}
	c.site = startWith(t, servertest.Options{
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Now:     func() time.Time { return time.Now().Add(time.Duration(c.moved.Load())) },
	})
	return c
}

// post is do for a form from a client with an address of its own.
func (c *crowd) post(path string, form url.Values) answer {
	c.t.Helper()
	c.asked++
	return c.do(client(c.t), http.MethodPost, path, form, "X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", c.asked/250, 1+c.asked%250))
}

// api is post for JSON.
func (c *crowd) api(path, body string) answer {
	c.t.Helper()
	c.asked++
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.URL()+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", c.asked/250, 1+c.asked%250))
	return c.send(client(c.t), req)
}

var claims = regexp.MustCompile(`clm_[A-Za-z0-9_-]{32}`)

// look is all that an answer shows but for the time, the secret that is made for each, and the address that was typed.
func look(a answer, email string) string {
	h := maps.Clone(a.header)
	h.Del("Date")
	h.Del("X-Request-Id")
	all := claims.ReplaceAllString(fmt.Sprintf("%d %v\n%s", a.status, h, a.body), "CLAIM")
	return strings.ReplaceAll(all, email, "ADDRESS")
}

// Whatever is asked about an address that has an account and about one that has none: status, headers, body and the number
// of mails are the same.
func TestI8_AnAddressWithAnAccountLooksLikeOneWithout(t *testing.T) {
	t.Parallel()
	s := startCrowd(t)
	s.SignUp("known@example.org")
	emails := []string{"known@example.org", "other@example.org"} // as long as one another
	mails := map[string]int{"known@example.org": 1}
	form := func(email, pass string) url.Values { return url.Values{"email": {email}, "password": {pass}} }
	claimOf := func(a answer) string {
		claim := claims.FindString(a.body)
		if claim == "" {
			t.Fatalf("no claim in %d %s", a.status, a.body)
		}
		return claim
	}
	for _, c := range []struct {
		name  string
		mails int
		ask   func(email string) answer
	}{
		{"sign up", 1, func(e string) answer { return s.post("/signup", form(e, password)) }},
		{"sign up with a bad password", 0, func(e string) answer { return s.post("/signup", form(e, "x")) }},
		{"sign up by API", 1, func(e string) answer {
			return s.api("/api/v1/signup", `{"email":"`+e+`","password":"`+password+`"}`)
		}},
		{"claim", 1, func(e string) answer {
			return s.api("/api/v1/signup/claim", `{"claim":"`+claimOf(s.post("/signup", form(e, password)))+`"}`)
		}},
		{"resend", 2, func(e string) answer {
			return s.post("/signup/resend", url.Values{"claim": {claimOf(s.post("/signup", form(e, password)))}})
		}},
		{"resend by API", 2, func(e string) answer {
			return s.api("/api/v1/signup/resend", `{"claim":"`+claimOf(s.post("/signup", form(e, password)))+`"}`)
		}},
		{"forgot", 1, func(e string) answer { return s.post("/forgot", url.Values{"email": {e}}) }},
		{"forgot by API", 1, func(e string) answer { return s.api("/api/v1/reset", `{"email":"`+e+`"}`) }},
		{"log in", 0, func(e string) answer { return s.post("/login", form(e, "not the password")) }},
		{"log in by API", 0, func(e string) answer {
			return s.api("/api/v1/login", `{"email":"`+e+`","password":"not the password"}`)
		}},
	} {
		var looks []string
		for _, e := range emails {
			looks = append(looks, look(c.ask(e), e))
			mails[e] += c.mails
		}
		if looks[0] != looks[1] {
			t.Errorf("%s: with an account\n%s\nand without\n%s", c.name, looks[0], looks[1])
		}
		s.moved.Add(int64(time.Hour)) // so that there is mail again
	}
	for _, e := range emails {
		s.Mail(e, mails[e]-1) // as many came
		s.post("/forgot", url.Values{"email": {e}})
		if last := s.Mail(e, mails[e]); strings.Contains(last.Text, "/reset/") != (e == emails[0]) {
			t.Errorf("%s: more mails than %d", e, mails[e])
		}
	}
}

// And it takes as long: the medians of many requests in turn lie in one band.
func TestI8_TheTimeOfAnAnswerTellsNothingOfAnAddress(t *testing.T) {
	s := startCrowd(t)
	s.SignUp("known@example.org")
	for name, ask := range map[string]func(email string) answer{
		"sign up": func(e string) answer {
			return s.post("/signup", url.Values{"email": {e}, "password": {password}})
		},
		"forgot": func(e string) answer { return s.post("/forgot", url.Values{"email": {e}}) },
		"log in": func(e string) answer {
			return s.post("/login", url.Values{"email": {e}, "password": {"not the password"}})
		},
	} {
		took := map[string][]time.Duration{}
		for range 15 {
			for _, email := range []string{"known@example.org", "other@example.org"} {
				begun := time.Now()
				if a := ask(email); a.status >= 500 || a.status == http.StatusTooManyRequests {
					t.Fatalf("%s: %d", name, a.status)
				}
				took[email] = append(took[email], time.Since(begun))
			}
			s.moved.Add(int64(15 * time.Minute))
		}
		median := func(email string) time.Duration {
			slices.Sort(took[email])
			return took[email][len(took[email])/2]
		}
		if a, b := median("known@example.org"), median("other@example.org"); a > 2*b || b > 2*a {
			t.Errorf("%s: %s with an account, %s without", name, a, b)
		}
	}
}
