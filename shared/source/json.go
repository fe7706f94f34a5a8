package source

import (
	"encoding/json"
	"errors"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// readJSON reads the shapes in which programs write tables: an array of objects, an array of arrays (the first one
// perhaps the names), an array of plain values, an object with columns and rows, an object that holds one such array
// (as APIs answer), an object of plain values, and one value a line (NDJSON).
func readJSON(text string, opt Options) (*grid, *fault.Error) {
	text = strings.TrimPrefix(text, "\ufeff")
	b := newJSONTable(opt)
	root, err := wholeValue(text)
	switch {
	case err == nil:
		if f := b.root(root); f != nil {
			return nil, f
		}
	case strings.Contains(strings.TrimSpace(text), "\n") && firstLineIsValue(text):
		if f := b.lines(text); f != nil {
			return nil, f
		}
	default:
		return nil, syntaxFault(text, 0, 1, err)
	}
	return b.grid()
}

func wholeValue(text string) (value, error) {
	raw := []byte(text)
	if json.Valid(raw) {
		return value{text: text, line: 1}.trim(), nil
	}
	var skip json.RawMessage
	return value{}, json.Unmarshal(raw, &skip)
}

// firstLineIsValue tells NDJSON from one broken value.
func firstLineIsValue(text string) bool {
	line, _, _ := strings.Cut(strings.TrimLeft(text, " \t\r\n"), "\n")
	line = strings.TrimSpace(line)
	return line != "" && (line[0] == '{' || line[0] == '[') && json.Valid([]byte(line))
}

// syntaxFault says where JSON is broken; text begins at the given offset and line of the file.
func syntaxFault(text string, offset, line int, err error) *fault.Error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fileFault("Line %d: this is not JSON.", line)
	}
	at := int(syntax.Offset) - 1
	row, column := position(text[offset:], at)
	if strings.HasPrefix(syntax.Error(), "unexpected end") {
		row, column = position(text[offset:], len(strings.TrimRight(text[offset:], " \t\r\n")))
		return fileFault("Line %d, column %d: the JSON ends too early; something is not closed.", line+row-1, column)
	}
	return fileFault("Line %d, column %d: this is not JSON (%s).", line+row-1, column, shown(syntax.Error())).
		WithHint("If this is a table of text with delimiters, choose CSV as its format.")
}

// jsonTable gathers rows while the columns are still unfolding.
type jsonTable struct {
	opt      Options
	names    []string
	index    map[string]int
	declared []board.ColumnType
	header   bool
	total    int
	rows     []jsonRow // a ring once it holds MaxRows
	head     int
	row      []cell
}

type jsonRow struct {
	cells []cell
	line  int
}

func newJSONTable(opt Options) *jsonTable {
	return &jsonTable{opt: opt, index: map[string]int{}}
}

// root reads a text that is one value.
func (b *jsonTable) root(v value) *fault.Error {
	switch v.kind() {
	case '[':
		return b.array(v)
	case '{':
		return b.object(v)
	}
	return fileFault("The JSON is a single value; a table needs a list of objects or of lists.")
}

// object reads {columns, rows}, an answer that holds one list, or plain members.
func (b *jsonTable) object(v value) *fault.Error {
	members := v.members()
	var columns, rows *value
	var lists []value
	for i, m := range members {
		switch {
		case m.value.kind() != '[':
		case m.key == "columns":
			columns = &members[i].value
		case m.key == "rows":
			rows = &members[i].value
		default:
			lists = append(lists, m.value)
		}
	}
	switch {
	case columns != nil && rows != nil:
		if f := b.declare(*columns); f != nil {
			return f
		}
		return b.items(*rows)
	case rows != nil:
		return b.array(*rows)
	case len(lists) == 1:
		return b.array(lists[0])
	case len(lists) > 1:
		for _, l := range lists {
			if items := l.elements(1); len(items) > 0 && items[0].kind() == '{' {
				return b.array(l)
			}
		}
	}
	if len(members) == 0 {
		return fileFault("The JSON holds no rows.")
	}
	b.header = true
	b.column("Name")
	b.column("Value")
	for _, m := range members {
		b.add(m.value.line, cell{text: m.key}, m.value.cell())
	}
	return nil
}

// declare reads the names, and perhaps the types, of {columns: [...]}.
func (b *jsonTable) declare(v value) *fault.Error {
	b.header = true
	for _, e := range v.elements(board.MaxColumns + 1) {
		var name string
		var typ board.ColumnType
		switch e.kind() {
		case '"':
			name = e.str()
		case '{':
			for _, m := range e.members() {
				switch {
				case m.key == "name" && m.value.kind() == '"':
					name = m.value.str()
				case m.key == "type" && m.value.kind() == '"':
					typ = board.ColumnType(m.value.str())
				}
			}
		default:
			return fileFault("Line %d: a column is a name, or an object with a name and a type.", e.line)
		}
		if typ != board.TypeNumber && typ != board.TypeTime && typ != board.TypeText {
			typ = ""
		}
		if len(b.names) == board.MaxColumns {
			return tooManyNames(e.line)
		}
		if _, found := b.index[name]; !found {
			b.index[name] = len(b.names)
		}
		b.names = append(b.names, name)
		b.declared = append(b.declared, typ)
	}
	return nil
}

