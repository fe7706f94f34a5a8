package workspace

import (
	"math"
	"slices"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// What the server removed for good is gone here too, and edits of it that wait are refused when they arrive. So that their
// author learns which widget they were about, and finds it in the copy, what was known of it is kept until they are settled.

// maxBuried bounds what is kept of buried widgets, in bytes for each dashboard.
const maxBuried = 1 << 20

// buried lists the fields and columns that operations are about to bury.
func buried(before *replica.State, ops []replica.Op) (gone []replica.Op) {
	for i := range ops {
		if ops[i].Kind == replica.OpBury {
			gone = append(gone, fields(before, ops[i].Entity)...)
		}
	}
	return gone
}

// vanished lists the fields and columns of widgets that a snapshot does not have any more: before had their kind.
func vanished(before, after *replica.State) (gone []replica.Op) {
	for _, e := range before.Entities() {
		if _, _, was := before.Register(e, board.FieldKind); !was {
			continue
		}
		if _, _, is := after.Register(e, board.FieldKind); !is {
			gone = append(gone, fields(before, e)...)
		}
	}
	return gone
}

func fields(s *replica.State, entity string) (all []replica.Op) {
	for _, f := range s.Fields(entity) {
		value, stamp, _ := s.Register(entity, f)
		all = append(all, replica.Op{Stamp: stamp, Kind: replica.OpSet, Entity: entity, Field: f, Value: value})
	}
	if rows := s.Rows(entity); rows != nil {
		change := &replica.RowChange{Replace: true, Columns: rows.Columns}
		all = append(all, replica.Op{Stamp: rows.Stamp, Kind: replica.OpRows, Entity: entity, Rows: change})
	}
	return all
}

// remember is what is kept of buried widgets after gone have gone: those that unsettled edits are about.
func remember(rec localstore.Board, c *replica.Client, gone []replica.Op) ([]replica.Op, error) {
	if rec.Queued == 0 && rec.Refused == 0 {
		return nil, nil
	}
	if len(gone) == 0 {
		return rec.Buried, nil
	}
	about := map[string]bool{}
	queue, err := c.Pending(0, math.MaxInt, math.MaxInt)
	if err != nil {
		return nil, err //nolint:wrapcheck // commit says what it was doing
	}
	for i := range queue {
		about[queue[i].Entity] = true
	}
	tray, err := c.Tray()
	if err != nil {
		return nil, err //nolint:wrapcheck // commit says what it was doing
	}
	for i := range tray {
		about[tray[i].Op.Entity] = true
	}
	kept, size := slices.Clone(rec.Buried), 0
	for i := range kept {
		size += kept[i].Size()
	}
	for i := range gone {
		if n := gone[i].Size(); about[gone[i].Entity] && size+n <= maxBuried {
			kept, size = append(kept, gone[i]), size+n
		}
	}
	return kept, nil
}
