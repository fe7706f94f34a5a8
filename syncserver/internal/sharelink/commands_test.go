package sharelink_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// hash is one that each call makes anew. What it is the hash of does not matter here.
func hash(t *testing.T) sharing.Hash {
	t.Helper()
	h, err := sharing.NoPassword(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// with does a command to the first dashboard that must succeed, after fill has completed it.
func (w *world) with(a sharing.Action, fill func(*sharing.Command)) sharing.Link {
	w.t.Helper()
	c := w.command(one, a)
	fill(&c)
	out := w.apply(c)
	if out.Fault != nil {
		w.t.Fatalf("%s: %v", a, out.Fault)
	}
	return out.Link
}

// hash is that of the first dashboard's password.
func (w *world) hash() (h store.Password) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		h, err = tx.Links().Hash(one)
		return err
	})
	return h
}

func (w *world) view(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// locked reports whether a link asks for its password, and lets in who has given it.
func (w *world) locked(l sharing.Link) (asks bool) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		_, err := access.OpenLink(tx, access.LinkHolder(l.Token), 1)
		_, asks = errors.AsType[*access.LockedError](err)
		if _, err := access.OpenLink(tx, access.Unlocked(l.Token, w.link(one).Revision), 1); err != nil {
			w.t.Errorf("with the password: %v", err)
		}
		return nil
	})
	return asks
}

// expire carries out what has ended at now and returns when the next is due.
func (w *world) expire(now int64) (next int64) {
	w.t.Helper()
	w.update(func(tx store.Tx) (err error) {
		next, err = sharelink.Expire(tx, &w.heard, now)
		return err
	})
	return next
}

func TestP2_ThePasswordChangesWithTheLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := hash(t), hash(t)
	on := w.with(sharing.Enable, func(c *sharing.Command) { c.Hash = first })
	if !on.Enabled || !on.Password || w.hash() != first {
		t.Errorf("enabled with a password: %+v", on)
	}
	if !w.locked(on) {
		t.Error("it opens without the password")
	}
	changed := w.with(sharing.SetPassword, func(c *sharing.Command) { c.Hash = second })
	if w.hash() != second || changed.Revision != on.Revision+1 {
		t.Errorf("another password: revision %d after %d", changed.Revision, on.Revision)
	}
	// A hash that is none, and one from an old state, change nothing.
	for name, c := range map[string]sharing.Command{
		"nonsense": func() sharing.Command { c := w.command(one, sharing.SetPassword); c.Hash = "password"; return c }(),
		"stale": func() sharing.Command {
			c := w.command(one, sharing.SetPassword)
			c.Hash, c.Base = first, on.Version
			return c
		}(),
		"stale enable": func() sharing.Command {
			c := w.command(one, sharing.Enable)
			c.Hash, c.Base = first, on.Version
			return c
		}(),
	} {
		if out := w.apply(c); out.Fault == nil || out.Link != changed || w.hash() != second {
			t.Errorf("%s: %+v", name, out)
		}
	}
	if off := w.do(sharing.Disable); w.hash() != second || !off.Password {
		t.Error("turning off loses the password")
	}
	w.do(sharing.Enable)
	open := w.do(sharing.RemovePassword)
	if w.hash() != "" || open.Password || !w.opens(open) {
		t.Errorf("removed: %+v", open)
	}
	w.with(sharing.SetPassword, func(c *sharing.Command) { c.Hash = first })
	w.do(sharing.Delete)
	if w.hash() != "" {
		t.Error("the hash outlives the dashboard")
	}
}

func TestP2_HashOnlyFromPasswordActions(t *testing.T) {
	t.Parallel()
	own, smuggled := hash(t), hash(t)
	for _, a := range []sharing.Action{sharing.Disable, sharing.Rotate, sharing.SetExpiry, sharing.SetSlug, sharing.SetStill, sharing.SetOrigins} {
		w := newWorld(t)
		w.with(sharing.Enable, func(c *sharing.Command) { c.Hash = own })
		next := w.with(a, func(c *sharing.Command) {
			c.Hash, c.Expires, c.Slug, c.Still, c.Origins = smuggled, 1000, "sales", true, "https://example.org"
		})
		if w.hash() != own || !next.Password {
			t.Errorf("%s changed the password", a)
		}
	}
	// Enable of a link that is on already, or was refused, neither.
	w := newWorld(t)
	w.do(sharing.Enable)
	c := w.command(one, sharing.Rotate)
	c.Hash = smuggled
	if out := w.apply(c); out.Fault != nil || out.Link.Password || w.hash() != "" {
		t.Errorf("an open link got a password by being replaced: %+v", out)
	}
	w.with(sharing.RemovePassword, func(c *sharing.Command) { c.Hash = smuggled })
	if w.hash() != "" {
		t.Error("a password came with the removal of one")
	}
}

