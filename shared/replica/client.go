package replica

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"widgets.pro/shared/hlc"
)

// ErrGap means that a delta or snapshot page does not join on to what the client has: it must subscribe again from its
// Status. Nothing was changed.
var ErrGap = errors.New("replica: this does not follow what was received before")

// ErrForked means that the server has operations under this device's id that this client never made: the store was copied,
// or put back to an earlier state. The caller gives the device a new incarnation (hlc.Clock.Dev) and calls Reincarnate.
// Nothing was changed.
var ErrForked = errors.New("replica: another copy of this device is at work")

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
	// Dead is the number up to which operations may be shown although what they changed was buried.
	Dead uint64 `cbor:"8,keyasint,omitempty"`
	// Alike is the number up to which operations may bear stamps that a copy of the device gave to others. Of rows that are
	// stamped alike those that were merged first show, which are not the same in a view in memory and in the stored one.
	Alike uint64 `cbor:"9,keyasint,omitempty"`
}

// queued is an operation that waits. Offer marks what this device only offers again; if that is refused and was somebody
// else's, its author need not hear of it here.
type queued struct {
	Op    Op   `cbor:"1,keyasint"`
	Offer bool `cbor:"2,keyasint,omitempty"`
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
// that the view has to be read anew with View. Refused went to the tray, Restamped got a new time, Lost were accepted but had
// no effect, since somebody's later edits had won.
type Changes struct {
	Ops       []Op
	Rebuild   bool
	Refused   []Refused
	Restamped int
	Lost      []Op
}

// OpenClient reads a client's record; an empty transaction is a new client.
func OpenClient(tx Tx) (*Client, error) {
	m, _, err := get[clientRecord](tx, []byte{keyMeta})
	if err != nil {
		return nil, err
	}
	return &Client{content{tx}, m}, nil
}

// save stores the client's record; it comes last in each change.
func (c *Client) save() error { return put(c.tx, []byte{keyMeta}, c.meta) }

// Status tells where the client stands.
func (c *Client) Status() ClientStatus {
	return ClientStatus{Epoch: c.meta.Epoch, Seen: c.meta.Seen, LastN: c.meta.LastN, Acked: c.meta.Acked, Waiting: c.meta.LastN - c.meta.Acked}
}

// Edit stamps and queues edits, all or none. wall is the time in milliseconds since 1970, corrected for the server's clock
// where that is known. The caller stores clock.Last in the same transaction.
func (c *Client) Edit(clock *hlc.Clock, wall int64, edits []Edit) ([]Op, error) {
	ready := make([]Edit, len(edits))
	for i, e := range edits {
		if err := e.compact(); err != nil {
			return nil, fmt.Errorf("edit of %s %s: %w", e.Entity, e.Field, err)
		}
		ready[i] = e
	}
	ops := make([]Op, len(edits))
	for i, e := range ready {
		ops[i] = Op{Stamp: clock.Now(wall), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows}
		if err := c.enqueue(&ops[i], false); err != nil {
			return nil, err
		}
	}
	if err := c.fold(); err != nil {
		return nil, err
	}
	return ops, c.save()
}

// Limits of the queue of a client that has never met a server.
const (
	maxAlone = 20_000 // operations that wait, so that a server hears of each
	foldBy   = 1_000  // how many are merged at once when there are more
)

// fold keeps the queue of a client that has never met a server from growing for ever: the oldest operations become content.
// The first server gets them as what they came to, since content that it does not have is offered to it.
func (c *Client) fold() error {
	if c.meta.Epoch != 0 || c.meta.LastN-c.meta.Acked < maxAlone+foldBy {
		return nil
	}
	for n := c.meta.Acked + 1; n <= c.meta.LastN-maxAlone; n++ {
		k := numberKey(keyQueue, n)
		q, ok, err := get[queued](c.tx, k)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if _, err := c.apply(&q.Op); err != nil {
			return err
		}
		if err := c.tx.Delete(k); err != nil {
			return err
		}
	}
	c.meta.Acked = c.meta.LastN - maxAlone
	return nil
}

// enqueue gives op the next number and a place at the end of the queue.
func (c *Client) enqueue(op *Op, offer bool) error {
	c.meta.LastN++
	op.N = c.meta.LastN
	if !op.As.IsZero() {
		c.meta.Alike = op.N
	}
	return put(c.tx, numberKey(keyQueue, op.N), queued{*op, offer})
}

// compact checks that the edit can be stored and removes white space outside strings, so that every replica holds the same
// bytes, whatever carried them.
func (e *Edit) compact() error {
	if strings.Contains(e.Entity, "\x00") || len(e.Entity)+len(e.Field) > maxNames {
		return errNames
	}
	if e.Kind == OpSet && e.Value == nil || e.Kind == OpRows && e.Rows == nil {
		return errEmpty
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

// maxNames bounds entity and field together, in bytes: they are part of a key.
const maxNames = 1 << 10

var (
	errNames = errors.New("the entity's or field's name cannot be stored")
	errEmpty = errors.New("there is no value")
)

func squeeze(raw json.RawMessage) (json.RawMessage, error) {
	if raw == nil {
		return nil, nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return b.Bytes(), nil
}

// Pending returns operations that the server has not judged yet, numbered above n, in order and without holes: at most
// maxOps, and about maxBytes, but at least one if there is one.
func (c *Client) Pending(n uint64, maxOps, maxBytes int) ([]Op, error) {
	var ops []Op
	size := 0
	err := eachFrom(c.tx, numberKey(keyQueue, max(n, c.meta.Acked)+1), []byte{keyQueue + 1}, func(_ []byte, q queued) error {
		size += q.Op.Size()
		if len(ops) > 0 && (size > maxBytes || len(ops) >= maxOps) {
			return errEnough
		}
		ops = append(ops, q.Op)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return ops, nil
}

// errEnough ends a walk over records early.
var errEnough = errors.New("enough")

// View is the dashboard as its user sees it: what was confirmed, overlaid by what waits.
func (c *Client) View() (*State, error) {
	s, err := c.load()
	if err != nil {
		return nil, err
	}
	return s, c.overlay(s)
}

// overlay merges what waits into s.
func (c *Client) overlay(s *State) error {
	return each(c.tx, []byte{keyQueue}, func(_ []byte, q queued) error {
		s.Apply(q.Op)
		return nil
	})
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

// DropTray forgets the refused operations of the given numbers, or all if none is given.
func (c *Client) DropTray(n ...uint64) error {
	if len(n) == 0 {
		return erase(c.tx, keyTray)
	}
	for _, n := range n {
		if err := c.tx.Delete(numberKey(keyTray, n)); err != nil {
			return err
		}
	}
	return nil
}

// Refuse moves every waiting operation to the tray: the server no longer lets this account near the dashboard.
func (c *Client) Refuse(reason Reason, detail string) (Changes, error) {
	var ch Changes
	for n := c.meta.Acked + 1; n <= c.meta.LastN; n++ {
		if err := c.outcome(Outcome{N: n, Verdict: Rejected, Reason: reason, Detail: detail}, &moves{}, &ch); err != nil {
			return ch, err
		}
	}
	c.meta.Acked = c.meta.LastN
	return ch, c.save()
}

// Reincarnate makes what waits into operations of a new incarnation of the device, which clock already bears. They keep
// their place in the order of edits, so it does no harm if the old incarnation sends them too. The caller stores
// clock.Last in the same transaction.
func (c *Client) Reincarnate(clock *hlc.Clock, wall int64) error {
	for n := c.meta.Acked + 1; n <= c.meta.LastN; n++ {
		k := numberKey(keyQueue, n)
		q, ok, err := get[queued](c.tx, k)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		q.Op.As, q.Op.Stamp = q.Op.At(), clock.Now(wall)
		if err := put(c.tx, k, q); err != nil {
			return err
		}
	}
	c.meta.Alike = c.meta.LastN
	return c.save()
}

// listedQueue is queued as it is read for a list of changes.
type listedQueue struct {
	Op listedOp `cbor:"1,keyasint"`
}

// Unsent lists what waits, the newest first, as a history of the device's own: operations numbered below before (0: all), those
// of entity if it is not empty, at most limit. Seq is the operation's number, At the time of its stamp. next is what to pass
// as before to go on, 0 at the end.
func (c *Client) Unsent(before uint64, entity string, limit int) (past []Past, next uint64, err error) {
	n := c.meta.LastN
	if before > 0 {
		n = min(n, before-1)
	}
	for ; n > c.meta.Acked; n-- {
		if len(past) >= limit {
			return past, n + 1, nil
		}
		q, ok, err := get[listedQueue](c.tx, numberKey(keyQueue, n))
		if err != nil {
			return nil, 0, err
		}
		if ok && (entity == "" || q.Op.Entity == entity) {
			past = append(past, listing(Past{Entry: Entry{Seq: n, At: q.Op.At().Millis()}}, q.Op))
		}
	}
	return past, 0, nil
}

// ViewAt is the view as it was when the operation numbered n had been made here: what was confirmed, overlaid by what waits
// up to there. ok is false if that operation does not wait.
func (c *Client) ViewAt(n uint64) (s *State, ok bool, err error) {
	if n <= c.meta.Acked || n > c.meta.LastN {
		return nil, false, nil
	}
	if s, err = c.load(); err != nil {
		return nil, false, err
	}
	err = eachFrom(c.tx, []byte{keyQueue}, numberKey(keyQueue, n+1), func(_ []byte, q queued) error {
		s.Apply(q.Op)
		return nil
	})
	return s, true, err
}
