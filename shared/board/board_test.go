package board_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

const (
	dsh = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D"
	wA  = "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1E"
	wB  = "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1F"
)

func set(entity, field, value string) replica.Edit {
	return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: field, Value: json.RawMessage(value)}
}

func rows(c replica.RowChange) replica.Edit {
	return replica.Edit{Kind: replica.OpRows, Entity: wA, Rows: &c}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestIDs(t *testing.T) {
	if _, err := board.ParseID(dsh); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "dsh_", wA, dsh + "0", strings.ToLower(dsh), " " + dsh, dsh[:len(dsh)-1] + "U", "dsh_8" + dsh[5:], "dsh_" + strings.Repeat("é", 13)} {
		if _, err := board.ParseID(bad); err == nil {
			t.Errorf("%q is taken for a dashboard id", bad)
		}
	}
}

func TestB1_BadEditsNameTheField(t *testing.T) {
	manyColumns := "[" + strings.TrimSuffix(strings.Repeat(`{"name":"a","type":"text"},`, board.MaxColumns+1), ",") + "]"
	cols := raw(`[{"name":"a","type":"text"}]`)
	manyRows := make([]json.RawMessage, replica.MaxRows+1)
	for i := range manyRows {
		manyRows[i] = raw(`[]`)
	}
	for name, c := range map[string]struct {
		edit  replica.Edit
		field string
		kind  fault.Kind
	}{
		"stranger":              {set("x", "title", `"a"`), "entity", fault.Invalid},
		"no field":              {set(wA, "", `"a"`), "field", fault.Invalid},
		"title number":          {set(board.BoardEntity, "title", `3`), "title", fault.Invalid},
		"title broken":          {set(board.BoardEntity, "title", `"a`), "title", fault.Invalid},
		"title null":            {set(board.BoardEntity, "title", `null`), "title", fault.Invalid},
		"title long":            {set(wA, "title", `"`+strings.Repeat("ä", board.MaxTitle+1)+`"`), "title", fault.TooLarge},
		"title of 1 MB":         {set(wA, "title", `"`+strings.Repeat("a", 1<<20)+`"`), "title", fault.TooLarge},
		"title control":         {set(wA, "title", `"a\u0000b"`), "title", fault.Invalid},
		"title newline":         {set(wA, "title", `"a\nb"`), "title", fault.Invalid},
		"theme":                 {set(board.BoardEntity, "theme", `"pink"`), "theme", fault.Invalid},
		"alive":                 {set(wA, "alive", `1`), "alive", fault.Invalid},
		"unknown kind":          {set(wA, "kind", `"hologram"`), "kind", fault.Invalid},
		"markup kind":           {set(wA, "kind", `"<b>"`), "kind", fault.Invalid},
		"layout missing":        {set(wA, "layout", `{"x":0,"y":0,"w":3}`), "layout", fault.Invalid},
		"layout fraction":       {set(wA, "layout", `{"x":0.5,"y":0,"w":3,"h":3}`), "layout", fault.Invalid},
		"layout outside":        {set(wA, "layout", `{"x":10,"y":0,"w":3,"h":3}`), "layout", fault.Invalid},
		"layout overflow":       {set(wA, "layout", `{"x":9223372036854775807,"y":0,"w":1,"h":3}`), "layout", fault.Invalid},
		"layout high":           {set(wA, "layout", `{"x":0,"y":0,"w":3,"h":101}`), "layout", fault.Invalid},
		"option type":           {set(wA, "opt.decimals", `"two"`), "opt.decimals", fault.Invalid},
		"option range":          {set(wA, "opt.decimals", `7`), "opt.decimals", fault.Invalid},
		"option choice":         {set(wA, "opt.aggregate", `"median"`), "opt.aggregate", fault.Invalid},
		"option columns":        {set(wA, "opt.y", `"a"`), "opt.y", fault.Invalid},
		"Markdown long":         {set(wA, "opt.text", `"`+strings.Repeat("a", board.MaxMarkdown+1)+`"`), "opt.text", fault.TooLarge},
		"unknown option large":  {set(wA, "opt.later", `"`+strings.Repeat("a", board.MaxOption)+`"`), "opt.later", fault.TooLarge},
		"unknown field no JSON": {set(wA, "later", `{`), "later", fault.Invalid},
		"rows on the dashboard": {replica.Edit{Kind: replica.OpRows, Entity: board.BoardEntity, Rows: &replica.RowChange{}}, "entity", fault.Invalid},
		"rows without change":   {replica.Edit{Kind: replica.OpRows, Entity: wA}, "rows", fault.Invalid},
		"columns no list":       {rows(replica.RowChange{Replace: true, Columns: raw(`{}`)}), "columns", fault.Invalid},
		"columns missing":       {rows(replica.RowChange{Replace: true}), "columns", fault.Invalid},
		"columns many":          {rows(replica.RowChange{Replace: true, Columns: raw(manyColumns)}), "columns", fault.Invalid},
		"column type":           {rows(replica.RowChange{Replace: true, Columns: raw(`[{"name":"a","type":"blob"}]`)}), "columns[0]", fault.Invalid},
		"columns of an append":  {rows(replica.RowChange{Columns: cols}), "columns", fault.Invalid},
		"row no list":           {rows(replica.RowChange{Replace: true, Columns: cols, Rows: []json.RawMessage{raw(`["a"]`), raw(`{}`)}}), "rows[1]", fault.Invalid},
		"row wide":              {rows(replica.RowChange{Replace: true, Columns: cols, Rows: []json.RawMessage{raw(`[1,2]`)}}), "rows[0]", fault.Invalid},
		"row nested":            {rows(replica.RowChange{Replace: true, Columns: cols, Rows: []json.RawMessage{raw(`[[1]]`)}}), "rows[0]", fault.Invalid},
		"cell long":             {rows(replica.RowChange{Replace: true, Columns: cols, Rows: []json.RawMessage{raw(`["` + strings.Repeat("a", board.MaxCell+1) + `"]`)}}), "rows[0]", fault.TooLarge},
		"number long":           {rows(replica.RowChange{Replace: true, Columns: cols, Rows: []json.RawMessage{raw(`[1` + strings.Repeat("0", 100) + `]`)}}), "rows[0]", fault.Invalid},
		"too many rows":         {rows(replica.RowChange{Replace: true, Columns: cols, Rows: manyRows}), "rows", fault.Invalid},
		"op of another kind":    {replica.Edit{Kind: "", Entity: wA}, "kind", fault.Invalid},
	} {
		f := board.CheckEdit(c.edit)
		if f == nil || f.Field != c.field || f.Kind != c.kind {
			t.Errorf("%s: got %#v, want a fault %s in %q", name, f, c.kind, c.field)
			continue
		}
		if f.Message == "" || len(f.Message) > 200 {
			t.Errorf("%s: message %q", name, f.Message)
		}
	}
}

