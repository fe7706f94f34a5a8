package httpweb

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"widgets.pro/shared/board"
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
	Later                bool // it is only for now
	Look                 look
}

// look is how a page is to be shown, as far as its address tells: parameters of share pages count for their refusals too.
type look struct {
	Theme board.Theme // "" is the system's
	Embed bool
}

func lookOf(r *http.Request) look {
	o := options(r)
	if o.Theme == board.ThemeSystem {
		o.Theme = ""
	}
	return look{Theme: o.Theme, Embed: o.Embed}
}

// looks lists every look there is.
func looks() (all []look) {
	for _, t := range []board.Theme{"", board.ThemeLight, board.ThemeDark} {
		all = append(all, look{t, false}, look{t, true})
	}
	return all
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

// refuse answers a request of a link's holder that failed, with a page that may be framed as the dashboard may: it holds
// nothing of it (rule E5).
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if fault.KindOf(err) == fault.NotFound {
		s.gone(w, r)
		return
	}
	page, status, ok := s.failed(w, r, err)
	if !ok {
		return
	}
	page.Home, page.Look = false, lookOf(r)
	if f := s.draw(w, r, status, "refusal.html", page); f != nil {
		f.policy, f.framed = s.framed, true
		f.ServeHTTP(w, r)
	}
}

// gone answers for every link that does not work, whatever the reason (rule A5).
func (s *Site) gone(w http.ResponseWriter, r *http.Request) { s.unavailable[lookOf(r)].ServeHTTP(w, r) }

// Fail answers a request that failed with err, for pages that other packages serve.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) }

// fail answers any other request that failed.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if page, status, ok := s.failed(w, r, err); ok {
		s.page(w, r, status, "refusal.html", page)
	}
}

// failed says what to answer to a request that failed, and sets the headers for it; false if there is nobody to read it. It
// logs what somebody must act on.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, err error) (page refusal, status int, ok bool) {
	f := fault.From(err)
	status = httpapi.Status(f.Kind)
	page = refusal{Title: "That did not work", Message: f.Message, Hint: f.Hint, Home: true}
	switch {
	case r.Context().Err() != nil:
		return page, status, false
	case errors.Is(err, render.ErrNotBuilt):
		page = refusal{
			Title:   "This server is not complete",
			Message: "It was built without its front end, so it cannot draw dashboards.",
			Hint:    "If it is yours: build it with “make build”.",
		}
	case f.Kind == fault.Unavailable:
		page.Title, page.Later = "Back in a moment", true
		if page.Hint == "" {
			page.Hint = "Leave this page open: it tries again by itself."
		}
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Refresh", "5")
	case f.Kind == fault.Busy:
		page.Title, page.Later = "A little too much at once", true
		w.Header().Set("Retry-After", "5")
		httpapi.RetryAfter(w.Header(), f)
	}
	if status == http.StatusInternalServerError {
		page.RequestID = httpmw.RequestID(w)
		s.cfg.Logger.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "request_id", page.RequestID, "error", err)
	}
	return page, status, true
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

// page writes one of the site's own pages. Their addresses stay on the site as those of share pages do, but are told to the
// site itself: without that a browser sends their forms with an origin of "null", which is all there is to tell them from
// another site's where it sends no Sec-Fetch-Site, as over plain http. Refusals have no form, and may stand at the address of
// a link (rule L6).
func (s *Site) page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	if f := s.draw(w, r, status, name, data); f != nil {
		if name != "refusal.html" {
			w.Header()["Referrer-Policy"] = ownReferrer
		}
		f.ServeHTTP(w, r)
	}
}

// draw makes one of the site's pages, or answers that it could not and returns nil.
func (s *Site) draw(w http.ResponseWriter, r *http.Request, status int, name string, data any) *fixed {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		s.cfg.Logger.ErrorContext(r.Context(), "page could not be written", "page", name, "error", err)
		http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
		return nil
	}
	return &fixed{status: status, body: b.Bytes(), length: []string{strconv.Itoa(b.Len())}, policy: s.policy}
}

// fixed is an answer that is always the same. One that is framed may stand in frames, as its policy says.
type fixed struct {
	status         int
	body           []byte
	length, policy []string
	framed         bool
}

func (s *Site) fix(status int, page refusal) (*fixed, error) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, "refusal.html", page); err != nil {
		return nil, fmt.Errorf("write a refusal: %w", err)
	}
	return &fixed{status: status, body: b.Bytes(), length: []string{strconv.Itoa(b.Len())}, policy: s.policy}, nil
}

//nolint:gochecknoglobals // shared header values, never written to
var (
	htmlType    = []string{"text/html; charset=utf-8"}
	ownReferrer = []string{"same-origin"}
)

func (f *fixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Content-Length"], h["Content-Security-Policy"] = htmlType, f.length, f.policy
	if f.framed {
		delete(h, "X-Frame-Options")
		delete(h, "Cross-Origin-Opener-Policy")
		h["Cross-Origin-Resource-Policy"] = crossSite
	}
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) //nolint:gosec // made by html/template; a client that went away is no failure
	}
}
