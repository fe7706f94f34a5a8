package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"widgets.pro/build/bench/report"
)

// floors is what the disk and the store's library can do, without anything of ours.
type floors struct {
	fsync           time.Duration // of an appended page
	single, grouped float64       // commits of one edit's records, and such edits grouped, a second
}

const (
	appends  = 200
	pageSize = 4096
	commits  = 400
)

// measureFloors measures in a directory of its own, on the disk where the server's data file is.
func measureFloors(dir string, o options) (f floors, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return f, fmt.Errorf("make a directory: %w", err)
	}
	if f.fsync, err = fsync(filepath.Join(dir, "pages"), o.now); err != nil {
		return f, err
	}
	db, err := bbolt.Open(filepath.Join(dir, "bare.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return f, fmt.Errorf("open the floor's file: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	b := &bare{db: db, now: o.now}
	if err := b.prepare(); err != nil {
		return f, err
	}
	if f.single, err = b.single(); err != nil {
		return f, err
	}
	f.grouped, err = b.grouped(mostWriters, o.duration)
	return f, err
}

// fsync is the median time to append a page to a file and have it on disk.
func fsync(path string, now func() time.Time) (_ time.Duration, err error) {
	file, err := os.Create(path) //nolint:gosec // in a directory of our own
	if err != nil {
		return 0, fmt.Errorf("make a file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	page := make([]byte, pageSize)
	took := make([]time.Duration, 0, appends)
	for range appends {
		begun := now()
		if _, err := file.Write(page); err != nil {
			return 0, fmt.Errorf("append a page: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("sync a page: %w", err)
		}
		took = append(took, now().Sub(begun))
	}
	return report.Median(took), nil
}

// bare writes what the server writes for an edit, in size and number of records: register, entry of the log, number of the
// device, head of the log, and the dashboard's record.
type bare struct {
	db  *bbolt.DB
	now func() time.Time
}

func (b *bare) prepare() error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("boards")); err != nil {
			return err
		}
		for i := range accounts * boardsOfAccount {
			if _, err := tx.CreateBucket(boardName(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

func boardName(i int) []byte { return fmt.Appendf(nil, "dsh_%026d", i) }

// put writes the records of one edit: of writer w, its n-th.
func put(tx *bbolt.Tx, w, n int) error {
	on := w % (accounts * boardsOfAccount)
	replica := tx.Bucket(boardName(on))
	number := func(kind byte, n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{kind}, n) }
	value := func(n int) []byte { return make([]byte, n) }
	seq, err := replica.NextSequence()
	if err != nil {
		return err
	}
	return errors.Join(
		replica.Put(fmt.Appendf(nil, "cwgt_%026d\x00title", w*2+n%2), value(64)),
		replica.Put(number('l', seq), value(128)),
		replica.Put(number('d', uint64(w)), value(16)), //nolint:gosec // small
		replica.Put([]byte("m"), value(40)),
		tx.Bucket([]byte("boards")).Put(boardName(on), value(160)),
	)
}

// single is edits per second of one writer, each committed by itself.
func (b *bare) single() (float64, error) {
	begun := b.now()
	for n := range commits {
		if err := b.db.Update(func(tx *bbolt.Tx) error { return put(tx, 0, n) }); err != nil {
			return 0, fmt.Errorf("commit: %w", err)
		}
	}
	return commits / b.now().Sub(begun).Seconds(), nil
}

// grouped is edits per second of many writers, of which each waits for its edit before it makes the next; one commit takes
// all that wait.
func (b *bare) grouped(writers int, duration time.Duration) (float64, error) {
	type request struct {
		w, n int
		done chan error
	}
	queue := make(chan request, writers)
	begun := b.now()
	until := begun.Add(duration)
	var wg sync.WaitGroup
	counts := make([]int, writers)
	errs := make(chan error, writers)
	for w := range writers {
		wg.Go(func() {
			r := request{w: w, done: make(chan error, 1)}
			for b.now().Before(until) {
				r.n++
				queue <- r
				if err := <-r.done; err != nil {
					errs <- err
					return
				}
				counts[w]++
			}
		})
	}
	go func() { wg.Wait(); close(queue) }()
	for first := range queue {
		batch := []request{first}
		for more := true; more; {
			select {
			case r, ok := <-queue:
				if more = ok; ok {
					batch = append(batch, r)
				}
			default:
				more = false
			}
		}
		err := b.db.Update(func(tx *bbolt.Tx) error {
			for _, r := range batch {
				if err := put(tx, r.w, r.n); err != nil {
					return err
				}
			}
			return nil
		})
		for _, r := range batch {
			r.done <- err
		}
	}
	took := b.now().Sub(begun)
	select {
	case err := <-errs:
		return 0, fmt.Errorf("commit: %w", err)
	default:
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / took.Seconds(), nil
}
