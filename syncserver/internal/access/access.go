// Package access decides who may do what to a dashboard.
//
// There is one decision (rule A5), and its outcome is a Grant, which nothing else can make: whatever reads or writes a
// dashboard asks for one, so that a forgotten check does not compile. A Grant is true for the transaction it was made
// in. Whoever keeps one, such as a live connection, holds its Epoch against the dashboard's and asks again when that has
// grown. Start reading at Open.
package access

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"math"
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
	// unlocked says that the password of the link's revision was given.
	unlocked bool
	revision uint64
}

// Account is somebody who has signed in.
func Account(id store.AccountID) Principal { return Principal{account: id} }

// LinkHolder is somebody who came with the token of a share link.
func LinkHolder(t sharing.Token) Principal { return Principal{token: t} }

// Unlocked is the holder of a share link who has proved, by a session, to have given its password while the link was at
// this revision (rule P3). Only package unlock can vouch for that.
func Unlocked(t sharing.Token, revision uint64) Principal {
	return Principal{token: t, unlocked: true, revision: revision}
}

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
	// Share is to change who has access, but for owners.
	Share
	// Own is to change who owns the dashboard, where it belongs and whether editors may share it, and to delete it for ever.
	Own
)

// Grant says that its principal may do something to one dashboard. Only this package makes one that is not zero, and a
// zero Grant permits nothing.
type Grant struct {
	board     board.ID
	principal Principal
	role      sharing.Role
	epoch     uint64
	link      sharing.Link
	shares    bool // editors may, too
}

// Board is the dashboard.
func (g Grant) Board() board.ID { return g.board }

// Principal is whom the grant is for.
func (g Grant) Principal() Principal { return g.principal }

// Role is the role in which the principal acts; RoleViewer for the holder of a link.
func (g Grant) Role() sharing.Role { return g.role }

// Epoch is how often access to the dashboard had changed when the grant was made.
func (g Grant) Epoch() uint64 { return g.epoch }

// ByLink reports whether the grant rests on a share link alone: only what is published may be read with it.
func (g Grant) ByLink() bool { return g.principal.account == "" }

// Link is the link that a grant ByLink rests on, the zero Link for others. Such a grant ends by itself with the link's
// Expires.
func (g Grant) Link() sharing.Link { return g.link }

// May reports whether the grant permits a.
func (g Grant) May(a Action) bool {
	switch a {
	case View:
		return g.role.CanView()
	case Edit:
		return g.role.CanEdit()
	case Share:
		return g.role.CanShare() || g.shares && g.role.CanEdit()
	case Own:
		return g.role.CanShare()
	}
	return false
}

// LockedError says that a link is in force and asks for a password that was not given (rule P1). It is an
// Unauthenticated fault. Origins are those that may frame the prompt.
type LockedError struct {
	Origins sharing.Origins
}

// Error is the fault's sentence.
func (e *LockedError) Error() string { return locked().Error() }

// Unwrap is the fault.
func (e *LockedError) Unwrap() error { return locked() }

func locked() *fault.Error {
	return fault.New(fault.Unauthenticated, "This dashboard is protected by a password.").WithHint("Whoever sent you the link can tell you the password.")
}

// Open asks whether an account may do a to the dashboard. Whoever may not even see it gets the same NotFound fault whether
// it is there or not; whoever may see it but not do a gets Denied. Other errors are the store's. The holder of a link is
// not let in here but by OpenLink.
func Open(tx store.Tx, p Principal, id board.ID, a Action) (Grant, error) {
	return open(tx, p, id, a, never)
}

// never is a time at which every link has ended.
const never = math.MaxInt64

func open(tx store.Tx, p Principal, id board.ID, a Action, now int64) (Grant, error) {
	f, err := gather(tx, p, id)
	if err != nil {
		return Grant{}, fmt.Errorf("decide access to %s: %w", id, err)
	}
	role, asks := decide(f, now)
	g := Grant{board: id, principal: p, role: role, epoch: f.board.Epoch, shares: f.board.EditorsShare}
	if g.ByLink() {
		g.link = f.link
	}
	switch {
	case asks:
		return Grant{}, &LockedError{Origins: f.link.Origins}
	case !g.May(View):
		return Grant{}, notFound(p)
	case !g.May(a):
		return Grant{}, denied(a)
	}
	return g, nil
}

