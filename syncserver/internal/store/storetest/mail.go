package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

func testTickets(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	one := store.Ticket{Hash: store.Hash{1}, Kind: store.TicketSignUp, Created: 1, Expires: 50, Email: "a@b.org", Password: "x", Name: "A", Claim: store.Hash{9}, Label: "l", Kept: "/invite/x"}
	two := store.Ticket{Hash: store.Hash{2}, Kind: store.TicketReset, Created: 2, Expires: 10, Account: ann, Revision: 3}
	update(t, s, func(tx store.Tx) error { return errors.Join(tx.Tickets().Put(one), tx.Tickets().Put(two)) })
	s = view(t, o, s, func(tx store.Tx) error {
		a, okA, err := tx.Tickets().Get(one.Hash)
		b, okB, err2 := tx.Tickets().Get(two.Hash)
		_, other, err3 := tx.Tickets().Get(store.Hash{0, 1})
		return errors.Join(err, err2, err3, want("found", okA && okB && !other, true), want("one", a, one), want("two", b, two))
	})
	later := store.Ticket{Hash: store.Hash{3}, Kind: store.TicketClaim, Created: 20, Expires: 90}
	update(t, s, func(tx store.Tx) error { return tx.Tickets().Put(later) })
	s = view(t, o, s, func(tx store.Tx) error {
		_, okA, err := tx.Tickets().Get(one.Hash)
		_, okB, err2 := tx.Tickets().Get(two.Hash)
		return errors.Join(err, err2, want("in time", okA, true), want("expired", okB, false))
	})
	one.Expires = 5
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Tickets().Put(one), tx.Tickets().Delete(later.Hash), tx.Tickets().Delete(store.Hash{7}))
	})
	view(t, o, s, func(tx store.Tx) error {
		got, ok, err := tx.Tickets().Get(one.Hash)
		_, gone, err2 := tx.Tickets().Get(later.Hash)
		return errors.Join(err, err2, want("replaced", ok, true), want("expiry", got.Expires, 5), want("deleted", gone, false))
	})
}

func testInvitations(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	one := store.Invitation{
		ID: "inv_1", Board: boardA, Email: "bob@example.org", Role: sharing.RoleViewer, Message: "m", By: ann, Created: 1, Expires: 2,
		Hash: store.Hash{1}, State: store.InvitationOpen, Mail: "mail_1", Delivery: sharing.DeliveryQueued,
	}
	two := store.Invitation{ID: "inv_2", Organisation: orgA, Email: one.Email, MemberRole: store.MemberAdmin, Hash: store.Hash{2}, State: store.InvitationOpen}
	three := store.Invitation{ID: "inv_3", Board: boardB, Email: "bob@example.or", Hash: store.Hash{3}, State: store.InvitationRevoked}
	update(t, s, func(tx store.Tx) error {
		is := tx.Invitations()
		return errors.Join(is.Put(three), is.Put(two), is.Put(one))
	})
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Invitations().Put(store.Invitation{ID: "inv_4", Hash: one.Hash})
	})
	if !errors.Is(err, store.ErrTaken) {
		t.Fatalf("two invitations with one token: %v", err)
	}
	list := func(got []store.Invitation, err error, wanted ...store.Invitation) error {
		if !slices.Equal(got, wanted) {
			err = errors.Join(err, fmt.Errorf("got %v, want %v", got, wanted))
		}
		return err
	}
	s = view(t, o, s, func(tx store.Tx) error {
		is := tx.Invitations()
		a, err := is.OfBoard(boardA)
		b, err2 := is.OfOrganisation(orgA)
		c, err3 := is.OfEmail(one.Email)
		d, err4 := is.OfBoard("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1")
		got, ok, err5 := is.ByHash(one.Hash)
		_, no, err6 := is.ByHash(store.Hash{0, 1})
		return errors.Join(list(a, err, one), list(b, err2, two), list(c, err3, one, two), list(d, err4), err5, err6,
			want("by hash", got, one), want("found", ok, true), want("not found", no, false))
	})
	renewed := one
	renewed.Hash, renewed.Email = store.Hash{11}, "new@example.org"
	update(t, s, func(tx store.Tx) error { return tx.Invitations().Put(renewed) })
	s = view(t, o, s, func(tx store.Tx) error {
		old, ok, err := tx.Invitations().ByHash(store.Hash{1})
		got, ok2, err2 := tx.Invitations().ByHash(store.Hash{11})
		c, err3 := tx.Invitations().OfEmail(one.Email)
		d, err4 := tx.Invitations().OfEmail(renewed.Email)
		return errors.Join(err, err2, want("old token leads to it", ok && ok2, true), want("old", old, renewed), want("new", got, renewed), list(c, err3, two), list(d, err4, renewed))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Invitations().Delete("inv_1"), tx.Invitations().Delete("inv_9"))
	})
	view(t, o, s, func(tx store.Tx) error {
		_, ok, err := tx.Invitations().ByHash(store.Hash{1})
		_, ok2, err2 := tx.Invitations().ByHash(store.Hash{11})
		_, ok3, err3 := tx.Invitations().Get("inv_1")
		a, err4 := tx.Invitations().OfBoard(boardA)
		return errors.Join(err, err2, err3, list(a, err4), want("deleted", ok || ok2 || ok3, false))
	})
}

