package workspace

import (
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/wire"
)

// gaze is what the screens look at. Edited is when they last said that it was just changed.
type gaze struct {
	board  board.ID
	edited time.Time
}

// Look tells which dashboard is on the screen, "" for none, and whether it was just changed there, so that those who share
// it see who else is at it. It is told while there is a connection, and never kept for later. The fault is NotFound for a
// dashboard that is not on this device.
func (w *Workspace) Look(id board.ID, editing bool) error {
	w.mu.Lock()
	if id != "" && w.boards[id] == nil {
		w.mu.Unlock()
		return notFound()
	}
	w.gaze = gaze{board: id}
	if id != "" && editing {
		w.gaze.edited = w.deps.Now()
	}
	w.mu.Unlock()
	select {
	case w.gazed <- struct{}{}:
	default:
	}
	return nil
}

// Looked yields a token when Looking may be another.
func (w *Workspace) Looked() <-chan struct{} { return w.gazed }

// Looking is what the server is to know of what is on the screen: nothing of dashboards that it does not have for this
// account. Editing ends by itself when it was not said again for as long as a Look counts.
func (w *Workspace) Looking() wire.Look {
	w.mu.RLock()
	defer w.mu.RUnlock()
	d := w.boards[w.gaze.board]
	if d == nil || w.account == nil || !d.rec.Known || !goesTo(d.rec, w.account.Key()) {
		return wire.Look{}
	}
	age := w.deps.Now().Sub(w.gaze.edited)
	return wire.Look{Board: d.rec.ID, Editing: !w.gaze.edited.IsZero() && age >= 0 && age < wire.LookEvery*time.Millisecond}
}
