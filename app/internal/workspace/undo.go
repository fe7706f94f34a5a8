package workspace

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

// step is one edit as Undo sees it: what was there before and after, field by field. Undoing is a new edit that writes
// what was there before, wherever the present value is still the one that the step left (SI22).
type step struct {
	label string
	at    time.Time
	// grouped says that the step may take in another one: it changes registers only.
	grouped bool
	fields  []fieldStep
	rows    []rowsStep
}

// fieldStep is one register: its value before (nil: there was none) and after.
type fieldStep struct {
	entity, field string
	before, after json.RawMessage
}

// rowsStep is one widget's rows. version is that of the picture which showed the step.
type rowsStep struct {
	widget        board.WidgetID
	before, after table
	version       int64
}

type table struct {
	columns []board.Column
	rows    []json.RawMessage
}

// newStep notes what edits are about to change. The caller holds w.write.
func newStep(d *dashboard, label string, at time.Time, edits []replica.Edit) *step {
	s := &step{label: label, at: at, grouped: true}
	for _, e := range edits {
		if e.Kind == replica.OpRows {
			s.grouped = false
			s.noteRows(d, board.WidgetID(e.Entity))
			continue
		}
		i := slices.IndexFunc(s.fields, func(f fieldStep) bool { return f.entity == e.Entity && f.field == e.Field })
		if i < 0 {
			before, _, _ := d.state.Register(e.Entity, e.Field)
			s.fields = append(s.fields, fieldStep{entity: e.Entity, field: e.Field, before: absent(e.Entity, e.Field, before)})
			i = len(s.fields) - 1
		}
		s.fields[i].after = e.Value
	}
	s.fields = slices.DeleteFunc(s.fields, func(f fieldStep) bool { return f.before == nil })
	return s
}

// absent is the value that stands for a register that was never written: not alive, automatic. Other registers are first
// written with the widget; they go with it.
func absent(entity, field string, before json.RawMessage) json.RawMessage {
	switch {
	case before != nil:
		return before
	case field == board.FieldAlive && entity != board.BoardEntity:
		return json.RawMessage("false")
	case field == board.FieldTheme:
		return json.RawMessage(`"system"`)
	case entity == board.BoardEntity && field != board.FieldAlive:
		return json.RawMessage(`""`)
	case strings.HasPrefix(field, board.OptionPrefix):
		return json.RawMessage("null")
	}
	return nil
}

func (s *step) noteRows(d *dashboard, id board.WidgetID) {
	w, ok := d.screen.widget(id)
	if !ok || slices.ContainsFunc(s.rows, func(r rowsStep) bool { return r.widget == id }) {
		return // the rows of a new widget go with it
	}
	s.rows = append(s.rows, rowsStep{widget: id, before: table{w.Columns, w.Rows}})
}

// done completes a step once its edits are in the picture. The caller holds w.mu.
func (s *step) done(d *dashboard) {
	for i := range s.rows {
		s.rows[i].version = d.screen.version
		if w, ok := d.screen.widget(s.rows[i].widget); ok {
			s.rows[i].after = table{w.Columns, w.Rows}
		}
	}
}

// back is the edits that take a step back, as far as nobody else wrote later; skipped says that somebody did.
func (s *step) back(d *dashboard, dev uint64) (edits []replica.Edit, skipped bool) {
	for _, f := range slices.Backward(s.fields) {
		now, stamp, ok := d.state.Register(f.entity, f.field)
		if !ok || stamp.Dev != dev || !bytes.Equal(now, f.after) {
			skipped = true
			continue
		}
		edits = append(edits, replica.Edit{Kind: replica.OpSet, Entity: f.entity, Field: f.field, Value: f.before})
	}
	for _, r := range s.rows {
		k := d.screen.shown[r.widget]
		if k == nil || k.foreign > r.version {
			skipped = true
			continue
		}
		p := newPlanner(d.screen.view, nil)
		if err := p.rows(board.Widget{ID: r.widget}, r.before.columns, r.before.rows); err != nil {
			skipped = true
			continue
		}
		edits = append(edits, p.out...)
	}
	return edits, skipped
}

