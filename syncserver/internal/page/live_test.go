package page_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/servertest"
)

func TestL2_ViewerSeesEditsLive(t *testing.T) {
	w := newWorld(t)
	a, b := widgetOf("Orders", 0, "[1]"), widgetOf("Returns", 4, "[2]")
	id, token := w.add(t, "Sales", a, b)
	w.get(t, token, "br")
	v := w.view(t, token, 1)
	if m := v.want("hello"); m.V != 1 {
		t.Fatalf("hello %+v", m)
	}
	drawn := w.drawn()

	v1 := w.edit(id, func(v *board.View) { v.Widgets[1].Title = "Sent back" })
	m := v.want("patch")
	if html := m.Widgets[string(b.ID)]; m.V != v1 || m.From != 1 || len(m.Widgets) != 1 || html == nil || !strings.Contains(*html, "Sent back") {
		t.Fatalf("patch %+v", m)
	}
	if m.Title != nil || m.CSS != nil || m.Order != nil || m.Theme != nil {
		t.Errorf("patch says what did not change: %+v", m)
	}
	if w.drawn() != drawn || w.single.Load() != 1 {
		t.Error("more was drawn than the widget that changed")
	}

	v2 := w.edit(id, func(v *board.View) { v.Title, v.Theme, v.Widgets[0].Layout.X = "Sales 2", board.ThemeDark, 8 })
	m = v.want("patch")
	if m.V != v2 || m.From != v1 || m.Title == nil || *m.Title != "Sales 2" || m.Theme == nil || *m.Theme != "dark" ||
		m.CSS == nil || !strings.Contains(*m.CSS, "grid-area:8/0") || len(m.Widgets) != 0 {
		t.Errorf("a widget moved: %+v", m)
	}

	w.edit(id, func(v *board.View) { v.Widgets = []board.Widget{v.Widgets[1], widgetOf("New", 0)} })
	m = v.want("patch")
	if html, there := m.Widgets[string(a.ID)]; !there || html != nil || len(m.Order) != 2 || m.Order[0] != string(b.ID) || len(m.Widgets) != 2 {
		t.Errorf("one gone, one new: %+v", m)
	}
}

func TestL2_ViewerOfAnOlderVersionGetsAll(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales", widgetOf("Orders", 0, "[1]"))
	v1 := w.retitle(id, "Sales 2")
	for _, have := range []uint64{0, 1, 77} {
		v := w.view(t, token, have)
		if m := v.want("all"); m.V != v1 || *m.Title != "Sales 2" || !strings.Contains(m.Body, "Orders") || m.CSS == nil {
			t.Fatalf("all %+v", m)
		}
	}
	if w.drawn() != 1 {
		t.Errorf("drawn %d times", w.drawn())
	}
	// one with the present version and one with none go on together
	a, b := w.view(t, token, v1), w.view(t, token, 0)
	a.want("hello")
	b.want("all")
	v2 := w.retitle(id, "Sales 3")
	if x, y := a.want("patch"), b.want("patch"); x.V != v2 || y.V != v2 {
		t.Errorf("patches %+v %+v", x, y)
	}
}

// TestL2_PageNewerThanTheRoom: a page that was drawn after the viewers' last update joins without missing or repeating.
func TestL2_PageNewerThanTheRoom(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales", widgetOf("Orders", 0, "[1]"))
	old := w.view(t, token, 0)
	old.want("all")
	for i := range 30 {
		at := w.retitle(id, fmt.Sprint("Sales ", i))
		w.get(t, token, "br")
		v := w.view(t, token, at)
		if m, code := v.next(); code != 0 || m.V < at || m.T == "patch" && m.From != at {
			t.Fatalf("first message %+v (%d), page at %d", m, code, at)
		}
		after := w.retitle(id, fmt.Sprint("Sales again ", i))
		for _, m := range v.until(after) {
			if m.T == "patch" && m.From < at {
				t.Fatalf("repeated %+v", m)
			}
		}
		_ = v.ws.CloseNow()
	}
	last := w.retitle(id, "end")
	var have uint64
	for _, m := range old.until(last) {
		if m.T != "patch" || have != 0 && m.From != have {
			t.Fatalf("gap: %+v after %d", m, have)
		}
		have = m.V
	}
}

