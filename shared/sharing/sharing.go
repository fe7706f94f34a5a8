// Package sharing holds the laws of sharing a dashboard: link states, roles, commands, and the formats of tokens, short
// ids, slugs, origins and passwords.
//
// The rules are in SPEC.md beside this file, by number. Link is what the server decided; Command is what an owner asked
// for, perhaps while offline; Decide is the one function from the two to a new Link, which the server runs for good and
// the app runs over its waiting commands to show what is to come. Nothing here does I/O or reads a clock: times are
// milliseconds since 1970 and passed in.
package sharing

import (
	"widgets.pro/shared/board"
)

// Role is what somebody is to one dashboard.
type Role string

// The roles, from most to least. RoleNone is the zero Role.
const (
	RoleOwner  Role = "owner"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
	RoleNone   Role = ""
)

// Mode is who can see a dashboard by link. It is derived from a Link and never stored (rule A4).
type Mode string

// The modes.
const (
	Private  Mode = "private"
	Public   Mode = "public"
	Password Mode = "password"
)

// Token is the secret in a share link: "shr_" and 24 base62 characters (142 random bits). It prints as [redacted].
type Token string

// ShortID is the name in a short link: 10 base62 characters. It grants nothing by itself.
type ShortID string

// Slug is a name in a short link that its owner chose (rule S2).
type Slug string

// Origins are the web origins that may frame a dashboard (rule E5), in one canonical text: sorted, apart by one space,
// such as "https://*.example.org https://example.com:8443". The empty Origins allow every one. See ParseOrigins.
type Origins string

// Link is the state of a dashboard's share link. The zero Link has never been on.
type Link struct {
	Enabled bool    `json:"enabled" cbor:"1,keyasint"`
	Token   Token   `json:"token,omitempty" cbor:"2,keyasint,omitempty"`
	ShortID ShortID `json:"shortId,omitempty" cbor:"3,keyasint,omitempty"`
	// Version counts the changes of this link; commands name the version they were based on.
	Version uint64 `json:"version" cbor:"4,keyasint"`
	// Password says that viewers are asked for one. Its hash is kept apart, on the server alone.
	Password bool `json:"password,omitempty" cbor:"5,keyasint,omitempty"`
	// Revision counts what ends the sessions of those who gave the password (rule P4); a session names the revision that
	// it was opened under.
	Revision uint64 `json:"revision,omitempty" cbor:"6,keyasint,omitempty"`
	// Expires is when the link ends by itself, 0 if never. Expired says that this has been carried out: it is set once the
	// time has come, and cleared by choosing another (rule L5).
	Expires int64 `json:"expires,omitempty" cbor:"7,keyasint,omitempty"`
	Expired bool  `json:"expired,omitempty" cbor:"8,keyasint,omitempty"`
	Slug    Slug  `json:"slug,omitempty" cbor:"9,keyasint,omitempty"`
	// Still locks interaction to off, whatever the address says (rule E3).
	Still   bool    `json:"still,omitempty" cbor:"10,keyasint,omitempty"`
	Origins Origins `json:"origins,omitempty" cbor:"11,keyasint,omitempty"`
}

// Ended reports whether the link's time is over at now, carried out or not.
func (l Link) Ended(now int64) bool { return l.Expired || (l.Expires != 0 && now >= l.Expires) }

// Mode is the mode in force at now.
func (l Link) Mode(now int64) Mode {
	switch {
	case !l.Enabled || l.Token == "" || l.Ended(now):
		return Private
	case l.Password:
		return Password
	}
	return Public
}

// Revokes reports whether the step from l to next takes access by link away from anybody who had it.
func (l Link) Revokes(next Link) bool {
	was := l.Enabled && !l.Expired
	return was && (!next.Enabled || next.Expired || next.Token != l.Token || next.Revision != l.Revision)
}

// Action is what a Command does.
type Action string

// The actions. Delete removes the whole dashboard from the server, for ever.
const (
	Enable         Action = "enable"
	Disable        Action = "disable"
	Rotate         Action = "rotate"
	Delete         Action = "delete"
	SetPassword    Action = "password"
	RemovePassword Action = "no_password"
	SetExpiry      Action = "expiry"
	SetSlug        Action = "slug"
	SetStill       Action = "still"
	SetOrigins     Action = "origins"
)

// The actions on people, which Decide does not know; see Action.People. Beside each stand the fields that it uses.
const (
	Invite         Action = "invite"        // Invitation, Email, Role, Message
	Resend         Action = "resend"        // Invitation
	Revoke         Action = "revoke"        // Invitation
	SetMemberRole  Action = "role"          // Account, Role; RoleNone removes
	SetEditorShare Action = "editors_share" // Allow
	Move           Action = "move"          // Organisation
)

// People reports whether the action is on people rather than on the link: it needs no Base, since each of these names the
// one thing that it changes.
func (a Action) People() bool {
	switch a {
	case Invite, Resend, Revoke, SetMemberRole, SetEditorShare, Move:
		return true
	case Enable, Disable, Rotate, Delete, SetPassword, RemovePassword, SetExpiry, SetSlug, SetStill, SetOrigins:
	}
	return false
}

// Command is one change of access. ID makes repeats harmless; Base is Link.Version as the author saw it, own waiting
// commands included. Enable carries the token and short id to use if the link never had one, and a Hash if it is to be
// turned on with a password from the first moment; Rotate carries the new token and short id. The other fields each
// belong to the action of their name, and are the whole new value.
type Command struct {
	ID      string   `json:"id" cbor:"1,keyasint"` // "cmd_" and a ULID
	Board   board.ID `json:"board" cbor:"2,keyasint"`
	Action  Action   `json:"action" cbor:"3,keyasint"`
	Base    uint64   `json:"base" cbor:"4,keyasint"`
	Token   Token    `json:"token,omitempty" cbor:"5,keyasint,omitempty"`
	ShortID ShortID  `json:"shortId,omitempty" cbor:"6,keyasint,omitempty"`
	Hash    Hash     `json:"hash,omitempty" cbor:"7,keyasint,omitempty"`
	Expires int64    `json:"expires,omitempty" cbor:"8,keyasint,omitempty"`
	Slug    Slug     `json:"slug,omitempty" cbor:"9,keyasint,omitempty"`
	Still   bool     `json:"still,omitempty" cbor:"10,keyasint,omitempty"`
	Origins Origins  `json:"origins,omitempty" cbor:"11,keyasint,omitempty"`

	// Invitation is minted by whoever invites, so that an invitation that still waits can be revoked.
	Invitation   InvitationID `json:"invitation,omitempty" cbor:"12,keyasint,omitempty"`
	Email        string       `json:"email,omitempty" cbor:"13,keyasint,omitempty"` // as NormaliseEmail makes it
	Role         Role         `json:"role,omitempty" cbor:"14,keyasint,omitempty"`
	Message      string       `json:"message,omitempty" cbor:"15,keyasint,omitempty"`
	Account      string       `json:"account,omitempty" cbor:"16,keyasint,omitempty"`
	Allow        bool         `json:"allow,omitempty" cbor:"17,keyasint,omitempty"`
	Organisation string       `json:"organisation,omitempty" cbor:"18,keyasint,omitempty"`
}
