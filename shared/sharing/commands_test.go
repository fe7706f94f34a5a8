package sharing_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// someHash has the form of a hash; nothing is known to match it.
func someHash(c string) sharing.Hash {
	return sharing.Hash("$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat(c, 22)[:21] + "A$" + strings.Repeat(c, 42) + "A")
}

// field is what of a link a command may change beside Version; Revision is told apart since sessions depend on it.
type field string

// changed names the fields in which two links differ.
func changed(a, b sharing.Link) []field {
	var out []field
	note := func(name field, differs bool) {
		if differs {
			out = append(out, name)
		}
	}
	note("enabled", a.Enabled != b.Enabled)
	note("token", a.Token != b.Token || a.ShortID != b.ShortID)
	note("password", a.Password != b.Password)
	note("revision", a.Revision != b.Revision)
	note("expiry", a.Expires != b.Expires || a.Expired != b.Expired)
	note("slug", a.Slug != b.Slug)
	note("still", a.Still != b.Still)
	note("origins", a.Origins != b.Origins)
	return out
}

// mayChange lists what each action may touch.
func mayChange(a sharing.Action) []field {
	return map[sharing.Action][]field{
		sharing.Enable:         {"enabled", "token", "password", "revision"},
		sharing.Disable:        {"enabled", "revision"},
		sharing.Rotate:         {"token", "slug", "revision"},
		sharing.SetPassword:    {"password", "revision"},
		sharing.RemovePassword: {"password", "revision"},
		sharing.SetExpiry:      {"expiry", "revision"},
		sharing.SetSlug:        {"slug"},
		sharing.SetStill:       {"still"},
		sharing.SetOrigins:     {"origins"},
	}[a]
}

// opens reports whether somebody may get in by next who may not by l: by the address alone, with a session, by another
// slug, from another site, for longer.
func opens(l, next sharing.Link, now int64) bool {
	rank := map[sharing.Mode]int{sharing.Private: 0, sharing.Password: 1, sharing.Public: 2}
	return rank[next.Mode(now)] > rank[l.Mode(now)]
}

// drawCommand draws any command, stale and nonsensical ones among them.
func drawCommand(t *rapid.T, l sharing.Link, now int64) sharing.Command {
	i := rapid.IntRange(0, 5).Draw(t, "token")
	hash := rapid.SampledFrom([]sharing.Hash{"", someHash("a"), someHash("b"), "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"})
	return sharing.Command{
		Action: rapid.SampledFrom(append(slices.Sorted(maps.Keys(tableOfActions())), "nonsense")).Draw(t, "action"),
		Base:   l.Version - min(l.Version, uint64(rapid.IntRange(0, 2).Draw(t, "lag"))),
		Token:  sharing.Token("shr_" + strings.Repeat(string(rune('a'+i)), 24)), ShortID: sharing.ShortID(strings.Repeat(string(rune('a'+i)), 10)),
		Hash:    hash.Draw(t, "hash"),
		Expires: rapid.SampledFrom([]int64{0, -1, now - 5, now + 5, now + 50, now + 500, now + sharing.MaxExpiry + 1}).Draw(t, "expires"),
		Slug:    rapid.SampledFrom([]sharing.Slug{"", "team-status", "taken", "Nö"}).Draw(t, "slug"),
		Still:   rapid.Bool().Draw(t, "still"),
		Origins: rapid.SampledFrom([]sharing.Origins{"", "https://a.example", "https://a.example https://b.example", "javascript:alert(1)", "*"}).Draw(t, "origins"),
	}
}

func tableOfActions() map[sharing.Action]bool {
	return map[sharing.Action]bool{
		sharing.Enable: true, sharing.Disable: true, sharing.Rotate: true, sharing.SetPassword: true, sharing.RemovePassword: true,
		sharing.SetExpiry: true, sharing.SetSlug: true, sharing.SetStill: true, sharing.SetOrigins: true,
	}
}

// Every random sequence of commands, with time passing: a refusal changes nothing; each setter changes only its field; the
// version grows by one exactly when something changed; a replaced token never comes back; a stale command never gives
// access; sessions end with everything that takes access away.
func TestP2_P4_L3_L4_L5_V3_RandomCommandsChangeOnlyTheirField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, at := sharing.Link{}, int64(now)
		dead := map[sharing.Token]bool{}
		names := sharing.Names{
			Link: func(x sharing.Token, _ sharing.ShortID) bool { return dead[x] },
			Slug: func(s sharing.Slug) bool { return s == "taken" },
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at += rapid.SampledFrom([]int64{0, 1, 20, 200}).Draw(t, "passes")
			if rapid.Bool().Draw(t, "carry out") {
				l = checkExpire(t, l, at)
			}
			c := drawCommand(t, l, at)
			n, f := sharing.Decide(l, c, at, names)
			check(t, l, n, c, f, at)
			if dead[n.Token] || n.Slug == "taken" {
				t.Fatalf("%s took %q, which cannot be had", c.Action, n.Slug)
			}
			if n.Token != l.Token && l.Token != "" {
				dead[l.Token] = true
			}
			l = n
		}
	})
}

