package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

// at is a key that sorts by a time in ms since 1970.
func at(ms int64, rest []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(max(ms, 0))), rest...)
}

// timeOf is the time in such a key.
func timeOf(k []byte) int64 { return int64(binary.BigEndian.Uint64(k)) } //nolint:gosec // was not negative

type tickets struct{ t *transaction }

func (s tickets) Get(hash store.Hash) (rec store.Ticket, ok bool, err error) {
	ok, err = s.t.getRecord(bucketTickets, hash[:], &rec)
	return rec, ok, err
}

func (s tickets) Put(rec store.Ticket) error {
	if err := s.Delete(rec.Hash); err != nil {
		return err
	}
	var old []store.Hash
	c := s.t.btx.Bucket(bucketTicketTimes).Cursor()
	for k, _ := c.First(); len(k) == 8+len(rec.Hash) && timeOf(k) <= rec.Created && len(old) < forgetAtOnce; k, _ = c.Next() {
		old = append(old, store.Hash(k[8:]))
	}
	for _, h := range old {
		if err := s.Delete(h); err != nil {
			return err
		}
	}
	if err := s.t.put(bucketTicketTimes, at(rec.Expires, rec.Hash[:]), []byte{}); err != nil {
		return err
	}
	return s.t.putRecord(bucketTickets, rec.Hash[:], rec)
}

func (s tickets) Delete(hash store.Hash) error {
	rec, ok, err := s.Get(hash)
	if err != nil || !ok {
		return err
	}
	if err := s.t.delete(bucketTicketTimes, at(rec.Expires, hash[:])); err != nil {
		return err
	}
	return s.t.delete(bucketTickets, hash[:])
}

type invitations struct{ t *transaction }

func (s invitations) Get(id store.InvitationID) (rec store.Invitation, ok bool, err error) {
	ok, err = s.t.getRecord(bucketInvitations, []byte(id), &rec)
	return rec, ok, err
}

// owners are what an invitation is listed under: ids and addresses are never the same text.
func owners(rec store.Invitation) []string {
	return []string{string(rec.Board), string(rec.Organisation), rec.Email}
}

func (s invitations) Put(rec store.Invitation) error {
	if id := s.t.get(bucketInviteHashes, rec.Hash[:]); id != nil && store.InvitationID(id) != rec.ID {
		return fmt.Errorf("token of %s: %w", rec.ID, store.ErrTaken)
	}
	if err := s.unlist(rec.ID); err != nil {
		return err
	}
	for _, o := range owners(rec) {
		if o == "" {
			continue
		}
		if err := s.t.put(bucketInvitesOf, pair(o, rec.ID), []byte{}); err != nil {
			return err
		}
	}
	if err := s.t.put(bucketInviteHashes, rec.Hash[:], []byte(rec.ID)); err != nil {
		return err
	}
	if err := s.t.put(bucketInviteHashOf, pair(rec.ID, string(rec.Hash[:])), []byte{}); err != nil {
		return err
	}
	return s.t.putRecord(bucketInvitations, []byte(rec.ID), rec)
}

// unlist takes an invitation from the lists that it is in.
func (s invitations) unlist(id store.InvitationID) error {
	old, ok, err := s.Get(id)
	if err != nil || !ok {
		return err
	}
	for _, o := range owners(old) {
		if err := s.t.delete(bucketInvitesOf, pair(o, id)); err != nil {
			return err
		}
	}
	return nil
}

func (s invitations) Delete(id store.InvitationID) error {
	if err := s.unlist(id); err != nil {
		return err
	}
	var hashes [][]byte
	under(s.t, bucketInviteHashOf, id, func(rest, _ []byte) { hashes = append(hashes, bytes.Clone(rest)) })
	for _, h := range hashes {
		if err := s.t.delete(bucketInviteHashes, h); err != nil {
			return err
		}
		if err := s.t.delete(bucketInviteHashOf, pair(id, string(h))); err != nil {
			return err
		}
	}
	return s.t.delete(bucketInvitations, []byte(id))
}

func (s invitations) ByHash(hash store.Hash) (store.Invitation, bool, error) {
	id := s.t.get(bucketInviteHashes, hash[:])
	if id == nil {
		return store.Invitation{}, false, nil
	}
	return s.Get(store.InvitationID(id))
}

func (s invitations) OfBoard(id board.ID) ([]store.Invitation, error) { return s.of(string(id)) }

func (s invitations) OfOrganisation(id store.OrganisationID) ([]store.Invitation, error) {
	return s.of(string(id))
}

func (s invitations) OfEmail(email string) ([]store.Invitation, error) { return s.of(email) }

func (s invitations) of(owner string) (out []store.Invitation, err error) {
	under(s.t, bucketInvitesOf, owner, func(rest, _ []byte) {
		rec, ok, e := s.Get(store.InvitationID(rest))
		if err = errors.Join(err, e); ok {
			out = append(out, rec)
		}
	})
	return out, err
}

type outbox struct{ t *transaction }

func (s outbox) Get(id store.MailID) (rec store.Mail, ok bool, err error) {
	ok, err = s.t.getRecord(bucketOutbox, []byte(id), &rec)
	return rec, ok, err
}

func (s outbox) Put(rec store.Mail) error {
	if err := s.Delete(rec.ID); err != nil {
		return err
	}
	if err := s.t.put(bucketOutboxTimes, at(rec.Next, []byte(rec.ID)), []byte{}); err != nil {
		return err
	}
	return s.t.putRecord(bucketOutbox, []byte(rec.ID), rec)
}

func (s outbox) Delete(id store.MailID) error {
	rec, ok, err := s.Get(id)
	if err != nil || !ok {
		return err
	}
	if err := s.t.delete(bucketOutboxTimes, at(rec.Next, []byte(id))); err != nil {
		return err
	}
	return s.t.delete(bucketOutbox, []byte(id))
}

func (s outbox) Len() (n int, err error) {
	c := s.t.btx.Bucket(bucketOutboxTimes).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n, nil
}

func (s outbox) Due(until int64, limit int) (due []store.Mail, first int64, err error) {
	c := s.t.btx.Bucket(bucketOutboxTimes).Cursor()
	for k, _ := c.First(); len(k) > 8; k, _ = c.Next() {
		if first == 0 {
			first = timeOf(k)
		}
		if len(due) >= limit || timeOf(k) > until {
			break
		}
		rec, ok, err := s.Get(store.MailID(k[8:]))
		if err != nil {
			return nil, 0, err
		}
		if ok {
			due = append(due, rec)
		}
	}
	return due, first, nil
}
