// Package storetest is the contract that every store.Store passes. It runs each updating closure twice, the first time
// for nothing, as a store may.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

// Opener opens an empty store, and the same one again after Close.
type Opener interface {
	Open(tb testing.TB) store.Store
}

const (
	boardA board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"
	boardB board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B"
	ann             = store.AccountID("acc_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	bob             = store.AccountID("acc_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
	orgA            = store.OrganisationID("org_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	orgB            = store.OrganisationID("org_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

func token(c string) store.Token   { return store.Token("shr_" + strings.Repeat(c, 24)) }
func short(c string) store.ShortID { return store.ShortID(strings.Repeat(c, 10)) }

// twice runs each updating closure once for nothing before it runs it in earnest.
type twice struct{ store.Store }

var errForNothing = errors.New("for nothing")

// Update runs fn twice.
func (s twice) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errForNothing
	}); !errors.Is(err, errForNothing) {
		return err
	}
	return s.Store.Update(ctx, fn)
}

// Run runs the contract. newOpener makes an Opener of a new, empty store.
func Run(t *testing.T, newOpener func(tb testing.TB) Opener) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Opener){
		"accounts":       testAccounts,
		"sessions":       testSessions,
		"organisations":  testOrganisations,
		"boards":         testBoards,
		"L4 links":       testLinks,
		"S2 slugs":       testSlugs,
		"S2 slug limit":  testSlugLimit,
		"P2 passwords":   testPasswords,
		"L5 expiries":    testExpiries,
		"L7 views":       testViews,
		"P5 guard":       testGuard,
		"Q2 commands":    testCommands,
		"Q2 old answers": testAnswersAge,
		"tickets":        testTickets,
		"I2 invitations": testInvitations,
		"I7 outbox":      testOutbox,
		"deletion":       testDeletion,
		"replica":        testReplica,
		"rollback":       testRollback,
		"after":          testAfter,
		"concurrent":     testConcurrent,
		"closed":         testClosed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newOpener(t))
		})
	}
}

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := (twice{s}).Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// view runs fn now and once more after the store was closed and opened.
func view(t *testing.T, o Opener, s store.Store, fn func(store.Tx) error) store.Store {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = o.Open(t)
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatalf("after it was opened again: %v", err)
	}
	return s
}

func want[T comparable](what string, got, wanted T) error {
	if got != wanted {
		return fmt.Errorf("%s: got %v, want %v", what, got, wanted)
	}
	return nil
}

func testAccounts(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	a := store.Account{ID: ann, Email: "ann@example.org", Password: "x", Personal: orgA, Created: 7}
	update(t, s, func(tx store.Tx) error { return tx.Accounts().Put(a) })
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Accounts().Put(store.Account{ID: bob, Email: a.Email})
	})
	if !errors.Is(err, store.ErrTaken) {
		t.Fatalf("a second account with one address: %v", err)
	}
	s = view(t, o, s, func(tx store.Tx) error {
		got, ok, err := tx.Accounts().ByEmail(a.Email)
		got2, ok2, err2 := tx.Accounts().Get(ann)
		_, okBob, err3 := tx.Accounts().Get(bob)
		_, okOther, err4 := tx.Accounts().ByEmail("ann@example.or")
		return errors.Join(err, err2, err3, err4, want("found", ok && ok2, true), want("account", got, a), want("by id", got2, a), want("others", okBob || okOther, false))
	})
	a.Email = "new@example.org"
	update(t, s, func(tx store.Tx) error { return tx.Accounts().Put(a) })
	update(t, s, func(tx store.Tx) error { return tx.Accounts().Put(store.Account{ID: bob, Email: "bob@example.org"}) })
	view(t, o, s, func(tx store.Tx) error {
		_, old, err := tx.Accounts().ByEmail("ann@example.org")
		_, ok, err2 := tx.Accounts().ByEmail("new@example.org")
		all, err3 := tx.Accounts().After("", 9)
		first, err4 := tx.Accounts().After("", 1)
		rest, err5 := tx.Accounts().After(ann, 9)
		none, err6 := tx.Accounts().After(bob, 9)
		return errors.Join(err, err2, err3, err4, err5, err6, want("old address", old, false), want("new address", ok, true),
			want("all", len(all), 2), want("the first", len(first) == 1 && first[0] == a, true), want("the rest", len(rest) == 1 && rest[0].ID == bob, true),
			want("behind the last", len(none), 0))
	})
}

