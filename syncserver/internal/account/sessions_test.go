package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/store"
)

func (w *world) time() time.Time { return time.Unix(w.now.Load(), 0) }

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ben := w.signUp(t, from("192.0.2.8", "ben@example.org", password))
	log := func(kind store.SessionKind, label string) account.SignIn {
		w.now.Add(60)
		c := from("192.0.2.9", "ann@example.org", password)
		c.Kind, c.Label = kind, label
		got, err := w.service.LogIn(t.Context(), c, account.WebLifetime)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	app, web := log(store.KindApp, "Desktop app on Linux"), log(store.KindWeb, "Firefox on Windows")
	me := w.me(t, in)
	if _, _, err := w.service.CreateToken(t.Context(), me, "script", account.Scopes(), w.time().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	all, err := w.service.Sessions(t.Context(), me)
	if err != nil || len(all) != 3 || !all[0].This || all[1].Label != "Firefox on Windows" || all[1].Kind != store.KindWeb || all[2].Label != "Desktop app on Linux" || all[2].This {
		t.Fatalf("%+v, %v", all, err)
	}
	isKind(t, "somebody else's", w.service.EndSession(t.Context(), w.me(t, ben), all[2].ID), fault.NotFound)
	isKind(t, "nonsense", w.service.EndSession(t.Context(), me, "x"), fault.NotFound)
	if err := w.service.EndSession(t.Context(), me, all[2].ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Authenticate(t.Context(), app.Token.Reveal())
	isKind(t, "the one that was ended", err, fault.Unauthenticated)
	isKind(t, "once more", w.service.EndSession(t.Context(), me, all[2].ID), fault.NotFound)
	w.me(t, web)
	log(store.KindApp, "")
	if err := w.service.EndOthers(t.Context(), me); err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Authenticate(t.Context(), web.Token.Reveal())
	isKind(t, "everywhere else", err, fault.Unauthenticated)
	if all, err := w.service.Sessions(t.Context(), me); err != nil || len(all) != 1 || !all[0].This {
		t.Errorf("%+v, %v", all, err)
	}
	if keys, err := w.service.Tokens(t.Context(), me); err != nil || len(keys) != 1 {
		t.Errorf("tokens: %+v, %v", keys, err)
	}
	if w.ended.Load() != 3 {
		t.Errorf("%d ends were told", w.ended.Load())
	}
}

// When a session was last used is noted at most every ten minutes.
func TestTheUseOfASessionIsNotedRoughly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	began := w.time()
	seen := func() time.Duration {
		t.Helper()
		all, err := w.service.Sessions(t.Context(), w.me(t, in))
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Seen.Sub(began).Round(time.Minute)
	}
	if got := seen(); got != 0 {
		t.Errorf("at first: %s", got)
	}
	w.now.Add(9 * 60)
	if got := seen(); got != 0 {
		t.Errorf("after nine minutes: %s", got)
	}
	w.now.Add(2 * 60)
	if got := seen(); got != 11*time.Minute {
		t.Errorf("after eleven: %s", got)
	}
	w.now.Add(5 * 60)
	if got := seen(); got != 11*time.Minute {
		t.Errorf("after sixteen: %s", got)
	}
	w.restart(t)
	w.now.Add(10 * 60)
	if got := seen(); got != 26*time.Minute {
		t.Errorf("after a restart: %s", got)
	}
}

func TestTokensForPrograms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	me := w.me(t, in)
	token, key, err := w.service.CreateToken(t.Context(), me, " Nightly  figures ", []account.Scope{account.ScopeWrite, account.ScopeRead, account.ScopeRead}, w.time().Add(24*time.Hour))
	if err != nil || !strings.HasPrefix(token.Reveal(), "api_") || len(token.Reveal()) != len("api_")+32 || key.Name != "Nightly figures" {
		t.Fatalf("%+v, %v", key, err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", token, token, token), token.Reveal()[4:]) {
		t.Error("it is printed")
	}
	id, err := w.service.Authenticate(t.Context(), token.Reveal())
	if err != nil || !id.Program() || !id.Can(account.ScopeRead) || !id.Can(account.ScopeWrite) || id.Can(account.ScopeShare) || id.Account != me.Account {
		t.Errorf("%+v, %v", id, err)
	}
	_, err = w.service.Person(t.Context(), token.Reveal())
	isKind(t, "where a person is asked for", err, fault.Denied)
	if err := w.service.LogOut(t.Context(), token.Reveal()); err != nil {
		t.Fatal(err)
	}
	keys, err := w.service.Tokens(t.Context(), me)
	if err != nil || len(keys) != 1 || keys[0].Used.IsZero() || !slices.Equal(keys[0].Scopes, []account.Scope{account.ScopeRead, account.ScopeWrite}) {
		t.Fatalf("%+v, %v", keys, err)
	}
	sessions, err := w.service.Sessions(t.Context(), me)
	if err != nil {
		t.Fatal(err)
	}
	isKind(t, "a session as a token", w.service.RevokeToken(t.Context(), me, sessions[0].ID), fault.NotFound)
	isKind(t, "a token as a session", w.service.EndSession(t.Context(), me, key.ID), fault.NotFound)
	if err := w.service.RevokeToken(t.Context(), me, key.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Authenticate(t.Context(), token.Reveal())
	isKind(t, "revoked", err, fault.Unauthenticated)

	for i := range account.MaxTokens {
		if token, _, err = w.service.CreateToken(t.Context(), me, fmt.Sprint("t", i), account.Scopes(), w.time().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = w.service.CreateToken(t.Context(), me, "one more", account.Scopes(), w.time().Add(time.Hour))
	isKind(t, "one more than there may be", err, fault.Conflict)
	w.now.Add(3601)
	_, err = w.service.Authenticate(t.Context(), token.Reveal())
	isKind(t, "after its time", err, fault.Unauthenticated)
	if _, _, err := w.service.CreateToken(t.Context(), me, "in place of those that ended", account.Scopes(), w.time().Add(time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestB1_TokensThatCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.me(t, w.signUp(t, from("192.0.2.9", "ann@example.org", password)))
	soon := w.time().Add(time.Hour)
	for name, c := range map[string]struct {
		name    string
		scopes  []account.Scope
		expires time.Time
		field   string
	}{
		"no name":        {" ", account.Scopes(), soon, "name"},
		"no scope":       {"x", nil, soon, "scopes"},
		"unknown scope":  {"x", []account.Scope{account.ScopeRead, "everything"}, soon, "scopes"},
		"two as one":     {"x", []account.Scope{"boards:read boards:write"}, soon, "scopes"},
		"in the past":    {"x", account.Scopes(), w.time(), "expires"},
		"no end":         {"x", account.Scopes(), time.Time{}, "expires"},
		"two years":      {"x", account.Scopes(), w.time().Add(2 * account.MaxTokenLifetime), "expires"},
		"a long name":    {strings.Repeat("x", 81), account.Scopes(), soon, "name"},
		"a strange name": {"a\x00", account.Scopes(), soon, "name"},
	} {
		_, _, err := w.service.CreateToken(t.Context(), me, c.name, c.scopes, c.expires)
		if f := fault.From(err); f.Kind != fault.Invalid || f.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Tokens for programs neither count as sessions nor go when there are too many of those.
func TestTokensStayWhenSessionsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	token, _, err := w.service.CreateToken(t.Context(), w.me(t, in), "script", account.Scopes(), w.time().Add(account.MaxTokenLifetime-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for range account.MaxSessions {
		w.now.Add(60)
		if _, err := w.service.LogIn(t.Context(), from("192.0.2.9", "ann@example.org", password), account.AppLifetime); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.service.Authenticate(t.Context(), in.Token.Reveal())
	isKind(t, "the oldest session", err, fault.Unauthenticated)
	if _, err := w.service.Authenticate(t.Context(), token.Reveal()); err != nil {
		t.Errorf("the token: %v", err)
	}
}
