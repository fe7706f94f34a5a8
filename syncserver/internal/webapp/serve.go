package webapp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/source"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/gate"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// Limits of request bodies in bytes.
const (
	maxSmall = 64 << 10
	maxEdits = 24 << 20 // a whole dashboard's rows typed or pasted at once
	maxBoard = 32 << 20 // an exported dashboard
	maxQuery = 16 << 10 // of the options in a query
	maxName  = 1 << 10  // of a file's name
)

// MaxBody is the largest body of a request below Prefix, in bytes.
const MaxBody = max(maxEdits, maxBoard, source.MaxFile)

// Prefix is where the screens ask.
const Prefix = "/app/api/"

// call is one use case of somebody who is signed in: it reads the request and returns what is answered as JSON, or nil
// if it has answered itself.
type call func(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error)

type done struct{}

type newID struct {
	ID board.ID `json:"id"`
}

// cost is what a call takes of its account's budgets.
type cost int

const (
	free   cost = iota // it only reads
	change             // it changes something
	costly             // it also takes much work
)

// route is one route of the API.
func (s *Service) route(pattern, limits string, c cost, fn call) httpmw.Route {
	method, path, _ := strings.Cut(pattern, " ")
	switch c {
	case change:
		limits += "; 300 changes by account, then 10 in 1 s"
	case costly:
		limits += "; 40 by account, then 1 in 3 s"
	case free:
	}
	return httpmw.Route{Pattern: method + " " + Prefix + path, Audience: httpmw.SignedIn, Limits: limits, Handler: s.serve(c, fn)}
}

// serve answers a call of a browser that is signed in. Requests that pages of other sites make change nothing.
func (s *Service) serve(c cost, fn call) http.Handler {
	return s.cross.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := s.who(r)
		if err == nil {
			err = s.spend(me, c)
		}
		var v any
		if err == nil {
			v, err = s.inTurn(r, me, func() (any, error) { return fn(w, r, me) })
		}
		switch {
		case err != nil:
			s.fail(w, r, err)
		case v != nil:
			s.answer(w, r, v)
		}
	}))
}

// inTurn calls fn, for requests with a large body when it is their turn: they take much memory.
func (s *Service) inTurn(r *http.Request, me account.Identity, fn func() (any, error)) (v any, err error) {
	small := r.ContentLength >= 0 && r.ContentLength <= maxSmall
	if small || r.Method == http.MethodGet || r.Method == http.MethodHead { // whose bodies nobody reads
		return fn()
	}
	place := s.large.Enter(gate.Claim{Key: string(me.Account), Most: maxLargeOfOne})
	if place == nil {
		return nil, fault.New(fault.Busy, "Too much is being sent to this server at the moment.").WithHint("Try again in a moment.")
	}
	defer place.Leave()
	if failed := place.Work(r.Context(), func() { v, err = fn() }); failed != nil {
		return nil, failed //nolint:wrapcheck // the browser has gone
	}
	return v, err
}

// who is signed in, by the session in the browser's cookie. Tokens for programs are not for browsers.
func (s *Service) who(r *http.Request) (account.Identity, error) {
	token := account.Cookie(r, s.cfg.Secure)
	if token == "" {
		return account.Identity{}, signedOut()
	}
	me, err := s.cfg.Accounts.Person(r.Context(), token)
	if err == nil && me.Scopes != nil {
		err = signedOut()
	}
	return me, err //nolint:wrapcheck // answered as it is
}

func signedOut() error {
	return fault.New(fault.Unauthenticated, "You are not signed in, or your session has ended.").WithHint("Log in again.")
}

func (s *Service) spend(me account.Identity, c cost) error {
	budgets := []*ratelimit.Limiter{}
	switch c {
	case free:
	case change:
		budgets = append(budgets, s.changes)
	case costly:
		budgets = append(budgets, s.changes, s.costly)
	}
	for _, b := range budgets {
		if err := b.Take(string(me.Account), s.cfg.Now()); err != nil {
			return fault.New(fault.Busy, "That is more than this server takes from one account at once.").
				WithHint("Wait a moment, then try again.").WithCause(err)
		}
	}
	return nil
}

