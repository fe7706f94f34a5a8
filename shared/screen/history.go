package screen

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

// History is a page of a dashboard's history, the newest changes first. Next is what to ask for older ones with, "" where
// there are none. Missing says in words why older ones cannot be told, "" if that is all.
type History struct {
	Changes []HistoryChange `json:"changes"`
	Next    string          `json:"next"`
	Missing string          `json:"missing"`
}

// HistoryChange is what one person did in one go. Position names the state after it. By is who: a name, "" for somebody who
// has no account any more; Mine says that it was this account. At is when it ended. Waiting says that it has not reached the
// server, and Lost that somebody's later change had won, so that it never showed (rule Q3); it then has one item, and
// Position names the state as it would have been.
type HistoryChange struct {
	Position string        `json:"position"`
	At       int64         `json:"at"`
	By       string        `json:"by"`
	Mine     bool          `json:"mine"`
	Waiting  bool          `json:"waiting"`
	Lost     bool          `json:"lost"`
	Items    []HistoryItem `json:"items"`
}

// HistoryItem is one thing that was changed, in one widget or, where Widget is empty, in the dashboard's head. Title is what
// the widget is called now or was last, Field is of package board (for ItemSet), Value what it was set to, Rows how many rows
// were written.
type HistoryItem struct {
	What   Item            `json:"what"`
	Widget board.WidgetID  `json:"widget"`
	Title  string          `json:"title"`
	Field  string          `json:"field"`
	Value  json.RawMessage `json:"value,omitempty"`
	Rows   int             `json:"rows"`
}

// Item says what an item of the history is about.
type Item string

// The items: a field was set; a widget was added, removed, or brought back; the dashboard went to the trash or came from
// there; rows were added, replaced, or taken away from the beginning; what was removed long ago went for good.
const (
	ItemSet       Item = "set"
	ItemAdded     Item = "added"
	ItemRemoved   Item = "removed"
	ItemBack      Item = "back"
	ItemTrashed   Item = "trashed"
	ItemUntrashed Item = "untrashed"
	ItemAppended  Item = "appended"
	ItemReplaced  Item = "replaced"
	ItemTrimmed   Item = "trimmed"
	ItemBuried    Item = "buried"
)

