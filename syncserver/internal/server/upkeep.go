package server

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// Check looks at a whole data file, or a backup of one, without changing it. No server may have it open.
func Check(ctx context.Context, path string) (boltstore.Report, error) {
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

// there fails with NotFound if there is no data file.
func there(d Deps) error {
	if _, err := os.Stat(d.Config.Data); errors.Is(err, fs.ErrNotExist) {
		return fault.Newf(fault.NotFound, "There is no data file %s.", d.Config.Data).WithHint("Name it with --data.")
	}
	return nil
}
