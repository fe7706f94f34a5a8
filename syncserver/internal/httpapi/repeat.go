package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
)

// An Idempotency-Key makes a request that is sent again, because its answer was lost, take effect once. Keys are an account's
// own and kept for at least a day.
const (
	keyHeader = "Idempotency-Key"
	maxKey    = 200 // bytes
	dayMillis = 24 * 60 * 60 * 1000
)

// once is a request with a key, or without one.
type once struct {
	account        store.AccountID
	today, earlier string // what the key is remembered under if it was used today, or the day before
	oldest         string
	request        store.Hash
}

// once reads the request's key. body is what was sent.
func (c *call) once(body []byte) (once, error) {
	key := c.r.Header.Get(keyHeader)
	if key == "" {
		return once{}, nil
	}
	if len(key) > maxKey {
		return once{}, fault.Field(keyHeader, fmt.Sprintf("A key has at most %d characters.", maxKey))
	}
	day, digest := c.now/dayMillis, sha256.Sum256([]byte(key))
	name := func(day int64) string { return fmt.Sprintf("key_%06d_", day) }
	return once{
		account: c.me.Account, today: name(day) + hex.EncodeToString(digest[:]), earlier: name(day-1) + hex.EncodeToString(digest[:]), oldest: name(day - 1),
		request: sha256.Sum256(append([]byte(c.r.Method+" "+c.r.URL.Path+"\n"), body...)),
	}, nil
}

// again reports what the same request was answered before, if it was.
func (o once) again(tx store.Tx) (a store.Answer, ok bool, err error) {
	if o.today == "" {
		return a, false, nil
	}
	for _, id := range []string{o.today, o.earlier} {
		if a, ok, err = tx.Commands().Get(o.account, id); ok || err != nil {
			break
		}
	}
	if err != nil {
		return a, false, fmt.Errorf("look up a key: %w", err)
	}
	if ok && a.Request != o.request {
		return a, false, fault.Field(keyHeader, "This key was used for another request.").WithHint("Give each request a key of its own.")
	}
	return a, ok, nil
}

// remember keeps what the request is answered, and forgets those of earlier days.
func (o once) remember(tx store.Tx, a store.Answer) error {
	if o.today == "" {
		return nil
	}
	if err := tx.Commands().Forget(o.account, "key_", o.oldest); err != nil {
		return fmt.Errorf("forget keys: %w", err)
	}
	a.Request = o.request
	if err := tx.Commands().Put(o.account, o.today, a); err != nil {
		return fmt.Errorf("remember a key: %w", err)
	}
	return nil
}
