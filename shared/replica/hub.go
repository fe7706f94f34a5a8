package replica

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"widgets.pro/shared/hlc"
)

// MaxDrift is how far ahead of the server's clock an operation may be stamped, in milliseconds, before it gets a new stamp.
const MaxDrift = 5 * 60 * 1000

// ErrNoHub means that the transaction holds no hub: the dashboard does not exist here.
var ErrNoHub = errors.New("replica: there is no such dashboard")

// Hub is the server's side of one dashboard, as records of a transaction: the merged content, the log of what took effect
// and, by device, how far its operations were judged. A Hub lives as long as its transaction.
type Hub struct {
	content
	meta hubRecord
}

type hubRecord struct {
	Epoch uint64 `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint"` // head of the log
	Base  uint64 `cbor:"3,keyasint"` // entries up to here were compacted away
	Bytes int    `cbor:"4,keyasint"` // of the entries that are there
	// Latest is the greatest T that was accepted; 0 where nothing was, or by a version that did not count it.
	Latest uint64 `cbor:"5,keyasint,omitempty"`
	// Old is the history that is older than the log (history.go).
	Old oldRecord `cbor:"6,keyasint,omitzero"`
	// Taken is how many bytes of values were accepted in all.
	Taken int64 `cbor:"7,keyasint,omitempty"`
}

type deviceRecord struct {
	LastN uint64 `cbor:"1,keyasint"`
	LastT uint64 `cbor:"2,keyasint"`
	Kept  int    `cbor:"3,keyasint"` // verdicts
	Floor uint64 `cbor:"4,keyasint,omitempty"`
	// Marks tell apart what another copy of the device numbers alike: one for each operation from Floor or later up to LastN.
	Marks cbor.ByteString `cbor:"5,keyasint,omitempty"`
}

// verdictRecord is a verdict that a device may ask for again. Was is the stamp before a Restamped operation got its own.
type verdictRecord struct {
	Outcome Outcome   `cbor:"1,keyasint"`
	Was     hlc.Stamp `cbor:"2,keyasint,omitzero"`
}

// Limits of what a hub keeps. A device that does not take note of its verdicts is judged no further; a log that is too
// large is cut when it is compacted, and devices that are further behind get a snapshot.
const (
	maxVerdicts = 2_000     // verdicts other than "applied", a device
	maxLogBytes = 128 << 20 // bytes of log entries
)

// Submission is what a device hands in: operations numbered without holes. Everything up to Floor is settled for the
// device: it will not ask for those verdicts again, nor send those operations, even to a server that forgot them.
type Submission struct {
	Dev   uint64
	Floor uint64
	Ops   []Op
}

// Policy is what the server knows when it judges a submission. Now is its clock in milliseconds since 1970. MayEdit is the
// author's right, read in the transaction that commits. Check returns a reason and a sentence for operations that are not
// acceptable in themselves. By is the account that the history names.
type Policy struct {
	Now     int64
	MayEdit bool
	By      string
	Check   func(*Op) (Reason, string)
}

// InitHub starts a hub in an empty transaction. epoch is random, not zero, and remade whenever the log is not the one that
// clients know (a restore from a copy).
func InitHub(tx Tx, epoch uint64) (*Hub, error) {
	h := &Hub{content{tx}, hubRecord{Epoch: epoch, Old: oldRecord{Kept: true}}}
	return h, h.save()
}

// OpenHub reads a hub's record; ErrNoHub if there is none.
func OpenHub(tx Tx) (*Hub, error) {
	m, ok, err := get[hubRecord](tx, []byte{keyMeta})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNoHub
	}
	return &Hub{content{tx}, m}, nil
}

func (h *Hub) save() error { return put(h.tx, []byte{keyMeta}, h.meta) }

// Head is the log's epoch and the position of its newest entry.
func (h *Hub) Head() (epoch, seq uint64) { return h.meta.Epoch, h.meta.Seq }

// Taken is how many bytes of values were accepted in all, whatever became of them; an earlier version counted none.
func (h *Hub) Taken() int64 { return h.meta.Taken }

// Upgrade brings a hub that an earlier version has written to the present keys. A transaction without one stays as it is.
func Upgrade(tx Tx) error {
	was := map[string][]byte{}
	if err := tx.Scan([]byte{formerDevice}, []byte{formerDevice + 1}, func(k, v []byte) bool {
		was[string(k)] = bytes.Clone(v)
		return true
	}); err != nil {
		return err
	}
	for k, v := range was {
		if err := tx.Put(append([]byte{keyDevice}, k[1:]...), v); err != nil {
			return err
		}
		if err := tx.Delete([]byte(k)); err != nil {
			return err
		}
	}
	return nil
}

