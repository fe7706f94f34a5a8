// Package gate bounds how much costly work is done at once, and how much of it may wait.
//
// Whoever wants to work enters, which never blocks: where too many wait already, it is better to be told to come back
// later. A claim bounds in the same way what belongs together, such as the attempts on one link, so that it leaves room
// for the rest. The package knows nothing of the work. Start reading at Gate.
package gate

import (
	"context"
	"fmt"
	"sync"
)

// Gate lets a number of places be taken and a number of those work at a time. It is safe for concurrent use.
type Gate struct {
	working chan struct{}

	mu     sync.Mutex
	free   int
	claims map[string]int
}

// Claim says that a place belongs to Key, which must not have more than Most of them. Callers give a key the same Most
// each time.
type Claim struct {
	Key  string
	Most int
}

// New makes a Gate with this many places, of which at most working work at once.
func New(working, places int) *Gate {
	return &Gate{working: make(chan struct{}, max(1, working)), free: places, claims: map[string]int{}}
}

// Enter takes a place, or returns nil if there is none or a claim has all of its own. Leave it.
func (g *Gate) Enter(claims ...Claim) *Place {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free <= 0 {
		return nil
	}
	for _, c := range claims {
		if g.claims[c.Key] >= c.Most {
			return nil
		}
	}
	for _, c := range claims {
		g.claims[c.Key]++
	}
	g.free--
	return &Place{gate: g, claims: claims}
}

// Place is a place in a Gate. It is for one goroutine.
type Place struct {
	gate   *Gate
	claims []Claim
}

// Work calls f when it is this place's turn, or returns the error of ctx if that ends before.
func (p *Place) Work(ctx context.Context, f func()) error {
	select {
	case p.gate.working <- struct{}{}:
		defer func() { <-p.gate.working }()
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
	f()
	return nil
}

// Leave gives the place back.
func (p *Place) Leave() {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	for _, c := range p.claims {
		if g.claims[c.Key]--; g.claims[c.Key] <= 0 {
			delete(g.claims, c.Key)
		}
	}
}
