package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// The methods in this file and in inbound.go are for the sync client: what is to be sent, and what came. Each is one local
// transaction; what they report as done is on disk.

// Login is who is signed in, for the sync client. Number changes with every sign-in and sign-out.
type Login struct {
	Server string
	Key    string // of the session token in Credentials
	Number int
}

// Login is who is signed in; ok is false if nobody is.
func (w *Workspace) Login() (l Login, ok bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	l.Number = w.logins
	if w.account == nil {
		return l, false
	}
	l.Server, l.Key = w.account.Server, w.account.Key()
	return l, true
}

// Changed yields a token when something new waits for the server.
func (w *Workspace) Changed() <-chan struct{} { return w.changed }

// Retried yields a token when the connection is to be tried at once: the user asked for it, or signed in or out.
func (w *Workspace) Retried() <-chan struct{} { return w.retry }

// Hello is the first message on a connection: every dashboard that this account syncs, and up to where it is known here.
// Dashboards that belonged to this device alone are the account's from now on.
func (w *Workspace) Hello(app string) (wire.Hello, error) {
	w.write.Lock()
	defer w.write.Unlock()
	dev, err := w.dev()
	if err != nil {
		return wire.Hello{}, err
	}
	h := wire.Hello{Versions: versions(), App: app, Dev: strconv.FormatUint(dev, 16), Boards: []wire.Cursor{}}
	for _, id := range w.syncing() {
		if len(h.Boards) == wire.MaxHelloBoards {
			break // the rest is subscribed to as the list of dashboards arrives
		}
		c, err := w.cursor(id)
		if err != nil {
			return wire.Hello{}, err
		}
		h.Boards = append(h.Boards, c)
	}
	return h, nil
}

func versions() []int {
	all := []int{}
	for v := wire.MinVersion; v <= wire.Version; v++ {
		all = append(all, v)
	}
	return all
}

