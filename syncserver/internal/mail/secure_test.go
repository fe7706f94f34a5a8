package mail_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"widgets.pro/shared/sharing"
	letters "widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
)

const (
	notSafe = "The connection to the mail server was not safe, so nothing was sent. Whoever runs this server has to see to it. Another try follows."
	notIn   = "The mail server did not let this server in. Whoever runs this server has to see to it. Another try follows."
)

// closed is a mail server with TLS at which one has to log in.
func closed(t *testing.T, fill func(*post), change func(*letters.Config)) (*post, func(relay.Security) *world) {
	t.Helper()
	cert, roots := certificate(t)
	p := newPost(t, func(p *post) {
		p.tls, p.users, p.ways = cert, map[string]string{"widgets@example.org": "opensesame"}, []string{"PLAIN", "LOGIN"}
		if fill != nil {
			fill(p)
		}
	})
	return p, func(s relay.Security) *world {
		server := p.at(s)
		server.User, server.Password = "widgets@example.org", "opensesame"
		return newWorld(t, server, func(c *letters.Config) {
			c.Roots = roots
			if change != nil {
				change(c)
			}
		})
	}
}

// silent expects that neither the password nor a mail went over the wire in the clear.
func silent(t *testing.T, p *post) {
	t.Helper()
	wire := p.wire.String()
	for _, secret := range []string{"opensesame", base64.StdEncoding.EncodeToString([]byte("opensesame")), base64.StdEncoding.EncodeToString([]byte("\x00widgets@example.org\x00opensesame")), "AUTH PLAIN A", "AUTH LOGIN d", "RCPT", token} {
		if strings.Contains(wire, secret) {
			t.Errorf("%q went over the wire in the clear:\n%s", secret, wire)
		}
	}
}

func TestI7_LogInOverTLS(t *testing.T) {
	t.Parallel()
	for _, security := range []relay.Security{relay.StartTLS, relay.Implicit} {
		for _, way := range []string{"PLAIN", "LOGIN"} {
			t.Run(fmt.Sprintf("%s %s", security, way), func(t *testing.T) {
				t.Parallel()
				p, world := closed(t, func(p *post) { p.ways, p.implicit = []string{way}, security == relay.Implicit }, nil)
				w := world(security)
				w.invite("inv_1", bob)
				w.hears("inv_1", sharing.DeliverySent)
				if got := p.mails(); len(got) != 1 || !got[0].tls || got[0].user != "widgets@example.org" {
					t.Errorf("%+v", got)
				}
				if security == relay.StartTLS {
					wire := p.wire.String()
					before, _, _ := strings.Cut(wire, "STARTTLS\r\n220")
					if before == wire || strings.Contains(before, "RCPT") || strings.Contains(before, "AUTH PLAIN A") || strings.Contains(before, "AUTH LOGIN d") {
						t.Errorf("not encrypted first:\n%s", wire)
					}
				}
			})
		}
	}
}

func TestI7_WithoutTLSNothingIsSent(t *testing.T) {
	t.Parallel()
	p, world := closed(t, func(p *post) { p.tls = nil }, nil) // as if somebody in between took STARTTLS away
	w := world(relay.StartTLS)
	w.invite("inv_1", bob)
	if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != notSafe {
		t.Errorf("%+v", i)
	}
	silent(t, p)
	if !strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("nobody is told:\n%s", w.log.String())
	}
}

func TestI7_ACertificateOfNobodyIsRefused(t *testing.T) {
	t.Parallel()
	for _, security := range []relay.Security{relay.StartTLS, relay.Implicit} {
		t.Run(string(security), func(t *testing.T) {
			t.Parallel()
			p, world := closed(t, func(p *post) { p.implicit = security == relay.Implicit }, func(c *letters.Config) { c.Roots = nil })
			w := world(security)
			w.invite("inv_1", bob)
			if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != notSafe {
				t.Errorf("%+v", i)
			}
			silent(t, p)
			if len(p.mails()) != 0 {
				t.Error("sent all the same")
			}
		})
	}
}

func TestI7_PlainWhereTLSIsExpected(t *testing.T) {
	t.Parallel()
	p, world := closed(t, nil, nil)
	w := world(relay.Implicit) // to a port that does not begin with TLS
	w.invite("inv_1", bob)
	if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != notSafe {
		t.Errorf("%+v", i)
	}
	silent(t, p)
}

func TestI7_TLSIsTakenWhereItIsOffered(t *testing.T) {
	t.Parallel()
	cert, _ := certificate(t)
	p := newPost(t, func(p *post) { p.tls = cert })
	w := newWorld(t, p.at(relay.IfOffered), nil)
	w.invite("inv_1", bob)
	w.hears("inv_1", sharing.DeliverySent)
	if got := p.mails(); len(got) != 1 || !got[0].tls {
		t.Errorf("%+v", got)
	}
}

func TestI7_AWrongPasswordIsForWhoeverRunsTheServer(t *testing.T) {
	t.Parallel()
	p, world := closed(t, func(p *post) { p.users = map[string]string{"widgets@example.org": "another"} }, nil)
	w := world(relay.StartTLS)
	w.invite("inv_1", bob)
	if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != notIn {
		t.Errorf("%+v", i)
	}
	if log := w.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "535") {
		t.Errorf("nobody is told:\n%s", log)
	}
	if left := w.waiting(); len(left) != 1 {
		t.Errorf("%d left: it is not the mail's fault", len(left))
	}
	if len(p.mails()) != 0 {
		t.Error("sent all the same")
	}
}

func TestI7_AddressesOfMoreThanPlainLetters(t *testing.T) {
	t.Parallel()
	old, modern := newPost(t, nil), newPost(t, func(p *post) { p.utf8 = true })
	w := newWorld(t, old.at(relay.IfOffered), nil)
	w.invite("inv_1", "bücher@example.org")
	if i := w.hears("inv_1", sharing.DeliveryFailed); i.Reason != "The mail server cannot send to an address with such letters in it." {
		t.Errorf("%+v", i)
	}
	w.invite("inv_2", "bob@bücher.example")
	w.hears("inv_2", sharing.DeliverySent)
	if got := old.mails(); len(got) != 1 || got[0].to != "bob@xn--bcher-kva.example" {
		t.Errorf("%+v", got)
	}
	w = newWorld(t, modern.at(relay.IfOffered), nil)
	w.invite("inv_1", "bücher@example.org")
	w.hears("inv_1", sharing.DeliverySent)
	if got := modern.mails(); len(got) != 1 || got[0].to != "bücher@example.org" {
		t.Errorf("%+v", got)
	}
}
