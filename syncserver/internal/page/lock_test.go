package page_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/servertest"
)

// clock is one that a test turns on.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_790_000_000_000)
	return c
}

func (c *clock) now() time.Time           { return time.UnixMilli(c.ms.Load()) }
func (c *clock) forward(by time.Duration) { c.ms.Add(by.Milliseconds()) }

// proof is one for a revision that is good for a day.
func (c *clock) proof(revision uint64) page.Proof {
	return page.Proof{Revision: revision, Until: c.now().Add(24 * time.Hour).UnixMilli()}
}

// locked is a world with a dashboard whose link asks for a password.
func locked(t *testing.T) (w *world, c *clock, id board.ID, token sharing.Token) {
	t.Helper()
	c = newClock()
	w = newWorld(t, func(cfg *page.Config) { cfg.Now = c.now })
	id, token = w.add(t, "Secret plans", widgetOf("Orders", 0, "[1]"))
	w.change(token, func(l *sharing.Link) { l.Password, l.Revision = true, 1 })
	return w, c, id, token
}

func (w *world) viewWith(t *testing.T, token sharing.Token, p page.Proof) *viewer {
	t.Helper()
	v, _, err := w.dial(t, token, 0, shows(p))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// cutWith waits for a viewer to be cut, for the reason why.
func (v *viewer) cutWith(why string) {
	v.t.Helper()
	if m := v.want("gone"); m.Why != why || m.Reason == "" || m.Title != nil || m.Body != "" {
		v.t.Fatalf("gone %+v, want %q", m, why)
	}
	if _, code := v.next(); code != wire.CloseDenied {
		v.t.Fatalf("closed with %d", code)
	}
}

func TestP1_KeptPagesAreForThoseAloneWhoGaveThePassword(t *testing.T) {
	w, c, id, token := locked(t)
	good := c.proof(1)
	check := func(when string, p page.Proof, want int) {
		t.Helper()
		res, body := w.fetch(t, string(token), "br", shows(p))
		if res.status != want || strings.Contains(body, "Secret") != (want == 200) {
			t.Errorf("%s: answered %d %s", when, res.status, body)
		}
	}
	check("nobody has been let in", page.Proof{}, 401)
	check("password", good, 200)
	check("no password, page kept", page.Proof{}, 401)
	check("another revision", c.proof(2), 401)
	check("an earlier revision", c.proof(0), 401)
	check("a session that is over", page.Proof{Revision: 1, Until: c.now().UnixMilli()}, 401)
	check("password again", good, 200)
	for name, p := range map[string]page.Proof{"none": {}, "another": c.proof(2)} {
		v := w.viewWith(t, token, p)
		v.cutWith("locked")
		if n := w.pages.Watching(id); n != 0 {
			t.Errorf("%s: %d watch", name, n)
		}
	}
	v := w.viewWith(t, token, good)
	if m := v.want("all"); *m.Title != "Secret plans" {
		t.Errorf("let in and got %+v", m)
	}
	if w.drawn() != 1 {
		t.Errorf("drawn %d times", w.drawn())
	}
	c.forward(24 * time.Hour)
	check("after a day", good, 401)
}

// TestP4_EveryWayASessionEnds: whoever watches is cut, and what was edited afterwards does not reach them.
func TestP4_EveryWayASessionEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		how   func(w *world, c *clock, token sharing.Token)
		why   string
		after int // what the page answers to the same session
	}{
		"password changed": {func(w *world, _ *clock, token sharing.Token) {
			w.change(token, func(l *sharing.Link) { l.Revision++ })
		}, "locked", 401},
		"password removed": {func(w *world, _ *clock, token sharing.Token) {
			w.change(token, func(l *sharing.Link) { l.Revision++; l.Password = false })
		}, "locked", 200},
		"removed and set again": {func(w *world, _ *clock, token sharing.Token) {
			w.change(token, func(l *sharing.Link) { l.Revision++; l.Password = false })
			w.change(token, func(l *sharing.Link) { l.Revision++; l.Password = true })
		}, "locked", 401},
		"turned off": {func(w *world, _ *clock, token sharing.Token) { w.revoke(token) }, "gone", 404},
		"turned off and on": {func(w *world, _ *clock, token sharing.Token) {
			w.mu.Lock()
			id := w.tokens[token]
			w.mu.Unlock()
			w.revoke(token)
			w.mu.Lock()
			l := w.links[token]
			l.Revision++
			w.links[token] = l
			w.mu.Unlock()
			w.enable(token, id)
		}, "", 401},
		"the day is over": {func(_ *world, c *clock, _ sharing.Token) { c.forward(24 * time.Hour) }, "locked", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w, c, id, token := locked(t)
			p := c.proof(1)
			other := c.proof(1)
			other.Until++
			viewers := []*viewer{w.viewWith(t, token, p), w.viewWith(t, token, p), w.viewWith(t, token, other)}
			for _, v := range viewers {
				v.want("all")
			}
			if name == "the day is over" {
				viewers = viewers[:2] // the third has one millisecond more
			}
			tt.how(w, c, token)
			w.retitle(id, "after")
			for _, v := range viewers {
				if tt.why == "" { // whichever was seen first
					m := v.want("gone")
					if m.Why != "gone" && m.Why != "locked" {
						t.Errorf("gone %+v", m)
					}
					continue
				}
				v.cutWith(tt.why)
			}
			if name == "the day is over" { // which nobody decided: the receipt is that of what is decided next
				w.revoke(token)
				if r := <-w.cut; r.n != 1 {
					t.Errorf("receipt %+v", r)
				}
				return
			}
			if r := <-w.cut; r.n < 2 {
				t.Errorf("receipt %+v", r)
			}
			if res, _ := w.fetch(t, string(token), "", shows(p)); res.status != tt.after {
				t.Errorf("afterwards the page answers %d", res.status)
			}
		})
	}
}