func TestUpdatesAreCoalesced(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales")
	v := w.view(t, token, 0)
	v.want("all")
	start := time.Now()
	var last uint64
	for i := range 2000 {
		last = w.retitle(id, fmt.Sprint(i))
	}
	n := len(v.until(last))
	if most := 3 + int(time.Since(start)/(50*time.Millisecond)); n > most {
		t.Errorf("%d messages for 2000 edits, expected at most %d", n, most)
	}
}

func TestV1_RevocationCutsViewers(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales", widgetOf("Orders", 0, "[1]"))
	_, other := w.add(t, "Other")
	const viewers = 25
	var vs []*viewer
	for range viewers {
		v := w.view(t, token, 0)
		v.want("all")
		vs = append(vs, v)
	}
	bystander := w.view(t, other, 0)
	bystander.want("all")

	start := time.Now()
	w.revoke(token)
	for i := range 20 {
		w.retitle(id, fmt.Sprint("secret ", i)) // committed after the revocation
	}
	for _, v := range vs {
		if m := v.want("gone"); m.Reason == "" || m.Title != nil {
			t.Fatalf("gone %+v", m)
		}
		if _, code := v.next(); code != wire.CloseDenied {
			t.Fatalf("closed with %d", code)
		}
	}
	if took := time.Since(start); took > servertest.AtOnce {
		t.Errorf("took %s", took)
	}
	if r := <-w.cut; r.n != viewers || r.slow > servertest.AtOnce || r.slow <= 0 {
		t.Errorf("receipt %+v", r)
	}
	for range 2 { // nobody comes back with what they had
		v := w.view(t, token, 1)
		v.want("gone")
		if _, code := v.next(); code != wire.CloseDenied {
			t.Fatalf("closed with %d", code)
		}
	}
	if n := w.pages.Watching(id); n != 0 {
		t.Errorf("%d still watch", n)
	}
	at := w.retitle(w.tokens[other], "Other 2")
	if m := bystander.want("patch"); m.V != at {
		t.Errorf("the bystander got %+v", m)
	}
}

// TestV1_OthersAreNotDisturbed: a change of access that leaves a link in force leaves its viewers connected, and they miss
// nothing of what was edited meanwhile.
func TestV1_OthersAreNotDisturbed(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales")
	second, err := sharing.NewToken(strings.NewReader(strings.Repeat("rotated token ", 20)))
	if err != nil {
		t.Fatal(err)
	}
	w.enable(second, id) // two links to one dashboard
	stays, goes := w.view(t, token, 0), w.view(t, second, 0)
	stays.want("all")
	goes.want("all")
	w.revoke(second)
	at := w.retitle(id, "Sales 2")
	goes.want("gone")
	ms := stays.until(at)
	if len(ms) != 1 || ms[0].T != "patch" || *ms[0].Title != "Sales 2" {
		t.Errorf("the one who stays got %+v", ms)
	}
	if r := <-w.cut; r.n != 1 {
		t.Errorf("receipt %+v", r)
	}
}

// TestV1_NoDataAfterRevocation races edits, pages and joining viewers against a revocation: what was committed after it
// never reaches anybody.
func TestV1_NoDataAfterRevocation(t *testing.T) {
	w := newWorld(t)
	for round := range 15 {
		id, token := w.add(t, "before", widgetOf("Orders", 0, "[1]"))
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			v := w.view(t, token, 0)
			wg.Go(func() {
				for {
					m, code := v.next()
					if m.Title != nil && strings.Contains(*m.Title, "after") {
						t.Error("a viewer got what was committed after the revocation")
					}
					if code != 0 {
						if code != wire.CloseDenied {
							t.Errorf("closed with %d", code)
						}
						return
					}
				}
			})
		}
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					w.retitle(id, fmt.Sprint("before ", i))
				}
			}
		})
		wg.Go(func() {
			for range 10 {
				v, _, err := w.dial(t, token, 0, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if m, _ := v.next(); m.Title != nil && strings.Contains(*m.Title, "after") {
					t.Error("one who joined got what was committed after the revocation")
				}
				_ = v.ws.CloseNow()
			}
		})
		for range round {
			w.get(t, token, "br")
		}
		w.revoke(token)
		close(stop)
		w.retitle(id, "after")
		if res, _ := w.get(t, token, "br"); res.status != http.StatusNotFound {
			t.Fatalf("the page answered %d", res.status)
		}
		wg.Wait()
	}
}

