package replicatest

import (
	"bytes"
	"errors"
	"slices"

	"widgets.pro/shared/replica"
)

// What a disk may answer. After errNoSpace nothing has changed and the next write may work. After errDisk nobody knows what
// is on the disk, so nothing is written any more until the program was started again.
var (
	errNoSpace = errors.New("no space left on device")
	errDisk    = errors.New("input/output error")
)

// errCrashed means that the process ended before its transaction was on disk, or was told that it is.
var errCrashed = errors.New("the process ended")

// disk is a data file: it survives crashes. A transaction that is not committed leaves no trace.
type disk struct {
	mem    replica.Memory
	broken bool
	// unsure is what a commit wrote that failed with errDisk: after a restart it may be there, and then found is called.
	unsure []pair
	found  func()
	// kept is the file as the failing disk has it, while a planted bug goes on writing.
	kept *replica.Memory
}

// begin reads; what is written through it is there at once.
func (d *disk) begin() *transaction { return &transaction{mem: &d.mem} }

// restart is what a new process finds.
func (d *disk) restart(w *world) {
	if d.unsure != nil && w.chance(2) {
		for _, p := range d.unsure {
			if p.value == nil {
				w.must(d.mem.Delete(p.key))
			} else {
				w.must(d.mem.Put(p.key, p.value))
			}
		}
		d.found()
	}
	if d.kept != nil {
		d.mem = *d.kept
	}
	d.broken, d.unsure, d.found, d.kept = false, nil, nil, nil
}

// transaction writes straight to the disk and remembers how to take it back.
type transaction struct {
	mem    *replica.Memory
	undo   []pair
	fault  error // what the disk is going to answer, nil if it works
	in     int   // how many writes before that; none left means the commit
	failed bool  // it has answered so
}

type pair struct{ key, value []byte }

// Get implements replica.Tx.
func (t *transaction) Get(key []byte) []byte { return t.mem.Get(key) }

// Put implements replica.Tx.
func (t *transaction) Put(key, value []byte) error {
	if err := t.write(key); err != nil {
		return err
	}
	return t.mem.Put(key, value)
}

// Delete implements replica.Tx.
func (t *transaction) Delete(key []byte) error {
	if err := t.write(key); err != nil {
		return err
	}
	return t.mem.Delete(key)
}

func (t *transaction) write(key []byte) error {
	if t.fault != nil {
		if t.in--; t.in < 0 {
			t.failed = true
			return t.fault
		}
	}
	t.undo = append(t.undo, pair{bytes.Clone(key), t.mem.Get(key)})
	return nil
}

// Scan implements replica.Tx.
func (t *transaction) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	return t.mem.Scan(from, to, fn)
}

// rollBack undoes everything.
func (t *transaction) rollBack(w *world) {
	for _, p := range slices.Backward(t.undo) {
		if p.value == nil {
			w.must(t.mem.Delete(p.key))
		} else {
			w.must(t.mem.Put(p.key, p.value))
		}
	}
	t.undo = nil
}

// written is what the transaction leaves behind.
func (t *transaction) written() []pair {
	all := make([]pair, 0, len(t.undo))
	for _, p := range t.undo {
		all = append(all, pair{p.key, t.mem.Get(p.key)})
	}
	return all
}

// update runs fn in one transaction on d, as the stores that ship do, and makes it durable. The error is fn's, one of a disk
// that fails, or errCrashed; then nothing has changed, but after a crash with saved true, and after errDisk perhaps once
// the process is started again. done is called as soon as the transaction is on disk, whoever learns of it.
func (w *world) update(d *disk, fn func(*transaction) error, done func()) (saved bool, err error) {
	if d.broken {
		return false, errDisk
	}
	tx := d.begin()
	if !w.healing && w.chance(30) {
		tx.fault, tx.in = []error{errNoSpace, errDisk}[w.choose(2)], w.choose(8)
	}
	if err := fn(tx); err != nil && !tx.failed {
		tx.rollBack(w)
		return false, err
	} else if err == nil && tx.failed {
		w.broken(2, "a write that failed went unnoticed")
	}
	if tx.fault != nil {
		w.fail(d, tx, done)
		return false, tx.fault
	}
	if w.crash(40) {
		tx.rollBack(w)
		return false, errCrashed
	}
	done()
	if w.crash(40) {
		return true, errCrashed
	}
	return true, nil
}

// fail is a disk that does not take a transaction.
func (w *world) fail(d *disk, tx *transaction, done func()) {
	if w.cfg.Bug == HalfKept && tx.failed {
		return
	}
	written := tx.written()
	tx.rollBack(w)
	switch {
	case !errors.Is(tx.fault, errDisk):
	case w.cfg.Bug == RetryAfterEIO:
		if d.kept == nil {
			d.kept = d.mem.Clone()
		}
	default:
		d.broken = true
		if !tx.failed { // at the commit itself
			d.unsure, d.found = written, done
		}
	}
}

// forgetful hides registers from those who read before they write.
type forgetful struct{ replica.Tx }

// Get implements replica.Tx.
func (f forgetful) Get(key []byte) []byte {
	if key[0] == 'c' {
		return nil
	}
	return f.Tx.Get(key)
}
