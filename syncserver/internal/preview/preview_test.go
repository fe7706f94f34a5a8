package preview_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/preview"
)

// draw draws a view, keeps the picture with the test's artifacts, and checks that it is a picture of the right size.
func draw(t *testing.T, name string, v board.View) []byte {
	t.Helper()
	a, err := preview.New()
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Draw(t.Context(), board.Publish(v))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx() != preview.Width || img.Bounds().Dy() != preview.Height {
		t.Fatalf("%s: %v, %v", name, img.Bounds(), err)
	}
	return b
}

func TestL6_Samples(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]board.View{"shop": sample(t, "shop"), "service": sample(t, "service"), "energy": sample(t, "energy")} {
		draw(t, name+"-light", v)
		v.Theme = board.ThemeDark
		draw(t, name+"-dark", v)
	}
}

func widget(n int, k board.Kind, title string, l board.Layout, o options, cols []board.Column, rows ...[]any) board.Widget {
	w := board.Widget{
		ID: board.WidgetID(fmt.Sprintf("wgt_01J9ZQ0V9K3N8Y2T6W4X5B%04d", n)), Kind: k, Title: title, Layout: l,
		Options: map[string]json.RawMessage{}, Columns: cols, Rows: make([]json.RawMessage, 0, len(rows)),
	}
	for name, v := range o {
		w.Options[name] = mustJSON(v)
	}
	for _, r := range rows {
		w.Rows = append(w.Rows, mustJSON(r))
	}
	return w
}

// A title of two lines, cut in the third; text of many scripts; dashboards without widgets or with few of them.
func TestL6_AllKindsOfDashboards(t *testing.T) {
	t.Parallel()
	few := []board.Widget{
		widget(1, board.KindStat, "Visitors", at(0, 0, 6, 4), nil, columns("n", board.TypeNumber), []any{4}, []any{7}, []any{6}, []any{12.5}),
		widget(2, board.KindStatus, "", at(6, 0, 6, 4), nil, columns("Name", board.TypeText, "State", board.TypeText), []any{"Tür", "ok"}, []any{"データベース", "???"}),
	}
	busy := sample(t, "service").Widgets
	for name, v := range map[string]board.View{
		"empty":     {Title: "Nothing here yet", Description: "But there will be."},
		"untitled":  {Title: " \n ", Widgets: few, Theme: board.ThemeDark},
		"long":      {Title: strings.Repeat("Quarterly figures of all subsidiaries ", 6), Description: strings.Repeat("and what they mean ", 20), Widgets: busy},
		"scripts":   {Title: "売上ダッシュボード 2026 – Ελληνικά, кириллица", Description: "שלום עולם 123 – Հայերեն – ქართული – emoji 🎉 go", Widgets: few},
		"arabic":    {Title: "لوحة المبيعات الأسبوعية", Description: "ลูกค้า และ ยอดขาย", Widgets: few},
		"one table": {Title: "Orders", Widgets: []board.Widget{{ID: "wgt_1", Kind: board.KindTable, Title: "All", Layout: at(0, 0, 12, 20), Columns: busy[7].Columns, Rows: slices.Repeat(busy[7].Rows, 6)}}},
		"markdown": {Title: "Handbook", Theme: board.ThemeDark, Widgets: []board.Widget{
			widget(1, board.KindMarkdown, "", at(0, 0, 6, 8), options{"text": "# Welcome\n\nThis *page* has **everything** a `new` colleague [needs](https://example.org) on the first day, in a few lines.\n\n- One\n- [x] Two\n- Three\n\n> Quote\n\n---\n\n| a | b |\n"}, nil),
			widget(2, board.KindBar, "Grouped", at(6, 0, 6, 4), options{"legend": true}, columns("q", board.TypeText, "a", board.TypeNumber, "b", board.TypeNumber), []any{"Q1", 4, -2}, []any{"Q2", 7, 3}, []any{"Q3", 5, nil}),
			widget(3, board.KindLine, "Stacked", at(6, 4, 6, 4), options{"stack": true}, columns("n", board.TypeNumber, "a", board.TypeNumber, "b", board.TypeNumber), []any{1, 4, 2}, []any{2, 7, 3}, []any{3, 5, nil}, []any{4, 6, 8}),
			widget(4, board.KindBar, "By month", at(0, 8, 6, 5), nil, columns("m", board.TypeText, "n", board.TypeNumber), []any{"Jan", 1}),
		}},
		"unfit": {Title: "Broken", Widgets: []board.Widget{
			widget(1, board.KindLine, "No numbers", at(0, 0, 4, 4), nil, columns("a", board.TypeText), []any{"x"}),
			widget(2, "gauge", "From the future", at(4, 0, 4, 4), nil, nil),
			widget(3, board.KindStat, "No data", at(8, 0, 4, 4), nil, columns("n", board.TypeNumber)),
		}},
		"narrow": {Title: "One number", Widgets: few[:1]},
	} {
		draw(t, name, v)
	}
}

func BenchmarkDraw(b *testing.B) {
	a, err := preview.New()
	if err != nil {
		b.Fatal(err)
	}
	v := sample(b, "service")
	for b.Loop() {
		if _, err := a.Draw(b.Context(), v); err != nil {
			b.Fatal(err)
		}
	}
}