// finds is where a name behind /s/ leads.
func (w *world) finds(name string) (token sharing.Token, err error) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		token, err = access.OpenShortID(tx, name, 1)
		return nil
	})
	return token, err
}

func TestS2_ASlugLeadsToTheLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on := w.do(sharing.Enable)
	w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "team-status" })
	for _, name := range []string{"team-status", on.ShortID.Reveal()} {
		if got, err := w.finds(name); err != nil || got != on.Token {
			t.Errorf("%s leads to %v, %v", name, got, err)
		}
	}
	w.apply(w.command(two, sharing.Enable))
	for slug, kind := range map[sharing.Slug]fault.Kind{
		"team-status": fault.Conflict, "ab": fault.Invalid, "Team": fault.Invalid, "a--b": fault.Invalid, "-ab": fault.Invalid, "ab/cd": fault.Invalid,
	} {
		c := w.command(two, sharing.SetSlug)
		c.Slug = slug
		if out := w.apply(c); fault.KindOf(out.Fault) != kind || out.Fault.Field != "slug" {
			t.Errorf("%s: %v", slug, out.Fault)
		}
	}
	// Given up it leads nowhere and stays this dashboard's.
	w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "" })
	if _, err := w.finds("team-status"); refusal(err) != refusal(access.NoLink()) {
		t.Errorf("given up: %v", err)
	}
	c := w.command(two, sharing.SetSlug)
	c.Slug = "team-status"
	if out := w.apply(c); fault.KindOf(out.Fault) != fault.Conflict {
		t.Errorf("another dashboard took it: %v", out.Fault)
	}
	w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "team-status" })
	w.do(sharing.Disable)
	if _, err := w.finds("team-status"); refusal(err) != refusal(access.NoLink()) {
		t.Errorf("of a link that is off: %v", err)
	}
}

func TestL4_TheSlugDiesWithTheLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(sharing.Enable)
	w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "first" })
	w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "second" })
	if next := w.do(sharing.Rotate); next.Slug != "" {
		t.Errorf("the new link has the slug %q", next.Slug)
	}
	w.apply(w.command(two, sharing.Enable))
	for range 2 {
		for _, slug := range []sharing.Slug{"first", "second"} {
			if _, err := w.finds(string(slug)); refusal(err) != refusal(access.NoLink()) {
				t.Errorf("%s: %v", slug, err)
			}
			for _, id := range []board.ID{one, two} {
				c := w.command(id, sharing.SetSlug)
				c.Slug = slug
				if out := w.apply(c); fault.KindOf(out.Fault) != fault.Conflict {
					t.Errorf("%s lives again: %+v", slug, out)
				}
			}
		}
		w.open()
	}
}

// Nobody gets the visitors of somebody else's slug by minting it as a short id, which would be found first.
func TestS2_ASlugIsNoShortID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on := w.do(sharing.Enable)
	w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "teamstatus" })
	c := w.command(two, sharing.Enable)
	c.ShortID = "teamstatus"
	if out := w.apply(c); fault.KindOf(out.Fault) != fault.Conflict {
		t.Errorf("%+v", out)
	}
	if got, err := w.finds("teamstatus"); err != nil || got != on.Token {
		t.Errorf("leads to %v, %v", got, err)
	}
}

