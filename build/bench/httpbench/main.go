// Httpbench measures what a share page costs: bytes over the wire, how soon it is ready after an edit, how many requests for
// it the server answers in a second, beside nginx serving the same bytes with the same headers in the same run, and when a
// browser paints it (paint.mjs).
//
// It starts the real server with a dashboard of 12 widgets and needs wrk and nginx; everything stays on loopback. Server
// and nginx are measured one after the other, in turn, each held to one processor and wrk to another where there are two.
// It exits with 1 if a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"widgets.pro/build/bench/report"
	"widgets.pro/build/bench/sample"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest/owner"
)

// Targets.
const (
	maxBytes  = 25_000 // of page, script and all headers
	maxScript = 10_000
	minRatio  = 0.4 // of nginx
)

type options struct {
	server      string
	runs        int
	duration    time.Duration
	connections int
	paint       string
	keep        bool
}

func main() {
	var o options
	flag.StringVar(&o.server, "server", "build/bin/widgets-server", "the server's binary")
	flag.IntVar(&o.runs, "runs", 5, "runs of each, of which the median counts")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "time of one run")
	flag.IntVar(&o.connections, "connections", 64, "connections of wrk")
	flag.StringVar(&o.paint, "paint", "build/bench/paint.mjs", "script that measures painting in a browser; empty leaves that out")
	flag.BoolVar(&o.keep, "serve", false, "measure nothing: print the page's address and serve it until interrupted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	dir, err := os.MkdirTemp("", "httpbench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	base, end, err := startServer(ctx, o.server, dir)
	if err != nil {
		return err
	}
	defer end()
	own, err := owner.SignUp(ctx, base, "owner@example.org", "correct horse battery staple", time.Now, owner.Mailbox(base))
	if err != nil {
		return err
	}
	defer own.Close()
	id, link, err := publish(ctx, own)
	if err != nil {
		return err
	}
	url := link.Token.URL(base)
	if o.keep {
		report.Say(out, "%s\n", url)
		<-ctx.Done()
		return nil
	}

	missed := false
	begun := time.Now()
	p, err := fetch(ctx, url, "br")
	if err != nil {
		return err
	}
	cold := time.Since(begun)
	warm, err := edits(ctx, own, id, url)
	if err != nil {
		return err
	}
	s, err := fetch(ctx, base+p.script(), "br")
	if err != nil {
		return err
	}
	plain, err := fetch(ctx, url, "identity")
	if err != nil {
		return err
	}
	total := p.wire + s.wire
	report.Say(out, "share page of 12 widgets\n")
	report.Say(out, "  page             %7d bytes with headers (%d brotli, %d plain)\n", p.wire, len(p.body), len(plain.body))
	report.Say(out, "  script           %7d bytes with headers (at most %d) %s\n", s.wire, maxScript, report.Mark(s.wire <= maxScript, &missed))
	report.Say(out, "  together         %7d bytes (at most %d) %s\n", total, maxBytes, report.Mark(total <= maxBytes, &missed))
	report.Say(out, "  first request    %7.1f ms, starting the drawing engine\n", report.MS(cold))
	report.Say(out, "  after an edit    %7.1f ms to draw and compress (median)\n", report.MS(warm))

	ratio, err := compare(ctx, out, o, dir, url, p)
	if err != nil {
		return err
	}
	report.Say(out, "  ratio            %7.2f (at least %.2f) %s\n", ratio, minRatio, report.Mark(ratio >= minRatio, &missed))
	if o.paint != "" {
		cmd := exec.CommandContext(ctx, "node", o.paint, url) //nolint:gosec // the developer's own script
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("painting: %w", err)
		}
	}
	if missed {
		return report.ErrMissed
	}
	return nil
}

