package replicatest

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// model is what must be true: which edits were saved, what the server accepted, who could do what at which position.
type model struct {
	w *world
	history
	edits  []savedEdit
	ever   map[string]bool // entities that were ever buried, also if that was forgotten
	copy   []replica.Snapshot
	backup *history
}

// history is what the server has been through. When the server is put back to a copy, so is this.
type history struct {
	devices  map[uint64]*deviceModel // by incarnation
	accepted map[hlc.Stamp]judgement // by the stamp an edit was made with
	settled  map[hlc.Stamp]bool      // edits that were accepted, also under another stamp than their own
	base     *replica.State          // what there was before order, log and entries begin; nil is nothing
	order    []judgement             // the accepted ones as they came
	log      []replica.Entry         // the log, marks left out
	head     uint64
	graves   map[string]bool
	revoked  [users]uint64 // position of the last revocation of those who have no access
}

// savedEdit is an edit that its user was told is saved. GaveUp says that the user has put another data file in the place of
// the one that it was in.
type savedEdit struct {
	machine int
	op      replica.Op
	gaveUp  bool
}

type deviceModel struct {
	lastT uint64
	last  map[madeAt]hlc.Stamp // stamp of the last accepted edit of a register, by the machine where it was made
}

type madeAt struct {
	machine int
	register
}

func (m *model) init(w *world) {
	*m = model{w: w, ever: map[string]bool{}, history: history{devices: map[uint64]*deviceModel{}, accepted: map[hlc.Stamp]judgement{}, settled: map[hlc.Stamp]bool{}, graves: map[string]bool{}}}
}

// saved notes edits that the user was told are saved.
func (m *model) saved(d *device, ops []replica.Op) {
	for _, op := range ops {
		m.edits = append(m.edits, savedEdit{machine: d.machine, op: op})
	}
}

// gaveUp notes that what a device held was thrown away by its user, but for what still waits in the file that it has now and
// was not judged yet.
func (m *model) gaveUp(d *device) {
	waits := map[hlc.Stamp]bool{}
	hub := m.w.server.hub(m.w.server.disk.begin())
	ops, err := d.client(d.disk.begin()).Pending(0, 1<<30, 1<<30)
	m.w.must(err)
	for _, op := range ops {
		judged, err := hub.Judged(op.Stamp.Dev)
		m.w.must(err)
		if op.N > judged {
			waits[op.At()] = true
		}
	}
	for i := range m.edits {
		if m.edits[i].machine == d.machine && !waits[m.edits[i].op.Stamp] {
			m.edits[i].gaveUp = true
		}
	}
}

// committed checks a transaction of the server.
func (m *model) committed(d *device, incarnation uint64, j judged) {
	for _, e := range j.entries {
		if m.head++; !m.w.holds(4, e.Seq == m.head) {
			m.w.broken(4, "entry %d follows %d", e.Seq, m.head-1)
		}
	}
	if !m.w.holds(4, j.ack.Seq == m.head) {
		m.w.broken(4, "head is %d after entry %d", j.ack.Seq, m.head)
	}
	for i := range j.entries {
		op := &j.entries[i].Op
		if k := slices.IndexFunc(j.given, func(g replica.Op) bool { return g.N == op.N }); k >= 0 {
			if g := &j.given[k]; !m.w.holds(17, g.Kind == op.Kind && g.Entity == op.Entity && g.Field == op.Field && bytes.Equal(g.Value, op.Value)) {
				m.w.broken(17, "a %s of %s %s became a %s of %s", g.Kind, g.Entity, g.Value, op.Kind, op.Value)
			}
		}
	}
	m.log = append(m.log, j.entries...)
	dev := m.devices[incarnation]
	if dev == nil {
		dev = &deviceModel{last: map[madeAt]hlc.Stamp{}}
		m.devices[incarnation] = dev
	}
	for _, o := range j.ops {
		if m.graves[o.op.Entity] && !m.w.holds(21, o.verdict == replica.Rejected) {
			m.w.broken(21, "edit %v of %s was %s, which is buried", o.made, o.op.Entity, o.verdict)
		}
		if o.verdict != replica.Rejected {
			m.accept(d, dev, o)
		}
	}
}

