package replicatest

import (
	"slices"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// check looks at a device's picture after something happened to it.
func (d *device) check() {
	for _, e := range d.view.Entities() {
		for _, f := range d.view.Fields(e) {
			r := register{e, f}
			_, s, _ := d.view.Register(e, f)
			if !d.w.holds(10, !s.Less(d.shown[r])) {
				d.w.broken(10, "device %d shows %v of %v after it showed %v", d.machine, s, r, d.shown[r])
			}
			d.shown[r] = s
		}
	}
	for r := range d.shown {
		if _, _, ok := d.view.Register(r.entity, r.field); !ok {
			d.w.broken(10, "device %d shows no %v any more", d.machine, r)
		}
	}
	if d.looks++; d.looks%8 == 0 {
		v, err := d.client(d.disk.begin()).View()
		d.w.must(err)
		if !d.w.holds(10, v.Equal(d.view)) {
			d.w.broken(10, "device %d shows something else than what it stores", d.machine)
		}
	}
}

// finish lets everything heal and checks what must be true then.
func (w *world) finish() {
	if w.err != nil {
		return
	}
	w.healing = true
	w.server.die()
	if w.server.unmade > 0 {
		w.server.remake()
	}
	for _, l := range w.links {
		l.frames = [2][]frame{}
	}
	for _, d := range w.devices {
		d.blocked = [2]bool{}
		d.restart()
	}
	held := w.held()
	for round := 0; round < 100 && w.err == nil && !w.quiet(); round++ {
		w.round()
	}
	if w.err != nil {
		return
	}
	state, err := w.server.hub(w.server.disk.begin()).State()
	w.must(err)
	w.model.replays(state)
	w.model.remembers()
	w.converged(state)
	if w.cfg.Restore {
		after := state.Clone()
		after.Merge(held)
		w.model.burials(after)
		if !w.holds(13, after.Equal(state)) {
			w.broken(13, "the restored server lacks something that an editor held")
		}
	} else {
		w.model.kept()
	}
}

// held is what the editors have: what they know to be confirmed, and what waits for its first verdict. (What was refused and
// does not know it yet is in nobody's hands any more.)
func (w *world) held() *replica.State {
	held := replica.NewState()
	if !w.cfg.Restore {
		return held
	}
	hub := w.server.hub(w.server.disk.begin())
	for _, d := range w.devices {
		if d.idle || w.server.role(d.user) != editor {
			continue
		}
		c := d.client(d.disk.begin())
		confirmed, err := c.Confirmed()
		w.must(err)
		held.Merge(confirmed)
		judged, err := hub.Judged(d.dev)
		w.must(err)
		waiting, err := c.Pending(judged, 1<<30, 1<<30)
		w.must(err)
		for _, op := range waiting {
			held.Apply(op)
		}
	}
	return held
}

// round lets everybody send and receive once, in order.
func (w *world) round() {
	for _, d := range w.devices {
		if d.idle {
			continue
		}
		if d.link == nil || !d.link.open {
			d.connect()
		}
		d.push(true)
		// Devices that ask again for ever must not keep the others from their turn.
		busy := true
		for turn := 0; turn < 100 && busy && w.err == nil; turn++ {
			busy = false
			for _, l := range w.links {
				for _, way := range []int{up, down} {
					if len(l.frames[way]) > 0 {
						f := l.frames[way][0]
						l.frames[way] = l.frames[way][1:]
						w.arrive(l, way, f)
						busy = true
					}
				}
			}
		}
		for _, l := range w.links {
			if l.open {
				w.server.room(l)
			}
		}
	}
}

// quiet reports whether everybody who may has told and heard everything.
func (w *world) quiet() bool {
	_, head := w.server.hub(w.server.disk.begin()).Head()
	for _, d := range w.devices {
		if d.idle {
			continue
		}
		if d.link == nil || !d.link.open {
			return false
		}
		s := d.status()
		if w.server.role(d.user) == none {
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
				if !w.holds(3, !seen[string(row)]) {
					w.broken(3, "row %s is there twice", row)
				}
				seen[string(row)] = true
			}
		}
	}
	registers := registersOf(state)
	for _, d := range w.devices {
		if d.idle || w.server.role(d.user) == none {
			continue
		}
		want := state
		if d.version == older {
			want = registers
		}
		c := d.client(d.disk.begin())
		confirmed, err := c.Confirmed()
		w.must(err)
		view, err := c.View()
		w.must(err)
		if s := c.Status(); !w.holds(1, s.Waiting == 0) {
			w.broken(1, "device %d still has %d edits waiting", d.machine, s.Waiting)
		}
		if !w.holds(1, confirmed.Equal(want) && view.Equal(want) && d.view.Equal(want)) {
			w.broken(1, "device %d differs from the server", d.machine)
		}
	}
}

