package replica

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Two copies of one data file number their operations alike. The server judges the first of each number; whoever comes
// second must not take that verdict for its own. Both sides look: the server at what is sent again, the device at what the
// log holds under its name.

// forkedUpTo is the number in an Ack that says so: no device has made that many operations.
const forkedUpTo = 1<<53 - 1

const (
	markSize = 4     // bytes
	maxMarks = 4_000 // operations that a device may send again and the server still knows
)

// mark is short for what an operation does and when it was stamped; a trim's key may be another one when it comes again.
func mark(op *Op) []byte {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, op.Stamp.T)) // never fails
	parts := [][]byte{[]byte(op.Kind), []byte(op.Entity), []byte(op.Field), op.Value}
	if op.Rows != nil {
		parts = append(parts, op.Rows.Columns)
		for _, r := range op.Rows.Rows {
			parts = append(parts, r)
		}
	}
	for _, p := range parts {
		_, _ = h.Write(p)
		_, _ = h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// note keeps the mark of the operation that is judged next.
func (d *deviceRecord) note(op *Op) {
	d.Marks += cbor.ByteString(mark(op))
	if over := len(d.Marks) - maxMarks*markSize; over > 0 {
		d.Marks = d.Marks[over:]
	}
}

// settle takes note that the device does not send again what lies up to floor.
func (d *deviceRecord) settle(floor uint64) {
	d.Floor = max(d.Floor, floor)
	if floor >= d.LastN {
		d.LastN, d.Marks = floor, ""
	} else if have, want := uint64(len(d.Marks)/markSize), d.LastN-floor; have > want {
		d.Marks = d.Marks[(have-want)*markSize:]
	}
}

// forked reports whether another copy of the device has used the numbers of what is handed in: the device said that it
// would not send them again, or they are others.
func (h *Hub) forked(d *deviceRecord, s Submission) (bool, error) {
	known := d.LastN - uint64(len(d.Marks)/markSize)
	for i := range s.Ops {
		op := &s.Ops[i]
		switch {
		case op.N > d.LastN:
			return false, nil
		case op.N <= d.Floor:
			return true, nil
		case op.N <= known || string(d.Marks[int(op.N-known-1)*markSize:][:markSize]) == string(mark(op)): //nolint:gosec // within Marks
			continue
		}
		v, ok, err := get[verdictRecord](h.tx, numberKey(keyVerdict, s.Dev, op.N))
		if err != nil {
			return false, err
		}
		if !ok || v.Outcome.Verdict != Restamped || v.Outcome.Stamp.T != op.Stamp.T {
			return true, nil
		}
	}
	return false, nil
}

// foreign reports whether the log holds, under this device's name, an operation that was not made here.
func (c *Client) foreign(op *Op) (bool, error) {
	if op.N > c.meta.LastN {
		return true, nil
	}
	q, ok, err := get[queued](c.tx, numberKey(keyQueue, op.N))
	return ok && !sameEdit(&q.Op, op), err
}

// sameEdit reports whether two operations change the same in the same way, whenever they were stamped. A trim may have been
// made to mean the same rows under other keys.
func sameEdit(a, b *Op) bool {
	if a.Kind != b.Kind || a.Entity != b.Entity || a.Field != b.Field || !bytes.Equal(a.Value, b.Value) || (a.Rows == nil) != (b.Rows == nil) {
		return false
	}
	return a.Rows == nil || a.Rows.Replace == b.Rows.Replace && a.Rows.First == b.Rows.First && bytes.Equal(a.Rows.Columns, b.Rows.Columns) &&
		slices.EqualFunc(a.Rows.Rows, b.Rows.Rows, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
}
