package httpsync_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// narrow is a connection that takes little without being read.
func narrow(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		err = tcp.SetReadBuffer(4 << 10)
	}
	return c, err
}

// quiet waits until nothing is read, for as long as the server waits for nobody: other work is done before that, and what
// waits for a socket waits four times as long.
func quiet(srv *servertest.Server) bool {
	for deadline := time.Now().Add(5 * time.Second); srv.OpenViews() != 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// A device, and a program, that ask for much and then read nothing hold no transaction: pages that are replaced meanwhile are
// used again, and the file does not grow.
func TestSI4_NoTransactionWaitsForASocket(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "s.db")
	srv, a, id := start(t, servertest.Options{Data: data, Grouped: true})
	wid := board.WidgetID("wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	a.edit(id, replica.Edit{Kind: replica.OpSet, Entity: string(wid), Field: board.FieldAlive, Value: json.RawMessage("true")},
		replica.Edit{Kind: replica.OpSet, Entity: string(wid), Field: board.FieldKind, Value: json.RawMessage(`"table"`)})
	a.push(id)
	// Ten megabytes are more than two buffers of a connection take.
	cell, err := json.Marshal(strings.Repeat("x", 2_000))
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]string, 100)
	for i := range rows {
		rows[i] = fmt.Sprintf("[%s]", cell)
	}
	for range 50 {
		a.edit(id, rowsEdit(string(wid), rows...))
		a.push(id)
	}

	// A device that takes the first page of a snapshot, and no other.
	d := newDevice(t, srv, a.who)
	ws, _, err := websocket.Dial(d.ctx(), srv.SyncURL(), &websocket.DialOptions{ //nolint:bodyclose // websocket.Dial has closed it
		HTTPHeader: http.Header{"Authorization": {"Bearer " + a.who.Token}}, Subprotocols: []string{wire.Subprotocol},
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: narrow}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(2 * wire.MaxFrame)
	d.ws = ws
	d.send(wire.Hello{Versions: []int{wire.Version}, App: "test", Dev: "1", Boards: []wire.Cursor{{Board: id}}})
	if s := await[wire.Snapshot](d); s.Last {
		t.Fatal("the snapshot has one page")
	}
	if !quiet(srv) {
		t.Fatal("a transaction waits for a device")
	}

	// A program that asks for rows and takes the first byte of them.
	u, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		c, err := narrow(t.Context(), "tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := fmt.Fprintf(c, "GET /api/v1/boards/%s/widgets/%s/rows?limit=1000 HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", id, wid, u.Host, a.who.Token); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(c, line); err != nil || !bytes.Equal(line, []byte("HTTP/1.1 200")) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if !quiet(srv) {
		t.Fatal("a transaction waits for a program")
	}

	size := func() int64 {
		info, err := os.Stat(data)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	write := func() {
		for i := range 20 {
			a.edit(id, title(fmt.Sprint(i, strings.Repeat("y", 150))))
			a.push(id)
		}
	}
	write()
	before := size()
	for range 5 {
		write()
	}
	if after := size(); after > before+64<<10 {
		t.Errorf("the file grew from %d to %d bytes", before, after)
	}
}
