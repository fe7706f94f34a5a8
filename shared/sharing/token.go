package sharing

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog" //nolint:depguard // logs nothing: LogValue hides tokens from those who do
	"strings"

	"github.com/oklog/ulid/v2"
)

const (
	tokenPrefix   = "shr_"
	tokenChars    = 24 // 24 * log2(62) = 142.9 bits; rule L1 asks for 128
	shortIDChars  = 10 // 59.5 bits; rule S1
	commandPrefix = "cmd_"
	redacted      = "[redacted]"

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewToken makes a share token from random, which must be a cryptographically secure source.
func NewToken(random io.Reader) (Token, error) {
	s, err := randomBase62(random, tokenChars)
	return Token(tokenPrefix + s), err
}

// NewShortID makes the name of a short link from random.
func NewShortID(random io.Reader) (ShortID, error) {
	s, err := randomBase62(random, shortIDChars)
	return ShortID(s), err
}

// NewCommandID makes a command's id from a fresh ULID.
func NewCommandID(u ulid.ULID) string { return commandPrefix + u.String() }

// randomBase62 draws n characters without bias: bytes of 248 (4 * 62) and above are thrown away.
func randomBase62(random io.Reader, n int) (string, error) {
	out := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(out) < n {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", fmt.Errorf("read random bytes: %w", err)
		}
		for _, b := range buf {
			if b < 248 && len(out) < n {
				out = append(out, base62[b%62])
			}
		}
	}
	return string(out), nil
}

// ParseToken accepts exactly the form that NewToken makes.
func ParseToken(s string) (Token, bool) {
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok || len(rest) != tokenChars || !isBase62(rest) {
		return "", false
	}
	return Token(s), true
}

// ParseShortID accepts exactly the form that NewShortID makes.
func ParseShortID(s string) (ShortID, bool) {
	if len(s) != shortIDChars || !isBase62(s) {
		return "", false
	}
	return ShortID(s), true
}

// Length of a slug in characters (rule S2).
const (
	MinSlug = 3
	MaxSlug = 64
)

// ParseSlug accepts small letters, digits, and single hyphens between them.
func ParseSlug(s string) (Slug, bool) {
	if len(s) < MinSlug || len(s) > MaxSlug || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return "", false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return "", false
		}
	}
	return Slug(s), true
}

// ParseCommandID accepts exactly the form that NewCommandID makes.
func ParseCommandID(s string) bool {
	rest, ok := strings.CutPrefix(s, commandPrefix)
	if !ok {
		return false
	}
	u, err := ulid.ParseStrict(rest)
	return err == nil && u.String() == rest
}

func isBase62(s string) bool {
	for i := range len(s) {
		if strings.IndexByte(base62, s[i]) < 0 {
			return false
		}
	}
	return true
}

// Reveal is the token itself, for a URL, the wire or the store; every other way of printing it is redacted.
func (t Token) Reveal() string { return string(t) }

// String is "[redacted]".
func (t Token) String() string { return redacted }

// GoString is "[redacted]".
func (t Token) GoString() string { return redacted }

// LogValue is "[redacted]".
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// Reveal is the token itself, for a URL; every other way of printing it is redacted.
func (t InviteToken) Reveal() string { return string(t) }

// String is "[redacted]".
func (InviteToken) String() string { return redacted }

// GoString is "[redacted]".
func (InviteToken) GoString() string { return redacted }

// LogValue is "[redacted]".
func (InviteToken) LogValue() slog.Value { return slog.StringValue(redacted) }

// Hash is the SHA-256 of the token: the key under which a server looks it up, so that neither the order of keys nor the
// time of a comparison tells anything about the tokens in use.
func (t Token) Hash() [sha256.Size]byte { return sha256.Sum256([]byte(t)) }

// URL is the full link of t below the public base URL, which has no slash at its end.
func (t Token) URL(base string) string { return base + "/share/" + string(t) }

// URL is the short link with the name s below the public base URL, which has no slash at its end.
func (s Slug) URL(base string) string { return base + "/s/" + string(s) }

// URL is the short link of s below the public base URL, which has no slash at its end.
func (s ShortID) URL(base string) string { return base + "/s/" + string(s) }

// String is "[redacted]": a short id leads to a token.
func (s ShortID) String() string { return redacted }

// GoString is "[redacted]".
func (s ShortID) GoString() string { return redacted }

// Reveal is the short id itself.
func (s ShortID) Reveal() string { return string(s) }

// LogValue is "[redacted]".
func (s ShortID) LogValue() slog.Value { return slog.StringValue(redacted) }
