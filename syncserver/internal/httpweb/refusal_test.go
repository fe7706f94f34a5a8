package httpweb_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/httpweb"
	"widgets.pro/syncserver/internal/page"
)

// failing is Pages that always fails.
type failing struct{ err error }

func (f failing) Document(context.Context, sharing.Token, page.Proof, page.Options) (*page.Document, error) {
	return nil, f.err
}

func (f failing) Live(http.ResponseWriter, *http.Request, sharing.Token, page.Proof, uint64, string) error {
	return f.err
}

func (f failing) Summary(context.Context, sharing.Token) (page.Summary, error) {
	return page.Summary{}, f.err
}

func (f failing) Picture(context.Context, sharing.Token) (*page.Picture, error) { return nil, f.err }
func (f failing) PromptPolicy(sharing.Origins) string                           { return "" }

// TestRefusalsSayWhatToDoNext: what fails on the way to a dashboard is answered by a page that frames may show.
func TestRefusalsSayWhatToDoNext(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		status int
		title  string
		header map[string]string
	}{
		"going down": {fault.New(fault.Unavailable, "The server is restarting."), 503, "Back in a moment", map[string]string{"Retry-After": "5", "Refresh": "5"}},
		"busy":       {fault.New(fault.Busy, "This dashboard is changing too quickly."), 429, "A little too much at once", map[string]string{"Retry-After": "5", "Refresh": ""}},
		"broken":     {errors.New("a secret detail"), 500, "That did not work", map[string]string{"Refresh": ""}},
		"gone":       {fault.New(fault.NotFound, "a secret detail"), 404, "This link does not work", map[string]string{"Refresh": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			assets, err := httpweb.LoadAssets(nil)
			if err != nil {
				t.Fatal(err)
			}
			site, err := httpweb.New(httpweb.Config{
				Base: "https://dash.example", Pages: failing{tt.err}, Assets: assets, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
			})
			if err != nil {
				t.Fatal(err)
			}
			for query, start := range map[string]string{
				"": `<html lang="en">`, "?theme=dark&embed=true": `<html lang="en" data-theme="dark" data-embed>`, "?theme=system": `<html lang="en">`,
			} {
				rec := httptest.NewRecorder()
				rec.Header().Set("X-Frame-Options", "DENY")
				site.Fast(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/share/x"+query, nil))
				body := rec.Body.String()
				if rec.Code != tt.status || !strings.Contains(body, start) || !strings.Contains(body, "<h1>"+tt.title+"</h1>") || strings.Contains(body, "secret") || strings.Contains(body, "<a ") {
					t.Errorf("%s: %d %s", query, rec.Code, body)
				}
				csp := rec.Header().Get("Content-Security-Policy")
				if !strings.Contains(csp, "frame-ancestors *") || !strings.Contains(csp, "default-src 'none'") || rec.Header().Get("X-Frame-Options") != "" {
					t.Errorf("%s: %v", query, rec.Header())
				}
				for k, want := range tt.header {
					if got := rec.Header().Get(k); got != want {
						t.Errorf("%s: %s is %q", query, k, got)
					}
				}
			}
		})
	}
}
