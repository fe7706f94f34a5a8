package replica_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// dump writes a transaction's records one after the other, as records reads them.
func dump(tx *replica.Memory) []byte {
	var b []byte
	_ = tx.Scan(nil, nil, func(k, v []byte) bool {
		b = append(b, byte(len(k)))
		b = append(b, k...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
		b = append(b, v...)
		return true
	})
	return b
}

// records makes a transaction of any bytes.
func records(b []byte) *replica.Memory {
	tx := &replica.Memory{}
	for len(b) > 0 {
		n := min(int(b[0]), len(b)-1)
		k := b[1 : 1+n]
		b = b[1+n:]
		if len(k) == 0 || len(b) < 2 {
			break
		}
		n = min(int(binary.BigEndian.Uint16(b)), len(b)-2)
		_ = tx.Put(k, b[2:2+n])
		b = b[2+n:]
	}
	return tx
}

// samples are the records of a hub and of a device that have been through something.
func samples(f *testing.F) (server, device *replica.Memory) {
	f.Helper()
	h := newHouse(f)
	d := h.desks[0]
	key := replica.RowKey{Stamp: hlc.Stamp{T: 1, Dev: 1}, Index: 1}
	table := appendRows(0, 3)
	table.Rows.Replace, table.Rows.Columns = true, json.RawMessage(`["a"]`)
	trim := appendRows(5, 1)
	trim.Rows.DropTo = &key
	for _, wall := range []int64{h.now, h.now + 3_600_000} {
		_, err := h.client(d).Edit(&d.clock, wall, []replica.Edit{edit("x", "1"), table, appendRows(3, 2), trim})
		must(f, err)
	}
	pages, err := h.hub().Snapshot(1)
	must(f, err)
	_, err = h.client(d).Snapshot(pages[0], &d.clock, h.now)
	must(f, err)
	for i, may := range []bool{true, true, false} {
		c := h.client(d)
		ops, err := c.Pending(0, 6-i, 1<<20)
		must(f, err)
		ack, _, err := h.hub().Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{Now: h.now, MayEdit: may})
		must(f, err)
		_, err = c.Ack(ack)
		must(f, err)
	}
	_, err = h.client(d).Edit(&d.clock, h.now, []replica.Edit{edit("y", "2")})
	must(f, err)
	pages, err = h.hub().Snapshot(100)
	must(f, err)
	_, err = h.client(d).Snapshot(pages[0], &d.clock, h.now)
	must(f, err)
	return h.server, &d.tx
}

// ops exercise every kind of change on whatever is stored.
func probes() []replica.Op {
	var ops []replica.Op
	for i, e := range []replica.Edit{
		edit("x", "1"), appendRows(0, 2),
		{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{Replace: true, Columns: json.RawMessage("[]")}},
		{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{DropTo: &replica.RowKey{Stamp: hlc.Stamp{T: 2, Dev: 1}, Index: 1}}},
		{Kind: "later", Entity: "w", Field: "f"},
	} {
		ops = append(ops, replica.Op{N: uint64(i) + 1, Stamp: hlc.Stamp{T: 3 + uint64(i), Dev: 1}, Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows})
	}
	return ops
}

// FuzzSI17_HubRecords opens a hub whose file holds anything. Errors are fine, panics are not.
func FuzzSI17_HubRecords(f *testing.F) {
	server, device := samples(f)
	f.Add(dump(server))
	f.Add(dump(device))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := replica.OpenHub(records(b)); err == nil {
			exerciseHub(h)
		}
	})
}

func exerciseHub(h *replica.Hub) {
	epoch, seq := h.Head()
	if s, err := h.State(); err == nil {
		s.Clone().Merge(s)
	}
	_, _ = h.Snapshot(50)
	for _, since := range []uint64{0, seq - 1, seq} {
		_, _, _ = h.Since(epoch, since, 3, 1000)
	}
	_, _, _ = h.Submit(replica.Submission{Dev: 1, Floor: 1, Ops: probes()}, replica.Policy{Now: 10, MayEdit: true})
	_, _, _ = h.Submit(replica.Submission{Dev: 2, Ops: probes()}, replica.Policy{})
	_, _ = h.Mark()
	_ = h.Compact(1)
	_ = h.Remake(epoch + 1)
}

