package boltstore

import (
	"errors"
	"fmt"

	berrors "go.etcd.io/bbolt/errors"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

type accounts struct{ t *transaction }

func (a accounts) Get(id store.AccountID) (rec store.Account, ok bool, err error) {
	ok, err = a.t.getRecord(bucketAccounts, []byte(id), &rec)
	return rec, ok, err
}

func (a accounts) After(id store.AccountID, limit int) (out []store.Account, err error) {
	c := a.t.btx.Bucket(bucketAccounts).Cursor()
	for k, _ := c.Seek(append([]byte(id), 0)); k != nil && len(out) < limit; k, _ = c.Next() {
		var rec store.Account
		if _, err := a.t.getRecord(bucketAccounts, k, &rec); err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}

func (a accounts) ByEmail(email string) (store.Account, bool, error) {
	id := a.t.get(bucketEmails, []byte(email))
	if id == nil {
		return store.Account{}, false, nil
	}
	return a.Get(store.AccountID(id))
}

func (a accounts) Put(rec store.Account) error {
	if id := a.t.get(bucketEmails, []byte(rec.Email)); id != nil && store.AccountID(id) != rec.ID {
		return fmt.Errorf("address of %s: %w", rec.ID, store.ErrTaken)
	}
	old, ok, err := a.Get(rec.ID)
	if err != nil {
		return err
	}
	if ok && old.Email != rec.Email {
		if err := a.t.delete(bucketEmails, []byte(old.Email)); err != nil {
			return err
		}
	}
	if err := a.t.put(bucketEmails, []byte(rec.Email), []byte(rec.ID)); err != nil {
		return err
	}
	return a.t.putRecord(bucketAccounts, []byte(rec.ID), rec)
}

func (a accounts) Delete(id store.AccountID) error {
	old, ok, err := a.Get(id)
	if err != nil || !ok {
		return err
	}
	if err := a.t.delete(bucketEmails, []byte(old.Email)); err != nil {
		return err
	}
	return a.t.delete(bucketAccounts, []byte(id))
}

type sessions struct{ t *transaction }

func (s sessions) Get(hash store.Hash) (rec store.Session, ok bool, err error) {
	ok, err = s.t.getRecord(bucketSessions, hash[:], &rec)
	return rec, ok, err
}

func (s sessions) Put(rec store.Session) error {
	if err := s.t.put(bucketSessionsOf, pair(rec.Account, string(rec.Hash[:])), []byte{}); err != nil {
		return err
	}
	return s.t.putRecord(bucketSessions, rec.Hash[:], rec)
}

func (s sessions) Delete(hash store.Hash) error {
	rec, ok, err := s.Get(hash)
	if err != nil || !ok {
		return err
	}
	if err := s.t.delete(bucketSessionsOf, pair(rec.Account, string(hash[:]))); err != nil {
		return err
	}
	return s.t.delete(bucketSessions, hash[:])
}

func (s sessions) Of(id store.AccountID) (out []store.Session, err error) {
	under(s.t, bucketSessionsOf, id, func(rest, _ []byte) {
		var h store.Hash
		if len(rest) != len(h) {
			err = errors.Join(err, fmt.Errorf("a session of %s has a hash of %d bytes", id, len(rest)))
			return
		}
		copy(h[:], rest)
		rec, ok, e := s.Get(h)
		if err = errors.Join(err, e); ok {
			out = append(out, rec)
		}
	})
	return out, err
}

type organisations struct{ t *transaction }

func (o organisations) Get(id store.OrganisationID) (rec store.Organisation, ok bool, err error) {
	ok, err = o.t.getRecord(bucketOrgs, []byte(id), &rec)
	return rec, ok, err
}

func (o organisations) Put(rec store.Organisation) error {
	return o.t.putRecord(bucketOrgs, []byte(rec.ID), rec)
}

func (o organisations) SetMember(id store.OrganisationID, account store.AccountID, role store.MemberRole) error {
	if role == store.MemberNone {
		if err := o.t.delete(bucketMembers, pair(id, account)); err != nil {
			return err
		}
		return o.t.delete(bucketMemberOf, pair(account, id))
	}
	if err := o.t.put(bucketMembers, pair(id, account), []byte(role)); err != nil {
		return err
	}
	return o.t.put(bucketMemberOf, pair(account, id), []byte{})
}

func (o organisations) Member(id store.OrganisationID, account store.AccountID) (store.MemberRole, error) {
	return store.MemberRole(o.t.get(bucketMembers, pair(id, account))), nil
}

func (o organisations) Members(id store.OrganisationID) (out []store.Member, _ error) {
	under(o.t, bucketMembers, id, func(rest, role []byte) {
		out = append(out, store.Member{Account: store.AccountID(rest), Role: store.MemberRole(role)})
	})
	return out, nil
}

func (o organisations) Of(account store.AccountID) (out []store.OrganisationID, _ error) {
	under(o.t, bucketMemberOf, account, func(rest, _ []byte) { out = append(out, store.OrganisationID(rest)) })
	return out, nil
}

func (o organisations) Delete(id store.OrganisationID) error {
	members, err := o.Members(id)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := o.SetMember(id, m.Account, store.MemberNone); err != nil {
			return err
		}
	}
	return o.t.delete(bucketOrgs, []byte(id))
}

type boards struct{ t *transaction }

func (b boards) Get(id board.ID) (rec store.Board, ok bool, err error) {
	ok, err = b.t.getRecord(bucketBoards, []byte(id), &rec)
	return rec, ok, err
}

func (b boards) Put(rec store.Board) error {
	old, ok, err := b.Get(rec.ID)
	if err != nil {
		return err
	}
	if ok && old.Organisation != rec.Organisation {
		if err := b.t.delete(bucketBoardsOf, pair(old.Organisation, rec.ID)); err != nil {
			return err
		}
	}
	if !ok || old.Organisation != rec.Organisation {
		if err := b.t.put(bucketBoardsOf, pair(rec.Organisation, rec.ID), []byte{}); err != nil {
			return err
		}
	}
	return b.t.putRecord(bucketBoards, []byte(rec.ID), rec)
}

func (b boards) SetRole(id board.ID, account store.AccountID, role store.Role) error {
	if role == "" {
		if err := b.t.delete(bucketRoles, pair(id, account)); err != nil {
			return err
		}
		return b.t.delete(bucketRolesOf, pair(account, id))
	}
	if err := b.t.put(bucketRoles, pair(id, account), []byte(role)); err != nil {
		return err
	}
	return b.t.put(bucketRolesOf, pair(account, id), []byte{})
}

func (b boards) Role(id board.ID, account store.AccountID) (store.Role, error) {
	return store.Role(b.t.get(bucketRoles, pair(id, account))), nil
}

func (b boards) Roles(id board.ID) (out []store.Holder, _ error) {
	under(b.t, bucketRoles, id, func(rest, role []byte) {
		out = append(out, store.Holder{Account: store.AccountID(rest), Role: store.Role(role)})
	})
	return out, nil
}

func (b boards) Of(account store.AccountID) (out []board.ID, _ error) {
	under(b.t, bucketRolesOf, account, func(rest, _ []byte) { out = append(out, board.ID(rest)) })
	return out, nil
}

func (b boards) OfOrganisation(id store.OrganisationID) (out []board.ID, _ error) {
	under(b.t, bucketBoardsOf, id, func(rest, _ []byte) { out = append(out, board.ID(rest)) })
	return out, nil
}

func (b boards) Destroy(id board.ID, at int64) error {
	rec, ok, err := b.Get(id)
	if err != nil || !ok {
		return err
	}
	holders, err := b.Roles(id)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if err := b.SetRole(id, h.Account, ""); err != nil {
			return err
		}
	}
	if err := b.t.delete(bucketBoardsOf, pair(rec.Organisation, id)); err != nil {
		return err
	}
	b.t.effect.delete(bucketReplicas, []byte(id))
	if err := b.t.btx.Bucket(bucketReplicas).DeleteBucket([]byte(id)); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
		return fmt.Errorf("delete replica of %s: %w", id, err)
	}
	rec.Destroyed, rec.Bytes = at, 0
	rec.Epoch++
	return b.t.putRecord(bucketBoards, []byte(id), rec)
}
