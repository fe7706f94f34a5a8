package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/fault"
)

// OpenViews is how many Views run at this moment. A View that waits for something outside keeps every page that is
// replaced meanwhile, and the file grows.
func (s *Store) OpenViews() int { return s.db.Stats().OpenTxN }

// Copy writes the state of the latest commit to f, an empty file on a disk of this machine, makes it durable there, and
// tells its size. Whatever Update had answered before is in it. Updates go on meanwhile; the pages that they replace are
// kept until the copy is written, so f must not be something that can make it wait.
func (s *Store) Copy(ctx context.Context, f *os.File) (size int64, err error) {
	if cause := s.broken.Load(); cause != nil {
		return 0, cause
	}
	defer func() {
		if p := recover(); p != nil {
			err = damaged(s.db.Path(), fmt.Errorf("panic: %v", p))
		}
	}()
	err = s.db.View(func(tx *bbolt.Tx) error {
		size, err = tx.WriteTo(whileWanted{ctx, f})
		return err
	})
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return 0, fmt.Errorf("copy the data file: %w", err)
	}
	return size, nil
}

// whileWanted writes until its context ends.
type whileWanted struct {
	ctx context.Context //nolint:containedctx // lives as long as one call of Copy
	w   io.Writer
}

func (w whileWanted) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

// compactAtOnce is how many bytes one transaction of Compact writes.
const compactAtOnce = 16 << 20

// Compact makes the data file as small as what it holds: it writes everything into a new file beside it, checks that, and
// puts it in the other's place, which holds one or the other whatever happens. No server may run. Sizes are in bytes.
func Compact(ctx context.Context, path string) (before, after int64, err error) {
	s, err := Open(Options{Path: path})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	next := path + ".compact"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that broke off; the file is ours alone
		return 0, 0, unreachable(next, err)
	}
	defer func() { _ = os.Remove(next) }()
	if err := s.compactInto(next); err != nil {
		return 0, 0, err
	}
	r, err := Check(ctx, next)
	if err != nil {
		return 0, 0, err
	}
	if len(r.Problems) > 0 {
		return 0, 0, fault.Newf(fault.Internal, "The data file was not made smaller: what was written is not sound (%s).", r.Problems[0]).
			WithHint("It was not changed. Check it.")
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, unreachable(path, err)
	}
	if err := Replace(next, path); err != nil {
		return 0, 0, err
	}
	return info.Size(), r.Bytes, nil
}

func (s *Store) compactInto(path string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = damaged(s.db.Path(), fmt.Errorf("panic: %v", p))
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	// Nothing is durable before the end: until then it is of no use to anybody.
	to, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return unreachable(path, err)
	}
	defer func() {
		if e := to.Close(); err == nil && e != nil {
			err = unreachable(path, e)
		}
	}()
	if err := bbolt.Compact(to, s.db, compactAtOnce); err != nil {
		return unreachable(path, err)
	}
	if err := to.Sync(); err != nil {
		return unreachable(path, err)
	}
	return nil
}

// Replace puts a file that is durable in the place of another, or where there is none, durably and at once.
func Replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return unreachable(to, err)
	}
	return SyncDir(to)
}

// SyncDir makes the name of a file durable.
func SyncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return unreachable(path, err)
	}
	err = errors.Join(d.Sync(), d.Close())
	if err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) { // Windows knows no such thing
		return unreachable(path, err)
	}
	return nil
}

// CopyFile is Store.Copy of a data file that no server has open, or of a backup. It changes nothing.
func CopyFile(ctx context.Context, path string, f *os.File) (size int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, fmt.Errorf("panic: %v", p))
		}
	}()
	if _, err := inspect(Options{Path: path, LockTimeout: lockTimeout}); err != nil {
		return 0, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return 0, openFault(path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return (&Store{db: db}).Copy(ctx, f)
}

// PutNew gives a file that is durable its name, unless something has that name already.
func PutNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return taken(to)
	}
	if err == nil {
		return errors.Join(os.Remove(from), SyncDir(to))
	}
	// Not every file system knows links.
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return taken(to)
	}
	return Replace(from, to)
}

func taken(path string) *fault.Error {
	return fault.Newf(fault.Conflict, "There is a file %s already.", path).WithHint("It was not changed. Choose another name.")
}
