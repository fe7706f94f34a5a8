package httpweb

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/unlock"
)

// sessionProtocol begins the subprotocol in which a page's own script shows its session.
const sessionProtocol = "session."

// unlock takes the password of a link. A form is answered by a redirection to the page or by the prompt again, a script
// that accepts JSON by the session, which it may have to show by itself. A link that does not work looks as ever.
func (s *Site) unlock(w http.ResponseWriter, r *http.Request) {
	t := sharing.Token(r.PathValue("token"))
	f := readForm(w, r)
	in, err := s.cfg.Locks.Try(r.Context(), t, r.PostForm.Get("password"), s.cfg.Clients.Addr(r))
	if f != nil && fault.KindOf(err) == fault.Invalid {
		err = f
	}
	if err == nil && in.Secret != "" {
		http.SetCookie(w, s.sessionCookie(t, in))
	}
	switch {
	case acceptsJSON(r):
		s.unlockJSON(w, r, in, err)
	case err != nil:
		s.turnAway(w, r, t, err, fault.From(err))
	default:
		seeOther(w, sharePage(r, t))
	}
}

func acceptsJSON(r *http.Request) bool {
	return strings.Contains(strings.Join(r.Header["Accept"], ","), "application/json")
}

func (s *Site) unlockJSON(w http.ResponseWriter, r *http.Request, in unlock.Session, err error) {
	status, body := http.StatusOK, map[string]any{"session": in.Secret.Reveal(), "expires": in.Expires}
	if err != nil {
		if r.Context().Err() != nil {
			return // nobody is there to read it
		}
		f := fault.From(err)
		status, body = httpapi.Status(f.Kind), map[string]any{"error": f}
		httpapi.RetryAfter(w.Header(), f)
		if f.Kind == fault.Internal {
			s.cfg.Logger.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone; there is nobody to tell
}

// readForm reads a form of at most maxForm bytes. Where it cannot, the form is empty.
func readForm(w http.ResponseWriter, r *http.Request) *fault.Error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	query := r.URL.RawQuery
	r.URL.RawQuery = "" // which is not the form's, and may be nonsense
	err := r.ParseForm()
	r.URL.RawQuery = query
	if err == nil {
		return nil
	}
	if r.PostForm == nil {
		r.PostForm = url.Values{}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "What was entered is too long.")
	}
	return fault.New(fault.Invalid, "This form could not be read.").WithHint("Open the page anew and try again.")
}

// sharePage is the address of the page of t with the query of r.
func sharePage(r *http.Request, t sharing.Token) string {
	return (&url.URL{Path: "/share/" + t.Reveal(), RawQuery: r.URL.RawQuery}).String()
}

func seeOther(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
}

// prompt is the page that asks for a link's password. It holds nothing of the dashboard, not even its theme (rule P1).
type prompt struct {
	Action  string
	Theme   board.Theme
	Fixed   bool
	Embed   bool
	Still   bool
	Message string
	CSS     template.CSS
	Script  string
}

// tryAgain are the kinds of failed attempts after which the prompt is shown again.
//
//nolint:gochecknoglobals // a constant
var tryAgain = []fault.Kind{fault.Unauthenticated, fault.Invalid, fault.TooLarge, fault.Busy}

// turnAway answers whoever may not see the page of t, for the reason err: where a password would help, with the prompt, in
// which f, if any, says what was wrong with the last attempt.
func (s *Site) turnAway(w http.ResponseWriter, r *http.Request, t sharing.Token, err error, f *fault.Error) {
	status := http.StatusUnauthorized
	if f != nil && slices.Contains(tryAgain, f.Kind) {
		status = httpapi.Status(f.Kind)
		httpapi.RetryAfter(w.Header(), f)
		_, err = s.cfg.Pages.Document(r.Context(), t, page.Proof{}, options(r)) // is it still locked, and who may frame it
	}
	locked, ok := errors.AsType[*access.LockedError](err)
	switch {
	case err == nil:
		seeOther(w, sharePage(r, t)) // it was unlocked for all meanwhile
		return
	case !ok:
		s.refuse(w, r, err)
		return
	}
	o := options(r)
	bundle := s.cfg.Assets.Bundle()
	p := prompt{
		Action: sharePage(r, t), Theme: o.Theme, Fixed: o.Theme != "", Embed: o.Embed, Still: o.Still,
		CSS: template.CSS(bundle.CSS), Script: bundle.ScriptURL, //nolint:gosec // made by our bundle
	}
	if p.Theme == "" {
		p.Theme = board.ThemeSystem
	}
	if f != nil {
		p.Message = strings.TrimSpace(f.Message + " " + f.Hint)
	}
	if page := s.draw(w, r, status, "prompt.html", p); page != nil {
		page.policy, page.framed = []string{s.cfg.Pages.PromptPolicy(locked.Origins)}, true
		page.ServeHTTP(w, r)
	}
}

// sessionCookie holds a session of a link. It is sent to that link's addresses alone, and in frames of other sites too, if
// they are reached by https: then it belongs to the site that frames (CHIPS), which no browser keeps it from.
func (s *Site) sessionCookie(t sharing.Token, in unlock.Session) *http.Cookie {
	c := &http.Cookie{
		Name: s.cookieName(), Value: in.Secret.Reveal(), Path: "/share/" + t.Reveal(),
		MaxAge: int(unlock.Lifetime / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if s.secure {
		c.Secure, c.Partitioned, c.SameSite = true, true, http.SameSiteNoneMode
	}
	return c
}

func (s *Site) cookieName() string {
	if s.secure {
		return "__Secure-widgets-unlocked"
	}
	return "widgets-unlocked"
}

// proof is what the cookies of a request prove about t. A browser may send several of the name, from when it was framed and
// when not.
func (s *Site) proof(r *http.Request, t sharing.Token) (p page.Proof) {
	if len(r.Header["Cookie"]) == 0 {
		return p
	}
	for _, c := range r.CookiesNamed(s.cookieName()) {
		p = later(p, s.cfg.Locks.Verify(r.Context(), t, c.Value))
	}
	return p
}

// liveProof is proof for a websocket, whose script may show its session as a subprotocol.
func (s *Site) liveProof(r *http.Request, t sharing.Token) page.Proof {
	p := s.proof(r, t)
	for _, line := range r.Header["Sec-Websocket-Protocol"] {
		for _, name := range strings.Split(line, ",") { //nolint:modernize // an iterator's closure hides the context from the linter
			if secret, ok := strings.CutPrefix(strings.TrimSpace(name), sessionProtocol); ok {
				p = later(p, s.cfg.Locks.Verify(r.Context(), t, secret))
			}
		}
	}
	return p
}

// later is the one of two proofs that is worth more.
func later(a, b page.Proof) page.Proof {
	if b.Revision > a.Revision || b.Revision == a.Revision && b.Until > a.Until {
		return b
	}
	return a
}