// TestV1_StoreFailureCutsToo: where it cannot be found out whether a viewer may stay, it may not, but may ask again.
func TestV1_StoreFailureCutsToo(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales")
	v := w.view(t, token, 0)
	v.want("all")
	w.mu.Lock()
	w.broken = errors.New("disk on fire")
	w.mu.Unlock()
	w.pages.AccessChanged(id)
	if _, code := v.next(); code != wire.CloseRestarting {
		t.Errorf("closed with %d", code)
	}
	if _, status, err := w.dial(t, token, 0, nil); err == nil || status != http.StatusInternalServerError {
		t.Errorf("dialled: %d %v", status, err)
	}
}

// TestV1_ViewerThatDoesNotReadIsCut: one who takes nothing from the socket is broken off all the same.
func TestV1_ViewerThatDoesNotReadIsCut(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales", widgetOf("Orders", 0))
	c := w.raw(t, token)
	w.fill(t, id)
	w.revoke(token)
	if r := <-w.cut; r.n != 1 || r.slow > servertest.AtOnce {
		t.Errorf("receipt %+v", r)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	var err error
	read := 0
	for buf := make([]byte, 1<<20); err == nil; {
		var n int
		n, err = c.Read(buf)
		read += n
	}
	if read > 14<<20 {
		t.Errorf("%d bytes came through, all that was to be sent", read)
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		t.Error("the connection is still open")
	}
}

// raw opens a websocket by hand and reads nothing but the handshake's first line.
func (w *world) raw(t *testing.T, token sharing.Token) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", w.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = fmt.Fprintf(c, "GET /share/%s/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", string(token))
	if line, err := bufio.NewReaderSize(c, 16).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		t.Fatalf("handshake: %q, %v", line, err)
	}
	return c
}

// fill edits until a viewer that does not read must have overflowed: one update that is more than sockets buffer, so that
// writing it takes until the viewer reads, and behind it more small ones than are queued.
func (w *world) fill(t *testing.T, id board.ID) uint64 {
	t.Helper()
	watch := w.view(t, w.tokenOf(id), 0)
	watch.want("all")
	var at uint64
	for i := range 22 {
		at = w.edit(id, func(v *board.View) {
			n := 10
			if i == 0 {
				n = 16 << 20
			}
			v.Widgets[0].Rows = append(v.Widgets[0].Rows[:0:0], []byte(fmt.Sprintf(`["%d%s"]`, i, strings.Repeat("x", n))))
		})
		watch.until(at)
	}
	_ = watch.ws.CloseNow()
	for w.pages.Watching(id) > 1 { // until the one who watched is gone
		runtime.Gosched()
	}
	return at
}

func (w *world) tokenOf(id board.ID) sharing.Token {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t, b := range w.tokens {
		if b == id {
			return t
		}
	}
	return ""
}

// TestSI20_SlowViewerGetsAllAnew: a viewer that does not keep up loses nothing in the end, holds up nobody and is not cut.
func TestSI20_SlowViewerGetsAllAnew(t *testing.T) {
	// However busy the machine is, the viewer is not taken for one that has gone.
	w := newWorld(t, func(c *page.Config) { c.WriteTimeout = 10 * time.Minute })
	id, token := w.add(t, "Sales", widgetOf("Orders", 0))
	slow := w.view(t, token, 0) // does not read yet
	at := w.fill(t, id)
	var kinds []string
	var last message
	for last.V < at {
		m, code := slow.next()
		if code != 0 {
			t.Fatalf("cut with %d", code)
		}
		kinds = append(kinds, m.T)
		last = m
	}
	if all := strings.Count(strings.Join(kinds, " "), "all"); all != 2 || len(kinds) > 20 {
		t.Errorf("got %v, want all in the beginning and once more after the overflow", kinds)
	}
	if body := last.Body; last.T == "all" && !strings.Contains(body, "21xxx") {
		t.Errorf("the last picture is not the newest: %.300s", body)
	}
}

