package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/control"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// Report is what was found in a data file.
type Report = boltstore.Report

// Check looks at a whole data file, or a backup of one, without changing it. No server may have it open.
func Check(ctx context.Context, path string) (Report, error) {
	return boltstore.Check(ctx, path) //nolint:wrapcheck // a fault of the file
}

// Compact makes the data file of a server that does not run as small as what it holds, and tells its size before and after
// in bytes.
func Compact(ctx context.Context, d Deps) (before, after int64, err error) {
	if err := there(d); err != nil {
		return 0, 0, err
	}
	return boltstore.Compact(ctx, d.Config.Data) //nolint:wrapcheck // a fault of the file
}

// Backup is a copy that was made of a data file.
type Backup struct {
	// Live says that a server ran and made it.
	Live bool
	// Took is how long it took, with looking for damage.
	Took time.Duration
	// Report is what is in it, and what is wrong with that.
	Report Report
}

// MakeBackup copies the data file to a new file, which is durable, complete and checked when it gets its name. A server that
// runs makes the copy, without standing still for it; otherwise this process does. Nothing is ever overwritten.
func MakeBackup(ctx context.Context, d Deps, to string) (b Backup, err error) {
	if err := there(d); err != nil {
		return b, err
	}
	if _, err := os.Lstat(to); err == nil {
		return b, fault.Newf(fault.Conflict, "There is a file %s already.", to).WithHint("It was not changed. Choose another name.")
	}
	began := d.Now()
	f, err := os.CreateTemp(filepath.Dir(to), ".backup-*")
	if err != nil {
		return b, fault.Newf(fault.Unavailable, "No file can be made beside %s: %w.", to, err)
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	err = control.Backup(ctx, d.Config.Data, f)
	b.Live = !errors.Is(err, control.ErrNobody)
	switch {
	case !b.Live:
		_, err = boltstore.CopyFile(ctx, d.Config.Data, f)
	case err == nil:
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return b, fmt.Errorf("make a backup: %w", err)
	}
	if b.Report, err = boltstore.Check(ctx, f.Name()); err != nil {
		return b, fmt.Errorf("check the backup: %w", err)
	}
	err = boltstore.PutNew(f.Name(), to)
	b.Took = d.Now().Sub(began)
	return b, err //nolint:wrapcheck // a fault of the file
}

// there fails with NotFound if there is no data file.
func there(d Deps) error {
	if _, err := os.Stat(d.Config.Data); errors.Is(err, fs.ErrNotExist) {
		return fault.Newf(fault.NotFound, "There is no data file %s.", d.Config.Data).WithHint("Name it with --data.")
	}
	return nil
}

// OpenViews is how many transactions read the data file at this moment. None may wait for anybody, so it is 0 whenever the
// server waits.
func (s *Server) OpenViews() int { return s.store.OpenViews() }
