//go:build window

package windowtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// ask sends a request as the screens do, and decodes the answer.
func (p page) ask(method, path string, body, out any) {
	p.t.Helper()
	init := fmt.Sprintf("{ method: %q }", method)
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		init = fmt.Sprintf("{ method: %q, body: %s }", method, quote(string(b)))
	}
	p.run(fmt.Sprintf("const r = await fetch(%s, %s); if (!r.ok) throw new Error(await r.text()); return await r.json();", quote(path), init), out)
}

// titles are the dashboards' titles, as the program tells them.
func (p page) titles() []string {
	p.t.Helper()
	var s struct{ Boards []struct{ Title string } }
	p.ask("GET", "/api/state", nil, &s)
	var titles []string
	for _, b := range s.Boards {
		titles = append(titles, b.Title)
	}
	return titles
}

// The window's own page, and no other, may draw in the preview of an embedded dashboard, with its own sheet of styles.
func TestE1_ThePreviewCanBeDrawnFromOutside(t *testing.T) {
	h := newHome(t)
	p := h.start(t)
	var drawn struct{ Text, Color, Script string }
	p.run(`const frame = document.createElement("iframe");
		frame.src = "/embed-preview";
		const loaded = new Promise((done) => { frame.onload = done; });
		document.body.append(frame);
		await loaded;
		const doc = frame.contentDocument, win = frame.contentWindow;
		const sheet = new win.CSSStyleSheet();
		sheet.replaceSync("p { color: rgb(1, 2, 3) }");
		doc.adoptedStyleSheets = [sheet];
		const p = doc.createElement("p");
		p.textContent = "drawn";
		doc.body.append(p);
		const script = doc.createElement("script");
		script.textContent = "document.title = 'ran'";
		doc.body.append(script);
		return { Text: doc.body.firstChild.textContent, Color: win.getComputedStyle(p).color, Script: doc.title };`, &drawn)
	if drawn.Text != "drawn" || drawn.Color != "rgb(1, 2, 3)" || drawn.Script != "Preview" {
		t.Errorf("%+v", drawn)
	}
}

// The share dialog in the real window, without account and network: a link is protected, and the password shown once.
func TestQ1_P2_TheShareDialogInTheWindow(t *testing.T) {
	h := newHome(t)
	p := h.start(t)
	p.click("button", "Share")
	p.reads("Only you can see this")
	p.click("radio", "Password link")
	p.until("[...document.querySelectorAll('input')].some((e) => /^([a-z0-9]{4}-){3}[a-z0-9]{4}$/.test(e.value))")
	p.click("button", "Protect with this password")
	p.reads("Not shared yet")
	var state struct {
		Boards []struct{ ID string }
	}
	p.ask("GET", "/api/state", nil, &state)
	modes := map[string]int{}
	for _, b := range state.Boards {
		var view struct {
			Share struct{ Wanted, InForce struct{ Mode string } }
		}
		p.ask("GET", "/api/boards/"+b.ID, nil, &view)
		modes[view.Share.InForce.Mode+", wanted "+view.Share.Wanted.Mode]++
	}
	if modes["private, wanted password"] != 1 || modes["private, wanted private"] != len(state.Boards)-1 {
		t.Errorf("the dashboards are %v", modes)
	}
	p.reads("Copy password")
	if _, colours, covered := p.look("share"); colours < 20 || covered < 0.2 {
		t.Errorf("the dialog has %d colours and covers %.2f", colours, covered)
	}
}

// Typing and clicking as a new user does; after a restart everything is as it was left.
func TestQ1_TheWindowIsFoundAsItWasLeft(t *testing.T) {
	h := newHome(t)
	p := h.start(t)
	for _, sample := range samples() {
		p.until("one('link', " + quote(sample+" Sample") + ")")
	}
	p.click("link", "Web shop – this week Sample")
	p.reads("Revenue by hour")
	painted(p.page, "samples")

	p.click("button", "New dashboard")
	p.until("one('textbox', 'Dashboard title')")
	p.reads("Start with your data")
	p.typeInto("const e = one('textbox', 'Dashboard title');", "Bäckerei <b>Ost</b>")
	p.until("one('link', 'Bäckerei <b>Ost</b>')")
	p.click("button", "Choose a widget")
	p.click("button", "Text")
	p.until("document.querySelectorAll('section.w').length === 1")
	p.click("button", "Add widget")
	p.click("button", "Bar chart")
	p.until("document.querySelectorAll('section.w').length === 2")
	p.until("one('textbox', 'Widget title')")
	p.typeInto("const e = one('textbox', 'Widget title');", "Brot")
	p.until("document.querySelector('section.w[aria-label=Brot]')")
	p.click("button", "Theme")
	p.click("menuitem", "Dark")
	p.until("document.documentElement.dataset.theme === 'dark'")
	painted(p.page, "edited")
	p.quit(t)

	p = h.start(t)
	p.until("document.documentElement.dataset.theme === 'dark'")
	p.click("link", "Bäckerei <b>Ost</b>")
	p.until("document.querySelectorAll('section.w').length === 2 && document.querySelector('section.w[aria-label=Brot]')")
	painted(p.page, "restarted")
	if slices.Contains(p.titles(), "Untitled dashboard") || len(p.titles()) != len(samples())+1 {
		t.Errorf("dashboards %q", p.titles())
	}
	p.quit(t)
}

