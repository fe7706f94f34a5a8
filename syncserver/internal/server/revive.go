package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// restoreStep is by how much the version of a link grows: more than it can have been changed since the backup.
const restoreStep = 1 << 32

// recordsAtOnce bounds how many records one transaction of a restore changes.
const recordsAtOnce = 200

// reviver makes a backup fit to serve.
type reviver struct {
	ctx context.Context //nolint:containedctx // lives as long as one call of Restore
	d   Deps
	o   RestoreOptions
	out *Restored
	st  *boltstore.Store
	now store.Tx // what the file that is replaced knows, nil if that is nothing
}

func (r *reviver) revive(path string) (err error) {
	if r.st, err = boltstore.Open(boltstore.Options{Path: path, Log: r.d.Log}); err != nil {
		return err //nolint:wrapcheck // a fault of the file
	}
	defer func() { err = errors.Join(err, r.st.Close()) }()
	if err := r.acquainted(); err != nil {
		return err
	}
	r.out.Known = r.now != nil
	for _, step := range []func() error{r.boards, r.accounts, r.organisations, r.sessions, r.tickets, r.invitations, r.outbox, r.rest} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// acquainted forgets the replaced file if it is of another server, or new: then what it lacks means nothing.
func (r *reviver) acquainted() error {
	if r.now == nil {
		return nil
	}
	known := false
	if err := r.eachAccount(func(_ store.Tx, _ *Tally, a store.Account) error {
		_, ok, err := r.now.Accounts().Get(a.ID)
		known = known || ok
		return err
	}); err != nil {
		return err
	}
	if !known {
		r.now = nil
	}
	return nil
}

func (r *reviver) eachAccount(fn func(store.Tx, *Tally, store.Account) error) error {
	for last := store.AccountID(""); ; {
		var all []store.Account
		var n Tally
		if err := r.st.Update(r.ctx, func(tx store.Tx) (err error) {
			n = Tally{}
			if all, err = tx.Accounts().After(last, recordsAtOnce); err != nil {
				return err
			}
			for _, a := range all {
				if err := fn(tx, &n, a); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		r.out.add(n)
		if len(all) < recordsAtOnce {
			return nil
		}
		last = all[len(all)-1].ID
	}
}

// each calls fn with every key of a part, some in each transaction.
func (r *reviver) each(p boltstore.Part, fn func(tx store.Tx, n *Tally, key string) error) error {
	keys, err := r.st.Keys(r.ctx, p)
	if err != nil {
		return fmt.Errorf("list %s: %w", p, err)
	}
	for some := range slices.Chunk(keys, recordsAtOnce) {
		var n Tally
		if err := r.st.Update(r.ctx, func(tx store.Tx) error {
			n = Tally{}
			for _, k := range some {
				if err := fn(tx, &n, k); err != nil {
					return fmt.Errorf("restore %s: %w", p, err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		r.out.add(n)
	}
	return nil
}

// boards gives each dashboard's log a new epoch, and nobody more access than is known to be meant.
func (r *reviver) boards() error {
	keys, err := r.st.Keys(r.ctx, boltstore.PartBoards)
	if err != nil {
		return fmt.Errorf("list dashboards: %w", err)
	}
	epochs := map[string]uint64{}
	for _, k := range keys {
		b := make([]byte, 8)
		for epochs[k] == 0 {
			if _, err := io.ReadFull(r.d.Random, b); err != nil {
				return fmt.Errorf("read random bytes: %w", err)
			}
			epochs[k] = binary.BigEndian.Uint64(b)
		}
	}
	return r.each(boltstore.PartBoards, func(tx store.Tx, n *Tally, key string) error {
		id := board.ID(key)
		rec, _, err := tx.Boards().Get(id)
		if err != nil || rec.Destroyed != 0 {
			return err
		}
		hub, err := replica.OpenHub(tx.Replica(id))
		if err != nil {
			return fmt.Errorf("open replica of %s: %w", id, err)
		}
		if err := hub.Remake(epochs[key]); err != nil {
			return fmt.Errorf("remake the log of %s: %w", id, err)
		}
		var was store.Board
		known := false
		if r.now != nil {
			if was, known, err = r.now.Boards().Get(id); err != nil {
				return err
			}
		}
		if known && was.Destroyed == 0 {
			if err := r.roles(tx, n, rec, was); err != nil {
				return err
			}
		}
		return r.link(tx, n, id, known, was.Trashed && !rec.Trashed)
	})
}

// link makes the link what it is in the replaced file, if that knows the dashboard, or turns it off; also if the dashboard
// comes back from the trash, where it showed nothing.
func (r *reviver) link(tx store.Tx, n *Tally, id board.ID, known, untrashed bool) error {
	old, err := tx.Links().Get(id)
	if err != nil {
		return err
	}
	hash, err := tx.Links().Hash(id)
	if err != nil {
		return err
	}
	next := old
	if known {
		if next, err = r.now.Links().Get(id); err != nil {
			return err
		}
		if hash, err = r.now.Links().Hash(id); err != nil {
			return err
		}
		if next != old {
			n.Changed++
		}
	}
	if next.Enabled && !r.o.Unchanged && (!known || untrashed) {
		next.Enabled = false
		next.Revision++
		n.LinksOff++
	}
	next.Version = max(old.Version, next.Version) + restoreStep
	if err := tx.Links().Put(id, next); err != nil {
		return fmt.Errorf("store link of %s: %w", id, err)
	}
	if next.Token != old.Token {
		if err := tx.Views().Put(id, store.ViewCount{}); err != nil {
			return err
		}
	}
	return tx.Links().SetHash(id, hash)
}

// rank orders roles by what they permit.
func rank[R ~string](role R) int {
	return map[string]int{
		string(sharing.RoleViewer): 1, string(sharing.RoleEditor): 2, string(sharing.RoleOwner): 3,
		string(store.MemberMember): 1, string(store.MemberAdmin): 2,
	}[string(role)]
}

// roles takes from those on a dashboard what they have lost since. Somebody goes on to own it (SI19): of those who do by now
// whoever is in the backup, else its owner then.
func (r *reviver) roles(tx store.Tx, n *Tally, rec, was store.Board) error {
	holders, err := tx.Boards().Roles(rec.ID)
	if err != nil {
		return err
	}
	after := map[store.AccountID]store.Role{}
	owner := store.AccountID("")
	for _, h := range holders {
		role, err := r.now.Boards().Role(rec.ID, h.Account)
		if err != nil {
			return err
		}
		if rank(role) > rank(h.Role) {
			role = h.Role
		}
		after[h.Account] = role
		if role == sharing.RoleOwner && (owner == "" || h.Account == was.Owner) {
			owner = h.Account
		}
	}
	owned, known, err := tx.Accounts().Get(owner)
	if err == nil && owner == "" { // who had it then has it no more
		if owned, known, err = tx.Accounts().Get(was.Owner); err == nil && !known {
			owned, known, err = tx.Accounts().Get(rec.Owner) // who has it since is not in the backup
		}
		owner = owned.ID
		after[owner] = sharing.RoleOwner
	}
	if err != nil || !known {
		return errors.Join(err, fmt.Errorf("nobody owns dashboard %s", rec.ID))
	}
	for account, role := range after {
		before, err := tx.Boards().Role(rec.ID, account)
		if err != nil {
			return err
		}
		if before == role {
			continue
		}
		n.Changed++
		if err := tx.Boards().SetRole(rec.ID, account, role); err != nil {
			return err
		}
	}
	rec.Owner = owner
	rec.EditorsShare = rec.EditorsShare && was.EditorsShare
	// The members of an organisation that it left must not see it.
	if _, there, err := tx.Organisations().Get(was.Organisation); err != nil {
		return err
	} else if there {
		rec.Organisation = was.Organisation
	} else {
		rec.Organisation = owned.Personal
	}
	rec.Epoch = max(rec.Epoch, was.Epoch) + 1
	return tx.Boards().Put(rec)
}

// accounts get the password and address that they have by now.
func (r *reviver) accounts() error {
	if r.now == nil {
		return nil
	}
	return r.eachAccount(func(tx store.Tx, n *Tally, a store.Account) error {
		was, ok, err := r.now.Accounts().Get(a.ID)
		if err != nil || !ok || was == a {
			return err
		}
		if was.Password != a.Password || was.Email != a.Email {
			n.Changed++
		}
		was.Personal = a.Personal
		if other, taken, err := tx.Accounts().ByEmail(was.Email); err != nil {
			return err
		} else if taken && other.ID != a.ID {
			was.Email, was.Verified = a.Email, a.Verified
		}
		return tx.Accounts().Put(was)
	})
}

// organisations lose the members that they have lost since. Somebody goes on to own each, as each dashboard.
func (r *reviver) organisations() error {
	if r.now == nil {
		return nil
	}
	return r.each(boltstore.PartOrganisations, func(tx store.Tx, n *Tally, key string) error {
		id := store.OrganisationID(key)
		if _, ok, err := r.now.Organisations().Get(id); err != nil || !ok {
			return err
		}
		members, err := tx.Organisations().Members(id)
		if err != nil {
			return err
		}
		weaker, owned := map[store.AccountID]store.MemberRole{}, false
		for _, m := range members {
			role, err := r.now.Organisations().Member(id, m.Account)
			if err != nil {
				return err
			}
			if rank(role) < rank(m.Role) {
				weaker[m.Account] = role
			} else if m.Role == store.MemberOwner {
				owned = true
			}
		}
		if !owned {
			heirs, err := r.heirs(tx, id)
			if err != nil {
				return err
			}
			for _, a := range heirs {
				weaker[a], owned = store.MemberOwner, true
			}
		}
		if !owned { // who owns it since is not in the backup
			maps.DeleteFunc(weaker, func(a store.AccountID, _ store.MemberRole) bool {
				return slices.Contains(members, store.Member{Account: a, Role: store.MemberOwner})
			})
		}
		n.Changed += len(weaker)
		for _, a := range slices.Sorted(maps.Keys(weaker)) {
			if err := tx.Organisations().SetMember(id, a, weaker[a]); err != nil {
				return err
			}
		}
		return nil
	})
}

// heirs are those who own an organisation by now and are in the backup.
func (r *reviver) heirs(tx store.Tx, id store.OrganisationID) (all []store.AccountID, err error) {
	members, err := r.now.Organisations().Members(id)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		_, known, err := tx.Accounts().Get(m.Account)
		if err != nil {
			return nil, err
		}
		if known && m.Role == store.MemberOwner {
			all = append(all, m.Account)
		}
	}
	return all, nil
}

func (r *reviver) sessions() error {
	if r.now == nil && !r.o.EndSignIns {
		return nil
	}
	return r.each(boltstore.PartSessions, func(tx store.Tx, n *Tally, key string) error {
		hash := store.Hash([]byte(key))
		keep := false
		if !r.o.EndSignIns {
			var err error
			if _, keep, err = r.now.Sessions().Get(hash); err != nil {
				return err
			}
		}
		if keep {
			return nil
		}
		n.Ended++
		return tx.Sessions().Delete(hash)
	})
}

// tickets that were used since must not work again.
func (r *reviver) tickets() error {
	if r.o.Unchanged {
		return nil
	}
	return r.each(boltstore.PartTickets, func(tx store.Tx, n *Tally, key string) error {
		hash := store.Hash([]byte(key))
		if r.now != nil {
			if _, keep, err := r.now.Tickets().Get(hash); err != nil || keep {
				return err
			}
		}
		n.Void++
		return tx.Tickets().Delete(hash)
	})
}

// invitations that were revoked or accepted since must not work again.
func (r *reviver) invitations() error {
	if r.o.Unchanged {
		return nil
	}
	return r.each(boltstore.PartInvitations, func(tx store.Tx, n *Tally, key string) error {
		inv, _, err := tx.Invitations().Get(store.InvitationID(key))
		if err != nil || inv.State != store.InvitationOpen {
			return err
		}
		if r.now != nil {
			was, ok, err := r.now.Invitations().Get(inv.ID)
			if err != nil {
				return err
			}
			if ok && was.State == store.InvitationOpen {
				return tx.Invitations().Put(was) // perhaps with another link
			}
		}
		n.Void++
		return invitation.Withdraw(tx, inv) //nolint:wrapcheck // says what it was doing
	})
}

// outbox keeps no mail that went out since.
func (r *reviver) outbox() error {
	if r.o.Unchanged {
		return nil
	}
	return r.each(boltstore.PartOutbox, func(tx store.Tx, n *Tally, key string) error {
		id := store.MailID(key)
		if r.now != nil {
			if _, keep, err := r.now.Outbox().Get(id); err != nil || keep {
				return err
			}
		}
		n.Void++
		return tx.Outbox().Delete(id)
	})
}

// rest ends the sessions of those who gave a link's password, and buries what the replaced file knows to be dead.
func (r *reviver) rest() error {
	if err := r.st.Update(r.ctx, func(tx store.Tx) error { return tx.Guard().SetKey(nil) }); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if r.now == nil {
		return nil
	}
	if _, err := r.st.Bury(r.ctx, r.now); err != nil {
		return fmt.Errorf("bury dead links: %w", err)
	}
	return nil
}
