package replicatest

import (
	"slices"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// role is what a user may do.
type role int

const (
	none role = iota
	viewer
	editor
)

const users = 3

// server is the shell around the hub: it knows who may do what, keeps connections, commits and tells.
type server struct {
	w      *world
	disk   disk
	roles  []role // of users; in the same transaction as the log in a real server
	backup *replica.Memory
	epochs uint64
	pages  int // snapshots sent so far
}

func newServer(w *world) *server {
	s := &server{w: w, roles: []role{editor, editor, editor}, epochs: 100}
	_, err := replica.InitHub(s.disk.begin(), s.epochs)
	w.must(err)
	return s
}

func (s *server) hub(tx replica.Tx) *replica.Hub {
	h, err := replica.OpenHub(tx)
	s.w.must(err)
	return h
}

func (s *server) receive(l *link, f frame) {
	switch {
	case f.subscribe != nil:
		s.subscribe(l, *f.subscribe)
	case f.ops != nil:
		s.submit(l, *f.ops)
	}
}

// subscribe answers with what the device has missed, or with everything.
func (s *server) subscribe(l *link, m subscribe) {
	if s.roles[l.device.user] == none {
		s.deny(l)
		return
	}
	const entries, bytes = 4, 1 << 20
	h := s.hub(s.disk.begin())
	_, head := h.Head()
	since := m.since
	if s.w.cfg.Bug == ResumeSkips && since < head {
		since++
	}
	l.subscribed, l.sent, l.mayEdit = true, head, s.roles[l.device.user] == editor
	for {
		d, ok, err := h.Since(m.epoch, since, entries, bytes)
		s.w.must(err)
		if !ok || err != nil {
			break
		}
		if s.w.cfg.Bug == ResumeSkips {
			d.From = min(d.From, m.since)
		}
		s.send(l, frame{delta: &d})
		if since = d.To; since >= head {
			return
		}
	}
	pages, err := h.Snapshot(200 + 100*s.w.choose(4))
	s.w.must(err)
	s.pages++
	for i := range pages {
		if s.w.cfg.Bug == SnapshotTooNew {
			pages[i].Seq++
		}
		s.send(l, frame{page: &pages[i], answers: m.id, snapshot: s.pages})
	}
}

func (s *server) deny(l *link) {
	if s.w.cfg.Bug != NoUnsubscribe {
		l.subscribed = false
	}
	l.send(down, frame{denied: true})
}

// send puts a frame on its way, past the check of who may have it.
func (s *server) send(l *link, f frame) {
	s.w.model.sending(l.device.user, f)
	l.send(down, f)
}

// submit judges what a device handed in, in one transaction, and tells everybody afterwards.
func (s *server) submit(l *link, m replica.Submission) {
	right := s.roles[l.device.user]
	if right == none && s.w.cfg.Bug != RoleAtConnect {
		s.deny(l)
		return
	}
	mayEdit := right == editor
	if s.w.cfg.Bug == RoleAtConnect {
		mayEdit = l.mayEdit
	}
	tx := s.disk.begin()
	ack, entries, judged := s.judge(tx, m, mayEdit)
	if s.w.err != nil {
		return
	}
	ackFirst := s.w.chance(2)
	switch {
	case s.w.crash(32):
		if s.w.cfg.Bug == AckBeforeCommit {
			l.send(down, frame{ack: &ack})
		}
		if s.w.cfg.Bug == SendBeforeCommit {
			s.tell(ack.Seq, entries)
		}
		s.w.must(tx.rollBack())
		s.w.model.devices[m.Dev].hubN = s.w.model.devices[m.Dev].lastN
		s.die()
		return
	case s.w.crash(32):
		s.w.model.committed(l.device, judged, ack, entries)
		s.die()
		return
	}
	s.w.model.committed(l.device, judged, ack, entries)
	s.w.note(ack.UpTo, ack.Seq, uint64(len(ack.Outcomes)))
	if ackFirst {
		s.send(l, frame{ack: &ack})
	}
	s.tell(ack.Seq, entries)
	if !ackFirst {
		s.send(l, frame{ack: &ack})
	}
}

// judgement is an operation with what became of it.
type judgement struct {
	op      replica.Op // with its final stamp
	made    hlc.Stamp  // the stamp it was made with: it names the edit
	verdict replica.Verdict
}

// judge runs the hub, with whatever bug is planted, and lists what it judged for the first time.
func (s *server) judge(tx *transaction, m replica.Submission, mayEdit bool) (replica.Ack, []replica.Entry, []judgement) {
	dev, bug := s.w.model.devices[m.Dev], s.w.cfg.Bug
	policy := replica.Policy{Now: s.w.now, MayEdit: mayEdit}
	given, before := m.Ops, max(dev.lastN, m.Floor)
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
			m.Ops[i].N = dev.hubN + 1 + uint64(i)
		}
	case NaiveClamp:
		for i := range m.Ops {
			if op := &m.Ops[i]; op.Stamp.Millis() > s.w.now+replica.MaxDrift {
				op.Stamp.T, flat[op.N] = hlc.At(s.w.now), true
			}
		}
	}
	ack, entries, err := s.hub(store).Submit(m, policy)
	s.w.must(err)
	dev.hubN = ack.UpTo
	var judged []judgement
	for i, op := range m.Ops {
		if bug == NoDedupe || op.N > before && op.N <= ack.UpTo {
			judged = append(judged, judgementOf(op, given[i].Stamp, ack))
			if flat[op.N] {
				ack.Outcomes = append(ack.Outcomes, replica.Outcome{N: op.N, Verdict: replica.Restamped, Stamp: op.Stamp})
			}
		}
	}
	if bug == NoDedupe {
		ack.UpTo, ack.Outcomes = max(dev.lastN, given[len(given)-1].N), nil
	}
	if bug == VerdictForgotten {
		ack.Outcomes = slices.DeleteFunc(slices.Clone(ack.Outcomes), func(o replica.Outcome) bool { return o.N <= before })
	}
	return ack, entries, judged
}

