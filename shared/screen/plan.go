package screen

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

// maxChunk is how many bytes of rows go into one operation; the rest of board.MaxOpBytes is room for its other parts.
const maxChunk = board.MaxOpBytes - 16<<10

// planner turns edits, as screens make them, into edits of registers and rows. It checks everything and writes nothing, so
// a fault leaves no trace. Each edit sees what those before it in the same batch did.
type planner struct {
	newID func() (board.WidgetID, error)
	// lenient lets through widget kinds that this version does not know: copies of what came from a newer one.
	lenient bool

	live  map[board.WidgetID]board.Widget
	out   []replica.Edit
	added []board.WidgetID
}

// Planned is what a batch of edits comes to: what is to be written, and the ids of the widgets that it adds, in the order
// of the edits.
type Planned struct {
	Edits []replica.Edit
	Added []board.WidgetID
}

// Plan checks a batch of edits of the dashboard v and translates it, all or nothing. Faults name the field that is wrong by
// its name in package board (title, layout, opt.unit, rows[7], ...).
func Plan(v board.View, edits []Edit, newID func() (board.WidgetID, error)) (Planned, error) {
	p := newPlanner(v, newID)
	if err := p.plan(edits); err != nil {
		return Planned{}, err
	}
	return Planned{Edits: p.out, Added: p.added}, nil
}

// PlanNew is what writes the content of v into an empty dashboard, under new ids. Lenient keeps what a merge may have brought
// about: widgets of kinds from a newer version, and rows that are wider than the columns.
func PlanNew(v board.View, lenient bool, newID func() (board.WidgetID, error)) ([]replica.Edit, error) {
	p := newPlanner(board.View{}, newID)
	p.lenient = lenient
	edits := []Edit{{Do: DoBoard, Field: board.FieldTitle, Value: jsonString(v.Title)}}
	if v.Description != "" {
		edits = append(edits, Edit{Do: DoBoard, Field: board.FieldDescription, Value: jsonString(v.Description)})
	}
	if v.Theme != "" && v.Theme != board.ThemeSystem {
		edits = append(edits, Edit{Do: DoBoard, Field: board.FieldTheme, Value: jsonString(string(v.Theme))})
	}
	for _, x := range v.Widgets {
		if lenient {
			x = widened(x)
		}
		edits = append(edits, Edit{Do: DoAdd, Kind: x.Kind, Title: x.Title, Layout: &x.Layout, Options: x.Options, Columns: x.Columns, Rows: x.Rows})
	}
	if err := p.plan(edits); err != nil {
		return nil, err
	}
	return p.out, nil
}

func newPlanner(v board.View, newID func() (board.WidgetID, error)) *planner {
	p := &planner{newID: newID, live: make(map[board.WidgetID]board.Widget, len(v.Widgets)), added: []board.WidgetID{}}
	for _, w := range v.Widgets {
		p.live[w.ID] = w
	}
	return p
}

// plan checks and translates a batch of edits.
func (p *planner) plan(edits []Edit) error {
	if len(edits) == 0 {
		return fault.Field("edits", "There is nothing to change.")
	}
	if len(edits) > maxEdits {
		return fault.Newf(fault.TooLarge, "At most %d changes can be made at once.", maxEdits)
	}
	for _, e := range edits {
		if err := p.one(e); err != nil {
			return err
		}
	}
	return p.fits()
}

// fits checks what the dashboard would come to.
func (p *planner) fits() error {
	if len(p.live) > board.MaxWidgets {
		return fault.Newf(fault.TooLarge, "A dashboard holds at most %d widgets.", board.MaxWidgets).
			WithHint("Remove some first, or make another dashboard.")
	}
	if p.dataBytes() > board.MaxDataBytes {
		f := fault.Newf(fault.TooLarge, "The data of one dashboard may have at most %d MB.", board.MaxDataBytes>>20).
			WithHint("Keep fewer rows or columns, or put the data into another dashboard.")
		f.Field = "rows"
		return f
	}
	return nil
}

// maxEdits is the size of a batch: every widget can be moved in one.
const maxEdits = 1000

