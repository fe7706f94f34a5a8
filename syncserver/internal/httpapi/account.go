package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/store"
)

// Owners is what the API asks of account.Service for those who are signed in.
type Owners interface {
	Profile(ctx context.Context, who account.Identity) (account.Profile, error)
	Rename(ctx context.Context, who account.Identity, name string) error
	ChangeAddress(ctx context.Context, who account.Identity, email, password string, client netip.Addr) error
	SendVerification(ctx context.Context, who account.Identity, client netip.Addr) error
	ChangePassword(ctx context.Context, who account.Identity, present, password string, client netip.Addr) error
	Delete(ctx context.Context, who account.Identity, email, password string, client netip.Addr) error
}

// Devices is what the API asks of account.Service about what is signed in.
type Devices interface {
	Sessions(ctx context.Context, who account.Identity) ([]account.Device, error)
	EndSession(ctx context.Context, who account.Identity, id string) error
	EndOthers(ctx context.Context, who account.Identity) error
	Tokens(ctx context.Context, who account.Identity) ([]account.Key, error)
	CreateToken(ctx context.Context, who account.Identity, name string, scopes []account.Scope, expires time.Time) (account.Token, account.Key, error)
	RevokeToken(ctx context.Context, who account.Identity, id string) error
}

// signedIn answers a request of somebody who is signed in.
type signedIn func(w http.ResponseWriter, r *http.Request, who account.Identity)

// owners are the routes for those who are signed in. Tokens for programs are refused.
func (a *API) owners() []httpmw.Route {
	const (
		changes = "body 16 KiB; same origin; 60 changes by account, then 1 in 10 s"
		proved  = "body 16 KiB; same origin; within the limits of POST /api/v1/login; hashing bounded"
		mails   = "; 20 mails by address, then 1 in 1 min, and 5 by recipient, then 1 in 12 min"
	)
	route := func(pattern, limits string, h signedIn) httpmw.Route {
		return httpmw.Route{Pattern: pattern, Audience: httpmw.SignedIn, Limits: limits, Handler: a.cross.Handler(a.person(h))}
	}
	return []httpmw.Route{
		route("GET /api/v1/account", "", a.profile),
		route("PATCH /api/v1/account", changes, a.rename),
		route("DELETE /api/v1/account", proved, a.deleteAccount),
		route("POST /api/v1/account/email", proved+mails, a.changeAddress),
		route("POST /api/v1/account/verify", changes+mails, a.verify),
		route("POST /api/v1/account/password", proved, a.changePassword),
		route("GET /api/v1/account/sessions", "", a.sessions),
		route("DELETE /api/v1/account/sessions/{id}", changes, a.endSession),
		route("GET /api/v1/account/tokens", "", a.tokens),
		route("POST /api/v1/account/tokens", changes+"; 20 tokens by account", a.createToken),
		route("DELETE /api/v1/account/tokens/{id}", changes, a.revokeToken),
	}
}

// person finds who sends a request, in the Authorization header.
func (a *API) person(next signedIn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		who, err := a.Accounts.Person(r.Context(), token)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next(w, r, who)
	})
}

// done answers 204, or the error.
func (a *API) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) profile(w http.ResponseWriter, r *http.Request, who account.Identity) {
	p, err := a.Accounts.Profile(r.Context(), who)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"email": p.Email, "name": p.Shown, "verified": p.Verified, "created": p.Created.UnixMilli(),
	})
}

func (a *API) rename(w http.ResponseWriter, r *http.Request, who account.Identity) {
	var body struct {
		Name *string `json:"name"`
	}
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	if body.Name == nil {
		WriteFault(w, fault.Field("name", "The name to be is missing."))
		return
	}
	a.done(w, r, a.Accounts.Rename(r.Context(), who, *body.Name))
}