func TestV1_PasswordSetCutsThoseWhoNeverGaveIt(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales")
	v := w.view(t, token, 0)
	v.want("all")
	w.change(token, func(l *sharing.Link) { l.Password, l.Revision = true, 1 })
	w.retitle(id, "after")
	v.cutWith("locked")
}

// TestL5_AnEndIsKeptWithoutAnybodyCarryingItOut: the job that ends links may be late.
func TestL5_AnEndIsKeptWithoutAnybodyCarryingItOut(t *testing.T) {
	for name, password := range map[string]bool{"open": false, "with a password": true} {
		t.Run(name, func(t *testing.T) {
			w, c, id, token := locked(t)
			w.change(token, func(l *sharing.Link) {
				l.Password, l.Expires = password, c.now().Add(time.Hour).UnixMilli()
			})
			p := c.proof(1)
			v := w.viewWith(t, token, p)
			v.want("all")
			if res, _ := w.fetch(t, string(token), "br", shows(p)); res.status != http.StatusOK {
				t.Fatalf("before: %d", res.status)
			}
			c.forward(time.Hour - time.Millisecond)
			at := w.retitle(id, "in the last moment")
			v.until(at)
			c.forward(time.Millisecond)
			w.retitle(id, "after")
			if res, body := w.fetch(t, string(token), "br", shows(p)); res.status != http.StatusNotFound || body != "" {
				t.Errorf("at the end: %d %s", res.status, body)
			}
			v.cutWith("gone")
			w.viewWith(t, token, p).cutWith("gone")
			w.change(token, func(l *sharing.Link) { l.Expires = c.now().Add(time.Hour).UnixMilli() })
			if res, _ := w.fetch(t, string(token), "br", shows(p)); res.status != http.StatusOK {
				t.Errorf("with another end: %d", res.status)
			}
		})
	}
}

