// Package screen is the one shape that every screen sees (DESIGN: edits go in, patches of an already merged dashboard come
// out), and the pure parts of giving it: turning edits into operations, telling what changed since some version, undo,
// files, and what a change of sharing comes to.
//
// The desktop program gives it over its own file, the server over its store; both answer the same TypeScript. The package
// does no I/O, reads no clock and knows neither of them. Start reading at Screen, then Plan, then Step.
package screen

import (
	"encoding/json"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
)

// The types in this file are what screens see. They mirror frontend/src/lib/backend/types.ts name by name; slices and
// maps in them are never nil, so that they encode as [] and {}. Times are milliseconds since 1970.

// Sync says where the edits of one dashboard are.
type Sync string

// The places of a dashboard's edits: only on this device, on the way, all on the server, some refused by the server, or
// the account may not open the dashboard any more.
const (
	SyncDevice  Sync = "device"
	SyncWaiting Sync = "waiting"
	SyncSaved   Sync = "saved"
	SyncRefused Sync = "refused"
	SyncDenied  Sync = "denied"
)

// AppState is everything that the frame around a dashboard shows. Desktop is whether Place is the window; Organisations are
// those that the account is a member of, the personal one first.
type AppState struct {
	Boards        []BoardSummary `json:"boards"`
	Account       *Account       `json:"account"`
	SignUp        *SignUp        `json:"signUp"`
	Organisations []Organisation `json:"organisations"`
	Sync          SyncStatus     `json:"sync"`
	Settings      Settings       `json:"settings"`
	Desktop       bool           `json:"desktop"`
	Place         Place          `json:"place"`
	Version       string         `json:"version"`
	DefaultServer string         `json:"defaultServer"`
}

// Place is where the screens run.
type Place string

// The places: a window, a browser on the same machine, and a browser on a sync server, where nothing works offline.
const (
	PlaceDesktop  Place = "desktop"
	PlaceLoopback Place = "loopback"
	PlaceWeb      Place = "web"
)

// BoardSummary is one dashboard in the list.
type BoardSummary struct {
	ID      board.ID     `json:"id"`
	Title   string       `json:"title"`
	Role    sharing.Role `json:"role"`
	Trashed bool         `json:"trashed"`
	Sample  bool         `json:"sample"`
	Sync    Sync         `json:"sync"`
	Queued  int          `json:"queued"`
	// Refused counts the edits made here that the server refused and that the user has not settled; see Tray.
	Refused int `json:"refused"`
	// Mode is the mode in force, not the one that may still wait for the server (rule A4). Ends is when that link ends by
	// itself, 0 if never or if nobody gets in by it (rule L5).
	Mode    sharing.Mode `json:"mode"`
	Ends    int64        `json:"ends"`
	Widgets int          `json:"widgets"`
	Updated int64        `json:"updated"`
	Created int64        `json:"created"`
	// Mine says that it is the account's own, or nobody's yet; otherwise Owner is the name of who owns it.
	Mine  bool   `json:"mine"`
	Owner string `json:"owner"`
	// Organisation is the id of the one that it will belong to once synced; empty before the server has told.
	Organisation string `json:"organisation"`
	// CanShare says that sharing may be managed.
	CanShare bool `json:"canShare"`
}

// Account is who is signed in, and where. ManageURL is the server's page on which account, sessions and organisations are
// managed; Verified says that the address was proved to be the account's.
type Account struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Server    string `json:"server"`
	Verified  bool   `json:"verified"`
	ManageURL string `json:"manageUrl"`
}

// SignUp is a sign-up that waits for the link in a mail to be opened. Mailbox is the page of a development server's
// mailbox, "" if it has none.
type SignUp struct {
	Email   string `json:"email"`
	Server  string `json:"server"`
	Mailbox string `json:"mailbox"`
}

// Settings are the preferences of this device.
type Settings struct {
	Theme board.Theme `json:"theme"`
}

// SyncState is the state of the connection to the server.
type SyncState string

// The states of the connection: no account; no connection, being tried again; being opened; open with something under
// way; open with everything exchanged; refused by the server or by this program, until the user does something.
const (
	StateOff        SyncState = "off"
	StateOffline    SyncState = "offline"
	StateConnecting SyncState = "connecting"
	StateSyncing    SyncState = "syncing"
	StateSynced     SyncState = "synced"
	StateRefused    SyncState = "refused"
)

