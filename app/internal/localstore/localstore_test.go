package localstore_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"go.etcd.io/bbolt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
)

const dsh = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D")

func open(t *testing.T, path string) *localstore.Store {
	t.Helper()
	s, err := localstore.Open(path, localstore.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func update(t *testing.T, s *localstore.Store, fn func(*localstore.Tx) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func clock(t *testing.T, s *localstore.Store) (c hlc.Clock) {
	t.Helper()
	if err := s.View(func(tx *localstore.Tx) (err error) { c, err = tx.Clock(); return err }); err != nil {
		t.Fatal(err)
	}
	return c
}

// edit queues one edit and stores the dashboard's record.
func edit(t *testing.T, s *localstore.Store, title string) {
	t.Helper()
	update(t, s, func(tx *localstore.Tx) error {
		rtx, err := tx.Replica(dsh)
		if err != nil {
			return err
		}
		c, err := replica.OpenClient(rtx)
		if err != nil {
			return err
		}
		k, err := tx.Clock()
		if err != nil {
			return err
		}
		if _, err := c.Edit(&k, 1000, []replica.Edit{{Kind: replica.OpSet, Entity: "board", Field: "title", Value: []byte(`"` + title + `"`)}}); err != nil {
			return err
		}
		if err := tx.SetClock(k); err != nil {
			return err
		}
		return tx.PutBoard(localstore.Board{ID: dsh, Title: title})
	})
}

func TestRecordsSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "data.db")
	s := open(t, path)
	edit(t, s, "Shop")
	want := localstore.Board{
		ID: dsh, Title: "Shop", Widgets: 3, Created: 1, Updated: 2, Queued: 4, Home: "https://x acc_1", Known: true, Role: sharing.RoleEditor,
		Link: sharing.Link{Enabled: true, Token: "shr_x", ShortID: "abc", Version: 7}, Refusal: &localstore.Refusal{Action: sharing.Rotate, Message: "no"},
	}
	account := localstore.Account{Server: "https://x", ID: "acc_1", Email: "a@b", Base: "https://y", Offset: -5000}
	update(t, s, func(tx *localstore.Tx) error {
		for _, a := range []sharing.Action{sharing.Enable, sharing.Disable} {
			if err := tx.Queue(&localstore.Command{Command: sharing.Command{ID: string(a), Board: dsh, Action: a}, After: 9}); err != nil {
				return err
			}
		}
		return errors.Join(tx.PutBoard(want), tx.SetAccount(account), tx.SetSettings(localstore.Settings{Theme: board.ThemeDark, Samples: true}))
	})
	before := clock(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path)
	if got := clock(t, s); got != before || got.Dev == 0 || got.Last == 0 {
		t.Errorf("clock %+v, want %+v", got, before)
	}
	err := s.View(func(tx *localstore.Tx) error {
		all, err := tx.Boards()
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		got := all[0]
		if got.Refusal == nil || *got.Refusal != *want.Refusal {
			t.Errorf("refusal %+v", got.Refusal)
		}
		got.Refusal, want.Refusal = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if a, ok, err := tx.Account(); err != nil || !ok || a != account {
			t.Errorf("account %+v, %v, %v", a, ok, err)
		}
		if st, err := tx.Settings(); err != nil || st.Theme != board.ThemeDark || !st.Samples {
			t.Errorf("settings %+v, %v", st, err)
		}
		out, err := tx.Outbox()
		if err != nil || len(out) != 2 || out[0].Command.Action != sharing.Enable || out[1].Command.Action != sharing.Disable || out[1].After != 9 {
			t.Errorf("outbox %+v, %v", out, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *localstore.Tx) error { return errors.Join(tx.RemoveBoard(dsh), tx.ClearAccount()) })
	_ = s.View(func(tx *localstore.Tx) error {
		if all, _ := tx.Boards(); len(all) != 0 {
			t.Errorf("still there: %v", all)
		}
		if _, ok, _ := tx.Account(); ok {
			t.Error("the account is still there")
		}
		return nil
	})
}

func TestB1_SecondProgramIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	open(t, path)
	_, err := localstore.Open(path, localstore.Options{Random: rand.Reader, LockTimeout: time.Millisecond})
	if fault.KindOf(err) != fault.Busy || !strings.Contains(err.Error(), "already running") {
		t.Errorf("got %v", err)
	}
}

// What cannot be read is told in a sentence and left exactly as it was.
func TestB1_NewerAndDamagedFilesAreLeftAlone(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.db")
	s := open(t, good)
	for range 50 {
		edit(t, s, strings.Repeat("a long title ", 400))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	newer := func(t *testing.T, path string) {
		t.Helper()
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := cbor.Marshal(uint64(localstore.Format + 1))
		if err := db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), raw) }); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	foreign := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("other")); return err }); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	bytesOf := func(b []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	zeroed := func(from, to int) []byte {
		b := bytes.Clone(sound)
		clear(b[from:to])
		return b
	}
	for name, c := range map[string]struct {
		spoil func(*testing.T, string)
		kind  fault.Kind
	}{
		"newer":         {newer, fault.Outdated},
		"other program": {foreign, fault.Internal},
		"text":          {bytesOf([]byte(strings.Repeat("this is no database\n", 1000))), fault.Internal},
		"cut short":     {bytesOf(sound[:len(sound)/3]), fault.Internal},
		"no meta pages": {bytesOf(zeroed(0, 8192)), fault.Internal},
		"no pages":      {bytesOf(zeroed(8192, len(sound))), fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data.db")
			bytesOf(sound)(t, path)
			c.spoil(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = localstore.Open(path, localstore.Options{Random: rand.Reader})
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != c.kind || f.Message == "" || f.Hint == "" {
				t.Errorf("got %v, want a fault %s with a hint", err, c.kind)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestB1_FolderThatCannotBeUsedIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := localstore.Open(filepath.Join(file, "data.db"), localstore.Options{Random: rand.Reader})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

// A full disk changes nothing and can be recovered from; any other failure to write ends writing.
func TestFailedCommitsChangeNothing(t *testing.T) {
	var fail error
	s, err := localstore.Open(filepath.Join(t.TempDir(), "data.db"), localstore.Options{Random: rand.Reader, BeforeCommit: func() error { return fail }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	edit(t, s, "before")
	write := func() error {
		return s.Update(func(tx *localstore.Tx) error { return tx.PutBoard(localstore.Board{ID: dsh, Title: "after"}) })
	}
	title := func() (title string) {
		_ = s.View(func(tx *localstore.Tx) error {
			all, err := tx.Boards()
			title = all[0].Title
			return err
		})
		return title
	}
	fail = &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	if err := write(); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("got %v", err)
	}
	if title() != "before" {
		t.Errorf("title %q", title())
	}
	fail = nil
	if err := write(); err != nil || title() != "after" {
		t.Errorf("got %v, title %q", err, title())
	}
	fail = &os.PathError{Op: "sync", Path: "x", Err: syscall.EIO}
	if err := write(); fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "disk is full") {
		t.Errorf("got %v", err)
	}
	fail = nil
	if err := write(); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("writing went on after an I/O error: %v", err)
	}
}

func TestErrorsOfClosuresComeBackAsTheyAre(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "data.db"))
	if err := s.Update(func(*localstore.Tx) error { return io.ErrShortWrite }); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
	edit(t, s, "still works")
}

// A copied file is another device: what waits in it is sent under the new name, in the same place in the order of edits.
func TestSI3_CopiedFileGetsItsOwnIncarnation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	s := open(t, path)
	edit(t, s, "Shop")
	was := clock(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(other, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if c := clock(t, open(t, path)); c != was {
		t.Errorf("the original changed from %+v to %+v", was, c)
	}
	s = open(t, other)
	c := clock(t, s)
	if c.Dev == was.Dev || c.Dev == 0 || c.Last < was.Last {
		t.Errorf("clock %+v, was %+v", c, was)
	}
	_ = s.View(func(tx *localstore.Tx) error {
		rtx, err := tx.Replica(dsh)
		if err != nil {
			return err
		}
		r, err := replica.OpenClient(rtx)
		if err != nil {
			return err
		}
		ops, err := r.Pending(0, 10, 1<<20)
		if err != nil || len(ops) != 1 || ops[0].Stamp.Dev != c.Dev || ops[0].At().Dev != was.Dev {
			t.Errorf("ops %+v, %v", ops, err)
		}
		return err
	})
}
