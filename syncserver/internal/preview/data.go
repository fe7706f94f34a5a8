package preview

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"widgets.pro/shared/board"
)

// errUnfit tells that a widget's settings and its data do not fit, so that there is nothing to draw.
var errUnfit = errors.New("nothing to draw")

// table is what a widget holds, read.
type table struct {
	w    *board.Widget
	rows [][]any // cells: float64, string, bool or nil
}

// column is a data column with its place in a row.
type column struct {
	index int
	name  string
	kind  board.ColumnType
}

func read(w *board.Widget) table {
	rows := w.Rows[:min(len(w.Rows), maxRows)]
	t := table{w: w, rows: make([][]any, len(rows))}
	for i, raw := range rows {
		_ = json.Unmarshal(raw, &t.rows[i]) // nonsense reads as empty cells, as everywhere
	}
	return t
}

func (t table) columns() []column {
	out := make([]column, min(len(t.w.Columns), board.MaxColumns))
	for i := range out {
		out[i] = column{i, t.w.Columns[i].Name, t.w.Columns[i].Type}
	}
	return out
}

// chosen is the column that an option names; ok is false if the choice is automatic.
func (t table) chosen(option string) (c column, ok bool, err error) {
	name := t.text(option)
	if name == "" {
		return c, false, nil
	}
	c, err = t.named(name)
	return c, err == nil, err
}

// chosenAll is chosen for an option that names several.
func (t table) chosenAll(option string) ([]column, error) {
	var names []string
	_ = json.Unmarshal(t.w.Options[option], &names) // nonsense reads as automatic
	var out []column
	for _, n := range names[:min(len(names), board.MaxColumns)] {
		c, err := t.named(n)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (t table) named(name string) (column, error) {
	for _, c := range t.columns() {
		if c.name == name {
			return c, nil
		}
	}
	return column{}, errUnfit
}

func (t table) text(option string) (s string) {
	_ = json.Unmarshal(t.w.Options[option], &s)
	return s
}

// flag is an option of yes or no, and otherwise what is automatic.
func (t table) flag(option string, automatic bool) bool {
	var b *bool
	if json.Unmarshal(t.w.Options[option], &b) != nil || b == nil {
		return automatic
	}
	return *b
}

func (t table) number(option string, least, most int) (n int, ok bool) {
	var v *float64
	if json.Unmarshal(t.w.Options[option], &v) != nil || v == nil {
		return 0, false
	}
	return int(min(float64(most), max(float64(least), math.Round(*v)))), true
}

func (t table) cell(row int, c column) any {
	if r := t.rows[row]; c.index < len(r) {
		return r[c.index]
	}
	return nil
}

// values are the numbers, or times, of a column; NaN where there is none.
func (t table) values(c column) []float64 {
	out := make([]float64, len(t.rows))
	for i := range t.rows {
		if c.kind == board.TypeTime {
			out[i] = timeOf(t.cell(i, c))
		} else {
			out[i] = numberOf(t.cell(i, c))
		}
	}
	return out
}

const huge = 1e300

func numberOf(cell any) float64 {
	switch v := cell.(type) {
	case float64:
		return min(huge, max(-huge, v))
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		if s := strings.TrimSpace(v); len(s) < 40 && s != "" && strings.Trim(s, "0123456789+-.eE") == "" {
			if n, err := strconv.ParseFloat(s, 64); err == nil {
				return min(huge, max(-huge, n))
			}
		}
	}
	return math.NaN()
}

func timeOf(cell any) float64 {
	if v, ok := cell.(float64); ok && math.Abs(v) <= 8.64e15 {
		return v
	}
	return math.NaN()
}

// axes are the columns that a chart draws: what lies along it, if hasX, and what is measured.
func (t table) axes(along ...board.ColumnType) (x column, hasX bool, y []column, err error) {
	x, hasX, err = t.chosen("x")
	if err != nil {
		return x, false, nil, err
	}
	if y, err = t.chosenAll("y"); err != nil {
		return x, false, nil, err
	}
	numbers := 0
	for _, c := range t.columns() {
		if c.kind == board.TypeNumber {
			numbers++
		}
	}
	isY := func(c column) bool { return slices.ContainsFunc(y, func(o column) bool { return o.index == c.index }) }
	for _, kind := range along {
		if hasX || (kind == board.TypeNumber && len(y) == 0 && numbers < 2) {
			continue
		}
		for _, c := range t.columns() {
			if !hasX && c.kind == kind && !isY(c) && (kind != board.TypeNumber || t.rises(c)) {
				x, hasX = c, true
			}
		}
	}
	if len(y) == 0 {
		for _, c := range t.columns() {
			if c.kind == board.TypeNumber && (!hasX || c.index != x.index) {
				y = append(y, c)
			}
		}
	}
	if len(y) == 0 {
		return x, hasX, nil, errUnfit
	}
	return x, hasX, y[:min(len(y), maxSeries)], nil
}

// rises reports whether a column only grows, as a scale does and a measured value hardly ever.
func (t table) rises(c column) bool {
	last := math.Inf(-1)
	for _, v := range t.values(c) {
		if math.IsNaN(v) || v <= last {
			return false
		}
		last = v
	}
	return true
}

// plainCell is a cell that is neither written as a number of its column nor as a time.
func plainCell(cell any) string {
	switch v := cell.(type) {
	case bool:
		if v {
			return "Yes"
		}
		return "No"
	case float64:
		return figure{decimals: -1}.write(v)
	case string:
		return clip(v, 120)
	}
	return ""
}

// block is one line of a Markdown text, without its signs.
type block struct {
	kind blockKind
	text string
}

type blockKind int

const (
	paragraph blockKind = iota
	heading
	item
)

// blocks reads what of a Markdown text can be shown in a few lines. It is not a parser: what it does not understand is
// text.
func blocks(text string, most int) []block {
	signs := regexp.MustCompile("[*_~`]{1,3}([^*_~`]+)[*_~`]{1,3}")
	link := regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	var out []block
	open := false // whether a line continues the paragraph before it
	for line := range strings.Lines(text[:min(len(text), 8<<10)]) {
		line = strings.TrimSpace(line)
		b := block{text: line}
		switch trimmed := strings.TrimLeft(line, "#"); {
		case line == "" || strings.Trim(line, "-*_=`| :") == "":
			open = false
			continue
		case trimmed != line && strings.HasPrefix(trimmed, " "):
			b = block{heading, trimmed}
		case len(line) > 2 && strings.ContainsAny(line[:1], "-*+") && line[1] == ' ':
			b = block{item, strings.TrimPrefix(strings.TrimPrefix(line[2:], "[ ] "), "[x] ")}
		case strings.HasPrefix(line, ">"):
			b.text = strings.TrimLeft(line, "> ")
		case strings.HasPrefix(line, "|"):
			b.text, open = strings.ReplaceAll(strings.Trim(line, "| "), "|", " · "), false
		}
		b.text = strings.TrimSpace(signs.ReplaceAllString(link.ReplaceAllString(b.text, "$1"), "$1"))
		if n := len(out); b.kind == paragraph && open && n > 0 {
			out[n-1].text += " " + b.text
			continue
		}
		if len(out) == most {
			break
		}
		open = b.kind != heading
		out = append(out, b)
	}
	return out
}
