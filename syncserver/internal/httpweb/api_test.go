package httpweb_test

import (
	"net/http"
	"strings"
	"testing"

	"widgets.pro/syncserver/servertest"
)

// The page of the API names every call with its scope, without a script, and nothing of it can be framed.
func TestE5_ThePageOfTheAPI(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/api", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var page strings.Builder
	if err := res.Write(&page); err != nil {
		t.Fatal(err)
	}
	got := page.String()
	at := -1
	for _, want := range []string{
		"<b>GET</b> /api/v1/boards</code>", "<b>POST</b> /api/v1/boards</code>", "<b>POST</b> /api/v1/boards/{board}/link</code>", "Scope: boards:share.",
		"enable | disable | rotate", "<b>PUT</b> /api/v1/boards/{board}/widgets/{widget}/rows</code>", "list of {name, type}, required", "Idempotency-Key",
		"<b>GET</b> /api/v1/organisations</code>", "<b>POST</b> /api/v1/account/tokens</code>", "<b>POST</b> /api/v1/login</code>", "no token",
	} {
		i := strings.Index(got[at+1:], want)
		if i < 0 {
			t.Errorf("%q is not there, or not in its place", want)
			continue
		}
		at += 1 + i
	}
	if strings.Contains(got, "<script") || !strings.Contains(got, "frame-ancestors 'none'") {
		t.Error("the page has a script, or may be framed")
	}
}
