package source

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"widgets.pro/shared/board"
)

// cellKind tells a CSV's texts from a JSON's values.
type cellKind byte

const (
	cellText   cellKind = iota // also a JSON string
	cellNumber                 // a JSON number, text as written there
	cellBool                   // "true" or "false"
	cellNull
)

type cell struct {
	text string
	kind cellKind
}

// grid is a text taken apart into cells, before it is known what they mean. Rows may be shorter than the grid is wide.
type grid struct {
	format    Format
	delimiter string
	header    bool
	names     []string // from the header; fewer than width where there are none
	declared  []board.ColumnType
	width     int
	cells     []cell // of all rows
	ends      []int  // row i ends before cells[ends[i]]
	lines     []int  // where row i begins in the text, for warnings
	total     int    // rows in the text, without the header

	// Found by table:
	columns     []column
	decimalSign byte
	order       DateOrder
}

func (g *grid) height() int { return len(g.ends) }

func (g *grid) row(i int) []cell {
	if i == 0 {
		return g.cells[:g.ends[0]]
	}
	return g.cells[g.ends[i-1]:g.ends[i]]
}

func (g *grid) at(row, col int) cell {
	r := g.row(row)
	if col >= len(r) {
		return cell{kind: cellNull}
	}
	return r[col]
}

// settleWidth decides how many columns there are, and says which rows are uneven.
func (g *grid) settleWidth(n *notes) {
	widths := map[int]int{}
	for i := range g.height() {
		w := len(g.row(i))
		widths[w]++
		g.width = max(g.width, w)
	}
	usual, most := 0, 0
	for w, count := range widths {
		if count > most || count == most && w > usual {
			usual, most = w, count
		}
	}
	if g.header {
		usual = len(g.names)
		g.width = max(g.width, usual)
	}
	g.dropEmptyEnd()
	g.noteUneven(min(usual, g.width), n)
}

// dropEmptyEnd forgets columns at the right end that have neither a name nor any data: the work of delimiters at the
// ends of lines.
func (g *grid) dropEmptyEnd() {
	for g.width > 1 {
		last := g.width - 1
		if last < len(g.names) && trimSpaces(g.names[last]) != "" {
			return
		}
		for i := range g.height() {
			if trimSpaces(g.at(i, last).text) != "" {
				return
			}
		}
		g.width--
	}
}

func (g *grid) noteUneven(usual int, n *notes) {
	var short, long, shortLine, longLine int
	for i := range g.height() {
		switch w := len(g.row(i)); {
		case w < usual:
			if short++; short == 1 {
				shortLine = g.lines[i]
			}
		case w > usual && g.width > usual:
			if long++; long == 1 {
				longLine = g.lines[i]
			}
		}
	}
	if short > 0 {
		n.add("%s fewer cells than the others (first: line %d); the missing cells are left empty.", rowsHave(short), shortLine)
	}
	if long > 0 {
		n.add("%s more cells than the others (first: line %d); columns were added for them.", rowsHave(long), longLine)
	}
}

func rowsHave(n int) string {
	if n == 1 {
		return "One row has"
	}
	return strconv.Itoa(n) + " rows have"
}

// columnNames makes names that are not empty, on one line, short enough and unique.
func (g *grid) columnNames() []string {
	names := make([]string, g.width)
	seen := map[string]bool{}
	for i := range names {
		name := ""
		if i < len(g.names) {
			name = cleanName(g.names[i])
		}
		if name == "" {
			name = fmt.Sprintf("Column %d", i+1)
		}
		base := name
		for k := 2; seen[name]; k++ {
			end := fmt.Sprintf(" (%d)", k)
			name = shorten(base, board.MaxColumnName-len(end)) + end
		}
		seen[name] = true
		names[i] = name
	}
	return names
}

func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		if r == '\ufeff' || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	return trimSpaces(shorten(trimSpaces(s), board.MaxColumnName))
}

// shorten cuts s to at most n characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
