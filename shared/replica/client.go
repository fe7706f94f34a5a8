package replica

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"widgets.pro/shared/hlc"
)

// ErrGap means that a delta or snapshot page does not join on to what the client has: it must subscribe again from its
// Status. Nothing was changed.
var ErrGap = errors.New("replica: this does not follow what was received before")

// Client is a device's side of one dashboard, as records of a transaction: what the server confirmed, the queue of
// operations that wait for it, and the tray of those it refused. A Client lives as long as its transaction.
type Client struct {
	content
	meta clientRecord
}

type clientRecord struct {
	Epoch  uint64 `cbor:"1,keyasint"`
	Seen   uint64 `cbor:"2,keyasint"` // position in the server's log
	LastN  uint64 `cbor:"3,keyasint"` // number of the newest operation made here
	Acked  uint64 `cbor:"4,keyasint"` // judged up to here
	AckSeq uint64 `cbor:"5,keyasint"` // operations up to Acked may go once Seen has reached this
	Pages  int    `cbor:"6,keyasint"` // pages of a snapshot received so far
	PageOf Cursor `cbor:"7,keyasint"` // the snapshot they belong to
	Fresh  bool   `cbor:"8,keyasint"` // no operation was judged in this epoch yet
}

// Cursor is a place in a dashboard's log on the server.
type Cursor struct {
	Epoch uint64 `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint"`
}

// ClientStatus tells where a client stands.
type ClientStatus struct {
	Epoch, Seen uint64 // to subscribe from
	LastN       uint64 // newest operation made here
	Acked       uint64 // judged by the server up to here; also the floor to send along
	Waiting     uint64 // operations not judged yet
}

// Refused is an operation in the tray, with the server's verdict.
type Refused struct {
	Op      Op      `cbor:"1,keyasint"`
	Outcome Outcome `cbor:"2,keyasint"`
}

// Changes tells what a message from the server changed. Ops are to be applied to the view in memory, unless Rebuild says
// that the view has to be read anew with View. Refused went to the tray, Restamped got a new time.
type Changes struct {
	Ops       []Op
	Rebuild   bool
	Refused   []Refused
	Restamped int
}

// OpenClient reads a client's record; an empty transaction is a new client.
func OpenClient(tx Tx) (*Client, error) {
	m, _, err := get[clientRecord](tx, []byte{keyMeta})
	if err != nil {
		return nil, err
	}
	return &Client{content{tx}, m}, nil
}

func (c *Client) save() error { return put(c.tx, []byte{keyMeta}, c.meta) }

// Status tells where the client stands.
func (c *Client) Status() ClientStatus {
	return ClientStatus{Epoch: c.meta.Epoch, Seen: c.meta.Seen, LastN: c.meta.LastN, Acked: c.meta.Acked, Waiting: c.meta.LastN - c.meta.Acked}
}

// Edit stamps and queues edits. wall is the time in milliseconds since 1970, corrected for the server's clock where that
// is known. The caller stores clock.Last in the same transaction.
func (c *Client) Edit(clock *hlc.Clock, wall int64, edits []Edit) ([]Op, error) {
	ops := make([]Op, len(edits))
	for i, e := range edits {
		if err := e.compact(); err != nil {
			return nil, err
		}
		c.meta.LastN++
		ops[i] = Op{N: c.meta.LastN, Stamp: clock.Now(wall), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows}
		if err := put(c.tx, numberKey(keyQueue, ops[i].N), ops[i]); err != nil {
			return nil, err
		}
	}
	return ops, c.save()
}

// compact removes white space outside strings, so that every replica holds the same bytes, whatever carried them.
func (e *Edit) compact() error {
	squeeze := func(raw json.RawMessage) (json.RawMessage, error) {
		if raw == nil {
			return nil, nil //nolint:nilnil // no value stays no value
		}
		var b bytes.Buffer
		err := json.Compact(&b, raw)
		return b.Bytes(), err
	}
	var err error
	if e.Value, err = squeeze(e.Value); err != nil || e.Rows == nil {
		return err
	}
	rc := *e.Rows
	if rc.Columns, err = squeeze(rc.Columns); err != nil {
		return err
	}
	rc.Rows = make([]json.RawMessage, len(e.Rows.Rows))
	for i, r := range e.Rows.Rows {
		if rc.Rows[i], err = squeeze(r); err != nil {
			return err
		}
	}
	e.Rows = &rc
	return nil
}

// Pending returns operations that the server has not judged yet, numbered above n, in order: at most maxOps, and about
// maxBytes, but at least one if there is one.
func (c *Client) Pending(n uint64, maxOps, maxBytes int) ([]Op, error) {
	var ops []Op
	size := 0
	done := errors.New("enough")
	err := eachFrom(c.tx, numberKey(keyQueue, max(n, c.meta.Acked)+1), []byte{keyQueue + 1}, func(_ []byte, op Op) error {
		size += op.Size()
		if len(ops) > 0 && (size > maxBytes || len(ops) >= maxOps) {
			return done
		}
		ops = append(ops, op)
		return nil
	})
	if err != nil && !errors.Is(err, done) {
		return nil, err
	}
	return ops, nil
}

