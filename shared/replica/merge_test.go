package replica_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/replica"
)

func TestSI7_OrderRepetitionAndPiecesDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := drawOps(r, false)
		want := fold(ops)
		agree(r, "in memory", apply(ops), want)
		agree(r, "shuffled", apply(drawShuffled(r, ops)), want)
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(ops)), 0, 3).Draw(r, "cuts")
		slices.Sort(cuts)
		agree(r, "stored", store(t, drawShuffled(r, ops), cuts...), want)
		part := rapid.IntRange(0, len(ops)).Draw(r, "part")
		merged := apply(ops[part:])
		merged.Merge(apply(ops[:part]))
		agree(r, "merged", merged, want)
	})
}

func TestSI12_MergeIsCommutativeAssociativeIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := drawOps(r, false)
		var parts [3][]replica.Op
		for i := range ops {
			// Parts overlap, as the states of replicas do.
			for p := range parts {
				if rapid.Bool().Draw(r, "in") {
					parts[p] = append(parts[p], ops[i])
				}
			}
		}
		a, b, c := apply(parts[0]), apply(parts[1]), apply(parts[2])
		join := func(x, y *replica.State) *replica.State {
			z := x.Clone()
			z.Merge(y)
			return z
		}
		if ab, ba := join(a, b), join(b, a); !ab.Equal(ba) {
			r.Fatal("a ∪ b is not b ∪ a")
		}
		if x, y := join(join(a, b), c), join(a, join(b, c)); !x.Equal(y) {
			r.Fatal("(a ∪ b) ∪ c is not a ∪ (b ∪ c)")
		}
		if !join(a, a).Equal(a) || !join(join(a, b), b).Equal(join(a, b)) {
			r.Fatal("merging again changes something")
		}
		agree(r, "all parts", join(join(a, b), c), fold(slices.Concat(parts[0], parts[1], parts[2])))
	})
}

func TestSI12_MergeAtCapacity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := drawOps(r, true)
		cut := rapid.IntRange(0, len(ops)).Draw(r, "cut")
		a, b := apply(ops[:cut]), apply(ops[cut:])
		x, y := a.Clone(), b.Clone()
		x.Merge(b)
		y.Merge(a)
		if !x.Equal(y) {
			r.Fatal("a ∪ b is not b ∪ a")
		}
		agree(r, "merged", x, fold(ops))
	})
}

func TestSI16_RowLogsStoredAndInMemory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := drawOps(r, true)
		want := fold(ops)
		memory, stored := apply(drawShuffled(r, ops)), store(t, drawShuffled(r, ops))
		agree(r, "in memory", memory, want)
		agree(r, "stored", stored, want)
		if !memory.Equal(stored) {
			r.Fatal("what is stored differs from what is in memory")
		}
		for _, e := range stored.Entities() {
			rows := stored.Rows(e)
			if rows == nil {
				continue
			}
			if rows.Len() > replica.MaxRows {
				r.Fatalf("%s holds %d rows", e, rows.Len())
			}
			if rows.Len() > 0 && rows.Key(0).Compare(rows.Floor) < 0 {
				r.Fatalf("%s holds %v, below its floor %v", e, rows.Key(0), rows.Floor)
			}
		}
	})
}

func TestSI16_ChangeTellsWhatChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := replica.NewState()
		for _, op := range drawShuffled(r, drawOps(r, false)) {
			before := s.Clone()
			ch := s.Apply(op)
			if same := s.Equal(before); same == ch.Won && (ch.Won || s.Rows(op.Entity) != nil) {
				r.Fatalf("won %t, but the state is the same: %t", ch.Won, same)
			}
			was, is := before.Rows(op.Entity), s.Rows(op.Entity)
			if op.Kind != replica.OpRows || is == nil || ch.Reshaped {
				continue
			}
			n := 0
			if was != nil {
				n = was.Len()
			}
			if is.Len() != n+ch.Appended {
				r.Fatalf("%d rows became %d, said to be appended are %d", n, is.Len(), ch.Appended)
			}
			if n > 0 && (is.Key(0) != was.Key(0) || is.Key(n-1) != was.Key(n-1)) {
				r.Fatal("other rows changed, which was not said")
			}
		}
	})
}
