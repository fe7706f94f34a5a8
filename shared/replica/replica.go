// Package replica keeps one dashboard's content the same everywhere: last-writer-wins registers, row logs, the queue
// of a device and the log of the server.
//
// A dashboard is a set of registers keyed (entity, field), each holding a JSON value and the stamp of the edit that
// wrote it, and one row log an entity. Merging takes the greatest stamp, so it does not matter in which order, how
// often or in which pieces edits arrive. Client is a device's side: what the server confirmed, what still waits, and
// the view that lays the one over the other. Hub is the server's side: it judges operations, numbers what it accepted
// and resumes devices. Both work on an ordered key-value transaction (Tx), do no I/O of their own and read no clock, so
// the simulator in replicatest runs the code that ships.
//
// The rules are in SPEC.md beside this file, by number. Start reading at State, then Client, then Hub.
package replica

import (
	"encoding/json"

	"widgets.pro/shared/hlc"
)

// Tx is an ordered key-value transaction that holds one dashboard's replica. Slices it returns are valid until the
// transaction ends and must not be changed; slices passed in are kept and must not be changed by the caller.
// An implementation that can no longer write reports it from Put or Delete, or fails the commit.
type Tx interface {
	// Get returns the value of key, or nil.
	Get(key []byte) []byte
	// Put sets key to value.
	Put(key, value []byte) error
	// Delete removes key; it is no error if there is none.
	Delete(key []byte) error
	// Scan calls fn for each pair with from <= key < to in ascending order until fn returns false. fn must not write.
	Scan(from, to []byte, fn func(key, value []byte) bool) error
}

// Kind says what an operation does.
type Kind string

// OpSet writes a register; OpRows changes an entity's row log; OpBury, which only a hub makes, removes everything of an
// entity for good. Kinds from a newer version are stored and passed on.
const (
	OpSet  Kind = "set"
	OpRows Kind = "rows"
	OpBury Kind = "bury"
)

// Op is one operation of one device on one dashboard. (Stamp.Dev, N) identifies it; N counts 1, 2, 3, ... per device
// and dashboard. As is set where a device offers something again that was stamped before (after the server lost it, or the
// device changed its incarnation): the operation then merges by As instead of Stamp, so that offering twice, or by several
// devices, is the same as once.
type Op struct {
	N      uint64          `json:"n" cbor:"1,keyasint"`
	Stamp  hlc.Stamp       `json:"s" cbor:"2,keyasint"`
	Kind   Kind            `json:"k" cbor:"3,keyasint"`
	Entity string          `json:"e" cbor:"4,keyasint"`
	Field  string          `json:"f,omitempty" cbor:"5,keyasint,omitempty"`
	Value  json.RawMessage `json:"v,omitempty" cbor:"6,keyasint,omitempty"`
	Rows   *RowChange      `json:"r,omitempty" cbor:"7,keyasint,omitempty"`
	As     hlc.Stamp       `json:"as,omitzero" cbor:"8,keyasint,omitzero"`
}

