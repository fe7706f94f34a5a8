package sharing_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

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
	for _, s := range []string{fmt.Sprint(tok, short), fmt.Sprintf("%v %s %#v %+v %#v", tok, tok, tok, short, sharing.Link{Token: tok, ShortID: short}), log.String()} {
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