// array reads a list whose first element may be a row of names.
func (b *jsonTable) array(v value) *fault.Error {
	first := v.elements(2)
	if len(first) == 0 {
		return fileFault("The JSON holds no rows.")
	}
	if first[0].kind() != '[' {
		return b.items(v)
	}
	if b.opt.Header != nil {
		b.header = *b.opt.Header
	} else {
		b.header = headerArray(first)
	}
	if !b.header {
		return b.items(v)
	}
	for _, e := range first[0].elements(board.MaxColumns + 1) {
		if len(b.names) == board.MaxColumns {
			return tooManyNames(e.line)
		}
		b.names = append(b.names, e.cell().text)
	}
	it := v.iterate()
	it.next()
	return b.rest(it)
}

// headerArray tells whether the first of some arrays holds names: nothing but texts, and the second something else or
// other texts.
func headerArray(first []value) bool {
	if len(first) < 2 {
		return false
	}
	names := first[0].elements(board.MaxColumns + 1)
	for _, e := range names {
		if e.kind() != '"' || looksTyped(e.str()) && !isYear(e.str()) {
			return false
		}
	}
	return len(names) > 0
}

func (b *jsonTable) items(v value) *fault.Error { return b.rest(v.iterate()) }

func (b *jsonTable) rest(it *iterator) *fault.Error {
	for {
		e, ok := it.next()
		if !ok {
			return nil
		}
		if f := b.item(e); f != nil {
			return f
		}
	}
}

// lines reads NDJSON.
func (b *jsonTable) lines(text string) *fault.Error {
	offset := 0
	for line := 1; offset < len(text); line++ {
		end := strings.IndexByte(text[offset:], '\n')
		if end < 0 {
			end = len(text) - offset
		}
		raw := text[offset : offset+end]
		if strings.TrimSpace(raw) != "" {
			v, err := wholeValue(raw)
			if err != nil {
				return syntaxFault(text[:offset+end], offset, line, err)
			}
			v.line = line
			if line == 1 && v.kind() == '[' && b.opt.Header == nil {
				_, rest, _ := strings.Cut(text, "\n")
				next, _, _ := strings.Cut(rest, "\n")
				if second, err := wholeValue(next); err == nil && headerArray([]value{v, second}) {
					b.header = true
				}
			}
			if b.header && b.total == 0 && b.names == nil && v.kind() == '[' {
				for _, e := range v.elements(board.MaxColumns) {
					b.names = append(b.names, e.cell().text)
				}
			} else if f := b.item(v); f != nil {
				return f
			}
		}
		offset += end + 1
	}
	return nil
}

// item reads one row.
func (b *jsonTable) item(v value) *fault.Error {
	b.row = b.row[:0]
	switch v.kind() {
	case '{':
		b.header = true
		if f := b.members("", v, 0); f != nil {
			return f
		}
	case '[':
		it := v.iterate()
		for {
			e, ok := it.next()
			if !ok {
				break
			}
			if len(b.row) == board.MaxColumns {
				return tooManyNames(v.line)
			}
			b.row = append(b.row, e.cell())
		}
	default:
		b.row = append(b.row, v.cell())
	}
	b.add(v.line, b.row...)
	return nil
}

// maxNesting is how deep objects in objects become columns of their own ("address.city"); deeper ones stay JSON.
const maxNesting = 3

func (b *jsonTable) members(prefix string, v value, depth int) *fault.Error {
	it := v.iterate()
	for {
		m, ok := it.nextMember()
		if !ok {
			return nil
		}
		name := m.key
		if prefix != "" {
			name = prefix + "." + name
		}
		if m.value.kind() == '{' && depth < maxNesting && !m.value.empty() {
			if f := b.members(name, m.value, depth+1); f != nil {
				return f
			}
			continue
		}
		col, ok := b.column(name)
		if !ok {
			return tooManyNames(m.value.line)
		}
		for len(b.row) <= col {
			b.row = append(b.row, cell{kind: cellNull})
		}
		b.row[col] = m.value.cell()
	}
}

// column is the index of the named column, a new one if need be.
func (b *jsonTable) column(name string) (int, bool) {
	if i, ok := b.index[name]; ok {
		return i, true
	}
	if len(b.names) == board.MaxColumns {
		return 0, false
	}
	b.index[name] = len(b.names)
	b.names = append(b.names, name)
	return len(b.names) - 1, true
}

func tooManyNames(line int) *fault.Error {
	f := fault.Newf(fault.TooLarge, "From line %d on there are more than %d columns, and a widget holds at most %d.", line, board.MaxColumns, board.MaxColumns)
	f.Field = "columns"
	return f.WithHint("Remove what the dashboard does not need from the file.")
}

// add keeps a copy of a row, in place of the oldest when there are MaxRows.
func (b *jsonTable) add(line int, cells ...cell) {
	b.total++
	if len(b.rows) < MaxRows {
		b.rows = append(b.rows, jsonRow{cells: append([]cell(nil), cells...), line: line})
		return
	}
	r := &b.rows[b.head]
	r.cells, r.line = append(r.cells[:0], cells...), line
	b.head = (b.head + 1) % len(b.rows)
}

func (b *jsonTable) grid() (*grid, *fault.Error) {
	if b.total == 0 && len(b.names) == 0 {
		return nil, fileFault("The JSON holds no rows.")
	}
	g := &grid{format: JSON, delimiter: ",", header: b.header, names: b.names, declared: b.declared, width: len(b.names), total: b.total}
	for i := range b.rows {
		r := b.rows[(b.head+i)%len(b.rows)]
		g.cells = append(g.cells, r.cells...)
		g.ends = append(g.ends, len(g.cells))
		g.lines = append(g.lines, r.line)
		g.width = max(g.width, len(r.cells))
	}
	if g.width == 0 {
		return nil, fileFault("The rows in the JSON are empty.")
	}
	if g.width == 1 && len(g.names) == 0 {
		g.names = []string{"Value"}
	}
	return g, nil
}
