package syncclient_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

// browser is somebody's browser at a server.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// press sends the form of a page, as the button on it does, and returns where that leads, "" if nowhere else.
func (b browser) press(page string, form url.Values) (to string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, page, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusBadRequest {
		b.t.Fatalf("%s answers %d", page, res.StatusCode)
	}
	return res.Header.Get("Location")
}

// link is the address in the newest mail that leads below a path of the server.
func link(t *testing.T, s *servertest.Server, to string, skip int, path string) string {
	t.Helper()
	for _, l := range s.Mail(to, skip).Links {
		if strings.HasPrefix(l, s.URL()+path) {
			return l
		}
	}
	t.Fatalf("no link to %s", path)
	return ""
}

// Somebody who is invited by mail makes an account behind its link; then the dashboard is in the list of their program.
func TestI2_I4_InvitedByMailAndThere(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	id := a.create("Shop")
	_, err := a.Invite(id, "bob@example.org", sharing.RoleEditor, "")
	a.must(err)
	a.untilSynced()
	invited := link(t, s, "bob@example.org", 0, "/invite/")
	if to := newBrowser(t).press(invited, url.Values{"password": {password}, "name": {"Bob"}}); !strings.Contains(to, string(id)) {
		t.Errorf("leads to %q", to)
	}
	a.until("the invitation has become a person", func() bool {
		v := a.share(id)
		return len(v.Invitations) == 0 && len(v.People) == 2
	})
	bob := newDevice(t)
	bob.must(bob.LogIn(t.Context(), s.URL(), "bob@example.org", password))
	bob.shown(id, "Shop")
	bob.until("the account is known", func() bool { return bob.State().Account.Name == "Bob" && bob.State().Account.Verified })
	bob.edit(id, title("Bob was here"))
	a.shown(id, "Bob was here")
	for _, p := range a.share(id).People {
		if !p.You && (p.Name != "Bob" || p.Email != "bob@example.org" || p.Role != sharing.RoleEditor || !p.Own) {
			t.Errorf("%s", text(p))
		}
	}
}

// Who signs up in the program is signed in there once the link in the mail was opened, wherever that was.
func TestI8_SignUpAtARealServer(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := newDevice(t)
	id, err := a.Create("Made before")
	a.must(err)
	a.must(a.SignUp(t.Context(), s.URL(), "ada@example.org", password))
	first := link(t, s, "ada@example.org", 0, "/confirm/")
	a.restart()
	a.must(a.ResendSignUp(t.Context()))
	second := link(t, s, "ada@example.org", 1, "/confirm/")
	if got := get(t, second); got != http.StatusOK || a.State().Account != nil {
		t.Errorf("the page is answered with %d, or did what its button does", got)
	}
	newBrowser(t).press(second, url.Values{"password": {password}})
	a.until("ada is signed in", func() bool { return a.State().Account != nil })
	a.untilSynced()
	if s := a.State(); s.SignUp != nil || !s.Account.Verified || len(s.Organisations) != 1 || !s.Organisations[0].Personal {
		t.Errorf("%s", text(s))
	}
	if v := a.view(id); v.Sync != workspace.SyncSaved || v.Role != sharing.RoleOwner {
		t.Errorf("%s", text(v))
	}
	if first == second {
		t.Error("the same link twice")
	}
	// The address has an account now: who signs up with it learns no more than before, and is not signed in.
	b := newDevice(t)
	b.must(b.SignUp(t.Context(), s.URL(), "ada@example.org", "another password"))
	s.Mail("ada@example.org", 2)
	if st := b.State(); st.SignUp == nil || st.Account != nil {
		t.Errorf("%s", text(st))
	}
	b.must(b.CancelSignUp())
}

// A dashboard that is made offline in an organisation is there for its members, to view; taken out of it, it is not.
func TestA1_A2_V1_MadeInAnOrganisation(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a := join(t, s, "ann@example.org")
	web := newBrowser(t)
	web.press(s.URL()+"/login", url.Values{"email": {"ann@example.org"}, "password": {password}})
	page := s.URL() + web.press(s.URL()+"/organisations", url.Values{"name": {"Team"}})
	web.press(page, url.Values{"do": {"invite"}, "emails": {"bob@example.org"}, "role": {"member"}})
	bob := join(t, s, "bob@example.org", a)
	his := newBrowser(t)
	his.press(s.URL()+"/login", url.Values{"email": {"bob@example.org"}, "password": {password}})
	skip := 0
	for !strings.Contains(strings.Join(s.Mail("bob@example.org", skip).Links, " "), "/invite/") {
		skip++
	}
	his.press(link(t, s, "bob@example.org", skip, "/invite/"), nil)
	orgs := func(d *device) []workspace.Organisation { return d.State().Organisations }
	a.until("ann has an organisation", func() bool { return len(orgs(a.device)) == 2 })
	bob.until("bob is a member", func() bool {
		return len(orgs(bob.device)) == 2 && orgs(bob.device)[0].Personal && orgs(bob.device)[1].Role == "member"
	})
	team := orgs(a.device)[1]
	if team.Name != "Team" || team.Role != "owner" || team.Personal {
		t.Errorf("%s", text(team))
	}
	s.Kill()
	a.untilState(workspace.StateOffline)
	id, err := a.CreateIn("Plan", team.ID)
	a.must(err)
	if b := a.summary(id); b.Organisation != team.ID {
		t.Errorf("%s", text(b))
	}
	a.restart()
	s.Restart()
	a.RetrySync()
	bob.RetrySync()
	a.untilSynced()
	bob.shown(id, "Plan")
	if b := bob.summary(id); b.Role != sharing.RoleViewer || b.Mine || b.Owner != "ann" || b.Organisation != team.ID {
		t.Errorf("%s", text(b))
	}
	a.until("ann sees whom she works with", func() bool {
		v := a.share(id)
		return len(v.People) == 2 && v.Organisation.Name == "Team" && v.Organisation.Size == 2 && !v.Organisation.Personal
	})
	p, _ := a.member(id, bob.who.Account)
	if err := a.Share(id, workspace.ShareChange{Action: sharing.SetMemberRole, Account: bob.who.Account}); p.Own || fault.KindOf(err) != fault.Conflict {
		t.Errorf("%s is removed though a member: %v", text(p), err)
	}
	a.must(a.Share(id, workspace.ShareChange{Action: sharing.Move, Organisation: orgs(a.device)[0].ID}))
	a.untilSynced()
	bob.until("bob has it no more", func() bool { b := bob.summary(id); return b.Sync == workspace.SyncDenied })
	a.until("ann sees it", func() bool { return len(a.share(id).People) == 1 && a.share(id).Organisation.Personal })
}