// TestV1_ManySessionsAreDecidedAsOne: what a change of access costs does not grow with the viewers.
func TestV1_ManySessionsAreDecidedAsOne(t *testing.T) {
	w, c, id, token := locked(t)
	var viewers []*viewer
	for i := range 60 {
		p := c.proof(1)
		p.Until += int64(i)
		v := w.viewWith(t, token, p)
		v.want("all")
		viewers = append(viewers, v)
	}
	before := w.opens.Load()
	w.change(token, func(l *sharing.Link) { l.Slug = "plans" })
	at := w.retitle(id, "Other plans")
	for _, v := range viewers {
		v.until(at)
	}
	w.change(token, func(l *sharing.Link) { l.Revision++ })
	for _, v := range viewers {
		v.cutWith("locked")
	}
	if r := <-w.cut; r.n != len(viewers) || r.slow > servertest.AtOnce {
		t.Errorf("receipt %+v", r)
	}
	if n := w.opens.Load() - before; n > 6 {
		t.Errorf("access was asked %d times", n)
	}
}

func TestV1_WhoStaysLoadsAPageThatLooksDifferent(t *testing.T) {
	for name, f := range map[string]func(*sharing.Link){
		"interaction locked": func(l *sharing.Link) { l.Still = true },
		"sites named":        func(l *sharing.Link) { l.Origins = "https://example.org" },
	} {
		t.Run(name, func(t *testing.T) {
			w, c, id, token := locked(t)
			v := w.viewWith(t, token, c.proof(1))
			v.want("all")
			w.change(token, f)
			v.want("reload")
			w.change(token, func(l *sharing.Link) { l.Slug = "plans" }) // which no viewer can tell
			at := w.retitle(id, "Other plans")
			if m := v.want("patch"); m.V != at {
				t.Errorf("then got %+v", m)
			}
		})
	}
}

// TestE1_E2_E3_E4_Variants: every combination of parameters has its page, made once.
func TestE1_E2_E3_E4_Variants(t *testing.T) {
	w := newWorld(t)
	wd := widgetOf("Orders", 0, "[1]")
	wd.Kind = "link"
	id, token := w.add(t, "Sales", wd)
	w.edit(id, func(v *board.View) { v.Theme = board.ThemeLight })
	open := `<html lang="en" data-v="2" data-theme=`
	for query, want := range map[string]string{
		"":                                   `"light">`,
		"?":                                  `"light">`,
		"?embed=true":                        `"light" data-embed>`,
		"?embed=1&embed=true":                `"light">`,
		"?embed=TRUE":                        `"light">`,
		"?theme=dark":                        `"dark" data-fixed>`,
		"?theme=light":                       `"light" data-fixed>`,
		"?theme=system":                      `"system" data-fixed>`,
		"?theme=pink":                        `"light">`,
		"?theme=dark&theme=light":            `"dark" data-fixed>`,
		"?theme=%22%3E%3Cscript%3E":          `"light">`,
		"?interactive=false":                 `"light" data-still>`,
		"?interactive=true":                  `"light">`,
		"?interactive=no":                    `"light">`,
		"?embed=true&theme=dark&other=1&%zz": `"dark" data-fixed data-embed>`,
		"?interactive=false&theme=dark":      `"dark" data-fixed data-still>`,
		"?embed=true&interactive=false":      `"light" data-embed data-still>`,
		"?theme=system&interactive=false&embed=true": `"system" data-fixed data-embed data-still>`,
	} {
		_, first := w.fetch(t, string(token)+query, "br", nil)
		_, again := w.fetch(t, string(token)+query, "br", nil)
		if !strings.Contains(first, open+want) || first != again {
			t.Errorf("%s: %.200s", query, first)
		}
		if still := strings.Contains(want, "still"); strings.Contains(first, `<a href="https://example.org"`) == still {
			t.Errorf("%s: %s", query, first)
		}
	}
	if w.drawn() != 1 {
		t.Errorf("drawn %d times", w.drawn())
	}
}

