package gate_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"widgets.pro/syncserver/internal/gate"
)

func TestP7_PlacesAreBounded(t *testing.T) {
	g := gate.New(2, 5)
	one, client := gate.Claim{Key: "one", Most: 3}, gate.Claim{Key: "client", Most: 2}
	a, b := g.Enter(one, client), g.Enter(one, client)
	if a == nil || b == nil || g.Enter(one, client) != nil {
		t.Fatal("a client has more places than its own")
	}
	c := g.Enter(one)
	if c == nil || g.Enter(one) != nil {
		t.Fatal("a claim has more places than its own")
	}
	d, e := g.Enter(), g.Enter(gate.Claim{Key: "two", Most: 3})
	if d == nil || e == nil || g.Enter() != nil {
		t.Fatal("there are more places than there are")
	}
	a.Leave()
	if f := g.Enter(one, client); f == nil {
		t.Error("a place that was given back cannot be taken")
	}
}

func TestP7_FewWorkAtOnce(t *testing.T) {
	g := gate.New(2, 100)
	var now, most atomic.Int32
	step := make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			p := g.Enter()
			defer p.Leave()
			_ = p.Work(t.Context(), func() {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				<-step
				now.Add(-1)
			})
		})
	}
	for range 50 {
		step <- struct{}{}
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d worked at once", most.Load())
	}
}

func TestWhoGoesAwayDoesNotWork(t *testing.T) {
	g := gate.New(1, 2)
	busy, done := make(chan struct{}), make(chan struct{})
	go func() {
		_ = g.Enter().Work(t.Context(), func() { close(busy); <-done })
	}()
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	worked := false
	if err := g.Enter().Work(ctx, func() { worked = true }); !errors.Is(err, context.Canceled) || worked {
		t.Errorf("%v, worked: %v", err, worked)
	}
	close(done)
}
