package workspace

import (
	"context"
	"time"

	"widgets.pro/shared/sharing"
)

const (
	// warnAhead is how long before a link ends its owner is told (rule L5).
	warnAhead = 24 * time.Hour
	// longestWait bounds the wait for the next end: the clock may be set meanwhile, and a timer does not run while the
	// machine sleeps.
	longestWait = 24 * time.Hour
)

// WatchEnds tells the owner of links that end within 24 hours, once for each end and run of the program, and tells screens
// when a link has ended, as the mode in force is another from then on (rule L5). It runs until ctx ends; after is
// time.After. Call it once.
func (w *Workspace) WatchEnds(ctx context.Context, after func(time.Duration) <-chan time.Time) {
	var due <-chan time.Time
	last, at := w.wall(), int64(0)
	for {
		now := w.wall()
		if next := w.tellEnds(last, now); next != at || due == nil {
			at = next
			wait := longestWait
			if next != 0 {
				wait = min(time.Duration(next-now)*time.Millisecond, longestWait)
			}
			due = after(wait)
		}
		last = now
		select {
		case <-ctx.Done():
			return
		case <-due:
			due = nil
		case <-w.moved:
		}
	}
}

// tellEnds tells what has come about between last and now, in milliseconds, and returns when there will be something to
// tell next, 0 if that is not known.
func (w *Workspace) tellEnds(last, now int64) (next int64) {
	at := func(t int64) {
		if next == 0 || t < next {
			next = t
		}
	}
	var over []*dashboard
	var warnings []Event
	w.mu.Lock()
	for _, d := range w.boards {
		if !d.manages() || d.rec.Trashed {
			continue
		}
		wanted := w.wanted(d)
		ended := false
		for _, l := range []sharing.Link{d.rec.Link, wanted} {
			if !l.Enabled || l.Expires == 0 {
				continue
			}
			if l.Expires > now {
				at(l.Expires)
			}
			ended = ended || last < l.Expires && l.Expires <= now
		}
		if ended {
			over = append(over, d)
		}
		if wanted.Mode(now) == sharing.Private || wanted.Expires == 0 || wanted.Expires == d.warned {
			continue
		}
		if warn := wanted.Expires - warnAhead.Milliseconds(); warn > now {
			at(warn)
		} else {
			d.warned = wanted.Expires
			warnings = append(warnings, w.ending(d, wanted.Expires, now))
		}
	}
	w.mu.Unlock()
	for _, d := range over {
		w.shown(d)
	}
	if len(warnings) > 0 {
		w.publish(warnings...)
	}
	return next
}

// ending is the notice of a link that ends soon.
func (w *Workspace) ending(d *dashboard, end, now int64) Event {
	message := "The link to “" + d.rec.Title + "” ends in " + duration(end-now) + " (" + clock(time.UnixMilli(end), w.deps.Now()) + ")."
	return notice(NoticeWarning, d.rec.ID, message, "Choose a later end, or none, in its share dialog; otherwise nobody can open the link from then on.")
}
