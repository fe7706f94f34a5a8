package syncclient_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/syncclient"
	"widgets.pro/app/internal/workspace"
)

// timer is a wait that the client asked for; the test ends it by closing over.
type timer struct {
	delay time.Duration
	over  chan time.Time
}

// lonely runs a client whose server cannot be reached, on the test's clock.
func lonely(t *testing.T, network func() string, jitter float64) (*workspace.Workspace, <-chan timer) {
	t.Helper()
	const server = "http://127.0.0.1:1"
	store, err := localstore.Open(filepath.Join(t.TempDir(), "data.db"), localstore.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	account := localstore.Account{Server: server, ID: "acc_1"}
	if err := store.Update(func(tx *localstore.Tx) error { return tx.SetAccount(account) }); err != nil {
		t.Fatal(err)
	}
	keys := &keys{m: map[string]string{account.Key(): "ses_1"}}
	log := slog.New(slog.DiscardHandler)
	w, err := workspace.New(workspace.Deps{Store: store, Now: time.Now, Random: rand.Reader, Log: log, Credentials: keys})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	timers := make(chan timer)
	c := syncclient.New(syncclient.Deps{
		Workspace: w, Credentials: keys, HTTP: &http.Client{}, Now: time.Now, Log: log, App: "test", Network: network,
		Jitter: func() float64 { return jitter },
		After: func(d time.Duration) <-chan time.Time {
			m := timer{d, make(chan time.Time)}
			select {
			case timers <- m:
			case <-ctx.Done():
			}
			return m.over
		},
	})
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = store.Close()
	})
	return w, timers
}

func TestBackOffDoublesFromOneSecondToOneMinute(t *testing.T) {
	for jitter, want := range map[float64][]time.Duration{
		0: {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000},
		1: {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000},
	} {
		w, timers := lonely(t, nil, jitter)
		var got []time.Duration
		for range want {
			m := <-timers
			got = append(got, m.delay/time.Millisecond)
			close(m.over)
		}
		if !slices.Equal(got, want) {
			t.Errorf("jitter %v: got %v, want %v", jitter, got, want)
		}
		<-timers
		if s := w.State().Sync; s.State != workspace.StateOffline || s.Hint == "" {
			t.Errorf("%+v", s)
		}
		w.RetrySync() // the user does not wait, and begins the delays anew
		if m := <-timers; m.delay/time.Millisecond != want[0] {
			t.Errorf("after a retry the delay is %v", m.delay)
		}
	}
}

func TestBackOffEndsWhenTheNetworkChanges(t *testing.T) {
	var network atomic.Value
	network.Store("none")
	_, timers := lonely(t, func() string { s, _ := network.Load().(string); return s }, 0)
	for range 2 { // too short to look at the network
		close((<-timers).over)
	}
	if m := <-timers; m.delay != 4*time.Second {
		t.Fatalf("delay %v", m.delay)
	}
	close((<-timers).over) // looks, and sees no change
	poll := <-timers
	network.Store("lan")
	close(poll.over)
	if m := <-timers; m.delay != time.Second {
		t.Errorf("delay %v after the network changed", m.delay)
	}
}
