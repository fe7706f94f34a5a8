package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
)

// claims is a server on which sign-ups wait until the test confirms them.
type claims struct {
	accounts

	mu     sync.Mutex
	made   int
	asked  []string        // claims that were asked about, in order
	given  map[string]bool // confirmed ones
	over   map[string]bool
	fail   error
	resent []string
	out    []string // sessions that were ended
}

func (c *claims) SignUp(_ context.Context, server, _, _ string) (workspace.Pending, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	return workspace.Pending{Server: server, Claim: workspace.Secret(fmt.Sprintf("clm_%d", c.made)), Mailbox: server + "/dev/mail"}, nil
}

func (c *claims) Claim(_ context.Context, server string, claim workspace.Secret) (workspace.Session, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := string(claim)
	c.asked = append(c.asked, k)
	switch {
	case c.fail != nil:
		return workspace.Session{}, false, c.fail
	case c.over[k]:
		return workspace.Session{}, false, fault.New(fault.NotFound, "This sign-up is over.")
	case !c.given[k]:
		return workspace.Session{}, false, nil
	}
	c.over[k] = true
	return workspace.Session{Server: server, Account: "acc_new", Email: "ada@example.org", Token: "ses_" + k}, true, nil
}

func (c *claims) Resend(_ context.Context, _ string, claim workspace.Secret) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over[string(claim)] {
		return fault.New(fault.NotFound, "This sign-up is over.")
	}
	c.resent = append(c.resent, string(claim))
	return nil
}

func (c *claims) LogOut(_ context.Context, _, token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, token)
	return nil
}

// do changes or reads the server.
func (c *claims) do(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

const serverURL = "https://widgets.example.org"

// signing is a device at such a server, which has begun to sign up.
func signing(t *testing.T) (*device, *claims) {
	t.Helper()
	c := &claims{given: map[string]bool{}, over: map[string]bool{}}
	d := &device{t: t, path: t.TempDir() + "/data.db", now: time.Now(), keys: &keys{m: map[string]string{}}, server: c}
	d.open()
	t.Cleanup(func() { _ = d.store.Close() })
	d.must(d.SignUp(t.Context(), serverURL, " ada@example.org ", "secret password"))
	return d, c
}

// watch asks about the sign-up until stop is called, which returns once that has ended.
func (d *device) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.WatchSignUp(ctx, time.After)
	}()
	return func() { cancel(); <-done }
}

// A sign-up waits over restarts until the link in the mail was opened; then the device is signed in.
func TestI8_ASignUpWaitsForItsConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, c := signing(t)
		if s := d.State(); s.Account != nil || text(s.SignUp) != `{"email":"ada@example.org","server":"https://widgets.example.org","mailbox":"https://widgets.example.org/dev/mail"}` {
			t.Errorf("%s", text(s))
		}
		if s := text(d.State()) + d.log.String(); strings.Contains(s, "clm_1") || strings.Contains(s, "secret password") {
			t.Error("a secret is told")
		}
		stop := d.watch()
		time.Sleep(60 * time.Second)
		stop()
		c.do(func() {
			// Every 2 s at first, then less often, at least every 10 s.
			if n := len(c.asked); n < 8 || n > 14 {
				t.Errorf("asked %d times in a minute", n)
			}
		})
		d.restart()
		if d.State().SignUp == nil {
			t.Fatal("forgotten by a restart")
		}
		stop = d.watch()
		defer func() { stop() }()
		c.do(func() { c.fail = fault.New(fault.Unavailable, "It cannot be reached.") })
		time.Sleep(time.Minute)
		c.do(func() { c.fail, c.given["clm_1"] = nil, true })
		time.Sleep(10 * time.Second)
		if s := d.State(); s.SignUp != nil || s.Account == nil || s.Account.Email != "ada@example.org" {
			t.Errorf("%s", text(s))
		}
		if d.keys.count() != 1 || d.keys.token(serverURL+" acc_new") != "ses_clm_1" {
			t.Errorf("%d secrets kept", d.keys.count())
		}
		before := 0
		c.do(func() { before = len(c.asked) })
		time.Sleep(time.Minute)
		c.do(func() {
			if len(c.asked) != before {
				t.Error("still asking")
			}
		})
	})
}

func TestASignUpIsOverResentReplacedOrCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, c := signing(t)
		sub := d.Subscribe()
		defer sub.Close()
		stop := d.watch()
		defer func() { stop() }()
		d.must(d.ResendSignUp(t.Context()))
		c.do(func() {
			if len(c.resent) != 1 {
				t.Errorf("resent %v", c.resent)
			}
		})
		// Replaced: the new one counts.
		d.must(d.SignUp(t.Context(), serverURL, "bob@example.org", "secret password"))
		c.do(func() { c.asked = nil })
		time.Sleep(5 * time.Second)
		c.do(func() {
			if len(c.asked) == 0 || c.asked[0] != "clm_2" || d.keys.count() != 1 {
				t.Errorf("asked about %v, %d secrets kept", c.asked, d.keys.count())
			}
		})
		// Over: told, and gone.
		c.do(func() { c.over["clm_2"] = true })
		isFault(t, d.ResendSignUp(t.Context()), fault.Conflict)
		time.Sleep(10 * time.Second)
		events, err := sub.Wait(t.Context())
		d.must(err)
		if d.State().SignUp != nil || d.keys.count() != 0 || !strings.Contains(text(events), "sign in with your password") {
			t.Errorf("%s %s", text(d.State().SignUp), text(events))
		}
		isFault(t, d.ResendSignUp(t.Context()), fault.Conflict)
		// Cancelled: nothing is asked any more.
		d.must(d.SignUp(t.Context(), serverURL, "bob@example.org", "secret password"))
		d.must(d.CancelSignUp())
		d.must(d.CancelSignUp())
		c.do(func() { c.asked, c.given["clm_3"] = nil, true })
		time.Sleep(time.Minute)
		c.do(func() {
			if len(c.asked) != 0 || d.keys.count() != 0 || d.State().Account != nil {
				t.Errorf("asked about %v", c.asked)
			}
		})
		// Signing in by password ends it too.
		d.must(d.SignUp(t.Context(), serverURL, "bob@example.org", "secret password"))
		d.must(d.LogIn(t.Context(), serverURL, "bob@example.org", "right"))
		if s := d.State(); s.SignUp != nil || d.keys.count() != 1 {
			t.Errorf("%s, %d secrets kept", text(s.SignUp), d.keys.count())
		}
	})
}

// Whoever cancels while the server gives the session is not signed in, and the session is ended.
func TestASignUpCancelledAtTheLastMoment(t *testing.T) {
	d, c := signing(t)
	late := &lateClaims{claims: c, d: d}
	d.server = late
	d.restart()
	c.do(func() { c.given["clm_1"] = true })
	ctx, cancel := context.WithCancel(t.Context())
	late.done = cancel
	d.WatchSignUp(ctx, func(time.Duration) <-chan time.Time { return time.After(0) })
	if s := d.State(); s.Account != nil || s.SignUp != nil || len(c.out) != 1 || c.out[0] != "ses_clm_1" {
		t.Errorf("%s, ended %v", text(s), c.out)
	}
}

type lateClaims struct {
	*claims
	d    *device
	done func()
}

func (l *lateClaims) Claim(ctx context.Context, server string, claim workspace.Secret) (workspace.Session, bool, error) {
	l.d.must(l.d.CancelSignUp())
	return l.claims.Claim(ctx, server, claim)
}

func (l *lateClaims) LogOut(ctx context.Context, server, token string) error {
	defer l.done()
	return l.claims.LogOut(ctx, server, token)
}

// A full disk, or a keychain that is locked, leaves all as it was.
func TestASignUpThatCannotBeKept(t *testing.T) {
	d, _ := signing(t)
	d.breakDisk(errors.New("no disk"))
	if err := d.SignUp(t.Context(), serverURL, "bob@example.org", "secret password"); err == nil {
		t.Error("no error")
	}
	if s := d.State().SignUp; s == nil || s.Email != "ada@example.org" || d.keys.count() != 1 {
		t.Errorf("%s, %d secrets kept", text(s), d.keys.count())
	}
}
