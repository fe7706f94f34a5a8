package loopback_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"

	"widgets.pro/app/internal/loopback"
	"widgets.pro/shared/fault"
)

// start serves "secret" and returns the announced addresses.
func start(t *testing.T) (latest func() string, stop func() error) {
	t.Helper()
	var mu sync.Mutex
	var addresses []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "secret "+r.URL.String()) })
	s, err := loopback.Listen(t.Context(), "127.0.0.1:0", handler, rand.Reader, slog.New(slog.DiscardHandler), func(a string) {
		mu.Lock()
		defer mu.Unlock()
		addresses = append(addresses, a)
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return addresses[len(addresses)-1]
	}, stop
}

// browser keeps cookies and follows redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// answer is a response that was read.
type answer struct {
	status  int
	body    string
	url     string
	header  http.Header
	cookies []*http.Cookie
}

func get(t *testing.T, c *http.Client, address string, change func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, string(b), res.Request.URL.String(), res.Header, res.Cookies()}
}

func root(address string) string { return address[:strings.Index(address, "?")] }

func TestTheKeyOpensOnce(t *testing.T) {
	latest, _ := start(t)
	first := latest()
	c := browser(t)
	if a := get(t, c, first, nil); a.status != http.StatusOK || a.body != "secret /" || strings.Contains(a.url, "key") {
		t.Fatalf("%+v", a)
	}
	if a := get(t, c, root(first)+"api/state?x=1", nil); a.status != http.StatusOK || a.body != "secret /api/state?x=1" {
		t.Errorf("with the cookie: %d %q", a.status, a.body)
	}
	if a := get(t, c, first, nil); a.status != http.StatusOK {
		t.Errorf("reloaded: %d", a.status)
	}
	if a := get(t, browser(t), first, nil); a.status != http.StatusUnauthorized || strings.Contains(a.body, "secret") {
		t.Errorf("the used key in another browser: %d %q", a.status, a.body)
	}
	second := latest()
	if second == first {
		t.Fatal("no second address")
	}
	if a := get(t, browser(t), second, nil); a.status != http.StatusOK {
		t.Errorf("the second address: %d", a.status)
	}
}

func TestB1_StrangersGetNothing(t *testing.T) {
	latest, _ := start(t)
	address := latest()
	in := browser(t)
	get(t, in, address, nil)
	for name, c := range map[string]struct {
		client *http.Client
		path   string
		change func(*http.Request)
		status int
	}{
		"no cookie":            {browser(t), "", nil, http.StatusUnauthorized},
		"no cookie, API":       {browser(t), "api/state", nil, http.StatusUnauthorized},
		"guessed cookie":       {browser(t), "", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "widgets_" + r.URL.Port(), Value: "x"}) }, http.StatusUnauthorized},
		"wrong key":            {browser(t), "?key=" + strings.Repeat("0", 48), nil, http.StatusUnauthorized},
		"empty key":            {browser(t), "?key=", nil, http.StatusUnauthorized},
		"rebound name":         {in, "", func(r *http.Request) { r.Host = "evil.example:" + r.URL.Port() }, http.StatusMisdirectedRequest},
		"localhost by name":    {in, "", func(r *http.Request) { r.Host = "localhost:" + r.URL.Port() }, http.StatusMisdirectedRequest},
		"no port":              {in, "", func(r *http.Request) { r.Host = "127.0.0.1" }, http.StatusMisdirectedRequest},
		"foreign origin":       {in, "api/state", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"origin null":          {in, "api/state", func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"origin, another port": {in, "api/state", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, http.StatusForbidden},
		"foreign page":         {in, "api/state", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"another port's page":  {in, "api/state", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			a := get(t, c.client, root(address)+c.path, c.change)
			if a.status != c.status || strings.Contains(a.body, "secret") || len(a.cookies) > 0 {
				t.Errorf("%+v, want %d", a, c.status)
			}
		})
	}
	if a := get(t, in, root(address), func(r *http.Request) { r.Header.Set("Origin", strings.TrimSuffix(root(address), "/")) }); a.status != http.StatusOK {
		t.Errorf("own origin: %d", a.status)
	}
}

func TestTheCookieIsHiddenAndStrict(t *testing.T) {
	latest, _ := start(t)
	c := browser(t)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a := get(t, c, latest(), nil)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/" || len(a.cookies) != 1 {
		t.Fatalf("%+v", a)
	}
	if k := a.cookies[0]; !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.Domain != "" || len(k.Value) < 40 {
		t.Errorf("cookie %+v", k)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", a.header)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	latest, stop := start(t)
	u, err := url.Parse(latest())
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", u.Host); err == nil {
		_ = c.Close()
		t.Error("the port is still open")
	}
}

func TestB1_OnlyLoopbackAddressesAreServed(t *testing.T) {
	for _, addr := range []string{"", "127.0.0.1", "0.0.0.0:0", ":0", "192.0.2.1:0", "example.org:80", "localhost:0", "127.0.0.1:x"} {
		s, err := loopback.Listen(t.Context(), addr, http.NotFoundHandler(), rand.Reader, slog.New(slog.DiscardHandler), func(string) {})
		if err == nil || s != nil {
			t.Errorf("%q is served", addr)
			continue
		}
		if f := fault.From(err); f.Kind == fault.Internal || f.Message == "" {
			t.Errorf("%q: %v", addr, err)
		}
	}
}
