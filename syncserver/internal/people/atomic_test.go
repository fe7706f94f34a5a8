package people_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

var errWrite = errors.New("the disk failed")

// failingStore is a store of whose updates the n-th write fails, counted from zero in left.
type failingStore struct {
	store.Store
	left *int
}

func (f failingStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	return f.Store.Update(ctx, func(tx store.Tx) error { return fn(failing{tx, f.left}) })
}

type failing struct {
	store.Tx
	left *int
}

func (f failing) write(do func() error) error {
	if *f.left == 0 {
		return errWrite
	}
	*f.left--
	return do()
}

func (f failing) Boards() store.Boards               { return failingBoards{f.Tx.Boards(), f} }
func (f failing) Organisations() store.Organisations { return failingOrgs{f.Tx.Organisations(), f} }
func (f failing) Invitations() store.Invitations     { return failingInvitations{f.Tx.Invitations(), f} }
func (f failing) Outbox() store.Outbox               { return failingOutbox{f.Tx.Outbox(), f} }
func (f failing) Guard() store.Guard                 { return failingGuard{f.Tx.Guard(), f} }
func (f failing) Commands() store.Commands           { return failingCommands{f.Tx.Commands(), f} }
func (f failing) Replica(id board.ID) replica.Tx     { return failingReplica{f.Tx.Replica(id), f} }

func (f failingBoards) Put(b store.Board) error {
	return f.f.write(func() error { return f.Boards.Put(b) })
}

func (f failingBoards) SetRole(id board.ID, a store.AccountID, r store.Role) error {
	return f.f.write(func() error { return f.Boards.SetRole(id, a, r) })
}

func (f failingOrgs) SetMember(id store.OrganisationID, a store.AccountID, r store.MemberRole) error {
	return f.f.write(func() error { return f.Organisations.SetMember(id, a, r) })
}

func (f failingInvitations) Put(i store.Invitation) error {
	return f.f.write(func() error { return f.Invitations.Put(i) })
}

func (f failingInvitations) Delete(id store.InvitationID) error {
	return f.f.write(func() error { return f.Invitations.Delete(id) })
}

func (f failingOutbox) Put(m store.Mail) error {
	return f.f.write(func() error { return f.Outbox.Put(m) })
}

func (f failingOutbox) Delete(id store.MailID) error {
	return f.f.write(func() error { return f.Outbox.Delete(id) })
}

func (f failingGuard) SetBudget(key []byte, full, now int64) error {
	return f.f.write(func() error { return f.Guard.SetBudget(key, full, now) })
}

func (f failingCommands) Put(a store.AccountID, id string, r store.Answer) error {
	return f.f.write(func() error { return f.Commands.Put(a, id, r) })
}

func (f failingReplica) Put(k, v []byte) error {
	return f.f.write(func() error { return f.Tx.Put(k, v) })
}

type (
	failingBoards struct {
		store.Boards
		f failing
	}
	failingOrgs struct {
		store.Organisations
		f failing
	}
	failingInvitations struct {
		store.Invitations
		f failing
	}
	failingOutbox struct {
		store.Outbox
		f failing
	}
	failingGuard struct {
		store.Guard
		f failing
	}
	failingCommands struct {
		store.Commands
		f failing
	}
	failingReplica struct {
		replica.Tx
		f failing
	}
)

// everything is all that a change of people may change, as text.
func (w *world) everything() (all string) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		for _, b := range []board.ID{one, two} {
			rec, _, err1 := tx.Boards().Get(b)
			roles, err2 := tx.Boards().Roles(b)
			invited, err3 := tx.Invitations().OfBoard(b)
			hub, err4 := replica.OpenHub(tx.Replica(b))
			if err := errors.Join(err1, err2, err3, err4); err != nil {
				return err
			}
			_, seq := hub.Head()
			all += fmt.Sprintf("%+v %+v %+v %d\n", rec, roles, invited, seq)
		}
		members, err1 := tx.Organisations().Members(team)
		invited, err2 := tx.Invitations().OfOrganisation(team)
		mails, _, err3 := tx.Outbox().Due(1<<50, 100)
		all += fmt.Sprintf("%+v %+v %+v", members, invited, mails)
		return errors.Join(err1, err2, err3)
	})
	return all
}

const team = store.OrganisationID("org_team")

