package source

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// encoder writes cells as JSON and counts what does not fit.
type encoder struct {
	decimal byte
	order   DateOrder
	bad     []misfit // by column
	zones   []string // by column: the first zone seen, or "*" for several
	cut     int
	cutLine int
}

// misfit counts the cells of one column that are not of its type.
type misfit struct {
	count int
	first string
	line  int
}

// encode turns all rows into JSON arrays. They share one buffer.
func (g *grid) encode(n *notes) ([]json.RawMessage, *fault.Error) {
	e := encoder{decimal: g.decimalSign, order: g.order, bad: make([]misfit, g.width), zones: make([]string, g.width)}
	buf := make([]byte, 0, 16*len(g.cells)+1)
	starts := make([]int, 0, g.height()+1)
	for i := range g.height() {
		starts = append(starts, len(buf))
		buf = append(buf, '[')
		for col := range g.width {
			if col > 0 {
				buf = append(buf, ',')
			}
			buf = e.append(buf, g.at(i, col), &g.columns[col], col, g.lines[i])
		}
		buf = append(buf, ']')
		if len(buf)-starts[i] > board.MaxRowBytes {
			f := fault.Newf(fault.TooLarge, "Line %d holds too much: the limit of one row is %d KiB.", g.lines[i], board.MaxRowBytes>>10)
			f.Field = "file"
			return nil, f
		}
	}
	starts = append(starts, len(buf))
	skip := 0
	for len(buf)-starts[skip] > board.MaxDataBytes {
		skip++
	}
	rows := make([]json.RawMessage, 0, g.height()-skip)
	for i := skip; i < g.height(); i++ {
		rows = append(rows, buf[starts[i]:starts[i+1]:starts[i+1]])
	}
	g.dropRows(skip)
	e.report(g, n)
	if len(rows) < g.total {
		n.add("The file has %d rows and a widget holds at most %d; the last %d are kept.", g.total, MaxRows, len(rows))
	}
	if g.total == 0 {
		n.add("The file has names of columns but no rows.")
	}
	return rows, nil
}

// dropRows forgets the oldest rows.
func (g *grid) dropRows(n int) {
	if n == 0 {
		return
	}
	from := g.ends[n-1]
	g.cells = g.cells[from:]
	ends := make([]int, 0, len(g.ends)-n)
	for _, e := range g.ends[n:] {
		ends = append(ends, e-from)
	}
	g.ends, g.lines = ends, g.lines[n:]
}

// rows encodes the given columns again, for a widget that shall not get all of them.
func (g *grid) rows(keep []int) []json.RawMessage {
	s := &grid{width: len(keep), lines: g.lines, total: g.total, decimalSign: g.decimalSign, order: g.order}
	for _, k := range keep {
		s.columns = append(s.columns, g.columns[k])
	}
	for i := range g.height() {
		for _, k := range keep {
			s.cells = append(s.cells, g.at(i, k))
		}
		s.ends = append(s.ends, len(s.cells))
	}
	rows, _ := s.encode(&notes{}) // cannot fail: the same cells, and more, were encoded before
	return rows
}

func (e *encoder) append(buf []byte, x cell, c *column, col, line int) []byte {
	if x.kind == cellNull || x.text == "" && x.kind == cellText {
		return append(buf, "null"...)
	}
	switch c.typ {
	case board.TypeNumber:
		if v, ok := e.number(x); ok {
			return appendNumber(buf, v)
		}
	case board.TypeTime:
		if v, ok := e.time(x, c, col); ok {
			return strconv.AppendInt(buf, v, 10)
		}
	case board.TypeText:
		return e.appendText(buf, x, line)
	}
	if x.kind != cellText || !isNothing(x.text) {
		b := &e.bad[col]
		if b.count++; b.count == 1 {
			b.first, b.line = x.text, line
		}
	}
	return append(buf, "null"...)
}

func (e *encoder) number(x cell) (float64, bool) {
	switch x.kind {
	case cellNumber:
		v, err := strconv.ParseFloat(x.text, 64)
		return v, err == nil && !math.IsInf(v, 0)
	case cellText:
		return parseNumber(x.text, e.decimal)
	case cellBool, cellNull:
	}
	return 0, false
}

func (e *encoder) time(x cell, c *column, col int) (int64, bool) {
	if x.kind == cellBool {
		return 0, false
	}
	if x.kind == cellNumber || c.epoch != "" {
		v, ok := e.number(x)
		if !ok || math.Abs(v) > 253402300799999 { // the end of the year 9999
			return 0, false
		}
		if c.epoch == epochSeconds {
			v *= 1000
		}
		return int64(math.Round(v)), true
	}
	m, ok := parseMoment(x.text)
	if !ok {
		return 0, false
	}
	ms, ok := m.millis(e.order)
	if ok {
		switch {
		case e.zones[col] == "":
			e.zones[col] = m.zone
		case e.zones[col] != m.zone:
			e.zones[col] = "*"
		}
	}
	return ms, ok
}

func (e *encoder) appendText(buf []byte, x cell, line int) []byte {
	switch {
	case x.kind == cellBool:
		return append(buf, x.text...)
	case len(x.text) > board.MaxCell:
		if e.cut++; e.cut == 1 {
			e.cutLine = line
		}
		end := board.MaxCell - len("…")
		for !utf8.RuneStart(x.text[end]) {
			end--
		}
		return appendString(buf, x.text[:end]+"…")
	}
	return appendString(buf, x.text)
}

func (e *encoder) report(g *grid, n *notes) {
	for i, b := range e.bad {
		if b.count == 0 {
			continue
		}
		what := "no numbers"
		if g.columns[i].typ == board.TypeTime {
			what = "no dates or times"
		}
		cells := strconv.Itoa(b.count) + " cells of “" + g.columns[i].name + "” are "
		if b.count == 1 {
			cells, what = "One cell of “"+g.columns[i].name+"” is ", what[:len(what)-1]
		}
		if b.count == 1 && g.columns[i].typ == board.TypeTime {
			what = "no date or time"
		}
		n.add("%s%s and left empty (first: “%s” in line %d).", cells, what, shown(b.first), b.line)
	}
	for i, z := range e.zones {
		if z == "*" {
			n.add("The times in “%s” are in different zones; the time of day is kept as it is written.", g.columns[i].name)
		}
	}
	if e.cut > 0 {
		n.add("Texts longer than %d KiB were cut (%d, first in line %d).", board.MaxCell>>10, e.cut, e.cutLine)
	}
}

// appendNumber writes v as JSON does, in its shortest form.
func appendNumber(buf []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(buf, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(buf, v, 'f', -1, 64)
}

// appendString writes s, which is valid UTF-8, as a JSON string.
func appendString(buf []byte, s string) []byte {
	const hex = "0123456789abcdef"
	buf = append(buf, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		buf = append(buf, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			buf = append(buf, '\\', c)
		case '\n':
			buf = append(buf, '\\', 'n')
		case '\t':
			buf = append(buf, '\\', 't')
		case '\r':
			buf = append(buf, '\\', 'r')
		default:
			buf = append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(buf, s[from:]...), '"')
}
