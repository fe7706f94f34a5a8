package replica_test

import (
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

const (
	epoch = 7
	now   = 10_000_000 // the server's clock, in ms since 1970
)

func newHub(tb testing.TB) (*replica.Memory, *replica.Hub) {
	tb.Helper()
	tx := &replica.Memory{}
	h, err := replica.InitHub(tx, epoch)
	must(tb, err)
	return tx, h
}

// queue draws what one device has made, with a clock that is off by up to two hours either way and is set now and then.
func queue(r *rapid.T, dev uint64) []replica.Op {
	a := &author{clock: hlc.Clock{Dev: dev}}
	var ops []replica.Op
	for i := range rapid.IntRange(1, 12).Draw(r, "ops") {
		a.n++
		op := replica.Op{N: a.n, Stamp: a.clock.Now(now + rapid.Int64Range(-7_200_000, 7_200_000).Draw(r, "skew"))}
		for op.Kind == "" || !op.As.IsZero() {
			op.As, op.Rows = hlc.Stamp{}, nil
			drawChange(r, &op, i, ops, false)
		}
		ops = append(ops, op)
	}
	return ops
}

func TestSI3_ResentOperationsTakeEffectOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := queue(r, 1)
		_, once := newHub(t)
		_, want, err := once.Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
		_, h := newHub(t)
		var got []replica.Entry
		submit := func(from, to int) replica.Ack {
			ack, entries, err := h.Submit(replica.Submission{Dev: 1, Ops: ops[from:to]}, replica.Policy{Now: now, MayEdit: true})
			must(t, err)
			got = append(got, entries...)
			return ack
		}
		judged := uint64(0)
		for range rapid.IntRange(0, 10).Draw(r, "frames") {
			from := rapid.IntRange(0, len(ops)).Draw(r, "from")
			to := rapid.IntRange(from, len(ops)).Draw(r, "to")
			ack := submit(from, to)
			told := judged // an answer goes no further than what it answers
			if to > from {
				told = min(judged, uint64(to))
			}
			if ack.UpTo < told {
				r.Fatalf("judged up to %d, and now only up to %d", told, ack.UpTo)
			}
			judged = max(judged, ack.UpTo)
		}
		if ack := submit(0, len(ops)); ack.UpTo != uint64(len(ops)) {
			r.Fatalf("judged up to %d of %d", ack.UpTo, len(ops))
		}
		sameEntry := func(a, b replica.Entry) bool { return a.Seq == b.Seq && a.Op.N == b.Op.N && a.Op.Stamp == b.Op.Stamp }
		if !slices.EqualFunc(got, want, sameEntry) {
			r.Fatalf("%d entries, not %d", len(got), len(want))
		}
		a, err := once.State()
		must(t, err)
		b, err := h.State()
		must(t, err)
		if !a.Equal(b) {
			r.Fatal("resending made another state")
		}
	})
}

func TestSI2_RepeatedAnswersTellTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := queue(r, 1)
		_, h := newHub(t)
		first := map[uint64]replica.Outcome{}
		next := 0
		for next < len(ops) {
			to := rapid.IntRange(next+1, len(ops)).Draw(r, "to")
			ack, _, err := h.Submit(replica.Submission{Dev: 1, Ops: ops[next:to]}, replica.Policy{Now: now, MayEdit: rapid.Bool().Draw(r, "editor")})
			must(t, err)
			for _, o := range ack.Outcomes {
				if o.N > uint64(next) {
					first[o.N] = o
				} else if o != first[o.N] {
					r.Fatalf("%v was %v", o, first[o.N])
				}
			}
			next = to
		}
		ack, entries, err := h.Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
		if len(entries) != 0 || len(ack.Outcomes) != len(first) {
			r.Fatalf("repeated: %d entries, %d outcomes of %d", len(entries), len(ack.Outcomes), len(first))
		}
		for _, o := range ack.Outcomes {
			if o != first[o.N] {
				r.Fatalf("repeated: %v was %v", o, first[o.N])
			}
		}
		floor := rapid.Uint64Range(0, uint64(len(ops))).Draw(r, "floor")
		ack, _, err = h.Submit(replica.Submission{Dev: 1, Floor: floor}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
		for _, o := range ack.Outcomes {
			if o.N <= floor {
				r.Fatalf("the verdict on %d is still kept behind the floor %d", o.N, floor)
			}
			delete(first, o.N)
		}
		for n := range first {
			if n > floor {
				r.Fatalf("the verdict on %d is forgotten before the floor %d", n, floor)
			}
		}
	})
}

