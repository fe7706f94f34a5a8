package replica

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"widgets.pro/shared/hlc"
)

// Keys of a replica's transaction. The first byte tells the record apart; numbers are big-endian, so that keys sort by them.
//
//	m                        the client's or hub's own record
//	c entity 0 field         register
//	h entity                 row log: floor, count, stamp of the header
//	k entity                 row log: header (columns), as it is
//	s entity 0 T dev         segment: number of rows (4 bytes), then Segment
//	q n                      client: operation that waits for the server
//	t n                      client: refused operation (tray)
//	x page                   client: page of a snapshot that is still arriving
//	l seq                    hub: log entry
//	n dev                    hub: last number and stamp of a device
//	v dev n                  hub: verdict other than "applied"
//	g entity                 hub: the entity was buried
//	y seq [i]                hub: history older than the log; with a number, an operation that lost
//	b ...                    hub: content as it was where the history begins, under the keys above
const (
	keyMeta     = 'm'
	keyRegister = 'c'
	keyLog      = 'h'
	keyColumns  = 'k'
	keySegment  = 's'
	keyQueue    = 'q'
	keyTray     = 't'
	keyPage     = 'x'
	keyEntry    = 'l'
	keyDevice   = 'n' // which lies beside the end of the log and the hub's record, so that an edit changes fewer pages
	keyVerdict  = 'v'
	keyGrave    = 'g'
	keyOld      = 'y'
	keyBase     = 'b'
)

// formerDevice is what keyDevice was, see Upgrade.
const formerDevice = 'd'

// content is the merged state as records of a transaction: what a client holds as confirmed, and what a hub serves.
// Every operation touches only the keys it needs.
type content struct{ tx Tx }

// logRecord is a row log without its rows and columns. Start is where the capacity begins to count: rows below it are gone, although
// the segment it lies in is not rewritten for that.
type logRecord struct {
	Stamp hlc.Stamp `cbor:"1,keyasint"`
	Floor RowKey    `cbor:"2,keyasint"`
	Start RowKey    `cbor:"3,keyasint"`
	Count int       `cbor:"4,keyasint"`
}

func (l *logRecord) low() RowKey { return laterKey(l.Floor, l.Start) }

func key(kind byte, parts ...string) []byte {
	k := []byte{kind}
	for i, p := range parts {
		if i > 0 {
			k = append(k, 0)
		}
		k = append(k, p...)
	}
	return k
}

func numberKey(kind byte, numbers ...uint64) []byte {
	k := []byte{kind}
	for _, n := range numbers {
		k = binary.BigEndian.AppendUint64(k, n)
	}
	return k
}

func segmentKey(entity string, s hlc.Stamp) []byte {
	k := append(key(keySegment, entity), 0)
	k = binary.BigEndian.AppendUint64(k, s.T)
	return binary.BigEndian.AppendUint64(k, s.Dev)
}

// after is the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

func get[T any](tx Tx, k []byte) (v T, ok bool, err error) {
	b := tx.Get(k)
	if b == nil {
		return v, false, nil
	}
	if err := cbor.Unmarshal(b, &v); err != nil {
		return v, false, fmt.Errorf("read record %q: %w", k[:1], err)
	}
	return v, true, nil
}

func put(tx Tx, k []byte, v any) error {
	b, err := cbor.Marshal(v)
	if err != nil {
		return fmt.Errorf("write record %q: %w", k[:1], err)
	}
	return tx.Put(k, b)
}

// each decodes every record that begins with prefix.
func each[T any](tx Tx, prefix []byte, fn func(k []byte, v T) error) error {
	return eachFrom(tx, prefix, after(prefix), fn)
}

