package replicatest

import (
	"slices"

	"widgets.pro/shared/replica"
)

// disk is a file: it survives crashes. A transaction that is not committed leaves no trace.
type disk struct{ mem replica.Memory }

// transaction writes straight to the disk and remembers how to take it back.
type transaction struct {
	mem  *replica.Memory
	undo []pair
}

type pair struct{ key, value []byte }

func (d *disk) begin() *transaction { return &transaction{mem: &d.mem} }

// Get implements replica.Tx.
func (t *transaction) Get(key []byte) []byte { return t.mem.Get(key) }

// Put implements replica.Tx.
func (t *transaction) Put(key, value []byte) error {
	t.undo = append(t.undo, pair{key, t.mem.Get(key)})
	return t.mem.Put(key, value)
}

// Delete implements replica.Tx.
func (t *transaction) Delete(key []byte) error {
	if old := t.mem.Get(key); old != nil {
		t.undo = append(t.undo, pair{key, old})
	}
	return t.mem.Delete(key)
}

// Scan implements replica.Tx.
func (t *transaction) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	return t.mem.Scan(from, to, fn)
}

// rollBack undoes everything: a crash before the commit.
func (t *transaction) rollBack() error {
	for _, p := range slices.Backward(t.undo) {
		var err error
		if p.value == nil {
			err = t.mem.Delete(p.key)
		} else {
			err = t.mem.Put(p.key, p.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
