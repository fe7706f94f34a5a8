package httpweb_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

const newPassword = "another password entirely"

// enter logs a browser in.
func (s *site) enter(email, pass, agent string) *http.Client {
	s.t.Helper()
	c := client(s.t)
	if a := s.do(c, http.MethodPost, "/login", url.Values{"email": {email}, "password": {pass}}, "User-Agent", agent); a.status != 303 {
		s.t.Fatalf("log in: %d %s", a.status, a.body)
	}
	return c
}

// is checks an answer's status and that it holds some words.
func (a answer) is(t *testing.T, what string, status int, words ...string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %d %s", what, a.status, a.body)
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) && a.header.Get("Location") != w {
			t.Errorf("%s: no %q in %v %s", what, w, a.header, a.body)
		}
	}
	return a
}

// tellsItsEnd looks whether a mail says until when its link works.
func (s *site) tellsItsEnd(to string, skip int) {
	s.t.Helper()
	if text := s.Mail(to, skip).Text; !strings.Contains(text, "works once, until ") {
		s.t.Errorf("the link's end is not in %q", text)
	}
}

func TestI4_ASignUpGoesOnWhereItBegan(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := client(t)
	s.do(c, http.MethodGet, "/login?next=/invite/ivt_0", nil).is(t, "log-in form", 200, `value="/invite/ivt_0"`, `href="/signup?next=%2finvite%2fivt_0"`)
	s.do(c, http.MethodGet, "/signup?next=/invite/ivt_0", nil).is(t, "form", 200, `value="/invite/ivt_0"`)
	form := url.Values{"email": {"ben@example.org"}, "password": {password}, "name": {"Ben"}, "next": {"/invite/ivt_0"}}
	sent := s.do(c, http.MethodPost, "/signup", form).is(t, "sign up", 200, "Check your mail", "ben@example.org", "Use another address")
	claim := claims.FindString(sent.body)
	link := s.mailed("ben@example.org", 0, "/confirm/")
	s.tellsItsEnd("ben@example.org", 0)
	s.do(c, http.MethodPost, "/signup/resend", url.Values{"claim": {claim}}).is(t, "resend", 200, "once more", "ben@example.org")
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodGet} { // as mail scanners do
		if a := s.do(client(t), m, link, nil); a.status != 200 || a.header.Get("Set-Cookie") != "" || a.header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s of the mail's link: %d %v", m, a.status, a.header)
		}
	}
	s.do(c, http.MethodPost, link, url.Values{}, "Sec-Fetch-Site", "cross-site").is(t, "by another site", 403)
	s.Restart()
	s.do(c, http.MethodPost, link, url.Values{}).is(t, "confirm", 303, "/invite/ivt_0")
	s.do(c, http.MethodGet, "/", nil).is(t, "signed in", 303, "/app")
	s.do(c, http.MethodGet, "/account", nil).is(t, "account", 200, `value="Ben"`, "Confirmed")
	s.do(client(t), http.MethodGet, link, nil).is(t, "the link once more", 404, "does not work any more", `href="/login"`)
	s.do(client(t), http.MethodPost, link, url.Values{}).is(t, "the button once more", 404, "does not work any more")
	s.do(client(t), http.MethodPost, "/signup/resend", url.Values{"claim": {"clm_x"}}).is(t, "resend of nothing", 404, "This sign-up is over")
	if a := s.do(client(t), http.MethodPost, "/login", url.Values{"email": {"ben@example.org"}, "password": {password}, "next": {"//evil.example"}}); a.header.Get("Location") != "/" {
		t.Errorf("log in leads to %q", a.header.Get("Location"))
	}
}

