package workspace

import (
	"encoding/json"
	"fmt"
	"slices"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
)

// Create makes an empty dashboard, in the account's personal organisation.
func (w *Workspace) Create(title string) (board.ID, error) { return w.CreateIn(title, "") }

// CreateIn is Create in an organisation that the account is a member of; "" is the personal one. A server puts new
// dashboards into that, so a command that moves it is queued with it.
func (w *Workspace) CreateIn(title, organisation string) (board.ID, error) {
	v := board.View{Title: title, Theme: board.ThemeSystem}
	return w.make(v, false, organisation)
}

// Duplicate makes a dashboard with the same content under new ids. It is private and belongs to this account.
func (w *Workspace) Duplicate(id board.ID) (board.ID, error) {
	d, err := w.look(id)
	if err != nil {
		return "", err
	}
	w.mu.RLock()
	v := d.screen.View()
	w.mu.RUnlock()
	v.Title = screen.CopyTitle(v.Title)
	return w.make(v, true, "")
}

// make makes a dashboard with the content of v under new ids, in an organisation if one is named. Lenient keeps widgets of
// kinds from a newer version.
func (w *Workspace) make(v board.View, lenient bool, organisation string) (board.ID, error) {
	w.write.Lock()
	defer w.write.Unlock()
	n, err := w.prepare(v, lenient)
	if err != nil {
		return "", err
	}
	if err := w.place(&n, organisation); err != nil {
		return "", err
	}
	wall := w.wall()
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return n.store(tx, wall) }); err != nil {
		return "", fmt.Errorf("make dashboard: %w", err)
	}
	if n.move != nil {
		w.mu.Lock()
		w.outbox = append(slices.Clip(w.outbox), *n.move)
		w.mu.Unlock()
	}
	w.adopt(n.rec)
	return n.rec.ID, nil
}

// place puts a new dashboard into an organisation other than the personal one.
func (w *Workspace) place(n *newBoard, organisation string) error {
	if organisation == "" || w.personal(organisation) {
		return nil
	}
	c := sharing.Command{Action: sharing.Move, Board: n.rec.ID, Organisation: organisation}
	if !slices.ContainsFunc(w.orgs, func(o localstore.Organisation) bool { return o.ID == organisation }) {
		return fault.Field("organisation", "You are not a member of this organisation.")
	}
	if err := w.name(&c, n.rec.ID); err != nil {
		return err
	}
	n.move = &localstore.Command{Command: c}
	return nil
}

// adopt shows a dashboard that has just been stored.
func (w *Workspace) adopt(rec localstore.Board) {
	w.mu.Lock()
	w.boards[rec.ID] = &dashboard{rec: rec}
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	w.wake()
}

// newBoard is a dashboard that is not stored yet.
type newBoard struct {
	rec   localstore.Board
	edits []replica.Edit
	move  *localstore.Command // to another organisation, or nil
}

// prepare checks the content of a new dashboard and gives it ids.
func (w *Workspace) prepare(v board.View, lenient bool) (newBoard, error) {
	id, err := w.newBoardID()
	if err != nil {
		return newBoard{}, err
	}
	edits, err := screen.PlanNew(v, lenient, w.newWidgetID)
	if err != nil {
		return newBoard{}, err
	}
	return newBoard{rec: localstore.Board{ID: id, Title: v.Title, Widgets: len(v.Widgets)}, edits: edits}, nil
}

// store queues the new dashboard's content and its move, and stores its record.
func (n *newBoard) store(tx *localstore.Tx, wall int64) error {
	rtx, err := tx.Replica(n.rec.ID)
	if err != nil {
		return err
	}
	c, err := replica.OpenClient(rtx)
	if err != nil {
		return fmt.Errorf("open replica: %w", err)
	}
	if _, err := stamp(tx, c, wall, n.edits); err != nil {
		return err
	}
	n.rec.Created, n.rec.Updated, n.rec.Queued = wall, wall, waiting(c)
	if n.move != nil {
		n.move.After = c.Status().LastN
		if err := tx.Queue(n.move); err != nil {
			return fmt.Errorf("queue the move: %w", err)
		}
	}
	return tx.PutBoard(n.rec)
}

// Trash moves a dashboard to the trash; its link does not work while it is there.
func (w *Workspace) Trash(id board.ID) error { return w.setAlive(id, false) }

// Restore takes a dashboard out of the trash.
func (w *Workspace) Restore(id board.ID) error { return w.setAlive(id, true) }

func (w *Workspace) setAlive(id board.ID, alive bool) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return err
	}
	if err := d.mayEdit(); err != nil {
		return err
	}
	if d.rec.Trashed == !alive {
		return nil
	}
	value, err := json.Marshal(alive)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return w.enqueue(d, []replica.Edit{{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldAlive, Value: value}}, nil)
}

// Destroy deletes a trashed dashboard for ever: here at once, on the server as soon as it can be reached.
func (w *Workspace) Destroy(id board.ID) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.find(id)
	if err != nil {
		return err
	}
	if !d.rec.Trashed {
		return fault.New(fault.Conflict, "Only a dashboard in the trash can be deleted for ever.").WithHint("Move it to the trash first.")
	}
	if !d.role().CanShare() {
		return fault.New(fault.Denied, "Only its owner can delete this dashboard for ever.")
	}
	var tell *localstore.Command
	if d.rec.Home != "" && d.rec.Denied == "" {
		u, err := w.newULID()
		if err != nil {
			return err
		}
		tell = &localstore.Command{
			Home:    d.rec.Home,
			Command: sharing.Command{ID: sharing.NewCommandID(u), Board: id, Action: sharing.Delete, Base: w.wanted(d).Version},
		}
	}
	err = w.remove(d, func(tx *localstore.Tx) error {
		if tell == nil {
			return nil
		}
		return tx.Queue(tell)
	})
	if err != nil {
		return err
	}
	if tell != nil {
		w.mu.Lock()
		w.outbox = append(w.outbox, *tell)
		w.mu.Unlock()
	}
	w.wake()
	return nil
}

// remove takes a dashboard and its waiting commands off this device, and does also what fn does, if it is not nil, in the
// same transaction.
func (w *Workspace) remove(d *dashboard, also func(tx *localstore.Tx) error) error {
	outbox := make([]localstore.Command, 0, len(w.outbox))
	err := w.deps.Store.Update(func(tx *localstore.Tx) error {
		for _, c := range w.outbox {
			if c.Command.Board != d.rec.ID {
				outbox = append(outbox, c)
			} else if err := tx.Unqueue(c.Seq); err != nil {
				return err
			}
		}
		if err := tx.RemoveBoard(d.rec.ID); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return fmt.Errorf("remove dashboard %s: %w", d.rec.ID, err)
	}
	w.mu.Lock()
	w.outbox = outbox
	delete(w.boards, d.rec.ID)
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	return nil
}