// SyncStatus is the connection in words: Sentence is ready to show, Hint says what to do, Queued counts the edits and
// commands that wait on this device, LastSynced is when everything was last exchanged (0 is never). Total is, while they are
// being sent, how many Queued was at most since the sending began; otherwise it is Queued.
type SyncStatus struct {
	State      SyncState `json:"state"`
	Sentence   string    `json:"sentence"`
	Hint       string    `json:"hint"`
	Queued     int       `json:"queued"`
	Total      int       `json:"total"`
	LastSynced int64     `json:"lastSynced"`
}

// BoardHead is a dashboard without its widgets. Refused counts the edits in its Tray. Undo and Redo are the labels of what
// would be undone or redone, or nil; Version is the version of the view in this run of the program.
type BoardHead struct {
	ID          board.ID     `json:"id"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Theme       board.Theme  `json:"theme"`
	Role        sharing.Role `json:"role"`
	Trashed     bool         `json:"trashed"`
	Sample      bool         `json:"sample"`
	Sync        Sync         `json:"sync"`
	Queued      int          `json:"queued"`
	Refused     int          `json:"refused"`
	Undo        *string      `json:"undo"`
	Redo        *string      `json:"redo"`
	Share       ShareView    `json:"share"`
	Version     int64        `json:"version"`
}

// BoardView is a whole dashboard, live widgets in reading order.
type BoardView struct {
	BoardHead
	Widgets []WidgetView `json:"widgets"`
}

// WidgetView is one widget. Rev grows whenever anything but its rows changed, DataRev whenever its rows did.
type WidgetView struct {
	board.Widget
	Rev     int64 `json:"rev"`
	DataRev int64 `json:"dataRev"`
}

// BoardPatch is what changed since some version: the head, the ids of all live widgets in reading order, and the widgets
// that changed.
type BoardPatch struct {
	BoardHead
	Order   []board.WidgetID `json:"order"`
	Changed []WidgetPatch    `json:"changed"`
}

// WidgetPatch is one changed widget. Its rows come whole in Rows, or as an addition in Append, or not at all (both nil)
// when they did not change.
type WidgetPatch struct {
	ID      board.WidgetID             `json:"id"`
	Kind    board.Kind                 `json:"kind"`
	Title   string                     `json:"title"`
	Layout  board.Layout               `json:"layout"`
	Options map[string]json.RawMessage `json:"options"`
	Columns []board.Column             `json:"columns"`
	Rows    []json.RawMessage          `json:"rows,omitzero"`
	Append  []json.RawMessage          `json:"append,omitzero"`
	Rev     int64                      `json:"rev"`
	DataRev int64                      `json:"dataRev"`
}

// ShareView is what the share dialog shows. InForce is what the server last said, Wanted what will be once the waiting
// commands have arrived. Synced says that the dashboard and all its edits have reached the server. URL,
// ShortURL and SlugURL belong to Wanted, and are empty when there is no link or slug, or no server.
type ShareView struct {
	InForce  LinkState        `json:"inForce"`
	Wanted   LinkState        `json:"wanted"`
	Waiting  []WaitingCommand `json:"waiting"`
	Refused  *RefusedCommand  `json:"refused"`
	Synced   bool             `json:"synced"`
	URL      string           `json:"url"`
	ShortURL string           `json:"shortUrl"`
	SlugURL  string           `json:"slugUrl"`
	// EmbedScript is the address of the script that fits frames to their content, empty without a server.
	EmbedScript string   `json:"embedScript"`
	Watching    int      `json:"watching"`
	Views       *Views   `json:"views"`
	Receipt     *Receipt `json:"receipt"`
	// People are those who can open it with an account, without addresses for whoever may not manage sharing.
	People []Person `json:"people"`
	// Invitations are those that wait for an answer, and those that still wait on this device; for who may share.
	Invitations []InvitationView `json:"invitations"`
	// EditorsShare says whether editors may manage sharing too, once the waiting commands have arrived.
	EditorsShare bool `json:"editorsShare"`
	// Organisation is the dashboard's, nil before the server has told.
	Organisation *BoardOrganisation `json:"organisation"`
	// Presence is who else has the dashboard before them now; empty offline.
	Presence []Present `json:"presence"`
	// Mail says whether the server can send mail; true before it has told.
	Mail      bool `json:"mail"`
	CanManage bool `json:"canManage"`
}

// BoardOrganisation is the organisation whose members can view a dashboard, and how many they are. ID is "" for whoever is
// not one of them.
type BoardOrganisation struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Size     int    `json:"size"`
	Personal bool   `json:"personal"`
}

// Present is somebody who has a dashboard before them.
type Present struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Editing bool   `json:"editing"`
}

// Person is somebody who can open the dashboard. Own says that the role was given on it, rather than by the organisation.
// Waiting is the change of this person that waits for the connection; Role is the one in force until then.
type Person struct {
	Account string        `json:"account"`
	Name    string        `json:"name"`
	Email   string        `json:"email"`
	Role    sharing.Role  `json:"role"`
	Own     bool          `json:"own"`
	You     bool          `json:"you"`
	Waiting *PersonChange `json:"waiting"`
}

// PersonChange is another role for somebody, or their removal.
type PersonChange struct {
	Action PersonAction `json:"action"`
	Role   sharing.Role `json:"role,omitempty"`
}

// PersonAction is what a PersonChange does.
type PersonAction string

// The changes of a person.
const (
	PersonRole   PersonAction = "role"
	PersonRemove PersonAction = "remove"
)

// InvitationView is an invitation that waits for an answer. By is the name of who invited. Waiting is the change of it that
// waits for the connection (Invite, Resend or Revoke), or nil.
type InvitationView struct {
	ID       sharing.InvitationID `json:"id"`
	Email    string               `json:"email"`
	Role     sharing.Role         `json:"role"`
	By       string               `json:"by"`
	Invited  int64                `json:"invited"`
	Expires  int64                `json:"expires"`
	Expired  bool                 `json:"expired"`
	Delivery sharing.Delivery     `json:"delivery"`
	Reason   string               `json:"reason"`
	Waiting  *sharing.Action      `json:"waiting"`
}

// DeliveryWaiting is that of an invitation which is still on this device.
const DeliveryWaiting sharing.Delivery = "waiting"

// Invited says what became of a list of addresses to invite: those in Bad are as they were typed; those in Present have a
// role or an invitation already.
type Invited struct {
	Invited []string `json:"invited"`
	Bad     []string `json:"bad"`
	Present []string `json:"present"`
}

// Organisation is one that the account is a member of: as owner, admin or member.
type Organisation struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Personal bool   `json:"personal"`
}

// LinkState is one state of a share link.
type LinkState struct {
	Mode    sharing.Mode    `json:"mode"`
	Enabled bool            `json:"enabled"`
	Token   sharing.Token   `json:"token"`
	ShortID sharing.ShortID `json:"shortId"`
	Version uint64          `json:"version"`
	// Password says that one is asked for. Expires is when the link ends, 0 if never; Expired says that it has.
	Password bool         `json:"password"`
	Expires  int64        `json:"expires"`
	Expired  bool         `json:"expired"`
	Slug     sharing.Slug `json:"slug"`
	Still    bool         `json:"still"`
	Origins  []string     `json:"origins"`
}

// Views says how often the link was opened: Last is when it was last, Days are counts by day (UTC), the last of them that
// of Day, such as "2026-11-27".
type Views struct {
	Last int64    `json:"last"`
	Day  string   `json:"day"`
	Days []uint32 `json:"days"`
}

// ShareChange is what a user asks for in the share dialog. Each action uses the fields of its name; Enable takes a
// Password to turn the link on with it from the first moment. Passwords are hashed at once and kept nowhere.
type ShareChange struct {
	Action   sharing.Action `json:"action"`
	Password Secret         `json:"password,omitempty"`
	Expires  int64          `json:"expires,omitempty"`
	Slug     string         `json:"slug,omitempty"`
	Still    bool           `json:"still,omitempty"`
	Origins  []string       `json:"origins,omitempty"`

	Invitation sharing.InvitationID `json:"invitation,omitempty"`
	Account    string               `json:"account,omitempty"`
	// Role is RoleNone to remove the person.
	Role         sharing.Role `json:"role,omitempty"`
	Allow        bool         `json:"allow,omitempty"`
	Organisation string       `json:"organisation,omitempty"`
}

// Secret is a password on its way in, or the claim of a sign-up. Whichever way it is printed or encoded, it comes out as
// "[redacted]".
type Secret string

const redacted = "[redacted]"

// String is "[redacted]".
func (Secret) String() string { return redacted }

// GoString is "[redacted]".
func (Secret) GoString() string { return redacted }

// MarshalText is "[redacted]", which also holds for JSON and structured logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// WaitingCommand is a command that waits for the connection.
type WaitingCommand struct {
	ID     string         `json:"id"`
	Action sharing.Action `json:"action"`
}

// RefusedCommand is the last command that the server refused.
type RefusedCommand struct {
	Action  sharing.Action `json:"action"`
	Message string         `json:"message"`
}

// Receipt tells what a revocation did: connections cut, and how many milliseconds the slowest took.
type Receipt struct {
	Cut int   `json:"cut"`
	MS  int64 `json:"ms"`
}

// Do names what an Edit does.
type Do string

// The edits, with the fields of Edit that each uses: DoBoard Field, Value (title, description or theme, a string); DoAdd
// Kind, Title and, if set, Layout, Options, Columns, Rows; DoTitle Widget, Value; DoLayout Widget, Value (a Layout);
// DoOption Widget, Name, Value (null for automatic); DoKind Widget, Value; DoRemove and DoDuplicate Widget; DoRows Widget,
// Columns, Rows (a replacement); DoAppend Widget, Rows.
const (
	DoBoard     Do = "board"
	DoAdd       Do = "add"
	DoTitle     Do = "title"
	DoLayout    Do = "layout"
	DoOption    Do = "option"
	DoKind      Do = "kind"
	DoRemove    Do = "remove"
	DoDuplicate Do = "duplicate"
	DoRows      Do = "rows"
	DoAppend    Do = "append"
)

// Edit is one change of a dashboard's content. An added widget without a Layout is placed below the others.
type Edit struct {
	Do      Do                         `json:"do"`
	Widget  board.WidgetID             `json:"widget,omitempty"`
	Field   string                     `json:"field,omitempty"`
	Name    string                     `json:"name,omitempty"`
	Value   json.RawMessage            `json:"value,omitempty"`
	Kind    board.Kind                 `json:"kind,omitempty"`
	Title   string                     `json:"title,omitempty"`
	Layout  *board.Layout              `json:"layout,omitempty"`
	Options map[string]json.RawMessage `json:"options,omitempty"`
	Columns []board.Column             `json:"columns,omitempty"`
	Rows    []json.RawMessage          `json:"rows,omitempty"`
}

// Edited answers a batch of edits that is on disk: the version of the view that shows it, and the ids of the widgets that
// it added, in the order of the edits.
type Edited struct {
	Version int64            `json:"version"`
	Added   []board.WidgetID `json:"added"`
}

// EventType names a kind of event.
type EventType string

// The events: AppState changed; a dashboard changed and now has Version; there is something to tell once.
const (
	EventState  EventType = "state"
	EventBoard  EventType = "board"
	EventNotice EventType = "notice"
)

// Event tells a screen to fetch something again, or to show a notice.
type Event struct {
	Type    EventType `json:"type"`
	ID      board.ID  `json:"id,omitempty"`
	Version int64     `json:"version,omitempty"`
	Notice  *Notice   `json:"notice,omitempty"`
}

// NoticeKind says how loud a notice is.
type NoticeKind string

// The kinds of notice.
const (
	NoticeInfo    NoticeKind = "info"
	NoticeWarning NoticeKind = "warning"
	NoticeError   NoticeKind = "error"
)

// Notice is something to tell once, such as a corrected clock or a refused edit. History says that the dashboard's history
// tells more of it.
type Notice struct {
	Kind    NoticeKind `json:"kind"`
	Message string     `json:"message"`
	Hint    string     `json:"hint"`
	Board   board.ID   `json:"board"`
	History bool       `json:"history,omitempty"`
}
