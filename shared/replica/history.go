package replica

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"widgets.pro/shared/hlc"
)

// The history of a dashboard is the log and what is older. Where the log is cut, changes of registers are kept on as old
// records, and changes of rows are merged into the base: the content as it was where the history begins. An old record that
// goes in turn is merged there too. So the content at any position is the base with everything after it merged in, and rows
// are those of that position as far back as the log reaches.

// Past is one change in a dashboard's history. Lost is not 0 where it had no effect, because something later had already won
// (rule Q3): Seq is then the position after which it came, and Lost tells it from others that came there. Rows is how many
// rows an OpRows wrote, in lists of changes, where the rows themselves are left out.
type Past struct {
	Entry
	Lost uint64 `cbor:"5,keyasint,omitempty"`
	Rows int    `cbor:"-"`
}

// listed is a Past as it is read for a list of changes: rows and columns are passed over, which is what costs.
type listed struct {
	Past
	Op listedOp `cbor:"2,keyasint"`
}

type listedOp struct {
	Op
	Rows *listedRows `cbor:"7,keyasint,omitempty"`
}

type listedRows struct {
	Replace bool    `cbor:"1,keyasint,omitempty"`
	DropTo  *RowKey `cbor:"3,keyasint,omitempty"`
	Rows    counted `cbor:"4,keyasint,omitempty"`
}

// counted is the length of a list that is not read.
type counted int

// UnmarshalCBOR implements cbor.Unmarshaler. It reads the list's head alone, as RFC 8949 (section 3) has it; that the list is
// whole was seen before.
func (c *counted) UnmarshalCBOR(b []byte) error {
	const list, oneByte, twoBytes, fourBytes = 4 << 5, 24, 25, 26
	if len(b) == 0 || b[0]&0xe0 != list {
		return nil // no rows
	}
	switch n := b[0] &^ list; {
	case n < oneByte:
		*c = counted(n)
	case n == oneByte && len(b) > 1:
		*c = counted(b[1])
	case n == twoBytes && len(b) > 2:
		*c = counted(binary.BigEndian.Uint16(b[1:]))
	case n == fourBytes && len(b) > 4:
		*c = counted(binary.BigEndian.Uint32(b[1:]))
	default:
		return fmt.Errorf("count rows: a list that begins with %x is not known", b[0])
	}
	return nil
}

func (l *listed) past() Past { return listing(l.Past, l.Op) }

// listing puts an operation that was read for a list into p.
func listing(p Past, op listedOp) Past {
	p.Op = op.Op
	if r := op.Rows; r != nil {
		p.Op.Rows, p.Rows = &RowChange{Replace: r.Replace, DropTo: r.DropTo}, int(r.Rows)
	}
	return p
}

// Limits of the history that is older than the log.
const (
	maxOld      = 5_000    // changes
	maxOldBytes = 32 << 20 // bytes of them
)

// oldRecord says what is kept beside the log. From is the position at which the registers of the base stand, and so the first
// one that the history can tell of. Kept says that there is a base; hubs that earlier versions made have none.
type oldRecord struct {
	Kept  bool   `cbor:"1,keyasint"`
	From  uint64 `cbor:"2,keyasint"`
	Count int    `cbor:"3,keyasint"`
	Bytes int    `cbor:"4,keyasint"`
	Lost  uint64 `cbor:"5,keyasint"` // operations that lost, ever
}

// base is the content where the history begins.
func (h *Hub) base() content { return content{within{h.tx, keyBase}} }

// lost notes an operation that had no effect, unless its value is what is there: then somebody offered it again.
func (h *Hub) lost(op *Op, p Policy) error {
	switch op.Kind { //nolint:exhaustive // others always have an effect
	case OpSet:
		now, ok, err := get[register](h.tx, key(keyRegister, op.Entity, op.Field))
		if err != nil || ok && bytes.Equal(now.Value, op.Value) {
			return err
		}
	case OpRows:
		if !op.Rows.Replace || !op.As.IsZero() {
			return nil // rows that are there already, or that nobody would miss
		}
	}
	h.meta.Old.Lost++
	if err := h.putOld(numberKey(keyOld, h.meta.Seq, h.meta.Old.Lost), Past{Entry: Entry{Seq: h.meta.Seq, Op: *op, By: p.By, At: p.Now}, Lost: h.meta.Old.Lost}); err != nil {
		return err
	}
	if h.meta.Old.Count > maxOld || h.meta.Old.Bytes > maxOldBytes {
		if err := h.keepOld(); err != nil {
			return err
		}
		if err := h.trimOld(); err != nil {
			return err
		}
	}
	return h.save()
}

