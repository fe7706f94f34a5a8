//go:build !race

// What takes long is not tried under the race detector too, which would make it take ten times as long.

package syncclient_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/servertest"
)

// fill replaces a widget's rows by n, which count from 0.
func (d *device) fill(id board.ID, w board.WidgetID, n int) {
	d.t.Helper()
	rows := make([]json.RawMessage, n)
	for i := range rows {
		rows[i] = json.RawMessage(text([]int{i}))
	}
	_, err := d.PutRows(id, w, columns("n"), rows)
	d.must(err)
}

// tick waits until the clock shows another millisecond: edits of two devices before and after have stamps in that order.
func tick() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
		runtime.Gosched()
	}
}

// rowsOf are the rows of a dashboard's first widget, as numbers.
func (d *device) rowsOf(id board.ID) []int {
	d.t.Helper()
	var out []int
	for _, r := range d.view(id).Widgets[0].Rows {
		var row []int
		d.must(json.Unmarshal(r, &row))
		out = append(out, row...)
	}
	return out
}

// appended is what one more row costs where there are n: bytes that its author sends, and that another device gets.
func appended(t *testing.T, n int) (sent, received int) {
	t.Helper()
	s := servertest.Start(t, servertest.Options{})
	a, b := pair(t, s)
	id, err := a.Create("Feed")
	a.must(err)
	w := a.edit(id, counter()).Added[0]
	a.fill(id, w, n)
	a.untilSame(b, id)
	before, told := a.line.sent.Load(), b.line.received.Load()
	const rows = 20
	for i := range rows {
		a.edit(id, count(w, 100_000+i))
		a.untilSynced() // each in a frame of its own
	}
	a.untilSame(b, id)
	return int(a.line.sent.Load()-before) / rows, int(b.line.received.Load()-told) / rows
}

// A row that is appended to a long series crosses the network alone.
func TestSI14_AnAppendedRowCrossesTheNetworkAlone(t *testing.T) {
	fewSent, fewReceived := appended(t, 10)
	sent, received := appended(t, 10_000)
	t.Logf("of 10 rows %d bytes sent and %d received, of 10,000 rows %d and %d", fewSent, fewReceived, sent, received)
	const small = 500 // bytes: the row, names, stamps, and what the socket adds
	if sent > small || received > small || sent > fewSent*3/2 || received > fewReceived*3/2 {
		t.Errorf("%d bytes sent, %d received", sent, received)
	}
}

// A thousand appends of a row leave as much on the disks as they are, within a stated factor: pages are reused.
func TestSI14_AThousandAppendsGrowTheFilesByTheirSize(t *testing.T) {
	data := filepath.Join(t.TempDir(), "server.db")
	s := servertest.Start(t, servertest.Options{Data: data})
	a := newDevice(t)
	patient(a)
	a.enter(s, "ada@example.org")
	id, err := a.Create("Feed")
	a.must(err)
	w := a.edit(id, counter()).Added[0]
	a.fill(id, w, 10_000)
	a.untilSynced()
	for i := range 100 { // pages of all kinds are there
		a.edit(id, count(w, i))
	}
	a.untilSynced()
	size := func(path string) int64 {
		info, err := os.Stat(path)
		a.must(err)
		return info.Size()
	}
	device, server, begin := size(a.path), size(data), time.Now()
	const appends = 1_000
	for i := 0; i < appends; i += 4 { // a few at a time: how fast a disk is, is no matter here
		a.edit(id, count(w, i), count(w, i+1), count(w, i+2), count(w, i+3))
	}
	edited := time.Since(begin)
	a.untilSynced()
	device, server = size(a.path)-device, size(data)-server
	t.Logf("%d appends in %v, synced after %v: the device's file grew by %d bytes, the server's by %d",
		appends, edited.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond), device, server)
	// A record of the row on the device; row and log entry on the server. bbolt takes room in steps, and keeps as many pages
	// again for the next transaction.
	const each = 1 << 10
	if device > appends*each || server > 2*appends*each {
		t.Errorf("the files grew by %d and %d bytes", device, server)
	}
}

// push appends rows by the server's API, as a feed does, and keeps the newest that many.
func push(t *testing.T, s *servertest.Server, token string, id board.ID, w board.WidgetID, keep int, rows ...int) {
	t.Helper()
	list := make([][]int, len(rows))
	for i, n := range rows {
		list[i] = []int{n}
	}
	status, body := s.Post("/api/v1/boards/"+string(id)+"/widgets/"+string(w)+"/rows", token, map[string]any{"rows": list, "keep": keep})
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, body)
	}
}

