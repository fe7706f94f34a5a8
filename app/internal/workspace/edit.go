package workspace

import (
	"encoding/json"
	"fmt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

// Edit changes a dashboard's content, all or nothing, and returns when it is on disk. Label names the change in the undo
// menu; edits of the same fields under the same label within a second are one step for Undo. Faults name the field that is
// wrong by its name in package board (title, layout, opt.unit, rows[7], ...).
func (w *Workspace) Edit(id board.ID, edits []Edit, label string) (Edited, error) {
	return w.apply(id, label, func(d *dashboard) (screen.Planned, error) { return screen.Plan(d.screen.View(), edits, w.newWidgetID) })
}

// apply makes the edits that plan finds for a dashboard as it is, as one step for Undo.
func (w *Workspace) apply(id board.ID, label string, plan func(*dashboard) (screen.Planned, error)) (Edited, error) {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return Edited{}, err
	}
	if err := d.mayEditNow(); err != nil {
		return Edited{}, err
	}
	p, err := plan(d)
	if err != nil {
		return Edited{}, err
	}
	s := screen.NewStep(d.screen, d.state, label, w.deps.Now(), p.Edits)
	out := Edited{Added: p.Added}
	err = w.enqueue(d, p.Edits, func() {
		s.Done(d.screen)
		d.undo.Push(s, true)
		d.redo.Clear()
		out.Version = d.screen.Version()
	})
	if err != nil {
		return Edited{}, err
	}
	return out, nil
}

// PutRows replaces a widget's columns and rows, as one undoable edit.
func (w *Workspace) PutRows(id board.ID, widget board.WidgetID, columns []board.Column, rows []json.RawMessage) (Edited, error) {
	return w.Edit(id, []Edit{{Do: DoRows, Widget: widget, Columns: columns, Rows: rows}}, "Import data")
}

// enqueue stores edits in one transaction: in the queue for the server, in the clock, and in the record. A sample that is
// edited is a sample no more. The caller holds w.write and has checked the edits.
func (w *Workspace) enqueue(d *dashboard, edits []replica.Edit, then func()) error {
	wall := w.wall()
	err := w.commit(d, func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
		ops, err := stamp(tx, c, wall, edits)
		if err != nil {
			return change{}, err
		}
		rec.Sample, rec.Updated = false, wall
		return change{Changes: replica.Changes{Ops: ops}, then: then}, nil
	})
	if err != nil {
		return err
	}
	w.wake()
	return nil
}

// stamp queues edits with new stamps and stores how far the clock has run.
func stamp(tx *localstore.Tx, c *replica.Client, wall int64, edits []replica.Edit) ([]replica.Op, error) {
	clock, err := tx.Clock()
	if err != nil {
		return nil, err
	}
	ops, err := c.Edit(&clock, wall, edits)
	if err != nil {
		return nil, fmt.Errorf("queue edits: %w", err)
	}
	return ops, tx.SetClock(clock)
}
