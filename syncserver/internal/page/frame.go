package page

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"widgets.pro/shared/board"
)

// frame is a message to viewers, encoded once for all of them. A patch leads from one version to another; other frames
// have from == 0.
type frame struct {
	from, to uint64
	data     []byte
}

// Messages to viewers, by their "t". A hello says that the viewer has what is current; all brings a dashboard whole; a
// patch what changed; reload that the page is to be loaded anew, since what surrounds the dashboard is another; gone that the
// viewer is cut. A gone message says why: "gone" where the link does not work, whatever the reason, "locked" where the
// page, loaded anew, asks for the password or, if that was removed just now, shows the dashboard.
type (
	helloMessage struct {
		T string `json:"t"`
		V uint64 `json:"v"`
	}
	allMessage struct {
		T     string      `json:"t"`
		V     uint64      `json:"v"`
		Title string      `json:"title"`
		Theme board.Theme `json:"theme"`
		Body  string      `json:"body"`
		CSS   string      `json:"css"`
	}
	patchMessage struct {
		T     string                     `json:"t"`
		V     uint64                     `json:"v"`
		From  uint64                     `json:"from"`
		Title *string                    `json:"title,omitempty"`
		Theme *board.Theme               `json:"theme,omitempty"`
		CSS   *string                    `json:"css,omitempty"`
		Order []board.WidgetID           `json:"order,omitempty"`
		W     map[board.WidgetID]*string `json:"widgets"` // HTML; null is a widget that is there no more
	}
	reloadMessage struct {
		T string `json:"t"`
	}
	goneMessage struct {
		T      string `json:"t"`
		Why    string `json:"why"`
		Reason string `json:"reason"`
	}
)

func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil // cannot happen: the messages hold only strings and numbers
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func newHello(version uint64) *frame {
	return &frame{to: version, data: encode(helloMessage{T: "hello", V: version})}
}

// allFrame is the whole dashboard, encoded when first needed.
func (n *snapshot) allFrame(ctx context.Context, s *Service) (*frame, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all != nil {
		return n.all, nil
	}
	b, err := n.draw(ctx, s.cfg.Drawer, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	n.all = &frame{to: n.version, data: encode(allMessage{T: "all", V: n.version, Title: n.title, Theme: n.theme, Body: b.Body, CSS: b.CSS})}
	n.size.Add(int64(len(n.all.data)))
	return n.all, nil
}

// newPatch leads from one snapshot to a later one. Only the widgets that look different are drawn, and the grid only if
// something moved, came or went.
func newPatch(ctx context.Context, s *Service, from, to *snapshot) (*frame, error) {
	if from.description != to.description || (len(from.widgets) == 0) != (len(to.widgets) == 0) {
		// What stands around the widgets changes with these, so the viewer gets everything.
		all, err := to.allFrame(ctx, s)
		if err != nil {
			return nil, err
		}
		return &frame{from: from.version, to: to.version, data: all.data}, nil
	}
	p := patchMessage{T: "patch", V: to.version, From: from.version, W: map[board.WidgetID]*string{}}
	if to.title != from.title {
		p.Title = &to.title
	}
	if to.theme != from.theme {
		p.Theme = &to.theme
	}
	was := make(map[board.WidgetID]*widget, len(from.widgets))
	for i := range from.widgets {
		was[from.widgets[i].id] = &from.widgets[i]
	}
	for i := range to.widgets {
		w := &to.widgets[i]
		o := was[w.id]
		delete(was, w.id)
		if o != nil && o.face == w.face {
			continue
		}
		html, err := s.cfg.Drawer.Widget(ctx, w.json)
		if err != nil {
			return nil, fmt.Errorf("draw a widget: %w", err)
		}
		p.W[w.id] = &html
	}
	for id := range was {
		p.W[id] = nil
	}
	if !to.samePlaces(from) {
		to.mu.Lock()
		b, err := to.draw(ctx, s.cfg.Drawer, s.cfg.Now())
		to.mu.Unlock()
		if err != nil {
			return nil, err
		}
		p.CSS, p.Order = &b.CSS, to.order(b.Body)
	}
	return &frame{from: from.version, to: to.version, data: encode(p)}, nil
}

// order is the order in which the widgets stand in the drawing, which may differ from that of the content where places
// overlap. The drawing marks each widget by its id; text cannot look like that, since quotes are escaped in it.
func (n *snapshot) order(body string) []board.WidgetID {
	at := make(map[board.WidgetID]int, len(n.widgets))
	ids := make([]board.WidgetID, len(n.widgets))
	for i := range n.widgets {
		ids[i] = n.widgets[i].id
		at[ids[i]] = strings.Index(body, ` id="w-`+string(ids[i])+`"`)
	}
	slices.SortStableFunc(ids, func(a, b board.WidgetID) int { return cmp.Compare(at[a], at[b]) })
	return ids
}

// end is why a connection is ended.
type end int

const (
	endNot        end = iota
	endGone           // the link does not open the dashboard any more
	endLocked         // the password is to be given, or to be given anew
	endRestarting     // the server goes down, or could not find out
)

// told is what a viewer is told of an end for which there is no coming back with what it had.
func (e end) told() goneMessage {
	if e == endLocked {
		return goneMessage{T: "gone", Why: "locked", Reason: lockedReason}
	}
	return goneMessage{T: "gone", Why: "gone", Reason: goneReason}
}
