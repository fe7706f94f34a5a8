// Cutbench measures how fast a link that is turned off is closed for everybody who is watching (rule V1): thousands of
// viewers hold websockets of a dashboard that keeps changing, its owner turns the link off, and each viewer notes when
// its connection ended and what still came. Beside it, in the same run, stands the floor: a bare program that holds as many
// websockets of the same library and does nothing but write the same good-bye to all and close.
//
// It starts the real server and the floor as processes of their own; everything stays on loopback, where viewers come
// from many addresses of 127.0.0.0/8, since the server bounds the connections of one. It exits with 1 if a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest/owner"
)

// Targets of rule V1.
const (
	maxP99 = time.Second // from the command to the end of a connection
	maxRun = 30 * time.Second
)

var errMissed = errors.New("a target was missed")

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
	flag.BoolVar(&o.floor, "floor", false, "be the floor: see floor.go")
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
		return serveFloor(ctx, out)
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
	return report(out, o, ours, floors)
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

func report(out io.Writer, o options, ours, floors []result) error {
	missed := false
	a, b := median(ours), median(floors)
	leaked, receipts := 0, true
	for _, r := range ours {
		leaked += r.leaked
		receipts = receipts && r.receipt == o.viewers
	}
	say(out, "%d viewers cut off, from the command to the close of each connection, median of %d runs\n", o.viewers, o.runs)
	say(out, "             p50       p99       max\n")
	say(out, "  server  %6.0f ms %6.0f ms %6.0f ms  (p99 at most %.0f ms) %s\n", ms(a.p50), ms(a.p99), ms(a.max), ms(maxP99), mark(a.p99 <= maxP99, &missed))
	say(out, "  floor   %6.0f ms %6.0f ms %6.0f ms  bare websockets, good-bye and close\n", ms(b.p50), ms(b.p99), ms(b.max))
	say(out, "  ratio   %6.2f    %6.2f    %6.2f\n", ratio(a.p50, b.p50), ratio(a.p99, b.p99), ratio(a.max, b.max))
	say(out, "  data frames after the commit %d (none) %s\n", leaked, mark(leaked == 0, &missed))
	say(out, "  receipt names every viewer: %v %s\n", receipts, mark(receipts, &missed))
	if missed {
		return errMissed
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

// say writes a line of the report; if nobody can read it there is nobody to tell.
func say(out io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }

func mark(ok bool, missed *bool) string {
	if ok {
		return "ok"
	}
	*missed = true
	return "MISSED"
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cut is one run against the server: the dashboard is edited all the time, before, while and after the link goes.
func cut(ctx context.Context, o options, dir string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, maxRun+2*time.Minute)
	defer cancel()
	base, end, err := startServer(ctx, o.server, dir)
	if err != nil {
		return result{}, err
	}
	defer end()
	own, err := owner.SignUp(ctx, base, "owner@example.org", "correct horse battery staple", o.now)
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
	crowd, err := gather(ctx, o.now, "ws"+link.Token.URL(base)[len("http"):]+"/live?v=0", o.viewers)
	if err != nil {
		return result{}, err
	}
	defer crowd.leave()
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
	took, leaked, err := crowd.ended(ctx, begun)
	if err != nil {
		return result{}, err
	}
	return summarise(took, leaked, receipt(ctx, own, id)), nil
}

// startServer starts the server and waits until it is ready.
func startServer(ctx context.Context, binary, dir string) (base string, end func(), err error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("find a free port: %w", err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return "", nil, fmt.Errorf("find a free port: %w", err)
	}
	cmd := exec.CommandContext(ctx, binary, "--listen", addr, "--data", filepath.Join(dir, "server.db"), "--log-level", "warn") //nolint:gosec // the developer's own program
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start %s: %w", binary, err)
	}
	end = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	for ctx.Err() == nil {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			_ = c.Close()
			return "http://" + addr, end, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	end()
	return "", nil, errors.New("the server does not answer")
}
