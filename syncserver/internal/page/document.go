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
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"widgets.pro/shared/fault"
)

// brotliQuality is where time stops buying much: 11 takes 35 times as long for a tenth less, while somebody waits for it.
const brotliQuality = 6

// Document is one version of a dashboard as HTML, with its compressed forms. It may be served any number of times.
type Document struct {
	html, br []byte
	headers  []header // that all forms have in common
	brLen    []string // Content-Length of each form
	htmlLen  []string

	once  sync.Once
	gz    []byte
	gzLen []string
}

// header is a header line as http.Header holds it; the slices are shared by all answers and never written to.
type header struct {
	key    string
	values []string
}

// document is the snapshot as HTML, made when first needed.
func (n *snapshot) document(ctx context.Context, s *Service) (*Document, error) {
	if doc := n.doc.Load(); doc != nil {
		return doc, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if doc := n.doc.Load(); doc != nil {
		return doc, nil
	}
	b, err := n.draw(ctx, s.cfg.Drawer, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	doc, err := newDocument(s, n, b.Body, b.CSS)
	if err != nil {
		return nil, errDraw(err)
	}
	n.doc.Store(doc)
	n.size.Add(int64(len(doc.html) + len(doc.br)))
	return doc, nil
}

// content is what the template is filled with. Text is escaped there; Body and the style sheets are the work of the
// front end's bundle, which escapes what it draws.
type content struct {
	Version     uint64
	Title       string
	Description string
	Theme       string
	Body        template.HTML
	CSS         template.CSS
	BoardCSS    template.CSS
	Script      string
}

// The document, whole and readable before any script runs. Its favicon is part of it: a request less.
//
//nolint:gochecknoglobals // parsed once, never written to
var documentTemplate = template.Must(template.New("document").Parse(`<!doctype html>
<html lang="en" data-v="{{.Version}}" data-theme="{{.Theme}}">
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex,nofollow">
{{with .Description}}<meta name="description" content="{{.}}">
<meta property="og:description" content="{{.}}">
{{end}}<meta property="og:title" content="{{.Title}}">
<meta property="og:type" content="website">
<link rel="icon" href="` + Favicon + `">
<style>{{.CSS}}</style>
<style>{{.BoardCSS}}</style>
</head>
<body>
{{.Body}}
{{with .Script}}<script type="module" src="{{.}}"></script>
{{end}}</body>
</html>
`))

func newDocument(s *Service, n *snapshot, body, boardCSS string) (*Document, error) {
	shareCSS := s.cfg.Bundle.CSS
	if strings.Contains(boardCSS, "<") || strings.Contains(shareCSS, "</") {
		return nil, fault.New(fault.Internal, "The style sheet holds markup.")
	}
	var out bytes.Buffer
	if err := documentTemplate.Execute(&out, content{
		Version: n.version, Title: n.title, Description: n.description, Theme: string(n.theme),
		Body: template.HTML(body), CSS: template.CSS(shareCSS), BoardCSS: template.CSS(boardCSS), //nolint:gosec // drawn by our bundle, see content
		Script: s.cfg.Bundle.ScriptURL,
	}); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	d := &Document{html: out.Bytes()}
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
	csp := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors *; img-src 'self' data:; script-src 'self'; connect-src 'self'"
	if s.cfg.ConnectSrc != "" {
		csp += " " + s.cfg.ConnectSrc
	}
	csp += "; style-src " + StyleHash(shareCSS) + " " + StyleHash(boardCSS)
	d.headers = []header{
		{"Content-Type", []string{"text/html; charset=utf-8"}},
		{"Content-Security-Policy", []string{csp}},
		{"Vary", []string{"Accept-Encoding"}},
		{"Cross-Origin-Resource-Policy", []string{"cross-origin"}},
	}
	return d, nil
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
const Favicon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3.5' fill='%233656d4'/%3E%3Cpath d='M3.5 8.5v4M6.5 5.5v7M9.5 7.5v5M12.5 3.5v9' stroke='%23fff' stroke-width='1.6' stroke-linecap='round'/%3E%3C/svg%3E"
