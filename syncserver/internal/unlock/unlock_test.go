package unlock_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/internal/unlock"
)

const (
	ann      = store.AccountID("acc_ann")
	password = "pässwort of ann's"
)

// deaf is a content.Events that hears nothing.
type deaf struct{}

func (deaf) Content(board.ID, content.Step) {}
func (deaf) Access(content.AccessChange)    {}
func (deaf) List([]store.AccountID)         {}
func (deaf) People([]board.ID)              {}

// world is a Service over a real data file, with a clock that a test turns on and a count of what was hashed.
type world struct {
	t      *testing.T
	path   string
	store  store.Store
	unlock *unlock.Service
	ms     atomic.Int64
	hashed atomic.Int64
	during func() // if not nil, called in each comparison
	looked func() // if not nil, called after each look at the store
	links  map[sharing.Token]sharing.Command
	hashes map[string]sharing.Hash // by password: each takes its time to make
}

// slowReader tells when something has been read, which may be long before it is acted on.
type slowReader struct {
	store.Store
	w *world
}

func (s *slowReader) View(ctx context.Context, fn func(store.Tx) error) error {
	err := s.Store.View(ctx, fn)
	if s.w.looked != nil {
		s.w.looked()
	}
	return err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "server.db"), links: map[sharing.Token]sharing.Command{}, hashes: map[string]sharing.Hash{}}
	w.ms.Store(1_790_000_000_000)
	w.open()
	return w
}

// open opens the data file again, as after a crash: nothing is left but what is in it.
func (w *world) open() {
	w.t.Helper()
	if w.store != nil {
		if err := w.store.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	st, err := boltstore.Open(boltstore.Options{Path: w.path, Rehearse: true})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = st.Close() })
	w.store = st
	w.unlock = unlock.New(unlock.Config{
		Store: &slowReader{Store: st, w: w}, Now: func() time.Time { return time.UnixMilli(w.ms.Load()) }, Random: rand.Reader,
		Matches: func(h sharing.Hash, password string) bool {
			w.hashed.Add(1)
			if w.during != nil {
				w.during()
			}
			return h.Matches(password)
		},
	})
}

func (w *world) hash(password string) sharing.Hash {
	w.t.Helper()
	if h, made := w.hashes[password]; made {
		return h
	}
	h, err := sharing.HashPassword(rand.Reader, password)
	if err != nil {
		w.t.Fatal(err)
	}
	w.hashes[password] = h
	return h
}

// add makes a dashboard with a link that asks for password, "" for none.
func (w *world) add(password string) sharing.Token {
	w.t.Helper()
	token, err1 := sharing.NewToken(rand.Reader)
	short, err2 := sharing.NewShortID(rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		w.t.Fatal(err)
	}
	c := sharing.Command{Board: board.NewID(ulid.Make()), Action: sharing.Enable, Token: token, ShortID: short}
	if password != "" {
		c.Hash = w.hash(password)
	}
	if err := w.store.Update(w.t.Context(), func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: ann, Email: "ann", Personal: "org_ann"}); err != nil {
			return err
		}
		return content.Create(tx, deaf{}, ann, []content.NewBoard{{ID: c.Board, Epoch: 1}})
	}); err != nil {
		w.t.Fatal(err)
	}
	w.links[token] = c
	w.apply(c)
	return token
}

