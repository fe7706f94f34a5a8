package preview_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/preview"
)

// drawIn draws within the time that one picture may take. Under the race detector the picture is not encoded: that is the
// standard library's part, whatever is drawn.
func drawIn(t *testing.T, a *preview.Artist, name string, v board.View) {
	t.Helper()
	begun := time.Now()
	if raceEnabled {
		a.Paint(v)
	} else if b, err := a.Draw(t.Context(), v); err != nil || len(b) > 2<<20 {
		t.Errorf("%s: %d bytes, %v", name, len(b), err)
	}
	if took := time.Since(begun); took > worst {
		t.Errorf("%s: took %s", name, took)
	}
}

// full is a dashboard with as many widgets of a kind as fit, each with as much data as the limits allow in all.
func full(k board.Kind, o options) board.View {
	v := board.View{Title: "Full", Alive: true}
	cols := []board.Column{{Name: "t", Type: board.TypeTime}}
	for i := range 8 {
		cols = append(cols, board.Column{Name: fmt.Sprint("c", i), Type: board.TypeNumber})
	}
	cols = append(cols, board.Column{Name: "state", Type: board.TypeText})
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]json.RawMessage, replica.MaxRows/share)
	for i := range rows {
		rows[i] = json.RawMessage(fmt.Sprintf(`[%d,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,%.1f,"thing %d"]`, 1_700_000_000_000+i*60_000,
			r.Float64()*9, r.Float64()*9, r.Float64()*9, r.Float64()*9, r.Float64()*9, r.Float64()*9, r.Float64()*9, r.Float64()*9, i))
	}
	for i := range board.MaxWidgets {
		w := widget(i, k, "Widget", at(i%12, 0, 1, 1), o, cols)
		if i < 12 { // some 16 MiB in all
			w.Rows = rows
		}
		v.Widgets = append(v.Widgets, w)
	}
	return v
}

func TestB1_TheWorkIsBounded(t *testing.T) {
	a, err := preview.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range board.Kinds() {
		drawIn(t, a, string(k), full(k, options{"text": strings.Repeat("*word* and [link](x) ", 3000)}))
	}
	drawIn(t, a, "stacked", full(board.KindLine, options{"stack": true, "legend": true}))
	drawIn(t, a, "lying", full(board.KindBar, options{"horizontal": true}))
	wide := full(board.KindLine, nil)
	for i := range wide.Widgets {
		wide.Widgets[i].Layout = at(0, i*100, 12, 100)
	}
	drawIn(t, a, "one below the other", wide)
	drawIn(t, a, "long texts", board.View{Title: strings.Repeat("漢字 ", 60_000), Description: strings.Repeat("ا", 200_000), Widgets: []board.Widget{
		widget(1, board.KindTable, strings.Repeat("\u0301", 9000), at(0, 0, 12, 9), nil, columns("t", board.TypeText), []any{strings.Repeat("W", 4096)}, []any{strings.Repeat("🎉", 1000)}),
	}})
}

