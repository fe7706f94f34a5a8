package screen

import (
	"encoding/json"
	"slices"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// Tray is what the server refused of the edits made here, until the user keeps them as a copy or discards them. Edits of
// the same field that were refused for the same reason are told as one change; Edits counts them all. Changes are in the
// order in which they were first made, at most MaxTray of them; More is how many others there are. Denied is why the
// dashboard cannot be opened any more, "" if it can.
type Tray struct {
	Edits   int          `json:"edits"`
	Changes []TrayChange `json:"changes"`
	More    int          `json:"more"`
	Denied  string       `json:"denied"`
}

// TrayChange is one change that was refused. Widget and Kind are the widget's title and kind as far as they are known, Gone
// says that it does not exist any more; all are empty for a change of the dashboard itself. Option is the option's name for
// ChangeOption. Value is what was written, as a text for people, clipped; Rows counts rows. Times is how many edits it took,
// At when the last of them was made, Reason and Why the server's verdict.
type TrayChange struct {
	Change Change         `json:"change"`
	Board  bool           `json:"board"`
	Widget string         `json:"widget"`
	Kind   board.Kind     `json:"kind"`
	Gone   bool           `json:"gone"`
	Option string         `json:"option"`
	Value  string         `json:"value"`
	Rows   int            `json:"rows"`
	Times  int            `json:"times"`
	At     int64          `json:"at"`
	Reason replica.Reason `json:"reason"`
	Why    string         `json:"why"`
}

// Change is what an edit changes, in a word.
type Change string

// The changes. ChangeOther is one that this version does not know.
const (
	ChangeTitle       Change = "title"
	ChangeDescription Change = "description"
	ChangeTheme       Change = "theme"
	ChangeTrash       Change = "trash"
	ChangeRestore     Change = "restore"
	ChangeAdd         Change = "add"
	ChangeRemove      Change = "remove"
	ChangeKind        Change = "kind"
	ChangeLayout      Change = "layout"
	ChangeOption      Change = "option"
	ChangeRows        Change = "rows"
	ChangeAppend      Change = "append"
	ChangeTrim        Change = "trim"
	ChangeOther       Change = "other"
)

// Limits of a Tray.
const (
	MaxTray   = 200 // changes
	maxQuoted = 200 // characters of a value
)

// NewTray tells what was refused. State is the dashboard without it, buried what was known of widgets that the server has
// removed for good.
func NewTray(state *replica.State, buried []replica.Op, refused []replica.Refused) Tray {
	t := Tray{Edits: len(refused), Changes: []TrayChange{}}
	added := map[string]bool{} // widgets that are new in the tray
	for i := range refused {
		if op := &refused[i].Op; op.Kind == replica.OpSet && op.Field == board.FieldKind {
			if _, _, known := state.Register(op.Entity, board.FieldKind); !known && !isBuried(buried, op.Entity) {
				added[op.Entity] = true
			}
		}
	}
	type key struct {
		entity, field string
		change        Change
		why           string
	}
	at := map[key]int{}
	var all []TrayChange
	entities := []string{}
	past := replica.NewState() // what else is known of widgets
	unbury(past, buried)
	for i := range refused {
		past.Apply(refused[i].Op)
	}
	for i := range refused {
		r := &refused[i]
		c, option := changeOf(&r.Op)
		if added[r.Op.Entity] && c != ChangeRemove {
			c, option = ChangeAdd, "" // everything that it was made with
		}
		k := key{r.Op.Entity, option, c, r.Outcome.Detail}
		n, ok := at[k]
		if !ok {
			n = len(all)
			at[k] = n
			all = append(all, TrayChange{
				Change: c, Board: r.Op.Entity == board.BoardEntity, Option: option, Reason: r.Outcome.Reason, Why: r.Outcome.Detail,
			})
			entities = append(entities, r.Op.Entity)
		}
		x := &all[n]
		x.Times++
		x.At = r.Op.At().Millis()
		if c != ChangeAdd {
			x.Value = valueOf(&r.Op)
		}
		switch {
		case r.Op.Rows == nil:
		case r.Op.Rows.Replace:
			x.Rows = len(r.Op.Rows.Rows)
		default:
			x.Rows += len(r.Op.Rows.Rows)
		}
	}
	t.More = max(0, len(all)-MaxTray)
	for i, x := range all[:len(all)-t.More] {
		if !x.Board {
			x.Widget, x.Kind, x.Gone = nameOf(state, past, entities[i])
			if x.Change == ChangeAdd {
				x.Gone = false
			}
		}
		t.Changes = append(t.Changes, x)
	}
	return t
}

// changeOf says what an operation changes, and the option's name if that is one.
func changeOf(op *replica.Op) (c Change, option string) {
	if op.Kind == replica.OpRows && op.Rows != nil {
		switch {
		case op.Rows.Replace:
			return ChangeRows, ""
		case len(op.Rows.Rows) == 0:
			return ChangeTrim, ""
		}
		return ChangeAppend, ""
	}
	if op.Kind != replica.OpSet {
		return ChangeOther, ""
	}
	ofBoard, alive := op.Entity == board.BoardEntity, string(op.Value) == "true"
	switch {
	case op.Field == board.FieldTitle:
		return ChangeTitle, ""
	case op.Field == board.FieldDescription && ofBoard:
		return ChangeDescription, ""
	case op.Field == board.FieldTheme && ofBoard:
		return ChangeTheme, ""
	case op.Field == board.FieldAlive && ofBoard && !alive:
		return ChangeTrash, ""
	case op.Field == board.FieldAlive && alive:
		return ChangeRestore, ""
	case op.Field == board.FieldAlive:
		return ChangeRemove, ""
	case op.Field == board.FieldKind:
		return ChangeKind, ""
	case op.Field == board.FieldLayout:
		return ChangeLayout, ""
	}
	if name, ok := strings.CutPrefix(op.Field, board.OptionPrefix); ok {
		return ChangeOption, short(name)
	}
	return ChangeOther, ""
}

// valueOf is what an operation writes, as a text for people; "" where there is nothing to read.
func valueOf(op *replica.Op) string {
	if op.Kind != replica.OpSet || op.Field == board.FieldAlive || op.Field == board.FieldLayout {
		return ""
	}
	var s string
	if json.Unmarshal(op.Value, &s) != nil {
		if s = string(op.Value); s == "null" {
			s = ""
		}
	}
	return short(s)
}

func short(s string) string {
	if r := []rune(s); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "…"
	}
	return s
}

