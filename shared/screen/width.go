package screen

import (
	"encoding/json"
	"fmt"
	"slices"

	"widgets.pro/shared/board"
)

// widened is a widget with a column for each cell. Rows may be wider than the columns where somebody appended them while
// somebody else replaced the data by narrower ones; a new dashboard or a file made of them would not be read.
func widened(w board.Widget) board.Widget {
	width := 0
	for _, row := range w.Rows {
		var cells []json.RawMessage
		if json.Unmarshal(row, &cells) == nil {
			width = max(width, len(cells))
		}
	}
	width = min(width, board.MaxColumns)
	if width <= len(w.Columns) {
		return w
	}
	w.Columns = slices.Clone(w.Columns)
	for len(w.Columns) < width {
		w.Columns = append(w.Columns, board.Column{Name: fmt.Sprintf("Column %d", len(w.Columns)+1), Type: board.TypeText})
	}
	return w
}
