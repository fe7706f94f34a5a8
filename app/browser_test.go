package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
)

// tab is a browser that opened the printed address.
type tab struct {
	t    *testing.T
	http *http.Client
	base string
	stop func() error
}

// open runs the program as a browser sees it, on the data in dir.
func open(t *testing.T, dir string) tab {
	t.Helper()
	out, in := io.Pipe()
	p := program{
		cfg: config{dir: dir, server: "http://127.0.0.1:1", loopback: anyPort},
		env: Environment{Now: time.Now, Stdout: in}, log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.browser(ctx); _ = in.Close() }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("nothing printed: %v", <-ended)
	}
	_, address, found := strings.Cut(lines.Text(), ": ")
	if !found {
		t.Fatalf("no address in %q", lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := tab{t: t, http: &http.Client{Jar: jar, Transport: &http.Transport{}}, base: address[:strings.Index(address, "?")]}
	b.stop = func() error { cancel(); b.http.CloseIdleConnections(); return <-ended }
	if status, body := b.send(http.MethodGet, address, ""); status != http.StatusOK || !strings.Contains(body, "widgets.pro") {
		t.Fatalf("%d %s", status, body)
	}
	return b
}

func (b tab) send(method, address, body string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func (b tab) state() workspace.AppState {
	b.t.Helper()
	status, body := b.send(http.MethodGet, b.base+"api/state", "")
	var s workspace.AppState
	if err := json.Unmarshal([]byte(body), &s); status != http.StatusOK || err != nil {
		b.t.Fatalf("%d %s", status, body)
	}
	return s
}

func TestQ1_WhatIsMadeWithoutANetworkIsThereAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	b := open(t, dir)
	samples := len(b.state().Boards)
	if samples == 0 {
		t.Error("no sample dashboards")
	}
	if status, body := b.send(http.MethodPost, b.base+"api/boards", `{"title":"Kept"}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	s := again.state()
	if len(s.Boards) != samples+1 || s.Desktop || s.DefaultServer != "http://127.0.0.1:1" || s.Account != nil {
		t.Errorf("%+v", s)
	}
	kept := false
	for _, board := range s.Boards {
		kept = kept || board.Title == "Kept"
	}
	if !kept {
		t.Errorf("not found: %+v", s.Boards)
	}
	if err := again.stop(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v", info.Mode(), err)
	}
}

func TestTheProgramEndsWhileAPollWaits(t *testing.T) {
	b := open(t, t.TempDir())
	b.state()
	status, body := b.send(http.MethodGet, b.base+"api/events?after=0&client=a", "")
	var first struct{ Next int64 }
	if err := json.Unmarshal([]byte(body), &first); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s", status, body)
	}
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"api/events?client=a&after="+jsonText(first.Next), http.NoBody)
		if err == nil {
			if res, err := b.http.Do(r); err == nil {
				_ = res.Body.Close()
			}
		}
	}()
	began := time.Now()
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	<-waiting
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func jsonText(v any) string { b, _ := json.Marshal(v); return string(b) }

func TestB1_DataThatCannotBeUsedIsLeftAloneAndTheScreensSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, path string)
		kind    fault.Kind
	}{
		"damaged": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, bytes.Repeat([]byte("not a data file\n"), 4096), 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.Internal},
		"in use": {func(t *testing.T, path string) {
			t.Helper()
			s, err := localstore.Open(path, localstore.Options{Random: rand.Reader})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
		}, fault.Busy},
		"a folder": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, dataFile)
			c.prepare(t, path)
			before, _ := os.ReadFile(path)
			b := open(t, dir)
			status, body := b.send(http.MethodGet, b.base+"api/state", "")
			var in struct{ Error fault.Error }
			if err := json.Unmarshal([]byte(body), &in); err != nil || status < 400 {
				t.Fatalf("%d %s", status, body)
			}
			if in.Error.Message == "" || in.Error.Hint == "" || c.kind != "" && in.Error.Kind != c.kind || strings.Contains(body, "goroutine") {
				t.Errorf("%d %s", status, body)
			}
			if err := b.stop(); err != nil {
				t.Error(err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestB1_AnAddressInUseIsTold(t *testing.T) {
	b := open(t, t.TempDir())
	defer func() { _ = b.stop() }()
	address := strings.TrimSuffix(strings.TrimPrefix(b.base, "http://"), "/")
	var said bytes.Buffer
	env := Environment{Args: []string{"--data", t.TempDir(), "--loopback", address}, Getenv: func(string) string { return "" }, Now: time.Now, Stdout: io.Discard, Stderr: &said}
	if code := Run(env); code != exitFailed || !strings.Contains(said.String(), "cannot be used") {
		t.Errorf("exit code %d, %q", code, &said)
	}
}
