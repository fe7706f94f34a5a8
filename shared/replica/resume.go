package replica

import "widgets.pro/shared/hlc"

// Snapshot takes one page. Pages are kept aside until the last one has come, and then replace what was confirmed in one
// step; ErrGap means that a page is missing and everything has to be sent again. If the server does not know what this
// client had seen (its epoch changed, or its log is shorter: it was restored from a copy), whatever the client holds that
// beats the snapshot is offered again under its old stamps. The caller stores clock.Last in the same transaction.
func (c *Client) Snapshot(p Snapshot, clock *hlc.Clock, wall int64) (Changes, error) {
	var ch Changes
	of := Cursor{p.Epoch, p.Seq}
	if p.Page == 0 {
		if err := erase(c.tx, keyPage); err != nil {
			return ch, err
		}
		c.meta.Pages, c.meta.PageOf = 0, of
	}
	if p.Page != c.meta.Pages || of != c.meta.PageOf {
		return ch, ErrGap
	}
	if err := put(c.tx, numberKey(keyPage, uint64(p.Page)), p); err != nil { //nolint:gosec // counted from 0
		return ch, err
	}
	c.meta.Pages++
	if !p.Last {
		return ch, c.save()
	}
	ch.Rebuild = true
	if err := c.adopt(of, clock, wall, &ch); err != nil {
		return ch, err
	}
	return ch, c.save()
}

// adopt makes the pages that were kept aside the confirmed state.
func (c *Client) adopt(of Cursor, clock *hlc.Clock, wall int64, ch *Changes) error {
	forgotten := of.Epoch != c.meta.Epoch && of.Epoch != Projected(c.meta.Epoch) || of.Seq < c.meta.Seen
	var before *State
	if forgotten {
		var err error
		if before, err = c.load(); err != nil {
			return err
		}
	}
	if err := c.restore(c.pages); err != nil {
		return err
	}
	if err := erase(c.tx, keyPage); err != nil {
		return err
	}
	now, err := c.load()
	if err != nil {
		return err
	}
	clock.Receive(now.max)
	c.meta.Epoch, c.meta.Seen, c.meta.Pages, c.meta.PageOf = of.Epoch, of.Seq, 0, Cursor{}
	if forgotten {
		if err := c.offer(before, now, clock, wall, ch); err != nil {
			return err
		}
	}
	if err := c.settle(ch); err != nil {
		return err
	}
	c.meta.Dead = c.meta.LastN // the snapshot may lack what was buried after it had been accepted
	return each(c.tx, []byte{keyQueue}, func(_ []byte, q queued) error {
		if r := now.rows[q.Op.Entity]; r != nil && q.Op.Rows != nil {
			if _, there := r.segment(q.Op.At()); there {
				c.meta.Alike = max(c.meta.Alike, q.Op.N)
			}
		}
		return nil
	})
}

// pages reads the pages that were kept aside, one by one: fn writes, which it must not do during a Scan.
func (c *Client) pages(fn func(Snapshot) error) error {
	for i := range c.meta.Pages {
		p, ok, err := get[Snapshot](c.tx, numberKey(keyPage, uint64(i)))
		if err != nil {
			return err
		}
		if !ok {
			return ErrGap
		}
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

// offer queues again, under their old stamps, operations that the server had judged but may have forgotten, and what the
// client held as confirmed that beats what the server has now.
func (c *Client) offer(before, now *State, clock *hlc.Clock, wall int64, ch *Changes) error {
	var again []queued
	if err := eachFrom(c.tx, []byte{keyQueue}, numberKey(keyQueue, c.meta.Acked+1), func(_ []byte, q queued) error {
		again = append(again, q)
		return nil
	}); err != nil {
		return err
	}
	c.meta.AckSeq = 0
	if err := c.settle(ch); err != nil {
		return err
	}
	have := now.Clone()
	if err := c.overlay(have); err != nil {
		return err
	}
	for i := range again {
		again[i].Op.As = again[i].Op.At()
		have.Apply(again[i].Op)
	}
	for _, op := range newer(before, have) {
		again = append(again, queued{op, true})
	}
	for i := range again {
		again[i].Op.Stamp = clock.Now(wall)
		if err := c.enqueue(&again[i].Op, again[i].Offer); err != nil {
			return err
		}
	}
	return nil
}

// newer lists, as operations that still need number and stamp, what a holds and b lacks or holds with an earlier stamp.
func newer(a, b *State) []Op {
	var ops []Op
	for _, e := range a.Entities() {
		for _, f := range a.Fields(e) {
			ours := a.registers[e][f]
			if theirs, ok := b.registers[e][f]; !ok || ours.beats(theirs) {
				ops = append(ops, Op{Kind: OpSet, Entity: e, Field: f, Value: ours.Value, As: ours.Stamp})
			}
		}
		if ours := a.Rows(e); ours != nil {
			theirs := b.Rows(e)
			if theirs == nil {
				theirs = &Rows{}
			}
			for _, op := range newerRows(ours, theirs) {
				op.Kind, op.Entity = OpRows, e
				ops = append(ops, op)
			}
		}
	}
	return ops
}

func newerRows(ours, theirs *Rows) []Op {
	var ops []Op
	floor := theirs.Floor
	if (register{ours.Columns, ours.Stamp}).beats(register{theirs.Columns, theirs.Stamp}) {
		ops = append(ops, Op{As: ours.Stamp, Rows: &RowChange{Replace: true, Columns: ours.Columns}})
		floor = laterKey(floor, RowKey{Stamp: ours.Stamp})
	}
	if floor.Compare(ours.Floor) < 0 {
		// Without As: a trim merges by its floor alone, and must come after the rows it removes.
		drop := ours.Floor
		ops = append(ops, Op{Rows: &RowChange{DropTo: &drop}})
	}
	for _, s := range ours.segments {
		if t, ok := theirs.segment(s.Stamp); !ok || s.First < t.First {
			ops = append(ops, Op{As: s.Stamp, Rows: &RowChange{Rows: s.Rows, First: s.First}})
		}
	}
	return ops
}
