package webapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/servertest"
)

// browser is somebody's browser with the workspace open.
type browser struct {
	t     *testing.T
	srv   *servertest.Server
	who   servertest.SignedIn
	name  string
	after int64
}

func open(t *testing.T, srv *servertest.Server, who servertest.SignedIn) *browser {
	t.Helper()
	b := &browser{t: t, srv: srv, who: who, name: "tab"}
	b.poll() // begins to listen
	return b
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	fault  *fault.Error
}

// send asks below /app/api. In is sent as JSON unless it is bytes or nil.
func (b *browser) send(ctx context.Context, method, path string, in any, head ...string) (answer, error) {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(v)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return answer{}, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, b.srv.URL()+"/app/api/"+path, body)
	if err != nil {
		return answer{}, err
	}
	if b.who.Token != "" {
		req.AddCookie(&http.Cookie{Name: account.CookieName(false), Value: b.who.Token})
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.body, err = io.ReadAll(res.Body); err != nil {
		return a, err
	}
	var f struct {
		Error *fault.Error `json:"error"`
	}
	if a.status != http.StatusOK {
		_ = json.Unmarshal(a.body, &f)
		a.fault = f.Error
	}
	return a, nil
}

func (b *browser) ask(method, path string, in any, head ...string) answer {
	b.t.Helper()
	a, err := b.send(b.t.Context(), method, path, in, head...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// do asks what must succeed, and reads the answer into out unless that is nil.
func (b *browser) do(method, path string, in, out any) {
	b.t.Helper()
	a := b.ask(method, path, in)
	if a.status != http.StatusOK {
		b.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		b.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
	}
}

// refused asks what must fail with a kind.
func (b *browser) refused(kind fault.Kind, method, path string, in any) {
	b.t.Helper()
	_ = b.refusal(kind, method, path, in)
}

// refusal is refused, and tells the fault.
func (b *browser) refusal(kind fault.Kind, method, path string, in any) *fault.Error {
	b.t.Helper()
	a := b.ask(method, path, in)
	if a.fault == nil || a.fault.Kind != kind || a.fault.Message == "" {
		b.t.Fatalf("%s %s: %d %s, want %s", method, path, a.status, a.body, kind)
	}
	return a.fault
}

type batch struct {
	Next   int64          `json:"next"`
	Events []screen.Event `json:"events"`
}

// poll waits for events, and remembers up to where it was told.
func (b *browser) poll() []screen.Event {
	b.t.Helper()
	var got batch
	b.do(http.MethodGet, fmt.Sprintf("events?after=%d&client=%s", b.after, b.name), nil, &got)
	b.after = got.Next
	return got.Events
}

// hear polls until an event comes for which ok holds.
func (b *browser) hear(what string, ok func(screen.Event) bool) {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if slices.ContainsFunc(b.poll(), ok) {
			return
		}
	}
	b.t.Fatalf("nothing was told of %s", what)
}

func (b *browser) hearOf(id board.ID) {
	b.t.Helper()
	b.hear("the dashboard", func(e screen.Event) bool { return e.Type == screen.EventBoard && e.ID == id })
}

func (b *browser) state() (s screen.AppState) {
	b.t.Helper()
	b.do(http.MethodGet, "state", nil, &s)
	return s
}

func (b *browser) listed(id board.ID) (screen.BoardSummary, bool) {
	b.t.Helper()
	for _, s := range b.state().Boards {
		if s.ID == id {
			return s, true
		}
	}
	return screen.BoardSummary{}, false
}

// shop makes a dashboard called Shop.
func (b *browser) shop() board.ID {
	b.t.Helper()
	var made struct{ ID board.ID }
	b.do(http.MethodPost, "boards", map[string]string{"title": "Shop"}, &made)
	return made.ID
}

func (b *browser) view(id board.ID) (v screen.BoardView) {
	b.t.Helper()
	b.do(http.MethodGet, "boards/"+string(id), nil, &v)
	return v
}

// patch is what changed since a version; whole says that everything came instead.
func (b *browser) patch(id board.ID, have int64) (p screen.BoardPatch, whole bool) {
	b.t.Helper()
	a := b.ask(http.MethodGet, fmt.Sprintf("boards/%s?have=%d", id, have), nil)
	if a.status != http.StatusOK {
		b.t.Fatalf("patch: %d %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		b.t.Fatal(err)
	}
	return p, p.Order == nil
}

func (b *browser) edit(id board.ID, label string, edits ...screen.Edit) (e screen.Edited) {
	b.t.Helper()
	b.do(http.MethodPost, "boards/"+string(id)+"/edits", map[string]any{"edits": edits, "label": label}, &e)
	return e
}

// table adds a table with one column of texts.
func (b *browser) table(id board.ID, title string, cells ...string) board.WidgetID {
	b.t.Helper()
	return b.edit(id, "Add", screen.Edit{
		Do: screen.DoAdd, Kind: board.KindTable, Title: title, Columns: []board.Column{{Name: "a", Type: board.TypeText}}, Rows: rows(cells...),
	}).Added[0]
}

func rows(cells ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(cells))
	for i, c := range cells {
		out[i] = json.RawMessage(fmt.Sprintf("[%q]", c))
	}
	return out
}

func title(v string) screen.Edit {
	raw, _ := json.Marshal(v)
	return screen.Edit{Do: screen.DoBoard, Field: board.FieldTitle, Value: raw}
}

// content is what is on a dashboard, without versions.
func content(v screen.BoardView) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s|%s|%s", v.Title, v.Description, v.Theme)
	for _, w := range v.Widgets {
		raw, _ := json.Marshal(w.Widget)
		fmt.Fprintf(&s, "\n%s", raw)
	}
	return s.String()
}

// share does what the share dialog asks for.
func (b *browser) share(id board.ID, change map[string]any) {
	b.t.Helper()
	b.do(http.MethodPost, "boards/"+string(id)+"/share", change, nil)
}
