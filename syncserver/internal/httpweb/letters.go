package httpweb

import (
	"net/http"
	"net/url"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
)

// letters are the routes that send mails to those who are not signed in, and those that mails lead to. What a mail leads to
// changes nothing by being opened, since mail scanners open links: only its button does.
func (s *Site) letters(form func(http.HandlerFunc) http.Handler) []httpmw.Route {
	const (
		mails  = "body 16 KiB; same origin; 20 mails by address, then 1 in 1 min, and 5 by recipient, then 1 in 12 min"
		opened = "body 16 KiB; same origin; 60 by address, then 1 in 5 s"
	)
	get := func(path string, h http.HandlerFunc) httpmw.Route {
		return httpmw.Route{Pattern: "GET " + path, Audience: httpmw.Everybody, Handler: h}
	}
	post := func(path, limits string, h http.HandlerFunc) httpmw.Route {
		return httpmw.Route{Pattern: "POST " + path, Audience: httpmw.Everybody, Handler: form(h), Limits: limits}
	}
	return []httpmw.Route{
		get("/signup", s.signUpForm),
		post("/signup", mails+"; hashing bounded", s.signUp),
		post("/signup/resend", mails, s.resend),
		get("/confirm/{ticket}", s.confirmForm),
		post("/confirm/{ticket}", opened+"; hashing bounded", s.confirm),
		get("/forgot", func(w http.ResponseWriter, r *http.Request) { s.blank(w, r, "forgot.html") }),
		post("/forgot", mails, s.forgot),
		get("/reset/{ticket}", s.resetForm),
		post("/reset/{ticket}", opened+"; hashing bounded", s.reset),
		get("/verify/{ticket}", s.verifyForm),
		post("/verify/{ticket}", opened, s.verify),
	}
}

// notice is a page that says one thing and offers one way on.
type notice struct {
	Title, Message, Hint string
	URL, Action          string
}

// sent is the page after a mail went out.
type sent struct {
	Email, Claim, Next, Mailbox string
	// Again says that it went out once more.
	Again bool
	// Reset says that it is about another password rather than a new account.
	Reset bool
}

// asked is the page that a mail leads to, with its button.
type asked struct {
	problem
	account.Verification

	// Me is the address of whoever is signed in, "" if nobody is; Mine says that the account is theirs, and LogIn is where to
	// log in and come back otherwise.
	Me    string
	Mine  bool
	LogIn string
}

// over answers for a mail's link that failed: with a page that says why and what to do, or as any request that failed.
func (s *Site) over(w http.ResponseWriter, r *http.Request, err error, url, action string) {
	f := fault.From(err)
	if f.Kind != fault.NotFound && f.Kind != fault.Conflict {
		s.fail(w, r, err)
		return
	}
	s.page(w, r, httpapi.Status(f.Kind), "notice.html", notice{Title: f.Message, Message: f.Hint, URL: url, Action: action})
}

// confirming is the page that the mail of a sign-up leads to.
type confirming struct {
	problem

	Email string
	// Began says that this browser began the sign-up, which then asks for nothing; Anew that another password was chosen, with
	// Name, and that the problem is about that.
	Began, Anew bool
	Name        string
}

func (s *Site) confirmForm(w http.ResponseWriter, r *http.Request) {
	s.showConfirm(w, r, http.StatusOK, confirming{})
}

// showConfirm shows the page, which asks the less the more is known of who opens it.
func (s *Site) showConfirm(w http.ResponseWriter, r *http.Request, status int, p confirming) {
	var err error
	p.Email, p.Began, err = s.cfg.Accounts.Confirmable(r.Context(), r.PathValue("ticket"), account.ClaimCookie(r, s.secure))
	if err != nil {
		s.over(w, r, err, "/login", "Log in")
		return
	}
	s.page(w, r, status, "confirm.html", p)
}