func (h *Hub) putOld(k []byte, p Past) error {
	b, err := cbor.Marshal(p)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	h.meta.Old.Count++
	h.meta.Old.Bytes += len(b)
	return h.tx.Put(k, b)
}

// keepOld makes a base where an earlier version kept none: the history begins now.
func (h *Hub) keepOld() error {
	if h.meta.Old.Kept {
		return nil
	}
	h.meta.Old.Kept = true
	if h.meta.Base == 0 {
		return nil // the log holds everything
	}
	h.meta.Old.From = h.meta.Seq
	var pairs [][2][]byte
	for _, kind := range []byte{keyRegister, keyLog, keyColumns, keySegment} {
		if err := h.tx.Scan([]byte{kind}, []byte{kind + 1}, func(k, v []byte) bool {
			pairs = append(pairs, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
			return true
		}); err != nil {
			return err
		}
	}
	for _, p := range pairs {
		if err := h.base().tx.Put(p[0], p[1]); err != nil {
			return err
		}
	}
	return nil
}

// retire takes the entry with key k out of the log.
func (h *Hub) retire(k []byte) error {
	e, ok, unreadable := get[Entry](h.tx, k)
	if err := h.tx.Delete(k); err != nil || !ok || unreadable != nil {
		return err // one that is damaged goes too
	}
	switch op := &e.Op; op.Kind {
	case OpRows:
		_, err := h.base().apply(op)
		return err
	case OpBury:
		if _, err := h.base().dropRows(op.Entity); err != nil {
			return err
		}
	case OpSet:
	default:
		return nil
	}
	return h.putOld(numberKey(keyOld, e.Seq), Past{Entry: e})
}

// trimOld merges the oldest records into the base, as many as are too many.
func (h *Hub) trimOld() error {
	old := &h.meta.Old
	if old.Count <= maxOld && old.Bytes <= maxOldBytes {
		return nil
	}
	type aged struct {
		key  []byte
		size int
		Past
	}
	var gone []aged
	var failed error
	count, size := old.Count, old.Bytes
	if err := h.tx.Scan([]byte{keyOld}, []byte{keyOld + 1}, func(k, b []byte) bool {
		if count <= maxOld && size <= maxOldBytes {
			return false
		}
		a := aged{key: bytes.Clone(k), size: len(b)}
		if failed = cbor.Unmarshal(b, &a.Past); failed != nil {
			return false
		}
		gone = append(gone, a)
		count, size = count-1, size-len(b)
		return true
	}); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("read history: %w", failed)
	}
	for _, a := range gone {
		if err := h.tx.Delete(a.key); err != nil {
			return err
		}
		if a.Lost > 0 {
			continue // it is in no state, so the history reaches back as far without it
		}
		if _, err := h.base().apply(&a.Op); err != nil {
			return err
		}
		old.From = max(old.From, a.Seq)
	}
	old.Count, old.Bytes = count, size
	return nil
}

// HistoryFrom is the first position that StateAt can tell of.
func (h *Hub) HistoryFrom() uint64 {
	if !h.meta.Old.Kept && h.meta.Base > 0 {
		return h.meta.Seq
	}
	return h.meta.Old.From
}

// Past lists changes before a position (0: before none, so the newest), the newest first: those of entity if it is not empty.
// It returns whole positions, at least limit changes if there are as many, and looks at about maxLook of them, fewer where
// they are large. next is what to pass as before to go on, 0 at the end.
func (h *Hub) Past(before uint64, entity string, limit, maxLook int) (past []Past, next uint64, err error) {
	end := h.meta.Seq + 1
	if before > 0 {
		end = min(before, end)
	}
	first, looked, size := h.HistoryFrom()+1, 0, 0
	for window := uint64(64); end > first; window *= 2 {
		start := first
		if end-first > window {
			start = end - window
		}
		part, n, bytes, err := h.pastWithin(start, end, entity)
		if err != nil {
			return nil, 0, err
		}
		past, looked, size, end = append(past, part...), looked+n, size+bytes, start
		if end > first && (len(past) >= limit || looked >= maxLook || size >= maxPastBytes) {
			return past, end, nil
		}
	}
	return past, 0, nil
}