func TestE3_NoParameterLoosensALockedLink(t *testing.T) {
	w := newWorld(t)
	wd := widgetOf("Orders", 0, "[1]")
	wd.Kind = "link"
	_, token := w.add(t, "Sales", wd)
	w.get(t, token, "")
	w.change(token, func(l *sharing.Link) { l.Still = true })
	for _, query := range []string{"", "?interactive=true", "?embed=true&interactive=true&interactive=false"} {
		if _, body := w.fetch(t, string(token)+query, "", nil); !strings.Contains(body, "data-still>") || strings.Contains(body, "<a href=") {
			t.Errorf("%s: %s", query, body)
		}
	}
	w.change(token, func(l *sharing.Link) { l.Still = false })
	if _, body := w.get(t, token, ""); strings.Contains(body, "data-still") || !strings.Contains(body, "<a href=") {
		t.Errorf("unlocked: %s", body)
	}
}

func TestE5_FramesAreForTheSitesThatTheOwnerNames(t *testing.T) {
	w := newWorld(t)
	_, token := w.add(t, "Sales")
	for _, o := range []sharing.Origins{"", "https://*.example.org https://example.com:8443", ""} {
		w.change(token, func(l *sharing.Link) { l.Origins = o })
		res, _ := w.get(t, token, "br")
		want := "*"
		if o != "" {
			want = string(o)
		}
		if csp := res.header.Get("Content-Security-Policy"); !strings.Contains(csp, "; frame-ancestors "+want+";") || strings.Count(csp, "frame-ancestors") != 1 {
			t.Errorf("%q: %s", o, csp)
		}
	}
}

func TestL6_OnlyOpenLinksHavePreviews(t *testing.T) {
	w, c, id, token := locked(t)
	w.edit(id, func(v *board.View) { v.Description = `All "that" we <plan>` })
	signs := []string{"og:", "twitter:", "oembed", `name="description"`, "preview", string(token), "All &#34;that"}
	_, body := w.fetch(t, string(token), "", shows(c.proof(1)))
	for _, sign := range signs {
		if strings.Contains(body, sign) {
			t.Errorf("a page behind a password holds %q: %s", sign, body)
		}
	}
	w.change(token, func(l *sharing.Link) { l.Password = false; l.Revision++ })
	url := "https://dash.example/share/" + string(token)
	_, body = w.get(t, token, "")
	for _, want := range []string{
		`<meta property="og:title" content="Secret plans">`,
		`<meta property="og:description" content="All &#34;that&#34; we &lt;plan&gt;">`,
		`<meta name="description" content="All &#34;that&#34; we &lt;plan&gt;">`,
		`<meta property="og:url" content="` + url + `">`,
		`<meta property="og:image" content="` + url + `/preview.png?v=2">`,
		`<meta property="og:image:width" content="1200">`,
		`<meta property="og:image:height" content="630">`,
		`<meta property="og:image:alt" content="`,
		`<meta name="twitter:card" content="summary_large_image">`,
		`<link rel="alternate" type="application/json+oembed" href="https://dash.example/oembed?format=json&amp;url=https%3A%2F%2Fdash.example%2Fshare%2F` + string(token) + `" title="Secret plans">`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

// TestL6_AnotherLinkHasItsOwnPreview: what is kept for one link is not shown under another.
func TestL6_AnotherLinkHasItsOwnPreview(t *testing.T) {
	w := newWorld(t)
	id, first := w.add(t, "Sales")
	second, err := sharing.NewToken(strings.NewReader(strings.Repeat("another token ", 20)))
	if err != nil {
		t.Fatal(err)
	}
	w.enable(second, id)
	for range 2 {
		for _, pair := range [][2]sharing.Token{{first, second}, {second, first}} {
			_, body := w.get(t, pair[0], "br")
			if !strings.Contains(body, string(pair[0])) || strings.Contains(body, string(pair[1])) {
				t.Fatalf("the page of one link names another: %s", body)
			}
		}
	}
}
