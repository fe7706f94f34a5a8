// Appbench measures what the desktop program does: an edit until it is on disk, opening a large dashboard, and sending ten
// thousand edits that were made offline to the real server; with how large the state is afterwards.
//
// It runs the program's core in this process, and the server in one of its own; everything stays on loopback. It exits with
// 1 if a target is missed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"widgets.pro/app/apptest"
	"widgets.pro/build/bench/report"
	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
)

type options struct {
	server string
	parts  string
	rounds int
	now    func() time.Time
}

func main() {
	o := options{now: time.Now}
	flag.StringVar(&o.server, "server", "build/bin/widgets-server", "the server's binary")
	flag.StringVar(&o.parts, "parts", "edit,open,merge", "what to measure, separated by commas")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds, of which the median counts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "appbench:", err)
		os.Exit(1)
	}
}

// part is one thing that is measured, in a directory of its own.
type part struct {
	name    string
	measure func(ctx context.Context, out io.Writer, o options, dir string) (missed bool, err error)
}

func parts() []part { return []part{{"edit", localEdits}, {"open", opening}, {"merge", merge}} }

func run(ctx context.Context, out io.Writer, o options) (err error) {
	dir, err := os.MkdirTemp("", "appbench")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	missed := false
	wanted := strings.Split(o.parts, ",")
	for _, p := range parts() {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		own := filepath.Join(dir, p.name)
		if err := os.Mkdir(own, 0o700); err != nil {
			return fmt.Errorf("make a directory: %w", err)
		}
		m, err := p.measure(ctx, out, o, own)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		missed = missed || m
	}
	if missed {
		return report.ErrMissed
	}
	return nil
}

// build makes a dashboard of these widgets, and returns their ids.
func build(p *apptest.Program, title string, widgets []board.Widget) (board.ID, []board.WidgetID, error) {
	id, err := p.Create(title)
	if err != nil {
		return "", nil, fmt.Errorf("make the dashboard: %w", err)
	}
	var ids []board.WidgetID
	for _, w := range widgets {
		done, err := p.Edit(id, []screen.Edit{{
			Do: screen.DoAdd, Kind: w.Kind, Title: w.Title, Layout: &w.Layout, Options: w.Options, Columns: w.Columns, Rows: w.Rows,
		}}, "Add")
		if err != nil {
			return "", nil, fmt.Errorf("make widget %q: %w", w.Title, err)
		}
		ids = append(ids, done.Added...)
	}
	return id, ids, nil
}

// titled is an edit that gives a widget its n-th title; all are equally long.
func titled(w board.WidgetID, n int) screen.Edit {
	return screen.Edit{Do: screen.DoTitle, Widget: w, Value: json.RawMessage(fmt.Sprintf(`"Revenue, as of edit %06d"`, n))}
}
