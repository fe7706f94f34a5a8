package render_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/render"
)

const bundle = `(() => {
  let calls = 0;
  const act = (o) => {
    if (o.spin) for (;;) {}
    if (o.swallow) for (;;) { try { for (;;) {} } catch (e) {} }
    if (o.eat) { const a = []; for (;;) a.push("x".repeat(1 << 20) + a.length); }
    if (o.deep) { const f = (n) => f(n + 1) + 1; f(0); }
    if (o.fail) throw new Error("cannot");
    if (o.number) return 7;
    calls++;
    return String(calls) + ":" + o.title;
  };
  globalThis.widgets = {
    board: (s) => { const o = JSON.parse(s), r = act(o); return o.number ? r : o.bad ? "{" : JSON.stringify({title: o.title, body: r, css: "#a{}"}) },
    widget: (s) => act(JSON.parse(s)),
  };
})()`

func newEngine(t *testing.T, cfg render.Config) *render.Engine {
	t.Helper()
	if cfg.Script == "" {
		cfg.Script = bundle
	}
	e := render.New(cfg)
	t.Cleanup(e.Close)
	return e
}

func TestDraws(t *testing.T) {
	e := newEngine(t, render.Config{})
	b, err := e.Board(t.Context(), []byte(`{"title":"Ümläut </script> \u0000 \ud83d\ude00"}`))
	if err != nil {
		t.Fatal(err)
	}
	if b.Title != "Ümläut </script> \x00 😀" || b.CSS != "#a{}" || !strings.HasPrefix(b.Body, "1:") {
		t.Fatalf("drew %+q", b)
	}
	w, err := e.Widget(t.Context(), []byte(`{"title":"w"}`))
	if err != nil || w != "2:w" {
		t.Fatalf("drew %q, %v", w, err)
	}
}

func TestClosingTwiceReturns(t *testing.T) {
	e := render.New(render.Config{Size: 2})
	e.Close()
	e.Close()
}

func TestNotBuilt(t *testing.T) {
	e := render.New(render.Config{})
	defer e.Close()
	if _, err := e.Board(t.Context(), []byte(`{}`)); !errors.Is(err, render.ErrNotBuilt) {
		t.Fatalf("got %v", err)
	}
}

func TestBundleThatDoesNotLoad(t *testing.T) {
	e := newEngine(t, render.Config{Script: "syntax error here"})
	for range 2 {
		if _, err := e.Board(t.Context(), []byte(`{}`)); err == nil || !strings.Contains(err.Error(), "load the drawing bundle") {
			t.Fatalf("got %v", err)
		}
	}
}

// TestB2_HostileContentIsStopped: whatever content makes the bundle do, the call ends with an error and the next one works.
func TestB2_HostileContentIsStopped(t *testing.T) {
	e := newEngine(t, render.Config{Timeout: 300 * time.Millisecond, Memory: 32 << 20})
	for _, doc := range []string{
		`{"spin":1}`, `{"swallow":1}`, `{"eat":1}`, `{"deep":1}`, `{"fail":1}`, `{"number":1}`, `{"bad":1}`,
		`not JSON`, strings.Repeat(`[`, 200_000),
	} {
		name := doc[:min(len(doc), 20)]
		if _, err := e.Board(t.Context(), []byte(doc)); !errors.Is(err, render.ErrDraw) {
			t.Errorf("%s: got %v", name, err)
		}
		if w, err := e.Widget(t.Context(), []byte(`{"title":"ok"}`)); err != nil || !strings.HasSuffix(w, ":ok") {
			t.Errorf("after %s: drew %q, %v", name, w, err)
		}
	}
}

func TestContextEndsTheCall(t *testing.T) {
	e := newEngine(t, render.Config{Timeout: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 3 { // one runs, two wait for the slot
		wg.Go(func() {
			if _, err := e.Widget(ctx, []byte(`{"spin":1}`)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if _, err := e.Widget(t.Context(), []byte(`{"title":"ok"}`)); err != nil {
		t.Fatal(err)
	}
}

func TestParallel(t *testing.T) {
	e := newEngine(t, render.Config{Size: 2})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			in, _ := json.Marshal(map[string]any{"title": strings.Repeat("é", i)})
			if w, err := e.Widget(t.Context(), in); err != nil || !strings.HasSuffix(w, ":"+strings.Repeat("é", i)) {
				t.Errorf("drew %q, %v", w, err)
			}
		})
	}
	wg.Wait()
}

// TestNoHost: the bundle finds nothing of the machine it runs on.
func TestA6_NoHost(t *testing.T) {
	e := newEngine(t, render.Config{Script: `globalThis.widgets = {widget: () => [typeof std, typeof os, typeof process, typeof require, typeof fetch, typeof console].join()}`})
	got, err := e.Widget(t.Context(), []byte(`{}`))
	if err != nil || got != "undefined,undefined,undefined,undefined,undefined,undefined" {
		t.Fatalf("found %q, %v", got, err)
	}
}