// kept checks that each saved edit is accepted, in the tray, or still waiting where access has ended.
func (m *model) kept() {
	have := map[int]map[hlc.Stamp]bool{}
	for _, d := range m.w.devices {
		if d.idle {
			continue
		}
		c := d.client(d.disk.begin())
		tray, err := c.Tray()
		m.w.must(err)
		pending, err := c.Pending(0, 1<<30, 1<<30)
		m.w.must(err)
		held := map[hlc.Stamp]bool{}
		for _, r := range tray {
			held[r.Op.Stamp], held[r.Op.At()] = true, true
		}
		if m.w.server.role(d.user) == none {
			for _, op := range pending {
				held[op.Stamp], held[op.At()] = true, true
			}
		}
		have[d.machine] = held
	}
	for i := range m.edits {
		e := &m.edits[i]
		if e.gaveUp {
			continue
		}
		if !m.w.holds(2, m.settled[e.op.Stamp] || have[e.machine][e.op.Stamp]) {
			m.w.broken(2, "edit %d (%v) of device %d is neither accepted nor in the tray", e.op.N, e.op.Stamp, e.machine)
		}
	}
}

// rowsAlike reports whether two copies of a device stamped changes of rows alike: those that reached the server first stay, so
// their order matters.
func (m *model) rowsAlike() bool {
	seen := map[hlc.Stamp]bool{}
	for _, j := range m.order {
		if j.op.Kind != replica.OpRows {
			continue
		}
		if seen[j.op.At()] {
			return true
		}
		seen[j.op.At()] = true
	}
	return false
}

// burials takes out of a state what is buried.
func (m *model) burials(s *replica.State) {
	for e := range m.graves {
		s.Apply(replica.Op{Kind: replica.OpBury, Entity: e})
	}
}

// remembers checks that the history tells what was there at some earlier position.
func (m *model) remembers() {
	hub := m.w.server.hub(m.w.server.disk.begin())
	first := m.head
	if n := len(m.log); n > 0 {
		first = m.log[0].Seq
	}
	for range 2 {
		at := first + uint64(m.w.choose(int(m.head-first)+1)) //nolint:gosec // small
		got, rows, ok, err := hub.StateAt(at, 0)
		m.w.must(err)
		if !ok {
			continue
		}
		want := replica.NewState()
		if m.base != nil {
			want = m.base.Clone()
		}
		for _, e := range m.log {
			if e.Seq <= at {
				want.Apply(e.Op)
			}
		}
		if !rows {
			got, want = registersOf(got), registersOf(want)
		}
		if !m.w.holds(4, got.Equal(want)) {
			m.w.broken(4, "the history at %d of %d is not what was there", at, m.head)
		}
	}
}

// replays checks the server's state against three ways to get it: the accepted operations in another order, the whole log, and
// an old snapshot with the later log.
func (m *model) replays(state *replica.State) {
	base := replica.NewState()
	if m.base != nil {
		base = m.base
	}
	fold, order := base.Clone(), slices.Clone(m.order)
	if !m.rowsAlike() {
		slices.Reverse(order)
	}
	for _, j := range order {
		fold.Apply(j.op)
		fold.Apply(j.op)
	}
	m.burials(fold)
	if !m.w.holds(7, fold.Equal(state)) {
		m.w.broken(7, "the accepted edits in another order differ from the server's state")
	}
	full := base.Clone()
	for _, e := range m.log {
		full.Apply(e.Op)
	}
	if !m.w.holds(4, full.Equal(state)) {
		m.w.broken(4, "the replayed log differs from the server's state")
	}
	if m.copy != nil {
		d := &device{w: m.w, machine: 99}
		clock := hlc.Clock{Dev: 99}
		c := d.client(d.disk.begin())
		for _, p := range m.copy {
			_, err := c.Snapshot(p, &clock, 0)
			m.w.must(err)
		}
		at := c.Status()
		var later []replica.Entry
		for _, e := range m.log {
			if e.Seq > at.Seen {
				later = append(later, e)
			}
		}
		_, err := c.Delta(replica.Delta{Epoch: at.Epoch, From: at.Seen, To: m.head, Entries: later}, &clock)
		m.w.must(err)
		s, err := c.Confirmed()
		m.w.must(err)
		if !m.w.holds(4, s.Equal(state)) {
			m.w.broken(4, "a snapshot with the later log differs from the server's state")
		}
	}
}
