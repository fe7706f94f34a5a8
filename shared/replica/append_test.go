package replica_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// metered is a transaction that counts what goes through it.
type metered struct {
	replica.Memory
	put, read int // bytes of keys and values
}

func (m *metered) Get(key []byte) []byte {
	v := m.Memory.Get(key)
	m.read += len(key) + len(v)
	return v
}

func (m *metered) Put(key, value []byte) error {
	m.put += len(key) + len(value)
	return m.Memory.Put(key, value)
}

func (m *metered) Scan(from, to []byte, fn func(k, v []byte) bool) error {
	return m.Memory.Scan(from, to, func(k, v []byte) bool {
		m.read += len(k) + len(v)
		return fn(k, v)
	})
}

// cost is what one appended row costs: bytes written and read by the device and the server, and bytes of the two frames.
type cost struct{ devicePut, deviceRead, hubPut, hubRead, sent, received int }

// series is a device and a server that share one row log.
type series struct {
	t      *testing.T
	device metered
	hub    metered
	clock  hlc.Clock
}

func newSeries(t *testing.T, rows int) *series {
	t.Helper()
	s := &series{t: t, clock: hlc.Clock{Dev: 5}}
	h, err := replica.InitHub(&s.hub, epoch)
	must(t, err)
	_, ok, err := h.Since(0, 0, 1, 1)
	must(t, err)
	if ok {
		t.Fatal("a new device needs a snapshot")
	}
	pages, err := h.Snapshot(1 << 20)
	must(t, err)
	c, err := replica.OpenClient(&s.device)
	must(t, err)
	for _, p := range pages {
		_, err = c.Snapshot(p, &s.clock, now)
		must(t, err)
	}
	s.change(&replica.RowChange{Replace: true, Columns: json.RawMessage(`[{"name":"n","type":"number"}]`)})
	for i := 0; i < rows; i += 10 {
		ten := make([]json.RawMessage, 10)
		for j := range ten {
			ten[j] = json.RawMessage(fmt.Sprintf("[%d]", 100_000+i+j))
		}
		s.change(&replica.RowChange{Rows: ten})
	}
	return s
}

func (s *series) append(i int) cost {
	return s.change(&replica.RowChange{Rows: []json.RawMessage{json.RawMessage(fmt.Sprintf("[%d]", 100_000+i))}})
}

// change makes a change on the device and carries it to the server and back, as the programs do.
func (s *series) change(rows *replica.RowChange) (c cost) {
	s.t.Helper()
	s.device.put, s.device.read, s.hub.put, s.hub.read = 0, 0, 0, 0
	client, err := replica.OpenClient(&s.device)
	must(s.t, err)
	_, err = client.Edit(&s.clock, now, []replica.Edit{{Kind: replica.OpRows, Entity: "w", Rows: rows}})
	must(s.t, err)
	pending, err := client.Pending(0, wire.MaxBatchOps, wire.MaxBatchBytes)
	must(s.t, err)
	frame, err := wire.Encode(wire.Ops{Board: "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1E", Floor: client.Status().Acked, Ops: pending})
	must(s.t, err)
	c.sent = len(frame)
	h, err := replica.OpenHub(&s.hub)
	must(s.t, err)
	_, from := h.Head()
	ack, entries, err := h.Submit(replica.Submission{Dev: s.clock.Dev, Floor: client.Status().Acked, Ops: pending}, replica.Policy{Now: now, MayEdit: true})
	must(s.t, err)
	_, to := h.Head()
	if to/1_000 != from/1_000 {
		must(s.t, h.Compact(1_000))
	}
	d := replica.Delta{Epoch: epoch, From: from, To: to, Entries: entries}
	frame, err = wire.Encode(wire.Delta{Board: "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1E", Delta: d})
	must(s.t, err)
	c.received = len(frame)
	_, err = client.Ack(ack)
	must(s.t, err)
	_, err = client.Delta(d, &s.clock)
	must(s.t, err)
	c.devicePut, c.deviceRead, c.hubPut, c.hubRead = s.device.put, s.device.read, s.hub.put, s.hub.read
	return c
}

// One row appended to a long series costs what it costs in a short one: frames, records written and records read, on the
// device and on the server; also where the series is full and its oldest row goes.
func TestSI14_SI16_AnAppendedRowCostsItsOwnSize(t *testing.T) {
	t.Parallel()
	short := newSeries(t, 10).append(11)
	t.Logf("in a series of 10: %+v", short)
	const atMost = 400 // bytes, for a row of 8: stamps, names, a place in the queue and in the log
	for _, n := range []int{10_000, replica.MaxRows} {
		s := newSeries(t, n)
		for i := range 3 {
			got := s.append(n + i)
			t.Logf("in a series of %d: %+v", n, got)
			for what, x := range map[string][2]int{
				"written by the device": {got.devicePut, short.devicePut}, "written by the server": {got.hubPut, short.hubPut},
				"read by the device": {got.deviceRead, short.deviceRead}, "read by the server": {got.hubRead, short.hubRead},
				"sent": {got.sent, short.sent}, "received": {got.received, short.received},
			} {
				// A full series also reads the segment of which the first row goes.
				if x[0] > 3*x[1] || x[0] > atMost {
					t.Errorf("series of %d: %d bytes %s, in a series of 10 it is %d", n, x[0], what, x[1])
				}
			}
		}
	}
}
