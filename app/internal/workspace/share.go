package workspace

import (
	"math"
	"slices"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// Share queues a change of the dashboard's link, or of who can open it with an account. Token and short id are made here,
// so that the address is known at once (L1); a password is hashed here, which takes some 20 ms, and only its hash is stored
// (P2). Turning on a link whose end has passed also removes that end (L5). The server decides when the commands arrive (V3).
// Faults name the field of the change that is wrong; after one, and where everything is as asked for already, nothing is
// queued. Revoking an invitation that never left this device takes it out of the queue.
func (w *Workspace) Share(id board.ID, ask ShareChange) error {
	asked, err := screen.Ask(ask, w.wall(), func(password string) (sharing.Hash, error) { return w.deps.Hash(w.deps.Random, password) })
	if err != nil {
		return err
	}
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return err
	}
	switch {
	case d.rec.Denied == "" && w.leaves(asked): // whoever wants to go may
	case d.manages() && !d.role().CanShare() && ownersOnly(asked):
		return fault.New(fault.Denied, "Only an owner of this dashboard can do that.")
	default:
		if err := d.mayShare(!screen.TakesAway(asked)); err != nil {
			return err
		}
	}
	var commands []sharing.Command
	var dropped []localstore.Command
	if asked.Action.People() {
		commands, dropped, err = w.peopleCommands(d, asked)
	} else {
		commands, err = w.linkCommands(d, asked)
	}
	if err != nil || len(commands)+len(dropped) == 0 {
		return err
	}
	w.mu.Lock()
	before := d.warned
	if asked.Action == sharing.SetExpiry && asked.Expires <= w.clock()+warnAhead.Milliseconds() {
		d.warned = asked.Expires // by whoever chose it, and before anybody looks at the new end
	}
	w.mu.Unlock()
	if err := w.queue(d, commands, dropped); err != nil {
		w.mu.Lock()
		d.warned = before
		w.mu.Unlock()
		return err
	}
	w.wake()
	return nil
}

// mayShare reports why the sharing of a dashboard cannot be changed, nil if it can. What lies in the trash can be shared
// less, but not more.
func (d *dashboard) mayShare(more bool) error {
	switch {
	case d.rec.Denied != "":
		return d.mayEdit()
	case !d.manages():
		return fault.New(fault.Denied, "Only its owner, and whoever the owner lets, can share this dashboard.")
	case d.rec.Trashed && more:
		return fault.New(fault.Conflict, "This dashboard is in the trash.").WithHint("Restore it before you share it.")
	}
	return nil
}

// queue puts commands at the end of the outbox and takes others out of it, in one transaction.
func (w *Workspace) queue(d *dashboard, commands []sharing.Command, dropped []localstore.Command) error {
	queued := make([]localstore.Command, len(commands))
	err := w.commit(d, func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
		rec.Sample, rec.Refusal = false, nil
		for _, q := range dropped {
			if err := tx.Unqueue(q.Seq); err != nil {
				return change{}, err
			}
		}
		for i, cmd := range commands {
			queued[i] = localstore.Command{Command: cmd, Home: rec.Home, After: c.Status().LastN}
			if err := tx.Queue(&queued[i]); err != nil {
				return change{}, err
			}
		}
		return change{}, nil
	})
	if err != nil {
		return err
	}
	outbox := slices.DeleteFunc(slices.Clone(w.outbox), func(o localstore.Command) bool {
		return slices.ContainsFunc(dropped, func(q localstore.Command) bool { return q.Seq == o.Seq })
	})
	w.mu.Lock()
	w.outbox = append(outbox, queued...)
	w.mu.Unlock()
	w.shown(d)
	return nil
}

// linkCommands are those that bring about what is asked for of the link, on top of those that wait already; none if it is so
// already.
func (w *Workspace) linkCommands(d *dashboard, asked sharing.Command) ([]sharing.Command, error) {
	names, err := screen.NewNames(w.newULID, w.deps.Random)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	maybeOn := d.rec.Link.Enabled || w.enabling(d.rec.ID)
	return screen.Commands(d.rec.ID, w.wanted(d), asked, names, maybeOn, w.clock()) //nolint:wrapcheck // a fault of what is asked for
}

// enabling reports whether a command that turns the link on may still be on its way.
func (w *Workspace) enabling(id board.ID) bool {
	for _, c := range w.outbox {
		if c.Command.Board == id && c.Command.Action == sharing.Enable {
			return true
		}
	}
	return false
}

// wanted is the link as it will be once the waiting commands have arrived, if nobody else changes it. The caller holds
// w.write or w.mu.
func (w *Workspace) wanted(d *dashboard) sharing.Link {
	now := w.clock()
	l := sharing.Expire(d.rec.Link, now) // as the server has done, whether that was heard or not
	for _, c := range w.following(d, nil) {
		l, _ = sharing.Decide(l, c.Command, now, sharing.Names{})
	}
	return l
}

// unseen is the base of commands whose author did not see what they will meet: no link ever has this version. The server
// applies those that take access away, and refuses the others (V3).
const unseen = math.MaxUint64

