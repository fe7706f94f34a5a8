package account_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"widgets.pro/syncserver/internal/account"
)

func TestLabelsNameProgramAndSystem(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"":                         "",
		"Go-http-client/1.1":       "",
		"widgets.pro/1.0 (linux)":  "Desktop app on Linux",
		"widgets.pro/1.0 (darwin)": "Desktop app on Mac",
		"widgets.pro/dev":          "Desktop app",
		"widgets-cli/1 (windows)":  "Command line on Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                                                             "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36":                    "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 Edg/128.0.0.0":      "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15":              "Safari on Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/1 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36":                    "Chrome on Android",
		"Mozilla/5.0 (Windows NT 10.0) <script>Firefox/1\x00":                                                                                "Firefox on Windows",
		strings.Repeat("x", 1000) + "Firefox/1 Windows":                                                                                      "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := account.LabelOf(r); got != want {
			t.Errorf("%.60q: %q, want %q", agent, got, want)
		}
	}
}
