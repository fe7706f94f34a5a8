package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

// put stores a link.
func put(t *testing.T, s store.Store, id board.ID, l store.Link) {
	t.Helper()
	update(t, s, func(tx store.Tx) error { return tx.Links().Put(id, l) })
}

// bySlug is the dashboard that a slug leads to, "" if none.
func bySlug(tx store.Tx, slug store.Slug) (board.ID, error) {
	id, ok, err := tx.Links().BySlug(slug)
	if ok != (id != "") {
		err = errors.Join(err, fmt.Errorf("slug %s: %q, found %v", slug, id, ok))
	}
	return id, err
}

func testSlugs(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	link := store.Link{Enabled: true, Token: token("a"), ShortID: short("a"), Slug: "team-status", Version: 1}
	other := store.Link{Enabled: true, Token: token("b"), ShortID: "abcdefghij", Version: 1}
	put(t, s, boardA, link)
	put(t, s, boardB, other)
	taken := func(tx store.Tx, id board.ID, slug store.Slug, is bool) error {
		got, err := tx.Links().SlugTaken(id, slug)
		return errors.Join(err, want(fmt.Sprintf("%s taken for %s", slug, id), got, is))
	}
	s = view(t, o, s, func(tx store.Tx) error {
		id, err := bySlug(tx, "team-status")
		none, err2 := bySlug(tx, "team")
		return errors.Join(err, err2, want("team-status", id, boardA), want("team", none, ""),
			taken(tx, boardA, "team-status", false), taken(tx, boardB, "team-status", true), taken(tx, boardB, "team", false),
			taken(tx, boardA, "abcdefghij", true)) // looks like a short id in use
	})
	for slug, why := range map[store.Slug]string{"team-status": "another's", "abcdefghij": "one like a short id"} {
		stolen := other
		stolen.Slug = slug
		if slug == "abcdefghij" {
			stolen = link
			stolen.Slug = slug
		}
		id := map[store.Token]board.ID{link.Token: boardA, other.Token: boardB}[stolen.Token]
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Links().Put(id, stolen) }); !errors.Is(err, store.ErrTaken) {
			t.Errorf("%s slug was taken: %v", why, err)
		}
	}
	// Nobody gets a slug's visitors by taking it for a short id, which would be found first.
	put(t, s, "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D", store.Link{Token: token("d"), ShortID: short("d"), Slug: "teamstatus"})
	s = view(t, o, s, func(tx store.Tx) error {
		used, err := tx.Links().Used(token("e"), "teamstatus")
		return errors.Join(err, want("a slug used as a short id", used, true))
	})
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Links().Put(boardB, store.Link{Enabled: true, Token: token("e"), ShortID: "teamstatus"})
	}); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a slug was taken as a short id: %v", err)
	}
	// Given up, it leads nowhere, is kept from others, and may be taken again.
	link.Slug = "status"
	put(t, s, boardA, link)
	s = view(t, o, s, func(tx store.Tx) error {
		old, err := bySlug(tx, "team-status")
		now, err2 := bySlug(tx, "status")
		return errors.Join(err, err2, want("given up", old, ""), want("new", now, boardA),
			taken(tx, boardB, "team-status", true), taken(tx, boardA, "team-status", false))
	})
	link.Slug = "team-status"
	put(t, s, boardA, link)
	s = view(t, o, s, func(tx store.Tx) error {
		id, err := bySlug(tx, "team-status")
		old, err2 := bySlug(tx, "status")
		return errors.Join(err, err2, want("taken again", id, boardA), want("the one between", old, ""))
	})
	// With another token all that the link ever had are dead, for the dashboard itself too (rule L4).
	put(t, s, boardA, store.Link{Enabled: true, Token: token("c"), ShortID: short("c"), Version: 2})
	dead := func(tx store.Tx) error {
		var all error
		for _, slug := range []store.Slug{"team-status", "status"} {
			id, err := bySlug(tx, slug)
			all = errors.Join(all, err, want("dead slug "+string(slug), id, ""), taken(tx, boardA, slug, true), taken(tx, boardB, slug, true))
		}
		return all
	}
	s = view(t, o, s, dead)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Links().Put(boardA, store.Link{Enabled: true, Token: token("c"), ShortID: short("c"), Slug: "status", Version: 3})
	}); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a dead slug came back: %v", err)
	}
	// So are those of a deleted dashboard.
	other.Slug = "sales"
	put(t, s, boardB, other)
	put(t, s, boardB, store.Link{Version: 9})
	view(t, o, s, func(tx store.Tx) error {
		id, err := bySlug(tx, "sales")
		return errors.Join(dead(tx), err, want("slug of a deleted dashboard", id, ""), taken(tx, boardA, "sales", true))
	})
}

