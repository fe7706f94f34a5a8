package localstore

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// Replica is the transaction's view of one dashboard's replica. In an Update the replica is made if there is none; in a
// View it is empty then.
func (t *Tx) Replica(id board.ID) (replica.Tx, error) {
	all := t.bucket(bucketReplicas)
	if !t.bolt.Writable() {
		return replicaTx{all.Bucket([]byte(id))}, nil
	}
	b, err := all.CreateBucketIfNotExists([]byte(id))
	if err != nil {
		return nil, fmt.Errorf("open replica %s: %w", id, err)
	}
	return replicaTx{b}, nil
}

// replicaTx is one dashboard's bucket as a replica.Tx; the bucket may be nil, which reads as empty.
type replicaTx struct{ b *bbolt.Bucket }

func (r replicaTx) Get(key []byte) []byte {
	if r.b == nil {
		return nil
	}
	return r.b.Get(key)
}

func (r replicaTx) Put(key, value []byte) error {
	if err := r.b.Put(key, value); err != nil {
		return fmt.Errorf("write replica: %w", err)
	}
	return nil
}

func (r replicaTx) Delete(key []byte) error {
	if err := r.b.Delete(key); err != nil {
		return fmt.Errorf("write replica: %w", err)
	}
	return nil
}

func (r replicaTx) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	if r.b == nil {
		return nil
	}
	c := r.b.Cursor()
	for k, v := c.Seek(from); k != nil && (to == nil || bytes.Compare(k, to) < 0); k, v = c.Next() {
		if !fn(k, v) {
			return nil
		}
	}
	return nil
}
