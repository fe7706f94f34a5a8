// Package expiry ends share links when their time has come (rule L5).
//
// A Job sleeps until the next link ends, carries that out with sharelink, and looks again; a change of access wakes it,
// since that may bring an end nearer. Whether a link still opens anything does not depend on it: access decides that by
// the clock. What the Job adds is that sessions and connections which are open end too, at once. Start reading at Job.
package expiry

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

const (
	// longest is how long a Job sleeps at most while an end lies ahead: timers do not notice that the machine was
	// suspended or that its clock was set.
	longest = time.Minute

	retryFirst = time.Second // after the store failed; doubled each time
	retryMost  = time.Minute

	// cutAtOnce bounds the dashboards whose viewers are told although the store does not take the end.
	cutAtOnce = 100
)

// Config is what a Job needs; everything must be given.
type Config struct {
	Store  store.Store
	Events content.Events
	Log    *slog.Logger
	Now    func() time.Time
}

// Job ends links. Start it once and Close it before its store.
type Job struct {
	cfg    Config
	wake   chan struct{}
	ctx    context.Context //nolint:containedctx // ends the goroutine that Start starts
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New makes a Job that does not run yet.
func New(cfg Config) *Job {
	j := &Job{cfg: cfg, wake: make(chan struct{}, 1)}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	return j
}

// Start starts the Job. What has ended while none ran is carried out at once.
func (j *Job) Start() { j.done.Go(func() { j.run(j.ctx) }) }

// Close stops the Job and waits for it. Closing again does nothing.
func (j *Job) Close() {
	j.cancel()
	j.done.Wait()
}

// AccessChanged tells that a link has changed, as room.Relay does. It does not block.
func (j *Job) AccessChanged(board.ID) {
	select {
	case j.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Changed is for room.Relay; content does not matter here.
func (j *Job) Changed(board.ID) {}

func (j *Job) run(ctx context.Context) {
	var failures int
	for {
		next, err := j.carryOut(ctx)
		if ctx.Err() != nil {
			return
		}
		wake, sleep := j.wake, time.Duration(math.MaxInt64)
		switch {
		case err != nil:
			sleep = min(retryFirst<<min(failures, 6), retryMost)
			failures++
			wake = nil // what was told of the links that are due is news to the job itself, too
			j.cfg.Log.WarnContext(ctx, "links could not be ended", "error", err, "retry_in", sleep)
		case next != 0:
			sleep = min(longest, max(0, time.UnixMilli(next).Sub(j.cfg.Now())))
		}
		if err == nil {
			failures = 0
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// carryOut ends what is due and tells when the next link ends, 0 if none does.
func (j *Job) carryOut(ctx context.Context) (next int64, err error) {
	now := j.cfg.Now().UnixMilli()
	var due []board.ID
	err = j.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		due, next, err = tx.Links().Expiring(now, cutAtOnce)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return 0, fmt.Errorf("look for links that end: %w", err)
	}
	if len(due) == 0 {
		return next, nil // most changes of access are not about an end, and cost no write
	}
	err = j.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
		next, err = sharelink.Expire(tx, j.cfg.Events, now)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		// Nothing could be written, but the time is over all the same: whoever watches is to be asked for leave again,
		// which access refuses by the clock (rule V1).
		for _, id := range due {
			j.cfg.Events.Access(content.AccessChange{Board: id})
		}
		return 0, fmt.Errorf("end %d links: %w", len(due), err)
	}
	return next, nil
}
