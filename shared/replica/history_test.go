package replica_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// archive is a hub with what it must remember.
type archive struct {
	t      *testing.T
	tx     *replica.Memory
	clocks map[uint64]*hlc.Clock
	n      map[uint64]uint64
	now    int64
	states map[uint64]*replica.State // by position
	lost   []string                  // values, oldest first
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	tx, _ := newHub(t)
	return &archive{t: t, tx: tx, clocks: map[uint64]*hlc.Clock{}, n: map[uint64]uint64{}, now: now, states: map[uint64]*replica.State{0: replica.NewState()}}
}

func (a *archive) hub() *replica.Hub {
	h, err := replica.OpenHub(a.tx)
	must(a.t, err)
	return h
}

// submit hands in one edit of a device that is late by so many milliseconds.
func (a *archive) submit(dev uint64, late int64, e replica.Edit) {
	a.t.Helper()
	a.hand(dev, late, e)
	a.remember()
}

// hand is submit without keeping in mind what came of it.
func (a *archive) hand(dev uint64, late int64, e replica.Edit) {
	a.t.Helper()
	if a.clocks[dev] == nil {
		a.clocks[dev] = &hlc.Clock{Dev: dev}
	}
	a.n[dev]++
	op := replica.Op{N: a.n[dev], Stamp: a.clocks[dev].Now(a.now - late), Kind: e.Kind, Entity: e.Entity, Field: e.Field, Value: e.Value, Rows: e.Rows}
	ack, _, err := a.hub().Submit(replica.Submission{Dev: dev, Floor: op.N - 1, Ops: []replica.Op{op}}, replica.Policy{Now: a.now, MayEdit: true, By: fmt.Sprint("account ", dev)})
	must(a.t, err)
	if len(ack.Outcomes) == 1 && ack.Outcomes[0].Verdict == replica.Superseded && e.Kind == replica.OpSet {
		a.lost = append(a.lost, string(e.Value))
	}
}

func (a *archive) remember() {
	_, head := a.hub().Head()
	s, err := a.hub().State()
	must(a.t, err)
	a.states[head] = s
}

// all reads the whole history in pages, and checks that it is in order and that nothing is there twice.
func (a *archive) all(fail func(string, ...any), entity string, limit int) []replica.Past {
	var all []replica.Past
	for before := uint64(0); ; {
		page, next, err := a.hub().Past(before, entity, limit, 10*limit)
		must(a.t, err)
		all = append(all, page...)
		if next == 0 {
			break
		}
		if before != 0 && next >= before {
			fail("the page before %d ends at %d", before, next)
		}
		before = next
	}
	for i, p := range all {
		if i > 0 && (p.Seq > all[i-1].Seq || p.Seq == all[i-1].Seq && p.Lost >= all[i-1].Lost) {
			fail("position %d comes after %d", p.Seq, all[i-1].Seq)
		}
	}
	return all
}

func TestQ3_EveryStateOfTheHistoryIsThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		a := newArchive(t)
		var changes int
		for i := range rapid.IntRange(1, 60).Draw(r, "steps") {
			a.now += rapid.Int64Range(0, 50).Draw(r, "pass")
			switch rapid.IntRange(0, 9).Draw(r, "what") {
			case 0:
				must(t, a.hub().Compact(uint64(rapid.IntRange(0, 10).Draw(r, "keep"))))
			case 1:
				_, err := a.hub().Mark()
				must(t, err)
				a.remember()
			case 2:
				rows := appendRows(i*10, 2)
				if rapid.Bool().Draw(r, "replace") {
					rows.Rows.Replace, rows.Rows.Columns = true, json.RawMessage(`["c"]`)
				}
				a.submit(uint64(rapid.IntRange(1, 3).Draw(r, "dev")), rapid.Int64Range(0, 200).Draw(r, "late"), rows)
			case 3:
				_, ok, err := a.hub().Bury("w2", a.now)
				must(t, err)
				if a.remember(); ok {
					changes++
				}
			default:
				_, before := a.hub().Head()
				e := edit(rapid.SampledFrom([]string{"x", "y"}).Draw(r, "field"), fmt.Sprint(i))
				e.Entity = rapid.SampledFrom([]string{"board", "w1", "w2"}).Draw(r, "entity")
				a.submit(uint64(rapid.IntRange(1, 3).Draw(r, "dev")), rapid.Int64Range(0, 200).Draw(r, "late"), e)
				if _, after := a.hub().Head(); after > before {
					changes++
				}
			}
		}
		_, head := a.hub().Head()
		for seq := uint64(0); seq <= head; seq++ {
			s, rows, ok, err := a.hub().StateAt(seq, 0)
			must(t, err)
			if want := a.states[seq]; !ok || rows && !s.Equal(want) || !sameRegisters(s, want) {
				r.Fatalf("position %d of %d is not told as it was (%v, %v)", seq, head, ok, rows)
			}
		}
		all := a.all(r.Fatalf, "", rapid.IntRange(1, 20).Draw(r, "page"))
		sets, lost := 0, []string{}
		for _, p := range all {
			switch {
			case p.Op.Kind == replica.OpRows:
			case p.Lost > 0:
				lost = append(lost, string(p.Op.Value))
			default:
				sets++
			}
			if p.Op.Kind == replica.OpSet && p.By != fmt.Sprint("account ", p.Op.Stamp.Dev) {
				r.Fatalf("a change of device %d is said to be by %q", p.Op.Stamp.Dev, p.By)
			}
		}
		slices.Reverse(lost)
		if sets != changes || !slices.Equal(lost, a.lost) {
			r.Fatalf("%d changes of %d; lost %v, not %v", sets, changes, lost, a.lost)
		}
	})
}

func sameRegisters(a, b *replica.State) bool {
	for _, s := range []*replica.State{a, b} {
		for _, e := range s.Entities() {
			for _, f := range s.Fields(e) {
				x, _, _ := a.Register(e, f)
				y, _, _ := b.Register(e, f)
				if string(x) != string(y) {
					return false
				}
			}
		}
	}
	return true
}

func TestQ3_TheLoserOfAConflictIsInTheHistory(t *testing.T) {
	a := newArchive(t)
	a.submit(1, 0, edit("title", `"later"`))
	a.submit(2, 5_000, edit("title", `"earlier"`))
	past := a.all(t.Errorf, "", 10)
	if len(past) != 2 || past[0].Lost == 0 || string(past[0].Op.Value) != `"earlier"` || past[0].By != "account 2" || past[0].At != now || past[1].Lost != 0 {
		t.Fatalf("%+v", past)
	}
	s, rows, ok, err := a.hub().StateAt(past[0].Seq, past[0].Lost)
	if err != nil || !rows || !ok {
		t.Fatalf("rows %v, %v, %v", rows, ok, err)
	}
	if v, _, _ := s.Register("board", "title"); string(v) != `"earlier"` {
		t.Errorf("had it come to pass, the title would be %s", v)
	}
	if _, _, ok, err := a.hub().StateAt(past[0].Seq, past[0].Lost+1); ok || err != nil {
		t.Errorf("a change that was never made is told, %v", err)
	}
}

