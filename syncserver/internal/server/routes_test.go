package server_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/server"
)

// TestB1_EveryRouteIsGuarded goes by the table of routes: what changes something names its limits and takes nothing from
// pages of other sites, and every answer comes with a policy and the headers that keep a browser on the safe side.
func TestB1_EveryRouteIsGuarded(t *testing.T) {
	srv, err := server.New(server.Deps{
		Config: config.Config{Data: filepath.Join(t.TempDir(), "server.db"), Base: "https://dash.example"},
		Log:    slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	seen := map[string]bool{}
	for _, r := range srv.Routes() {
		method, path, ok := strings.Cut(r.Pattern, " ")
		if !ok {
			method, path = http.MethodGet, r.Pattern
		}
		if seen[r.Pattern] || r.Audience == "" || r.Handler == nil {
			t.Errorf("%q: %+v", r.Pattern, r)
		}
		seen[r.Pattern] = true
		if method != http.MethodGet && r.Limits == "" {
			t.Errorf("%q names no limits", r.Pattern)
		}
		path = strings.NewReplacer("{token}", "shr_0123456789ABCDEFGHIJKLMN", "{short}", "0123456789", "{name}", "x", "{$}", "").Replace(path)
		req := httptest.NewRequestWithContext(t.Context(), method, "https://dash.example"+path, nil)
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		req.Header.Set("Origin", "https://evil.example")
		rec := httptest.NewRecorder()
		srv.Handler().ServeHTTP(rec, req)
		if method != http.MethodGet && rec.Code != http.StatusForbidden {
			t.Errorf("%q takes what another site sends: %d", r.Pattern, rec.Code)
		}
		h := rec.Header()
		referrer := h.Get("Referrer-Policy")
		if referrer != "no-referrer" && (r.Audience == httpmw.LinkHolder || referrer != "same-origin") {
			t.Errorf("%q says where people come from: %q", r.Pattern, referrer)
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors ") ||
			strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("X-Robots-Tag"), "noindex") || h.Get("Cache-Control") != "no-store" || h.Get("Strict-Transport-Security") == "" {
			t.Errorf("%q: %d %v", r.Pattern, rec.Code, h)
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d routes", len(seen))
	}
}