func TestB1_HostileValues(t *testing.T) {
	t.Parallel()
	a, err := preview.New()
	if err != nil {
		t.Fatal(err)
	}
	values := []string{`1e308`, `-1e308`, `5e-324`, `0`, `-0`, `null`, `"NaN"`, `"1e999"`, `true`, `1e999`, `{}`, `[]`, `"\u202e\u0000\ud800"`, `9e15`, `-9e15`, `8.64e15`, `"-"`, `""`}
	var rows []json.RawMessage
	for _, x := range values {
		for _, y := range values {
			rows = append(rows, json.RawMessage("["+x+","+y+","+x+"]"))
		}
	}
	rows = append(rows, json.RawMessage(`nonsense`), json.RawMessage(`7`), nil)
	layouts := []board.Layout{{X: -5, Y: -5, W: -1, H: -1}, {X: 1 << 40, Y: 1 << 40, W: 1 << 40, H: 1 << 40}, {W: 1, H: 1}, {W: 12, H: 12}}
	for n, k := range append(board.Kinds(), "", "\x00") {
		for _, types := range [][3]board.ColumnType{
			{board.TypeNumber, board.TypeNumber, board.TypeNumber}, {board.TypeTime, board.TypeNumber, board.TypeText}, {board.TypeText, board.TypeTime, board.TypeNumber}, {"", "x", board.TypeText},
		} {
			for i, l := range layouts {
				if (n+i)%len(layouts) != 0 && raceEnabled { // which takes twenty times as long
					continue
				}
				w := widget(i, k, "\u202e<script>\u0000\n\ufffd", l, options{
					"decimals": 6, "unit": "\u202e%", "prefix": strings.Repeat("€", 99), "area": true, "stack": i%2 == 0, "zero": i%3 == 0, "horizontal": i%2 == 0, "trend": true,
					"text": "# \u0000\n\n- \n**\n```\n[](", "limit": -5, "y": 7,
				}, columns("state", types[0], "b", types[1], "b", types[2]))
				w.Rows = rows[i*7%len(rows):]
				other := w
				other.Rows = rows[len(rows)-1:]
				drawIn(t, a, fmt.Sprint(k, types, l), board.View{Title: "\u202e\u0000", Theme: "nonsense", Widgets: []board.Widget{w, other}})
			}
		}
	}
}

func TestL6_TheSameViewGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	one, err := preview.New()
	if err != nil {
		t.Fatal(err)
	}
	two, err := preview.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []board.View{sample(t, "service")} {
		a, err := one.Draw(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		for _, artist := range []*preview.Artist{one, two} {
			if b, err := artist.Draw(t.Context(), v); err != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: the pictures differ, %v", v.Title, err)
			}
		}
	}
}

// Text that no font has becomes neither boxes nor nothing: a mark stands for it, and signs between letters are left out.
func TestB2_TextThatCannotBeSet(t *testing.T) {
	t.Parallel()
	a, err := preview.New()
	if err != nil {
		t.Fatal(err)
	}
	pic := func(title string) string {
		b, err := a.Draw(t.Context(), board.View{Title: title})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if pic("Sales 🎉") != pic("Sales ") || pic("Sa\u202eles\u0007") != pic("Sales") {
		t.Error("signs that no font has leave something behind")
	}
	if empty := pic("\u00a0"); pic("المبيعات") == empty || pic("المبيعات") == pic("Untitled dashboard") {
		t.Error("a title that cannot be set is not to be seen")
	}
	if pic("売上") == pic("上売") {
		t.Error("characters that a font has are all alike")
	}
}

func FuzzB1_Draw(f *testing.F) {
	a, err := preview.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("line", "Title", `[1,2,"x"]`, `{"stack":true}`, 0, 0, 6, 4)
	f.Add("bar", "\u202e", `[1e308,-1e308,null]`, `{"horizontal":true}`, -1, 3, 60, 400)
	f.Add("markdown", "", `[]`, `{"text":"# a\n- b"}`, 1, 1, 1, 1)
	f.Fuzz(func(t *testing.T, kind, text, row, opts string, x, y, w, h int) {
		o := map[string]json.RawMessage{}
		_ = json.Unmarshal([]byte(opts), &o)
		v := board.View{Title: text, Description: text, Widgets: []board.Widget{{
			ID: "wgt_1", Kind: board.Kind(kind), Title: text, Layout: board.Layout{X: x, Y: y, W: w, H: h}, Options: o,
			Columns: []board.Column{{Name: "a", Type: board.TypeNumber}, {Name: "b", Type: board.TypeTime}, {Name: text, Type: board.TypeText}},
			Rows:    []json.RawMessage{json.RawMessage(row), json.RawMessage(row), json.RawMessage(`[0,0,"ok"]`)},
		}}}
		if _, err := a.Draw(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	})
}
