package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/fault"
)

// Report is what Check looked at and what was wrong with it.
type Report struct {
	Format uint64
	// Bytes is how large the file is, Free how much of that is not in use.
	Bytes, Free int64
	// Records is how many keys there are in all; the others are of what they are named for.
	Records, Accounts, Organisations, Boards, Deleted, Links, Invitations, Mails, Commands int
	// Problems are sentences without secrets, More how many there were beyond those.
	Problems []string
	More     int
}

// MaxProblems is how many problems a Report names.
const MaxProblems = 100

func (r *Report) say(format string, args ...any) {
	if len(r.Problems) >= MaxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Check looks at a whole data file, or a copy of one, without changing it: whether every page is where it belongs, whether
// every record can be read, and whether the records agree with each other. It fails with a fault if the file cannot be
// looked at: NotFound, Unavailable if a server has it, Outdated, or Internal if it is no data file or too damaged to go on.
func Check(ctx context.Context, path string) (r Report, err error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return r, fault.Newf(fault.NotFound, "There is no data file %s.", filepath.Clean(path))
	}
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, fmt.Errorf("panic: %v", p))
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if r.Format, err = inspect(Options{Path: path, LockTimeout: lockTimeout}); err != nil {
		return r, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return r, openFault(path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		r.Bytes = tx.Size()
		r.Free = int64(db.Stats().FreePageN) * int64(db.Info().PageSize)
		// Read everything first: what lies beyond the file's end faults here, where that is caught, and not below.
		if err := readAll(ctx, tx, &r); err != nil {
			return err
		}
		for err := range tx.Check() {
			r.say("The file's pages do not agree: %v.", err)
		}
		if len(r.Problems) > 0 {
			return nil // what is built on it has nothing to stand on
		}
		return (&auditor{t: &transaction{btx: tx}, r: &r}).audit(ctx)
	})
	return r, err
}

var errCircle = errors.New("there is more in it than fits into it")

// readAll reads every key and value there is.
func readAll(ctx context.Context, tx *bbolt.Tx, r *Report) error {
	var size int64
	var sum byte
	var walk func(b *bbolt.Bucket) error
	walk = func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			r.Records++
			if size += int64(len(k) + len(v)); size > tx.Size() {
				return errCircle
			}
			for _, p := range [][]byte{k, v} {
				for i := 0; i < len(p); i += os.Getpagesize() {
					sum ^= p[i]
				}
				sum ^= byte(bytes.Count(p[max(0, len(p)-1):], []byte{0})) //nolint:gosec // 0 or 1
			}
			if v == nil {
				r.Records--
				if inner := b.Bucket(k); inner != nil {
					return walk(inner)
				}
			}
			if r.Records%10_000 == 0 {
				return ctx.Err()
			}
			return nil
		})
	}
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
}
