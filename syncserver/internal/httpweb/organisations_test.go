package httpweb_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// value is the value of a form's input with this name, near a text.
func value(t *testing.T, body, near, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, near)
	m := regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(rest)
	if !ok || m == nil {
		t.Fatalf("no %s near %q in %s", name, near, body)
	}
	return m[1]
}

func TestA1_I1_OrganisationsWithoutAScript(t *testing.T) {
	s := start(t)
	contains(t, s.get("/organisations"), 303)
	ann := client(t)
	s.logIn(ann, "ann@example.org")
	contains(t, s.do(ann, http.MethodGet, "/organisations", nil), 200, "Your personal organisation", "1 dashboard")
	contains(t, s.do(ann, http.MethodPost, "/organisations", url.Values{"name": {" "}}), 422, `role="alert"`)
	made := s.do(ann, http.MethodPost, "/organisations", url.Values{"name": {"Team <b>"}})
	path := made.header.Get("Location")
	if made.status != 303 || !strings.HasPrefix(path, "/organisations/org_") {
		t.Fatalf("make: %d %v", made.status, made.header)
	}
	contains(t, s.do(ann, http.MethodGet, path, nil), 200, "Team &lt;b&gt;", "You are an owner")
	do := func(c *http.Client, form url.Values) answer {
		t.Helper()
		a := s.do(c, http.MethodPost, path, form)
		if a.status == 303 {
			return s.do(c, http.MethodGet, a.header.Get("Location"), nil)
		}
		return a
	}
	// Bad addresses are named and keep the good ones from nothing.
	bad := do(ann, url.Values{"do": {"invite"}, "emails": {"Bob <bob@example.org>; nonsense, ann@example.org"}, "role": {"member"}, "message": {"Hello\r\nthere"}})
	if bad.status < 400 || strings.Contains(bad.body, ">Bob &lt;bob") {
		t.Errorf("some were bad: %d", bad.status)
	}
	contains(t, bad, bad.status, `role="alert"`, "nonsense, ann@example.org", "<h3>bob@example.org</h3>")
	none := do(ann, url.Values{"do": {"invite"}, "emails": {"rubbish"}, "role": {"member"}})
	contains(t, none, 422, "This is not an e-mail address: rubbish.")
	if strings.Contains(none.body, "were invited") {
		t.Error("others are said to be invited where there are none")
	}
	contains(t, do(ann, url.Values{"do": {"invite"}, "emails": {"rubbish, dora@example.org, trash"}, "role": {"member"}}), 422,
		"These are not e-mail addresses: rubbish, trash.", "The others were invited.", "<h3>dora@example.org</h3>")
	contains(t, do(ann, url.Values{"do": {"invite"}, "emails": {"carl@example.org"}, "role": {"admin"}}), 200, "on its way", "<h3>carl@example.org</h3>")
	carl := value(t, s.do(ann, http.MethodGet, path, nil).body, "<h3>carl@example.org</h3>", "invitation")
	contains(t, do(ann, url.Values{"do": {"resend"}, "invitation": {carl}}), 200, "sent again")
	if gone := do(ann, url.Values{"do": {"revoke"}, "invitation": {carl}}); !strings.Contains(gone.body, "withdrawn") || strings.Contains(gone.body, "carl@") {
		t.Errorf("revoke: %d %s", gone.status, gone.body)
	}

	bob := client(t)
	invited := s.invited("bob@example.org")
	contains(t, s.get(invited), 200, "ann invites you to Team &lt;b&gt;", "As a member", "Hello\nthere")
	if a := s.do(bob, http.MethodPost, invited, url.Values{"password": {password}}); a.status != 303 || a.header.Get("Location") != path {
		t.Fatalf("accept: %d %v", a.status, a.header)
	}
	member := s.do(bob, http.MethodGet, path, nil)
	contains(t, member, 200, "You are a member", "<h3>ann</h3>")
	if strings.Contains(member.body, "ann@example.org") || strings.Contains(member.body, "Invite people") {
		t.Error("a member sees what owners see")
	}
	contains(t, do(bob, url.Values{"do": {"rename"}, "name": {"Mine"}}), 403, "Only owners and admins")
	who := value(t, s.do(ann, http.MethodGet, path, nil).body, "<h3>bob</h3>", "member")
	contains(t, do(ann, url.Values{"do": {"role"}, "member": {who}, "role": {"admin"}}), 200, "role was changed")
	contains(t, s.do(bob, http.MethodGet, path, nil), 200, "You are an admin", "ann@example.org", "Invite people")
	contains(t, do(bob, url.Values{"do": {"rename"}, "name": {"Crew"}}), 200, "name was changed", "<h1>Crew</h1>")
	contains(t, do(ann, url.Values{"do": {"role"}, "member": {who}}), 422, "owner, admin or member")
	contains(t, s.do(bob, http.MethodGet, path, nil), 200, "You are an admin")
	contains(t, do(ann, url.Values{"do": {"leave"}}), 409, "needs an owner")
	contains(t, do(ann, url.Values{"do": {"remove"}, "member": {who}}), 200, "member was removed")
	contains(t, s.do(bob, http.MethodGet, path, nil), 404, "not a member")
	contains(t, do(ann, url.Values{"do": {"dance"}}), 422, "could not be read")
	contains(t, s.do(ann, http.MethodGet, "/organisations/nonsense", nil), 404, "not a member")
	contains(t, do(ann, url.Values{"do": {"delete"}}), 200, "<h1>Organisations</h1>")
	contains(t, s.do(ann, http.MethodGet, path, nil), 404)
}