func testSlugLimit(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	link := store.Link{Enabled: true, Token: token("a"), ShortID: short("a")}
	for i := range store.MaxSlugs {
		link.Slug = store.Slug(fmt.Sprintf("name-%d", i))
		put(t, s, boardA, link)
	}
	s = view(t, o, s, func(tx store.Tx) error {
		more, err := tx.Links().SlugTaken(boardA, "one-more")
		again, err2 := tx.Links().SlugTaken(boardA, "name-0")
		others, err3 := tx.Links().SlugTaken(boardB, "one-more")
		return errors.Join(err, err2, err3, want("one too many", more, true), want("one of before", again, false), want("for another dashboard", others, false))
	})
	link.Slug = "one-more"
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Links().Put(boardA, link) }); !errors.Is(err, store.ErrTaken) {
		t.Errorf("slug %d was taken: %v", store.MaxSlugs+1, err)
	}
	link.Slug = "name-0"
	put(t, s, boardA, link)
}

func testPasswords(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	hash := func(h store.Password) func(store.Tx) error {
		return func(tx store.Tx) error {
			got, err := tx.Links().Hash(boardA)
			none, err2 := tx.Links().Hash(boardB)
			if got != h || none != "" {
				err = errors.Join(err, errors.New("another hash"))
			}
			return errors.Join(err, err2)
		}
	}
	update(t, s, func(tx store.Tx) error { return tx.Links().SetHash(boardA, "$one") })
	s = view(t, o, s, hash("$one"))
	// A link's state is kept apart from it.
	put(t, s, boardA, store.Link{Enabled: true, Token: token("a"), ShortID: short("a"), Password: true})
	s = view(t, o, s, hash("$one"))
	update(t, s, func(tx store.Tx) error { return tx.Links().SetHash(boardA, "$two") })
	s = view(t, o, s, hash("$two"))
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Links().SetHash(boardA, ""), tx.Links().SetHash(boardA, ""))
	})
	view(t, o, s, hash(""))
}

func testExpiries(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	id := func(c string) board.ID { return boardA[:len(boardA)-1] + board.ID(c) }
	link := func(c string, expires int64) store.Link {
		return store.Link{Enabled: true, Token: token(c), ShortID: short(c), Expires: expires}
	}
	expiring := func(tx store.Tx, until int64, limit int, first int64, ids ...board.ID) error {
		got, at, err := tx.Links().Expiring(until, limit)
		if !slices.Equal(got, ids) {
			err = errors.Join(err, fmt.Errorf("until %d: got %v, want %v", until, got, ids))
		}
		return errors.Join(err, want(fmt.Sprintf("first, until %d", until), at, first))
	}
	s = view(t, o, s, func(tx store.Tx) error { return expiring(tx, 1<<62, 10, 0) })
	for c, expires := range map[string]int64{"1": 300, "2": 5000, "3": 70_000, "4": 300, "5": 0, "6": 1 << 40} {
		put(t, s, id(c), link(c, expires))
	}
	off, done := link("7", 10), link("8", 20)
	off.Enabled = false
	done.Expired = true
	put(t, s, id("7"), off)
	put(t, s, id("8"), done)
	s = view(t, o, s, func(tx store.Tx) error {
		return errors.Join(
			expiring(tx, 299, 10, 300), expiring(tx, 300, 10, 300, id("1"), id("4")), expiring(tx, 300, 1, 300, id("1")),
			expiring(tx, 1<<62, 0, 300), expiring(tx, 70_000, 10, 300, id("1"), id("4"), id("2"), id("3")),
			expiring(tx, 1<<62, 10, 300, id("1"), id("4"), id("2"), id("3"), id("6")))
	})
	// What changes is found in its new place only.
	put(t, s, id("1"), link("1", 6000))
	put(t, s, id("4"), func() store.Link { l := link("4", 300); l.Expired = true; return l }())
	put(t, s, id("2"), link("2", 0))
	put(t, s, id("3"), func() store.Link { l := link("3", 70_000); l.Enabled = false; return l }())
	off.Enabled = true
	put(t, s, id("7"), off)
	put(t, s, id("6"), store.Link{Version: 2}) // deleted
	view(t, o, s, func(tx store.Tx) error { return expiring(tx, 1<<62, 10, 10, id("7"), id("1")) })
}