// samples are the dashboards of a first start.
func samples() []string {
	return []string{"Web shop – this week", "Service status", "Household energy"}
}

// What is still being typed when the window closes is written before it does.
func TestQ1_ClosingWhileTypingLosesNothing(t *testing.T) {
	h := newHome(t)
	p := h.start(t)
	p.click("button", "New dashboard")
	p.until("one('textbox', 'Dashboard title')")
	p.run("one('textbox', 'Dashboard title').focus(); one('textbox', 'Dashboard title').select(); document.execCommand('insertText', false, 'Half a thought')", nil)
	p.quit(t)
	p = h.start(t)
	if !slices.Contains(p.titles(), "Half a thought") {
		t.Errorf("dashboards %q", p.titles())
	}
	p.quit(t)
}

func TestDataIsPastedInTheWindow(t *testing.T) {
	p := newHome(t).start(t)
	p.click("button", "New dashboard")
	p.click("button", "Import data")
	p.until("document.querySelector('dialog textarea')")
	p.run("document.querySelector('dialog textarea').focus(); document.execCommand('insertText', false, 'day;sales\\n4.3.2026;1,5\\n5.3.2026;2,5\\n6.3.2026;2,0')", nil)
	p.click("button", "Preview")
	p.reads("3 rows in 2 columns")
	p.reads("2026-03-04")
	p.click("button", "Import 3 rows")
	p.until("document.querySelectorAll('section.w.k-line svg').length > 0")
	p.quit(t)
}

func TestAnExportIsSavedAsAFile(t *testing.T) {
	h := newHome(t)
	p := h.start(t)
	p.click("link", "Service status Sample")
	p.reads("Incidents")
	p.click("button", "More")
	p.click("menuitem", "Export as JSON")
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		if b, err := os.ReadFile(filepath.Join(h.dir, "Service status.json")); err == nil && json.Valid(b) {
			break
		}
		select {
		case <-again.C:
		case <-late.C:
			t.Fatal("no file")
		}
	}
	p.quit(t)
}

// A link that leads out of the program must not take its window there.
func TestLinksDoNotLeadTheWindowAway(t *testing.T) {
	p := newHome(t).start(t)
	p.click("button", "New dashboard")
	p.click("button", "Choose a widget")
	p.click("button", "Text")
	p.until("document.querySelector('section.w a[href^=http]')")
	var outcome string
	p.run(`
		const asked = new Promise((r) => { const f = window.fetch; window.fetch = (u, o) => { if (String(u) === '/api/external') r(o.body); return f(u, o); }; });
		document.querySelector('section.w a[href^=http]').click();
		return await asked;
	`, &outcome)
	if !strings.Contains(outcome, `"url":"http`) {
		t.Errorf("asked for %s", outcome)
	}
	p.until("location.protocol === 'wails:' && one('button', 'New dashboard')")
	p.quit(t)
}

// The program may be killed at any moment: what it said is saved is there when it starts again.
func TestQ1_NothingThatWasSavedIsLostWhenTheProgramIsKilled(t *testing.T) {
	h := newHome(t)
	for round := range 3 {
		p := h.start(t)
		titles := p.titles()
		for i := range round {
			if !slices.Contains(titles, fmt.Sprintf("Round %d", i)) {
				t.Fatalf("round %d: %q", round, titles)
			}
		}
		p.ask("POST", "/api/boards", map[string]string{"title": fmt.Sprintf("Round %d", round)}, nil)
		p.kill()
	}
}

// There is no window manager here to drag a border with, so the size is changed where it is kept.
func TestTheWindowKeepsItsSize(t *testing.T) {
	h := newHome(t)
	path := filepath.Join(h.data(), "window.json")
	read := func() (f struct{ Width, Height int }) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &f)
		}
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	p := h.start(t)
	p.until("innerWidth === 1280 && innerHeight === 820")
	p.quit(t)
	if f := read(); f.Width != 1280 || f.Height != 820 {
		t.Errorf("kept %+v", f)
	}
	for content, want := range map[string]struct{ Width, Height int }{
		`{"width":1011,"height":700}`: {1011, 700},
		`{"width":9,"height":-1}`:     {1280, 820},
		`not JSON`:                    {1280, 820},
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		p = h.start(t)
		p.until(fmt.Sprintf("innerWidth === %d && innerHeight === %d", want.Width, want.Height))
		p.terminate(t)
		if f := read(); f != want {
			t.Errorf("%s: kept %+v", content, f)
		}
	}
}