// nameOf is a widget's title and kind, by what others see or else by what was known here; gone says that others see none.
func nameOf(state, past *replica.State, entity string) (title string, kind board.Kind, gone bool) {
	from := state
	if _, _, ok := state.Register(entity, board.FieldTitle); !ok {
		from = past
	}
	if raw, _, ok := from.Register(entity, board.FieldTitle); ok {
		_ = json.Unmarshal(raw, &title)
	}
	if raw, _, ok := from.Register(entity, board.FieldKind); ok {
		_ = json.Unmarshal(raw, &kind)
	}
	alive, _, _ := state.Register(entity, board.FieldAlive)
	return short(title), kind, string(alive) != "true"
}

func isBuried(buried []replica.Op, entity string) bool {
	return slices.ContainsFunc(buried, func(op replica.Op) bool { return op.Entity == entity })
}

// unbury puts back what was known of buried widgets.
func unbury(s *replica.State, buried []replica.Op) {
	for _, op := range buried {
		s.Apply(op)
	}
}

// WithTray is the picture of a dashboard with everything in it that was refused, as a copy of one's own shows it: the
// refused edits are the latest there, and widgets that were removed by others are there again if they were edited here. State
// is the dashboard without them, which is not changed; buried is as in NewTray.
func WithTray(id board.ID, state *replica.State, buried []replica.Op, refused []replica.Refused) board.View {
	s := state.Clone()
	unbury(s, buried)
	clock := hlc.Clock{Dev: 1, Last: s.Max().T}
	moved := map[hlc.Stamp]hlc.Stamp{}
	touched, removed := map[string]bool{}, map[string]bool{}
	order := []string{}
	for _, r := range refused {
		op := r.Op
		was := op.At()
		op.Stamp, op.As = clock.Now(0), hlc.Stamp{}
		if rows := op.Rows; rows != nil {
			next := *rows
			moved[was], next.First = op.Stamp, 0
			if d := rows.DropTo; d != nil {
				key := *d
				if to, ok := moved[key.Stamp]; ok {
					key.Stamp = to
				}
				next.DropTo = &key
			}
			op.Rows = &next
		}
		s.Apply(op)
		if op.Field == board.FieldAlive {
			removed[op.Entity] = string(op.Value) != "true"
			continue
		}
		if op.Entity != board.BoardEntity && op.Field != board.FieldLayout && !touched[op.Entity] {
			touched[op.Entity] = true
			order = append(order, op.Entity)
		}
	}
	for _, e := range order {
		if !removed[e] {
			revive(s, &clock, e)
		}
	}
	return board.NewView(id, s)
}

// revive makes a widget alive again. Where its kind is not known, one is taken that shows what there is.
func revive(s *replica.State, clock *hlc.Clock, entity string) {
	if raw, _, _ := s.Register(entity, board.FieldAlive); string(raw) == "true" {
		return
	}
	set := func(field, value string) {
		s.Apply(replica.Op{Stamp: clock.Now(0), Kind: replica.OpSet, Entity: entity, Field: field, Value: json.RawMessage(value)})
	}
	set(board.FieldAlive, "true")
	if _, _, ok := s.Register(entity, board.FieldKind); ok {
		return
	}
	kind := board.KindMarkdown
	if s.Rows(entity) != nil {
		kind = board.KindTable
	}
	set(board.FieldKind, `"`+string(kind)+`"`)
}
