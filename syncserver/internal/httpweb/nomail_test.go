package httpweb_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpweb"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// A server that cannot send mail says so where it would be needed.
func TestWithoutMailNobodyCanSignUp(t *testing.T) {
	t.Parallel()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	accounts, err := account.New(account.Config{Store: st, Log: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader, Events: room.New()})
	if err != nil {
		t.Fatal(err)
	}
	assets, err := httpweb.LoadAssets(nil)
	if err != nil {
		t.Fatal(err)
	}
	site, err := httpweb.New(httpweb.Config{Base: "https://dash.example", Pages: failing{}, Accounts: accounts, Assets: assets, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range site.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	for name, c := range map[string]struct{ method, path, body, want string }{
		"the form":         {http.MethodGet, "/signup", "", "cannot send mail"},
		"a sign-up":        {http.MethodPost, "/signup", "email=ann@example.org&password=12345678", "This server cannot send mail, so nobody can sign up here."},
		"another password": {http.MethodPost, "/forgot", "email=ann@example.org", "cannot send mail"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "https://dash.example"+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), c.want) || !strings.Contains(rec.Body.String(), "Ask its operator.") {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}