func check(t *rapid.T, l, n sharing.Link, c sharing.Command, f *fault.Error, at int64) {
	if f != nil && n != l {
		t.Fatalf("%s was refused (%v) but changed %+v to %+v", c.Action, f, l, n)
	}
	fields := changed(l, n)
	for _, x := range fields {
		if !slices.Contains(mayChange(c.Action), x) {
			t.Fatalf("%s changed %s: %+v to %+v", c.Action, x, l, n)
		}
	}
	switch {
	case (n.Version != l.Version) != (len(fields) > 0), n.Version > l.Version+1:
		t.Fatalf("%s: version went from %d to %d when %v changed", c.Action, l.Version, n.Version, fields)
	case c.Base != l.Version && opens(l, n, at):
		t.Fatalf("a stale %s opened %+v to %+v", c.Action, l, n)
	case c.Action == sharing.Enable && c.Hash != "" && n.Mode(at) == sharing.Public && n != l:
		t.Fatalf("turned on with a password and open without: %+v", n)
	case l.Mode(at) != sharing.Private && n.Mode(at) == sharing.Private && n.Revision == l.Revision:
		t.Fatalf("%s took access away and left the sessions: %+v to %+v", c.Action, l, n)
	case slices.Contains(fields, "password") && n.Revision == l.Revision, slices.Contains(fields, "token") && l.Token != "" && n.Revision == l.Revision:
		t.Fatalf("%s left the sessions: %+v to %+v", c.Action, l, n)
	case slices.Contains(fields, "token") && l.Token != "" && n.Slug != "":
		t.Fatalf("a replaced link kept its name: %+v", n)
	case n.Revision < l.Revision:
		t.Fatalf("the revision fell from %d to %d", l.Revision, n.Revision)
	}
}

func checkExpire(t *rapid.T, l sharing.Link, at int64) sharing.Link {
	n := sharing.Expire(l, at)
	ends := l.Enabled && !l.Expired && l.Expires != 0 && at >= l.Expires
	want := l
	if ends {
		want.Expired, want.Revision, want.Version = true, l.Revision+1, l.Version+1
	}
	if n != want || sharing.Expire(n, at) != n || n.Mode(at) != l.Mode(at) {
		t.Fatalf("expiry made %+v of %+v", n, l)
	}
	return n
}

func on(t *testing.T, hash sharing.Hash) sharing.Link {
	t.Helper()
	tok, short := mint(t)
	return apply(t, sharing.Link{}, sharing.Command{Action: sharing.Enable, Token: tok, ShortID: short, Hash: hash})
}

