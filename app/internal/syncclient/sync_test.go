package syncclient_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

// pair is two devices of one account.
func pair(t *testing.T, s *servertest.Server) (a, b *device) {
	t.Helper()
	a, b = newDevice(t), newDevice(t)
	a.rings.add(b.ring)
	b.rings.add(a.ring)
	a.enter(s, "ada@example.org")
	b.must(b.LogIn(t.Context(), s.URL(), "ada@example.org", password))
	return a, b
}

func (d *device) untilSame(o *device, id board.ID) {
	d.t.Helper()
	d.untilSynced()
	o.until("both devices show the same", func() bool {
		_, err := o.Board(id)
		return err == nil && o.content(id) == d.content(id)
	})
}

func TestLocalDashboardsAreAdoptedAndAppearOnOtherDevices(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	id, err := a.Create("Made before signing in")
	a.must(err)
	w := a.edit(id, workspace.Edit{
		Do: workspace.DoAdd, Kind: board.KindTable, Title: "Orders", Columns: []board.Column{{Name: "n", Type: board.TypeNumber}},
		Rows: []json.RawMessage{json.RawMessage(`[1]`), json.RawMessage(`[2]`)},
	}).Added[0]
	if got := a.view(id).Sync; got != workspace.SyncDevice {
		t.Errorf("sync %s", got)
	}
	a.enter(s, "ada@example.org")
	a.untilSynced()
	if got := a.view(id); got.Sync != workspace.SyncSaved || got.Role != sharing.RoleOwner || got.Queued != 0 {
		t.Errorf("%s", text(got))
	}
	b := newDevice(t)
	b.must(b.LogIn(t.Context(), s.URL(), "ada@example.org", password))
	a.untilSame(b, id)

	// Live, both ways, each change once.
	b.edit(id, workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: []json.RawMessage{json.RawMessage(`[3]`)}})
	b.untilSame(a, id)
	a.edit(id, title("Renamed"))
	a.untilSame(b, id)
	if n := len(b.view(id).Widgets[0].Rows); n != 3 {
		t.Errorf("%d rows", n)
	}
	if got := a.State().Sync; !strings.Contains(got.Sentence, "All changes are saved on 127.0.0.1") || got.LastSynced == 0 {
		t.Errorf("%+v", got)
	}
}

// What was done offline arrives once and in order, whatever crashes in between: the appended rows show any repetition.
func TestQ2_SI2_OfflineEditsArriveOnceAndInOrderAfterCrashes(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	id, err := a.Create("Counter")
	a.must(err)
	w := a.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindTable, Title: "n", Columns: []board.Column{{Name: "n", Type: board.TypeNumber}}}).Added[0]
	n := 0
	count := func(times int) {
		for range times {
			n++
			a.edit(id, workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: []json.RawMessage{json.RawMessage(fmt.Sprintf("[%d]", n))}})
		}
	}
	for round := range 6 {
		count(5)
		switch round % 3 {
		case 0: // the program is killed while it sends
			a.restart()
		case 1: // the server is killed while it receives
			s.Kill()
			count(3)
			s.Restart()
		case 2: // both
			s.Kill()
			a.restart()
			count(4)
			s.Restart()
			a.RetrySync()
		}
		count(2)
	}
	a.RetrySync()
	a.untilSame(b, id)
	rows := b.view(id).Widgets[0].Rows
	if len(rows) != n {
		t.Errorf("%d rows of %d", len(rows), n)
	}
	for i, r := range rows {
		if string(r) != fmt.Sprintf("[%d]", i+1) {
			t.Fatalf("row %d is %s", i, r)
		}
	}
}

