// Package boltstore is the sync server's store in one bbolt file.
//
// One goroutine commits: it takes what is queued, runs it in one bbolt transaction with one fsync, then makes the calls
// that were asked for and answers, so that the more there is to do at once the less each costs. Start reading at Open,
// then committer.go; roles.go, links.go, guard.go and mail.go are the tables.
package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/store"
)

// Format is the version of the data file that this build writes. It reads older ones, and makes them its own.
const Format = 5

// Options says where and how to keep the data. Only Path is needed.
type Options struct {
	// Path is the data file. It and its directory are made if they are not there.
	Path string
	// MaxBytes bounds the file; 0 means no bound. Writes beyond it fail as on a full disk.
	MaxBytes int
	// Log hears of trouble with the disk; nil means nobody.
	Log *slog.Logger
	// LockTimeout is how long to wait for another process to let go of the file; 0 means one second.
	LockTimeout time.Duration
	// OpenFile opens the data file for reading and writing; nil means os.OpenFile.
	OpenFile func(path string, flag int, mode os.FileMode) (*os.File, error)
	// Rehearse runs each closure twice, an updating one the first time for nothing, and has those fail with an
	// UnrepeatableError that do not do the same both times; Close tells the first of them again. It is for tests: each
	// update has a commit of its own then.
	Rehearse bool
}

// Store is a store.Store in a bbolt file.
type Store struct {
	db     *bbolt.DB
	log    *slog.Logger
	queue  chan *request
	broken atomic.Pointer[fault.Error]

	twice        bool         // Options.Rehearse
	seed         maphash.Seed // of the digests that rehearsals compare
	unrepeatable atomic.Pointer[UnrepeatableError]

	closing   chan struct{} // closed by Close: no new updates
	done      chan struct{} // closed when the committer has ended
	closeOnce sync.Once
	closeErr  error
}

var _ store.Store = (*Store)(nil)

// Open opens or creates the data file. Failures are faults: Outdated for a file of a newer version, Unavailable for one
// that is in use or cannot be reached, Internal for one that is damaged. A file that cannot be used is not changed.
func Open(o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = lockTimeout
	}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, unreachable(o.Path, err)
	}
	db, err := openFile(o)
	if err != nil {
		return nil, err
	}
	s := &Store{
		db: db, log: o.Log, twice: o.Rehearse, seed: maphash.MakeSeed(),
		queue:   make(chan *request, queueLength),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	go s.commitLoop()
	return s, nil
}

// openFile opens the file and holds it against its format before anything is written.
func openFile(o Options) (db *bbolt.DB, err error) {
	defer func() {
		// A damaged page makes bbolt panic; one beyond the end of a truncated file faults.
		if p := recover(); p != nil {
			err = damaged(o.Path, fmt.Errorf("panic: %v", p))
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))

	info, err := os.Stat(o.Path)
	format := uint64(Format)
	isNew := errors.Is(err, fs.ErrNotExist) || (err == nil && info.Size() == 0)
	if err == nil && !info.Mode().IsRegular() {
		return nil, unreachable(o.Path, errors.New("not a regular file"))
	}
	if !isNew {
		if format, err = inspect(o); err != nil {
			return nil, err
		}
	}
	if db, err = lock(o); err != nil {
		return nil, err
	}
	if isNew || format < Format {
		if err := db.Update(initialise); err != nil {
			_ = db.Close()
			return nil, unreachable(o.Path, err)
		}
	}
	return db, nil
}

// lock opens the file for this process alone. Another may have put one in its place while this one waited for its turn,
// and nobody would ever see what is written to a file without a name; then the other is opened.
func lock(o Options) (*bbolt.DB, error) {
	open := o.OpenFile
	if open == nil {
		open = os.OpenFile
	}
	var file *os.File
	for range replacedAtMost {
		db, err := bbolt.Open(o.Path, 0o600, &bbolt.Options{
			Timeout: o.LockTimeout, FreelistType: bbolt.FreelistArrayType, MaxSize: o.MaxBytes,
			OpenFile: func(path string, flag int, mode os.FileMode) (f *os.File, err error) {
				if f, err = open(path, flag, mode); f != nil {
					file = f
				}
				return f, err
			},
		})
		if err != nil {
			return nil, openFault(o.Path, err)
		}
		opened, err := file.Stat()
		named, err2 := os.Stat(o.Path)
		switch {
		case errors.Join(err, err2) == nil && os.SameFile(opened, named):
			return db, nil
		case err != nil || err2 != nil && !errors.Is(err2, fs.ErrNotExist):
			return nil, errors.Join(unreachable(o.Path, errors.Join(err, err2)), db.Close())
		}
		if err := db.Close(); err != nil {
			return nil, unreachable(o.Path, err)
		}
	}
	return nil, unreachable(o.Path, errors.New("another is put in its place again and again"))
}

