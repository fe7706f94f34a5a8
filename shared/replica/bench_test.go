package replica_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// BenchmarkSubmit is one edit of a register as the server takes it: judged, merged, logged.
func BenchmarkSubmit(b *testing.B) {
	_, h := newHub(b)
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		n++
		op := replica.Op{
			N: n, Stamp: hlc.Stamp{T: hlc.At(1_000) + n, Dev: 1}, Kind: replica.OpSet, Entity: fmt.Sprintf("w%d", n%200), Field: "title",
			Value: json.RawMessage(`"Requests a minute"`),
		}
		if _, _, err := h.Submit(replica.Submission{Dev: 1, Floor: n - 1, Ops: []replica.Op{op}}, replica.Policy{Now: 1_000, MayEdit: true}); err != nil {
			b.Fatal(err)
		}
		if n%1_000 == 0 {
			must(b, h.Compact(1_000))
		}
	}
}

// BenchmarkAppendRowTo10k appends one row to a log that holds ten thousand.
func BenchmarkAppendRowTo10k(b *testing.B) {
	row := []json.RawMessage{json.RawMessage(`[1800000000000,12.5,"eu"]`)}
	full := make([]json.RawMessage, 10_000)
	for i := range full {
		full[i] = row[0]
	}
	first := replica.Op{N: 1, Stamp: hlc.Stamp{T: 1, Dev: 1}, Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{Rows: full}}
	next := func(n uint64) replica.Op {
		return replica.Op{N: n, Stamp: hlc.Stamp{T: n, Dev: 1}, Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{Rows: row}}
	}
	b.Run("memory", func(b *testing.B) {
		s := replica.NewState()
		s.Apply(first)
		b.ReportAllocs()
		n := uint64(1)
		for b.Loop() {
			n++
			s.Apply(next(n))
		}
	})
	b.Run("stored", func(b *testing.B) {
		_, h := newHub(b)
		if _, _, err := h.Submit(replica.Submission{Dev: 1, Ops: []replica.Op{first}}, replica.Policy{MayEdit: true}); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		n := uint64(1)
		for b.Loop() {
			n++
			if _, _, err := h.Submit(replica.Submission{Dev: 1, Floor: n - 1, Ops: []replica.Op{next(n)}}, replica.Policy{MayEdit: true}); err != nil {
				b.Fatal(err)
			}
			if n%1_000 == 0 {
				must(b, h.Compact(1_000))
			}
		}
	})
}

// BenchmarkAppendRowAtCapacity appends one row to a full log, whose first row goes.
func BenchmarkAppendRowAtCapacity(b *testing.B) {
	row := json.RawMessage("[1]")
	s := replica.NewState()
	n := uint64(0)
	add := func(count int) {
		n++
		rows := make([]json.RawMessage, count)
		for i := range rows {
			rows[i] = row
		}
		s.Apply(replica.Op{N: n, Stamp: hlc.Stamp{T: n, Dev: 1}, Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{Rows: rows}})
	}
	fill := func() {
		add(replica.MaxRows / 2)
		for range replica.MaxRows / 2 {
			add(1)
		}
	}
	b.ReportAllocs()
	left := 0
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			fill()
			left = replica.MaxRows / 2
			b.StartTimer()
		}
		left--
		add(1)
	}
}

// BenchmarkMerge joins two states of 200 widgets with six registers each and a table of 500 rows, half of which differ.
func BenchmarkMerge(b *testing.B) {
	one, other := replica.NewState(), replica.NewState()
	t := uint64(0)
	for w := range 200 {
		for f := range 6 {
			t++
			op := replica.Op{
				N: t, Stamp: hlc.Stamp{T: t, Dev: 1}, Kind: replica.OpSet, Entity: fmt.Sprintf("w%d", w), Field: fmt.Sprintf("f%d", f),
				Value: json.RawMessage(`"Requests a minute"`),
			}
			one.Apply(op)
			op.Stamp.Dev = uint64(1 + f%2)
			other.Apply(op)
		}
		for part, s := range []*replica.State{one, other} {
			t++
			rows := appendRows(w*1_000+part*250, 250)
			s.Apply(replica.Op{N: t, Stamp: hlc.Stamp{T: t, Dev: 1}, Kind: rows.Kind, Entity: fmt.Sprintf("w%d", w), Rows: rows.Rows})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		one.Clone().Merge(other)
	}
}