// What loosens applies only to the version its author saw; what takes access away always does.
func TestV3_LooseningFromAnOldStateIsRefused(t *testing.T) {
	t.Parallel()
	set := func(w *world) {
		w.with(sharing.Enable, func(c *sharing.Command) { c.Hash = hash(t) })
		w.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1000 })
		w.with(sharing.SetStill, func(c *sharing.Command) { c.Still = true })
		w.with(sharing.SetOrigins, func(c *sharing.Command) { c.Origins = "https://a.example https://b.example" })
		w.with(sharing.SetSlug, func(c *sharing.Command) { c.Slug = "sales" })
	}
	type step struct {
		name   string
		action sharing.Action
		fill   func(*sharing.Command)
	}
	none := func(*sharing.Command) {}
	for _, s := range []step{
		{"no password", sharing.RemovePassword, none},
		{"another password", sharing.SetPassword, func(c *sharing.Command) { c.Hash = hash(t) }},
		{"later end", sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 2000 }},
		{"no end", sharing.SetExpiry, none},
		{"interaction", sharing.SetStill, none},
		{"another site", sharing.SetOrigins, func(c *sharing.Command) { c.Origins = "https://c.example" }},
		{"all sites", sharing.SetOrigins, none},
		{"another name", sharing.SetSlug, func(c *sharing.Command) { c.Slug = "other" }},
		{"replacement", sharing.Rotate, none},
	} {
		w := newWorld(t)
		set(w)
		before, h := w.link(one), w.hash()
		c := w.command(one, s.action)
		c.Base--
		s.fill(&c)
		for range 2 { // the answer is remembered
			if out := w.apply(c); fault.KindOf(out.Fault) != fault.Conflict || out.Fault.Hint == "" || out.Link != before || w.hash() != h {
				t.Errorf("%s: %+v", s.name, out)
			}
		}
		c = w.command(one, s.action) // and with the present version it applies
		s.fill(&c)
		if out := w.apply(c); out.Fault != nil || out.Link == before {
			t.Errorf("%s, with the present version: %+v", s.name, out)
		}
	}
	for _, s := range []step{
		{"nearer end", sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 500 }},
		{"fewer sites", sharing.SetOrigins, func(c *sharing.Command) { c.Origins = "https://a.example" }},
		{"off", sharing.Disable, none},
	} {
		w := newWorld(t)
		set(w)
		before := w.link(one)
		c := w.command(one, s.action)
		c.Base = 0
		s.fill(&c)
		if out := w.apply(c); out.Fault != nil || out.Link.Version != before.Version+1 {
			t.Errorf("%s from an old state: %+v", s.name, out)
		}
	}
	w := newWorld(t)
	on := w.do(sharing.Enable)
	c := w.command(one, sharing.SetPassword)
	c.Base, c.Hash = 0, hash(t)
	if out := w.apply(c); out.Fault != nil || !out.Link.Password || !w.locked(on) {
		t.Errorf("a first password from an old state: %+v", out)
	}
}

func TestP4_WhatEndsSessionsRaisesTheRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	last := w.with(sharing.Enable, func(c *sharing.Command) { c.Hash = hash(t) })
	for _, s := range []struct {
		action sharing.Action
		fill   func(*sharing.Command)
		ends   bool
	}{
		{sharing.SetPassword, func(c *sharing.Command) { c.Hash = hash(t) }, true},
		{sharing.SetSlug, func(c *sharing.Command) { c.Slug = "sales" }, false},
		{sharing.SetStill, func(c *sharing.Command) { c.Still = true }, false},
		{sharing.SetOrigins, func(c *sharing.Command) { c.Origins = "https://a.example" }, false},
		{sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1000 }, false},
		{sharing.Disable, func(*sharing.Command) {}, true},
		{sharing.Enable, func(*sharing.Command) {}, false},
		{sharing.Rotate, func(*sharing.Command) {}, true},
		{sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1 }, true}, // which is now
	} {
		next := w.with(s.action, s.fill)
		if (next.Revision > last.Revision) != s.ends || next.Version != last.Version+1 {
			t.Errorf("%s: revision %d to %d, version %d to %d", s.action, last.Revision, next.Revision, last.Version, next.Version)
		}
		last = next
	}
}

