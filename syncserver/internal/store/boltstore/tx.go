package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"go.etcd.io/bbolt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/store"
)

//nolint:gochecknoglobals // names of buckets and keys, never changed
var (
	bucketMeta = []byte("meta")
	keyFormat  = []byte("format")
	// keySessions is the secret that seals the sessions of those who gave a link's password.
	keySessions = []byte("link_sessions")

	bucketAccounts     = []byte("accounts")       // id -> Account
	bucketEmails       = []byte("emails")         // address -> account id
	bucketSessions     = []byte("sessions")       // hash -> Session
	bucketSessionsOf   = []byte("sessions_of")    // account, hash -> nothing
	bucketOrgs         = []byte("organisations")  // id -> Organisation
	bucketMembers      = []byte("members")        // organisation, account -> role
	bucketMemberOf     = []byte("member_of")      // account, organisation -> nothing
	bucketBoards       = []byte("boards")         // id -> Board
	bucketRoles        = []byte("roles")          // board, account -> role
	bucketRolesOf      = []byte("roles_of")       // account, board -> nothing
	bucketBoardsOf     = []byte("boards_of")      // organisation, board -> nothing
	bucketLinks        = []byte("links")          // board -> Link
	bucketTokens       = []byte("tokens")         // hash of token -> board, or dead
	bucketShortIDs     = []byte("short_ids")      // hash of short id -> board, or dead
	bucketCommands     = []byte("commands")       // account, command id -> Answer
	bucketAnswerTimes  = []byte("answer_times")   // time, account, command id -> nothing
	bucketReplicas     = []byte("replicas")       // board -> bucket of its replica
	bucketSlugs        = []byte("slugs")          // slug -> board that has or had it, or dead
	bucketSlugsOf      = []byte("slugs_of")       // board, slug -> nothing
	bucketPasswords    = []byte("passwords")      // board -> hash of its link's password
	bucketExpiries     = []byte("expiries")       // time, board -> nothing
	bucketViews        = []byte("views")          // board -> ViewCount
	bucketBudgets      = []byte("budgets")        // key -> time when it is full
	bucketBudgetTimes  = []byte("budget_times")   // time, key -> nothing
	bucketTickets      = []byte("tickets")        // hash -> Ticket
	bucketTicketTimes  = []byte("ticket_times")   // time, hash -> nothing
	bucketInvitations  = []byte("invitations")    // id -> Invitation
	bucketInviteHashes = []byte("invite_hashes")  // hash -> invitation id
	bucketInviteHashOf = []byte("invite_hash_of") // invitation, hash -> nothing
	bucketInvitesOf    = []byte("invites_of")     // board, organisation or address, invitation -> nothing
	bucketOutbox       = []byte("outbox")         // id -> Mail
	bucketOutboxTimes  = []byte("outbox_times")   // time, id -> nothing
	errReadOnly        = errors.New("a read transaction cannot write")
	errNoSuchContainer = errors.New("the data file lacks a bucket")
)

// buckets lists those of a file of a format. Format 2 came with passwords, slugs and expiry of links, format 3 with mail,
// format 4 with the times of answers, format 5 with other keys of replicas.
func buckets(format uint64) [][]byte {
	all := [][]byte{
		bucketAccounts, bucketEmails, bucketSessions, bucketSessionsOf, bucketOrgs, bucketMembers, bucketMemberOf, bucketBoards,
		bucketRoles, bucketRolesOf, bucketBoardsOf, bucketLinks, bucketTokens, bucketShortIDs, bucketCommands, bucketReplicas,
	}
	if format >= 2 {
		all = append(all, bucketSlugs, bucketSlugsOf, bucketPasswords, bucketExpiries, bucketViews, bucketBudgets, bucketBudgetTimes)
	}
	if format >= 3 {
		all = append(all, bucketTickets, bucketTicketTimes, bucketInvitations, bucketInviteHashes, bucketInviteHashOf, bucketInvitesOf, bucketOutbox, bucketOutboxTimes)
	}
	if format >= 4 {
		all = append(all, bucketAnswerTimes)
	}
	return all
}

// transaction is a store.Tx. wrote tells the committer whether a failure must be rolled back.
type transaction struct {
	btx      *bbolt.Tx
	writable bool
	wrote    bool
	after    []func()
	effect   *effect // of a rehearsal, or of what is held against one
}

