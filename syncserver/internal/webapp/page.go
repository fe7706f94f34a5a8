package webapp

import (
	"net/http"
	"net/url"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/render"
)

// policy lets the page load and reach nothing but this server: no inline script or style, no form, no frame but the preview,
// and no page that frames it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// The preview is an empty page of the same origin. The share dialog frames it and draws in it, from outside, what a page
// that embeds the dashboard will show. It runs no script of its own and reaches nothing.
const (
	previewPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
	previewPage = `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Preview</title></head><body></body></html>`
)

func preview(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", previewPolicy)
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	send(w, "text/html; charset=utf-8", []byte(previewPage))
}

// page is the workspace's page, whatever of it the address names, for whoever is signed in; others are sent to log in and
// come back.
func (s *Service) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This address takes no such request.", http.StatusMethodNotAllowed)
		return
	}
	_, err := s.who(r)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.EscapedPath()), http.StatusSeeOther)
		return
	case err == nil && s.cfg.Page == nil:
		err = render.ErrNotBuilt
		fallthrough
	case err != nil:
		s.cfg.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	send(w, "text/html; charset=utf-8", s.cfg.Page)
}
