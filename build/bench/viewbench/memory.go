package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"widgets.pro/build/bench/bare"
	"widgets.pro/build/bench/crowd"
	"widgets.pro/build/bench/process"
	"widgets.pro/build/bench/report"
)

const (
	maxPerViewer = 32 << 10
	// idling is how long nothing happens before memory is read: what the handshakes left behind is freed then.
	idling = 5 * time.Second
)

// memory measures what an idle viewer takes: by how much the memory of the process grows from the first fifth of the viewers
// to all of them, divided by those who came. The first fifth uses up what the process had at hand before.
func memory(ctx context.Context, out io.Writer, o options, dir string) (missed bool, err error) {
	s, err := open(ctx, o, roundDir(dir, "memory", 0))
	if err != nil {
		return false, err
	}
	ours, err := o.hold(ctx, s.server, s.live, s.session)
	s.end()
	if err != nil {
		return false, fmt.Errorf("server: %w", err)
	}
	floor, err := process.Self(ctx, "-floor")
	if err != nil {
		return false, err
	}
	defer floor.End()
	theirs, err := o.hold(ctx, floor, "ws"+floor.Base[len("http"):]+bare.LivePath, "")
	if err != nil {
		return false, fmt.Errorf("floor: %w", err)
	}
	report.Say(out, "memory of an idle viewer who has given the link's password, at %d\n", o.idle)
	report.Say(out, "  server           %7.1f KiB (at most %d) %s, %d MiB in all\n", ours.each/1024, maxPerViewer>>10, report.Mark(ours.each <= maxPerViewer, &missed), ours.all>>20)
	report.Say(out, "  floor            %7.1f KiB, bare websockets, %d MiB in all\n", theirs.each/1024, theirs.all>>20)
	report.Say(out, "  ratio            %7.2f\n", ours.each/theirs.each)
	return missed, nil
}

// held is what viewers took: each by itself, and the whole program with all of them, in bytes.
type held struct {
	each float64
	all  int64
}

// hold connects viewers who do nothing.
func (o options) hold(ctx context.Context, p *process.Process, live, session string) (h held, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var before int64
	for _, n := range []int{o.idle / 5, o.idle - o.idle/5} {
		viewers, err := crowd.Gather(ctx, live, n, crowd.Options{Now: o.now, Session: session})
		if err != nil {
			return h, err
		}
		defer viewers.Leave()
		select {
		case <-ctx.Done():
			return h, ctx.Err()
		case <-time.After(idling):
		}
		before = h.all
		if h.all, err = p.Resident(); err != nil {
			return h, err
		}
	}
	h.each = float64(h.all-before) / float64(o.idle-o.idle/5)
	return h, nil
}
