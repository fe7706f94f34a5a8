// Package floor measures what the disk and the store's library can do by themselves, for the numbers of a program of ours to
// stand beside. Everything lies in directories that the caller names, on the disk that the program uses. Start reading at
// Sync, then Open.
package floor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"widgets.pro/build/bench/report"
)

const pageSize = 4096

// Page appends pages to a file, each on disk before the next.
type Page struct {
	file *os.File
	page []byte
}

// NewPage makes the file. Close it.
func NewPage(path string) (*Page, error) {
	file, err := os.Create(path) //nolint:gosec // where the caller says
	if err != nil {
		return nil, fmt.Errorf("make a file: %w", err)
	}
	return &Page{file: file, page: make([]byte, pageSize)}, nil
}

// Append appends one page and has it on disk.
func (p *Page) Append() error {
	if _, err := p.file.Write(p.page); err != nil {
		return fmt.Errorf("append a page: %w", err)
	}
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("sync a page: %w", err)
	}
	return nil
}

// Close closes the file.
func (p *Page) Close() error { return p.file.Close() }

// Sync is the median time to append a page of 4 KiB to a file and have it on disk, of n.
func Sync(path string, n int, now func() time.Time) (_ time.Duration, err error) {
	p, err := NewPage(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	took := make([]time.Duration, 0, n)
	for range n {
		begun := now()
		if err := p.Append(); err != nil {
			return 0, err
		}
		took = append(took, now().Sub(begun))
	}
	return report.Median(took), nil
}

// Bare is a bbolt file to which is written what the server writes for an edit, in number and size of records: a register, an
// entry of the log, the number of the device and the head of the log.
type Bare struct {
	db     *bbolt.DB
	boards int
	now    func() time.Time
}

// Open makes the file, with room for some dashboards. Close it.
func Open(path string, boards int, now func() time.Time) (*Bare, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistArrayType})
	if err != nil {
		return nil, fmt.Errorf("open the floor's file: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for i := range boards {
			if _, err := tx.CreateBucket(boardName(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the floor's file: %w", err), db.Close())
	}
	return &Bare{db: db, boards: boards, now: now}, nil
}

// Close closes the file.
func (b *Bare) Close() error { return b.db.Close() }

func boardName(i int) []byte { return fmt.Appendf(nil, "dsh_%026d", i) }

// put writes the records of one edit: of writer w, its n-th.
func (b *Bare) put(tx *bbolt.Tx, w, n int) error {
	on := w % b.boards
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
		replica.Put(number('n', uint64(w)), value(16)), //nolint:gosec // small
		replica.Put([]byte("m"), value(40)),
	)
}

// Single is how many edits a second one writer makes, each committed by itself.
func (b *Bare) Single(edits int) (float64, error) {
	begun := b.now()
	for n := range edits {
		if err := b.db.Update(func(tx *bbolt.Tx) error { return b.put(tx, 0, n) }); err != nil {
			return 0, fmt.Errorf("commit: %w", err)
		}
	}
	return float64(edits) / b.now().Sub(begun).Seconds(), nil
}

// Batches writes the records of edits in commits of so many edits each, one after the other.
func (b *Bare) Batches(edits, each int) (time.Duration, error) {
	begun := b.now()
	for n := 0; n < edits; n += each {
		if err := b.db.Update(func(tx *bbolt.Tx) error {
			for i := n; i < min(n+each, edits); i++ {
				if err := b.put(tx, 0, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return 0, fmt.Errorf("commit: %w", err)
		}
	}
	return b.now().Sub(begun), nil
}

// Grouped is edits per second of many writers, of which each waits for its edit before it makes the next; one commit takes
// all that wait.
func (b *Bare) Grouped(writers int, duration time.Duration) (float64, error) {
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
				if err := b.put(tx, r.w, r.n); err != nil {
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
