package workspace

import (
	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

// Tray tells what the server refused of the edits of a dashboard that were made here (Q4).
func (w *Workspace) Tray(id board.ID) (Tray, error) {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return Tray{}, err
	}
	refused, err := w.tray(d)
	if err != nil {
		return Tray{}, err
	}
	t := screen.NewTray(d.state, d.rec.Buried, refused)
	t.Denied = d.rec.Denied
	return t, nil
}

// ExportTray is the dashboard with everything in it that was refused, as the text of a JSON file that ImportBoard reads.
// Nothing is settled by that.
func (w *Workspace) ExportTray(id board.ID) ([]byte, error) {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return nil, err
	}
	refused, err := w.tray(d)
	if err != nil {
		return nil, err
	}
	return screen.Export(screen.WithTray(id, d.state, d.rec.Buried, refused)) //nolint:wrapcheck // says what it was doing
}

// tray reads the refused edits of a dashboard. The caller holds w.write and has opened the dashboard.
func (w *Workspace) tray(d *dashboard) ([]replica.Refused, error) {
	var tray []replica.Refused
	err := w.viewClient(d.rec.ID, func(c *replica.Client) (err error) {
		tray, err = c.Tray()
		return err
	})
	return tray, err
}

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
	tray, err := w.tray(d)
	if err != nil {
		return "", err
	}
	v := screen.WithTray(id, d.state, d.rec.Buried, tray)
	v.Title = screen.CopyTitle(v.Title)
	n, err := w.prepare(v, true)
	if err != nil {
		return "", err
	}
	wall := w.wall()
	if d.rec.Denied != "" {
		err = w.remove(d, func(tx *localstore.Tx) error { return n.store(tx, wall) })
	} else {
		err = w.commit(d, func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
			if err := c.DropTray(); err != nil {
				return change{}, err
			}
			rec.Refused = 0
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
	return w.commit(d, func(_ *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
		rec.Refused = 0
		return change{}, c.DropTray()
	})
}
