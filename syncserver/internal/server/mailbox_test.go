package server_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/server"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const mailBase = "http://dash.example:8080"

// withMail makes a data file with mails in its outbox.
func withMail(t *testing.T, all ...mail.Letter) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.db")
	st, err := boltstore.Open(boltstore.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	o, err := mail.New(mail.Config{
		Store: st, Now: time.Now, Random: rand.Reader, Base: mailBase, From: netmail.Address{Name: "Widgets", Address: "no-reply@localhost"},
		Server: relay.Server{Host: "localhost", Port: 25},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		m, err := o.Compose(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Update(t.Context(), func(tx store.Tx) error { return o.Queue(tx, m) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// mailServer is a server with the mailbox for development.
func mailServer(t *testing.T, data string, on bool) *server.Server {
	t.Helper()
	srv, err := server.New(server.Deps{
		Config: config.Config{Data: data, Base: mailBase, DevMailbox: on, From: netmail.Address{Name: "Widgets", Address: "no-reply@localhost"}},
		Log:    slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// ask sends a request as if it came from this machine; change makes it another.
func ask(t *testing.T, srv *server.Server, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, mailBase+path, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	srv.Handler().ServeHTTP(rec, r)
	return rec
}

// arrived waits until so many mails are there, as the routes tell it.
func arrived(t *testing.T, srv *server.Server, n int) []devmail.Mail {
	t.Helper()
	for deadline := time.After(20 * time.Second); ; {
		var list []devmail.Mail
		rec := ask(t, srv, "/dev/mail.json", nil)
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
			t.Fatalf("%v: %d %s", err, rec.Code, rec.Body)
		}
		if len(list) >= n {
			return list
		}
		select {
		case <-deadline:
			t.Fatalf("%d mails", len(list))
		case <-time.After(10 * time.Millisecond): // what is asked over HTTP can only be asked again
		}
	}
}

func TestI7_TheMailboxShowsWhatWasSent(t *testing.T) {
	t.Parallel()
	evil := `<script>alert(1)</script>"><img src=x>`
	srv := mailServer(t, withMail(t,
		mail.ResetPassword{To: "ann@example.org", URL: mailBase + "/reset/tkt_1"},
		mail.Invite{To: "ann@example.org", By: evil, What: evil, As: "to view", Message: evil, URL: mailBase + "/invite/ivt_1"},
	), true)
	list := arrived(t, srv, 2)
	last, first := list[0], list[1]
	if first.ID != "1" || first.To != "ann@example.org" || first.From != "Widgets <no-reply@localhost>" || first.Subject != "Choose another password" ||
		!strings.Contains(first.Text, mailBase+"/reset/tkt_1") || !strings.Contains(first.HTML, "<h1") || first.At == 0 || last.ID != "2" {
		t.Errorf("%+v", list)
	}
	page := ask(t, srv, "/dev/mail", nil)
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `<a href="/dev/mail/1">Choose another password</a>`) {
		t.Errorf("%d %s", page.Code, page.Body)
	}
	one := ask(t, srv, "/dev/mail/1", nil)
	if one.Code != http.StatusOK || !strings.Contains(one.Body.String(), `<a href="`+mailBase+`/reset/tkt_1" target="_blank"`) || !strings.Contains(one.Body.String(), `src="/dev/mail/1/html" sandbox="allow-popups allow-popups-to-escape-sandbox"`) {
		t.Errorf("%d %s", one.Code, one.Body)
	}
	for _, path := range []string{"/dev/mail", "/dev/mail/2"} {
		rec := ask(t, srv, path, nil)
		if csp := rec.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: %s", path, csp)
		}
		if strings.Contains(rec.Body.String(), "<script") || strings.Contains(rec.Body.String(), "<img") {
			t.Errorf("%s: markup in %s", path, rec.Body)
		}
	}
	html := ask(t, srv, "/dev/mail/2/html", nil)
	csp := html.Header().Get("Content-Security-Policy")
	if html.Code != http.StatusOK || html.Body.String() != last.HTML || !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "sandbox allow-popups") ||
		strings.Contains(csp, "allow-scripts") || strings.Contains(csp, "allow-same-origin") || !strings.Contains(csp, "frame-ancestors 'self'") || html.Header().Get("X-Frame-Options") != "" {
		t.Errorf("%d %v", html.Code, html.Header())
	}
	for _, path := range []string{"/dev/mail/3", "/dev/mail/x", "/dev/mail/3/html"} {
		if rec := ask(t, srv, path, nil); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestA6_TheMailboxIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	data := withMail(t, mail.ResetPassword{To: "ann@example.org", URL: mailBase + "/reset/tkt_1"})
	srv := mailServer(t, data, true)
	arrived(t, srv, 1)
	nothing := ask(t, srv, "/nothing", nil).Body.Bytes()
	paths := []string{"/dev/mail", "/dev/mail.json", "/dev/mail/1", "/dev/mail/1/html"}
	for name, change := range map[string]func(*http.Request){
		"another machine":      func(r *http.Request) { r.RemoteAddr = "192.0.2.1:50000" },
		"another, in IPv6":     func(r *http.Request) { r.RemoteAddr = "[2001:db8::1]:50000" },
		"no address":           func(r *http.Request) { r.RemoteAddr = "@" },
		"by a proxy here":      func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		"by another proxy":     func(r *http.Request) { r.Header.Set("Forwarded", "for=192.0.2.1") },
		"by a name of no ours": func(r *http.Request) { r.Host = "evil.example:8080" },
	} {
		for _, path := range paths {
			if rec := ask(t, srv, path, change); rec.Code != http.StatusNotFound || !bytes.Equal(rec.Body.Bytes(), nothing) {
				t.Errorf("%s: %s is answered %d", name, path, rec.Code)
			}
		}
	}
	for name, change := range map[string]func(*http.Request){
		"IPv6":           func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:50000", "[::1]:8080" },
		"by its address": func(r *http.Request) { r.Host = "127.0.0.1:8080" },
		"by name":        func(r *http.Request) { r.Host = "localhost:8080" },
	} {
		for _, path := range paths {
			if rec := ask(t, srv, path, change); rec.Code != http.StatusOK {
				t.Errorf("%s: %s is answered %d", name, path, rec.Code)
			}
		}
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	off := mailServer(t, data, false)
	for _, path := range paths {
		if rec := ask(t, off, path, nil); rec.Code != http.StatusNotFound {
			t.Errorf("without a mailbox %s is answered %d", path, rec.Code)
		}
	}
	for _, r := range off.Routes() {
		if strings.Contains(r.Pattern, "/dev/") {
			t.Errorf("without a mailbox there is %s", r.Pattern)
		}
	}
	for _, r := range srv.Routes() {
		if strings.Contains(r.Pattern, "/dev/") && (r.Audience != httpmw.Everybody || r.Limits != "only from this machine") {
			t.Errorf("%+v", r)
		}
	}
}

func TestI7_AServerWithoutMailSaysSo(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	srv, err := server.New(server.Deps{
		Config: config.Config{Data: filepath.Join(t.TempDir(), "server.db"), Base: mailBase}, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "nobody can sign up, be invited or get another password") {
		t.Errorf("%s", log.String())
	}
}