// Judged is the number up to which a device's operations were judged, 0 if there were none.
func (h *Hub) Judged(dev uint64) (n uint64, err error) {
	d, _, err := get[deviceRecord](h.tx, numberKey(keyDevice, dev))
	return d.LastN, err
}

// Latest is the T of the latest stamp in the dashboard: an operation with a greater one wins over everything that is there.
func (h *Hub) Latest() (uint64, error) {
	if h.meta.Latest != 0 || h.meta.Seq == 0 {
		return h.meta.Latest, nil
	}
	s, err := h.load()
	if err != nil {
		return 0, err
	}
	return s.max.T, nil
}

// Submit judges operations in order, stores what took effect, and returns the answer with the new log entries. Operations
// that were judged before have no further effect and get the same verdict again; those behind a hole are left unjudged.
func (h *Hub) Submit(s Submission, p Policy) (Ack, []Entry, error) {
	dk := numberKey(keyDevice, s.Dev)
	dev, _, err := get[deviceRecord](h.tx, dk)
	if err != nil {
		return Ack{}, nil, err
	}
	if forked, err := h.forked(&dev, s); forked || err != nil {
		return Ack{Epoch: h.meta.Epoch, UpTo: forkedUpTo, Seq: h.meta.Seq}, nil, err
	}
	before := dev
	dev.settle(s.Floor)
	if err := h.forget(s.Dev, &dev, s.Floor); err != nil {
		return Ack{}, nil, err
	}
	var entries []Entry
	for i := range s.Ops {
		if s.Ops[i].N <= dev.LastN {
			continue
		}
		if s.Ops[i].N > dev.LastN+1 || dev.Kept >= maxVerdicts {
			break
		}
		e := Entry{Op: s.Ops[i]}
		if e.Seq, err = h.take(&e.Op, s.Dev, &dev, p); err != nil {
			return Ack{}, nil, err
		}
		if e.Seq > 0 {
			entries = append(entries, e)
		}
	}
	if dev != before {
		if err := put(h.tx, dk, dev); err != nil {
			return Ack{}, nil, err
		}
	}
	if len(entries) > 0 {
		if err := h.save(); err != nil {
			return Ack{}, nil, err
		}
	}
	a := Ack{Epoch: h.meta.Epoch, UpTo: dev.LastN, Seq: h.meta.Seq}
	if n := len(s.Ops); n > 0 {
		a.UpTo = min(a.UpTo, s.Ops[n-1].N) // what follows may be of another copy of the device
	}
	if dev.Kept == 0 {
		return a, entries, nil
	}
	err = each(h.tx, numberKey(keyVerdict, s.Dev), func(_ []byte, v verdictRecord) error {
		a.Outcomes = append(a.Outcomes, v.Outcome)
		return nil
	})
	return a, entries, err
}

// take judges the device's next operation, merges it if it is accepted, and returns its position in the log, or 0 if it
// changed nothing. op gets its new stamp if it was restamped.
func (h *Hub) take(op *Op, from uint64, dev *deviceRecord, p Policy) (seq uint64, err error) {
	v := verdictRecord{Outcome: refused(op, from, p), Was: op.At()}
	dev.note(op)
	if v.Outcome.Verdict != Rejected && h.tx.Get(key(keyGrave, op.Entity)) != nil {
		v.Outcome.Verdict, v.Outcome.Reason = Rejected, ReasonGone
		v.Outcome.Detail = "This widget was deleted long ago, and cannot be changed any more."
	}
	if v.Outcome.Verdict != Rejected {
		if err := h.stamp(op, dev, p.Now, &v.Outcome); err != nil {
			return 0, err
		}
		latest, err := h.Latest()
		if err != nil {
			return 0, err
		}
		won, err := h.apply(op)
		if err != nil {
			return 0, err
		}
		if won {
			h.meta.Latest = max(latest, op.At().T)
			h.meta.Taken += int64(op.Size())
			if seq, err = h.log(Entry{Op: *op, By: p.By, At: p.Now}); err != nil {
				return 0, err
			}
		} else {
			if v.Outcome.Verdict == Applied {
				v.Outcome.Verdict = Superseded
			}
			if err := h.lost(op, p); err != nil {
				return 0, err
			}
		}
	}
	dev.LastN = op.N
	if v.Outcome.Verdict == Applied {
		return seq, nil
	}
	dev.Kept++
	return seq, put(h.tx, numberKey(keyVerdict, from, op.N), v)
}

