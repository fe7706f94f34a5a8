package httpweb

import (
	"context"
	"net/http"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
)

// form is what a sign-up or log-in page shows. Field names the input that Message is about, if any.
type form struct {
	Email, Field, Message, Hint string
}

// list is what the page of a signed-in visitor shows.
type list struct {
	Email      string
	Dashboards []line
	// Invitations are those that wait for the account.
	Invitations []waiting
}

type line struct {
	Title, State, URL, Short, Role string
	Live                           bool
}

// home is the welcome page, or the list of dashboards of whoever is signed in.
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
	boards, err := s.cfg.Core.Dashboards(r.Context(), me.Account)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	l := list{Email: me.Email, Dashboards: make([]line, 0, len(boards))}
	if l.Invitations, err = s.waitingFor(r, me); err != nil {
		s.fail(w, r, err)
		return
	}
	for _, b := range boards {
		l.Dashboards = append(l.Dashboards, s.line(b))
	}
	s.page(w, r, http.StatusOK, "home.html", l)
}

func (s *Site) line(b Dashboard) line {
	l := line{Title: b.Title, Role: string(b.Role), State: "Private"}
	if strings.TrimSpace(b.Title) == "" {
		l.Title = "Untitled dashboard"
	}
	if b.Trashed {
		l.State = "In the trash"
		return l
	}
	switch b.Link.Mode(s.cfg.Now().UnixMilli()) {
	case sharing.Private:
		return l
	case sharing.Public:
		l.State = "Public link"
	case sharing.Password:
		l.State = "Password link"
	}
	l.Live = true
	l.URL, l.Short = b.Link.Token.URL(s.cfg.Base), b.Link.ShortID.URL(s.cfg.Base)
	if b.Link.Slug != "" {
		l.Short = b.Link.Slug.URL(s.cfg.Base)
	}
	return l
}

// who is signed in; false if nobody is. The error is the store's.
func (s *Site) who(r *http.Request) (account.Identity, bool, error) {
	token := account.Cookie(r, s.secure)
	if token == "" {
		return account.Identity{}, false, nil
	}
	me, err := s.cfg.Accounts.Authenticate(r.Context(), token)
	if fault.KindOf(err) == fault.Unauthenticated {
		return account.Identity{}, false, nil
	}
	return me, err == nil, err //nolint:wrapcheck // answered as it is
}

func (s *Site) signUpForm(w http.ResponseWriter, r *http.Request) { s.blank(w, r, "signup.html") }

func (s *Site) logInForm(w http.ResponseWriter, r *http.Request) { s.blank(w, r, "login.html") }

func (s *Site) blank(w http.ResponseWriter, r *http.Request, name string) {
	if _, ok, err := s.who(r); err == nil && ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.page(w, r, http.StatusOK, name, form{})
}

func (s *Site) signUp(w http.ResponseWriter, r *http.Request) {
	s.enter(w, r, "signup.html", s.cfg.Accounts.SignUp)
}

func (s *Site) logIn(w http.ResponseWriter, r *http.Request) {
	s.enter(w, r, "login.html", s.cfg.Accounts.LogIn)
}

type signIn func(context.Context, account.Credentials, time.Duration) (account.SignIn, error)

// enter reads credentials from a form, and lets whoever they belong to in, with a new session.
func (s *Site) enter(w http.ResponseWriter, r *http.Request, name string, try signIn) {
	if f := readForm(w, r); f != nil {
		s.again(w, r, name, "", f)
		return
	}
	c := account.Credentials{Email: r.PostForm.Get("email"), Password: r.PostForm.Get("password"), Client: s.cfg.Clients.Addr(r)}
	in, err := try(r.Context(), c, account.WebLifetime)
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			s.fail(w, r, err)
			return
		}
		s.again(w, r, name, c.Email, err)
		return
	}
	// A session that was there before belongs to somebody else, or is left over: it does not stay valid beside the new one.
	s.endSession(r)
	http.SetCookie(w, account.NewCookie(in, s.secure))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// again shows a form with what is wrong in it; a password is never sent back.
func (s *Site) again(w http.ResponseWriter, r *http.Request, name, email string, err error) {
	f := fault.From(err)
	httpapi.RetryAfter(w.Header(), f)
	if len(email) > sharing.MaxEmail {
		email = ""
	}
	s.page(w, r, httpapi.Status(f.Kind), name, form{Email: email, Field: f.Field, Message: f.Message, Hint: f.Hint})
}

func (s *Site) logOut(w http.ResponseWriter, r *http.Request) {
	s.endSession(r)
	http.SetCookie(w, account.NoCookie(s.secure))
	http.Redirect(w, r, "/", http.StatusSeeOther)
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
