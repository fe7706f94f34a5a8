package replica_test

import (
	"encoding/json"
	"errors"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// start makes a server, of epoch 7.
func start(t *testing.T) *replica.Memory {
	t.Helper()
	server := &replica.Memory{}
	_, err := replica.InitHub(server, 7)
	must(t, err)
	return server
}

func (d *device) edit(t *testing.T, wall int64, edits ...replica.Edit) []replica.Op {
	t.Helper()
	ops, err := d.open(t).Edit(&d.clock, wall, edits)
	must(t, err)
	return ops
}

// submit hands in up to n operations that wait, and returns the answer.
func (d *device) submit(t *testing.T, server *replica.Memory, n int) replica.Ack {
	t.Helper()
	h, err := replica.OpenHub(server)
	must(t, err)
	c := d.open(t)
	ops, err := c.Pending(0, n, 1<<20)
	must(t, err)
	ack, _, err := h.Submit(replica.Submission{Dev: d.clock.Dev, Floor: c.Status().Acked, Ops: ops}, replica.Policy{Now: 1000, MayEdit: true})
	must(t, err)
	return ack
}

// same reports an error unless every device shows exactly what the server holds.
func same(t *testing.T, server *replica.Memory, devices ...*device) *replica.State {
	t.Helper()
	h, err := replica.OpenHub(server)
	must(t, err)
	want, err := h.State()
	must(t, err)
	for _, d := range devices {
		got, err := d.open(t).View()
		must(t, err)
		if !got.Equal(want) {
			t.Errorf("device %d differs from the server", d.clock.Dev)
		}
	}
	return want
}

func TestSI13_TwoEditorsHealARestoredServerWithoutDoubles(t *testing.T) {
	server := start(t)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	a.edit(t, 1000, edit("title", `"first"`), appendRows(0, 3))
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	backup := server.Clone()
	a.edit(t, 1001, edit("title", `"second"`), appendRows(3, 2))
	trim := a.edit(t, 1002, appendRows(5, 2))[0]
	a.edit(t, 1003, replica.Edit{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{DropTo: &replica.RowKey{Stamp: trim.Stamp, Index: 1}}})
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	b.edit(t, 1004, edit("title", `"third"`))
	exchange(t, b, server, true) // a never hears of it
	held := same(t, server, b)

	server = backup
	h, err := replica.OpenHub(server)
	must(t, err)
	must(t, h.Remake(8))
	for _, d := range []*device{a, b, a, b} {
		exchange(t, d, server, true)
	}
	if !same(t, server, a, b).Equal(held) {
		t.Error("the server does not hold again what it held before")
	}
	a.edit(t, 1005, edit("title", `"fourth"`))
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	if v, _, _ := same(t, server, a, b).Register("board", "title"); string(v) != `"fourth"` {
		t.Errorf("title %s", v)
	}
}

func TestSI13_AViewersOffersAreRefusedInSilence(t *testing.T) {
	server := start(t)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	backup := server.Clone()
	a.edit(t, 1000, edit("title", `"a"`))
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	h, err := replica.OpenHub(backup)
	must(t, err)
	must(t, h.Remake(8))
	exchange(t, b, backup, false)
	tray, err := b.open(t).Tray()
	must(t, err)
	if same(t, backup, b); len(tray) != 0 || b.open(t).Status().Waiting != 0 {
		t.Errorf("%d in the tray", len(tray))
	}
	// The author's own edit is another matter: it is in the author's tray.
	exchange(t, a, backup, false)
	if tray, err = a.open(t).Tray(); err != nil || len(tray) != 1 {
		t.Errorf("%d in the author's tray, %v", len(tray), err)
	}
}

func TestSI3_ACopiedStoreSendsWhatWaitsOnce(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	a.edit(t, 1000, appendRows(0, 3), edit("title", `"a"`))
	b := &device{tx: *a.tx.Clone(), clock: hlc.Clock{Dev: 2, Last: a.clock.Last}}
	must(t, b.open(t).Reincarnate(&b.clock, 1000))
	b.edit(t, 1001, edit("title", `"b"`))
	for _, d := range []*device{a, b, a} {
		exchange(t, d, server, true)
	}
	s := same(t, server, a, b)
	if v, _, _ := s.Register("board", "title"); string(v) != `"b"` || s.Rows("w").Len() != 3 {
		t.Errorf("title %s, %d rows", v, s.Rows("w").Len())
	}
}

func TestSI2_AForkedStoreIsNoticed(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	old := &device{tx: *a.tx.Clone(), clock: a.clock}
	a.edit(t, 1000, edit("title", `"a"`), edit("theme", `"dark"`))
	exchange(t, a, server, true)

	old.edit(t, 1000, edit("title", `"old"`))
	h, err := replica.OpenHub(server)
	must(t, err)
	c := old.open(t)
	delta, _, err := h.Since(c.Status().Epoch, c.Status().Seen, 10, 1<<20)
	must(t, err)
	if _, err := c.Delta(delta, &old.clock); !errors.Is(err, replica.ErrForked) {
		t.Errorf("delta: %v", err)
	}
	ack, _, err := h.Submit(replica.Submission{Dev: 1}, replica.Policy{Now: 1000, MayEdit: true})
	must(t, err)
	if _, err := old.open(t).Ack(ack); !errors.Is(err, replica.ErrForked) {
		t.Errorf("ack: %v", err)
	}
	old.clock.Dev = 3
	must(t, old.open(t).Reincarnate(&old.clock, 1001))
	exchange(t, old, server, true)
	exchange(t, a, server, true)
	same(t, server, a, old)
}

func TestSI10_RestampedRowsShowOnceWhenTheDeltaComesFirst(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	const ahead = 3_600_000
	first := a.edit(t, ahead, appendRows(0, 3))[0]
	a.edit(t, ahead, replica.Edit{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{DropTo: &replica.RowKey{Stamp: first.Stamp, Index: 2}}})
	h, err := replica.OpenHub(server)
	must(t, err)
	c := a.open(t)
	seen := c.Status().Seen
	ops, err := c.Pending(0, 1, 1<<20)
	must(t, err)
	ack, entries, err := h.Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{Now: 1000, MayEdit: true})
	must(t, err)
	ch, err := c.Delta(replica.Delta{Epoch: ack.Epoch, From: seen, To: ack.Seq, Entries: entries}, &a.clock)
	must(t, err)
	view, err := c.View()
	must(t, err)
	if !ch.Rebuild || ch.Restamped != 1 || view.Rows("w").Len() != 1 {
		t.Errorf("%d rows; the trim leaves one (%+v)", view.Rows("w").Len(), ch)
	}
	if ch, err = c.Ack(ack); err != nil || ch.Restamped != 0 {
		t.Errorf("told twice: %+v, %v", ch, err)
	}
	exchange(t, a, server, true)
	if n := same(t, server, a).Rows("w").Len(); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestSI2_EditsAfterARefusalAreJudged(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	a.edit(t, 1000, edit("title", `"lost"`), edit("theme", `"dark"`))
	ch, err := a.open(t).Refuse(replica.ReasonGone, "")
	must(t, err)
	if len(ch.Refused) != 2 || !ch.Rebuild {
		t.Fatalf("%+v", ch)
	}
	a.edit(t, 1001, edit("title", `"again"`))
	exchange(t, a, server, true)
	if v, _, _ := same(t, server, a).Register("board", "title"); string(v) != `"again"` {
		t.Errorf("title %s", v)
	}
	must(t, a.open(t).DropTray(ch.Refused[0].Op.N))
	if tray, err := a.open(t).Tray(); err != nil || len(tray) != 1 || tray[0].Op.Field != "theme" {
		t.Errorf("tray %v, %v", tray, err)
	}
}

func TestSI17_UnknownKindsArePassedOn(t *testing.T) {
	server := start(t)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	exchange(t, b, server, true)
	a.edit(t, 1000, replica.Edit{Kind: "later", Entity: "board", Value: json.RawMessage(`{"x": 1}`)})
	exchange(t, a, server, true)
	h, err := replica.OpenHub(server)
	must(t, err)
	d, ok, err := h.Since(7, 0, 10, 1<<20)
	if err != nil || !ok || len(d.Entries) != 1 || d.Entries[0].Op.Kind != "later" || string(d.Entries[0].Op.Value) != `{"x":1}` {
		t.Errorf("%+v, %v, %v", d, ok, err)
	}
	exchange(t, b, server, true)
	same(t, server, a, b)
}

func TestSI10_WhatWaitsForABuriedWidgetGoesWithIt(t *testing.T) {
	row := appendRows(0, 1)
	for name, pages := range map[string]bool{"told by the log": false, "told by a snapshot": true} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			a := &device{clock: hlc.Clock{Dev: 1}}
			exchange(t, a, server, true)
			a.edit(t, 1000, row)
			ack := a.submit(t, server, 1) // the verdict comes late
			h, err := replica.OpenHub(server)
			must(t, err)
			_, ok, err := h.Bury("w", 1000)
			if must(t, err); !ok {
				t.Fatal("not buried")
			}
			a.edit(t, 1001, row)
			var ch replica.Changes
			if pages {
				p, err := h.Snapshot(1 << 20)
				must(t, err)
				ch, err = a.open(t).Snapshot(p[0], &a.clock, 1001)
				must(t, err)
			} else {
				d, _, err := h.Since(7, 0, 10, 1<<20)
				must(t, err)
				ch, err = a.open(t).Delta(d, &a.clock)
				must(t, err)
			}
			if !ch.Rebuild {
				t.Error("the view is not read anew when the widget goes")
			}
			if ch, err = a.open(t).Ack(ack); err != nil || !ch.Rebuild {
				t.Errorf("the view is not read anew when what waited for the widget goes: %v", err)
			}
			if ch, err = a.open(t).Ack(a.submit(t, server, 1)); err != nil || len(ch.Refused) != 1 || ch.Refused[0].Outcome.Reason != replica.ReasonGone {
				t.Errorf("%+v, %v", ch, err)
			}
			same(t, server, a)
		})
	}
}
