package source

import (
	"slices"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// column is what the cells of one column say about it.
type column struct {
	name string
	typ  board.ColumnType

	filled  int // cells that are neither empty nor a word for "no value"
	plain   int // filled cells that are booleans, or numbers too long to keep
	numbers int // filled cells that are numbers with one decimal sign or the other
	codes   int // those of them that look like codes (007)
	times   int // filled cells that are points in time in some order
	point   int // numbers that need a decimal point, a decimal comma, or read differently with each
	comma   int
	either  string    // an example of the latter
	loose   int       // times whose day and month may change places
	example string    // one of them
	slash   bool      // it is written with slashes
	epoch   epochUnit // digits that count from 1970
}

// epochUnit is the unit of numbers that count from 1970, or "".
type epochUnit string

const (
	epochSeconds epochUnit = "s"
	epochMillis  epochUnit = "ms"
)

// tolerates reports whether good of all cells are enough to give a column its type: nine in ten.
func tolerates(good, all int) bool { return all > 0 && good*10 >= all*9 }

// table finds the types and turns the grid into a Table.
func (g *grid) table(opt Options, n *notes) (*Table, error) {
	g.columns = make([]column, g.width)
	for i, name := range g.columnNames() {
		g.columns[i] = g.survey(i, name)
	}
	keep, f := keptColumns(opt.Keep, g.width)
	if f != nil {
		return nil, f
	}
	g.decimalSign = g.decimal(opt, n)
	g.order = g.dateOrder(opt, g.decimalSign, n)
	for i := range g.columns {
		c := &g.columns[i]
		switch {
		case i < len(opt.Types) && opt.Types[i] != nil && *opt.Types[i] != "":
			c.typ = *opt.Types[i]
		case i < len(g.declared) && g.declared[i] != "":
			c.typ = g.declared[i]
		default:
			c.typ = g.detectType(i, g.decimalSign, g.order)
		}
	}
	rows, f := g.encode(n)
	if f != nil {
		return nil, f
	}
	t := &Table{Rows: rows, Total: g.total, Warnings: n.sentences(), grid: g}
	t.Options = Settled{Format: g.format, Delimiter: g.delimiter, Header: g.header, Decimal: string(g.decimalSign), DateOrder: g.order, Keep: keep}
	for _, c := range g.columns {
		t.Columns = append(t.Columns, board.Column{Name: c.name, Type: c.typ})
		t.Options.Types = append(t.Options.Types, c.typ)
	}
	t.Suggested = g.suggest(keep, rows)
	return t, nil
}

func keptColumns(keep []int, width int) ([]int, *fault.Error) {
	if keep == nil {
		keep = make([]int, width)
		for i := range keep {
			keep[i] = i
		}
		return keep, nil
	}
	if len(keep) == 0 {
		return nil, fault.Field("keep", "Keep at least one column.")
	}
	seen := map[int]bool{}
	for _, k := range keep {
		if k < 0 || k >= width || seen[k] {
			return nil, fault.Field("keep", "The columns to keep must be columns of the file, each named once.")
		}
		seen[k] = true
	}
	return slices.Clone(keep), nil
}

// survey counts what the cells of a column look like.
func (g *grid) survey(col int, name string) column {
	c := column{name: name}
	hint := timeName(name)
	seconds, millis := 0, 0
	for i := range g.height() {
		x := g.at(i, col)
		text := x.text
		switch {
		case x.kind == cellNull || x.kind == cellText && isNothing(text):
			continue
		case x.kind == cellBool || x.kind == cellNumber && isCode(text):
			c.filled++
			c.plain++
			continue
		}
		c.filled++
		if hint {
			switch unit := epochOf(text); unit {
			case epochSeconds:
				seconds++
			case epochMillis:
				millis++
			}
		}
		if x.kind == cellNumber {
			c.numbers++
			continue
		}
		c.surveyNumber(text)
		if !hint && allDigits(text) {
			continue
		}
		if m, ok := parseMoment(text); ok {
			c.times++
			if !m.date.exact {
				if c.loose++; c.loose == 1 {
					c.example, c.slash = text, m.date.slash
				}
			}
		}
	}
	switch c.filled {
	case 0:
	case seconds:
		c.epoch = epochSeconds
	case millis:
		c.epoch = epochMillis
	}
	return c
}

func (c *column) surveyNumber(text string) {
	sign, either, ok := decimalHint(text)
	if !ok {
		return
	}
	c.numbers++
	switch {
	case sign == '.':
		c.point++
	case sign == ',':
		c.comma++
	case either && c.either == "":
		c.either = text
	}
	if isCode(text) {
		c.codes++
	}
}

// decimal finds the decimal sign of the text. Columns that are hardly numbers have no say.
func (g *grid) decimal(opt Options, n *notes) byte {
	if opt.Decimal != nil {
		return (*opt.Decimal)[0]
	}
	point, comma, example := 0, 0, ""
	for _, c := range g.columns {
		if tolerates(c.numbers, c.filled) && !tolerates(c.times, c.filled) {
			point, comma = point+c.point, comma+c.comma
			if example == "" {
				example = c.either
			}
		}
	}
	sign := byte('.')
	if comma > point || comma == point && example != "" && g.delimiter == ";" {
		sign = ','
	}
	if comma == point && example != "" {
		word := "point"
		if sign == ',' {
			word = "comma"
		}
		n.add("Numbers such as “%s” can be read in two ways; the %s was taken for the decimal sign.", shown(example), word)
	}
	return sign
}

// dateOrder finds the order of day and month: the one in which most dates exist, else the one in which they rise or fall
// most steadily, else the habit that goes with the other signs.
func (g *grid) dateOrder(opt Options, decimal byte, n *notes) DateOrder {
	if opt.DateOrder != nil {
		return *opt.DateOrder
	}
	var tallies [3]tally
	example, slash := "", false
	for i, c := range g.columns {
		if c.loose > 0 && tolerates(c.times, c.filled) {
			for k, o := range dateOrders() {
				tallies[k].add(g, i, o)
			}
			if example == "" {
				example, slash = c.example, c.slash
			}
		}
	}
	if example == "" {
		return YearFirst
	}
	if strings.IndexByte(example, '.') > 0 && !slash && tallies[0].valid >= tallies[1].valid {
		return DayFirst // with points, nobody writes the month first
	}
	best := 0
	for k := range tallies {
		if tallies[k].better(&tallies[best]) {
			best = k
		}
	}
	for k := range tallies {
		if tallies[best].better(&tallies[k]) || k == best || dateOrders()[k] == YearFirst {
			continue
		}
		// Two orders fit alike: go by habit.
		order, word := DayFirst, "day"
		if slash && decimal == '.' && g.delimiter != ";" {
			order, word = MonthFirst, "month"
		}
		n.add("Dates such as “%s” can be read in two ways; the %s was taken to come first.", shown(example), word)
		return order
	}
	return dateOrders()[best]
}

func dateOrders() [3]DateOrder { return [3]DateOrder{DayFirst, MonthFirst, YearFirst} }

// tally is how well the dates of a text fit one order.
type tally struct{ valid, steps, steady int }

func (t *tally) add(g *grid, col int, order DateOrder) {
	var last int64
	rising, falling, seen := 0, 0, false
	for i := range g.height() {
		m, ok := parseMoment(g.at(i, col).text)
		if !ok || m.date.exact {
			continue
		}
		ms, ok := m.millis(order)
		if !ok {
			continue
		}
		t.valid++
		if seen {
			t.steps++
			if ms >= last {
				rising++
			}
			if ms <= last {
				falling++
			}
		}
		last, seen = ms, true
	}
	t.steady += max(rising, falling)
}

// better reports whether t fits clearly better than o: more dates exist, or the same number and they run more steadily.
func (t *tally) better(o *tally) bool {
	if t.valid != o.valid {
		return t.valid > o.valid
	}
	return t.steps > 2 && float64(t.steady)/float64(t.steps) > float64(o.steady)/float64(o.steps)+0.1
}

// detectType settles one column's type.
func (g *grid) detectType(col int, decimal byte, order DateOrder) board.ColumnType {
	c := &g.columns[col]
	switch {
	case c.epoch != "":
		return board.TypeTime
	case tolerates(c.times, c.filled) && g.count(col, func(s string) bool { return isMoment(s, order) }) >= c.times*9/10:
		return board.TypeTime
	case c.codes > 0 && c.codes*10 >= c.numbers:
		return board.TypeText
	case tolerates(c.numbers, c.filled) && tolerates(g.count(col, func(s string) bool { _, ok := parseNumber(s, decimal); return ok }), c.filled):
		return board.TypeNumber
	}
	return board.TypeText
}

func isMoment(s string, order DateOrder) bool {
	m, ok := parseMoment(s)
	if ok {
		_, ok = m.millis(order)
	}
	return ok
}

// count counts the cells of a column that satisfy fn; JSON numbers do so for numbers.
func (g *grid) count(col int, fn func(string) bool) int {
	n := 0
	for i := range g.height() {
		switch x := g.at(i, col); {
		case x.kind == cellNumber && !isCode(x.text):
			n++
		case x.kind == cellText && !isNothing(x.text) && fn(x.text):
			n++
		}
	}
	return n
}

// isNothing recognises the empty cell and the words that programs write for "no value".
func isNothing(s string) bool {
	s = trimSpaces(s)
	if len(s) > 7 {
		return false
	}
	switch strings.ToLower(s) {
	case "", "-", "–", "—", "--", "?", ".", "..", "...", "n/a", "na", "nan", "nil", "null", "none", "#n/a", "#div/0!", "#ref!", "#value!", "#null!", "\\n":
		return true
	}
	return false
}

// timeName recognises names of columns that hold times, so that bare digits below them may be dates.
func timeName(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" _-./()", r) })
	for _, w := range words {
		switch w {
		case "time", "timestamp", "ts", "date", "datetime", "day", "epoch", "at", "when", "created", "updated", "datum", "zeit":
			return true
		}
	}
	lower := strings.ToLower(name)
	return strings.HasSuffix(lower, "time") || strings.HasSuffix(lower, "date") || strings.HasSuffix(name, "At")
}

// epochOf recognises whole seconds or milliseconds since 1970 for the years 1980 to 2100.
func epochOf(s string) epochUnit {
	if !allDigits(s) {
		return ""
	}
	switch {
	case len(s) == 9 || len(s) == 10:
		if len(s) == 10 && s > "4102444800" || len(s) == 9 && s < "315532800" {
			return ""
		}
		return epochSeconds
	case len(s) == 12 || len(s) == 13:
		if len(s) == 13 && s > "4102444800000" || len(s) == 12 && s < "315532800000" {
			return ""
		}
		return epochMillis
	}
	return ""
}

// shown is a text fit to stand in a sentence.
func shown(s string) string { return shorten(cleanName(s), 40) }
