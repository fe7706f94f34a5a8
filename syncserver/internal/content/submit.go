package content

import (
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/store"
)

// Limits of what the server keeps.
const (
	MaxBoards = 2_000 // dashboards of one organisation
	// LogEntries is how many entries of a dashboard's log are kept for devices that come back; those that were away for
	// longer get a snapshot.
	LogEntries = 20_000
	// compactEvery is how many entries more than that may gather before the log is cut.
	compactEvery = 1_000
	// BuryAfter is for how long the traces of a removed widget are kept, in ms: whoever was away for longer finds that their
	// edits of it are refused as gone (SI21).
	BuryAfter = 90 * 24 * 3_600_000
	// MaxBytes is how much content a dashboard may hold: rows, with room for everything else.
	MaxBytes = board.MaxDataBytes + 8<<20
	// smallBytes is the size up to which a value may still be written to a dashboard that is full.
	smallBytes = 4 << 10
)

// Events hears what was committed, in the order of commits. Its methods must not block and not use the store.
type Events interface {
	// Content tells the positions that a dashboard's log has grown by. d and what it holds must not be changed.
	Content(id board.ID, s Step)
	// Access tells that somebody's access to a dashboard may have changed.
	Access(c AccessChange)
	// List tells that the list of dashboards that some accounts may open has changed.
	List(accounts []store.AccountID)
	// People tells that what those who share a dashboard are told of its people has changed, though nobody's access has.
	People(boards []board.ID)
}

// AccessChange says whose access may have changed. Epoch is the dashboard's from now on; grants of an earlier one must be
// asked for again. Accounts are those who could or can see the dashboard with a role.
type AccessChange struct {
	Board    board.ID
	Epoch    uint64
	Accounts []store.AccountID
}

// Submission is a batch of operations from one device. Now is the server's clock in ms since 1970.
type Submission struct {
	Board board.ID
	Dev   uint64
	Floor uint64
	Ops   []replica.Op
	Now   int64
}

// Submit judges operations in the transaction that stores them, by the role that p has in it (SI5). Whoever may not see
// the dashboard gets access's fault; whoever may only view it gets each operation back as forbidden.
func Submit(tx store.Tx, ev Events, p access.Principal, s Submission) (replica.Ack, error) {
	g, err := access.Open(tx, p, s.Board, access.View)
	if err != nil {
		return replica.Ack{}, err
	}
	hub, err := Open(tx, g)
	if err != nil {
		return replica.Ack{}, err
	}
	rec, _, err := tx.Boards().Get(s.Board)
	if err != nil {
		return replica.Ack{}, fmt.Errorf("read dashboard %s: %w", s.Board, err)
	}
	was := rec
	full, err := isFull(hub, &rec)
	if err != nil {
		return replica.Ack{}, err
	}
	epoch, from := hub.Head()
	ack, entries, err := hub.Submit(replica.Submission{Dev: s.Dev, Floor: s.Floor, Ops: s.Ops}, replica.Policy{
		Now: s.Now, MayEdit: g.May(access.Edit), By: string(p.AccountID()), Check: func(op *replica.Op) (replica.Reason, string) { return check(op, full) },
	})
	if err != nil {
		return replica.Ack{}, fmt.Errorf("submit to %s: %w", s.Board, err)
	}
	ack.Epoch = Epoch(g, ack.Epoch)
	_, to := hub.Head()
	if to == from {
		return ack, nil
	}
	if to/compactEvery != from/compactEvery {
		buried, err := bury(hub, s.Now)
		if err != nil {
			return replica.Ack{}, fmt.Errorf("bury widgets of %s: %w", s.Board, err)
		}
		entries = append(entries, buried...)
		_, to = hub.Head()
		if err := hub.Compact(LogEntries); err != nil {
			return replica.Ack{}, fmt.Errorf("compact %s: %w", s.Board, err)
		}
	}
	if err := keep(tx, ev, was, rec, entries); err != nil {
		return replica.Ack{}, err
	}
	step, err := NewStep(hub, replica.Delta{Epoch: epoch, From: from, To: to, Entries: entries})
	if err != nil {
		return replica.Ack{}, err
	}
	tx.After(func() { ev.Content(s.Board, step) })
	return ack, nil
}