func TestL5_TheEndIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on := w.do(sharing.Enable)
	set := w.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1000 })
	queued := w.command(one, sharing.Enable) // written before the end, arrives after it
	w.heard.what = nil
	if next := w.expire(999); next != 1000 || w.link(one) != set || len(w.heard.what) != 0 {
		t.Errorf("before its time: next %d, %+v, heard %v", next, w.link(one), w.heard.what)
	}
	if next := w.expire(1000); next != 0 {
		t.Errorf("next is %d", next)
	}
	ended := w.link(one)
	if !ended.Expired || !ended.Enabled || ended.Token != on.Token || ended.Version != set.Version+1 || ended.Revision != set.Revision+1 || w.opens(on) {
		t.Errorf("ended: %+v", ended)
	}
	if !slices.Equal(w.heard.what, []string{"access", "content"}) {
		t.Errorf("heard %v", w.heard.what)
	}
	w.open()
	if w.expire(2000); w.link(one) != ended {
		t.Error("it ended twice")
	}
	if out := w.apply(queued); fault.KindOf(out.Fault) != fault.Conflict || out.Link != ended {
		t.Errorf("a command from before: %+v", out)
	}
	if again := w.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 5000 }); again.Expired || again.Token != on.Token || !w.opens(on) {
		t.Errorf("revived: %+v", again)
	}
	if next := w.expire(1001); next != 5000 {
		t.Errorf("next is %d", next)
	}
	if w.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 0 }); w.expire(1<<40) != 0 || !w.opens(on) {
		t.Error("without an end it ended")
	}
}

// A command that arrives after the end, but before it was carried out, finds it carried out.
func TestL5_AnEndThatWasNotCarriedOutYetCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(sharing.Enable)
	set := w.with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1000 })
	late := w.command(one, sharing.SetExpiry)
	late.Expires = 9000 // later, from the version before the end
	var out sharelink.Outcome
	w.update(func(tx store.Tx) (err error) {
		out, err = sharelink.Apply(tx, &w.heard, access.Account(ann), late, 1001)
		return err
	})
	if fault.KindOf(out.Fault) != fault.Conflict || !out.Link.Expired || out.Link.Version != set.Version+1 {
		t.Errorf("%+v", out)
	}
	if w.link(one) != out.Link {
		t.Error("the end was not stored")
	}
}

// Many links that end at one moment do so in several transactions, each once.
func TestL5_ManyAtTheSameMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []board.ID{one, two} {
		for _, a := range []sharing.Action{sharing.Enable, sharing.SetExpiry} {
			c := w.command(id, a)
			c.Expires = 1000
			if out := w.apply(c); out.Fault != nil {
				t.Fatal(out.Fault)
			}
		}
	}
	if next := w.expire(1000); next != 0 || !w.link(one).Expired || !w.link(two).Expired {
		t.Errorf("next %d, %+v, %+v", next, w.link(one), w.link(two))
	}
}

func TestL7_AReplacedLinkStartsAtNothing(t *testing.T) {
	t.Parallel()
	count := func(w *world) (v store.ViewCount) {
		w.view(func(tx store.Tx) (err error) {
			v, err = tx.Views().Get(one)
			return err
		})
		return v
	}
	for a, keeps := range map[sharing.Action]bool{sharing.Disable: true, sharing.Rotate: false, sharing.Delete: false} {
		w := newWorld(t)
		w.do(sharing.Enable)
		w.update(func(tx store.Tx) error {
			return tx.Views().Put(one, store.ViewCount{Last: 5, Day: 1, Days: []uint32{9}})
		})
		if w.do(a); (count(w).Last != 0) != keeps {
			t.Errorf("after %s: %+v", a, count(w))
		}
	}
}

// A failure in the middle of a command leaves link, hash and answer as they were.
func TestP2_AllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(sharing.Enable)
	before := w.link(one)
	c := w.command(one, sharing.SetPassword)
	c.Hash = hash(t)
	boom := errors.New("boom")
	if err := w.store.Update(t.Context(), func(tx store.Tx) error {
		if _, err := sharelink.Apply(tx, &w.heard, access.Account(ann), c, 1); err != nil {
			return err
		}
		return boom
	}); !errors.Is(err, boom) || w.link(one) != before || w.hash() != "" {
		t.Errorf("%v, %+v", err, w.link(one))
	}
	if out := w.apply(c); out.Fault != nil || !out.Link.Password || w.hash() != c.Hash {
		t.Errorf("sent again: %+v", out)
	}
}