func testSessions(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	one := store.Session{Hash: store.Hash{0, 1}, Account: ann, Created: 1, Expires: 2}
	two := store.Session{Hash: store.Hash{0, 2}, Account: ann, Created: 3, Expires: 4}
	other := store.Session{Hash: store.Hash{0xff}, Account: bob, Created: 3, Expires: 4}
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Sessions().Put(two), tx.Sessions().Put(one), tx.Sessions().Put(other))
	})
	s = view(t, o, s, func(tx store.Tx) error {
		all, err := tx.Sessions().Of(ann)
		got, ok, err2 := tx.Sessions().Get(two.Hash)
		if !slices.Equal(all, []store.Session{one, two}) {
			err = errors.Join(err, fmt.Errorf("sessions: %v", all))
		}
		return errors.Join(err, err2, want("found", ok, true), want("session", got, two))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Sessions().Delete(two.Hash), tx.Sessions().Delete(store.Hash{9}))
	})
	view(t, o, s, func(tx store.Tx) error {
		all, err := tx.Sessions().Of(ann)
		_, ok, err2 := tx.Sessions().Get(two.Hash)
		return errors.Join(err, err2, want("deleted", ok, false), want("left", len(all), 1))
	})
}

func testOrganisations(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	org := store.Organisation{ID: orgA, Name: "A", Personal: true, Created: 5}
	update(t, s, func(tx store.Tx) error {
		os := tx.Organisations()
		return errors.Join(os.Put(org), os.SetMember(orgA, bob, store.MemberMember), os.SetMember(orgA, ann, store.MemberOwner), os.SetMember(orgB, ann, store.MemberAdmin))
	})
	s = view(t, o, s, func(tx store.Tx) error {
		os := tx.Organisations()
		got, ok, err := os.Get(orgA)
		members, err2 := os.Members(orgA)
		of, err3 := os.Of(ann)
		role, err4 := os.Member(orgA, bob)
		none, err5 := os.Member(orgB, bob)
		if !slices.Equal(members, []store.Member{{Account: ann, Role: store.MemberOwner}, {Account: bob, Role: store.MemberMember}}) {
			err = errors.Join(err, fmt.Errorf("members: %v", members))
		}
		if !slices.Equal(of, []store.OrganisationID{orgA, orgB}) {
			err = errors.Join(err, fmt.Errorf("organisations: %v", of))
		}
		return errors.Join(err, err2, err3, err4, err5, want("found", ok, true), want("organisation", got, org), want("role", role, store.MemberMember), want("no role", none, store.MemberNone))
	})
	update(t, s, func(tx store.Tx) error { return tx.Organisations().SetMember(orgA, ann, store.MemberNone) })
	view(t, o, s, func(tx store.Tx) error {
		members, err := tx.Organisations().Members(orgA)
		of, err2 := tx.Organisations().Of(ann)
		return errors.Join(err, err2, want("members", len(members), 1), want("organisations", len(of), 1))
	})
}

