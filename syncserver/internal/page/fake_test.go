package page_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/render"
)

// core stands in for store, access and content: dashboards and the tokens that open them.
type core struct {
	mu     sync.Mutex
	boards map[board.ID]*fakeBoard
	tokens map[sharing.Token]board.ID // those that are on
	links  map[sharing.Token]sharing.Link
	now    func() time.Time
	pages  *page.Service
	reads  atomic.Int64
	opens  atomic.Int64
	broken error // of the store
}

type fakeBoard struct {
	view    board.View
	version uint64
}

type grant struct {
	id    board.ID
	token sharing.Token
	link  sharing.Link
}

func (g grant) Board() board.ID    { return g.id }
func (g grant) Link() sharing.Link { return g.link }

var (
	errRefused = fault.New(fault.NotFound, "This link does not work.")
	errLocked  = fault.New(fault.Unauthenticated, "This dashboard is protected by a password.")
)

func (c *core) OpenLink(_ context.Context, t sharing.Token, p page.Proof) (page.Grant, error) {
	c.opens.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	id, ok := c.tokens[t]
	l := c.links[t]
	now := c.now().UnixMilli()
	switch {
	case !ok || l.Expires != 0 && now >= l.Expires:
		return nil, errRefused
	case l.Password && (p.Revision != l.Revision || now >= p.Until):
		return nil, errLocked
	}
	return grant{id, t, l}, nil
}

func (c *core) Published(_ context.Context, g page.Grant) (board.View, uint64, error) {
	c.reads.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens[g.(grant).token] != g.Board() {
		return board.View{}, 0, errRefused
	}
	b := c.boards[g.Board()]
	view := b.view
	view.Widgets = append([]board.Widget(nil), view.Widgets...)
	return view, b.version, nil
}

// add makes a dashboard with a link.
func (c *core) add(t *testing.T, title string, widgets ...board.Widget) (board.ID, sharing.Token) {
	t.Helper()
	token, err := sharing.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := board.NewID(ulid.Make())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boards[id] = &fakeBoard{view: board.View{ID: id, Title: title, Theme: board.ThemeSystem, Alive: true, Widgets: widgets}, version: 1}
	c.tokens[token] = id
	return id, token
}

// edit changes a dashboard as a commit does, and returns its version.
func (c *core) edit(id board.ID, f func(*board.View)) uint64 {
	c.mu.Lock()
	b := c.boards[id]
	b.view.Widgets = append([]board.Widget(nil), b.view.Widgets...)
	f(&b.view)
	b.version++
	v := b.version
	c.mu.Unlock()
	c.pages.Changed(id)
	return v
}

func (c *core) retitle(id board.ID, title string) uint64 {
	return c.edit(id, func(v *board.View) { v.Title = title })
}

// revoke takes a token away as a commit does.
func (c *core) revoke(t sharing.Token) {
	c.mu.Lock()
	id := c.tokens[t]
	delete(c.tokens, t)
	c.mu.Unlock()
	c.pages.AccessChanged(id)
}

// change changes a link as a commit does.
func (c *core) change(t sharing.Token, f func(*sharing.Link)) {
	c.mu.Lock()
	l := c.links[t]
	f(&l)
	c.links[t] = l
	id := c.tokens[t]
	c.mu.Unlock()
	c.pages.AccessChanged(id)
}

// enable gives it back.
func (c *core) enable(t sharing.Token, id board.ID) {
	c.mu.Lock()
	c.tokens[t] = id
	c.mu.Unlock()
	c.pages.AccessChanged(id)
}

// drawer draws as simply as can be, and counts.
type drawer struct {
	whole, single atomic.Int64
	fail          atomic.Bool
	gate          chan struct{} // if not nil, drawing a board waits for it
}

// drawn is how often a whole dashboard was drawn.
func (d *drawer) drawn() int64 { return d.whole.Load() }

func (d *drawer) Board(ctx context.Context, j []byte) (render.Board, error) {
	d.whole.Add(1)
	if d.fail.Load() {
		return render.Board{}, fmt.Errorf("%w: planted", render.ErrDraw)
	}
	if d.gate != nil {
		select {
		case <-d.gate:
		case <-ctx.Done():
			return render.Board{}, ctx.Err()
		}
	}
	var v board.View
	if err := json.Unmarshal(j, &v); err != nil {
		return render.Board{}, err
	}
	var body, css strings.Builder
	for _, w := range v.Widgets {
		h, err := draw(w)
		if err != nil {
			return render.Board{}, err
		}
		body.WriteString(h)
		fmt.Fprintf(&css, "#w-%s{grid-area:%d/%d}", w.ID, w.Layout.X, w.Layout.Y)
	}
	return render.Board{Title: v.Title, Body: body.String(), CSS: css.String()}, nil
}

func (d *drawer) Widget(_ context.Context, j []byte) (string, error) {
	d.single.Add(1)
	var w board.Widget
	if err := json.Unmarshal(j, &w); err != nil {
		return "", err
	}
	return draw(w)
}

func draw(w board.Widget) (string, error) {
	rows, err := json.Marshal(w.Rows)
	options, _ := json.Marshal(w.Options)
	esc := strings.NewReplacer("<", "&lt;", "&", "&amp;", `"`, "&quot;")
	if w.Kind == "link" {
		return `<section class="w" id="w-` + string(w.ID) + `"><a href="https://example.org" target="_blank">` + esc.Replace(`<a href="`) + `</a></section>`, err
	}
	return `<section class="w" id="w-` + string(w.ID) + `"><h2>` + esc.Replace(w.Title) + `</h2><p>` + esc.Replace(string(rows)) + esc.Replace(string(options)) + `</p></section>`, err
}

