package account_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// update changes the store directly, as other parts of the server do.
func (w *world) update(t *testing.T, fn func(tx store.Tx) error) {
	t.Helper()
	if err := w.store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// board makes a dashboard of an account's, in an organisation; "" is its personal one.
func (w *world) board(t *testing.T, owner account.SignIn, org store.OrganisationID) board.ID {
	t.Helper()
	id := board.NewID(ulid.Make())
	w.update(t, func(tx store.Tx) error {
		if err := content.Create(tx, room.New(), owner.Account, []content.NewBoard{{ID: id, Epoch: 1, Now: 1}}); err != nil {
			return err
		}
		rec, _, err := tx.Boards().Get(id)
		if err != nil || org == "" {
			return err
		}
		rec.Organisation = org
		return tx.Boards().Put(rec)
	})
	return id
}

// organisation makes one with these members, the first of whom is its owner.
func (w *world) organisation(t *testing.T, name string, members ...account.SignIn) store.OrganisationID {
	t.Helper()
	id := store.OrganisationID("org_" + ulid.Make().String())
	w.update(t, func(tx store.Tx) error {
		if err := tx.Organisations().Put(store.Organisation{ID: id, Name: name, Created: 1}); err != nil {
			return err
		}
		for i, m := range members {
			role := store.MemberMember
			if i == 0 {
				role = store.MemberOwner
			}
			if err := tx.Organisations().SetMember(id, m.Account, role); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

func (w *world) role(t *testing.T, id board.ID, who account.SignIn, role sharing.Role) {
	t.Helper()
	w.update(t, func(tx store.Tx) error { return tx.Boards().SetRole(id, who.Account, role) })
}

// invitation makes one by an account, with a mail that waits.
func (w *world) invitation(t *testing.T, n byte, by account.SignIn, b board.ID, org store.OrganisationID) store.InvitationID {
	t.Helper()
	id, m := sharing.NewInvitationID(ulid.Make()), store.MailID("mail_"+ulid.Make().String())
	w.update(t, func(tx store.Tx) error {
		if err := tx.Outbox().Put(store.Mail{ID: m, To: "x@example.org", Next: 1, Invitation: id}); err != nil {
			return err
		}
		return tx.Invitations().Put(store.Invitation{
			ID: id, Board: b, Organisation: org, Email: "x@example.org", By: by.Account, Hash: store.Hash{n}, State: store.InvitationOpen, Mail: m,
		})
	})
	return id
}

func TestSI19_DeletingAnAccountLeavesEveryDashboardAnOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ben := w.signUp(t, from("192.0.2.8", "ben@example.org", password))
	cat := w.signUp(t, from("192.0.2.7", "cat@example.org", password))
	team := w.organisation(t, "Team", ben, ann, cat)
	alone := w.organisation(t, "Alone", ann)
	own, inAlone := w.board(t, ann, ""), w.board(t, ann, alone)
	inTeam, bens, catsInTeam := w.board(t, ann, team), w.board(t, ben, ""), w.board(t, cat, team)
	w.role(t, bens, ann, sharing.RoleEditor)
	w.role(t, own, ben, sharing.RoleEditor)
	w.role(t, inTeam, cat, sharing.RoleViewer)
	token, err := sharing.NewToken(strings.NewReader(strings.Repeat("a secret", 20)))
	if err != nil {
		t.Fatal(err)
	}
	w.update(t, func(tx store.Tx) error {
		out, err := sharelink.Apply(tx, room.New(), access.Account(ann.Account), sharing.Command{
			ID: sharing.NewCommandID(ulid.Make()), Board: own, Action: sharing.Enable, Token: token, ShortID: "abcdefghij",
		}, 1)
		if err == nil && out.Fault != nil {
			err = out.Fault
		}
		return err
	})
	toOwn, toTeamBoard := w.invitation(t, 1, ann, own, ""), w.invitation(t, 2, ann, inTeam, "")
	toTeam, bensToTeam := w.invitation(t, 3, ann, "", team), w.invitation(t, 4, ben, inTeam, "")
	me := w.me(t, ann)
	program, _, err := w.service.CreateToken(t.Context(), me, "script", account.Scopes(), w.time().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	reset := w.forgot(t)

	l, err := w.service.Leaving(t.Context(), me)
	want := account.Leaving{
		Gone:   []string{"Untitled dashboard", "Untitled dashboard"},
		Passed: []account.Passed{{Title: "Untitled dashboard", Organisation: "Team", To: "ben"}}, Closed: []string{"Alone"},
	}
	if err != nil || !reflect.DeepEqual(l, want) {
		t.Errorf("%+v, %v", l, err)
	}
	for field, c := range map[string][2]string{"email": {"ben@example.org", password}, "password": {"ann@example.org", "wrong"}} {
		if f := fault.From(w.service.Delete(t.Context(), me, c[0], c[1], here)); f.Kind != fault.Invalid || f.Field != field {
			t.Errorf("%s: %v", field, f)
		}
	}
	w.me(t, ann)
	if err := w.service.Delete(t.Context(), me, " Ann@example.org", password, here); err != nil {
		t.Fatal(err)
	}

	for name, secret := range map[string]account.Token{"session": ann.Token, "token": program} {
		_, err := w.service.Authenticate(t.Context(), secret.Reveal())
		isKind(t, name, err, fault.Unauthenticated)
	}
	isKind(t, "a ticket from before", w.service.Reset(t.Context(), reset, another, here), fault.NotFound)
	if w.logsIn(t, "ann@example.org", password) {
		t.Error("the account can be logged in to")
	}
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		for _, id := range []board.ID{own, inAlone} {
			if rec, ok, err := tx.Boards().Get(id); err != nil || !ok || rec.Destroyed == 0 {
				t.Errorf("a dashboard of the account's own: %+v, %v", rec, err)
			}
		}
		if _, ok, err := tx.Links().ByToken(token); ok || err != nil {
			t.Errorf("its link works: %v, %v", ok, err)
		}
		if used, err := tx.Links().Used(token, ""); !used || err != nil {
			t.Errorf("its token is free: %v, %v", used, err)
		}
		for id, owner := range map[board.ID]store.AccountID{inTeam: ben.Account, bens: ben.Account, catsInTeam: cat.Account} {
			rec, _, err := tx.Boards().Get(id)
			if err != nil || rec.Destroyed != 0 || rec.Owner != owner {
				t.Errorf("a dashboard that stays: %+v, %v", rec, err)
			}
			holders, err := tx.Boards().Roles(id)
			if err != nil || !slices.Contains(holders, store.Holder{Account: owner, Role: sharing.RoleOwner}) ||
				slices.ContainsFunc(holders, func(h store.Holder) bool { return h.Account == ann.Account }) {
				t.Errorf("roles on it: %+v, %v", holders, err)
			}
		}
		if role, err := tx.Boards().Role(inTeam, cat.Account); role != sharing.RoleViewer || err != nil {
			t.Errorf("another's role: %q, %v", role, err)
		}
		if _, ok, err := tx.Organisations().Get(alone); ok || err != nil {
			t.Errorf("an organisation of nobody: %v, %v", ok, err)
		}
		if members, err := tx.Organisations().Members(team); len(members) != 2 || err != nil {
			t.Errorf("members: %+v, %v", members, err)
		}
		if orgs, err := tx.Organisations().Of(ann.Account); len(orgs) != 0 || err != nil {
			t.Errorf("memberships: %v, %v", orgs, err)
		}
		if _, ok, err := tx.Invitations().Get(toOwn); ok || err != nil {
			t.Errorf("an invitation to what is gone: %v, %v", ok, err)
		}
		for id, want := range map[store.InvitationID]store.InvitationState{toTeamBoard: store.InvitationRevoked, toTeam: store.InvitationRevoked, bensToTeam: store.InvitationOpen} {
			inv, ok, err := tx.Invitations().Get(id)
			if !ok || err != nil || inv.State != want {
				t.Errorf("an invitation: %+v, %v", inv, err)
			}
			if _, waits, err := tx.Outbox().Get(inv.Mail); waits != (want == store.InvitationOpen) || err != nil {
				t.Errorf("its mail waits: %v, %v", waits, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all := w.mails(t, "ann@example.org")
	if !strings.Contains(all[len(all)-1], "was deleted") {
		t.Errorf("the owner was told %q", all[len(all)-1])
	}
	// The address is free again, and nothing of before comes with it.
	w.now.Add(3600)
	again := w.signUp(t, from("192.0.2.9", "ann@example.org", another))
	if l, err := w.service.Leaving(t.Context(), w.me(t, again)); err != nil || again.Account == ann.Account || len(l.Gone)+len(l.Passed) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestSI19_AnOrganisationIsNotLeftWithoutAnOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ben := w.signUp(t, from("192.0.2.8", "ben@example.org", password))
	team := w.organisation(t, "Team", ann, ben)
	own := w.board(t, ann, "")
	me := w.me(t, ann)
	if l, err := w.service.Leaving(t.Context(), me); err != nil || !slices.Equal(l.Stuck, []string{"Team"}) {
		t.Errorf("%+v, %v", l, err)
	}
	err := w.service.Delete(t.Context(), me, "ann@example.org", password, here)
	if f := fault.From(err); f.Kind != fault.Conflict || !strings.Contains(f.Message, "Team") {
		t.Errorf("%v", err)
	}
	w.me(t, ann)
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		if rec, _, err := tx.Boards().Get(own); rec.Destroyed != 0 || err != nil {
			t.Errorf("%+v, %v", rec, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.update(t, func(tx store.Tx) error { return tx.Organisations().SetMember(team, ben.Account, store.MemberOwner) })
	if err := w.service.Delete(t.Context(), me, "ann@example.org", password, here); err != nil {
		t.Error(err)
	}
}

// What others own too is not deleted with the account in whose organisation it happens to be: it goes to one of them.
func TestSI19_WhatOthersOwnTooOutlivesTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ben := w.signUp(t, from("192.0.2.8", "ben@example.org", password))
	cat := w.signUp(t, from("192.0.2.7", "cat@example.org", password))
	shared, team := w.board(t, ann, ""), w.organisation(t, "Team", cat, ann)
	inTeam := w.board(t, ann, team)
	for _, id := range []board.ID{shared, inTeam} {
		w.role(t, id, ben, sharing.RoleOwner)
	}
	mine, bens := w.invitation(t, 1, ann, shared, ""), w.invitation(t, 2, ben, shared, "")
	me := w.me(t, ann)
	l, err := w.service.Leaving(t.Context(), me)
	want := []account.Passed{{Title: "Untitled dashboard", To: "ben"}, {Title: "Untitled dashboard", Organisation: "Team", To: "ben"}}
	if err != nil || len(l.Gone)+len(l.Stuck) != 0 || !reflect.DeepEqual(l.Passed, want) {
		t.Errorf("%+v, %v", l, err)
	}
	if err := w.service.Delete(t.Context(), me, "ann@example.org", password, here); err != nil {
		t.Fatal(err)
	}
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		heir, _, err := tx.Accounts().Get(ben.Account)
		if err != nil {
			return err
		}
		for id, org := range map[board.ID]store.OrganisationID{shared: heir.Personal, inTeam: team} {
			rec, _, err := tx.Boards().Get(id)
			if err != nil || rec.Destroyed != 0 || rec.Owner != ben.Account || rec.Organisation != org {
				t.Errorf("a dashboard of two: %+v, %v", rec, err)
			}
			if _, err := access.Open(tx, access.Account(ben.Account), id, access.Own); err != nil {
				t.Errorf("the other owner: %v", err)
			}
			_, err = access.Open(tx, access.Account(ann.Account), id, access.View)
			isKind(t, "the account that was deleted", err, fault.NotFound)
		}
		for id, state := range map[store.InvitationID]store.InvitationState{mine: store.InvitationRevoked, bens: store.InvitationOpen} {
			if inv, ok, err := tx.Invitations().Get(id); !ok || err != nil || inv.State != state {
				t.Errorf("an invitation: %+v, %v", inv, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
