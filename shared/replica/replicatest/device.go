package replicatest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// device is the shell around the client: it edits, sends, receives, and keeps the picture that its user looks at.
type device struct {
	w    *world
	id   uint64
	user int
	skew int64 // of its wall clock, milliseconds
	away bool  // nothing arrives in either direction
	disk disk

	// In memory, gone after a crash.
	clock  hlc.Clock
	link   *link
	sent   uint64 // number of the last operation sent on this connection
	denied bool
	view   *replica.State

	// What the user saw and the shell counts, kept for the checks.
	asked int    // subscriptions so far
	since uint64 // position that the last one named
	pages int    // snapshot whose pages are being read
	shown map[register]hlc.Stamp
	looks int
}

type register struct{ entity, field string }

func (d *device) wall() int64 { return d.w.now + d.skew }

// clockKey sorts behind the keys of a replica.
func clockKey() []byte { return []byte{0xff, 'c'} }

func (d *device) client(tx replica.Tx) *replica.Client {
	c, err := replica.OpenClient(tx)
	d.w.must(err)
	return c
}

func (d *device) status() replica.ClientStatus { return d.client(d.disk.begin()).Status() }

// restart starts the program on what is on disk. What the user saw must still be there (SI9, SI10), so shown stays.
func (d *device) restart() {
	d.link, d.sent, d.denied = nil, 0, false
	d.clock = hlc.Clock{Dev: d.id}
	if b := d.disk.mem.Get(clockKey()); b != nil && d.w.cfg.Bug != ClockNotPersisted {
		d.clock.Last = binary.BigEndian.Uint64(b)
	}
	if d.shown == nil {
		d.shown = map[register]hlc.Stamp{}
	}
	d.look()
}

// look reads the picture anew.
func (d *device) look() {
	v, err := d.client(d.disk.begin()).View()
	d.w.must(err)
	d.view = v
}

func (d *device) crash() {
	if d.w.cfg.Bug == QueueLostOnCrash {
		var keys [][]byte
		d.w.must(d.disk.mem.Scan([]byte{'q'}, []byte{'r'}, func(k, _ []byte) bool {
			keys = append(keys, k)
			return true
		}))
		for _, k := range keys {
			d.w.must(d.disk.mem.Delete(k))
		}
	}
	d.restart()
	d.check()
}

// commit ends a transaction, with the clock in it. If the program crashes before or after, running is false; changed is
// done in any case once the transaction is on disk, before anybody looks.
func (d *device) commit(tx *transaction, changed func()) (saved, running bool) {
	d.w.must(tx.Put(clockKey(), binary.BigEndian.AppendUint64(nil, d.clock.Last)))
	if d.w.crash(40) {
		d.w.must(tx.rollBack())
		d.crash()
		return false, false
	}
	changed()
	if d.w.crash(40) {
		d.crash()
		return true, false
	}
	return true, true
}

// edit is one action of the user: one or two edits in one transaction.
func (d *device) edit() {
	edits := make([]replica.Edit, 1+d.w.choose(3)/2)
	for i := range edits {
		edits[i] = d.anyEdit()
	}
	tx := d.disk.begin()
	ops, err := d.client(tx).Edit(&d.clock, d.wall(), edits)
	d.w.must(err)
	saved, running := d.commit(tx, func() {})
	if saved || d.w.cfg.Bug == SavedBeforeCommit {
		d.w.model.saved(d, ops)
	}
	if !running {
		return
	}
	last := map[register]json.RawMessage{}
	for _, op := range ops {
		d.view.Apply(op)
		last[register{op.Entity, op.Field}] = op.Value
	}
	for _, op := range ops { // of two edits of one register in one action the later one shows
		r := register{op.Entity, op.Field}
		if v, _, _ := d.view.Register(op.Entity, op.Field); op.Kind == replica.OpSet && string(v) != string(last[r]) {
			d.w.broken("SI9", "device %d wrote %s to %v and sees %s", d.id, last[r], r, v)
		}
	}
	d.check()
}

func (d *device) anyEdit() replica.Edit {
	entity := []string{"board", "w1", "w2"}[d.w.choose(3)]
	if entity == "board" || d.w.choose(5) < 3 {
		return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: []string{"title", "alive"}[d.w.choose(2)], Value: d.value()}
	}
	rows := &replica.RowChange{}
	e := replica.Edit{Kind: replica.OpRows, Entity: entity, Rows: rows}
	have := d.view.Rows(entity)
	switch n := d.w.choose(8); {
	case n == 0:
		rows.Replace, rows.Columns = true, d.value()
	case n < 3 && have != nil && have.Len() > 0:
		k := have.Key(d.w.choose(have.Len()))
		rows.DropTo = &k
		return e
	}
	for range 1 + d.w.choose(3) {
		rows.Rows = append(rows.Rows, d.value())
	}
	return e
}

