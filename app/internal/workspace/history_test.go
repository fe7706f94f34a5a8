package workspace_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

func (d *device) history(id board.ID, before string, w board.WidgetID) workspace.History {
	d.t.Helper()
	h, err := d.History(d.t.Context(), id, before, string(w))
	d.must(err)
	return h
}

// Without a server everything that was ever done is the history; any state of it can be seen and restored, and undo takes
// that back, also after the program was started anew.
func TestQ3_SI22_HistoryOfADeviceAlone(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	type state struct{ position, content string }
	note := func() state { return state{d.history(id, "", "").Changes[0].Position, d.content(id)} }
	states := []state{note()}
	for _, e := range []workspace.Edit{
		setTitle(w, "Sales"),
		{Do: workspace.DoAppend, Widget: w, Rows: raws(`["b",2]`)},
		{Do: workspace.DoRemove, Widget: w},
		setTitle("", "Store"),
	} {
		d.wait(time.Hour)
		d.edit(id, "Edit", e)
		states = append(states, note())
	}
	h := d.history(id, "", "")
	var told []string
	for _, c := range h.Changes {
		if !c.Waiting || !c.Mine || c.Lost || c.At == 0 {
			t.Errorf("%+v", c)
		}
		for _, it := range c.Items {
			told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s %d", it.What, it.Title, it.Field, it.Rows)))
		}
	}
	want := []string{"set  title 0", "removed Sales  0", "appended Sales  1", "set Sales title 0", "added Sales  1", "set  title 0"}
	if !slices.Equal(told, want) || h.Next != "" || h.Missing != "" {
		t.Errorf("%q, next %q, missing %q", told, h.Next, h.Missing)
	}
	if of := d.history(id, "", w); len(of.Changes) != 4 {
		t.Errorf("%+v", of)
	}
	d.restart()
	for i, s := range states {
		then, err := d.Then(t.Context(), id, s.position)
		d.must(err)
		if got := len(then.Widgets); (got == 0) != (i >= 3) || !then.Rows || then.Position != s.position {
			t.Errorf("%d: %+v", i, then)
		}
		last := d.content(id)
		if last == s.content {
			continue
		}
		_, err = d.RestoreTo(t.Context(), id, s.position, "", "")
		d.must(err)
		if got := d.content(id); got != s.content {
			t.Errorf("%d: %s\nnot %s", i, got, s.content)
		}
		d.must(d.Undo(id))
		if got := d.content(id); got != last {
			t.Errorf("%d, undone: %s\nnot %s", i, got, last)
		}
	}
	_, err := d.RestoreTo(t.Context(), id, states[0].position, string(w), "title")
	isFault(t, err, fault.Conflict) // of what was removed the whole is restored
	_, err = d.RestoreTo(t.Context(), id, states[0].position, string(w), "")
	d.must(err)
	if got := d.history(id, "", w).Changes[0].Items[0]; got.Title != "Orders" || got.What != screen.ItemBack || len(d.widget(id, w).Rows) != 1 {
		t.Errorf("%+v", got)
	}
	d.must(d.Trash(id))
	_, err = d.RestoreTo(t.Context(), id, states[0].position, "", "")
	isFault(t, err, fault.Conflict)
}

// A queue that has become too long is folded; what is not known any more is not told, and the history says so.
func TestQ3_SI14_AHistoryThatWasFolded(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	first := d.history(id, "", "").Changes[0].Position
	for batch := range 22 {
		d.wait(time.Minute)
		edits := make([]workspace.Edit, 1000)
		for i := range edits {
			edits[i] = setTitle("", fmt.Sprint("title ", batch, " ", i))
		}
		d.edit(id, "Many", edits...)
	}
	pages := 0
	for before := ""; ; pages++ {
		h := d.history(id, before, "")
		if before = h.Next; before == "" {
			if h.Missing == "" {
				t.Error("nothing is said of what is missing")
			}
			break
		}
		if h.Missing != "" {
			t.Errorf("page %d: %q", pages, h.Missing)
		}
	}
	if pages < 20 {
		t.Errorf("%d pages", pages)
	}
	_, err := d.Then(t.Context(), id, first)
	if f := isFault(t, err, fault.NotFound); f.Field != "position" {
		t.Errorf("%+v", f)
	}
}

