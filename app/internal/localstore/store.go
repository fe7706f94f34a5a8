// Package localstore is the desktop program's data file: one bbolt file that holds every dashboard's replica, what waits
// for the server, the account and the settings.
//
// One action of the user is one transaction, durable when Update returns. The package knows the layout of the file and
// nothing of what the records mean; it must not know screens or sockets. Start reading at Open, then Tx.
package localstore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"widgets.pro/shared/fault"
)

// Format is the version of the file's layout that this program reads and writes.
const Format = 1

// lockTimeout is how long Open waits for another program to let go of the file: long enough for one that is closing.
const lockTimeout = time.Second

// Options adjust Open.
type Options struct {
	// Random makes the device's incarnation; it is required and must be cryptographically secure.
	Random io.Reader
	// BeforeCommit, if set, runs at the end of each Update; its error stands for that of a disk that failed. For tests.
	BeforeCommit func() error
	// LockTimeout replaces the time that Open waits for another program; 0 is one second.
	LockTimeout time.Duration
}

// Store is an open data file. It is safe for concurrent use: one Update at a time, beside any number of Views.
type Store struct {
	db           *bbolt.DB
	path         string
	beforeCommit func() error
	// broken is set after a write failed in a way that leaves open what is on the disk. Nothing is written after that.
	broken atomic.Pointer[fault.Error]
}

// Open opens or creates the data file. The error is a fault: Busy if another program holds the file, Outdated if a newer
// version wrote it, Internal if it is damaged. In all these cases the file is left as it was.
func Open(path string, o Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, cannotOpen(path, err)
	}
	timeout := o.LockTimeout
	if timeout == 0 {
		timeout = lockTimeout
	}
	s := &Store{path: path, beforeCommit: o.BeforeCommit}
	err := guard(func() error {
		var err error
		s.db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: timeout, FreelistType: bbolt.FreelistMapType})
		return err
	})
	switch {
	case err == nil:
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fault.New(fault.Busy, "widgets.pro is already running with this data.").
			WithHint("Switch to its window, or close it first.").WithCause(err)
	case isDamage(err):
		return nil, damaged(path, err)
	default:
		return nil, cannotOpen(path, err)
	}
	if err := s.prepare(o.Random); err != nil {
		_ = s.db.Close()
		return nil, err
	}
	return s, nil
}

// prepare checks the file's format and soundness before anything is written to it.
func (s *Store) prepare(random io.Reader) error {
	fresh, found := false, device{}
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			meta := tx.Bucket([]byte(bucketMeta))
			if meta == nil {
				if k, _ := tx.Cursor().First(); k != nil {
					return errNotOurs
				}
				fresh = true
				return nil
			}
			var format uint64
			if err := get(meta, keyFormat, &format); err != nil {
				return fmt.Errorf("%w: %w", errNotOurs, err)
			}
			switch {
			case format > Format:
				return fault.New(fault.Outdated, "This data was written by a newer version of widgets.pro.").
					WithHint("Update the program; the data file was left as it is.")
			case format < Format:
				return errNotOurs
			}
			for _, name := range buckets() {
				if tx.Bucket([]byte(name)) == nil {
					return errNotOurs
				}
			}
			if err := get(meta, keyDevice, &found); err != nil {
				return fmt.Errorf("%w: %w", errNotOurs, err)
			}
			return walk(tx)
		})
	})
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if err != nil {
		return damaged(s.path, err)
	}
	if here := thisDevice(s.path); !fresh && found.Place == here.Place && found.Machine == here.Machine {
		return nil
	}
	return s.Update(func(tx *Tx) error {
		if fresh {
			for _, name := range buckets() {
				if _, err := tx.bolt.CreateBucketIfNotExists([]byte(name)); err != nil {
					return fmt.Errorf("create bucket: %w", err)
				}
			}
			if err := put(tx.meta(), keyFormat, uint64(Format)); err != nil {
				return err
			}
		}
		return tx.Remake(random)
	})
}

// Close closes the file. It waits for running transactions.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close data file: %w", err)
	}
	return nil
}

// Path is where the file lies.
func (s *Store) Path() string { return s.path }

// View runs fn in a read transaction. Do not keep it open while waiting for anything: the file grows meanwhile.
func (s *Store) View(fn func(*Tx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return fn(&Tx{bolt: tx}) })
}

// Update runs fn in the one write transaction and makes it durable. After an error nothing has changed. A full disk is an
// Unavailable fault; after any other failure to write, the store refuses further changes until it is opened again.
func (s *Store) Update(fn func(*Tx) error) error {
	if f := s.broken.Load(); f != nil {
		return f
	}
	var inner error
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if inner = fn(&Tx{bolt: tx}); inner == nil && s.beforeCommit != nil {
			return s.beforeCommit()
		}
		return inner
	})
	switch {
	case err == nil:
		return nil
	case isDiskFull(err), inner == nil && s.noRoom():
		return fault.New(fault.Unavailable, "The disk is full, so this was not saved.").
			WithHint("Free some space and try again. Everything saved before is still there.").WithCause(err)
	case inner != nil:
		return inner
	}
	f := fault.New(fault.Unavailable, "The data file cannot be written any more, so this was not saved.").
		WithHint("Check the disk, then start the program again. Everything saved before is still there.").WithCause(err)
	s.broken.CompareAndSwap(nil, f)
	return f
}

// noRoom tries whether the disk is full: bbolt does not tell why it could not make the file larger.
func (s *Store) noRoom() bool {
	f, err := os.CreateTemp(filepath.Dir(s.path), ".room-*")
	if err != nil {
		return isDiskFull(err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(make([]byte, 64<<10))
	if err == nil {
		err = f.Sync()
	}
	return isDiskFull(errors.Join(err, f.Close()))
}
