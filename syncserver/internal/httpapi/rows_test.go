package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

func TestRowsArePushedReplacedAndKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	for _, c := range []struct{ method, body, want string }{
		{http.MethodPost, `{"rows":[["Wed",3],["Thu",null]]}`, `["Mon",1] ["Tue",2] ["Wed",3] ["Thu",null]`},
		{http.MethodPost, `{"rows":[["Fri",5]],"keep":3}`, `["Wed",3] ["Thu",null] ["Fri",5]`},
		{http.MethodPost, `{"rows":[["Sat",6]],"keep":20}`, `["Wed",3] ["Thu",null] ["Fri",5] ["Sat",6]`},
		{http.MethodPost, `{"rows":[["a",1],["b",2],["c",3]],"keep":2}`, `["b",2] ["c",3]`},
		{http.MethodPost, `{"rows":[["d",1],["e",2]],"keep":2}`, `["d",1] ["e",2]`},
		{http.MethodPut, `{"columns":[{"name":"only","type":"number"}],"rows":[[1],[2],[3]]}`, `[1] [2] [3]`},
		{http.MethodPost, `{"rows":[[4]],"keep":2}`, `[3] [4]`},
		{
			http.MethodPut, `{"columns":[{"name":"t","type":"time"},{"name":"n","type":"number"}],"rows":[["2026-11-27",1],["2026-11-27T10:00:00+02:00",null],[1764201600000,-2]]}`,
			`[1795737600000,1] [1795773600000,null] [1764201600000,-2]`,
		},
		{http.MethodPost, `{"rows":[["2026-11-27 10:00:00.5",3]],"keep":1}`, `[1795773600500,3]`},
		{http.MethodPut, `{"columns":[{"name":"only","type":"number"}],"rows":[]}`, ``},
	} {
		a := b.as("editor", c.method, b.rowsPath(), c.body)
		var got struct{ Added, Rows int }
		a.read(t, &got)
		if rows := b.rows(); a.status != http.StatusOK || rows != c.want || got.Rows != strings.Count(rows, "[") {
			t.Errorf("%s %s: %d %s, and then %s", c.method, c.body, a.status, a.body, rows)
		}
	}
	// Much at once: several operations, and pages to read them by.
	var many strings.Builder
	for i := range 15_000 {
		fmt.Fprintf(&many, `,["%d %s"]`, i, strings.Repeat("x", 40))
	}
	a := b.as("owner", http.MethodPut, b.rowsPath(), `{"columns":[{"name":"t","type":"text"}],"rows":[`+many.String()[1:]+`]}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a = b.as("owner", http.MethodPost, b.rowsPath(), `{"rows":[`+many.String()[1:]+`],"keep":16000}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	type page struct {
		Rows          [][]string
		Offset, Total int
		Next          *int
	}
	seen, offset, pages := 0, 0, 0
	for {
		var p page
		b.as("viewer", http.MethodGet, fmt.Sprintf("%s?offset=%d&limit=10000", b.rowsPath(), offset), "").read(t, &p)
		if p.Total != 16_000 || p.Offset != offset {
			t.Fatalf("%+v", p)
		}
		for _, r := range p.Rows {
			want := seen - 1000 // of the second push; before it the last of the first
			if want < 0 {
				want += 15_000
			}
			if !strings.HasPrefix(r[0], fmt.Sprint(want, " ")) {
				t.Fatalf("row %d is %s", seen, r[0])
			}
			seen++
		}
		pages++
		if p.Next == nil {
			break
		}
		offset = *p.Next
	}
	if seen != 16_000 || pages < 2 {
		t.Errorf("%d rows on %d pages", seen, pages)
	}
	var last page
	b.as("viewer", http.MethodGet, b.rowsPath()+"?offset=-3", "").read(t, &last)
	if len(last.Rows) != 3 || last.Offset != 15_997 || last.Next != nil {
		t.Errorf("%+v", last)
	}
}

func TestQ2_RepeatedPushTakesEffectOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	const body = `{"rows":[["Wed",3]]}`
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK || string(a.body) != `{"added":1,"rows":3}` {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	b.srv.Restart()
	if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[["Thu",3]]}`, "Idempotency-Key", "run 1"); a.status != 422 || a.fault.Field != "Idempotency-Key" {
		t.Errorf("another request: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK {
		t.Errorf("another account: %d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 2"); a.status != http.StatusOK {
		t.Errorf("another key: %d %s", a.status, a.body)
	}
	if got := b.rows(); got != `["Mon",1] ["Tue",2] ["Wed",3] ["Wed",3] ["Wed",3]` {
		t.Errorf("the rows are %s", got)
	}
	// What was refused may be sent again under the same key once it is right.
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[[1,2,3]]}`, "Idempotency-Key", "run 3"); a.status != 422 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[[1,2]]}`, "Idempotency-Key", "run 3"); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	// What took effect is told the same when the rows would not fit any more.
	if a := b.as("owner", http.MethodPut, b.rowsPath(), `{"columns":[{"name":"only","type":"number"}],"rows":[[7]]}`); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK || string(a.body) != `{"added":1,"rows":1}` {
		t.Errorf("a repeat, with other columns by now: %d %s", a.status, a.body)
	}
	if a := b.as("viewer", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusForbidden {
		t.Errorf("somebody else's repeat: %d %s", a.status, a.body)
	}
	// A new dashboard is made once, and a link replaced once.
	first := b.as("owner", http.MethodPost, "/api/v1/boards", `{"title":"New"}`, "Idempotency-Key", "make")
	if second := b.as("owner", http.MethodPost, "/api/v1/boards", `{"title":"New"}`, "Idempotency-Key", "make"); !bytes.Equal(first.body, second.body) || second.status != http.StatusCreated {
		t.Errorf("%s and %s", first.body, second.body)
	}
	b.as("owner", http.MethodPost, b.path("/link"), `{"action":"enable"}`)
	one := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"rotate"}`, "Idempotency-Key", "rotate")
	if two := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"rotate"}`, "Idempotency-Key", "rotate"); !bytes.Equal(one.body, two.body) || one.status != http.StatusOK {
		t.Errorf("%s and %s", one.body, two.body)
	}
}

func TestQ2_KeysAreKeptForADay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 27, 23, 59, 0, 0, time.UTC)
	b := newBench(t, servertest.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	push := func(want string) {
		t.Helper()
		if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[["Wed",3]]}`, "Idempotency-Key", "same"); string(a.body) != want {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	forward := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }
	push(`{"added":1,"rows":3}`)
	forward(2 * time.Minute) // another day
	push(`{"added":1,"rows":3}`)
	forward(23 * time.Hour)
	push(`{"added":1,"rows":3}`)
	forward(24 * time.Hour)
	push(`{"added":1,"rows":4}`)
}

func TestQ3_PushesBesideADevice(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	const each = 15
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for n := range each {
				if a := b.as("editor", http.MethodPost, b.rowsPath(), fmt.Sprintf(`{"rows":[["p%d",%d]]}`, i, n)); a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			}
		})
	}
	for n := range each {
		b.edit(owner.Set(board.BoardEntity, board.FieldTitle, fmt.Sprint("title ", n)), replica.Edit{
			Kind: replica.OpRows, Entity: string(b.widget), Rows: &replica.RowChange{Rows: []json.RawMessage{json.RawMessage(fmt.Sprintf(`["device",%d]`, n))}},
		})
	}
	wg.Wait()
	got := b.rows()
	for _, who := range []string{"p0", "p1", "p2", "device"} {
		at := -1
		for n := range each {
			row := fmt.Sprintf(`["%s",%d]`, who, n)
			i := strings.Index(got, row)
			if i <= at || strings.Count(got, row) != 1 {
				t.Fatalf("%s is at %d after %d in %s", row, i, at, got)
			}
			at = i
		}
	}
	var one struct{ Title string }
	if b.as("owner", http.MethodGet, b.path(""), "").read(t, &one); one.Title != fmt.Sprint("title ", each-1) {
		t.Errorf("the title is %s", one.Title)
	}
}

// edit edits as ann's device.
