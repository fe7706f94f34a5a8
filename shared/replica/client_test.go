package replica_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// desk is a user at a device: what the device shows is checked after everything that happens.
type desk struct {
	dev    uint64
	tx     replica.Memory
	clock  hlc.Clock
	screen *replica.State // kept up to date by what Client reports
	mine   map[[2]string]json.RawMessage
	acks   []replica.Ack // answers that are under way
}

// house is a hub and three devices of one dashboard; rapid walks through what may happen.
type house struct {
	t      testing.TB
	now    int64
	server *replica.Memory
	desks  []*desk
	serial int
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	server, _ := newHub(tb)
	h := &house{t: tb, now: now, server: server}
	for i := range 3 {
		dev := uint64(i) + 1
		h.desks = append(h.desks, &desk{dev: dev, clock: hlc.Clock{Dev: dev}, screen: replica.NewState(), mine: map[[2]string]json.RawMessage{}})
	}
	return h
}

func (h *house) hub() *replica.Hub {
	hub, err := replica.OpenHub(h.server)
	must(h.t, err)
	return hub
}

func (h *house) client(d *desk) *replica.Client {
	c, err := replica.OpenClient(&d.tx)
	must(h.t, err)
	return c
}

func (h *house) desk(r *rapid.T) *desk { return rapid.SampledFrom(h.desks).Draw(r, "desk") }

func (h *house) edit(r *rapid.T) {
	d := h.desk(r)
	h.serial++
	e := edit(rapid.SampledFrom([]string{"x", "y"}).Draw(r, "field"), fmt.Sprint(h.serial))
	if rapid.IntRange(0, 3).Draw(r, "rows") == 0 {
		e = appendRows(h.serial*10, rapid.IntRange(1, 3).Draw(r, "n"))
	}
	wall := h.now + rapid.SampledFrom([]int64{0, 0, -3_600_000, 3_600_000, 200_000}).Draw(r, "skew")
	ops, err := h.client(d).Edit(&d.clock, wall, []replica.Edit{e})
	must(h.t, err)
	d.screen.Apply(ops[0])
	view, err := h.client(d).View()
	must(h.t, err)
	if !view.Equal(d.screen) {
		r.Fatal("SI9: after an edit the screen differs from what is stored")
	}
	if e.Kind == replica.OpSet {
		if v, s, _ := view.Register(e.Entity, e.Field); s != ops[0].Stamp {
			r.Fatalf("SI9: %s was set to %s, but shows %s of %s", e.Field, e.Value, v, s)
		}
	} else if rows := view.Rows(e.Entity); rows.Key(rows.Len()-1).Stamp != ops[0].Stamp {
		r.Fatal("SI9: appended rows are not the last")
	}
}

func (h *house) submit(r *rapid.T) {
	d := h.desk(r)
	c := h.client(d)
	ops, err := c.Pending(0, rapid.IntRange(1, 5).Draw(r, "n"), 1<<20)
	must(h.t, err)
	ack, _, err := h.hub().Submit(replica.Submission{Dev: d.dev, Floor: c.Status().Acked, Ops: ops},
		replica.Policy{Now: h.now, MayEdit: rapid.IntRange(0, 3).Draw(r, "editor") > 0})
	must(h.t, err)
	d.acks = append(d.acks, ack)
	h.now += rapid.Int64Range(0, 1000).Draw(r, "ms")
}

// answer delivers one of the answers that are under way, early, late or twice; or loses them all.
func (h *house) answer(r *rapid.T) {
	d := h.desk(r)
	if len(d.acks) == 0 {
		return
	}
	if rapid.IntRange(0, 4).Draw(r, "lose") == 0 {
		d.acks = nil
		return
	}
	ack := rapid.SampledFrom(d.acks).Draw(r, "ack")
	ch, err := h.client(d).Ack(ack)
	h.took(r, d, ch, err)
}

