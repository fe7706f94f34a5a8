package screen_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

const dsh = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")

// desk is a dashboard that is edited, with everything that ever happened to it.
type desk struct {
	state *replica.State
	clock hlc.Clock
	past  []replica.Past // oldest first
	ids   int
}

func newDesk() *desk { return &desk{state: replica.NewState(), clock: hlc.Clock{Dev: 1}} }

func (d *desk) newID() (board.WidgetID, error) {
	d.ids++
	return board.WidgetID(fmt.Sprintf("wgt_01J9ZQ0V9K3N8Y2T6W4X5B%04d", d.ids)), nil
}

func (d *desk) view() board.View { return board.NewView(dsh, d.state) }

func (d *desk) write(by string, at int64, edits []replica.Edit) {
	for _, e := range edits {
		op := replica.Op{Stamp: d.clock.Now(at), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows}
		d.state.Apply(op)
		p := replica.Past{Entry: replica.Entry{Seq: uint64(len(d.past)) + 1, Op: op, By: by, At: at}}
		if e.Rows != nil {
			p.Rows = len(e.Rows.Rows)
		}
		d.past = append(d.past, p)
	}
}

func (d *desk) do(t interface{ Fatal(...any) }, by string, at int64, edits ...screen.Edit) {
	p, err := screen.Plan(d.view(), edits, d.newID)
	if err != nil {
		t.Fatal(err)
	}
	d.write(by, at, p.Edits)
}

func (d *desk) restore(then board.View, rows bool, entity, field string) ([]replica.Edit, error) {
	p, err := screen.Restore(d.state, dsh, then, rows, entity, field, d.newID)
	return p.Edits, err
}

func text(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}

func rows(n ...int) []json.RawMessage {
	out := make([]json.RawMessage, len(n))
	for i := range n {
		out[i] = json.RawMessage(fmt.Sprintf("[%d]", n[i]))
	}
	return out
}

var column = []board.Column{{Name: "n", Type: "number"}}

func (d *desk) random(r *rapid.T, i int) {
	v := d.view()
	e := screen.Edit{Do: screen.DoAdd, Kind: board.KindTable, Title: fmt.Sprint("made ", i), Columns: column, Rows: rows(i)}
	if n := len(v.Widgets); n > 0 {
		w := v.Widgets[rapid.IntRange(0, n-1).Draw(r, "widget")].ID
		switch rapid.IntRange(0, 9).Draw(r, "what") {
		case 0:
		case 1:
			e = screen.Edit{Do: screen.DoRemove, Widget: w}
		case 2:
			e = screen.Edit{Do: screen.DoOption, Widget: w, Name: "limit", Value: json.RawMessage(fmt.Sprint(1 + i))}
		case 3:
			e = screen.Edit{Do: screen.DoOption, Widget: w, Name: "newestFirst", Value: json.RawMessage("null")}
		case 4:
			e = screen.Edit{Do: screen.DoRows, Widget: w, Columns: column, Rows: rows(i, i+1)}
		case 5:
			e = screen.Edit{Do: screen.DoAppend, Widget: w, Rows: rows(i)}
		case 6:
			e = screen.Edit{Do: screen.DoLayout, Widget: w, Value: json.RawMessage(fmt.Sprintf(`{"w":3,"h":2,"x":%d,"y":%d}`, i%9, i))}
		case 7:
			e = screen.Edit{Do: screen.DoBoard, Field: board.FieldTitle, Value: text(fmt.Sprint("board ", i))}
		case 8:
			e = screen.Edit{Do: screen.DoKind, Widget: w, Value: text(string(board.KindStat))}
		default:
			e = screen.Edit{Do: screen.DoTitle, Widget: w, Value: text(fmt.Sprint("title ", i))}
		}
	}
	d.do(r, "ann", int64(i), e)
}

