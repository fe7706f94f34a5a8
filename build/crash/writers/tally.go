package writers

import (
	"context"
	"sync"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// tally is what all writers have in common: how much was acknowledged, where each stands, and what went wrong.
type tally struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change
	count    uint64        // operations acknowledged
	gaps     int
	rest     bool
	troubles []error
	at       map[*lane]replica.ClientStatus
}

func newTally() *tally {
	return &tally{changed: make(chan struct{}), at: map[*lane]replica.ClientStatus{}}
}

func (t *tally) change(fn func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fn()
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tally) acked(n uint64)    { t.change(func() { t.count += n }) }
func (t *tally) gap()              { t.change(func() { t.gaps++ }) }
func (t *tally) trouble(err error) { t.change(func() { t.troubles = append(t.troubles, err) }) }
func (t *tally) stands(l *lane, s replica.ClientStatus) {
	t.change(func() { t.at[l] = s })
}

// sleep has the writers make no more edits.
func (t *tally) sleep() { t.change(func() { t.rest = true }) }

func (t *tally) resting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rest
}

// until waits until done holds, or something went wrong, or ctx ended; it reports whether done holds. done is called with
// the lock held.
func (t *tally) until(ctx context.Context, done func() bool) bool {
	for {
		t.mu.Lock()
		ok, broken, changed := done(), len(t.troubles) > 0, t.changed
		t.mu.Unlock()
		if ok || broken {
			return ok
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}

// drained reports whether nothing waits on any of lanes. The caller holds the lock.
func (t *tally) drained(lanes []*lane) bool {
	for _, l := range lanes {
		if st, ok := t.at[l]; !ok || st.Waiting > 0 {
			return false
		}
	}
	return true
}

// caughtUp reports whether all lanes have seen the log of their dashboard to its end. The caller holds the lock.
func (t *tally) caughtUp(lanes []*lane, heads map[board.ID]uint64) bool {
	for _, l := range lanes {
		if t.at[l].Seen < heads[l.id] {
			return false
		}
	}
	return true
}
