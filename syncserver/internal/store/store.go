// Package store is what the sync server keeps: accounts, sessions, organisations, dashboards with their replicas, share
// links and the commands that were answered.
//
// A Store runs closures over a transaction, Tx, which hands out one small interface a role. Whoever needs a role declares
// that it takes a Tx; nobody holds one beyond its closure. boltstore keeps it all in one file; storetest is the contract
// that every implementation passes. The package knows nothing of HTTP, passwords or rights: who may do what is decided
// by access, and what a command does by sharelink. Start reading at Store.
package store

import (
	"context"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// Store is a durable, transactional store. It is safe for concurrent use.
type Store interface {
	// View runs fn over a consistent state that no one changes meanwhile. fn may run more than once, must not write and must
	// not wait for anything: a long View keeps old pages alive.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn and returns once what it wrote is durable, or returns fn's error and nothing was written. All
	// updates are one after the other. fn may run more than once and must therefore do no I/O, send nothing, and read
	// neither clock nor randomness; what is to happen when it is certain goes into Tx.After. An error of the disk is an
	// Unavailable fault.
	Update(ctx context.Context, fn func(Tx) error) error
	// Healthy returns nil while updates can be expected to succeed.
	Healthy() error
	// Close waits for running transactions and releases the store.
	Close() error
}

// Tx is one transaction. It is not safe for concurrent use and ends with its closure.
//
//nolint:interfacebloat // one method a table: whoever takes a table takes it from here
type Tx interface {
	Accounts() Accounts
	Sessions() Sessions
	Organisations() Organisations
	Boards() Boards
	Links() Links
	Commands() Commands
	Views() Views
	Guard() Guard
	Tickets() Tickets
	Invitations() Invitations
	Outbox() Outbox
	// Replica is the content of one dashboard. It exists from its first Put and goes with Boards.Destroy.
	Replica(id board.ID) replica.Tx
	// After asks for f to be called once the transaction is durable; never if it fails. The calls of all transactions
	// happen one after the other in the order of commits, before Update returns. f must not block and not use the store.
	After(f func())
}

// Accounts are the people who can sign in.
type Accounts interface {
	Get(id AccountID) (Account, bool, error)
	// ByEmail looks a normalised address up.
	ByEmail(email string) (Account, bool, error)
	// After lists up to limit accounts in the order of their ids, from the one behind an id on; "" is before the first.
	After(id AccountID, limit int) ([]Account, error)
	// Put creates or replaces an account. It fails with ErrTaken if another account has the address.
	Put(a Account) error
	// Delete forgets an account, so that its address is free; it is no error if there is none. What else is kept of it goes
	// by calls of its own.
	Delete(id AccountID) error
}

// Sessions are the sign-ins of accounts, by the hash of their token.
type Sessions interface {
	Get(hash Hash) (Session, bool, error)
	Put(s Session) error
	// Delete forgets a session; it is no error if there is none.
	Delete(hash Hash) error
	// Of lists an account's sessions in the order of their hashes.
	Of(id AccountID) ([]Session, error)
}

// Organisations own dashboards and have members (rule A1).
type Organisations interface {
	Get(id OrganisationID) (Organisation, bool, error)
	Put(o Organisation) error
	// SetMember sets what an account is to an organisation; MemberNone removes it.
	SetMember(id OrganisationID, account AccountID, role MemberRole) error
	// Member is what an account is to an organisation, MemberNone if nothing.
	Member(id OrganisationID, account AccountID) (MemberRole, error)
	// Members lists the members in the order of their ids.
	Members(id OrganisationID) ([]Member, error)
	// Of lists the organisations of which an account is a member, in the order of their ids.
	Of(account AccountID) ([]OrganisationID, error)
	// Delete forgets an organisation and who its members are. It must have no dashboards.
	Delete(id OrganisationID) error
}

// Boards are the dashboards, without their content.
type Boards interface {
	// Get finds a dashboard. One that was destroyed is found with Destroyed set.
	Get(id board.ID) (Board, bool, error)
	Put(b Board) error
	// SetRole sets an account's own role on a dashboard; RoleNone removes it.
	SetRole(id board.ID, account AccountID, role Role) error
	// Role is an account's own role on a dashboard, RoleNone if it has none.
	Role(id board.ID, account AccountID) (Role, error)
	// Roles lists those with a role of their own, in the order of their ids.
	Roles(id board.ID) ([]Holder, error)
	// Of lists the dashboards on which an account has a role of its own, in the order of their ids.
	Of(account AccountID) ([]board.ID, error)
	// OfOrganisation lists an organisation's dashboards in the order of their ids.
	OfOrganisation(id OrganisationID) ([]board.ID, error)
	// Destroy removes content and roles for ever; what stays is the Board with Destroyed set to at, so that its id is
	// never used again.
	Destroy(id board.ID, at int64) error
}

// Links are the share links.
type Links interface {
	// Get is a dashboard's link, the zero Link if it has none.
	Get(id board.ID) (Link, error)
	// Put replaces a dashboard's link. A token or short id that it replaces is dead from then on, and with the token every
	// slug that the link ever had (rule L4); a slug that goes while the token stays is kept for the dashboard to take
	// again. It fails with ErrTaken if the new token, short id or slug is dead or belongs to another dashboard, or if the
	// new short id is or was a slug.
	Put(id board.ID, l Link) error
	// ByToken finds the dashboard to which a token belongs, whether the link is on or not; dead tokens belong to none.
	ByToken(t Token) (board.ID, bool, error)
	// ByShortID is ByToken for short ids.
	ByShortID(s ShortID) (board.ID, bool, error)
	// BySlug finds the dashboard whose link has the slug now.
	BySlug(s Slug) (board.ID, bool, error)
	// Used reports whether the token or the short id is dead or belongs to any dashboard, or the short id is or was a slug.
	Used(t Token, s ShortID) (bool, error)
	// SlugTaken reports whether a dashboard may not take a slug: it is dead, or another dashboard's, or was and is kept
	// from everybody else, or looks like a short id in use; or the dashboard has had MaxSlugs others already.
	SlugTaken(id board.ID, s Slug) (bool, error)
	// Hash is the hash of the link's password, "" if none is set.
	Hash(id board.ID) (Password, error)
	// SetHash sets it; "" removes it.
	SetHash(id board.ID, h Password) error
	// Expiring lists up to limit dashboards whose links are on and end at until or before, in order, and tells when the
	// first of all ends, 0 if none does. Times are ms since 1970.
	Expiring(until int64, limit int) (ids []board.ID, first int64, err error)
}

// MaxSlugs is how many slugs a dashboard may have had in its life: each stays kept from others.
const MaxSlugs = 20

// AnswersKept is for how long, in ms, it is remembered what a command was answered: 30 days. An app sends a command again
// only until it has heard what became of it, so a repeat that comes later is of a device that was away all that time and
// whose author still waits. It is judged as if it came for the first time, which does no harm:
//
//   - What gives access by link, or replaces a link, names the version of the link that it was based on. It raised that
//     when it applied, so it cannot apply again, and its author is told that the link has changed since.
//   - What takes access away by link always applies, and may do so once more: then less is open, which its owner sees.
//   - A dashboard or an account that was deleted is not found. An invitation's id is its author's and is used up, for as
//     long as the invitation is remembered, which is longer.
//   - A change of role names the role, and finds nobody who was removed meanwhile. It is as one that was made offline and
//     comes late, which is taken too.
const AnswersKept = 30 * 24 * 60 * 60 * 1000

// Commands remember what commands were answered, so that a repeat gets the same answer.
type Commands interface {
	Get(account AccountID, id string) (Answer, bool, error)
	// Put keeps an answer. Those, whoever's, that were given AnswersKept before it are forgotten on the way, a few at a
	// time.
	Put(account AccountID, id string, a Answer) error
	// Forget forgets what an account's commands from <= id < to were answered, a few at a time.
	Forget(account AccountID, from, to string) error
}

// Views count how often links are opened (rule L7). What is kept has neither addresses nor names.
type Views interface {
	// Get is the count of a dashboard's link, the zero ViewCount if it was never opened.
	Get(id board.ID) (ViewCount, error)
	// Put replaces it; the zero ViewCount removes it.
	Put(id board.ID, v ViewCount) error
}

// Guard keeps what guards links with a password.
type Guard interface {
	// Budget is when, in ms since 1970, the budget of attempts with this key will be full again; 0 if it is.
	Budget(key []byte) (int64, error)
	// SetBudget sets that time. Budgets that are full at now are forgotten on the way, a few at a time.
	SetBudget(key []byte, full, now int64) error
	// Key is the secret that seals sessions, nil before SetKey.
	Key() ([]byte, error)
	// SetKey sets it; nil forgets it.
	SetKey(key []byte) error
}

// Tickets are secrets that are good for one thing once, by their hash.
type Tickets interface {
	Get(hash Hash) (Ticket, bool, error)
	// Put keeps a ticket. Those that had expired when it was made are forgotten on the way, a few at a time.
	Put(t Ticket) error
	// Delete forgets a ticket; it is no error if there is none.
	Delete(hash Hash) error
}

// Invitations are what people were invited to, whatever became of it.
type Invitations interface {
	Get(id InvitationID) (Invitation, bool, error)
	// Put creates or replaces an invitation. A hash that it replaces leads to it for ever, so that an old link can be told
	// what became of it. It fails with ErrTaken if the hash leads to another one.
	Put(i Invitation) error
	// Delete forgets an invitation and all hashes that lead to it; it is no error if there is none.
	Delete(id InvitationID) error
	// ByHash finds the invitation to which a token leads or once led.
	ByHash(hash Hash) (Invitation, bool, error)
	// OfBoard lists a dashboard's invitations in the order of their ids, which is that of their making.
	OfBoard(id board.ID) ([]Invitation, error)
	// OfOrganisation is OfBoard for those to an organisation.
	OfOrganisation(id OrganisationID) ([]Invitation, error)
	// OfEmail is OfBoard for those to an address.
	OfEmail(email string) ([]Invitation, error)
}

// Outbox is the mail that waits to be sent (rule I7).
type Outbox interface {
	Get(id MailID) (Mail, bool, error)
	Put(m Mail) error
	// Delete forgets a mail; it is no error if there is none.
	Delete(id MailID) error
	// Len is how many mails wait.
	Len() (int, error)
	// Due lists up to limit mails whose Next is until or before, in order, and tells when the first of all is due, 0 if none
	// waits. Times are ms since 1970.
	Due(until int64, limit int) (due []Mail, first int64, err error)
}
