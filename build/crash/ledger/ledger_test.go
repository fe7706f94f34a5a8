package ledger_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"widgets.pro/build/crash/journal"
	"widgets.pro/build/crash/ledger"
	"widgets.pro/shared/board"
)

const (
	dashboard = board.ID("dsh_A")
	first     = board.WidgetID("wgt_1")
	second    = board.WidgetID("wgt_2")
)

// world is what a program has: dashboards by title, and the widgets of the one that is edited.
type world struct {
	titles map[string][]board.ID
	view   board.View
}

// desk is a program that did what it was asked for, and the account of that. One change of each kind is still in doubt.
func desk() (*ledger.Ledger, *world) {
	l := ledger.New()
	w := &world{titles: map[string][]board.ID{"Board": {dashboard}, "Sample": {"dsh_S"}}, view: board.View{ID: dashboard, Title: "Board", Widgets: []board.Widget{
		{ID: first, Title: "First", Options: map[string]json.RawMessage{"of-c": json.RawMessage(`"2"`)}},
		{ID: second, Title: "Second", Options: map[string]json.RawMessage{}},
	}}}
	l.Board("Board").Told()
	l.Widget(dashboard, "First").Told()
	l.Widget(dashboard, "Second").Told()
	for i := range 3 {
		row := json.RawMessage(fmt.Sprintf(`["row %d"]`, i))
		c := l.Batch(dashboard, []board.WidgetID{first, second}, row)
		f := l.Field(dashboard, first, "of-c", json.RawMessage(fmt.Sprintf(`"%d"`, i+1)))
		if i == 2 {
			break // not answered, and not done
		}
		c.Told()
		f.Told()
		for k := range w.view.Widgets {
			w.view.Widgets[k].Rows = append(w.view.Widgets[k].Rows, row)
		}
	}
	l.Board("In doubt")
	l.Widget(dashboard, "In doubt")
	return l, w
}

func (w *world) shown(l *ledger.Ledger, where string) {
	l.List(where, w.titles)
	l.Look(where, map[board.ID]board.View{dashboard: w.view})
}

func rows(texts ...string) (all []json.RawMessage) {
	for _, t := range texts {
		all = append(all, json.RawMessage(`["`+t+`"]`))
	}
	return all
}

