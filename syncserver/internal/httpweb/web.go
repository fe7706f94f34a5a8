package httpweb

import (
	"cmp"
	"context"
	"net/http"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/store"
)

// problem is what was wrong with a form. Field names the input that Message is about, if any.
type problem struct {
	Field, Message, Hint string
}

func problemOf(f *fault.Error) problem {
	return problem{Field: f.Field, Message: f.Message, Hint: f.Hint}
}

// form is what a sign-up or log-in page shows. Next is the page to go on to.
type form struct {
	problem

	Email, Name, Next string
}

// bar is the top of the pages of somebody who is signed in. Here names the part of the site that the page belongs to.
type bar struct {
	Email, Here string
}

// The parts of the site in a bar.
const (
	hereDashboards    = "dashboards"
	hereOrganisations = "organisations"
	hereAccount       = "account"
)

// invited is the start page of somebody whom invitations wait for.
type invited struct {
	Bar         bar
	Invitations []waiting
}

// home is the welcome page. Whoever is signed in goes on to the workspace, after the invitations that wait for them.
func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	me, ok, err := s.who(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if !ok {
		s.page(w, r, http.StatusOK, "welcome.html", nil)
		return
	}
	invitations, err := s.waitingFor(r, me)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(invitations) == 0 {
		seeOther(w, workspace)
		return
	}
	s.page(w, r, http.StatusOK, "home.html", invited{Bar: bar{me.Email, hereDashboards}, Invitations: invitations})
}

// who is signed in; false if nobody is. The error is the store's.
func (s *Site) who(r *http.Request) (account.Identity, bool, error) {
	token := account.Cookie(r, s.secure)
	if token == "" {
		return account.Identity{}, false, nil
	}
	me, err := s.cfg.Accounts.Person(r.Context(), token)
	if k := fault.KindOf(err); k == fault.Unauthenticated || k == fault.Denied {
		return account.Identity{}, false, nil
	}
	return me, err == nil, err //nolint:wrapcheck // answered as it is
}

func (s *Site) logInForm(w http.ResponseWriter, r *http.Request) { s.blank(w, r, "login.html") }

// blank is an empty form, or what comes after it for whoever is signed in already.
func (s *Site) blank(w http.ResponseWriter, r *http.Request, name string) {
	next := account.LocalPath(r.URL.Query().Get("next"))
	if _, ok, err := s.who(r); err == nil && ok {
		seeOther(w, cmp.Or(next, "/"))
		return
	}
	s.page(w, r, http.StatusOK, name, form{Next: next})
}

// logIn reads credentials from a form, and lets whoever they belong to in, with a new session.
func (s *Site) logIn(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	next := account.LocalPath(r.PostForm.Get("next"))
	if f != nil {
		s.again(w, r, "login.html", form{Next: next}, f)
		return
	}
	c := s.credentials(r)
	in, err := s.cfg.Accounts.LogIn(r.Context(), c, account.WebLifetime)
	if err != nil {
		s.again(w, r, "login.html", form{Email: c.Email, Next: next}, err)
		return
	}
	s.enter(w, r, in, next)
}

// credentials are what a form says of who signs up or in.
func (s *Site) credentials(r *http.Request) account.Credentials {
	return account.Credentials{
		Email: r.PostForm.Get("email"), Password: r.PostForm.Get("password"), Name: r.PostForm.Get("name"),
		Client: s.cfg.Clients.Addr(r), Kind: store.KindWeb, Label: account.LabelOf(r),
	}
}

// enter gives a browser its session and goes on to next, or to the start page.
func (s *Site) enter(w http.ResponseWriter, r *http.Request, in account.SignIn, next string) {
	// A session that was there before belongs to somebody else, or is left over: it does not stay valid beside the new one.
	s.endSession(r)
	http.SetCookie(w, account.NewCookie(in, s.secure))
	seeOther(w, cmp.Or(next, "/"))
}

// again shows a form with what is wrong in it; a password is never sent back.
func (s *Site) again(w http.ResponseWriter, r *http.Request, name string, shown form, err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		s.fail(w, r, err)
		return
	}
	httpapi.RetryAfter(w.Header(), f)
	if len(shown.Email) > sharing.MaxEmail {
		shown.Email = ""
	}
	shown.problem = problemOf(f)
	s.page(w, r, httpapi.Status(f.Kind), name, shown)
}

func (s *Site) logOut(w http.ResponseWriter, r *http.Request) {
	_ = readForm(w, r) // one that cannot be read names no page to go on to
	s.endSession(r)
	http.SetCookie(w, account.NoCookie(s.secure))
	seeOther(w, cmp.Or(account.LocalPath(r.PostForm.Get("next")), "/"))
}

func (s *Site) endSession(r *http.Request) {
	token := account.Cookie(r, s.secure)
	if token == "" {
		return
	}
	ctx := context.WithoutCancel(r.Context())
	if err := s.cfg.Accounts.LogOut(ctx, token); err != nil {
		s.cfg.Logger.ErrorContext(ctx, "session could not be ended", "error", err)
	}
}
