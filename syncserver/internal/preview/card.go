package preview

import (
	"errors"
	"image/color"
	"math"
	"slices"
	"strings"

	"widgets.pro/shared/board"
)

// Type and spacing inside cards, in pixels.
const (
	padX   = 17.0
	padY   = 14.0
	radius = 12.0
	small  = 14.0 // axes, legends, remarks
	normal = 16.0 // titles, rows
	rowGap = 33.0 // from one row of a table to the next
)

// card draws one widget.
func (d *drawing) card(w board.Widget, r rect) {
	r = rect{math.Round(r.x), math.Round(r.y), math.Round(r.w), math.Round(r.h)}
	d.canvas.fill(roundRect(r, radius), d.palette.line)
	d.canvas.fill(roundRect(r.inset(1, 1), radius-1), d.palette.card)
	d.canvas.within(r.inset(1, 1), func() {
		inside := r.inset(padX, padY)
		t := read(&w)
		head, body, err := d.inside(t, inside)
		inside = d.head(clip(w.Title, 200), head, inside)
		if err == nil {
			err = body(inside)
		}
		if errors.Is(err, errUnfit) {
			d.nothing(inside)
		}
	})
}

// inside prepares what a widget shows: a few words beside its title, and what draws the rest.
func (d *drawing) inside(t table, r rect) (head string, body func(rect) error, err error) {
	if t.w.Kind != board.KindMarkdown && len(t.rows) == 0 {
		return "", nil, errUnfit
	}
	switch t.w.Kind {
	case board.KindStat:
		return "", func(r rect) error { return d.stat(t, r) }, nil
	case board.KindLine:
		l, err := t.lines()
		if err != nil {
			return "", nil, err
		}
		return l.head(), func(r rect) error { d.lineChart(l, r); return nil }, nil
	case board.KindBar:
		b, err := t.bars(r.w)
		if err != nil {
			return "", nil, err
		}
		return "", func(r rect) error { d.barChart(b, r); return nil }, nil
	case board.KindTable:
		return "", func(r rect) error { return d.table(t, r) }, nil
	case board.KindMarkdown:
		return "", func(r rect) error { return d.markdown(t, r) }, nil
	case board.KindStatus:
		items, err := t.items()
		if err != nil {
			return "", nil, err
		}
		return count(items), func(r rect) error { d.status(items, r); return nil }, nil
	}
	return "", nil, errUnfit
}

// head draws the card's heading and returns what is left below it.
func (d *drawing) head(title, value string, r rect) rect {
	if strings.TrimSpace(title) == "" && value == "" {
		return r
	}
	room := r.w
	if value != "" {
		s := style{weight: medium, size: normal}
		w := min(d.text.width(value, s), r.w*0.6)
		d.text.draw(value, s, d.palette.text, r.right(), r.y+15, w, right)
		room -= w + 12
	}
	d.text.draw(title, style{weight: medium, size: normal}, d.palette.text2, r.x, r.y+15, room, left)
	return rect{r.x, r.y + 30, r.w, max(0, r.h-30)}
}

// nothing stands for a widget of which nothing can be shown.
func (d *drawing) nothing(r rect) {
	for i, part := range []float64{0.46, 0.3} {
		w := r.w * part
		y := r.y + r.h/2 - 12 + float64(i)*18
		if y > r.y-6 && y+8 < r.bottom()+6 {
			d.canvas.fill(roundRect(rect{r.x + (r.w-w)/2, y, w, 8}, 4), d.palette.soft)
		}
	}
}

