// Package ratelimit says how often somebody may do something.
//
// A Limiter keeps one budget for each key: burst actions at once, then one in each interval (the generic cell rate
// algorithm, ITU-T I.371: one time a key). It is used before anything costly is done. It reads no clock and keeps a
// bounded number of keys. Rate is the arithmetic alone, for budgets that are kept elsewhere. Start reading at Limiter.
package ratelimit

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// ExceededError tells that a budget is spent and when to come back. It is the cause of a Busy fault.
type ExceededError struct {
	After time.Duration
}

// Error names the wait.
func (e *ExceededError) Error() string { return fmt.Sprintf("rate limit: try again in %s", e.After) }

// Rate allows Burst actions at once and one more in each Interval. Of a budget it needs to know one time: when it will be
// full again. A time that is past, such as the zero Time, means that it is full.
type Rate struct {
	Burst    int
	Interval time.Duration
}

// Wait is how long at now a budget that is full again at full has nothing left; 0 if it has.
func (r Rate) Wait(full, now time.Time) time.Duration {
	full = r.within(full, now)
	return max(0, full.Add(r.Interval).Sub(now)-time.Duration(r.Burst)*r.Interval)
}

// within is full, at least now, and at most as late as for a budget of which nothing is left: one that was written while
// the clock ran ahead does not stay spent for as long.
func (r Rate) within(full, now time.Time) time.Time {
	if full.Before(now) {
		return now
	}
	if most := now.Add(time.Duration(r.Burst) * r.Interval); full.After(most) {
		return most
	}
	return full
}

// Spend is when the budget will be full again after one more action at now.
func (r Rate) Spend(full, now time.Time) time.Time {
	return r.within(full, now).Add(r.Interval)
}

// Limiter holds budgets by key. It is safe for concurrent use.
type Limiter struct {
	rate    Rate
	maxKeys int

	mu   sync.Mutex
	full map[string]time.Time // when each budget that is not full will be full again
}

// DefaultKeys is how many budgets a Limiter keeps that are not full.
const DefaultKeys = 100_000

// New makes a Limiter of burst actions at once and one more in each interval. maxKeys 0 means DefaultKeys.
func New(burst int, interval time.Duration, maxKeys int) *Limiter {
	if maxKeys == 0 {
		maxKeys = DefaultKeys
	}
	return &Limiter{rate: Rate{Burst: burst, Interval: interval}, maxKeys: maxKeys, full: map[string]time.Time{}}
}

// Take spends one action of key's budget at now. If none is left it spends nothing and returns an *ExceededError.
func (l *Limiter) Take(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.full[key]
	if wait := l.rate.Wait(at, now); wait > 0 {
		return &ExceededError{After: wait}
	}
	if !ok && len(l.full) >= l.maxKeys {
		l.makeRoom(now)
	}
	l.full[key] = l.rate.Spend(at, now)
	return nil
}

// Check tells whether Take would find anything left of key's budget at now, and spends nothing.
func (l *Limiter) Check(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.rate.Wait(l.full[key], now); wait > 0 {
		return &ExceededError{After: wait}
	}
	return nil
}

// makeRoom forgets, of a handful of budgets, those that are full and in any case the one that is nearest to it: so who
// fills the table with new keys mostly pushes out their own. Go's order of map iteration makes the handful a random one.
func (l *Limiter) makeRoom(now time.Time) {
	const handful = 16
	var nearest string
	var best time.Time
	n := 0
	for k, at := range l.full {
		if n++; n > handful {
			break
		}
		if at.Before(now) {
			delete(l.full, k)
		} else if best.IsZero() || at.Before(best) {
			nearest, best = k, at
		}
	}
	if len(l.full) >= l.maxKeys {
		delete(l.full, nearest)
	}
}

// Client is the key of an address that something came from: an IPv6 address counts by its /64, which is what one
// customer of a provider gets.
func Client(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