func TestGoodEditsPass(t *testing.T) {
	for _, e := range []replica.Edit{
		set(board.BoardEntity, "title", `"Täglich <b>=1+1</b>"`),
		set(board.BoardEntity, "description", `"two\nlines"`),
		set(wA, "kind", `"line"`),
		set(wA, "layout", `{"x":9,"y":0,"w":3,"h":4,"later":true}`),
		set(wA, "opt.decimals", `null`),
		set(wA, "opt.y", `["a","b"]`),
		set(wA, "opt.text", `"# Hi\n<script>"`),
		set(wA, "opt.later", `{"deep":[1,2]}`),
		set(wA, "later", `[1]`),
		rows(replica.RowChange{Replace: true, Columns: raw(`[]`)}),
		rows(replica.RowChange{Rows: []json.RawMessage{raw(`[1.5e300,"x",true,null]`)}}),
		rows(replica.RowChange{DropTo: &replica.RowKey{}}),
	} {
		if f := board.CheckEdit(e); f != nil {
			t.Errorf("%+v: %v", e, f)
		}
	}
}

// state builds a replica's state by applying edits in order.
func state(edits ...replica.Edit) *replica.State {
	s := replica.NewState()
	c := hlc.Clock{Dev: 1}
	for i, e := range edits {
		s.Apply(replica.Op{N: uint64(i + 1), Stamp: c.Now(1000), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows})
	}
	return s
}