func (d *drawing) stat(t table, r rect) error {
	c, hasColumn, err := t.chosen("value")
	if err != nil {
		return err
	}
	if !hasColumn {
		for _, o := range t.columns() {
			if o.kind == board.TypeNumber && !hasColumn {
				c, hasColumn = o, true
			}
		}
	}
	how := t.text("aggregate")
	if !hasColumn && how != "count" {
		return errUnfit
	}
	var all []float64
	if hasColumn {
		all = t.values(c)
	}
	present := slices.DeleteFunc(slices.Clone(all), math.IsNaN)
	value := float64(len(present))
	if how == "count" && !hasColumn {
		value = float64(len(t.rows))
	} else if how != "count" {
		if len(present) == 0 {
			return errUnfit
		}
		value = combine(present, how)
	}
	f := t.figure()
	trend := t.flag("trend", true)
	course := trend && how != "count" && len(present) > 1
	remark, tone := "", d.palette.text3
	last := how == "" || how == "last"
	if last && trend {
		remark, tone = d.delta(t, present, f)
	}
	sign, before, digits, after := f.short(1e7, value).parts(value)
	if f.decimals >= 0 {
		sign, before, digits, after = f.parts(value)
	}
	tall := r.h > 120 && course
	size := 40.0
	if tall {
		size = 48
	}
	room := r.w
	if course && !tall {
		room = max(r.w*0.62, r.w-150)
	}
	width := func(size float64) float64 {
		return d.text.width(sign+digits, style{medium, size}) + d.text.width(before+after, style{regular, size * 0.6}) + size*0.08
	}
	for size > 22 && width(size) > room {
		size -= 2
	}
	under := 0.0
	if remark != "" && r.h > size+22 {
		under = 24
	}
	base := r.bottom() - under - 3
	if tall {
		base = r.y + size*0.82
	}
	x := r.x
	put := func(s string, st style, col color.NRGBA) {
		if s == "" {
			return
		}
		d.text.draw(s, st, col, x, base, r.right()-x, left)
		x += d.text.width(s, st)
	}
	put(sign, style{medium, size}, d.palette.text)
	put(before, style{regular, size * 0.6}, d.palette.text2)
	if before != "" {
		x += size * 0.06
	}
	put(digits, style{medium, size}, d.palette.text)
	put(after, style{regular, size * 0.6}, d.palette.text2)
	if under > 0 {
		y := r.bottom() - 2
		if tall {
			y = base + 26
		}
		d.text.draw(remark, style{medium, small}, tone, r.x, y, r.w, left)
	} else if w := d.text.width(remark, style{medium, small}); w+16+d.text.width(clip(t.w.Title, 200), style{medium, normal}) < r.w {
		d.text.draw(remark, style{medium, small}, tone, r.right(), r.y-15, w+1, right) // beside the title
	}
	if !course {
		return nil
	}
	area := rect{x + 18, base - size*0.74, r.right() - x - 22, size * 0.7}
	if tall {
		from := base + 12 + under
		area = rect{r.x, from, r.w - 4, r.bottom() - from - 4}
	} else if area.w > 130 {
		area = rect{r.right() - 134, area.y, 130, area.h}
	}
	if area.w >= 40 && area.h >= 12 {
		d.sparkline(all, area)
	}
	return nil
}

func combine(present []float64, how string) float64 {
	out := present[len(present)-1]
	switch how {
	case "first":
		return present[0]
	case "sum", "mean":
		out = 0
		for _, v := range present {
			if how == "mean" {
				v /= float64(len(present))
			}
			out += v
		}
		return out
	case "min":
		return slices.Min(present)
	case "max":
		return slices.Max(present)
	}
	return out
}

// delta is the change against the value before the last, in words, and the colour that judges it.
func (d *drawing) delta(t table, present []float64, f figure) (string, color.NRGBA) {
	n := len(present)
	if n < 2 {
		return "", color.NRGBA{}
	}
	now, before := present[n-1], present[n-2]
	if now == before {
		return "no change", d.palette.text3
	}
	amount := f.short(0, now).write(math.Abs(now - before))
	if share := math.Abs((now - before) / before); before != 0 && share < 10 {
		decimals := 1
		if share >= 0.9995 {
			decimals = 0
		}
		amount = figure{decimals: decimals, unit: "%"}.write(share * 100)
		if share < 0.0005 {
			amount = "<0.1%"
		}
	}
	up := now > before
	arrow := "↑ "
	if !up {
		arrow = "↓ "
	}
	switch better := t.text("better"); {
	case better != "up" && better != "down":
		return arrow + amount, d.palette.text2
	case (better == "up") == up:
		return arrow + amount, d.palette.ok
	}
	return arrow + amount, d.palette.down
}

