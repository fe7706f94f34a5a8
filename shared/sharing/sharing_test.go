package sharing_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

const now = 1_790_000_000_000

func mint(tb testing.TB) (sharing.Token, sharing.ShortID) {
	tb.Helper()
	tok, err := sharing.NewToken(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	short, err := sharing.NewShortID(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return tok, short
}

func TestL1_TokenForm(t *testing.T) {
	seen := map[sharing.Token]bool{}
	for range 1000 {
		tok, short := mint(t)
		if _, ok := sharing.ParseToken(tok.Reveal()); !ok || seen[tok] {
			t.Fatalf("bad or repeated token %q", tok.Reveal())
		}
		if _, ok := sharing.ParseShortID(short.Reveal()); !ok {
			t.Fatalf("bad short id %q", short.Reveal())
		}
		seen[tok] = true
	}
	good, _ := mint(t)
	g := good.Reveal()
	for name, bad := range map[string]string{
		"empty": "", "prefix only": "shr_", "a prefix of one": g[:len(g)-1], "one more": g + "a", "NUL": g + "\x00", "other prefix": "SHR_" + g[4:],
		"space": " " + g[1:], "hyphen": g[:len(g)-1] + "-", "newline": g + "\n", "unicode": g[:len(g)-2] + "é",
	} {
		if _, ok := sharing.ParseToken(bad); ok {
			t.Errorf("%s: %q is taken for a token", name, bad)
		}
	}
	if want := "https://example.org/share/" + g; good.URL("https://example.org") != want {
		t.Errorf("URL = %s, want %s", good.URL("https://example.org"), want)
	}
}

func TestL1_TokenUsesItsRandomness(t *testing.T) {
	if _, err := sharing.NewToken(bytes.NewReader(make([]byte, 3))); err == nil {
		t.Error("a token was made without enough random bytes")
	}
	// 255 is above the unbiased range: such bytes must be skipped, not folded.
	src := append(bytes.Repeat([]byte{255}, 24), bytes.Repeat([]byte{1}, 48)...)
	tok, err := sharing.NewToken(bytes.NewReader(src))
	if err != nil || tok.Reveal() != "shr_"+strings.Repeat("1", 24) {
		t.Errorf("token %q, %v", tok.Reveal(), err)
	}
}

func TestTokensNeverPrint(t *testing.T) {
	tok, short := mint(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", tok, "short", short)
	for _, s := range []string{fmt.Sprint(tok, short), fmt.Sprintf("%v %s %#v %+v", tok, tok, tok, short), log.String()} {
		if strings.Contains(s, tok.Reveal()) || strings.Contains(s, short.Reveal()) {
			t.Errorf("a secret is printed: %s", s)
		}
	}
	if b, _ := json.Marshal(sharing.Link{Token: tok}); !bytes.Contains(b, []byte(tok.Reveal())) {
		t.Error("the token does not survive the wire")
	}
}

func TestL3_DisableKeepsTheLinkAndEnableRevivesIt(t *testing.T) {
	tok, short := mint(t)
	l := apply(t, sharing.Link{}, sharing.Command{Action: sharing.Enable, Token: tok, ShortID: short})
	if !l.Enabled || l.Token != tok || l.ShortID != short || l.Mode(now) != sharing.Public {
		t.Fatalf("enabled: %+v", l)
	}
	l = apply(t, l, sharing.Command{Action: sharing.Disable, Base: l.Version})
	if l.Enabled || l.Token != tok || l.ShortID != short || l.Mode(now) != sharing.Private {
		t.Fatalf("disabled: %+v", l)
	}
	other, otherShort := mint(t)
	l = apply(t, l, sharing.Command{Action: sharing.Enable, Base: l.Version, Token: other, ShortID: otherShort})
	if !l.Enabled || l.Token != tok || l.ShortID != short {
		t.Fatalf("enabled again: %+v", l)
	}
}

func TestV3_StaleCommandsDoNotRevive(t *testing.T) {
	tok, short := mint(t)
	l := apply(t, sharing.Link{}, sharing.Command{Action: sharing.Enable, Token: tok, ShortID: short})
	seen := l.Version
	l = apply(t, l, sharing.Command{Action: sharing.Disable, Base: l.Version})
	for _, a := range []sharing.Action{sharing.Enable, sharing.Rotate} {
		t2, s2 := mint(t)
		got, f := sharing.Decide(l, sharing.Command{Action: a, Base: seen, Token: t2, ShortID: s2}, now, sharing.Names{})
		if fault.KindOf(f) != fault.Conflict || got != l {
			t.Errorf("stale %s: %+v, %v", a, got, f)
		}
	}
	// A stale disable still applies: less access needs no agreement.
	on := apply(t, l, sharing.Command{Action: sharing.Enable, Base: l.Version})
	if off, f := sharing.Decide(on, sharing.Command{Action: sharing.Disable, Base: 0}, now, sharing.Names{}); f != nil || off.Enabled {
		t.Errorf("stale disable: %+v, %v", off, f)
	}
}

func TestL4_DeadTokensAreRefused(t *testing.T) {
	tok, short := mint(t)
	dead := func(x sharing.Token, _ sharing.ShortID) bool { return x == tok }
	if l, f := sharing.Decide(sharing.Link{}, sharing.Command{Action: sharing.Enable, Token: tok, ShortID: short}, now, sharing.Names{Link: dead}); f == nil || l.Enabled {
		t.Errorf("a dead token was enabled: %+v", l)
	}
}

func apply(t *testing.T, l sharing.Link, c sharing.Command) sharing.Link {
	t.Helper()
	n, f := sharing.Decide(l, c, now, sharing.Names{})
	if f != nil {
		t.Fatal(f)
	}
	return n
}

// Every random sequence of commands, stale and repeated ones among them: a refusal changes nothing, each action changes
// only its own fields, the version grows by one exactly when something changed, and a replaced token never comes back.
func TestL4_V3_RandomCommands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := sharing.Link{}
		dead := map[sharing.Token]bool{}
		pool := make([]sharing.Token, 6)
		shorts := make([]sharing.ShortID, 6)
		for i := range pool {
			pool[i] = sharing.Token("shr_" + strings.Repeat(string(rune('a'+i)), 24))
			shorts[i] = sharing.ShortID(strings.Repeat(string(rune('a'+i)), 10))
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			i := rapid.IntRange(0, 5).Draw(t, "token")
			c := sharing.Command{
				Action: rapid.SampledFrom([]sharing.Action{sharing.Enable, sharing.Disable, sharing.Rotate, "nonsense"}).Draw(t, "action"),
				Base:   l.Version - min(l.Version, uint64(rapid.IntRange(0, 2).Draw(t, "lag"))),
				Token:  pool[i], ShortID: shorts[i],
			}
			n, f := sharing.Decide(l, c, now, sharing.Names{Link: func(x sharing.Token, _ sharing.ShortID) bool { return dead[x] }})
			switch {
			case f != nil && n != l:
				t.Fatalf("refused %v but changed %+v to %+v", c.Action, l, n)
			case n == l:
			case n.Version != l.Version+1:
				t.Fatalf("version went from %d to %d", l.Version, n.Version)
			case c.Action == sharing.Disable && (n.Token != l.Token || n.ShortID != l.ShortID):
				t.Fatal("disable changed the token")
			case c.Action == sharing.Enable && l.Token != "" && n.Token != l.Token:
				t.Fatal("enable changed the token")
			case c.Action == sharing.Rotate && n.Enabled != l.Enabled:
				t.Fatal("rotate changed whether the link is on")
			}
			if dead[n.Token] {
				t.Fatalf("token %d lives again", i)
			}
			if n.Token != l.Token && l.Token != "" {
				dead[l.Token] = true
			}
			l = n
		}
	})
}

func FuzzB1_ParseToken(f *testing.F) {
	f.Add("shr_abcdefghijklmnopqrstuvwx")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if tok, ok := sharing.ParseToken(s); ok && tok.Reveal() != s {
			t.Errorf("%q became %q", s, tok.Reveal())
		}
		if id, ok := sharing.ParseShortID(s); ok && id.Reveal() != s {
			t.Errorf("%q became %q", s, id.Reveal())
		}
	})
}
