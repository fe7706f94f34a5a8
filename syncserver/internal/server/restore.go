package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

// Restoring a backup sets the server back, and with it every decision about who may see what. Content heals: each
// dashboard's log gets a new epoch, at which apps offer what they hold that is newer (SI13). Access does not: no app may
// say who has it. So whatever was taken away since the backup must not come back with it (rules L4, V3), and what is not
// known to be still meant is not given:
//
//   - Where the file that is replaced can still be read, it knows. Links, roles, memberships, sign-ins, passwords,
//     invitations and tickets become the weaker of what both files say; what was given away belongs to its new owner.
//   - Where it cannot, links are turned off, and invitations, tickets and waiting mail are void. Their owners turn on again,
//     at the same address, what is still meant to be open. Who is on a dashboard, and signed in, stays: nobody could heal
//     it otherwise. That is told loudly.
//   - Whoever restores can say that nothing was taken away since, as when a server moves to another machine.
//
// Every link's version goes up by restoreStep. Commands compare themselves with the version that their author saw, and
// apps take no state that is older than theirs; both could meet a version of before the restore a second time otherwise.

// restoreStep is by how much the version of a link grows: more than it can have been changed since the backup.
const restoreStep = 1 << 32

// recordsAtOnce bounds how many records one transaction of a restore changes.
const recordsAtOnce = 200

// RestoreOptions say what the one who restores knows and wants.
type RestoreOptions struct {
	// Unchanged says that nobody's access was taken away since the backup was made.
	Unchanged bool
	// EndSignIns signs everybody out, programs included.
	EndSignIns bool
}

// Restored is what came of a restore.
type Restored struct {
	// Aside is where the file is that was replaced, "" if there was none.
	Aside string
	// Known says that the replaced file could be asked what was taken away since the backup.
	Known bool
	// Report is what is in the data file now.
	Report Report
	Tally
}

// Tally counts what a restore did not give back.
type Tally struct {
	// LinksOff are links that were turned off. Changed are links, roles, memberships and sign-ins by password that are as
	// the replaced file has them. Void are invitations, tickets and mails that were dropped, Ended are sign-ins.
	LinksOff, Changed, Void, Ended int
}

func (t *Tally) add(o Tally) {
	t.LinksOff += o.LinksOff
	t.Changed += o.Changed
	t.Void += o.Void
	t.Ended += o.Ended
}

// Restore puts a backup in the place of the data file of a server that does not run. The backup is checked before anything
// is touched and the result before it is put in place, which happens at once: after a crash there is one or the other. The
// file that was there is kept beside it.
func Restore(ctx context.Context, d Deps, from string, o RestoreOptions) (out Restored, err error) {
	data := d.Config.Data
	if r, err := boltstore.Check(ctx, from); err != nil {
		return out, err //nolint:wrapcheck // a fault of the file
	} else if len(r.Problems) > 0 {
		return out, fault.Newf(fault.Internal, "The backup %s is not sound: %s", from, r.Problems[0]).WithHint("Nothing was changed. See widgets-server check, and take another backup.")
	}
	if a, err := os.Stat(from); err == nil {
		if b, err := os.Stat(data); err == nil && os.SameFile(a, b) {
			return out, fault.New(fault.Invalid, "The backup is the data file itself.")
		}
	}
	present, err := boltstore.Check(ctx, data)
	sound := err == nil && len(present.Problems) == 0
	held, err := boltstore.Hold(data)
	if err != nil {
		return out, err //nolint:wrapcheck // a fault of the file
	}
	defer func() { err = errors.Join(err, held.Close()) }()

	next := data + ".restore"
	if err := copyTo(ctx, from, next); err != nil {
		return out, err
	}
	defer func() { _ = os.Remove(next) }()
	r := reviver{ctx: ctx, d: d, o: o, out: &out}
	if sound && held.Readable() && !o.Unchanged {
		err = held.View(func(tx store.Tx) error {
			r.now = tx
			return r.revive(next)
		})
	} else {
		err = r.revive(next)
	}
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	if out.Report, err = boltstore.Check(ctx, next); err != nil {
		return out, err //nolint:wrapcheck // a fault of the file
	} else if len(out.Report.Problems) > 0 {
		return out, fault.Newf(fault.Internal, "The backup was read, but what was made of it is not sound: %s", out.Report.Problems[0]).WithHint("Nothing was changed.")
	}
	if !held.There() { // a server that was started meanwhile found nothing to wait for
		err := boltstore.PutNew(next, data)
		if fault.KindOf(err) == fault.Conflict {
			return out, fault.Newf(fault.Unavailable, "A server was started meanwhile and has made the file %s. Nothing was changed.", data)
		}
		return out, err //nolint:wrapcheck // a fault of the file
	}
	if out.Aside, err = putAside(data, d.Now()); err != nil {
		return out, err
	}
	return out, boltstore.Replace(next, data) //nolint:wrapcheck // a fault of the file
}

// copyTo makes a copy of a backup to work on.
func copyTo(ctx context.Context, from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that broke off
		return fault.Newf(fault.Unavailable, "The file %s is in the way: %w.", to, err)
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the data file, which its operator named
	if err != nil {
		return fault.Newf(fault.Unavailable, "No file can be made beside the data file: %w.", err)
	}
	_, err = boltstore.CopyFile(ctx, from, f)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(to)
		return fmt.Errorf("read the backup: %w", err)
	}
	return nil
}

// putAside gives the data file a second name, under which it stays when another is put in its place.
func putAside(data string, now time.Time) (aside string, err error) {
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	name := data + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	for n := 1; n <= asideAtMost; n++ {
		if aside = name; n > 1 {
			aside = fmt.Sprintf("%s-%d", name, n)
		}
		err = os.Link(data, aside)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = duplicate(data, aside) // not every file system knows links
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", fault.Newf(fault.Unavailable, "The data file could not be put aside: %w.", err)
	}
	return aside, boltstore.SyncDir(data) //nolint:wrapcheck // a fault of the file
}

// asideAtMost is how many files are put aside at one time of the clock.
const asideAtMost = 100

// duplicate copies a file, whatever is in it, to a new one. The one that it is a copy of stays, so that there is a data file
// at every moment.
func duplicate(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // its operator named it
	if err != nil {
		return err //nolint:wrapcheck // putAside says what it was doing
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside it
	if err != nil {
		return err //nolint:wrapcheck // putAside says what it was doing
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		_ = os.Remove(to)
	}
	return err
}

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