// The link of a sign-up that somebody else began asks for the password of it or another one; and the page of the browser that
// began has no need to.
func TestI4_AStrangersSignUpIsNotConfirmedByAButton(t *testing.T) {
	t.Parallel()
	s := start(t)
	stranger := client(t)
	sent := s.do(stranger, http.MethodPost, "/signup", url.Values{"email": {"ben@example.org"}, "password": {"the stranger's own"}, "name": {"Not Ben"}}).is(t, "sign up", 200)
	if c := sent.header.Get("Set-Cookie"); !strings.HasPrefix(c, "widgets-signup=clm_") || !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
		t.Errorf("what is kept by the browser: %q", c)
	}
	link := s.mailed("ben@example.org", 0, "/confirm/")
	s.do(stranger, http.MethodGet, link, nil).is(t, "the page where it began", 200, "Yes, this is my address")
	ben := client(t)
	if a := s.do(ben, http.MethodGet, link, nil).is(t, "the page elsewhere", 200, `name="password"`, `name="anew"`); strings.Contains(a.body, "Not Ben") || strings.Contains(a.body, "Yes, this") {
		t.Errorf("it says more than it knows: %s", a.body)
	}
	s.do(ben, http.MethodPost, link, url.Values{}).is(t, "the button alone", 422, "not the password of this sign-up", `role="alert"`)
	s.do(ben, http.MethodPost, link, url.Values{"password": {newPassword}}).is(t, "another password", 422, "not the password of this sign-up")
	s.do(ben, http.MethodPost, link, url.Values{"anew": {"yes"}, "password": {"short"}, "name": {"Ben"}}).is(t, "a short one", 422, "at least 8", `value="Ben"`)
	s.do(ben, http.MethodPost, link, url.Values{"anew": {"yes"}, "password": {newPassword}, "name": {"Ben"}}).is(t, "one chosen anew", 303, "/")
	s.do(ben, http.MethodGet, "/account", nil).is(t, "account", 200, `value="Ben"`)
	s.do(stranger, http.MethodPost, link, url.Values{}).is(t, "the link where it began", 404)
	s.do(stranger, http.MethodPost, "/signup/resend", url.Values{"claim": {claims.FindString(sent.body)}}).is(t, "another mail", 404)
	s.do(stranger, http.MethodPost, "/login", url.Values{"email": {"ben@example.org"}, "password": {"the stranger's own"}}).is(t, "the stranger's password", 401)
	s.enter("ben@example.org", newPassword, "")
}

func TestA1_AnAddressThatGotAnAccountInBetweenIsToldToLogIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(client(t), http.MethodPost, "/signup", url.Values{"email": {"ben@example.org"}, "password": {password}})
	link := s.mailed("ben@example.org", 0, "/confirm/")
	s.do(client(t), http.MethodPost, "/signup", url.Values{"email": {"ben@example.org"}, "password": {newPassword}})
	other := s.mailed("ben@example.org", 1, "/confirm/")
	s.do(client(t), http.MethodPost, other, url.Values{"password": {newPassword}}).is(t, "the other", 303)
	a := s.do(client(t), http.MethodPost, link, url.Values{"password": {password}}).is(t, "the first", 409, "has an account already", `href="/login"`)
	if a.header.Get("Set-Cookie") != "" {
		t.Error("it was signed in")
	}
}

func TestAForgottenPasswordIsSetAnew(t *testing.T) {
	t.Parallel()
	s := start(t)
	signedIn := s.enter("ann@example.org", password, "")
	s.do(client(t), http.MethodGet, "/forgot", nil).is(t, "form", 200)
	s.do(client(t), http.MethodPost, "/forgot", url.Values{"email": {"nonsense"}}).is(t, "nonsense", 422, `role="alert"`)
	s.do(client(t), http.MethodPost, "/forgot", url.Values{"email": {"ann@example.org"}}).is(t, "ask", 200, "Check your mail")
	link := s.mailed("ann@example.org", 1, "/reset/")
	s.tellsItsEnd("ann@example.org", 1)
	c := client(t)
	a := s.do(c, http.MethodGet, link, nil).is(t, "the mail's link", 200, "ann@example.org")
	if a.header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("%v", a.header)
	}
	s.do(c, http.MethodPost, link, url.Values{"password": {"short"}}).is(t, "a short one", 422, "at least 8", `role="alert"`)
	device := s.dial(s.LogIn("ann@example.org").Token)
	s.do(c, http.MethodPost, link, url.Values{"password": {newPassword}}).is(t, "set", 200, "Your password is changed", `href="/login"`)
	s.ends(device)
	s.do(signedIn, http.MethodGet, "/account", nil).is(t, "another browser", 303, "/login?next=%2Faccount")
	s.do(c, http.MethodPost, link, url.Values{"password": {newPassword}}).is(t, "once more", 404, "does not work any more", `href="/forgot"`)
	s.do(c, http.MethodGet, link, nil).is(t, "the link once more", 404)
	s.do(c, http.MethodPost, "/login", url.Values{"email": {"ann@example.org"}, "password": {password}}).is(t, "the old one", 401)
	s.enter("ann@example.org", newPassword, "")
}