// syncing lists the dashboards that the signed-in account syncs.
func (w *Workspace) syncing() []board.ID {
	w.mu.RLock()
	defer w.mu.RUnlock()
	ids := []board.ID{}
	if w.account == nil {
		return ids
	}
	for _, id := range slices.Sorted(maps.Keys(w.boards)) {
		if goesTo(w.boards[id].rec, w.account.Key()) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Cursor says up to where a dashboard is known here, to subscribe to it.
func (w *Workspace) Cursor(id board.ID) (wire.Cursor, error) {
	w.write.Lock()
	defer w.write.Unlock()
	return w.cursor(id)
}

// cursor is Cursor for a holder of w.write. It gives a dashboard of this device to the account before the server can hear
// of it, so that no dashboard is ever on a server without this device knowing.
func (w *Workspace) cursor(id board.ID) (wire.Cursor, error) {
	d, err := w.find(id)
	if err != nil {
		return wire.Cursor{}, err
	}
	if d.rec.Home == "" {
		if err := w.giveAway(d); err != nil {
			return wire.Cursor{}, err
		}
	}
	s, err := w.clientStatus(id)
	if err != nil {
		return wire.Cursor{}, err
	}
	return wire.Cursor{Board: id, Epoch: s.Epoch, Since: s.Seen, New: !d.rec.Known}, nil
}

func (w *Workspace) giveAway(d *dashboard) error {
	w.mu.RLock()
	a := w.account
	w.mu.RUnlock()
	if a == nil {
		return fault.New(fault.Unauthenticated, "You are not signed in.")
	}
	outbox := slices.Clone(w.outbox)
	err := w.touch(d, func(tx *localstore.Tx, rec *localstore.Board) error {
		rec.Home, rec.Role = a.Key(), sharing.RoleOwner
		for i := range outbox {
			if outbox[i].Command.Board == rec.ID {
				outbox[i].Home = rec.Home
				if err := tx.PutCommand(outbox[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.outbox = outbox
	w.mu.Unlock()
	return nil
}

func (w *Workspace) clientStatus(id board.ID) (s replica.ClientStatus, err error) {
	err = w.viewClient(id, func(c *replica.Client) error {
		s = c.Status()
		return nil
	})
	return s, err
}

// Outgoing lists the dashboards that have something to send: edits, commands, or the news that they exist. The order is
// that of the outbox first, so that changes of access are not kept waiting by other dashboards' edits.
func (w *Workspace) Outgoing() []board.ID {
	w.mu.RLock()
	defer w.mu.RUnlock()
	ids := []board.ID{}
	if w.account == nil {
		return ids
	}
	home := w.account.Key()
	seen := map[board.ID]bool{}
	for _, c := range w.outbox {
		if (c.Home == home || c.Home == "") && !seen[c.Command.Board] {
			seen[c.Command.Board] = true
			ids = append(ids, c.Command.Board)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.boards)) {
		rec := w.boards[id].rec
		if !seen[id] && goesTo(rec, home) && (rec.Queued > 0 || !rec.Known) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Ops is the next batch of a dashboard's edits numbered above after, in order; it has no Ops if none may be sent now. Edits
// made after a waiting command are not sent before it: who hides something first and adds a secret then must not see the
// secret published in between.
func (w *Workspace) Ops(id board.ID, after uint64) (wire.Ops, error) {
	barrier := ^uint64(0)
	w.mu.RLock()
	d := w.boards[id]
	if i := w.firstCommand(id); i >= 0 {
		barrier = w.outbox[i].After
	}
	w.mu.RUnlock()
	batch := wire.Ops{Board: id}
	if d == nil {
		return batch, nil
	}
	if err := w.viewClient(id, func(c *replica.Client) (err error) {
		batch.Floor = c.Status().Acked
		batch.Ops, err = c.Pending(after, wire.MaxBatchOps, wire.MaxBatchBytes)
		return err
	}); err != nil {
		return batch, err
	}
	for i, op := range batch.Ops {
		if op.N > barrier || op.Stamp.Dev != batch.Ops[0].Stamp.Dev {
			batch.Ops = batch.Ops[:i]
			break
		}
	}
	return batch, nil
}

// firstCommand is the index in the outbox of a dashboard's oldest waiting command, -1 if there is none.
func (w *Workspace) firstCommand(id board.ID) int {
	return slices.IndexFunc(w.outbox, func(c localstore.Command) bool { return c.Command.Board == id })
}

// Command is a dashboard's next waiting command, if one may be sent now: what lets people in waits until the edits made
// before it have arrived, so that nobody sees the dashboard as it was. What takes access away waits for no edits, and not
// behind a command that does, unless both are about the same: the link, one person, or one invitation.
func (w *Workspace) Command(id board.ID) (c sharing.Command, ok bool, err error) {
	w.write.Lock()
	defer w.write.Unlock()
	d, now, acked := w.boards[id], w.clock(), uint64(0)
	if d != nil && d.rec.Denied == "" && w.firstCommand(id) >= 0 {
		s, err := w.clientStatus(id)
		if err != nil {
			return c, false, err
		}
		acked = s.Acked
	}
	held := map[string]bool{}
	for i, q := range w.outbox {
		if q.Command.Board != id {
			continue
		}
		about := subject(q.Command)
		lets := d != nil && d.rec.Denied == "" && w.letsIn(d.rec.Link, q.Command, now)
		switch {
		case held[about], lets && acked < q.After:
		default:
			return q.Command, true, w.handOut(i)
		}
		held[about] = true
	}
	return c, false, nil
}

// handOut notes that an invitation may be on its way from now on.
func (w *Workspace) handOut(i int) error {
	q := w.outbox[i]
	if q.Command.Action != sharing.Invite || q.Sent {
		return nil
	}
	q.Sent = true
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.PutCommand(q) }); err != nil {
		return fmt.Errorf("note that a command was sent: %w", err)
	}
	outbox := slices.Clone(w.outbox)
	outbox[i] = q
	w.mu.Lock()
	w.outbox = outbox
	w.mu.Unlock()
	return nil
}

// subject names what a command is about: commands about the same are sent in the order in which they were made.
func subject(c sharing.Command) string {
	switch c.Action {
	case sharing.Invite, sharing.Resend, sharing.Revoke:
		return string(c.Invitation)
	case sharing.SetMemberRole:
		return "account " + c.Account
	case sharing.SetEditorShare, sharing.Move:
		return string(c.Action)
	case sharing.Enable, sharing.Disable, sharing.Rotate, sharing.Delete, sharing.SetPassword, sharing.RemovePassword,
		sharing.SetExpiry, sharing.SetSlug, sharing.SetStill, sharing.SetOrigins:
	}
	return "link"
}

// letsIn reports whether a command may let somebody see what they do not see as it is: the dashboard, or the parts of it
// that only editors see. The holder of w.write calls it.
func (w *Workspace) letsIn(l sharing.Link, c sharing.Command, now int64) bool {
	switch c.Action {
	case sharing.Enable:
		return l.Mode(now) == sharing.Private
	case sharing.RemovePassword:
		return true
	case sharing.SetExpiry:
		return c.Expires == 0 || l.Expires != 0 && c.Expires > l.Expires
	case sharing.Invite, sharing.Resend:
		return true
	case sharing.SetMemberRole, sharing.SetEditorShare:
		return !screen.TakesAway(c)
	case sharing.Move:
		return !w.personal(c.Organisation) // of which nobody else is a member
	case sharing.Disable, sharing.Rotate, sharing.Delete, sharing.SetPassword, sharing.SetSlug, sharing.SetStill, sharing.SetOrigins,
		sharing.Revoke:
	}
	return false
}

// Waiting is how many edits and commands wait for the signed-in account's server.
func (w *Workspace) Waiting() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.account == nil {
		return 0
	}
	return w.waitingFor(w.account.Key())
}

// Remake gives this device a new incarnation, after replica.ErrForked: another copy of the data file is at
// work under the old one.
func (w *Workspace) Remake() error {
	w.write.Lock()
	defer w.write.Unlock()
	w.deps.Log.Warn("data file is a copy, device gets a new incarnation")
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.Remake(w.deps.Random) }); err != nil {
		return fmt.Errorf("make a new incarnation: %w", err)
	}
	return nil
}
