package replica

import (
	"bytes"

	"widgets.pro/shared/hlc"
)

// Ack takes the server's verdicts. Refused operations leave the queue for the tray; the others leave it once their effect
// has arrived as a delta, so that the view never goes back in between. ErrGap if the answer is from another epoch,
// ErrForked if it is about operations that were never made here.
func (c *Client) Ack(a Ack) (Changes, error) {
	var ch Changes
	switch {
	case a.Epoch != c.meta.Epoch:
		return ch, ErrGap
	case a.UpTo > c.meta.LastN:
		return ch, ErrForked
	case a.UpTo < c.meta.Acked:
		return ch, nil // late; a newer one was here before
	}
	var moved moves
	for _, o := range a.Outcomes {
		if o.N <= c.meta.Acked || o.N > a.UpTo {
			continue
		}
		if err := c.outcome(o, &moved, &ch); err != nil {
			return ch, err
		}
	}
	if err := c.follow(moved); err != nil {
		return ch, err
	}
	if a.UpTo > c.meta.Acked {
		c.meta.Acked, c.meta.AckSeq = a.UpTo, max(a.Seq, c.meta.AckSeq)
	}
	if err := c.settle(&ch); err != nil {
		return ch, err
	}
	return ch, c.save()
}

func (c *Client) outcome(o Outcome, moved *moves, ch *Changes) error {
	k := numberKey(keyQueue, o.N)
	q, ok, err := get[queued](c.tx, k)
	if err != nil || !ok {
		return err
	}
	switch o.Verdict {
	case Rejected:
		ch.Rebuild = true
		if !q.Offer || q.Op.As.Dev == q.Op.Stamp.Dev {
			moved.change(&q.Op)
			r := Refused{Op: q.Op, Outcome: o}
			ch.Refused = append(ch.Refused, r)
			if err := put(c.tx, numberKey(keyTray, o.N), r); err != nil {
				return err
			}
		}
		return c.tx.Delete(k)
	case Restamped:
		return c.restamp(q, o.Stamp, moved, ch)
	case Superseded:
		missed, err := c.missed(&q)
		if err != nil {
			return err
		}
		if missed {
			ch.Lost = append(ch.Lost, q.Op)
		}
	case Applied:
	}
	return nil
}

// missed reports whether an operation that was accepted without effect is one that the hub keeps as lost: its author wrote
// something else than what is there.
func (c *Client) missed(q *queued) (bool, error) {
	switch op := &q.Op; {
	case q.Offer:
		return false, nil
	case op.Kind == OpRows:
		return op.Rows.Replace, nil
	default:
		now, ok, err := get[register](c.tx, key(keyRegister, op.Entity, op.Field))
		return !ok || !bytes.Equal(now.Value, op.Value), err
	}
}

// restamp gives an operation that waits the stamp that the server gave it. Its rows have other keys from then on, so trims
// that wait behind it have to follow.
func (c *Client) restamp(q queued, stamp hlc.Stamp, moved *moves, ch *Changes) error {
	was := q.Op.At()
	if was == stamp {
		return nil
	}
	if q.Op.Kind == OpRows {
		moved.add(was, stamp, q.Op.N)
	}
	q.Op.Stamp, q.Op.As = stamp, hlc.Stamp{}
	ch.Restamped++
	ch.Rebuild = true
	return put(c.tx, numberKey(keyQueue, q.Op.N), q)
}

// moves are the stamps that a message from the server gave rows in place of their own. What follows from all of them is done
// in one walk of the queue, which may be long.
type moves struct {
	to    map[hlc.Stamp]hlc.Stamp
	first uint64 // number of the first operation whose rows moved
}

func (m *moves) add(from, to hlc.Stamp, n uint64) {
	if m.to == nil {
		m.to, m.first = map[hlc.Stamp]hlc.Stamp{}, n
	}
	m.to[from], m.first = to, min(m.first, n)
}

