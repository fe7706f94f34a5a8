package preview

import (
	"image/color"
	"slices"
	"strconv"
	"strings"

	"widgets.pro/shared/board"
)

// state is what the word or number of a status means.
type state int

const (
	unknown state = iota
	ok
	warn
	down
)

// words for states, as in the front end's lib/draw.
const (
	okWords   = " ok okay up online healthy green good pass passed passing success successful succeeded operational running active available normal ready done complete completed connected enabled live yes true on fine "
	warnWords = " warn warning degraded slow yellow amber orange partial limited pending maintenance unstable delayed attention busy paused retrying medium caution flaky "
	downWords = " down offline error errors fail failed failing failure critical red bad outage unavailable unreachable stopped dead broken disconnected disabled crashed timeout no false off high blocked "
)

func stateOf(cell any) state {
	switch v := cell.(type) {
	case bool:
		if v {
			return ok
		}
		return down
	case float64:
		switch {
		case v == 1 || (v >= 200 && v < 400):
			return ok
		case v == 0 || (v >= 400 && v < 600):
			return down
		}
	case string:
		text := strings.ToLower(strings.TrimSpace(v))
		if n, err := strconv.ParseUint(text, 10, 10); err == nil && len(text) <= 3 {
			return stateOf(float64(n))
		}
		if s := stateOfWord(text); s != unknown {
			return s
		}
		first := strings.IndexFunc(text, isLetter)
		if first < 0 {
			return unknown
		}
		text = text[first:]
		if end := strings.IndexFunc(text, func(r rune) bool { return !isLetter(r) }); end >= 0 {
			text = text[:end]
		}
		return stateOfWord(text)
	}
	return unknown
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }

func stateOfWord(w string) state {
	if w == "" || strings.ContainsAny(w, " ") {
		return unknown
	}
	w = " " + w + " "
	switch {
	case strings.Contains(okWords, w):
		return ok
	case strings.Contains(warnWords, w):
		return warn
	case strings.Contains(downWords, w):
		return down
	}
	return unknown
}

// entry is one line of a list of states.
type entry struct {
	label, word, detail string
	state               state
}

// items are things and their states. Where a label comes more than once its last row counts.
func (t table) items() ([]entry, error) {
	label, state, detail, err := t.statusColumns()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var out []entry
	for i := range t.rows {
		e := entry{state: stateOf(t.cell(i, state)), word: clip(t.write(state, []int{i})[0], 40)}
		if label.index >= 0 {
			e.label = t.write(label, []int{i})[0]
		} else {
			e.label = "Row " + figure{decimals: 0}.write(float64(i+1))
		}
		if detail.index >= 0 {
			e.detail = t.write(detail, []int{i})[0]
		}
		if k, is := at[e.label]; is {
			out[k] = e
			continue
		}
		at[e.label] = len(out)
		out = append(out, e)
	}
	return out, nil
}

// statusColumns are the columns of a list of states; an index of -1 is none.
func (t table) statusColumns() (label, state, detail column, err error) {
	taken := map[int]bool{}
	pick := func(option string) column {
		c, ok, e := t.chosen(option)
		if e != nil {
			err = e
		}
		if !ok {
			return column{index: -1}
		}
		taken[c.index] = true
		return c
	}
	label, state, detail = pick("label"), pick("state"), pick("detail")
	if err != nil {
		return label, state, detail, err
	}
	free := slices.DeleteFunc(t.columns(), func(c column) bool { return taken[c.index] })
	find := func(fits func(column) bool) (column, bool) {
		i := slices.IndexFunc(free, fits)
		if i < 0 {
			return column{index: -1}, false
		}
		c := free[i]
		free = slices.Delete(free, i, i+1)
		return c, true
	}
	found := state.index >= 0
	for _, fits := range []func(column) bool{
		func(c column) bool {
			return slices.Contains([]string{"state", "status", "health", "result"}, strings.ToLower(c.name))
		},
		t.tellsStates,
		func(c column) bool { return len(free) > 1 && c.index == free[1].index },
		func(column) bool { return true },
	} {
		if !found {
			state, found = find(fits)
		}
	}
	if !found {
		return label, state, detail, errUnfit
	}
	if label.index < 0 {
		var text bool
		if label, text = find(func(c column) bool { return c.kind == board.TypeText }); !text {
			label, _ = find(func(column) bool { return true })
		}
	}
	if detail.index < 0 {
		detail, _ = find(func(column) bool { return true })
	}
	return label, state, detail, nil
}

