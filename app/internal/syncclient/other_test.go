package syncclient_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// other is an HTTP server that answers everything with body.
func other(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	t.Cleanup(s.Close)
	return s.URL
}

// strange is a server that signs anybody in, and whose websocket does what fn does.
func strange(t *testing.T, protocols []string, fn func(context.Context, *websocket.Conn)) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/server", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"product":"widgets.pro","versions":[1]}`)
	})
	mux.HandleFunc("POST /api/v1/login", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"token":"ses_x","account":"acc_x","email":"a@b.org"}`)
	})
	mux.HandleFunc("GET "+wire.SyncPath, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: protocols})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		fn(r.Context(), conn)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// greet reads the hello and sends frames.
func greet(frames ...string) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, conn *websocket.Conn) {
		if _, _, err := conn.Read(ctx); err != nil {
			return
		}
		for _, f := range frames {
			if err := conn.Write(ctx, websocket.MessageText, []byte(f)); err != nil {
				return
			}
		}
		_, _, _ = conn.Read(ctx)
	}
}

// Whatever a server does, the user gets a sentence and local work goes on.
func TestB1_StrangeServersAreToldAndHarmNothing(t *testing.T) {
	ours := []string{wire.Subprotocol}
	welcome := `{"t":"welcome","v":1,"time":1,"account":"acc_x","email":"a@b.org","base":"https://x"}`
	for name, c := range map[string]struct {
		protocols []string
		fn        func(context.Context, *websocket.Conn)
		state     workspace.SyncState
		says      string
	}{
		"no version in common": {ours, func(ctx context.Context, conn *websocket.Conn) {
			_, _, _ = conn.Read(ctx)
			_ = conn.Close(wire.CloseOutdated, "no")
		}, workspace.StateRefused, "another version"},
		"newer welcome":     {ours, greet(`{"t":"welcome","v":2}`), workspace.StateRefused, "another version"},
		"other subprotocol": {nil, greet(), workspace.StateRefused, "not a widgets.pro server"},
		"no welcome":        {ours, greet(`{"t":"boards","boards":[]}`), workspace.StateRefused, "not a widgets.pro server"},
		"no JSON":           {ours, greet(`<html>`), workspace.StateOffline, "broke off"},
		"must be known":     {ours, greet(welcome, `{"t":"later","must":true}`), workspace.StateOffline, "broke off"},
		"too large":         {ours, greet(welcome, `{"t":"x","y":"`+strings.Repeat("y", wire.MaxFrame)+`"}`), workspace.StateRefused, "too large"},
		"not allowed": {ours, func(_ context.Context, conn *websocket.Conn) {
			_ = conn.Close(wire.CloseDenied, "no")
		}, workspace.StateRefused, "does not let this account in"},
		"hangs up":    {ours, func(context.Context, *websocket.Conn) {}, workspace.StateOffline, "broke off"},
		"restarting":  {ours, func(_ context.Context, conn *websocket.Conn) { _ = conn.Close(wire.CloseRestarting, "") }, workspace.StateOffline, "being restarted"},
		"busy":        {ours, func(_ context.Context, conn *websocket.Conn) { _ = conn.Close(wire.CloseBusy, "") }, workspace.StateOffline, "busy"},
		"session end": {ours, func(_ context.Context, conn *websocket.Conn) { _ = conn.Close(wire.CloseUnauthenticated, "") }, workspace.StateRefused, "session"},
		"nonsense": {ours, greet(
			welcome, `{"t":"later"}`, `{"t":"boards","boards":[]}`, `{"t":"ack","b":"dsh_x","epoch":"1","upTo":7,"seq":1}`, `{"t":"delta","b":"dsh_x","epoch":"1","from":3,"to":9}`,
			`{"t":"result","id":"cmd_x","b":"dsh_x","link":{}}`, `{"t":"share","b":"dsh_x","link":{}}`, `{"t":"denied","b":"dsh_x","message":"m"}`, `{"t":"error","fault":{"kind":"internal","message":"m"}}`, `{"t":`,
		), workspace.StateOffline, "broke off"},
	} {
		t.Run(name, func(t *testing.T) {
			url := strange(t, c.protocols, c.fn)
			a := newDevice(t)
			id, err := a.Create("Shop")
			a.must(err)
			a.must(a.LogIn(t.Context(), url, "a@b.org", "x"))
			a.until("it is told", func() bool {
				s := a.State().Sync
				return s.State == c.state && strings.Contains(s.Sentence+" "+s.Hint, c.says)
			})
			a.edit(id, title("work goes on"))
			if v := a.view(id); v.Title != "work goes on" || v.Sync != workspace.SyncWaiting {
				t.Errorf("%s", text(v))
			}
		})
	}
}

// A copy of the data file is another device: neither loses or repeats anything, nor does the server.
func TestSI3_CopiedDataFileIsAnotherDevice(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	a.enter(s, "ada@example.org")
	id, err := a.Create("Shop")
	a.must(err)
	w := a.edit(id, counter()).Added[0]
	a.edit(id, count(w, 1))
	a.untilSynced()
	s.Kill()
	a.untilState(workspace.StateOffline)
	a.edit(id, count(w, 2))
	a.kill()
	raw, err := os.ReadFile(a.path)
	a.must(err)
	b := newDevice(t)
	b.kill()
	b.path = filepath.Join(t.TempDir(), "copy.db")
	a.must(os.WriteFile(b.path, raw, 0o600))
	b.keys = a.keys
	b.rings.add(a.ring)
	a.rings.add(b.ring)
	s.Restart()
	a.start()
	b.start()
	a.edit(id, count(w, 3))
	b.edit(id, count(w, 4))
	a.untilSynced()
	b.untilSynced()
	a.until("both show the same four rows", func() bool { return a.content(id) == b.content(id) && len(a.view(id).Widgets[0].Rows) == 4 })
}

// A data file that was put back to an earlier state under the same name is found out and gets a new incarnation.
func TestSI3_RestoredDataFileIsFoundOut(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	a.enter(s, "ada@example.org")
	id, err := a.Create("Shop")
	a.must(err)
	w := a.edit(id, counter()).Added[0]
	a.untilSynced()
	a.kill()
	raw, err := os.ReadFile(a.path)
	a.must(err)
	a.start()
	a.edit(id, count(w, 1))
	a.edit(id, count(w, 2))
	a.untilSynced()
	a.kill()
	f, err := os.OpenFile(a.path, os.O_WRONLY|os.O_TRUNC, 0o600) // the same inode
	a.must(err)
	_, err = f.Write(raw)
	a.must(err)
	a.must(f.Close())
	a.start()
	a.edit(id, count(w, 3))
	a.untilSynced()
	a.until("all rows are there", func() bool { return len(a.view(id).Widgets[0].Rows) == 3 })
}

func counter() workspace.Edit {
	return workspace.Edit{Do: workspace.DoAdd, Kind: "table", Title: "n", Columns: columns("n")}
}

func TestQ2_ManyChangesTravelInBatches(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := newDevice(t), newDevice(t)
	a.rings.add(b.ring)
	b.rings.add(a.ring)
	ids := make([]string, 0, 40)
	for i := range 40 { // more than may wait for the socket at once
		id, err := a.Create(fmt.Sprintf("Board %d", i))
		a.must(err)
		ids = append(ids, string(id))
		if i == 0 {
			w := a.edit(id, counter()).Added[0]
			edits := make([]workspace.Edit, 0, 900)
			for n := range 900 {
				edits = append(edits, count(w, n))
			}
			a.edit(id, edits...)
		}
		a.must(a.Share(id, to(sharing.Enable)))
	}
	a.enter(s, "ada@example.org")
	a.untilSynced()
	b.must(b.LogIn(t.Context(), s.URL(), "ada@example.org", password))
	b.untilSynced()
	if n := len(b.State().Boards); n != len(ids) {
		t.Errorf("%d dashboards of %d", n, len(ids))
	}
	for _, x := range b.State().Boards {
		if a.content(x.ID) != b.content(x.ID) {
			t.Errorf("%s differs", x.ID)
		}
		if v := b.view(x.ID).Share; !v.InForce.Enabled || v.InForce.Token != a.view(x.ID).Share.Wanted.Token {
			t.Errorf("%s: %s", x.ID, text(v))
		}
	}
}