// Size is about the number of bytes of the operation in JSON.
func (o *Op) Size() int {
	n := 96 + len(o.Entity) + len(o.Field) + len(o.Value)
	if o.Rows != nil {
		n += 64 + len(o.Rows.Columns)
		for _, r := range o.Rows.Rows {
			n += len(r) + 1
		}
	}
	return n
}

// Ack takes the server's verdicts. Refused operations leave the queue for the tray; the others leave it once their effect
// has arrived as a delta, so that the view never goes back in between.
func (c *Client) Ack(a Ack) (Changes, error) {
	var ch Changes
	if a.Epoch != c.meta.Epoch {
		return ch, ErrGap
	}
	if c.meta.Fresh {
		c.meta.Fresh = false
		if a.UpTo < c.meta.Acked || a.UpTo > c.meta.LastN {
			// The server was restored from a copy and forgot what it had judged, or it knows operations of this device that
			// the device has forgotten: what waits is numbered on from where the server stands, and sent again.
			if err := c.renumber(a.UpTo); err != nil {
				return ch, err
			}
			return ch, c.save()
		}
	}
	if a.UpTo > c.meta.LastN {
		return ch, fmt.Errorf("replica: the server judged operation %d, but only %d were made", a.UpTo, c.meta.LastN)
	}
	if a.UpTo < c.meta.Acked {
		return ch, nil // late; a newer one was here before
	}
	for _, o := range a.Outcomes {
		if o.N <= c.meta.Acked || o.N > a.UpTo {
			continue
		}
		if err := c.outcome(o, &ch); err != nil {
			return ch, err
		}
	}
	if a.UpTo > c.meta.Acked {
		c.meta.Acked, c.meta.AckSeq = a.UpTo, max(a.Seq, c.meta.AckSeq)
	}
	if err := c.settle(); err != nil {
		return ch, err
	}
	return ch, c.save()
}

func (c *Client) outcome(o Outcome, ch *Changes) error {
	k := numberKey(keyQueue, o.N)
	op, ok, err := get[Op](c.tx, k)
	if err != nil || !ok {
		return err
	}
	switch o.Verdict {
	case Rejected:
		r := Refused{Op: op, Outcome: o}
		ch.Refused, ch.Rebuild = append(ch.Refused, r), true
		if err := put(c.tx, numberKey(keyTray, o.N), r); err != nil {
			return err
		}
		return c.tx.Delete(k)
	case Restamped:
		op.Stamp = o.Stamp
		ch.Restamped++
		ch.Rebuild = true
		return put(c.tx, k, op)
	case Applied, Superseded:
	}
	return nil
}

