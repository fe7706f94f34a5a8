package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/gate"
)

// Length of a password in bytes.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// maxWaiting is how many may hash or wait for it at once; more are told to come back later, since each would wait too long.
const maxWaiting = 64

var errStoredHash = errors.New("a stored password hash is not of the known form")

// hasher hashes passwords, few at a time: each takes 19 MiB and some 20 ms of a core. Those of links have a gate of their
// own, so that an attack on one does not keep people from signing in.
type hasher struct {
	random io.Reader
	gate   *gate.Gate
	// dummy has the form of a hash, and no password is known that it is the hash of.
	dummy string
}

func newHasher(random io.Reader) (*hasher, error) {
	dummy, err := sharing.NoPassword(random)
	if err != nil {
		return nil, fmt.Errorf("prepare hashing: %w", err)
	}
	return &hasher{random: random, gate: gate.New(runtime.GOMAXPROCS(0)/2, maxWaiting), dummy: string(dummy)}, nil
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
func (h *hasher) hash(ctx context.Context, password string) (phc string, err error) {
	err = h.inTurn(ctx, func() error {
		made, err := sharing.HashPassword(h.random, password)
		phc = string(made)
		return err //nolint:wrapcheck // says what it was doing
	})
	return phc, err
}

// verify reports whether password is the one that phc was made of.
func (h *hasher) verify(ctx context.Context, phc, password string) (ok bool, err error) {
	hash, known := sharing.ParseHash(phc)
	if !known {
		return false, errStoredHash
	}
	err = h.inTurn(ctx, func() error {
		ok = hash.Matches(password)
		return nil
	})
	return ok, err
}

// inTurn calls f when it is this caller's turn.
func (h *hasher) inTurn(ctx context.Context, f func() error) error {
	place := h.gate.Enter()
	if place == nil {
		return fault.New(fault.Busy, "Too many people are signing in right now.").WithHint("Try again in a few seconds.")
	}
	defer place.Leave()
	var failed error
	if err := place.Work(ctx, func() { failed = f() }); err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	return failed
}
