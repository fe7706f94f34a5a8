// Cutbench measures how fast a link that is turned off is closed for everybody who is watching (rule V1): thousands of
// viewers hold websockets of a dashboard that keeps changing, its owner turns the link off, and each viewer notes when
// its connection ended and what still came. Beside it, in the same run, stands the floor: a bare program that holds as many
// websockets of the same library and does nothing but write the same good-bye to all and close.
//
// It starts the real server and the floor as processes of their own; everything stays on loopback, where viewers come
// from many addresses of 127.0.0.0/8, since the server bounds the connections of one. It exits with 1 if a target is missed.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"widgets.pro/build/bench/bare"
	"widgets.pro/build/bench/crowd"
	"widgets.pro/build/bench/process"
	"widgets.pro/build/bench/report"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest/owner"
)

// Targets of rule V1.
const (
	maxP99 = time.Second // from the command to the end of a connection
	maxRun = 30 * time.Second
)

const (
	canary = "Written after the link was gone"
	// goodbye is what the server says to a viewer that it cuts.
	goodbye = `{"t":"gone","reason":"This link does not work any more.","why":"gone"}`
)

type options struct {
	server        string
	viewers, runs int
	floor         bool
	now           func() time.Time
}

func main() {
	o := options{now: time.Now}
	flag.StringVar(&o.server, "server", "build/bin/widgets-server", "the server's binary")
	flag.IntVar(&o.viewers, "viewers", 5000, "viewers of the link")
	flag.IntVar(&o.runs, "runs", 5, "runs, of which the median counts")
	flag.BoolVar(&o.floor, "floor", false, "be the floor: see package bare")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cutbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	if o.floor {
		return bare.Serve(ctx, out)
	}
	dir, err := os.MkdirTemp("", "cutbench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var ours, floors []result
	for range o.runs {
		a, err := cut(ctx, o, filepath.Join(dir, fmt.Sprint(len(ours))))
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
		b, err := cutFloor(ctx, o)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		ours, floors = append(ours, a), append(floors, b)
	}
	return tell(out, o, ours, floors)
}

// result is one run: how long after the command each connection ended, and how many frames of data came that were
// committed after it.
type result struct {
	p50, p99, max time.Duration
	leaked        int
	receipt       int // connections that the server says it has cut, -1 if none came
}

func summarise(took []time.Duration, leaked, receipt int) result {
	slices.Sort(took)
	n := len(took)
	return result{p50: took[n/2], p99: took[n*99/100], max: took[n-1], leaked: leaked, receipt: receipt}
}

func tell(out io.Writer, o options, ours, floors []result) error {
	missed := false
	a, b := median(ours), median(floors)
	leaked, receipts := 0, true
	for _, r := range ours {
		leaked += r.leaked
		receipts = receipts && r.receipt == o.viewers
	}
	report.Say(out, "%d viewers cut off, from the command to the close of each connection, median of %d runs\n", o.viewers, o.runs)
	report.Say(out, "             p50       p99       max\n")
	report.Say(out, "  server  %6.0f ms %6.0f ms %6.0f ms  (p99 at most %.0f ms) %s\n", report.MS(a.p50), report.MS(a.p99), report.MS(a.max), report.MS(maxP99), report.Mark(a.p99 <= maxP99, &missed))
	report.Say(out, "  floor   %6.0f ms %6.0f ms %6.0f ms  bare websockets, good-bye and close\n", report.MS(b.p50), report.MS(b.p99), report.MS(b.max))
	report.Say(out, "  ratio   %6.2f    %6.2f    %6.2f\n", ratio(a.p50, b.p50), ratio(a.p99, b.p99), ratio(a.max, b.max))
	report.Say(out, "  data frames after the commit %d (none) %s\n", leaked, report.Mark(leaked == 0, &missed))
	report.Say(out, "  receipt names every viewer: %v %s\n", receipts, report.Mark(receipts, &missed))
	if missed {
		return report.ErrMissed
	}
	return nil
}

// median is the middle of each number by itself.
func median(rs []result) result {
	pick := func(of func(result) time.Duration) time.Duration {
		ds := make([]time.Duration, len(rs))
		for i, r := range rs {
			ds[i] = of(r)
		}
		slices.Sort(ds)
		return ds[len(ds)/2]
	}
	return result{
		p50: pick(func(r result) time.Duration { return r.p50 }),
		p99: pick(func(r result) time.Duration { return r.p99 }),
		max: pick(func(r result) time.Duration { return r.max }),
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// cut is one run against the server: the dashboard is edited all the time, before, while and after the link goes.
func cut(ctx context.Context, o options, dir string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, maxRun+2*time.Minute)
	defer cancel()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return result{}, fmt.Errorf("make a directory: %w", err)
	}
	server, err := process.Server(ctx, o.server, dir)
	if err != nil {
		return result{}, err
	}
	defer server.End()
	base := server.Base
	own, err := owner.SignUp(ctx, base, "owner@example.org", "correct horse battery staple", o.now, owner.Mailbox(base))
	if err != nil {
		return result{}, err
	}
	defer own.Close()
	id, err := own.Create(ctx, "Figures")
	if err != nil {
		return result{}, err
	}
	link, err := own.Command(ctx, id, sharing.Enable)
	if err != nil {
		return result{}, err
	}
	var leaked atomic.Int64
	viewers, err := crowd.Gather(ctx, "ws"+link.Token.URL(base)[len("http"):]+"/live?v=0", o.viewers, crowd.Options{
		Now: o.now,
		Frame: func(_ int, frame []byte) {
			if bytes.Contains(frame, []byte(canary)) {
				leaked.Add(1)
			}
		},
	})
	if err != nil {
		return result{}, err
	}
	defer viewers.Leave()
	for i := range 20 { // so that frames are under way when the link goes
		if err := own.Edit(ctx, id, owner.Set(board.BoardEntity, board.FieldTitle, fmt.Sprintf("Figures %d", i))); err != nil {
			return result{}, err
		}
	}
	begun := o.now()
	if _, err := own.Command(ctx, id, sharing.Disable); err != nil {
		return result{}, err
	}
	if err := own.Edit(ctx, id, owner.Set(board.BoardEntity, board.FieldTitle, canary)); err != nil {
		return result{}, err
	}
	took, err := viewers.Ended(ctx, begun, maxRun)
	if err != nil {
		return result{}, err
	}
	return summarise(took, int(leaked.Load()), receipt(ctx, own, id)), nil
}

// receipt is how many viewers the server says it has cut (rule V2).
func receipt(ctx context.Context, own *owner.Owner, id board.ID) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	n := -1
	_ = own.Watch(ctx, id, func(s wire.Share) bool { n = max(n, s.Cut); return s.Cut > 0 }) // without one, n says so
	return n
}

// cutFloor is one run against the floor.
func cutFloor(ctx context.Context, o options) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, maxRun+2*time.Minute)
	defer cancel()
	floor, err := process.Self(ctx, "-floor")
	if err != nil {
		return result{}, err
	}
	defer floor.End()
	viewers, err := crowd.Gather(ctx, "ws"+floor.Base[len("http"):]+bare.LivePath, o.viewers, crowd.Options{Now: o.now})
	if err != nil {
		return result{}, err
	}
	defer viewers.Leave()
	begun := o.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, floor.Base+bare.CutPath, strings.NewReader(goodbye))
	if err != nil {
		return result{}, fmt.Errorf("ask the floor: %w", err)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return result{}, fmt.Errorf("ask the floor: %w", err)
	}
	_ = res.Body.Close()
	took, err := viewers.Ended(ctx, begun, maxRun)
	if err != nil {
		return result{}, err
	}
	return summarise(took, 0, -1), nil
}
