package httpweb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

// front is a tiny front end that draws titles and rows.
func front() fs.FS {
	return fstest.MapFS{
		"share/share.js":  {Data: []byte("console.log('share')")},
		"share/share.css": {Data: []byte("body{margin:0}\n")},
		"share/embed.js":  {Data: []byte("console.log('embed')")},
		"render/render.js": {Data: []byte(`(() => {
			const esc = (s) => s.replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
			const widget = (w) => '<section class="w" id="w-' + w.id + '"><h2>' + esc(w.title) + "</h2>" + esc(JSON.stringify(w)) + "</section>";
			globalThis.widgets = {
				board: (j) => { const b = JSON.parse(j); return JSON.stringify({title: b.title, body: '<main id="board"><h1>' + esc(b.title) + '</h1><a href="https://example.org">more</a>' + b.widgets.map(widget).join("") + "</main>", css: b.widgets.map((w) => "#w-" + w.id + "{}").join("")}); },
				widget: (j) => widget(JSON.parse(j)),
			};
		})()`)},
	}
}

// site is a running server with an owner who has one dashboard with a link.
type site struct {
	*servertest.Server
	t    *testing.T
	own  *owner.Owner
	id   board.ID
	link sharing.Link
	log  *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const password = "correct horse battery staple"

func start(t *testing.T) *site {
	t.Helper()
	return startWith(t, servertest.Options{})
}

func startWith(t *testing.T, o servertest.Options) *site {
	t.Helper()
	log := &syncBuffer{}
	o.Front, o.Log = front(), log
	s := &site{Server: servertest.Start(t, o), t: t, log: log}
	s.connect("ann@example.org")
	id, err := s.own.Create(t.Context(), "Sales figures")
	if err != nil {
		t.Fatal(err)
	}
	s.id = id
	s.link = s.command(sharing.Enable)
	return s
}

func (s *site) connect(email string) {
	s.t.Helper()
	own, err := owner.SignUp(s.t.Context(), s.URL(), email, password, time.Now, s.Letters)
	if err != nil {
		s.t.Fatal(err)
	}
	s.own = own
	s.t.Cleanup(own.Close)
}

// mailed is the path of a link in a mail for an address, the one after the skip oldest ones.
func (s *site) mailed(to string, skip int, prefix string) string {
	s.t.Helper()
	for _, l := range s.Mail(to, skip).Links {
		if p, ok := strings.CutPrefix(l, s.URL()); ok && strings.HasPrefix(p, prefix) {
			return p
		}
	}
	s.t.Fatalf("no link to %s in the mail for %s", prefix, to)
	return ""
}

func (s *site) command(a sharing.Action) sharing.Link {
	s.t.Helper()
	l, err := s.own.Command(s.t.Context(), s.id, a)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// change changes the link by a command that fill completes.
func (s *site) change(fill func(*sharing.Command)) sharing.Link {
	s.t.Helper()
	l, err := s.own.Do(s.t.Context(), s.id, fill)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *site) retitle(title string) {
	s.t.Helper()
	if err := s.own.Edit(s.t.Context(), s.id, owner.Set(board.BoardEntity, board.FieldTitle, title)); err != nil {
		s.t.Fatal(err)
	}
}

// client follows no redirects and keeps cookies.
func client(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (s *site) do(c *http.Client, method, path string, form url.Values, header ...string) answer {
	s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.send(c, req)
}

func (s *site) send(c *http.Client, req *http.Request) answer {
	s.t.Helper()
	res, err := c.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func (s *site) get(path string) answer { return s.do(client(s.t), http.MethodGet, path, nil) }

func share(l sharing.Link) string { return "/share/" + l.Token.Reveal() }

type frame struct {
	T, Title, Body, Reason, Why string
	V                           uint64
}

// watch opens a viewer's websocket.
func (s *site) watch(l sharing.Link) *websocket.Conn {
	s.t.Helper()
	return s.watchPath(share(l))
}

func (s *site) watchPath(path string) *websocket.Conn {
	s.t.Helper()
	return s.watchWith(path, &websocket.DialOptions{})
}

func (s *site) watchWith(path string, o *websocket.DialOptions) *websocket.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.URL(), "http")+path+"/live", o)
	if err != nil {
		s.t.Fatalf("dial: %v", err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	s.t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

func (s *site) read(ws *websocket.Conn) (f frame, code websocket.StatusCode) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	_, b, err := ws.Read(ctx)
	if err != nil {
		return f, websocket.CloseStatus(err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		s.t.Fatal(err)
	}
	return f, 0
}
