package boltstore

import (
	"crypto/sha256"
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

// links keeps each dashboard's link and two indexes by hash. A key of an index is never removed: when its token or short
// id is replaced, its value becomes the dead mark, for ever (rule L4).
type links struct{ t *transaction }

// dead takes the place of a dashboard's id.
const dead = "-"

func hashToken(t store.Token) []byte { h := t.Hash(); return h[:] }

func hashShort(s store.ShortID) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func (l links) Get(id board.ID) (rec store.Link, err error) {
	_, err = l.t.getRecord(bucketLinks, []byte(id), &rec)
	return rec, err
}

func (l links) Put(id board.ID, next store.Link) error {
	old, err := l.Get(id)
	if err != nil {
		return err
	}
	if next.Token != old.Token {
		if err := l.move(bucketTokens, id, hashToken(old.Token), hashToken(next.Token), old.Token != "", next.Token != ""); err != nil {
			return fmt.Errorf("token of %s: %w", id, err)
		}
	}
	if next.ShortID != old.ShortID {
		if err := l.move(bucketShortIDs, id, hashShort(old.ShortID), hashShort(next.ShortID), old.ShortID != "", next.ShortID != ""); err != nil {
			return fmt.Errorf("short id of %s: %w", id, err)
		}
	}
	return l.t.putRecord(bucketLinks, []byte(id), next)
}

// move buries one key of an index and gives another to a dashboard.
func (l links) move(bucket []byte, id board.ID, from, to []byte, had, has bool) error {
	if has {
		if l.t.get(bucket, to) != nil {
			return store.ErrTaken
		}
		if err := l.t.put(bucket, to, []byte(id)); err != nil {
			return err
		}
	}
	if had {
		return l.t.put(bucket, from, []byte(dead))
	}
	return nil
}

func (l links) ByToken(t store.Token) (board.ID, bool, error) {
	id, ok := l.living(bucketTokens, hashToken(t))
	return id, ok, nil
}

func (l links) ByShortID(s store.ShortID) (board.ID, bool, error) {
	id, ok := l.living(bucketShortIDs, hashShort(s))
	return id, ok, nil
}

func (l links) living(bucket, key []byte) (board.ID, bool) {
	id := l.t.get(bucket, key)
	if id == nil || string(id) == dead {
		return "", false
	}
	return board.ID(id), true
}

func (l links) Used(t store.Token, s store.ShortID) (bool, error) {
	return l.t.get(bucketTokens, hashToken(t)) != nil || l.t.get(bucketShortIDs, hashShort(s)) != nil, nil
}