func TestQ3_TwoDevicesOfflineConverge(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	b.kill()
	b.skew = time.Second // so that its edits are the later ones, and too little to be corrected
	b.start()
	id, err := a.Create("Shop")
	a.must(err)
	w := a.edit(id, workspace.Edit{Do: workspace.DoAdd, Kind: board.KindStat, Title: "x"}).Added[0]
	a.untilSame(b, id)
	s.Kill()
	a.untilState(workspace.StateOffline)
	b.untilState(workspace.StateOffline)
	for i := range 5 {
		a.edit(id, workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage(fmt.Sprintf(`"a%d"`, i))})
		b.edit(id, workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage(fmt.Sprintf(`"b%d"`, i))})
	}
	b.edit(id, title("from b"))
	a.edit(id, workspace.Edit{Do: workspace.DoLayout, Widget: w, Value: json.RawMessage(`{"x":6,"y":1,"w":2,"h":2}`)})
	if got := a.State().Sync.Sentence; !strings.Contains(got, "Offline since") || !strings.Contains(got, "6 changes wait") {
		t.Errorf("%q", got)
	}
	s.Restart()
	a.RetrySync()
	b.RetrySync()
	a.untilSynced()
	b.untilSynced()
	a.until("both show the same", func() bool { return a.content(id) == b.content(id) })
	if v := a.view(id); v.Title != "from b" || v.Widgets[0].Layout.X != 6 || v.Widgets[0].Title != "b4" {
		t.Errorf("%s", text(v))
	}
}

// get is the status that an address answers with.
func get(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

// The address that was copied offline works as soon as the app has synced; what is turned off or replaced does not.
func TestL1_L3_L4_LinkMadeOfflineWorksAfterSync(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	a.enter(s, "ada@example.org")
	id, err := a.Create("Shop")
	a.must(err)
	a.untilSynced()
	s.Kill()
	a.untilState(workspace.StateOffline)
	a.must(a.Share(id, to(sharing.Enable)))
	v := a.view(id).Share
	if v.InForce.Enabled || !v.Wanted.Enabled || len(v.Waiting) != 1 || !strings.HasPrefix(v.URL, s.URL()+"/share/shr_") {
		t.Fatalf("%s", text(v))
	}
	a.restart()
	s.Restart()
	a.RetrySync()
	a.untilSynced()
	if now := a.view(id).Share; now.URL != v.URL || !now.InForce.Enabled || len(now.Waiting) != 0 || !now.Synced {
		t.Errorf("%s", text(now))
	}
	open := func(url string) bool { return get(t, url) != http.StatusNotFound }
	if !open(v.URL) {
		t.Error("the link does not work")
	}
	a.must(a.Share(id, to(sharing.Disable)))
	a.untilSynced()
	if open(v.URL) {
		t.Error("the link still works after it was turned off")
	}
	a.must(a.Share(id, to(sharing.Enable)))
	a.untilSynced()
	if again := a.view(id).Share.URL; again != v.URL || !open(again) {
		t.Error("turning it on again did not revive the link")
	}
	a.must(a.Share(id, to(sharing.Rotate)))
	a.untilSynced()
	if now := a.view(id).Share.URL; now == v.URL || !open(now) || open(v.URL) {
		t.Error("the link was not replaced")
	}
}

// A command that was based on an older state is refused and told; the server's state stands.
func TestV3_StaleCommandNeverRevivesALink(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	id, err := a.Create("Shop")
	a.must(err)
	a.must(a.Share(id, to(sharing.Enable)))
	a.untilSame(b, id)
	b.until("the link is known", func() bool { return b.view(id).Share.InForce.Enabled })
	s.Kill()
	b.untilState(workspace.StateOffline)
	b.must(b.Share(id, to(sharing.Rotate)))
	b.kill()
	s.Restart()
	a.RetrySync()
	a.must(a.Share(id, to(sharing.Disable)))
	a.untilSynced()
	b.start()
	b.untilSynced()
	v := b.view(id).Share
	if v.InForce.Enabled || v.Wanted.Enabled || v.Refused == nil || v.Refused.Action != sharing.Rotate {
		t.Errorf("%s", text(v))
	}
	if got := a.view(id).Share; got.InForce.Enabled {
		t.Error("the link was revived")
	}
}

func TestDestroyReachesEveryDevice(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	id, err := a.Create("Shop")
	a.must(err)
	a.untilSame(b, id)
	s.Kill()
	a.untilState(workspace.StateOffline)
	a.must(a.Trash(id))
	a.must(a.Destroy(id))
	a.restart()
	s.Restart()
	a.RetrySync()
	a.untilSynced()
	if n := len(a.State().Boards); n != 0 {
		t.Errorf("%d dashboards came back", n)
	}
	b.RetrySync()
	b.until("it is gone there too", func() bool { return len(b.State().Boards) == 0 })
}

func TestB1_ServersThatAreNoneAreToldApart(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	a.enter(s, "ada@example.org")
	a.must(a.LogOut(t.Context()))
	for name, c := range map[string]struct {
		server, email, password string
		kind                    fault.Kind
		field, says             string
	}{
		"no address":       {"", "a@b.org", "x", fault.Invalid, "server", "missing"},
		"nonsense":         {"ht tp://??", "a@b.org", "x", fault.Invalid, "server", "not the address"},
		"other scheme":     {"ftp://example.org", "a@b.org", "x", fault.Invalid, "server", "not the address"},
		"nobody listens":   {"http://127.0.0.1:1", "a@b.org", "x", fault.Unavailable, "", "cannot be reached"},
		"no e-mail":        {s.URL(), "", "x", fault.Invalid, "email", "missing"},
		"no password":      {s.URL(), "a@b.org", "", fault.Invalid, "password", "missing"},
		"wrong password":   {s.URL(), "ada@example.org", "wrong horse battery", fault.Unauthenticated, "", ""},
		"another server":   {other(t, `<html>hello</html>`), "a@b.org", "x", fault.Invalid, "server", "not a widgets.pro server"},
		"another version":  {other(t, `{"product":"widgets.pro","versions":[99]}`), "a@b.org", "x", fault.Outdated, "", "another version"},
		"another product":  {other(t, `{"product":"grafana","versions":[1]}`), "a@b.org", "x", fault.Invalid, "server", "not a widgets.pro server"},
		"https on http":    {strings.Replace(s.URL(), "http:", "https:", 1), "a@b.org", "x", fault.Unavailable, "", "encrypted"},
		"address w/o http": {strings.TrimPrefix(s.URL(), "http://"), "ada@example.org", "wrong horse", fault.Unauthenticated, "", ""},
	} {
		err := a.LogIn(t.Context(), c.server, c.email, c.password)
		f := fault.From(err)
		if err == nil || f.Kind != c.kind || f.Field != c.field || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: got %+v", name, f)
		}
	}
	if a.State().Account != nil {
		t.Error("signed in")
	}
}

