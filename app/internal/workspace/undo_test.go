package workspace_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// content is what of a dashboard's picture undo is to restore.
func (d *device) content(id board.ID) string {
	v := d.view(id)
	for i := range v.Widgets {
		v.Widgets[i].Rev, v.Widgets[i].DataRev = 0, 0
	}
	return text(map[string]any{"title": v.Title, "description": v.Description, "theme": v.Theme, "widgets": v.Widgets})
}

func TestSI22_UndoRestoresWhatWasSeenStepByStep(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`, `["b",2]`)
	var added board.WidgetID
	steps := []func() workspace.Edited{
		func() workspace.Edited { return d.edit(id, "Rename", setTitle("", "Store")) },
		func() workspace.Edited {
			return d.edit(id, "Describe", workspace.Edit{Do: workspace.DoBoard, Field: "description", Value: json.RawMessage(`"x"`)})
		},
		func() workspace.Edited {
			return d.edit(id, "Theme", workspace.Edit{Do: workspace.DoBoard, Field: "theme", Value: json.RawMessage(`"dark"`)})
		},
		func() workspace.Edited {
			e := d.edit(id, "Add", workspace.Edit{Do: workspace.DoAdd, Kind: board.KindLine, Title: "New", Rows: raws(`[1]`), Columns: []board.Column{{Name: "n", Type: board.TypeNumber}}})
			added = e.Added[0]
			return e
		},
		func() workspace.Edited { return d.edit(id, "Rename", setTitle(added, "Newer")) },
		func() workspace.Edited {
			return d.edit(id, "Option", workspace.Edit{Do: workspace.DoOption, Widget: w, Name: "limit", Value: json.RawMessage(`5`)})
		},
		func() workspace.Edited {
			return d.edit(id, "Arrange",
				workspace.Edit{Do: workspace.DoLayout, Widget: w, Value: json.RawMessage(`{"x":0,"y":9,"w":4,"h":4}`)},
				workspace.Edit{Do: workspace.DoLayout, Widget: added, Value: json.RawMessage(`{"x":4,"y":9,"w":4,"h":4}`)})
		},
		func() workspace.Edited {
			return d.edit(id, "Append", workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`["c",3]`)})
		},
		func() workspace.Edited {
			e, err := d.PutRows(id, w, []board.Column{{Name: "Only", Type: board.TypeText}}, raws(`["x"]`))
			d.must(err)
			return e
		},
		func() workspace.Edited {
			return d.edit(id, "Remove", workspace.Edit{Do: workspace.DoRemove, Widget: w})
		},
		func() workspace.Edited {
			return d.edit(id, "Duplicate", workspace.Edit{Do: workspace.DoDuplicate, Widget: added})
		},
	}
	seen := []string{d.content(id)}
	for _, step := range steps {
		d.wait(time.Minute)
		step()
		seen = append(seen, d.content(id))
	}
	for round := range 3 {
		for i := range slices.Backward(steps) {
			d.must(d.Undo(id))
			if got := d.content(id); got != seen[i] {
				t.Fatalf("round %d, undo to %d:\ngot  %s\nwant %s", round, i, got, seen[i])
			}
		}
		for i := 1; i <= len(steps); i++ {
			d.must(d.Redo(id))
			if got := d.content(id); got != seen[i] {
				t.Fatalf("round %d, redo to %d:\ngot  %s\nwant %s", round, i, got, seen[i])
			}
		}
	}
	isFault(t, d.Redo(id), fault.Conflict)
	if v := d.view(id); v.Redo != nil || v.Undo == nil || *v.Undo != "Duplicate" {
		t.Errorf("undo %v, redo %v", v.Undo, v.Redo)
	}
	d.must(d.Undo(id))
	d.edit(id, "Rename", setTitle("", "Other"))
	isFault(t, d.Redo(id), fault.Conflict) // a new edit ends redo
}

func TestSI22_TypingIsOneStep(t *testing.T) {
	d := bare(t)
	id := d.create("S")
	for _, s := range []string{"Sh", "Sho", "Shop"} {
		d.wait(300 * time.Millisecond)
		d.edit(id, "Rename", setTitle("", s))
	}
	d.wait(2 * time.Second)
	d.edit(id, "Rename", setTitle("", "Shop!"))
	d.must(d.Undo(id))
	if got := d.view(id).Title; got != "Shop" {
		t.Errorf("title %q", got)
	}
	d.must(d.Undo(id))
	if got := d.view(id).Title; got != "S" {
		t.Errorf("title %q", got)
	}
	isFault(t, d.Undo(id), fault.Conflict)
	d.must(d.Redo(id))
	if got := d.view(id).Title; got != "Shop" {
		t.Errorf("title %q", got)
	}
}

func TestSI22_StepsAreBounded(t *testing.T) {
	d := bare(t)
	id := d.create("0")
	for i := 1; i <= 120; i++ {
		d.edit(id, fmt.Sprint(i), setTitle("", fmt.Sprint(i)))
	}
	n := 0
	for d.Undo(id) == nil {
		n++
	}
	if n != 100 || d.view(id).Title != "20" {
		t.Errorf("%d steps, title %q", n, d.view(id).Title)
	}
}

// server stands for the server's side of one dashboard, so that somebody else can edit it.
type server struct {
	d     *device
	id    board.ID
	hub   *replica.Hub
	other hlc.Clock
	n     uint64
	seen  uint64
}

func newServer(d *device, id board.ID) *server {
	d.t.Helper()
	d.must(d.LogIn(d.t.Context(), "https://x", "a@b", "right"))
	s := newHub(d, id)
	s.push()
	return s
}

// newHub is newServer for a device that is signed in; nothing has been sent yet.
func newHub(d *device, id board.ID) *server {
	d.t.Helper()
	hub, err := replica.InitHub(&replica.Memory{}, 77)
	d.must(err)
	s := &server{d: d, id: id, hub: hub, other: hlc.Clock{Dev: 5}}
	_, err = d.Hello("test")
	d.must(err)
	pages, err := hub.Snapshot(1 << 20)
	d.must(err)
	for _, p := range pages {
		d.must(d.Snapshot(wire.Snapshot{Board: id, Snapshot: p}))
	}
	return s
}

// refuse answers what waits as a server does that does not let this account edit any more.
func (s *server) refuse() bool {
	s.d.t.Helper()
	ops, err := s.d.Ops(s.id, 0)
	s.d.must(err)
	if len(ops.Ops) == 0 {
		return false
	}
	ack, _, err := s.hub.Submit(replica.Submission{Dev: ops.Ops[0].Stamp.Dev, Floor: ops.Floor, Ops: ops.Ops}, replica.Policy{Now: s.d.clock().UnixMilli()})
	s.d.must(err)
	s.d.must(s.d.Ack(wire.Ack{Board: s.id, Ack: ack}))
	return len(ack.Outcomes) > 0
}

func boardTitle(s *replica.State) string {
	var title string
	raw, _, _ := s.Register("board", "title")
	_ = json.Unmarshal(raw, &title)
	return title
}

// push brings the device's edits to the server and the effect back.
func (s *server) push() {
	s.d.t.Helper()
	for {
		ops, err := s.d.Ops(s.id, 0)
		s.d.must(err)
		if len(ops.Ops) == 0 {
			return
		}
		ack, _, err := s.hub.Submit(replica.Submission{Dev: ops.Ops[0].Stamp.Dev, Floor: ops.Floor, Ops: ops.Ops}, replica.Policy{Now: s.d.clock().UnixMilli(), MayEdit: true})
		s.d.must(err)
		s.d.must(s.d.Ack(wire.Ack{Board: s.id, Ack: ack}))
		s.pull()
	}
}

func (s *server) pull() {
	s.d.t.Helper()
	delta, ok, err := s.hub.Since(77, s.seen, 1000, 1<<20)
	s.d.must(err)
	if !ok {
		s.d.t.Fatal("no delta")
	}
	s.seen = delta.To
	s.d.must(s.d.Delta(wire.Delta{Board: s.id, Delta: delta}))
}

// somebody makes edits on another device that reach this one.
func (s *server) somebody(edits ...replica.Edit) {
	s.d.t.Helper()
	state, err := s.hub.State()
	s.d.must(err)
	s.other.Receive(state.Max())
	ops := make([]replica.Op, len(edits))
	for i, e := range edits {
		s.n++
		ops[i] = replica.Op{N: s.n, Stamp: s.other.Now(s.d.clock().UnixMilli() + 1000), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows}
	}
	_, _, err = s.hub.Submit(replica.Submission{Dev: s.other.Dev, Ops: ops}, replica.Policy{Now: s.d.clock().UnixMilli(), MayEdit: true})
	s.d.must(err)
	s.pull()
}

// Whoever has the version that an edit made knows what can be undone, however soon they look.
func TestSI22_AnEditsVersionSaysWhatCanBeUndone(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	for i := range 100 {
		label := fmt.Sprint("Rename ", i)
		v, err := d.Board(id)
		d.must(err)
		have, made := v.Version, make(chan workspace.Edited)
		go func() {
			e, err := d.Edit(id, []workspace.Edit{setTitle("", label)}, label)
			if err != nil {
				t.Error(err)
			}
			made <- e
		}()
		var undo *string
		for version := int64(0); version == 0 || have < version; {
			select {
			case e := <-made:
				version = e.Version
			default:
			}
			p, _, err := d.BoardSince(id, have)
			d.must(err)
			if p.Version > have {
				have, undo = p.Version, p.Undo
			}
		}
		if undo == nil || *undo != label {
			t.Fatalf("%s: %v is said to be undone", label, undo)
		}
	}
}

func TestSI22_UndoLeavesAloneWhatSomebodyElseWroteLater(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	s := newServer(d, id)
	set := func(entity, field, value string) replica.Edit {
		return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: field, Value: json.RawMessage(value)}
	}
	layout := workspace.Edit{Do: workspace.DoLayout, Widget: w, Value: json.RawMessage(`{"x":1,"y":1,"w":2,"h":2}`)}

	d.edit(id, "Both", setTitle(w, "mine"), layout)
	s.push()
	s.somebody(set(string(w), "title", `"theirs"`))
	d.must(d.Undo(id))
	if got := d.widget(id, w); got.Title != "theirs" || got.Layout.X == 1 {
		t.Errorf("%+v", got)
	}

	d.edit(id, "Rename", setTitle("", "mine"))
	s.push()
	s.somebody(set("board", "title", `"theirs"`))
	isFault(t, d.Undo(id), fault.Conflict)
	if got := d.view(id).Title; got != "theirs" {
		t.Errorf("title %q", got)
	}

	d.edit(id, "Append", workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`["mine",1]`)})
	s.push()
	s.somebody(replica.Edit{Kind: replica.OpRows, Entity: string(w), Rows: &replica.RowChange{Rows: raws(`["theirs",1]`)}})
	isFault(t, d.Undo(id), fault.Conflict)
	if got := text(d.widget(id, w).Rows); got != `[["a",1],["mine",1],["theirs",1]]` {
		t.Errorf("rows %s", got)
	}

	// The echo of one's own edit is nobody else's.
	d.edit(id, "Append", workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(`["mine",2]`)})
	s.push()
	d.must(d.Undo(id))
	s.push()
	if got := text(d.widget(id, w).Rows); got != `[["a",1],["mine",1],["theirs",1]]` {
		t.Errorf("rows %s", got)
	}
	if st, err := s.hub.State(); err != nil || st.Rows(string(w)).Len() != 3 {
		t.Errorf("the server has %v", err)
	}
}

func TestQ3_EditsMergeByField(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.add(id, board.KindTable, "Orders", `["a",1]`)
	s := newServer(d, id)
	d.edit(id, "Rename", setTitle(w, "mine")) // not pushed yet
	s.somebody(replica.Edit{Kind: replica.OpSet, Entity: string(w), Field: "layout", Value: json.RawMessage(`{"x":3,"y":0,"w":4,"h":4}`)},
		replica.Edit{Kind: replica.OpSet, Entity: string(w), Field: "title", Value: json.RawMessage(`"theirs, later"`)})
	s.push()
	if got := d.widget(id, w); got.Title != "theirs, later" || got.Layout.X != 3 {
		t.Errorf("%+v", got)
	}
}