// refused is the verdict on an operation before it is merged: Rejected with the reason, or Applied.
func refused(op *Op, from uint64, p Policy) Outcome {
	out := Outcome{N: op.N, Verdict: Rejected}
	switch {
	case !p.MayEdit:
		out.Reason, out.Detail = ReasonForbidden, "You may view this dashboard, but not change it."
	case op.Stamp.Dev != from || from == 0:
		out.Reason, out.Detail = ReasonInvalid, "This edit is not from this device."
	case strings.Contains(op.Entity, "\x00") || len(op.Entity)+len(op.Field) > maxNames:
		out.Reason, out.Detail = ReasonInvalid, "This edit names nothing that can be stored."
	case op.Kind == OpBury:
		out.Reason, out.Detail = ReasonInvalid, "Only the server removes widgets for good."
	case op.Kind == OpSet && op.Value == nil || op.Kind == OpRows && op.Rows == nil:
		out.Reason, out.Detail = ReasonInvalid, "This edit holds no value."
	case op.Rows != nil && (op.Rows.First < 0 || op.Rows.First > maxFirst || op.Rows.DropTo != nil && op.Rows.DropTo.Index < 0):
		out.Reason, out.Detail = ReasonInvalid, "This change of rows counts wrongly."
	default:
		if p.Check != nil {
			out.Reason, out.Detail = p.Check(op)
		}
		if out.Reason == "" {
			out.Verdict, out.Detail = Applied, ""
		}
	}
	return out
}

const maxFirst = 1 << 30 // greatest index of a row in its operation

// stamp gives an operation from too far ahead a new stamp, later than the device's previous one: with the server's time
// alone two edits of one field would tie, and the first might win (SI11).
func (h *Hub) stamp(op *Op, dev *deviceRecord, now int64, out *Outcome) error {
	if r := op.Rows; r != nil && r.DropTo != nil && r.DropTo.Stamp.Dev == op.Stamp.Dev {
		// A trim of rows that got other keys here means the rows, not the keys.
		if err := each(h.tx, numberKey(keyVerdict, op.Stamp.Dev), func(_ []byte, v verdictRecord) error {
			if v.Outcome.Verdict == Restamped && v.Was == r.DropTo.Stamp {
				moved := *r
				moved.DropTo = &RowKey{Stamp: v.Outcome.Stamp, Index: r.DropTo.Index}
				op.Rows = &moved
				return errEnough
			}
			return nil
		}); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	if limit := hlc.At(now + MaxDrift); op.At().T > limit || op.Stamp.T > limit && op.As.IsZero() {
		op.Stamp.T, op.As = max(hlc.At(now), dev.LastT+1), hlc.Stamp{}
		out.Verdict, out.Stamp = Restamped, op.Stamp
	}
	if op.As.IsZero() {
		dev.LastT = max(dev.LastT, op.Stamp.T)
	}
	return nil
}

// log adds an entry and returns its position.
func (h *Hub) log(e Entry) (uint64, error) {
	h.meta.Seq++
	e.Seq = h.meta.Seq
	b, err := cbor.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("write log: %w", err)
	}
	h.meta.Bytes += len(b)
	return h.meta.Seq, h.tx.Put(numberKey(keyEntry, h.meta.Seq), b)
}

// forget drops verdicts that the device has taken note of.
func (h *Hub) forget(id uint64, dev *deviceRecord, floor uint64) error {
	if dev.Kept == 0 || floor == math.MaxUint64 {
		return nil
	}
	n, err := remove(h.tx, numberKey(keyVerdict, id), numberKey(keyVerdict, id, floor+1))
	if err != nil {
		return err
	}
	dev.Kept -= n
	return nil
}

// Remake begins a new epoch, which is random and not zero: the log is not the one that clients know, because the data were
// restored from a copy. Every client then gets a snapshot and offers what it holds beyond it. A client that has seen more of
// the present epoch than Head shows that this is due. The history stays.
func (h *Hub) Remake(epoch uint64) error {
	h.meta.Epoch = epoch
	return h.save()
}