func (s *step) bytes() int {
	n := 0
	for _, r := range s.rows {
		for _, row := range r.before.rows {
			n += len(row)
		}
		n += 24 * (len(r.before.rows) + len(r.after.rows))
	}
	return n
}

// stack holds steps, the latest last. When it is full the oldest go.
type stack struct{ steps []*step }

const (
	maxSteps     = 100
	maxStepBytes = 64 << 20 // of rows that steps keep from before
)

// push adds a step. With merge, a step that follows the last one within a moment and changes the same fields under the
// same label is taken into it.
func (k *stack) push(s *step, merge bool) {
	if len(s.fields) == 0 && len(s.rows) == 0 {
		return
	}
	if n := len(k.steps); merge && n > 0 && k.steps[n-1].absorb(s) {
		return
	}
	k.steps = append(k.steps, s)
	size := 0
	for i, s := range slices.Backward(k.steps) {
		if size += s.bytes(); (size > maxStepBytes || len(k.steps)-i > maxSteps) && i < len(k.steps)-1 {
			k.steps = slices.Delete(k.steps, 0, i+1)
			break
		}
	}
}

func (s *step) absorb(next *step) bool {
	if !s.grouped || !next.grouped || s.label != next.label || next.at.Sub(s.at) > burst || len(s.fields) != len(next.fields) {
		return false
	}
	for i := range s.fields {
		if s.fields[i].entity != next.fields[i].entity || s.fields[i].field != next.fields[i].field ||
			s.fields[i].field == board.FieldAlive || !bytes.Equal(s.fields[i].after, next.fields[i].before) {
			return false
		}
	}
	for i := range s.fields {
		s.fields[i].after = next.fields[i].after
	}
	s.at = next.at
	return true
}

func (k *stack) pop() { k.steps = slices.Clip(k.steps[:len(k.steps)-1]) }

func (k *stack) clear() { k.steps = nil }

func (k *stack) label() *string {
	if n := len(k.steps); n > 0 {
		return &k.steps[n-1].label
	}
	return nil
}

// Undo takes back the latest edit made here in this run of the program, except where somebody else wrote later. The fault
// is Conflict where nothing of it can be taken back.
func (w *Workspace) Undo(id board.ID) error {
	return w.travel(id, "There is nothing to undo.", func(d *dashboard) (from, to *stack) { return &d.undo, &d.redo })
}

// Redo does again what Undo took back.
func (w *Workspace) Redo(id board.ID) error {
	return w.travel(id, "There is nothing to do again.", func(d *dashboard) (from, to *stack) { return &d.redo, &d.undo })
}

func (w *Workspace) travel(id board.ID, nothing string, stacks func(*dashboard) (from, to *stack)) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return err
	}
	if err := d.mayEditNow(); err != nil {
		return err
	}
	dev, err := w.dev()
	if err != nil {
		return err
	}
	from, to := stacks(d)
	if len(from.steps) == 0 {
		return fault.New(fault.Conflict, nothing)
	}
	s := from.steps[len(from.steps)-1]
	edits, skipped := s.back(d, dev)
	if len(edits) > 0 {
		reverse := newStep(d, s.label, w.deps.Now(), edits)
		reverse.grouped = false
		if err := w.enqueue(d, edits); err != nil {
			return err
		}
		w.mu.Lock()
		reverse.done(d)
		from.pop()
		to.push(reverse, false)
		w.mu.Unlock()
		w.shown(d)
		if skipped {
			w.publish(notice(NoticeInfo, id, overwritten, ""))
		}
		return nil
	}
	w.mu.Lock()
	from.pop()
	w.mu.Unlock()
	w.shown(d)
	return fault.New(fault.Conflict, overwritten)
}

const overwritten = "Somebody else has changed this since, so it was left as it is."
