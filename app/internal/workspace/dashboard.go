package workspace

import (
	"fmt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// dashboard is one dashboard in memory. rec, screen, the stacks and the live numbers are guarded by Workspace.mu; state is
// touched by the holder of Workspace.write only.
type dashboard struct {
	rec    localstore.Board
	screen *screen.Screen // nil until somebody looks
	state  *replica.State // nil until somebody looks, and after a change that could not be stored

	undo, redo screen.Stack

	// people are those who can open it as the server last told, nil before. The record is replaced, never changed.
	people *localstore.People
	// presence is who has it before them, this account included, while there is a connection.
	presence []wire.Present

	// Of the link, as the server told in this run of the program. Views is replaced, never changed.
	watching int
	views    *Views
	receipt  *Receipt
	// warned is the end of the link that its owner was told of.
	warned int64
}

// role is what this account may do. A dashboard that belongs to this device alone has its user as owner.
func (d *dashboard) role() sharing.Role {
	if d.rec.Role == sharing.RoleNone {
		return sharing.RoleOwner
	}
	return d.rec.Role
}

// mine reports whether the dashboard is the account's own, or nobody's yet.
func (d *dashboard) mine() bool {
	return d.rec.Mine || d.rec.Owner == "" && d.role() == sharing.RoleOwner
}

// manages reports whether the user may manage sharing: the owner, and whomever the server says (rule A3).
func (d *dashboard) manages() bool {
	return d.rec.Denied == "" && (d.rec.Share || d.role().CanShare())
}

// find returns a dashboard. The caller holds w.write.
func (w *Workspace) find(id board.ID) (*dashboard, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if d := w.boards[id]; d != nil {
		return d, nil
	}
	return nil, notFound()
}

// open returns a dashboard with its replica in memory. The caller holds w.write.
func (w *Workspace) open(id board.ID) (*dashboard, error) {
	d, err := w.find(id)
	if err != nil {
		return nil, err
	}
	return d, w.load(d)
}

// viewClient reads a dashboard's replica as it is on the disk. What fn is given ends with it.
func (w *Workspace) viewClient(id board.ID, fn func(*replica.Client) error) error {
	err := w.deps.Store.View(func(tx *localstore.Tx) error {
		rtx, err := tx.Replica(id)
		if err != nil {
			return err
		}
		c, err := replica.OpenClient(rtx)
		if err != nil {
			return err
		}
		return fn(c)
	})
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", id, err)
	}
	return nil
}

// load brings a dashboard's replica into memory. The caller holds w.write.
func (w *Workspace) load(d *dashboard) error {
	if d.state != nil {
		return nil
	}
	var state *replica.State
	if err := w.viewClient(d.rec.ID, func(c *replica.Client) (err error) {
		state, err = c.View()
		return err
	}); err != nil {
		return err
	}
	d.state = state
	if d.screen == nil {
		s := screen.New(board.NewView(d.rec.ID, state), w.deps.Now().UnixMilli())
		w.mu.Lock()
		d.screen = s
		w.mu.Unlock()
	}
	return nil
}

// change is what a transaction did to one dashboard.
type change struct {
	replica.Changes
	// foreign says that the change came from the server, not from this user.
	foreign bool
	// then is called once the change is in the picture, before anybody sees that; nil is nothing. The caller holds w.mu.
	then func()
}

// by is the device that made the change, 0 if it was not this one.
func (c change) by() uint64 {
	if c.foreign || len(c.Ops) == 0 {
		return 0
	}
	return c.Ops[0].At().Dev
}

// commit runs fn in one local transaction on a dashboard's replica and record, and shows the result in memory once it is
// on disk. The caller holds w.write and has opened the dashboard. After an error nothing has changed.
func (w *Workspace) commit(d *dashboard, fn func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error)) error {
	if err := w.load(d); err != nil {
		return err
	}
	rec, view, state, shows := d.rec, d.screen.View(), d.state, false
	before := d.state
	var done change
	err := w.deps.Store.Update(func(tx *localstore.Tx) error {
		rec = d.rec
		rtx, err := tx.Replica(rec.ID)
		if err != nil {
			return err
		}
		c, err := replica.OpenClient(rtx)
		if err != nil {
			return err
		}
		if done, err = fn(tx, c, &rec); err != nil {
			return err
		}
		var gone []replica.Op
		switch {
		case done.Rebuild:
			d.state = nil
			if state, err = c.View(); err != nil {
				return err
			}
			if len(done.Refused) == 0 { // a widget that was refused as a whole is in the tray
				gone = vanished(before, state)
			}
			view, shows = board.NewView(rec.ID, state), true
		case len(done.Ops) > 0:
			d.state = nil // until the transaction is on disk: if it fails, the replica is loaded again
			gone = buried(before, done.Ops)
			view, shows = screen.Apply(state, view, done.Ops), true
		}
		rec.Title, rec.Trashed, rec.Widgets = view.Title, !view.Alive, len(view.Widgets)
		rec.Queued, rec.Refused = waiting(c), rec.Refused+len(done.Refused)
		if rec.Buried, err = remember(rec, c, gone); err != nil {
			return err
		}
		return tx.PutBoard(rec)
	})
	if err != nil {
		return fmt.Errorf("change dashboard %s: %w", d.rec.ID, err)
	}
	d.state = state
	w.mu.Lock()
	d.rec = rec
	if shows {
		d.screen.Advance(view, done.by())
	} else {
		d.screen.Touch()
	}
	if done.then != nil {
		done.then()
	}
	version := d.screen.Version()
	w.mu.Unlock()
	w.publish(Event{Type: EventState}, Event{Type: EventBoard, ID: rec.ID, Version: version})
	return nil
}