// bury removes for good what was removed long ago, as the latest entries of the log.
func bury(hub *replica.Hub, now int64) ([]replica.Entry, error) {
	state, err := hub.Outline()
	if err != nil {
		return nil, fmt.Errorf("look for removed widgets: %w", err)
	}
	var entries []replica.Entry
	for _, e := range state.Entities() {
		alive, stamp, ok := state.Register(e, board.FieldAlive)
		if e == board.BoardEntity || !ok || string(alive) != "false" || stamp.Millis() > now-BuryAfter {
			continue
		}
		entry, ok, err := hub.Bury(e, now)
		if err != nil {
			return nil, fmt.Errorf("remove %s: %w", e, err)
		}
		if ok {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// keep brings the dashboard's record, which was another before, up to date with what was accepted.
func keep(tx store.Tx, ev Events, was, rec store.Board, entries []replica.Entry) error {
	trashed := rec.Trashed
	for i := range entries {
		op := &entries[i].Op
		if op.Rows != nil && (op.Rows.Replace || op.Rows.DropTo != nil) && rec.Measured > MaxBytes {
			rec.Measured = 0 // room may have been made: measure before the next operation
		}
		if op.Kind == replica.OpSet && op.Entity == board.BoardEntity && op.Field == board.FieldAlive {
			trashed = string(op.Value) == "false"
		}
	}
	if trashed == rec.Trashed {
		if rec == was {
			return nil
		}
		return tx.Boards().Put(rec)
	}
	// A trashed dashboard's link shows nothing: that is a change of access.
	rec.Trashed = trashed
	rec.Epoch++
	if err := tx.Boards().Put(rec); err != nil {
		return err
	}
	accounts, err := access.Audience(tx, rec.ID)
	if err != nil {
		return err
	}
	tx.After(func() { ev.Access(AccessChange{Board: rec.ID, Epoch: rec.Epoch, Accounts: accounts}) })
	return nil
}

// check is the policy on one operation besides the role.
func check(op *replica.Op, full bool) (replica.Reason, string) {
	if f := board.CheckOp(op); f != nil {
		if f.Kind == fault.TooLarge {
			return replica.ReasonTooLarge, f.Message
		}
		return replica.ReasonInvalid, f.Message
	}
	grows := op.Rows == nil && op.Size() > smallBytes || op.Rows != nil && !op.Rows.Replace && len(op.Rows.Rows) > 0
	if full && grows {
		return replica.ReasonQuota, fmt.Sprintf("This dashboard holds too much data for the server, which keeps up to %d MiB.", MaxBytes>>20)
	}
	return "", ""
}

// isFull estimates whether a dashboard holds more than it may. What was accepted is added up and measured anew only when
// as much again as is allowed has come in, so that the cost of measuring is small for each edit.
func isFull(hub *replica.Hub, rec *store.Board) (bool, error) {
	bytes := rec.Bytes + hub.Taken() - rec.Taken
	if bytes <= MaxBytes {
		return false, nil
	}
	if bytes < rec.Measured+MaxBytes {
		return rec.Measured > MaxBytes, nil
	}
	state, err := hub.State()
	if err != nil {
		return false, fmt.Errorf("measure %s: %w", rec.ID, err)
	}
	rec.Measured = measure(state)
	rec.Bytes, rec.Taken = rec.Measured, hub.Taken()
	return rec.Measured > MaxBytes, nil
}

func measure(s *replica.State) (n int64) {
	for _, e := range s.Entities() {
		for _, f := range s.Fields(e) {
			v, _, _ := s.Register(e, f)
			n += int64(len(v))
		}
		if rows := s.Rows(e); rows != nil {
			for r := range rows.All() {
				n += int64(len(r))
			}
		}
	}
	return n
}

// NewBoard is a dashboard to be. Organisation is whose it shall be, empty for the account's personal one. Epoch is random,
// for the replica; Now in ms since 1970.
type NewBoard struct {
	ID           board.ID
	Organisation store.OrganisationID
	Epoch        uint64
	Now          int64
}

// Create makes those dashboards that the server has never heard of, owned by the account in an organisation that it is a
// member of, and private (rule A2). Others it leaves alone: whether the account may open them is for access to say. It fails with a
// Conflict fault when there would be too many.
func Create(tx store.Tx, ev Events, owner store.AccountID, boards []NewBoard) error {
	a, ok, err := tx.Accounts().Get(owner)
	if err != nil {
		return fmt.Errorf("read account: %w", err)
	}
	if !ok {
		return fault.New(fault.Unauthenticated, "There is no such account any more.")
	}
	have := map[store.OrganisationID]int{} // of those where any is made, how many there are
	for _, b := range boards {
		_, exists, err := tx.Boards().Get(b.ID)
		if err != nil {
			return fmt.Errorf("read dashboard %s: %w", b.ID, err)
		}
		if exists {
			continue
		}
		if b.Organisation == "" {
			b.Organisation = a.Personal
		}
		if _, counted := have[b.Organisation]; !counted {
			if have[b.Organisation], err = room(tx, a, b.Organisation); err != nil {
				return err
			}
		}
		if have[b.Organisation]++; have[b.Organisation] > MaxBoards {
			return fault.Newf(fault.Conflict, "This account has %d dashboards on the server, and there is room for no more.", MaxBoards).
				WithHint("Delete some for good.")
		}
		if err := tx.Boards().Put(store.Board{ID: b.ID, Organisation: b.Organisation, Owner: owner, Created: b.Now, Epoch: 1}); err != nil {
			return err
		}
		if err := tx.Boards().SetRole(b.ID, owner, "owner"); err != nil {
			return err
		}
		if _, err := replica.InitHub(tx.Replica(b.ID), b.Epoch); err != nil {
			return fmt.Errorf("create replica of %s: %w", b.ID, err)
		}
	}
	for org := range have {
		if err := tellMembers(tx, ev, org); err != nil {
			return err
		}
	}
	return nil
}

// room is how many dashboards there are in an organisation, if the account may make more in it.
func room(tx store.Tx, a store.Account, org store.OrganisationID) (int, error) {
	member, err := tx.Organisations().Member(org, a.ID)
	if err != nil {
		return 0, fmt.Errorf("read membership: %w", err)
	}
	if member == store.MemberNone && org != a.Personal {
		f := fault.New(fault.NotFound, "There is no such organisation, or you are not a member of it.")
		f.Field = "organisation"
		return 0, f
	}
	have, err := tx.Boards().OfOrganisation(org)
	if err != nil {
		return 0, fmt.Errorf("list dashboards: %w", err)
	}
	return len(have), nil
}

func tellMembers(tx store.Tx, ev Events, org store.OrganisationID) error {
	members, err := tx.Organisations().Members(org)
	if err != nil {
		return fmt.Errorf("list members: %w", err)
	}
	accounts := make([]store.AccountID, len(members))
	for i, m := range members {
		accounts[i] = m.Account
	}
	tx.After(func() { ev.List(accounts) })
	return nil
}
