package httpweb

import (
	"net/http"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
)

// settings are the routes of one's own account.
func (s *Site) settings(form func(http.HandlerFunc) http.Handler) []httpmw.Route {
	const (
		changes = "body 16 KiB; same origin; 60 changes by account, then 1 in 10 s"
		proved  = "body 16 KiB; same origin; within the limits of POST /login; hashing bounded"
		mails   = "; 20 mails by address, then 1 in 1 min, and 5 by recipient, then 1 in 12 min"
	)
	get := func(path string, h signedIn) httpmw.Route {
		return httpmw.Route{Pattern: "GET " + path, Audience: httpmw.SignedIn, Handler: s.person(h)}
	}
	post := func(path, limits string, h signedIn) httpmw.Route {
		return httpmw.Route{Pattern: "POST " + path, Audience: httpmw.SignedIn, Handler: form(s.person(h)), Limits: limits}
	}
	return []httpmw.Route{
		get("/account", s.account),
		post("/account/name", changes, s.rename),
		post("/account/address", proved+mails, s.changeAddress),
		post("/account/verify", changes+mails, s.sendVerification),
		post("/account/password", proved, s.changePassword),
		post("/account/sessions", changes, s.endSessions),
		post("/account/tokens", changes+"; 20 tokens by account", s.createToken),
		post("/account/tokens/revoke", changes, s.revokeToken),
		get("/account/delete", s.farewell),
		post("/account/delete", proved, s.deleteAccount),
	}
}

// signedIn answers a request of somebody who is signed in.
type signedIn func(w http.ResponseWriter, r *http.Request, me account.Identity)

// person finds who sends a request. Nobody is sent to log in, and back to the account from there.
func (s *Site) person(next signedIn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		me, ok, err := s.who(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case !ok:
			seeOther(w, "/login?next=%2Faccount")
		default:
			next(w, r, me)
		}
	}
}

// The parts of the account page, by the ids of their headings.
const (
	partName     = "name"
	partAddress  = "address"
	partPassword = "password"
	partSessions = "sessions"
	partTokens   = "tokens"
)

// accountPage is the page of one's account. Part is where the problem belongs, or what was done.
type accountPage struct {
	problem

	Bar      bar
	Part     string
	Done     string
	Profile  account.Profile
	Devices  []deviceLine
	Others   bool
	Tokens   []tokenLine
	Typed    typed
	Scopes   []scopeLine
	Secret   string
	Mailbox  string
	CanMail  bool
	Lifespan []lifespan
}

// typed is what somebody entered into a form that was not accepted. Secrets are never among it.
type typed struct {
	Name, Email, Token, Date string
}

// done are the sentences after a change, by what the address says was done.
//
//nolint:gochecknoglobals // a constant
var done = map[string][2]string{
	"name":     {partName, "Your name is changed."},
	"mail":     {partAddress, "A mail with a link is on its way. Nothing changes until you open it."},
	"password": {partPassword, "Your password is changed, and every other device has been signed out."},
	"session":  {partSessions, "It has been signed out."},
	"others":   {partSessions, "You are signed out everywhere else."},
	"revoked":  {partTokens, "The token does not work any more."},
}

func (s *Site) account(w http.ResponseWriter, r *http.Request, me account.Identity) {
	p := accountPage{}
	if said, ok := done[r.URL.Query().Get("done")]; ok {
		p.Part, p.Done = said[0], said[1]
	}
	s.showAccount(w, r, me, http.StatusOK, p)
}

// showAccount fills in what the page always shows.
func (s *Site) showAccount(w http.ResponseWriter, r *http.Request, me account.Identity, status int, p accountPage) {
	ctx := r.Context()
	var err error
	if p.Profile, err = s.cfg.Accounts.Profile(ctx, me); err != nil {
		s.fail(w, r, err)
		return
	}
	devices, err := s.cfg.Accounts.Sessions(ctx, me)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	tokens, err := s.cfg.Accounts.Tokens(ctx, me)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := s.cfg.Now()
	for _, d := range devices {
		p.Devices = append(p.Devices, deviceOf(d, now))
		p.Others = p.Others || !d.This
	}
	for _, t := range tokens {
		p.Tokens = append(p.Tokens, tokenOf(t, now))
	}
	if p.Scopes == nil {
		p.Scopes = scopes(nil)
	}
	if p.Lifespan == nil {
		p.Lifespan = lifespans("")
	}
	p.Bar, p.Mailbox, p.CanMail = bar{me.Email, hereAccount}, s.cfg.MailboxURL, s.cfg.Accounts.CanMail()
	s.page(w, r, status, "account.html", p)
}

// changed goes back to the page after a change, or shows what was wrong with the form of a part.
func (s *Site) changed(w http.ResponseWriter, r *http.Request, me account.Identity, what string, err error, p accountPage) {
	if err == nil {
		seeOther(w, "/account?done="+what+"#"+done[what][0])
		return
	}
	f := fault.From(err)
	switch f.Kind {
	case fault.Internal:
		s.fail(w, r, err)
	case fault.Unauthenticated: // it ended meanwhile
		seeOther(w, "/login?next=%2Faccount")
	case fault.NotFound, fault.Denied, fault.Conflict, fault.Invalid, fault.TooLarge, fault.Busy, fault.Outdated, fault.Unavailable:
		httpapi.RetryAfter(w.Header(), f)
		p.problem = problemOf(f)
		s.showAccount(w, r, me, httpapi.Status(f.Kind), p)
	}
}

// entered reads the form of a part and does what it asks for.
func (s *Site) entered(w http.ResponseWriter, r *http.Request, me account.Identity, what string, p accountPage, do func(field func(string) string) error) {
	var err error
	if f := readForm(w, r); f != nil {
		err = f
	} else {
		err = do(r.PostForm.Get)
	}
	p.Typed = typed{Name: r.PostForm.Get("name"), Email: r.PostForm.Get("email")}
	s.changed(w, r, me, what, err, p)
}

func (s *Site) rename(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.entered(w, r, me, "name", accountPage{Part: partName}, func(field func(string) string) error {
		return s.cfg.Accounts.Rename(r.Context(), me, field("name"))
	})
}

func (s *Site) changeAddress(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.entered(w, r, me, "mail", accountPage{Part: partAddress}, func(field func(string) string) error {
		return s.cfg.Accounts.ChangeAddress(r.Context(), me, field("email"), field("password"), s.cfg.Clients.Addr(r))
	})
}

func (s *Site) sendVerification(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.entered(w, r, me, "mail", accountPage{Part: partAddress}, func(func(string) string) error {
		return s.cfg.Accounts.SendVerification(r.Context(), me, s.cfg.Clients.Addr(r))
	})
}

func (s *Site) changePassword(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.entered(w, r, me, "password", accountPage{Part: partPassword}, func(field func(string) string) error {
		return s.cfg.Accounts.ChangePassword(r.Context(), me, field("present"), field("password"), s.cfg.Clients.Addr(r))
	})
}
