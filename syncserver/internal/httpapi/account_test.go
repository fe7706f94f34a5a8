package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/servertest"
)

// as sends a request of somebody who is signed in, and reads what is answered into out.
func as(t *testing.T, srv *servertest.Server, token, method, path, body string, want int, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "widgets.pro/1.0 (linux)")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Fatalf("%s %s: %d %s, want %d", method, path, res.StatusCode, raw, want)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, raw, err)
		}
	}
}

// linked is the path behind a link in a mail.
func linked(t *testing.T, srv *servertest.Server, to string, skip int, prefix string) string {
	t.Helper()
	for _, l := range srv.Mail(to, skip).Links {
		if u, err := url.Parse(l); err == nil && strings.HasPrefix(u.Path, prefix) {
			return u.Path
		}
	}
	t.Fatalf("no link to %s", prefix)
	return ""
}

type signedIn struct{ Token, Account, Email, Claim string }

func TestA1_ASignUpByAPIWaitsForItsMail(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	var began, in signedIn
	as(t, srv, "", http.MethodPost, "/api/v1/signup", `{"email":"ann@example.org","password":"correct horse","name":"Ann"}`, 202, &began)
	claim := `{"claim":"` + began.Claim + `"}`
	as(t, srv, "", http.MethodPost, "/api/v1/signup/claim", claim, 202, &in)
	if in != (signedIn{}) || !strings.HasPrefix(began.Claim, "clm_") {
		t.Fatalf("%+v, %+v", began, in)
	}
	as(t, srv, "", http.MethodPost, "/api/v1/signup/resend", claim, 202, nil)
	form := strings.NewReader(url.Values{"password": {"correct horse"}}.Encode())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+linked(t, srv, "ann@example.org", 1, "/confirm/"), form)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("confirm: %+v, %v", res, err)
	}
	_ = res.Body.Close()
	as(t, srv, "", http.MethodPost, "/api/v1/signup/claim", claim, 200, &in)
	if in.Token == "" || in.Email != "ann@example.org" || in.Account == "" {
		t.Fatalf("%+v", in)
	}
	as(t, srv, "", http.MethodPost, "/api/v1/signup/claim", claim, 404, nil)
	var p struct {
		Email, Name string
		Verified    bool
	}
	as(t, srv, in.Token, http.MethodGet, "/api/v1/account", "", 200, &p)
	if p.Name != "Ann" || p.Email != "ann@example.org" || !p.Verified {
		t.Errorf("%+v", p)
	}
	for _, body := range []string{`{}`, `{"claim":"clm_x"}`, `{"claim":"` + in.Token + `"}`} {
		as(t, srv, "", http.MethodPost, "/api/v1/signup/claim", body, 404, nil)
	}
}

func TestTheAccountByAPI(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	in := srv.SignUp("ann@example.org")
	me := func(method, path, body string, want int, out any) {
		t.Helper()
		as(t, srv, in.Token, method, "/api/v1/account"+path, body, want, out)
	}
	as(t, srv, "", http.MethodGet, "/api/v1/account", "", 401, nil)
	me(http.MethodPatch, "", `{"name":"Ann"}`, 204, nil)
	me(http.MethodPatch, "", `{}`, 422, nil)
	var other signedIn
	as(t, srv, "", http.MethodPost, "/api/v1/login", `{"email":"ann@example.org","password":"`+servertest.Password+`"}`, 200, &other)
	var list struct {
		Sessions []struct {
			ID, Label, Kind string
			Seen            int64
			This            bool
		}
	}
	me(http.MethodGet, "/sessions", "", 200, &list)
	if len(list.Sessions) != 3 || !list.Sessions[0].This { // with the browser that confirmed
		t.Fatalf("%+v", list)
	}
	for _, s := range list.Sessions {
		if s.Label == "Desktop app on Linux" && s.Kind == "app" {
			me(http.MethodDelete, "/sessions/"+s.ID, "", 204, nil)
			me(http.MethodDelete, "/sessions/"+s.ID, "", 404, nil)
		}
	}
	as(t, srv, other.Token, http.MethodGet, "/api/v1/account", "", 401, nil)
	me(http.MethodDelete, "/sessions/others", "", 204, nil)
	me(http.MethodGet, "/sessions", "", 200, &list)
	if len(list.Sessions) != 1 {
		t.Errorf("%+v", list)
	}

	var made struct {
		Secret string
		Token  struct{ ID, Name string }
	}
	until, err := json.Marshal(time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	me(http.MethodPost, "/tokens", `{"name":"x","scopes":["everything"],"expires":`+string(until)+`}`, 422, nil)
	me(http.MethodPost, "/tokens", `{"name":"x","scopes":["boards:read"]}`, 422, nil)
	me(http.MethodPost, "/tokens", `{"name":"script","scopes":["boards:read"],"expires":`+string(until)+`}`, 201, &made)
	var tokens struct {
		Tokens []struct {
			ID, Name string
			Scopes   []string
			Used     int64
		}
	}
	me(http.MethodGet, "/tokens", "", 200, &tokens)
	if !strings.HasPrefix(made.Secret, "api_") || len(tokens.Tokens) != 1 || tokens.Tokens[0].ID != made.Token.ID || tokens.Tokens[0].Name != "script" || tokens.Tokens[0].Used != 0 {
		t.Errorf("%+v, %+v", made.Token, tokens)
	}
	as(t, srv, made.Secret, http.MethodGet, "/api/v1/account", "", 403, nil)
	me(http.MethodDelete, "/tokens/"+made.Token.ID, "", 204, nil)
	me(http.MethodDelete, "/tokens/"+made.Token.ID, "", 404, nil)

	me(http.MethodPost, "/password", `{"present":"wrong","password":"another password"}`, 422, nil)
	me(http.MethodPost, "/password", `{"present":"`+servertest.Password+`","password":"another password"}`, 204, nil)
	me(http.MethodPost, "/verify", "", 409, nil)
	me(http.MethodPost, "/email", `{"email":"new@example.org","password":"another password"}`, 202, nil)
	confirm, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+linked(t, srv, "new@example.org", 0, "/verify/"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	confirm.AddCookie(&http.Cookie{Name: account.CookieName(false), Value: in.Token})
	res, err := http.DefaultClient.Do(confirm)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("confirm: %+v, %v", res, err)
	}
	_ = res.Body.Close()
	me(http.MethodDelete, "", `{"email":"ann@example.org","password":"another password"}`, 422, nil)
	me(http.MethodDelete, "", `{"email":"new@example.org","password":"wrong"}`, 422, nil)
	me(http.MethodDelete, "", `{"email":"new@example.org","password":"another password"}`, 204, nil)
	me(http.MethodGet, "", "", 401, nil)
}
