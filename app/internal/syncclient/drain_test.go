//go:build !race

// What takes long is not tried under the race detector too, which would make it take ten times as long.

package syncclient_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/syncserver/servertest"
)

// manyEdits is how many edits a device has made while it was away for long.
const manyEdits = 10_000

// drainCommits bounds how often the data file may be written while so many edits leave: each batch of 500 is answered, and
// comes back as a change, each of which is one transaction. Twice as much is room for how the server cuts its frames.
const drainCommits = 2 * 2 * manyEdits / 500

// tally is a dashboard with one table, in which rows count.
type tally struct {
	id     board.ID
	widget board.WidgetID
	rows   int
}

func (d *device) tally(name string) *tally {
	d.t.Helper()
	id, err := d.Create(name)
	d.must(err)
	w := d.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindTable, Title: name, Columns: columns("n")}).Added[0]
	return &tally{id: id, widget: w}
}

// queue makes n edits of a tally, many in a transaction: a row, and then a title that says how many rows there are.
func (d *device) queue(c *tally, n int) {
	d.t.Helper()
	const atOnce = 500
	for n > 0 {
		edits := make([]workspace.Edit, 0, atOnce)
		for ; n > 0 && len(edits) < atOnce; n-- {
			if n%2 == 0 {
				edits = append(edits, count(c.widget, c.rows))
				c.rows++
			} else {
				edits = append(edits, workspace.Edit{Do: workspace.DoTitle, Widget: c.widget, Value: json.RawMessage(fmt.Sprintf(`"%d rows"`, c.rows))})
			}
		}
		d.edit(c.id, edits...)
	}
}

// has checks that every edit of a tally is there, once and in order.
func (d *device) has(c *tally) {
	d.t.Helper()
	w := d.view(c.id).Widgets[0]
	if len(w.Rows) != c.rows {
		d.t.Errorf("%d rows of %d", len(w.Rows), c.rows)
	}
	for i, r := range w.Rows {
		if string(r) != fmt.Sprintf("[%d]", i) {
			d.t.Fatalf("row %d is %s", i, r)
		}
	}
	if want := fmt.Sprintf("%d rows", c.rows); w.Title != want {
		d.t.Errorf("title %q, want %q", w.Title, want)
	}
}

// untilDrained waits until everything is synced and returns what was told while a part of it was under way.
func (d *device) untilDrained() (progress []workspace.SyncStatus) {
	d.t.Helper()
	d.until("everything is synced", func() bool {
		s := d.State().Sync
		if s.State == workspace.StateSyncing && 0 < s.Queued && s.Queued < s.Total {
			progress = append(progress, s)
		}
		return s.State == workspace.StateSynced && s.Queued == 0
	})
	return progress
}

// What was done offline for long leaves in order, in few batches: the time is in the log, the bound is on what is done.
func TestQ2_SI2_SI3_TenThousandEditsOfOneDashboardDrainInOrder(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	patient(a, b)
	c := a.tally("Counter")
	a.untilSame(b, c.id)
	s.Kill()
	a.untilState(workspace.StateOffline)
	a.queue(c, manyEdits)
	s.Restart()
	commits, begin := a.commits.Load(), time.Now()
	a.RetrySync()
	b.RetrySync()
	progress := a.untilDrained()
	t.Logf("%d edits left in %v, by %d transactions of this device and %d bytes", manyEdits, time.Since(begin).Round(time.Millisecond), a.commits.Load()-commits, a.line.sent.Load())
	if n := a.commits.Load() - commits; n > drainCommits {
		t.Errorf("%d transactions, want at most %d", n, drainCommits)
	}
	if len(progress) == 0 {
		t.Error("nothing was told of how far it is")
	}
	left := manyEdits
	for _, p := range progress {
		if p.Total != manyEdits || p.Queued > left || !strings.Contains(p.Sentence, " of 10,000 changes to go.") {
			t.Errorf("%+v", p)
		}
		left = p.Queued
	}
	a.untilSame(b, c.id)
	a.has(c)
	b.has(c)
}

func TestQ2_SI2_SI3_TenThousandEditsOfTwentyDashboardsDrainInOrder(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	patient(a, b)
	all := make([]*tally, 20)
	for i := range all {
		all[i] = a.tally(fmt.Sprint("Counter ", i))
	}
	a.untilSynced()
	s.Kill()
	a.untilState(workspace.StateOffline)
	for range 5 { // in turns, as somebody works
		for _, c := range all {
			a.queue(c, manyEdits/len(all)/5)
		}
	}
	s.Restart()
	commits, begin := a.commits.Load(), time.Now()
	a.RetrySync()
	b.RetrySync()
	a.untilSynced()
	t.Logf("%d edits of %d dashboards left in %v", manyEdits, len(all), time.Since(begin).Round(time.Millisecond))
	if n := a.commits.Load() - commits; n > drainCommits+2*int64(len(all)) {
		t.Errorf("%d transactions", n)
	}
	for _, c := range all {
		a.untilSame(b, c.id)
		b.has(c)
	}
}

