package workspace

import (
	"errors"
	"fmt"
	"slices"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// Welcome takes note of the server's base address and clock, and of the account. Offset is the server's clock minus this device's, in
// milliseconds. The user hears once about a clock that is wrong.
func (w *Workspace) Welcome(m wire.Welcome, offset int64) error {
	return w.changeAccount(func(a *localstore.Account) {
		a.Base, a.Offset, a.Name, a.Verified, a.NoMail = m.Base, offset, m.Name, m.Verified, !m.Mail
		if m.Email != "" {
			a.Email = m.Email
		}
	})
}

// Synced takes note that everything has been exchanged now.
func (w *Workspace) Synced() error {
	now := w.deps.Now().UnixMilli()
	return w.changeAccount(func(a *localstore.Account) { a.LastSynced = now })
}

func (w *Workspace) changeAccount(fn func(*localstore.Account)) error {
	w.write.Lock()
	defer w.write.Unlock()
	w.mu.RLock()
	old := w.account
	w.mu.RUnlock()
	if old == nil {
		return nil // signed out meanwhile
	}
	next := *old
	fn(&next)
	if next == *old {
		return nil
	}
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.SetAccount(next) }); err != nil {
		return fmt.Errorf("store account: %w", err)
	}
	w.mu.Lock()
	w.account = &next
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	if c := correction(next.Offset); c != 0 && correction(old.Offset) == 0 {
		w.publish(notice(NoticeWarning, "", "This device's clock is wrong by "+duration(c)+"; edits are stamped with the server's time.",
			"Correct the clock in the system's settings."))
	}
	return nil
}

// Boards takes the list of dashboards that the account may open. It returns those to subscribe to: new ones, and those that
// can be opened again.
func (w *Workspace) Boards(m wire.Boards) ([]board.ID, error) {
	w.write.Lock()
	defer w.write.Unlock()
	w.mu.RLock()
	account := w.account
	w.mu.RUnlock()
	fresh := []board.ID{}
	if account == nil {
		return fresh, nil
	}
	if err := w.setOrganisations(m.Organisations); err != nil {
		return fresh, err
	}
	for _, a := range m.Boards {
		if w.deleting(a.Board) {
			continue
		}
		w.mu.RLock()
		d := w.boards[a.Board]
		w.mu.RUnlock()
		if d == nil {
			now := w.deps.Now().UnixMilli()
			d = &dashboard{rec: localstore.Board{ID: a.Board, Created: now, Updated: now}}
		}
		next := d.rec
		next.Home, next.Role, next.Denied, next.Known, next.Sample = account.Key(), a.Role, "", true, false
		next.Share, next.Organisation, next.Owner, next.Mine = a.Share, a.Organisation, a.Owner, a.Mine
		switch {
		case a.Share || a.Role.CanShare():
			next.Link = a.Link
		case d.manages():
			next.Link = sharing.Link{} // it is not told any more
		}
		people := permitted(d.people, a.Role, a.Share)
		if d.rec.Home == "" || d.rec.Denied != "" || d.rec.Home != next.Home {
			fresh = append(fresh, a.Board)
		}
		counted := w.count(d, next.Link, a.Views)
		if sameRecord(next, d.rec) {
			if counted {
				w.shown(d)
			}
			continue
		}
		err := w.hear(d, next.Link, func(tx *localstore.Tx, rec *localstore.Board) error {
			*rec = next
			if people == d.people {
				return nil
			}
			return putPeople(tx, rec.ID, people)
		})
		if err != nil {
			return fresh, err
		}
		w.mu.Lock()
		w.boards[a.Board], d.people = d, people
		if !a.Role.CanEdit() {
			d.presence = nil
		}
		if !d.manages() {
			d.watching, d.views, d.receipt = 0, nil, nil
		}
		w.mu.Unlock()
		w.shown(d)
	}
	return fresh, nil
}

// setOrganisations takes the organisations that the account is a member of.
func (w *Workspace) setOrganisations(told []wire.Organisation) error {
	next := make([]localstore.Organisation, len(told))
	for i, o := range told {
		next[i] = localstore.Organisation(o)
	}
	slices.SortStableFunc(next, func(a, b localstore.Organisation) int {
		switch {
		case a.Personal == b.Personal:
			return 0
		case a.Personal:
			return -1
		}
		return 1
	})
	if slices.Equal(next, w.orgs) {
		return nil
	}
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.SetOrganisations(next) }); err != nil {
		return fmt.Errorf("store organisations: %w", err)
	}
	w.mu.Lock()
	w.orgs = next
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	return nil
}

// hear stores a link that the server told without being asked, by fn, and fits the waiting commands to it.
func (w *Workspace) hear(d *dashboard, told sharing.Link, fn func(tx *localstore.Tx, rec *localstore.Board) error) error {
	again := w.rechain(d, told, nil, wire.Result{})
	if len(again) == 0 {
		return w.touch(d, fn)
	}
	return w.settle(d, w.replaced(again), func(tx *localstore.Tx, rec *localstore.Board) error {
		if err := putAll(tx, again); err != nil {
			return err
		}
		return fn(tx, rec)
	})
}

