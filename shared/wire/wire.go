// Package wire is the protocol between the app and the sync server: messages, version, limits, close codes and codec.
//
// It runs over one websocket as text frames, one JSON message a frame, each with its type in "t". Unknown fields are
// ignored; an unknown type is ignored unless the message says "must":true. The rules are in SPEC.md beside this file,
// examples of every message in testdata. Start reading at Message.
package wire

import (
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
)

// Version is the protocol version this build speaks; MinVersion the oldest it still understands.
const (
	Version    = 1
	MinVersion = 1
)

// Subprotocol is the websocket subprotocol; SyncPath is where the server answers it.
const (
	Subprotocol = "widgets.v1.json"
	SyncPath    = "/api/v1/sync"
)

// Limits of the protocol. A frame over MaxFrame closes the connection with CloseTooLarge.
const (
	MaxFrame       = 1 << 20   // bytes of one message
	MaxBatchBytes  = 512 << 10 // bytes of operations that a sender puts in one message
	MaxBatchOps    = 500       // operations in one message
	MaxHelloBoards = 5_000     // dashboards in a hello
)

// Close codes, in the range that RFC 6455 leaves to applications. The reason text is a sentence for people.
const (
	CloseUnauthenticated = 4001
	CloseDenied          = 4003
	CloseOutdated        = 4010 // no common protocol version
	CloseInvalid         = 4022
	CloseTooLarge        = 4013
	CloseBusy            = 4029
	CloseRestarting      = 4050 // the server is going down; come back soon
)

// Type names a message.
type Type string

// Messages from the app, then from the server.
const (
	TypeHello     Type = "hello"
	TypeSubscribe Type = "sub"
	TypeOps       Type = "ops"
	TypeCommand   Type = "cmd"
	TypeLook      Type = "look"

	TypeWelcome  Type = "welcome"
	TypeBoards   Type = "boards"
	TypeAck      Type = "ack"
	TypeDelta    Type = "delta"
	TypeSnapshot Type = "snap"
	TypeShare    Type = "share"
	TypePeople   Type = "people"
	TypePresence Type = "presence"
	TypeResult   Type = "result"
	TypeDenied   Type = "denied"
	TypeError    Type = "error"
)

// Hello opens the connection. The session token travels in the Authorization header of the handshake, not here.
// Dev is the device's incarnation, in hexadecimal.
type Hello struct {
	Versions []int    `json:"v"`
	App      string   `json:"app"`
	Dev      string   `json:"dev"`
	Boards   []Cursor `json:"boards,omitempty"`
}

// Cursor says up to where a device has a dashboard. The zero Epoch and Since ask for everything. New asks to create the
// dashboard if the server has never heard of it (the account becomes its owner).
type Cursor struct {
	Board board.ID `json:"b"`
	Epoch uint64   `json:"epoch,string"`
	Since uint64   `json:"since"`
	New   bool     `json:"new,omitempty"`
}

// Subscribe asks for one more dashboard after the hello, or resumes one.
type Subscribe struct {
	Cursor
}

// Ops carries operations of one device on one dashboard, contiguous in N. Verdicts up to Floor may be forgotten.
type Ops struct {
	Board board.ID     `json:"b"`
	Floor uint64       `json:"floor"`
	Ops   []replica.Op `json:"ops"`
}

// Command carries a change of access.
type Command struct {
	Command sharing.Command `json:"cmd"`
}

// Welcome answers a Hello. Time is the server's clock in milliseconds since 1970; Base the public base URL of share links.
type Welcome struct {
	Version int    `json:"v"`
	Time    int64  `json:"time"`
	Account string `json:"account"` // acc_...
	Email   string `json:"email"`
	Base    string `json:"base"`
	Name    string `json:"name,omitempty"`
	// Verified says that the address was proved to be the account's; Mail that the server can send any.
	Verified bool `json:"verified,omitempty"`
	Mail     bool `json:"mail,omitempty"`
}