// maxPastBytes is how many bytes of changes Past looks at, roughly.
const maxPastBytes = 8 << 20

// pastWithin lists the changes of from <= position < to, the newest first, and tells how many it looked at, of which size.
func (h *Hub) pastWithin(from, to uint64, entity string) (past []Past, looked, size int, err error) {
	for _, kind := range []byte{keyOld, keyEntry} {
		var failed error
		err := h.tx.Scan(numberKey(kind, from), numberKey(kind, to), func(k, b []byte) bool {
			var l listed
			if failed = cbor.Unmarshal(b, &l); failed != nil {
				failed = fmt.Errorf("read record %q: %w", k[:1], failed)
				return false
			}
			looked, size = looked+1, size+len(b)
			if entity == "" || l.Op.Entity == entity {
				past = append(past, l.past())
			}
			return true
		})
		if err = cmp.Or(failed, err); err != nil {
			return nil, 0, 0, err
		}
	}
	slices.SortFunc(past, func(a, b Past) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Lost, b.Lost))
	})
	slices.Reverse(past)
	return past, looked, size, nil
}

// StateAt is the content as it was at a position; with lost not 0, as it would have been had that change come to pass. rows
// is false where the log does not reach back that far: the rows are then those of the earliest position that it does reach. ok
// is false for what the history does not tell of.
func (h *Hub) StateAt(seq, lost uint64) (s *State, rows, ok bool, err error) {
	if seq < h.HistoryFrom() || seq > h.meta.Seq {
		return nil, false, false, nil
	}
	if s, err = h.stateAt(seq); err != nil || lost == 0 {
		return s, seq >= h.meta.Base, err == nil, err
	}
	p, ok, err := get[Past](h.tx, numberKey(keyOld, seq, lost))
	if err != nil || !ok {
		return nil, false, false, err
	}
	p.Op.As = hlc.Stamp{T: s.max.T + 1, Dev: p.Op.Stamp.Dev}
	s.Apply(p.Op)
	return s, seq >= h.meta.Base, true, nil
}

func (h *Hub) stateAt(seq uint64) (*State, error) {
	if !h.meta.Old.Kept && h.meta.Base > 0 {
		return h.load()
	}
	s, err := h.base().load()
	if err != nil {
		return nil, err
	}
	if err := eachFrom(h.tx, []byte{keyOld}, numberKey(keyOld, seq+1), func(_ []byte, l listed) error {
		if l.Lost == 0 { // rows are in the base
			s.Apply(l.past().Op)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return s, h.applyLog(s, seq)
}

// applyLog merges the log up to a position into s. Rows that a later replacement took away again are not even read: there may
// be a hundred times as many as stay.
func (h *Hub) applyLog(s *State, seq uint64) error {
	var all []Past
	replaced := map[string]hlc.Stamp{}
	if err := eachFrom(h.tx, []byte{keyEntry}, numberKey(keyEntry, seq+1), func(_ []byte, l listed) error {
		p := l.past()
		if r := p.Op.Rows; r != nil {
			if r.Replace {
				replaced[p.Op.Entity] = hlc.Max(replaced[p.Op.Entity], p.Op.At())
			}
		}
		all = append(all, p)
		return nil
	}); err != nil {
		return err
	}
	for i := range all {
		op := all[i].Op
		if op.Kind == OpRows {
			if op.At().Compare(replaced[op.Entity]) < 0 {
				continue
			}
			e, _, err := get[Entry](h.tx, numberKey(keyEntry, all[i].Seq))
			if err != nil {
				return err
			}
			op = e.Op
		}
		s.Apply(op)
	}
	return nil
}

// within is a part of a transaction: everything whose key begins with one byte, which is left out.
type within struct {
	tx   Tx
	kind byte
}

func (w within) key(k []byte) []byte { return append([]byte{w.kind}, k...) }

// Get implements Tx.
func (w within) Get(key []byte) []byte { return w.tx.Get(w.key(key)) }

// Put implements Tx.
func (w within) Put(key, value []byte) error { return w.tx.Put(w.key(key), value) }

// Delete implements Tx.
func (w within) Delete(key []byte) error { return w.tx.Delete(w.key(key)) }

// Scan implements Tx.
func (w within) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	end := []byte{w.kind + 1}
	if to != nil {
		end = w.key(to)
	}
	return w.tx.Scan(w.key(from), end, func(k, v []byte) bool { return fn(k[1:], v) })
}