func testOutbox(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	one := store.Mail{ID: "mail_1", To: "a@b.org", Data: []byte("x\r\n"), Created: 1, Next: 5, Attempts: 2, Invitation: "inv_1"}
	two := store.Mail{ID: "mail_2", To: "c@b.org", Data: []byte("y"), Next: 3}
	three := store.Mail{ID: "mail_3", To: "d@b.org", Data: []byte("z"), Next: 9}
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Outbox().Put(one), tx.Outbox().Put(two), tx.Outbox().Put(three))
	})
	due := func(tx store.Tx, until int64, limit int, first int64, wanted ...store.Mail) error {
		got, at, err := tx.Outbox().Due(until, limit)
		if len(got) != len(wanted) || len(got) > 0 && !reflect.DeepEqual(got, wanted) {
			err = errors.Join(err, fmt.Errorf("due at %d: got %v, want %v", until, got, wanted))
		}
		return errors.Join(err, want("first", at, first))
	}
	s = view(t, o, s, func(tx store.Tx) error {
		n, err := tx.Outbox().Len()
		return errors.Join(err, want("how many", n, 3), due(tx, 2, 9, 3), due(tx, 3, 9, 3, two), due(tx, 99, 2, 3, two, one), due(tx, 99, 9, 3, two, one, three), due(tx, 99, 0, 3))
	})
	two.Next, two.Attempts = 20, 1
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Outbox().Put(two), tx.Outbox().Delete("mail_1"), tx.Outbox().Delete("mail_9"))
	})
	view(t, o, s, func(tx store.Tx) error {
		_, gone, err := tx.Outbox().Get("mail_1")
		got, ok, err2 := tx.Outbox().Get("mail_2")
		return errors.Join(err, err2, want("sent", gone, false), want("put off", ok && reflect.DeepEqual(got, two), true), due(tx, 99, 9, 9, three, two))
	})
}

func testDeletion(t *testing.T, o Opener) {
	t.Helper()
	s := o.Open(t)
	a := store.Account{ID: ann, Email: "ann@example.org", Name: "Ann", Verified: 4, Revision: 2}
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Accounts().Put(a), tx.Accounts().Put(store.Account{ID: bob, Email: "bob@example.org"}),
			tx.Organisations().Put(store.Organisation{ID: orgA, Name: "A"}), tx.Organisations().Put(store.Organisation{ID: orgB, Name: "B"}),
			tx.Organisations().SetMember(orgA, ann, store.MemberOwner), tx.Organisations().SetMember(orgB, ann, store.MemberOwner))
	})
	s = view(t, o, s, func(tx store.Tx) error {
		got, _, err := tx.Accounts().Get(ann)
		return errors.Join(err, want("account", got, a), want("name", got.Shown(), "Ann"), want("address as name", store.Account{Email: "bob@example.org"}.Shown(), "bob"))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Accounts().Delete(ann), tx.Accounts().Delete("acc_9"), tx.Organisations().Delete(orgA), tx.Organisations().Delete("org_9"))
	})
	s = view(t, o, s, func(tx store.Tx) error {
		_, ok, err := tx.Accounts().Get(ann)
		_, ok2, err2 := tx.Accounts().ByEmail(a.Email)
		_, other, err3 := tx.Accounts().ByEmail("bob@example.org")
		_, org, err4 := tx.Organisations().Get(orgA)
		_, orgOther, err5 := tx.Organisations().Get(orgB)
		of, err6 := tx.Organisations().Of(ann)
		members, err7 := tx.Organisations().Members(orgA)
		return errors.Join(err, err2, err3, err4, err5, err6, err7, want("account", ok || ok2, false), want("other account", other, true),
			want("organisation", org, false), want("other organisation", orgOther, true), want("memberships", len(of), 1), want("members", len(members), 0))
	})
	update(t, s, func(tx store.Tx) error { return tx.Accounts().Put(store.Account{ID: bob, Email: a.Email}) })
}