func testBoards(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	a := store.Board{ID: boardA, Organisation: orgA, Owner: ann, Created: 1, Epoch: 1, Trashed: true, Bytes: 5}
	b := store.Board{ID: boardB, Organisation: orgA, Owner: ann, Created: 2, Epoch: 1}
	update(t, s, func(tx store.Tx) error {
		bs := tx.Boards()
		return errors.Join(bs.Put(b), bs.Put(a), bs.SetRole(boardA, ann, sharing.RoleOwner), bs.SetRole(boardA, bob, sharing.RoleViewer),
			bs.SetRole(boardB, ann, sharing.RoleOwner), tx.Replica(boardA).Put([]byte("k"), []byte("v")))
	})
	s = view(t, o, s, func(tx store.Tx) error {
		bs := tx.Boards()
		got, ok, err := bs.Get(boardA)
		roles, err2 := bs.Roles(boardA)
		of, err3 := bs.Of(ann)
		inOrg, err4 := bs.OfOrganisation(orgA)
		role, err5 := bs.Role(boardA, bob)
		if !slices.Equal(roles, []store.Holder{{Account: ann, Role: sharing.RoleOwner}, {Account: bob, Role: sharing.RoleViewer}}) {
			err = errors.Join(err, fmt.Errorf("roles: %v", roles))
		}
		if !slices.Equal(of, []board.ID{boardA, boardB}) || !slices.Equal(inOrg, of) {
			err = errors.Join(err, fmt.Errorf("dashboards: %v, %v", of, inOrg))
		}
		return errors.Join(err, err2, err3, err4, err5, want("found", ok, true), want("dashboard", got, a), want("role", role, sharing.RoleViewer))
	})
	update(t, s, func(tx store.Tx) error {
		b.Organisation = orgB
		return errors.Join(tx.Boards().Destroy(boardA, 99), tx.Boards().Put(b))
	})
	view(t, o, s, func(tx store.Tx) error {
		bs := tx.Boards()
		got, ok, err := bs.Get(boardA)
		roles, err2 := bs.Roles(boardA)
		of, err3 := bs.Of(bob)
		inA, err4 := bs.OfOrganisation(orgA)
		inB, err5 := bs.OfOrganisation(orgB)
		return errors.Join(err, err2, err3, err4, err5, want("still known", ok, true), want("destroyed", got.Destroyed, 99),
			want("roles", len(roles), 0), want("dashboards of bob", len(of), 0), want("in A", len(inA), 0), want("in B", len(inB), 1),
			want("content", string(tx.Replica(boardA).Get([]byte("k"))), ""))
	})
}

func testLinks(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	first := store.Link{Enabled: true, Token: token("a"), ShortID: short("a"), Version: 1}
	second := store.Link{Enabled: true, Token: token("b"), ShortID: short("b"), Version: 2}
	update(t, s, func(tx store.Tx) error { return tx.Links().Put(boardA, first) })
	found := func(tx store.Tx, l store.Link) (board.ID, bool, error) {
		id, ok, err := tx.Links().ByToken(l.Token)
		id2, ok2, err2 := tx.Links().ByShortID(l.ShortID)
		return id, ok, errors.Join(err, err2, want("short id", id2, id), want("short id", ok2, ok))
	}
	s = view(t, o, s, func(tx store.Tx) error {
		got, err := tx.Links().Get(boardA)
		none, err2 := tx.Links().Get(boardB)
		id, _, err3 := found(tx, first)
		used, err4 := tx.Links().Used(first.Token, "")
		fresh, err5 := tx.Links().Used(token("z"), short("z"))
		return errors.Join(err, err2, err3, err4, err5, want("link", got, first), want("none", none, store.Link{}), want("owner", id, boardA), want("used", used, true), want("fresh", fresh, false))
	})
	for name, l := range map[string]store.Link{"token": {Token: first.Token, ShortID: short("c")}, "short id": {Token: token("c"), ShortID: first.ShortID}} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Links().Put(boardB, l) }); !errors.Is(err, store.ErrTaken) {
			t.Errorf("another dashboard took the %s: %v", name, err)
		}
	}
	update(t, s, func(tx store.Tx) error { return tx.Links().Put(boardA, second) })
	dead := func(tx store.Tx) error {
		_, ok, err := found(tx, first)
		used, err2 := tx.Links().Used(first.Token, "")
		used2, err3 := tx.Links().Used("", first.ShortID)
		return errors.Join(err, err2, err3, want("dead link found", ok, false), want("dead link counts as used", used && used2, true))
	}
	s = view(t, o, s, dead)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Links().Put(boardA, first) }); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a dead token came back: %v", err)
	}
	update(t, s, func(tx store.Tx) error { return tx.Links().Put(boardA, store.Link{Version: 3}) })
	view(t, o, s, func(tx store.Tx) error {
		_, ok, err := found(tx, second)
		return errors.Join(dead(tx), err, want("link of a deleted dashboard", ok, false))
	})
}

