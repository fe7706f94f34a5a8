package page

import (
	"net/url"

	"widgets.pro/shared/board"
)

// Options are what the address of a share page may ask for (rules E1-E4). The zero Options ask for nothing.
type Options struct {
	// Embed shows the dashboard alone.
	Embed bool
	// Theme overrides the dashboard's; "" leaves it.
	Theme board.Theme
	// Still turns interaction off. A link may be locked to that, whatever is asked for.
	Still bool
}

// ParseOptions reads a query. Of repeated parameters the first counts; values that are not known ask for nothing.
func ParseOptions(q url.Values) Options {
	o := Options{Embed: q.Get("embed") == "true", Still: q.Get("interactive") == "false"}
	switch t := board.Theme(q.Get("theme")); t {
	case board.ThemeLight, board.ThemeDark, board.ThemeSystem:
		o.Theme = t
	}
	return o
}

// on is what comes of o on a page of l.
func (o Options) on(l *link) Options {
	o.Still = o.Still || l.still
	return o
}

// variants is how many different Options there are.
const variants = 2 * 2 * 4

// variant numbers the Options that come of o on a page of l.
func (o Options) variant(l *link) int {
	n := 0
	if o.Embed {
		n++
	}
	if o.Still || l.still {
		n += 2
	}
	switch o.Theme {
	case board.ThemeLight:
		n += 4
	case board.ThemeDark:
		n += 8
	case board.ThemeSystem:
		n += 12
	}
	return n
}