func TestP2_TurnedOnWithAPasswordInOneStep(t *testing.T) {
	if l := on(t, someHash("a")); l.Mode(now) != sharing.Password || l.Version != 1 {
		t.Errorf("%+v", l)
	}
	tok, short := mint(t)
	for _, h := range []sharing.Hash{"plain", "$2y$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + sharing.Hash(strings.Repeat("A", 43))} {
		l, f := sharing.Decide(sharing.Link{}, sharing.Command{Action: sharing.Enable, Token: tok, ShortID: short, Hash: h}, now, sharing.Names{})
		if f == nil || f.Field != "hash" || l != (sharing.Link{}) {
			t.Errorf("%q: %+v, %v", h.String(), l, f)
		}
	}
}

func TestV3_WhatTakesAwayAppliesAlwaysWhatGivesDoesNot(t *testing.T) {
	base := on(t, "")
	locked := on(t, someHash("a"))
	ending := apply(t, base, sharing.Command{Action: sharing.SetExpiry, Base: base.Version, Expires: now + 1000})
	framed := apply(t, base, sharing.Command{Action: sharing.SetOrigins, Base: base.Version, Origins: "https://a.example https://b.example"})
	still := apply(t, base, sharing.Command{Action: sharing.SetStill, Still: true})
	for name, c := range map[string]struct {
		l       sharing.Link
		c       sharing.Command
		applies bool
	}{
		"a password on an open link":        {base, sharing.Command{Action: sharing.SetPassword, Hash: someHash("b")}, true},
		"another password":                  {locked, sharing.Command{Action: sharing.SetPassword, Hash: someHash("b")}, false},
		"no password":                       {locked, sharing.Command{Action: sharing.RemovePassword}, false},
		"an end":                            {base, sharing.Command{Action: sharing.SetExpiry, Expires: now + 5}, true},
		"a nearer end":                      {ending, sharing.Command{Action: sharing.SetExpiry, Expires: now + 999}, true},
		"a later end":                       {ending, sharing.Command{Action: sharing.SetExpiry, Expires: now + 1001}, false},
		"no end":                            {ending, sharing.Command{Action: sharing.SetExpiry}, false},
		"a name":                            {base, sharing.Command{Action: sharing.SetSlug, Slug: "team"}, false},
		"stillness":                         {base, sharing.Command{Action: sharing.SetStill, Still: true}, true},
		"interaction":                       {still, sharing.Command{Action: sharing.SetStill}, false},
		"sites":                             {base, sharing.Command{Action: sharing.SetOrigins, Origins: "https://a.example"}, true},
		"fewer sites":                       {framed, sharing.Command{Action: sharing.SetOrigins, Origins: "https://b.example"}, true},
		"another site":                      {framed, sharing.Command{Action: sharing.SetOrigins, Origins: "https://b.example https://c.example"}, false},
		"every site":                        {framed, sharing.Command{Action: sharing.SetOrigins}, false},
		"a password on one turned on":       {base, sharing.Command{Action: sharing.Enable, Hash: someHash("b")}, true},
		"another password on one turned on": {locked, sharing.Command{Action: sharing.Enable, Hash: someHash("b")}, false},
	} {
		c.c.Base = c.l.Version + 7
		n, f := sharing.Decide(c.l, c.c, now, sharing.Names{})
		if applied := f == nil && n.Version == c.l.Version+1; applied != c.applies {
			t.Errorf("%s on a stale version: %+v, %v", name, n, f)
		}
		if !c.applies && (fault.KindOf(f) != fault.Conflict || f.Hint == "") {
			t.Errorf("%s: the owner is not told: %v", name, f)
		}
		c.c.Base = c.l.Version
		if n, f := sharing.Decide(c.l, c.c, now, sharing.Names{}); f != nil || n.Version != c.l.Version+1 {
			t.Errorf("%s on the present version: %+v, %v", name, n, f)
		}
	}
}