// confirm makes the account and signs this browser in.
func (s *Site) confirm(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	c, anew := s.credentials(r), r.PostForm.Has("anew")
	var in account.SignIn
	var kept string
	if f == nil {
		var err error
		in, kept, err = s.cfg.Accounts.Confirm(r.Context(), r.PathValue("ticket"), c, account.Confirmation{
			Claim: account.ClaimCookie(r, s.secure), Anew: anew,
		}, account.WebLifetime)
		if err == nil {
			http.SetCookie(w, account.NoClaimCookie(s.secure))
			s.enter(w, r, in, kept)
			return
		}
		f = fault.From(err)
	}
	if f.Kind != fault.Invalid && f.Kind != fault.TooLarge {
		s.over(w, r, f, "/login", "Log in")
		return
	}
	p := confirming{problem: problemOf(f), Anew: anew}
	if f.Field != "name" {
		p.Name = c.Name
	}
	s.showConfirm(w, r, httpapi.Status(f.Kind), p)
}

func (s *Site) forgot(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	shown := form{Email: r.PostForm.Get("email")}
	if f != nil {
		s.again(w, r, "forgot.html", shown, f)
		return
	}
	if err := s.cfg.Accounts.Forgot(r.Context(), shown.Email, s.cfg.Clients.Addr(r)); err != nil {
		s.again(w, r, "forgot.html", shown, err)
		return
	}
	s.page(w, r, http.StatusOK, "sent.html", sent{Email: shown.Email, Mailbox: s.cfg.MailboxURL, Reset: true})
}

func (s *Site) resetForm(w http.ResponseWriter, r *http.Request) {
	email, err := s.cfg.Accounts.Resettable(r.Context(), r.PathValue("ticket"))
	if err != nil {
		s.over(w, r, err, "/forgot", "Ask for a new link")
		return
	}
	s.page(w, r, http.StatusOK, "reset.html", asked{Verification: account.Verification{Email: email}})
}

func (s *Site) reset(w http.ResponseWriter, r *http.Request) {
	ticket := r.PathValue("ticket")
	var err error
	if f := readForm(w, r); f != nil {
		err = f
	} else {
		err = s.cfg.Accounts.Reset(r.Context(), ticket, r.PostForm.Get("password"), s.cfg.Clients.Addr(r))
	}
	f := fault.From(err)
	switch {
	case err == nil:
		http.SetCookie(w, account.NoCookie(s.secure))
		s.page(w, r, http.StatusOK, "notice.html", notice{
			Title: "Your password is changed", Message: "Every device and program that was signed in to your account has been signed out.",
			URL: "/login", Action: "Log in",
		})
	case f.Kind == fault.Invalid || f.Kind == fault.TooLarge:
		email, gone := s.cfg.Accounts.Resettable(r.Context(), ticket)
		if gone != nil {
			s.over(w, r, gone, "/forgot", "Ask for a new link")
			return
		}
		s.page(w, r, httpapi.Status(f.Kind), "reset.html", asked{problem: problemOf(f), Verification: account.Verification{Email: email}})
	default:
		s.over(w, r, err, "/forgot", "Ask for a new link")
	}
}

func (s *Site) verifyForm(w http.ResponseWriter, r *http.Request) {
	v, err := s.cfg.Accounts.Verifiable(r.Context(), r.PathValue("ticket"))
	if err != nil {
		s.over(w, r, err, "/account", "To your account")
		return
	}
	me, ok, err := s.who(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := asked{Verification: v, LogIn: "/login?" + url.Values{"next": {"/verify/" + r.PathValue("ticket")}}.Encode()}
	if ok {
		p.Me, p.Mine = me.Email, me.Account == v.Account
	}
	s.page(w, r, http.StatusOK, "verify.html", p)
}

func (s *Site) verify(w http.ResponseWriter, r *http.Request) {
	me, _, err := s.who(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v, err := s.cfg.Accounts.Verify(r.Context(), r.PathValue("ticket"), me.Account, s.cfg.Clients.Addr(r))
	if fault.KindOf(err) == fault.Denied { // somebody else is signed in by now, or nobody
		seeOther(w, "/verify/"+r.PathValue("ticket"))
		return
	}
	if err != nil {
		s.over(w, r, err, "/account", "To your account")
		return
	}
	n := notice{Title: "Your address is confirmed", Message: v.Email + " belongs to your account.", URL: "/account", Action: "To your account"}
	if v.Change {
		n.Message = v.Email + " is the address of your account from now on. Log in with it."
	}
	s.page(w, r, http.StatusOK, "notice.html", n)
}
