package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
)

// Newcomers is what the API asks of account.Service for those who are not signed in.
type Newcomers interface {
	SignUp(ctx context.Context, c account.Credentials, kept string) (account.Token, error)
	Resend(ctx context.Context, claim string, client netip.Addr) (email string, err error)
	Claim(ctx context.Context, claim string, client netip.Addr, lifetime time.Duration) (in account.SignIn, done bool, err error)
	Forgot(ctx context.Context, email string, client netip.Addr) error
	CanMail() bool
}

// newcomers are the routes for those who are not signed in.
func (a *API) newcomers() []httpmw.Route {
	const mails = "body 16 KiB; same origin; 20 mails by address, then 1 in 1 min, and 5 by recipient, then 1 in 12 min"
	post := func(path, limits string, h http.HandlerFunc) httpmw.Route {
		return httpmw.Route{Pattern: "POST " + path, Audience: httpmw.Everybody, Limits: limits, Handler: a.cross.Handler(h)}
	}
	return []httpmw.Route{
		post("/api/v1/signup", mails+"; hashing bounded", a.signUp),
		post("/api/v1/signup/claim", "body 16 KiB; same origin; 120 by address, then 2 in 1 s", a.claim),
		post("/api/v1/signup/resend", mails, a.resend),
		post("/api/v1/reset", mails, a.reset),
	}
}

// signUp begins a sign-up and answers the claim that goes with it, whatever the address is.
func (a *API) signUp(w http.ResponseWriter, r *http.Request) {
	var body credentials
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	claim, err := a.Accounts.SignUp(r.Context(), a.of(body, r), body.Next)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusAccepted, map[string]string{"claim": claim.Reveal()})
}

type claimBody struct {
	Claim string `json:"claim"`
}

// claim signs in whoever began a sign-up that is confirmed.
func (a *API) claim(w http.ResponseWriter, r *http.Request) {
	var body claimBody
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	in, done, err := a.Accounts.Claim(r.Context(), body.Claim, a.Client(r), account.AppLifetime)
	switch {
	case err != nil:
		a.fail(w, r, err)
	case !done:
		accepted(w)
	default:
		writeSignIn(w, in)
	}
}

// accepted answers that something is under way.
func accepted(w http.ResponseWriter) { writeJSON(w, http.StatusAccepted, struct{}{}) }

func (a *API) resend(w http.ResponseWriter, r *http.Request) {
	var body claimBody
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	if _, err := a.Accounts.Resend(r.Context(), body.Claim, a.Client(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	accepted(w)
}

func (a *API) reset(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email string `json:"email"`
	}
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	if err := a.Accounts.Forgot(r.Context(), body.Email, a.Client(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	accepted(w)
}