// tellsStates reports whether most cells of a column are words for states.
func (t table) tellsStates(c column) bool {
	n, some := 0, min(50, len(t.rows))
	for i := range some {
		if stateOf(t.cell(i, c)) != unknown {
			n++
		}
	}
	return n*2 > some
}

func count(items []entry) string {
	n := map[state]int{}
	for _, e := range items {
		n[e.state]++
	}
	say := func(n int) string { return figure{decimals: 0}.write(float64(n)) }
	if n[ok] == len(items) {
		return "all " + say(len(items)) + " OK"
	}
	var parts []string
	for _, s := range []struct {
		state state
		name  string
	}{{down, " down"}, {warn, " warning"}, {unknown, " unknown"}} {
		if n[s.state] > 0 && len(parts) < 2 {
			parts = append(parts, say(n[s.state])+s.name)
		}
	}
	return strings.Join(parts, ", ")
}

func (d *drawing) status(items []entry, r rect) {
	pitch := min(40.0, max(31, (r.h+8)/float64(max(1, len(items)))))
	y := r.y
	for i, e := range items {
		if y+20 > r.bottom()+padY {
			return
		}
		if i > 0 {
			d.canvas.hair(r.x, y, r.w, d.palette.soft)
		}
		d.statusRow(e, rect{r.x, y, r.w, pitch})
		y += pitch
	}
}

func (d *drawing) statusRow(e entry, r rect) {
	col, ground := d.palette.text3, d.palette.sunken
	switch e.state {
	case ok:
		col, ground = d.palette.ok, d.palette.okSoft
	case warn:
		col, ground = d.palette.warn, d.palette.warnSoft
	case down:
		col, ground = d.palette.down, d.palette.downSoft
	case unknown:
	}
	mid := r.y + r.h/2
	d.sign(e.state, point{r.x + 9, mid}, col)
	word := e.word
	if word == "" {
		word = "unknown"
	}
	s := style{medium, small}
	w := min(d.text.width(word, s), r.w*0.4)
	pill := rect{r.right() - w - 20, mid - 12, w + 20, 24}
	d.canvas.fill(roundRect(pill, 12), ground)
	d.text.draw(word, s, col, pill.x+10, mid+5, w, left)
	x := r.x + 28
	name := style{medium, normal}
	room := pill.x - x - 12
	label := e.label
	if label == "" {
		label = "–"
	}
	nameW := min(d.text.width(label, name), room)
	d.text.draw(label, name, d.palette.text, x, mid+5.5, nameW, left)
	if rest := room - nameW - 10; rest > 36 {
		d.text.draw(e.detail, style{regular, normal - 1}, d.palette.text3, x+nameW+10, mid+5.5, rest, left)
	}
}

// sign draws a state's own shape, so that colour is not needed to tell it.
func (d *drawing) sign(s state, at point, col color.NRGBA) {
	in := d.palette.card
	p := func(x, y float64) point { return point{at.x + x, at.y + y} }
	switch s {
	case ok:
		d.canvas.fill(circle(at, 8.5), col)
		d.canvas.stroke([]point{p(-3.6, 0.3), p(-1, 2.8), p(3.6, -2.2)}, 1.9, in)
	case warn:
		d.canvas.fill(shape{{p(0, -8.4), p(8.8, 7.4), p(-8.8, 7.4)}}, col)
		d.canvas.stroke([]point{p(0, -2.6), p(0, 2)}, 1.9, in)
		d.canvas.fill(circle(p(0, 4.9), 1.1), in)
	case down:
		d.canvas.fill(roundRect(rect{at.x - 8, at.y - 8, 16, 16}, 3.6), col)
		d.canvas.stroke([]point{p(-3, -3), p(3, 3)}, 1.9, in)
		d.canvas.stroke([]point{p(3, -3), p(-3, 3)}, 1.9, in)
	case unknown:
		d.canvas.fill(circle(at, 8), col)
		d.canvas.fill(circle(at, 6.2), in)
		d.canvas.stroke([]point{p(-3, 0), p(3, 0)}, 1.8, col)
	}
}
