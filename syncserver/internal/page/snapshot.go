package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/render"
)

// snapshot is one version of a published dashboard. What is made from it (drawing, document, frame) is made when first
// needed, once, and kept. The content itself does not change.
type snapshot struct {
	version     uint64
	title       string
	description string
	theme       board.Theme
	widgets     []widget
	json        []byte // of the published board.View

	mu     sync.Mutex // held while drawing, compressing or encoding
	drawn  *render.Board
	failed error
	when   time.Time // of failed
	all    *frame

	docs [variants]atomic.Pointer[Document]
	size atomic.Int64 // bytes kept, about

	picture pictureOf
}

// widget is one widget of a snapshot: what it looks like (face) and where it stands (place), each as a digest, and the
// JSON that draws it, which is a part of snapshot.json.
type widget struct {
	id    board.WidgetID
	face  [sha256.Size]byte
	place board.Layout
	json  []byte
}

// newSnapshot prepares a version. Where nothing that a viewer sees differs from old, it is old that is returned.
func newSnapshot(view board.View, version uint64, old *snapshot) (*snapshot, error) {
	view = board.Publish(view) // nothing else ever reaches a viewer (rule A6), wherever the view came from
	n := &snapshot{version: version, title: plain(view.Title), description: plain(view.Description), theme: view.Theme}
	if strings.TrimSpace(n.title) == "" {
		n.title = "Untitled dashboard"
	}
	var all bytes.Buffer
	head := view
	head.Widgets = nil
	if err := n.encode(&all, head, view.Widgets); err != nil {
		return nil, fmt.Errorf("encode a published dashboard: %w", err)
	}
	n.size.Store(int64(len(n.json)))
	if old != nil {
		if n.same(old) {
			return old, nil
		}
		n.version = max(version, old.version+1) // viewers tell versions apart by their number alone
	}
	return n, nil
}

// encode writes the JSON of a board.View, noting where each widget's part lies.
func (n *snapshot) encode(out *bytes.Buffer, head board.View, widgets []board.Widget) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(struct {
		board.View
		Widgets *int `json:"widgets,omitempty"` // written below
	}{View: head}); err != nil {
		return fmt.Errorf("write a dashboard: %w", err)
	}
	out.Truncate(out.Len() - len("}\n"))
	out.WriteString(`,"widgets":[`)
	type part struct{ from, to int }
	parts := make([]part, len(widgets))
	for i, w := range widgets {
		if i > 0 {
			out.WriteByte(',')
		}
		parts[i].from = out.Len()
		if err := enc.Encode(w); err != nil {
			return fmt.Errorf("write a widget: %w", err)
		}
		parts[i].to = out.Len()
	}
	out.WriteString("]}")
	n.json = out.Bytes()
	n.widgets = make([]widget, len(widgets))
	for i, w := range widgets {
		j := n.json[parts[i].from:parts[i].to]
		n.widgets[i] = widget{id: w.ID, face: face(w, j), place: w.Layout, json: j}
	}
	return nil
}

// face is a digest of everything that a widget's own HTML depends on. Its place on the grid is not among that, but its
// size is, since a larger widget may show more.
func face(w board.Widget, j []byte) [sha256.Size]byte {
	from := []byte(fmt.Sprintf(`"layout":{"x":%d,"y":%d,`, w.Layout.X, w.Layout.Y))
	before, behind, ok := bytes.Cut(j, from)
	if !ok {
		return sha256.Sum256(j)
	}
	h := sha256.New()
	h.Write(before)
	h.Write(behind)
	return [sha256.Size]byte(h.Sum(nil))
}

func (n *snapshot) same(o *snapshot) bool {
	return n.title == o.title && n.description == o.description && n.theme == o.theme &&
		slices.EqualFunc(n.widgets, o.widgets, func(a, b widget) bool { return a.id == b.id && a.face == b.face && a.place == b.place })
}

// samePlaces reports whether both have the same widgets at the same places in the same order.
func (n *snapshot) samePlaces(o *snapshot) bool {
	return slices.EqualFunc(n.widgets, o.widgets, func(a, b widget) bool { return a.id == b.id && a.place == b.place })
}

// draw is the drawing of the whole dashboard. A failure is remembered for a while, so that a dashboard which cannot be
// drawn does not keep the engines busy. The caller holds n.mu.
func (n *snapshot) draw(ctx context.Context, d Drawer, now time.Time) (*render.Board, error) {
	if n.drawn != nil {
		return n.drawn, nil
	}
	if n.failed != nil && now.Sub(n.when) < retryFailed {
		return nil, n.failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drawTimeout)
	defer cancel()
	b, err := d.Board(ctx, n.json)
	if err != nil {
		n.failed, n.when = errDraw(err), now
		return nil, n.failed
	}
	n.drawn, n.failed = &b, nil
	n.size.Add(int64(len(b.Body) + len(b.CSS)))
	return n.drawn, nil
}

// plain takes from a text what has no place in a title or description: control characters, line breaks, and characters
// that turn the direction of what follows (rule B2).
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case r < ' ' || r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff:
			return -1
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}
