package replica_test

import (
	"errors"
	"fmt"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

func TestSI2_ACopyThatNumbersAlikeIsToldApartByTheServer(t *testing.T) {
	for name, c := range map[string]struct {
		first, second int // edits of either copy
		at            int64
		batch         int // operations that the second one sends at once
		heard         bool
	}{
		"as many edits":                    {2, 2, 1001, 10, false},
		"fewer at once than were judged":   {4, 6, 1001, 2, false},
		"stamped before the others":        {4, 6, 1000, 2, false},
		"what the first one gave up again": {4, 6, 1001, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			a := &device{clock: hlc.Clock{Dev: 1}}
			exchange(t, a, server, true)
			b := &device{tx: *a.tx.Clone(), clock: a.clock}
			for i := range c.first {
				a.edit(t, 1001, edit(fmt.Sprint("a", i), `1`))
			}
			a.submit(t, server, 10)
			if c.heard {
				exchange(t, a, server, true)
				a.submit(t, server, 10)
			}
			for i := range c.second {
				b.edit(t, c.at, edit(fmt.Sprint("b", i), `2`))
			}
			if _, err := b.open(t).Ack(b.submit(t, server, c.batch)); !errors.Is(err, replica.ErrForked) {
				t.Fatalf("%v", err)
			}
			b.clock.Dev = 2
			must(t, b.open(t).Reincarnate(&b.clock, 1002))
			exchange(t, b, server, true)
			exchange(t, a, server, true)
			exchange(t, b, server, true)
			s := same(t, server, a, b)
			if n := len(s.Fields("board")); n != c.first+c.second {
				t.Errorf("%d fields of %d", n, c.first+c.second)
			}
		})
	}
}

func TestSI2_ACopyIsToldApartByWhatTheLogHoldsUnderItsName(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	b := &device{tx: *a.tx.Clone(), clock: a.clock}
	a.edit(t, 1000, appendRows(0, 2))
	exchange(t, a, server, true)
	b.edit(t, 1000, appendRows(0, 3))
	h, err := replica.OpenHub(server)
	must(t, err)
	d, _, err := h.Since(7, 0, 10, 1<<20)
	must(t, err)
	if _, err := b.open(t).Delta(d, &b.clock); !errors.Is(err, replica.ErrForked) {
		t.Errorf("%v", err)
	}
}

// What both copies hold alike is sent by either without harm; what one of them added is not the other's.
func TestSI2_AnAnswerSpeaksOfWhatWasSentAlone(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	a.edit(t, 1000, edit("both", `1`))
	b := &device{tx: *a.tx.Clone(), clock: a.clock}
	a.edit(t, 1001, edit("a", `1`))
	b.edit(t, 1002, edit("b", `1`))
	a.submit(t, server, 10)
	ack := b.submit(t, server, 1)
	if ack.UpTo != 1 {
		t.Errorf("judged up to %d", ack.UpTo)
	}
	_, err := b.open(t).Ack(ack)
	must(t, err)
	if _, err := b.open(t).Ack(b.submit(t, server, 10)); !errors.Is(err, replica.ErrForked) {
		t.Errorf("%v", err)
	}
}

func TestSI3_WhatIsSentAgainIsNoFork(t *testing.T) {
	server := start(t)
	a := &device{clock: hlc.Clock{Dev: 1}}
	exchange(t, a, server, true)
	const ahead = 3_600_000
	a.edit(t, ahead, edit("x", "1"))
	a.edit(t, 1000, edit("y", "1"))
	a.submit(t, server, 1)
	// The effect of the first, under the stamp that it got, comes before the verdict.
	h, err := replica.OpenHub(server)
	must(t, err)
	d, _, err := h.Since(7, 0, 10, 1<<20)
	must(t, err)
	_, err = a.open(t).Delta(d, &a.clock)
	must(t, err)
	for _, n := range []int{1, 2, 2, 1} {
		if ack := a.submit(t, server, n); ack.UpTo > 2 {
			t.Fatalf("%d operations again: %+v", n, ack)
		}
	}
	exchange(t, a, server, true)
	same(t, server, a)
}

// Two copies stamp rows alike. What is shown of them depends on which the log tells of first, so the view has to be read anew.
func TestSI10_RowsThatCopiesStampedAlikeShowAsTheyAreStored(t *testing.T) {
	for name, c := range map[string]struct{ remade, pages bool }{
		"what the other sent under the common name": {remade: true},
		"what the other sent under a new name":      {},
		"what the other sent, told by a snapshot":   {remade: true, pages: true},
		"what the other sent anew, by a snapshot":   {pages: true},
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			first := &device{clock: hlc.Clock{Dev: 1}}
			exchange(t, first, server, true)
			second := &device{tx: *first.tx.Clone(), clock: first.clock}
			first.edit(t, 1000, appendRows(0, 1))
			second.edit(t, 1000, appendRows(10, 3))
			if !c.remade {
				first.clock.Dev = 2
				must(t, first.open(t).Reincarnate(&first.clock, 1000))
			}
			first.submit(t, server, 1)
			if c.remade {
				second.clock.Dev = 2
				must(t, second.open(t).Reincarnate(&second.clock, 1000))
			}
			screen := second.view(t)
			if c.pages {
				h, err := replica.OpenHub(server)
				must(t, err)
				p, err := h.Snapshot(1 << 20)
				must(t, err)
				ch, err := second.open(t).Snapshot(p[0], &second.clock, 1000)
				must(t, err)
				second.follow(t, screen, ch)
			} else {
				second.pull(t, server, screen)
			}
			if n := screen.Rows("w").Len(); n != 1 {
				t.Errorf("%d rows; what came first is one", n)
			}

			// A trim of the rows that came first bares the end of those that wait, until these are judged.
			third := &device{clock: hlc.Clock{Dev: 3}}
			exchange(t, third, server, true)
			ack := second.submit(t, server, 1)
			key := third.view(t).Rows("w").Key(0)
			key.Index++
			third.edit(t, 1001, replica.Edit{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{DropTo: &key}})
			third.submit(t, server, 1)
			second.pull(t, server, screen)
			ch, err := second.open(t).Ack(ack)
			must(t, err)
			second.follow(t, screen, ch)
			same(t, server, second)
		})
	}
}

func (d *device) view(t *testing.T) *replica.State {
	t.Helper()
	s, err := d.open(t).View()
	must(t, err)
	return s
}

// pull takes what is new in the log, also on the screen.
func (d *device) pull(t *testing.T, server *replica.Memory, screen *replica.State) {
	t.Helper()
	h, err := replica.OpenHub(server)
	must(t, err)
	c := d.open(t)
	delta, _, err := h.Since(c.Status().Epoch, c.Status().Seen, 10, 1<<20)
	must(t, err)
	ch, err := c.Delta(delta, &d.clock)
	must(t, err)
	d.follow(t, screen, ch)
}

// follow does to the screen what a message changed, and compares it with what is stored.
func (d *device) follow(t *testing.T, screen *replica.State, ch replica.Changes) {
	t.Helper()
	for _, op := range ch.Ops {
		screen.Apply(op)
	}
	if ch.Rebuild {
		*screen = *d.view(t)
	}
	if !screen.Equal(d.view(t)) {
		t.Errorf("device %d shows something else than what it stores", d.clock.Dev)
	}
}
