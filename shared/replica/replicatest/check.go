package replicatest

import (
	"slices"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// model is what must be true: which edits were saved, what the server accepted, who could do what at which position.
type model struct {
	w        *world
	devices  map[uint64]*deviceModel
	accepted map[hlc.Stamp]judgement // by the stamp an edit was made with
	order    []judgement             // the accepted ones as they came
	log      []replica.Entry         // the whole log, marks left out
	head     uint64
	revoked  [users]uint64 // position of the last revocation of those who have no access
	copy     []replica.Snapshot
}

type deviceModel struct {
	lastN, hubN uint64
	lastT       uint64
	edits       []replica.Op // saved
	last        map[register]hlc.Stamp
}

func (m *model) init(w *world) {
	*m = model{w: w, devices: map[uint64]*deviceModel{}, accepted: map[hlc.Stamp]judgement{}}
	for i := range devices {
		m.devices[uint64(i)+1] = &deviceModel{last: map[register]hlc.Stamp{}}
	}
}

// saved notes edits that the user was told are saved.
func (m *model) saved(d *device, ops []replica.Op) {
	m.devices[d.id].edits = append(m.devices[d.id].edits, ops...)
}

// committed checks a transaction of the server.
func (m *model) committed(d *device, judged []judgement, ack replica.Ack, entries []replica.Entry) {
	if m.w.cfg.Restore {
		return
	}
	dev := m.devices[d.id]
	dev.lastN = max(dev.lastN, ack.UpTo)
	for _, e := range entries {
		if m.head++; e.Seq != m.head {
			m.w.broken("SI4", "entry %d follows %d", e.Seq, m.head-1)
		}
	}
	if ack.Seq != m.head {
		m.w.broken("SI4", "head is %d after entry %d", ack.Seq, m.head)
	}
	m.log = append(m.log, entries...)
	for _, j := range judged {
		if j.verdict != replica.Rejected {
			m.accept(d, dev, j)
		}
	}
}

func (m *model) accept(d *device, dev *deviceModel, j judgement) {
	if _, twice := m.accepted[j.made]; twice {
		m.w.broken("SI3", "edit %v of device %d was accepted twice", j.made, d.id)
	}
	if m.w.server.roles[d.user] != editor {
		m.w.broken("SI5", "edit %v of user %d was accepted, who is no editor", j.made, d.user)
	}
	if r := j.op.Rows; r != nil && r.DropTo != nil { // a trim means rows, which may have got other keys
		if moved, ok := m.accepted[r.DropTo.Stamp]; ok {
			j.op.Rows = &replica.RowChange{DropTo: &replica.RowKey{Stamp: moved.op.At(), Index: r.DropTo.Index}}
		}
	}
	s := j.op.At()
	if s.T > hlc.At(m.w.now+replica.MaxDrift) && s.T != dev.lastT+1 {
		m.w.broken("SI8", "stamp %v is ahead of the server's %v", s.Millis(), m.w.now)
	}
	r := register{j.op.Entity, j.op.Field}
	if j.op.As.IsZero() && !dev.last[r].Less(s) {
		m.w.broken("SI11", "device %d: a later edit of %v has stamp %v, an earlier one %v", d.id, r, s, dev.last[r])
	}
	if j.op.As.IsZero() {
		dev.last[r], dev.lastT = s, max(dev.lastT, s.T)
	}
	m.accepted[j.made] = j
	m.order = append(m.order, j)
}

// changed notes a change of access.
func (m *model) changed(user int, seq uint64, r role) {
	if m.head++; seq != m.head {
		m.w.broken("SI4", "mark %d follows %d", seq, m.head-1)
	}
	if r == none {
		m.revoked[user] = seq
	}
}

// sending checks what the server is about to send.
func (m *model) sending(user int, f frame) {
	if m.w.server.roles[user] != none {
		return
	}
	if f.page != nil {
		m.w.broken("SI6", "a snapshot goes to user %d, who has no access", user)
	}
	if f.delta != nil {
		for _, e := range f.delta.Entries {
			if e.Seq > m.revoked[user] {
				m.w.broken("SI6", "entry %d goes to user %d, whose access ended at %d", e.Seq, user, m.revoked[user])
			}
		}
	}
}

// copySnapshot keeps a snapshot, to be joined with the later log at the end.
func (m *model) copySnapshot(h *replica.Hub) {
	p, err := h.Snapshot(300)
	m.w.must(err)
	m.copy = p
}

// restored begins anew with the server's state.
func (m *model) restored() { m.copy = nil }

// check looks at a device's picture after something happened to it.
func (d *device) check() {
	for _, e := range d.view.Entities() {
		for _, f := range d.view.Fields(e) {
			r := register{e, f}
			_, s, _ := d.view.Register(e, f)
			if s.Less(d.shown[r]) {
				d.w.broken("SI10", "device %d shows %v of %v after it showed %v", d.id, s, r, d.shown[r])
			}
			d.shown[r] = s
		}
	}
	for r := range d.shown {
		if _, _, ok := d.view.Register(r.entity, r.field); !ok {
			d.w.broken("SI10", "device %d shows no %v any more", d.id, r)
		}
	}
	if d.looks++; d.looks%8 == 0 {
		v, err := d.client(d.disk.begin()).View()
		d.w.must(err)
		if !v.Equal(d.view) {
			d.w.broken("SI10", "device %d shows something else than what it stores", d.id)
		}
	}
}

// finish lets everything heal and checks what must be true then.
func (w *world) finish() {
	if w.err != nil {
		return
	}
	var held *replica.State
	if w.cfg.Restore {
		held = replica.NewState()
		for _, d := range w.devices {
			held.Merge(d.view)
		}
	}
	w.healing = true
	w.server.die()
	for _, l := range w.links {
		l.frames = [2][]frame{}
	}
	for _, d := range w.devices {
		d.away = false
		d.hangUp()
	}
	for round := 0; round < 100 && w.err == nil && !w.quiet(); round++ {
		w.round()
	}
	if w.err != nil {
		return
	}
	state, err := w.server.hub(w.server.disk.begin()).State()
	w.must(err)
	w.converged(state)
	if w.cfg.Restore {
		after := state.Clone()
		after.Merge(held)
		if !after.Equal(state) {
			w.broken("SI13", "the restored server lacks something that an editor held")
		}
		return
	}
	w.model.kept()
	w.model.replays(state)
}

// round lets everybody send and receive once, in order.
func (w *world) round() {
	for _, d := range w.devices {
		if d.link == nil || !d.link.open {
			d.connect()
		}
		d.push(true)
		for _, way := range []int{up, down} {
			for _, l := range w.links {
				for len(l.frames[way]) > 0 {
					f := l.frames[way][0]
					l.frames[way] = l.frames[way][1:]
					w.arrive(l, way, f)
				}
			}
		}
	}
}

// quiet reports whether everybody who may has told and heard everything.
func (w *world) quiet() bool {
	_, head := w.server.hub(w.server.disk.begin()).Head()
	for _, d := range w.devices {
		if d.link == nil || !d.link.open {
			return false
		}
		s := d.status()
		if w.server.roles[d.user] == none {
			if !d.denied {
				return false
			}
		} else if s.Waiting > 0 || s.Seen != head {
			return false
		}
	}
	return true
}

func (w *world) converged(state *replica.State) {
	for _, e := range state.Entities() {
		seen := map[string]bool{}
		if rows := state.Rows(e); rows != nil {
			for row := range rows.All() {
				if seen[string(row)] {
					w.broken("SI3", "row %s is there twice", row)
				}
				seen[string(row)] = true
			}
		}
	}
	for _, d := range w.devices {
		if w.server.roles[d.user] == none {
			continue
		}
		c := d.client(d.disk.begin())
		confirmed, err := c.Confirmed()
		w.must(err)
		view, err := c.View()
		w.must(err)
		if s := c.Status(); s.Waiting > 0 {
			w.broken("SI1", "device %d still has %d edits waiting", d.id, s.Waiting)
		}
		if !confirmed.Equal(state) || !view.Equal(state) || !d.view.Equal(state) {
			w.broken("SI1", "device %d differs from the server", d.id)
		}
	}
}

// kept checks that each saved edit is accepted, in the tray, or still waiting where access has ended.
func (m *model) kept() {
	for _, d := range m.w.devices {
		c := d.client(d.disk.begin())
		tray, err := c.Tray()
		m.w.must(err)
		pending, err := c.Pending(0, 1<<30, 1<<30)
		m.w.must(err)
		have := map[hlc.Stamp]bool{}
		for _, r := range tray {
			have[r.Op.Stamp] = true
		}
		if m.w.server.roles[d.user] == none {
			for _, op := range pending {
				have[op.Stamp] = true
			}
		}
		for _, op := range m.devices[d.id].edits {
			if _, ok := m.accepted[op.Stamp]; !ok && !have[op.Stamp] {
				m.w.broken("SI2", "edit %d (%v) of device %d is neither accepted nor in the tray", op.N, op.Stamp, d.id)
			}
		}
	}
}

// replays checks the server's state against three ways to get it: the whole log, an old snapshot with the later log, and
// the accepted operations in another order.
func (m *model) replays(state *replica.State) {
	full := replica.NewState()
	for _, e := range m.log {
		full.Apply(e.Op)
	}
	if !full.Equal(state) {
		m.w.broken("SI4", "the replayed log differs from the server's state")
	}
	if m.copy != nil {
		d := &device{w: m.w, id: 99}
		c := d.client(d.disk.begin())
		for _, p := range m.copy {
			_, err := c.Snapshot(p, &d.clock, 0)
			m.w.must(err)
		}
		at := c.Status()
		var later []replica.Entry
		for _, e := range m.log {
			if e.Seq > at.Seen {
				later = append(later, e)
			}
		}
		_, err := c.Delta(replica.Delta{Epoch: at.Epoch, From: at.Seen, To: m.head, Entries: later}, &d.clock)
		m.w.must(err)
		s, err := c.Confirmed()
		m.w.must(err)
		if !s.Equal(state) {
			m.w.broken("SI4", "a snapshot with the later log differs from the server's state")
		}
	}
	fold := replica.NewState()
	for _, j := range slices.Backward(m.order) {
		fold.Apply(j.op)
		fold.Apply(j.op)
	}
	if !fold.Equal(state) {
		m.w.broken("SI7", "the accepted edits in another order differ from the server's state")
	}
}
