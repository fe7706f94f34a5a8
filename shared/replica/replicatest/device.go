package replicatest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// device is the shell around the client: it edits, sends, receives, and keeps the picture that its user looks at.
type device struct {
	w       *world
	machine int
	user    int
	version dialect
	loose   bool // see frame
	idle    bool // nobody has made it a copy of another one yet
	clock   wallClock
	blocked [2]bool // nothing arrives in this direction
	disk    disk
	old     *replica.Memory // a copy of the disk, for later

	// In memory, gone after a crash.
	dev     uint64
	runs    hlc.Clock // the clock as a planted bug keeps it
	link    *link
	ready   bool   // the subscription was answered
	flying  bool   // edits were sent on this connection and not answered
	sent    uint64 // number of the last operation sent on this connection, by a loose device
	denied  bool
	view    *replica.State
	journal []undoable

	// What the user saw and the shell counts, kept for the checks.
	asked int    // subscriptions so far
	since uint64 // position that the last one named
	pages int    // snapshot whose pages are being read, by a loose device
	shown map[register]hlc.Stamp
	seen  place // up to where it had the log
	looks int
}

type register struct{ entity, field string }

// The device's own records sort behind the keys of a replica.
func clockKey() []byte { return []byte{0xff, 'c'} }
func nameKey() []byte  { return []byte{0xff, 'd'} }

func parseDev(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("device: %w", err)
	}
	return n, nil
}

