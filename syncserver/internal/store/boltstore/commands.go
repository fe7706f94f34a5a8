package boltstore

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"go.etcd.io/bbolt"

	"widgets.pro/syncserver/internal/store"
)

// commands keeps answers by account and id and, to forget them, by time.
type commands struct{ t *transaction }

func (c commands) Get(account store.AccountID, id string) (rec store.Answer, ok bool, err error) {
	ok, err = c.t.getRecord(bucketCommands, pair(account, id), &rec)
	return rec, ok, err
}

func (c commands) Put(account store.AccountID, id string, rec store.Answer) error {
	k := pair(account, id)
	if err := c.delete(k); err != nil {
		return err
	}
	if err := c.forgetBefore(rec.At - store.AnswersKept); err != nil {
		return err
	}
	if err := c.t.put(bucketAnswerTimes, at(rec.At, k), []byte{}); err != nil {
		return err
	}
	return c.t.putRecord(bucketCommands, k, rec)
}

func (c commands) Forget(account store.AccountID, from, to string) error {
	var gone [][]byte
	end := pair(account, to)
	cur := c.t.btx.Bucket(bucketCommands).Cursor()
	for k, _ := cur.Seek(pair(account, from)); k != nil && bytes.Compare(k, end) < 0 && len(gone) < forgetAtOnce; k, _ = cur.Next() {
		gone = append(gone, bytes.Clone(k))
	}
	return c.deleteAll(gone)
}

// forgetBefore forgets what was answered until a time, a few at a time.
func (c commands) forgetBefore(until int64) error {
	var gone [][]byte
	cur := c.t.btx.Bucket(bucketAnswerTimes).Cursor()
	for k, _ := cur.First(); len(k) > 8 && timeOf(k) <= until && len(gone) < forgetAtOnce; k, _ = cur.Next() {
		gone = append(gone, bytes.Clone(k[8:]))
	}
	return c.deleteAll(gone)
}

func (c commands) deleteAll(keys [][]byte) error {
	for _, k := range keys {
		if err := c.delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (c commands) delete(k []byte) error {
	var old store.Answer
	ok, err := c.t.getRecord(bucketCommands, k, &old)
	if err != nil || !ok {
		return err
	}
	if err := c.t.delete(bucketAnswerTimes, at(old.At, k)); err != nil {
		return err
	}
	return c.t.delete(bucketCommands, k)
}

// timeAnswers notes the times of answers from before format 4. Those that have none are the first to be forgotten.
func timeAnswers(tx *bbolt.Tx) error {
	times := tx.Bucket(bucketAnswerTimes)
	return tx.Bucket(bucketCommands).ForEach(func(k, raw []byte) error {
		var a store.Answer
		if err := cbor.Unmarshal(raw, &a); err != nil {
			return fmt.Errorf("read record from %s: %w", bucketCommands, err)
		}
		return times.Put(at(a.At, k), []byte{})
	})
}
