// Package views counts how often share links are opened (rule L7).
//
// A Counter counts in memory, so that no viewer ever waits for it, and writes all that has come together in one
// transaction every few seconds and at the end. What it keeps is numbers by day: no address, no cookie, no name. Start
// reading at Counter.
package views

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

const (
	// MaxDays is how many days are kept, the present one included.
	MaxDays = 30

	dayMillis  = 24 * 60 * 60 * 1000
	writeEvery = 3 * time.Second
	retryAfter = 30 * time.Second // when the store has failed
)

// Config is what a Counter needs; everything must be given.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	Now   func() time.Time
	// Counted is told of each dashboard whose count was written. It is called as Tx.After calls, and must not block.
	Counted func(id board.ID)
}

// Counter counts. It is safe for concurrent use. Start it with New and Close it before its store.
type Counter struct {
	cfg  Config
	wake chan struct{}
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu      sync.Mutex
	waiting map[key]opened
}

// key is a link, not only a dashboard, and one day: what was counted for a link that is replaced before it was written
// belongs to nobody any more.
type key struct {
	board board.ID
	token sharing.Token
	day   int64 // since 1970, UTC
}

type opened struct {
	times uint32
	last  int64 // ms since 1970
}

// New starts a Counter.
func New(cfg Config) *Counter {
	c := &Counter{cfg: cfg, wake: make(chan struct{}, 1), stop: make(chan struct{}), waiting: map[key]opened{}}
	c.done.Go(c.run)
	return c
}

// Opened counts that somebody has opened the dashboard by the link with this token. It never blocks.
func (c *Counter) Opened(id board.ID, t sharing.Token) {
	now := c.cfg.Now().UnixMilli()
	k := key{board: id, token: t, day: now / dayMillis}
	c.mu.Lock()
	o := c.waiting[k]
	c.waiting[k] = o.add(opened{times: 1, last: now})
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it knows already
	}
}

// Close writes what is counted and stops. What the store does not take then is lost. Closing again does nothing.
func (c *Counter) Close() {
	c.once.Do(func() {
		close(c.stop)
		c.done.Wait()
		c.write(context.Background())
	})
}

func (c *Counter) run() {
	for {
		select {
		case <-c.stop:
			return
		case <-c.wake:
		}
		for wait := writeEvery; wait != 0; {
			timer := time.NewTimer(wait)
			select {
			case <-c.stop:
				timer.Stop()
				return
			case <-timer.C:
			}
			// The commit is awaited even when the Counter is closed meanwhile: given up half-way it might be counted twice.
			wait = 0
			if !c.write(context.Background()) {
				wait = retryAfter
			}
		}
	}
}

// write writes what has come together; false if it could not, and it waits on.
func (c *Counter) write(ctx context.Context) bool {
	c.mu.Lock()
	batch := c.waiting
	c.waiting = map[key]opened{}
	c.mu.Unlock()
	if len(batch) == 0 {
		return true
	}
	err := c.cfg.Store.Update(ctx, func(tx store.Tx) error {
		for k, o := range batch {
			link, err := tx.Links().Get(k.board)
			if err != nil {
				return err //nolint:wrapcheck // logged below
			}
			if link.Token != k.token {
				continue // replaced or deleted since
			}
			v, err := tx.Views().Get(k.board)
			if err != nil {
				return err //nolint:wrapcheck // logged below
			}
			if err := tx.Views().Put(k.board, add(v, k.day, o)); err != nil {
				return err //nolint:wrapcheck // logged below
			}
			tx.After(func() { c.cfg.Counted(k.board) })
		}
		return nil
	})
	if err == nil {
		return true
	}
	c.cfg.Log.WarnContext(ctx, "views could not be written", "links", len(batch), "error", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, o := range batch {
		c.waiting[k] = c.waiting[k].add(o)
	}
	return false
}

func (o opened) add(p opened) opened {
	return opened{times: sum(o.times, p.times), last: max(o.last, p.last)}
}

// add counts openings of a day, which may be one before the last, and forgets what is older than MaxDays.
func add(v store.ViewCount, day int64, o opened) store.ViewCount {
	if len(v.Days) == 0 {
		v.Day = day
	}
	last := max(day, v.Day)
	first := max(min(day, v.Day-int64(len(v.Days))+1), last-MaxDays+1)
	days := make([]uint32, last-first+1)
	for i, n := range v.Days {
		if at := v.Day - int64(len(v.Days)) + 1 + int64(i) - first; at >= 0 {
			days[at] = n
		}
	}
	if at := day - first; at >= 0 {
		days[at] = sum(days[at], o.times)
	}
	return store.ViewCount{Last: max(v.Last, o.last), Day: last, Days: days}
}

// sum stays at the most there can be.
func sum(a, b uint32) uint32 {
	if a > math.MaxUint32-b {
		return math.MaxUint32
	}
	return a + b
}
