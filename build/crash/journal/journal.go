// Package journal holds what devices were told while programs around them were killed, and checks it against what is there
// in the end (shared/replica/SPEC.md, SI1 to SI4).
//
// It reads no disk and no network, and trusts neither side: a device's word is what it made and what it was sent, the
// server's is its log and its content. It counts on three things that its users see to: rows are never trimmed, the
// texts of rows are unique, and access to the dashboards does not change, so that every position of a log is an edit.
// Start reading at Check.
package journal

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// ID names an operation of one dashboard.
type ID struct{ Dev, N uint64 }

// String is the device in hexadecimal and the number.
func (id ID) String() string { return fmt.Sprintf("%x/%d", id.Dev, id.N) }

// Entry is one position of a log as somebody was told it. Print tells whether two of them hold the same operation.
type Entry struct {
	Seq   uint64 `json:"seq"`
	ID    ID     `json:"id"`
	Print uint64 `json:"print"`
}

// NewEntry shortens a log entry.
func NewEntry(e replica.Entry) Entry {
	return Entry{Seq: e.Seq, ID: idOf(e.Op), Print: printOf(e.Op)}
}

func idOf(op replica.Op) ID { return ID{op.Stamp.Dev, op.N} }

// printOf is a hash of everything in an operation.
func printOf(op replica.Op) uint64 {
	h := fnv.New64a()
	write := func(parts ...[]byte) {
		for _, p := range parts {
			_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
			_, _ = h.Write(p)
		}
	}
	write([]byte(op.Stamp.String()), []byte(op.As.String()), []byte(op.Kind), []byte(op.Entity), []byte(op.Field), op.Value)
	if r := op.Rows; r != nil {
		write(fmt.Append(nil, r.Replace, r.DropTo, r.First), r.Columns)
		for _, row := range r.Rows {
			write(row)
		}
	}
	return h.Sum64()
}

// Heard is a piece of a log that a device was sent: positions From+1 to To.
type Heard struct {
	Epoch   uint64  `json:"epoch"`
	From    uint64  `json:"from"`
	To      uint64  `json:"to"`
	Entries []Entry `json:"entries"`
}

// NewHeard shortens a delta.
func NewHeard(d replica.Delta) Heard {
	h := Heard{Epoch: d.Epoch, From: d.From, To: d.To, Entries: make([]Entry, len(d.Entries))}
	for i, e := range d.Entries {
		h.Entries[i] = NewEntry(e)
	}
	return h
}

// Journal is what one device made on one dashboard and was told of it, in order, and where it stands in the end.
type Journal struct {
	Device string       // a name for people
	Dev    uint64       // its incarnation
	Saved  []replica.Op // of which its user was told that they are saved
	Acks   []replica.Ack
	Heard  []Heard

	Waiting uint64 // operations that the server has not judged in the end
	View    *replica.State
	Tray    []replica.Refused
}

// Server is what the server says of one dashboard in the end. Log holds every entry from the first on.
type Server struct {
	Board board.ID
	Epoch uint64
	Head  uint64
	Log   []replica.Entry
	State *replica.State
}

// Breach is a rule that was broken, and how.
type Breach struct {
	Rule string
	Text string
}

// String is the rule with what broke it.
func (b Breach) String() string { return b.Rule + ": " + b.Text }

// maxBreaches is how many breaches of one dashboard are told; the first ones say what happened.
const maxBreaches = 20