// settle is touch for what changes the outbox too.
func (w *Workspace) settle(d *dashboard, outbox []localstore.Command, fn func(tx *localstore.Tx, rec *localstore.Board) error) error {
	if err := w.touch(d, fn); err != nil {
		return err
	}
	w.mu.Lock()
	w.outbox = outbox
	w.mu.Unlock()
	w.shown(d)
	return nil
}

func putAll(tx *localstore.Tx, commands []localstore.Command) error {
	for _, c := range commands {
		if err := tx.PutCommand(c); err != nil {
			return err
		}
	}
	return nil
}

// count takes how often a link was opened, and reports whether that is news. A server that does not say leaves what was
// known, unless the link is another one now.
func (w *Workspace) count(d *dashboard, link sharing.Link, told *wire.Views) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := d.views
	switch {
	case told != nil:
		d.views = &Views{Last: told.Last, Day: told.Day, Days: append([]uint32{}, told.Days...)}
	case link.Token != d.rec.Link.Token:
		d.views = nil
	}
	if old == nil || d.views == nil {
		return old != d.views
	}
	return old.Last != d.views.Last || old.Day != d.views.Day || !slices.Equal(old.Days, d.views.Days)
}

func sameRecord(a, b localstore.Board) bool {
	return a.Home == b.Home && a.Role == b.Role && a.Denied == b.Denied && a.Known == b.Known && a.Sample == b.Sample && a.Link == b.Link &&
		a.Share == b.Share && a.Organisation == b.Organisation && a.Owner == b.Owner && a.Mine == b.Mine
}

// deleting reports whether a dashboard is being deleted from the server.
func (w *Workspace) deleting(id board.ID) bool {
	return slices.ContainsFunc(w.outbox, func(c localstore.Command) bool {
		return c.Command.Board == id && c.Command.Action == sharing.Delete
	})
}

// Ack takes the server's verdicts on edits. replica.ErrGap means that the dashboard must be subscribed to again,
// replica.ErrForked that Remake is called for.
func (w *Workspace) Ack(m wire.Ack) error {
	return w.receive(m.Board, func(_ *localstore.Tx, c *replica.Client) (replica.Changes, error) { return c.Ack(m.Ack) })
}

// Delta takes what changed on the server. The errors are those of Ack.
func (w *Workspace) Delta(m wire.Delta) error {
	return w.receive(m.Board, func(tx *localstore.Tx, c *replica.Client) (replica.Changes, error) {
		clock, err := tx.Clock()
		if err != nil {
			return replica.Changes{}, err
		}
		ch, err := c.Delta(m.Delta, &clock)
		if err != nil {
			return ch, err
		}
		return ch, tx.SetClock(clock)
	})
}

// Snapshot takes a page of a dashboard's state. replica.ErrGap means that the dashboard must be subscribed to again.
func (w *Workspace) Snapshot(m wire.Snapshot) error {
	wall := w.wall()
	return w.receive(m.Board, func(tx *localstore.Tx, c *replica.Client) (replica.Changes, error) {
		clock, err := tx.Clock()
		if err != nil {
			return replica.Changes{}, err
		}
		ch, err := c.Snapshot(m.Snapshot, &clock, wall)
		if err != nil {
			return ch, err
		}
		return ch, tx.SetClock(clock)
	})
}

// receive runs fn on a dashboard's replica, and tells the user what became of edits.
func (w *Workspace) receive(id board.ID, fn func(*localstore.Tx, *replica.Client) (replica.Changes, error)) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if errors.Is(err, errNoBoard) {
		return nil // deleted here meanwhile
	}
	if err != nil {
		return err
	}
	dev, err := w.dev()
	if err != nil {
		return err
	}
	wall := w.wall()
	var refused []replica.Refused
	var lost []replica.Op
	err = w.commit(d, func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
		ch, err := fn(tx, c)
		if err != nil {
			return change{}, err
		}
		refused, lost = ch.Refused, ch.Lost
		foreign := slices.ContainsFunc(ch.Ops, func(op replica.Op) bool { return op.At().Dev != dev })
		rec.Known = true
		if foreign {
			rec.Updated = wall
		}
		return change{Changes: ch, foreign: foreign || ch.Rebuild}, nil
	})
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		w.publish(refusal(d, refused))
	}
	if len(lost) > 0 {
		w.publish(overtaken(d, lost))
	}
	return nil
}

