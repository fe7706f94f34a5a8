// Package access decides who may do what to a dashboard.
//
// There is one decision (rule A5), and its outcome is a Grant, which nothing else can make: whatever reads or writes a
// dashboard asks for one, so that a forgotten check does not compile. A Grant is true for the transaction it was made
// in. Whoever keeps one, such as a live connection, holds its Epoch against the dashboard's and asks again when that has
// grown. Start reading at Open.
package access

import (
	"crypto/subtle"
	"fmt"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/store"
)

// Principal is who asks. The zero Principal is nobody and may do nothing.
type Principal struct {
	account store.AccountID
	token   sharing.Token
}

// Account is somebody who has signed in.
func Account(id store.AccountID) Principal { return Principal{account: id} }

// LinkHolder is somebody who came with the token of a share link.
func LinkHolder(t sharing.Token) Principal { return Principal{token: t} }

// AccountID is the account that asks, empty for the holder of a link.
func (p Principal) AccountID() store.AccountID { return p.account }

// Action is what somebody wants to do.
type Action int

// The actions, each of which includes those before it.
const (
	// View is to see the dashboard. For the holder of a link that is its published projection.
	View Action = iota + 1
	// Edit is to change its content.
	Edit
	// Share is to change who has access, and to delete the dashboard for ever.
	Share
)

// Grant says that its principal may do something to one dashboard. Only this package makes one that is not zero, and a
// zero Grant permits nothing.
type Grant struct {
	board     board.ID
	principal Principal
	role      sharing.Role
	epoch     uint64
}

// Board is the dashboard.
func (g Grant) Board() board.ID { return g.board }

// Role is the role in which the principal acts; RoleViewer for the holder of a link.
func (g Grant) Role() sharing.Role { return g.role }

// Epoch is how often access to the dashboard had changed when the grant was made.
func (g Grant) Epoch() uint64 { return g.epoch }

// ByLink reports whether the grant rests on a share link alone: only what is published may be read with it.
func (g Grant) ByLink() bool { return g.principal.account == "" }

// May reports whether the grant permits a.
func (g Grant) May(a Action) bool {
	switch a {
	case View:
		return g.role.CanView()
	case Edit:
		return g.role.CanEdit()
	case Share:
		return g.role.CanShare()
	}
	return false
}

// Open asks whether p may do a to the dashboard. Whoever may not even see it gets the same NotFound fault whether it is
// there or not; whoever may see it but not do a gets Denied. Other errors are the store's.
func Open(tx store.Tx, p Principal, id board.ID, a Action) (Grant, error) {
	f, err := gather(tx, p, id)
	if err != nil {
		return Grant{}, fmt.Errorf("decide access to %s: %w", id, err)
	}
	g := Grant{board: id, principal: p, role: decide(f), epoch: f.board.Epoch}
	switch {
	case !g.May(View):
		return Grant{}, notFound(p)
	case !g.May(a):
		return Grant{}, denied(a)
	}
	return g, nil
}

// OpenLink asks whether the share link with this token may be viewed. Unknown, switched off, replaced and trashed links
// get the same NotFound fault.
func OpenLink(tx store.Tx, token string) (Grant, error) {
	t, ok := sharing.ParseToken(token)
	p := LinkHolder(t)
	if !ok {
		return Grant{}, notFound(p)
	}
	id, ok, err := tx.Links().ByToken(t)
	if err != nil {
		return Grant{}, fmt.Errorf("look up link: %w", err)
	}
	if !ok {
		return Grant{}, notFound(p)
	}
	return Open(tx, p, id, View)
}

// OpenShortID finds the token behind a short link (rule S1). It fails like OpenLink, and whenever that would.
func OpenShortID(tx store.Tx, short string) (sharing.Token, error) {
	s, ok := sharing.ParseShortID(short)
	if !ok {
		return "", notFound(Principal{})
	}
	id, ok, err := tx.Links().ByShortID(s)
	if err != nil {
		return "", fmt.Errorf("look up short link: %w", err)
	}
	if !ok {
		return "", notFound(Principal{})
	}
	l, err := tx.Links().Get(id)
	if err != nil {
		return "", fmt.Errorf("look up short link: %w", err)
	}
	if _, err := Open(tx, LinkHolder(l.Token), id, View); err != nil {
		return "", err
	}
	return l.Token, nil
}

