package localstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"go.etcd.io/bbolt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
)

// The file's buckets, and the keys of the first.
const (
	bucketMeta     = "meta"
	bucketBoards   = "boards"   // board.ID -> Board
	bucketReplicas = "replicas" // board.ID -> bucket of package replica
	bucketOutbox   = "outbox"   // big-endian sequence number -> Command
	bucketPeople   = "people"   // board.ID -> People; there from the first one on

	keyFormat   = "format"
	keyDevice   = "device"
	keyClock    = "clock"
	keySettings = "settings"
	keyAccount  = "account"
	keyOrgs     = "organisations"
	keySignUp   = "signup"
)

func buckets() []string { return []string{bucketMeta, bucketBoards, bucketReplicas, bucketOutbox} }

var errNone = errors.New("no such record")

// Tx is a transaction on the data file. It is valid inside the closure of View or Update only.
type Tx struct{ bolt *bbolt.Tx }

func (t *Tx) meta() *bbolt.Bucket { return t.bucket(bucketMeta) }

func (t *Tx) bucket(name string) *bbolt.Bucket { return t.bolt.Bucket([]byte(name)) }

// get decodes the record under key; errNone if there is none.
func get(b *bbolt.Bucket, key string, into any) error {
	raw := b.Get([]byte(key))
	if raw == nil {
		return errNone
	}
	if err := cbor.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read %q: %w", key, err)
	}
	return nil
}

func put(b *bbolt.Bucket, key string, record any) error {
	raw, err := cbor.Marshal(record)
	if err != nil {
		return fmt.Errorf("encode %q: %w", key, err)
	}
	if err := b.Put([]byte(key), raw); err != nil {
		return fmt.Errorf("write %q: %w", key, err)
	}
	return nil
}

func del(b *bbolt.Bucket, key string) error {
	if err := b.Delete([]byte(key)); err != nil {
		return fmt.Errorf("delete %q: %w", key, err)
	}
	return nil
}

// Clock is the device's hybrid logical clock as it was stored last.
func (t *Tx) Clock() (hlc.Clock, error) {
	var d device
	if err := get(t.meta(), keyDevice, &d); err != nil {
		return hlc.Clock{}, err
	}
	c := hlc.Clock{Dev: d.Dev}
	if err := get(t.meta(), keyClock, &c.Last); err != nil && !errors.Is(err, errNone) {
		return hlc.Clock{}, err
	}
	return c, nil
}

// SetClock stores how far the clock has run. Do it in the transaction that stores an edit stamped by it.
func (t *Tx) SetClock(c hlc.Clock) error { return put(t.meta(), keyClock, c.Last) }

// Settings are the stored preferences, zero if none are stored.
func (t *Tx) Settings() (Settings, error) {
	var s Settings
	if err := get(t.meta(), keySettings, &s); err != nil && !errors.Is(err, errNone) {
		return Settings{}, err
	}
	return s, nil
}

// SetSettings stores the preferences.
func (t *Tx) SetSettings(s Settings) error { return put(t.meta(), keySettings, s) }

// Account is the account that is signed in; ok is false if none is.
func (t *Tx) Account() (a Account, ok bool, err error) {
	switch err := get(t.meta(), keyAccount, &a); {
	case errors.Is(err, errNone):
		return Account{}, false, nil
	case err != nil:
		return Account{}, false, err
	}
	return a, true, nil
}

// SetAccount stores who is signed in.
func (t *Tx) SetAccount(a Account) error { return put(t.meta(), keyAccount, a) }

// ClearAccount stores that nobody is signed in.
func (t *Tx) ClearAccount() error { return del(t.meta(), keyAccount) }

// Organisations are those that the signed-in account is a member of, nil if none are stored.
func (t *Tx) Organisations() ([]Organisation, error) {
	var all []Organisation
	if err := get(t.meta(), keyOrgs, &all); err != nil && !errors.Is(err, errNone) {
		return nil, err
	}
	return all, nil
}

// SetOrganisations stores the account's organisations.
func (t *Tx) SetOrganisations(all []Organisation) error { return put(t.meta(), keyOrgs, all) }

