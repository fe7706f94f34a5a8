package owner_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"widgets.pro/syncserver/servertest/owner"
)

func TestAMailboxIsReadFromItsOldestMail(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	looked := 0
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/dev/mail.json" {
			http.NotFound(w, r)
			return
		}
		if looked++; looked == 6 {
			cancel() // in vain
		}
		_, _ = io.WriteString(w, `[{"to":"ann@example.org","text":"Open\n\nhttps://a.example/3\n"},{"to":"ben@example.org","text":"https://a.example/2"},{"to":"ann@example.org","text":"https://a.example/1 and http://b.example"}]`)
	}))
	t.Cleanup(ts.Close)
	read := owner.Mailbox(ts.URL)
	for skip, want := range [][]string{{"https://a.example/1", "http://b.example"}, {"https://a.example/3"}} {
		if got, err := read(ctx, "ann@example.org", skip); err != nil || !slices.Equal(got, want) {
			t.Errorf("mail %d: %v, %v", skip, got, err)
		}
	}
	if _, err := read(ctx, "ann@example.org", 2); !errors.Is(err, context.Canceled) {
		t.Errorf("one that does not come: %v", err)
	}
}