func eachFrom[T any](tx Tx, from, to []byte, fn func(k []byte, v T) error) error {
	var failed error
	err := tx.Scan(from, to, func(k, b []byte) bool {
		var v T
		if failed = cbor.Unmarshal(b, &v); failed != nil {
			failed = fmt.Errorf("read record %q: %w", k[:1], failed)
			return false
		}
		failed = fn(k, v)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// erase deletes every record that begins with one of the kinds.
func erase(tx Tx, kinds ...byte) error {
	for _, kind := range kinds {
		if _, err := remove(tx, []byte{kind}, []byte{kind + 1}); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes every record with from <= key < to, and tells how many there were.
func remove(tx Tx, from, to []byte) (int, error) {
	var gone [][]byte
	if err := tx.Scan(from, to, func(k, _ []byte) bool {
		gone = append(gone, bytes.Clone(k))
		return true
	}); err != nil {
		return 0, err
	}
	for _, k := range gone {
		if err := tx.Delete(k); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}

// apply merges op and reports whether it changed anything.
func (c content) apply(op *Op) (bool, error) {
	switch op.Kind {
	case OpSet:
		return c.set(op.Entity, op.Field, register{op.Value, op.At()})
	case OpRows:
		return c.change(op.Entity, op.At(), op.Rows)
	case OpBury:
		return c.bury(op.Entity)
	}
	return true, nil // kept in the log for those who understand it
}

// bury removes everything of an entity, and reports whether there was anything.
func (c content) bury(entity string) (there bool, err error) {
	registers := append(key(keyRegister, entity), 0)
	n, err := remove(c.tx, registers, after(registers))
	if err != nil {
		return false, err
	}
	rows, err := c.dropRows(entity)
	return n > 0 || rows, err
}

// dropRows removes an entity's row log, and reports whether there was one.
func (c content) dropRows(entity string) (there bool, err error) {
	k := key(keyLog, entity)
	there = c.tx.Get(k) != nil
	segments := append(key(keySegment, entity), 0)
	if _, err := remove(c.tx, segments, after(segments)); err != nil {
		return false, err
	}
	if err := c.tx.Delete(key(keyColumns, entity)); err != nil {
		return false, err
	}
	return there, c.tx.Delete(k)
}

func (c content) set(entity, field string, r register) (bool, error) {
	k := key(keyRegister, entity, field)
	old, ok, err := get[register](c.tx, k)
	if err != nil || (ok && !r.beats(old)) {
		return false, err
	}
	return true, put(c.tx, k, r)
}

// change merges a change of rows. What it writes is the change itself and the log's small record.
func (c content) change(entity string, stamp hlc.Stamp, rc *RowChange) (bool, error) {
	if rc == nil {
		return false, nil
	}
	k := key(keyLog, entity)
	log, _, err := get[logRecord](c.tx, k)
	if err != nil {
		return false, err
	}
	won := false
	if rc.Replace && (register{rc.Columns, stamp}).beats(register{c.columns(entity), log.Stamp}) {
		if err := c.tx.Put(key(keyColumns, entity), rc.Columns); err != nil {
			return false, err
		}
		log.Stamp, won = stamp, true
	}
	if floor := rc.floor(stamp); log.Floor.Compare(floor) < 0 {
		won = true
		if err := c.raise(entity, &log, floor); err != nil {
			return false, err
		}
	}
	added, err := c.insert(entity, &log, Segment{Stamp: stamp, First: rc.First, Rows: rc.Rows})
	if err != nil {
		return false, err
	}
	if !won && !added {
		return false, nil
	}
	return true, put(c.tx, k, log)
}

// columns is an entity's header; it must not be changed, nor kept after the transaction.
func (c content) columns(entity string) json.RawMessage { return c.tx.Get(key(keyColumns, entity)) }

// raise lifts the floor: whole segments below it go, the one it lies in stays and is read from the floor on.
func (c content) raise(entity string, log *logRecord, floor RowKey) error {
	low := log.low()
	log.Floor = floor
	if low.Compare(floor) >= 0 {
		return nil
	}
	return c.drop(entity, log, low, func(s stored) (rows int, more bool) {
		if s.stamp.Compare(floor.Stamp) > 0 {
			return 0, false
		}
		if s.stamp == floor.Stamp {
			return min(max(floor.Index-s.first, 0), s.count), false
		}
		return s.count, true
	})
}

// stored is what a segment's key and first bytes tell, with the rows below low already left out.
type stored struct {
	stamp        hlc.Stamp
	first, count int
}

// drop walks the segments from low on and takes away as many of each one's first rows as fn says.
func (c content) drop(entity string, log *logRecord, low RowKey, fn func(stored) (rows int, more bool)) error {
	prefix := append(key(keySegment, entity), 0)
	var gone [][]byte
	var failed error
	if err := c.tx.Scan(prefix, after(prefix), func(k, b []byte) bool {
		var s stored
		if s, failed = header(k, b, low); failed != nil {
			return false
		}
		n, more := fn(s)
		log.Count -= n
		if n == s.count {
			gone = append(gone, bytes.Clone(k))
		} else if n > 0 {
			log.Start = laterKey(log.Start, RowKey{Stamp: s.stamp, Index: s.first + n})
		}
		return more
	}); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("read rows: %w", failed)
	}
	for _, k := range gone {
		if err := c.tx.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// errDamaged means that a record is not one that this package wrote.
var errDamaged = errors.New("the record is damaged")

// header reads a segment's key and counts without decoding its rows.
func header(k, b []byte, low RowKey) (stored, error) {
	n := len(k)
	if n < segmentKeyEnd || len(b) < segmentHeader {
		return stored{}, errDamaged
	}
	s := stored{stamp: hlc.Stamp{T: binary.BigEndian.Uint64(k[n-16:]), Dev: binary.BigEndian.Uint64(k[n-8:])}}
	s.first, s.count = int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	if s.stamp == low.Stamp && low.Index > s.first {
		cut := min(low.Index-s.first, s.count)
		s.first, s.count = s.first+cut, s.count-cut
	}
	return s, nil
}

const (
	segmentHeader = 8  // bytes: first index, number of rows
	segmentKeyEnd = 16 // bytes: T, dev
)

func (c content) insert(entity string, log *logRecord, s Segment) (bool, error) {
	if s = above(s, log.low()); len(s.Rows) == 0 {
		return false, nil
	}
	k := segmentKey(entity, s.Stamp)
	if b := c.tx.Get(k); b != nil {
		// A segment of one stamp is always the tail of its operation's rows: the one that begins earlier holds the other.
		have, err := header(k, b, log.low())
		if err != nil {
			return false, fmt.Errorf("read rows: %w", err)
		}
		if s.First >= have.first {
			return false, nil
		}
		log.Count -= have.count
	}
	if err := c.putSegment(k, s); err != nil {
		return false, err
	}
	log.Count += len(s.Rows)
	if over := log.Count - MaxRows; over > 0 {
		if err := c.drop(entity, log, log.low(), func(s stored) (int, bool) {
			n := min(over, s.count)
			over -= n
			return n, over > 0
		}); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c content) putSegment(k []byte, s Segment) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(s.First))  //nolint:gosec // bounded by MaxRows
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.Rows))) //nolint:gosec // bounded by MaxRows
	rows, err := cbor.Marshal(s.Rows)
	if err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return c.tx.Put(k, append(b, rows...))
}

// outline reads everything but rows.
func (c content) outline() (*State, error) {
	s := NewState()
	return s, each(c.tx, []byte{keyRegister}, func(k []byte, r register) error {
		entity, field, _ := bytes.Cut(k[1:], []byte{0})
		s.set(string(entity), string(field), register{bytes.Clone(r.Value), r.Stamp})
		return nil
	})
}

// load reads everything into memory.
func (c content) load() (*State, error) {
	s, err := c.outline()
	if err != nil {
		return nil, err
	}
	err = each(c.tx, []byte{keyLog}, func(k []byte, l logRecord) error {
		entity := string(k[1:])
		r, err := c.readLog(entity, l)
		if err != nil {
			return err
		}
		s.rows[entity] = r
		s.max = hlc.Max(s.max, hlc.Max(l.Stamp, l.Floor.Stamp))
		if n := len(r.segments); n > 0 {
			s.max = hlc.Max(s.max, r.segments[n-1].Stamp)
		}
		return nil
	})
	return s, err
}

// rows reads one entity's row log.
func (c content) rows(entity string) (*Rows, error) {
	l, _, err := get[logRecord](c.tx, key(keyLog, entity))
	if err != nil {
		return nil, err
	}
	return c.readLog(entity, l)
}

// rowKey is the key of an entity's row i.
func (c content) rowKey(entity string, i int) (found RowKey, err error) {
	l, _, err := get[logRecord](c.tx, key(keyLog, entity))
	if err != nil || i < 0 || i >= l.Count {
		return RowKey{}, err
	}
	prefix := append(key(keySegment, entity), 0)
	low := l.low()
	var failed error
	err = c.tx.Scan(prefix, after(prefix), func(k, b []byte) bool {
		var s stored
		if s, failed = header(k, b, low); failed != nil {
			return false
		}
		if s.stamp.Compare(low.Stamp) >= 0 {
			if i < s.count {
				found = RowKey{Stamp: s.stamp, Index: s.first + i}
				return false
			}
			i -= s.count
		}
		return true
	})
	if failed != nil {
		return RowKey{}, fmt.Errorf("read rows: %w", failed)
	}
	return found, err
}

func (c content) readLog(entity string, l logRecord) (*Rows, error) {
	r := &Rows{Columns: bytes.Clone(c.columns(entity)), Stamp: l.Stamp, Floor: l.Floor}
	return r, c.segments(entity, l.low(), func(seg Segment) error {
		r.segments = append(r.segments, seg)
		r.count += len(seg.Rows)
		return nil
	})
}

// segments reads an entity's rows from low on.
func (c content) segments(entity string, low RowKey, fn func(Segment) error) error {
	prefix := append(key(keySegment, entity), 0)
	var failed error
	err := c.tx.Scan(prefix, after(prefix), func(k, b []byte) bool {
		var h stored
		if h, failed = header(k, b, RowKey{}); failed != nil {
			return false
		}
		s := Segment{Stamp: h.stamp, First: h.first}
		if failed = cbor.Unmarshal(b[segmentHeader:], &s.Rows); failed != nil {
			return false
		}
		if len(s.Rows) != h.count {
			failed = errDamaged
			return false
		}
		if s = above(s, low); len(s.Rows) > 0 {
			failed = fn(s)
		}
		return failed == nil
	})
	if failed != nil {
		return fmt.Errorf("read rows: %w", failed)
	}
	return err
}

// restore replaces everything by what the pages of a snapshot hold.
func (c content) restore(pages func(func(Snapshot) error) error) error {
	if err := erase(c.tx, keyRegister, keyLog, keyColumns, keySegment); err != nil {
		return err
	}
	return pages(func(p Snapshot) error {
		for _, r := range p.Registers {
			if err := put(c.tx, key(keyRegister, r.Entity, r.Field), register{r.Value, r.Stamp}); err != nil {
				return err
			}
		}
		for _, l := range p.Rows {
			if err := c.restoreLog(l); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c content) restoreLog(l RowLog) error {
	k := key(keyLog, l.Entity)
	log, _, err := get[logRecord](c.tx, k)
	if err != nil {
		return err
	}
	log.Stamp, log.Floor = l.Stamp, l.Floor
	if err := c.tx.Put(key(keyColumns, l.Entity), l.Columns); err != nil {
		return err
	}
	for _, s := range l.Segments {
		if err := c.putSegment(segmentKey(l.Entity, s.Stamp), s); err != nil {
			return err
		}
		log.Count += len(s.Rows)
	}
	return put(c.tx, k, log)
}

// snapshot writes everything as pages of about maxBytes each, at least one.
func (c content) snapshot(epoch, seq uint64, maxBytes int) ([]Snapshot, error) {
	pages := []Snapshot{{Epoch: epoch, Seq: seq}}
	size := 0
	room := func(n int) *Snapshot {
		if size > 0 && size+n > maxBytes {
			pages = append(pages, Snapshot{Epoch: epoch, Seq: seq, Page: len(pages)})
			size = 0
		}
		size += n
		return &pages[len(pages)-1]
	}
	if err := each(c.tx, []byte{keyRegister}, func(k []byte, r register) error {
		entity, field, _ := bytes.Cut(k[1:], []byte{0})
		p := room(len(k) + len(r.Value) + 64)
		p.Registers = append(p.Registers, Register{Entity: string(entity), Field: string(field), Value: bytes.Clone(r.Value), Stamp: r.Stamp})
		return nil
	}); err != nil {
		return nil, err
	}
	if err := each(c.tx, []byte{keyLog}, func(k []byte, l logRecord) error {
		entity := string(k[1:])
		head := RowLog{Entity: entity, Columns: bytes.Clone(c.columns(entity)), Stamp: l.Stamp, Floor: l.Floor}
		p := room(len(head.Columns) + 128)
		p.Rows = append(p.Rows, head)
		return c.segments(entity, l.low(), func(s Segment) error {
			n := 64
			for _, r := range s.Rows {
				n += len(r) + 1
			}
			p := room(n)
			if len(p.Rows) == 0 || p.Rows[len(p.Rows)-1].Entity != entity {
				p.Rows = append(p.Rows, head)
			}
			last := &p.Rows[len(p.Rows)-1]
			last.Segments = append(last.Segments, s)
			return nil
		})
	}); err != nil {
		return nil, err
	}
	pages[len(pages)-1].Last = true
	return pages, nil
}
