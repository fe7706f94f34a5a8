package sharing

import (
	"net/mail" //nolint:depguard // reads addresses, and sends nothing
	"strings"
	"unicode"

	"widgets.pro/shared/fault"
)

// MaxEmail is the length of the longest e-mail address in bytes (RFC 5321, section 4.5.3.1.3, less the brackets).
const MaxEmail = 254

// NormaliseEmail brings an address into the form in which it is stored and compared: without surrounding space, in lower
// case. It fails with an Invalid fault for the field "email".
func NormaliseEmail(text string) (string, *fault.Error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.Field("email", "An e-mail address is needed.")
	}
	if len(text) > MaxEmail {
		return "", fault.Field("email", "This e-mail address is too long.")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar }) {
		return "", fault.Field("email", "An e-mail address contains no spaces.")
	}
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || a.Name != "" || strings.ContainsAny(text, `"(),:;<>[\]`) {
		return "", fault.Field("email", "This is not an e-mail address.").WithHint("It looks like name@example.org.")
	}
	return strings.ToLower(text), nil
}