// Whatever write fails, the old state stands whole: no invitation without its mail or its answer, no role that nobody was
// told of, nothing accepted that gave nothing. Once the disk works again the same applies, once.
func TestI7_V1_AFailureAtAnyStepLeavesTheOldState(t *testing.T) {
	t.Parallel()
	type step = func(w *world) func(s *people.Service, st store.Store) error
	by := func(a sharing.Action, set func(*world, *sharing.Command)) step {
		return func(w *world) func(*people.Service, store.Store) error {
			c := command(a, func(c *sharing.Command) { set(w, c) })
			return func(s *people.Service, st store.Store) error {
				minted, err := s.Prepare(w.ctx.Context(), access.Account(ann), c)
				if err != nil {
					return err
				}
				return st.Update(w.ctx.Context(), func(tx store.Tx) error {
					out, err := people.Apply(tx, &w.heard, access.Account(ann), c, minted, w.now.UnixMilli())
					if err == nil && out.Fault != nil {
						return out.Fault
					}
					return err
				})
			}
		}
	}
	accepts := func(token func(*world) string) step {
		return func(w *world) func(*people.Service, store.Store) error {
			secret := token(w)
			return func(s *people.Service, _ store.Store) error {
				_, err := s.Accept(w.ctx.Context(), bob, secret)
				return err
			}
		}
	}
	member := func(w *world) {
		if err := w.accept(bob, w.token(w.invite(ann, address(bob), sharing.RoleEditor))); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		step  step
		least int
	}{
		"invite": {by(sharing.Invite, func(_ *world, c *sharing.Command) { c.Email, c.Role = "eve@example.org", sharing.RoleViewer }), 5},
		"invite anew": {by(sharing.Invite, func(w *world, c *sharing.Command) {
			w.invite(ann, "eve@example.org", sharing.RoleViewer)
			w.now = w.now.Add(8 * 24 * time.Hour)
			c.Email, c.Role = "eve@example.org", sharing.RoleEditor
		}), 7},
		"resend": {by(sharing.Resend, func(w *world, c *sharing.Command) {
			c.Invitation = w.invite(ann, "eve@example.org", sharing.RoleViewer)
		}), 6},
		"revoke": {by(sharing.Revoke, func(w *world, c *sharing.Command) {
			c.Invitation = w.invite(ann, "eve@example.org", sharing.RoleViewer)
		}), 3},
		"lower":      {by(sharing.SetMemberRole, func(w *world, c *sharing.Command) { member(w); c.Account, c.Role = string(bob), sharing.RoleViewer }), 4},
		"remove":     {by(sharing.SetMemberRole, func(w *world, c *sharing.Command) { member(w); c.Account = string(bob) }), 4},
		"give over":  {by(sharing.SetMemberRole, func(w *world, c *sharing.Command) { member(w); c.Account, c.Role = string(bob), sharing.RoleOwner }), 4},
		"they share": {by(sharing.SetEditorShare, func(_ *world, c *sharing.Command) { c.Allow = true }), 4},
		"move":       {by(sharing.Move, func(_ *world, c *sharing.Command) { c.Organisation = string(team) }), 4},
		"accept":     {accepts(func(w *world) string { return w.token(w.invite(ann, address(bob), sharing.RoleViewer)) }), 4},
		"join": {accepts(func(w *world) string {
			orgs := organisation.New(organisation.Config{Store: w.store, Mail: w.office, Events: &w.heard, Now: func() time.Time { return w.now }, Random: rand.Reader, Base: "https://dash.example"})
			if err := orgs.Invite(w.ctx.Context(), ann, team, organisation.Guest{Email: address(bob), Role: store.MemberMember}); err != nil {
				t.Fatal(err)
			}
			d, err := orgs.Look(w.ctx.Context(), ann, team)
			if err != nil {
				t.Fatal(err)
			}
			w.do(ann, sharing.Move, func(c *sharing.Command) { c.Organisation = string(team) })
			return w.token(d.Invitations[0].ID)
		}), 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.update(func(tx store.Tx) error {
				if err := tx.Organisations().Put(store.Organisation{ID: team, Name: "Team"}); err != nil {
					return err
				}
				return tx.Organisations().SetMember(team, ann, store.MemberOwner)
			})
			left := 1 << 30
			broken := failingStore{w.store, &left}
			do := c.step(w)
			service := w.service(broken)
			before := w.everything()
			w.heard.what = nil
			steps := 0
			for n := 0; ; n++ {
				left = n
				err := do(service, broken)
				if err == nil {
					break
				}
				if !errors.Is(err, errWrite) {
					t.Fatal(err)
				}
				steps++
				if after := w.everything(); after != before || len(w.heard.what) > 0 {
					t.Fatalf("write %d failed and left\n%s\nof\n%s\nheard %v", n, after, before, w.heard.what)
				}
			}
			if steps < c.least {
				t.Errorf("only %d writes could fail", steps)
			}
			done := w.everything()
			if done == before || len(w.heard.what) == 0 {
				t.Error("nothing has changed, or nobody heard of it")
			}
			left = 1 << 30
			if err := do(service, broken); err != nil || w.everything() != done {
				t.Errorf("a repeat changed something: %v", err)
			}
		})
	}
}
