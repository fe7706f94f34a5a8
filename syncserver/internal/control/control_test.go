package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/control"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const id board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"

// patience bounds how long a test waits for something that must come.
const patience = 20 * time.Second

// large is more than any socket takes without a reader.
const large = 16 << 20

// opened is a data file of a size, with its door.
func opened(t *testing.T, size int) (path string, st *boltstore.Store, d *control.Door) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s.db")
	st, err := boltstore.Open(boltstore.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	put(t, st, size)
	return path, st, door(t, path, st)
}

func door(t *testing.T, path string, data control.Data) *control.Door {
	t.Helper()
	d, err := control.Open(path, data, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func put(t *testing.T, st *boltstore.Store, size int) {
	t.Helper()
	if err := st.Update(t.Context(), func(tx store.Tx) error {
		return tx.Replica(id).Put([]byte("k"), bytes.Repeat([]byte("x"), size))
	}); err != nil {
		t.Fatal(err)
	}
}

// A copy that a running server makes is what it holds, and the socket is for its own user alone.
func TestABackupIsWhatTheServerHolds(t *testing.T) {
	t.Parallel()
	path, _, d := opened(t, 1<<20)
	if info, err := os.Stat(control.Path(path)); err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	f, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(control.Backup(t.Context(), path, f), f.Close()); err != nil {
		t.Fatal(err)
	}
	st, err := boltstore.Open(boltstore.Options{Path: copied})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	if err := st.View(t.Context(), func(tx store.Tx) error {
		if n := len(tx.Replica(id).Get([]byte("k"))); n != 1<<20 {
			t.Errorf("%d bytes", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	d.Close()
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%v is left beside the data file, %v", left, err)
	}
	if err := control.Backup(t.Context(), path, io.Discard); !errors.Is(err, control.ErrNobody) {
		t.Errorf("with the door shut: %v", err)
	}
}

// Whoever asks for a backup and does not take it holds no transaction: writes go on and pages are used again.
func TestNoTransactionWaitsForWhoeverAskedForABackup(t *testing.T) {
	t.Parallel()
	path, st, _ := opened(t, large)
	asleep, err := (&net.Dialer{}).DialContext(t.Context(), "unix", control.Path(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = asleep.Close() }()
	if _, err := fmt.Fprintf(asleep, "POST /backup HTTP/1.1\r\nHost: server\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The answer begins when the copy is made; then nobody reads any more.
	if _, err := io.ReadFull(asleep, make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	if n := st.OpenViews(); n != 0 {
		t.Fatalf("%d transactions are open", n)
	}
	if err := control.Backup(t.Context(), path, io.Discard); fault.KindOf(err) != fault.Busy {
		t.Errorf("a second backup: %v", err)
	}
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	put(t, st, large)
	put(t, st, large)
	before := size()
	for range 5 {
		put(t, st, large)
	}
	if after := size(); after != before {
		t.Errorf("the file grew from %d to %d bytes", before, after)
	}
	// Once the sleeper is gone others get their turn.
	_ = asleep.Close()
	deadline := time.Now().Add(patience)
	for {
		err := control.Backup(t.Context(), path, io.Discard)
		if err == nil {
			return
		}
		if fault.KindOf(err) != fault.Busy || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A backup that is broken off half-way is an error, not a short file.
func TestABackupThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	path, _, d := opened(t, large)
	n := 0
	err := control.Backup(t.Context(), path, writer(func(p []byte) (int, error) {
		if n += len(p); n == len(p) {
			d.Close()
		}
		return len(p), nil
	}))
	if err == nil || n >= large {
		t.Errorf("%d bytes, %v", n, err)
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

type data func(ctx context.Context, to *os.File) (int64, error)

func (d data) Copy(ctx context.Context, to *os.File) (int64, error) { return d(ctx, to) }

func TestB1_WhyThereIsNoBackupIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"no room": {fmt.Errorf("copy: %w", syscall.ENOSPC), "The server could not copy its data file."},
		"closing": {fault.New(fault.Unavailable, "The server is shutting down."), "The server is shutting down."},
	} {
		path := filepath.Join(t.TempDir(), "s.db")
		d := door(t, path, data(func(context.Context, *os.File) (int64, error) { return 0, c.err }))
		err := control.Backup(t.Context(), path, io.Discard)
		if f := fault.From(err); f.Kind != fault.Unavailable || f.Message != c.says {
			t.Errorf("%s: %v", name, err)
		}
		d.Close()
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
			t.Errorf("%s: %v is left, %v", name, left, err)
		}
	}
}

// The socket of a server that was killed is in nobody's way.
func TestASocketThatIsLeftOverIsReplaced(t *testing.T) {
	t.Parallel()
	path, st, _ := opened(t, 10) // its door is never closed before the next one opens
	door(t, path, st)
	if err := control.Backup(t.Context(), path, io.Discard); err != nil {
		t.Error(err)
	}
}
