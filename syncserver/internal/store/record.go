package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// ErrTaken tells that a unique value, such as an address or a token, belongs to something else.
var ErrTaken = errors.New("already taken")

// Link, its parts and Role are kept as shared/sharing has them.
type (
	// Link is the state of a share link.
	Link = sharing.Link
	// Token is the secret in a share link.
	Token = sharing.Token
	// ShortID is the name in a short link.
	ShortID = sharing.ShortID
	// Slug is a name in a short link that its owner chose.
	Slug = sharing.Slug
	// Password is the hash of a link's password.
	Password = sharing.Hash
	// Role is what somebody is to one dashboard.
	Role = sharing.Role
	// InvitationID names an invitation.
	InvitationID = sharing.InvitationID
	// Delivery is how far an invitation's mail has come.
	Delivery = sharing.Delivery
)

// AccountID is "acc_" and a ULID.
type AccountID string

// OrganisationID is "org_" and a ULID.
type OrganisationID string

// Hash is the SHA-256 of a secret.
type Hash [sha256.Size]byte

// Account is somebody who can sign in. Email is normalised; Password is a PHC string.
type Account struct {
	ID       AccountID      `cbor:"1,keyasint"`
	Email    string         `cbor:"2,keyasint"`
	Password string         `cbor:"3,keyasint"`
	Personal OrganisationID `cbor:"4,keyasint"`
	Created  int64          `cbor:"5,keyasint"` // ms since 1970
	// Name is what others see; empty stands for the address up to its @.
	Name string `cbor:"6,keyasint,omitempty"`
	// Verified is when the address was proved to be the account's, in ms since 1970; 0 if it never was.
	Verified int64 `cbor:"7,keyasint,omitempty"`
	// Revision counts what voids tickets: changes of the password and of the address.
	Revision uint64 `cbor:"8,keyasint,omitempty"`
}

// Shown is the name that others see.
func (a Account) Shown() string {
	if a.Name != "" {
		return a.Name
	}
	name, _, _ := strings.Cut(a.Email, "@")
	return name
}

// SessionKind says what a session is for.
type SessionKind string

// The kinds of session. KindApp is the zero SessionKind.
const (
	KindApp SessionKind = ""
	KindWeb SessionKind = "web"
	KindAPI SessionKind = "api" // a token for programs, which may do what its Scopes say
)

// Session is one sign-in, or one token for programs. The secret itself is never stored.
type Session struct {
	Hash    Hash      `cbor:"1,keyasint"`
	Account AccountID `cbor:"2,keyasint"`
	Created int64     `cbor:"3,keyasint"` // ms since 1970
	Expires int64     `cbor:"4,keyasint"` // ms since 1970
	// Label is what its owner knows it by: the program and system, or the name of a token.
	Label string      `cbor:"5,keyasint,omitempty"`
	Seen  int64       `cbor:"6,keyasint,omitempty"` // ms since 1970, when it was last used, roughly
	Kind  SessionKind `cbor:"7,keyasint,omitempty"`
	// Scopes are apart by one space, sorted; only tokens for programs have any.
	Scopes string `cbor:"8,keyasint,omitempty"`
}

// ID names a session to its owner, without being its secret.
func (s Session) ID() string { return hex.EncodeToString(s.Hash[:8]) }

// TicketKind says what a ticket is good for.
type TicketKind string

// The kinds of ticket.
const (
	TicketSignUp TicketKind = "signup"  // makes the account
	TicketClaim  TicketKind = "claim"   // signs in whoever began a sign-up, once it is confirmed
	TicketVerify TicketKind = "verify"  // proves the address of an account that is there
	TicketReset  TicketKind = "reset"   // sets another password
	TicketEmail  TicketKind = "address" // gives the account another address
)

// Ticket is a secret that is good for one thing once: most go out by mail. The secret itself is never stored.
type Ticket struct {
	Hash    Hash       `cbor:"1,keyasint"`
	Kind    TicketKind `cbor:"2,keyasint"`
	Created int64      `cbor:"3,keyasint"` // ms since 1970
	Expires int64      `cbor:"4,keyasint"` // ms since 1970
	// Account is whose it is; of a claim, empty until the sign-up is confirmed. It is void once the account has another
	// Revision.
	Account  AccountID `cbor:"5,keyasint,omitempty"`
	Revision uint64    `cbor:"6,keyasint,omitempty"`
	Email    string    `cbor:"7,keyasint,omitempty"` // of the account to be, or the address to be
	Password string    `cbor:"8,keyasint,omitempty"` // PHC, of the account to be
	Name     string    `cbor:"9,keyasint,omitempty"`
	Claim    Hash      `cbor:"10,keyasint,omitempty"` // the claim that goes with a sign-up
	Label    string    `cbor:"11,keyasint,omitempty"` // of the session that a claim becomes
	Kept     string    `cbor:"12,keyasint,omitempty"` // where to go on afterwards, such as an invitation
}

// InvitationState is what became of an invitation. One whose time has passed is still InvitationOpen.
type InvitationState string

// The states of an invitation.
const (
	InvitationOpen     InvitationState = "open"
	InvitationAccepted InvitationState = "accepted"
	InvitationRevoked  InvitationState = "revoked"
)

