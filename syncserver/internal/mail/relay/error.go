package relay

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"

	"github.com/emersion/go-smtp"
)

// Cause says what went wrong.
type Cause string

// The causes. All but Refused and Unsupported are of the connection or of the server as a whole, not of one mail.
const (
	Unreachable  Cause = "unreachable"  // no connection, or no greeting
	Insecure     Cause = "insecure"     // no TLS where it is required, or a certificate that does not hold
	Unauthorised Cause = "unauthorised" // the server does not take our credentials, or wants some
	Broken       Cause = "broken"       // the connection was lost, or took too long, in the middle
	Refused      Cause = "refused"      // the server does not take this mail
	Unsupported  Cause = "unsupported"  // the server cannot send to an address of this kind
)

// Step is a part of a mail, in the order in which the server takes them.
type Step string

// The steps.
const (
	Sender    Step = "sender"
	Recipient Step = "recipient"
	Content   Step = "content"
)

// Error is why a mail was not taken. Nothing of what the server said is part of its text, since that may repeat addresses.
type Error struct {
	Cause Cause
	// Code and Enhanced are the reply (RFC 5321, RFC 3463); 0 if there was none.
	Code     int
	Enhanced [3]int
	// Step is what the server did not take, "" if it did not come to that.
	Step Step
	// Early tells that a connection which had been used before broke, and that the server was not given any of the mail: a
	// new connection can be tried at once.
	Early bool

	err error
}

// Error tells cause and code.
func (f *Error) Error() string {
	switch {
	case f.Code != 0 && f.Enhanced != [3]int{}:
		return fmt.Sprintf("%s: reply %d %d.%d.%d", f.Cause, f.Code, f.Enhanced[0], f.Enhanced[1], f.Enhanced[2])
	case f.Code != 0:
		return fmt.Sprintf("%s: reply %d", f.Cause, f.Code)
	case f.err != nil:
		return fmt.Sprintf("%s: %v", f.Cause, f.err)
	}
	return string(f.Cause)
}

// Unwrap is the error of the network, if it was one.
func (f *Error) Unwrap() error { return f.err }

// Permanent tells that another try would fail as well.
func (f *Error) Permanent() bool {
	return f.Cause == Unsupported || f.Cause == Refused && f.Code/100 == 5
}

// Shared tells that every other mail would have failed in the same way, since none could even be begun.
func (f *Error) Shared() bool {
	return f.Cause == Unreachable || f.Cause == Insecure || f.Cause == Unauthorised
}

var errProtocol = errors.New("the server does not speak SMTP")

// failed makes an Error of an error of the SMTP library; cause is what it means if the server replied, lost if not.
func failed(err error, cause, lost Cause) *Error {
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		if p := textproto.ProtocolError(""); errors.As(err, &p) {
			err = errProtocol // whose text is what the server said
		}
		return &Error{Cause: lost, err: err}
	}
	f := &Error{Cause: cause, Code: reply.Code}
	if reply.EnhancedCode[0] > 0 {
		f.Enhanced = reply.EnhancedCode
	}
	switch reply.Code {
	case 530, 534, 535, 538: // RFC 4954: who we are does not suffice; nothing is wrong with the mail
		f.Cause = Unauthorised
	case 421: // RFC 5321: the server closes the connection, whatever was asked
		if cause == Refused {
			f.Cause = Broken
		}
	}
	return f
}

// ofNetwork tells an error of the network or of the protocol from those by which the library declines.
func ofNetwork(err error) bool {
	var n net.Error
	var p textproto.ProtocolError
	return errors.As(err, &n) || errors.As(err, &p) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
