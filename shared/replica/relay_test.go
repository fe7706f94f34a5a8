package replica_test

import (
	"encoding/json"
	"strings"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// What a newer version adds survives on its way through this one as the value of a kind of operation that this one does not
// know, byte for byte, as far back as the log reaches. Members that it adds to operations do not, nor is there anything of
// unknown kinds in a snapshot.
func TestSI17_WhatSurvivesARelay(t *testing.T) {
	server := start(t)
	a, b, away := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}, &device{clock: hlc.Clock{Dev: 3}}
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	const value = `{"newer":[1,null,{"b":"<&>"}],"big":12345678901234567890}`
	a.edit(t, 1000, replica.Edit{Kind: "later", Entity: "w", Field: "f", Value: json.RawMessage(value)}, edit("title", `"A"`))
	c := a.open(t)
	ops, err := c.Pending(0, 10, 1<<20)
	must(t, err)
	frame, err := wire.Encode(wire.Ops{Board: transcribed, Ops: ops})
	must(t, err)
	said := strings.Replace(string(frame), `{"n":`, `{"added":{"x":[1]},"n":`, 2)
	if strings.Count(said, "added") != 2 {
		t.Fatalf("nothing was added to %s", said)
	}
	m, err := wire.Decode([]byte(said))
	must(t, err)
	h, err := replica.OpenHub(server)
	must(t, err)
	heard, isOps := m.(wire.Ops)
	if !isOps {
		t.Fatalf("a %s", m.Type())
	}
	ack, _, err := h.Submit(replica.Submission{Dev: 1, Ops: heard.Ops}, replica.Policy{Now: 1000, MayEdit: true})
	must(t, err)
	if len(ack.Outcomes) != 0 {
		t.Errorf("%+v", ack.Outcomes)
	}
	d, ok, err := h.Since(7, 0, 10, 1<<20)
	if err != nil || !ok || len(d.Entries) != 2 {
		t.Fatalf("%+v, %v, %v", d, ok, err)
	}
	relayed, err := wire.Encode(wire.Delta{Board: transcribed, Delta: d})
	must(t, err)
	if !strings.Contains(string(relayed), value) || strings.Contains(string(relayed), "added") {
		t.Errorf("relayed as %s", relayed)
	}
	exchange(t, b, server, true)
	exchange(t, away, server, true) // by a snapshot
	pages, err := h.Snapshot(1 << 20)
	must(t, err)
	if snap, err := json.Marshal(pages); err != nil || strings.Contains(string(snap), "newer") {
		t.Errorf("in the snapshot %s, %v", snap, err)
	}
	exchange(t, a, server, true)
	same(t, server, a, b, away)
}
