package httpweb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/servertest/owner"
)

// with does a command that must succeed, after fill has completed it.
func (s *site) with(a sharing.Action, fill func(*sharing.Command)) sharing.Link {
	s.t.Helper()
	l, err := s.own.Do(s.t.Context(), s.id, func(c *sharing.Command) {
		c.Action = a
		fill(c)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *site) protect() {
	s.t.Helper()
	s.with(sharing.SetPassword, func(c *sharing.Command) {
		c.Hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	})
}

func preview(l sharing.Link) string { return share(l) + "/preview.png" }

func TestL6_ThePreviewImageOfAnOpenLink(t *testing.T) {
	s := start(t)
	a := s.get(preview(s.link))
	img, err := png.Decode(strings.NewReader(a.body))
	if a.status != 200 || err != nil || img.Bounds().Dx() != page.PreviewWidth || img.Bounds().Dy() != page.PreviewHeight {
		t.Fatalf("answered %d, %v", a.status, err)
	}
	for k, want := range map[string]string{
		"Content-Type": "image/png", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
		"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Content-Length": fmt.Sprint(len(a.body)),
	} {
		if got := a.header.Get(k); got != want {
			t.Errorf("%s is %q", k, got)
		}
	}
	head := s.do(client(t), http.MethodHead, preview(s.link), nil)
	head.header.Del("Date")
	a.header.Del("Date")
	if head.body != "" || fmt.Sprint(head.header) != fmt.Sprint(a.header) {
		t.Errorf("HEAD: %v", head.header)
	}
	// It is that of the page, and current.
	image := regexp.MustCompile(`<meta property="og:image" content="([^"]+)">`).FindStringSubmatch(s.get(share(s.link)).body)
	if image == nil {
		t.Fatal("the page names no picture")
	}
	path, ours := strings.CutPrefix(html.UnescapeString(image[1]), s.URL())
	if b := s.get(path); !ours || b.body != a.body {
		t.Errorf("the page names another picture: %s", image[1])
	}
	s.retitle("Another title")
	if b := s.get(preview(s.link)); b.status != 200 || b.body == a.body {
		t.Error("the picture is older than the edit that was acknowledged")
	}
}

// Pictures of all links that are not open to everybody are refused alike, and as pages of dead links are.
func TestL6_A5_NoPreviewOfOtherLinks(t *testing.T) {
	s := start(t)
	first := s.get(preview(s.link))
	if first.status != 200 {
		t.Fatalf("answered %d", first.status)
	}
	want := s.get("/share/shr_0123456789ABCDEFGHIJKLMN")
	want.header.Del("Date")
	refused := func(name, path string) {
		t.Helper()
		for _, query := range []string{"", "?v=1"} {
			a := s.get(path + query)
			a.header.Del("Date")
			if a.status != http.StatusNotFound || a.body != want.body || fmt.Sprint(a.header) != fmt.Sprint(want.header) {
				t.Errorf("%s: %d %v", name, a.status, a.header)
			}
		}
	}
	refused("unknown", "/share/shr_0123456789ABCDEFGHIJKLMN/preview.png")
	refused("malformed", "/share/x/preview.png")
	s.command(sharing.Disable)
	refused("off", preview(s.link))
	s.command(sharing.Enable)
	s.protect()
	refused("with a password", preview(s.link))
	s.command(sharing.RemovePassword)
	s.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1 })
	refused("ended", preview(s.link))
	s.with(sharing.SetExpiry, func(*sharing.Command) {})
	if a := s.get(preview(s.link)); a.status != 200 || a.body != first.body {
		t.Errorf("open again: %d", a.status)
	}
	next := s.command(sharing.Rotate)
	refused("replaced", preview(s.link))
	if a := s.get(preview(next)); a.status != 200 {
		t.Errorf("the new link: %d", a.status)
	}
	if err := s.own.Edit(t.Context(), s.id, owner.Set(board.BoardEntity, board.FieldAlive, false)); err != nil {
		t.Fatal(err)
	}
	refused("trashed", preview(next))
}

func TestL6_ManyAskForThePreviewAtOnce(t *testing.T) {
	s := start(t)
	bodies := make([]string, 30)
	var wg sync.WaitGroup
	for i := range bodies {
		wg.Go(func() { bodies[i] = s.get(preview(s.link)).body })
	}
	wg.Wait()
	for _, b := range bodies {
		if b == "" || b != bodies[0] {
			t.Fatal("they got different pictures")
		}
	}
}

