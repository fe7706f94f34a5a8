package store

import (
	"crypto/sha256"
	"errors"

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
}

// Session is one sign-in. The token itself is never stored.
type Session struct {
	Hash    Hash      `cbor:"1,keyasint"`
	Account AccountID `cbor:"2,keyasint"`
	Created int64     `cbor:"3,keyasint"` // ms since 1970
	Expires int64     `cbor:"4,keyasint"` // ms since 1970
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
	// Bytes is at least as much as the dashboard's content takes; Measured what it took when that was last counted.
	Bytes    int64 `cbor:"8,keyasint,omitempty"`
	Measured int64 `cbor:"9,keyasint,omitempty"`
}

// Answer is what a command was told: Fault is nil if it applied, and Same says that it changed nothing.
type Answer struct {
	Board board.ID     `cbor:"1,keyasint"`
	Fault *fault.Error `cbor:"2,keyasint,omitempty"`
	Same  bool         `cbor:"3,keyasint,omitempty"`
}

// ViewCount says how often a link was opened. Days are counts by day, the last of them the day that Day names, in days
// since 1970 (UTC). Last is when it was last opened, in ms since 1970.
type ViewCount struct {
	Last int64    `cbor:"1,keyasint,omitempty"`
	Day  int64    `cbor:"2,keyasint,omitempty"`
	Days []uint32 `cbor:"3,keyasint,omitempty"`
}
