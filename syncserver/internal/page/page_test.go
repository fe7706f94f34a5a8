package page_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/page"
)

// got is an answer without its body.
type got struct {
	status int
	header http.Header
	length int64
}

func (w *world) get(t *testing.T, token sharing.Token, encoding string) (got, string) {
	t.Helper()
	return w.fetch(t, string(token), encoding, nil)
}

// fetch is get with a query behind the token and more headers.
func (w *world) fetch(t *testing.T, target, encoding string, header http.Header) (got, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.srv.URL+"/share/"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("Accept-Encoding", encoding)
	res, err := w.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var r io.Reader = res.Body
	switch res.Header.Get("Content-Encoding") {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, res.ContentLength}, string(b)
}

func TestDocumentIsWholeInEveryEncoding(t *testing.T) {
	w := newWorld(t)
	_, token := w.add(t, "Sales", widgetOf("Orders", 0, "[1]"))
	_, plain := w.get(t, token, "identity")
	for _, want := range []string{`<html lang="en" data-v="1" data-theme="system">`, "<title>Sales</title>", "<h2>Orders</h2>", `src="/assets/share-0.js"`} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %s in %s", want, plain)
		}
	}
	for accept, want := range map[string]string{
		"gzip, deflate, br": "br", "gzip": "gzip", "br;q=0, gzip": "gzip", "br;q=0": "", "identity": "", "BR;q=1.0": "", "br;q=0.5": "br", "gzip;q=nonsense": "",
	} {
		res, body := w.get(t, token, accept)
		if got := res.header.Get("Content-Encoding"); got != want || body != plain {
			t.Errorf("%q: encoding %q, want %q; same body: %v", accept, got, want, body == plain)
		}
		if res.header.Get("Vary") != "Accept-Encoding" || res.length <= 0 {
			t.Errorf("%q: headers %v", accept, res.header)
		}
	}
}

// TestPolicyFitsTheDocument: the hashes are those of the style elements as a browser reads them, and nothing inline is
// left for which there is none.
func TestPolicyFitsTheDocument(t *testing.T) {
	w := newWorld(t)
	_, token := w.add(t, "Sales", widgetOf("Orders", 0, "[1]"))
	res, body := w.get(t, token, "br")
	csp := res.header.Get("Content-Security-Policy")
	styles := regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`).FindAllStringSubmatch(body, -1)
	if len(styles) != 2 {
		t.Fatalf("%d style elements", len(styles))
	}
	for _, s := range styles {
		sum := sha256.Sum256([]byte(s[1]))
		if !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("no hash for %q in %s", s[1], csp)
		}
	}
	if regexp.MustCompile(`<script>| style=| on\w+=`).MatchString(body) || strings.Contains(csp, "unsafe") {
		t.Errorf("inline script or style: %s\n%s", csp, body)
	}
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'; trusted-types widgets", "frame-ancestors *", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("no %s in %s", want, csp)
		}
	}
}

func TestB2_TitlesAreText(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, `</title><script>alert(1)</script>"'>`)
	w.edit(id, func(v *board.View) { v.Description = "\"><img src=x onerror=alert(1)>\x00\n\u202eevil" })
	_, body := w.get(t, token, "")
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img") || strings.ContainsAny(body, "\x00\u202e") {
		t.Errorf("markup came through: %s", body)
	}
	if !strings.Contains(body, "&lt;/title&gt;&lt;script&gt;") {
		t.Errorf("the title is not there: %s", body)
	}
	w.retitle(id, " ")
	if _, body := w.get(t, token, ""); !strings.Contains(body, "<title>Untitled dashboard</title>") {
		t.Errorf("no name for a dashboard without one: %s", body)
	}
}

// TestA6_OnlyThePublished: what a newer version may keep in options reaches neither the drawing nor the page.
func TestA6_OnlyThePublished(t *testing.T) {
	const canary = "CANARY"
	w := newWorld(t)
	wd := widgetOf("Orders", 0, "[1]")
	wd.Options = map[string]json.RawMessage{"source": json.RawMessage(`"` + canary + `"`), "limit": json.RawMessage("5")}
	id, token := w.add(t, "Sales", wd)
	_, body := w.get(t, token, "")
	if !strings.Contains(body, "Orders") || strings.Contains(body, canary) {
		t.Errorf("the page says %s", body)
	}
	v := w.view(t, token, 0)
	if m := v.want("all"); !strings.Contains(m.Body, "Orders") || strings.Contains(m.Body, canary) {
		t.Errorf("the frame says %s", m.Body)
	}
	at := w.edit(id, func(v *board.View) { v.Widgets[0].Title = "Other" })
	for _, m := range v.until(at) {
		for _, html := range m.Widgets {
			if strings.Contains(*html, canary) {
				t.Errorf("the patch says %s", *html)
			}
		}
	}
}

