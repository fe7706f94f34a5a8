package ratelimit_test

import (
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/ratelimit"
)

func TestBurstThenOneInEachInterval(t *testing.T) {
	l := ratelimit.New(3, time.Minute, 0)
	now := time.Unix(1000, 0)
	for i := range 3 {
		if err := l.Take("a", now); err != nil {
			t.Fatalf("action %d: %v", i, err)
		}
	}
	var ex *ratelimit.ExceededError
	if err := l.Take("a", now); !errors.As(err, &ex) || ex.After != time.Minute {
		t.Fatalf("fourth action: %v", err)
	}
	if err := l.Take("b", now); err != nil {
		t.Fatalf("another key: %v", err)
	}
	if err := l.Take("a", now.Add(59*time.Second)); err == nil {
		t.Fatal("came back too early and was let in")
	}
	if err := l.Take("a", now.Add(time.Minute)); err != nil {
		t.Fatalf("came back in time: %v", err)
	}
}

func TestParallelTakesSpendTheBudgetExactly(t *testing.T) {
	l := ratelimit.New(5, time.Hour, 0)
	var ok atomic.Int32
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			if l.Take("x", time.Unix(0, 0)) == nil {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	if ok.Load() != 5 {
		t.Fatalf("%d of 500 were let in, want 5", ok.Load())
	}
}

func TestManyKeysStayBounded(t *testing.T) {
	l := ratelimit.New(2, time.Hour, 100)
	now := time.Unix(0, 0)
	_ = l.Take("victim", now)
	_ = l.Take("victim", now)
	for i := range 10_000 {
		if err := l.Take(strconv.Itoa(i), now); err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	// The table held one key with a spent budget among a hundred half-spent ones; those were pushed out, it was not.
	if err := l.Take("victim", now); err == nil {
		t.Fatal("a flood of other keys gave the victim's budget back")
	}
}

func TestClient(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"2001:db8::1", "2001:db8::ffff:1"},
		{"192.0.2.1", "::ffff:192.0.2.1"},
		{"fe80::1%eth0", "fe80::2%eth1"},
	} {
		if x, y := ratelimit.Client(netip.MustParseAddr(c.a)), ratelimit.Client(netip.MustParseAddr(c.b)); x != y {
			t.Errorf("%s and %s are different clients: %s, %s", c.a, c.b, x, y)
		}
	}
	if x, y := ratelimit.Client(netip.MustParseAddr("2001:db8::1")), ratelimit.Client(netip.MustParseAddr("2001:db8:0:1::1")); x == y {
		t.Error("two networks are one client")
	}
}

// A clock that ran a year ahead and was set back leaves budgets behind that seem to be full in a year.
func TestP5_AClockThatRanAheadSpendsNoMoreThanABudget(t *testing.T) {
	r := ratelimit.Rate{Burst: 5, Interval: 2 * time.Minute}
	now := time.UnixMilli(1_790_000_000_000)
	if wait := r.Wait(now.AddDate(1, 0, 0), now); wait != 2*time.Minute {
		t.Errorf("wait %s", wait)
	}
	full := time.Time{}
	for i := range 5 {
		if wait := r.Wait(full, now); wait != 0 {
			t.Fatalf("attempt %d waits %s", i, wait)
		}
		full = r.Spend(full, now)
	}
	if wait := r.Wait(full, now); wait != 2*time.Minute {
		t.Errorf("after the burst: %s", wait)
	}
}
