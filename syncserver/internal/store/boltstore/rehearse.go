package boltstore

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
)

// errRehearsed makes bbolt roll a rehearsal back.
var errRehearsed = errors.New("this was for nothing")

// UnrepeatableError says that a closure did not do the same when it was run again over the same state.
type UnrepeatableError struct {
	// Buckets are where it wrote something else; none if it ended differently.
	Buckets     []string
	First, Then error
}

// Error is for whoever wrote the closure.
func (e *UnrepeatableError) Error() string {
	if len(e.Buckets) > 0 {
		return "a closure wrote something else when it was run again, to " + strings.Join(e.Buckets, " and ")
	}
	return fmt.Sprintf("a closure ended differently when it was run again: %v, then %v", e.First, e.Then)
}

// effect is what a closure leaves behind: by bucket and key, a digest of the value, 0 where there is none any more. A nil
// effect takes no note.
type effect struct {
	seed  maphash.Seed
	wrote map[[2]string]uint64
}

func newEffect(seed maphash.Seed) *effect { return &effect{seed, map[[2]string]uint64{}} }

func (e *effect) put(bucket, key, value []byte) {
	if e != nil {
		e.wrote[[2]string{string(bucket), string(key)}] = maphash.Bytes(e.seed, value) | 1
	}
}

func (e *effect) delete(bucket, key []byte) {
	if e != nil {
		e.wrote[[2]string{string(bucket), string(key)}] = 0
	}
}

// differs lists the buckets in which two effects are not the same.
func (e *effect) differs(o *effect) (buckets []string) {
	for _, pair := range [][2]*effect{{e, o}, {o, e}} {
		for k, v := range pair[0].wrote {
			if w, ok := pair[1].wrote[k]; !ok || v != w {
				buckets = append(buckets, k[0])
			}
		}
	}
	slices.Sort(buckets)
	return slices.Compact(buckets)
}

// rehearsal is what came of a closure that was run for nothing.
type rehearsal struct {
	effect *effect
	err    error
}

// rehearse runs a request for nothing.
func (s *Store) rehearse(r *request) {
	r.before = &rehearsal{effect: newEffect(s.seed)}
	_ = s.db.Update(func(btx *bbolt.Tx) error { // what it fails with is that it is rolled back
		r.before.err = run(r.fn, &transaction{btx: btx, writable: true, effect: r.before.effect})
		return errRehearsed
	})
}

// held holds what a closure did against what it did in its rehearsal.
func (s *Store) held(before *rehearsal, e *effect, err error) error {
	if !alike(before.err, err) {
		return s.caught(&UnrepeatableError{First: before.err, Then: err})
	}
	if err != nil {
		return err
	}
	if where := before.effect.differs(e); len(where) > 0 {
		return s.caught(&UnrepeatableError{Buckets: where})
	}
	return nil
}

// viewTwice runs fn twice over one state.
func (s *Store) viewTwice(fn func(store.Tx) error, btx *bbolt.Tx) error {
	first := fn(&transaction{btx: btx})
	then := fn(&transaction{btx: btx})
	if !alike(first, then) {
		return s.caught(&UnrepeatableError{First: first, Then: then})
	}
	return then
}

func (s *Store) caught(e *UnrepeatableError) error {
	s.unrepeatable.CompareAndSwap(nil, e)
	return e
}

func alike(a, b error) bool {
	if a == nil || b == nil {
		return a == b //nolint:errorlint // whether both are nil
	}
	return errors.Is(a, context.Canceled) || errors.Is(b, context.Canceled) || fault.From(a).Message == fault.From(b).Message
}
