package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

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
	at             int64 // ms since 1970
	first          int64 // when it came first, for ids whose order tells; 0 for others
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
		request: sha256.Sum256(append([]byte(c.r.Method+" "+c.r.URL.Path+"\n"), body...)), at: c.now,
	}, nil
}

// newID makes an id. For a request with a key it is the same each time, so that commands with ids of their own are the same
// commands: the second time they are told what they were the first (rule Q2). What tells the ids of one request apart.
func (p *Programs) newID(c *call, key once, what string) (ulid.ULID, error) {
	if key.today != "" {
		d := sha256.Sum256(slices.Concat(key.request[:], []byte(c.r.Header.Get(keyHeader)), []byte{0}, []byte(what)))
		u := ulid.ULID(d[:16])
		return u, u.SetTime(ulid.Timestamp(time.UnixMilli(key.first))) //nolint:wrapcheck // fails from the year 10889 on
	}
	u, err := ulid.New(ulid.Timestamp(time.UnixMilli(c.now)), p.cfg.Random)
	if err != nil {
		return u, fmt.Errorf("make an id: %w", err)
	}
	return u, nil
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
	a.Request, a.At = o.request, o.at
	if err := tx.Commands().Put(o.account, o.today, a); err != nil {
		return fmt.Errorf("remember a key: %w", err)
	}
	return nil
}
