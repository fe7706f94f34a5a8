package replica_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// model is the merge rule in its plainest form, without a thought of cost: what every other way of merging is held against.
type model struct {
	registers map[[2]string]modelValue
	rows      map[string]*modelRows
}

type modelValue struct {
	value []byte
	stamp hlc.Stamp
}

type modelRows struct {
	columns modelValue
	floor   replica.RowKey
	rows    map[replica.RowKey]json.RawMessage
}

func (v modelValue) beats(o modelValue) bool {
	c := v.stamp.Compare(o.stamp)
	return c > 0 || c == 0 && bytes.Compare(v.value, o.value) > 0
}

func fold(ops []replica.Op) *model {
	m := &model{registers: map[[2]string]modelValue{}, rows: map[string]*modelRows{}}
	for i := range ops {
		m.apply(&ops[i])
	}
	return m
}

func (m *model) apply(op *replica.Op) {
	at := op.At()
	if op.Kind == replica.OpSet {
		k, v := [2]string{op.Entity, op.Field}, modelValue{op.Value, at}
		if old, ok := m.registers[k]; !ok || v.beats(old) {
			m.registers[k] = v
		}
		return
	}
	r := m.rows[op.Entity]
	if r == nil {
		r = &modelRows{rows: map[replica.RowKey]json.RawMessage{}}
		m.rows[op.Entity] = r
	}
	own := replica.RowKey{Stamp: at}
	if op.Rows.Replace {
		r.raise(own)
		if v := (modelValue{op.Rows.Columns, at}); v.beats(r.columns) {
			r.columns = v
		}
	}
	if d := op.Rows.DropTo; d != nil {
		if d.Compare(own) < 0 {
			r.raise(*d)
		} else {
			r.raise(own)
		}
	}
	for i, row := range op.Rows.Rows {
		r.rows[replica.RowKey{Stamp: at, Index: op.Rows.First + i}] = row
	}
}

func (r *modelRows) raise(k replica.RowKey) {
	if r.floor.Compare(k) < 0 {
		r.floor = k
	}
}

func (r *modelRows) alive() []replica.RowKey {
	var keys []replica.RowKey
	for k := range r.rows {
		if k.Compare(r.floor) >= 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, replica.RowKey.Compare)
	return keys[max(0, len(keys)-replica.MaxRows):]
}

// difference says where s differs from the model; "" if it does not.
func (m *model) difference(s *replica.State) string {
	registers := 0
	for _, e := range s.Entities() {
		for _, f := range s.Fields(e) {
			registers++
			v, stamp, _ := s.Register(e, f)
			if want := m.registers[[2]string{e, f}]; want.stamp != stamp || !bytes.Equal(want.value, v) {
				return fmt.Sprintf("%s %s is %s of %s, not %s of %s", e, f, v, stamp, want.value, want.stamp)
			}
		}
	}
	if registers != len(m.registers) {
		return fmt.Sprintf("%d registers, not %d", registers, len(m.registers))
	}
	for e, r := range m.rows {
		if d := r.difference(s.Rows(e)); d != "" {
			return "rows of " + e + ": " + d
		}
	}
	return ""
}

func (r *modelRows) difference(s *replica.Rows) string {
	keys := r.alive()
	if s == nil {
		if len(keys) == 0 && r.floor == (replica.RowKey{}) {
			return ""
		}
		return "there are none"
	}
	if s.Floor != r.floor || s.Stamp != r.columns.stamp || !bytes.Equal(s.Columns, r.columns.value) {
		return fmt.Sprintf("floor %v and header %s of %s, not %v and %s of %s", s.Floor, s.Columns, s.Stamp, r.floor, r.columns.value, r.columns.stamp)
	}
	if s.Len() != len(keys) {
		return fmt.Sprintf("%d, not %d", s.Len(), len(keys))
	}
	i := 0
	for row := range s.All() {
		if i%97 == 0 || i+1 == len(keys) || len(keys) < 500 { // Key walks the segments
			if k := s.Key(i); k != keys[i] {
				return fmt.Sprintf("row %d has the key %v, not %v", i, k, keys[i])
			}
		}
		if !bytes.Equal(row, r.rows[keys[i]]) {
			return fmt.Sprintf("row %d is %s, not %s", i, row, r.rows[keys[i]])
		}
		i++
	}
	return ""
}

// author is a device that makes operations without a client.
type author struct {
	clock hlc.Clock
	n     uint64
}

