package replica

import (
	"encoding/json"
	"iter"
	"slices"
	"sort"

	"widgets.pro/shared/hlc"
)

// Rows is one entity's row log in memory: a header, and rows in key order. It is a join of three things that only grow:
// the floor, below which rows are gone; the set of rows; and the header with the stamp of the replace that set it. Of the
// rows above the floor the MaxRows greatest keys are kept.
type Rows struct {
	Columns json.RawMessage
	Stamp   hlc.Stamp // of the replace that set Columns
	Floor   RowKey

	segments []Segment // by key, without overlap
	count    int
}

// Len is the number of rows.
func (r *Rows) Len() int { return r.count }

// All yields the rows in key order.
func (r *Rows) All() iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for _, s := range r.segments {
			for _, row := range s.Rows {
				if !yield(row) {
					return
				}
			}
		}
	}
}

// Key returns the key of row i, 0 <= i < Len.
func (r *Rows) Key(i int) RowKey {
	for _, s := range r.segments {
		if i < len(s.Rows) {
			return RowKey{Stamp: s.Stamp, Index: s.First + i}
		}
		i -= len(s.Rows)
	}
	return RowKey{}
}

// Log is the row log in its wire form.
func (r *Rows) Log(entity string) RowLog {
	return RowLog{Entity: entity, Columns: r.Columns, Stamp: r.Stamp, Floor: r.Floor, Segments: slices.Clone(r.segments)}
}

// segment is what is there of the rows of one operation.
func (r *Rows) segment(stamp hlc.Stamp) (Segment, bool) {
	i, ok := slices.BinarySearchFunc(r.segments, stamp, func(s Segment, stamp hlc.Stamp) int { return s.Stamp.Compare(stamp) })
	if !ok {
		return Segment{}, false
	}
	return r.segments[i], true
}

func (r *Rows) clone() *Rows {
	c := *r
	c.segments = slices.Clone(r.segments)
	return &c
}

// apply merges what op does and says what changed.
func (r *Rows) apply(stamp hlc.Stamp, c *RowChange) Change {
	var ch Change
	if c.Replace && r.head(c.Columns, stamp) {
		ch.Won, ch.Reshaped = true, true
	}
	if r.raise(c.floor(stamp)) {
		ch.Won, ch.Reshaped = true, true
	}
	if added, atEnd := r.insert(Segment{Stamp: stamp, First: c.First, Rows: c.Rows}); added > 0 {
		ch.Won = true
		if atEnd {
			ch.Appended = added
		} else {
			ch.Reshaped = true
		}
	}
	if r.trim() > 0 {
		ch.Reshaped = true
	}
	if ch.Reshaped {
		ch.Appended = 0
	}
	return ch
}

// head takes a header if it is the later one.
func (r *Rows) head(columns json.RawMessage, stamp hlc.Stamp) bool {
	if !(register{columns, stamp}).beats(register{r.Columns, r.Stamp}) {
		return false
	}
	r.Columns, r.Stamp = columns, stamp
	return true
}

// merge joins o into r.
func (r *Rows) merge(o *Rows) {
	r.head(o.Columns, o.Stamp)
	r.raise(o.Floor)
	for _, s := range o.segments {
		r.insert(s)
	}
	r.trim()
}

// raise lifts the floor and drops what is now below it.
func (r *Rows) raise(floor RowKey) bool {
	if r.Floor.Compare(floor) >= 0 {
		return false
	}
	r.Floor = floor
	keep := r.segments[:0:0]
	for _, s := range r.segments {
		if s = above(s, floor); len(s.Rows) > 0 {
			keep = append(keep, s)
		}
	}
	r.segments = keep
	r.recount()
	return true
}

// above cuts off the rows of s that lie below floor.
func above(s Segment, floor RowKey) Segment {
	switch c := s.Stamp.Compare(floor.Stamp); {
	case c > 0:
		return s
	case c < 0:
		return Segment{}
	}
	cut := max(0, min(len(s.Rows), floor.Index-s.First))
	return Segment{Stamp: s.Stamp, First: s.First + cut, Rows: s.Rows[cut:]}
}

// insert adds the rows of s that are above the floor and not there yet. A segment of one stamp is always a suffix of the
// operation's rows, so of two the one that starts earlier holds the other.
func (r *Rows) insert(s Segment) (added int, atEnd bool) {
	if s = above(s, r.Floor); len(s.Rows) == 0 {
		return 0, false
	}
	i := sort.Search(len(r.segments), func(i int) bool { return !r.segments[i].Stamp.Less(s.Stamp) })
	if i < len(r.segments) && r.segments[i].Stamp == s.Stamp {
		have := r.segments[i]
		if s.First >= have.First {
			return 0, false
		}
		r.segments[i] = s
		r.count += len(s.Rows) - len(have.Rows)
		return len(s.Rows) - len(have.Rows), false
	}
	r.segments = slices.Insert(r.segments, i, s)
	r.count += len(s.Rows)
	return len(s.Rows), i == len(r.segments)-1
}

// trim drops the smallest keys beyond MaxRows and returns how many.
func (r *Rows) trim() int {
	over := r.count - MaxRows
	for n := over; n > 0; {
		s := r.segments[0]
		if len(s.Rows) <= n {
			n -= len(s.Rows)
			r.segments = r.segments[1:]
			continue
		}
		r.segments[0] = Segment{Stamp: s.Stamp, First: s.First + n, Rows: s.Rows[n:]}
		n = 0
	}
	if over > 0 {
		r.count = MaxRows
	}
	return max(over, 0)
}

func (r *Rows) recount() {
	r.count = 0
	for _, s := range r.segments {
		r.count += len(s.Rows)
	}
}

func laterKey(a, b RowKey) RowKey {
	if a.Compare(b) < 0 {
		return b
	}
	return a
}
