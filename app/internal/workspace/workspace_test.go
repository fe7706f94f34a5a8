package workspace_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

func TestSamplesShowEveryKindWithinTheGrid(t *testing.T) {
	d := newDevice(t)
	s := d.State()
	if len(s.Boards) != 3 {
		t.Fatalf("%d samples", len(s.Boards))
	}
	for _, b := range s.Boards {
		if !b.Sample || b.Sync != workspace.SyncDevice || b.Widgets < 6 {
			t.Errorf("%+v", b)
		}
		v := d.view(b.ID)
		kinds := map[board.Kind]bool{}
		taken := map[[2]int]string{}
		for _, w := range v.Widgets {
			kinds[w.Kind] = true
			for x := w.Layout.X; x < w.Layout.X+w.Layout.W; x++ {
				for y := w.Layout.Y; y < w.Layout.Y+w.Layout.H; y++ {
					if o := taken[[2]int{x, y}]; o != "" {
						t.Fatalf("%s: %q lies on %q", v.Title, w.Title, o)
					}
					taken[[2]int{x, y}] = w.Title + "?"
				}
			}
			if w.Kind != board.KindMarkdown && len(w.Rows) == 0 {
				t.Errorf("%s: %q has no rows", v.Title, w.Title)
			}
			for name := range w.Options {
				if !slices.ContainsFunc(board.Options(w.Kind), func(o board.Option) bool { return o.Name == name }) {
					t.Errorf("%s: a %s has no option %s", v.Title, w.Kind, name)
				}
			}
		}
		if len(kinds) != len(board.Kinds()) {
			t.Errorf("%s shows %v", v.Title, kinds)
		}
	}
	id := s.Boards[0].ID
	d.edit(id, "Rename", setTitle("", "My shop"))
	if d.summary(id).Sample {
		t.Error("an edited sample is still a sample")
	}
	for _, b := range s.Boards {
		d.must(d.Trash(b.ID))
		d.must(d.Destroy(b.ID))
	}
	d.restart()
	if n := len(d.State().Boards); n != 0 {
		t.Errorf("%d samples came back", n)
	}
}

// Every change is on disk before the call returns: a new run of the program shows it.
func TestQ1_EverythingWorksOfflineAndSurvivesARestart(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	d.edit(id, "Layout", workspace.Edit{Do: workspace.DoLayout, Widget: w, Value: json.RawMessage(`{"x":2,"y":1,"w":5,"h":4}`)})
	d.edit(id, "Option", workspace.Edit{Do: workspace.DoOption, Widget: w, Name: "limit", Value: json.RawMessage(`20`)})
	d.edit(id, "Append", workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`["b",2]`, `["c", null]`)})
	gone := d.add(id, board.KindMarkdown, "Gone")
	d.edit(id, "Remove", workspace.Edit{Do: workspace.DoRemove, Widget: gone})
	twin := d.edit(id, "Duplicate", workspace.Edit{Do: workspace.DoDuplicate, Widget: w}).Added[0]
	other, err := d.Duplicate(id)
	d.must(err)
	d.must(d.Trash(other))
	d.must(d.Settings(workspace.Settings{Theme: board.ThemeDark}))
	before, state := d.view(id), d.State()
	d.restart()
	after := d.view(id)
	after.Version, before.Version = 0, 0
	before.Undo, before.Redo = nil, nil
	for i := range before.Widgets {
		before.Widgets[i].Rev, before.Widgets[i].DataRev, after.Widgets[i].Rev, after.Widgets[i].DataRev = 0, 0, 0, 0
	}
	if text(before) != text(after) {
		t.Errorf("before %s\nafter  %s", text(before), text(after))
	}
	if len(after.Widgets) != 2 || after.Widgets[0].Layout.W != 5 || len(after.Widgets[0].Rows) != 3 || string(after.Widgets[0].Options["limit"]) != "20" {
		t.Errorf("%+v", after.Widgets)
	}
	if l := d.widget(id, twin).Layout; l.X != 7 || l.Y != 1 {
		t.Errorf("the copy lies at %+v", l)
	}
	if text(d.State()) != text(state) {
		t.Errorf("before %s\nafter  %s", text(state), text(d.State()))
	}
	if !d.summary(other).Trashed || d.view(other).Title != "Shop (copy)" || len(d.view(other).Widgets) != 2 {
		t.Errorf("%+v", d.summary(other))
	}
	d.must(d.Restore(other))
	if d.summary(other).Trashed {
		t.Error("still in the trash")
	}
}

