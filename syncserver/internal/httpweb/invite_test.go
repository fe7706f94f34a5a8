package httpweb_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

// guest is whom the tests invite.
const guest = "bob@example.org"

// invite invites the guest to the dashboard and returns the path of the link in the mail.
func (s *site) invite(role sharing.Role, seen ...string) string {
	s.t.Helper()
	return s.inviteAs(sharing.NewInvitationID(ulid.Make()), role, seen...)
}

func (s *site) inviteAs(id sharing.InvitationID, role sharing.Role, seen ...string) string {
	s.t.Helper()
	s.change(func(c *sharing.Command) {
		c.Action, c.Invitation, c.Email, c.Role = sharing.Invite, id, guest, role
		c.Message = "Look at <b>this</b>.\nIt is new."
	})
	return s.invited(guest, seen...)
}

// invited waits for an invitation to an address and returns the path of its link: the first that is not one of seen.
func (s *site) invited(email string, seen ...string) string {
	s.t.Helper()
	for skip := 0; ; skip++ {
		for _, l := range s.Mail(email, skip).Links {
			rest, ok := strings.CutPrefix(l, s.URL())
			if ok && strings.HasPrefix(rest, "/invite/") && !slices.Contains(seen, rest) {
				return rest
			}
		}
	}
}

// logIn logs in with the form.
func (s *site) logIn(c *http.Client, email string) {
	s.t.Helper()
	if a := s.do(c, http.MethodPost, "/login", url.Values{"email": {email}, "password": {password}}); a.status != http.StatusSeeOther {
		s.t.Fatalf("log in: %d %s", a.status, a.body)
	}
}

func contains(t *testing.T, a answer, status int, wants ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d", a.status, status)
	}
	for _, w := range wants {
		if !strings.Contains(a.body, w) {
			t.Errorf("no %q in %s", w, a.body)
		}
	}
}

func TestI3_I4_LookingConsumesNothingAndAcceptingMakesTheAccount(t *testing.T) {
	s := start(t)
	path := s.invite(sharing.RoleEditor)
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		a := s.do(client(t), m, path, nil)
		if a.status != 200 || a.header.Get("Set-Cookie") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v", m, a.status, a.header)
		}
	}
	contains(t, s.get(path), 200, "ann invites you to Sales figures", "As an editor", "bob@example.org", "Look at &lt;b&gt;this&lt;/b&gt;.\nIt is new.")
	c := client(t)
	contains(t, s.do(c, http.MethodPost, path, url.Values{"password": {"short"}}), 422, `role="alert"`)
	contains(t, s.do(c, http.MethodPost, path, url.Values{"password": {password}, "name": {strings.Repeat("x", 81)}}), 422, `role="alert"`)
	in := s.do(c, http.MethodPost, path, url.Values{"password": {password}, "name": {"Bob <B>"}})
	if in.status != 303 || in.header.Get("Location") != "/app/d/"+string(s.id) || !strings.Contains(in.header.Get("Set-Cookie"), "HttpOnly") {
		t.Fatalf("accept: %d %v %s", in.status, in.header, in.body)
	}
	contains(t, s.do(c, http.MethodGet, "/app/api/boards/"+string(s.id), nil), 200, "Sales figures", `"role":"editor"`)
	contains(t, s.do(client(t), http.MethodPost, path, url.Values{"password": {password}}), 410, "used already")
	if a := s.do(c, http.MethodPost, path, url.Values{}); a.status != 303 {
		t.Errorf("who has accepted presses again: %d", a.status)
	}
	contains(t, s.get(path), 410, "used already", "Log in as bob@example.org")
}

