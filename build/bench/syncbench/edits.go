package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/build/bench/floor"
	"widgets.pro/build/bench/process"
	"widgets.pro/build/bench/report"
	"widgets.pro/shared/board"
	"widgets.pro/syncserver/servertest/owner"
)

// What is written to: dashboards of a few accounts. Where devices share one, each hears of every edit of the others.
const (
	accounts        = 4
	boardsOfAccount = 16
	widgetsOfBoard  = 12
	mostWriters     = accounts * boardsOfAccount
	sharing         = 4  // devices of a dashboard that they share
	inBatch         = 16 // operations in a message where the app has gathered some
)

// minRatio is the target: 8,000 durable edits a second at 64 writers where bare grouped commits reach 14,000.
const minRatio = 8.0 / 14

// place is a dashboard that is written to.
type place struct {
	account owner.Account
	board   board.ID
	widgets []board.WidgetID
}

// edits measures durable acknowledged edits a second.
func edits(ctx context.Context, out io.Writer, o options, dir string) (missed bool, err error) {
	server, err := process.Server(ctx, o.server, dir)
	if err != nil {
		return false, err
	}
	defer server.End()
	places, err := settle(ctx, server.Base, o.now)
	if err != nil {
		return false, err
	}
	kinds := []kind{{mostWriters, 1, 1}, {16, 1, 1}, {1, 1, 1}, {mostWriters, inBatch, 1}, {mostWriters, 1, sharing}}
	if o.brief {
		kinds = kinds[:1]
	}
	rates, spent := make([][]float64, len(kinds)), make([][]float64, len(kinds))
	var synced []time.Duration
	var single, grouped, ratios []float64
	for round := range o.rounds {
		for i, k := range kinds {
			r, err := writeAll(ctx, server, places, k, o)
			if err != nil {
				return false, fmt.Errorf("%d writers: %w", k.writers, err)
			}
			rates[i], spent[i] = append(rates[i], r.perSecond), append(spent[i], r.cpu)
		}
		f, err := measureFloors(dir, round, o)
		if err != nil {
			return false, fmt.Errorf("floors: %w", err)
		}
		synced, single, grouped = append(synced, f.fsync), append(single, f.single), append(grouped, f.grouped)
		ratios = append(ratios, rates[0][round]/f.grouped)
	}
	ratio := report.Median(ratios)
	report.Say(out, "durable acknowledged edits per second, by real devices of %d accounts; median of %d\n", accounts, o.rounds)
	report.Say(out, "  ratio            %7.2f of bare grouped commits at %d writers (at least %.2f) %s\n", ratio, mostWriters, minRatio, report.Mark(ratio >= minRatio, &missed))
	for i, k := range kinds {
		report.Say(out, "  %2d writers       %7.0f  (%.0f µs of the server's processor time each)%s\n", k.writers, report.Median(rates[i]), report.Median(spent[i]), k.more())
	}
	report.Say(out, "  floor, 1 writer  %7.0f  bare bbolt commits of the same records\n", report.Median(single))
	report.Say(out, "  floor, %d        %7.0f  the same, grouped: one commit for all that wait\n", mostWriters, report.Median(grouped))
	report.Say(out, "  fsync            %7.3f ms for an appended page of 4 KiB\n", report.MS(report.Median(synced)))
	return missed, nil
}

// kind is a way to write: so many writers, operations in a message, and writers to a dashboard.
type kind struct{ writers, batch, devices int }

// more tells what is particular about it.
func (k kind) more() string {
	switch {
	case k.batch > 1:
		return fmt.Sprintf(", %d to a message", k.batch)
	case k.devices > 1:
		return fmt.Sprintf(", %d to a dashboard, who all get every edit", k.devices)
	}
	return ""
}

// floors is what the disk and the store's library can do by themselves.
type floors struct {
	fsync           time.Duration // of an appended page
	single, grouped float64       // commits of one edit's records, and such edits grouped, a second
}

// What the floors are measured with.
const (
	appends = 200
	commits = 400
)

func measureFloors(dir string, round int, o options) (f floors, err error) {
	if f.fsync, err = floor.Sync(filepath.Join(dir, fmt.Sprint("pages", round)), appends, o.now); err != nil {
		return f, err
	}
	b, err := floor.Open(filepath.Join(dir, fmt.Sprint("bare", round)), accounts*boardsOfAccount, o.now)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if f.single, err = b.Single(commits); err != nil {
		return f, err
	}
	f.grouped, err = b.Grouped(mostWriters, o.duration)
	return f, err
}

// settle makes accounts, dashboards and widgets to write to.
func settle(ctx context.Context, base string, now func() time.Time) ([]place, error) {
	var out []place
	for i := range accounts {
		email := fmt.Sprintf("writer%d@example.org", i)
		a, err := owner.Register(ctx, base, email, password, owner.Mailbox(base))
		if err != nil {
			return nil, err
		}
		own, err := owner.LogIn(ctx, base, email, password, now)
		if err != nil {
			return nil, err
		}
		for range boardsOfAccount {
			p := place{account: a}
			if p.board, err = own.Create(ctx, "Figures"); err != nil {
				return nil, fmt.Errorf("make a dashboard: %w", err)
			}
			for j := range widgetsOfBoard {
				w := board.Widget{ID: board.NewWidgetID(ulid.Make()), Kind: board.KindStat, Title: "Revenue", Layout: board.Layout{X: 4 * (j % 3), Y: j / 3, W: 4, H: 1}}
				if err := own.Edit(ctx, p.board, owner.Widget(w)...); err != nil {
					return nil, fmt.Errorf("make a widget: %w", err)
				}
				p.widgets = append(p.widgets, w.ID)
			}
			out = append(out, p)
		}
		own.Close()
	}
	return out, nil
}

// rate is one run: edits per second, and processor time of the server in microseconds for each.
type rate struct{ perSecond, cpu float64 }

// writeAll has writers write at once, each on widgets of its own.
func writeAll(ctx context.Context, server *process.Process, places []place, k kind, o options) (rate, error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration+time.Minute)
	defer cancel()
	writers := make([]*writer, k.writers)
	for i := range writers {
		place := i / k.devices
		p := places[place%accounts*boardsOfAccount+place/accounts] // in turn of each account, whose connections are limited
		own := widgetsOfBoard / sharing
		of := i % k.devices * own
		w, err := newWriter(ctx, server.Base, p.account, p.board, p.widgets[of:of+own], k.batch, o.now())
		if err != nil {
			return rate{}, err
		}
		defer func() { _ = w.ws.CloseNow() }()
		writers[i] = w
	}
	before, err := server.CPU()
	if err != nil {
		return rate{}, err
	}
	begun := o.now()
	var wg sync.WaitGroup
	errs := make(chan error, k.writers)
	for _, w := range writers {
		wg.Go(func() { errs <- w.write(ctx, begun.Add(o.duration), o.now) })
	}
	wg.Wait()
	took := o.now().Sub(begun)
	after, err := server.CPU()
	if err != nil {
		return rate{}, err
	}
	total := 0
	for _, w := range writers {
		if err := <-errs; err != nil {
			return rate{}, err
		}
		total += w.acked
	}
	return rate{perSecond: float64(total) / took.Seconds(), cpu: float64((after - before).Microseconds()) / float64(max(total, 1))}, nil
}
