package screen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// Step is one edit as undo sees it: what was there before and after, field by field. Undoing is a new edit that writes
// what was there before, wherever the present value is still the one that the step left (SI22).
type Step struct {
	label string
	at    time.Time
	// grouped says that the step may take in another one: it changes registers only.
	grouped bool
	fields  []fieldStep
	rows    []rowsStep
	// size is what bytes said when the step was pushed: counting rows takes as long as there are many.
	size int
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

// MaxLabel bounds the label of a step, in bytes.
const MaxLabel = 200

// burst is how long after an edit another one of the same fields still belongs to it: time to type the next letter.
const burst = time.Second

// NewStep notes what edits are about to change. State is the replica that they have not been merged into yet, sc the screen
// that does not show them yet.
func NewStep(sc *Screen, state *replica.State, label string, at time.Time, edits []replica.Edit) *Step {
	s := &Step{label: clip(label, MaxLabel), at: at, grouped: true}
	for _, e := range edits {
		if e.Kind == replica.OpRows {
			s.grouped = false
			s.noteRows(sc, board.WidgetID(e.Entity))
			continue
		}
		i := slices.IndexFunc(s.fields, func(f fieldStep) bool { return f.entity == e.Entity && f.field == e.Field })
		if i < 0 {
			before, _, _ := state.Register(e.Entity, e.Field)
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

func (s *Step) noteRows(sc *Screen, id board.WidgetID) {
	w, ok := sc.Widget(id)
	if !ok || slices.ContainsFunc(s.rows, func(r rowsStep) bool { return r.widget == id }) {
		return // the rows of a new widget go with it
	}
	s.rows = append(s.rows, rowsStep{widget: id, before: table{w.Columns, w.Rows}})
}

// Done completes a step once its edits are in the picture.
func (s *Step) Done(sc *Screen) {
	for i := range s.rows {
		s.rows[i].version = sc.version
		if w, ok := sc.Widget(s.rows[i].widget); ok {
			s.rows[i].after = table{w.Columns, w.Rows}
		}
	}
}

// Back is the edits that take back a step which device dev made, as far as nobody else wrote later; skipped says that
// somebody did.
func (s *Step) Back(sc *Screen, state *replica.State, dev uint64) (edits []replica.Edit, skipped bool) {
	for _, f := range slices.Backward(s.fields) {
		now, stamp, ok := state.Register(f.entity, f.field)
		if !ok || stamp.Dev != dev || !bytes.Equal(now, f.after) {
			skipped = true
			continue
		}
		edits = append(edits, replica.Edit{Kind: replica.OpSet, Entity: f.entity, Field: f.field, Value: f.before})
	}
	for _, r := range s.rows {
		k := sc.shown[r.widget]
		if k == nil || k.foreign(dev) > r.version {
			skipped = true
			continue
		}
		p := newPlanner(sc.view, nil)
		if err := p.rows(board.Widget{ID: r.widget}, r.before.columns, r.before.rows); err != nil {
			skipped = true
			continue
		}
		edits = append(edits, p.out...)
	}
	return edits, skipped
}

// Reverse notes what edits that Back returned are about to change, so that they can be taken back in turn.
func (s *Step) Reverse(sc *Screen, state *replica.State, at time.Time, edits []replica.Edit) *Step {
	r := NewStep(sc, state, s.label, at, edits)
	r.grouped = false
	return r
}

func (s *Step) bytes() int {
	n := 0
	for _, r := range s.rows {
		for _, row := range r.before.rows {
			n += len(row)
		}
		n += 24 * (len(r.before.rows) + len(r.after.rows))
	}
	return n
}

// Stack holds steps, the latest last. When it is full the oldest go. The zero Stack is empty.
type Stack struct {
	// Limit is how many bytes of rows the steps may keep from before; 0 means 64 MiB.
	Limit int

	steps []*Step
}

const (
	maxSteps     = 100
	maxStepBytes = 64 << 20
)

// Push adds a step. With merge, a step that follows the last one within a moment and changes the same fields under the
// same label is taken into it.
func (k *Stack) Push(s *Step, merge bool) {
	if len(s.fields) == 0 && len(s.rows) == 0 {
		return
	}
	if n := len(k.steps); merge && n > 0 && k.steps[n-1].absorb(s) {
		return
	}
	s.size = s.bytes()
	k.steps = append(k.steps, s)
	limit, size := cmp.Or(k.Limit, maxStepBytes), 0
	for i, s := range slices.Backward(k.steps) {
		if size += s.size; (size > limit || len(k.steps)-i > maxSteps) && i < len(k.steps)-1 {
			k.steps = slices.Delete(k.steps, 0, i+1)
			break
		}
	}
}

func (s *Step) absorb(next *Step) bool {
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

// Last is the latest step, nil if there is none.
func (k *Stack) Last() *Step {
	if n := len(k.steps); n > 0 {
		return k.steps[n-1]
	}
	return nil
}

// Pop drops the latest step. There must be one.
func (k *Stack) Pop() { k.steps = slices.Clip(k.steps[:len(k.steps)-1]) }

// Clear drops all.
func (k *Stack) Clear() { k.steps = nil }

// Label is the label of the latest step, nil if there is none.
func (k *Stack) Label() *string {
	if s := k.Last(); s != nil {
		return &s.label
	}
	return nil
}

// Bytes is roughly what the steps keep in memory.
func (k *Stack) Bytes() int {
	n := 0
	for _, s := range k.steps {
		n += s.size
	}
	return n
}

// Words for what undo and redo meet.
const (
	NothingToUndo = "There is nothing to undo."
	NothingToRedo = "There is nothing to do again."
	Overwritten   = "Somebody else has changed this since, so it was left as it is."
)
