package httpmw_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/httpmw"
)

func wrap(t *testing.T, h http.Handler, o httpmw.Options) (*httptest.Server, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Now, o.Random = time.Now, rand.Reader
	wrapped, err := httpmw.Wrap(h, o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(wrapped)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s, log
}

type answer struct {
	status int
	header http.Header
	body   string
}

func do(t *testing.T, method, url, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func TestL6_BaselineHeaders(t *testing.T) {
	s, _ := wrap(t, http.NotFoundHandler(), httpmw.Options{HSTS: true})
	res := do(t, http.MethodGet, s.URL, "")
	for k, want := range map[string]string{
		"X-Content-Type-Options":    "nosniff",
		"Referrer-Policy":           "no-referrer",
		"X-Robots-Tag":              "noindex, nofollow",
		"Cache-Control":             "no-store",
		"X-Frame-Options":           "DENY",
		"Strict-Transport-Security": "max-age=31536000",
	} {
		if got := res.header.Get(k); got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
	if csp := res.header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("policy %q", csp)
	}
}

func TestLogNamesTheRouteOnly(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /share/{token}", func(http.ResponseWriter, *http.Request) { panic("broken") })
	s, log := wrap(t, mux, httpmw.Options{OnPanic: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "designed "+httpmw.RequestID(w))
	})})
	res := do(t, http.MethodGet, s.URL+"/share/shr_secretsecretsecret?q=hidden", "")
	do(t, "GET", s.URL+"/elsewhere/secret", "")
	do(t, "SECRET", s.URL+"/elsewhere", "")
	s.Close()
	if id := res.header.Get("X-Request-Id"); res.status != http.StatusInternalServerError || id == "" || res.body != "designed "+id || !strings.Contains(log.String(), id) {
		t.Errorf("answered %d %q with id %q", res.status, res.body, id)
	}
	if l := log.String(); !strings.Contains(l, `route="GET /share/{token}"`) || !strings.Contains(l, "panic=broken") || strings.Contains(strings.ToLower(l), "method=secret") ||
		strings.Contains(strings.ReplaceAll(l, "SECRET", ""), "secret") || strings.Contains(l, "hidden") || strings.Contains(l, "127.0.0.1") {
		t.Errorf("logged %s", l)
	}
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	s, _ := wrap(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("broken")
	}), httpmw.Options{})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the answer seemed whole")
	}
}

func TestB1_BodyLimit(t *testing.T) {
	s, _ := wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}), httpmw.Options{MaxBody: 100})
	if res := do(t, http.MethodPost, s.URL, strings.Repeat("x", 100)); res.status != http.StatusOK {
		t.Errorf("100 bytes: %d", res.status)
	}
	if res := do(t, http.MethodPost, s.URL, strings.Repeat("x", 101)); res.status != http.StatusRequestEntityTooLarge {
		t.Errorf("101 bytes: %d", res.status)
	}
}

// A route that reads less than the whole must still be heard: the connection may not be reset under its answer.
func TestB1_AnswerToABodyThatWasNotReadArrives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read       int64
		connection string
	}{"some": {100, "close"}, "nothing": {0, "close"}, "nothing, living on": {0, "keep-alive"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := wrap(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, c.read))
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				_, _ = io.WriteString(w, "too large")
			}), httpmw.Options{})
			var d net.Dialer
			conn, err := d.DialContext(t.Context(), "tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: "+c.connection+"\r\nContent-Length: 1000000\r\n\r\n"+strings.Repeat("x", 50_000))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil || !strings.HasSuffix(string(got), "too large") {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}

func TestP6_ClientAddress(t *testing.T) {
	c := httpmw.NewClients([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")})
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"direct", "192.0.2.1:1", nil, "192.0.2.1"},
		{"stranger claims", "192.0.2.1:1", []string{"198.51.100.9"}, "192.0.2.1"},
		{"proxy", "10.0.0.1:1", []string{"198.51.100.9"}, "198.51.100.9"},
		{"claim through proxy", "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.9"}, "198.51.100.9"},
		{"two proxies, two lines", "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.9", "10.2.0.1"}, "198.51.100.9"},
		{"proxy without header", "10.0.0.1:1", nil, "10.0.0.1"},
		{"nonsense", "10.0.0.1:1", []string{"1.1.1.1, <script>"}, "10.0.0.1"},
		{"port", "10.0.0.1:1", []string{"198.51.100.9:5555"}, "198.51.100.9"},
		{"mapped", "[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.9"}, "198.51.100.9"},
		{"v6 by /64", "[::1]:1", []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"},
		{"no address", "@", nil, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
		if got := c.Key(r); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