func TestTrashBeforeDestroy(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	isFault(t, d.Destroy(id), fault.Conflict)
	d.must(d.Trash(id))
	_, err := d.Edit(id, []workspace.Edit{setTitle("", "x")}, "Rename")
	isFault(t, err, fault.Conflict)
	d.must(d.Destroy(id))
	_, err = d.Board(id)
	isFault(t, err, fault.NotFound)
	if len(d.State().Boards) != 0 {
		t.Error("still listed")
	}
}

func TestB1_BadEditsNameTheFieldAndChangeNothing(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	before := text(d.view(id))
	column := []board.Column{{Name: "a", Type: board.TypeText}}
	many := make([]json.RawMessage, replica.MaxRows+1)
	for i := range many {
		many[i] = json.RawMessage(`[]`)
	}
	good := setTitle(w, "good")
	for name, c := range map[string]struct {
		edit  workspace.Edit
		field string
		kind  fault.Kind
	}{
		"nothing known":     {workspace.Edit{Do: "explode", Widget: w}, "do", fault.Invalid},
		"no such widget":    {setTitle("wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1E", "x"), "widget", fault.NotFound},
		"board field":       {workspace.Edit{Do: workspace.DoBoard, Field: "alive", Value: json.RawMessage("false")}, "field", fault.Invalid},
		"title of 1 MB":     {setTitle("", strings.Repeat("a", 1<<20)), "title", fault.TooLarge},
		"title lines":       {setTitle(w, "a\nb"), "title", fault.Invalid},
		"title no JSON":     {workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage(`"a`)}, "title", fault.Invalid},
		"title no UTF-8":    {workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage("\"\xff\"")}, "title", fault.Invalid},
		"title missing":     {workspace.Edit{Do: workspace.DoTitle, Widget: w}, "title", fault.Invalid},
		"layout":            {workspace.Edit{Do: workspace.DoLayout, Widget: w, Value: json.RawMessage(`{"x":11,"y":0,"w":2,"h":1}`)}, "layout", fault.Invalid},
		"kind":              {workspace.Edit{Do: workspace.DoKind, Widget: w, Value: json.RawMessage(`"hologram"`)}, "kind", fault.Invalid},
		"new kind":          {workspace.Edit{Do: workspace.DoAdd, Kind: "hologram"}, "kind", fault.Invalid},
		"option":            {workspace.Edit{Do: workspace.DoOption, Widget: w, Name: "limit", Value: json.RawMessage(`0`)}, "opt.limit", fault.Invalid},
		"column type":       {workspace.Edit{Do: workspace.DoRows, Widget: w, Columns: []board.Column{{Name: "a", Type: "blob"}}}, "columns[0]", fault.Invalid},
		"row wide":          {workspace.Edit{Do: workspace.DoRows, Widget: w, Columns: column, Rows: raws(`["a"]`, `["a","b"]`)}, "rows[1]", fault.Invalid},
		"appended row wide": {workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`["a",1]`, `["a",1,2]`)}, "rows[1]", fault.Invalid},
		"row no list":       {workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`{}`)}, "rows[0]", fault.Invalid},
		"cell nested":       {workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`[[1]]`)}, "rows[0]", fault.Invalid},
		"nothing appended":  {workspace.Edit{Do: workspace.DoAppend, Widget: w}, "rows", fault.Invalid},
		"too many rows":     {workspace.Edit{Do: workspace.DoRows, Widget: w, Columns: column, Rows: many}, "rows", fault.TooLarge},
	} {
		_, err := d.Edit(id, []workspace.Edit{good, c.edit}, "Edit")
		if f := isFault(t, err, c.kind); f.Field != c.field {
			t.Errorf("%s: names %q, want %q (%s)", name, f.Field, c.field, f.Message)
		}
	}
	if after := text(d.view(id)); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	_, err := d.Create(strings.Repeat("a", board.MaxTitle+1))
	isFault(t, err, fault.TooLarge)
	isFault(t, d.Settings(workspace.Settings{Theme: "pink"}), fault.Invalid)
}

