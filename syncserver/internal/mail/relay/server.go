// Package relay hands mails to the mail server that passes them on, over SMTP.
//
// It knows nothing of letters, outboxes or retries: it tells whether a mail was taken, and if not, whether another try
// makes sense (Error). Start reading at Dialer; server.go holds the address of a mail server and its credentials.
package relay

import (
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Secret is a password. It prints as [redacted].
type Secret string

const redacted = "[redacted]"

// Reveal is the password itself.
func (s Secret) Reveal() string { return string(s) }

// String is "[redacted]".
func (Secret) String() string { return redacted }

// GoString is "[redacted]".
func (Secret) GoString() string { return redacted }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Security says how a connection is encrypted.
type Security string

// The kinds of security. With IfOffered nothing is asked of the other side: whoever is in between could read along, so it
// is for servers on the same machine or network.
const (
	StartTLS  Security = "starttls" // the connection turns to TLS before anything is said (RFC 3207), or nothing is sent
	Implicit  Security = "tls"      // TLS from the first byte (RFC 8314)
	IfOffered Security = "optional" // TLS where the server offers it, whatever its certificate
)

// Server is a mail server and how to speak to it. The zero Server is none.
type Server struct {
	Host     string
	Port     int
	Security Security
	// User is empty where no log-in is needed.
	User     string
	Password Secret
}

// Address is host and port.
func (s Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

var (
	errForm     = errors.New("needs the form smtp://user@host:587 or smtps://user@host:465")
	errStartTLS = errors.New("takes starttls=required or starttls=optional after smtp://host, and nothing else")
)

// Parse reads the address of a mail server: smtp://user:password@host:587 or smtps://user:password@host:465. With
// credentials, smtp:// requires STARTTLS, unless ?starttls=optional is added; without, it takes STARTTLS where it is offered,
// unless ?starttls=required is. Errors hold nothing of the address, which may have a password in it.
func Parse(address string) (Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return Server{}, errForm
	}
	s := Server{Host: u.Hostname(), User: u.User.Username()}
	if p, ok := u.User.Password(); ok {
		s.Password = Secret(p)
	}
	if s.User == "" && s.Password != "" {
		return Server{}, errForm
	}
	switch u.Scheme {
	case "smtp":
		s.Port, s.Security = 587, IfOffered
		if s.User != "" {
			s.Security = StartTLS
		}
	case "smtps":
		s.Port, s.Security = 465, Implicit
	default:
		return Server{}, errForm
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, errForm
		}
	}
	switch {
	case u.RawQuery == "":
	case s.Security == Implicit:
		return Server{}, errStartTLS
	case u.RawQuery == "starttls=required":
		s.Security = StartTLS
	case u.RawQuery == "starttls=optional":
		s.Security = IfOffered
	default:
		return Server{}, errStartTLS
	}
	return s, nil
}
