// Syncbench measures what the server does with edits: how many it takes in a second so that each is on disk before it is
// acknowledged, beside what the disk and the store's library can do in the same run.
//
// It starts the real server as a process of its own and writes over real websockets; everything stays on loopback. It exits
// with 1 if a target is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"widgets.pro/build/bench/report"
)

const password = "correct horse battery staple"

type options struct {
	server   string
	rounds   int
	duration time.Duration
	brief    bool
	dir      string
	now      func() time.Time
}

func main() {
	o := options{now: time.Now}
	flag.StringVar(&o.server, "server", "build/bin/widgets-server", "the server's binary")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds, of which the median counts")
	flag.DurationVar(&o.duration, "duration", 1500*time.Millisecond, "time of one run of writers")
	flag.BoolVar(&o.brief, "brief", false, "measure only what has a target")
	flag.StringVar(&o.dir, "dir", "", "where the files that are measured lie; empty is the directory for temporary files")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "syncbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	dir, err := os.MkdirTemp(o.dir, "syncbench")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	missed, err := edits(ctx, out, o, dir)
	if err == nil && missed {
		err = report.ErrMissed
	}
	return err
}
