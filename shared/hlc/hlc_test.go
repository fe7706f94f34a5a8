package hlc_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/hlc"
)

func TestSI9_StampsGrowWhateverTheWallClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := hlc.Clock{Dev: 7}
		var last hlc.Stamp
		for range rapid.IntRange(1, 50).Draw(r, "steps") {
			if rapid.Bool().Draw(r, "hear") {
				heard := hlc.Stamp{T: hlc.At(rapid.Int64Range(0, 1<<40).Draw(r, "theirs")), Dev: rapid.Uint64().Draw(r, "dev")}
				c.Receive(heard)
				last.T = max(last.T, heard.T)
			}
			if rapid.IntRange(0, 5).Draw(r, "restart") == 0 {
				c = hlc.Clock{Dev: c.Dev, Last: c.Last} // all that is stored
			}
			wall := rapid.Int64Range(-1000, 1<<40).Draw(r, "wall")
			s := c.Now(wall)
			if s.T <= last.T || s.Dev != 7 {
				r.Fatalf("%s after %s", s, last)
			}
			if s.T < hlc.At(wall) {
				r.Fatalf("%s is before the wall clock's %d", s, wall)
			}
			last = s
		}
	})
}

func TestSI9_ClockStepsBack(t *testing.T) {
	t.Parallel()
	c := hlc.Clock{Dev: 1}
	a := c.Now(5_000)
	b := c.Now(1_000)
	if !a.Less(b) || b.Millis() != 5_000 || b.T != a.T+1 {
		t.Errorf("%s, then %s", a, b)
	}
	c.Receive(hlc.Stamp{T: hlc.At(9_000), Dev: 2})
	if s := c.Now(6_000); s.T != hlc.At(9_000)+1 {
		t.Errorf("after a stamp of 9,000 ms comes %s", s)
	}
	if s := c.Now(10_000); s.T != hlc.At(10_000) {
		t.Errorf("at 10,000 ms the stamp is %s", s)
	}
	c.Receive(hlc.Stamp{T: 1})
	if c.Last != hlc.At(10_000) {
		t.Error("an old stamp moved the clock back")
	}
}

func TestSI17_ParseAcceptsTheCanonicalFormOnly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", "1-", "-1", "1", "1-2-3", "01-1", "1-01", "A-1", "1-A", "+1-1", "1-+1", " 1-1", "1-1 ", "0x1-1", "1_0-1",
		"10000000000000000-1", "1-10000000000000000", "1\x00-1", "１-1", strings.Repeat("1", 1000),
	} {
		if s, err := hlc.Parse(text); err == nil {
			t.Errorf("%q was read as %v", text, s)
		} else if !strings.Contains(err.Error(), "hex") {
			t.Errorf("%q: the error does not say what was expected: %v", text, err)
		}
	}
	for text, want := range map[string]hlc.Stamp{
		"0-0":                               {},
		"1a-ff":                             {T: 0x1a, Dev: 0xff},
		"ffffffffffffffff-ffffffffffffffff": {T: 1<<64 - 1, Dev: 1<<64 - 1},
	} {
		if s, err := hlc.Parse(text); err != nil || s != want {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
}

func TestSI17_StampsSurviveJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		want := hlc.Stamp{T: rapid.Uint64().Draw(r, "t"), Dev: rapid.Uint64().Draw(r, "dev")}
		b, err := json.Marshal(want)
		if err != nil {
			r.Fatal(err)
		}
		var got hlc.Stamp
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			r.Fatalf("%v became %s, then %v: %v", want, b, got, err)
		}
	})
}

func TestSI12_StampsAreOrdered(t *testing.T) {
	t.Parallel()
	small := rapid.Custom(func(r *rapid.T) hlc.Stamp {
		return hlc.Stamp{T: rapid.Uint64Range(0, 2).Draw(r, "t"), Dev: rapid.Uint64Range(0, 2).Draw(r, "dev")}
	})
	rapid.Check(t, func(r *rapid.T) {
		a, b, c := small.Draw(r, "a"), small.Draw(r, "b"), small.Draw(r, "c")
		if a.Compare(b) != -b.Compare(a) || (a.Compare(b) == 0) != (a == b) {
			r.Fatalf("%v and %v compare as %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		if a.Less(b) && b.Less(c) && !a.Less(c) {
			r.Fatalf("%v < %v < %v, but not the first before the last", a, b, c)
		}
		if m := hlc.Max(a, b); m != hlc.Max(b, a) || m.Less(a) || m.Less(b) {
			r.Fatalf("the later of %v and %v is %v", a, b, m)
		}
		if z := (hlc.Stamp{}); a.Less(z) || a.IsZero() != (a == z) {
			r.Fatalf("%v is before the zero stamp", a)
		}
	})
}

func FuzzSI17_Parse(f *testing.F) {
	f.Add("0-0")
	f.Add("1a3185c51810000-5")
	f.Add("01-1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := hlc.Parse(text)
		if err == nil && s.String() != text {
			t.Errorf("%q was read as %s", text, s)
		}
		var u hlc.Stamp
		if (u.UnmarshalText([]byte(text)) == nil) != (err == nil) {
			t.Errorf("%q: UnmarshalText and Parse disagree", text)
		}
	})
}