func number(tx replica.Tx, key []byte) uint64 {
	if b := tx.Get(key); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func setNumber(tx replica.Tx, key []byte, n uint64) error {
	return tx.Put(key, binary.BigEndian.AppendUint64(nil, n))
}

// clockIn is the device's clock as it was stored.
func (d *device) clockIn(tx replica.Tx) hlc.Clock {
	if d.w.cfg.Bug == ClockNotPersisted {
		return d.runs
	}
	return hlc.Clock{Dev: number(tx, nameKey()), Last: number(tx, clockKey())}
}

func (d *device) client(tx replica.Tx) *replica.Client {
	c, err := replica.OpenClient(tx)
	d.w.must(err)
	return c
}

func (d *device) status() replica.ClientStatus { return d.client(d.disk.begin()).Status() }

// restart starts the program on what is on disk. What the user saw must still be there (SI9, SI10), so shown stays.
func (d *device) restart() {
	if d.w.cfg.Bug == QueueLostOnCrash {
		erase(d.w, &d.disk.mem, 'q')
	}
	d.disk.restart(d.w)
	d.hangUp()
	d.denied, d.journal = false, nil
	d.dev, d.seen = number(&d.disk.mem, nameKey()), place{}
	d.runs = hlc.Clock{Dev: d.dev}
	if d.shown == nil {
		d.shown = map[register]hlc.Stamp{}
	}
	d.look()
	d.check()
}

// look reads the picture anew.
func (d *device) look() {
	v, err := d.client(d.disk.begin()).View()
	d.w.must(err)
	d.view = v
}

// update runs fn in one transaction, with the clock in it, and deals with a crash. The error is fn's or the disk's;
// running says that the program goes on, with what is on disk.
func (d *device) update(fn func(tx *transaction, clock *hlc.Clock) error, done func()) (saved, running bool, err error) {
	var clock hlc.Clock
	saved, err = d.w.update(&d.disk, func(tx *transaction) error {
		clock = d.clockIn(tx)
		was := clock
		if err := fn(tx, &clock); err != nil {
			return err
		}
		if clock == was {
			return nil
		}
		return setNumber(tx, clockKey(), clock.Last)
	}, done)
	if errors.Is(err, errCrashed) {
		d.restart()
		return saved, false, nil
	}
	if err == nil {
		d.runs = clock
	}
	return saved, err == nil, err
}

// connect makes a new connection; the old one is left as it is.
func (d *device) connect() {
	d.hangUp()
	d.link = &link{id: len(d.w.links), device: d, open: true}
	d.w.links = append(d.w.links, d.link)
	versions := []int{wire.Version}
	if d.version == newer {
		versions = append(versions, wire.Version+1)
	}
	d.ask(func(c wire.Cursor) wire.Message {
		return wire.Hello{Versions: versions, Dev: strconv.FormatUint(d.dev, 16), Boards: []wire.Cursor{c}}
	})
}

// subscribe asks again, on the connection that there is.
func (d *device) subscribe() {
	d.ask(func(c wire.Cursor) wire.Message { return wire.Subscribe{Cursor: c} })
}

func (d *device) ask(message func(wire.Cursor) wire.Message) {
	d.asked++
	s := d.status()
	d.sent, d.since, d.ready, d.flying = s.Acked, s.Seen, false, false
	c := wire.Cursor{Board: dashboard, Epoch: s.Epoch, Since: s.Seen}
	d.link.send(up, frame{bytes: d.w.encode(message(c), d.version), asks: d.asked})
	if d.version == newer && d.w.chance(4) {
		d.link.send(up, frame{bytes: unknown})
	}
}

func (d *device) hangUp() { d.link, d.sent, d.ready, d.flying = nil, 0, false, false }

// push sends what waits. A strict device sends one message and waits for the answer, as the app does; a loose one sends
// ahead. again means everything that was not acknowledged, as after a time-out.
func (d *device) push(again bool) {
	if d.link == nil || d.denied || !d.loose && (!d.ready || d.flying) {
		return
	}
	c := d.client(d.disk.begin())
	s := c.Status()
	if again || d.sent < s.Acked || !d.loose {
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
	d.sent, d.flying = ops[len(ops)-1].N, true
	m := wire.Ops{Board: dashboard, Floor: s.Acked, Ops: ops}
	switch d.w.cfg.Bug { //nolint:exhaustive // the other bugs are planted elsewhere
	case FloorTooEarly:
		m.Floor = s.LastN
	case OfferUnmarked:
		for i := range ops {
			ops[i].As = hlc.Stamp{}
		}
	}
	d.link.send(up, frame{bytes: d.w.encode(m, d.version)})
	if d.w.cfg.Bug == SentIsAcked {
		_, _, err := d.update(func(tx *transaction, _ *hlc.Clock) error {
			_, err := d.client(tx).Ack(replica.Ack{Epoch: s.Epoch, UpTo: d.sent, Seq: s.Seen})
			return err
		}, func() {})
		d.note(err)
	}
}

// note takes an error of the disk: the connection is given up, as nothing that comes can be stored.
func (d *device) note(err error) {
	if err == nil {
		return
	}
	if !errors.Is(err, errNoSpace) && !errors.Is(err, errDisk) {
		d.w.must(err)
	}
	d.hangUp()
}

// receive takes a message.
func (d *device) receive(l *link, f frame, m wire.Message) {
	switch m := m.(type) {
	case wire.Welcome:
		if l == d.link {
			d.clock.hear(d.w.now, m.Time)
		}
	case wire.Denied:
		if l == d.link {
			d.refused()
		}
	case wire.Error:
		if l == d.link {
			d.hangUp()
		}
	case wire.Unknown:
		if d.w.cfg.Bug == UnknownClosed && l == d.link {
			d.hangUp()
		}
	case wire.Ack:
		if !d.loose && !d.flying {
			return // of an earlier subscription
		}
		if l == d.link {
			d.flying = false
		}
		d.take(l, m)
	case wire.Delta:
		d.w.model.arrives(d, m.Delta)
		d.take(l, m)
	case wire.Snapshot:
		if !d.loose || d.fits(l, f, m.Snapshot) {
			d.take(l, m)
		}
	default:
		d.w.broken(17, "a device got a %s", m.Type())
	}
}

// fits reports whether a loose device can use a page: it must belong to the last subscription and to the answer whose first
// page is there, and must not be older than what a late delta of an earlier connection has brought. (One older than what was
// asked for is another matter: that server was put back.)
func (d *device) fits(l *link, f frame, p replica.Snapshot) bool {
	bug := d.w.cfg.Bug
	if l != d.link || f.answers != d.asked && bug != PagesMixed {
		return false
	}
	if s := d.status(); p.Epoch == s.Epoch && d.since <= p.Seq && p.Seq < s.Seen && bug != OldPageTaken {
		return false
	}
	if p.Page == 0 || bug == PagesMixed {
		d.pages = f.snapshot
	}
	if f.snapshot != d.pages {
		d.subscribe() // pages of two answers, which may be cut differently
		return false
	}
	return true
}

// take hands a message to the client, and its effects to the picture.
func (d *device) take(l *link, m wire.Message) {
	if d.version == older {
		m = withoutRows(m)
	}
	var ch replica.Changes
	_, running, err := d.update(func(tx *transaction, clock *hlc.Clock) (err error) {
		ch, err = d.hand(tx, clock, m)
		return err
	}, func() { d.changed(ch, m) })
	switch {
	case errors.Is(err, replica.ErrGap):
		if l == d.link {
			d.subscribe()
		}
		return
	case errors.Is(err, replica.ErrForked):
		if l == d.link {
			d.remake()
		}
		return
	case err != nil:
		d.note(err)
		return
	case !running:
		return
	}
	d.follow()
	switch m := m.(type) {
	case wire.Delta:
		d.answered(l)
	case wire.Snapshot:
		if m.Last {
			d.answered(l)
		}
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

// follow checks that a device does not go back in the log.
func (d *device) follow() {
	s := d.status()
	if now := (place{s.Epoch, s.Seen}); !d.w.cfg.Restore && !d.w.holds(10, now.epoch != d.seen.epoch || now.seq >= d.seen.seq) {
		d.w.broken(10, "device %d goes back from %d to %d", d.machine, d.seen.seq, now.seq)
	} else {
		d.seen = now
	}
}

func (d *device) answered(l *link) {
	if l == d.link {
		d.ready, d.denied = true, false
	}
}

// hand gives a message to the client, with whatever bug is planted.
func (d *device) hand(tx *transaction, clock *hlc.Clock, m wire.Message) (replica.Changes, error) {
	c, bug := d.client(tx), d.w.cfg.Bug
	if bug == NoReceiveRule {
		clock = &hlc.Clock{Dev: clock.Dev, Last: clock.Last}
	}
	switch m := m.(type) {
	case wire.Ack:
		if bug == DropAtAck {
			m.Seq = 0
		}
		ch, err := c.Ack(m.Ack)
		if bug == TrayLost && err == nil {
			err = c.DropTray()
		}
		return ch, err
	case wire.Delta:
		if bug == IgnoredGap {
			m.From = min(m.From, c.Status().Seen)
		}
		if bug == EpochIgnored {
			m.Epoch = c.Status().Epoch
		}
		return c.Delta(m.Delta, clock)
	case wire.Snapshot:
		if bug == TornSnapshot {
			m.Page, m.Last = 0, true
		}
		if s := c.Status(); bug == EpochIgnored && s.Epoch != 0 {
			m.Epoch, m.Seq = s.Epoch, max(s.Seen, m.Seq)
		}
		return c.Snapshot(m.Snapshot, clock, d.clock.wall(d.w.now))
	}
	return replica.Changes{}, nil
}

// changed forgets what was shown of registers that may go back because an edit was refused or got another stamp. m is the
// message that it came of, nil for the end of access.
func (d *device) changed(ch replica.Changes, m wire.Message) {
	for _, r := range ch.Refused {
		delete(d.shown, register{r.Op.Entity, r.Op.Field})
	}
	if ch.Restamped > 0 {
		clear(d.shown)
	}
	for r := range d.shown {
		if d.w.model.ever[r.entity] {
			delete(d.shown, r) // it goes sooner or later
		}
	}
	if d.w.cfg.Restore { // offers are refused without a word
		ack, ok := m.(wire.Ack)
		if m == nil || ok && slices.ContainsFunc(ack.Outcomes, func(o replica.Outcome) bool { return o.Verdict == replica.Rejected }) {
			clear(d.shown)
		}
	}
}

// refused is the end of access: what waits stays, or goes to the tray.
func (d *device) refused() {
	d.denied, d.ready = true, true
	if d.w.chance(2) {
		return
	}
	var ch replica.Changes
	_, running, err := d.update(func(tx *transaction, _ *hlc.Clock) (err error) {
		ch, err = d.client(tx).Refuse(replica.ReasonForbidden, "")
		return err
	}, func() { d.changed(ch, nil) })
	d.note(err)
	if running {
		d.look()
		d.check()
	}
}