func (w *world) apply(c sharing.Command) {
	w.t.Helper()
	c.ID = sharing.NewCommandID(ulid.Make())
	if err := w.store.Update(w.t.Context(), func(tx store.Tx) error {
		l, err := tx.Links().Get(c.Board)
		if err != nil {
			return err
		}
		c.Base = l.Version
		out, err := sharelink.Apply(tx, deaf{}, access.Account(ann), c, w.ms.Load())
		if out.Fault != nil {
			return out.Fault
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// command changes the link with a token.
func (w *world) command(t sharing.Token, a sharing.Action, h sharing.Hash) {
	w.t.Helper()
	w.apply(sharing.Command{Board: w.links[t].Board, Action: a, Hash: h})
}

func (w *world) try(t sharing.Token, password, from string) (unlock.Session, error) {
	return w.unlock.Try(w.t.Context(), t, password, netip.MustParseAddr(from))
}

func (w *world) forward(by time.Duration) { w.ms.Add(by.Milliseconds()) }

func (w *world) verify(t sharing.Token, secret string) page.Proof {
	return w.unlock.Verify(w.t.Context(), t, secret)
}

func TestP3_TheRightPasswordOpensASession(t *testing.T) {
	w := newWorld(t)
	token, other := w.add(password), w.add(password)
	in, err := w.try(token, password, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	secret := in.Secret.Reveal()
	until := w.ms.Load() + 24*3600*1000
	want := page.Proof{Revision: 1, Until: until}
	if got := w.verify(token, secret); got != want || in.Expires != until {
		t.Fatalf("verified as %+v, expires %d, want %+v", got, in.Expires, want)
	}
	if s := fmt.Sprintf("%v %+v %s %#v", in, in, in.Secret, in.Secret); strings.Contains(s, secret) {
		t.Errorf("a secret is printed: %s", s)
	}
	for name, bad := range map[string]string{
		"nothing": "", "shorter": secret[1:], "longer": secret + "A", "one bit less": flip(secret, 3), "another end": flip(secret, 20),
		"another seal": flip(secret, 60), "nonsense": strings.Repeat("?", len(secret)), "no seal": strings.Repeat("A", len(secret)),
	} {
		if got := w.verify(token, bad); got != (page.Proof{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := w.verify(other, secret); got != (page.Proof{}) {
		t.Errorf("the session of another link: %+v", got)
	}
	stranger := newWorld(t)
	stranger.add(password)
	if got := stranger.verify(token, secret); got != (page.Proof{}) {
		t.Errorf("another server's session: %+v", got)
	}
	w.open()
	if got := w.verify(token, secret); got != want {
		t.Errorf("after a restart: %+v", got)
	}
	w.forward(24*time.Hour - time.Millisecond)
	if got := w.verify(token, secret); got != want {
		t.Errorf("in the last moment: %+v", got)
	}
	w.forward(time.Millisecond)
	if got := w.verify(token, secret); got != (page.Proof{}) {
		t.Errorf("after a day: %+v", got)
	}
}

// flip changes one character of a secret.
func flip(s string, at int) string {
	c := byte('A')
	if s[at] == c {
		c = 'B'
	}
	return s[:at] + string(c) + s[at+1:]
}

func TestP3_TheSamePasswordOnAnotherKeyboard(t *testing.T) {
	w := newWorld(t)
	token := w.add(password) // composed, as the app hashes it
	if _, err := w.try(token, strings.ReplaceAll(password, "ä", "a\u0308"), "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

func TestA5_LinksThatDoNotWorkHaveNoPassword(t *testing.T) {
	w := newWorld(t)
	off, ended := w.add(password), w.add(password)
	w.command(off, sharing.Disable, "")
	w.apply(sharing.Command{Board: w.links[ended].Board, Action: sharing.SetExpiry, Expires: w.ms.Load() + 1000})
	w.forward(time.Second)
	for name, token := range map[string]sharing.Token{
		"off": off, "ended, not carried out": ended, "unknown": "shr_0123456789ABCDEFGHIJKLMN", "no token": "x", "nothing": "",
	} {
		for _, p := range []string{password, "wrong", "", strings.Repeat("x", 5000)} {
			if _, err := w.try(token, p, "192.0.2.1"); fault.From(err).Error() != access.NoLink().Error() {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if w.hashed.Load() != 0 {
		t.Error("something was hashed")
	}
	if in, err := w.try(w.add(""), "anything", "192.0.2.1"); err != nil || in != (unlock.Session{}) {
		t.Errorf("a link without a password: %+v, %v", in, err)
	}
}

// outcomes counts the answers by kind.
type outcomes struct {
	mu   sync.Mutex
	n    map[fault.Kind]int
	last error
}

func (o *outcomes) add(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == nil {
		o.n = map[fault.Kind]int{}
	}
	o.n[fault.KindOf(err)]++
	if fault.KindOf(err) == fault.Busy {
		o.last = err
	}
}

func TestP5_500ParallelWrongAttempts(t *testing.T) {
	w := newWorld(t)
	token := w.add(password)
	var got outcomes
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			_, err := w.try(token, fmt.Sprint("guess ", i), "2001:db8:1:2::"+fmt.Sprintf("%x", i)) // one /64
			got.add(err)
		})
	}
	wg.Wait()
	if n := w.hashed.Load(); n != 5 || got.n[fault.Unauthenticated] != 5 || got.n[fault.Busy] != 495 {
		t.Fatalf("%d hashed; answers %v", n, got.n)
	}
	for _, when := range []string{"at once", "after a restart"} {
		_, err := w.try(token, password, "2001:db8:1:2::ffff")
		ex, ok := errors.AsType[*ratelimit.ExceededError](err)
		if fault.KindOf(err) != fault.Busy || !ok || ex.After != 2*time.Minute || !strings.Contains(fault.From(err).Message, "in 2 minutes.") {
			t.Errorf("%s: %v", when, err)
		}
		w.open()
	}
	w.forward(2*time.Minute - time.Millisecond)
	if _, err := w.try(token, password, "2001:db8:1:2::1"); fault.KindOf(err) != fault.Busy || !strings.Contains(fault.From(err).Message, "in 1 second.") {
		t.Errorf("a moment too early: %v", err)
	}
	w.forward(time.Millisecond)
	if _, err := w.try(token, "one more", "2001:db8:1:2::1"); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after two minutes: %v", err)
	}
	if _, err := w.try(token, "one more", "2001:db8:1:2::1"); fault.KindOf(err) != fault.Busy {
		t.Errorf("after two minutes, once more: %v", err)
	}
	w.forward(10 * time.Minute)
	for i := range 6 {
		if _, err := w.try(token, "wrong", "2001:db8:1:2::1"); (fault.KindOf(err) == fault.Busy) != (i == 5) {
			t.Errorf("attempt %d after ten minutes: %v", i+1, err)
		}
	}
	if n := w.hashed.Load(); n != 11 {
		t.Errorf("%d hashed in the end", n)
	}
}

// An attempt that saw a full budget, and comes to pay when others have spent it, is not hashed.
func TestP5_TheBudgetIsCheckedWhereItIsPaid(t *testing.T) {
	w := newWorld(t)
	token := w.add(password)
	seen, spent := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	w.looked = func() {
		if first.CompareAndSwap(false, true) {
			close(seen)
			<-spent
		}
	}
	late := make(chan error, 1)
	go func() {
		_, err := w.try(token, password, "192.0.2.1")
		late <- err
	}()
	<-seen
	for range 5 {
		if _, err := w.try(token, "wrong", "192.0.2.1"); fault.KindOf(err) != fault.Unauthenticated {
			t.Fatal(err)
		}
	}
	close(spent)
	if err := <-late; fault.KindOf(err) != fault.Busy || w.hashed.Load() != 5 {
		t.Errorf("%v after %d hashes", err, w.hashed.Load())
	}
}

func TestP5_RightAttemptsArePaidBack(t *testing.T) {
	w := newWorld(t)
	token := w.add(password)
	for range 4 {
		_, _ = w.try(token, "wrong", "192.0.2.1")
	}
	for i := range 10 {
		if _, err := w.try(token, password, "192.0.2.1"); err != nil {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	if _, err := w.try(token, "wrong", "192.0.2.1"); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("the fifth wrong one: %v", err)
	}
	if _, err := w.try(token, "wrong", "192.0.2.1"); fault.KindOf(err) != fault.Busy {
		t.Errorf("the sixth wrong one: %v", err)
	}
}

func TestP6_WhoSpendsABudgetKeepsNobodyElseOut(t *testing.T) {
	w := newWorld(t)
	token, other := w.add(password), w.add(password)
	begun := make(chan struct{})
	var first sync.Once
	w.during = func() { first.Do(func() { close(begun) }) }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				_, _ = w.try(token, "wrong", "192.0.2.66")
			}
		})
	}
	<-begun
	for i := range 10 {
		if _, err := w.try(token, password, fmt.Sprint("192.0.2.", i+1)); err != nil {
			t.Errorf("another address: %v", err)
		}
	}
	if _, err := w.try(other, password, "192.0.2.66"); err != nil {
		t.Errorf("another link: %v", err)
	}
	wg.Wait()
	if n := w.hashed.Load(); n != 5+10+1 {
		t.Errorf("%d hashed", n)
	}
}

// TestP7_HashingIsBounded: while the hashes of one link are waited for, by very many addresses, no more are taken in, and
// another link is open.
func TestP7_HashingIsBounded(t *testing.T) {
	w := newWorld(t)
	token, other := w.add(password), w.add(password)
	hold := make(chan struct{})
	w.during = func() { <-hold }
	var got outcomes
	var wg sync.WaitGroup
	refused := make(chan struct{}, 200)
	for i := range 200 {
		wg.Go(func() {
			_, err := w.try(token, "wrong", fmt.Sprintf("2001:db8:0:%x::1", i))
			got.add(err)
			if fault.KindOf(err) == fault.Busy {
				refused <- struct{}{}
			}
		})
	}
	for range 200 - 32 {
		<-refused
	}
	if ex, ok := errors.AsType[*ratelimit.ExceededError](got.last); !ok || ex.After <= 0 {
		t.Errorf("the crowd was told %v", got.last)
	}
	wg.Go(func() {
		if _, err := w.try(other, password, "192.0.2.1"); err != nil {
			t.Errorf("another link: %v", err)
		}
	})
	close(hold)
	wg.Wait()
	if got.n[fault.Unauthenticated] != 32 || got.n[fault.Busy] != 200-32 {
		t.Errorf("answers %v", got.n)
	}
}

// TestP6_ManyLinksOfOneAddress: who knows the passwords of many links, being their owner, spends no budget on them, and still
// leaves room for others.
func TestP6_ManyLinksOfOneAddress(t *testing.T) {
	w := newWorld(t)
	token := w.add(password)
	var own []sharing.Token
	for range 30 {
		own = append(own, w.add(password))
	}
	hold, holding := make(chan struct{}), make(chan struct{}, 1)
	w.during = func() {
		select {
		case holding <- struct{}{}:
		default:
		}
		<-hold
	}
	var got outcomes
	var wg sync.WaitGroup
	refused := make(chan struct{}, 150)
	for _, link := range own {
		for range unlock.Burst {
			wg.Go(func() {
				_, err := w.try(link, password, "192.0.2.66")
				got.add(err)
				if err != nil {
					refused <- struct{}{}
				}
			})
		}
	}
	for range 150 - 16 {
		<-refused
	}
	<-holding
	wg.Go(func() {
		if _, err := w.try(token, password, "192.0.2.1"); err != nil {
			t.Errorf("another address: %v", err)
		}
	})
	close(hold)
	wg.Wait()
	if got.n[fault.Busy] != 150-16 {
		t.Errorf("answers %v", got.n)
	}
}

func TestP7_LongPasswordsAreNotHashed(t *testing.T) {
	w := newWorld(t)
	token := w.add(password)
	for name, p := range map[string]string{"empty": "", "long": strings.Repeat("x", 1025), "very long": strings.Repeat("a\u0308", 1<<20)} {
		if _, err := w.try(token, p, "192.0.2.1"); fault.KindOf(err) != fault.Invalid || fault.From(err).Field != "password" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.hashed.Load() != 0 {
		t.Error("one was hashed")
	}
	if _, err := w.try(token, strings.Repeat("x", 1024), "192.0.2.1"); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("1024 bytes: %v", err)
	}
}

// TestP4_WhatChangesWhileAPasswordIsHashed: the session is never for another lock than the one the password was for.
func TestP4_WhatChangesWhileAPasswordIsHashed(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, t sharing.Token)
		want   fault.Kind
	}{
		"changed": {func(w *world, t sharing.Token) { w.command(t, sharing.SetPassword, w.hash("another one")) }, fault.Unauthenticated},
		"removed": {func(w *world, t sharing.Token) { w.command(t, sharing.RemovePassword, "") }, ""},
		"off":     {func(w *world, t sharing.Token) { w.command(t, sharing.Disable, "") }, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token := w.add(password)
			for range 4 {
				_, _ = w.try(token, "wrong", "192.0.2.1")
			}
			w.during = func() { w.during = nil; tt.change(w, token) }
			in, err := w.try(token, password, "192.0.2.1")
			if in != (unlock.Session{}) || fault.KindOf(err) != tt.want {
				t.Errorf("%+v, %v", in, err)
			}
			if name == "changed" { // and it was paid back
				if _, err := w.try(token, "another one", "192.0.2.1"); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
