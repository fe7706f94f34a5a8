package preview

import (
	"image/color"
	"math"
	"slices"
	"sort"

	"widgets.pro/shared/board"
)

// series is what one column of a chart draws: values as written, and tops as drawn, which are sums when stacked.
type series struct {
	name         string
	values, tops []float64
}

// lines is a line chart, ready to be drawn.
type lines struct {
	series      []series
	kind        board.ColumnType // of what lies along it; text for the rows in their order
	at          []float64
	names       []string
	scale       scale
	figure      figure
	area, stack bool
	legend      bool
}

// lines reads a line chart.
func (t table) lines() (*lines, error) {
	x, hasX, ys, err := t.axes(board.TypeTime, board.TypeNumber, board.TypeText)
	if err != nil {
		return nil, err
	}
	l := &lines{kind: board.TypeText, figure: t.figure(), stack: t.flag("stack", false)}
	l.area = t.flag("area", l.stack)
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	if hasX && x.kind != board.TypeText {
		l.kind = x.kind
		at := t.values(x)
		order = slices.DeleteFunc(order, func(i int) bool { return math.IsNaN(at[i]) })
		sort.SliceStable(order, func(a, b int) bool { return at[order[a]] < at[order[b]] })
		for _, i := range order {
			l.at = append(l.at, at[i])
		}
	} else {
		for _, i := range order {
			l.at = append(l.at, float64(i))
			if hasX {
				l.names = append(l.names, plainCell(t.cell(i, x)))
			}
		}
	}
	ground := make([]float64, len(order))
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range ys {
		all := t.values(c)
		s := series{name: clip(c.name, 40), values: make([]float64, len(order))}
		for k, i := range order {
			s.values[k] = all[i]
		}
		s.tops = s.values
		if l.stack {
			s.tops = make([]float64, len(order))
			for k, v := range s.values {
				if !math.IsNaN(v) {
					ground[k] = min(huge, max(-huge, ground[k]+v))
				}
				s.tops[k] = ground[k]
			}
		}
		for _, v := range s.tops {
			if !math.IsNaN(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
		l.series = append(l.series, s)
	}
	if lo > hi {
		return nil, errUnfit
	}
	if t.flag("zero", l.stack || l.area || (lo >= 0 && lo < hi*0.4) || (hi <= 0 && hi > lo*0.4)) || l.stack {
		lo, hi = min(0, lo), max(0, hi)
	}
	l.scale = niceScale(lo, hi, 4)
	l.legend = t.flag("legend", len(l.series) > 1)
	return l, nil
}

// head is the latest value, where there is one line and no legend to say it.
func (l *lines) head() string {
	if len(l.series) != 1 || l.legend {
		return ""
	}
	if v := lastOf(l.series[0].values); !math.IsNaN(v) {
		return l.figure.short(1e5, v).write(v)
	}
	return ""
}

// lastOf is the last value that is one.
func lastOf(values []float64) float64 {
	for _, v := range slices.Backward(values) {
		if !math.IsNaN(v) {
			return v
		}
	}
	return math.NaN()
}

func (d *drawing) lineChart(l *lines, r rect) {
	if l.legend {
		names := make([]string, len(l.series))
		latest := make([]string, len(l.series))
		for i, s := range l.series {
			names[i] = s.name
			if v := lastOf(s.values); !math.IsNaN(v) {
				latest[i] = l.figure.short(0, v).write(v)
			}
		}
		r = d.legend(names, latest, r)
	}
	plot := d.axis(l.scale, l.figure, r)
	d.floor(l, plot)
	from, span := 0.0, 0.0
	if n := len(l.at); n > 0 {
		from, span = l.at[0], l.at[n-1]-l.at[0]
	}
	px := func(i int) float64 {
		if span <= 0 {
			return plot.x + plot.w/2
		}
		return plot.x + (l.at[i]-from)/span*plot.w
	}
	py := func(v float64) float64 { return plot.bottom() - l.scale.part(v)*plot.h }
	buckets := max(60, int(plot.w/2))
	keep := thin(l.series[len(l.series)-1].tops, buckets)
	var under []float64
	for i, s := range l.series {
		if !l.stack {
			keep = thin(s.tops, buckets)
		}
		col := d.palette.series[i]
		for _, part := range pieces(s.tops, keep) {
			points := make([]point, len(part))
			for k, at := range part {
				points[k] = point{px(at), py(s.tops[at])}
			}
			if l.area && len(points) > 1 {
				d.area(l, points, part, under, col, plot, px, py)
			}
			d.canvas.stroke(points, 2.2, col)
		}
		under = s.tops
		if n := len(s.tops); !l.stack && n > 0 && !math.IsNaN(s.tops[n-1]) {
			p := point{px(n - 1), py(s.tops[n-1])}
			d.canvas.fill(circle(p, 5.5), d.palette.card)
			d.canvas.fill(circle(p, 4), col)
		}
	}
}

func (d *drawing) area(l *lines, points []point, part []int, under []float64, col color.NRGBA, plot rect, px func(int) float64, py func(float64) float64) {
	outline := slices.Clone(points)
	for _, at := range slices.Backward(part) {
		ground := 0.0
		if l.stack && under != nil {
			ground = under[at]
		}
		outline = append(outline, point{px(at), py(ground)})
	}
	if l.stack {
		col.A = 52
		d.canvas.fill(shape{outline}, col)
		return
	}
	d.canvas.fade(shape{outline}, col, plot.y, plot.bottom(), 0.26, 0.02)
}

// pieces are the stretches of kept indexes between gaps.
func pieces(values []float64, keep []int) (out [][]int) {
	var open []int
	for _, i := range keep {
		if math.IsNaN(values[i]) {
			if open != nil {
				out = append(out, open)
			}
			open = nil
			continue
		}
		open = append(open, i)
	}
	if open != nil {
		out = append(out, open)
	}
	return out
}

// axis draws a scale at the left of r, with its lines, and returns where the chart itself is, with room for names below.
func (d *drawing) axis(s scale, f figure, r rect) rect {
	big := max(math.Abs(s.lo), math.Abs(s.hi)) >= 10_000 || s.decimals > 5
	g := figure{prefix: f.prefix, decimals: s.decimals}
	if big {
		g = figure{prefix: f.prefix, decimals: -1, compact: true}
	}
	if f.unit == "%" {
		g.unit = "%"
	}
	st := style{regular, small}
	w := 0.0
	labels := make([]string, len(s.ticks))
	for i, t := range s.ticks {
		labels[i] = g.write(t)
		w = max(w, d.text.width(labels[i], st))
	}
	w = min(w, r.w*0.3)
	plot := rect{r.x + w + 10, r.y + 7, max(0, r.w-w-10-6), max(0, r.h-7-22)}
	for i := range s.ticks {
		y := plot.bottom() - float64(i)/float64(max(1, len(s.ticks)-1))*plot.h
		col := d.palette.soft
		if s.lo < 0 && math.Abs(s.ticks[i]) < (s.hi-s.lo)*1e-9 {
			col = d.palette.strong
		}
		d.canvas.hair(plot.x, y, plot.w, col)
		if plot.h >= 60 || i == 0 || i == len(s.ticks)-1 {
			d.text.draw(labels[i], st, d.palette.text3, plot.x-10, y+5, w, right)
		}
	}
	return plot
}

// floor writes what lies along a line chart.
func (d *drawing) floor(l *lines, plot rect) {
	n := len(l.at)
	if n == 0 {
		return
	}
	st := style{regular, small}
	from, to := l.at[0], l.at[n-1]
	most := max(2, int(plot.w/110))
	var ticks []tick
	switch {
	case to <= from:
	case l.kind == board.TypeTime:
		ticks = timeTicks(from, to, most)
	case l.kind == board.TypeNumber:
		s := niceScale(from, to, most)
		big := max(math.Abs(s.lo), math.Abs(s.hi)) >= 100_000
		for _, t := range s.ticks {
			if t >= from && t <= to {
				f := figure{decimals: s.decimals}
				if big {
					f = figure{decimals: -1, compact: true}
				}
				ticks = append(ticks, tick{t, f.write(t)})
			}
		}
	default:
		for i := 0; i < n; i += max(1, (n+most-1)/most) {
			name := figure{decimals: 0}.write(float64(i + 1))
			if l.names != nil {
				name = clip(l.names[i], 16)
			}
			ticks = append(ticks, tick{float64(i), name})
		}
	}
	if len(ticks) > 2*most {
		return
	}
	for _, t := range ticks {
		part := (t.at - from) / (to - from)
		x, a := plot.x+part*plot.w, center
		switch {
		case part < 0.04:
			a = left
		case part > 0.96:
			a = right
		}
		d.text.draw(t.label, st, d.palette.text3, x, plot.bottom()+19, 120, a)
	}
}

// legend draws names of series above a chart and returns what is left below.
func (d *drawing) legend(names, latest []string, r rect) rect {
	s, b := style{regular, small}, style{medium, small}
	x := r.x
	for i, name := range names {
		w := d.text.width(name, s)
		lw := 0.0
		if latest != nil && latest[i] != "" {
			lw = d.text.width(latest[i], b) + 6
		}
		if x > r.x && x+17+w+lw > r.right() {
			break
		}
		d.canvas.fill(roundRect(rect{x, r.y, 10, 10}, 3), d.palette.series[i])
		d.text.draw(name, s, d.palette.text2, x+17, r.y+10, r.right()-x-17, left)
		if lw > 0 {
			d.text.draw(latest[i], b, d.palette.text, x+17+w+6, r.y+10, r.right()-x-17-w-6, left)
		}
		x += 17 + w + lw + 20
	}
	return rect{r.x, r.y + 24, r.w, max(0, r.h-24)}
}

// bars is a bar chart, ready to be drawn.
type bars struct {
	names          []string
	series         []series
	lo, hi         float64
	figure         figure
	lying, stack   bool
	legend, single bool
}

// bars reads a bar chart for a card of a width.
func (t table) bars(width float64) (*bars, error) {
	x, hasX, ys, err := t.axes(board.TypeText, board.TypeTime, board.TypeNumber)
	if err != nil {
		return nil, err
	}
	b := &bars{figure: t.figure(), stack: t.flag("stack", false), single: len(ys) == 1}
	n := len(t.rows)
	timed := hasX && x.kind == board.TypeTime
	all := t.barNames(x, hasX)
	room := width / 9 / float64(max(1, n))
	crowded := n > 24 || slices.ContainsFunc(all, func(s string) bool { return float64(len(s)) > max(3, room) })
	b.lying = t.flag("horizontal", !timed && crowded)
	most := 80
	if b.lying {
		most = 100
	}
	from := 0
	if timed && n > most {
		from = n - most
	}
	to := min(n, from+most)
	b.names = all[from:to]
	up, down := make([]float64, to-from), make([]float64, to-from)
	b.lo, b.hi = math.Inf(1), math.Inf(-1)
	for _, c := range ys {
		s := series{name: clip(c.name, 40), values: t.values(c)[from:to]}
		for i, v := range s.values {
			if math.IsNaN(v) {
				continue
			}
			if b.stack && v >= 0 {
				up[i] = min(huge, up[i]+v)
				v = up[i]
			} else if b.stack {
				down[i] = max(-huge, down[i]+v)
				v = down[i]
			}
			b.lo, b.hi = min(b.lo, v), max(b.hi, v)
		}
		b.series = append(b.series, s)
	}
	if b.lo > b.hi {
		return nil, errUnfit
	}
	b.lo, b.hi = min(0, b.lo), max(0, b.hi)
	b.legend = t.flag("legend", len(ys) > 1)
	return b, nil
}

func (t table) barNames(x column, hasX bool) []string {
	out := make([]string, len(t.rows))
	layout := "2 Jan"
	if hasX && x.kind == board.TypeTime {
		if p := precision(t.values(x)); p != "2 Jan 2006" {
			layout = p[len("2 Jan 2006, "):]
		}
	}
	for i := range out {
		switch {
		case !hasX:
			out[i] = figure{decimals: 0}.write(float64(i + 1))
		case x.kind == board.TypeTime:
			out[i] = writeTime(timeOf(t.cell(i, x)), layout)
		default:
			out[i] = plainCell(t.cell(i, x))
			if v, is := t.cell(i, x).(float64); is && v >= 1000 && v < 10_000 {
				out[i] = figure{decimals: 0}.write(v)[:1] + figure{decimals: 0}.write(v)[2:] // a year has no comma
			}
		}
	}
	return out
}

// marks are the bars of one name: from where to where, as values.
func (b *bars) marks(i int) (out []mark) {
	up, down := 0.0, 0.0
	for k, s := range b.series {
		v := s.values[i]
		if math.IsNaN(v) {
			continue
		}
		m := mark{series: k, to: v}
		if b.stack && v >= 0 {
			m.from, m.to = up, up+v
			up += v
		} else if b.stack {
			m.from, m.to = down, down+v
			down += v
		}
		out = append(out, m)
	}
	return out
}

type mark struct {
	series   int
	from, to float64
}

func (d *drawing) barChart(b *bars, r rect) {
	if b.legend {
		names := make([]string, len(b.series))
		for i, s := range b.series {
			names[i] = s.name
		}
		r = d.legend(names, nil, r)
	}
	if b.lying {
		d.lyingBars(b, r)
		return
	}
	d.uprightBars(b, r)
}

func (d *drawing) uprightBars(b *bars, r rect) {
	n := len(b.names)
	s := niceScale(b.lo, b.hi, 4)
	labelled := b.single && float64(n)*52 < r.w
	if labelled {
		r = rect{r.x, r.y + 12, r.w, max(0, r.h-12)}
	}
	plot := d.axis(s, b.figure, r)
	slot := plot.w / float64(max(1, n))
	room := 0.68
	if n > 40 {
		room = 0.84
	}
	lanes := 1
	if !b.stack {
		lanes = len(b.series)
	}
	width := slot * room / float64(lanes)
	py := func(v float64) float64 { return plot.bottom() - s.part(v)*plot.h }
	every := max(1, int(math.Ceil(float64(n)*64/max(1, plot.w))))
	for i, name := range b.names {
		for _, m := range b.marks(i) {
			lane := 0
			if !b.stack {
				lane = m.series
			}
			x := plot.x + slot*(float64(i)+(1-room)/2) + float64(lane)*width
			gap := 0.0
			if lanes > 1 {
				gap = min(3, width*0.1)
			}
			top, foot := min(py(m.from), py(m.to)), max(py(m.from), py(m.to))
			d.canvas.fill(roundRect(rect{x + gap/2, top, width - gap, foot - top}, 2.5), d.palette.series[m.series])
			if labelled {
				text := b.figure.short(0, m.to).write(m.to)
				y := top - 6
				if m.to < 0 {
					y = foot + 15
				}
				d.text.draw(text, style{medium, small - 1}, d.palette.text2, x+width/2, y, slot, center)
			}
		}
		if i%every == 0 {
			d.text.draw(name, style{regular, small}, d.palette.text3, plot.x+slot*(float64(i)+0.5), plot.bottom()+19, slot*float64(every)-6, center)
		}
	}
}

func (d *drawing) lyingBars(b *bars, r rect) {
	n := len(b.names)
	pitch := min(46.0, max(27, r.h/float64(max(1, n))))
	st, value := style{regular, normal}, style{medium, normal}
	shown := min(n, int(math.Ceil((r.h+padY)/pitch)))
	nameW, valueW := 0.0, 0.0
	texts := make([]string, shown)
	for i := range shown {
		nameW = max(nameW, d.text.width(clip(b.names[i], 60), st))
		sum, some := 0.0, false
		for _, m := range b.marks(i) {
			sum, some = sum+m.to-m.from, true
		}
		texts[i] = "–"
		if some && (b.stack || b.single) {
			texts[i] = b.figure.short(0, sum).write(sum)
		} else if some {
			texts[i] = ""
		}
		valueW = max(valueW, d.text.width(texts[i], value))
	}
	nameW = min(nameW, r.w*0.4)
	track := rect{r.x + nameW + 12, 0, max(0, r.w-nameW-12-valueW-12), 0}
	lanes := 1
	if !b.stack {
		lanes = len(b.series)
	}
	s := scale{lo: b.lo, hi: b.hi}
	if s.hi <= s.lo {
		s.hi = s.lo + 1
	}
	for i := range shown {
		mid := r.y + (float64(i)+0.5)*pitch
		d.text.draw(clip(b.names[i], 60), st, d.palette.text2, r.x, mid+5.5, nameW, left)
		d.text.draw(texts[i], value, d.palette.text, r.right(), mid+5.5, valueW+1, right)
		thick := min(pitch-8, 14*float64(min(lanes, 2)))
		for _, m := range b.marks(i) {
			lane := 0
			if !b.stack {
				lane = m.series
			}
			x1, x2 := track.x+s.part(m.from)*track.w, track.x+s.part(m.to)*track.w
			h := thick / float64(lanes)
			d.canvas.fill(roundRect(rect{min(x1, x2), mid - thick/2 + float64(lane)*h, math.Abs(x2 - x1), h}, 2.5), d.palette.series[m.series])
		}
	}
}
