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
