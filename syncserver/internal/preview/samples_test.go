package preview_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"widgets.pro/shared/board"
)

// sample is one of the dashboards that come with the app, as they are published on one day in November 2026: shop,
// service or energy.
func sample(tb testing.TB, name string) (v board.View) {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

type options map[string]any

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sample data: %v", err))
	}
	return b
}

func columns(pairs ...any) []board.Column {
	out := make([]board.Column, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		kind, _ := pairs[i+1].(board.ColumnType)
		out = append(out, board.Column{Name: name, Type: kind})
	}
	return out
}

func at(x, y, w, h int) board.Layout { return board.Layout{X: x, Y: y, W: w, H: h} }