// The line breaks in the middle, the program is killed, then the line breaks again and the server is killed.
func TestQ2_SI2_SI3_LongQueueSurvivesBothSidesBeingKilledHalfWay(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	patient(a, b)
	c := a.tally("Counter")
	a.untilSame(b, c.id)
	s.Kill()
	a.untilState(workspace.StateOffline)
	a.queue(c, manyEdits)
	left := manyEdits
	// breaks lets some of the queue through.
	breaks := func(bytes int64) {
		t.Helper()
		a.line.cut.Store(a.line.sent.Load() + bytes)
		s.Restart()
		a.RetrySync()
		a.until("the line is broken", a.line.broken)
		a.untilState(workspace.StateOffline)
		now := a.State().Sync.Queued
		if now == 0 || now >= left {
			t.Fatalf("%d edits wait, before there were %d", now, left)
		}
		left = now
	}
	const some = 500_000 // bytes, of 2 MB
	breaks(some)
	a.restart()
	if got := a.State().Sync.Queued; got != left {
		t.Errorf("%d edits wait after the restart, %d before", got, left)
	}
	a.queue(c, 200)
	left += 200
	s.Kill()
	breaks(some)
	s.Kill()
	a.restart()
	a.line.cut.Store(0)
	s.Restart()
	a.RetrySync()
	b.RetrySync()
	a.untilSame(b, c.id)
	a.has(c)
	b.has(c)
}

// A device whose clock is two days ahead has each of its edits stamped anew: the rows keep their order, and it takes no longer.
func TestQ2_SI8_SI11_TenThousandEditsFromTheFutureDrainInOrder(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	patient(a)
	a.kill()
	a.skew = 48 * time.Hour
	a.start()
	c := a.tally("Counter")
	a.queue(c, manyEdits)
	begin := time.Now()
	a.enter(s, "ada@example.org")
	a.untilSynced()
	t.Logf("%d edits stamped anew in %v", manyEdits, time.Since(begin).Round(time.Millisecond))
	b := newDevice(t)
	patient(b)
	b.must(b.LogIn(t.Context(), s.URL(), "ada@example.org", password))
	a.rings.add(b.ring)
	b.rings.add(a.ring)
	a.untilSame(b, c.id)
	a.has(c)
	b.has(c)
}

// A device without a server does not keep every edit for ever, opens its dashboards fast, and hands over everything once
// somebody signs in.
func TestQ1_SI14_ThirtyThousandEditsWithoutAServer(t *testing.T) {
	a := newDevice(t)
	patient(a)
	c := a.tally("Local")
	const edits = 30_000
	a.queue(c, 4_000)
	a.retitle(c.id, c.widget, edits-6_000)
	if n := a.summary(c.id).Queued; n < 20_000 || n > 21_000 {
		t.Errorf("%d edits wait", n)
	}
	a.queue(c, 2_000) // on top of what was merged
	begin := time.Now()
	a.restart()
	a.has(c)
	t.Logf("opened in %v, %d edits wait", time.Since(begin).Round(time.Millisecond), a.summary(c.id).Queued)
	s := servertest.Start(t, servertest.Options{})
	begin = time.Now()
	a.enter(s, "ada@example.org")
	a.untilSynced()
	t.Logf("handed over in %v", time.Since(begin).Round(time.Millisecond))
	b := newDevice(t)
	patient(b)
	a.rings.add(b.ring)
	b.rings.add(a.ring)
	b.must(b.LogIn(t.Context(), s.URL(), "ada@example.org", password))
	a.untilSame(b, c.id)
	a.has(c)
	b.has(c)
	if n := b.summary(c.id).Refused + a.summary(c.id).Refused; n != 0 {
		t.Errorf("%d edits were refused", n)
	}
}

// A long queue that is refused altogether comes back fast, stays over a restart, and is told in few lines.
func TestQ4_SI2_TenThousandRefusedEditsAreInTheTray(t *testing.T) {
	var w board.WidgetID
	var begin time.Time
	_, bob, id := lowered(t, func(a, _ person, id board.ID) {
		w = a.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindTable, Title: "n", Columns: columns("n")}).Added[0]
	}, func(bob person, id board.ID) {
		bob.queue(&tally{id: id, widget: w}, manyEdits)
		begin = time.Now()
	})
	t.Logf("%d edits refused in %v", manyEdits, time.Since(begin).Round(time.Millisecond))
	bob.restart()
	begin = time.Now()
	tray := bob.tray(id)
	t.Logf("listed in %v", time.Since(begin).Round(time.Millisecond))
	if tray.Edits != manyEdits || len(tray.Changes) != 2 || tray.Changes[0].Rows != manyEdits/2 || tray.Changes[1].Value != "5000 rows" || tray.Changes[1].Times != manyEdits/2 {
		t.Errorf("%s", text(tray))
	}
	copied, err := bob.KeepCopy(id)
	bob.must(err)
	bob.has(&tally{id: copied, widget: w, rows: manyEdits / 2})
}