func TestQ3_AnEarlierStateIsRestored(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		d := newDesk()
		var views []board.View
		for i := range rapid.IntRange(2, 25).Draw(r, "edits") {
			d.random(r, i)
			views = append(views, d.view())
		}
		then := views[rapid.IntRange(0, len(views)-1).Draw(r, "when")]
		// By way of JSON, as a device gets it from a server.
		b, err := json.Marshal(screen.NewThen("7", then, true))
		if err != nil {
			r.Fatal(err)
		}
		var told screen.Then
		if err := json.Unmarshal(b, &told); err != nil {
			r.Fatal(err)
		}
		back := told.View(dsh)
		if len(then.Widgets) > 0 && rapid.Bool().Draw(r, "one") {
			w := then.Widgets[rapid.IntRange(0, len(then.Widgets)-1).Draw(r, "of")]
			before := d.view()
			edits, err := d.restore(back, true, string(w.ID), "")
			if fault.KindOf(err) != fault.Conflict {
				if err != nil {
					r.Fatal(err)
				}
				d.write("ann", 1000, edits)
			}
			for _, x := range d.view().Widgets {
				want := x
				for _, o := range before.Widgets {
					if o.ID == x.ID {
						want = o
					}
				}
				if x.ID == w.ID {
					want = w
				}
				if !reflect.DeepEqual(x, want) {
					r.Fatalf("%+v\nnot %+v", x, want)
				}
			}
			return
		}
		edits, err := d.restore(back, true, "", "")
		if err != nil && fault.KindOf(err) != fault.Conflict {
			r.Fatal(err)
		}
		d.write("ann", 1000, edits)
		if got := d.view(); !reflect.DeepEqual(got, then) {
			r.Fatalf("%+v\nnot %+v", got, then)
		}
		if _, err := d.restore(back, true, "", ""); fault.KindOf(err) != fault.Conflict {
			r.Fatalf("restored twice: %v", err)
		}
	})
}

func TestQ3_OneFieldIsRestored(t *testing.T) {
	d := newDesk()
	d.do(t, "ann", 1, screen.Edit{Do: screen.DoAdd, Kind: board.KindTable, Title: "a", Columns: column, Rows: rows(1)})
	then := d.view()
	w := then.Widgets[0].ID
	d.do(t, "ann", 2, screen.Edit{Do: screen.DoTitle, Widget: w, Value: text("b")}, screen.Edit{Do: screen.DoRows, Widget: w, Columns: column, Rows: rows(2)},
		screen.Edit{Do: screen.DoOption, Widget: w, Name: "limit", Value: json.RawMessage("5")})
	for _, c := range []struct {
		field string
		rows  bool
		edits int
	}{{"title", true, 1}, {"rows", true, 1}, {"rows", false, 0}, {"opt.limit", false, 1}, {"layout", true, 0}} {
		edits, err := d.restore(then, c.rows, string(w), c.field)
		if len(edits) != c.edits || (err != nil) != (c.edits == 0) || c.edits == 1 && c.field != "rows" && edits[0].Field != c.field {
			t.Errorf("%s: %+v, %v", c.field, edits, err)
		}
	}
	if _, err := d.restore(then, true, "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A", ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a widget that never was: %v", err)
	}
}

// What was removed is restored as a whole, and what went for good comes back under a new id.
func TestQ3_SI21_WhatWasRemovedOrBuriedIsRestored(t *testing.T) {
	d := newDesk()
	limit := map[string]json.RawMessage{"limit": json.RawMessage("7")}
	d.do(t, "ann", 1, screen.Edit{Do: screen.DoAdd, Kind: board.KindTable, Title: "a", Columns: column, Rows: rows(1), Options: limit},
		screen.Edit{Do: screen.DoAdd, Kind: board.KindTable, Title: "stays"})
	then := d.view()
	w := then.Widgets[0]
	d.do(t, "ann", 2, screen.Edit{Do: screen.DoRemove, Widget: w.ID})
	if edits, err := d.restore(then, true, string(w.ID), "title"); fault.KindOf(err) != fault.Conflict || fault.From(err).Hint == "" {
		t.Errorf("one field of what was removed: %+v, %v", edits, err)
	}
	d.state.Apply(replica.Op{Kind: replica.OpBury, Entity: string(w.ID)})
	for _, entity := range []string{string(w.ID), ""} {
		p, err := screen.Restore(d.state, dsh, then, true, entity, "", d.newID)
		if err != nil || len(p.Added) != 1 || p.Added[0] == w.ID {
			t.Fatalf("%q: %+v, %v", entity, p, err)
		}
		o := &desk{state: d.state.Clone(), clock: d.clock}
		o.write("ann", 3, p.Edits)
		got := o.view()
		want := w
		want.ID = p.Added[0]
		if len(got.Widgets) != 2 || !reflect.DeepEqual(got.Widgets[0], want) && !reflect.DeepEqual(got.Widgets[1], want) {
			t.Errorf("%q: %+v", entity, got)
		}
	}
}

