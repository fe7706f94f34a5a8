package preview

import "widgets.pro/shared/board"

// Paint draws without encoding, which under the race detector takes most of the time.
func (a *Artist) Paint(view board.View) { a.paint(view) }
