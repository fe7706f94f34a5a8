package localstore

import (
	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
)

// Board is what is stored of a dashboard beside its replica. Title, Trashed, Widgets, Updated and Queued are taken from the
// replica in each transaction that changes it, so that a list of dashboards needs no replica.
type Board struct {
	ID      board.ID `cbor:"-"`
	Title   string   `cbor:"1,keyasint,omitempty"`
	Trashed bool     `cbor:"2,keyasint,omitempty"`
	Widgets int      `cbor:"3,keyasint,omitempty"`
	// Created and Updated are milliseconds since 1970.
	Created int64 `cbor:"4,keyasint,omitempty"`
	Updated int64 `cbor:"5,keyasint,omitempty"`
	// Queued counts the edits that wait for the server, Refused those that it refused and that the user has not settled.
	Queued  int `cbor:"6,keyasint,omitempty"`
	Refused int `cbor:"7,keyasint,omitempty"`
	// Sample is a dashboard that came with the program and has not been touched; it stays on this device.
	Sample bool `cbor:"8,keyasint,omitempty"`
	// Home is the account (Account.Key) that the dashboard was given to, "" while it belongs to this device alone. Known
	// says that the server has confirmed that it has it.
	Home  string `cbor:"9,keyasint,omitempty"`
	Known bool   `cbor:"10,keyasint,omitempty"`
	// Role is what the account may do; Denied is the server's sentence if the account may not open it any more.
	Role   sharing.Role `cbor:"11,keyasint,omitempty"`
	Denied string       `cbor:"12,keyasint,omitempty"`
	// Link is the state of the share link as the server last told it, Refusal the last command that it refused.
	Link    sharing.Link `cbor:"13,keyasint,omitzero"`
	Refusal *Refusal     `cbor:"14,keyasint,omitempty"`
	// Share says that the account may manage sharing. Organisation is the id of the dashboard's, Owner the name of its owner,
	// and Mine says that this is the account itself; all as the server last told, empty before.
	Share        bool   `cbor:"15,keyasint,omitempty"`
	Organisation string `cbor:"16,keyasint,omitempty"`
	Owner        string `cbor:"17,keyasint,omitempty"`
	Mine         bool   `cbor:"18,keyasint,omitempty"`
	// Buried is what was known here of widgets that the server has removed for good while edits of them, made here, were not
	// settled: fields and columns, as operations that write them.
	Buried []replica.Op `cbor:"19,keyasint,omitempty"`
}

// People are those who can open a dashboard with an account, and the invitations that wait for an answer, as the server
// last told them. Organisation is the name of the dashboard's, Size the number of its members.
type People struct {
	Members      []sharing.Member     `cbor:"1,keyasint,omitempty"`
	Invitations  []sharing.Invitation `cbor:"2,keyasint,omitempty"`
	EditorsShare bool                 `cbor:"3,keyasint,omitempty"`
	Organisation string               `cbor:"4,keyasint,omitempty"`
	Size         int                  `cbor:"5,keyasint,omitempty"`
}

// Refusal is a command that the server refused, and why.
type Refusal struct {
	Action  sharing.Action `cbor:"1,keyasint"`
	Message string         `cbor:"2,keyasint"`
}

// Command is a command that waits for the server. After is the number of the last edit of its dashboard that was queued
// before it: commands and edits of a dashboard reach the server in the order in which they were made. Home is the account
// whose command it is, "" while the dashboard belongs to this device alone.
type Command struct {
	Seq     uint64          `cbor:"-"`
	Command sharing.Command `cbor:"1,keyasint"`
	After   uint64          `cbor:"2,keyasint,omitempty"`
	Home    string          `cbor:"3,keyasint,omitempty"`
	// Sent says that it may have been sent: taking it out of the outbox does not undo it any more.
	Sent bool `cbor:"4,keyasint,omitempty"`
}

// Account is who is signed in. Base is the public address of share links as the server told it, "" before the first
// connection; Offset is the server's clock minus this device's in milliseconds, as it was measured last.
type Account struct {
	Server string `cbor:"1,keyasint"`
	ID     string `cbor:"2,keyasint"`
	Email  string `cbor:"3,keyasint"`
	Base   string `cbor:"4,keyasint,omitempty"`
	Offset int64  `cbor:"5,keyasint,omitempty"`
	// LastSynced is when everything was last exchanged, in milliseconds since 1970.
	LastSynced int64 `cbor:"6,keyasint,omitempty"`
	// Name, Verified (the address was proved to be the account's) and NoMail (the server cannot send any) are as the server
	// told them.
	Name     string `cbor:"7,keyasint,omitempty"`
	Verified bool   `cbor:"8,keyasint,omitempty"`
	NoMail   bool   `cbor:"9,keyasint,omitempty"`
}

// Organisation is one that the signed-in account is a member of: as owner, admin or member.
type Organisation struct {
	ID       string `cbor:"1,keyasint"`
	Name     string `cbor:"2,keyasint"`
	Role     string `cbor:"3,keyasint"`
	Personal bool   `cbor:"4,keyasint,omitempty"`
}

// SignUp is a sign-up that waits for the link in a mail to be opened. Its claim is in the credential store under Key.
// Mailbox is the page of a development server's mailbox, "" if there is none.
type SignUp struct {
	Server  string `cbor:"1,keyasint"`
	Email   string `cbor:"2,keyasint"`
	Mailbox string `cbor:"3,keyasint,omitempty"`
	Key     string `cbor:"4,keyasint"`
}

// Key names the account in Board.Home and in the credential store.
func (a Account) Key() string { return a.Server + " " + a.ID }

// Settings are this device's preferences. Samples says that the sample dashboards have been made.
type Settings struct {
	Theme   board.Theme `cbor:"1,keyasint,omitempty"`
	Samples bool        `cbor:"2,keyasint,omitempty"`
}