// OpenLink asks whether the holder of a share link may view it at now, in ms since 1970. Unknown, switched off, replaced,
// ended and trashed links get the same NotFound fault; one that asks for its password, a LockedError.
func OpenLink(tx store.Tx, p Principal, now int64) (Grant, error) {
	t, ok := sharing.ParseToken(string(p.token))
	if !ok || p.account != "" {
		return Grant{}, NoLink()
	}
	id, ok, err := tx.Links().ByToken(t)
	if err != nil {
		return Grant{}, fmt.Errorf("look up link: %w", err)
	}
	if !ok {
		return Grant{}, NoLink()
	}
	return open(tx, p, id, View, now)
}

// OpenShortID finds the token behind a short link, by its short id or by its slug (rules S1, S2). It fails with the
// NotFound fault of OpenLink, and whenever that would; a link that asks for a password is found.
func OpenShortID(tx store.Tx, name string, now int64) (sharing.Token, error) {
	id, ok, err := lookUp(tx, name)
	if err != nil {
		return "", fmt.Errorf("look up short link: %w", err)
	}
	if !ok {
		return "", NoLink()
	}
	l, err := tx.Links().Get(id)
	if err != nil {
		return "", fmt.Errorf("look up short link: %w", err)
	}
	_, err = OpenLink(tx, LinkHolder(l.Token), now)
	if _, asks := errors.AsType[*LockedError](err); err != nil && !asks {
		return "", err
	}
	return l.Token, nil
}

func lookUp(tx store.Tx, name string) (id board.ID, ok bool, err error) {
	if s, is := sharing.ParseShortID(name); is {
		if id, ok, err = tx.Links().ByShortID(s); ok || err != nil {
			return id, ok, err
		}
	}
	s, is := sharing.ParseSlug(name)
	if !is {
		return "", false, nil
	}
	return tx.Links().BySlug(s)
}

// Steward is the grant with which the server itself carries out what a dashboard's owner has decided earlier, such as the
// end of a link. It is for nobody's request.
func Steward(tx store.Tx, id board.ID) (Grant, error) {
	b, _, err := tx.Boards().Get(id)
	if err != nil {
		return Grant{}, fmt.Errorf("read dashboard %s: %w", id, err)
	}
	return Grant{board: id, principal: Account(b.Owner), role: sharing.RoleOwner, epoch: b.Epoch}, nil
}

// Again makes g's decision anew at now, with what is in force in tx.
func Again(tx store.Tx, g Grant, now int64) (Grant, error) {
	return open(tx, g.principal, g.board, View, now)
}

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

// Held is what an account is to a dashboard. Own says that the role was given on the dashboard itself; otherwise it comes
// with the membership in its organisation.
type Held struct {
	Account store.AccountID
	Role    sharing.Role
	Own     bool
}

// Holders lists what the accounts of Audience are to the dashboard, in the order of their ids.
func Holders(tx store.Tx, id board.ID) ([]Held, error) {
	b, ok, err := tx.Boards().Get(id)
	if err != nil || !ok {
		return nil, err
	}
	own, err := tx.Boards().Roles(id)
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	members, err := tx.Organisations().Members(b.Organisation)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	all := map[store.AccountID]Held{}
	for _, m := range members {
		all[m.Account] = Held{Account: m.Account, Role: byMembership(m.Role)}
	}
	for _, h := range own {
		if r := greater(h.Role, all[h.Account].Role); r == h.Role {
			all[h.Account] = Held{Account: h.Account, Role: r, Own: true}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(x, y Held) int { return cmp.Compare(x.Account, y.Account) }), nil
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

// decide is the one decision. asks says that the role is given to whoever proves to know the password.
func decide(f facts, now int64) (role sharing.Role, asks bool) {
	if !f.exists || f.board.Destroyed != 0 {
		return sharing.RoleNone, false
	}
	if f.principal.account != "" {
		return greater(f.own, byMembership(f.member)), false
	}
	if f.board.Trashed || !same(f.link.Token, f.principal.token) {
		return sharing.RoleNone, false
	}
	switch f.link.Mode(now) {
	case sharing.Public:
		return sharing.RoleViewer, false
	case sharing.Password:
		if f.principal.unlocked && f.principal.revision == f.link.Revision {
			return sharing.RoleViewer, false
		}
		return sharing.RoleNone, true
	case sharing.Private:
	}
	return sharing.RoleNone, false
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
	switch a {
	case Share:
		return fault.New(fault.Denied, "Only the owner of this dashboard can change how it is shared.")
	case Own:
		return fault.New(fault.Denied, "Only the owner of this dashboard can do that.")
	case View, Edit:
	}
	return fault.New(fault.Denied, "You may only view this dashboard.").WithHint("Ask its owner to make you an editor.")
}

// same compares tokens in constant time; an absent one equals none.
func same(a, b sharing.Token) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