// oembed asks for how to embed an address.
func (s *site) oembed(address string, more ...string) answer {
	s.t.Helper()
	q := url.Values{"url": {address}, "format": {"json"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return s.get("/oembed?" + q.Encode())
}

// embedding is an answer of oEmbed as a consumer reads it.
type embedding struct {
	Version         string `json:"version"`
	Type            string `json:"type"`
	ProviderName    string `json:"provider_name"`
	ProviderURL     string `json:"provider_url"`
	Title           string `json:"title"`
	HTML            string `json:"html"`
	Width           int    `json:"width"`
	Height          int    `json:"height"`
	CacheAge        *int   `json:"cache_age"`
	ThumbnailURL    string `json:"thumbnail_url"`
	ThumbnailWidth  int    `json:"thumbnail_width"`
	ThumbnailHeight int    `json:"thumbnail_height"`
}

func (s *site) embedding(a answer) (e embedding) {
	s.t.Helper()
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		s.t.Fatalf("answered %d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil {
		s.t.Fatal(err)
	}
	return e
}

func TestL6_OEmbed(t *testing.T) {
	s := start(t)
	s.retitle(`Sales "&<script>`)
	full := s.URL() + share(s.link)
	a := s.oembed(full)
	e := s.embedding(a)
	zero := 0
	want := embedding{
		Version: "1.0", Type: "rich", ProviderName: "widgets.pro", ProviderURL: s.URL(), Title: `Sales "&<script>`, HTML: e.HTML,
		Width: e.Width, Height: e.Height, CacheAge: e.CacheAge, ThumbnailURL: full + "/preview.png", ThumbnailWidth: 1200, ThumbnailHeight: 630,
	}
	if e != want || e.CacheAge == nil || *e.CacheAge != zero || e.Width < 300 || e.Height < 200 {
		t.Errorf("%s", a.body)
	}
	// The snippet is one frame, and text in it is text.
	if !strings.HasPrefix(e.HTML, `<iframe src="`+full+`?embed=true" `) || !strings.HasSuffix(e.HTML, "></iframe>") || strings.Count(e.HTML, "<") != 2 ||
		!strings.Contains(e.HTML, `title="Sales &#34;&amp;&lt;script&gt;"`) || !strings.Contains(e.HTML, fmt.Sprintf(`width="%d" height="%d"`, e.Width, e.Height)) {
		t.Error(e.HTML)
	}
	for k, v := range map[string]string{"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if a.header.Get(k) != v {
			t.Errorf("%s is %q", k, a.header.Get(k))
		}
	}
	if strings.Contains(a.body, "ann@example.org") || strings.Contains(a.body, string(s.id)) {
		t.Error("it tells more than is published")
	}
	// Parameters of the address are kept, those that are none are not.
	e = s.embedding(s.oembed(full + "?theme=dark&interactive=false&utm=x&embed=false"))
	if !strings.Contains(e.HTML, full+"?embed=true&amp;interactive=false&amp;theme=dark\"") {
		t.Error(e.HTML)
	}
	// What the page offers machines is this.
	link := regexp.MustCompile(`<link rel="alternate" type="application/json\+oembed" href="([^"]+)"`).FindStringSubmatch(s.get(share(s.link)).body)
	if link == nil {
		t.Fatal("the page does not name it")
	}
	if b := s.get(strings.TrimPrefix(html.UnescapeString(link[1]), s.URL())); b.body != a.body {
		t.Errorf("the page names another: %s", b.body)
	}
	if img := s.get(strings.TrimPrefix(want.ThumbnailURL, s.URL())); img.status != 200 || !bytes.HasPrefix([]byte(img.body), []byte("\x89PNG")) {
		t.Errorf("the thumbnail: %d", img.status)
	}
}

func TestL6_OEmbedOfShortLinks(t *testing.T) {
	s := start(t)
	s.link = s.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "team-status" })
	for _, address := range []string{s.link.ShortID.URL(s.URL()), s.link.Slug.URL(s.URL()) + "?theme=light", s.URL() + share(s.link) + "/"} {
		e := s.embedding(s.oembed(address))
		if e.Title != "Sales figures" || !strings.Contains(e.HTML, s.URL()+share(s.link)+"?embed=true") {
			t.Errorf("%s: %+v", address, e)
		}
	}
}