// lockTimeout is how long to wait for another process to let go of the file.
const lockTimeout = time.Second

// replacedAtMost is how often a file that was replaced is opened again.
const replacedAtMost = 5

// inspect looks at an existing file without being able to write to it, and tells its format: 0 if its maker ended before it
// had put anything in.
func inspect(o Options) (format uint64, err error) {
	db, err := bbolt.Open(o.Path, 0o600, &bbolt.Options{Timeout: o.LockTimeout, ReadOnly: true})
	if err != nil {
		return 0, openFault(o.Path, err)
	}
	defer func() { _ = db.Close() }()
	err = db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(o.Path)
		if err != nil {
			return unreachable(o.Path, err)
		}
		if info.Size() < tx.Size() {
			return damaged(o.Path, fmt.Errorf("%d bytes of %d", info.Size(), tx.Size()))
		}
		if k, _ := tx.Cursor().First(); k == nil {
			return nil
		}
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return damaged(o.Path, errors.New("no meta bucket"))
		}
		v := meta.Get(keyFormat)
		if len(v) != 8 {
			return damaged(o.Path, errors.New("no format version"))
		}
		if format = binary.BigEndian.Uint64(v); format > Format {
			return fault.Newf(fault.Outdated, "The data file %s was written by a newer version of this server (format %d; this version knows %d).", o.Path, format, Format).
				WithHint("Start the newer version again, or restore a backup made with this one.")
		}
		for _, b := range buckets(format) {
			if tx.Bucket(b) == nil {
				return damaged(o.Path, fmt.Errorf("no bucket %q", b))
			}
		}
		return nil
	})
	return format, err //nolint:wrapcheck // a fault already
}

// initialise makes what a file of this format has and an older or new one lacks.
func initialise(tx *bbolt.Tx) error {
	for _, b := range append(buckets(Format), bucketMeta) {
		if _, err := tx.CreateBucketIfNotExists(b); err != nil {
			return fmt.Errorf("create bucket %q: %w", b, err)
		}
	}
	if err := timeAnswers(tx); err != nil {
		return err
	}
	if err := upgradeReplicas(tx); err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(keyFormat, binary.BigEndian.AppendUint64(nil, Format))
}

// upgradeReplicas brings replicas from before format 5 to the present keys.
func upgradeReplicas(tx *bbolt.Tx) error {
	t := &transaction{btx: tx, writable: true}
	return tx.Bucket(bucketReplicas).ForEachBucket(func(id []byte) error {
		if err := replica.Upgrade(t.Replica(board.ID(id))); err != nil {
			return fmt.Errorf("take over the replica of %s: %w", id, err)
		}
		return nil
	})
}

// View runs fn over the state of the latest commit.
func (s *Store) View(ctx context.Context, fn func(store.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f := s.broken.Load(); f != nil {
		return f
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.ErrorContext(ctx, "a read of the data file failed", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fault.From(fmt.Errorf("read the data file: %v", p))
		}
	}()
	err = s.db.View(func(btx *bbolt.Tx) error {
		if s.twice {
			return s.viewTwice(fn, btx)
		}
		return fn(&transaction{btx: btx})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return closed()
	}
	return err
}

// Healthy returns the fault that stopped the store, or nil.
func (s *Store) Healthy() error {
	select {
	case <-s.closing:
		return closed()
	default:
	}
	if f := s.broken.Load(); f != nil {
		return f
	}
	return nil
}

// Close commits what is queued, waits for readers and closes the file. Later calls return what the first did.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		<-s.done
		s.closeErr = s.db.Close()
		if found := s.unrepeatable.Load(); found != nil {
			s.closeErr = errors.Join(s.closeErr, found)
		}
	})
	return s.closeErr
}

// Abandon makes every update that is not committed yet fail, as a crash would, for tests. Close the store afterwards.
func (s *Store) Abandon() { s.broken.CompareAndSwap(nil, closed()) }

func closed() *fault.Error {
	return fault.New(fault.Unavailable, "The server is shutting down.").WithHint("Try again in a moment.")
}

func unreachable(path string, err error) *fault.Error {
	return fault.Newf(fault.Unavailable, "The data file %s cannot be used: %w.", path, err).
		WithHint("Check that the directory exists, that there is space, and that this user may write there.")
}

func damaged(path string, err error) *fault.Error {
	return fault.Newf(fault.Internal, "The data file %s is damaged or is not a data file of this server.", path).
		WithHint("It was not changed. Restore a backup, or name another file.").WithCause(err)
}

func openFault(path string, err error) *fault.Error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fault.Newf(fault.Unavailable, "The data file %s is in use by another process.", path).
			WithHint("Is the server already running?").WithCause(err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return unreachable(path, err)
	}
	return damaged(path, err)
}