// TestSI4 and TestSI5 drive a hub through submissions of two devices whose rights come and go, with cuts of the log.
func TestSI4_SI5_LogSnapshotsAndRights(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		_, h := newHub(t)
		queues := map[uint64][]replica.Op{1: queue(r, 1), 2: queue(r, 2)}
		may := map[uint64]bool{1: true, 2: true}
		type shot struct {
			pages []replica.Snapshot
			at    uint64
		}
		var log []replica.Entry
		var shots []shot
		head := uint64(0)
		step := func(dev uint64) {
			ops := queues[dev]
			n := rapid.IntRange(0, len(ops)).Draw(r, "n")
			queues[dev] = ops[n:]
			ack, entries, err := h.Submit(replica.Submission{Dev: dev, Ops: ops[:n]}, replica.Policy{Now: now, MayEdit: may[dev]})
			must(t, err)
			if len(entries) > 0 && !may[dev] {
				r.Fatal("who may not edit has edited")
			}
			for _, e := range entries {
				if head++; e.Seq != head {
					r.Fatalf("entry %d follows %d", e.Seq, head-1)
				}
			}
			if ack.Seq != head {
				r.Fatalf("the answer says %d, the log ends at %d", ack.Seq, head)
			}
			log = append(log, entries...)
		}
		for range rapid.IntRange(1, 15).Draw(r, "steps") {
			dev := rapid.Uint64Range(1, 2).Draw(r, "dev")
			switch rapid.IntRange(0, 4).Draw(r, "what") {
			case 0:
				seq, err := h.Mark()
				must(t, err)
				if head++; seq != head {
					r.Fatalf("position %d follows %d", seq, head-1)
				}
				may[dev] = !may[dev]
			case 1:
				must(t, h.Compact(rapid.Uint64Range(0, 8).Draw(r, "keep")))
			case 2:
				pages, err := h.Snapshot(rapid.IntRange(1, 1000).Draw(r, "bytes"))
				must(t, err)
				shots = append(shots, shot{pages, head})
			default:
				step(dev)
			}
		}
		want, err := h.State()
		must(t, err)
		replay := replica.NewState()
		for i := range log {
			replay.Apply(log[i].Op)
		}
		if !replay.Equal(want) {
			r.Fatal("the whole log gives another state")
		}
		pages, err := h.Snapshot(200)
		must(t, err)
		for _, s := range append(shots, shot{pages, head}) {
			var tx replica.Memory
			clock := hlc.Clock{Dev: 9}
			takeSnapshot(t, &tx, &clock, s.pages)
			if _, ok, _ := h.Since(epoch, s.at, 1, 1); !ok {
				takeSnapshot(t, &tx, &clock, pages) // the log was cut meanwhile
			}
			got := follow(t, r, h, &tx, &clock)
			if !got.Equal(want) {
				r.Fatalf("the snapshot of %d and the log behind it give another state", s.at)
			}
		}
	})
}

func takeSnapshot(tb testing.TB, tx replica.Tx, clock *hlc.Clock, pages []replica.Snapshot) {
	tb.Helper()
	for _, p := range pages {
		c, err := replica.OpenClient(tx)
		must(tb, err)
		_, err = c.Snapshot(p, clock, 1)
		must(tb, err)
	}
}

// follow takes the log in pieces up to its head.
func follow(tb testing.TB, r *rapid.T, h *replica.Hub, tx replica.Tx, clock *hlc.Clock) *replica.State {
	tb.Helper()
	_, head := h.Head()
	for {
		c, err := replica.OpenClient(tx)
		must(tb, err)
		if c.Status().Seen == head {
			s, err := c.Confirmed()
			must(tb, err)
			return s
		}
		d, ok, err := h.Since(epoch, c.Status().Seen, rapid.IntRange(1, 5).Draw(r, "entries"), rapid.IntRange(1, 2000).Draw(r, "bytes"))
		must(tb, err)
		if !ok {
			tb.Fatalf("the log does not reach back to %d", c.Status().Seen)
		}
		_, err = c.Delta(d, clock)
		must(tb, err)
	}
}