func testCommands(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	update(t, s, func(tx store.Tx) error { return tx.Commands().Put(ann, "cmd_1", store.Answer{Board: boardA}) })
	request := store.Hash{1, 2, 3}
	update(t, s, func(tx store.Tx) error {
		c := tx.Commands()
		return errors.Join(c.Put(ann, "key_1_a", store.Answer{Request: request}), c.Put(ann, "key_2_a", store.Answer{Request: request}),
			c.Put(ann, "key_3_a", store.Answer{}), c.Put(bob, "key_1_a", store.Answer{}))
	})
	update(t, s, func(tx store.Tx) error { return tx.Commands().Forget(ann, "key_", "key_2") })
	view(t, o, s, func(tx store.Tx) error {
		c := tx.Commands()
		got, ok, err := c.Get(ann, "cmd_1")
		_, other, err2 := c.Get(bob, "cmd_1")
		_, gone, err3 := c.Get(ann, "key_1_a")
		kept, later, err4 := c.Get(ann, "key_2_a")
		_, bobs, err5 := c.Get(bob, "key_1_a")
		return errors.Join(err, err2, err3, err4, err5, want("found", ok, true), want("answer", got.Board, boardA), want("another account's", other, false),
			want("the old one", gone, false), want("a later one", later, true), want("its request", kept.Request, request), want("another account's key", bobs, true))
	})
}

// testAnswersAge has answers forgotten when their time is over, and has as many stay as come in that time.
func testAnswersAge(t *testing.T, o Opener) {
	t.Helper()
	const day = store.AnswersKept / 30
	s := o.Open(t)
	name := func(i int) string { return fmt.Sprintf("cmd_%03d", i) }
	for i := range 100 {
		who := []store.AccountID{ann, bob}[i%2]
		update(t, s, func(tx store.Tx) error {
			return tx.Commands().Put(who, name(i), store.Answer{Board: boardA, At: int64(i+1) * day})
		})
	}
	// Saying the same again later keeps it for longer.
	update(t, s, func(tx store.Tx) error {
		return tx.Commands().Put(ann, name(70), store.Answer{Board: boardB, At: 100 * day})
	})
	update(t, s, func(tx store.Tx) error { return tx.Commands().Put(bob, name(100), store.Answer{At: 101 * day}) })
	view(t, o, s, func(tx store.Tx) error {
		var errs []error
		for i := range 100 {
			_, ok, err := tx.Commands().Get([]store.AccountID{ann, bob}[i%2], name(i))
			errs = append(errs, err, want(name(i), ok, i >= 71 || i == 70))
		}
		return errors.Join(errs...)
	})
}

