package boltstore

import (
	"bytes"
	"context"
	"errors"

	"github.com/fxamacker/cbor/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

// auditor holds the records of a file against each other. Files of older formats lack buckets: what is not there is empty.
type auditor struct {
	t *transaction
	r *Report
}

func (a *auditor) audit(ctx context.Context) error {
	for _, part := range []func(){
		a.accounts, a.sessions, a.organisations, a.boards, a.links, a.names, a.commands, a.budgets, a.tickets, a.invitations, a.outbox,
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		part()
	}
	return nil
}

// each calls fn with every record of a bucket.
func (a *auditor) each(bucket []byte, fn func(k, v []byte)) {
	b := a.t.btx.Bucket(bucket)
	if b == nil {
		return
	}
	_ = b.ForEach(func(k, v []byte) error { fn(k, v); return nil }) // fn does not fail
}

func (a *auditor) get(bucket, key []byte) []byte {
	b := a.t.btx.Bucket(bucket)
	if b == nil {
		return nil
	}
	return b.Get(key)
}

func (a *auditor) has(bucket, key []byte) bool { return a.get(bucket, key) != nil }

// record reads a record, or says that it cannot be read.
func record[T any](a *auditor, what string, k, raw []byte) (v T, ok bool) {
	if err := cbor.Unmarshal(raw, &v); err != nil {
		a.r.say("The record of %s %q cannot be read.", what, k)
		return v, false
	}
	return v, true
}

// records calls fn with every record of a bucket that can be read.
func records[T any](a *auditor, bucket []byte, what string, fn func(k []byte, v T)) {
	a.each(bucket, func(k, raw []byte) {
		if v, ok := record[T](a, what, k, raw); ok {
			fn(k, v)
		}
	})
}

// halves splits the key of a pair.
func halves(k []byte) (first, second []byte) {
	first, second, _ = bytes.Cut(k, []byte{0})
	return first, second
}

func (a *auditor) account(id store.AccountID) bool { return a.has(bucketAccounts, []byte(id)) }

func (a *auditor) accounts() {
	records(a, bucketAccounts, "account", func(k []byte, v store.Account) {
		a.r.Accounts++
		if string(v.ID) != string(k) || string(a.get(bucketEmails, []byte(v.Email))) != string(k) {
			a.r.say("Account %q is not found by its address.", k)
		}
		if !a.has(bucketOrgs, []byte(v.Personal)) {
			a.r.say("Account %q lacks its personal organisation.", k)
		}
	})
	a.each(bucketEmails, func(_, id []byte) {
		if !a.account(store.AccountID(id)) {
			a.r.say("An address leads to account %q, which is not there.", id)
		}
	})
}

func (a *auditor) sessions() {
	records(a, bucketSessions, "session", func(k []byte, v store.Session) {
		if string(v.Hash[:]) != string(k) || !a.has(bucketSessionsOf, pair(v.Account, string(k))) || !a.account(v.Account) {
			a.r.say("A session of account %q is not among those of an account.", v.Account)
		}
	})
	a.each(bucketSessionsOf, func(k, _ []byte) {
		if id, hash := halves(k); !a.has(bucketSessions, hash) {
			a.r.say("Account %q has a session that is not there.", id)
		}
	})
}

func (a *auditor) organisations() {
	owned := map[string]bool{}
	a.each(bucketMembers, func(k, role []byte) {
		org, who := halves(k)
		switch store.MemberRole(role) {
		case store.MemberOwner:
			owned[string(org)] = true
		case store.MemberAdmin, store.MemberMember:
		case store.MemberNone:
			fallthrough
		default:
			a.r.say("A member of organisation %q has no role that there is.", org)
		}
		if !a.has(bucketOrgs, org) || !a.account(store.AccountID(who)) || !a.has(bucketMemberOf, pair(string(who), string(org))) {
			a.r.say("Organisation %q and its member %q do not know each other.", org, who)
		}
	})
	a.each(bucketMemberOf, func(k, _ []byte) {
		if who, org := halves(k); !a.has(bucketMembers, pair(string(org), string(who))) {
			a.r.say("Account %q counts as a member of organisation %q and is none.", who, org)
		}
	})
	records(a, bucketOrgs, "organisation", func(k []byte, v store.Organisation) {
		a.r.Organisations++
		if string(v.ID) != string(k) || !owned[string(k)] {
			a.r.say("Organisation %q has no owner.", k)
		}
	})
}

func (a *auditor) boards() {
	owned := map[string]bool{}
	a.each(bucketRoles, func(k, role []byte) {
		id, who := halves(k)
		switch store.Role(role) {
		case sharing.RoleOwner:
			owned[string(id)] = true
		case sharing.RoleEditor, sharing.RoleViewer:
		case sharing.RoleNone:
			fallthrough
		default:
			a.r.say("Somebody on dashboard %q has no role that there is.", id)
		}
		if !a.account(store.AccountID(who)) || !a.has(bucketRolesOf, pair(string(who), string(id))) || !a.has(bucketBoards, id) {
			a.r.say("Dashboard %q and account %q do not know each other.", id, who)
		}
	})
	a.each(bucketRolesOf, func(k, _ []byte) {
		if who, id := halves(k); !a.has(bucketRoles, pair(string(id), string(who))) {
			a.r.say("Account %q counts as somebody on dashboard %q and is not.", who, id)
		}
	})
	records(a, bucketBoards, "dashboard", func(k []byte, v store.Board) {
		replicas := a.t.btx.Bucket(bucketReplicas)
		switch {
		case string(v.ID) != string(k):
			a.r.say("Dashboard %q is kept as %q.", v.ID, k)
		case v.Destroyed != 0:
			a.r.Deleted++
			if replicas.Bucket(k) != nil || owned[string(k)] {
				a.r.say("Dashboard %q is deleted, but its content or somebody on it is there.", k)
			}
		default:
			a.r.Boards++
			if !owned[string(k)] {
				a.r.say("Dashboard %q has no owner.", k)
			}
			if !a.has(bucketOrgs, []byte(v.Organisation)) || !a.has(bucketBoardsOf, pair(v.Organisation, v.ID)) {
				a.r.say("Dashboard %q is not among those of an organisation.", k)
			}
			a.content(v.ID)
		}
	})
	a.each(bucketBoardsOf, func(k, _ []byte) {
		org, id := halves(k)
		v, ok := record[store.Board](a, "dashboard", id, a.get(bucketBoards, id))
		if ok && (string(v.Organisation) != string(org) || v.Destroyed != 0) {
			a.r.say("Organisation %q counts dashboard %q, which is not its own.", org, id)
		}
	})
	_ = a.t.btx.Bucket(bucketReplicas).ForEachBucket(func(id []byte) error {
		if !a.has(bucketBoards, id) {
			a.r.say("There is content of dashboard %q, which is not there.", id)
		}
		return nil
	})
}

func (a *auditor) content(id board.ID) {
	hub, err := replica.OpenHub(a.t.Replica(id))
	if errors.Is(err, replica.ErrNoHub) {
		a.r.say("Dashboard %q has no content.", id)
		return
	}
	if err == nil {
		err = hub.Audit(func(problem string) { a.r.say("Dashboard %q: %s.", id, problem) })
	}
	if err != nil {
		a.r.say("The content of dashboard %q cannot be read.", id)
	}
}

func (a *auditor) links() {
	ends := map[string]bool{}
	records(a, bucketLinks, "the link of dashboard", func(k []byte, v store.Link) {
		id := board.ID(k)
		if v.Token != "" {
			a.r.Links++
		}
		if !a.has(bucketBoards, k) {
			a.r.say("There is a link to dashboard %q, which is not there.", k)
		}
		if v.Token != "" && string(a.get(bucketTokens, hashToken(v.Token))) != string(k) ||
			v.ShortID != "" && string(a.get(bucketShortIDs, hashShort(v.ShortID))) != string(k) ||
			v.Slug != "" && string(a.get(bucketSlugs, []byte(v.Slug))) != string(k) || v.Enabled && v.Token == "" {
			a.r.say("The link of dashboard %q is not found by its address.", k)
		}
		if v.Password != a.has(bucketPasswords, k) {
			a.r.say("The link of dashboard %q and its password do not agree.", k)
		}
		if end := expiry(id, v); end != nil {
			ends[string(end)] = true
			if !a.has(bucketExpiries, end) {
				a.r.say("The link of dashboard %q would not end in time.", k)
			}
		}
	})
	a.each(bucketExpiries, func(k, _ []byte) {
		if !ends[string(k)] {
			a.r.say("The end of a link is noted that has none.")
		}
	})
	a.each(bucketPasswords, func(k, _ []byte) {
		if !a.has(bucketLinks, k) {
			a.r.say("There is a password for dashboard %q, which has no link.", k)
		}
	})
	records(a, bucketViews, "the views of dashboard", func(k []byte, _ store.ViewCount) {
		if !a.has(bucketBoards, k) {
			a.r.say("There are views of dashboard %q, which is not there.", k)
		}
	})
}

// names holds what leads to links against the links.
func (a *auditor) names() {
	link := func(id []byte) (l store.Link) {
		if raw := a.get(bucketLinks, id); raw != nil {
			_ = cbor.Unmarshal(raw, &l) // said above
		}
		return l
	}
	living := func(bucket []byte, agree func(k []byte, l store.Link) bool) {
		a.each(bucket, func(k, id []byte) {
			if string(id) != dead && !agree(k, link(id)) {
				a.r.say("An address leads to dashboard %q, whose link has another.", id)
			}
		})
	}
	living(bucketTokens, func(k []byte, l store.Link) bool { return bytes.Equal(k, hashToken(l.Token)) })
	living(bucketShortIDs, func(k []byte, l store.Link) bool { return bytes.Equal(k, hashShort(l.ShortID)) })
	a.each(bucketSlugs, func(k, id []byte) {
		if string(id) != dead && !a.has(bucketSlugsOf, pair(string(id), string(k))) {
			a.r.say("The name of a link leads to dashboard %q, which never had it.", id)
		}
	})
}

func (a *auditor) commands() {
	records(a, bucketCommands, "the answer to command", func(k []byte, v store.Answer) {
		a.r.Commands++
		if a.r.Format >= 4 && !a.has(bucketAnswerTimes, at(v.At, k)) {
			a.r.say("The answer to command %q would never be forgotten.", k)
		}
	})
	a.each(bucketAnswerTimes, func(k, _ []byte) {
		if len(k) <= 8 || !a.has(bucketCommands, k[8:]) {
			a.r.say("The time of an answer is noted that is not there.")
		}
	})
}

func (a *auditor) budgets() {
	a.each(bucketBudgets, func(k, at []byte) {
		if !a.has(bucketBudgetTimes, append(bytes.Clone(at), k...)) {
			a.r.say("A budget of attempts would never be forgotten.")
		}
	})
	a.each(bucketBudgetTimes, func(k, _ []byte) {
		if len(k) <= 8 || !bytes.Equal(a.get(bucketBudgets, k[8:]), k[:8]) {
			a.r.say("The time of a budget of attempts is not its own.")
		}
	})
}

func (a *auditor) tickets() {
	records(a, bucketTickets, "ticket", func(k []byte, v store.Ticket) {
		if string(v.Hash[:]) != string(k) || !a.has(bucketTicketTimes, at(v.Expires, k)) {
			a.r.say("A ticket would never be forgotten.")
		}
	})
	a.each(bucketTicketTimes, func(k, _ []byte) {
		if len(k) <= 8 || !a.has(bucketTickets, k[8:]) {
			a.r.say("The time of a ticket is noted that is not there.")
		}
	})
}

func (a *auditor) invitations() {
	records(a, bucketInvitations, "invitation", func(k []byte, v store.Invitation) {
		a.r.Invitations++
		if string(v.ID) != string(k) || string(a.get(bucketInviteHashes, v.Hash[:])) != string(k) {
			a.r.say("Invitation %q is not found by its link.", k)
		}
		for _, o := range owners(v) {
			if o != "" && !a.has(bucketInvitesOf, pair(o, v.ID)) {
				a.r.say("Invitation %q is in no list.", k)
			}
		}
	})
	for _, index := range [][]byte{bucketInvitesOf, bucketInviteHashOf} {
		a.each(index, func(k, _ []byte) {
			owner, id := halves(k)
			if bytes.Equal(index, bucketInviteHashOf) {
				id = owner
			}
			if !a.has(bucketInvitations, id) {
				a.r.say("Invitation %q is listed and not there.", id)
			}
		})
	}
	a.each(bucketInviteHashes, func(_, id []byte) {
		if !a.has(bucketInvitations, id) {
			a.r.say("A link leads to invitation %q, which is not there.", id)
		}
	})
}

func (a *auditor) outbox() {
	records(a, bucketOutbox, "mail", func(k []byte, v store.Mail) {
		a.r.Mails++
		if string(v.ID) != string(k) || !a.has(bucketOutboxTimes, at(v.Next, k)) {
			a.r.say("Mail %q would never be sent.", k)
		}
	})
	a.each(bucketOutboxTimes, func(k, _ []byte) {
		if len(k) <= 8 || !a.has(bucketOutbox, k[8:]) {
			a.r.say("The time of a mail is noted that is not there.")
		}
	})
}
