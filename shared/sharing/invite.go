package sharing

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/fault"
)

// InvitationID is "inv_" and a ULID.
type InvitationID string

// InviteToken is the secret in an invitation's link: "ivt_" and 24 base62 characters (142 random bits, rule I2). It prints
// as [redacted].
type InviteToken string

const (
	invitationPrefix  = "inv_"
	inviteTokenPrefix = "ivt_"
)

// Limits of inviting.
const (
	MaxInvitees = 50    // addresses in one go
	MaxMessage  = 1_000 // bytes of an invitation's message
	MaxPending  = 200   // invitations of one dashboard or organisation that wait for an answer
)

// InvitationLifetime is how long an invitation's link works, in milliseconds: seven days (rule I2).
const InvitationLifetime = 7 * 24 * 3600 * 1000

// NewInvitationID makes an invitation's id from a fresh ULID.
func NewInvitationID(u ulid.ULID) InvitationID { return InvitationID(invitationPrefix + u.String()) }

// ParseInvitationID accepts exactly the form that NewInvitationID makes.
func ParseInvitationID(s string) (InvitationID, bool) {
	rest, ok := strings.CutPrefix(s, invitationPrefix)
	if !ok {
		return "", false
	}
	u, err := ulid.ParseStrict(rest)
	return InvitationID(s), err == nil && u.String() == rest
}

// NewInviteToken makes the secret of an invitation's link from random, which must be a cryptographically secure source.
func NewInviteToken(random io.Reader) (InviteToken, error) {
	s, err := randomBase62(random, tokenChars)
	return InviteToken(inviteTokenPrefix + s), err
}

// ParseInviteToken accepts exactly the form that NewInviteToken makes.
func ParseInviteToken(s string) (InviteToken, bool) {
	rest, ok := strings.CutPrefix(s, inviteTokenPrefix)
	if !ok || len(rest) != tokenChars || !isBase62(rest) {
		return "", false
	}
	return InviteToken(s), true
}

// URL is the address of an invitation, given the public base URL without a slash at its end.
func (t InviteToken) URL(base string) string { return base + "/invite/" + string(t) }

// ParseInvitees reads what was typed or pasted into the field for addresses (rule I1): addresses apart by commas,
// semicolons, newlines or spaces, each alone or as Name <a@b>. Good are the addresses, normalised and without repeats, in
// the order given; bad is what could not be read, as it was typed.
func ParseInvitees(text string) (good, bad []string) {
	seen := map[string]bool{}
	for _, part := range splitInvitees(text) {
		address := part
		if i := strings.LastIndexByte(part, '<'); i >= 0 && strings.HasSuffix(part, ">") {
			address = part[i+1 : len(part)-1]
		}
		email, f := NormaliseEmail(address)
		switch {
		case f != nil:
			bad = append(bad, part)
		case !seen[email]:
			seen[email] = true
			good = append(good, email)
		}
	}
	return good, bad
}

// splitInvitees cuts the text at commas, semicolons and newlines that are not between quotes or angle brackets, and what
// holds no angle bracket at spaces too.
func splitInvitees(text string) (out []string) {
	var quoted, angled bool
	start := 0
	cut := func(end int) {
		part := strings.TrimSpace(text[start:end])
		for part != "" {
			// a@b.c Name <d@e.f> holds two: the part with the brackets begins after the last bare address.
			i := strings.IndexByte(part, '<')
			if i < 0 {
				out = append(out, strings.Fields(part)...)
				return
			}
			for {
				first, rest, ok := strings.Cut(part, " ")
				if !ok || !strings.Contains(first, "@") || strings.ContainsAny(first, `<"`) {
					break
				}
				out = append(out, first)
				part = strings.TrimSpace(rest)
			}
			j := strings.IndexByte(part, '>')
			if j < 0 {
				out = append(out, part)
				return
			}
			out = append(out, strings.TrimSpace(part[:j+1]))
			part = strings.TrimSpace(part[j+1:])
		}
	}
	for i, r := range text {
		switch r {
		case '"':
			quoted = !quoted
		case '<':
			angled = true
		case '>':
			angled = false
		case '\n', '\r':
			quoted, angled = false, false
			cut(i)
			start = i + 1
		case ',', ';':
			if !quoted && !angled {
				cut(i)
				start = i + 1
			}
		}
	}
	cut(len(text))
	return out
}

// CheckMessage refuses an invitation's message that is too long or no text. It fails with an Invalid fault for the field
// "message".
func CheckMessage(text string) *fault.Error {
	if len(text) > MaxMessage {
		return fault.Field("message", "A message has at most 1,000 bytes.")
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
		return fault.Field("message", "A message is plain text.")
	}
	return nil
}

// CheckInvitedRole accepts the roles that somebody can be invited to (rule I1).
func CheckInvitedRole(r Role) *fault.Error {
	if r != RoleViewer && r != RoleEditor {
		return fault.Field("role", "Somebody is invited as viewer or as editor.")
	}
	return nil
}

// Delivery is how far an invitation's mail has come (rule I5).
type Delivery string

// The states of delivery. DeliveryFailed comes with a reason.
const (
	DeliveryQueued Delivery = "queued"
	DeliverySent   Delivery = "sent"
	DeliveryFailed Delivery = "undeliverable"
)

// Invitation is an invitation that waits for its answer, as those see it who may share. Times are in ms since 1970; the
// link of one whose Expires has passed does not work any more.
type Invitation struct {
	ID       InvitationID `json:"id" cbor:"1,keyasint"`
	Email    string       `json:"email" cbor:"2,keyasint"`
	Role     Role         `json:"role" cbor:"3,keyasint"`
	By       string       `json:"by" cbor:"4,keyasint"` // name of who invited
	Invited  int64        `json:"invited" cbor:"5,keyasint"`
	Expires  int64        `json:"expires" cbor:"6,keyasint"`
	Delivery Delivery     `json:"delivery" cbor:"7,keyasint"`
	Reason   string       `json:"reason,omitempty" cbor:"8,keyasint,omitempty"`
}

// Member is somebody who can open a dashboard with an account. Email is empty for those who may not share it. Own says that
// the role was given on this dashboard; otherwise it comes with the membership in the dashboard's organisation.
type Member struct {
	Account string `json:"account" cbor:"1,keyasint"`
	Name    string `json:"name" cbor:"2,keyasint"`
	Email   string `json:"email,omitempty" cbor:"3,keyasint,omitempty"`
	Role    Role   `json:"role" cbor:"4,keyasint"`
	Own     bool   `json:"own" cbor:"5,keyasint"`
}
