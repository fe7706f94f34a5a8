package relay_test

import (
	"fmt"
	"strings"
	"testing"

	"widgets.pro/syncserver/internal/mail/relay"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]relay.Server{
		"smtp://mail.example.org":                              {Host: "mail.example.org", Port: 587, Security: relay.IfOffered},
		"smtp://localhost:25":                                  {Host: "localhost", Port: 25, Security: relay.IfOffered},
		"smtp://localhost:25?starttls=required":                {Host: "localhost", Port: 25, Security: relay.StartTLS},
		"smtp://[::1]:2525/":                                   {Host: "::1", Port: 2525, Security: relay.IfOffered},
		"smtp://ann@mail.example.org":                          {Host: "mail.example.org", Port: 587, Security: relay.StartTLS, User: "ann"},
		"smtp://ann@example.org:p%40ss@mail.example.org:2587":  {Host: "mail.example.org", Port: 2587, Security: relay.StartTLS, User: "ann@example.org", Password: "p@ss"},
		"smtp://ann:secret@mail.example.org?starttls=optional": {Host: "mail.example.org", Port: 587, Security: relay.IfOffered, User: "ann", Password: "secret"},
		"smtps://ann:secret@mail.example.org":                  {Host: "mail.example.org", Port: 465, Security: relay.Implicit, User: "ann", Password: "secret"},
		"smtps://mail.example.org:4650":                        {Host: "mail.example.org", Port: 4650, Security: relay.Implicit},
	} {
		if got, err := relay.Parse(address); err != nil || got != want {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
}

func TestB1_BadAddressesAreRefusedWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"mail.example.org", "mail.example.org:587", "http://mail.example.org", "smtp://", "smtp://:587", "smtp://:secret@mail.example.org",
		"smtp://ann:secret@mail.example.org/path", "smtp://ann:secret@mail.example.org:0", "smtp://ann:secret@mail.example.org:70000", "smtp://ann:secret@mail.example.org:x",
		"smtp://ann:secret@mail.example.org?starttls=never", "smtp://ann:secret@mail.example.org?starttls=optional&x=1", "smtps://ann:secret@mail.example.org?starttls=optional",
		"smtp://ann:secret@mail.example.org#x", "smtp://ann:se%zzcret@mail.example.org", "smtp:ann:secret",
	} {
		s, err := relay.Parse(address)
		if err == nil {
			t.Errorf("%s: taken as %+v", address, s)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: repeated in %q", address, err)
		}
	}
}

func TestAPasswordIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := relay.Server{Host: "h", User: "ann", Password: "opensesame"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if out := fmt.Sprintf(format, s); strings.Contains(out, "opensesame") {
			t.Errorf("%s: %s", format, out)
		}
	}
	if s.Password.Reveal() != "opensesame" {
		t.Error("it is lost")
	}
}