func TestB1_ASecondProgramOnTheSameDataSaysSo(t *testing.T) {
	h := newHome(t)
	first := h.start(t)
	first.ask("GET", "/api/state", nil, nil)
	second := h.start(t)
	var answer struct {
		Error struct{ Kind, Message, Hint string }
	}
	second.run("return await (await fetch('/api/state')).json()", &answer)
	second.reads("already running")
	if answer.Error.Kind != "busy" || answer.Error.Message == "" || answer.Error.Hint == "" {
		t.Errorf("%+v", answer)
	}
	second.quit(t)
	first.ask("POST", "/api/boards", map[string]string{"title": "Still works"}, nil)
	first.quit(t)
}

func TestB1_DamagedDataIsLeftAlone(t *testing.T) {
	h := newHome(t)
	if err := os.MkdirAll(h.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	path, damaged := filepath.Join(h.data(), "widgets.db"), bytes.Repeat([]byte("damaged "), 8192)
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	p := h.start(t)
	var answer struct {
		Error struct{ Kind, Message, Hint string }
	}
	p.run("return await (await fetch('/api/state')).json()", &answer)
	if answer.Error.Message == "" || answer.Error.Hint == "" {
		t.Errorf("%+v", answer)
	}
	p.reads(answer.Error.Message)
	p.quit(t)
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, damaged) {
		t.Errorf("the file was changed: %v", err)
	}
}

// Ten megabytes go through the window's own way of sending bytes, and the page goes on drawing meanwhile.
func TestALargeFileDoesNotFreezeTheWindow(t *testing.T) {
	p := newHome(t).start(t)
	p.ask("GET", "/api/state", nil, nil)
	var got struct {
		Rows, Kept, Answers int
		Took, Longest       float64
	}
	p.run(`
		const lines = ['day;region;sales'];
		for (let i = 0, n = 16; n < 10_000_000; i++) { const l = '2026-03-04 10:' + String(i % 60).padStart(2, '0') + ';Region ' + i % 9 + ';' + i + ',5'; lines.push(l); n += l.length + 1; }
		const bytes = new TextEncoder().encode(lines.join('\n'));
		const began = performance.now();
		let last = began, longest = 0, answers = 0, done = false;
		const meanwhile = (async () => { while (!done) { await (await fetch('/api/state')).json(); answers++; const now = performance.now(); longest = Math.max(longest, now - last); last = now; } })();
		const r = await fetch('/api/files?name=large.csv', { method: 'POST', body: bytes });
		const preview = await r.json();
		done = true;
		const took = performance.now() - began;
		await meanwhile;
		return { rows: preview.totalRows, kept: preview.keptRows, took, longest, answers };
	`, &got)
	t.Logf("10 MB in %.0f ms, longest wait of another call meanwhile %.0f ms, %d calls", got.Took, got.Longest, got.Answers)
	if got.Rows < 200_000 || got.Kept != 20_000 || got.Answers < 2 || got.Longest > 2_000 {
		t.Errorf("%+v", got)
	}
	p.quit(t)
}

func TestB2_ThePolicyHoldsInTheWindow(t *testing.T) {
	p := newHome(t).start(t)
	var ran bool
	p.run(`
		const blocked = new Promise((r) => addEventListener('securitypolicyviolation', r, { once: true }));
		document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.hostile = true"><p style="color: red" id="styled">x</p>');
		const s = document.createElement('script'); s.textContent = 'window.hostile = true'; document.body.append(s);
		await blocked;
		const r = await fetch('https://example.org/').then(() => true, () => false);
		return Boolean(window.hostile) || r || document.getElementById('styled').style.length > 0;
	`, &ran)
	if ran {
		t.Error("markup ran, or reached out")
	}
	p.quit(t)
}

// The program starts whatever the language of the system is called.
func TestTheWindowInEveryLocale(t *testing.T) {
	for _, lang := range []string{"C", "C.UTF-8", "de_DE.UTF-8"} {
		t.Run(lang, func(t *testing.T) {
			p := newHome(t, "LANG="+lang, "LC_ALL="+lang).start(t)
			p.until("document.querySelectorAll('section.w svg').length > 3")
			painted(p.page, "locale-"+lang)
			p.quit(t)
			if strings.Contains(p.output.String(), "panic") {
				t.Errorf("%s", p.output)
			}
		})
	}
}

// painted checks that the window is really painted: of its own size, with the many colours of text and charts, and not
// all background. The picture is kept among the test results.
func painted(p page, name string) {
	p.t.Helper()
	size, colours, covered := p.look(name)
	p.t.Logf("%s: %v, %d colours, %.0f %% not background", name, size, colours, 100*covered)
	if size.X < leastWidth || size.Y < leastHeight || colours < 200 || covered < 0.1 {
		p.t.Errorf("the window looks empty: %v, %d colours, %.1f %% not background", size, colours, 100*covered)
	}
}

const leastWidth, leastHeight = 760, 520