// Appends, replacements, trims and a full series on two devices that are apart, and by a feed, come to the same everywhere.
func TestSI16_Q3_RowLogsOfTwoDevicesConverge(t *testing.T) {
	// apart is two devices that share a table with ten rows and then lose the server.
	apart := func(t *testing.T) (s *servertest.Server, a, b *device, id board.ID, w board.WidgetID) {
		t.Helper()
		s = servertest.Start(t, servertest.Options{})
		a, b = pair(t, s)
		patient(a, b)
		var err error
		id, err = a.Create("Feed")
		a.must(err)
		w = a.edit(id, counter()).Added[0]
		a.fill(id, w, 10)
		a.untilSame(b, id)
		s.Kill()
		a.untilState(workspace.StateOffline)
		b.untilState(workspace.StateOffline)
		return s, a, b, id, w
	}
	together := func(s *servertest.Server, a, b *device, id board.ID) []int {
		a.t.Helper()
		s.Restart()
		a.RetrySync()
		b.RetrySync()
		a.untilSynced()
		b.untilSynced()
		a.untilSame(b, id)
		a.restart()
		b.restart()
		a.untilSame(b, id)
		rows := a.rowsOf(id)
		if !slices.Equal(rows, b.rowsOf(id)) {
			a.t.Error("the devices differ")
		}
		return rows
	}
	ten := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}

	t.Run("appends of both", func(t *testing.T) {
		s, a, b, id, w := apart(t)
		for i := range 100 {
			a.edit(id, count(w, 1_000+i))
			b.edit(id, count(w, 2_000+i), count(w, 3_000+i))
		}
		rows := together(s, a, b, id)
		if len(rows) != 310 || !slices.Equal(rows[:10], ten) {
			t.Fatalf("%d rows: %v", len(rows), rows[:min(20, len(rows))])
		}
		for _, from := range []int{1_000, 2_000, 3_000} { // each once, those of one device in their order
			mine := slices.DeleteFunc(slices.Clone(rows), func(n int) bool { return n < from || n >= from+1_000 })
			if len(mine) != 100 || !slices.IsSorted(mine) {
				t.Errorf("from %d: %v", from, mine)
			}
		}
	})
	t.Run("a replacement and earlier and later appends", func(t *testing.T) {
		s, a, b, id, w := apart(t)
		b.edit(id, count(w, 100)) // before it: gone with the data that it was added to
		tick()
		_, err := a.PutRows(id, w, columns("n"), []json.RawMessage{json.RawMessage(`[50]`), json.RawMessage(`[51]`)})
		a.must(err)
		tick()
		b.edit(id, count(w, 101))
		if rows := together(s, a, b, id); !slices.Equal(rows, []int{50, 51, 101}) {
			t.Errorf("%v", rows)
		}
	})
	t.Run("two replacements", func(t *testing.T) {
		s, a, b, id, w := apart(t)
		_, err := b.PutRows(id, w, columns("n"), []json.RawMessage{json.RawMessage(`[60]`)})
		b.must(err)
		tick()
		_, err = a.PutRows(id, w, columns("n"), []json.RawMessage{json.RawMessage(`[50]`)})
		a.must(err)
		if rows := together(s, a, b, id); !slices.Equal(rows, []int{50}) {
			t.Errorf("%v", rows)
		}
	})
	t.Run("a narrower replacement and a wider append", func(t *testing.T) {
		s, a, b, id, w := apart(t)
		_, err := a.PutRows(id, w, columns("n", "m"), []json.RawMessage{json.RawMessage(`[1,2]`)})
		a.must(err)
		s.Restart()
		a.RetrySync()
		b.RetrySync()
		a.untilSame(b, id)
		s.Kill()
		a.untilState(workspace.StateOffline)
		b.untilState(workspace.StateOffline)
		a.fill(id, w, 1)
		tick()
		b.edit(id, workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: []json.RawMessage{json.RawMessage(`[3,4]`)}})
		if rows := together(s, a, b, id); !slices.Equal(rows, []int{0, 3, 4}) {
			t.Errorf("%v", rows)
		}
		// What came of it can be copied and exported like all else.
		copied, err := a.Duplicate(id)
		a.must(err)
		file, err := a.Export(id)
		a.must(err)
		read, err := a.ImportBoard(file)
		a.must(err)
		for _, c := range []board.ID{copied, read} {
			if w := a.view(c).Widgets[0]; len(w.Columns) != 2 || len(w.Rows) != 2 || w.Columns[1].Name != "Column 2" {
				t.Errorf("%s", text(w))
			}
		}
	})
	t.Run("a full series and appends of both", func(t *testing.T) {
		s, a, b, id, w := apart(t)
		a.fill(id, w, replica.MaxRows-10)
		tick()
		for i := range 20 {
			a.edit(id, count(w, 1_000_000+i))
			b.edit(id, count(w, 2_000_000+i))
		}
		rows := together(s, a, b, id)
		if len(rows) != replica.MaxRows || rows[0] != 30 {
			t.Fatalf("%d rows from %d on", len(rows), rows[0])
		}
		for _, from := range []int{1_000_000, 2_000_000} {
			if n := len(slices.DeleteFunc(slices.Clone(rows), func(n int) bool { return n < from || n >= from+1_000 })); n != 20 {
				t.Errorf("%d rows from %d on", n, from)
			}
		}
	})
	t.Run("a feed that keeps the newest, and appends of a device that was away", func(t *testing.T) {
		s, a, b, id, w := apart(t)
		b.edit(id, count(w, 100), count(w, 101))
		b.line.cut.Store(b.line.sent.Load())
		s.Restart()
		token := s.LogIn("ada@example.org").Token
		push(t, s, token, id, w, 5, 200, 201) // of 0…9, 200, 201 the newest five
		push(t, s, token, id, w, 5, 202)
		a.RetrySync()
		a.until("the trim has come", func() bool { return slices.Equal(a.rowsOf(id), []int{8, 9, 200, 201, 202}) })
		b.line.cut.Store(0)
		b.RetrySync()
		b.untilSynced()
		// The device's rows are older than those that were kept last by then, and not below what went: nothing is lost but
		// by the next trim.
		a.untilSame(b, id)
		if rows := b.rowsOf(id); !slices.Equal(rows, []int{8, 9, 100, 101, 200, 201, 202}) {
			t.Errorf("%v", rows)
		}
		push(t, s, token, id, w, 5, 203)
		for _, d := range []*device{a, b} {
			d.until("the next trim has come", func() bool { return slices.Equal(d.rowsOf(id), []int{101, 200, 201, 202, 203}) })
		}
	})
}