// dial connects a device.
func (s *site) dial(token string) *websocket.Conn {
	s.t.Helper()
	ws, res, err := websocket.Dial(s.t.Context(), s.SyncURL(), &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		s.t.Fatal(err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	s.t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

// ends waits for a device's connection to be ended at once, for the reason that it is not signed in any more.
func (s *site) ends(ws *websocket.Conn) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), servertest.AtOnce)
	defer cancel()
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			if got := websocket.CloseStatus(err); got != wire.CloseUnauthenticated {
				s.t.Errorf("the connection ended with %d, %v", got, err)
			}
			return
		}
	}
}

var endIDs = regexp.MustCompile(`name="end" value="([0-9a-f]+)"`)

func TestTheAccountPageChangesTheAccount(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(client(t), http.MethodGet, "/account", nil).is(t, "nobody", 303, "/login?next=%2Faccount")
	c := s.enter("ann@example.org", password, "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/130.0")
	other := s.enter("ann@example.org", password, "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0")
	page := s.do(c, http.MethodGet, "/account", nil).is(t, "page", 200, "Firefox on Windows", "Firefox on Linux", "This one", "ann@example.org", "Confirmed", `aria-current="page"`)
	if strings.Contains(page.body, "ses_") || strings.Contains(page.body, "$argon2id") {
		t.Error("a secret is in the page")
	}

	s.do(c, http.MethodPost, "/account/name", url.Values{"name": {"<b>Ann</b>"}}).is(t, "name", 303, "/account?done=name#name")
	s.do(c, http.MethodGet, "/account?done=name", nil).is(t, "name", 200, "Your name is changed.", "&lt;b&gt;Ann&lt;/b&gt;")
	s.do(c, http.MethodPost, "/account/name", url.Values{"name": {strings.Repeat("x", 81)}}).is(t, "a long name", 422, `role="alert"`)

	ids := endIDs.FindAllStringSubmatch(page.body, -1)
	device := s.dial(s.LogIn("ann@example.org").Token)
	for _, id := range ids {
		s.do(c, http.MethodPost, "/account/sessions", url.Values{"end": {id[1]}}).is(t, "end one", 303, "/account?done=session#sessions")
	}
	s.do(other, http.MethodGet, "/account", nil).is(t, "the one that was ended", 303)
	s.do(c, http.MethodPost, "/account/sessions", url.Values{}).is(t, "end nothing", 404, `role="alert"`)
	s.do(c, http.MethodPost, "/account/sessions", url.Values{"end": {"others"}}).is(t, "end all others", 303, "/account?done=others#sessions")
	s.ends(device)

	s.do(c, http.MethodPost, "/account/password", url.Values{"present": {"wrong"}, "password": {newPassword}}).is(t, "with a wrong password", 422, "not your present password", `role="alert"`)
	s.do(c, http.MethodPost, "/account/password", url.Values{"present": {password}, "password": {newPassword}}).is(t, "password", 303, "/account?done=password#password")
	s.do(c, http.MethodPost, "/account/address", url.Values{"email": {"new@example.org"}, "password": {newPassword}}).is(t, "address", 303, "/account?done=mail#address")
	link := s.mailed("new@example.org", 0, "/verify/")
	s.do(c, http.MethodGet, "/account", nil).is(t, "still the old address", 200, "ann@example.org")
	if a := s.do(client(t), http.MethodGet, link, nil).is(t, "the mail's link elsewhere", 200, "new@example.org", "log in to it first"); strings.Contains(a.body, "Use this address") {
		t.Error("whoever is not signed in can confirm it")
	}
	s.do(client(t), http.MethodPost, link, url.Values{}).is(t, "confirm without the account", 303, link)
	s.do(c, http.MethodGet, link, nil).is(t, "the mail's link", 200, "new@example.org", "Use this address")
	s.do(c, http.MethodPost, link, url.Values{}).is(t, "confirm", 200, "Your address is confirmed")
	s.do(c, http.MethodPost, link, url.Values{}).is(t, "once more", 404)
	s.do(c, http.MethodGet, "/account", nil).is(t, "the new address", 200, "new@example.org")
	s.enter("new@example.org", newPassword, "")
	s.do(c, http.MethodPost, "/account/verify", url.Values{}).is(t, "verify what is confirmed", 409, "confirmed already")
}

var secrets = regexp.MustCompile(`api_[A-Za-z0-9_-]{32}`)