// drawOps draws a history: operations of several devices whose clocks hear of each other now and then. big lets row logs run
// into their capacity.
func drawOps(t *rapid.T, big bool) []replica.Op {
	authors := []*author{{clock: hlc.Clock{Dev: 1}}, {clock: hlc.Clock{Dev: 2}}, {clock: hlc.Clock{Dev: 3}}}
	var ops []replica.Op
	for i := range rapid.IntRange(1, 25).Draw(t, "ops") {
		a := rapid.SampledFrom(authors).Draw(t, "author")
		if len(ops) > 0 && rapid.Bool().Draw(t, "heard") {
			a.clock.Receive(ops[len(ops)-1].Stamp)
		}
		a.n++
		op := replica.Op{N: a.n, Stamp: a.clock.Now(rapid.Int64Range(1, 5).Draw(t, "wall"))}
		drawChange(t, &op, i, ops, big)
		ops = append(ops, op)
	}
	return ops
}

func drawChange(t *rapid.T, op *replica.Op, serial int, before []replica.Op, big bool) {
	op.Entity = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "entity")
	if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
		op.Kind, op.Field = replica.OpSet, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "field")
		op.Value = json.RawMessage(fmt.Sprint(serial))
		return
	}
	op.Kind, op.Rows = replica.OpRows, &replica.RowChange{}
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		op.Rows.Replace, op.Rows.Columns = true, json.RawMessage(fmt.Sprintf(`["%d"]`, serial))
	case 1:
		if len(before) > 0 {
			op.Rows.DropTo = &replica.RowKey{Stamp: rapid.SampledFrom(before).Draw(t, "trim").Stamp, Index: rapid.IntRange(0, 5).Draw(t, "index")}
		}
	case 2:
		// A part of somebody's rows is offered again, under their old stamp.
		if len(before) > 0 {
			if old := rapid.SampledFrom(before).Draw(t, "again"); old.Kind == replica.OpRows && len(old.Rows.Rows) > 0 {
				cut := rapid.IntRange(0, len(old.Rows.Rows)-1).Draw(t, "cut")
				op.Entity, op.As = old.Entity, old.At()
				op.Rows.Rows, op.Rows.First = old.Rows.Rows[cut:], old.Rows.First+cut
				return
			}
		}
	}
	n := rapid.IntRange(0, 4).Draw(t, "rows")
	if big && rapid.Bool().Draw(t, "many") {
		n = rapid.IntRange(3_000, 12_000).Draw(t, "rows")
	}
	for i := range n {
		op.Rows.Rows = append(op.Rows.Rows, json.RawMessage(fmt.Sprintf("[%d,%d]", serial, i)))
	}
}

// drawShuffled draws the operations in another order, some of them more than once.
func drawShuffled(t *rapid.T, ops []replica.Op) []replica.Op {
	again := rapid.SliceOfN(rapid.SampledFrom(ops), 0, 5).Draw(t, "repeated")
	return rapid.Permutation(slices.Concat(ops, again)).Draw(t, "order")
}

func apply(ops []replica.Op) *replica.State {
	s := replica.NewState()
	for i := range ops {
		s.Apply(ops[i])
	}
	return s
}

// store merges operations into a client's stored content, as one or more deltas.
func store(tb testing.TB, ops []replica.Op, cuts ...int) *replica.State {
	tb.Helper()
	var tx replica.Memory
	clock := hlc.Clock{Dev: 99}
	c, err := replica.OpenClient(&tx)
	must(tb, err)
	_, err = c.Snapshot(replica.Snapshot{Epoch: 1, Last: true}, &clock, 1)
	must(tb, err)
	from := 0
	for _, to := range append(cuts, len(ops)) {
		if to <= from {
			continue
		}
		d := replica.Delta{Epoch: 1, From: uint64(from), To: uint64(to)}
		for i := from; i < to; i++ {
			d.Entries = append(d.Entries, replica.Entry{Seq: uint64(i) + 1, Op: ops[i]})
		}
		c, err = replica.OpenClient(&tx)
		must(tb, err)
		_, err = c.Delta(d, &clock)
		must(tb, err)
		from = to
	}
	s, err := c.Confirmed()
	must(tb, err)
	return s
}

func agree(t *rapid.T, what string, got *replica.State, want *model) {
	t.Helper()
	if d := want.difference(got); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}