// SignUp is the sign-up that waits for its confirmation; ok is false if none does.
func (t *Tx) SignUp() (s SignUp, ok bool, err error) {
	switch err := get(t.meta(), keySignUp, &s); {
	case errors.Is(err, errNone):
		return SignUp{}, false, nil
	case err != nil:
		return SignUp{}, false, err
	}
	return s, true, nil
}

// SetSignUp stores a sign-up that waits, in place of the one before.
func (t *Tx) SetSignUp(s SignUp) error { return put(t.meta(), keySignUp, s) }

// ClearSignUp stores that no sign-up waits.
func (t *Tx) ClearSignUp() error { return del(t.meta(), keySignUp) }

// People lists what is known of who can open the dashboards.
func (t *Tx) People() (map[board.ID]People, error) {
	all := map[board.ID]People{}
	b := t.bucket(bucketPeople)
	if b == nil {
		return all, nil
	}
	err := b.ForEach(func(k, v []byte) error {
		var p People
		if err := cbor.Unmarshal(v, &p); err != nil {
			return fmt.Errorf("read people of dashboard %s: %w", k, err)
		}
		all[board.ID(k)] = p
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return all, nil
}

// PutPeople stores who can open a dashboard.
func (t *Tx) PutPeople(id board.ID, p People) error {
	b, err := t.bolt.CreateBucketIfNotExists([]byte(bucketPeople))
	if err != nil {
		return fmt.Errorf("create bucket: %w", err)
	}
	return put(b, string(id), p)
}

// RemovePeople forgets who can open a dashboard.
func (t *Tx) RemovePeople(id board.ID) error {
	b := t.bucket(bucketPeople)
	if b == nil {
		return nil
	}
	return del(b, string(id))
}

// Boards lists all dashboards, oldest id first.
func (t *Tx) Boards() ([]Board, error) {
	all := []Board{}
	err := t.bucket(bucketBoards).ForEach(func(k, v []byte) error {
		var b Board
		if err := cbor.Unmarshal(v, &b); err != nil {
			return fmt.Errorf("read dashboard %s: %w", k, err)
		}
		b.ID = board.ID(k)
		all = append(all, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	return all, nil
}

// PutBoard stores a dashboard's record.
func (t *Tx) PutBoard(b Board) error { return put(t.bucket(bucketBoards), string(b.ID), b) }

// RemoveBoard removes a dashboard's record, its people and its replica. Commands that wait for it stay in the outbox.
func (t *Tx) RemoveBoard(id board.ID) error {
	if err := errors.Join(del(t.bucket(bucketBoards), string(id)), t.RemovePeople(id)); err != nil {
		return err
	}
	err := t.bucket(bucketReplicas).DeleteBucket([]byte(id))
	if err != nil && t.bucket(bucketReplicas).Bucket([]byte(id)) != nil {
		return fmt.Errorf("delete replica %s: %w", id, err)
	}
	return nil
}

// Outbox lists the waiting commands in the order in which they were queued.
func (t *Tx) Outbox() ([]Command, error) {
	all := []Command{}
	err := t.bucket(bucketOutbox).ForEach(func(k, v []byte) error {
		var c Command
		if err := cbor.Unmarshal(v, &c); err != nil {
			return fmt.Errorf("read command %x: %w", k, err)
		}
		c.Seq = binary.BigEndian.Uint64(k)
		all = append(all, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list outbox: %w", err)
	}
	return all, nil
}

// Queue puts a command at the end of the outbox and sets its Seq.
func (t *Tx) Queue(c *Command) error {
	b := t.bucket(bucketOutbox)
	seq, err := b.NextSequence()
	if err != nil {
		return fmt.Errorf("number a command: %w", err)
	}
	c.Seq = seq
	return t.PutCommand(*c)
}

// PutCommand stores a waiting command again under its Seq.
func (t *Tx) PutCommand(c Command) error {
	return put(t.bucket(bucketOutbox), outboxKey(c.Seq), c)
}

// Unqueue removes a command from the outbox.
func (t *Tx) Unqueue(seq uint64) error {
	return del(t.bucket(bucketOutbox), outboxKey(seq))
}

func outboxKey(seq uint64) string { return string(binary.BigEndian.AppendUint64(nil, seq)) }
