package content

import (
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

// Delta is what of a step of the log a grant's holder gets: whoever may only view gets what is published (rule A6). The
// positions stay as they are.
func Delta(g access.Grant, d replica.Delta) replica.Delta {
	if g.May(access.Edit) {
		return d
	}
	d.Epoch = Epoch(g, d.Epoch)
	d.Entries = slices.DeleteFunc(slices.Clone(d.Entries), func(e replica.Entry) bool { return !published(&e.Op) })
	return d
}

func published(op *replica.Op) bool {
	switch op.Kind {
	case replica.OpRows:
		return true
	case replica.OpSet:
		return board.Published(op.Entity, op.Field)
	}
	return false
}

// Snapshot is what of a page of the whole content a grant's holder gets, as with Delta.
func Snapshot(g access.Grant, s replica.Snapshot) replica.Snapshot {
	if g.May(access.Edit) {
		return s
	}
	s.Epoch = Epoch(g, s.Epoch)
	s.Registers = slices.DeleteFunc(slices.Clone(s.Registers), func(r replica.Register) bool { return !board.Published(r.Entity, r.Field) })
	return s
}