func widgetOf(title string, x int, rows ...string) board.Widget {
	w := board.Widget{
		ID: board.NewWidgetID(ulid.Make()), Kind: board.KindTable, Title: title, Layout: board.Layout{X: x, Y: 0, W: 4, H: 4},
		Columns: []board.Column{{Name: "a", Type: board.TypeNumber}},
	}
	for _, r := range rows {
		w.Rows = append(w.Rows, json.RawMessage(r))
	}
	return w
}

// world is a Service over a core behind a real socket.
type world struct {
	*core
	*drawer
	srv *httptest.Server
	cut chan cutReport
	saw chan int
}

type cutReport struct {
	n    int
	slow time.Duration
}

func newWorld(t *testing.T, tune ...func(*page.Config)) *world {
	t.Helper()
	w := &world{
		core:   &core{boards: map[board.ID]*fakeBoard{}, tokens: map[sharing.Token]board.ID{}, links: map[sharing.Token]sharing.Link{}},
		drawer: &drawer{},
		cut:    make(chan cutReport, 100), saw: make(chan int, 100),
	}
	cfg := page.Config{
		Source: w.core, Drawer: w.drawer, Bundle: page.Bundle{CSS: "body{color:red}", ScriptURL: "/assets/share-0.js"},
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Base: "https://dash.example",
		OnCut:      func(_ board.ID, n int, slow time.Duration) { w.cut <- cutReport{n, slow} },
		OnWatching: func(_ board.ID, n int) { w.saw <- n },
	}
	for _, f := range tune {
		f(&cfg)
	}
	w.now = cfg.Now
	w.pages = page.New(cfg)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /share/{token}", func(rw http.ResponseWriter, r *http.Request) {
		doc, err := w.pages.Document(r.Context(), sharing.Token(r.PathValue("token")), proofOf(r), page.ParseOptions(r.URL.Query()))
		if err != nil {
			refuse(rw, err)
			return
		}
		doc.ServeHTTP(rw, r)
	})
	mux.HandleFunc("GET /share/{token}/live", func(rw http.ResponseWriter, r *http.Request) {
		var have uint64
		_, _ = fmt.Sscan(r.FormValue("v"), &have)
		client := r.Header.Get("X-Client")
		if err := w.pages.Live(rw, r, sharing.Token(r.PathValue("token")), proofOf(r), have, client); err != nil {
			refuse(rw, err)
		}
	})
	w.srv = httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		w.pages.Close(ctx)
		w.srv.Close()
	})
	return w
}

// proofOf takes from the request what package unlock would have checked.
func proofOf(r *http.Request) (p page.Proof) {
	_, _ = fmt.Sscan(r.Header.Get("X-Proof"), &p.Revision, &p.Until)
	return p
}

func shows(p page.Proof) http.Header {
	return http.Header{"X-Proof": {fmt.Sprint(p.Revision, " ", p.Until)}}
}

func refuse(rw http.ResponseWriter, err error) {
	status := map[fault.Kind]int{fault.NotFound: 404, fault.Unauthenticated: 401, fault.Busy: 429, fault.Unavailable: 503}[fault.KindOf(err)]
	if status == 0 {
		status = 500
	}
	rw.WriteHeader(status)
}

// viewer is a browser's websocket.
type viewer struct {
	t  *testing.T
	ws *websocket.Conn
}

type message struct {
	T       string             `json:"t"`
	V       uint64             `json:"v"`
	From    uint64             `json:"from"`
	Title   *string            `json:"title"`
	Theme   *string            `json:"theme"`
	CSS     *string            `json:"css"`
	Body    string             `json:"body"`
	Reason  string             `json:"reason"`
	Why     string             `json:"why"`
	Order   []string           `json:"order"`
	Widgets map[string]*string `json:"widgets"`
}

func (w *world) dial(t *testing.T, token sharing.Token, have uint64, header http.Header) (v *viewer, status int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	url := "ws" + strings.TrimPrefix(w.srv.URL, "http") + "/share/" + string(token) + "/live"
	if have > 0 {
		url += fmt.Sprintf("?v=%d", have)
	}
	ws, res, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header})
	if res != nil {
		status = res.StatusCode
		if res.Body != nil {
			_ = res.Body.Close()
		}
	}
	if err != nil {
		return nil, status, err
	}
	ws.SetReadLimit(64 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &viewer{t, ws}, status, nil
}

func (w *world) view(t *testing.T, token sharing.Token, have uint64) *viewer {
	t.Helper()
	v, _, err := w.dial(t, token, have, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// next is the next message, or the code with which the connection was closed.
func (v *viewer) next() (message, websocket.StatusCode) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 2*time.Minute)
	defer cancel()
	_, b, err := v.ws.Read(ctx)
	if err != nil {
		if code := websocket.CloseStatus(err); code != -1 {
			return message{}, code
		}
		if errors.Is(err, context.DeadlineExceeded) {
			v.t.Fatal("nothing came")
		}
		return message{}, websocket.StatusAbnormalClosure
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		v.t.Fatalf("not JSON: %.200s", b)
	}
	return m, 0
}

// want is next, which must be of type typ.
func (v *viewer) want(typ string) message {
	v.t.Helper()
	m, code := v.next()
	if m.T != typ {
		v.t.Fatalf("got %q (close code %d), want %q", m.T, code, typ)
	}
	return m
}

// until reads until a message brings version to.
func (v *viewer) until(to uint64) (ms []message) {
	v.t.Helper()
	for {
		m, code := v.next()
		if code != 0 {
			v.t.Fatalf("closed with %d before version %d", code, to)
		}
		ms = append(ms, m)
		if m.V >= to {
			return ms
		}
	}
}
