package server_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/server"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

// published is a server's handler and the path of a share page that it keeps. The page is made on a server that runs, whose
// data file the handler's takes over.
func published(tb testing.TB) (h http.Handler, path string) {
	tb.Helper()
	data := filepath.Join(tb.TempDir(), "server.db")
	front := fstest.MapFS{
		"share/share.js":   {Data: []byte("1")},
		"share/share.css":  {Data: []byte("body{}")},
		"render/render.js": {Data: []byte(`globalThis.widgets = {board: (j) => JSON.stringify({title: "", body: "<p>" + "x".repeat(20000), css: ""}), widget: (j) => ""}`)},
	}
	running := servertest.Start(tb, servertest.Options{Data: data, Front: front})
	own, err := owner.SignUp(tb.Context(), running.URL(), "ann@example.org", servertest.Password, time.Now, running.Letters)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(own.Close)
	id, err := own.Create(tb.Context(), "Sales")
	if err != nil {
		tb.Fatal(err)
	}
	l, err := own.Command(tb.Context(), id, sharing.Enable)
	if err != nil {
		tb.Fatal(err)
	}
	running.Close()
	srv, err := server.New(server.Deps{
		Config: config.Config{Data: data, Base: running.URL()},
		Log:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Now: time.Now, Random: rand.Reader,
		Front: front,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = srv.Close() })
	return srv.Handler(), "/share/" + l.Token.Reveal()
}

// sink is an http.ResponseWriter that keeps nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// BenchmarkCachedSharePage is the whole of the server's own work for a share page that it keeps, without net/http's.
func BenchmarkCachedSharePage(b *testing.B) {
	h, path := published(b)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	if w.status != 0 || w.header.Get("Content-Encoding") != "br" {
		b.Fatalf("answered %d %v", w.status, w.header)
	}
}

// BenchmarkCachedSharePageOverSockets is the same with net/http and a client of its kind, over loopback.
func BenchmarkCachedSharePageOverSockets(b *testing.B) {
	h, path := published(b)
	ts := httptest.NewServer(h)
	b.Cleanup(ts.Close)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, ts.URL+path, nil)
			if err != nil {
				b.Error(err)
				return
			}
			res, err := ts.Client().Do(req)
			if err != nil || res.StatusCode != http.StatusOK {
				b.Errorf("%v %v", res, err)
				return
			}
			_ = res.Body.Close()
		}
	})
}

// TestCachedSharePageAllocatesLittle holds the cached path to a handful of allocations (the note of the answer, and what
// the mux of net/http would add is left out by Site.Fast).
func TestCachedSharePageAllocatesLittle(t *testing.T) {
	h, path := published(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "br")
	w := &sink{header: http.Header{}}
	h.ServeHTTP(w, r) // draws it
	if n := testing.AllocsPerRun(100, func() { clear(w.header); h.ServeHTTP(w, r) }); n > 4 {
		t.Errorf("%v allocations for each request", n)
	}
}
