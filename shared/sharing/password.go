package sharing

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog" //nolint:depguard // logs nothing: LogValue hides hashes from those who do
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Length of a link's password in bytes (rule P7).
const (
	MinPassword = 6
	MaxPassword = 1024
)

// Parameters of argon2id with which passwords are hashed: OWASP Password Storage Cheat Sheet, "m=19456 (19 MiB), t=2,
// p=1".
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// Bounds of the parameters that are taken from others (rule P7): no weaker than OWASP asks for, and no dearer than a
// server can afford for each attempt.
const (
	maxMemory = 64 << 10 // KiB
	maxTime   = 4
	maxSalt   = 32 // bytes
	maxHash   = 160
)

// Hash is an argon2id hash in PHC format (github.com/P-H-C/phc-string-format). It prints as [redacted].
type Hash string

// HashPassword hashes a password with a salt from random, which must be a cryptographically secure source. It takes some
// 20 ms of a core and 19 MiB.
func HashPassword(random io.Reader, password string) (Hash, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return newHash(salt, key), nil
}

// NoPassword is a Hash that no password is known to have, made of random like one of HashPassword. Checking against it
// takes as long as against any other.
func NoPassword(random io.Reader) (Hash, error) {
	b := make([]byte, argonSalt+argonKey)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return newHash(b[:argonSalt], b[argonSalt:]), nil
}

func newHash(salt, key []byte) Hash {
	b64 := base64.RawStdEncoding
	return Hash(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key)))
}

// parts of a hash.
type parts struct {
	memory, time uint32
	salt, key    []byte
}

// ParseHash accepts argon2id hashes in their one canonical spelling, with parameters within bounds.
func ParseHash(s string) (Hash, bool) {
	_, ok := parseHash(s)
	return Hash(s), ok
}

func parseHash(s string) (p parts, ok bool) {
	f := strings.Split(s, "$")
	if len(s) > maxHash || len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != "v="+strconv.Itoa(argon2.Version) {
		return p, false
	}
	costs := strings.Split(f[3], ",")
	if len(costs) != 3 || costs[2] != "p="+strconv.Itoa(argonThreads) {
		return p, false
	}
	var ok1, ok2 bool
	p.memory, ok1 = cost(costs[0], "m=", argonMemory, maxMemory)
	p.time, ok2 = cost(costs[1], "t=", argonTime, maxTime)
	b64 := base64.RawStdEncoding.Strict()
	var err1, err2 error
	p.salt, err1 = b64.DecodeString(f[4])
	p.key, err2 = b64.DecodeString(f[5])
	return p, ok1 && ok2 && err1 == nil && err2 == nil && len(p.salt) >= argonSalt && len(p.salt) <= maxSalt && len(p.key) == argonKey &&
		!strings.ContainsAny(s, "\r\n") // which the decoder passes over
}

// cost reads a number between two bounds, written the one way there is.
func cost(s, prefix string, least, most uint64) (uint32, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), ok && err == nil && n >= least && n <= most && strconv.FormatUint(n, 10) == s
}

// Matches reports whether h was made of password. It costs what HashPassword does, or up to seven times that for a hash
// with the dearest parameters; a Hash that is none matches nothing, at once.
func (h Hash) Matches(password string) bool {
	p, ok := parseHash(string(h))
	if !ok {
		return false
	}
	got := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, argonThreads, argonKey)
	return subtle.ConstantTimeCompare(got, p.key) == 1
}

// String is "[redacted]".
func (h Hash) String() string { return redacted }

// GoString is "[redacted]".
func (h Hash) GoString() string { return redacted }

// LogValue is "[redacted]".
func (h Hash) LogValue() slog.Value { return slog.StringValue(redacted) }
