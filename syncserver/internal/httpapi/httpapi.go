// Package httpapi answers JSON requests: those of the app, which signs up, in and out, and those of programs, which list
// dashboards, push rows and change links.
//
// Failures are {"error": fault}. openapi.json describes every request. Start reading at API.Routes for the app, and at
// Programs.Routes for programs.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
)

// maxBody is the size in bytes of the largest body: an address and a password with every character escaped.
const maxBody = 16 << 10

// Product is what a server calls itself, so that an app can tell that it speaks to one.
const Product = "widgets.pro"

// Accounts is what the API asks of account.Service.
type Accounts interface {
	SignUp(ctx context.Context, c account.Credentials, lifetime time.Duration) (account.SignIn, error)
	LogIn(ctx context.Context, c account.Credentials, lifetime time.Duration) (account.SignIn, error)
	LogOut(ctx context.Context, token string) error
}

// API answers the requests. Use New.
type API struct {
	accounts Accounts
	base     string
	client   func(*http.Request) netip.Addr
	log      *slog.Logger
	cross    *http.CrossOriginProtection
}

// New makes an API. base is the public base URL; client tells the address from which a request came.
func New(accounts Accounts, base string, client func(*http.Request) netip.Addr, log *slog.Logger) *API {
	return &API{accounts: accounts, base: base, client: client, log: log, cross: sameOrigin()}
}

// sameOrigin turns away what pages of other sites send.
func sameOrigin() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		WriteFault(w, fault.New(fault.Denied, "This request was sent by a page of another site, so nothing was done."))
	}))
	return p
}

// Routes lists the API's routes. Those that change something take nothing from pages of other sites.
func (a *API) Routes() []httpmw.Route {
	return []httpmw.Route{
		{Pattern: "GET /api/v1/server", Audience: httpmw.Everybody, Handler: http.HandlerFunc(a.server)},
		{
			Pattern: "POST /api/v1/signup", Audience: httpmw.Everybody, Handler: a.cross.Handler(a.signIn(a.accounts.SignUp)),
			Limits: "body 16 KiB; same origin; 20 by address, then 1 in 1 min; hashing bounded",
		},
		{
			Pattern: "POST /api/v1/login", Audience: httpmw.Everybody, Handler: a.cross.Handler(a.signIn(a.accounts.LogIn)),
			Limits: "body 16 KiB; same origin; 30 by address, then 1 in 10 s, and 10 by address and account, then 1 in 30 s; hashing bounded",
		},
		{Pattern: "POST /api/v1/logout", Audience: httpmw.SignedIn, Handler: a.cross.Handler(http.HandlerFunc(a.logOut)), Limits: "same origin"},
		{Pattern: "/api/", Audience: httpmw.Everybody, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			WriteFault(w, fault.New(fault.NotFound, "There is nothing at this address."))
		})},
	}
}

func (a *API) server(w http.ResponseWriter, _ *http.Request) {
	versions := []int{}
	for v := wire.MinVersion; v <= wire.Version; v++ {
		versions = append(versions, v)
	}
	writeJSON(w, http.StatusOK, map[string]any{"product": Product, "versions": versions, "base": a.base})
}

type signInFunc func(context.Context, account.Credentials, time.Duration) (account.SignIn, error)

func (a *API) signIn(do signInFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Email    string `json:"email"`
			Password string `json:"password"`
		}
		if f := readJSON(w, r, &body); f != nil {
			WriteFault(w, f)
			return
		}
		in, err := do(r.Context(), account.Credentials{Email: body.Email, Password: body.Password, Client: a.client(r)}, account.AppLifetime)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"token": in.Token.Reveal(), "account": string(in.Account), "email": in.Email})
	}
}

func (a *API) logOut(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		WriteFault(w, fault.New(fault.Unauthenticated, "No session was named."))
		return
	}
	if err := a.accounts.LogOut(r.Context(), token); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fail answers an error. What is no fault is logged and told in general words.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) { fail(w, r, a.log, err) }

func fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal && r.Context().Err() == nil {
		log.ErrorContext(r.Context(), "a request could not be served", "route", r.Pattern, "error", err)
	}
	WriteFault(w, f)
}

// readJSON reads a JSON object. It insists on the content type: a browser asks before it sends that across origins.
func readJSON(w http.ResponseWriter, r *http.Request, v any) *fault.Error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return fault.Field("Content-Type", "A request must have the content type application/json.")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Newf(fault.TooLarge, "A request has at most %d KiB.", maxBody>>10)
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field != "" {
		return fault.Field(t.Field, "This must be text.")
	}
	return fault.New(fault.Invalid, "The request is not valid JSON.").WithCause(err)
}
