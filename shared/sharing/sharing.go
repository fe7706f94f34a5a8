// Package sharing holds the laws of sharing a dashboard: link states, roles, commands, and the formats of tokens.
//
// The rules are in SPEC.md beside this file, by number. Link is what the server decided; Command is what an owner asked
// for, perhaps while offline; Decide is the one function from the two to a new Link, which the server runs for good and
// the app runs over its waiting commands to show what is to come. Nothing here does I/O or reads a clock.
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

// Link is the state of a dashboard's share link. The zero Link has never been on.
type Link struct {
	Enabled bool    `json:"enabled" cbor:"1,keyasint"`
	Token   Token   `json:"token,omitempty" cbor:"2,keyasint,omitempty"`
	ShortID ShortID `json:"shortId,omitempty" cbor:"3,keyasint,omitempty"`
	// Version counts the changes of this link; commands name the version they were based on.
	Version uint64 `json:"version" cbor:"4,keyasint"`
}

// Mode is the mode in force.
func (l Link) Mode() Mode {
	if !l.Enabled {
		return Private
	}
	return Public
}

// Action is what a Command does.
type Action string

// The actions. Delete removes the whole dashboard from the server, for ever.
const (
	Enable  Action = "enable"
	Disable Action = "disable"
	Rotate  Action = "rotate"
	Delete  Action = "delete"
)

// Command is one change of access. ID makes repeats harmless; Base is Link.Version as the author saw it, own waiting
// commands included. Enable carries the token and short id to use if the link never had one; Rotate carries the new ones.
type Command struct {
	ID      string   `json:"id" cbor:"1,keyasint"` // "cmd_" and a ULID
	Board   board.ID `json:"board" cbor:"2,keyasint"`
	Action  Action   `json:"action" cbor:"3,keyasint"`
	Base    uint64   `json:"base" cbor:"4,keyasint"`
	Token   Token    `json:"token,omitempty" cbor:"5,keyasint,omitempty"`
	ShortID ShortID  `json:"shortId,omitempty" cbor:"6,keyasint,omitempty"`
}
