package sharing_test

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"widgets.pro/shared/sharing"
)

func TestI1_ParseInvitees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text      string
		good, bad []string
	}{
		{"", nil, nil},
		{"  \n ,;", nil, nil},
		{"a@b.org", []string{"a@b.org"}, nil},
		{"a@b.org, C@D.org;e@f.org\r\ng@h.org i@j.org", []string{"a@b.org", "c@d.org", "e@f.org", "g@h.org", "i@j.org"}, nil},
		{"Ann Lee <ann@b.org>, \"Lee, Bob\" <bob@b.org>", []string{"ann@b.org", "bob@b.org"}, nil},
		{"<ann@b.org>", []string{"ann@b.org"}, nil},
		{"a@b.org A@B.ORG Ann <a@b.org>", []string{"a@b.org"}, nil},
		{"x@y.org Ann <a@b.org> z@y.org", []string{"x@y.org", "a@b.org", "z@y.org"}, nil},
		{"Ann <a@b.org> Bob <b@b.org>", []string{"a@b.org", "b@b.org"}, nil},
		{"nobody, a@b.org, @x, y@", []string{"a@b.org"}, []string{"nobody", "@x", "y@"}},
		{"Ann <a@b.org\nc@d.org", []string{"c@d.org"}, []string{"Ann <a@b.org"}},
		{"a@b.org\x00c@d.org", nil, []string{"a@b.org\x00c@d.org"}},
		{"Evil <a@b.org\r\nBcc: x@y.org>", nil, []string{"Evil <a@b.org", "Bcc:", "x@y.org>"}},
		{"jürgen@bücher.example", []string{"jürgen@bücher.example"}, nil},
	} {
		good, bad := sharing.ParseInvitees(c.text)
		if !slices.Equal(good, c.good) || !slices.Equal(bad, c.bad) {
			t.Errorf("%q: good %q, bad %q", c.text, good, bad)
		}
	}
}

func FuzzI1_ParseInvitees(f *testing.F) {
	f.Add("Ann <a@b.org>, \"x\" c@d.org;\n<<>>")
	f.Fuzz(func(t *testing.T, text string) {
		good, _ := sharing.ParseInvitees(text)
		for i, a := range good {
			if again, fl := sharing.NormaliseEmail(a); fl != nil || again != a || slices.Contains(good[:i], a) || strings.ContainsAny(a, "\r\n <>") {
				t.Errorf("%q gave %q", text, a)
			}
		}
	})
}

func TestI2_InviteTokensAreSecret(t *testing.T) {
	t.Parallel()
	tok, err := sharing.NewInviteToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if again, ok := sharing.ParseInviteToken(tok.Reveal()); !ok || again != tok {
		t.Errorf("%q is not read back", tok.Reveal())
	}
	if s := fmt.Sprintf("%v %+v %#v %s %q", tok, tok, tok, tok, tok); strings.Contains(s, tok.Reveal()[4:]) {
		t.Errorf("printed: %s", s)
	}
	for _, s := range []string{"", "ivt_", tok.Reveal() + "x", tok.Reveal()[:27], strings.ToUpper(tok.Reveal()), "shr_" + tok.Reveal()[4:], tok.Reveal()[:27] + "\x00"} {
		if _, ok := sharing.ParseInviteToken(s); ok {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestB1_MessagesAreBoundedText(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"": true, "Look at this,\nplease\t!": true, strings.Repeat("x", 1000): true, strings.Repeat("x", 1001): false,
		"a\rb": false, "a\x00": false, "\xff": false, "\x7f": false,
	} {
		if f := sharing.CheckMessage(text); (f == nil) != ok || f != nil && f.Field != "message" {
			t.Errorf("%q: %v", text, f)
		}
	}
}