func judgementOf(op replica.Op, made hlc.Stamp, ack replica.Ack) judgement {
	j := judgement{op: op, made: made, verdict: replica.Applied}
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

// tell sends what is new to everybody who listens.
func (s *server) tell(head uint64, entries []replica.Entry) {
	epoch, _ := s.hub(s.disk.begin()).Head()
	for _, l := range s.w.links {
		if !l.open || !l.subscribed || l.sent >= head {
			continue
		}
		s.send(l, frame{delta: &replica.Delta{Epoch: epoch, From: l.sent, To: head, Entries: entries}})
		l.sent = head
	}
}

// change gives somebody another role; it takes a position in the log. The first user's role never changes.
func (s *server) change() {
	if s.w.cfg.Restore {
		return
	}
	user, r := 1+s.w.choose(users-1), role(s.w.choose(3))
	tx := s.disk.begin()
	seq, err := s.hub(tx).Mark()
	s.w.must(err)
	if s.w.crash(32) {
		s.w.must(tx.rollBack())
		s.die()
		return
	}
	s.roles[user] = r
	s.w.model.changed(user, seq, r)
	for _, l := range s.w.links {
		if l.open && l.device.user == user && r == none {
			s.deny(l)
		}
	}
	s.tell(seq, nil)
}

// keepHouse compacts the log, takes a copy of the data, or, where that is simulated, puts an old copy back.
func (s *server) keepHouse() {
	tx := s.disk.begin()
	switch s.w.choose(4) {
	case 0, 1:
		s.w.must(s.hub(tx).Compact(uint64(s.w.choose(6)))) //nolint:gosec // small
	case 2:
		s.w.model.copySnapshot(s.hub(tx))
		if s.w.cfg.Restore {
			s.backup = s.disk.mem.Clone()
		}
	default:
		if s.w.cfg.Restore && s.backup != nil {
			s.die()
			s.disk.mem = *s.backup.Clone()
			s.epochs++
			s.w.must(s.hub(s.disk.begin()).Remake(s.epochs))
			s.w.model.restored()
		}
	}
}

// die ends the process: every connection is closed at the server's end; what was sent may still arrive.
func (s *server) die() {
	for _, l := range s.w.links {
		l.open, l.subscribed = false, false
	}
}

// noticeDead closes a connection whose device has long left.
func (s *server) noticeDead(i int) {
	if i < len(s.w.links) {
		if l := s.w.links[i]; l.device.link != l {
			l.open, l.subscribed = false, false
		}
	}
}