func (m *model) accept(d *device, dev *deviceModel, j judgement) {
	if _, twice := m.accepted[j.made]; !m.w.holds(3, !twice) {
		m.w.broken(3, "edit %v of device %d was accepted twice", j.made, d.machine)
	}
	if !m.w.holds(5, m.w.server.roles()[d.user] == editor) {
		m.w.broken(5, "edit %v of user %d was accepted, who is no editor", j.made, d.user)
	}
	if r := j.op.Rows; r != nil && r.DropTo != nil { // a trim means rows, which may have got other keys
		if moved, ok := m.accepted[r.DropTo.Stamp]; ok {
			j.op.Rows = &replica.RowChange{DropTo: &replica.RowKey{Stamp: moved.op.At(), Index: r.DropTo.Index}}
		}
	}
	s := j.op.At()
	if !m.w.holds(8, s.T <= hlc.At(m.w.now+replica.MaxDrift) || s.T == dev.lastT+1) {
		m.w.broken(8, "stamp %v is ahead of the server's %v", s.Millis(), m.w.now)
	}
	if j.op.As.IsZero() {
		r := madeAt{d.machine, register{j.op.Entity, j.op.Field}}
		if !m.w.holds(11, dev.last[r].Less(s)) {
			m.w.broken(11, "device %d: a later edit of %v has stamp %v, an earlier one %v", d.machine, r.register, s, dev.last[r])
		}
		dev.last[r], dev.lastT = s, max(dev.lastT, s.T)
	}
	m.accepted[j.made] = j
	m.settled[j.made], m.settled[j.first] = true, true
	m.order = append(m.order, j)
}

// buried notes that everything of an entity is gone.
func (m *model) buried(e replica.Entry) {
	if m.head++; !m.w.holds(4, e.Seq == m.head) {
		m.w.broken(4, "burial %d follows %d", e.Seq, m.head-1)
	}
	m.log = append(m.log, e)
	m.graves[e.Op.Entity], m.ever[e.Op.Entity] = true, true
}

// changed notes a change of access.
func (m *model) changed(seq uint64, roles [users]role) {
	if m.head++; !m.w.holds(4, seq == m.head) {
		m.w.broken(4, "mark %d follows %d", seq, m.head-1)
	}
	for user, r := range roles {
		switch {
		case r != none:
			m.revoked[user] = 0
		case m.revoked[user] == 0:
			m.revoked[user] = seq
		}
	}
}

// sending checks what the server is about to send.
func (m *model) sending(user int, entries []replica.Entry) {
	gone := m.revoked[user]
	if gone == 0 {
		return
	}
	for _, e := range entries {
		if !m.w.holds(6, e.Seq <= gone) {
			m.w.broken(6, "entry %d goes to user %d, whose access ended at %d", e.Seq, user, gone)
		}
	}
}

func (m *model) sendingPage(user int) {
	if !m.w.holds(6, m.revoked[user] == 0) {
		m.w.broken(6, "a snapshot goes to user %d, who has no access", user)
	}
}

// arrives checks that entries of the log reach a device as they were accepted, those of unknown kinds included.
func (m *model) arrives(d *device, delta replica.Delta) {
	if m.w.cfg.Restore {
		return // the same positions hold other entries after a restore
	}
	for i := range delta.Entries {
		e := &delta.Entries[i]
		k, ok := slices.BinarySearchFunc(m.log, e.Seq, func(have replica.Entry, seq uint64) int { return cmp.Compare(have.Seq, seq) })
		if !m.w.holds(4, ok && e.Op.N == m.log[k].Op.N && e.Op.Stamp == m.log[k].Op.Stamp) {
			m.w.broken(4, "entry %d reaches device %d, which is not what the log holds there", e.Seq, d.machine)
			return
		}
		if !m.w.holds(17, e.Op.Kind == m.log[k].Op.Kind && bytes.Equal(e.Op.Value, m.log[k].Op.Value)) {
			m.w.broken(17, "entry %d reaches device %d as %s %s", e.Seq, d.machine, e.Op.Kind, e.Op.Value)
		}
	}
}

// copySnapshot keeps a snapshot, to be joined with the later log at the end.
func (m *model) copySnapshot(h *replica.Hub) {
	p, err := h.Snapshot(300)
	m.w.must(err)
	m.copy = p
}

func (h *history) clone() history {
	c := *h
	c.accepted, c.settled, c.graves, c.devices = maps.Clone(h.accepted), maps.Clone(h.settled), maps.Clone(h.graves), map[uint64]*deviceModel{}
	for id, d := range h.devices {
		c.devices[id] = &deviceModel{lastT: d.lastT, last: maps.Clone(d.last)}
	}
	c.order, c.log = slices.Clone(h.order), slices.Clone(h.log)
	return c
}

// backUp notes what a copy of the server's data holds.
func (m *model) backUp() {
	h := m.clone()
	m.backup = &h
}

// restored goes back to that. The log begins anew.
func (m *model) restored() {
	m.history, m.copy = m.backup.clone(), nil
	state, err := m.w.server.hub(m.w.server.disk.begin()).State()
	m.w.must(err)
	m.base, m.order, m.log = state, nil, nil
}