// value is a value that no other edit has.
func (d *device) value() json.RawMessage {
	d.w.values++
	return json.RawMessage("[" + strconv.Itoa(d.w.values) + "]")
}

// connect makes a new connection; the old one is left as it is.
func (d *device) connect() {
	d.link = &link{id: len(d.w.links), device: d, open: true}
	d.w.links = append(d.w.links, d.link)
	d.subscribe()
}

func (d *device) subscribe() {
	d.asked++
	s := d.status()
	d.sent, d.since = s.Acked, s.Seen
	d.link.send(up, frame{subscribe: &subscribe{id: d.asked, epoch: s.Epoch, since: s.Seen}})
}

func (d *device) hangUp() { d.link = nil }

// push sends what waits; again means everything that was not acknowledged, as after a time-out.
func (d *device) push(again bool) {
	if d.link == nil || d.denied {
		return
	}
	c := d.client(d.disk.begin())
	s := c.Status()
	if again || d.sent < s.Acked {
		d.sent = s.Acked
	}
	if s.Epoch == 0 {
		return // not subscribed yet
	}
	ops, err := c.Pending(d.sent, 1+d.w.choose(4), 1<<20)
	d.w.must(err)
	if len(ops) == 0 {
		return
	}
	d.sent = ops[len(ops)-1].N
	m := &replica.Submission{Dev: d.id, Floor: s.Acked, Ops: ops}
	if d.w.cfg.Bug == FloorTooEarly {
		m.Floor = s.LastN
	}
	d.link.send(up, frame{ops: m})
}

// receive takes a frame. Frames of earlier connections are read too, since their order numbers must be enough to tell that
// they are late; only pages of a snapshot belong to one subscription.
func (d *device) receive(l *link, f frame) {
	if f.denied {
		if l == d.link {
			d.refused()
		}
		return
	}
	if f.page != nil && (l != d.link || f.answers != d.asked || d.overtaken(f.page)) {
		return
	}
	if f.page != nil && f.page.Page == 0 {
		d.pages = f.snapshot
	}
	if f.page != nil && f.snapshot != d.pages {
		d.subscribe() // pages of two answers, which may be cut differently
		return
	}
	if l == d.link && f.ack == nil {
		d.denied = false
	}
	tx := d.disk.begin()
	ch, err := d.take(tx, f)
	if errors.Is(err, replica.ErrGap) {
		d.w.must(tx.rollBack())
		if l == d.link {
			d.subscribe()
		}
		return
	}
	d.w.must(err)
	if _, running := d.commit(tx, func() { d.changed(ch) }); !running {
		return
	}
	if ch.Rebuild {
		d.look()
	} else {
		for _, op := range ch.Ops {
			d.view.Apply(op)
		}
	}
	d.check()
}

// overtaken reports whether a late delta of an earlier connection has brought more than the page holds. (An older page than
// was asked for is another matter: that server was put back.)
func (d *device) overtaken(p *replica.Snapshot) bool {
	s := d.status()
	return p.Epoch == s.Epoch && d.since <= p.Seq && p.Seq < s.Seen
}

// take hands a frame to the client, with whatever bug is planted.
func (d *device) take(tx *transaction, f frame) (replica.Changes, error) {
	c := d.client(tx)
	clock := &d.clock
	if d.w.cfg.Bug == NoReceiveRule {
		clock = &hlc.Clock{Dev: d.id, Last: d.clock.Last}
	}
	switch {
	case f.ack != nil:
		a := *f.ack
		if d.w.cfg.Bug == DropAtAck {
			a.Seq = 0
		}
		return c.Ack(a)
	case f.delta != nil:
		m := *f.delta
		if d.w.cfg.Bug == IgnoredGap {
			m.From = min(m.From, c.Status().Seen)
		}
		return c.Delta(m, clock)
	}
	p := *f.page
	if d.w.cfg.Bug == TornSnapshot {
		p.Page, p.Last = 0, true
	}
	return c.Snapshot(p, clock, d.wall())
}

// changed forgets what was shown of registers that may go back because an edit was refused or got another stamp.
func (d *device) changed(ch replica.Changes) {
	for _, r := range ch.Refused {
		delete(d.shown, register{r.Op.Entity, r.Op.Field})
	}
	if ch.Restamped > 0 {
		clear(d.shown)
	}
}

// refused is the end of access: what waits stays, or goes to the tray.
func (d *device) refused() {
	d.denied = true
	if d.w.chance(2) {
		return
	}
	tx := d.disk.begin()
	ch, err := d.client(tx).Refuse(replica.ReasonForbidden, "")
	d.w.must(err)
	if _, running := d.commit(tx, func() { d.changed(ch) }); running {
		d.look()
		d.check()
	}
}