// TestSI20_AViewerWhoStopsReadingIsCut: a frame that a viewer does not take in time is its last.
func TestSI20_AViewerWhoStopsReadingIsCut(t *testing.T) {
	w := newWorld(t, func(c *page.Config) { c.WriteTimeout = time.Second })
	id, token := w.add(t, "Sales", widgetOf("Orders", 0))
	w.view(t, token, 0) // never reads
	w.fill(t, id)
	w.told(t, 0)
}

func TestB1_ViewersMaySendNothing(t *testing.T) {
	w := newWorld(t)
	_, token := w.add(t, "Sales")
	for name, payload := range map[string]string{"small": "{}", "large": strings.Repeat("x", 1<<20)} {
		v := w.view(t, token, 0)
		v.want("all")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_ = v.ws.Write(ctx, websocket.MessageText, []byte(payload))
		cancel()
		if _, code := v.next(); code == 0 {
			t.Errorf("%s: not closed", name)
		}
	}
}

func TestForeignOriginsMayNotConnect(t *testing.T) {
	w := newWorld(t, func(c *page.Config) { c.Origins = []string{"dash.example"} })
	_, token := w.add(t, "Sales")
	for origin, ok := range map[string]bool{"https://evil.example": false, "null": false, "https://dash.example": true, w.srv.URL: true, "": true} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		_, status, err := w.dial(t, token, 0, h)
		if (err == nil) != ok || err != nil && status != http.StatusForbidden {
			t.Errorf("%q: %d %v", origin, status, err)
		}
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	w := newWorld(t, func(c *page.Config) { c.PerClient, c.Total, c.PerDashboard = 2, 3, 2 })
	id, token := w.add(t, "Sales")
	_, other := w.add(t, "Other")
	a, b := http.Header{"X-Client": {"a"}}, http.Header{"X-Client": {"b"}}
	v1, _, _ := w.dial(t, token, 0, a)
	v1.want("all")
	v2, _, _ := w.dial(t, token, 0, a)
	v2.want("all")
	if _, status, err := w.dial(t, token, 0, a); err == nil || status != http.StatusTooManyRequests {
		t.Errorf("third of one client: %d %v", status, err)
	}
	v3, _, _ := w.dial(t, token, 0, b)
	if _, code := v3.next(); code != wire.CloseRestarting {
		t.Errorf("third on one dashboard: %d", code)
	}
	var err error
	for v3, err = nil, errors.New("not tried"); err != nil; { // until the refused one is gone
		v3, _, err = w.dial(t, other, 0, b)
	}
	v3.want("all")
	if _, status, err := w.dial(t, other, 0, b); err == nil || status != http.StatusTooManyRequests {
		t.Errorf("fourth of all: %d %v", status, err)
	}
	if n := w.pages.Watching(id); n != 2 {
		t.Errorf("%d watch", n)
	}
	w.told(t, 2)
	for _, v := range []*viewer{v1, v2} {
		_ = v.ws.Close(websocket.StatusNormalClosure, "")
	}
	w.told(t, 0) // without anybody asking
}

// told waits until it was told that n watch some dashboard.
func (w *world) told(t *testing.T, n int) {
	t.Helper()
	for {
		select {
		case got := <-w.saw:
			if got == n {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nobody told that %d watch", n)
		}
	}
}

func TestCloseTellsViewersToComeBack(t *testing.T) {
	w := newWorld(t)
	_, token := w.add(t, "Sales")
	v := w.view(t, token, 0)
	v.want("all")
	done := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.pages.Close(ctx)
		close(done)
	}()
	if _, code := v.next(); code != wire.CloseRestarting {
		t.Errorf("closed with %d", code)
	}
	<-done
	if _, status, err := w.dial(t, token, 0, nil); err == nil || status != http.StatusServiceUnavailable {
		t.Errorf("dialled: %d %v", status, err)
	}
}
