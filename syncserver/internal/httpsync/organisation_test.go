package httpsync_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// ask sends a JSON request with a session's token and reads the answer into out, unless that is nil.
func ask(t *testing.T, srv *servertest.Server, token, method, path string, in, out any) int {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL()+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return finish(t, req, out)
}

func finish(t *testing.T, req *http.Request, out any) int {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			t.Fatalf("%s %s: %d %s", req.Method, req.URL.Path, res.StatusCode, body)
		}
	}
	return res.StatusCode
}

// followMail opens the invitation in a mail and gives a password, as somebody new does in a browser.
func followMail(t *testing.T, srv *servertest.Server, email string) servertest.SignedIn {
	t.Helper()
	link := ""
	for _, l := range srv.Mail(email, 0).Links {
		if strings.Contains(l, "/invite/") {
			link = l
		}
	}
	form := url.Values{"password": {servertest.Password}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status := finish(t, req, nil); status != http.StatusSeeOther {
		t.Fatalf("accept: %d", status)
	}
	return srv.LogIn(email)
}

type organisationTold struct {
	ID, Name, Role string
	Members        int
	People         []struct{ Account, Name, Email, Role string }
	Invitations    []struct{ ID, Email, Role, Delivery string }
}

// From an invitation by mail to the removal of the member, with dashboards open all the while.
func TestA1_V1_I4_MembersOfAnOrganisationComeAndGo(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	const path = "/api/v1/organisations"
	var made organisationTold
	if status := ask(t, srv, a.who.Token, http.MethodPost, path, map[string]string{"name": "Team"}, &made); status != http.StatusCreated || made.Role != "owner" {
		t.Fatalf("create: %d %+v", status, made)
	}
	if r := a.onPeople(id, sharing.Move, func(c *sharing.Command) { c.Organisation = made.ID }); r.Fault != nil {
		t.Fatal(r.Fault)
	}
	a.until("the dashboard is the team's", func() bool { return a.told[id].Organisation == "Team" })
	other := newBoard() // which stays ann's own
	a.edit(other, title("Own"))
	a.send(wire.Subscribe{Cursor: wire.Cursor{Board: other, New: true}})
	a.push(other)
	if status := ask(t, srv, a.who.Token, http.MethodPost, path+"/"+made.ID+"/invitations", map[string]string{"email": "Bob@Example.org", "role": "member"}, nil); status != http.StatusNoContent {
		t.Fatalf("invite: %d", status)
	}
	b := newDevice(t, srv, followMail(t, srv, "bob@example.org"))
	b.client(id)
	b.connect()
	b.until("the member sees the dashboard", func() bool { return b.view(id).Title == "First" })
	if b.roles[id] != sharing.RoleViewer || b.roles[other] != sharing.RoleNone {
		t.Errorf("roles: %v", b.roles)
	}
	a.until("the owner hears of the member", func() bool { return a.told[id].Size == 2 && len(a.told[id].Members) == 2 })

	var told organisationTold
	if ask(t, srv, a.who.Token, http.MethodGet, path+"/"+made.ID, nil, &told); len(told.People) != 2 || len(told.Invitations) != 0 {
		t.Errorf("the organisation: %+v", told)
	}
	if status := ask(t, srv, b.who.Token, http.MethodPut, path+"/"+made.ID+"/members/"+b.who.Account, map[string]string{"role": "admin"}, nil); status != http.StatusForbidden {
		t.Errorf("a member made themselves admin: %d", status)
	}
	if status := ask(t, srv, a.who.Token, http.MethodPut, path+"/"+made.ID+"/members/"+b.who.Account, map[string]string{"role": "admin"}, nil); status != http.StatusNoContent {
		t.Errorf("make an admin: %d", status)
	}
	b.until("the admin may share", func() bool { return b.told[id].Size == 2 && b.told[id].Members[0].Email != "" })
	b.edit(id, title("By the admin"))
	if k := b.push(id); len(k.Outcomes) != 0 {
		t.Errorf("the admin's edit: %+v", k)
	}

	began := time.Now()
	if status := ask(t, srv, a.who.Token, http.MethodDelete, path+"/"+made.ID+"/members/"+b.who.Account, nil, nil); status != http.StatusNoContent {
		t.Fatalf("remove: %d", status)
	}
	a.edit(id, title("secret"))
	a.push(id)
	for denied := false; !denied || len(b.roles) > 0; {
		m, err := b.next()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case wire.Denied:
			denied = true
		case wire.Delta, wire.Snapshot, wire.People, wire.Presence, wire.Share:
			if denied {
				t.Errorf("after the denial: %+v", m)
			}
		}
	}
	if d := time.Since(began); d > servertest.AtOnce || b.view(id).Title == "secret" {
		t.Errorf("it took %s, and the former member sees %q", d, b.view(id).Title)
	}
	if a.view(other).Title != "Own" || a.roles[other] == sharing.RoleNone {
		t.Errorf("the other dashboard: %v", a.roles)
	}
}

func TestB1_OrganisationRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	srv, a, _ := start(t, servertest.Options{})
	eve := srv.SignUp("eve@example.org")
	var made organisationTold
	ask(t, srv, a.who.Token, http.MethodPost, "/api/v1/organisations", map[string]string{"name": "Team"}, &made)
	one := "/api/v1/organisations/" + made.ID
	for name, c := range map[string]struct {
		token, method, path string
		body                any
		status              int
	}{
		"nobody":             {"ses_x", http.MethodGet, one, nil, 401},
		"a stranger":         {eve.Token, http.MethodGet, one, nil, 404},
		"a stranger deletes": {eve.Token, http.MethodDelete, one, nil, 404},
		"no id":              {a.who.Token, http.MethodGet, "/api/v1/organisations/x", nil, 404},
		"no name":            {a.who.Token, http.MethodPost, "/api/v1/organisations", map[string]string{"name": " "}, 422},
		"no JSON object":     {a.who.Token, http.MethodPatch, one, 7, 422},
		"no role":            {a.who.Token, http.MethodPut, one + "/members/" + a.who.Account, map[string]string{}, 422},
		"no address":         {a.who.Token, http.MethodPost, one + "/invitations", map[string]string{"role": "member"}, 422},
		"no invitation":      {a.who.Token, http.MethodPost, one + "/invitations/inv_x/resend", nil, 404},
		"revoked":            {a.who.Token, http.MethodDelete, one + "/invitations/inv_x", nil, 204},
		"the last owner":     {a.who.Token, http.MethodDelete, one + "/members/" + a.who.Account, nil, 409},
		"rename":             {a.who.Token, http.MethodPatch, one, map[string]string{"name": "Crew"}, 204},
	} {
		if got := ask(t, srv, c.token, c.method, c.path, c.body, nil); got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
	var all struct{ Organisations []organisationTold }
	ask(t, srv, a.who.Token, http.MethodGet, "/api/v1/organisations", nil, &all)
	if len(all.Organisations) != 2 || all.Organisations[1].Name != "Crew" {
		t.Errorf("%+v", all)
	}
	if got := ask(t, srv, a.who.Token, http.MethodDelete, one, nil, nil); got != 204 {
		t.Errorf("delete: %d", got)
	}
	if got := ask(t, srv, a.who.Token, http.MethodGet, one, nil, nil); got != 404 {
		t.Errorf("it is still there: %d", got)
	}
}
