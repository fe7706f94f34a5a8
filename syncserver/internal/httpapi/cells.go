package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// settled are rows with each cell of its column's type: times may come as text in ISO 8601, of which, as everywhere, the clock
// on the wall counts. What is no row is left for the check of rows to name.
func settled(rows []json.RawMessage, columns []board.Column) ([]json.RawMessage, error) {
	if !slices.ContainsFunc(columns, func(c board.Column) bool { return c.Type != board.TypeText }) {
		return rows, nil
	}
	out := slices.Clone(rows)
	for i, r := range rows {
		var cells []json.RawMessage
		if json.Unmarshal(r, &cells) != nil {
			continue
		}
		changed := false
		for k := range cells[:min(len(cells), len(columns))] {
			cell, ok := settle(cells[k], columns[k].Type)
			if !ok {
				what := "numbers"
				if columns[k].Type == board.TypeTime {
					what = "times: milliseconds since 1970, or text such as 2026-11-27T18:00:00Z"
				}
				return nil, fault.Field(fmt.Sprintf("rows[%d]", i), fmt.Sprintf("The column “%s” holds %s.", columns[k].Name, what))
			}
			changed = changed || cell != nil
			if cell != nil {
				cells[k] = cell
			}
		}
		if !changed {
			continue
		}
		b, err := json.Marshal(cells)
		if err != nil {
			return nil, fmt.Errorf("encode a row: %w", err)
		}
		out[i] = b
	}
	return out, nil
}

// settle brings a cell to its column's type: nil if it is of that already.
func settle(cell json.RawMessage, t board.ColumnType) (json.RawMessage, bool) {
	if t != board.TypeNumber && t != board.TypeTime || cell[0] == '-' || cell[0] >= '0' && cell[0] <= '9' || string(cell) == "null" {
		return nil, true
	}
	if cell[0] == '[' || cell[0] == '{' {
		return nil, true // which no column holds: for the check of rows to say
	}
	var s string
	if t == board.TypeNumber || json.Unmarshal(cell, &s) != nil {
		return nil, false
	}
	for _, form := range []string{time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04"} {
		if at, err := time.Parse(form, s); err == nil {
			wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
			return strconv.AppendInt(nil, wall.UnixMilli(), 10), true
		}
	}
	return nil, false
}
