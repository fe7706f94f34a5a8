package workspace_test

import (
	"strings"
	"testing"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

func TestExportAndImportBringTheSameDashboard(t *testing.T) {
	d := newDevice(t)
	for _, b := range d.State().Boards {
		out, err := d.Export(b.ID)
		d.must(err)
		id, err := d.ImportBoard(append([]byte("\ufeff"), out...))
		d.must(err)
		again, err := d.Export(id)
		d.must(err)
		if string(again) != string(out) {
			t.Errorf("%s came back otherwise", b.Title)
		}
		if d.view(id).Widgets[0].ID == d.view(b.ID).Widgets[0].ID {
			t.Error("the import has the original's ids")
		}
		if d.summary(id).Sample {
			t.Error("the import is a sample")
		}
	}
}

func TestB1_BadFilesNameWhatIsWrong(t *testing.T) {
	d := bare(t)
	head := `{"format":"widgets.pro/dashboard","version":1,"title":"x","widgets":`
	widget := `{"kind":"table","title":"a","layout":{"x":0,"y":0,"w":3,"h":3}`
	for name, c := range map[string]struct {
		text, field string
		kind        fault.Kind
	}{
		"empty":         {"", "text", fault.Invalid},
		"no JSON":       {"a,b,c\n1,2,3", "text", fault.Invalid},
		"cut short":     {head, "text", fault.Invalid},
		"other JSON":    {`{"rows":[]}`, "format", fault.Invalid},
		"list":          {`[1,2]`, "", fault.Invalid},
		"newer":         {`{"format":"widgets.pro/dashboard","version":2}`, "", fault.Outdated},
		"title":         {strings.Replace(head, `"x"`, `"`+strings.Repeat("x", 1<<20)+`"`, 1) + `[]}`, "title", fault.TooLarge},
		"title control": {strings.Replace(head, `"x"`, `"a\u0007"`, 1) + `[]}`, "title", fault.Invalid},
		"widgets":       {head + `7}`, "widgets", fault.Invalid},
		"kind":          {head + `[` + widget + `},` + strings.Replace(widget, "table", "hologram", 1) + `}]}`, "widgets[1].kind", fault.Invalid},
		"layout":        {head + `[{"kind":"table","title":"a","layout":{"x":9,"y":0,"w":9,"h":1}}]}`, "widgets[0].layout", fault.Invalid},
		"option":        {head + `[` + widget + `,"options":{"limit":-1}}]}`, "widgets[0].opt.limit", fault.Invalid},
		"row":           {head + `[` + widget + `,"columns":[{"name":"a","type":"text"}],"rows":[["a"],["b","c"]]}]}`, "widgets[0].rows[1]", fault.Invalid},
		"too large":     {strings.Repeat(" ", workspace.MaxImport+1), "", fault.TooLarge},
	} {
		_, err := d.ImportBoard([]byte(c.text))
		if f := isFault(t, err, c.kind); f.Field != c.field {
			t.Errorf("%s: names %q, want %q (%s)", name, f.Field, c.field, f.Message)
		}
	}
	if len(d.State().Boards) != 0 {
		t.Error("something was made")
	}
}

func TestB2_CellsAreNoFormulas(t *testing.T) {
	d := bare(t)
	id := d.create("Shop")
	w := d.edit(id, "Add", workspace.Edit{
		Do: workspace.DoAdd, Kind: board.KindTable, Title: "t",
		Columns: []board.Column{{Name: "=HYPERLINK(1)", Type: board.TypeText}, {Name: "n", Type: board.TypeNumber}, {Name: "t", Type: board.TypeTime}},
		Rows: raws(`["=1+1",-5,1773792000000]`, `["@SUM(A1)",1.5,1773792061000]`, `["+cmd|' /C calc'!A0",null,1773792061005]`, `["-2+3",true,null]`,
			`["-12.5",0,0]`, `["\tx"]`, `["＝1+1",0]`, `["a, \"b\"\nc",0]`, `["plain",0]`, `["-Infinity",0]`),
	}).Added[0]
	out, err := d.RowsCSV(id, w)
	d.must(err)
	want := strings.Join([]string{
		"'=HYPERLINK(1),n,t", "'=1+1,-5,2026-03-18", "'@SUM(A1),1.5,2026-03-18T00:01:01Z", "'+cmd|' /C calc'!A0,,2026-03-18T00:01:01.005Z",
		"'-2+3,true,", "-12.5,0,1970-01-01", "'\tx,,", "'＝1+1,0,", "\"a, \"\"b\"\"\r\nc\",0,", "plain,0,", "'-Infinity,0,", "",
	}, "\r\n")
	if string(out) != want {
		t.Errorf("got\n%q\nwant\n%q", out, want)
	}
	_, err = d.RowsCSV(id, "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1E")
	isFault(t, err, fault.NotFound)
}
