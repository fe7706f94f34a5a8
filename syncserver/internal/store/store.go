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
	// View runs fn over a consistent state that no one changes meanwhile. fn must not write and must not wait for
	// anything: a long View keeps old pages alive.
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
type Tx interface {
	Accounts() Accounts
	Sessions() Sessions
	Organisations() Organisations
	Boards() Boards
	Links() Links
	Commands() Commands
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
	// Put creates or replaces an account. It fails with ErrTaken if another account has the address.
	Put(a Account) error
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
	// Put replaces a dashboard's link. A token or short id that it replaces is dead from then on. It fails with ErrTaken
	// if the new token or short id is dead or belongs to another dashboard.
	Put(id board.ID, l Link) error
	// ByToken finds the dashboard to which a token belongs, whether the link is on or not; dead tokens belong to none.
	ByToken(t Token) (board.ID, bool, error)
	// ByShortID is ByToken for short ids.
	ByShortID(s ShortID) (board.ID, bool, error)
	// Used reports whether the token or the short id is dead or belongs to any dashboard.
	Used(t Token, s ShortID) (bool, error)
}

// Commands remember what commands were answered, so that a repeat gets the same answer.
type Commands interface {
	Get(account AccountID, id string) (Answer, bool, error)
	Put(account AccountID, id string, a Answer) error
}
