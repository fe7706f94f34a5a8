package workspace

import (
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
)

// Undo takes back the latest edit made here in this run of the program, except where somebody else wrote later. The fault
// is Conflict where nothing of it can be taken back.
func (w *Workspace) Undo(id board.ID) error {
	return w.travel(id, screen.NothingToUndo, func(d *dashboard) (from, to *screen.Stack) { return &d.undo, &d.redo })
}

// Redo does again what Undo took back.
func (w *Workspace) Redo(id board.ID) error {
	return w.travel(id, screen.NothingToRedo, func(d *dashboard) (from, to *screen.Stack) { return &d.redo, &d.undo })
}

func (w *Workspace) travel(id board.ID, nothing string, stacks func(*dashboard) (from, to *screen.Stack)) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return err
	}
	if err := d.mayEditNow(); err != nil {
		return err
	}
	dev, err := w.dev()
	if err != nil {
		return err
	}
	from, to := stacks(d)
	s := from.Last()
	if s == nil {
		return fault.New(fault.Conflict, nothing)
	}
	edits, skipped := s.Back(d.screen, d.state, dev)
	if len(edits) > 0 {
		reverse := s.Reverse(d.screen, d.state, w.deps.Now(), edits)
		if err := w.enqueue(d, edits, func() {
			reverse.Done(d.screen)
			from.Pop()
			to.Push(reverse, false)
		}); err != nil {
			return err
		}
		if skipped {
			w.publish(inHistory(notice(NoticeInfo, id, screen.Overwritten, "")))
		}
		return nil
	}
	w.mu.Lock()
	from.Pop()
	w.mu.Unlock()
	w.shown(d)
	return fault.New(fault.Conflict, screen.Overwritten)
}
