package victim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"widgets.pro/build/crash/victim"
)

const act = "WIDGETS_TEST_VICTIM"

// TestMain lets the test's binary be the program that is killed.
func TestMain(m *testing.M) {
	switch os.Getenv(act) {
	case "parent": // holds its standard output open by a child, and waits
		child := exec.CommandContext(context.Background(), os.Args[0])
		child.Env = append(os.Environ(), act+"=child")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
		_ = child.Wait()
	case "child":
		_, _ = fmt.Fprintln(os.Stderr, "time=now level=ERROR msg=\"help\"")
		fmt.Println("here")
		select {}
	case "mortal":
		os.Exit(3)
	default:
		os.Exit(m.Run())
	}
}

func program(t *testing.T, role string, out io.Writer) *victim.Program {
	t.Helper()
	p := &victim.Program{Path: os.Args[0], Env: []string{act + "=" + role}, Log: filepath.Join(t.TempDir(), "log"), Stdout: out}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

// Nothing that a program has started outlives it: Kill returns only when nobody holds its output any more.
func TestKillEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	p := program(t, "parent", w)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4)
	if _, err := io.ReadFull(r, line); err != nil || string(line) != "here" {
		t.Fatalf("%q %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if err := p.KillAfter(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := p.Kill(); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Errorf("start again: %v", err)
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	cries, err := p.Cries()
	if err != nil || !slices.ContainsFunc(cries, func(c string) bool { return strings.Contains(c, "help") }) {
		t.Errorf("%q %v", cries, err)
	}
}

func TestAProgramThatEndsByItselfIsTold(t *testing.T) {
	t.Parallel()
	p := program(t, "mortal", nil)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.KillAfter(t.Context(), time.Hour); err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("%v", err)
	}
}

func TestADataFileIsCheckedPageByPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	if err := victim.Sound(path); err != nil {
		t.Errorf("one that is not there: %v", err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("b"))
		for i := range 5_000 {
			err = errors.Join(err, b.Put(fmt.Append(nil, "key ", i), bytes.Repeat([]byte{'v'}, 50)))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := victim.Sound(path); err != nil {
		t.Errorf("a good one: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// One key among others is no longer in its place.
	text = bytes.Replace(text, []byte("key 3777"), []byte("kex 3777"), 1)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := victim.Sound(path); err == nil {
		t.Error("a damaged one passes")
	}
}
