package boltstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

// links keeps each dashboard's link and indexes by hash and name. A key of an index is never removed: when its token or
// short id is replaced, its value becomes the dead mark, for ever (rule L4). The value of a slug is the dashboard that
// has or had it; whether it has it now is in the link.
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
		if next.ShortID != "" && l.isSlug(next.ShortID) {
			return fmt.Errorf("short id of %s: %w", id, store.ErrTaken)
		}
		if err := l.move(bucketShortIDs, id, hashShort(old.ShortID), hashShort(next.ShortID), old.ShortID != "", next.ShortID != ""); err != nil {
			return fmt.Errorf("short id of %s: %w", id, err)
		}
	}
	if err := l.putSlug(id, old, next); err != nil {
		return fmt.Errorf("slug of %s: %w", id, err)
	}
	if err := l.putExpiry(id, old, next); err != nil {
		return err
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

func (l links) putSlug(id board.ID, old, next store.Link) error {
	if old.Token != "" && next.Token != old.Token {
		for _, s := range l.slugsOf(id) {
			if err := l.t.put(bucketSlugs, s, []byte(dead)); err != nil {
				return err
			}
		}
	}
	if next.Slug == "" || (next.Slug == old.Slug && next.Token == old.Token) {
		return nil
	}
	if taken, err := l.SlugTaken(id, next.Slug); err != nil {
		return err
	} else if taken {
		return store.ErrTaken
	}
	if err := l.t.put(bucketSlugsOf, pair(id, next.Slug), []byte{}); err != nil {
		return err
	}
	return l.t.put(bucketSlugs, []byte(next.Slug), []byte(id))
}

// slugsOf lists every slug that a dashboard has or had.
func (l links) slugsOf(id board.ID) (out [][]byte) {
	under(l.t, bucketSlugsOf, id, func(rest, _ []byte) { out = append(out, bytes.Clone(rest)) })
	return out
}

func (l links) SlugTaken(id board.ID, s store.Slug) (bool, error) {
	switch holder := l.t.get(bucketSlugs, []byte(s)); {
	case holder != nil:
		return string(holder) != string(id), nil
	case l.t.get(bucketShortIDs, hashShort(store.ShortID(s))) != nil:
		return true, nil
	}
	return len(l.slugsOf(id)) >= store.MaxSlugs, nil
}

func (l links) BySlug(s store.Slug) (board.ID, bool, error) {
	id, ok := l.living(bucketSlugs, []byte(s))
	if !ok {
		return "", false, nil
	}
	rec, err := l.Get(id)
	if err != nil || rec.Slug != s {
		return "", false, err
	}
	return id, true, nil
}

// expiry is the key under which a link that ends by itself is found in the order of time; nil for others.
func expiry(id board.ID, l store.Link) []byte {
	if !l.Enabled || l.Expired || l.Expires <= 0 {
		return nil
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(l.Expires)), id...)
}

func (l links) putExpiry(id board.ID, old, next store.Link) error {
	from, to := expiry(id, old), expiry(id, next)
	if bytes.Equal(from, to) {
		return nil
	}
	if from != nil {
		if err := l.t.delete(bucketExpiries, from); err != nil {
			return err
		}
	}
	if to == nil {
		return nil
	}
	return l.t.put(bucketExpiries, to, []byte{})
}

func (l links) Expiring(until int64, limit int) (ids []board.ID, first int64, _ error) {
	c := l.t.btx.Bucket(bucketExpiries).Cursor()
	for k, _ := c.First(); len(k) > 8; k, _ = c.Next() {
		at := int64(binary.BigEndian.Uint64(k)) //nolint:gosec // was not negative
		if first == 0 {
			first = at
		}
		if at > until || len(ids) >= limit {
			break
		}
		ids = append(ids, board.ID(k[8:]))
	}
	return ids, first, nil
}

func (l links) Hash(id board.ID) (store.Password, error) {
	return store.Password(l.t.get(bucketPasswords, []byte(id))), nil
}

func (l links) SetHash(id board.ID, h store.Password) error {
	if h == "" {
		return l.t.delete(bucketPasswords, []byte(id))
	}
	return l.t.put(bucketPasswords, []byte(id), []byte(h))
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
	return l.t.get(bucketTokens, hashToken(t)) != nil || l.t.get(bucketShortIDs, hashShort(s)) != nil || l.isSlug(s), nil
}

// isSlug reports whether a short id is or was a slug: whoever could make it theirs would get that slug's visitors.
func (l links) isSlug(s store.ShortID) bool { return s != "" && l.t.get(bucketSlugs, []byte(s)) != nil }