// waiting is how many edits the server has not judged yet.
func waiting(c *replica.Client) int { return int(c.Status().Waiting) } //nolint:gosec // bounded by the disk

// touch stores a dashboard's record after fn has changed it, together with whatever else fn stores.
func (w *Workspace) touch(d *dashboard, fn func(tx *localstore.Tx, rec *localstore.Board) error) error {
	rec := d.rec
	err := w.deps.Store.Update(func(tx *localstore.Tx) error {
		if err := fn(tx, &rec); err != nil {
			return err
		}
		return tx.PutBoard(rec)
	})
	if err != nil {
		return fmt.Errorf("change record of dashboard %s: %w", d.rec.ID, err)
	}
	w.mu.Lock()
	d.rec = rec
	w.mu.Unlock()
	w.shown(d)
	return nil
}

// shown tells screens that something about a dashboard other than its widgets has changed.
func (w *Workspace) shown(d *dashboard) {
	w.publish(append(w.turned(d), Event{Type: EventState})...)
}

// turned gives a dashboard's picture a new version, because of what surrounds the widgets, and returns the event that tells
// so; none if no screen shows it.
func (w *Workspace) turned(d *dashboard) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.screen == nil {
		return nil
	}
	d.screen.Touch()
	return []Event{{Type: EventBoard, ID: d.rec.ID, Version: d.screen.Version()}}
}

// Board is a whole dashboard.
func (w *Workspace) Board(id board.ID) (BoardView, error) {
	d, err := w.look(id)
	if err != nil {
		return BoardView{}, err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	return d.screen.Whole(w.head(d)), nil
}

// BoardSince is what changed since version have; where that is not known any more it is the whole dashboard. Exactly one
// of the two is not nil, unless there is an error.
func (w *Workspace) BoardSince(id board.ID, have int64) (*BoardPatch, *BoardView, error) {
	d, err := w.look(id)
	if err != nil {
		return nil, nil, err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if p := d.screen.Patch(w.head(d), have); p != nil {
		return p, nil, nil
	}
	v := d.screen.Whole(w.head(d))
	return nil, &v, nil
}

// look returns a dashboard that has a screen. It waits for the disk only the first time.
func (w *Workspace) look(id board.ID) (*dashboard, error) {
	w.mu.RLock()
	d := w.boards[id]
	ready := d != nil && d.screen != nil
	w.mu.RUnlock()
	if ready {
		return d, nil
	}
	w.write.Lock()
	defer w.write.Unlock()
	return w.open(id)
}

// head is what a dashboard's picture has beside the widgets. The caller holds w.mu.
func (w *Workspace) head(d *dashboard) BoardHead {
	h := d.screen.Head()
	h.Role, h.Sample, h.Sync, h.Queued, h.Refused = d.role(), d.rec.Sample, w.syncOf(d), d.rec.Queued, d.rec.Refused
	h.Undo, h.Redo, h.Share = d.undo.Label(), d.redo.Label(), w.share(d)
	return h
}

// mayEdit reports why a dashboard's content cannot be changed, nil if it can.
func (d *dashboard) mayEdit() error {
	switch {
	case d.rec.Denied != "":
		return fault.New(fault.Denied, "You may not open this dashboard any more, so it cannot be changed.").
			WithHint("Keep what you have as a copy of your own.")
	case !d.role().CanEdit():
		return fault.New(fault.Denied, "You may view this dashboard, but not change it.").
			WithHint("Duplicate it to have a copy of your own, or ask its owner to let you edit.")
	}
	return nil
}

// mayEditNow is mayEdit for everything but Restore: what lies in the trash stays as it is.
func (d *dashboard) mayEditNow() error {
	if err := d.mayEdit(); err != nil {
		return err
	}
	if d.rec.Trashed {
		return fault.New(fault.Conflict, "This dashboard is in the trash.").WithHint("Restore it first.")
	}
	return nil
}
