package screen

import "widgets.pro/shared/board"

// sizeOf is the size in which a new widget of a kind is placed.
func sizeOf(k board.Kind) board.Layout {
	switch k {
	case board.KindStat:
		return board.Layout{W: 3, H: 2}
	case board.KindLine, board.KindBar:
		return board.Layout{W: 6, H: 5}
	case board.KindTable:
		return board.Layout{W: 6, H: 6}
	case board.KindMarkdown, board.KindStatus:
		return board.Layout{W: 4, H: 4}
	}
	return board.Layout{W: 4, H: 4}
}

// below is a place of the given size under all live widgets, or beside the lowest ones where there is room.
func below(size board.Layout, live map[board.WidgetID]board.Widget) board.Layout {
	bottom := 0
	for _, w := range live {
		bottom = max(bottom, w.Layout.Y+w.Layout.H)
	}
	for y := max(0, bottom-size.H); y < bottom; y++ {
		for x := 0; x+size.W <= board.GridColumns; x++ {
			if l := (board.Layout{X: x, Y: y, W: size.W, H: size.H}); free(l, live) {
				return l
			}
		}
	}
	return board.Layout{Y: min(bottom, board.MaxGridY), W: size.W, H: size.H}
}

// beside is a place for a copy of a widget: to its right where that is free, else below everything.
func beside(l board.Layout, live map[board.WidgetID]board.Widget) board.Layout {
	r := board.Layout{X: l.X + l.W, Y: l.Y, W: l.W, H: l.H}
	if r.Check() == nil && free(r, live) {
		return r
	}
	return below(l, live)
}

func free(l board.Layout, live map[board.WidgetID]board.Widget) bool {
	for _, w := range live {
		o := w.Layout
		if l.X < o.X+o.W && o.X < l.X+l.W && l.Y < o.Y+o.H && o.Y < l.Y+l.H {
			return false
		}
	}
	return true
}
