package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// Restoring a backup sets the server back, and with it every decision about who may see what. Content heals: each
// dashboard's log gets a new epoch, at which apps offer what they hold that is newer (SI13). Access does not: no app may
// say who has it. So whatever was taken away since the backup must not come back with it (rules L4, V3), and what is not
// known to be still meant is not given:
//
//   - Where the file that is replaced can still be read, it knows. Links, roles, memberships, sign-ins, passwords,
//     invitations and tickets become the weaker of what both files say; what was given away belongs to its new owner.
//   - Where it cannot, links are turned off, and invitations, tickets and waiting mail are void. Their owners turn on again,
//     at the same address, what is still meant to be open. Who is on a dashboard, and signed in, stays: nobody could heal
//     it otherwise. That is told loudly.
//   - Whoever restores can say that nothing was taken away since, as when a server moves to another machine.
//
// Every link's version goes up by restoreStep. Commands compare themselves with the version that their author saw, and
// apps take no state that is older than theirs; both could meet a version of before the restore a second time otherwise.

// RestoreOptions say what the one who restores knows and wants.
type RestoreOptions struct {
	// Unchanged says that nobody's access was taken away since the backup was made.
	Unchanged bool
	// EndSignIns signs everybody out, programs included.
	EndSignIns bool
}

// Restored is what came of a restore.
type Restored struct {
	// Aside is where the file is that was replaced, "" if there was none.
	Aside string
	// Known says that the replaced file could be asked what was taken away since the backup.
	Known bool
	// Report is what is in the data file now.
	Report Report
	Tally
}

// Tally counts what a restore did not give back.
type Tally struct {
	// LinksOff are links that were turned off. Changed are links, roles, memberships and sign-ins by password that are as
	// the replaced file has them. Void are invitations, tickets and mails that were dropped, Ended are sign-ins.
	LinksOff, Changed, Void, Ended int
}

func (t *Tally) add(o Tally) {
	t.LinksOff += o.LinksOff
	t.Changed += o.Changed
	t.Void += o.Void
	t.Ended += o.Ended
}

// Restore puts a backup in the place of the data file of a server that does not run. The backup is checked before anything
// is touched and the result before it is put in place, which happens at once: after a crash there is one or the other. The
// file that was there is kept beside it.
func Restore(ctx context.Context, d Deps, from string, o RestoreOptions) (out Restored, err error) {
	data := d.Config.Data
	if r, err := boltstore.Check(ctx, from); err != nil {
		return out, err //nolint:wrapcheck // a fault of the file
	} else if len(r.Problems) > 0 {
		return out, fault.Newf(fault.Internal, "The backup %s is not sound: %s", from, r.Problems[0]).WithHint("Nothing was changed. See widgets-server check, and take another backup.")
	}
	if a, err := os.Stat(from); err == nil {
		if b, err := os.Stat(data); err == nil && os.SameFile(a, b) {
			return out, fault.New(fault.Invalid, "The backup is the data file itself.")
		}
	}
	present, err := boltstore.Check(ctx, data)
	sound := err == nil && len(present.Problems) == 0
	held, err := boltstore.Hold(data)
	if err != nil {
		return out, err //nolint:wrapcheck // a fault of the file
	}
	defer func() { err = errors.Join(err, held.Close()) }()

	next := data + ".restore"
	if err := copyTo(ctx, from, next); err != nil {
		return out, err
	}
	defer func() { _ = os.Remove(next) }()
	r := reviver{ctx: ctx, d: d, o: o, out: &out}
	if sound && held.Readable() && !o.Unchanged {
		err = held.View(func(tx store.Tx) error {
			r.now = tx
			return r.revive(next)
		})
	} else {
		err = r.revive(next)
	}
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	if out.Report, err = boltstore.Check(ctx, next); err != nil {
		return out, err //nolint:wrapcheck // a fault of the file
	} else if len(out.Report.Problems) > 0 {
		return out, fault.Newf(fault.Internal, "The backup was read, but what was made of it is not sound: %s", out.Report.Problems[0]).WithHint("Nothing was changed.")
	}
	if !held.There() { // a server that was started meanwhile found nothing to wait for
		err := boltstore.PutNew(next, data)
		if fault.KindOf(err) == fault.Conflict {
			return out, fault.Newf(fault.Unavailable, "A server was started meanwhile and has made the file %s. Nothing was changed.", data)
		}
		return out, err //nolint:wrapcheck // a fault of the file
	}
	if out.Aside, err = putAside(data, d.Now()); err != nil {
		return out, err
	}
	return out, boltstore.Replace(next, data) //nolint:wrapcheck // a fault of the file
}

// copyTo makes a copy of a backup to work on.
func copyTo(ctx context.Context, from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that broke off
		return fault.Newf(fault.Unavailable, "The file %s is in the way: %w.", to, err)
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the data file, which its operator named
	if err != nil {
		return fault.Newf(fault.Unavailable, "No file can be made beside the data file: %w.", err)
	}
	_, err = boltstore.CopyFile(ctx, from, f)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(to)
		return fmt.Errorf("read the backup: %w", err)
	}
	return nil
}

// putAside gives the data file a second name, under which it stays when another is put in its place.
func putAside(data string, now time.Time) (aside string, err error) {
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	name := data + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	for n := 1; n <= asideAtMost; n++ {
		if aside = name; n > 1 {
			aside = fmt.Sprintf("%s-%d", name, n)
		}
		err = os.Link(data, aside)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = duplicate(data, aside) // not every file system knows links
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", fault.Newf(fault.Unavailable, "The data file could not be put aside: %w.", err)
	}
	return aside, boltstore.SyncDir(data) //nolint:wrapcheck // a fault of the file
}

// asideAtMost is how many files are put aside at one time of the clock.
const asideAtMost = 100

// duplicate copies a file, whatever is in it, to a new one. The one that it is a copy of stays, so that there is a data file
// at every moment.
func duplicate(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // its operator named it
	if err != nil {
		return err //nolint:wrapcheck // putAside says what it was doing
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside it
	if err != nil {
		return err //nolint:wrapcheck // putAside says what it was doing
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		_ = os.Remove(to)
	}
	return err
}
