package workspace

import (
	"fmt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

// KeepCopy makes a dashboard of one's own from one whose edits were refused, with the refused edits in it, and forgets
// them in the original (Q4). A dashboard that the account may not open any more is replaced by its copy.
func (w *Workspace) KeepCopy(id board.ID) (board.ID, error) {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return "", err
	}
	if d.rec.Refused == 0 && d.rec.Denied == "" {
		return "", fault.New(fault.Conflict, "No edits of this dashboard were refused.").WithHint("Duplicate it to have a copy.")
	}
	var v board.View
	err = w.deps.Store.View(func(tx *localstore.Tx) error {
		rtx, err := tx.Replica(id)
		if err != nil {
			return err
		}
		c, err := replica.OpenClient(rtx)
		if err != nil {
			return err
		}
		tray, err := c.Tray()
		if err != nil {
			return err
		}
		s := d.state.Clone()
		for _, r := range tray {
			s.Apply(r.Op)
		}
		v = board.NewView(id, s)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read refused edits: %w", err)
	}
	v.Title = screen.CopyTitle(v.Title)
	n, err := w.prepare(v, true)
	if err != nil {
		return "", err
	}
	wall := w.wall()
	if d.rec.Denied != "" {
		err = w.remove(d, func(tx *localstore.Tx) error { return n.store(tx, wall) })
	} else {
		err = w.commit(d, func(tx *localstore.Tx, c *replica.Client, _ *localstore.Board) (change, error) {
			if err := c.DropTray(); err != nil {
				return change{}, err
			}
			return change{}, n.store(tx, wall)
		})
	}
	if err != nil {
		return "", err
	}
	w.adopt(n.rec)
	return n.rec.ID, nil
}

// DiscardRefused forgets a dashboard's refused edits; a dashboard that the account may not open any more goes altogether.
func (w *Workspace) DiscardRefused(id board.ID) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return err
	}
	if d.rec.Denied != "" {
		return w.remove(d, nil)
	}
	return w.commit(d, func(_ *localstore.Tx, c *replica.Client, _ *localstore.Board) (change, error) {
		return change{}, c.DropTray()
	})
}
