package server_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/server"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	sales   board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A" // ann's, with bob and cy
	bobs    board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B"
	moving  board.ID = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1C" // ann's
	team             = store.OrganisationID("org_team")
	annsOwn          = store.OrganisationID("org_ann")
)

// inFile runs fn in a data file.
func inFile(t *testing.T, path string, fn func(tx store.Tx) error) {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.Update(t.Context(), fn), st.Close()); err != nil {
		t.Fatal(err)
	}
}

func restoring(data string) server.Deps {
	return server.Deps{Config: config.Config{Data: data}, Log: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader}
}

// beforehand fills a data file that is backed up then.
func beforehand(tx store.Tx) error {
	as, os, bs, is := tx.Accounts(), tx.Organisations(), tx.Boards(), tx.Invitations()
	var errs []error
	for i, who := range []store.AccountID{"ann", "bob", "cy"} {
		org := store.OrganisationID("org_" + who)
		errs = append(errs, as.Put(store.Account{ID: who, Email: string(who) + "@example.org", Password: "old", Personal: org}),
			os.Put(store.Organisation{ID: org, Personal: true}), os.SetMember(org, who, store.MemberOwner),
			os.SetMember(team, who, []store.MemberRole{store.MemberOwner, store.MemberAdmin, store.MemberMember}[i]))
	}
	for id, owner := range map[board.ID]store.AccountID{sales: "ann", bobs: "bob", moving: "ann"} {
		_, err := replica.InitHub(tx.Replica(id), 7)
		errs = append(errs, err, bs.Put(store.Board{ID: id, Organisation: team, Owner: owner, Epoch: 1}), bs.SetRole(id, owner, sharing.RoleOwner))
	}
	for _, n := range []string{"1", "2"} {
		errs = append(errs, is.Put(store.Invitation{ID: store.InvitationID("inv_" + n), Board: sales, Email: n + "@example.org", State: store.InvitationOpen, Hash: store.Hash{n[0]}}),
			tx.Tickets().Put(store.Ticket{Hash: store.Hash{n[0]}, Expires: 9}), tx.Outbox().Put(store.Mail{ID: store.MailID("mail_" + n), Next: 1}))
	}
	return errors.Join(append(errs, os.Put(store.Organisation{ID: team}), bs.SetRole(sales, "bob", sharing.RoleEditor), bs.SetRole(sales, "cy", sharing.RoleViewer),
		tx.Links().Put(sales, store.Link{Enabled: true, Token: store.Token("shr_" + strings.Repeat("a", 24)), ShortID: "aaaaaaaaaa", Version: 3, Password: true}),
		tx.Links().SetHash(sales, "$old"), tx.Guard().SetKey([]byte("key")))...)
}

// since takes away what must not come back.
func since(tx store.Tx) error {
	ann, _, err := tx.Accounts().Get("ann")
	bob, _, err2 := tx.Accounts().Get("bob")
	inv, _, err3 := tx.Invitations().Get("inv_1")
	at, _, err4 := tx.Boards().Get(moving)
	link, err5 := tx.Links().Get(sales)
	ann.Password, bob.Email, inv.State, at.Organisation = "new", "bob@example.net", store.InvitationRevoked, annsOwn
	link.Version, link.Revision = 4, 1
	os, bs := tx.Organisations(), tx.Boards()
	return errors.Join(err, err2, err3, err4, err5, tx.Accounts().Put(ann), tx.Accounts().Put(bob), tx.Invitations().Put(inv), bs.Put(at),
		bs.SetRole(sales, "bob", sharing.RoleViewer), bs.SetRole(sales, "cy", sharing.RoleNone), os.SetMember(team, "bob", store.MemberMember), os.SetMember(team, "cy", store.MemberNone),
		// Who owns it by now is not in the backup.
		tx.Accounts().Put(store.Account{ID: "dan", Email: "dan@example.org", Personal: "org_dan"}), os.Put(store.Organisation{ID: "org_dan", Personal: true}), os.SetMember("org_dan", "dan", store.MemberOwner),
		bs.SetRole(bobs, "bob", sharing.RoleNone), bs.SetRole(bobs, "dan", sharing.RoleOwner), bs.Put(store.Board{ID: bobs, Organisation: team, Owner: "dan", Epoch: 2}),
		tx.Links().Put(sales, link), tx.Links().SetHash(sales, "$new"), tx.Tickets().Delete(store.Hash{'1'}), tx.Outbox().Delete("mail_1"))
}

