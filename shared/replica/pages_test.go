package replica_test

import (
	"encoding/json"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// A snapshot of several pages is taken in whole, whatever lies between its pages' keys and those that it writes.
func TestSI4_SnapshotOfManyPages(t *testing.T) {
	var server, device replica.Memory
	hub, err := replica.InitHub(&server, 7)
	if err != nil {
		t.Fatal(err)
	}
	ops := []replica.Op{{
		N: 1, Stamp: hlc.Stamp{T: 1, Dev: 1}, Kind: replica.OpRows, Entity: "w",
		Rows: &replica.RowChange{Replace: true, Columns: json.RawMessage(`[]`)},
	}}
	for n := uint64(2); n < 40; n++ {
		ops = append(ops, replica.Op{
			N: n, Stamp: hlc.Stamp{T: n, Dev: 1}, Kind: replica.OpRows, Entity: "w",
			Rows: &replica.RowChange{Rows: []json.RawMessage{json.RawMessage(`[1,"some text that takes room"]`)}},
		})
	}
	if _, _, err := hub.Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{MayEdit: true}); err != nil {
		t.Fatal(err)
	}
	pages, err := hub.Snapshot(300)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 5 {
		t.Fatalf("%d pages", len(pages))
	}
	clock := hlc.Clock{Dev: 2}
	for range 2 { // the second time over what the first one left
		for _, p := range pages {
			c, err := replica.OpenClient(&device)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Snapshot(p, &clock, 1); err != nil {
				t.Fatalf("page %d: %v", p.Page, err)
			}
		}
	}
	c, err := replica.OpenClient(&device)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Confirmed()
	if err != nil {
		t.Fatal(err)
	}
	want, err := hub.State()
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(want) {
		t.Errorf("the device holds %d rows, the server %d", got.Rows("w").Len(), want.Rows("w").Len())
	}
}