func (t *transaction) Accounts() store.Accounts           { return accounts{t} }
func (t *transaction) Sessions() store.Sessions           { return sessions{t} }
func (t *transaction) Organisations() store.Organisations { return organisations{t} }
func (t *transaction) Boards() store.Boards               { return boards{t} }
func (t *transaction) Links() store.Links                 { return links{t} }
func (t *transaction) Commands() store.Commands           { return commands{t} }
func (t *transaction) Views() store.Views                 { return views{t} }
func (t *transaction) Guard() store.Guard                 { return guard{t} }
func (t *transaction) Tickets() store.Tickets             { return tickets{t} }
func (t *transaction) Invitations() store.Invitations     { return invitations{t} }
func (t *transaction) Outbox() store.Outbox               { return outbox{t} }
func (t *transaction) Replica(id board.ID) replica.Tx     { return &replicaTx{t: t, id: id} }

func (t *transaction) After(f func()) { t.after = append(t.after, f) }

// pair joins two ids to one key. Ids never contain a NUL.
func pair[A, B ~string](a A, b B) []byte {
	k := make([]byte, 0, len(a)+1+len(b))
	k = append(k, a...)
	k = append(k, 0)
	return append(k, b...)
}

func (t *transaction) get(bucket, key []byte) []byte { return t.btx.Bucket(bucket).Get(key) }

func (t *transaction) put(bucket, key, value []byte) error {
	if !t.writable {
		return errReadOnly
	}
	t.wrote = true
	t.effect.put(bucket, key, value)
	if err := t.btx.Bucket(bucket).Put(key, value); err != nil {
		return fmt.Errorf("put in %s: %w", bucket, err)
	}
	return nil
}

func (t *transaction) delete(bucket, key []byte) error {
	if !t.writable {
		return errReadOnly
	}
	t.wrote = true
	t.effect.delete(bucket, key)
	if err := t.btx.Bucket(bucket).Delete(key); err != nil {
		return fmt.Errorf("delete from %s: %w", bucket, err)
	}
	return nil
}

// getRecord reads the record at key into v.
func (t *transaction) getRecord(bucket, key []byte, v any) (bool, error) {
	raw := t.get(bucket, key)
	if raw == nil {
		return false, nil
	}
	if err := cbor.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("read record from %s: %w", bucket, err)
	}
	return true, nil
}

func (t *transaction) putRecord(bucket, key []byte, v any) error {
	raw, err := cbor.Marshal(v)
	if err != nil {
		return fmt.Errorf("write record to %s: %w", bucket, err)
	}
	return t.put(bucket, key, raw)
}

// under lists what follows owner in the keys of a bucket of pairs, with the values.
func under[A ~string](t *transaction, bucket []byte, owner A, each func(rest, value []byte)) {
	prefix := pair(owner, "")
	c := t.btx.Bucket(bucket).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		each(k[len(prefix):], v)
	}
}

// fillPercent is how full a page of a replica is made when it is split: its log grows at one end.
const fillPercent = 0.9

// replicaTx is one dashboard's replica: a bucket that is made by the first Put.
type replicaTx struct {
	t      *transaction
	id     board.ID
	bucket *bbolt.Bucket
}

func (r *replicaTx) open() *bbolt.Bucket {
	if r.bucket == nil {
		r.keep(r.t.btx.Bucket(bucketReplicas).Bucket([]byte(r.id)))
	}
	return r.bucket
}

func (r *replicaTx) keep(b *bbolt.Bucket) {
	if r.bucket = b; b != nil {
		b.FillPercent = fillPercent
	}
}

func (r *replicaTx) Get(key []byte) []byte {
	b := r.open()
	if b == nil {
		return nil
	}
	return b.Get(key)
}

func (r *replicaTx) Put(key, value []byte) error {
	if !r.t.writable {
		return errReadOnly
	}
	r.t.wrote = true
	r.t.effect.put([]byte(r.id), key, value)
	b := r.open()
	if b == nil {
		parent := r.t.btx.Bucket(bucketReplicas)
		if parent == nil {
			return errNoSuchContainer
		}
		var err error
		if b, err = parent.CreateBucket([]byte(r.id)); err != nil {
			return fmt.Errorf("create replica of %s: %w", r.id, err)
		}
		r.keep(b)
	}
	if err := b.Put(key, value); err != nil {
		return fmt.Errorf("put in replica of %s: %w", r.id, err)
	}
	return nil
}

func (r *replicaTx) Delete(key []byte) error {
	if !r.t.writable {
		return errReadOnly
	}
	b := r.open()
	if b == nil {
		return nil
	}
	r.t.wrote = true
	r.t.effect.delete([]byte(r.id), key)
	if err := b.Delete(key); err != nil {
		return fmt.Errorf("delete from replica of %s: %w", r.id, err)
	}
	return nil
}

func (r *replicaTx) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	b := r.open()
	if b == nil {
		return nil
	}
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil && (to == nil || bytes.Compare(k, to) < 0); k, v = c.Next() {
		if !fn(k, slices.Clip(v)) {
			return nil
		}
	}
	return nil
}