func (p *planner) one(e Edit) error {
	if e.Do == DoBoard {
		if e.Field != board.FieldTitle && e.Field != board.FieldDescription && e.Field != board.FieldTheme {
			return fault.Field("field", "Only title, description and theme of a dashboard can be changed.")
		}
		return p.set(board.BoardEntity, e.Field, e.Value)
	}
	if e.Do == DoAdd {
		return p.add(e)
	}
	w, ok := p.live[e.Widget]
	if !ok && e.Do.known() {
		f := fault.New(fault.NotFound, "This widget does not exist any more.").WithHint("It may have been removed elsewhere; undo brings back what was removed here.")
		f.Field = "widget"
		return f
	}
	switch e.Do {
	case DoTitle:
		return p.set(string(w.ID), board.FieldTitle, e.Value)
	case DoLayout:
		if err := p.set(string(w.ID), board.FieldLayout, e.Value); err != nil {
			return err
		}
		_ = json.Unmarshal(e.Value, &w.Layout)
		p.live[w.ID] = w
	case DoOption:
		return p.set(string(w.ID), board.OptionPrefix+e.Name, e.Value)
	case DoKind:
		return p.set(string(w.ID), board.FieldKind, e.Value)
	case DoRemove:
		delete(p.live, w.ID)
		return p.set(string(w.ID), board.FieldAlive, json.RawMessage("false"))
	case DoDuplicate:
		layout := beside(w.Layout, p.live)
		strict := p.lenient
		p.lenient = true
		defer func() { p.lenient = strict }()
		return p.add(Edit{Do: DoAdd, Kind: w.Kind, Title: w.Title, Layout: &layout, Options: w.Options, Columns: w.Columns, Rows: w.Rows})
	case DoRows:
		return p.rows(w, e.Columns, e.Rows)
	case DoAppend:
		return p.append(w, e.Rows)
	case DoBoard, DoAdd: // above
	default:
		return fault.Field("do", "This change is not known to this version: "+strconv.QuoteToASCII(clip(string(e.Do), 40))+".")
	}
	return nil
}

func (d Do) known() bool {
	return slices.Contains([]Do{DoTitle, DoLayout, DoOption, DoKind, DoRemove, DoDuplicate, DoRows, DoAppend}, d)
}

func (p *planner) add(e Edit) error {
	id, err := p.newID()
	if err != nil {
		return err
	}
	w := board.Widget{ID: id, Kind: e.Kind, Title: e.Title}
	if e.Layout != nil {
		w.Layout = *e.Layout
	} else {
		w.Layout = below(sizeOf(e.Kind), p.live)
	}
	entity := string(id)
	for _, s := range []struct {
		field string
		value any
	}{{board.FieldKind, e.Kind}, {board.FieldTitle, e.Title}, {board.FieldLayout, w.Layout}} {
		value, err := json.Marshal(s.value)
		if err != nil {
			return fmt.Errorf("encode %s: %w", s.field, err)
		}
		if err := p.set(entity, s.field, value); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Options)) {
		if err := p.set(entity, board.OptionPrefix+name, e.Options[name]); err != nil {
			return err
		}
	}
	p.live[id] = w
	if len(e.Columns) > 0 || len(e.Rows) > 0 {
		if err := p.rows(w, e.Columns, e.Rows); err != nil {
			return err
		}
	}
	p.added = append(p.added, id)
	return p.set(entity, board.FieldAlive, json.RawMessage("true")) // last, so that nobody sees half a widget
}

// set plans the writing of one register.
func (p *planner) set(entity, field string, value json.RawMessage) error {
	canonical, err := canonicalJSON(field, value)
	if err != nil {
		return err
	}
	e := replica.Edit{Kind: replica.OpSet, Entity: entity, Field: field, Value: canonical}
	f := board.CheckEdit(e)
	if p.lenient {
		f = board.CheckOp(&replica.Op{Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value})
	}
	if f != nil {
		return f
	}
	p.out = append(p.out, e)
	return nil
}

