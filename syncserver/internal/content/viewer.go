package content

import (
	"encoding/json"
	"fmt"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/access"
)

// Epoch is the epoch of the log that a grant's holder gets, from or to that of the log itself. Viewers get another one, so that a
// device whose role changes starts anew from a snapshot.
func Epoch(g access.Grant, epoch uint64) uint64 {
	if g.May(access.Edit) {
		return epoch
	}
	return replica.Projected(epoch)
}

// Step is a step of a dashboard's log, with what decides how much of it viewers get: how the widgets that it touches stand
// at its end, and whether it brings any onto the dashboard or makes one of another kind.
type Step struct {
	replica.Delta
	widgets map[string]standing
	arrives bool
}

// standing is what of a widget decides about its other registers.
type standing struct {
	there bool // on the dashboard
	kind  board.Kind
}

// NewStep looks up what viewers may get of a step. hub is at the step's end or later.
func NewStep(hub *replica.Hub, d replica.Delta) (Step, error) {
	s := Step{Delta: d, widgets: map[string]standing{}}
	for i := range d.Entries {
		op := &d.Entries[i].Op
		if op.Entity == board.BoardEntity {
			continue
		}
		s.arrives = s.arrives || op.Kind == replica.OpSet && (op.Field == board.FieldKind || op.Field == board.FieldAlive && string(op.Value) == "true")
		if _, known := s.widgets[op.Entity]; known {
			continue
		}
		w, err := stands(hub, op.Entity)
		if err != nil {
			return s, err
		}
		s.widgets[op.Entity] = w
	}
	return s, nil
}

func stands(hub *replica.Hub, entity string) (w standing, err error) {
	raw, ok, err := hub.Register(entity, board.FieldAlive)
	if err != nil {
		return w, fmt.Errorf("read whether %s is there: %w", entity, err)
	}
	w.there = ok && string(raw) == "true"
	raw, ok, err = hub.Register(entity, board.FieldKind)
	if err != nil {
		return w, fmt.Errorf("read the kind of %s: %w", entity, err)
	}
	if ok {
		_ = json.Unmarshal(raw, &w.kind) // of what is no text nothing is published
	}
	return w, nil
}

// Part is the part of the step that consists of these entries, up to a position.
func (s Step) Part(from, to uint64, entries []replica.Entry) Step {
	s.From, s.To, s.Entries = from, to, entries
	return s
}

// For is what of the step a grant's holder gets. Whoever may only view gets what is published (rule A6), and nothing of
// widgets that have been removed; positions stay as they are. ok is false where that needs more than the step holds: a
// widget that arrives, or is of another kind, may bring along what was left out before. Then a snapshot is due.
func (s Step) For(g access.Grant) (d replica.Delta, ok bool) {
	if g.May(access.Edit) {
		return s.Delta, true
	}
	d = s.Delta
	d.Epoch = Epoch(g, d.Epoch)
	d.Entries = slices.DeleteFunc(slices.Clone(d.Entries), func(e replica.Entry) bool { return !s.published(&e.Op) })
	return d, !s.arrives
}

func (s Step) published(op *replica.Op) bool {
	if op.Kind == replica.OpBury {
		return true // nothing but that it is gone
	}
	w, ok := s.widgets[op.Entity]
	if ok && !w.there {
		return op.Kind == replica.OpSet && op.Field == board.FieldAlive
	}
	return op.Kind == replica.OpRows || op.Kind == replica.OpSet && board.Published(op.Entity, op.Field, w.kind)
}

// Snapshot is the dashboard's whole content as a grant's holder gets it, in pages of about maxBytes, as with Step.For.
func Snapshot(g access.Grant, hub *replica.Hub, maxBytes int) ([]replica.Snapshot, error) {
	pages, err := hub.Snapshot(maxBytes)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	if g.May(access.Edit) {
		return pages, nil
	}
	widgets := map[string]standing{board.BoardEntity: {there: true}}
	var failed error
	look := func(entity string) standing {
		w, known := widgets[entity]
		if !known {
			w, err = stands(hub, entity)
			if err != nil {
				failed = err
			}
			widgets[entity] = w
		}
		return w
	}
	for i := range pages {
		p := &pages[i]
		p.Epoch = Epoch(g, p.Epoch)
		p.Registers = slices.DeleteFunc(p.Registers, func(r replica.Register) bool {
			w := look(r.Entity)
			return !board.Published(r.Entity, r.Field, w.kind) || r.Field != board.FieldAlive && !w.there
		})
		p.Rows = slices.DeleteFunc(p.Rows, func(r replica.RowLog) bool { return !look(r.Entity).there })
	}
	return pages, failed
}
