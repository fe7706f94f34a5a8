package localstore

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"widgets.pro/shared/fault"
)

var (
	errNotOurs = errors.New("not a widgets.pro data file")
	errPanic   = errors.New("inconsistent pages")
)

// guard runs fn and turns a panic into an error: bbolt panics on pages that make no sense, and reading past the end of a
// file that was cut short is a memory fault. Only for code that does nothing but read the file.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return fn()
}

// walk visits every key, so that damage shows when the file is opened and not in the middle of some later edit. It reads
// the tree's pages but not the large values, which costs some 2 ms for each 10,000 keys.
func walk(tx *bbolt.Tx) error {
	var visit func(b *bbolt.Bucket) error
	visit = func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v != nil {
				return nil
			}
			nested := b.Bucket(k)
			if nested == nil {
				return fmt.Errorf("%w: bucket without root", errPanic)
			}
			return visit(nested)
		})
	}
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return visit(b) })
}

func isDamage(err error) bool {
	for _, e := range []error{errPanic, errNotOurs, bolterrors.ErrInvalid, bolterrors.ErrChecksum, bolterrors.ErrVersionMismatch} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func damaged(path string, err error) *fault.Error {
	return fault.Newf(fault.Internal, "The data file is damaged, or is not one of widgets.pro: %s", path).
		WithHint("It was left as it is. Put a backup in its place, or move it away to begin with an empty one; whatever was synced comes back when you sign in.").
		WithCause(err)
}

func cannotOpen(path string, err error) *fault.Error {
	f := fault.Newf(fault.Unavailable, "The data file cannot be opened: %s", path).WithCause(err)
	switch {
	case isDiskFull(err):
		return f.WithHint("The disk is full. Free some space and start the program again.")
	case errors.Is(err, os.ErrPermission):
		return f.WithHint("This user may not read and write it. Correct its permissions, or choose another folder with --data.")
	}
	return f.WithHint("Check that the folder exists and can be written, or choose another one with --data.")
}