// What is taken away between a backup and its restore, by what is there after it, in words.
func access(t *testing.T, path string) (out []string) {
	t.Helper()
	inFile(t, path, func(tx store.Tx) error {
		out = nil
		say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
		var errs []error
		for _, id := range []board.ID{sales, bobs, moving} {
			holders, err := tx.Boards().Roles(id)
			rec, _, err2 := tx.Boards().Get(id)
			hub, err3 := replica.OpenHub(tx.Replica(id))
			errs = append(errs, err, err2, err3)
			for _, h := range holders {
				say("%s: %s is %s", id[len(id)-1:], h.Account, h.Role)
			}
			epoch, _ := hub.Head()
			say("%s: of %s, by %s, new epoch %v", id[len(id)-1:], rec.Organisation, rec.Owner, epoch != 7 && epoch != 0)
		}
		members, err := tx.Organisations().Members(team)
		for _, m := range members {
			say("team: %s is %s", m.Account, m.Role)
		}
		ann, _, err2 := tx.Accounts().Get("ann")
		bob, _, err3 := tx.Accounts().Get("bob")
		link, err4 := tx.Links().Get(sales)
		hash, err5 := tx.Links().Hash(sales)
		key, err6 := tx.Guard().Key()
		say("ann %s, bob %s, link %v %s, beyond %v, key %q", ann.Password, bob.Email, link.Enabled, string(hash), link.Version > 1<<32, key)
		errs = append(errs, err, err2, err3, err4, err5, err6)
		for _, n := range []string{"1", "2"} {
			inv, _, err := tx.Invitations().Get(store.InvitationID("inv_" + n))
			_, ticket, err2 := tx.Tickets().Get(store.Hash{n[0]})
			_, letter, err3 := tx.Outbox().Get(store.MailID("mail_" + n))
			say("%s: %s, ticket %v, mail %v", n, inv.State, ticket, letter)
			errs = append(errs, err, err2, err3)
		}
		return errors.Join(errs...)
	})
	return out
}