func TestB1_BadPlacesInTheHistory(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	before := d.content(id)
	for _, c := range []struct {
		before, widget string
		field          string
	}{{"x", "", "before"}, {"0", "", "before"}, {"3.1", "", "before"}, {"", "x", "widget"}} {
		_, err := d.History(t.Context(), id, c.before, c.widget)
		if f := isFault(t, err, fault.Invalid); f.Field != c.field {
			t.Errorf("%+v: %+v", c, f)
		}
	}
	for _, c := range []struct {
		position, widget, field string
		kind                    fault.Kind
		wrong                   string
	}{
		{"x", "", "", fault.Invalid, "position"},
		{"7", "", "", fault.NotFound, "position"},
		{"device-99", "", "", fault.NotFound, "position"},
		{"device-1", "x", "", fault.Invalid, "widget"},
		{"device-1", "", "title", fault.Invalid, "widget"},
		{"device-1", "board", "opt.unit", fault.Invalid, "field"},
		{"device-1", "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A", "", fault.NotFound, "widget"},
		{"device-1", "board", "", fault.Conflict, ""},
	} {
		_, err := d.RestoreTo(t.Context(), id, c.position, c.widget, c.field)
		if f := isFault(t, err, c.kind); f.Field != c.wrong {
			t.Errorf("%+v: %+v", c, f)
		}
	}
	if _, err := d.History(t.Context(), "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D", "", ""); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	if got := d.content(id); got != before {
		t.Errorf("%s\nnot %s", got, before)
	}
}

// Whoever lost a conflict is told what about, once for each answer of the server; where somebody else wrote the same, or nobody
// wrote later, nothing is said.
func TestQ3_WhoLostAConflictIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		theirs, mine func(w board.WidgetID) []workspace.Edit
		told         string
	}{
		{
			"a title typed letter by letter", one(setTitle("", "Theirs")), one(setTitle("", "M"), setTitle("", "Mine")),
			"“Theirs”: your change of the title reached the server after a later one, which stays.",
		},
		{"a widget's title", of("T"), of("M"), "“Shop”: your change of the title of “T” reached the server after a later one, which stays."},
		{
			"two fields", one(setTitle("", "Theirs"), describe("theirs")), one(setTitle("", "Mine"), describe("mine")),
			"“Theirs”: 2 of your changes reached the server after later ones, which stay.",
		},
		{"a description", one(describe("theirs")), one(describe("mine")), "“Shop”: your change of the description reached the server after a later one, which stays."},
		{"rows", rowsOf(`["t",1]`), rowsOf(`["m",1]`), "“Shop”: your change of the data of “Orders” reached the server after a later one, which stays."},
		{"the same", one(setTitle("", "Ours")), one(setTitle("", "Ours")), ""},
		{"something else", one(describe("theirs")), one(setTitle("", "Mine")), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := bare(t)
			id := d.create("Shop")
			w := d.add(id, board.KindTable, "Orders", `["a",1]`)
			s := newServer(d, id)
			d.edit(id, "Edit", c.mine(w)...)
			d.wait(time.Minute)
			s.somebody(planned(t, d, id, c.theirs(w))...)
			sub := d.Subscribe()
			t.Cleanup(sub.Close)
			s.push()
			events, err := sub.Wait(t.Context())
			d.must(err)
			var told []string
			for _, e := range events {
				if e.Type == workspace.EventNotice {
					if told = append(told, e.Notice.Message); e.Notice.Board != id || !strings.HasSuffix(e.Notice.Hint, "in the history.") {
						t.Errorf("%+v", e.Notice)
					}
				}
			}
			if strings.Join(told, "|") != c.told {
				t.Errorf("told %q", told)
			}
		})
	}
}

func one(edits ...workspace.Edit) func(board.WidgetID) []workspace.Edit {
	return func(board.WidgetID) []workspace.Edit { return edits }
}

func of(title string) func(board.WidgetID) []workspace.Edit {
	return func(w board.WidgetID) []workspace.Edit { return []workspace.Edit{setTitle(w, title)} }
}

func describe(s string) workspace.Edit {
	return workspace.Edit{Do: workspace.DoBoard, Field: board.FieldDescription, Value: raws(text(s))[0]}
}

func rowsOf(rows ...string) func(board.WidgetID) []workspace.Edit {
	return func(w board.WidgetID) []workspace.Edit {
		return []workspace.Edit{{Do: workspace.DoRows, Widget: w, Rows: raws(rows...), Columns: []board.Column{{Name: "a", Type: board.TypeText}, {Name: "b", Type: board.TypeNumber}}}}
	}
}

// planned is what edits of another device come to.
func planned(t *testing.T, d *device, id board.ID, edits []workspace.Edit) []replica.Edit {
	t.Helper()
	v := board.View{ID: id}
	for _, w := range d.view(id).Widgets {
		v.Widgets = append(v.Widgets, w.Widget)
	}
	p, err := screen.Plan(v, edits, nil)
	d.must(err)
	return p.Edits
}