// Bury removes everything of an entity that was deleted long ago, for good: its registers and rows go from here and, by an
// entry of the log, from every device; what is left is that it is gone, so that operations on it are refused as such. It
// returns that entry; ok is false where there is nothing to bury.
func (h *Hub) Bury(entity string, now int64) (e Entry, ok bool, err error) {
	grave := key(keyGrave, entity)
	e = Entry{Op: Op{Kind: OpBury, Entity: entity}, At: now}
	if there, err := h.apply(&e.Op); err != nil || !there || h.tx.Get(grave) != nil {
		return Entry{}, false, err
	}
	if err := h.tx.Put(grave, []byte{}); err != nil {
		return Entry{}, false, err
	}
	if e.Seq, err = h.log(e); err != nil {
		return Entry{}, false, err
	}
	return e, true, h.save()
}

// Mark takes a position in the log for something that is no edit, such as a change of access, so that every edit is
// before or after it.
func (h *Hub) Mark() (seq uint64, err error) {
	h.meta.Seq++
	return h.meta.Seq, h.save()
}

// Since returns the log after position since: at most maxEntries entries and about maxBytes. ok is false if the log does
// not reach back that far, or is another one: then the device needs a snapshot.
func (h *Hub) Since(epoch, since uint64, maxEntries, maxBytes int) (d Delta, ok bool, err error) {
	if epoch != h.meta.Epoch || since < h.meta.Base || since > h.meta.Seq {
		return Delta{}, false, nil
	}
	d = Delta{Epoch: epoch, From: since, To: h.meta.Seq, Entries: []Entry{}}
	size := 0
	err = eachFrom(h.tx, numberKey(keyEntry, since+1), []byte{keyEntry + 1}, func(_ []byte, e Entry) error {
		size += e.Op.Size()
		if len(d.Entries) > 0 && (len(d.Entries) >= maxEntries || size > maxBytes) {
			d.To = e.Seq - 1
			return errEnough
		}
		d.Entries = append(d.Entries, e)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return d, true, err
}

// Snapshot writes the whole content as pages of about maxBytes each.
func (h *Hub) Snapshot(maxBytes int) ([]Snapshot, error) {
	return h.snapshot(h.meta.Epoch, h.meta.Seq, maxBytes)
}

// State reads the whole content into memory.
func (h *Hub) State() (*State, error) { return h.load() }

// Outline is State without rows: the title, the widgets and how they are arranged, for lists.
func (h *Hub) Outline() (*State, error) { return h.outline() }

// Register reads one register without the rest of the content; ok is false if it was never written.
func (h *Hub) Register(entity, field string) (value json.RawMessage, ok bool, err error) {
	r, ok, err := get[register](h.tx, key(keyRegister, entity, field))
	return r.Value, ok, err
}

// Rows reads one entity's row log without the rest of the content; one without any rows is empty.
func (h *Hub) Rows(entity string) (*Rows, error) { return h.rows(entity) }

// Header is the columns of an entity's row log, nil if it has none, and the number of its rows, without reading these.
func (h *Hub) Header(entity string) (columns json.RawMessage, rows int, err error) {
	l, _, err := get[logRecord](h.tx, key(keyLog, entity))
	return bytes.Clone(h.columns(entity)), l.Count, err
}

// RowKey is the key of row i of an entity, 0 <= i < the number of its rows, without reading the rows; the zero key of one
// that is not there.
func (h *Hub) RowKey(entity string, i int) (RowKey, error) { return h.rowKey(entity, i) }

// Compact drops all but the newest keep positions of the log, and more if their entries take too much space. Devices that
// are further behind get a snapshot; the history reaches back further.
func (h *Hub) Compact(keep uint64) error {
	base := h.meta.Base
	if h.meta.Seq > keep {
		base = max(base, h.meta.Seq-keep)
	}
	if base == h.meta.Base && h.meta.Bytes <= maxLogBytes {
		return nil
	}
	if err := h.keepOld(); err != nil {
		return err
	}
	var gone [][]byte
	if err := h.tx.Scan([]byte{keyEntry}, []byte{keyEntry + 1}, func(k, b []byte) bool {
		seq := base // an entry whose key is damaged goes
		if len(k) == 9 {
			seq = binary.BigEndian.Uint64(k[1:])
		}
		if seq > base && h.meta.Bytes <= maxLogBytes {
			return false
		}
		base = max(base, seq)
		h.meta.Bytes -= len(b)
		gone = append(gone, bytes.Clone(k))
		return true
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := h.retire(k); err != nil {
			return err
		}
	}
	h.meta.Base = base
	if err := h.trimOld(); err != nil {
		return err
	}
	return h.save()
}