func TestB1_LimitsOfADashboard(t *testing.T) {
	d := bare(t)
	id := d.create("Full")
	add := make([]workspace.Edit, board.MaxWidgets)
	for i := range add {
		add[i] = workspace.Edit{Do: workspace.DoAdd, Kind: board.KindStat, Title: "x"}
	}
	d.edit(id, "Add", add...)
	_, err := d.Edit(id, add[:1], "Add")
	isFault(t, err, fault.TooLarge)
	w := d.view(id).Widgets
	wide := json.RawMessage(`["` + strings.Repeat("a", board.MaxCell) + `"]`)
	rows := make([]json.RawMessage, board.MaxDataBytes/2/len(wide))
	for i := range rows {
		rows[i] = wide
	}
	put := func(i int) error {
		_, err := d.PutRows(id, w[i].ID, []board.Column{{Name: "a", Type: board.TypeText}}, rows)
		return err
	}
	d.must(put(0))
	d.must(put(1))
	if f := isFault(t, put(2), fault.TooLarge); f.Field != "rows" {
		t.Errorf("names %q", f.Field)
	}
	d.must(put(1)) // a replacement counts once
	if n := len(d.widget(id, w[1].ID).Rows); n != len(rows) {
		t.Errorf("%d rows, want %d", n, len(rows))
	}
}

// A full disk is told, nothing changes on disk or on the screen, and work goes on once there is room.
func TestB1_FullDiskChangesNothing(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	before, state := text(d.view(id)), text(d.State())
	d.breakDisk(&os.PathError{Op: "write", Path: "data.db", Err: syscall.ENOSPC})
	for name, do := range map[string]func() error{
		"edit":    func() error { _, err := d.Edit(id, []workspace.Edit{setTitle(w, "new")}, "Rename"); return err },
		"rows":    func() error { _, err := d.PutRows(id, w, []board.Column{}, nil); return err },
		"create":  func() error { _, err := d.Create("x"); return err },
		"trash":   func() error { return d.Trash(id) },
		"share":   func() error { return d.Share(id, to("enable")) },
		"undo":    func() error { return d.Undo(id) },
		"setting": func() error { return d.Settings(workspace.Settings{Theme: board.ThemeDark}) },
		"login":   func() error { return d.LogIn(t.Context(), "https://x", "a@b", "right") },
	} {
		f := isFault(t, do(), fault.Unavailable)
		if !strings.Contains(f.Message, "disk is full") || f.Hint == "" {
			t.Errorf("%s: %s", name, f.Message)
		}
		if got := text(d.view(id)); got != before {
			t.Errorf("%s: before %s\nafter  %s", name, before, got)
		}
		if got := text(d.State()); got != state {
			t.Errorf("%s: before %s\nafter  %s", name, state, got)
		}
	}
	d.breakDisk(nil)
	d.edit(id, "Rename", setTitle(w, "new"))
	if got := d.widget(id, w); got.Title != "new" || len(got.Rows) != 1 {
		t.Errorf("%+v", got)
	}
	d.must(d.Undo(id))
	if got := d.widget(id, w).Title; got != "Orders" {
		t.Errorf("title %q", got)
	}
}

// What was just edited is shown, also when the clock has gone back, and after a restart.
func TestSI9_OwnEditsAreShownAtOnce(t *testing.T) {
	d := bare(t)
	id := d.create("0")
	for i := 1; i < 20; i++ {
		d.wait(time.Duration(i%3-1) * time.Hour)
		d.edit(id, fmt.Sprint(i), setTitle("", fmt.Sprint(i)))
		if got := d.view(id).Title; got != fmt.Sprint(i) {
			t.Fatalf("title %q after edit %d", got, i)
		}
		if i%5 == 0 {
			d.restart()
			if got := d.view(id).Title; got != fmt.Sprint(i) {
				t.Fatalf("title %q after edit %d and a restart", got, i)
			}
		}
	}
}

