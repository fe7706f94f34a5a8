package boltstore

import (
	"bytes"
	"encoding/binary"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

type views struct{ t *transaction }

func (v views) Get(id board.ID) (rec store.ViewCount, err error) {
	_, err = v.t.getRecord(bucketViews, []byte(id), &rec)
	return rec, err
}

func (v views) Put(id board.ID, rec store.ViewCount) error {
	if rec.Last == 0 && len(rec.Days) == 0 {
		return v.t.delete(bucketViews, []byte(id))
	}
	return v.t.putRecord(bucketViews, []byte(id), rec)
}

// guard keeps budgets by key and, to forget those that are full, by time.
type guard struct{ t *transaction }

// forgetAtOnce is how many full budgets are forgotten for each one that is set: more than one, so that they cannot pile up.
const forgetAtOnce = 4

func (g guard) Budget(key []byte) (int64, error) {
	v := g.t.get(bucketBudgets, key)
	if len(v) != 8 {
		return 0, nil
	}
	return int64(binary.BigEndian.Uint64(v)), nil //nolint:gosec // was not negative
}

func (g guard) SetBudget(key []byte, full, now int64) error {
	old := bytes.Clone(g.t.get(bucketBudgets, key))
	if len(old) == 8 {
		if err := g.t.delete(bucketBudgetTimes, append(old, key...)); err != nil {
			return err
		}
	}
	if full > now {
		at := binary.BigEndian.AppendUint64(nil, uint64(full)) //nolint:gosec // a time after 1970
		if err := g.t.put(bucketBudgets, key, at); err != nil {
			return err
		}
		if err := g.t.put(bucketBudgetTimes, append(bytes.Clone(at), key...), []byte{}); err != nil {
			return err
		}
	} else if err := g.t.delete(bucketBudgets, key); err != nil {
		return err
	}
	return g.forget(now)
}

func (g guard) forget(now int64) error {
	var full [][]byte
	c := g.t.btx.Bucket(bucketBudgetTimes).Cursor()
	for k, _ := c.First(); len(k) > 8 && len(full) < forgetAtOnce; k, _ = c.Next() {
		if int64(binary.BigEndian.Uint64(k)) > now { //nolint:gosec // was not negative
			break
		}
		full = append(full, bytes.Clone(k))
	}
	for _, k := range full {
		if err := g.t.delete(bucketBudgetTimes, k); err != nil {
			return err
		}
		if err := g.t.delete(bucketBudgets, k[8:]); err != nil {
			return err
		}
	}
	return nil
}

func (g guard) Key() ([]byte, error) { return bytes.Clone(g.t.get(bucketMeta, keySessions)), nil }

func (g guard) SetKey(key []byte) error {
	if key == nil {
		return g.t.delete(bucketMeta, keySessions)
	}
	return g.t.put(bucketMeta, keySessions, key)
}
