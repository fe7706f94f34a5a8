package replicatest

import (
	"errors"
	"slices"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// role is what a user may do.
type role byte

const (
	none role = iota
	viewer
	editor
)

const users = 3

// server is the shell around the hub: it knows who may do what, keeps connections, commits and tells.
type server struct {
	w       *world
	disk    disk
	version dialect
	epochs  uint64
	answers int     // snapshots sent so far
	pieces  []piece // the latest steps of the log, for those who follow
	// known are the roles as a planted bug keeps them, beside the data.
	known  [users]role
	backup *replica.Memory
	heads  map[uint64]uint64 // how far the log of an epoch ever went, when it was put back
	unmade uint64            // the head at which a hub that was put back without a new epoch must have got one; 0: it has
}

// piece is a step of the log.
type piece struct {
	epoch, from, to uint64
	entries         []replica.Entry
	bytes           [2][]byte // encoded, by version, when first needed
}

// keepPieces is how many steps are kept for those who follow; whoever is further behind reads the store.
const keepPieces = 3

func newServer(w *world) *server {
	s := &server{w: w, epochs: 100, heads: map[uint64]uint64{}}
	tx := s.disk.begin()
	_, err := replica.InitHub(tx, s.epochs)
	w.must(err)
	s.known = [users]role{editor, editor, editor}
	w.must(setRoles(tx, s.known))
	s.start()
	return s
}

// start is a new process on what is on disk. Some are of a newer version.
func (s *server) start() {
	s.disk.restart(s.w)
	s.version = []dialect{today, newer}[s.w.choose(3)/2]
	s.pieces = nil
	if s.w.cfg.Bug != RoleBeforeCommit {
		s.known = s.roles()
	}
	if s.w.cfg.Bug == DevicesForgotten {
		erase(s.w, &s.disk.mem, 'n')
	}
}

// rolesKey sorts behind the keys of a replica: roles are in the same transactions as the log.
func rolesKey() []byte { return []byte{0xff, 'r'} }

func setRoles(tx replica.Tx, roles [users]role) error {
	b := make([]byte, users)
	for i, r := range roles {
		b[i] = byte(r)
	}
	return tx.Put(rolesKey(), b)
}

func (s *server) roles() (roles [users]role) {
	for i, b := range s.disk.mem.Get(rolesKey()) {
		roles[i] = role(b)
	}
	return roles
}

func (s *server) role(user int) role {
	if s.w.cfg.Bug == RoleBeforeCommit {
		return s.known[user]
	}
	return role(s.disk.mem.Get(rolesKey())[user])
}

func (s *server) hub(tx replica.Tx) *replica.Hub {
	h, err := replica.OpenHub(tx)
	s.w.must(err)
	return h
}

// receive takes a message.
func (s *server) receive(l *link, f frame, m wire.Message) {
	switch m := m.(type) {
	case wire.Hello:
		s.greet(l, f, m)
	case wire.Subscribe:
		if l.greeted {
			s.subscribe(l, f, m.Cursor)
		}
	case wire.Ops:
		if l.greeted {
			s.submit(l, m)
		}
	case wire.Unknown:
		if s.w.cfg.Bug == UnknownClosed {
			s.close(l)
		}
	default:
		s.w.broken(17, "the server got a %s", m.Type())
	}
}

func (s *server) greet(l *link, f frame, m wire.Hello) {
	v, ok := wire.Negotiate(m.Versions)
	dev, err := parseDev(m.Dev)
	s.w.must(err)
	if !ok || l.greeted {
		s.close(l)
		return
	}
	l.greeted, l.dev = true, dev
	s.reply(l, s.frame(wire.Welcome{Version: v, Time: s.w.now}))
	for _, c := range m.Boards {
		s.subscribe(l, f, c)
	}
}

// submit judges what a device handed in, in one transaction, and tells everybody afterwards.
func (s *server) submit(l *link, m wire.Ops) {
	if len(m.Ops) > 0 && m.Ops[0].Stamp.Dev != l.dev {
		s.reply(l, s.frame(unavailable()))
		return
	}
	if s.unmade > 0 {
		if _, head := s.hub(s.disk.begin()).Head(); head+uint64(len(m.Ops)) >= s.unmade && !s.remake() {
			s.reply(l, s.frame(unavailable()))
			return
		}
	}
	right := s.role(l.device.user)
	if right == none && s.w.cfg.Bug != RoleAtConnect {
		s.deny(l)
		return
	}
	mayEdit := right == editor
	if s.w.cfg.Bug == RoleAtConnect {
		mayEdit = l.mayEdit
	}
	var j judged
	_, err := s.w.update(&s.disk, func(tx *transaction) (err error) {
		j, err = s.judge(tx, replica.Submission{Dev: l.dev, Floor: m.Floor, Ops: m.Ops}, mayEdit)
		return err
	}, func() { s.w.model.committed(l.device, l.dev, j) })
	if s.w.err != nil {
		return
	}
	switch {
	case errors.Is(err, errCrashed), err != nil && s.w.cfg.Bug == SendBeforeCommit:
		if s.w.cfg.Bug == AckBeforeCommit {
			l.send(down, s.frame(wire.Ack{Board: dashboard, Ack: j.ack}))
		}
		if s.w.cfg.Bug == SendBeforeCommit {
			s.tell(j.from, j.ack.Seq, j.entries)
		}
		s.die()
		return
	case err != nil && s.w.cfg.Bug == AckedWhenFull:
	case err != nil:
		s.reply(l, s.frame(unavailable()))
		return
	}
	s.w.note(j.ack.UpTo, j.ack.Seq, uint64(len(j.ack.Outcomes)))
	ack := s.frame(wire.Ack{Board: dashboard, Ack: j.ack})
	if s.w.chance(2) {
		s.reply(l, ack)
		s.tell(j.from, j.ack.Seq, j.entries)
	} else {
		s.tell(j.from, j.ack.Seq, j.entries)
		s.reply(l, ack)
	}
}

// judgement is an operation with what became of it.
type judgement struct {
	op      replica.Op // with its final stamp
	made    hlc.Stamp  // the stamp it was handed in with
	first   hlc.Stamp  // the stamp its user's edit got, perhaps as an earlier incarnation
	verdict replica.Verdict
}

// judged is what one submission came to.
type judged struct {
	ack     replica.Ack
	from    uint64 // head of the log before
	entries []replica.Entry
	given   []replica.Op // as they arrived
	ops     []judgement  // those that were judged for the first time
}

// judge runs the hub, with whatever bug is planted.
func (s *server) judge(tx *transaction, m replica.Submission, mayEdit bool) (j judged, err error) {
	bug := s.w.cfg.Bug
	policy := replica.Policy{Now: s.w.now, MayEdit: mayEdit}
	had, err := s.hub(tx).Judged(m.Dev)
	s.w.must(err)
	given, before := m.Ops, max(had, m.Floor)
	j.given = given
	m.Ops = slices.Clone(m.Ops)
	var store replica.Tx = tx
	flat := map[uint64]bool{} // operations with a stamp that the bug made
	switch bug {              //nolint:exhaustive // the other bugs are planted elsewhere
	case ArrivalOrder:
		store = forgetful{tx}
	case NoClamp:
		policy.Now += 10 * 365 * 24 * 3_600_000
	case NoDedupe:
		m.Floor = 0
		for i := range m.Ops {
			m.Ops[i].N = had + 1 + uint64(i)
		}
	case NaiveClamp:
		for i := range m.Ops {
			if op := &m.Ops[i]; op.Stamp.Millis() > s.w.now+replica.MaxDrift {
				op.Stamp.T, flat[op.N] = hlc.At(s.w.now), true
			}
		}
	case FloorIgnored:
		m.Floor, before = 0, had
	case UnknownEmptied:
		for i := range m.Ops {
			if m.Ops[i].Kind == opLater {
				m.Ops[i].Value = nil
			}
		}
	}
	_, j.from = s.hub(tx).Head()
	j.ack, j.entries, err = s.hub(store).Submit(m, policy)
	if err != nil {
		return j, err
	}
	if j.ack.UpTo > before+uint64(len(m.Ops)) {
		return j, nil // it is told that another copy of it is at work, or was ahead
	}
	for i, op := range m.Ops {
		if bug == NoDedupe || op.N > before && op.N <= j.ack.UpTo {
			j.ops = append(j.ops, judgementOf(op, &given[i], j.ack))
			if flat[op.N] {
				j.ack.Outcomes = append(j.ack.Outcomes, replica.Outcome{N: op.N, Verdict: replica.Restamped, Stamp: op.Stamp})
			}
		}
	}
	if bug == NoDedupe && len(given) > 0 {
		j.ack.UpTo, j.ack.Outcomes = given[len(given)-1].N, nil
	}
	if bug == VerdictForgotten {
		j.ack.Outcomes = slices.DeleteFunc(slices.Clone(j.ack.Outcomes), func(o replica.Outcome) bool { return o.N <= before })
	}
	return j, nil
}

func judgementOf(op replica.Op, given *replica.Op, ack replica.Ack) judgement {
	j := judgement{op: op, made: given.Stamp, first: given.At(), verdict: replica.Applied}
	for _, o := range ack.Outcomes {
		if o.N == op.N {
			j.verdict = o.Verdict
			if o.Verdict == replica.Restamped {
				j.op.Stamp, j.op.As = o.Stamp, hlc.Stamp{}
			}
		}
	}
	return j
}

// change gives somebody another role, or, as when a link is rotated, nobody. Either takes a position in the log. The first
// user's role never changes.
func (s *server) change() {
	user, r, rotation := 1+s.w.choose(users-1), []role{none, viewer, editor}[s.w.choose(3)], s.w.chance(4)
	if s.unmade > 0 && !s.remake() {
		return
	}
	roles := s.roles()
	if !rotation {
		roles[user] = r
	}
	var seq uint64
	saved, err := s.w.update(&s.disk, func(tx *transaction) (err error) {
		if seq, err = s.hub(tx).Mark(); err == nil {
			err = setRoles(tx, roles)
		}
		return err
	}, func() { s.w.model.changed(seq, roles) })
	if saved || s.w.cfg.Bug == RoleBeforeCommit {
		s.known = roles
	}
	switch {
	case errors.Is(err, errCrashed):
		s.die()
	case err == nil:
		s.tell(seq-1, seq, nil)
	}
}

// keepHouse compacts the log, takes a copy of the data, or, where that is simulated, puts an old copy back.
func (s *server) keepHouse() {
	switch s.w.choose(5) {
	case 4:
		s.bury()
	case 0, 1:
		keep := uint64(s.w.choose(6)) //nolint:gosec // small
		if _, err := s.w.update(&s.disk, func(tx *transaction) error { return s.hub(tx).Compact(keep) }, func() {}); errors.Is(err, errCrashed) {
			s.die()
		}
	case 2:
		s.w.model.copySnapshot(s.hub(s.disk.begin()))
		if s.w.cfg.Restore {
			s.backup = s.disk.mem.Clone()
			s.w.model.backUp()
		}
	default:
		if s.w.cfg.Restore && s.backup != nil {
			s.restore()
		}
	}
}

// bury removes for good what was deleted long ago: some widget, whose edits are then refused.
func (s *server) bury() {
	entity := []string{"w2", "w3"}[s.w.choose(2)]
	if s.w.chance(2) || s.unmade > 0 && !s.remake() {
		return
	}
	var e replica.Entry
	var ok bool
	_, err := s.w.update(&s.disk, func(tx *transaction) (err error) {
		if e, ok, err = s.hub(tx).Bury(entity, s.w.now); err != nil || !ok || s.w.cfg.Bug != GraveForgotten {
			return err
		}
		return tx.Delete(append([]byte{'g'}, entity...))
	}, func() {
		if ok {
			s.w.model.buried(e)
		}
	})
	switch {
	case errors.Is(err, errCrashed):
		s.die()
	case err == nil && ok:
		s.tell(e.Seq-1, e.Seq, []replica.Entry{e})
	}
}

// restore puts the copy back: usually with a new epoch at once, else when somebody shows that it is due. That must be before
// the new log is longer than the old one was.
func (s *server) restore() {
	epoch, head := s.hub(s.disk.begin()).Head()
	s.heads[epoch] = max(s.heads[epoch], head)
	s.disk = disk{mem: *s.backup.Clone()}
	s.die()
	epoch, _ = s.hub(s.disk.begin()).Head()
	s.unmade = s.heads[epoch]
	if !s.w.chance(3) {
		for range 3 { // the disk may fail, and the operator tries again
			if s.remake() {
				break
			}
		}
	}
	if s.unmade > 0 {
		for _, l := range s.w.links {
			l.otherLog = true
		}
	}
	s.w.model.restored()
}

// remake begins a new epoch.
func (s *server) remake() bool {
	if s.w.cfg.Bug == NeverRemade {
		s.unmade = 0
		return true
	}
	s.epochs++
	_, err := s.w.update(&s.disk, func(tx *transaction) error { return s.hub(tx).Remake(s.epochs) }, func() {
		s.unmade, s.pieces = 0, nil
	})
	if err != nil {
		s.die()
	}
	return err == nil
}

// die ends the process: every connection is closed at the server's end; what was sent may still arrive. Another process
// begins at once.
func (s *server) die() {
	for _, l := range s.w.links {
		s.close(l)
	}
	s.start()
}

func (s *server) close(l *link) { l.open, l.follows, l.waiting = false, false, nil }

// noticeDead closes a connection whose device has long left.
func (s *server) noticeDead(i int) {
	if i < len(s.w.links) {
		if l := s.w.links[i]; l.device.link != l {
			s.close(l)
		}
	}
}
