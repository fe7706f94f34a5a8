package replica

import (
	"bytes"
	"errors"
	"strings"

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
}

type deviceRecord struct {
	LastN uint64 `cbor:"1,keyasint"`
	LastT uint64 `cbor:"2,keyasint"`
}

// Submission is what a device hands in: operations numbered without holes. Verdicts up to Floor will not be asked for
// again.
type Submission struct {
	Dev   uint64
	Floor uint64
	Ops   []Op
}

// Policy is what the server knows when it judges a submission. Now is its clock in milliseconds since 1970. MayEdit is the
// author's right, read in the transaction that commits. Check returns a reason and a sentence for operations that are not
// acceptable in themselves.
type Policy struct {
	Now     int64
	MayEdit bool
	Check   func(*Op) (Reason, string)
}

// InitHub starts a hub in an empty transaction. epoch is random, not zero, and remade whenever the log is not the one that
// clients know (a restore from a copy).
func InitHub(tx Tx, epoch uint64) (*Hub, error) {
	h := &Hub{content{tx}, hubRecord{Epoch: epoch}}
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

// Submit judges operations in order, stores what took effect, and returns the answer with the new log entries. Operations
// that were judged before have no further effect and get the same verdict again; those behind a hole are left unjudged.
func (h *Hub) Submit(s Submission, p Policy) (Ack, []Entry, error) {
	dk := numberKey(keyDevice, s.Dev)
	dev, _, err := get[deviceRecord](h.tx, dk)
	if err != nil {
		return Ack{}, nil, err
	}
	if err := h.forget(s.Dev, s.Floor); err != nil {
		return Ack{}, nil, err
	}
	before := dev
	var entries []Entry
	for i := range s.Ops {
		op := s.Ops[i]
		if op.N <= dev.LastN {
			continue
		}
		if op.N > dev.LastN+1 {
			break
		}
		out, err := h.judge(&op, s.Dev, &dev, p)
		if err != nil {
			return Ack{}, nil, err
		}
		dev.LastN = op.N
		if out.Verdict == Applied || out.Verdict == Restamped {
			h.meta.Seq++
			e := Entry{Seq: h.meta.Seq, Op: op}
			if err := put(h.tx, numberKey(keyEntry, e.Seq), e); err != nil {
				return Ack{}, nil, err
			}
			entries = append(entries, e)
		}
		if out.Verdict != Applied {
			if err := put(h.tx, numberKey(keyVerdict, s.Dev, op.N), out); err != nil {
				return Ack{}, nil, err
			}
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
	err = each(h.tx, numberKey(keyVerdict, s.Dev), func(_ []byte, o Outcome) error {
		a.Outcomes = append(a.Outcomes, o)
		return nil
	})
	return a, entries, err
}

// judge decides about one operation and merges it if it is accepted.
func (h *Hub) judge(op *Op, from uint64, dev *deviceRecord, p Policy) (Outcome, error) {
	out := Outcome{N: op.N, Verdict: Applied}
	refuse := func(r Reason, sentence string) (Outcome, error) {
		return Outcome{N: op.N, Verdict: Rejected, Reason: r, Detail: sentence}, nil
	}
	if !p.MayEdit {
		return refuse(ReasonForbidden, "You may view this dashboard, but not change it.")
	}
	if op.Stamp.Dev != from || strings.Contains(op.Entity, "\x00") {
		return refuse(ReasonInvalid, "This edit is not from this device.")
	}
	if p.Check != nil {
		if r, sentence := p.Check(op); r != "" {
			return refuse(r, sentence)
		}
	}
	if op.Stamp.T > hlc.At(p.Now+MaxDrift) {
		// Later than the device's previous one, or two edits of one field would tie and the first might win (SI11).
		op.Stamp.T = max(hlc.At(p.Now), dev.LastT+1)
		out.Verdict, out.Stamp = Restamped, op.Stamp
	}
	dev.LastT = max(dev.LastT, op.Stamp.T)
	won, err := h.apply(op)
	if err != nil {
		return out, err
	}
	if !won {
		out.Verdict = Superseded
	}
	return out, nil
}

// forget drops verdicts that the device has taken note of.
func (h *Hub) forget(dev, floor uint64) error {
	var gone [][]byte
	if err := h.tx.Scan(numberKey(keyVerdict, dev), numberKey(keyVerdict, dev, floor+1), func(k, _ []byte) bool {
		gone = append(gone, bytes.Clone(k))
		return true
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := h.tx.Delete(k); err != nil {
			return err
		}
	}
	return nil
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
	enough := errors.New("enough")
	err = eachFrom(h.tx, numberKey(keyEntry, since+1), []byte{keyEntry + 1}, func(_ []byte, e Entry) error {
		size += e.Op.Size()
		if len(d.Entries) > 0 && (len(d.Entries) >= maxEntries || size > maxBytes) {
			d.To = e.Seq - 1
			return enough
		}
		d.Entries = append(d.Entries, e)
		return nil
	})
	if errors.Is(err, enough) {
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

// Compact drops all but the newest keep positions of the log. Devices that are further behind get a snapshot.
func (h *Hub) Compact(keep uint64) error {
	if h.meta.Seq <= keep || h.meta.Seq-keep <= h.meta.Base {
		return nil
	}
	base := h.meta.Seq - keep
	var gone [][]byte
	if err := h.tx.Scan([]byte{keyEntry}, numberKey(keyEntry, base+1), func(k, _ []byte) bool {
		gone = append(gone, bytes.Clone(k))
		return true
	}); err != nil {
		return err
	}
	for _, k := range gone {
		if err := h.tx.Delete(k); err != nil {
			return err
		}
	}
	h.meta.Base = base
	return h.save()
}
