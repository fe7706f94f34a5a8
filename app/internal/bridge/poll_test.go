package bridge_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
)

type batch struct {
	Next   int64
	Events []workspace.Event
	Reset  bool
}

// poll sends one poll and delivers its answer.
func poll(ctx context.Context, h http.Handler, client string, after int64) <-chan batch {
	out := make(chan batch, 1)
	go func() {
		w := httptest.NewRecorder()
		path := fmt.Sprintf("/api/events?after=%d&client=%s", after, client)
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody))
		var b batch
		_ = json.Unmarshal(w.Body.Bytes(), &b)
		out <- b
	}()
	return out
}

func TestPollsTellOfChanges(t *testing.T) {
	f := opened(t, bridge.Deps{Start: 1000})
	first := <-poll(t.Context(), f, "a", 0)
	if !first.Reset || first.Next < 1000 || len(first.Events) != 1 || first.Events[0].Type != workspace.EventState {
		t.Fatalf("%+v", first)
	}
	waiting := poll(t.Context(), f, "a", first.Next)
	id := f.create("Shop")
	second := <-waiting
	if second.Reset || second.Next <= first.Next || len(second.Events) == 0 {
		t.Fatalf("%+v", second)
	}
	version := f.view(id).Version
	for i := range 50 {
		f.ask("POST", "/api/boards/"+string(id)+"/edits", fmt.Sprintf(`{"label":"rename","edits":[{"do":"board","field":"title","value":"%d"}]}`, i), nil)
	}
	// However many changes there were, they come as one event for the dashboard and one for the state.
	last := f.view(id).Version
	for got, next := int64(0), second.Next; got < last; {
		b := <-poll(t.Context(), f, "a", next)
		if len(b.Events) > 2 {
			t.Fatalf("%d events", len(b.Events))
		}
		next = b.Next
		for _, e := range b.Events {
			if e.Type == workspace.EventBoard && e.ID == id {
				got = e.Version
			}
		}
	}
	if last <= version {
		t.Errorf("version %d after %d", last, version)
	}
	if again := <-poll(t.Context(), f, "b", first.Next); len(again.Events) < 2 || again.Reset {
		t.Errorf("another screen, from the beginning: %+v", again)
	}
	for _, unknown := range []int64{-1, 999, 1 << 50} {
		if b := <-poll(t.Context(), f, "a", unknown); !b.Reset || b.Next < second.Next {
			t.Errorf("after %d: %+v", unknown, b)
		}
	}
}

// What is told before there is a screen, such as at the start, is shown by the first one.
func TestL5_NoticesWaitForTheFirstScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := closed(t, bridge.Deps{Start: 1000})
		ws := newWorkspace(t)
		f.Open(ws)
		ws.Tell(fault.New(fault.Unavailable, "Told early."))
		synctest.Wait()
		first := <-poll(t.Context(), f, "a", 0)
		if n := len(first.Events); !first.Reset || n != 2 || first.Events[1].Notice == nil || first.Events[1].Notice.Message != "Told early." {
			t.Errorf("%+v", first)
		}
		ws.Tell(fault.New(fault.Unavailable, "Told later."))
		if b := <-poll(t.Context(), f, "a", first.Next); len(b.Events) != 1 || b.Events[0].Notice.Message != "Told later." {
			t.Errorf("%+v", b)
		}
		if again := <-poll(t.Context(), f, "b", 0); !again.Reset || len(again.Events) != 1 {
			t.Errorf("told again: %+v", again)
		}
		f.Close()
	})
}

// empty makes a bridge inside a synctest bubble, with nothing but time in it.
func empty(t *testing.T) *bridge.Bridge {
	t.Helper()
	b := bridge.New(bridge.Deps{Start: 1, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(b.Close)
	return b
}

func TestPollsEndAfterTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := empty(t)
		began := time.Now()
		got := <-poll(t.Context(), b, "a", 1)
		if len(got.Events) != 0 || got.Next != 1 || time.Since(began) != 20*time.Second {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
	})
}

func TestPollsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := empty(t)
		ended := func(c <-chan batch) bool {
			synctest.Wait()
			select {
			case <-c:
				return true
			default:
				return false
			}
		}
		first := poll(t.Context(), b, "a", 1)
		synctest.Wait()
		second := poll(t.Context(), b, "a", 1)
		if !ended(first) {
			t.Error("the same screen's older poll still waits")
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := poll(ctx, b, "gone", 1)
		synctest.Wait()
		cancel()
		if !ended(gone) {
			t.Error("the poll of a closed tab still waits")
		}
		var others []<-chan batch
		for i := range 3 {
			others = append(others, poll(t.Context(), b, fmt.Sprint(i), 1))
			synctest.Wait()
		}
		if ended(second) {
			t.Error("four polls are too many")
		}
		fifth := poll(t.Context(), b, "fifth", 1)
		if !ended(second) {
			t.Error("five polls wait")
		}
		b.Fail(fault.New(fault.Busy, "x"))
		for _, c := range append(others, fifth) {
			if got := <-c; len(got.Events) != 1 {
				t.Errorf("%+v", got)
			}
		}
		last := poll(t.Context(), b, "last", 2)
		synctest.Wait()
		b.Close()
		<-last
		<-poll(t.Context(), b, "late", 2)
	})
}
