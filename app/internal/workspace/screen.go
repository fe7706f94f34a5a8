package workspace

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"widgets.pro/shared/board"
)

// screen is one dashboard as screens have it: the picture, and what changed in it since which version. Pictures are never
// changed once they are in a screen, so they can be handed out.
type screen struct {
	view board.View
	// version is that of view; first is the oldest from which changes can be told.
	version, first int64
	shown          map[board.WidgetID]*shown
}

// shown is what is known of one live widget's changes.
type shown struct {
	rev, dataRev int64
	// whole is the latest version whose rows do not begin with the rows of the version before; appended tells how many
	// rows there were in the versions since then.
	whole    int64
	appended []length
	// foreign is the latest version in which somebody else changed the rows.
	foreign int64
}

type length struct {
	version int64
	rows    int
}

// maxAppends bounds the memory of appends for each widget; a screen that is further behind gets all rows.
const maxAppends = 64

// newScreen begins with a picture at a version that no earlier run of the program can have reached.
func newScreen(v board.View, version int64) *screen {
	s := &screen{view: v, version: version, first: version, shown: make(map[board.WidgetID]*shown, len(v.Widgets))}
	for _, w := range v.Widgets {
		s.shown[w.ID] = born(w, version)
	}
	return s
}

func born(w board.Widget, version int64) *shown {
	return &shown{rev: version, dataRev: version, whole: version, appended: []length{{version, len(w.Rows)}}}
}

// advance makes v the present picture, as the next version. Foreign says that the change was not made here.
func (s *screen) advance(v board.View, foreign bool) {
	s.version++
	old := make(map[board.WidgetID]board.Widget, len(s.view.Widgets))
	for _, w := range s.view.Widgets {
		old[w.ID] = w
	}
	for _, w := range v.Widgets {
		before, had := old[w.ID]
		delete(old, w.ID)
		if !had {
			s.shown[w.ID] = born(w, s.version)
			continue
		}
		k := s.shown[w.ID]
		if !sameFace(before, w) {
			k.rev = s.version
		}
		k.note(before.Rows, w.Rows, s.version, foreign)
	}
	for id := range old {
		delete(s.shown, id)
	}
	s.view = v
}

// note records how a widget's rows changed.
func (k *shown) note(before, after []json.RawMessage, version int64, foreign bool) {
	prefix := isPrefix(before, after)
	if prefix && len(before) == len(after) {
		return
	}
	k.dataRev = version
	if foreign {
		k.foreign = version
	}
	if !prefix {
		k.whole, k.appended = version, k.appended[:0]
	}
	k.appended = append(k.appended, length{version, len(after)})
	if len(k.appended) > maxAppends {
		k.appended = slices.Delete(k.appended, 0, 1)
		k.whole = k.appended[0].version
	}
}

// since is how many of the present rows a screen at version have holds already; ok is false if it must get them all.
func (k *shown) since(have int64) (rows int, ok bool) {
	if have < k.whole {
		return 0, false
	}
	for _, l := range k.appended {
		if l.version > have {
			break
		}
		rows = l.rows
	}
	return rows, true
}

// changes lists the widgets that changed since version have; ok is false if that is not known any more.
func (s *screen) changes(have int64) (out []WidgetPatch, ok bool) {
	if have < s.first || have > s.version {
		return nil, false
	}
	out = []WidgetPatch{}
	for _, w := range s.view.Widgets {
		k := s.shown[w.ID]
		if k.rev <= have && k.dataRev <= have {
			continue
		}
		p := WidgetPatch{
			ID: w.ID, Kind: w.Kind, Title: w.Title, Layout: w.Layout, Options: w.Options, Columns: w.Columns,
			Rev: k.rev, DataRev: k.dataRev,
		}
		if k.dataRev > have {
			if n, added := k.since(have); added {
				p.Append = w.Rows[n:]
			} else {
				p.Rows = w.Rows
			}
		}
		out = append(out, p)
	}
	return out, true
}

func (s *screen) widget(id board.WidgetID) (board.Widget, bool) {
	for _, w := range s.view.Widgets {
		if w.ID == id {
			return w, true
		}
	}
	return board.Widget{}, false
}

// sameFace reports whether two states of a widget differ in nothing but rows.
func sameFace(a, b board.Widget) bool {
	return a.Kind == b.Kind && a.Title == b.Title && a.Layout == b.Layout && slices.Equal(a.Columns, b.Columns) &&
		maps.EqualFunc(a.Options, b.Options, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
}

// isPrefix reports whether b begins with all of a. Rows that are the same memory are not read.
func isPrefix(a, b []json.RawMessage) bool {
	if len(a) > len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) || len(a[i]) > 0 && &a[i][0] != &b[i][0] && !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