// Invitation asks whoever reads mail for an address to join a dashboard, or an organisation: one of Board and Organisation
// is set, and the Role or MemberRole that goes with it. Hash is that of the token in the latest mail.
type Invitation struct {
	ID           InvitationID    `cbor:"1,keyasint"`
	Board        board.ID        `cbor:"2,keyasint,omitempty"`
	Organisation OrganisationID  `cbor:"3,keyasint,omitempty"`
	Email        string          `cbor:"4,keyasint"`
	Role         Role            `cbor:"5,keyasint,omitempty"`
	MemberRole   MemberRole      `cbor:"6,keyasint,omitempty"`
	Message      string          `cbor:"7,keyasint,omitempty"`
	By           AccountID       `cbor:"8,keyasint"`
	Created      int64           `cbor:"9,keyasint"`  // ms since 1970
	Expires      int64           `cbor:"10,keyasint"` // ms since 1970
	Hash         Hash            `cbor:"11,keyasint"`
	State        InvitationState `cbor:"12,keyasint"`
	Account      AccountID       `cbor:"13,keyasint,omitempty"` // who accepted
	Mail         MailID          `cbor:"14,keyasint,omitempty"` // the latest mail
	Delivery     Delivery        `cbor:"15,keyasint,omitempty"`
	Reason       string          `cbor:"16,keyasint,omitempty"` // why it is undeliverable, for its sender
}

// MailID is "mail_" and a ULID.
type MailID string

// Mail is a message that waits to be sent. Data is the whole of it, headers included, with CRLF line ends.
type Mail struct {
	ID       MailID `cbor:"1,keyasint"`
	To       string `cbor:"2,keyasint"`
	Data     []byte `cbor:"3,keyasint"`
	Created  int64  `cbor:"4,keyasint"` // ms since 1970
	Next     int64  `cbor:"5,keyasint"` // ms since 1970, when to try (again)
	Attempts int    `cbor:"6,keyasint,omitempty"`
	// Invitation is the one whose delivery it is, if any.
	Invitation InvitationID `cbor:"7,keyasint,omitempty"`
}

// Organisation owns dashboards. Personal marks the one that every account has from sign-up.
type Organisation struct {
	ID       OrganisationID `cbor:"1,keyasint"`
	Name     string         `cbor:"2,keyasint"`
	Personal bool           `cbor:"3,keyasint,omitempty"`
	Created  int64          `cbor:"4,keyasint"` // ms since 1970
}

// MemberRole is what an account is to an organisation.
type MemberRole string

// The member roles. MemberNone is the zero MemberRole.
const (
	MemberOwner  MemberRole = "owner"
	MemberAdmin  MemberRole = "admin"
	MemberMember MemberRole = "member"
	MemberNone   MemberRole = ""
)

// Member is one member of an organisation.
type Member struct {
	Account AccountID
	Role    MemberRole
}

// Holder is an account with a role of its own on a dashboard.
type Holder struct {
	Account AccountID
	Role    Role
}

// Board is a dashboard without its content. Epoch counts the changes of access; a grant made before the latest one must
// be asked for again. Trashed mirrors the content's "alive" register, so that a link can be judged without reading the
// content. Destroyed, in ms since 1970, is set when the dashboard was deleted for ever.
type Board struct {
	ID           board.ID       `cbor:"1,keyasint"`
	Organisation OrganisationID `cbor:"2,keyasint"`
	Owner        AccountID      `cbor:"3,keyasint"`
	Created      int64          `cbor:"4,keyasint"` // ms since 1970
	Epoch        uint64         `cbor:"5,keyasint"`
	Trashed      bool           `cbor:"6,keyasint,omitempty"`
	Destroyed    int64          `cbor:"7,keyasint,omitempty"`
	// Bytes is at least as much as the dashboard's content took when its hub had taken in Taken bytes; Measured what it took when
	// that was last counted.
	Bytes    int64 `cbor:"8,keyasint,omitempty"`
	Measured int64 `cbor:"9,keyasint,omitempty"`
	Taken    int64 `cbor:"11,keyasint,omitempty"`
	// EditorsShare lets editors manage sharing (rule A3).
	EditorsShare bool `cbor:"10,keyasint,omitempty"`
}

// Answer is what a command was told: Fault is nil if it applied, and Same says that it changed nothing.
type Answer struct {
	Board board.ID     `cbor:"1,keyasint"`
	Fault *fault.Error `cbor:"2,keyasint,omitempty"`
	Same  bool         `cbor:"3,keyasint,omitempty"`
	// Request is the digest of a request with a key of its own, so that another one under the same key is told from a repeat.
	Request Hash `cbor:"4,keyasint,omitzero"`
	// At is when the command, or that request, came first, in ms since 1970. Answers of an earlier version have none.
	At int64 `cbor:"5,keyasint,omitempty"`
}

// ViewCount says how often a link was opened. Days are counts by day, the last of them the day that Day names, in days
// since 1970 (UTC). Last is when it was last opened, in ms since 1970.
type ViewCount struct {
	Last int64    `cbor:"1,keyasint,omitempty"`
	Day  int64    `cbor:"2,keyasint,omitempty"`
	Days []uint32 `cbor:"3,keyasint,omitempty"`
}
