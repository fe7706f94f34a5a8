package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"widgets.pro/shared/fault"
)

// Length of a password in bytes.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// Parameters of argon2id: OWASP Password Storage Cheat Sheet, "m=19456 (19 MiB), t=2, p=1".
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// maxWaiting is how many may wait for the hash at once; more are told to come back later, since each would wait too long.
const maxWaiting = 64

var errStoredHash = errors.New("a stored password hash is not of the known form")

// hasher hashes passwords, few at a time: each takes 19 MiB and some 20 ms of a core.
type hasher struct {
	random  io.Reader
	waiting chan struct{}
	running chan struct{}
	// dummy has the form of a hash, and no password is known that it is the hash of.
	dummy string
}

func newHasher(random io.Reader) (*hasher, error) {
	h := &hasher{
		random:  random,
		waiting: make(chan struct{}, maxWaiting),
		running: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	nobody := make([]byte, argonKey) // a random key in the place of a hash
	if _, err := io.ReadFull(random, nobody); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	h.dummy = phc(nobody, nobody)
	return h, nil
}

func checkPassword(p string) *fault.Error {
	if len(p) < MinPassword {
		return fault.Field("password", fmt.Sprintf("A password has at least %d characters.", MinPassword))
	}
	if len(p) > MaxPassword {
		return fault.Field("password", fmt.Sprintf("A password has at most %d characters.", MaxPassword))
	}
	return nil
}

// hash makes a PHC string.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	key, err := h.key(ctx, password, salt)
	if err != nil {
		return "", err
	}
	return phc(salt, key), nil
}

func phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return header() + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key)
}

func header() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonTime, argonThreads)
}

// verify reports whether password is the one that phc was made of.
func (h *hasher) verify(ctx context.Context, phc, password string) (bool, error) {
	rest, ok := strings.CutPrefix(phc, header())
	if !ok {
		return false, errStoredHash
	}
	s, k, ok := strings.Cut(rest, "$")
	salt, err1 := base64.RawStdEncoding.DecodeString(s)
	want, err2 := base64.RawStdEncoding.DecodeString(k)
	if !ok || err1 != nil || err2 != nil || len(want) != argonKey {
		return false, errStoredHash
	}
	got, err := h.key(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// key computes argon2id when it is this caller's turn.
func (h *hasher) key(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return nil, fault.New(fault.Busy, "Too many people are signing in right now.").WithHint("Try again in a few seconds.")
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey), nil
}