// change makes a trim of rows that moved mean the same rows, and reports whether op is one.
func (m *moves) change(op *Op) bool {
	if op.Rows == nil || op.Rows.DropTo == nil {
		return false
	}
	to, ok := m.to[op.Rows.DropTo.Stamp]
	if ok {
		op.Rows.DropTo.Stamp = to
	}
	return ok
}

// follow changes the trims that wait.
func (c *Client) follow(moved moves) error {
	if moved.to == nil {
		return nil
	}
	var trims []queued
	if err := eachFrom(c.tx, numberKey(keyQueue, moved.first+1), []byte{keyQueue + 1}, func(_ []byte, q queued) error {
		if moved.change(&q.Op) {
			trims = append(trims, q)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, t := range trims {
		if err := put(c.tx, numberKey(keyQueue, t.Op.N), t); err != nil {
			return err
		}
	}
	return nil
}

// settle drops what was judged and has been seen. If something was buried or stamped alike, that may change the view.
func (c *Client) settle(ch *Changes) error {
	if c.meta.Seen < c.meta.AckSeq {
		return nil
	}
	n, err := remove(c.tx, []byte{keyQueue}, numberKey(keyQueue, c.meta.Acked+1))
	if n > 0 && c.meta.Dead+c.meta.Alike > 0 {
		ch.Rebuild = true
		if c.meta.Acked >= c.meta.Dead {
			c.meta.Dead = 0
		}
	}
	if c.meta.Acked >= c.meta.Alike {
		c.meta.Alike = 0
	}
	return err
}

// Delta takes log entries and notes their stamps in clock, whose Last the caller stores in the same transaction. Entries
// that the client has seen are passed over; ErrGap means that some are missing in between.
func (c *Client) Delta(d Delta, clock *hlc.Clock) (Changes, error) {
	var ch Changes
	if d.Epoch != c.meta.Epoch || d.From > c.meta.Seen {
		return ch, ErrGap
	}
	if d.To <= c.meta.Seen {
		return ch, nil
	}
	for i := range d.Entries {
		if op := &d.Entries[i].Op; op.Stamp.Dev == clock.Dev && d.Entries[i].Seq > c.meta.Seen {
			if foreign, err := c.foreign(op); err != nil {
				return ch, err
			} else if foreign {
				return ch, ErrForked
			}
		}
	}
	var moved moves
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Seq <= c.meta.Seen {
			continue
		}
		if err := c.entry(&e.Op, clock, &moved, &ch); err != nil {
			return ch, err
		}
	}
	if err := c.follow(moved); err != nil {
		return ch, err
	}
	c.meta.Seen = d.To
	if err := c.settle(&ch); err != nil {
		return ch, err
	}
	return ch, c.save()
}

func (c *Client) entry(op *Op, clock *hlc.Clock, moved *moves, ch *Changes) error {
	clock.Receive(op.Stamp)
	clock.Receive(op.As)
	if op.Stamp.Dev == clock.Dev && op.N > c.meta.Acked {
		// The effect of an own operation may arrive before the verdict. If it got another stamp, what waits must not be
		// shown beside it.
		q, ok, err := get[queued](c.tx, numberKey(keyQueue, op.N))
		if err != nil {
			return err
		}
		if ok {
			if err := c.restamp(q, op.At(), moved, ch); err != nil {
				return err
			}
		}
	}
	if _, err := c.apply(op); err != nil {
		return err
	}
	ch.Ops = append(ch.Ops, *op)
	switch op.Kind {
	case OpBury:
		// What waits for the entity is shown until it is judged.
		ch.Rebuild, c.meta.Dead = true, c.meta.LastN
	case OpRows:
		if op.At().Dev == clock.Dev && op.Stamp.Dev != clock.Dev {
			c.meta.Alike = c.meta.LastN // a copy's, perhaps
		}
		ch.Rebuild = ch.Rebuild || c.meta.Alike > 0
	case OpSet:
	}
	return nil
}
