package bridge

import (
	"bytes"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"widgets.pro/shared/fault"
)

// policy lets the page load and reach nothing but what this handler serves: no inline script or style, no form, no frame
// but the preview, and no page that frames it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// The preview is an empty page of the same origin. The share dialog frames it and draws in it, from outside, what a page
// that embeds the dashboard will show; this works offline. It runs no script of its own and reaches nothing.
const (
	previewPath   = "/embed-preview"
	previewPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
	preview = `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Preview</title></head><body></body></html>`
)

// notBuilt is shown by a program that was compiled without the front end.
const notBuilt = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>widgets.pro</title></head>
<body>
<main>
<h1>widgets.pro</h1>
<p>This program was compiled without its screens.</p>
<p>Run <code>make build</code>, which builds them first, and start it again.</p>
</main>
</body>
</html>
`

// page serves the built front end. Every path that names no file is the app's own: it gets the page.
func (b *Bridge) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		b.fail(w, r, wrongMethod())
		return
	}
	if r.URL.Path == previewPath {
		w.Header().Set("Content-Security-Policy", previewPolicy)
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		b.send(w, r, http.StatusOK, "text/html; charset=utf-8", []byte(preview))
		return
	}
	if b.deps.UI == nil {
		b.send(w, r, http.StatusOK, "text/html; charset=utf-8", []byte(notBuilt))
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	content, err := fs.ReadFile(b.deps.UI, name)
	if name == "" || err != nil {
		if path.Ext(name) != "" {
			b.fail(w, r, fault.New(fault.NotFound, "There is no such file."))
			return
		}
		name = "index.html"
		if content, err = fs.ReadFile(b.deps.UI, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				content = []byte(notBuilt)
			} else {
				b.fail(w, r, err)
				return
			}
		}
	}
	if strings.HasPrefix(name, "assets/") { // the build puts a hash of the content into these names
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	b.send(w, r, http.StatusOK, contentType(name, content), content)
}

// contentType does not ask the system, whose tables differ.
func contentType(name string, content []byte) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".webmanifest", ".map":
		return "application/json; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return http.DetectContentType(bytes.Clone(content[:min(len(content), 512)]))
}

func wrongMethod() *fault.Error {
	return fault.New(fault.Invalid, "This address cannot be used in this way.")
}
