package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/servertest"
)

// answer is what came back: Fault is the one in the body, if there is one.
type answer struct {
	status int
	header http.Header
	fault  *fault.Error
	body   string
}

func call(t *testing.T, srv *servertest.Server, method, path, contentType, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Error *fault.Error `json:"error"`
	}
	_ = json.Unmarshal(raw, &e)
	return answer{res.StatusCode, res.Header, e.Error, strings.TrimSpace(string(raw))}
}

func TestServerSaysWhatItIs(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	a := call(t, srv, http.MethodGet, "/api/v1/server", "", "")
	if want := `{"base":"` + srv.URL() + `","mail":true,"product":"widgets.pro","versions":[1]}`; a.body != want || a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if cc := a.header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control %q", cc)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := call(t, srv, http.MethodGet, path, "", ""); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestSignUpLogInLogOut(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	up := srv.SignUp("ann@example.org")
	in := srv.LogIn("ann@example.org")
	if up.Account != in.Account || up.Token == in.Token || in.Email != "ann@example.org" {
		t.Errorf("%+v and %+v", up, in)
	}
	if status, body := srv.Post("/api/v1/logout", in.Token, nil); status != http.StatusNoContent || len(body) != 0 {
		t.Errorf("log out: %d %s", status, body)
	}
	if status, _ := srv.Post("/api/v1/logout", "", nil); status != http.StatusUnauthorized {
		t.Errorf("log out of nothing: %d", status)
	}
	srv.Restart()
	srv.LogIn("ann@example.org")
}

func TestB1_BadRequestsAreToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	const js = "application/json"
	for name, c := range map[string]struct {
		method, path, contentType, body string
		status                          int
		field                           string
	}{
		"no JSON":         {http.MethodPost, "/api/v1/signup", js, `{`, 422, ""},
		"two values":      {http.MethodPost, "/api/v1/signup", js, `{}{}`, 422, ""},
		"wrong type":      {http.MethodPost, "/api/v1/login", js, `{"email":7}`, 422, "email"},
		"no address":      {http.MethodPost, "/api/v1/signup", js, `{"password":"12345678"}`, 422, "email"},
		"short password":  {http.MethodPost, "/api/v1/signup", js, `{"email":"a@example.org","password":"x"}`, 422, "password"},
		"form":            {http.MethodPost, "/api/v1/login", "application/x-www-form-urlencoded", `email=a`, 422, "Content-Type"},
		"oversized":       {http.MethodPost, "/api/v1/login", js, `{"email":"` + strings.Repeat("x", 1<<20) + `"}`, 413, ""},
		"unknown account": {http.MethodPost, "/api/v1/login", js, `{"email":"a@example.org","password":"12345678"}`, 401, ""},
		"unknown route":   {http.MethodGet, "/api/v1/nothing", "", "", 404, ""},
		"wrong method":    {http.MethodDelete, "/api/v1/login", "", "", 404, ""},
	} {
		a := call(t, srv, c.method, c.path, c.contentType, c.body)
		if a.status != c.status || a.fault == nil || a.fault.Message == "" || a.fault.Field != c.field {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestLogInLimitTellsWhenToComeBack(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	for range 10 {
		_ = call(t, srv, http.MethodPost, "/api/v1/login", "application/json", `{"email":"a@example.org","password":"12345678"}`)
	}
	a := call(t, srv, http.MethodPost, "/api/v1/login", "application/json", `{"email":"a@example.org","password":"12345678"}`)
	if a.status != http.StatusTooManyRequests || a.fault == nil || a.fault.Kind != fault.Busy || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s, Retry-After %q", a.status, a.body, a.header.Get("Retry-After"))
	}
}

func TestB1_FullDiskIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{MaxBytes: 256 << 10})
	made, refused := 0, false
	for i := range 15 {
		a := call(t, srv, http.MethodPost, "/api/v1/signup", "application/json",
			`{"email":"`+strings.Repeat("a", 200)+string(rune('a'+i))+`@example.org","password":"12345678"}`)
		switch {
		case a.status == http.StatusAccepted:
			made++
		case a.status == http.StatusServiceUnavailable && a.fault != nil && strings.Contains(a.fault.Message, "space"):
			refused = true
		default:
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if made == 0 {
		t.Error("nothing fits")
	}
	t.Logf("%d sign-ups begun, refused: %v", made, refused)
}
