package httpweb

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/page"
)

// preview is the picture that is shown beside an open link (rule L6). Every other link is answered as one that does not
// work.
func (s *Site) preview(w http.ResponseWriter, r *http.Request) {
	p, err := s.cfg.Pages.Picture(r.Context(), sharing.Token(r.PathValue("token")))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	p.ServeHTTP(w, r)
}

// Size in pixels of the frame that oEmbed offers where nothing smaller is asked for.
const (
	frameWidth  = 1000
	frameHeight = 640
)

// embedding is an answer of oEmbed (oembed.com, 2.3.4.4): a frame with the dashboard.
type embedding struct {
	Version         string `json:"version"`
	Type            string `json:"type"`
	ProviderName    string `json:"provider_name"`
	ProviderURL     string `json:"provider_url"`
	Title           string `json:"title"`
	HTML            string `json:"html"`
	Width           int    `json:"width"`
	Height          int    `json:"height"`
	CacheAge        int    `json:"cache_age"` // seconds: what is shown may be revoked at any time
	ThumbnailURL    string `json:"thumbnail_url,omitempty"`
	ThumbnailWidth  int    `json:"thumbnail_width,omitempty"`
	ThumbnailHeight int    `json:"thumbnail_height,omitempty"`
}

// oembed tells the programs behind other sites how to show an open link (rule L6). A link that only some sites may frame
// is answered as well: whoever asks is a server and may work for one of those, and the page itself refuses all others.
// Pages may ask too; the answer holds nothing that the link does not show to everybody.
func (s *Site) oembed(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	q := r.URL.Query()
	if f := q.Get("format"); f != "" && f != "json" {
		http.Error(w, "This server answers in JSON.", http.StatusNotImplemented)
		return
	}
	e, err := s.embedding(r, q)
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.Internal {
			s.cfg.Logger.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
		}
		httpapi.WriteFault(w, f)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(e) // a client that went away is no failure
}

func (s *Site) embedding(r *http.Request, q url.Values) (*embedding, error) {
	if q.Get("url") == "" {
		return nil, fault.Field("url", "The address of the link is missing.")
	}
	e := &embedding{Version: "1.0", Type: "rich", ProviderName: "widgets.pro", ProviderURL: s.cfg.Base, Width: frameWidth, Height: frameHeight}
	thumbnail := true
	for name, to := range map[string]*int{"maxwidth": &e.Width, "maxheight": &e.Height} {
		if !q.Has(name) {
			continue
		}
		most, err := strconv.Atoi(q.Get(name))
		if err != nil || most < 1 {
			return nil, fault.Field(name, "This is not a number of pixels.")
		}
		// The picture has one size, so whoever wants a smaller one gets none.
		thumbnail = thumbnail && most >= map[string]int{"maxwidth": page.PreviewWidth, "maxheight": page.PreviewHeight}[name]
		*to = min(*to, most)
	}
	t, asked, err := s.openLink(r, q.Get("url"))
	if err != nil {
		return nil, err
	}
	about, err := s.cfg.Pages.Summary(r.Context(), t)
	if err != nil {
		return nil, s.missed(r, err)
	}
	e.Title = about.Title
	e.HTML = frame(t.URL(s.cfg.Base)+"?"+parameters(page.ParseOptions(asked)), about.Title, e.Width, e.Height)
	if thumbnail {
		e.ThumbnailURL = t.URL(s.cfg.Base) + "/preview.png"
		e.ThumbnailWidth, e.ThumbnailHeight = page.PreviewWidth, page.PreviewHeight
	}
	return e, nil
}

// openLink finds the token in the address of a share page or of a short link, with the query of the address. Misses count
// as those of short links do.
func (s *Site) openLink(r *http.Request, address string) (sharing.Token, url.Values, error) {
	if err := s.misses.Check(s.cfg.Clients.Key(r), s.cfg.Now()); err != nil {
		return "", nil, tooManyMisses(err)
	}
	rest, ours := strings.CutPrefix(address, s.cfg.Base+"/")
	u, err := url.Parse("/" + rest)
	if !ours || err != nil {
		return "", nil, s.missed(r, unknownLink())
	}
	path := strings.TrimSuffix(u.Path, "/")
	if token, ok := strings.CutPrefix(path, "/share/"); ok {
		return sharing.Token(token), u.Query(), nil
	}
	short, ok := strings.CutPrefix(path, "/s/")
	if !ok {
		return "", nil, s.missed(r, unknownLink())
	}
	t, err := s.cfg.Core.ShortLink(r.Context(), short)
	if err != nil {
		return "", nil, s.missed(r, err)
	}
	return t, u.Query(), nil
}

func unknownLink() error { return fault.New(fault.NotFound, "This link does not work.") }

// missed counts a link that does not work against its client, and makes all that do not work alike (rule A5).
func (s *Site) missed(r *http.Request, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	_ = s.misses.Take(s.cfg.Clients.Key(r), s.cfg.Now()) // whether it was the last one is asked the next time
	return unknownLink()
}

// parameters are those of a framed page that shows o (rules E1-E4).
func parameters(o page.Options) string {
	q := url.Values{"embed": {"true"}}
	if o.Theme != "" {
		q.Set("theme", string(o.Theme))
	}
	if o.Still {
		q.Set("interactive", "false")
	}
	return q.Encode()
}

// frame is the markup of a frame with a dashboard.
func frame(src, title string, width, height int) string {
	return `<iframe src="` + html.EscapeString(src) + `" title="` + html.EscapeString(title) + `" width="` + strconv.Itoa(width) +
		`" height="` + strconv.Itoa(height) + `" style="border:0;max-width:100%" loading="lazy" allowfullscreen></iframe>`
}