func testViews(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	one := store.ViewCount{Last: 1_790_000_000_000, Day: 20_717, Days: []uint32{3, 0, 4_000_000_000}}
	update(t, s, func(tx store.Tx) error { return tx.Views().Put(boardA, one) })
	same := func(tx store.Tx, id board.ID, w store.ViewCount) error {
		v, err := tx.Views().Get(id)
		if v.Last != w.Last || v.Day != w.Day || !slices.Equal(v.Days, w.Days) {
			err = errors.Join(err, fmt.Errorf("views of %s: %+v, want %+v", id, v, w))
		}
		return err
	}
	s = view(t, o, s, func(tx store.Tx) error {
		return errors.Join(same(tx, boardA, one), same(tx, boardB, store.ViewCount{}))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Views().Put(boardA, store.ViewCount{}), tx.Views().Put(boardB, store.ViewCount{}))
	})
	view(t, o, s, func(tx store.Tx) error { return same(tx, boardA, store.ViewCount{}) })
}

func testGuard(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	budget := func(tx store.Tx, key string, full int64) error {
		got, err := tx.Guard().Budget([]byte(key))
		return errors.Join(err, want("budget "+key, got, full))
	}
	set := func(key string, full, now int64) {
		t.Helper()
		update(t, s, func(tx store.Tx) error { return tx.Guard().SetBudget([]byte(key), full, now) })
	}
	key := func(k string) func(store.Tx) error {
		return func(tx store.Tx) error {
			got, err := tx.Guard().Key()
			return errors.Join(err, want("key", string(got), k), want("is there", got != nil, k != ""))
		}
	}
	s = view(t, o, s, key(""))
	update(t, s, func(tx store.Tx) error { return tx.Guard().SetKey([]byte("secret")) })
	set("a", 500, 100)
	set("ab", 600, 100)
	set("a", 700, 100)
	s = view(t, o, s, func(tx store.Tx) error {
		return errors.Join(key("secret")(tx), budget(tx, "a", 700), budget(tx, "ab", 600), budget(tx, "b", 0))
	})
	set("a", 100, 100) // paid back whole
	s = view(t, o, s, func(tx store.Tx) error { return errors.Join(budget(tx, "a", 0), budget(tx, "ab", 600)) })
	// Those that are full again are forgotten as others are set, and none that is not.
	for i := range 50 {
		set(fmt.Sprint("old", i), 1000+int64(i), 900)
	}
	for i := range 50 {
		set(fmt.Sprint("new", i), 9000, 1020)
	}
	view(t, o, s, func(tx store.Tx) error {
		errs := []error{budget(tx, "ab", 0)}
		for i := range 50 {
			full := int64(0)
			if at := 1000 + int64(i); at > 1020 {
				full = at
			}
			errs = append(errs, budget(tx, fmt.Sprint("old", i), full), budget(tx, fmt.Sprint("new", i), 9000))
		}
		return errors.Join(errs...)
	})
}
