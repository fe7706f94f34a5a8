package boltstore_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// since2 are the buckets that came with format 2.
var since2 = []string{"slugs", "slugs_of", "passwords", "expiries", "views", "budgets", "budget_times"}

func change(t *testing.T, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func setFormat(tx *bbolt.Tx, n uint64) error {
	return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint64(nil, n))
}

func formatOf(t *testing.T, path string) (n uint64) {
	t.Helper()
	change(t, path, func(tx *bbolt.Tx) error {
		n = binary.BigEndian.Uint64(tx.Bucket([]byte("meta")).Get([]byte("format")))
		return nil
	})
	return n
}

// closePresent closes the store, whose file must be of the present format then.
func closePresent(t *testing.T, s store.Store, path string) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := formatOf(t, path); n != boltstore.Format {
		t.Errorf("format %d", n)
	}
}

// since3 are those that came with format 3.
var since3 = []string{"tickets", "ticket_times", "invitations", "invite_hashes", "invite_hash_of", "invites_of", "outbox", "outbox_times"}

// since4 are those that came with format 4.
var since4 = []string{"answer_times"}

// A file of the first format keeps what it holds, gets what it lacks, and is of the present format from then on.
func TestFormat1IsTakenOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "server.db")
	old := store.Link{Enabled: true, Token: store.Token("shr_" + strings.Repeat("a", 24)), ShortID: "aaaaaaaaaa", Version: 3}
	s := opener{path}.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Boards().Put(store.Board{ID: id, Epoch: 4}), tx.Links().Put(id, old),
			tx.Commands().Put(ann, "cmd_old", store.Answer{Board: id}), tx.Commands().Put(ann, "key_new", store.Answer{Board: id, At: store.AnswersKept - 1}))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, path, func(tx *bbolt.Tx) error {
		for _, b := range slices.Concat(since2, since3, since4) {
			if err := tx.DeleteBucket([]byte(b)); err != nil {
				return err
			}
		}
		return setFormat(tx, 1)
	})
	s = opener{path}.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		l, err := tx.Links().Get(id)
		b, _, err2 := tx.Boards().Get(id)
		if l != old || b.Epoch != 4 {
			t.Errorf("the file holds %+v, %+v", l, b)
		}
		next := old
		next.Slug, next.Expires, next.Password = "sales", 77, true
		return errors.Join(err, err2, tx.Links().Put(id, next), tx.Links().SetHash(id, "$hash"), tx.Guard().SetKey([]byte("key")),
			tx.Guard().SetBudget([]byte("k"), 9, 1), tx.Outbox().Put(store.Mail{ID: "mail_1", Next: 1}), tx.Tickets().Put(store.Ticket{Expires: 1}),
			tx.Invitations().Put(store.Invitation{ID: "inv_1", Board: id}), tx.Views().Put(id, store.ViewCount{Last: 1, Day: 1, Days: []uint32{1}}))
	}); err != nil {
		t.Fatal(err)
	}
	closePresent(t, s, path)
	s = opener{path}.Open(t)
	if err := s.View(t.Context(), func(tx store.Tx) error {
		at, ok, err := tx.Links().BySlug("sales")
		ids, _, err2 := tx.Links().Expiring(77, 1)
		h, err3 := tx.Links().Hash(id)
		if !ok || at != id || len(ids) != 1 || h != "$hash" {
			t.Errorf("slug %v, expiring %v", at, ids)
		}
		return errors.Join(err, err2, err3)
	}); err != nil {
		t.Error(err)
	}
	// Answers of before are remembered, and forgotten in their time.
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		c := tx.Commands()
		_, had, err := c.Get(ann, "cmd_old")
		err2 := c.Put(ann, "cmd_next", store.Answer{Board: id, At: store.AnswersKept})
		_, has, err3 := c.Get(ann, "cmd_old")
		_, young, err4 := c.Get(ann, "key_new")
		if !had || has || !young {
			t.Errorf("an old answer is there %v, then %v, a young one %v", had, has, young)
		}
		return errors.Join(err, err2, err3, err4)
	}); err != nil {
		t.Error(err)
	}
}

// Up to format 4 a replica kept what it knows of devices under another key: nothing of it is forgotten, so that no edit counts
// twice.
func TestSI3_Format4IsTakenOverWithItsDevices(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "server.db")
	const dev = 7
	clock := hlc.Clock{Dev: dev}
	op := replica.Op{N: 1, Stamp: clock.Now(1), Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTitle, Value: json.RawMessage(`"Sales"`)}
	submit := func(hub *replica.Hub) ([]replica.Entry, error) {
		ack, entries, err := hub.Submit(replica.Submission{Dev: dev, Ops: []replica.Op{op}}, replica.Policy{Now: 1, MayEdit: true})
		if ack.UpTo != 1 {
			t.Errorf("judged up to %d", ack.UpTo)
		}
		return entries, err
	}
	s := opener{path}.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		hub, err := replica.InitHub(tx.Replica(id), 1)
		if err != nil {
			return err
		}
		_, err = submit(hub)
		return errors.Join(err, tx.Organisations().Put(store.Organisation{ID: "org_1"}), tx.Boards().Put(store.Board{ID: id, Organisation: "org_1", Epoch: 1}))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	problems := func() []string {
		r, err := boltstore.Check(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return r.Problems
	}
	sound := problems()
	change(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("replicas")).Bucket([]byte(id))
		k := binary.BigEndian.AppendUint64([]byte{'n'}, dev)
		v := bytes.Clone(b.Get(k))
		if v == nil {
			return errors.New("nothing is known of the device")
		}
		k[0] = 'd'
		return errors.Join(b.Put(k, v), b.Delete(binary.BigEndian.AppendUint64([]byte{'n'}, dev)), setFormat(tx, 4))
	})
	if found := problems(); !slices.Equal(found, sound) {
		t.Errorf("of the old file it is said %q, not %q", found, sound)
	}
	s = opener{path}.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		hub, err := replica.OpenHub(tx.Replica(id))
		if err != nil {
			return err
		}
		n, err := hub.Judged(dev)
		if n != 1 {
			t.Errorf("judged up to %d", n)
		}
		entries, err2 := submit(hub)
		if len(entries) > 0 {
			t.Errorf("the edit counts again: %+v", entries)
		}
		return errors.Join(err, err2)
	}); err != nil {
		t.Fatal(err)
	}
	closePresent(t, s, path)
	if found := problems(); !slices.Equal(found, sound) {
		t.Errorf("of the file it is said %q, not %q", found, sound)
	}
}

// A file that says it is of the present format but lacks a part of it is damaged, and not mended by guessing.
func TestB1_AFileThatLacksAPartIsRefused(t *testing.T) {
	t.Parallel()
	for _, missing := range []struct {
		format uint64
		bucket string
	}{{1, "links"}, {2, "slugs"}, {2, "budgets"}, {3, "outbox"}, {4, "answer_times"}} {
		path := filepath.Join(t.TempDir(), "server.db")
		if err := (opener{path}).Open(t).Close(); err != nil {
			t.Fatal(err)
		}
		change(t, path, func(tx *bbolt.Tx) error {
			return errors.Join(tx.DeleteBucket([]byte(missing.bucket)), setFormat(tx, missing.format))
		})
		before := sum(t, path)
		if s, err := boltstore.Open(boltstore.Options{Path: path}); err == nil {
			_ = s.Close()
			t.Errorf("format %d without %s was opened", missing.format, missing.bucket)
		}
		if sum(t, path) != before {
			t.Errorf("format %d without %s was changed", missing.format, missing.bucket)
		}
	}
}