func (a *API) deleteAccount(w http.ResponseWriter, r *http.Request, who account.Identity) {
	var body credentials
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	a.done(w, r, a.Accounts.Delete(r.Context(), who, body.Email, body.Password, a.Client(r)))
}

func (a *API) changeAddress(w http.ResponseWriter, r *http.Request, who account.Identity) {
	var body credentials
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	if err := a.Accounts.ChangeAddress(r.Context(), who, body.Email, body.Password, a.Client(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	accepted(w)
}

func (a *API) verify(w http.ResponseWriter, r *http.Request, who account.Identity) {
	if err := a.Accounts.SendVerification(r.Context(), who, a.Client(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	accepted(w)
}

func (a *API) changePassword(w http.ResponseWriter, r *http.Request, who account.Identity) {
	var body struct {
		Present  string `json:"present"`
		Password string `json:"password"`
	}
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	a.done(w, r, a.Accounts.ChangePassword(r.Context(), who, body.Present, body.Password, a.Client(r)))
}

// device is a session on the wire. Times are in ms since 1970.
type device struct {
	ID      string `json:"id"`
	Label   string `json:"label"`
	Kind    string `json:"kind"` // app or web
	Created int64  `json:"created"`
	Seen    int64  `json:"seen"`
	Expires int64  `json:"expires"`
	This    bool   `json:"this"`
}

func (a *API) sessions(w http.ResponseWriter, r *http.Request, who account.Identity) {
	all, err := a.Accounts.Sessions(r.Context(), who)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	out := make([]device, 0, len(all))
	for _, d := range all {
		kind := "app"
		if d.Kind == store.KindWeb {
			kind = "web"
		}
		out = append(out, device{d.ID, d.Label, kind, d.Created.UnixMilli(), d.Seen.UnixMilli(), d.Expires.UnixMilli(), d.This})
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": out})
}

// endSession ends one session, or all but the one that asks, whose id is "others".
func (a *API) endSession(w http.ResponseWriter, r *http.Request, who account.Identity) {
	id := r.PathValue("id")
	if id == "others" {
		a.done(w, r, a.Accounts.EndOthers(r.Context(), who))
		return
	}
	a.done(w, r, a.Accounts.EndSession(r.Context(), who, id))
}

// key is a token for programs on the wire. Times are in ms since 1970; Used is 0 where it never was.
type key struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Scopes  []account.Scope `json:"scopes"`
	Created int64           `json:"created"`
	Used    int64           `json:"used"`
	Expires int64           `json:"expires"`
}

func keyOf(k account.Key) key {
	out := key{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Created: k.Created.UnixMilli(), Expires: k.Expires.UnixMilli()}
	if !k.Used.IsZero() {
		out.Used = k.Used.UnixMilli()
	}
	return out
}

func (a *API) tokens(w http.ResponseWriter, r *http.Request, who account.Identity) {
	all, err := a.Accounts.Tokens(r.Context(), who)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	out := make([]key, 0, len(all))
	for _, k := range all {
		out = append(out, keyOf(k))
	}
	writeJSON(w, http.StatusOK, map[string]any{"tokens": out})
}

// createToken makes a token for programs; expires is in ms since 1970. The secret is in this answer alone.
func (a *API) createToken(w http.ResponseWriter, r *http.Request, who account.Identity) {
	var body struct {
		Name    string          `json:"name"`
		Scopes  []account.Scope `json:"scopes"`
		Expires int64           `json:"expires"`
	}
	if f := readJSON(w, r, &body); f != nil {
		WriteFault(w, f)
		return
	}
	token, k, err := a.Accounts.CreateToken(r.Context(), who, body.Name, body.Scopes, time.UnixMilli(body.Expires))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, map[string]any{"secret": token.Reveal(), "token": keyOf(k)})
}

func (a *API) revokeToken(w http.ResponseWriter, r *http.Request, who account.Identity) {
	a.done(w, r, a.Accounts.RevokeToken(r.Context(), who, r.PathValue("id")))
}
