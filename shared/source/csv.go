package source

import (
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// record is one line of a CSV text, or several where a quoted cell spans them.
type record struct {
	line  int // of its first character, counted from 1
	start int // offset of its first character
	cells []string
}

// scanner reads CSV as RFC 4180 describes it and as programs write it: line ends of every kind, spaces before a quote,
// text after a closing quote (kept), quotes inside an unquoted cell (kept), blank lines (skipped).
type scanner struct {
	text      string
	delimiter byte
	newline   byte // '\n', or '\r' for texts without any
	pos, line int
}

func newScanner(text string, delimiter byte) *scanner {
	s := &scanner{text: text, delimiter: delimiter, newline: '\n', line: 1}
	if strings.IndexByte(text, '\n') < 0 && strings.IndexByte(text, '\r') >= 0 {
		s.newline = '\r'
	}
	return s
}

// next reads the next record into r, whose cells are valid as long as the text. It returns false at the end. The fault
// is for a quoted cell that never ends, or for too many cells.
func (s *scanner) next(r *record) (bool, *fault.Error) {
	for {
		if s.pos >= len(s.text) {
			return false, nil
		}
		r.line, r.start, r.cells = s.line, s.pos, r.cells[:0]
		for {
			cell, last, f := s.cell()
			if f != nil {
				return false, f
			}
			if len(r.cells) == board.MaxColumns {
				if cell != "" { // empty cells at the end of a line are padding; anything else would be lost
					return false, tooManyColumns(r.line)
				}
			} else {
				r.cells = append(r.cells, cell)
			}
			if last {
				break
			}
		}
		if len(r.cells) > 1 || trimSpaces(r.cells[0]) != "" {
			return true, nil
		}
	}
}

func tooManyColumns(line int) *fault.Error {
	f := fault.Newf(fault.TooLarge, "Line %d has more than %d cells, and a widget holds at most %d columns.", line, board.MaxColumns, board.MaxColumns)
	f.Field = "columns"
	return f.WithHint("Check the delimiter, or remove columns from the file.")
}

// cell reads one cell and the delimiter or line end after it; last says that it was a line end.
func (s *scanner) cell() (cell string, last bool, f *fault.Error) {
	start := s.pos
	quote := start
	for quote < len(s.text) && s.text[quote] == ' ' && s.delimiter != ' ' {
		quote++
	}
	if quote < len(s.text) && s.text[quote] == '"' {
		return s.quoted(quote)
	}
	for i := start; i < len(s.text); i++ {
		switch c := s.text[i]; c {
		case s.delimiter:
			s.pos = i + 1
			return s.text[start:i], false, nil
		case s.newline:
			s.pos = i + 1
			s.line++
			return strings.TrimSuffix(s.text[start:i], "\r"), true, nil
		}
	}
	s.pos = len(s.text)
	return s.text[start:], true, nil
}

// quoted reads a cell whose opening quote is at open.
func (s *scanner) quoted(open int) (cell string, last bool, f *fault.Error) {
	from, i, line := open+1, open+1, s.line
	var b strings.Builder // only used when the cell is not one piece of the text
	for {
		n := strings.IndexByte(s.text[i:], '"')
		if n < 0 {
			row, column := position(s.text, open)
			return "", false, fileFault("Line %d, column %d: a quoted cell begins here and never ends.", row, column).
				WithHint("Add the missing quotation mark, or double it where it belongs to the text.")
		}
		line += strings.Count(s.text[i:i+n], string(s.newline))
		i += n + 1
		if i < len(s.text) && s.text[i] == '"' {
			b.WriteString(s.text[from:i])
			i++
			from = i
			continue
		}
		break
	}
	body := s.text[from : i-1]
	s.pos, s.line = i, line
	tail, last := s.tail()
	if b.Len() == 0 && tail == "" {
		return body, last, nil
	}
	b.WriteString(body)
	b.WriteString(tail)
	return b.String(), last, nil
}

// tail reads what stands between a closing quote and the next delimiter or line end, which is nothing in a proper file.
func (s *scanner) tail() (string, bool) {
	start := s.pos
	for i := start; i < len(s.text); i++ {
		switch s.text[i] {
		case s.delimiter:
			s.pos = i + 1
			return strings.TrimRight(s.text[start:i], " "), false
		case s.newline:
			s.pos = i + 1
			s.line++
			return strings.TrimRight(s.text[start:i], " \r"), true
		}
	}
	s.pos = len(s.text)
	return strings.TrimRight(s.text[start:], " \r"), true
}

// readCSV reads a whole CSV text. Only the records that are kept are taken apart for good.
func readCSV(text string, opt Options, n *notes) (*grid, *fault.Error) {
	text, told := sepLine(text)
	delimiter := told
	if opt.Delimiter != nil {
		delimiter = (*opt.Delimiter)[0]
	} else if delimiter == 0 {
		delimiter = detectDelimiter(text)
	}
	g := &grid{format: CSV, delimiter: string(delimiter)}
	first, ring, total, f := scanAll(text, delimiter)
	if f != nil {
		return nil, f
	}
	if total == 0 {
		return nil, fileFault("The file holds no rows.")
	}
	if opt.Header != nil {
		g.header = *opt.Header
	} else {
		g.header = detectHeader(first, ring.sample(text, delimiter))
	}
	g.total = total
	if g.header {
		g.names = first.cells
		g.total--
		ring.dropFirst(total)
	}
	ring.fill(g, text, delimiter, n)
	return g, nil
}

// sepLine reads the line "sep=;" with which spreadsheet programs announce the delimiter.
func sepLine(text string) (rest string, delimiter byte) {
	if len(text) < 6 || !strings.EqualFold(text[:4], "sep=") || !validDelimiter(text[4:5]) {
		return text, 0
	}
	for _, end := range []string{"\r\n", "\n", "\r"} {
		if rest, found := strings.CutPrefix(text[5:], end); found {
			return rest, text[4]
		}
	}
	return text, 0
}

// scanAll walks over the text once: it returns the first record, where the last MaxRows+1 records begin, and how many
// there are.
func scanAll(text string, delimiter byte) (first record, last *ring, total int, f *fault.Error) {
	s := newScanner(text, delimiter)
	last = &ring{}
	var r record
	for {
		ok, f := s.next(&r)
		if f != nil {
			return record{}, nil, 0, f
		}
		if !ok {
			return first, last, total, nil
		}
		if total == 0 {
			first = record{line: r.line, start: r.start, cells: append([]string(nil), r.cells...)}
		}
		last.add(place{start: r.start, line: r.line})
		total++
	}
}
