package content

import (
	"fmt"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/access"
)

// viewerMark tells the log that viewers get from the log itself: its epoch is another, so a device whose role changes
// from one to the other starts anew from a snapshot.
const viewerMark = 0x5ee0_0a1e_ed10_9000

// Epoch is the epoch of the log that a grant's holder gets, from or to that of the log itself.
func Epoch(g access.Grant, epoch uint64) uint64 {
	if g.May(access.Edit) {
		return epoch
	}
	return epoch ^ viewerMark
}

// Step is a step of a dashboard's log, with what decides how much of it viewers get: which of the widgets that it touches
// are not on the dashboard at its end, and whether it brings any onto it.
type Step struct {
	replica.Delta
	gone    map[string]bool
	arrives bool
}

// NewStep looks up what viewers may get of a step. hub is at the step's end or later.
func NewStep(hub *replica.Hub, d replica.Delta) (Step, error) {
	s := Step{Delta: d, gone: map[string]bool{}}
	for i := range d.Entries {
		op := &d.Entries[i].Op
		if op.Entity == board.BoardEntity {
			continue
		}
		s.arrives = s.arrives || op.Kind == replica.OpSet && op.Field == board.FieldAlive && string(op.Value) == "true"
		if _, known := s.gone[op.Entity]; known {
			continue
		}
		alive, err := isAlive(hub, op.Entity)
		if err != nil {
			return s, err
		}
		s.gone[op.Entity] = !alive
	}
	return s, nil
}

func isAlive(hub *replica.Hub, entity string) (bool, error) {
	raw, ok, err := hub.Register(entity, board.FieldAlive)
	if err != nil {
		return false, fmt.Errorf("read whether %s is there: %w", entity, err)
	}
	return ok && string(raw) == "true", nil
}

// Part is the part of the step that consists of these entries, up to a position.
func (s Step) Part(from, to uint64, entries []replica.Entry) Step {
	s.From, s.To, s.Entries = from, to, entries
	return s
}

// For is what of the step a grant's holder gets. Whoever may only view gets what is published (rule A6), and nothing of
// widgets that have been removed; positions stay as they are. ok is false where that needs more than the step holds: a
// widget that arrives may bring along what was left out before. Then a snapshot is due.
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
	if s.gone[op.Entity] {
		return op.Kind == replica.OpSet && op.Field == board.FieldAlive
	}
	return op.Kind == replica.OpRows || op.Kind == replica.OpSet && board.Published(op.Entity, op.Field)
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
	there := map[string]bool{board.BoardEntity: true}
	var failed error
	shown := func(entity string) bool {
		is, known := there[entity]
		if !known {
			is, err = isAlive(hub, entity)
			if err != nil {
				failed = err
			}
			there[entity] = is
		}
		return is
	}
	for i := range pages {
		p := &pages[i]
		p.Epoch = Epoch(g, p.Epoch)
		p.Registers = slices.DeleteFunc(p.Registers, func(r replica.Register) bool {
			return !board.Published(r.Entity, r.Field) || r.Field != board.FieldAlive && !shown(r.Entity)
		})
		p.Rows = slices.DeleteFunc(p.Rows, func(r replica.RowLog) bool { return !shown(r.Entity) })
	}
	return pages, failed
}