func TestQ3_WhoChangedWhatIsTold(t *testing.T) {
	d := newDesk()
	const minute = 60_000
	d.do(t, "ann", minute, screen.Edit{Do: screen.DoAdd, Kind: board.KindTable, Title: "a", Columns: column, Rows: rows(1, 2)})
	w := d.view().Widgets[0].ID
	d.do(t, "ann", 2*minute, screen.Edit{Do: screen.DoBoard, Field: board.FieldTitle, Value: text("x")})
	d.do(t, "ann", 3*minute, screen.Edit{Do: screen.DoBoard, Field: board.FieldTitle, Value: text("xy")})
	d.do(t, "bob", 4*minute, screen.Edit{Do: screen.DoAppend, Widget: w, Rows: rows(3)}, screen.Edit{Do: screen.DoAppend, Widget: w, Rows: rows(4, 5)})
	d.do(t, "bob", 20*minute, screen.Edit{Do: screen.DoRemove, Widget: w})
	lost := replica.Past{Entry: replica.Entry{Seq: 9, Op: d.past[0].Op, By: "gone", At: 21 * minute}, Lost: 3}
	past := []replica.Past{lost}
	for i := range d.past {
		past = append(past, d.past[len(d.past)-1-i])
	}
	got := screen.Changes(past, false, func(a string) (string, bool) { return map[string]string{"ann": "Ann", "bob": "Bob"}[a], a == "ann" },
		func(board.WidgetID) string { return "a" })
	type brief struct {
		by       string
		at       int64
		mine     bool
		lost     bool
		position string
		items    string
	}
	var told []brief
	for _, c := range got {
		items := ""
		for _, it := range c.Items {
			items += fmt.Sprintf("%s %s %s %d;", it.What, it.Field, it.Value, it.Rows)
		}
		told = append(told, brief{c.By, c.At / minute, c.Mine, c.Lost, c.Position, items})
	}
	n := len(d.past)
	want := []brief{
		{"", 21, false, true, "9.3", `set kind "table" 0;`},
		{"Bob", 20, false, false, fmt.Sprint(n), "removed   0;"},
		{"Bob", 4, false, false, fmt.Sprint(n - 1), "appended   3;"},
		{"Ann", 3, true, false, fmt.Sprint(n - 3), `set title "xy" 0;added   2;`},
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("%+v\nnot %+v", told, want)
	}
}

func TestB1_PlacesInTheHistory(t *testing.T) {
	for _, p := range []replica.Past{{Entry: replica.Entry{Seq: 12}}, {Entry: replica.Entry{Seq: 12}, Lost: 4}} {
		if got, err := screen.ParsePosition(screen.PositionOf(p, false)); err != nil || got != (screen.Position{Seq: p.Seq, Lost: p.Lost}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := screen.ParsePosition(screen.PositionOf(replica.Past{Entry: replica.Entry{Seq: 5}}, true)); err != nil || got != (screen.Position{Seq: 5, Unsent: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "0", "-1", "1.", "1.0", ".1", "device-", "device-1.2", "x", "99999999999999999999"} {
		if _, err := screen.ParsePosition(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