// settle drops what was judged and has been seen.
func (c *Client) settle() error {
	if c.meta.Seen < c.meta.AckSeq {
		return nil
	}
	var gone [][]byte
	if err := c.tx.Scan([]byte{keyQueue}, numberKey(keyQueue, c.meta.Acked+1), func(k, _ []byte) bool {
		gone = append(gone, bytes.Clone(k))
		return true
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := c.tx.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Delta takes log entries. Those that the client has seen are passed over; ErrGap means that some are missing in between.
func (c *Client) Delta(d Delta, clock *hlc.Clock) (Changes, error) {
	var ch Changes
	if d.Epoch != c.meta.Epoch || d.From > c.meta.Seen {
		return ch, ErrGap
	}
	if d.To <= c.meta.Seen {
		return ch, nil
	}
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Seq <= c.meta.Seen {
			continue
		}
		clock.Receive(e.Op.Stamp)
		if _, err := c.apply(&e.Op); err != nil {
			return ch, err
		}
		ch.Ops = append(ch.Ops, e.Op)
	}
	c.meta.Seen = d.To
	if err := c.settle(); err != nil {
		return ch, err
	}
	return ch, c.save()
}

// Snapshot takes one page. Pages are kept aside until the last one has come, and then replace what was confirmed in one
// step. After a change of epoch (the server was restored from a copy) whatever the client holds that is newer than the
// snapshot is offered again as new edits.
func (c *Client) Snapshot(p Snapshot, clock *hlc.Clock, wall int64) (Changes, error) {
	var ch Changes
	of := Cursor{p.Epoch, p.Seq}
	if p.Page == 0 {
		if err := clear(c.tx, keyPage); err != nil {
			return ch, err
		}
		c.meta.Pages, c.meta.PageOf = 0, of
	}
	if p.Page != c.meta.Pages || of != c.meta.PageOf {
		return ch, ErrGap
	}
	if p.Epoch == c.meta.Epoch && p.Seq < c.meta.Seen {
		return ch, nil // older than what the client has
	}
	if err := put(c.tx, numberKey(keyPage, uint64(p.Page)), p); err != nil { //nolint:gosec // counted from 0
		return ch, err
	}
	c.meta.Pages++
	if !p.Last {
		return ch, c.save()
	}
	ch.Rebuild = true
	if err := c.adopt(of, clock, wall); err != nil {
		return ch, err
	}
	return ch, c.save()
}

func (c *Client) adopt(of Cursor, clock *hlc.Clock, wall int64) error {
	var before *State
	if c.meta.Epoch != 0 && c.meta.Epoch != of.Epoch {
		var err error
		if before, err = c.load(); err != nil {
			return err
		}
	}
	if err := c.restore(c.pages); err != nil {
		return err
	}
	if err := clear(c.tx, keyPage); err != nil {
		return err
	}
	now, err := c.load()
	if err != nil {
		return err
	}
	clock.Receive(now.max)
	newEpoch := c.meta.Epoch != of.Epoch
	c.meta.Epoch, c.meta.Seen, c.meta.Pages, c.meta.PageOf = of.Epoch, of.Seq, 0, Cursor{}
	if newEpoch {
		c.meta.Fresh, c.meta.AckSeq = true, 0
	}
	if before != nil {
		if _, err := c.Edit(clock, wall, newer(before, now)); err != nil {
			return err
		}
	}
	return c.settle()
}

func (c *Client) pages(fn func(Snapshot) error) error {
	return each(c.tx, []byte{keyPage}, func(_ []byte, p Snapshot) error { return fn(p) })
}

// newer lists, as edits, the registers and rows of a that b lacks or holds with an earlier stamp.
func newer(a, b *State) []Edit {
	var edits []Edit
	for _, e := range a.Entities() {
		for _, f := range a.Fields(e) {
			v, s, _ := a.Register(e, f)
			if _, have, ok := b.Register(e, f); !ok || have.Less(s) {
				edits = append(edits, Edit{Kind: OpSet, Entity: e, Field: f, Value: v})
			}
		}
		ours, theirs := a.Rows(e), b.Rows(e)
		if ours == nil {
			continue
		}
		if theirs == nil {
			theirs = &Rows{}
		}
		replaced := theirs.Stamp.Less(ours.Stamp)
		if replaced {
			edits = append(edits, Edit{Kind: OpRows, Entity: e, Rows: &RowChange{Replace: true, Columns: ours.Columns}})
		}
		have := map[hlc.Stamp]bool{}
		for _, s := range theirs.segments {
			have[s.Stamp] = true
		}
		for _, s := range ours.segments {
			if replaced || !have[s.Stamp] {
				edits = append(edits, Edit{Kind: OpRows, Entity: e, Rows: &RowChange{Rows: s.Rows}})
			}
		}
	}
	return edits
}

// renumber makes the queue follow on to upTo, the last operation that the server knows of this device.
func (c *Client) renumber(upTo uint64) error {
	var ops []Op
	if err := each(c.tx, []byte{keyQueue}, func(_ []byte, op Op) error {
		ops = append(ops, op)
		return nil
	}); err != nil {
		return err
	}
	if err := clear(c.tx, keyQueue); err != nil {
		return err
	}
	c.meta.Acked, c.meta.LastN = upTo, upTo
	for _, op := range ops {
		c.meta.LastN++
		op.N = c.meta.LastN
		if err := put(c.tx, numberKey(keyQueue, op.N), op); err != nil {
			return err
		}
	}
	return nil
}

// View is the dashboard as its user sees it: what was confirmed, overlaid by what waits.
func (c *Client) View() (*State, error) {
	s, err := c.load()
	if err != nil {
		return nil, err
	}
	err = each(c.tx, []byte{keyQueue}, func(_ []byte, op Op) error {
		s.Apply(op)
		return nil
	})
	return s, err
}

// Confirmed is the dashboard as the server last told it.
func (c *Client) Confirmed() (*State, error) { return c.load() }

// Tray lists the refused operations, oldest first.
func (c *Client) Tray() ([]Refused, error) {
	var tray []Refused
	err := each(c.tx, []byte{keyTray}, func(_ []byte, r Refused) error {
		tray = append(tray, r)
		return nil
	})
	return tray, err
}

// DropTray forgets the refused operations.
func (c *Client) DropTray() error { return clear(c.tx, keyTray) }

// Refuse moves every waiting operation to the tray: the server no longer lets this account near the dashboard.
func (c *Client) Refuse(reason Reason, detail string) (Changes, error) {
	ops, err := c.Pending(0, int(^uint(0)>>1), int(^uint(0)>>1))
	if err != nil {
		return Changes{}, err
	}
	ch := Changes{Rebuild: len(ops) > 0}
	for _, op := range ops {
		if err := c.outcome(Outcome{N: op.N, Verdict: Rejected, Reason: reason, Detail: detail}, &ch); err != nil {
			return ch, err
		}
	}
	c.meta.Acked = c.meta.LastN
	return ch, c.save()
}