// Access is one dashboard the account may open.
type Access struct {
	Board board.ID     `json:"b"`
	Role  sharing.Role `json:"role"`
	Link  sharing.Link `json:"link"` // only for those who may manage sharing, as are Views
	Views *Views       `json:"views,omitempty"`
	// Share says that the account may manage sharing; an editor may where the owner allows it (rule A3).
	Share bool `json:"share,omitempty"`
	// Organisation is the one that the dashboard belongs to; Owner is the name of its owner, and Mine says that this is the
	// account itself.
	Organisation string `json:"org,omitempty"`
	Owner        string `json:"owner,omitempty"`
	Mine         bool   `json:"mine,omitempty"`
}

// Organisation is one that the account is a member of, as what: owner, admin or member. Personal marks the one that every
// account has.
type Organisation struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Personal bool   `json:"personal,omitempty"`
}

// Views says how often a share link was opened: Last is when it was last, in milliseconds since 1970, and Days are counts
// by day (UTC), of which the last is that of Day, such as "2026-11-27". The receiver counts on by the calendar itself.
type Views struct {
	Last int64    `json:"last"`
	Day  string   `json:"day"`
	Days []uint32 `json:"days"`
}

// Boards lists every dashboard the account may open; sent after Welcome and whenever the list or a role changes.
type Boards struct {
	Boards        []Access       `json:"boards"`
	Organisations []Organisation `json:"orgs,omitempty"`
}

// Ack answers Ops.
type Ack struct {
	Board board.ID `json:"b"`
	replica.Ack
}

// Delta carries what others (and this device itself) changed.
type Delta struct {
	Board board.ID `json:"b"`
	replica.Delta
}

// Snapshot carries a page of a dashboard's state.
type Snapshot struct {
	Board board.ID `json:"b"`
	replica.Snapshot
}

// Share tells the state of a dashboard's link after any change. Cut is the receipt for the owner (rule V2): how many
// connections the change ended and how long the slowest took, in milliseconds.
type Share struct {
	Board    board.ID     `json:"b"`
	Link     sharing.Link `json:"link"`
	Watching int          `json:"watching"`
	Cut      int          `json:"cut,omitempty"`
	CutMS    int64        `json:"cutMs,omitempty"`
	Views    *Views       `json:"views,omitempty"`
}

// Look tells which dashboard somebody has before them on this connection, the empty one if none, and whether they have just
// changed it. It is told again at least every LookEvery, or counts as over.
type Look struct {
	Board   board.ID `json:"b,omitempty"`
	Editing bool     `json:"editing,omitempty"`
}

// LookEvery is how often a Look is repeated, in milliseconds.
const LookEvery = 20_000

// People tells who can open a dashboard with an account: whoever may edit gets the members without their addresses, and
// whoever may manage sharing the addresses and the invitations too. It is sent when a dashboard is subscribed to and
// whenever anything in it changes.
type People struct {
	Board       board.ID             `json:"b"`
	Members     []sharing.Member     `json:"members"`
	Invitations []sharing.Invitation `json:"invitations"`
	// EditorsShare says that editors may manage sharing too.
	EditorsShare bool `json:"editorsShare,omitempty"`
	// Organisation is the dashboard's, with the number of its members.
	Organisation string `json:"org"`
	Size         int    `json:"size"`
}

// Presence tells those who may edit a dashboard who has it before them now.
type Presence struct {
	Board  board.ID  `json:"b"`
	People []Present `json:"people"`
}

// Present is one account that looks at a dashboard, however many of its devices do.
type Present struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Editing bool   `json:"editing,omitempty"`
}

// Result answers a Command: the link as it now is, and the fault if the command did not apply. Same says that it found the
// link as it asks for and changed nothing: whoever expected a change learns that somebody else made it.
type Result struct {
	ID    string       `json:"id"`
	Board board.ID     `json:"b"`
	Link  sharing.Link `json:"link"`
	Fault *fault.Error `json:"fault,omitempty"`
	Same  bool         `json:"same,omitempty"`
}

// Denied ends a subscription: the account may not (or no longer) open the dashboard. Gone says that it was deleted.
type Denied struct {
	Board   board.ID `json:"b"`
	Gone    bool     `json:"gone,omitempty"`
	Message string   `json:"message"`
}

// Error tells of a message that was not understood or not allowed; the connection goes on unless it is closed.
type Error struct {
	Board board.ID     `json:"b,omitempty"`
	Fault *fault.Error `json:"fault"`
}