func TestI4_AnAccountLogsInByTheInvitation(t *testing.T) {
	s := start(t)
	s.SignUp("bob@example.org")
	path := s.invite(sharing.RoleViewer)
	c := client(t)
	wrong := s.do(c, http.MethodPost, path, url.Values{"password": {"not the password"}})
	contains(t, wrong, 401, `role="alert"`)
	if strings.Contains(wrong.body, "not the password") || wrong.header.Get("Set-Cookie") != "" {
		t.Errorf("a wrong password: %v %s", wrong.header, wrong.body)
	}
	if a := s.do(c, http.MethodPost, path, url.Values{"password": {password}}); a.status != 303 {
		t.Fatalf("accept: %d %s", a.status, a.body)
	}
	contains(t, s.do(c, http.MethodGet, "/app/api/boards/"+string(s.id), nil), 200, "Sales figures")
	// From now on the address is proved: the next one is accepted with a button, or from the list.
	other, err := s.own.Create(t.Context(), "Second")
	if err != nil {
		t.Fatal(err)
	}
	s.id = other
	next := s.invite(sharing.RoleViewer, path)
	page := s.do(c, http.MethodGet, next, nil)
	contains(t, page, 200, "invites you to Second", "Accept")
	if strings.Contains(page.body, `type="password"`) {
		t.Error("a password is asked for")
	}
	home := s.do(c, http.MethodGet, "/", nil)
	contains(t, home, 200, "ann invites you to Second", "As a viewer")
	_, rest, _ := strings.Cut(home.body, `action="/invitations/`)
	id, _, _ := strings.Cut(rest, `"`)
	contains(t, s.do(client(t), http.MethodPost, "/invitations/"+id, url.Values{}), 303)
	eve := client(t)
	s.SignUp("eve@example.org")
	s.logIn(eve, "eve@example.org")
	contains(t, s.do(eve, http.MethodPost, "/invitations/"+id, url.Values{}), 404)
	if a := s.do(c, http.MethodPost, "/invitations/"+id, url.Values{}); a.status != 303 || a.header.Get("Location") != "/app/d/"+string(other) {
		t.Errorf("accept from the list: %d %v", a.status, a.header)
	}
}

func TestI4_AnotherAccountIsToldAndCanSwitch(t *testing.T) {
	s := start(t)
	path := s.invite(sharing.RoleViewer)
	c := client(t)
	s.SignUp("eve@example.org")
	s.logIn(c, "eve@example.org")
	contains(t, s.do(c, http.MethodGet, path, nil), 200, "for another address", "bob@example.org", "eve@example.org", "Log out and continue as bob@example.org")
	contains(t, s.do(c, http.MethodPost, path, url.Values{"password": {password}}), 403, "for another address")
	if a := s.do(c, http.MethodGet, "/", nil); strings.Contains(a.body, "Sales") {
		t.Error("somebody else was let in")
	}
	if a := s.do(c, http.MethodPost, path+"/switch", url.Values{}); a.status != 303 || a.header.Get("Location") != path {
		t.Fatalf("switch: %d %v", a.status, a.header)
	}
	contains(t, s.do(c, http.MethodGet, path, nil), 200, `type="password"`)
	if a := s.do(c, http.MethodPost, path, url.Values{"password": {password}}, "Sec-Fetch-Site", "cross-site"); a.status != 403 {
		t.Errorf("another site's form: %d", a.status)
	}
}

func TestI5_V1_WhatIsOverSaysSo(t *testing.T) {
	var late atomic.Int64
	s := startWith(t, servertest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) }})
	id := sharing.NewInvitationID(ulid.Make())
	path := s.inviteAs(id, sharing.RoleViewer)
	s.change(func(c *sharing.Command) { c.Action, c.Invitation = sharing.Resend, id })
	again := s.invited("bob@example.org", path)
	contains(t, s.get(path), 410, "newer invitation")
	contains(t, s.get(again), 200, "Sales figures")
	contains(t, s.do(client(t), http.MethodPost, path, url.Values{"password": {password}}), 410, "newer invitation")
	late.Store(int64(7*24*time.Hour + time.Minute))
	over := s.get(again)
	contains(t, over, 410, "has expired", "Ask ann to send it again")
	if strings.Contains(over.body, "Sales") || strings.Contains(over.body, "It is new") {
		t.Error("what is over tells what it was about")
	}
	contains(t, s.do(client(t), http.MethodPost, again, url.Values{"password": {password}}), 410, "has expired")
	s.change(func(c *sharing.Command) { c.Action, c.Invitation = sharing.Revoke, id })
	contains(t, s.get(again), 410, "withdrawn")
	contains(t, s.do(client(t), http.MethodPost, again, url.Values{"password": {password}}), 410, "withdrawn")
	// Who was refused has no account by that.
	contains(t, s.do(client(t), http.MethodPost, "/login", url.Values{"email": {"bob@example.org"}, "password": {password}}), 401)
}

// Whatever does not work looks the same, and guessing is slowed down.
func TestI8_UnknownInvitationsLookTheSame(t *testing.T) {
	s := start(t)
	path := s.invite(sharing.RoleViewer)
	never := "/invite/ivt_" + strings.Repeat("0", 24)
	want := s.get(never)
	contains(t, want, 404, "does not work")
	for _, p := range []string{path[:len(path)-1], path + "0", "/invite/x", "/invite/" + strings.ToLower(path[8:]), "/invite/shr_" + strings.Repeat("0", 24)} {
		if a := s.get(p); a.status != want.status || a.body != want.body {
			t.Errorf("%s: %d", p, a.status)
		}
	}
	for range 20 {
		_ = s.get(never)
	}
	contains(t, s.get(never), 429)
	contains(t, s.get(path), 429)
}