func publish(ctx context.Context, own *owner.Owner) (board.ID, sharing.Link, error) {
	id, err := own.Create(ctx, "Shop and hall")
	if err != nil {
		return "", sharing.Link{}, fmt.Errorf("make the dashboard: %w", err)
	}
	for _, w := range sample.Dashboard() {
		if err := own.Edit(ctx, id, owner.Widget(w)...); err != nil {
			return "", sharing.Link{}, fmt.Errorf("make widget %q: %w", w.Title, err)
		}
	}
	link, err := own.Command(ctx, id, sharing.Enable)
	if err != nil {
		return "", sharing.Link{}, fmt.Errorf("turn the link on: %w", err)
	}
	return id, link, nil
}

// edits is how long the first request after an edit takes.
func edits(ctx context.Context, own *owner.Owner, id board.ID, url string) (time.Duration, error) {
	var ds []time.Duration
	for i := range 11 {
		if err := own.Edit(ctx, id, owner.Set(board.BoardEntity, board.FieldTitle, fmt.Sprintf("Shop and hall %d", i))); err != nil {
			return 0, fmt.Errorf("edit: %w", err)
		}
		begun := time.Now()
		if _, err := fetch(ctx, url, "br"); err != nil {
			return 0, err
		}
		ds = append(ds, time.Since(begun))
	}
	slices.Sort(ds)
	return ds[len(ds)/2], nil
}

// compare measures requests per second in turn and returns the median of the server's by nginx's, each pair measured one
// right after the other, so that what else the machine does weighs on both.
func compare(ctx context.Context, out io.Writer, o options, dir, url string, p *answer) (float64, error) {
	floor, end, err := startNginx(ctx, dir, p)
	if err != nil {
		return 0, err
	}
	defer end()
	same, err := fetch(ctx, floor, "br")
	if err != nil {
		return 0, err
	}
	if same.body != p.body {
		return 0, errors.New("nginx does not serve the same bytes")
	}
	var ours, theirs, ratios []float64
	for range o.runs {
		a, err := wrk(ctx, o, url)
		if err != nil {
			return 0, err
		}
		b, err := wrk(ctx, o, floor)
		if err != nil {
			return 0, err
		}
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, a/b)
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	slices.Sort(ratios)
	a, b := ours[len(ours)/2], theirs[len(theirs)/2]
	report.Say(out, "requests per second, cached, %d connections, one processor, median of %d\n", o.connections, o.runs)
	report.Say(out, "  server           %7.0f  (%.0f to %.0f)\n", a, ours[0], ours[len(ours)-1])
	report.Say(out, "  nginx            %7.0f  (%.0f to %.0f), %d bytes an answer beside %d\n", b, theirs[0], theirs[len(theirs)-1], same.wire, p.wire)
	return ratios[len(ratios)/2], nil
}

// pinned runs a program on one processor, where there are two and the machine can.
func pinned(ctx context.Context, cpu int, name string, args ...string) *exec.Cmd {
	if runtime.NumCPU() > 1 {
		if taskset, err := exec.LookPath("taskset"); err == nil {
			args = append([]string{"-c", fmt.Sprint(cpu), name}, args...)
			name = taskset
		}
	}
	return exec.CommandContext(ctx, name, args...) //nolint:gosec // the developer's own programs
}

// start starts a program and waits until it answers at base.
func start(ctx context.Context, cmd *exec.Cmd, base string) (end func(), err error) {
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	end = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-exited:
			return nil, fmt.Errorf("%s ended", cmd.Path)
		default:
		}
		if _, err := fetch(ctx, base, "identity"); err == nil {
			return end, nil
		}
		if time.Since(begun) > 20*time.Second || ctx.Err() != nil {
			end()
			return nil, fmt.Errorf("%s does not answer at %s", cmd.Path, base)
		}
	}
}

func startServer(ctx context.Context, binary, dir string) (base string, end func(), err error) {
	addr, err := report.FreeAddress(ctx)
	if err != nil {
		return "", nil, err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return "", nil, err
	}
	base = "http://" + addr
	end, err = start(ctx, pinned(ctx, 0, binary, "--listen", addr, "--data", filepath.Join(dir, "server.db"), "--log-level", "error", "--dev-mailbox=true"), base+"/healthz")
	return base, end, err
}
