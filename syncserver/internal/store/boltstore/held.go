package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
)

// Held is a data file that this process keeps from every server while another is put in its place. It is not changed.
type Held struct {
	db    *bbolt.DB
	there bool
}

// Hold takes a data file. One that is not there, or that cannot be used, is no obstacle: no server can use it either. It
// fails with Unavailable if a server has it.
func Hold(path string) (h *Held, err error) {
	defer func() {
		if p := recover(); p != nil {
			h, err = &Held{there: true}, nil
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return &Held{}, nil
	} else if err == nil && info.Size() == 0 {
		return &Held{there: true}, nil
	}
	db, err := lock(Options{Path: path, LockTimeout: lockTimeout})
	if fault.KindOf(err) == fault.Unavailable {
		return nil, err
	}
	return &Held{db: db, there: true}, nil
}

// There tells whether there is a file at all. Where there is none, nothing keeps a server from making one meanwhile.
func (h *Held) There() bool { return h.there }

// Readable tells whether the file can be used.
func (h *Held) Readable() bool { return h.db != nil }

// View runs fn over what is in a file that is Readable; fn's transaction cannot write.
func (h *Held) View(fn func(tx store.Tx) error) error {
	return h.db.View(func(btx *bbolt.Tx) error { return fn(&transaction{btx: btx}) })
}

// Close lets go of the file.
func (h *Held) Close() error {
	if h.db == nil {
		return nil
	}
	return h.db.Close()
}

// Part is a part of a data file whose records a program can go through.
type Part string

// The parts. Keys of Sessions and Tickets are their hashes, of the others their ids.
const (
	PartBoards        Part = "boards"
	PartSessions      Part = "sessions"
	PartTickets       Part = "tickets"
	PartOrganisations Part = "organisations"
	PartInvitations   Part = "invitations"
	PartOutbox        Part = "outbox"
)

// Keys lists a part's keys, in order. All of them are in memory then: it is for those who look after a file, not for
// requests.
func (s *Store) Keys(ctx context.Context, p Part) (keys []string, err error) {
	err = s.View(ctx, func(tx store.Tx) error {
		keys = nil
		t, ok := tx.(*transaction)
		if !ok {
			return errNoSuchContainer
		}
		return t.btx.Bucket([]byte(p)).ForEach(func(k, _ []byte) error {
			keys = append(keys, string(k))
			return nil
		})
	})
	return keys, err
}

// Bury makes every token, short id and slug that is dead in the other file dead in this one too, if no dashboard has it
// here, and tells how many that were. Tokens that a dashboard has must have been taken from it before (rule L4).
func (s *Store) Bury(ctx context.Context, other store.Tx) (n int, err error) {
	from, ok := other.(*transaction)
	if !ok {
		return 0, errNoSuchContainer
	}
	err = s.Update(ctx, func(tx store.Tx) error {
		n = 0
		to, ok := tx.(*transaction)
		if !ok {
			return errNoSuchContainer
		}
		for _, bucket := range [][]byte{bucketTokens, bucketShortIDs, bucketSlugs} {
			b := from.btx.Bucket(bucket)
			if b == nil {
				continue // of an older format
			}
			if err := b.ForEach(func(k, v []byte) error {
				if string(v) != dead || to.get(bucket, k) != nil {
					return nil
				}
				n++
				return to.put(bucket, bytes.Clone(k), []byte(dead))
			}); err != nil {
				return fmt.Errorf("bury in %s: %w", bucket, err)
			}
		}
		return nil
	})
	return n, err
}