func (h *house) pull(r *rapid.T) {
	d := h.desk(r)
	c := h.client(d)
	s := c.Status()
	from := s.Seen
	if s.Epoch != 0 && rapid.IntRange(0, 3).Draw(r, "wrong") == 0 {
		from = rapid.Uint64Range(0, s.Seen+3).Draw(r, "from")
	}
	delta, ok, err := h.hub().Since(s.Epoch, from, rapid.IntRange(1, 5).Draw(r, "entries"), 1<<20)
	must(h.t, err)
	if ok {
		ch, err := c.Delta(delta, &d.clock)
		h.took(r, d, ch, err)
		return
	}
	if from != s.Seen {
		return
	}
	pages, err := h.hub().Snapshot(rapid.IntRange(1, 500).Draw(r, "bytes"))
	must(h.t, err)
	for _, p := range pages[:rapid.IntRange(1, len(pages)).Draw(r, "pages")] {
		ch, err := h.client(d).Snapshot(p, &d.clock, h.now)
		h.took(r, d, ch, err)
	}
}

// took checks that nothing on the screen became older, unless an edit of this device was refused or moved in time.
func (h *house) took(r *rapid.T, d *desk, ch replica.Changes, err error) {
	if errors.Is(err, replica.ErrGap) {
		return
	}
	must(h.t, err)
	view, err := h.client(d).View()
	must(h.t, err)
	before := d.screen
	if ch.Rebuild {
		d.screen = view
	} else {
		for _, op := range ch.Ops {
			d.screen.Apply(op)
		}
		if !view.Equal(d.screen) {
			r.Fatal("SI10: the screen differs from what is stored")
		}
	}
	mine := len(ch.Refused) > 0 || ch.Restamped > 0
	for _, e := range before.Entities() {
		for _, f := range before.Fields(e) {
			_, was, _ := before.Register(e, f)
			if _, is, _ := view.Register(e, f); is.Less(was) && (!mine || was.Dev != d.dev) {
				r.Fatalf("SI10: %s %s went back from %s to %s", e, f, was, is)
			}
		}
	}
	if was, is := before.Rows("w"), view.Rows("w"); was != nil && !mine && is.Len() < was.Len() {
		r.Fatalf("SI10: of %d rows %d are left", was.Len(), is.Len())
	}
}

func (h *house) compact(r *rapid.T) {
	must(h.t, h.hub().Compact(rapid.Uint64Range(0, 5).Draw(r, "keep")))
}

// settle lets everybody exchange everything, and checks that all agree and that nothing is lost.
func (h *house) settle(r *rapid.T) {
	for range 2 {
		for _, d := range h.desks {
			c := h.client(d)
			s := c.Status()
			if delta, ok, _ := h.hub().Since(s.Epoch, s.Seen, 1000, 1<<20); ok {
				ch, err := c.Delta(delta, &d.clock)
				h.took(r, d, ch, err)
			} else {
				pages, err := h.hub().Snapshot(100)
				must(h.t, err)
				for _, p := range pages {
					ch, err := h.client(d).Snapshot(p, &d.clock, h.now)
					h.took(r, d, ch, err)
				}
			}
			c = h.client(d)
			ops, err := c.Pending(0, 1000, 1<<20)
			must(h.t, err)
			ack, _, err := h.hub().Submit(replica.Submission{Dev: d.dev, Floor: c.Status().Acked, Ops: ops}, replica.Policy{Now: h.now, MayEdit: true})
			must(h.t, err)
			ch, err := c.Ack(ack)
			h.took(r, d, ch, err)
		}
	}
	want, err := h.hub().State()
	must(h.t, err)
	for _, d := range h.desks {
		if s := h.client(d).Status(); s.Waiting != 0 || !d.screen.Equal(want) {
			r.Fatalf("SI1: device %d differs, %d edits wait", d.dev, s.Waiting)
		}
	}
}

