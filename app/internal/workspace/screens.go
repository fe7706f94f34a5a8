package workspace

import "widgets.pro/shared/screen"

type (
	// Sync is what package screen says of it.
	Sync = screen.Sync
	// AppState is what package screen says of it.
	AppState = screen.AppState
	// Place is what package screen says of it.
	Place = screen.Place
	// BoardSummary is what package screen says of it.
	BoardSummary = screen.BoardSummary
	// Account is what package screen says of it.
	Account = screen.Account
	// SignUp is what package screen says of it.
	SignUp = screen.SignUp
	// Settings is what package screen says of it.
	Settings = screen.Settings
	// SyncState is what package screen says of it.
	SyncState = screen.SyncState
	// SyncStatus is what package screen says of it.
	SyncStatus = screen.SyncStatus
	// BoardHead is what package screen says of it.
	BoardHead = screen.BoardHead
	// BoardView is what package screen says of it.
	BoardView = screen.BoardView
	// WidgetView is what package screen says of it.
	WidgetView = screen.WidgetView
	// BoardPatch is what package screen says of it.
	BoardPatch = screen.BoardPatch
	// WidgetPatch is what package screen says of it.
	WidgetPatch = screen.WidgetPatch
	// ShareView is what package screen says of it.
	ShareView = screen.ShareView
	// BoardOrganisation is what package screen says of it.
	BoardOrganisation = screen.BoardOrganisation
	// Present is what package screen says of it.
	Present = screen.Present
	// Person is what package screen says of it.
	Person = screen.Person
	// PersonChange is what package screen says of it.
	PersonChange = screen.PersonChange
	// PersonAction is what package screen says of it.
	PersonAction = screen.PersonAction
	// InvitationView is what package screen says of it.
	InvitationView = screen.InvitationView
	// Invited is what package screen says of it.
	Invited = screen.Invited
	// Organisation is what package screen says of it.
	Organisation = screen.Organisation
	// LinkState is what package screen says of it.
	LinkState = screen.LinkState
	// Views is what package screen says of it.
	Views = screen.Views
	// ShareChange is what package screen says of it.
	ShareChange = screen.ShareChange
	// Secret is what package screen says of it.
	Secret = screen.Secret
	// WaitingCommand is what package screen says of it.
	WaitingCommand = screen.WaitingCommand
	// RefusedCommand is what package screen says of it.
	RefusedCommand = screen.RefusedCommand
	// Receipt is what package screen says of it.
	Receipt = screen.Receipt
	// Do is what package screen says of it.
	Do = screen.Do
	// Edit is what package screen says of it.
	Edit = screen.Edit
	// Edited is what package screen says of it.
	Edited = screen.Edited
	// EventType is what package screen says of it.
	EventType = screen.EventType
	// Event is what package screen says of it.
	Event = screen.Event
	// NoticeKind is what package screen says of it.
	NoticeKind = screen.NoticeKind
	// Notice is what package screen says of it.
	Notice = screen.Notice
)

// The values of those types.
const (
	SyncDevice      = screen.SyncDevice
	SyncWaiting     = screen.SyncWaiting
	SyncSaved       = screen.SyncSaved
	SyncRefused     = screen.SyncRefused
	SyncDenied      = screen.SyncDenied
	PlaceDesktop    = screen.PlaceDesktop
	PlaceLoopback   = screen.PlaceLoopback
	PlaceWeb        = screen.PlaceWeb
	StateOff        = screen.StateOff
	StateOffline    = screen.StateOffline
	StateConnecting = screen.StateConnecting
	StateSyncing    = screen.StateSyncing
	StateSynced     = screen.StateSynced
	StateRefused    = screen.StateRefused
	PersonRole      = screen.PersonRole
	PersonRemove    = screen.PersonRemove
	DoBoard         = screen.DoBoard
	DoAdd           = screen.DoAdd
	DoTitle         = screen.DoTitle
	DoLayout        = screen.DoLayout
	DoOption        = screen.DoOption
	DoKind          = screen.DoKind
	DoRemove        = screen.DoRemove
	DoDuplicate     = screen.DoDuplicate
	DoRows          = screen.DoRows
	DoAppend        = screen.DoAppend
	EventState      = screen.EventState
	EventBoard      = screen.EventBoard
	EventNotice     = screen.EventNotice
	NoticeInfo      = screen.NoticeInfo
	NoticeWarning   = screen.NoticeWarning
	NoticeError     = screen.NoticeError
	DeliveryWaiting = screen.DeliveryWaiting
)

// MaxImport is the size of a file that ImportBoard takes, in bytes.
const MaxImport = screen.MaxImport