func TestViewReadsWhatIsThere(t *testing.T) {
	s := state(
		set(board.BoardEntity, "title", `"Shop"`), set(board.BoardEntity, "theme", `"dark"`),
		set(wB, "alive", `true`), set(wB, "kind", `"stat"`), set(wB, "layout", `{"x":0,"y":0,"w":3,"h":2}`),
		set(wA, "alive", `true`), set(wA, "kind", `"later-kind"`), set(wA, "layout", `{"x":3,"y":0,"w":3,"h":2}`), set(wA, "opt.unit", `"€"`), set(wA, "opt.prefix", `null`),
		rows(replica.RowChange{Replace: true, Columns: raw(`[{"name":"a","type":"number"}]`), Rows: []json.RawMessage{raw(`[1]`)}}),
		rows(replica.RowChange{Rows: []json.RawMessage{raw(`[2]`)}}),
	)
	v := board.NewView(dsh, s)
	if v.Title != "Shop" || v.Theme != board.ThemeDark || !v.Alive || len(v.Widgets) != 2 {
		t.Fatalf("%+v", v)
	}
	a := v.Widgets[1]
	if a.ID != wA || a.Kind != "later-kind" || len(a.Rows) != 2 || string(a.Rows[1]) != "[2]" || len(a.Options) != 1 {
		t.Errorf("%+v", a)
	}
	s = state(set(wA, "alive", `true`), set(wA, "alive", `false`), set(wA, "title", `"late edit"`), set(board.BoardEntity, "alive", `false`), set(board.BoardEntity, "theme", `7`))
	if v := board.NewView(dsh, s); v.Alive || len(v.Widgets) != 0 || v.Theme != board.ThemeSystem {
		t.Errorf("%+v", v)
	}
}

// A canary in every register that is not named in the projection, and in the names of options, must not come out.
func TestA6_PublishTakesOnlyWhatIsNamed(t *testing.T) {
	s := state(
		set(board.BoardEntity, "title", `"Shop"`), set(board.BoardEntity, "source", `"canary-1"`),
		set(wA, "alive", `true`), set(wA, "kind", `"stat"`), set(wA, "opt.unit", `"€"`), set(wA, "opt.url", `"canary-2"`), set(wA, "opt.headers", `{"canary-3":"canary-4"}`),
		set(wA, "query", `"canary-5"`), set(wB, "alive", `false`), set(wB, "title", `"canary-6"`), set(wA, "opt.text", `"canary-7"`),
	)
	b, err := json.Marshal(board.Publish(board.NewView(dsh, s)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "canary") {
		t.Errorf("published: %s", b)
	}
	if !strings.Contains(string(b), "€") || !strings.Contains(string(b), "Shop") {
		t.Errorf("not published: %s", b)
	}
}

func FuzzB1_CheckEdit(f *testing.F) {
	f.Add("set", wA, "layout", []byte(`{"x":0,"y":0,"w":1,"h":1}`))
	f.Add("set", board.BoardEntity, "title", []byte(`"a"`))
	f.Add("set", wA, "opt.y", []byte(`["a"]`))
	f.Add("rows", wA, "", []byte(`[1]`))
	f.Fuzz(func(_ *testing.T, kind, entity, field string, value []byte) {
		e := replica.Edit{Kind: replica.Kind(kind), Entity: entity, Field: field, Value: value}
		if kind == "rows" {
			e.Value, e.Rows = nil, &replica.RowChange{Replace: true, Columns: value, Rows: []json.RawMessage{value}}
		}
		if board.CheckEdit(e) == nil && e.Kind == replica.OpSet {
			_ = fmt.Sprint(board.NewView(dsh, state(e)))
		}
	})
}
