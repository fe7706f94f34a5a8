package writers

import (
	"context"
	"sync"
)

// gate holds writers back while there is no server.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while the server is up
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

// lift lets everybody through.
func (g *gate) lift() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

// drop holds back whoever comes from now on.
func (g *gate) drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		g.open = make(chan struct{})
	default:
	}
}

// pass waits until the gate is open; false means that ctx ended first.
func (g *gate) pass(ctx context.Context) bool {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return true
	case <-ctx.Done():
		return false
	}
}
