package boltstore_test

import (
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"widgets.pro/syncserver/internal/store"
)

// A server that is killed in its very first moment leaves a file that bbolt has made and nobody has put anything into. There
// is nothing to lose in it: the next start makes it its own, and does not call it damaged.
func TestB1_AFileWhoseMakerDiedAtOnceIsTakenForNew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "server.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := opener{path}.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Boards().Put(store.Board{ID: id, Epoch: 4}) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := formatOf(t, path); n == 0 {
		t.Error("the file has no format")
	}
}