func TestSI1_SI9_SI10_DevicesAndAHub(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := newHouse(t)
		r.Repeat(map[string]func(*rapid.T){
			"edit": h.edit, "edit again": h.edit, "submit": h.submit, "answer": h.answer, "pull": h.pull, "compact": h.compact,
		})
		h.settle(r)
	})
}

func TestSI11_TheLaterOfTwoEditsStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := newHouse(t)
		d := h.desks[0]
		n := rapid.IntRange(2, 6).Draw(r, "edits")
		for i := range n {
			wall := h.now + rapid.Int64Range(-7_200_000, 7_200_000).Draw(r, "skew")
			_, err := h.client(d).Edit(&d.clock, wall, []replica.Edit{edit("x", fmt.Sprint(i))})
			must(t, err)
			if rapid.Bool().Draw(r, "send") {
				c := h.client(d)
				ops, err := c.Pending(0, 1, 1)
				must(t, err)
				ack, _, err := h.hub().Submit(replica.Submission{Dev: 1, Ops: ops}, replica.Policy{Now: h.now, MayEdit: true})
				must(t, err)
				_, err = c.Ack(ack)
				if err != nil && !errors.Is(err, replica.ErrGap) {
					t.Fatal(err)
				}
			}
		}
		h.settle(r)
		s, err := h.hub().State()
		must(t, err)
		if v, _, _ := s.Register("board", "x"); string(v) != fmt.Sprint(n-1) {
			r.Fatalf("of %d edits number %s stayed", n, v)
		}
	})
}

func TestSI14_SizeDoesNotGrowWithEdits(t *testing.T) {
	t.Parallel()
	size := func(tx *replica.Memory) (n int) {
		must(t, tx.Scan(nil, nil, func(k, v []byte) bool {
			if k[0] != 'y' { // the history has its own bound (TestQ3_TheHistoryIsBounded)
				n += len(k) + len(v)
			}
			return true
		}))
		return n
	}
	rapid.Check(t, func(r *rapid.T) {
		h := newHouse(t)
		var sizes [3]int
		for round := range sizes {
			n := []int{60, 60, 400}[round]
			for range n {
				d := h.desk(r)
				h.serial++
				e := edit(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(r, "field"), fmt.Sprintf(`"%010d"`, h.serial))
				if rapid.IntRange(0, 9).Draw(r, "rows") == 0 {
					e = appendRows(1_000_000_000+h.serial, 2)
					e.Rows.Replace, e.Rows.Columns = true, json.RawMessage(`["c"]`)
				}
				_, err := h.client(d).Edit(&d.clock, h.now, []replica.Edit{e})
				must(t, err)
				h.now++
				if h.serial%20 == 0 {
					h.rest(r)
				}
			}
			// Every register and the rows are written, whatever was drawn.
			rows := appendRows(1_000_000_000, 2)
			rows.Rows.Replace, rows.Rows.Columns = true, json.RawMessage(`["c"]`)
			_, err := h.client(h.desks[0]).Edit(&h.desks[0].clock, h.now, []replica.Edit{edit("x", `"0123456789"`), edit("y", `"0123456789"`), edit("z", `"0123456789"`), rows})
			must(t, err)
			h.rest(r)
			must(t, h.hub().Compact(0))
			sizes[round] = size(h.server)
			for _, d := range h.desks {
				sizes[round] += size(&d.tx)
			}
		}
		if diff := sizes[2] - sizes[1]; diff > 100 || sizes[2] > 4000 {
			r.Fatalf("after 60, 120 and 520 edits %v bytes are stored", sizes)
		}
	})
}

// rest lets everybody exchange everything and take note of it.
func (h *house) rest(r *rapid.T) {
	for _, d := range h.desks {
		view, err := h.client(d).View()
		must(h.t, err)
		d.screen = view
	}
	h.settle(r)
	for _, d := range h.desks {
		_, _, err := h.hub().Submit(replica.Submission{Dev: d.dev, Floor: h.client(d).Status().Acked}, replica.Policy{Now: h.now, MayEdit: true})
		must(h.t, err)
	}
}
