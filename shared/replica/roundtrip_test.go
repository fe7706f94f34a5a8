package replica_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

type device struct {
	tx    replica.Memory
	clock hlc.Clock
}

func (d *device) open(t *testing.T) *replica.Client {
	t.Helper()
	c, err := replica.OpenClient(&d.tx)
	must(t, err)
	return c
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// exchange lets d and the hub tell each other everything.
func exchange(t *testing.T, d *device, server *replica.Memory, mayEdit bool) replica.Changes {
	t.Helper()
	h, err := replica.OpenHub(server)
	must(t, err)
	pull := func() {
		c := d.open(t)
		delta, ok, err := h.Since(c.Status().Epoch, c.Status().Seen, 100, 1<<20)
		must(t, err)
		if ok {
			_, err = c.Delta(delta, &d.clock)
			must(t, err)
			return
		}
		pages, err := h.Snapshot(200)
		must(t, err)
		for _, p := range pages {
			_, err = d.open(t).Snapshot(p, &d.clock, 1000)
			must(t, err)
		}
	}
	pull()
	c := d.open(t)
	ops, err := c.Pending(0, 100, 1<<20)
	must(t, err)
	ack, _, err := h.Submit(replica.Submission{Dev: d.clock.Dev, Floor: c.Status().Acked, Ops: ops}, replica.Policy{Now: 1000, MayEdit: mayEdit})
	must(t, err)
	ch, err := c.Ack(ack)
	must(t, err)
	pull()
	return ch
}

func edit(field, value string) replica.Edit {
	return replica.Edit{Kind: replica.OpSet, Entity: "board", Field: field, Value: json.RawMessage(value)}
}

func appendRows(from, n int) replica.Edit {
	rows := make([]json.RawMessage, n)
	for i := range rows {
		rows[i] = json.RawMessage(fmt.Sprintf("[%d]", from+i))
	}
	return replica.Edit{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{Rows: rows}}
}

func TestSI1_TwoDevicesThroughAServer(t *testing.T) {
	var server replica.Memory
	_, err := replica.InitHub(&server, 7)
	must(t, err)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	_, err = a.open(t).Edit(&a.clock, 1000, []replica.Edit{edit("title", `"a"`), appendRows(0, 3)})
	must(t, err)
	_, err = b.open(t).Edit(&b.clock, 1001, []replica.Edit{edit("title", `"b"`), appendRows(10, 2)})
	must(t, err)
	for _, d := range []*device{a, b, a} {
		exchange(t, d, &server, true)
	}
	h, err := replica.OpenHub(&server)
	must(t, err)
	want, err := h.State()
	must(t, err)
	if v, _, _ := want.Register("board", "title"); string(v) != `"b"` || want.Rows("w").Len() != 5 {
		t.Fatalf("title %s, %d rows", v, want.Rows("w").Len())
	}
	for _, d := range []*device{a, b} {
		got, err := d.open(t).View()
		must(t, err)
		if !got.Equal(want) || d.open(t).Status().Waiting != 0 {
			t.Errorf("device %d differs", d.clock.Dev)
		}
	}
}

func TestSI16_StoredRowsEqualMemory(t *testing.T) {
	var tx replica.Memory
	h, err := replica.InitHub(&tx, 1)
	must(t, err)
	mem, clock := replica.NewState(), hlc.Clock{Dev: 9}
	var ops []replica.Op
	add := func(e replica.Edit) {
		ops = append(ops, replica.Op{N: uint64(len(ops) + 1), Stamp: clock.Now(1), Kind: e.Kind, Entity: e.Entity, Rows: e.Rows})
	}
	for i := range 12 {
		add(appendRows(i*2000, 2000))
	}
	add(appendRows(99, 1))
	drop := replica.RowKey{Stamp: ops[5].Stamp, Index: 77}
	add(replica.Edit{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{DropTo: &drop}})
	for _, op := range append(ops, ops[2], ops[7]) {
		mem.Apply(op)
	}
	_, _, err = h.Submit(replica.Submission{Dev: 9, Ops: ops[:13]}, replica.Policy{MayEdit: true})
	must(t, err)
	if s, err := h.State(); err != nil || s.Rows("w").Len() != replica.MaxRows {
		t.Fatalf("%d rows, %v", s.Rows("w").Len(), err)
	}
	_, _, err = h.Submit(replica.Submission{Dev: 9, Ops: ops[13:]}, replica.Policy{MayEdit: true})
	must(t, err)
	s, err := h.State()
	must(t, err)
	if !s.Equal(mem) {
		t.Errorf("stored %d rows from %v, in memory %d from %v", s.Rows("w").Len(), s.Rows("w").Key(0), mem.Rows("w").Len(), mem.Rows("w").Key(0))
	}
}