func testReplica(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	keys := func(r replica.Tx, from, to string, limit int) string {
		var out []string
		end := []byte(to)
		if to == "" {
			end = nil
		}
		if err := r.Scan([]byte(from), end, func(k, v []byte) bool {
			out = append(out, string(k)+string(v))
			return len(out) < limit
		}); err != nil {
			return err.Error()
		}
		return strings.Join(out, " ")
	}
	update(t, s, func(tx store.Tx) error {
		r := tx.Replica(boardA)
		for _, k := range []string{"b", "a", "d", "c"} {
			if err := r.Put([]byte(k), []byte("1")); err != nil {
				return err
			}
		}
		return errors.Join(r.Delete([]byte("d")), r.Delete([]byte("nothing")), r.Put([]byte("a"), []byte("2")),
			tx.Replica(boardB).Delete([]byte("x")), want("inside", keys(r, "a", "z", 9), "a2 b1 c1"))
	})
	s = view(t, o, s, func(tx store.Tx) error {
		r := tx.Replica(boardA)
		return errors.Join(want("all", keys(r, "", "", 9), "a2 b1 c1"), want("range", keys(r, "b", "c", 9), "b1"), want("stop", keys(r, "", "", 1), "a2"),
			want("between", keys(r, "aa", "b", 9), ""), want("none", string(r.Get([]byte("d"))), ""), want("another's", keys(tx.Replica(boardB), "", "", 9), ""))
	})
	if err := s.View(t.Context(), func(tx store.Tx) error { return tx.Replica(boardA).Put([]byte("x"), []byte("y")) }); err == nil {
		t.Error("a view wrote")
	}
}

func testRollback(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	boom := errors.New("boom")
	for name, fn := range map[string]func(store.Tx) error{
		"error": func(store.Tx) error { return boom },
		"panic": func(store.Tx) error { panic("boom") },
	} {
		called := false
		err := s.Update(t.Context(), func(tx store.Tx) error {
			tx.After(func() { called = true })
			if err := tx.Replica(boardA).Put([]byte(name), []byte("1")); err != nil {
				return err
			}
			return fn(tx)
		})
		if err == nil || called {
			t.Errorf("%s: %v, called %v", name, err, called)
		}
	}
	view(t, o, s, func(tx store.Tx) error {
		return errors.Join(want("error", string(tx.Replica(boardA).Get([]byte("error"))), ""), want("panic", string(tx.Replica(boardA).Get([]byte("panic"))), ""))
	})
}

func testAfter(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	var calls []int
	for i := range 3 {
		update(t, s, func(tx store.Tx) error {
			tx.After(func() { calls = append(calls, i) })
			return tx.Replica(boardA).Put(fmt.Append(nil, i), []byte("1"))
		})
	}
	update(t, s, func(tx store.Tx) error { tx.After(func() { calls = append(calls, 3) }); return nil })
	if !slices.Equal(calls, []int{0, 1, 2, 3}) {
		t.Errorf("calls %v", calls)
	}
}

// testConcurrent has many writers count one number up, some of whom fail, and holds the order of after-calls against the
// order of what was written.
func testConcurrent(t *testing.T, o Opener) {
	t.Helper()
	s := twice{o.Open(t)}
	const writers, each = 16, 20
	boom := errors.New("boom")
	var order []int // after-calls are one after the other
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				fail := (w+i)%5 == 0
				err := s.Update(context.Background(), func(tx store.Tx) error {
					r := tx.Replica(boardA)
					n := 0
					if v := r.Get([]byte("n")); v != nil {
						_, _ = fmt.Sscan(string(v), &n)
					}
					tx.After(func() { order = append(order, n+1) })
					if err := r.Put([]byte("n"), fmt.Append(nil, n+1)); err != nil {
						return err
					}
					if fail {
						return boom
					}
					return nil
				})
				if fail != errors.Is(err, boom) {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	for i, n := range order {
		if n != i+1 {
			t.Fatalf("call %d saw %d", i, n)
		}
	}
	total := writers * each * 4 / 5
	view(t, o, s, func(tx store.Tx) error {
		return errors.Join(want("count", string(tx.Replica(boardA).Get([]byte("n"))), fmt.Sprint(total)), want("calls", len(order), total))
	})
}

func testClosed(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	if err := s.Healthy(); err != nil {
		t.Errorf("healthy: %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("close: %v", err)
	}
	nothing := func(store.Tx) error { return nil }
	if s.Update(t.Context(), nothing) == nil || s.View(t.Context(), nothing) == nil || s.Healthy() == nil {
		t.Error("a closed store works")
	}
	s = o.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.View(ctx, nothing); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled view: %v", err)
	}
}
