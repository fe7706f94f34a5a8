package webapp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/internal/webapp"
)

// someone is an account that is always signed in.
type someone struct{ account.Identity }

func (s someone) Person(context.Context, string) (account.Identity, error) { return s.Identity, nil }
func (someone) LogOut(context.Context, string) error                       { return nil }

// alone is a workspace of its own, for one account that is signed in, and how to ask it.
func alone(t *testing.T) (*webapp.Service, func(ctx context.Context, method, path string, body io.Reader) *httptest.ResponseRecorder) {
	t.Helper()
	s, _, ask := watched(t, room.New(), slog.New(slog.DiscardHandler))
	return s, ask
}

// watched is alone with rooms and a log to look at.
func watched(t *testing.T, rooms *room.Rooms, log *slog.Logger) (*webapp.Service, store.Store, func(ctx context.Context, method, path string, body io.Reader) *httptest.ResponseRecorder) {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db"), Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	begun := time.Now()
	me := account.Identity{Account: "acc_1", Email: "ann@example.org", Session: store.Hash{1}, Expires: begun.Add(100 * time.Hour)}
	if err := st.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: me.Account, Email: me.Email, Personal: "org_1"}); err != nil {
			return err
		}
		return tx.Sessions().Put(store.Session{Hash: me.Session, Account: me.Account, Expires: me.Expires.UnixMilli()})
	}); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64 // each request comes five seconds after the one before it, so that no budget is spent
	s, err := webapp.New(webapp.Config{
		Store: st, Rooms: rooms, Accounts: someone{me}, Log: log, Random: rand.Reader, Base: "http://localhost",
		Now: func() time.Time { return begun.Add(time.Duration(n.Load()) * 5 * time.Second) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	mux := http.NewServeMux()
	for _, r := range s.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	return s, st, func(ctx context.Context, method, path string, body io.Reader) *httptest.ResponseRecorder {
		n.Add(1)
		r := httptest.NewRequestWithContext(ctx, method, webapp.Prefix+path, body)
		r.AddCookie(&http.Cookie{Name: account.CookieName(false), Value: "ses_x"})
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
}

// Whoever asks for dashboards that are not theirs, or not there, makes the server keep nothing of them.
func TestA5_B1_NothingIsKeptOfWhatSomebodyMayNotSee(t *testing.T) {
	t.Parallel()
	s, ask := alone(t)
	for range 10 {
		at := "boards/" + string(board.NewID(ulid.Make()))
		if got := ask(t.Context(), http.MethodGet, at, nil).Code; got != http.StatusNotFound {
			t.Fatalf("reading is answered %d", got)
		}
		if got := ask(t.Context(), http.MethodPost, at+"/edits", strings.NewReader(`{"edits":[]}`)).Code; got != http.StatusNotFound {
			t.Fatalf("editing is answered %d", got)
		}
	}
	if dashboards, steps := s.Kept(); dashboards != 0 || steps != 0 {
		t.Errorf("%d dashboards and the steps on %d are kept", dashboards, steps)
	}
}

// However many dashboards somebody begins to edit, the steps on no more than so many are kept.
func TestB1_StepsAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := alone(t)
	for range webapp.MaxStepbook + 10 {
		if err := s.BeginSteps("acc_1", board.NewID(ulid.Make())); err != nil {
			t.Fatal(err)
		}
	}
	if _, steps := s.Kept(); steps != webapp.MaxStepbook {
		t.Errorf("the steps on %d are kept", steps)
	}
}

// Polls take up none of the places for requests with a large body, whatever they say of the length of theirs.
func TestB1_PollsKeepNoLargeRequestOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, ask := alone(t)
		var first batch
		if err := json.Unmarshal(ask(t.Context(), http.MethodGet, "events?after=0&client=x", nil).Body.Bytes(), &first); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var polls sync.WaitGroup
		for i := range 4 {
			polls.Go(func() {
				ask(ctx, http.MethodGet, fmt.Sprintf("events?after=%d&client=tab%d", first.Next, i), io.MultiReader())
			})
		}
		synctest.Wait()
		if got := ask(t.Context(), http.MethodPost, "external", strings.NewReader(strings.Repeat("x", 100<<10))); got.Code != http.StatusOK {
			t.Errorf("a large request is answered %d %s", got.Code, got.Body)
		}
		cancel()
		polls.Wait()
	})
}

// A browser whose session is over by time is told nothing more, its poll ends, and nobody has to act.
func TestV1_ASessionThatEndsByTimeEndsItsPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		rooms := room.New()
		_, st, ask := watched(t, rooms, slog.New(slog.NewTextHandler(&logged, nil)))
		var made struct{ ID board.ID }
		if err := json.Unmarshal(ask(t.Context(), http.MethodPost, "boards", strings.NewReader(`{"title":"Shop"}`)).Body.Bytes(), &made); err != nil {
			t.Fatal(err)
		}
		ask(t.Context(), http.MethodGet, "boards/"+string(made.ID), nil)
		var first batch
		if err := json.Unmarshal(ask(t.Context(), http.MethodGet, "events?after=0&client=x", nil).Body.Bytes(), &first); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var second batch
		var poll sync.WaitGroup
		poll.Go(func() {
			answer := ask(t.Context(), http.MethodGet, fmt.Sprintf("events?after=%d&client=x", first.Next), nil)
			_ = json.Unmarshal(answer.Body.Bytes(), &second)
		})
		synctest.Wait()
		if err := st.Update(t.Context(), func(tx store.Tx) error {
			return tx.Sessions().Put(store.Session{Hash: store.Hash{1}, Account: "acc_1", Expires: 1})
		}); err != nil {
			t.Fatal(err)
		}
		rooms.People([]board.ID{made.ID})
		poll.Wait()
		if len(second.Events) != 0 || logged.Len() != 0 {
			t.Errorf("told %v, logged %s", second.Events, &logged)
		}
	})
}
