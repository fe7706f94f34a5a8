package workspace_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
)

// watch is WatchEnds at work, with a timer that the test fires.
type watch struct {
	d     *device
	sub   *workspace.Subscription
	timer chan time.Time
	asked chan time.Duration
}

func (d *device) watchEnds() *watch {
	d.t.Helper()
	w := &watch{d: d, sub: d.Subscribe(), timer: make(chan time.Time), asked: make(chan time.Duration, 64)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func(ws *workspace.Workspace) {
		defer close(done)
		ws.WatchEnds(ctx, func(wait time.Duration) <-chan time.Time { w.asked <- wait; return w.timer })
	}(d.Workspace)
	d.t.Cleanup(func() { stop(); <-done; w.sub.Close() })
	return w
}

// until collects events up to the first that fits.
func (w *watch) until(what string, fits func(workspace.Event) bool) (all []workspace.Event) {
	w.d.t.Helper()
	ctx, cancel := context.WithTimeout(w.d.t.Context(), 20*time.Second)
	defer cancel()
	for {
		events, err := w.sub.Wait(ctx)
		if err != nil {
			w.d.t.Fatalf("waited in vain for %s: %v", what, err)
		}
		all = append(all, events...)
		if slices.ContainsFunc(events, fits) {
			return all
		}
	}
}

// waits waits until the timer is set to a time.
func (w *watch) waits(want time.Duration) {
	w.d.t.Helper()
	for {
		select {
		case got := <-w.asked:
			if got == want {
				return
			}
		case <-time.After(20 * time.Second):
			w.d.t.Fatalf("the timer is never set to %s", want)
		}
	}
}

// pass lets time pass until the timer fires.
func (w *watch) pass(t time.Duration) {
	w.d.wait(t)
	w.timer <- w.d.clock()
}

func isNotice(e workspace.Event) bool { return e.Type == workspace.EventNotice }

func isBoard(id board.ID) func(workspace.Event) bool {
	return func(e workspace.Event) bool { return e.Type == workspace.EventBoard && e.ID == id }
}

func TestL5_TheOwnerSeesTheEndComing(t *testing.T) {
	d, id, c := shared(t)
	w := d.watchEnds()
	w.waits(24 * time.Hour) // there is nothing to wait for
	elsewhere := func(end time.Duration) {
		c.elsewhere(sharing.Command{Action: sharing.SetExpiry, Expires: d.in(end)})
		c.tell()
	}
	elsewhere(30 * time.Hour)
	w.waits(6 * time.Hour)
	for _, e := range w.until("news", isBoard(id)) {
		if isNotice(e) {
			t.Errorf("warned a day too early: %s", text(e))
		}
	}
	w.pass(6 * time.Hour)
	notices := w.until("a warning", isNotice)
	n := notices[len(notices)-1].Notice
	if n.Kind != workspace.NoticeWarning || n.Board != id || n.Message != "The link to “Shop” ends in 24 hours (19 March, 20:02)." || !strings.Contains(n.Hint, "Choose a later end") {
		t.Errorf("%s", text(n))
	}
	w.waits(24 * time.Hour)
	d.create("Other") // looks again, and does not warn again
	before := d.view(id)
	w.pass(24 * time.Hour)
	for _, e := range w.until("the end", func(e workspace.Event) bool { return isBoard(id)(e) && e.Version > before.Version }) {
		if isNotice(e) {
			t.Errorf("warned again: %s", text(e))
		}
	}
	if now := d.view(id); before.Share.InForce.Mode != sharing.Public || now.Share.InForce.Mode != sharing.Private || !now.Share.InForce.Expired || d.summary(id).Mode != sharing.Private {
		t.Errorf("%s", text(now.Share))
	}
	// The owner who chooses a near end here knows; one that was chosen elsewhere is told, once.
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(time.Hour)}))
	w.waits(time.Hour)
	c.link = sharing.Expire(c.link, c.now())
	if refused := c.drain(); refused != nil {
		t.Fatalf("refused %v", refused)
	}
	elsewhere(90 * time.Minute)
	w.waits(90 * time.Minute)
	notices = w.until("a warning", isNotice)
	for i, e := range notices {
		if isNotice(e) && (i < len(notices)-1 || !strings.Contains(e.Notice.Message, "“Shop” ends in 90 minutes")) {
			t.Errorf("%s", text(e))
		}
	}
}

// A new run of the program warns again, of what is still to come and wanted.
func TestL5_WarningAtTheStart(t *testing.T) {
	d, id, c := shared(t)
	quiet := d.create("No end")
	d.must(d.Share(quiet, to(sharing.Enable)))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(3 * time.Hour)}))
	c.drain()
	d.restart()
	w := d.watchEnds()
	w.waits(3 * time.Hour)
	if e := w.until("a warning", isNotice); e[len(e)-1].Notice.Board != id {
		t.Errorf("%s", text(e))
	}
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry})) // waits, so what is in force still ends
	d.restart()
	w = d.watchEnds()
	w.waits(3 * time.Hour)
	w.d.wait(3 * time.Hour)
	d.view(id)
	w.timer <- d.clock()
	for _, e := range w.until("the end", isBoard(id)) {
		if isNotice(e) {
			t.Errorf("warned of an end that was removed: %s", text(e))
		}
	}
}

// The list of dashboards says which links let somebody in, and until when. What still waits for the server is not in force.
func TestA4_L5_TheListShowsTheModeInForceAndItsEnd(t *testing.T) {
	d, id, c := shared(t)
	shows := func(mode sharing.Mode, ends int64) {
		t.Helper()
		if s := d.summary(id); s.Mode != mode || s.Ends != ends {
			t.Errorf("shows %q until %d, not %q until %d", s.Mode, s.Ends, mode, ends)
		}
	}
	shows(sharing.Public, 0)
	end := d.in(3 * time.Hour)
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: end}))
	shows(sharing.Public, 0)
	c.drain()
	shows(sharing.Public, end)
	d.must(d.Share(id, to(sharing.Disable)))
	shows(sharing.Public, end)
	c.drain()
	shows(sharing.Private, 0)
	d.must(d.Share(id, to(sharing.Enable)))
	shows(sharing.Private, 0)
	c.drain()
	shows(sharing.Public, end)
	d.wait(3 * time.Hour)
	shows(sharing.Private, 0)
}