func TestL6_OEmbedKeepsWithinWhatIsAskedFor(t *testing.T) {
	s := start(t)
	full := s.URL() + share(s.link)
	e := s.embedding(s.oembed(full, "maxwidth", "400", "maxheight", "300"))
	if e.Width != 400 || e.Height != 300 || !strings.Contains(e.HTML, `width="400" height="300"`) || e.ThumbnailURL != "" || e.ThumbnailWidth != 0 {
		t.Errorf("%+v", e)
	}
	e = s.embedding(s.oembed(full, "maxwidth", "5000"))
	if e.Width > 5000 || e.ThumbnailURL == "" {
		t.Errorf("%+v", e)
	}
	for _, bad := range []string{"0", "-5", "wide", "1e3", ""} {
		if a := s.oembed(full, "maxwidth", bad); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"maxwidth"`) {
			t.Errorf("%q: %d %s", bad, a.status, a.body)
		}
	}
}

// A link that is limited to some sites is told to all who ask: the page itself refuses the others.
func TestE5_OEmbedOfALinkForSomeSites(t *testing.T) {
	s := start(t)
	s.with(sharing.SetOrigins, func(c *sharing.Command) { c.Origins = "https://intranet.example" })
	s.embedding(s.oembed(s.URL() + share(s.link)))
	if csp := s.get(share(s.link)).header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors https://intranet.example") {
		t.Error(csp)
	}
}

func TestL6_A5_NoOEmbedOfOtherLinks(t *testing.T) {
	s := start(t)
	full := s.URL() + share(s.link)
	want := s.oembed(s.URL() + "/share/shr_0123456789ABCDEFGHIJKLMN")
	want.header.Del("Date")
	if want.status != http.StatusNotFound || want.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("answered %d %v", want.status, want.header)
	}
	refused := func(name, address string) {
		t.Helper()
		a := s.oembed(address)
		a.header.Del("Date")
		if a.status != want.status || a.body != want.body || fmt.Sprint(a.header) != fmt.Sprint(want.header) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for name, address := range map[string]string{
		"another host": "https://elsewhere.example" + share(s.link), "a host that begins alike": s.URL() + ".example" + share(s.link),
		"no link": s.URL() + "/login", "relative": share(s.link), "an unknown short link": s.URL() + "/s/AAAAAAAAAA",
		"with a user": strings.Replace(full, "://", "://x@", 1), "nonsense": "%zz", "the picture": full + "/preview.png",
	} {
		refused(name, address)
	}
	s.protect()
	refused("with a password", full)
	refused("with a password, short", s.link.ShortID.URL(s.URL()))
	s.command(sharing.RemovePassword)
	s.command(sharing.Disable)
	refused("off", full)
	s.command(sharing.Enable)
	s.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1 })
	refused("ended", full)
}

func TestL6_OEmbedRequestsThatAreWrong(t *testing.T) {
	s := start(t)
	if a := s.get("/oembed?format=json"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"url"`) {
		t.Errorf("without an address: %d %s", a.status, a.body)
	}
	if a := s.oembed(s.URL()+share(s.link), "format", "xml"); a.status != http.StatusNotImplemented || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("XML: %d", a.status)
	}
	if a := s.get("/oembed?url=" + url.QueryEscape(s.URL()+share(s.link))); a.status != 200 {
		t.Errorf("without a format: %d", a.status)
	}
}

// Misses count as those of short links do, in one budget.
func TestS1_OEmbedMissesRunOut(t *testing.T) {
	s := start(t)
	statuses := map[int]int{}
	for i := range 30 {
		if i%2 == 0 {
			statuses[s.get(fmt.Sprintf("/s/AAAAAAAA%02d", i)).status]++
		} else {
			statuses[s.oembed(fmt.Sprintf("%s/share/shr_0123456789ABCDEFGHIJKL%02d", s.URL(), i)).status]++
		}
	}
	a := s.oembed(s.URL() + share(s.link))
	if statuses[404] != 20 || statuses[429] != 10 || a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("answered %v, and then %d", statuses, a.status)
	}
}