func TestQ3_TheHistoryIsBounded(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	h := a.hub()
	const edits = 7_000
	for i := range edits {
		op := replica.Op{N: uint64(i) + 1, Stamp: hlc.Stamp{T: uint64(i) + 1, Dev: 1}, Kind: replica.OpSet, Entity: "board", Field: "title", Value: json.RawMessage(fmt.Sprint(i))}
		_, _, err := h.Submit(replica.Submission{Dev: 1, Floor: op.N - 1, Ops: []replica.Op{op}}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
	}
	must(t, h.Compact(100))
	first := h.HistoryFrom()
	if first != edits-100-5_000 {
		t.Errorf("it begins at %d", first)
	}
	if _, _, ok, err := h.StateAt(first-1, 0); ok || err != nil {
		t.Errorf("a position before that is told, %v", err)
	}
	for _, seq := range []uint64{first, first + 1, edits - 100, edits - 1, edits} {
		s, _, ok, err := h.StateAt(seq, 0)
		must(t, err)
		if v, _, _ := s.Register("board", "title"); !ok || string(v) != fmt.Sprint(seq-1) {
			t.Errorf("at %d the title was %s", seq, v)
		}
	}
	past, next, err := h.Past(0, "", 10, 1_000_000)
	must(t, err)
	if len(past) < 10 || past[0].Seq != edits || next == 0 {
		t.Errorf("%d changes from %d on, then before %d", len(past), past[0].Seq, next)
	}
	if past, _, err = h.Past(0, "w1", 10, 500); err != nil || len(past) != 0 {
		t.Errorf("%d changes of another widget, %v", len(past), err)
	}
}

// A hub that an earlier version made has a log that does not begin at 1, and nothing before it.
func TestQ3_AHistoryBeginsWhereNoneWasKept(t *testing.T) {
	a := newArchive(t)
	a.submit(1, 0, edit("title", `"a"`))
	a.submit(1, 0, edit("title", `"b"`))
	must(t, a.hub().Compact(1))
	must(t, a.tx.Scan([]byte("b"), []byte("c"), func(k, _ []byte) bool { must(t, a.tx.Delete(k)); return true }))
	meta, err := cbor.Marshal(map[int]uint64{1: epoch, 2: 2, 3: 1, 4: 50})
	must(t, err)
	must(t, a.tx.Put([]byte("m"), meta))
	if s, rows, ok, err := a.hub().StateAt(2, 0); err != nil || !rows || !ok || !s.Equal(a.states[2]) {
		t.Errorf("the present is not told: %v, %v", ok, err)
	}
	if past, next, err := a.hub().Past(0, "", 10, 10); err != nil || len(past) != 0 || next != 0 {
		t.Errorf("%d changes before %d, %v", len(past), next, err)
	}
	a.submit(1, 0, edit("title", `"c"`))
	must(t, a.hub().Compact(1))
	a.submit(1, 0, edit("title", `"d"`))
	must(t, a.hub().Compact(0))
	for seq := a.hub().HistoryFrom(); seq <= 4; seq++ {
		if s, _, ok, err := a.hub().StateAt(seq, 0); err != nil || !ok || !s.Equal(a.states[seq]) {
			t.Errorf("position %d is not told: %v, %v", seq, ok, err)
		}
	}
}

func TestSI21_WhatIsBuriedIsGoneEverywhereAndForGood(t *testing.T) {
	server := start(t)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	widget := edit("alive", "false")
	widget.Entity = "w"
	a.edit(t, 1000, edit("title", `"kept"`), appendRows(0, 3), widget)
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	late := edit("title", `"too late"`)
	late.Entity = "w"
	b.edit(t, 2000, late)

	h, err := replica.OpenHub(server)
	must(t, err)
	e, ok, err := h.Bury("w", now)
	if err != nil || !ok || e.Op.Kind != replica.OpBury {
		t.Fatalf("%+v, %v, %v", e, ok, err)
	}
	if _, again, err := h.Bury("w", now); again || err != nil {
		t.Errorf("buried twice, %v", err)
	}
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	if s := same(t, server, a, b); !slices.Equal(s.Entities(), []string{"board"}) {
		t.Errorf("there still is %v", s.Entities())
	}
	tray, err := b.open(t).Tray()
	must(t, err)
	if len(tray) != 1 || tray[0].Outcome.Reason != replica.ReasonGone || string(tray[0].Op.Value) != `"too late"` {
		t.Errorf("in the tray: %+v", tray)
	}
	again := edit("alive", "true")
	again.Entity = "w"
	a.edit(t, 3000, again)
	exchange(t, a, server, true)
	if s := same(t, server, a); !slices.Equal(s.Entities(), []string{"board"}) {
		t.Errorf("%v came back", s.Entities())
	}
	if _, _, err := h.Submit(replica.Submission{Dev: 9, Ops: []replica.Op{{N: 1, Stamp: hlc.Stamp{T: 1, Dev: 9}, Kind: replica.OpBury, Entity: "board"}}}, replica.Policy{Now: now, MayEdit: true}); err != nil {
		t.Fatal(err)
	}
	if s := same(t, server, a); !slices.Equal(s.Entities(), []string{"board"}) {
		t.Error("a device buried something")
	}
}

func TestSI14_TheQueueOfADeviceWithoutAServerIsBounded(t *testing.T) {
	t.Parallel()
	a := &device{clock: hlc.Clock{Dev: 1}}
	const edits = 45_000
	for i := range edits / 5 {
		e := make([]replica.Edit, 5)
		for j := range e {
			e[j] = edit(fmt.Sprint("f", j), fmt.Sprint(i))
		}
		if i%1000 == 0 {
			e[4] = appendRows(i, 1)
		}
		a.edit(t, 1000+int64(i), e...)
	}
	if s := a.open(t).Status(); s.Waiting > 21_000 || s.LastN != edits {
		t.Errorf("%d of %d wait", s.Waiting, s.LastN)
	}
	want, err := a.open(t).View()
	must(t, err)
	past, next, err := a.open(t).Unsent(0, "", 7)
	must(t, err)
	if len(past) != 7 || past[0].Seq != edits || next != edits-6 {
		t.Errorf("%d changes, then before %d", len(past), next)
	}
	at, ok, err := a.open(t).ViewAt(edits - 5)
	must(t, err)
	if v, _, _ := at.Register("board", "f0"); !ok || string(v) != fmt.Sprint(edits/5-2) {
		t.Errorf("before the last edit f0 was %s", v)
	}
	// The first server hears of everything.
	server := start(t)
	b := &device{clock: hlc.Clock{Dev: 2}}
	for a.open(t).Status().Waiting > 0 || a.open(t).Status().Epoch == 0 {
		exchange(t, a, server, true)
	}
	exchange(t, b, server, true)
	if !same(t, server, a, b).Equal(want) {
		t.Error("the server holds something else than what was edited")
	}
}

// A device is told of each edit that lost, unless what it wrote is what is there.
func TestQ3_ADeviceIsToldWhatItLost(t *testing.T) {
	server := start(t)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	replace := func(n int) replica.Edit {
		e := appendRows(n, 2)
		e.Rows.Replace, e.Rows.Columns = true, json.RawMessage(`["c"]`)
		return e
	}
	b.edit(t, 1000, edit("title", `"of b"`), edit("theme", `"dark"`), replace(1), appendRows(9, 1))
	a.edit(t, 2000, edit("title", `"of a"`), edit("theme", `"dark"`), replace(5))
	exchange(t, a, server, true)
	c := b.open(t)
	s, err := replica.OpenHub(server)
	must(t, err)
	pages, err := s.Snapshot(1 << 20)
	must(t, err)
	for _, p := range pages {
		_, err = c.Snapshot(p, &b.clock, 3000)
		must(t, err)
	}
	ops, err := c.Pending(0, 10, 1<<20)
	must(t, err)
	ack, _, err := s.Submit(replica.Submission{Dev: 2, Ops: ops}, replica.Policy{Now: now, MayEdit: true})
	must(t, err)
	ch, err := c.Ack(ack)
	must(t, err)
	var lost []string
	for _, op := range ch.Lost {
		lost = append(lost, string(op.Kind)+" "+op.Field)
	}
	if want := []string{"set title", "rows "}; !slices.Equal(lost, want) {
		t.Errorf("%q are told as lost, not %q", lost, want)
	}
}

// A list of changes tells how many rows were written and leaves them out, and a page of it looks at no more than it must.
func TestQ3_B1_ListsOfChangesLeaveRowsOut(t *testing.T) {
	a := newArchive(t)
	row := json.RawMessage(`["` + strings.Repeat("x", 1000) + `"]`)
	many := slices.Repeat([]json.RawMessage{row}, 200)
	for range 300 {
		a.hand(1, 0, replica.Edit{Kind: replica.OpRows, Entity: "w1", Rows: &replica.RowChange{Replace: true, Columns: json.RawMessage(`["c"]`), Rows: many}})
	}
	past, next, err := a.hub().Past(0, "", 1000, 1000)
	must(t, err)
	if len(past) < 40 || len(past) > 250 || next == 0 {
		t.Fatalf("a page has %d changes of 200 KB each and goes on at %d", len(past), next)
	}
	for _, p := range past {
		if r := p.Op.Rows; p.Rows != 200 || r == nil || !r.Replace || r.Rows != nil || r.Columns != nil || p.Op.Entity != "w1" || p.By != "account 1" || p.At != a.now {
			t.Fatalf("%+v", p)
		}
	}
	d := &device{clock: hlc.Clock{Dev: 1}}
	d.edit(t, 1000, appendRows(0, 3))
	waiting, _, err := d.open(t).Unsent(0, "", 10)
	must(t, err)
	if len(waiting) != 1 || waiting[0].Rows != 3 || waiting[0].Op.Rows.Rows != nil || waiting[0].Op.N != 1 {
		t.Errorf("%+v", waiting)
	}
}

// Whoever comes back with thousands of edits that lost must not end the history of everybody.
func TestQ3_ManyLosersDoNotEndTheHistory(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.submit(1, 0, edit("title", `"first"`))
	a.submit(1, 0, edit("title", `"second"`))
	h := a.hub()
	const late = 5_100
	for i := range late {
		op := replica.Op{N: uint64(i) + 1, Stamp: hlc.Stamp{T: uint64(i) + 1, Dev: 2}, Kind: replica.OpSet, Entity: "board", Field: "title", Value: json.RawMessage(fmt.Sprint(i))}
		_, _, err := h.Submit(replica.Submission{Dev: 2, Floor: op.N - 1, Ops: []replica.Op{op}}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
	}
	if from := h.HistoryFrom(); from != 0 {
		t.Errorf("it begins at %d", from)
	}
	past := a.all(t.Errorf, "", 10_000)
	if n := len(past); n != 5_002 || string(past[n-1].Op.Value) != `"first"` || string(past[0].Op.Value) != fmt.Sprint(late-1) {
		t.Errorf("%d changes, the first %s", n, past[n-1].Op.Value)
	}
	if s, _, ok, err := h.StateAt(1, 0); err != nil || !ok || !s.Equal(a.states[1]) {
		t.Errorf("the first state is not told: %v, %v", ok, err)
	}
	problems(t, h)
}

// problems fails for everything that the hub's records do not agree in.
func problems(t *testing.T, h *replica.Hub) {
	t.Helper()
	must(t, h.Audit(func(p string) { t.Error(p) }))
}

func TestB1_DamageOfTheHistoryIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(tx *replica.Memory) error
		want   string
	}{
		"a record is missing":    {func(tx *replica.Memory) error { return tx.Delete(historyKey(1)) }, "the history is miscounted by 1 records and "},
		"one cannot be read":     {func(tx *replica.Memory) error { return tx.Put(historyKey(1), []byte{0xff}) }, "a change of the history cannot be read"},
		"one is another's":       {func(tx *replica.Memory) error { return tx.Put(historyKey(1), tx.Get(historyKey(2))) }, "change 2 of the history is kept as 1"},
		"one is of the log":      {func(tx *replica.Memory) error { return tx.Put(historyKey(9), tx.Get(historyKey(2))) }, "change 2 of the history is kept as 9"},
		"the base is damaged":    {func(tx *replica.Memory) error { return tx.Put([]byte("bcboard\x00title"), []byte{0xff}) }, "the content where the history begins cannot be read"},
		"one dead is not buried": {func(tx *replica.Memory) error { return tx.Put([]byte("gboard"), []byte{}) }, `"board" was buried and is there`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			for _, title := range []string{`"a"`, `"b"`, `"c"`, `"d"`} {
				a.submit(1, 0, edit("title", title))
			}
			must(t, a.hub().Compact(2))
			problems(t, a.hub())
			must(t, c.damage(a.tx))
			var said []string
			must(t, a.hub().Audit(func(p string) { said = append(said, p) }))
			if !slices.ContainsFunc(said, func(p string) bool { return strings.Contains(p, c.want) }) {
				t.Errorf("what is said is %q", said)
			}
		})
	}
}

// historyKey is where the record of a change is that is older than the log.
func historyKey(seq uint64) []byte { return binary.BigEndian.AppendUint64([]byte("y"), seq) }