// At is the stamp by which the operation merges.
func (o *Op) At() hlc.Stamp {
	if o.As.IsZero() {
		return o.Stamp
	}
	return o.As
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

// Edit is an operation before it has a number and a stamp: what a user changed.
type Edit struct {
	Kind   Kind
	Entity string
	Field  string
	Value  json.RawMessage
	Rows   *RowChange
}

// RowChange is what an OpRows does. With Replace, all rows before the operation's stamp go and Columns is the new
// header; DropTo, where set, removes the rows before that key (a trim), but never any that were appended after this
// operation. Rows are then appended, keyed by (stamp, First + i); First is not zero only where rows are offered again whose
// predecessors are gone. Each row is one JSON array.
type RowChange struct {
	Replace bool              `json:"replace,omitempty" cbor:"1,keyasint,omitempty"`
	Columns json.RawMessage   `json:"cols,omitempty" cbor:"2,keyasint,omitempty"`
	DropTo  *RowKey           `json:"drop,omitempty" cbor:"3,keyasint,omitempty"`
	Rows    []json.RawMessage `json:"rows,omitempty" cbor:"4,keyasint,omitempty"`
	First   int               `json:"i,omitempty" cbor:"5,keyasint,omitempty"`
}

// floor is the key below which c removes rows when it merges at the given stamp; the zero key if it removes none.
func (c *RowChange) floor(at hlc.Stamp) RowKey {
	own := RowKey{Stamp: at}
	switch {
	case c.Replace:
		return own
	case c.DropTo == nil:
		return RowKey{}
	case own.Compare(*c.DropTo) < 0:
		return own
	}
	return *c.DropTo
}

// RowKey is the place of a row in a row log: the stamp of the operation that appended it and its index therein.
type RowKey struct {
	Stamp hlc.Stamp `json:"s" cbor:"1,keyasint"`
	Index int       `json:"i" cbor:"2,keyasint"`
}

// Compare orders row keys by stamp, then index.
func (k RowKey) Compare(o RowKey) int {
	if c := k.Stamp.Compare(o.Stamp); c != 0 {
		return c
	}
	return k.Index - o.Index
}

// MaxRows is the capacity of a row log: only the greatest MaxRows keys are kept. It is part of the merge rule, so every
// replica must use the same number.
const MaxRows = 20_000

// Verdict is what became of an operation at the server.
type Verdict string

// The verdicts. Superseded: accepted, but a later edit of the same register had already won. Restamped: applied with the
// stamp that travels back, because the device's clock ran too far ahead.
const (
	Applied    Verdict = "applied"
	Superseded Verdict = "superseded"
	Restamped  Verdict = "restamped"
	Rejected   Verdict = "rejected"
)

// Reason says why an operation was rejected.
type Reason string

// The reasons.
const (
	ReasonForbidden Reason = "forbidden"
	ReasonGone      Reason = "gone"
	ReasonInvalid   Reason = "invalid"
	ReasonTooLarge  Reason = "too_large"
	ReasonQuota     Reason = "quota"
)

// Outcome is the verdict on operation N; those that were simply applied are not listed in an Ack.
type Outcome struct {
	N       uint64    `json:"n" cbor:"1,keyasint"`
	Verdict Verdict   `json:"verdict" cbor:"2,keyasint"`
	Reason  Reason    `json:"reason,omitempty" cbor:"3,keyasint,omitempty"`
	Detail  string    `json:"detail,omitempty" cbor:"4,keyasint,omitempty"` // a sentence for the author
	Stamp   hlc.Stamp `json:"stamp,omitzero" cbor:"5,keyasint,omitempty"`   // set when restamped
}

// Ack answers a batch of operations: everything up to and including UpTo has been judged and is durable. The device may
// drop those from its queue once it has seen the log up to Seq.
type Ack struct {
	Epoch    uint64    `json:"epoch,string"`
	UpTo     uint64    `json:"upTo"`
	Seq      uint64    `json:"seq"`
	Outcomes []Outcome `json:"outcomes,omitempty"`
}

// Entry is one position of a dashboard's log on the server: an operation that took effect. Op.N is kept so that a device
// can recognise its own. By is the account that made it, as the Policy named it, and At is when it was judged, by the server's
// clock in milliseconds since 1970; both are for the history and stay on the server.
type Entry struct {
	Seq uint64 `json:"seq" cbor:"1,keyasint"`
	Op  Op     `json:"op" cbor:"2,keyasint"`
	By  string `json:"-" cbor:"3,keyasint,omitempty"`
	At  int64  `json:"-" cbor:"4,keyasint,omitempty"`
}

// Delta carries log entries From+1 .. To, in order. It may be empty when only positions without an operation lie
// between (changes of access take a position too).
type Delta struct {
	Epoch   uint64  `json:"epoch,string"`
	From    uint64  `json:"from"`
	To      uint64  `json:"to"`
	Entries []Entry `json:"entries"`
}

// Register is one register's value in a snapshot.
type Register struct {
	Entity string          `json:"e" cbor:"1,keyasint"`
	Field  string          `json:"f" cbor:"2,keyasint"`
	Value  json.RawMessage `json:"v" cbor:"3,keyasint"`
	Stamp  hlc.Stamp       `json:"s" cbor:"4,keyasint"`
}

// Segment is a run of rows that one operation appended; row i has the key (Stamp, First+i).
type Segment struct {
	Stamp hlc.Stamp         `json:"s" cbor:"1,keyasint"`
	First int               `json:"i,omitempty" cbor:"2,keyasint,omitempty"`
	Rows  []json.RawMessage `json:"rows" cbor:"3,keyasint"`
}

// RowLog is one entity's rows in a snapshot: the header with the stamp of the replace that set it, the floor below which
// rows are gone, and the segments in key order.
type RowLog struct {
	Entity   string          `json:"e" cbor:"1,keyasint"`
	Columns  json.RawMessage `json:"cols,omitempty" cbor:"2,keyasint,omitempty"`
	Stamp    hlc.Stamp       `json:"s,omitzero" cbor:"3,keyasint,omitempty"`
	Floor    RowKey          `json:"floor,omitzero" cbor:"4,keyasint,omitempty"`
	Segments []Segment       `json:"segs,omitempty" cbor:"5,keyasint,omitempty"`
}

// Snapshot is a page of a dashboard's state at log position Seq. Pages of one snapshot share Epoch and Seq; a device
// takes it as received when Last is set, and starts over when a page is missing.
type Snapshot struct {
	Epoch     uint64     `json:"epoch,string"`
	Seq       uint64     `json:"seq"`
	Page      int        `json:"page"`
	Last      bool       `json:"last"`
	Registers []Register `json:"regs,omitempty"`
	Rows      []RowLog   `json:"rows,omitempty"`
}

// Projected is the epoch under which a log is given to those who get only part of it, and, of that epoch, the log's own again.
// Whoever comes from the one to the other needs a snapshot; positions are the same in both.
func Projected(epoch uint64) uint64 { return epoch ^ projected }

const projected = 0x5ee0_0a1e_ed10_9000