// FuzzSI17_ClientRecords opens a client whose file holds anything. Errors are fine, panics are not.
func FuzzSI17_ClientRecords(f *testing.F) {
	server, device := samples(f)
	f.Add(dump(device))
	f.Add(dump(server))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := replica.OpenClient(records(b)); err == nil {
			exerciseClient(c)
		}
	})
}

func exerciseClient(c *replica.Client) {
	s := c.Status()
	clock := hlc.Clock{Dev: 1}
	_, _ = c.View()
	_, _ = c.Confirmed()
	_, _ = c.Tray()
	_, _ = c.Pending(0, 3, 1000)
	var entries []replica.Entry
	for i, op := range probes() {
		entries = append(entries, replica.Entry{Seq: s.Seen + 1 + uint64(i), Op: op})
	}
	_, _ = c.Delta(replica.Delta{Epoch: s.Epoch, From: s.Seen, To: s.Seen + 5, Entries: entries}, &clock)
	_, _ = c.Ack(replica.Ack{Epoch: s.Epoch, UpTo: s.Acked + 1, Seq: s.Seen, Outcomes: []replica.Outcome{
		{N: s.Acked + 1, Verdict: replica.Restamped, Stamp: hlc.Stamp{T: 9, Dev: 1}}, {N: 1, Verdict: replica.Rejected},
	}})
	_, _ = c.Edit(&clock, 10, []replica.Edit{appendRows(0, 1)})
	_ = c.Reincarnate(&hlc.Clock{Dev: 8}, 10)
	_, _ = c.Snapshot(replica.Snapshot{Epoch: s.Epoch + 1, Seq: 1, Last: true}, &clock, 10)
	_ = c.DropTray(1)
}

// FuzzSI17_Messages takes messages as a server might send them, whatever they hold.
func FuzzSI17_Messages(f *testing.F) {
	server, device := samples(f)
	hub, err := replica.OpenHub(server)
	must(f, err)
	pages, err := hub.Snapshot(1 << 20)
	must(f, err)
	d, _, err := hub.Since(epoch, 0, 100, 1<<20)
	must(f, err)
	for _, m := range []any{pages[0], d, replica.Ack{Epoch: epoch, UpTo: 1}} {
		b, err := json.Marshal(m)
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tx := device.Clone()
		clock := hlc.Clock{Dev: 1}
		c, err := replica.OpenClient(tx)
		must(t, err)
		var page replica.Snapshot
		if json.Unmarshal(b, &page) == nil {
			_, _ = c.Snapshot(page, &clock, 1)
			page.Page, page.Last, page.Epoch = 0, true, epoch
			if _, err := c.Snapshot(page, &clock, 1); err == nil {
				readable(t, c)
			}
		}
		var delta replica.Delta
		if json.Unmarshal(b, &delta) == nil {
			s := c.Status()
			delta.Epoch, delta.From = s.Epoch, s.Seen
			_, _ = c.Delta(delta, &clock)
		}
		var ack replica.Ack
		if json.Unmarshal(b, &ack) == nil {
			ack.Epoch = c.Status().Epoch
			_, _ = c.Ack(ack)
		}
		_, _ = c.View()
	})
}

// readable checks that what was taken can be read again.
func readable(t *testing.T, c *replica.Client) {
	t.Helper()
	s, err := c.Confirmed()
	if err != nil {
		t.Errorf("a snapshot was taken that cannot be read: %v", err)
		return
	}
	for _, e := range s.Entities() {
		if rows := s.Rows(e); rows != nil {
			n := 0
			for range rows.All() {
				n++
			}
			if n != rows.Len() {
				t.Errorf("%d rows, said to be %d", n, rows.Len())
			}
		}
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	t.Parallel()
	tx, _ := newHub(t)
	if b := dump(tx); len(b) == 0 || !bytes.Equal(b, dump(records(b))) {
		t.Error("the fuzzers do not read what they write")
	}
}