// ShareState takes the state of a link after a change, whoever made it.
func (w *Workspace) ShareState(m wire.Share) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.find(m.Board)
	if err != nil {
		return nil // deleted here meanwhile
	}
	if m.Link.Version < d.rec.Link.Version {
		return nil // late
	}
	w.count(d, m.Link, m.Views)
	w.mu.Lock()
	d.watching = m.Watching
	if d.rec.Link.Revokes(m.Link) || m.Cut > 0 {
		d.receipt = &Receipt{Cut: m.Cut, MS: m.CutMS}
	}
	w.mu.Unlock()
	if m.Link == d.rec.Link {
		w.shown(d)
		return nil
	}
	return w.hear(d, m.Link, func(_ *localstore.Tx, rec *localstore.Board) error {
		rec.Link = m.Link
		return nil
	})
}

// Result takes what became of a command.
func (w *Workspace) Result(m wire.Result) error {
	w.write.Lock()
	defer w.write.Unlock()
	i := slices.IndexFunc(w.outbox, func(c localstore.Command) bool { return c.Command.ID == m.ID })
	if i < 0 {
		return nil // heard before
	}
	q := w.outbox[i]
	d, err := w.find(q.Command.Board)
	if err != nil { // its dashboard was deleted here
		if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.Unqueue(q.Seq) }); err != nil {
			return fmt.Errorf("settle command: %w", err)
		}
		w.mu.Lock()
		w.outbox = slices.Delete(slices.Clone(w.outbox), i, i+1)
		w.mu.Unlock()
		w.publish(Event{Type: EventState})
		return nil
	}
	told := m.Link
	if told.Version < d.rec.Link.Version {
		told = d.rec.Link // late, or the server told none
	}
	if !d.manages() {
		told = d.rec.Link // of one's own leaving: the link is no business of this account
	}
	again, people := w.rechain(d, told, &q, m), d.people
	if m.Fault == nil && !m.Same {
		people = w.applied(d, q.Command)
	}
	if d.rec.Link.Revokes(told) {
		w.mu.Lock()
		d.receipt = &Receipt{} // until the server tells whom it cut
		w.mu.Unlock()
	}
	err = w.settle(d, slices.Delete(w.replaced(again), i, i+1), func(tx *localstore.Tx, rec *localstore.Board) error {
		rec.Link = told
		switch {
		case m.Fault != nil:
			rec.Refusal = refusalOf(rec.Refusal, q.Command.Action, w.prefix(d, q.Command)+sentence(m.Fault))
		case q.Command.Action == sharing.Move:
			rec.Organisation = q.Command.Organisation
		}
		if people != d.people {
			if err := putPeople(tx, rec.ID, people); err != nil {
				return err
			}
		}
		if err := putAll(tx, again); err != nil {
			return err
		}
		return tx.Unqueue(q.Seq)
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	d.people = people
	w.mu.Unlock()
	w.shown(d)
	if m.Fault != nil {
		w.publish(notice(NoticeWarning, d.rec.ID, w.prefix(d, q.Command)+m.Fault.Message, m.Fault.Hint))
	}
	return nil
}

// Denied takes note that the account may not open a dashboard any more. What waited for it stays, for its author to keep as
// a copy; a dashboard that was deleted and has nothing waiting goes from this device too.
func (w *Workspace) Denied(m wire.Denied) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(m.Board)
	if errors.Is(err, errNoBoard) {
		return nil
	}
	if err != nil {
		return err
	}
	title := d.rec.Title
	if !d.rec.Known && !m.Gone {
		// The server has not taken it in the first place. It stays as it is, and is offered again some other time.
		w.publish(notice(NoticeWarning, m.Board, "“"+title+"” was not taken by the server. "+m.Message, "It stays saved on this device."))
		return nil
	}
	if m.Gone && d.rec.Queued == 0 && d.rec.Refused == 0 {
		if err := w.remove(d, nil); err != nil {
			return err
		}
		w.publish(notice(NoticeInfo, "", "The dashboard “"+title+"” was deleted for ever.", ""))
		return nil
	}
	message := m.Message
	switch {
	case !m.Gone && d.rec.Owner != "" && !d.rec.Mine:
		message = "It belongs to " + d.rec.Owner + " and is not shared with you any more."
	case message == "":
		message = "You may not open this dashboard any more."
	}
	err = w.commit(d, func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
		if err := tx.RemovePeople(rec.ID); err != nil { // others' addresses are no business of this account any more
			return change{}, err
		}
		rec.Denied, rec.Share, rec.Link = message, false, sharing.Link{}
		reason := replica.ReasonForbidden
		if m.Gone {
			reason = replica.ReasonGone
		}
		ch, err := c.Refuse(reason, message)
		return change{Changes: ch, foreign: true}, err
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	d.people, d.presence, d.watching, d.views, d.receipt = nil, nil, 0, nil, nil
	w.mu.Unlock()
	w.publish(notice(NoticeWarning, m.Board, "“"+title+"”: "+message, "Keep what you have as a copy of your own, or discard it."))
	return nil
}

// Tell shows the user a fault that is about nothing in particular.
func (w *Workspace) Tell(f *fault.Error) {
	w.publish(notice(NoticeWarning, "", f.Message, f.Hint))
}
