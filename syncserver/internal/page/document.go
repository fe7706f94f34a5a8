package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// brotliQuality is where time stops buying much: 11 takes 35 times as long for a tenth less, while somebody waits for it.
const brotliQuality = 6

// Document is one version of a dashboard as HTML, in one variant, with its compressed forms. It may be served any number of times.
type Document struct {
	head     head
	html, br []byte
	headers  []header // that all forms have in common
	brLen    []string // Content-Length of each form
	htmlLen  []string

	once  sync.Once
	gz    []byte
	gzLen []string
}

// size is how many bytes are kept of d, about.
func (d *Document) size() int64 { return int64(len(d.html) + len(d.br)) }

// header is a header line as http.Header holds it; the slices are shared by all answers and never written to.
type header struct {
	key    string
	values []string
}

// kept is the snapshot as HTML for a link, if it has been made and is still in its place.
func (n *snapshot) kept(l *link, o Options) *Document {
	doc := n.docs[o.variant(l)].Load()
	if doc == nil || doc.head != l.head() {
		return nil
	}
	return doc
}

// document is the snapshot as HTML, made when first needed. There is one place for each variant, which goes to the link
// that was looked at last: a dashboard has one link at a time.
func (n *snapshot) document(ctx context.Context, s *Service, l *link, o Options) (*Document, error) {
	if doc := n.kept(l, o); doc != nil {
		return doc, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if doc := n.kept(l, o); doc != nil {
		return doc, nil
	}
	b, err := n.draw(ctx, s.cfg.Drawer, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	doc, err := newDocument(s, n, l, o, b.Body, b.CSS)
	if err != nil {
		return nil, errDraw(err)
	}
	n.size.Add(doc.size())
	if old := n.docs[o.variant(l)].Swap(doc); old != nil {
		n.size.Add(-old.size())
	}
	return doc, nil
}

// head is what a document holds of the link that it was made for. Token is empty for a link that asks for a password.
type head struct {
	token   sharing.Token
	origins sharing.Origins
}

func (l *link) head() head {
	if l.locked {
		return head{origins: l.origins}
	}
	return head{token: l.token, origins: l.origins}
}

// content is what the template is filled with. Text is escaped there; Body and the style sheets are the work of the
// front end's bundle, which escapes what it draws.
type content struct {
	Version     uint64
	Title       string
	Description string
	Theme       string
	Fixed       bool // the theme is that of the address, whatever becomes of the dashboard's own
	Embed       bool
	Still       bool
	// Open is what open links tell machines that make previews of them, nil for others (rule L6).
	Open     *preview
	Body     template.HTML
	CSS      template.CSS
	BoardCSS template.CSS
	Script   string
}

// preview is the addresses in what a document tells machines.
type preview struct {
	Page, Image, OEmbed string
}

// Size of the preview image in pixels, which is what most services ask for.
const (
	PreviewWidth  = 1200
	PreviewHeight = 630
)

// The document, whole and readable before any script runs. Its favicon is part of it: a request less.
//
//nolint:gochecknoglobals // parsed once, never written to
var documentTemplate = template.Must(template.New("document").Parse(`<!doctype html>
<html lang="en" data-v="{{.Version}}" data-theme="{{.Theme}}"{{if .Fixed}} data-fixed{{end}}{{if .Embed}} data-embed{{end}}{{if .Still}} data-still{{end}}>
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex,nofollow">
{{with .Open}}{{with $.Description}}<meta name="description" content="{{.}}">
<meta property="og:description" content="{{.}}">
{{end}}<meta property="og:title" content="{{$.Title}}">
<meta property="og:type" content="website">
<meta property="og:url" content="{{.Page}}">
<meta property="og:image" content="{{.Image}}">
<meta property="og:image:width" content="` + strconv.Itoa(PreviewWidth) + `">
<meta property="og:image:height" content="` + strconv.Itoa(PreviewHeight) + `">
<meta property="og:image:alt" content="Preview of the dashboard “{{$.Title}}”">
<meta name="twitter:card" content="summary_large_image">
<link rel="alternate" type="application/json+oembed" href="{{.OEmbed}}" title="{{$.Title}}">
{{end}}<link rel="icon" href="` + Favicon + `">
<style>{{.CSS}}</style>
<style>{{.BoardCSS}}</style>
</head>
<body>
{{.Body}}
{{with .Script}}<script type="module" src="{{.}}"></script>
{{end}}</body>
</html>
`))

// anchors finds links in a drawing. Text cannot look like one, since "<" and quotes are escaped in it.
var anchors = regexp.MustCompile(`<a href="[^"]*"`)

func newDocument(s *Service, n *snapshot, l *link, o Options, body, boardCSS string) (*Document, error) {
	shareCSS := s.cfg.Bundle.CSS
	if strings.Contains(boardCSS, "<") || strings.Contains(shareCSS, "</") {
		return nil, fault.New(fault.Internal, "The style sheet holds markup.")
	}
	o = o.on(l)
	c := content{
		Version: n.version, Title: n.title, Description: n.description, Theme: string(n.theme), Embed: o.Embed, Still: o.Still,
		CSS: template.CSS(shareCSS), BoardCSS: template.CSS(boardCSS), //nolint:gosec // made by our bundle, see content
		Script: s.cfg.Bundle.ScriptURL,
	}
	if o.Theme != "" {
		c.Theme, c.Fixed = string(o.Theme), true
	}
	if o.Still {
		body = anchors.ReplaceAllLiteralString(body, "<a")
	}
	c.Body = template.HTML(body) //nolint:gosec // drawn by our bundle, see content
	if !l.locked {
		page := l.token.URL(s.cfg.Base)
		c.Open = &preview{
			Page: page, Image: page + "/preview.png?v=" + strconv.FormatUint(n.version, 10),
			OEmbed: s.cfg.Base + "/oembed?" + url.Values{"url": {page}, "format": {"json"}}.Encode(),
		}
	}
	var out bytes.Buffer
	if err := documentTemplate.Execute(&out, c); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	d := &Document{head: l.head(), html: out.Bytes()}
	var br bytes.Buffer
	w := brotli.NewWriterLevel(&br, brotliQuality)
	if _, err := w.Write(d.html); err != nil {
		return nil, fmt.Errorf("compress the document: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress the document: %w", err)
	}
	d.br = br.Bytes()
	d.brLen, d.htmlLen = length(d.br), length(d.html)
	d.headers = []header{
		{"Content-Type", []string{"text/html; charset=utf-8"}},
		{"Content-Security-Policy", []string{s.policy("'none'", l.origins, boardCSS)}},
		{"Vary", []string{"Accept-Encoding"}},
		{"Cross-Origin-Resource-Policy", []string{"cross-origin"}},
	}
	return d, nil
}

// PromptPolicy is the Content-Security-Policy of a page that asks for a link's password: that of a document, but for the
// form, since its script may go on to show the dashboard in it.
func (s *Service) PromptPolicy(o sharing.Origins) string { return s.policy("'self'", o) }

// policy allows what a share page needs and nothing else. Hashes rather than nonces, so that pages can be kept; css are the
// style sheets in the page beside the bundle's.
func (s *Service) policy(forms string, o sharing.Origins, css ...string) string {
	connect, styles := []string{"'self'"}, []string{StyleHash(s.cfg.Bundle.CSS)}
	if s.cfg.ConnectSrc != "" {
		connect = append(connect, s.cfg.ConnectSrc)
	}
	for _, sheet := range css {
		styles = append(styles, StyleHash(sheet))
	}
	return "default-src 'none'; base-uri 'none'; form-action " + forms + "; frame-ancestors " + o.FrameAncestors() +
		"; img-src 'self' data:; script-src 'self'; require-trusted-types-for 'script'; trusted-types widgets; connect-src " + strings.Join(connect, " ") + "; style-src " + strings.Join(styles, " ")
}

func length(b []byte) []string { return []string{strconv.Itoa(len(b))} }

// StyleHash is the source expression that allows a style element with just this text.
func StyleHash(css string) string {
	sum := sha256.Sum256([]byte(css))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

//nolint:gochecknoglobals // shared header values, never written to
var (
	encodingBrotli = []string{"br"}
	encodingGzip   = []string{"gzip"}
)

// ServeHTTP answers a GET or HEAD with the document in the best encoding that the client takes. It expects the headers of
// httpmw.Wrap to be there, of which it takes away those that keep a page out of frames, and allocates nothing itself.
func (d *Document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for i := range d.headers {
		h[d.headers[i].key] = d.headers[i].values
	}
	delete(h, "X-Frame-Options")
	delete(h, "Cross-Origin-Opener-Policy")
	br, gz := Accepts(r.Header["Accept-Encoding"])
	body := d.html
	switch {
	case br:
		body = d.br
		h["Content-Encoding"], h["Content-Length"] = encodingBrotli, d.brLen
	case gz:
		d.once.Do(d.gzip)
		body = d.gz
		h["Content-Encoding"], h["Content-Length"] = encodingGzip, d.gzLen
	default:
		h["Content-Length"] = d.htmlLen
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is no failure
	}
}

// gzip is for the few that do not take brotli.
func (d *Document) gzip() {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(d.html) // a bytes.Buffer does not fail
	_ = w.Close()
	d.gz, d.gzLen = b.Bytes(), length(b.Bytes())
}

// Accepts reads the lines of an Accept-Encoding header: which of brotli and gzip the client takes.
func Accepts(lines []string) (br, gz bool) {
	for _, line := range lines {
		for line != "" {
			var part string
			part, line, _ = strings.Cut(line, ",")
			name, params, _ := strings.Cut(part, ";")
			if refused(params) {
				continue
			}
			switch strings.TrimSpace(name) {
			case "br":
				br = true
			case "gzip":
				gz = true
			}
		}
	}
	return br, gz
}

// refused reports whether the parameters of an encoding say q=0.
func refused(params string) bool {
	if params == "" {
		return false
	}
	q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
	if !ok {
		return false
	}
	v, err := strconv.ParseFloat(q, 64)
	return err != nil || v <= 0
}

// Favicon is the product's mark as a data URI.
const Favicon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'%3E%3Crect width='64' height='64' rx='14' fill='%233656d4'/%3E%3Cpath d='M14 14h16v36H14zM34 14h16v16H34zM34 34h16v16H34z' fill='%23fff'/%3E%3C/svg%3E"
