package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"widgets.pro/syncserver/servertest"
)

// The description of the API names every route under /api/v1 and no other, and every name that it refers to is there.
func TestTheDescriptionIsOfTheRoutes(t *testing.T) {
	srv := servertest.Start(t, servertest.Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/api/v1/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("%d %v, %v", res.StatusCode, res.Header, err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for m := range methods {
			if m != "parameters" {
				described[strings.ToUpper(m)+" "+path] = true
			}
		}
	}
	n := 0
	for _, r := range srv.Routes() {
		if !strings.Contains(r.Pattern, " /api/v1/") {
			continue
		}
		n++
		if !described[r.Pattern] {
			t.Errorf("%s is not described", r.Pattern)
		}
		delete(described, r.Pattern)
	}
	for d := range described {
		t.Errorf("%s is described and is no route", d)
	}
	if n < 10 {
		t.Errorf("only %d routes", n)
	}
}
