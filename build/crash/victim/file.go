package victim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// Sound checks a data file that no program has open, page by page, as bbolt itself does. A file that is not there, or empty
// because its program did not live long enough, is sound.
func Sound(path string) (err error) {
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 5 * time.Second})
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		var all []error
		for e := range tx.Check() {
			all = append(all, e)
		}
		return errors.Join(all...)
	})
	if err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	return nil
}