func TestPatchesCarryOnlyWhatChanged(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	a := d.add(id, board.KindTable, "A", `["a",1]`)
	b := d.add(id, board.KindLine, "B", `["b",1]`)
	v0 := d.view(id).Version
	patch := func(have int64) *workspace.BoardPatch {
		t.Helper()
		p, whole, err := d.BoardSince(id, have)
		d.must(err)
		if p == nil || whole != nil {
			t.Fatalf("no patch since %d", have)
		}
		return p
	}
	if p := patch(v0); len(p.Changed) != 0 || len(p.Order) != 2 || p.Version != v0 {
		t.Errorf("%s", text(p))
	}
	v1 := d.edit(id, "Rename", setTitle(a, "A2")).Version
	if p := patch(v0); len(p.Changed) != 1 || p.Changed[0].Title != "A2" || p.Changed[0].Rows != nil || p.Changed[0].Append != nil {
		t.Errorf("%s", text(p))
	}
	d.edit(id, "Append", workspace.Edit{Do: workspace.DoAppend, Widget: b, Rows: raws(`["b",2]`)})
	v3 := d.edit(id, "Append", workspace.Edit{Do: workspace.DoAppend, Widget: b, Rows: raws(`["b",3]`)}).Version
	if p := patch(v1); len(p.Changed) != 1 || text(p.Changed[0].Append) != `[["b",2],["b",3]]` || p.Changed[0].Rows != nil {
		t.Errorf("%s", text(p))
	}
	if p := patch(v3 - 1); text(p.Changed[0].Append) != `[["b",3]]` {
		t.Errorf("%s", text(p))
	}
	_, err := d.PutRows(id, b, []board.Column{}, nil)
	d.must(err)
	if p := patch(v3); p.Changed[0].Append != nil || text(p.Changed[0].Rows) != `[]` {
		t.Errorf("%s", text(p))
	}
	v5 := d.edit(id, "Remove", workspace.Edit{Do: workspace.DoRemove, Widget: a}).Version
	if p := patch(v3); len(p.Order) != 1 || p.Order[0] != b {
		t.Errorf("%s", text(p))
	}
	d.must(d.Undo(id))
	if p := patch(v5); len(p.Order) != 2 || len(p.Changed) != 1 || text(p.Changed[0].Rows) != `[["a",1]]` {
		t.Errorf("%s", text(p))
	}
	for _, have := range []int64{0, v0 - 100, d.view(id).Version + 1} {
		if p, whole, err := d.BoardSince(id, have); err != nil || p != nil || whole == nil {
			t.Errorf("since %d: %v, %v, %v", have, p, whole, err)
		}
	}
	d.restart()
	d.wait(time.Second)
	if p, _, err := d.BoardSince(id, v5); err != nil || p != nil {
		t.Errorf("a patch since an earlier run: %v, %v", p, err)
	}
}

// Nothing that goes to screens is null where they expect a list or an object.
func TestListsAreNeverNull(t *testing.T) {
	d := bare(t)
	if s := text(d.State()); !strings.Contains(s, `"boards":[]`) || !strings.Contains(s, `"account":null`) {
		t.Error(s)
	}
	id := d.create("Shop")
	w := d.edit(id, "Add", workspace.Edit{Do: workspace.DoAdd, Kind: board.KindMarkdown, Title: ""}).Added[0]
	null := regexp.MustCompile(`"(\w+)":null`)
	check := func(s string) {
		t.Helper()
		for _, m := range null.FindAllStringSubmatch(s, -1) {
			if !slices.Contains([]string{"undo", "redo", "refused", "receipt", "views", "organisation"}, m[1]) && !strings.HasSuffix(m[0], `"waiting":null`) {
				t.Errorf("%s is null in %s", m[1], s)
			}
		}
	}
	check(text(d.view(id)))
	if s := text(d.share(id)); strings.Count(s, `"waiting":[]`) != 1 { // null for a person, but not for the whole
		t.Error(s)
	}
	p, _, err := d.BoardSince(id, d.view(id).Version)
	d.must(err)
	check(text(p))
	check(text(d.edit(id, "x", setTitle(w, "y"))))
}

func TestEventsAreCoalesced(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	d.view(id)
	s := d.Subscribe()
	defer s.Close()
	var last int64
	for i := range 10 {
		last = d.edit(id, fmt.Sprint(i), setTitle("", fmt.Sprint(i))).Version
	}
	events, err := s.Wait(t.Context())
	d.must(err)
	if len(events) != 2 || events[0].Type != workspace.EventState || events[1].ID != id || events[1].Version != last {
		t.Errorf("%s", text(events))
	}
	s.Close()
	if _, err := s.Wait(t.Context()); err == nil {
		t.Error("a closed subscription waits")
	}
}