func crossOrigin(w http.ResponseWriter, _ *http.Request) {
	httpapi.WriteFault(w, fault.New(fault.Denied, "This request was sent by a page of another site, so nothing was done."))
}

// view runs fn in a transaction that reads, for a session that has not ended.
func (s *Service) view(ctx context.Context, me account.Identity, fn func(tx store.Tx) error) error {
	now := s.cfg.Now()
	return s.cfg.Store.View(ctx, func(tx store.Tx) error { //nolint:wrapcheck // wrapped by whoever knows what it was for
		if _, err := account.Session(tx, me.Session, now); err != nil {
			return err //nolint:wrapcheck // answered as it is
		}
		return fn(tx)
	})
}

// update is view for a transaction that writes. fn may run more than once.
func (s *Service) update(ctx context.Context, me account.Identity, fn func(tx store.Tx) error) error {
	now := s.cfg.Now()
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error { //nolint:wrapcheck // wrapped by whoever knows what it was for
		if _, err := account.Session(tx, me.Session, now); err != nil {
			return err //nolint:wrapcheck // answered as it is
		}
		return fn(tx)
	})
}

// look brings l up to date in a transaction, with access to the dashboard decided in it, and runs fn in the same transaction
// and then after it, both while nobody else changes l. fn may run more than once; each may be nil.
func (s *Service) look(ctx context.Context, me account.Identity, l *live, a access.Action, fn func(tx store.Tx, g access.Grant) error, then func(g access.Grant) error) error {
	var grant access.Grant
	now := s.now()
	l.mu.Lock()
	before := l.at
	err := s.view(ctx, me, func(tx store.Tx) (err error) {
		if grant, err = access.Open(tx, access.Account(me.Account), l.id, a); err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		if err := l.refresh(tx, grant, now); err != nil || fn == nil {
			return err
		}
		return fn(tx, grant)
	})
	if err == nil && then != nil {
		err = then(grant)
	}
	size, empty := -1, l.state == nil
	if l.at != before {
		size = l.size()
	}
	l.mu.Unlock()
	switch {
	case empty: // nobody who may see it has asked for it yet
		s.lives.drop(l)
	case size >= 0:
		s.lives.weigh(l, size)
	}
	return err
}

// answer sends v as JSON.
func (s *Service) answer(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	send(w, "application/json; charset=utf-8", body)
}

// fail sends err's fault. What is no fault is logged and told in general words.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal && r.Context().Err() == nil {
		s.cfg.Log.ErrorContext(r.Context(), "a request could not be served", "route", r.Pattern, "request_id", httpmw.RequestID(w), "error", err)
	}
	httpapi.WriteFault(w, f)
}

func send(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // not HTML made here: JSON, CSV, pictures or the built page, each with its type and nosniff; a browser that went away is no failure
}

// body reads at most limit bytes of the request.
func body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, screen.TooLarge(limit)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, screen.TooLarge(limit)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The request did not arrive whole.").WithCause(err)
	}
	return data, nil
}

// decode reads the request's JSON into v, see screen.Read.
func decode(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	data, err := body(w, r, limit)
	if err != nil {
		return err
	}
	return screen.Read(data, v)
}

func boardID(r *http.Request) (board.ID, error) {
	id, err := board.ParseID(r.PathValue("id"))
	if err != nil {
		return "", fault.New(fault.NotFound, "There is no such dashboard, or you have no access to it.").WithCause(err)
	}
	return id, nil
}

func widgetID(s string) (board.WidgetID, error) {
	id, err := board.ParseWidgetID(s)
	if err != nil {
		return "", fault.New(fault.NotFound, "There is no such widget.").WithCause(err)
	}
	return id, nil
}
