package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

func TestL3_L4_P2_S2_E3_E5_LinkIsChangedAsInTheDialog(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	type state struct {
		Mode, URL, ShortURL, SlugURL, Slug string
		Enabled, Password, Still, Expired  bool
		Expires                            *time.Time
		Origins                            []string
		Version                            uint64
	}
	type changed struct {
		Link    state
		Changed bool
	}
	change := func(body string) (out changed) {
		t.Helper()
		a := b.as("owner", http.MethodPost, b.path("/link"), body)
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", body, a.status, a.body)
		}
		a.read(t, &out)
		return out
	}
	hash, err := sharing.HashPassword(strings.NewReader(strings.Repeat("salt", 8)), "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	on := change(`{"action":"enable","hash":"` + string(hash) + `"}`)
	if on.Link.Mode != "password" || !on.Changed || on.Link.Version != 1 || on.Link.URL == "" {
		t.Errorf("%+v", on)
	}
	if again := change(`{"action":"enable"}`); again.Changed || again.Link.URL != on.Link.URL {
		t.Errorf("%+v", again)
	}
	if free := change(`{"action":"no_password"}`); free.Link.Mode != "public" {
		t.Errorf("%+v", free)
	}
	rotated := change(`{"action":"rotate","base":2}`)
	if rotated.Link.URL == on.Link.URL || rotated.Link.ShortURL == on.Link.ShortURL {
		t.Errorf("%+v", rotated)
	}
	if a := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"rotate","base":2}`); a.status != http.StatusConflict || a.fault.Hint == "" {
		t.Errorf("based on what was before: %d %s", a.status, a.body)
	}
	change(`{"action":"slug","slug":"team-status"}`)
	change(`{"action":"still","still":true}`)
	change(`{"action":"origins","origins":["b.example","https://a.example"]}`)
	last := change(`{"action":"expiry","expires":"2030-01-02T03:04:05Z"}`).Link
	if last.SlugURL != b.srv.URL()+"/s/team-status" || !last.Still || strings.Join(last.Origins, " ") != "https://a.example https://b.example" || last.Expires.Year() != 2030 {
		t.Errorf("%+v", last)
	}
	if never := change(`{"action":"expiry"}`).Link; never.Expires != nil {
		t.Errorf("%+v", never)
	}
	off := change(`{"action":"disable"}`).Link
	if off.Mode != "private" || off.URL != rotated.Link.URL {
		t.Errorf("%+v", off)
	}
	if back := change(`{"action":"enable"}`).Link; back.URL != off.URL || back.Mode != "public" {
		t.Errorf("%+v", back)
	}
	for url, dead := range map[string]bool{on.Link.URL: true, rotated.Link.URL: false} {
		if a := b.ask("", http.MethodGet, strings.TrimPrefix(url, b.srv.URL()), ""); (a.status == http.StatusNotFound) != dead {
			t.Errorf("%s: %d", url, a.status)
		}
	}
}

func TestI1_I5_I6_PeopleAreInvitedAndManaged(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	type people struct {
		Members     []struct{ Account, Name, Email, Role string }
		Invitations []struct{ ID, Email, Role, Delivery string }
	}
	const body = `{"addresses":["Cy <CY@example.org>, dan@example.org","not an address"],"role":"editor","message":"Look."}`
	want := `{"invited":["cy@example.org","dan@example.org"],"refused":[{"address":"not","message":"This is not an e-mail address."},` +
		`{"address":"an","message":"This is not an e-mail address."},{"address":"address","message":"This is not an e-mail address."}]}`
	for range 3 {
		if a := b.as("owner", http.MethodPost, b.path("/invitations"), body, "Idempotency-Key", "invite"); string(a.body) != want || a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	first := b.srv.Mail("cy@example.org", 0)
	if !strings.Contains(first.Text, "Look.") || len(first.Links) == 0 {
		t.Errorf("%+v", first)
	}
	var p people
	b.as("owner", http.MethodGet, b.path("/people"), "").read(t, &p)
	if len(p.Invitations) == 2 && p.Invitations[0].Email != "cy@example.org" {
		slices.Reverse(p.Invitations) // both were made at once
	}
	if len(p.Members) != 3 || len(p.Invitations) != 2 || p.Invitations[0].Email != "cy@example.org" || p.Invitations[0].Role != "editor" || p.Invitations[0].Delivery == "" {
		t.Fatalf("%+v", p)
	}
	var theirs people
	if b.as("editor", http.MethodGet, b.path("/people"), "").read(t, &theirs); len(theirs.Members) != 3 || theirs.Members[0].Email != "" || len(theirs.Invitations) != 0 {
		t.Errorf("an editor is told %+v", theirs)
	}
	cy, dan := p.Invitations[0].ID, p.Invitations[1].ID
	for range 2 {
		if a := b.as("owner", http.MethodPost, b.path("/invitations/"+cy+"/resend"), "", "Idempotency-Key", "again"); a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if second := b.srv.Mail("cy@example.org", 1); second.Links[0] == first.Links[0] {
		t.Error("the old link was sent again")
	}
	b.as("owner", http.MethodDelete, b.path("/invitations/"+dan), "").read(t, &p)
	if len(p.Invitations) != 1 || p.Invitations[0].ID != cy {
		t.Errorf("%+v", p)
	}
	editor := b.path("/members/" + b.people["editor"].Account)
	if a := b.as("owner", http.MethodPut, editor, `{"role":"viewer"}`); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`); a.status != http.StatusForbidden {
		t.Errorf("one who was made a viewer: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodDelete, editor, ""); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodGet, b.path(""), ""); a.status != http.StatusNotFound {
		t.Errorf("one who was removed: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodDelete, b.path("/members/"+b.people["owner"].Account), ""); a.status != http.StatusConflict {
		t.Errorf("the only owner: %d %s", a.status, a.body)
	}
	b.as("owner", http.MethodGet, b.path("/people"), "").read(t, &p)
	if len(p.Members) != 2 || len(p.Invitations) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestA5_Trash(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	var out struct {
		Link    struct{ URL string }
		Trashed bool
	}
	b.as("owner", http.MethodPost, b.path("/link"), `{"action":"enable"}`).read(t, &out)
	share := strings.TrimPrefix(out.Link.URL, b.srv.URL())
	for range 2 { // the second changes nothing
		b.as("editor", http.MethodPost, b.path("/trash"), "").read(t, &out)
	}
	if a := b.as("owner", http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`); !out.Trashed || a.status != http.StatusConflict || a.fault.Hint == "" {
		t.Errorf("%v, %d %s", out.Trashed, a.status, a.body)
	}
	if a := b.ask("", http.MethodGet, share, ""); a.status != http.StatusNotFound {
		t.Errorf("the link: %d", a.status)
	}
	b.as("editor", http.MethodPost, b.path("/restore"), "").read(t, &out)
	if a := b.as("owner", http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`); out.Trashed || a.status != http.StatusOK {
		t.Errorf("%v, %d %s", out.Trashed, a.status, a.body)
	}
}
