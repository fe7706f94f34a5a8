package screen

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// Screen is one dashboard as screens have it: the picture, and what changed in it since which version. Pictures are never
// changed once they are in a Screen, so they can be handed out. It is not safe for concurrent use.
type Screen struct {
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
	// by is who changed the rows last, in version last; others is the latest version in which anybody else did.
	by           uint64
	last, others int64
}

type length struct {
	version int64
	rows    int
}

// maxAppends bounds the memory of appends for each widget; a screen that is further behind gets all rows.
const maxAppends = 64

// New begins with a picture at a version that no earlier run of the program can have reached, such as the time in ms.
func New(v board.View, version int64) *Screen {
	s := &Screen{view: v, version: version, first: version, shown: make(map[board.WidgetID]*shown, len(v.Widgets))}
	for _, w := range v.Widgets {
		k := born(w, version)
		k.last = version // whatever came before is not known here
		s.shown[w.ID] = k
	}
	return s
}

func born(w board.Widget, version int64) *shown {
	return &shown{rev: version, dataRev: version, whole: version, appended: []length{{version, len(w.Rows)}}}
}

// View is the present picture. It must not be changed.
func (s *Screen) View() board.View { return s.view }

// Version is the version of the picture.
func (s *Screen) Version() int64 { return s.version }

// Touch makes a new version of the same picture: something beside it has changed.
func (s *Screen) Touch() { s.version++ }

// Advance makes v the present picture, as the next version. By is the device that made the change, 0 if it is not known or
// there were several.
func (s *Screen) Advance(v board.View, by uint64) {
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
		k.note(before.Rows, w.Rows, s.version, by)
	}
	for id := range old {
		delete(s.shown, id)
	}
	s.view = v
}

// note records how a widget's rows changed.
func (k *shown) note(before, after []json.RawMessage, version int64, by uint64) {
	prefix := isPrefix(before, after)
	if prefix && len(before) == len(after) {
		return
	}
	k.dataRev = version
	if by != k.by || by == 0 {
		k.others, k.by = k.last, by
	}
	k.last = version
	if !prefix {
		k.whole, k.appended = version, k.appended[:0]
	}
	k.appended = append(k.appended, length{version, len(after)})
	if len(k.appended) > maxAppends {
		k.appended = slices.Delete(k.appended, 0, 1)
		k.whole = k.appended[0].version
	}
}

// foreign is the latest version in which another device than dev changed the rows.
func (k *shown) foreign(dev uint64) int64 {
	if k.by == dev && dev != 0 {
		return k.others
	}
	return k.last
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

// Head is what the picture itself says of the dashboard, to be completed by whoever knows the rest.
func (s *Screen) Head() BoardHead {
	v := s.view
	return BoardHead{ID: v.ID, Title: v.Title, Description: v.Description, Theme: v.Theme, Trashed: !v.Alive, Version: s.version}
}

// Whole is the dashboard under its completed head.
func (s *Screen) Whole(h BoardHead) BoardView {
	v := BoardView{BoardHead: h, Widgets: make([]WidgetView, 0, len(s.view.Widgets))}
	for _, x := range s.view.Widgets {
		k := s.shown[x.ID]
		v.Widgets = append(v.Widgets, WidgetView{Widget: x, Rev: k.rev, DataRev: k.dataRev})
	}
	return v
}

// Patch is what changed since version have, under the dashboard's completed head; nil if that is not known any more.
func (s *Screen) Patch(h BoardHead, have int64) *BoardPatch {
	changed, ok := s.changes(have)
	if !ok {
		return nil
	}
	p := &BoardPatch{BoardHead: h, Order: make([]board.WidgetID, 0, len(s.view.Widgets)), Changed: changed}
	for _, x := range s.view.Widgets {
		p.Order = append(p.Order, x.ID)
	}
	return p
}

// changes lists the widgets that changed since version have; ok is false if that is not known any more.
func (s *Screen) changes(have int64) (out []WidgetPatch, ok bool) {
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

// Widget is one live widget.
func (s *Screen) Widget(id board.WidgetID) (board.Widget, bool) {
	for _, w := range s.view.Widgets {
		if w.ID == id {
			return w, true
		}
	}
	return board.Widget{}, false
}

// Apply merges operations into a replica and returns the new picture; the old one is not touched. Only what the operations
// name is drawn again.
func Apply(s *replica.State, old board.View, ops []replica.Op) board.View {
	touched := map[string]bool{}
	for _, op := range ops {
		s.Apply(op)
		touched[op.Entity] = true
	}
	if touched[board.BoardEntity] {
		return board.NewView(old.ID, s)
	}
	v := old
	v.Widgets = make([]board.Widget, 0, len(old.Widgets)+1)
	for _, w := range old.Widgets {
		if !touched[string(w.ID)] {
			v.Widgets = append(v.Widgets, w)
		}
	}
	for e := range touched {
		if w, ok := board.NewWidget(s, e); ok {
			v.Widgets = append(v.Widgets, w)
		}
	}
	slices.SortFunc(v.Widgets, board.ByPlace)
	return v
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