// rows plans a replacement of a widget's rows.
func (p *planner) rows(w board.Widget, columns []board.Column, rows []json.RawMessage) error {
	if columns == nil {
		columns = []board.Column{}
	}
	header, err := json.Marshal(columns)
	if err != nil {
		return fmt.Errorf("encode columns: %w", err)
	}
	rows, err = canonicalRows(rows, header)
	if err != nil {
		return err
	}
	for i, chunk := range chunks(rows) {
		change := &replica.RowChange{Rows: chunk}
		if i == 0 {
			change.Replace, change.Columns = true, header
		}
		p.out = append(p.out, replica.Edit{Kind: replica.OpRows, Entity: string(w.ID), Rows: change})
	}
	w.Columns, w.Rows = columns, rows
	p.live[w.ID] = w
	return nil
}

// append plans an addition to a widget's rows.
func (p *planner) append(w board.Widget, rows []json.RawMessage) error {
	if len(w.Columns) == 0 {
		return fault.Field("rows", "This widget has no columns yet.").WithHint("Import data or add a column first.")
	}
	header, err := json.Marshal(w.Columns)
	if err != nil {
		return fmt.Errorf("encode columns: %w", err)
	}
	rows, err = canonicalRows(rows, header)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fault.Field("rows", "There are no rows to add.")
	}
	for _, chunk := range chunks(rows) {
		p.out = append(p.out, replica.Edit{Kind: replica.OpRows, Entity: string(w.ID), Rows: &replica.RowChange{Rows: chunk}})
	}
	w.Rows = slices.Concat(w.Rows, rows)
	w.Rows = w.Rows[max(0, len(w.Rows)-replica.MaxRows):]
	p.live[w.ID] = w
	return nil
}

func (p *planner) dataBytes() int {
	n := 0
	for _, w := range p.live {
		for _, r := range w.Rows {
			n += len(r)
		}
	}
	return n
}

// chunks splits rows so that each piece fits into one operation. There is at least one piece.
func chunks(rows []json.RawMessage) [][]json.RawMessage {
	out := [][]json.RawMessage{}
	start, size := 0, 0
	for i, r := range rows {
		if size += len(r) + 1; size > maxChunk && i > start {
			out = append(out, rows[start:i:i])
			start, size = i, len(r)+1
		}
	}
	return append(out, rows[start:])
}

// canonicalRows checks rows against a header and brings each into the form in which it is stored.
func canonicalRows(rows []json.RawMessage, header json.RawMessage) ([]json.RawMessage, error) {
	if len(rows) > replica.MaxRows {
		f := fault.Newf(fault.TooLarge, "A widget holds at most %d rows.", replica.MaxRows)
		f.Field = "rows"
		return nil, f
	}
	out := make([]json.RawMessage, len(rows))
	for i, r := range rows {
		c, err := canonicalJSON(fmt.Sprintf("rows[%d]", i), r)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	done := 0
	for _, chunk := range chunks(out) {
		if f := board.CheckRows(&replica.RowChange{Replace: true, Columns: header, Rows: chunk}); f != nil {
			var i int
			if n, _ := fmt.Sscanf(f.Field, "rows[%d]", &i); n == 1 {
				f.Field = fmt.Sprintf("rows[%d]", done+i)
			}
			return nil, f
		}
		done += len(chunk)
	}
	return out, nil
}

// canonicalJSON is value as encoding/json writes it: compact, valid UTF-8. What goes out and comes back over the wire is
// then the same bytes, and equal values can be told by comparing them.
func canonicalJSON(field string, value json.RawMessage) (json.RawMessage, error) {
	if len(value) > board.MaxOpBytes {
		f := fault.New(fault.TooLarge, "This value is too long.")
		f.Field = field
		return nil, f
	}
	if !utf8.Valid(value) || len(value) == 0 {
		return nil, fault.Field(field, "This value is not valid text.")
	}
	out, err := json.Marshal(value)
	if err != nil {
		return nil, fault.Field(field, "This value is not JSON.").WithCause(err)
	}
	return out, nil
}

func jsonString(s string) json.RawMessage {
	b, err := json.Marshal(strings.ToValidUTF8(s, "�"))
	if err != nil {
		return json.RawMessage(`""`) // not reached: every string can be encoded
	}
	return b
}

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "�")
}
