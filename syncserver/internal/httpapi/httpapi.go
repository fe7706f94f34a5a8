// Package httpapi answers JSON requests: those of the app, which signs up, in and out and looks after one's account and
// organisations, and those of programs, which list dashboards, push rows and change who can see them.
//
// Failures are {"error": fault}. openapi.json describes every request. Start reading at API.Routes for the app (signup.go
// holds what needs no account, account.go what does), and at Programs.Routes for programs.
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
	"slices"
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
	LogIn(ctx context.Context, c account.Credentials, lifetime time.Duration) (account.SignIn, error)
	LogOut(ctx context.Context, token string) error
	// Person tells whose session a token is.
	Person(ctx context.Context, token string) (account.Identity, error)
	Newcomers
	Owners
	Devices
}

// Config is what an API needs; all but Mailbox must be given.
type Config struct {
	Accounts Accounts
	// Base is the public base URL, without a slash at its end.
	Base string
	// Mailbox is the address of the page that shows the mail of a development server, "" if there is none.
	Mailbox string
	// Client tells the address from which a request came.
	Client func(*http.Request) netip.Addr
	Log    *slog.Logger
}

// API answers the requests. Use New.
type API struct {
	Config

	cross *http.CrossOriginProtection
}

// New makes an API.
func New(cfg Config) *API { return &API{Config: cfg, cross: sameOrigin()} }

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
	return slices.Concat(
		[]httpmw.Route{{Pattern: "GET /api/v1/server", Audience: httpmw.Everybody, Handler: http.HandlerFunc(a.server)}},
		a.newcomers(),
		[]httpmw.Route{
			{
				Pattern: "POST /api/v1/login", Audience: httpmw.Everybody, Handler: a.cross.Handler(http.HandlerFunc(a.logIn)),
				Limits: "body 16 KiB; same origin; 30 by address, then 1 in 10 s, and 10 by address and account, then 1 in 30 s; hashing bounded",
			},
			{Pattern: "POST /api/v1/logout", Audience: httpmw.SignedIn, Handler: a.cross.Handler(http.HandlerFunc(a.logOut)), Limits: "same origin"},
		},
		a.owners(),
		[]httpmw.Route{{Pattern: "/api/", Audience: httpmw.Everybody, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			WriteFault(w, fault.New(fault.NotFound, "There is nothing at this address."))
		})}},
	)
}

func (a *API) server(w http.ResponseWriter, _ *http.Request) {
	versions := []int{}
	for v := wire.MinVersion; v <= wire.Version; v++ {
		versions = append(versions, v)
	}
	body := map[string]any{"product": Product, "versions": versions, "base": a.Base, "mail": a.Accounts.CanMail()}
	if a.Mailbox != "" {
		body["mailbox"] = a.Mailbox
	}
	writeJSON(w, http.StatusOK, body)
}

// credentials are what somebody signs up or in with.
type credentials struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Next     string `json:"next"`
}

func (a *API) of(c credentials, r *http.Request) account.Credentials {
	return account.Credentials{Email: c.Email, Password: c.Password, Name: c.Name, Client: a.Client(r), Label: account.LabelOf(r)}
}

func (a *API) logIn(w http.ResponseWriter, r *http.Request) {
	var body credentials
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	in, err := a.Accounts.LogIn(r.Context(), a.of(body, r), account.AppLifetime)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeSignIn(w, in)
}

func writeSignIn(w http.ResponseWriter, in account.SignIn) {
	writeJSON(w, http.StatusOK, map[string]string{"token": in.Token.Reveal(), "account": string(in.Account), "email": in.Email})
}

func (a *API) logOut(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		WriteFault(w, fault.New(fault.Unauthenticated, "No session was named."))
		return
	}
	if err := a.Accounts.LogOut(r.Context(), token); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fail answers an error. What is no fault is logged and told in general words.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) { fail(w, r, a.Log, err) }

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
		return fault.Field(t.Field, "This has the wrong form.")
	}
	return fault.New(fault.Invalid, "The request is not valid JSON.").WithCause(err)
}