func (d *drawing) sparkline(all []float64, r rect) {
	keep := thin(all, 60)
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, i := range keep {
		if v := all[i]; !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	s := scale{lo: lo, hi: hi}
	var points []point
	for k, i := range keep {
		y := r.y + r.h/2
		switch v := all[i]; {
		case math.IsNaN(v):
			continue
		case hi > lo:
			y = r.bottom() - s.part(v)*r.h
		}
		points = append(points, point{r.x + float64(k)/float64(max(1, len(keep)-1))*r.w, y})
	}
	col := d.palette.series[0]
	d.canvas.fade(shape{append(slices.Clone(points), point{points[len(points)-1].x, r.bottom()}, point{points[0].x, r.bottom()})}, col, r.y, r.bottom(), 0.24, 0.02)
	d.canvas.stroke(points, 2.2, col)
	d.canvas.fill(circle(points[len(points)-1], 4), col)
}

func (d *drawing) table(t table, r rect) error {
	columns, err := t.chosenAll("columns")
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		columns = t.columns()
	}
	if len(columns) == 0 {
		return errUnfit
	}
	const most = 24 // rows that could ever be seen
	limit, ok := t.number("limit", 1, 1000)
	if !ok {
		limit = 100
	}
	newest := t.flag("newestFirst", len(t.rows) > limit && t.grows())
	var rows []int
	for i := range min(most, limit, len(t.rows)) {
		if newest {
			i = len(t.rows) - 1 - i
		}
		rows = append(rows, i)
	}
	cells := make([][]string, len(columns))
	for i, c := range columns {
		cells[i] = t.write(c, rows)
	}
	widths := d.widths(columns, cells, r.w)
	d.canvas.hair(r.x-padX, r.y, r.w+2*padX, d.palette.soft)
	y := r.y + 22
	heading := style{medium, small}
	for i := -1; i < len(rows) && y-16 < r.bottom()+padY; i++ {
		x := r.x
		for k, c := range columns[:len(widths)] {
			text, st, col := clip(c.name, 60), heading, d.palette.text3
			if i >= 0 {
				text, st, col = cells[k][i], style{regular, normal}, d.palette.text
				if c.kind == board.TypeTime {
					col = d.palette.text2
				}
			}
			if c.kind == board.TypeNumber {
				d.text.draw(text, st, col, x+widths[k], y, widths[k], right)
			} else {
				d.text.draw(text, st, col, x, y, widths[k], left)
			}
			x += widths[k] + columnGap
		}
		d.canvas.hair(r.x-padX, y+11, r.w+2*padX, d.palette.soft)
		y += rowGap
	}
	return nil
}

const columnGap = 22.0

// widths shares the width of a table among its columns; those for which there is no room are left out.
func (d *drawing) widths(columns []column, cells [][]string, room float64) []float64 {
	var out []float64
	used := 0.0
	for i, c := range columns {
		w := d.text.width(clip(c.name, 60), style{medium, small})
		for _, s := range cells[i] {
			w = max(w, d.text.width(s, style{regular, normal}))
		}
		w = min(math.Ceil(w), 300)
		if left := room - used; w > left {
			if left < 56 && i > 0 {
				break
			}
			w = left
		}
		out = append(out, w)
		used += w + columnGap
		if used >= room {
			break
		}
	}
	if spare := room - used + columnGap; spare > 0 {
		for i := range out {
			out[i] += spare / float64(len(out))
		}
	}
	return out
}

// write is what stands in a column's cells: all numbers with the same digits after the point, all times as precisely.
func (t table) write(c column, rows []int) []string {
	values := make([]float64, len(rows))
	for i, row := range rows {
		if c.kind == board.TypeTime {
			values[i] = timeOf(t.cell(row, c))
		} else {
			values[i] = numberOf(t.cell(row, c))
		}
	}
	layout := precision(values)
	some := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.Abs(v) >= 1e9 })
	f := figure{decimals: decimalsOf(some, 3)}
	out := make([]string, len(rows))
	for i, row := range rows {
		cell := t.cell(row, c)
		_, isBool := cell.(bool)
		switch {
		case c.kind == board.TypeText || math.IsNaN(values[i]) || isBool:
			out[i] = plainCell(cell)
		case c.kind == board.TypeTime:
			out[i] = writeTime(values[i], layout)
		default:
			out[i] = f.write(values[i])
		}
	}
	return out
}

// grows reports whether the rows are a log: their first time only grows.
func (t table) grows() bool {
	for _, c := range t.columns() {
		if c.kind != board.TypeTime {
			continue
		}
		last := math.Inf(-1)
		for _, v := range t.values(c) {
			if math.IsNaN(v) || v < last {
				return false
			}
			last = v
		}
		return true
	}
	return false
}

func (d *drawing) markdown(t table, r rect) error {
	list := blocks(t.text("text"), 14)
	if len(list) == 0 {
		return errUnfit
	}
	y := r.y
	for i, b := range list {
		s, step, x, col := style{regular, normal + 1}, 25.0, r.x, d.palette.text
		switch b.kind {
		case heading:
			s, step = style{medium, normal + 4}, 28
		case item:
			x += 22
			d.canvas.fill(circle(point{r.x + 9, y + 12}, 2.6), d.palette.text3)
		case paragraph:
		}
		if i > 0 && b.kind != item {
			y += 6
		}
		lines := max(1, int((r.bottom()+padY-y)/step))
		for _, l := range d.text.wrap(clip(b.text, 600), s, r.right()-x, min(lines, 10)) {
			d.text.draw(l, s, col, x, y+18, r.right()-x, left)
			y += step
		}
		if y > r.bottom() {
			return nil
		}
	}
	return nil
}
