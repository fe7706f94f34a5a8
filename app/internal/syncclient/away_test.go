//go:build !race

// What takes long is not tried under the race detector too, which would make it take ten times as long.

package syncclient_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/syncserver/servertest"
)

// retitle makes n edits of a widget's title.
func (d *device) retitle(id board.ID, w board.WidgetID, n int) {
	d.t.Helper()
	const atOnce = 500
	for i := 0; i < n; i += atOnce {
		edits := make([]workspace.Edit, 0, atOnce)
		for j := i; j < min(i+atOnce, n); j++ {
			edits = append(edits, workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage(fmt.Sprintf(`"title %d"`, j))})
		}
		d.edit(id, edits...)
	}
}

func option(w board.WidgetID, name, value string) workspace.Edit {
	return workspace.Edit{Do: workspace.DoOption, Widget: w, Name: name, Value: json.RawMessage(value)}
}

// A device that was away for longer than the server's log reaches back gets what there is now, not what happened, and what it
// did meanwhile wins or loses by its time.
func TestSI1_SI7_Q3_AwayForLongerThanTheLog(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	patient(a, b)
	c := a.tally("n")
	a.edit(c.id, count(c.widget, 0))
	a.untilSame(b, c.id)
	b.kill()
	s.Kill()
	b.start()
	b.untilState(workspace.StateOffline)
	b.edit(c.id, workspace.Edit{Do: workspace.DoTitle, Widget: c.widget, Value: json.RawMessage(`"early"`)})
	b.edit(c.id, count(c.widget, 1))
	b.line.cut.Store(b.line.sent.Load()) // it stays away
	s.Restart()
	a.RetrySync()
	const entries = 23_000 // of which the server keeps 20,000 to 21,000
	begin := time.Now()
	a.retitle(c.id, c.widget, entries)
	a.edit(c.id, option(c.widget, "limit", "10"), option(c.widget, "newestFirst", "true"))
	a.untilSynced()
	t.Logf("%d edits made and sent in %v", entries, time.Since(begin).Round(time.Millisecond))
	b.edit(c.id, option(c.widget, "limit", "20"))
	b.line.cut.Store(0)
	received := b.line.received.Load()
	begin = time.Now()
	b.RetrySync()
	b.untilSame(a, c.id)
	received = b.line.received.Load() - received
	t.Logf("converged in %v, by %d bytes", time.Since(begin).Round(time.Millisecond), received)
	if received > 64<<10 {
		t.Errorf("%d bytes for a dashboard with two rows", received)
	}
	w := b.view(c.id).Widgets[0]
	if got := text([]any{w.Title, w.Rows, w.Options}); got != fmt.Sprintf(`["title %d",[[0],[1]],{"limit":20,"newestFirst":true}]`, entries-1) {
		t.Errorf("%s", got)
	}
	if b.summary(c.id).Refused != 0 {
		t.Errorf("%s", text(b.tray(c.id)))
	}
}

// Edits of a widget that was removed for good meanwhile end in the tray, with a sentence that says so and the widget's name;
// the copy has the widget with them.
func TestSI21_Q4_AwayForLongerThanRemovedWidgetsAreKept(t *testing.T) {
	for name, entries := range map[string]int{"the log reaches back": 1_500, "by snapshot": 23_000} {
		t.Run(name, func(t *testing.T) {
			var ahead atomic.Int64
			s := servertest.Start(t, servertest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
			a, b := pair(t, s)
			patient(a, b)
			id, err := a.Create("Shop")
			a.must(err)
			added := a.edit(id,
				workspace.Edit{Do: workspace.DoAdd, Kind: board.KindBar, Title: "Orders", Columns: columns("n")},
				workspace.Edit{Do: workspace.DoAdd, Kind: board.KindStat, Title: "Visitors", Columns: columns("n")},
			).Added
			orders, visitors := added[0], added[1]
			a.edit(id, option(orders, "unit", `"pcs"`))
			a.untilSame(b, id)
			b.kill()
			s.Kill()
			b.start()
			b.untilState(workspace.StateOffline)
			b.edit(id, count(orders, 1), count(orders, 2))
			b.edit(id, option(orders, "legend", "false"))
			b.edit(id, workspace.Edit{Do: workspace.DoTitle, Widget: visitors, Value: json.RawMessage(`"Guests"`)})
			b.kill()
			s.Restart()
			a.RetrySync()
			a.edit(id, workspace.Edit{Do: workspace.DoRemove, Widget: orders})
			a.untilSynced()

			// Three months and a day later.
			a.kill()
			s.Kill()
			ahead.Store(int64(91 * 24 * time.Hour))
			a.skew, b.skew = 91*24*time.Hour, 91*24*time.Hour
			s.Restart()
			a.start()
			a.retitle(id, visitors, entries)
			a.edit(id, option(visitors, "unit", `"people"`))
			a.untilSynced()
			b.start()
			b.until("the edits come back", func() bool { b := b.summary(id); return b.Queued == 0 && b.Refused == 3 })
			a.untilSame(b, id)
			b.until("its user is told", func() bool {
				return b.told("3 changes of “Shop” were refused. This widget was deleted long ago, and cannot be changed any more.") == 1
			})
			b.restart()
			var told []string
			for _, c := range b.tray(id).Changes {
				told = append(told, text([]any{c.Change, c.Widget, c.Kind, c.Gone, c.Option, c.Value, c.Rows, c.Times, c.Reason}))
			}
			if got := strings.Join(told, "\n"); got != `["append","Orders","bar",true,"","",2,2,"gone"]`+"\n"+`["option","Orders","bar",true,"legend","false",0,1,"gone"]` {
				t.Errorf("told\n%s", got)
			}
			copied, err := b.KeepCopy(id)
			b.must(err)
			var kept []string
			for _, w := range b.view(copied).Widgets {
				kept = append(kept, text([]any{w.Kind, w.Title, w.Rows, w.Options}))
			}
			if got := strings.Join(kept, "\n"); !strings.Contains(got, `["bar","Orders",[[1],[2]],{"legend":false,"unit":"pcs"}]`) || len(kept) != 2 {
				t.Errorf("the copy has\n%s", got)
			}
			b.untilSynced()
			if len(b.tray(id).Changes) != 0 {
				t.Error("the tray is not empty")
			}
		})
	}
}
