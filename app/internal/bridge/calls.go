package bridge

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// calls counts the requests under way, so that the program does not close its data under them.
type calls struct {
	mu     sync.Mutex
	count  int
	closed bool
	idle   chan struct{} // closed once closed is set and count is 0
}

func (c *calls) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.count++
	}
	return !c.closed
}

func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if c.closed && c.count == 0 {
		close(c.idle)
	}
}

// close lets no more calls in, and waits for those under way, but not longer than atMost.
func (c *calls) close(atMost time.Duration) {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		if c.count == 0 {
			close(c.idle)
		}
	}
	c.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-c.idle:
	case <-timer.C:
	}
}

// bound ends a request's context with the bridge's life, as requests of the window never end by themselves.
func (b *Bridge) bound(r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(b.life, cancel) //nolint:contextcheck // two lives: the request's own, and the bridge's
	return r.WithContext(ctx), func() { stop(); cancel() }
}

// Farewell is the script by which a page that is about to close writes what is still being typed, and then says so.
const Farewell = `(() => {
	document.activeElement?.blur?.();
	dispatchEvent(new Event("pagehide"));
	setTimeout(() => { void fetch("/api/farewell", { method: "POST" }); }, 50);
})()`

// AwaitFarewell waits until the page has said farewell, but not longer than atMost: the page may be broken.
func (b *Bridge) AwaitFarewell(atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-b.farewell:
	case <-timer.C:
	}
}

func (b *Bridge) takeFarewell(w http.ResponseWriter, r *http.Request) {
	select {
	case b.farewell <- struct{}{}:
	default:
	}
	b.answer(w, r, done{})
}
