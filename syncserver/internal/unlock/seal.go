package unlock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"log/slog"

	"widgets.pro/shared/sharing"
)

// Secret is what a viewer shows of a session: revision and end, eight bytes each, and a seal over them and the link's
// token (HMAC-SHA256), in base64url. It prints as [redacted].
type Secret string

// Sizes in bytes.
const (
	keyBytes    = 32
	claimBytes  = 16
	secretBytes = claimBytes + sha256.Size
)

// purpose keeps the seal apart from whatever else the key may seal one day.
const purpose = "share session 1\x00"

// Reveal is the secret itself, for the viewer that it was made for.
func (s Secret) Reveal() string { return string(s) }

// String is "[redacted]".
func (Secret) String() string { return "[redacted]" }

// GoString is "[redacted]".
func (Secret) GoString() string { return "[redacted]" }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func seal(key []byte, t sharing.Token, revision uint64, until int64) Secret {
	claim := binary.BigEndian.AppendUint64(make([]byte, 0, secretBytes), revision)
	claim = binary.BigEndian.AppendUint64(claim, uint64(until)) //nolint:gosec // a time after 1970
	return Secret(base64.RawURLEncoding.EncodeToString(append(claim, mac(key, t, claim)...)))
}

func mac(key []byte, t sharing.Token, claim []byte) []byte {
	link := t.Hash()
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write(link[:])
	h.Write(claim)
	return h.Sum(nil)
}

// parse reads what a secret claims, whether it is sealed or not.
func parse(secret string) (revision uint64, until int64, ok bool) {
	b, ok := decode(secret)
	if !ok {
		return 0, 0, false
	}
	until = int64(binary.BigEndian.Uint64(b[8:])) //nolint:gosec // one below zero has passed
	return binary.BigEndian.Uint64(b), until, true
}

func sealed(key []byte, t sharing.Token, secret string) bool {
	b, ok := decode(secret)
	return ok && hmac.Equal(b[claimBytes:], mac(key, t, b[:claimBytes]))
}

func decode(secret string) ([]byte, bool) {
	if len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	return b, err == nil && len(b) == secretBytes
}