func TestL5_AnEndedLinkIsOffAndCanBeRevived(t *testing.T) {
	l := on(t, "")
	l = apply(t, l, sharing.Command{Action: sharing.SetExpiry, Base: l.Version, Expires: now + 10})
	if l.Mode(now+9) != sharing.Public || l.Mode(now+10) != sharing.Private || !l.Ended(now+10) {
		t.Fatalf("%+v", l)
	}
	ended := sharing.Expire(l, now+10)
	if !l.Revokes(ended) || ended.Token != l.Token || ended.Revision == l.Revision {
		t.Fatalf("%+v", ended)
	}
	if n, f := sharing.Decide(ended, sharing.Command{Action: sharing.Enable, Base: ended.Version}, now+20, sharing.Names{}); fault.KindOf(f) != fault.Conflict || n != ended {
		t.Errorf("turned on after its end: %+v, %v", n, f)
	}
	if n, f := sharing.Decide(ended, sharing.Command{Action: sharing.SetExpiry, Base: l.Version, Expires: now + 500}, now+20, sharing.Names{}); f == nil || n != ended {
		t.Errorf("revived by who had not heard of its end: %+v, %v", n, f)
	}
	n, f := sharing.Decide(ended, sharing.Command{Action: sharing.SetExpiry, Base: ended.Version, Expires: now + 500}, now+20, sharing.Names{})
	if f != nil || n.Mode(now+20) != sharing.Public || n.Token != l.Token || n.Revision != ended.Revision {
		t.Errorf("revived: %+v, %v", n, f)
	}
	// One that was decided before its time and arrives after it ends the link at once.
	late, f := sharing.Decide(on(t, ""), sharing.Command{Action: sharing.SetExpiry, Expires: now - 10}, now, sharing.Names{})
	if f != nil || !late.Expired || late.Mode(now) != sharing.Private {
		t.Errorf("late: %+v, %v", late, f)
	}
}

func TestS2_SlugForm(t *testing.T) {
	for _, s := range []string{"abc", "team-status", "2026-report", strings.Repeat("a", 64), "a1b"} {
		if _, ok := sharing.ParseSlug(s); !ok {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", "ab", strings.Repeat("a", 65), "Team", "-ab", "ab-", "a--b", "a_b", "a/b", "a b", "ähm", "a.b", "abc\x00", "abc\n"} {
		if _, ok := sharing.ParseSlug(s); ok {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestE5_Origins(t *testing.T) {
	for in, want := range map[string]string{
		"https://Example.org": "https://example.org", "example.org": "https://example.org", "https://example.org:443/a/b": "https://example.org",
		"http://localhost:3000": "http://localhost:3000", " https://*.example.org ": "https://*.example.org", "http://a.example:80": "http://a.example",
	} {
		if got, ok := sharing.ParseOrigin(in); !ok || got != want {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{
		"", "*", "https://*", "https://*.", "ftp://a.example", "javascript:alert(1)", "https://a.example; script-src *", "https://a b", "https://user@a.example",
		"https://a.example:0", "https://a.example:99999", "https://a.example:080", "https://ä.example", "https://a..b", "https://-a.example", "data:text/html,x",
		"https://[::1]", "'self'", "https://a.example\nX: y", "https://a.*.example", "https://a.example?x", "https://" + strings.Repeat("a", 64) + ".example",
	} {
		if got, ok := sharing.ParseOrigin(in); ok {
			t.Errorf("%q is taken for %q", in, got)
		}
	}
	o, ok := sharing.ParseOrigins([]string{"b.example", "https://a.example", "https://b.example"})
	if !ok || o != "https://a.example https://b.example" || o.FrameAncestors() != string(o) || sharing.Origins("").FrameAncestors() != "*" {
		t.Errorf("%q, %v", o, ok)
	}
	many := make([]string, sharing.MaxOrigins+1)
	for i := range many {
		many[i] = string(rune('a'+i)) + ".example"
	}
	if _, ok := sharing.ParseOrigins(many); ok {
		t.Error("too many are taken")
	}
}

func FuzzE5_ParseOrigin(f *testing.F) {
	f.Add("https://*.example.org:8443/path")
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := sharing.ParseOrigin(s)
		if !ok {
			return
		}
		if again, ok := sharing.ParseOrigin(o); !ok || again != o || strings.ContainsAny(o, " ;,'\"\r\n\t") {
			t.Errorf("%q became %q and %q", s, o, again)
		}
	})
}
