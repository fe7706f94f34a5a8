package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"widgets.pro/app/apptest"
	"widgets.pro/build/bench/floor"
	"widgets.pro/build/bench/report"
	"widgets.pro/build/bench/sample"
	"widgets.pro/shared/screen"
)

const (
	editsEach   = 200 // in a round
	maxToTarget = 2.5 // times the floor
)

// localEdits measures an edit until it is on this device's disk and on its screen. Edits and the floor take turns, so that
// what else the machine does weighs on both.
func localEdits(_ context.Context, out io.Writer, o options, dir string) (missed bool, err error) {
	p, err := apptest.Open(dir, o.now)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	id, widgets, err := build(p, "Shop and hall", sample.Dashboard())
	if err != nil {
		return false, err
	}
	pages, err := floor.NewPage(filepath.Join(dir, "pages"))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, pages.Close()) }()
	var ours, theirs, high []time.Duration
	var ratios []float64
	for range o.rounds {
		var a, b []time.Duration
		for n := range editsEach {
			begun := o.now()
			if _, err := p.Edit(id, []screen.Edit{titled(widgets[n%len(widgets)], n)}, "Rename"); err != nil {
				return false, fmt.Errorf("edit: %w", err)
			}
			done := o.now()
			if err := pages.Append(); err != nil {
				return false, err
			}
			a, b = append(a, done.Sub(begun)), append(b, o.now().Sub(done))
		}
		ours, theirs, high = append(ours, report.Median(a)), append(theirs, report.Median(b)), append(high, report.At(a, 0.99))
		ratios = append(ratios, float64(report.Median(a))/float64(report.Median(b)))
	}
	ratio := report.Median(ratios)
	report.Say(out, "an edit in the app until it is on disk, dashboard of %d widgets, median of %d\n", len(widgets), o.rounds)
	report.Say(out, "  ratio            %7.2f of the floor (at most %.1f) %s\n", ratio, maxToTarget, report.Mark(ratio <= maxToTarget, &missed))
	report.Say(out, "  edit             %7.3f ms (p50), %.3f ms (p99)\n", report.MS(report.Median(ours)), report.MS(report.Median(high)))
	report.Say(out, "  floor            %7.3f ms, an appended page of 4 KiB and its fsync\n", report.MS(report.Median(theirs)))
	return missed, nil
}