// Again makes g's decision anew, with what is in force in tx.
func Again(tx store.Tx, g Grant) (Grant, error) { return Open(tx, g.principal, g.board, View) }

// List makes a grant for each dashboard that the account may see, in the order of their ids.
func List(tx store.Tx, account store.AccountID) ([]Grant, error) {
	ids, err := tx.Boards().Of(account)
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	orgs, err := tx.Organisations().Of(account)
	if err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	for _, o := range orgs {
		more, err := tx.Boards().OfOrganisation(o)
		if err != nil {
			return nil, fmt.Errorf("list dashboards: %w", err)
		}
		ids = append(ids, more...)
	}
	slices.Sort(ids)
	var out []Grant
	for _, id := range slices.Compact(ids) {
		g, err := Open(tx, Account(account), id, View)
		if k := fault.KindOf(err); k == fault.NotFound {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// Audience lists the accounts that may see the dashboard, in the order of their ids.
func Audience(tx store.Tx, id board.ID) ([]store.AccountID, error) {
	b, ok, err := tx.Boards().Get(id)
	if err != nil || !ok {
		return nil, err
	}
	holders, err := tx.Boards().Roles(id)
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	members, err := tx.Organisations().Members(b.Organisation)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	var out []store.AccountID
	for _, h := range holders {
		out = append(out, h.Account)
	}
	for _, m := range members {
		out = append(out, m.Account)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// facts is all that a decision rests on.
type facts struct {
	board     store.Board
	exists    bool
	principal Principal
	link      sharing.Link
	own       sharing.Role
	member    store.MemberRole
}

// gather reads the facts. It reads the same for whoever asks and whatever is there, so that the time tells nothing.
func gather(tx store.Tx, p Principal, id board.ID) (f facts, err error) {
	f.principal = p
	if f.board, f.exists, err = tx.Boards().Get(id); err != nil {
		return f, err
	}
	if f.link, err = tx.Links().Get(id); err != nil {
		return f, err
	}
	if f.own, err = tx.Boards().Role(id, p.account); err != nil {
		return f, err
	}
	f.member, err = tx.Organisations().Member(f.board.Organisation, p.account)
	return f, err
}

// decide is the one decision.
func decide(f facts) sharing.Role {
	if !f.exists || f.board.Destroyed != 0 {
		return sharing.RoleNone
	}
	if f.principal.account == "" {
		open := f.link.Mode() == sharing.Public && same(f.link.Token, f.principal.token) && !f.board.Trashed
		if open {
			return sharing.RoleViewer
		}
		return sharing.RoleNone
	}
	return greater(f.own, byMembership(f.member))
}

// byMembership is the role that an organisation's members have on its dashboards (rules A2, A3).
func byMembership(m store.MemberRole) sharing.Role {
	switch m {
	case store.MemberOwner, store.MemberAdmin:
		return sharing.RoleOwner
	case store.MemberMember:
		return sharing.RoleViewer
	case store.MemberNone:
	}
	return sharing.RoleNone
}

func greater(a, b sharing.Role) sharing.Role {
	for _, r := range []sharing.Role{sharing.RoleOwner, sharing.RoleEditor, sharing.RoleViewer} {
		if a == r || b == r {
			return r
		}
	}
	return sharing.RoleNone
}

// NoLink is the fault that every link gets which does not open anything.
func NoLink() *fault.Error {
	return fault.New(fault.NotFound, "This link does not work.").
		WithHint("It may have been mistyped, switched off or replaced. Ask whoever sent it for the present one.")
}

func notFound(p Principal) *fault.Error {
	if p.account == "" {
		return NoLink()
	}
	return fault.New(fault.NotFound, "There is no such dashboard, or you have no access to it.")
}

func denied(a Action) *fault.Error {
	if a == Share {
		return fault.New(fault.Denied, "Only the owner of this dashboard can change how it is shared.")
	}
	return fault.New(fault.Denied, "You may only view this dashboard.").WithHint("Ask its owner to make you an editor.")
}

// same compares tokens in constant time; an absent one equals none.
func same(a, b sharing.Token) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
