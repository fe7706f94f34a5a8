package httpweb

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/render"
)

// refusal is a page that says why there is nothing else to see.
type refusal struct {
	Title, Message, Hint string
	RequestID            string
	Home                 bool // offer the way to the start page
}

// Refusals that are always the same, byte for byte. A link that does not work says nothing about why (rule A5).
//
//nolint:gochecknoglobals // constants
var (
	unavailable = refusal{
		Title:   "This link does not work",
		Message: "There is no dashboard to see here.",
		Hint:    "The link may have been mistyped, switched off or replaced. Ask whoever sent it to you for the present one.",
	}
	notFound = refusal{
		Title:   "There is nothing here",
		Message: "This address leads nowhere.",
		Hint:    "It may have been mistyped, or be out of date.",
		Home:    true,
	}
)

// refuse answers a request of a link's holder that failed. It logs what somebody must act on.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	k := fault.KindOf(err)
	if k == fault.NotFound {
		s.unavailable.ServeHTTP(w, r)
		return
	}
	s.fail(w, r, err)
}

// fail answers any request that failed.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	status := httpapi.Status(f.Kind)
	page := refusal{Title: "That did not work", Message: f.Message, Hint: f.Hint, Home: true}
	switch {
	case r.Context().Err() != nil:
		return // nobody is there to read it
	case errors.Is(err, render.ErrNotBuilt):
		page = refusal{
			Title:   "This server is not complete",
			Message: "It was built without its front end, so it cannot draw dashboards.",
			Hint:    "If it is yours: build it with “make build”.",
		}
	case f.Kind == fault.Unavailable:
		page.Title = "Back in a moment"
		w.Header().Set("Retry-After", "5")
	case f.Kind == fault.Busy:
		page.Title = "A little too much at once"
		w.Header().Set("Retry-After", "5")
		httpapi.RetryAfter(w.Header(), f)
	}
	if status == http.StatusInternalServerError {
		page.RequestID = httpmw.RequestID(w)
		s.cfg.Logger.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "request_id", page.RequestID, "error", err)
	}
	s.page(w, r, status, "refusal.html", page)
}

// Panicked answers a request whose handler panicked; see httpmw.Options.
func (s *Site) Panicked() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, http.StatusInternalServerError, "refusal.html", refusal{
			Title: "Something went wrong on our side", Message: "Nothing was changed.", Hint: "Try again in a moment.",
			RequestID: httpmw.RequestID(w), Home: true,
		})
	})
}

// crossOrigin answers a form that another site had somebody's browser send.
func (s *Site) crossOrigin(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, http.StatusForbidden, "refusal.html", refusal{
		Title: "Sent from elsewhere", Message: "This form was not sent from this site, so nothing was done.", Hint: "Open the page anew and send it again.", Home: true,
	})
}

// page writes one of the site's own pages.
func (s *Site) page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		s.cfg.Logger.ErrorContext(r.Context(), "page could not be written", "page", name, "error", err)
		http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
		return
	}
	(&fixed{status: status, body: b.Bytes(), length: []string{strconv.Itoa(b.Len())}, policy: s.policy}).ServeHTTP(w, r)
}

// fixed is an answer that is always the same.
type fixed struct {
	status         int
	body           []byte
	length, policy []string
}

func (s *Site) fix(status int, page refusal) (*fixed, error) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, "refusal.html", page); err != nil {
		return nil, fmt.Errorf("write a refusal: %w", err)
	}
	return &fixed{status: status, body: b.Bytes(), length: []string{strconv.Itoa(b.Len())}, policy: s.policy}, nil
}

//nolint:gochecknoglobals // a shared header value, never written to
var htmlType = []string{"text/html; charset=utf-8"}

func (f *fixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Content-Length"], h["Content-Security-Policy"] = htmlType, f.length, f.policy
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) // a client that went away is no failure
	}
}
