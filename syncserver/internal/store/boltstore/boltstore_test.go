package boltstore_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/internal/store/storetest"
)

type opener struct{ path string }

// rehearsing opens a store that runs each closure twice.
type rehearsing struct{ path string }

func (o rehearsing) Open(tb testing.TB) store.Store {
	tb.Helper()
	s, err := boltstore.Open(boltstore.Options{Path: o.path, Rehearse: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContractRehearsed(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) storetest.Opener {
		tb.Helper()
		return rehearsing{filepath.Join(tb.TempDir(), "server.db")}
	})
}

func (o opener) Open(tb testing.TB) store.Store {
	tb.Helper()
	s, err := boltstore.Open(boltstore.Options{Path: o.path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) storetest.Opener {
		tb.Helper()
		return opener{filepath.Join(tb.TempDir(), "sub", "server.db")}
	})
}

const id board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"

func put(key string, size int) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.Replica(id).Put([]byte(key), bytes.Repeat([]byte("x"), size)) }
}

func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// Files that cannot be used are refused in words and left as they are.
func TestB1_UnusableFilesAreRefusedAndNotChanged(t *testing.T) {
	t.Parallel()
	good := func(t *testing.T, path string) {
		t.Helper()
		s, err := boltstore.Open(boltstore.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			if err := s.Update(t.Context(), put(fmt.Sprint(i), 4000)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		kind  fault.Kind
		spoil func(t *testing.T, path string)
	}{
		"not a database": {fault.Internal, func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, bytes.Repeat([]byte("text "), 10_000), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		"another database": {fault.Internal, func(t *testing.T, path string) {
			t.Helper()
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket([]byte("theirs"))
				return err
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}},
		"truncated": {fault.Internal, func(t *testing.T, path string) {
			t.Helper()
			good(t, path)
			if err := os.Truncate(path, 5*4096); err != nil {
				t.Fatal(err)
			}
		}},
		"both meta pages overwritten": {fault.Internal, func(t *testing.T, path string) {
			t.Helper()
			good(t, path)
			f, err := os.OpenFile(path, os.O_RDWR, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteAt(bytes.Repeat([]byte{0xaa}, 2*os.Getpagesize()), 0)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}},
		"root page overwritten": {fault.Internal, func(t *testing.T, path string) {
			t.Helper()
			good(t, path)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			page := int64(os.Getpagesize())
			_, err = f.WriteAt(bytes.Repeat([]byte{0xaa}, int(info.Size()-2*page)), 2*page)
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}},
		"newer version": {fault.Outdated, func(t *testing.T, path string) {
			t.Helper()
			good(t, path)
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 0, 0, 0, 0, 0, 0, boltstore.Format + 1})
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "server.db")
			c.spoil(t, path)
			before := sum(t, path)
			s, err := boltstore.Open(boltstore.Options{Path: path})
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			f := fault.From(err)
			if f.Kind != c.kind || f.Hint == "" || f.Message == fault.From(errors.New("x")).Message {
				t.Errorf("%s: %q (%s)", f.Kind, f.Message, f.Hint)
			}
			if sum(t, path) != before {
				t.Error("the file was changed")
			}
		})
	}
}

func TestB1_FileInUseAndUnreachable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "server.db")
	s := opener{path}.Open(t)
	if _, err := boltstore.Open(boltstore.Options{Path: path, LockTimeout: 50 * time.Millisecond}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("in use: %v", err)
	}
	_ = s.Close()
	for _, bad := range []string{dir, filepath.Join(path, "below.db")} {
		if _, err := boltstore.Open(boltstore.Options{Path: bad}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A full disk is an error to everybody in the batch, changes nothing, and what fits still works.
func TestB1_FullDiskChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	s, err := boltstore.Open(boltstore.Options{Path: path, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Update(t.Context(), put("small", 10)); err != nil {
		t.Fatal(err)
	}
	called := false
	err = s.Update(t.Context(), func(tx store.Tx) error {
		tx.After(func() { called = true })
		return put("large", 8<<20)(tx)
	})
	if fault.KindOf(err) != fault.Unavailable || called {
		t.Fatalf("8 MiB into 1 MiB: %v, called %v", err, called)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("after a full disk: %v", err)
	}
	if err := s.Update(t.Context(), put("after", 10)); err != nil {
		t.Errorf("something small afterwards: %v", err)
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		r := tx.Replica(id)
		if len(r.Get([]byte("small"))) != 10 || r.Get([]byte("large")) != nil || len(r.Get([]byte("after"))) != 10 {
			return errors.New("the content is wrong")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A failing closure is answered its own error; the others of its batch are committed.
func TestOneFailureDoesNotTakeTheOthersDown(t *testing.T) {
	s := opener{filepath.Join(t.TempDir(), "server.db")}.Open(t)
	// The first update holds the committer until the others are queued, so that they share one commit.
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			close(held)
			<-hold
			return nil
		})
	})
	<-held
	boom := errors.New("boom")
	errs := make([]error, 40)
	queued := make(chan struct{}, len(errs))
	for i := range errs {
		wg.Go(func() {
			queued <- struct{}{}
			errs[i] = s.Update(t.Context(), func(tx store.Tx) error {
				if err := put(fmt.Sprint(i), 5)(tx); err != nil {
					return err
				}
				if i%4 == 0 {
					return boom
				}
				return nil
			})
		})
	}
	for range errs {
		<-queued
	}
	close(hold)
	wg.Wait()
	if err := s.View(t.Context(), func(tx store.Tx) error {
		for i, err := range errs {
			there := tx.Replica(id).Get([]byte(fmt.Sprint(i))) != nil
			if i%4 == 0 != errors.Is(err, boom) || there != (err == nil) {
				return fmt.Errorf("update %d: %w, written %v", i, err, there)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			s := opener{filepath.Join(b.TempDir(), "server.db")}.Open(b)
			b.SetParallelism(writers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.Update(b.Context(), put("k", 100)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