// A token is shown once, and opens neither the account's pages and API nor the websocket of sync.
func TestTokensForProgramsAreKeptFromTheAccount(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.enter("ann@example.org", password, "")
	s.do(c, http.MethodPost, "/account/tokens", url.Values{"name": {"x"}, "expires": {"30"}}).is(t, "no scope", 422, "at least one thing")
	s.do(c, http.MethodPost, "/account/tokens", url.Values{"name": {"x"}, "scope": {"boards:read"}, "expires": {"date"}, "date": {"2020-01-01"}}).is(t, "in the past", 422, "ends in the future", `value="2020-01-01"`)
	s.do(c, http.MethodPost, "/account/tokens", url.Values{"name": {"x"}, "scope": {"boards:read"}, "expires": {"7"}}).is(t, "no such time", 422, "how long")
	made := s.do(c, http.MethodPost, "/account/tokens", url.Values{"name": {"Nightly"}, "scope": {"boards:read", "boards:write"}, "expires": {"date"}, "date": {time.Now().Add(48 * time.Hour).UTC().Format(time.DateOnly)}}).
		is(t, "make", 200, "Nightly", "Copy the new token now", "Never used")
	secret := secrets.FindString(made.body)
	if secret == "" {
		t.Fatal("no secret is shown")
	}
	if page := s.do(c, http.MethodGet, "/account", nil).is(t, "later", 200, "Nightly"); secrets.MatchString(page.body) {
		t.Error("the secret is shown again")
	}
	for _, route := range s.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if !strings.HasPrefix(path, "/api/v1/account") && path != wire.SyncPath {
			continue
		}
		a := s.do(client(t), method, strings.ReplaceAll(path, "{id}", "others"), nil, "Authorization", "Bearer "+secret, "Content-Type", "application/json")
		var e struct{ Error struct{ Kind string } }
		if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.status != 403 || e.Error.Kind != "denied" {
			t.Errorf("%s: %d %s", route.Pattern, a.status, a.body)
		}
	}
	for _, path := range []string{"/account", "/account/delete"} {
		s.do(client(t), http.MethodGet, path, nil, "Cookie", "widgets-session="+secret).is(t, path, 303)
	}
	s.do(client(t), http.MethodGet, "/", nil, "Cookie", "widgets-session="+secret).is(t, "start page", 200, `href="/signup"`)
	id := regexp.MustCompile(`name="id" value="([0-9a-f]+)"`).FindStringSubmatch(made.body)[1]
	s.do(c, http.MethodPost, "/account/tokens/revoke", url.Values{"id": {id}}).is(t, "revoke", 303, "/account?done=revoked#tokens")
	s.do(client(t), http.MethodGet, "/api/v1/account", nil, "Authorization", "Bearer "+secret).is(t, "revoked", 401)
}

// Deleting an account asks for the password and the address, and cuts everything at once: devices, viewers, links.
func TestV1_DeletingAnAccountCutsEverything(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.enter("ann@example.org", password, "")
	s.do(c, http.MethodGet, "/account/delete", nil).is(t, "page", 200, "1 dashboard", "Sales figures", "Type your address")
	s.do(c, http.MethodPost, "/account/delete", url.Values{"email": {"ann@example.org"}, "password": {"wrong"}}).is(t, "with a wrong password", 422, `role="alert"`)
	s.do(c, http.MethodPost, "/account/delete", url.Values{"email": {"bob@example.org"}, "password": {password}}).is(t, "with another address", 422, `role="alert"`)
	s.get(share(s.link)).is(t, "the link before", 200)
	device, viewer := s.dial(s.LogIn("ann@example.org").Token), s.watch(s.link)
	if _, code := s.read(viewer); code != 0 {
		t.Fatalf("the viewer was cut: %d", code)
	}
	s.do(c, http.MethodPost, "/account/delete", url.Values{"email": {"ann@example.org"}, "password": {password}}).is(t, "delete", 200, "Your account is deleted")
	s.ends(device)
	for begun := time.Now(); ; {
		_, code := s.read(viewer)
		if took := time.Since(begun); took > servertest.AtOnce {
			t.Errorf("the viewer was cut after %s", took)
		}
		if code != 0 {
			break
		}
	}
	s.get(share(s.link)).is(t, "the link", 404)
	s.do(c, http.MethodGet, "/account", nil).is(t, "the account", 303)
	s.do(client(t), http.MethodPost, "/login", url.Values{"email": {"ann@example.org"}, "password": {password}}).is(t, "log in", 401)
	s.Restart()
	s.get(share(s.link)).is(t, "the link after a restart", 404)
	s.SignUp("ann@example.org")
	if _, err := s.own.Command(t.Context(), s.id, sharing.Enable); err == nil {
		t.Error("the link can be turned on again")
	}
}
