package replica

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Audit holds a hub's records against each other and calls say with each thing that does not agree: entries of the log
// outside their positions or under another's, sums and counts that are not what is there, verdicts of operations that were
// never judged, a history that is not whole, content that cannot be read. It changes nothing. The error is the transaction's.
func (h *Hub) Audit(say func(problem string)) error {
	if h.meta.Epoch == 0 {
		say("the log has no epoch")
	}
	if h.meta.Base > h.meta.Seq {
		say(fmt.Sprintf("the log begins behind its end (%d after %d)", h.meta.Base, h.meta.Seq))
	}
	if err := h.auditLog(say); err != nil {
		return err
	}
	if err := h.auditDevices(say); err != nil {
		return err
	}
	if err := h.auditHistory(say); err != nil {
		return err
	}
	return h.auditContent(say)
}

func (h *Hub) auditLog(say func(string)) error {
	size := 0
	if err := h.tx.Scan([]byte{keyEntry}, []byte{keyEntry + 1}, func(k, b []byte) bool {
		size += len(b)
		var e Entry
		switch err := cbor.Unmarshal(b, &e); {
		case len(k) != 9:
			say("an entry of the log has no position")
		case err != nil:
			say(fmt.Sprintf("entry %d of the log cannot be read", binary.BigEndian.Uint64(k[1:])))
		case e.Seq != binary.BigEndian.Uint64(k[1:]):
			say(fmt.Sprintf("entry %d of the log is kept as %d", e.Seq, binary.BigEndian.Uint64(k[1:])))
		case e.Seq <= h.meta.Base || e.Seq > h.meta.Seq:
			say(fmt.Sprintf("entry %d lies outside the log (%d to %d)", e.Seq, h.meta.Base+1, h.meta.Seq))
		}
		return true
	}); err != nil {
		return err
	}
	if size != h.meta.Bytes {
		say(fmt.Sprintf("the log has %d bytes and not %d", size, h.meta.Bytes))
	}
	return nil
}

func (h *Hub) auditHistory(say func(string)) error {
	old := h.meta.Old
	count, size := 0, 0
	if err := h.tx.Scan([]byte{keyOld}, []byte{keyOld + 1}, func(k, b []byte) bool {
		count, size = count+1, size+len(b)
		var p Past
		switch err := cbor.Unmarshal(b, &p); {
		case err != nil || len(k) < 9:
			say("a change of the history cannot be read")
		case p.Lost == 0 && !bytes.Equal(k, numberKey(keyOld, p.Seq)) || p.Lost > 0 && !bytes.Equal(k, numberKey(keyOld, p.Seq, p.Lost)):
			say(fmt.Sprintf("change %d of the history is kept as %d", p.Seq, binary.BigEndian.Uint64(k[1:])))
		case p.Seq > h.meta.Seq || p.Lost == 0 && p.Seq > h.meta.Base || p.Lost > old.Lost:
			say(fmt.Sprintf("change %d of the history has not come to pass", p.Seq))
		}
		return true
	}); err != nil {
		return err
	}
	if count != old.Count || size != old.Bytes {
		say(fmt.Sprintf("the history is miscounted by %d records and %d bytes", old.Count-count, old.Bytes-size))
	}
	if _, err := h.base().load(); err != nil {
		say("the content where the history begins cannot be read")
	}
	return h.tx.Scan([]byte{keyGrave}, []byte{keyGrave + 1}, func(k, _ []byte) bool {
		registers := append(key(keyRegister, string(k[1:])), 0)
		there := h.tx.Get(key(keyLog, string(k[1:]))) != nil
		if err := h.tx.Scan(registers, after(registers), func(_, _ []byte) bool { there = true; return false }); err != nil || there {
			say(fmt.Sprintf("%q was buried and is there", k[1:]))
		}
		return true
	})
}

func (h *Hub) auditDevices(say func(string)) error {
	kept, last := map[uint64]int{}, map[uint64]uint64{}
	for _, kind := range []byte{formerDevice, keyDevice} { // the file may wait to be upgraded
		if err := each(h.tx, []byte{kind}, func(k []byte, d deviceRecord) error {
			if len(k) != 9 {
				say("a device has no number")
				return nil
			}
			dev := binary.BigEndian.Uint64(k[1:])
			kept[dev], last[dev] = d.Kept, d.LastN
			return nil
		}); err != nil {
			say("what is kept of a device cannot be read")
			return nil //nolint:nilerr // said
		}
	}
	if err := each(h.tx, []byte{keyVerdict}, func(k []byte, v verdictRecord) error {
		if len(k) != 17 {
			say("a verdict has no number")
			return nil
		}
		dev, n := binary.BigEndian.Uint64(k[1:]), binary.BigEndian.Uint64(k[9:])
		if n != v.Outcome.N || n > last[dev] {
			say(fmt.Sprintf("operation %d of device %016x has a verdict before it was judged", n, dev))
		}
		kept[dev]--
		return nil
	}); err != nil {
		say("a verdict cannot be read")
		return nil //nolint:nilerr // said
	}
	for dev, n := range kept {
		if n != 0 {
			say(fmt.Sprintf("the verdicts of device %016x are miscounted by %d", dev, n))
		}
	}
	return nil
}

func (h *Hub) auditContent(say func(string)) error {
	s, err := h.load()
	if err != nil {
		say("the content cannot be read")
		return nil //nolint:nilerr // said
	}
	if h.meta.Latest != 0 && h.meta.Latest < s.max.T {
		say("the content is later than the latest stamp")
	}
	return each(h.tx, []byte{keyLog}, func(k []byte, l logRecord) error {
		if rows := s.rows[string(k[1:])]; rows.Len() != l.Count {
			say(fmt.Sprintf("%q has %d rows and not %d", k[1:], rows.Len(), l.Count))
		}
		return nil
	})
}