// Then is a dashboard as it was at a position of its history. Rows is false where only the present rows are known.
type Then struct {
	Position    string       `json:"position"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Theme       board.Theme  `json:"theme"`
	Widgets     []WidgetView `json:"widgets"`
	Rows        bool         `json:"rows"`
}

// NewThen is the picture v as it was at a position.
func NewThen(position string, v board.View, rows bool) Then {
	whole := New(v, 1).Whole(BoardHead{})
	return Then{Position: position, Title: v.Title, Description: v.Description, Theme: v.Theme, Widgets: whole.Widgets, Rows: rows}
}

// View is the picture again.
func (t Then) View(id board.ID) board.View {
	v := board.View{ID: id, Title: t.Title, Description: t.Description, Theme: t.Theme, Alive: true, Widgets: make([]board.Widget, len(t.Widgets))}
	for i, w := range t.Widgets {
		v.Widgets[i] = w.Widget
	}
	return v
}

// unsentMark begins the positions of what waits on a device.
const unsentMark = "device-"

// PositionOf names the place of a change in a dashboard's history: on the server, or among what waits on a device.
func PositionOf(p replica.Past, unsent bool) string {
	text := strconv.FormatUint(p.Seq, 10)
	switch {
	case unsent:
		return unsentMark + text
	case p.Lost > 0:
		return text + "." + strconv.FormatUint(p.Lost, 10)
	}
	return text
}

// Position is a place in a dashboard's history. Unsent says that Seq is the number of an operation that waits on a device;
// otherwise it is one of the server's log, and Lost as in replica.Past.
type Position struct {
	Seq, Lost uint64
	Unsent    bool
}

// ParsePosition reads what PositionOf wrote. The fault is Invalid.
func ParsePosition(text string) (Position, error) {
	rest, unsent := strings.CutPrefix(text, unsentMark)
	seq, lost, hasLost := strings.Cut(rest, ".")
	p := Position{Unsent: unsent}
	var err error
	if p.Seq, err = strconv.ParseUint(seq, 10, 64); err == nil && hasLost {
		p.Lost, err = strconv.ParseUint(lost, 10, 64)
	}
	if err != nil || p.Seq == 0 || hasLost == (p.Lost == 0) || hasLost && unsent {
		return Position{}, fault.Field("position", "This is no place in the history of a dashboard.")
	}
	return p, nil
}

// ParseTarget says what is to be made as it was: of a widget's id, or BoardEntity for the head, one field if one is named, and the whole
// dashboard if nothing is. The fault is Invalid and names widget or field.
func ParseTarget(widget, field string) (entity string, err error) {
	known := field == board.FieldTitle
	switch widget {
	case "":
		if field != "" {
			return "", fault.Field("widget", "A field is one of a widget, or of the dashboard's head.").WithHint("Name a widget, or board.")
		}
		return "", nil
	case board.BoardEntity:
		known = known || field == board.FieldDescription || field == board.FieldTheme
	default:
		if _, err := board.ParseWidgetID(widget); err != nil {
			return "", fault.Field("widget", "This is no widget.").WithCause(err)
		}
		known = known || field == board.FieldKind || field == board.FieldLayout || field == FieldRows || strings.HasPrefix(field, board.OptionPrefix)
	}
	if field != "" && !known {
		return "", fault.Field("field", "There is no such field.")
	}
	return widget, nil
}

// Limits of a page of the history.
const (
	PageChanges = 50    // what people did in one go
	PageRecords = 500   // single changes, if there are as many
	PageLook    = 2_000 // single changes that are looked at, such as those of other widgets
	maxValue    = 4_096 // bytes of a value that is told; larger ones are seen in the state that a position names
)

// HistoryPage is a page of history, from changes and the place where they go on as replica.Hub.Past or, with unsent, Client.Unsent tell them.
// Who names an account, title a widget, as far as it is known.
func HistoryPage(past []replica.Past, next uint64, unsent bool, who func(account string) (name string, mine bool), title func(board.WidgetID) string) History {
	changes := Changes(past, unsent, who, func(id board.WidgetID) string {
		if t := title(id); t != "" {
			return t
		}
		return lastTitle(past, id)
	})
	for n := PageChanges; n < len(changes); n++ {
		at, last := place(changes[n].Position), place(changes[n-1].Position)
		if at.Seq < last.Seq { // whole positions only: several changes may have lost at one
			changes, next = changes[:n], at.Seq+1
			break
		}
	}
	h := History{Changes: changes}
	if next > 0 {
		h.Next = PositionOf(replica.Past{Entry: replica.Entry{Seq: next}}, unsent)
	}
	return h
}

// place is where a change is that this package has told.
func place(position string) Position {
	p, _ := ParsePosition(position) // written by PositionOf
	return p
}

// lastTitle is what a widget is called by the newest change of its title.
func lastTitle(past []replica.Past, id board.WidgetID) (title string) {
	for i := range past {
		if op := &past[i].Op; op.Kind == replica.OpSet && op.Entity == string(id) && op.Field == board.FieldTitle && past[i].Lost == 0 {
			_ = json.Unmarshal(op.Value, &title) // nonsense reads as no title, as everywhere
			return title
		}
	}
	return ""
}

// together is how long after a change another one of the same person still belongs to it, in ms.
const together = 5 * 60_000

// Changes tells a history, given the newest first, as what people did in one go. Who names an account, title a widget.
func Changes(past []replica.Past, unsent bool, who func(account string) (name string, mine bool), title func(board.WidgetID) string) []HistoryChange {
	all := []HistoryChange{}
	var of string      // the account of the last one
	var earliest int64 // the time of its first operation so far
	for i := range past {
		p := past[i]
		if p.At == 0 { // an earlier version took it and did not note when
			p.At = p.Op.At().Millis()
		}
		it, ok := itemOf(&p)
		if !ok {
			continue
		}
		if it.Widget != "" {
			it.Title = title(it.Widget)
		}
		n := len(all)
		if n > 0 && p.Lost == 0 && !all[n-1].Lost && p.By == of && earliest-p.At <= together && len(all[n-1].Items) < maxItems {
			earliest = p.At
			all[n-1].Items = join(all[n-1].Items, it)
			continue
		}
		c := HistoryChange{Position: PositionOf(p, unsent), At: p.At, Waiting: unsent, Lost: p.Lost > 0, Items: []HistoryItem{it}}
		c.By, c.Mine = who(p.By)
		all = append(all, c)
		of, earliest = p.By, p.At
	}
	return all
}

// maxItems bounds the items of a change; more begin another one.
const maxItems = 200

// join adds what came earlier to what one person did in one go.
func join(items []HistoryItem, earlier HistoryItem) []HistoryItem {
	if earlier.What == ItemSet && earlier.Field == board.FieldKind {
		if made := slices.IndexFunc(items, func(it HistoryItem) bool { return it.Widget == earlier.Widget && it.What == ItemBack }); made >= 0 {
			return added(items, made)
		}
	}
	for i := range items {
		it := &items[i]
		if it.Widget != earlier.Widget {
			continue
		}
		switch {
		case it.What == earlier.What && it.Field == earlier.Field && (it.What == ItemSet || it.What == ItemReplaced):
			return items // of several the last one counts
		case it.What == ItemAppended && (earlier.What == ItemAppended || earlier.What == ItemReplaced):
			it.What, it.Rows = earlier.What, it.Rows+earlier.Rows
			return items
		}
	}
	return append(items, earlier)
}

// added makes one item of everything that made a widget: its kind is written first, and last that it is there.
func added(items []HistoryItem, made int) []HistoryItem {
	it := items[made]
	it.What = ItemAdded
	rest := slices.DeleteFunc(items[made+1:], func(o HistoryItem) bool {
		if o.Widget == it.Widget && (o.What == ItemReplaced || o.What == ItemAppended) {
			it.Rows += o.Rows
		}
		return o.Widget == it.Widget
	})
	items[made] = it
	return items[:made+1+len(rest)]
}

// itemOf tells what a change changed; ok is false for what this version does not know.
func itemOf(p *replica.Past) (it HistoryItem, ok bool) {
	op := &p.Op
	if op.Entity != board.BoardEntity {
		it.Widget = board.WidgetID(op.Entity)
	}
	switch op.Kind {
	case replica.OpBury:
		it.What = ItemBuried
	case replica.OpRows:
		it.Rows = p.Rows
		switch {
		case op.Rows.Replace:
			it.What = ItemReplaced
		case it.Rows > 0:
			it.What = ItemAppended
		default:
			it.What = ItemTrimmed
		}
	case replica.OpSet:
		it.What, it.Field = ItemSet, op.Field
		if len(op.Value) <= maxValue {
			it.Value = op.Value
		}
		if op.Field == board.FieldAlive {
			it = HistoryItem{What: alive(it.Widget != "", string(op.Value) == "false"), Widget: it.Widget}
		}
	default:
		return it, false
	}
	return it, true
}

func alive(widget, gone bool) Item {
	switch {
	case widget && gone:
		return ItemRemoved
	case widget:
		return ItemBack
	case gone:
		return ItemTrashed
	}
	return ItemUntrashed
}

// Restore is what makes a dashboard, or what is named of it, as it was: a widget, or with field one of its registers or its
// rows (FieldRows), and with BoardEntity as entity one of the head. Now is the replica as it is, before the picture of then.
// Whether the dashboard lies in the trash is left as it is. With rows false rows are left as they are. A widget that was
// removed so long ago that it went for good comes back under a new id. The fault is Conflict where it is like that already or
// cannot be, and NotFound where there was no such widget then.
func Restore(now *replica.State, id board.ID, then board.View, rows bool, entity, field string, newID func() (board.WidgetID, error)) (Planned, error) {
	present := board.NewView(id, now)
	p := newPlanner(present, newID)
	p.lenient = true
	wants := func(f string) bool { return field == "" || field == f }
	set := func(entity, f string, value any) error {
		b, err := json.Marshal(value)
		if err != nil {
			return err //nolint:wrapcheck // of the values below none can fail
		}
		old, _, ok := now.Register(entity, f)
		if !wants(f) || ok && sameJSON(old, b) || !ok && bytes.Equal(b, absent(entity, f, nil)) {
			return nil
		}
		return p.set(entity, f, b)
	}
	if entity == "" || entity == board.BoardEntity {
		if err := errors.Join(set(board.BoardEntity, board.FieldTitle, then.Title), set(board.BoardEntity, board.FieldDescription, then.Description),
			set(board.BoardEntity, board.FieldTheme, then.Theme)); err != nil {
			return Planned{}, err
		}
	}
	found := entity == "" || entity == board.BoardEntity
	was := make(map[board.WidgetID]bool, len(then.Widgets))
	for _, w := range then.Widgets {
		was[w.ID] = true
		if entity != "" && entity != string(w.ID) {
			continue
		}
		found = true
		if _, there := p.live[w.ID]; !there && field != "" {
			return Planned{}, fault.New(fault.Conflict, "This widget was removed since.").WithHint("Restore the whole widget.")
		}
		if err := restoreWidget(p, now, w, rows, wants, set); err != nil {
			return Planned{}, err
		}
	}
	if entity == "" {
		for _, w := range present.Widgets {
			if !was[w.ID] {
				delete(p.live, w.ID)
				if err := p.set(string(w.ID), board.FieldAlive, json.RawMessage("false")); err != nil {
					return Planned{}, err
				}
			}
		}
	}
	switch {
	case found && field == FieldRows && !rows:
		return Planned{}, fault.New(fault.Conflict, "The data of that time are not kept any more.")
	case !found:
		f := fault.New(fault.NotFound, "This widget was not on the dashboard then.")
		f.Field = "widget"
		return Planned{}, f
	case len(p.out) == 0:
		return Planned{}, fault.New(fault.Conflict, "It is like that already.")
	}
	return Planned{Edits: p.out, Added: p.added}, p.fits()
}

// sameJSON reports whether two values are the same but for how they are written.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return bytes.Equal(a, b) || json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// FieldRows names a widget's rows and columns where registers are named.
const FieldRows = "rows"

// restoreWidget plans that a widget is as it was.
func restoreWidget(p *planner, now *replica.State, w board.Widget, rows bool, wants func(string) bool, set func(entity, f string, value any) error) error {
	entity := string(w.ID)
	if len(now.Fields(entity)) == 0 { // which stay of those that were removed, but for those that went for good
		return p.add(Edit{Kind: w.Kind, Title: w.Title, Layout: &w.Layout, Options: w.Options, Columns: w.Columns, Rows: w.Rows})
	}
	for _, r := range []struct {
		field string
		value any
	}{{board.FieldKind, w.Kind}, {board.FieldTitle, w.Title}, {board.FieldLayout, w.Layout}} {
		if err := set(entity, r.field, r.value); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Options)) {
		if err := set(entity, board.OptionPrefix+name, w.Options[name]); err != nil {
			return err
		}
	}
	for _, f := range now.Fields(entity) {
		name, isOption := strings.CutPrefix(f, board.OptionPrefix)
		if _, had := w.Options[name]; isOption && !had {
			if err := set(entity, f, nil); err != nil {
				return err
			}
		}
	}
	have, there := p.live[w.ID]
	if rows && wants(FieldRows) {
		if r := now.Rows(entity); !there && r != nil {
			have.Columns, _ = board.ParseColumns(r.Columns)
			have.Rows = slices.Collect(r.All())
		}
		if !slices.Equal(have.Columns, w.Columns) || !slices.EqualFunc(have.Rows, w.Rows, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			if err := p.rows(w, w.Columns, w.Rows); err != nil {
				return err
			}
		}
	}
	if !there {
		p.live[w.ID] = w
		return set(entity, board.FieldAlive, true) // last, so that nobody sees half a widget
	}
	return nil
}

// RestoreLabel names, in the undo menu, that a part of then was restored.
func RestoreLabel(then board.View, entity string) string {
	for _, w := range then.Widgets {
		if entity == string(w.ID) && w.Title != "" {
			return "Restore “" + w.Title + "”"
		}
	}
	return "Restore an earlier version"
}
