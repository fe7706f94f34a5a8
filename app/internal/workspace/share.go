package workspace

import (
	"fmt"
	"slices"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
)

// Share queues a change of the dashboard's link: sharing.Enable, Disable or Rotate. Token and short id are made here, so
// that the address is known at once (L1). The server decides when the command arrives (V3).
func (w *Workspace) Share(id board.ID, action sharing.Action) error {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return err
	}
	switch {
	case d.rec.Denied != "":
		return d.mayEdit()
	case !d.role().CanShare():
		return fault.New(fault.Denied, "Only its owner can share this dashboard.")
	case d.rec.Trashed && action != sharing.Disable:
		return fault.New(fault.Conflict, "This dashboard is in the trash.").WithHint("Restore it before you share it.")
	}
	cmd, err := w.command(d, action)
	if err != nil {
		return err
	}
	wanted := w.wanted(d)
	next, f := sharing.Decide(wanted, cmd, w.clock(), sharing.Names{})
	if f != nil {
		return f
	}
	if next == wanted && action != sharing.Disable {
		return nil // it is already as asked for
	}
	if next == wanted && !d.rec.Link.Enabled && !w.enabling(id) {
		return nil // off, and nothing on its way that could turn it on
	}
	queued := localstore.Command{Command: cmd, Home: d.rec.Home}
	err = w.commit(d, func(tx *localstore.Tx, c *replica.Client, rec *localstore.Board) (change, error) {
		queued.After = c.Status().LastN
		rec.Sample, rec.Refusal = false, nil
		return change{}, tx.Queue(&queued)
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.outbox = append(slices.Clip(w.outbox), queued)
	w.mu.Unlock()
	w.shown(d)
	w.wake()
	return nil
}

// command makes a command on top of those that wait already.
func (w *Workspace) command(d *dashboard, action sharing.Action) (sharing.Command, error) {
	u, err := w.newULID()
	if err != nil {
		return sharing.Command{}, err
	}
	wanted := w.wanted(d)
	cmd := sharing.Command{ID: sharing.NewCommandID(u), Board: d.rec.ID, Action: action, Base: wanted.Version}
	switch action {
	case sharing.Enable:
		if wanted.Token != "" {
			return cmd, nil
		}
	case sharing.Rotate:
	case sharing.Disable:
		return cmd, nil
	case sharing.Delete:
		return cmd, fault.Field("action", "A dashboard is deleted from the trash.")
	default:
		return cmd, fault.Field("action", "Sharing can be turned on, turned off, or given a new link.")
	}
	if cmd.Token, err = sharing.NewToken(w.deps.Random); err != nil {
		return cmd, fmt.Errorf("make a token: %w", err)
	}
	if cmd.ShortID, err = sharing.NewShortID(w.deps.Random); err != nil {
		return cmd, fmt.Errorf("make a short id: %w", err)
	}
	return cmd, nil
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
	l := d.rec.Link
	for _, c := range w.outbox {
		if c.Command.Board == d.rec.ID {
			l, _ = sharing.Decide(l, c.Command, w.clock(), sharing.Names{})
		}
	}
	return l
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

// share is what the share dialog shows. The caller holds w.mu.
func (w *Workspace) share(d *dashboard) ShareView {
	wanted := w.wanted(d)
	v := ShareView{
		InForce: w.linkState(d.rec.Link), Wanted: w.linkState(wanted), Waiting: []WaitingCommand{},
		Synced: d.rec.Known && d.rec.Queued == 0, Watching: d.watching, Receipt: d.receipt, People: w.people(d),
		CanManage: d.role().CanShare() && d.rec.Denied == "",
	}
	for _, c := range w.outbox {
		if c.Command.Board == d.rec.ID {
			v.Waiting = append(v.Waiting, WaitingCommand{ID: c.Command.ID, Action: c.Command.Action})
		}
	}
	if r := d.rec.Refusal; r != nil {
		v.Refused = &RefusedCommand{Action: r.Action, Message: r.Message}
	}
	if base := w.base(d); base != "" && wanted.Token != "" {
		v.URL, v.ShortURL = wanted.Token.URL(base), wanted.ShortID.URL(base)
	}
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

func (w *Workspace) people(d *dashboard) []Person {
	you := Person{Name: "You", Role: d.role(), You: true}
	if w.account != nil {
		you.Name = w.account.Email
	}
	return []Person{you}
}

func (w *Workspace) linkState(l sharing.Link) LinkState {
	origins := l.Origins.List()
	if origins == nil {
		origins = []string{}
	}
	return LinkState{
		Mode: l.Mode(w.clock()), Enabled: l.Enabled, Token: l.Token, ShortID: l.ShortID, Version: l.Version,
		Password: l.Password, Expires: l.Expires, Expired: l.Ended(w.clock()), Slug: l.Slug, Still: l.Still, Origins: origins,
	}
}
