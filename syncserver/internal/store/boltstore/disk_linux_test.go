package boltstore_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// failing opens a store and returns a function that puts another file in the place of the data file's descriptor: with
// /dev/full every write meets ENOSPC, with a file that was opened for reading EBADF.
func failing(t *testing.T) (s store.Store, path string, replace func(by *os.File)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "server.db")
	var file *os.File
	s, err := boltstore.Open(boltstore.Options{Path: path, OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(path, flag, mode)
		file = f
		return f, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	// Make the file and its mapping larger than what follows needs, so that only writes are met by the failure.
	for _, size := range []int{200_000, 10} {
		if err := s.Update(t.Context(), put("room", size)); err != nil {
			t.Fatal(err)
		}
	}
	return s, path, func(by *os.File) {
		t.Helper()
		if err := syscall.Dup3(int(by.Fd()), int(file.Fd()), syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, path string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestB1_NoSpaceIsToldAndSpaceIsUsedAgain(t *testing.T) {
	s, path, replace := failing(t)
	if err := s.Update(t.Context(), put("before", 10)); err != nil {
		t.Fatal(err)
	}
	data := open(t, path, os.O_RDWR)
	replace(open(t, "/dev/full", os.O_RDWR))
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = s.Update(t.Context(), put("during", 10)) })
	}
	wg.Wait()
	for _, err := range errs {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("without space: %v", err)
		}
	}
	replace(data)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		if tx.Replica(id).Get([]byte("during")) != nil {
			t.Error("what was refused is there")
		}
		return put("after", 10)(tx)
	}); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

func TestB1_AnyOtherErrorOfTheDiskStopsTheStore(t *testing.T) {
	s, path, replace := failing(t)
	if err := s.Update(t.Context(), put("before", 10)); err != nil {
		t.Fatal(err)
	}
	data := open(t, path, os.O_RDWR)
	replace(open(t, path, os.O_RDONLY))
	if err := s.Update(t.Context(), put("during", 10)); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("with a broken disk: %v", err)
	}
	replace(data)
	if err := s.Update(t.Context(), put("after", 10)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the store went on after an error that leaves its state uncertain: %v", err)
	}
	if s.Healthy() == nil {
		t.Error("the store calls itself healthy")
	}
	_ = s.Close()
	again := opener{path}.Open(t)
	if err := again.View(t.Context(), func(tx store.Tx) error {
		r := tx.Replica(id)
		if r.Get([]byte("before")) == nil || r.Get([]byte("during")) != nil || r.Get([]byte("after")) != nil {
			t.Error("the content is wrong")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