// What is in doubt may be there or not, but not change its mind.
func TestADeskThatKeepsItsWordIsInOrder(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"nothing of what is in doubt is there": func(*world) {},
		"all of it is there": func(w *world) {
			w.titles["In doubt"] = []board.ID{"dsh_B"}
			w.view.Widgets = append(w.view.Widgets, board.Widget{ID: "wgt_3", Title: "In doubt"})
			w.view.Widgets[0].Rows, w.view.Widgets[1].Rows = rows("row 0", "row 1", "row 2"), rows("row 2", "row 1", "row 0")
			w.view.Widgets[0].Options["of-c"] = json.RawMessage(`"3"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, w := desk()
			change(w)
			for range 2 {
				w.shown(l, "the program")
			}
			if got := l.Breaches(); len(got) > 0 {
				t.Errorf("%v", got)
			}
			saved, all := l.Count()
			if known := len(l.Known()); all != 11 || saved != 7 && (saved != 11 || known != 2) {
				t.Errorf("%d of %d saved, %d dashboards", saved, all, known)
			}
		})
	}
}

func TestWhatADeskBreaksIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// before is what is there at the first look, which ends all doubts, lie what is there at the second.
		before, lie func(w *world)
		rule, says  string
	}{
		"SI2 a saved edit is lost": {nil, func(w *world) {
			w.view.Widgets[0].Rows, w.view.Widgets[1].Rows = rows("row 0"), rows("row 0")
		}, "SI2", `the edit ["row 1"] was saved and is lost`},
		"SI2 half of a saved edit is lost": {nil, func(w *world) {
			w.view.Widgets[1].Rows = rows("row 0")
		}, "SI2", `of the edit ["row 1"] only 1 of 2 parts are there`},
		"SI2 half of an edit in doubt": {func(w *world) {
			w.view.Widgets[1].Rows = rows("row 0", "row 1", "row 2")
		}, func(*world) {}, "SI2", `of the edit ["row 2"] only 1 of 2 parts are there`},
		"SI3 a row twice": {nil, func(w *world) {
			w.view.Widgets[0].Rows = rows("row 0", "row 1", "row 1")
		}, "SI3", `the row ["row 1"] is there 2 times`},
		"SI3 an edit that was not there comes back": {nil, func(w *world) {
			w.view.Widgets[0].Rows, w.view.Widgets[1].Rows = rows("row 0", "row 1", "row 2"), rows("row 0", "row 1", "row 2")
		}, "SI3", `the edit ["row 2"] was not there before, and is now`},
		"SI2 an edit that was seen is lost": {func(w *world) {
			w.view.Widgets[0].Rows, w.view.Widgets[1].Rows = rows("row 0", "row 1", "row 2"), rows("row 0", "row 1", "row 2")
		}, func(w *world) {
			w.view.Widgets[0].Rows, w.view.Widgets[1].Rows = rows("row 0", "row 1"), rows("row 0", "row 1")
		}, "SI2", `the edit ["row 2"] was saved and is lost`},
		"SI2 a field goes back": {nil, func(w *world) {
			w.view.Widgets[0].Options["of-c"] = json.RawMessage(`"1"`)
		}, "SI2", `of-c was saved as "2" and is "1"`},
		"SI2 a field is empty": {nil, func(w *world) {
			delete(w.view.Widgets[0].Options, "of-c")
		}, "SI2", `of-c was saved as "1" and is `},
		"SI3 a field holds what was not there before": {nil, func(w *world) {
			w.view.Widgets[0].Options["of-c"] = json.RawMessage(`"3"`)
		}, "SI3", `of-c holds "3", which was not there before`},
		"SI3 a field holds what nobody wrote": {nil, func(w *world) {
			w.view.Widgets[0].Options["of-c"] = json.RawMessage(`"9"`)
		}, "SI3", `of-c holds "9", which nobody wrote`},
		"SI2 a widget is lost": {nil, func(w *world) {
			w.view.Widgets = w.view.Widgets[:1]
		}, "SI2", "the widget Second was saved and is lost"},
		"SI3 a widget twice": {nil, func(w *world) {
			w.view.Widgets = append(w.view.Widgets, board.Widget{ID: "wgt_3", Title: "Second"})
		}, "SI3", "the widget Second is there 2 times"},
		"SI2 a dashboard is lost": {nil, func(w *world) {
			delete(w.titles, "Board")
		}, "SI2", "the dashboard Board was saved and is lost"},
		"SI3 a dashboard twice": {nil, func(w *world) {
			w.titles["Board"] = append(w.titles["Board"], "dsh_B")
		}, "SI3", "the dashboard Board is there 2 times"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, w := desk()
			if c.before != nil {
				c.before(w)
			}
			w.shown(l, "the first look")
			c.lie(w)
			w.shown(l, "the second look")
			if !slices.ContainsFunc(l.Breaches(), func(b journal.Breach) bool { return b.Rule == c.rule && strings.Contains(b.Text, c.says) }) {
				t.Errorf("not found: %s: %s\nin %v", c.rule, c.says, l.Breaches())
			}
		})
	}
}

func TestSI1_TwoThatDifferAreFound(t *testing.T) {
	t.Parallel()
	l, w := desk()
	_, other := desk()
	a, b := map[board.ID]board.View{dashboard: w.view}, map[board.ID]board.View{dashboard: other.view}
	if l.Same("one", "the other", a, b); len(l.Breaches()) > 0 {
		t.Errorf("%v", l.Breaches())
	}
	other.view.Widgets[1].Title = "Third"
	if l.Same("one", "the other", a, b); len(l.Breaches()) != 1 || l.Breaches()[0].Rule != "SI1" {
		t.Errorf("%v", l.Breaches())
	}
}
