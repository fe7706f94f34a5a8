package boltstore_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// A rehearsing store finds closures that must not run twice, changes nothing for them, and tells at the end.
func TestARehearsalFindsClosuresThatMustNotRunTwice(t *testing.T) {
	t.Parallel()
	n := 0
	boom := errors.New("boom")
	put := func(tx store.Tx, what any) error { return tx.Replica(id).Put([]byte("k"), fmt.Append(nil, what)) }
	for name, c := range map[string]struct {
		view, update func(store.Tx) error
	}{
		"counts":           {update: func(tx store.Tx) error { n++; return put(tx, n) }},
		"writes elsewhere": {update: func(tx store.Tx) error { n++; return tx.Replica(id).Put(fmt.Append(nil, n), nil) }},
		"writes at first": {update: func(tx store.Tx) error {
			if n++; n > 1 {
				return nil
			}
			return put(tx, 1)
		}},
		"fails later":       {update: func(tx store.Tx) error { n++; return map[bool]error{true: boom}[n > 1] }},
		"fails at first":    {update: func(tx store.Tx) error { n++; return map[bool]error{true: boom}[n == 1] }},
		"reads differently": {view: func(store.Tx) error { n++; return map[bool]error{true: boom}[n > 1] }},
	} {
		n = 0
		s, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "s.db"), Rehearse: true})
		if err != nil {
			t.Fatal(err)
		}
		var found *boltstore.UnrepeatableError
		if c.view != nil {
			err = s.View(t.Context(), c.view)
		} else {
			err = s.Update(t.Context(), c.update)
		}
		if !errors.As(err, &found) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.View(t.Context(), func(tx store.Tx) error {
			if tx.Replica(id).Get([]byte("k")) != nil {
				t.Errorf("%s: it was written", name)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := s.Close(); !errors.As(err, &found) {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

// What does the same both times is done once.
func TestARehearsalLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := rehearsing{filepath.Join(t.TempDir(), "s.db")}.Open(t)
	called, ran := 0, 0
	for range 3 {
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			ran++
			tx.After(func() { called++ })
			r := tx.Replica(id)
			return r.Put([]byte("k"), append([]byte("x"), r.Get([]byte("k"))...))
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		if got := string(tx.Replica(id).Get([]byte("k"))); got != "xxx" || called != 3 || ran != 6 {
			t.Errorf("%q, called %d, ran %d", got, called, ran)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