func TestSI8_SI11_StampsFromTheFuture(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		now := int64(now)
		_, h := newHub(t)
		ops := queue(r, 1)
		lastT := uint64(0)
		last := map[[2]string]hlc.Stamp{}
		for len(ops) > 0 {
			n := rapid.IntRange(1, len(ops)).Draw(r, "n")
			now += rapid.Int64Range(0, 1000).Draw(r, "ms")
			ack, _, err := h.Submit(replica.Submission{Dev: 1, Floor: ops[0].N - 1, Ops: ops[:n]}, replica.Policy{Now: now, MayEdit: true})
			must(t, err)
			moved := map[uint64]hlc.Stamp{}
			for _, o := range ack.Outcomes {
				if o.Verdict == replica.Restamped {
					moved[o.N] = o.Stamp
				}
			}
			for _, op := range ops[:n] {
				s := op.Stamp
				if to, ok := moved[op.N]; ok {
					s = to
				}
				if s.T > hlc.At(now+replica.MaxDrift) && s.T != lastT+1 {
					r.Fatalf("operation %d was accepted at %s, %d ms ahead", op.N, s, s.Millis()-now)
				}
				lastT = max(lastT, s.T)
				k := [2]string{op.Entity, op.Field}
				if op.Kind == replica.OpSet && !last[k].Less(s) {
					r.Fatalf("operation %d of %v is not later than the one before", op.N, k)
				}
				last[k] = s
			}
			ops = ops[n:]
		}
		s, err := h.State()
		must(t, err)
		for k, want := range last {
			if k[1] == "" {
				continue
			}
			if _, got, _ := s.Register(k[0], k[1]); got != want {
				r.Fatalf("%v is of %s, not of the last edit at %s", k, got, want)
			}
		}
	})
}

// What a hub tells without reading everything is what reading everything tells, also where an earlier version wrote it.
func TestSI7_LatestIsAfterEverything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		tx, h := newHub(t)
		ops := queue(r, 1)
		_, _, err := h.Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
		if rapid.Bool().Draw(r, "of an earlier version") {
			var rec map[int]any
			must(t, cbor.Unmarshal(tx.Get([]byte("m")), &rec))
			delete(rec, 5)
			b, err := cbor.Marshal(rec)
			must(t, err)
			must(t, tx.Put([]byte("m"), b))
			h, err = replica.OpenHub(tx)
			must(t, err)
		}
		s, err := h.State()
		must(t, err)
		for _, e := range s.Entities() {
			rows, err := h.Rows(e)
			must(t, err)
			want := s.Rows(e)
			if want == nil {
				want = &replica.Rows{}
			}
			columns, count, err := h.Header(e)
			must(t, err)
			if count != want.Len() || string(columns) != string(want.Columns) {
				r.Fatalf("%s has %d rows under %s, not %d under %s", e, count, columns, want.Len(), want.Columns)
			}
			for i := range count {
				if key, err := h.RowKey(e, i); err != nil || key != want.Key(i) {
					r.Fatalf("row %d of %s is %v, not %v: %v", i, e, key, want.Key(i), err)
				}
			}
			if key, err := h.RowKey(e, count); err != nil || key != (replica.RowKey{}) {
				r.Fatalf("%s has a row %d: %v, %v", e, count, key, err)
			}
			if !slices.EqualFunc(slices.Collect(rows.All()), slices.Collect(want.All()), slices.Equal) {
				r.Fatalf("%s has %d rows, and %d alone", e, want.Len(), rows.Len())
			}
		}
		latest, err := h.Latest()
		must(t, err)
		judged, err := h.Judged(1)
		must(t, err)
		if latest < s.Max().T || judged != uint64(len(ops)) {
			r.Fatalf("the latest is %d, not %d; judged up to %d of %d", latest, s.Max().T, judged, len(ops))
		}
		_, entries, err := h.Submit(replica.Submission{Dev: 2, Ops: []replica.Op{{
			N: 1, Stamp: hlc.Stamp{T: latest + 1, Dev: 2}, Kind: replica.OpSet, Entity: "e", Field: "f", Value: []byte("1"),
		}}}, replica.Policy{Now: now, MayEdit: true})
		must(t, err)
		if again, err := h.Latest(); err != nil || len(entries) != 1 || again <= latest {
			r.Fatalf("%d entries, latest %d after %d: %v", len(entries), again, latest, err)
		}
	})
}