func TestRendersOnceForManyRequests(t *testing.T) {
	w := newWorld(t)
	w.gate = make(chan struct{})
	id, token := w.add(t, "Sales", widgetOf("Orders", 0, "[1]"))
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			rec := httptest.NewRecorder()
			doc, err := w.pages.Document(t.Context(), token, page.Proof{}, page.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			doc.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
			if !strings.Contains(rec.Body.String(), "Orders") {
				t.Error("not the dashboard")
			}
		})
	}
	close(w.gate)
	wg.Wait()
	if n, m := w.drawn(), w.reads.Load(); n != 1 || m != 1 {
		t.Errorf("drawn %d times, read %d times", n, m)
	}
	w.retitle(id, "Sales 2")
	for range 3 {
		if _, body := w.get(t, token, ""); !strings.Contains(body, "Sales 2") {
			t.Error("an edit that was committed is not shown")
		}
	}
	if n := w.drawn(); n != 2 {
		t.Errorf("drawn %d times for two versions", n)
	}
	w.edit(id, func(*board.View) {}) // an operation that changes nothing to be seen
	w.get(t, token, "")
	if n := w.drawn(); n != 2 {
		t.Errorf("drawn again although nothing changed")
	}
}

func TestL3_DisabledAndEnabledAgain(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales")
	for range 2 {
		if res, _ := w.get(t, token, ""); res.status != http.StatusOK {
			t.Fatalf("enabled: %d", res.status)
		}
		w.revoke(token)
		if res, body := w.get(t, token, ""); res.status != http.StatusNotFound || strings.Contains(body, "Sales") {
			t.Fatalf("disabled: %d %s", res.status, body)
		}
		w.enable(token, id)
	}
}

// TestL4_NoRequestOutlivesARevocation: a request that was let in and is being drawn when the link is revoked gets nothing.
func TestL4_NoRequestOutlivesARevocation(t *testing.T) {
	w := newWorld(t)
	w.gate = make(chan struct{})
	_, token := w.add(t, "Sales")
	answered := make(chan int)
	go func() {
		res, _ := w.get(t, token, "")
		answered <- res.status
	}()
	for w.drawn() == 0 { // until the drawing is under way
	}
	w.revoke(token)
	close(w.gate)
	if status := <-answered; status != 404 {
		t.Errorf("answered %d", status)
	}
}

func TestTrashedContentIsNotShown(t *testing.T) {
	w := newWorld(t)
	id, token := w.add(t, "Sales")
	w.edit(id, func(v *board.View) { v.Alive = false })
	if res, _ := w.get(t, token, ""); res.status != http.StatusNotFound {
		t.Errorf("answered %d", res.status)
	}
}

func TestFailedDrawingIsNotTriedByEveryRequest(t *testing.T) {
	w := newWorld(t)
	_, token := w.add(t, "Sales")
	w.fail.Store(true)
	for range 5 {
		if res, _ := w.get(t, token, ""); res.status != http.StatusInternalServerError {
			t.Fatalf("answered %d", res.status)
		}
	}
	if n := w.drawn(); n != 1 {
		t.Errorf("tried %d times", n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, func(c *page.Config) { c.MaxBytes = 20_000 })
	var tokens []sharing.Token
	for range 50 {
		_, token := w.add(t, strings.Repeat("Sales ", 500))
		tokens = append(tokens, token)
		w.get(t, token, "br")
	}
	before := w.drawn()
	w.get(t, tokens[49], "br")
	if w.drawn() != before {
		t.Error("the latest was forgotten")
	}
	w.get(t, tokens[0], "br")
	if w.drawn() != before+1 {
		t.Error("the oldest was kept")
	}
}

// Whoever asks for summaries alone makes dashboards be kept too.
func TestMemoryIsBoundedForSummaries(t *testing.T) {
	w := newWorld(t, func(c *page.Config) { c.MaxBytes = 20_000 })
	var tokens []sharing.Token
	for range 50 {
		_, token := w.add(t, strings.Repeat("Sales ", 500))
		tokens = append(tokens, token)
		if _, err := w.pages.Summary(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	before := w.reads.Load()
	for _, i := range []int{49, 0} {
		if _, err := w.pages.Summary(t.Context(), tokens[i]); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.reads.Load() - before; n != 1 {
		t.Errorf("%d of the latest and the oldest were read anew", n)
	}
}

// A dashboard that is forgotten to make room has no viewers, and that is told.
func TestL7_AForgottenDashboardIsNotWatched(t *testing.T) {
	w := newWorld(t, func(c *page.Config) { c.MaxBytes = 1 })
	id, token := w.add(t, "Sales")
	_, other := w.add(t, "Other")
	v := w.view(t, token, 0)
	v.want("all")
	for n := range w.saw { // until the sweep has told that one watches
		if n == 1 {
			break
		}
	}
	_ = v.ws.CloseNow()
	for w.pages.Watching(id) > 0 {
		runtime.Gosched()
	}
	w.get(t, other, "")
	if n := <-w.saw; n != 0 {
		t.Errorf("%d watch", n)
	}
}