func TestSessionThatEndedAsksToSignIn(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	a.enter(s, "ada@example.org")
	a.untilSynced()
	id, err := a.Create("Shop")
	a.must(err)
	a.untilSynced()
	s.Kill()
	for k := range a.keys.m {
		a.must(a.keys.Store(k, "ses_nonsense"))
	}
	s.Restart()
	a.RetrySync()
	st := a.untilState(workspace.StateRefused)
	if !strings.Contains(st.Sentence, "session") || st.Hint != "Sign in again." {
		t.Errorf("%+v", st)
	}
	a.edit(id, title("work goes on"))
	a.must(a.LogIn(t.Context(), s.URL(), "ada@example.org", password))
	a.untilSynced()
}

// A clock that is wrong is told once, and its edits neither win for ever nor get lost.
func TestWrongClockIsCorrected(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	a.kill()
	a.skew = 48 * time.Hour
	a.start()
	id, err := a.Create("from the future")
	a.must(err)
	a.untilSame(b, id)
	a.until("the user is told", func() bool {
		return a.told("clock is wrong by 47 hours")+a.told("clock is wrong by 48 hours")+a.told("clock is wrong by 2 days") == 1
	})
	b.edit(id, title("from now"))
	b.untilSame(a, id)
	if got := a.view(id).Title; got != "from now" {
		t.Errorf("title %q", got)
	}
	a.edit(id, title("corrected"))
	a.untilSame(b, id)
	b.edit(id, title("last"))
	b.untilSame(a, id)
	if got := a.view(id).Title; got != "last" {
		t.Errorf("title %q", got)
	}
	if n := a.told("clock"); n != 1 {
		t.Errorf("told %d times", n)
	}
}