func TestV3_L4_ARestoreGivesNoMoreAccessThanIsKnownToBeMeant(t *testing.T) {
	t.Parallel()
	asBefore := []string{
		"A: ann is owner", "A: bob is editor", "A: cy is viewer", "A: of org_team, by ann, new epoch true", "B: bob is owner", "B: of org_team, by bob, new epoch true",
		"C: ann is owner", "C: of org_team, by ann, new epoch true", "team: ann is owner", "team: bob is admin", "team: cy is member",
	}
	for name, c := range map[string]struct {
		o    server.RestoreOptions
		lose bool
		want []string
	}{
		"the replaced file is there": {want: []string{
			"A: ann is owner", "A: bob is viewer", "A: of org_team, by ann, new epoch true", "B: bob is owner", "B: of org_team, by bob, new epoch true",
			"C: ann is owner", "C: of org_ann, by ann, new epoch true", "team: ann is owner", "team: bob is member",
			`ann new, bob bob@example.net, link true $new, beyond true, key ""`, "1: revoked, ticket false, mail false", "2: open, ticket true, mail true",
		}},
		"it is lost": {lose: true, want: append(slices.Clone(asBefore), `ann old, bob bob@example.org, link false $old, beyond true, key ""`,
			"1: revoked, ticket false, mail false", "2: revoked, ticket false, mail false")},
		"nothing was taken away, says its operator": {o: server.RestoreOptions{Unchanged: true}, want: append(slices.Clone(asBefore),
			`ann old, bob bob@example.org, link true $old, beyond true, key ""`, "1: open, ticket true, mail true", "2: open, ticket true, mail true")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, backup := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "b.db")
			inFile(t, data, beforehand)
			if _, err := server.MakeBackup(t.Context(), restoring(data), backup); err != nil {
				t.Fatal(err)
			}
			inFile(t, data, since)
			if c.lose {
				if err := os.Remove(data); err != nil {
					t.Fatal(err)
				}
			}
			r, err := server.Restore(t.Context(), restoring(data), backup, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := access(t, data); !slices.Equal(got, c.want) {
				t.Errorf("there is\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if c.lose == (r.Aside != "") {
				t.Errorf("the replaced file is in %q", r.Aside)
			} else if r.Aside != "" {
				if got, err := server.Check(t.Context(), r.Aside); err != nil || got.Accounts != 4 {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	}
}

// A restore that cannot be changes nothing.
func TestB1_ARestoreThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	data, backup := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "b.db")
	inFile(t, data, beforehand)
	if _, err := server.MakeBackup(t.Context(), restoring(data), backup); err != nil {
		t.Fatal(err)
	}
	inFile(t, backup, func(tx store.Tx) error { return tx.Boards().SetRole(bobs, "bob", sharing.RoleNone) }) // without an owner
	before, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Restore(t.Context(), restoring(data), backup, server.RestoreOptions{}); fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "has no owner") {
		t.Errorf("a backup that is not sound: %v", err)
	}
	st, err := boltstore.Open(boltstore.Options{Path: data})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Restore(t.Context(), restoring(data), backup, server.RestoreOptions{}); fault.KindOf(err) == "" {
		t.Error("it was restored beside a server that runs")
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(data)
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("the data file was changed, %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(data)); err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// Who has given something away since the backup does not get it back, as long as those who have it by now are in the backup.
func TestV3_SI19_ARestoreLeavesThingsToThoseWhoOwnThemByNow(t *testing.T) {
	t.Parallel()
	data, backup := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "b.db")
	inFile(t, data, beforehand)
	if _, err := server.MakeBackup(t.Context(), restoring(data), backup); err != nil {
		t.Fatal(err)
	}
	inFile(t, data, func(tx store.Tx) error {
		os, bs := tx.Organisations(), tx.Boards()
		return errors.Join(
			bs.SetRole(sales, "bob", sharing.RoleOwner), bs.SetRole(sales, "ann", sharing.RoleNone), bs.Put(store.Board{ID: sales, Organisation: team, Owner: "bob", Epoch: 2}),
			os.SetMember(team, "cy", store.MemberOwner), os.SetMember(team, "ann", store.MemberMember),
			// Where it is by now is not in the backup, and who was a member of where it was must not see it again.
			os.Put(store.Organisation{ID: "org_new"}), os.SetMember("org_new", "ann", store.MemberOwner), bs.Put(store.Board{ID: moving, Organisation: "org_new", Owner: "ann", Epoch: 2}))
	})
	if _, err := server.Restore(t.Context(), restoring(data), backup, server.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	got := access(t, data)
	for _, want := range []string{"A: bob is owner", "A: cy is viewer", "A: of org_team, by bob, new epoch true", "C: of org_ann, by ann, new epoch true", "team: ann is member", "team: bob is admin", "team: cy is owner"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s: not in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if slices.Contains(got, "A: ann is owner") {
		t.Error("who gave the dashboard away owns it again")
	}
}

// A dashboard that went to the trash since is out of it again; its link, which showed nothing any more, does not.
func TestL4_ARestoreShowsNobodyWhatWentToTheTrash(t *testing.T) {
	t.Parallel()
	data, backup := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "b.db")
	inFile(t, data, beforehand)
	if _, err := server.MakeBackup(t.Context(), restoring(data), backup); err != nil {
		t.Fatal(err)
	}
	inFile(t, data, func(tx store.Tx) error {
		rec, _, err := tx.Boards().Get(sales)
		rec.Trashed = true
		return errors.Join(err, tx.Boards().Put(rec))
	})
	r, err := server.Restore(t.Context(), restoring(data), backup, server.RestoreOptions{})
	if err != nil || r.LinksOff != 1 {
		t.Errorf("%d links are turned off, %v", r.LinksOff, err)
	}
	inFile(t, data, func(tx store.Tx) error {
		if l, err := tx.Links().Get(sales); err != nil || l.Enabled {
			t.Errorf("the link is open again, %v", err)
		}
		return nil
	})
}

// What a restore replaces is kept whenever it is, and however often.
func TestB1_ARestoreOverwritesNothingThatWasPutAside(t *testing.T) {
	t.Parallel()
	data, backup := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "b.db")
	inFile(t, data, beforehand)
	if _, err := server.MakeBackup(t.Context(), restoring(data), backup); err != nil {
		t.Fatal(err)
	}
	d := restoring(data)
	at := time.Now()
	d.Now = func() time.Time { return at }
	aside := map[string]bool{}
	for n := range 3 {
		inFile(t, data, func(tx store.Tx) error {
			return tx.Accounts().Put(store.Account{ID: store.AccountID(fmt.Sprint("new", n)), Email: fmt.Sprint(n, "@example.org"), Personal: annsOwn})
		})
		r, err := server.Restore(t.Context(), d, backup, server.RestoreOptions{Unchanged: true})
		if err != nil {
			t.Fatal(err)
		}
		aside[r.Aside] = true
		inFile(t, r.Aside, func(tx store.Tx) error {
			if _, ok, err := tx.Accounts().Get(store.AccountID(fmt.Sprint("new", n))); err != nil || !ok {
				t.Errorf("what restore %d replaced is lost, %v", n, err)
			}
			return nil
		})
	}
	if len(aside) != 3 {
		t.Errorf("three replaced files are in %v", aside)
	}
}

// afterStart reads random bytes when a server was started.
type afterStart struct {
	start func()
	once  sync.Once
}

func (a *afterStart) Read(p []byte) (int, error) {
	a.once.Do(a.start)
	return rand.Read(p)
}

// A server that is started while a file is being restored where none was must not go on with one that nobody finds.
func TestB1_ARestoreTakesNoFileFromAServerThatWasJustStarted(t *testing.T) {
	t.Parallel()
	data, backup := filepath.Join(t.TempDir(), "s.db"), filepath.Join(t.TempDir(), "b.db")
	inFile(t, backup, beforehand)
	d := restoring(data)
	var st *boltstore.Store
	d.Random = &afterStart{start: func() {
		var err error
		if st, err = boltstore.Open(boltstore.Options{Path: data}); err != nil {
			t.Error(err)
		}
	}}
	if _, err := server.Restore(t.Context(), d, backup, server.RestoreOptions{}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("it was restored over the file of a server that runs: %v", err)
	}
	if err := errors.Join(st.Update(t.Context(), func(tx store.Tx) error { return tx.Accounts().Put(store.Account{ID: "eve", Email: "e@example.org"}) }), st.Close()); err != nil {
		t.Fatal(err)
	}
	inFile(t, data, func(tx store.Tx) error {
		if _, ok, err := tx.Accounts().Get("eve"); err != nil || !ok {
			t.Errorf("what that server stored is lost, %v", err)
		}
		return nil
	})
	if left, err := os.ReadDir(filepath.Dir(data)); err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
}
