//go:build window

package windowtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// page is what the window shows.
type page struct {
	t  *testing.T
	in *inspector
}

// find is put into the page: it looks things up as people do, by role and name, among what can be seen.
const find = `
const roles = {
  button: 'button, [role=button], summary', link: 'a[href], [role=link]', textbox: 'input:not([type]), input[type=text], input[type=search], textarea, [role=textbox], [contenteditable=true]',
  combobox: 'select, [role=combobox]', heading: 'h1, h2, h3, h4, [role=heading]', dialog: 'dialog[open], [role=dialog]', menuitem: '[role=menuitem], [role=menuitemradio]', any: '*',
};
const nameOf = (e) => (e.getAttribute('aria-label') ?? (e.getAttribute('aria-labelledby') ?? '').split(/\s+/).map((i) => document.getElementById(i)?.textContent ?? '').join(' ').trim())
  || [...(e.labels ?? [])].map((l) => l.textContent).join(' ') || e.textContent || e.placeholder || e.title || '';
const seen = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden'; };
const clean = (s) => s.replace(/\s+/g, ' ').trim();
const all = (role, name) => [...document.querySelectorAll(roles[role] ?? '[role=' + role + ']')]
  .filter((e) => seen(e) && (clean(nameOf(e)) === name || e.value === name && role !== 'button'));
const one = (role, name) => all(role, name)[0];
const text = () => document.body?.innerText ?? '';
`

// js wraps a body that may use the helpers above into an expression.
func js(body string) string { return "(async () => {" + find + body + "})()" }

// quote is s as a JavaScript string.
func quote(s string) string {
	b, _ := json.Marshal(s) // strings always encode
	return string(b)
}

// run evaluates a body in the page and decodes what it returns.
func (p page) run(body string, out any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := p.in.eval(ctx, js(body), out); err != nil {
		p.t.Fatalf("%v\nin %s\n%s", err, body, p.describe())
	}
}

// until waits in the page until an expression is true.
func (p page) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	body := fmt.Sprintf(`
		const end = performance.now() + %d;
		for (;;) {
			let ok = false;
			try { ok = await (%s); } catch {}
			if (ok) return true;
			if (performance.now() > end) return false;
			await new Promise((r) => setTimeout(r, 15));
		}`, (patience * 3 / 4).Milliseconds(), expression)
	var ok bool
	if err := p.in.eval(ctx, js(body), &ok); err != nil || !ok {
		p.t.Fatalf("never true: %s (%v)\n%s", expression, err, p.describe())
	}
}

// loaded waits until the window has left its empty first page, and with it every promise that was made there.
func (p page) loaded(ctx context.Context) {
	p.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var there bool
		err := p.in.eval(ctx, "location.protocol === 'wails:' && document.readyState === 'complete'", &there)
		if err == nil && there {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			p.t.Fatalf("the page does not load: %v", err)
		}
	}
}

// describe keeps a picture of a window that disappoints, and says what can be read in it.
func (p page) describe() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), patience)
	defer cancel()
	var shown string
	err := p.in.eval(ctx, "location.href + ' ' + innerWidth + 'x' + innerHeight + '\\n' + document.body.innerText.slice(0, 1500)", &shown)
	if b, _, err := p.picture(ctx); err == nil {
		save(b, "failed-"+strings.ReplaceAll(p.t.Name(), "/", "-"))
	}
	return fmt.Sprintf("the window shows: %s %v", shown, err)
}

// reads waits until the page shows a text.
func (p page) reads(s string) {
	p.t.Helper()
	p.until("text().includes(" + quote(s) + ")")
}

// click presses the thing with a role and a name, where the pointer would meet it: a thing that is covered cannot be
// clicked.
func (p page) click(role, name string) {
	p.t.Helper()
	p.until(fmt.Sprintf("one(%q, %s)", role, quote(name)))
	p.run(fmt.Sprintf("const e = one(%q, %s);", role, quote(name))+press, nil)
}

const press = `
	e.scrollIntoView({ block: 'nearest' });
	const r = e.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;
	const hit = document.elementFromPoint(x, y);
	if (!hit || !(e.contains(hit) || hit.contains(e) || hit.control === e)) throw new Error('covered by ' + (hit?.outerHTML ?? 'nothing').slice(0, 200));
	const at = { bubbles: true, cancelable: true, composed: true, clientX: x, clientY: y, button: 0, pointerId: 1, isPrimary: true, pointerType: 'mouse', view: window };
	hit.dispatchEvent(new PointerEvent('pointerdown', { ...at, buttons: 1 }));
	if (hit.dispatchEvent(new MouseEvent('mousedown', { ...at, buttons: 1, detail: 1 }))) (e.closest('button, a, input, textarea, select, [tabindex]') ?? document.activeElement).focus?.();
	hit.dispatchEvent(new PointerEvent('pointerup', at));
	hit.dispatchEvent(new MouseEvent('mouseup', { ...at, detail: 1 }));
	hit.dispatchEvent(new MouseEvent('click', { ...at, detail: 1 }));
`

// typeInto replaces the text of what has the focus, letter by letter as an editor sees it, and leaves it.
func (p page) typeInto(body, text string) {
	p.t.Helper()
	p.run(body+`
		e.focus();
		e.select?.();
		if (e.isContentEditable) getSelection().selectAllChildren(e);
		for (const c of `+quote(text)+`) document.execCommand('insertText', false, c);
		const key = { key: 'Enter', code: 'Enter', keyCode: 13, bubbles: true, cancelable: true };
		if (e.dispatchEvent(new KeyboardEvent('keydown', key))) e.form?.requestSubmit();
		e.dispatchEvent(new KeyboardEvent('keyup', key));
		e.blur();
	`, nil)
}

// picture is the window as it was painted.
func (p page) picture(ctx context.Context) ([]byte, image.Image, error) {
	var size [2]int
	if err := p.in.eval(ctx, "[innerWidth, innerHeight]", &size); err != nil {
		return nil, nil, err
	}
	var shot struct{ DataURL string }
	err := p.in.call(ctx, "Page.snapshotRect", map[string]any{"x": 0, "y": 0, "width": size[0], "height": size[1], "coordinateSystem": "Viewport"}, &shot)
	if err != nil {
		return nil, nil, err
	}
	_, encoded, _ := strings.Cut(shot.DataURL, ",")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, nil, err
	}
	m, err := png.Decode(bytes.NewReader(raw))
	return raw, m, err
}

// save keeps a picture among the test results.
func save(b []byte, name string) {
	if os.MkdirAll(results, 0o755) == nil {
		_ = os.WriteFile(filepath.Join(results, "window-"+name+".png"), b, 0o644)
	}
}

// look takes and keeps a picture and measures it: the number of different colours, and how much of it is not of the most
// frequent one.
func (p page) look(name string) (size image.Point, colours int, covered float64) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	raw, m, err := p.picture(ctx)
	if err != nil {
		p.t.Fatalf("picture: %v", err)
	}
	save(raw, name)
	count := map[[3]uint32]int{}
	most := 0
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := m.At(x, y).RGBA()
			k := [3]uint32{r >> 8, g >> 8, bl >> 8}
			count[k]++
			most = max(most, count[k])
		}
	}
	return b.Size(), len(count), 1 - float64(most)/float64(b.Dx()*b.Dy())
}