// rechain fits the commands that wait for a dashboard to a link that the server told, and returns those that changed.
// Answered is the command whose answer told it, which waits no more, or nil; result is that answer.
//
// Waiting commands are based on each other. If something else came between, their versions could fit by chance to a state
// that their author never saw, so they are based on nothing. That holds as well where somebody else made just the change
// that the answered command was to make. If only a command before them was refused, as for a name that is taken, they are
// based on what is without it. Commands on people are based on nothing and change no link.
func (w *Workspace) rechain(d *dashboard, told sharing.Link, answered *localstore.Command, result wire.Result) []localstore.Command {
	var changed []localstore.Command
	set := func(c *localstore.Command, base uint64) {
		if c.Command.Base != base {
			c.Command.Base = base
			changed = append(changed, *c)
		}
	}
	if answered != nil && answered.Command.Action.People() {
		answered, result = nil, wire.Result{}
	}
	following, l, now, refused := w.following(d, answered), told, w.clock(), result.Fault != nil
	expected := told == d.rec.Link || !refused && w.foresaw(d, told)
	if result.Same && len(following) > 0 && following[0].Command.Base > answered.Command.Base {
		expected = false // the next one is based on a change that was not this command's
	}
	switch {
	case expected && (!refused || answered.Command.Base == unseen):
		// All went as foreseen, or what was to be done has been done when the other change was told.
	case expected && answered.Command.Base == told.Version:
		for _, c := range following {
			if c.Command.Base != unseen {
				set(&c, l.Version)
			}
			l, _ = sharing.Decide(l, c.Command, now, sharing.Names{})
		}
	default:
		for _, c := range following {
			set(&c, unseen)
		}
	}
	return changed
}

// foresaw reports whether a link is what the oldest waiting command on the link makes of the one before.
func (w *Workspace) foresaw(d *dashboard, told sharing.Link) bool {
	waiting := w.following(d, nil)
	if len(waiting) == 0 {
		return false
	}
	now := w.clock()
	next, f := sharing.Decide(sharing.Expire(d.rec.Link, now), waiting[0].Command, now, sharing.Names{})
	return f == nil && next == told
}

// following lists the commands that wait for a dashboard's link, without the one that was answered. The caller holds w.write
// or w.mu.
func (w *Workspace) following(d *dashboard, answered *localstore.Command) []localstore.Command {
	var out []localstore.Command
	for _, c := range w.outbox {
		if c.Command.Board == d.rec.ID && !c.Command.Action.People() && (answered == nil || c.Seq != answered.Seq) {
			out = append(out, c)
		}
	}
	return out
}

// replaced is the outbox with some commands in place of those of the same number.
func (w *Workspace) replaced(commands []localstore.Command) []localstore.Command {
	outbox := slices.Clone(w.outbox)
	for _, c := range commands {
		if i := slices.IndexFunc(outbox, func(o localstore.Command) bool { return o.Seq == c.Seq }); i >= 0 {
			outbox[i] = c
		}
	}
	return outbox
}

// DismissRefusal forgets the last refused command of a dashboard.
func (w *Workspace) DismissRefusal(id board.ID) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.find(id)
	if err != nil {
		return err
	}
	return w.touch(d, func(_ *localstore.Tx, rec *localstore.Board) error {
		rec.Refusal = nil
		return nil
	})
}

// Sharing is a dashboard's title and what the share dialog shows of it.
func (w *Workspace) Sharing(id board.ID) (title string, v ShareView, err error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	d := w.boards[id]
	if d == nil {
		return "", v, notFound()
	}
	return d.rec.Title, w.share(d), nil
}

// share is what the share dialog shows. The caller holds w.mu.
func (w *Workspace) share(d *dashboard) ShareView {
	now, wanted := w.clock(), w.wanted(d)
	v := ShareView{
		InForce: screen.NewLinkState(d.rec.Link, now), Wanted: screen.NewLinkState(wanted, now), Waiting: []WaitingCommand{},
		Synced: d.rec.Known && d.rec.Queued == 0, Watching: d.watching, Views: d.views, Receipt: d.receipt,
		People: w.people(d), Invitations: w.invitations(d), EditorsShare: w.editorsShare(d), Organisation: w.boardOrganisation(d),
		Presence: w.presence(d), Mail: w.account == nil || !w.account.NoMail, CanManage: d.manages(),
	}
	for _, c := range w.outbox {
		if c.Command.Board == d.rec.ID {
			v.Waiting = append(v.Waiting, WaitingCommand{ID: c.Command.ID, Action: c.Command.Action})
		}
	}
	if r := d.rec.Refusal; r != nil {
		v.Refused = &RefusedCommand{Action: r.Action, Message: r.Message}
	}
	v.SetURLs(wanted, w.base(d))
	return v
}

// base is the public address below which the dashboard's links lie, "" if it is not known. The caller holds w.mu.
func (w *Workspace) base(d *dashboard) string {
	switch {
	case w.account == nil, d.rec.Home != "" && d.rec.Home != w.account.Key():
		return ""
	case w.account.Base != "":
		return w.account.Base
	}
	return w.account.Server
}
