package workspace

import "widgets.pro/shared/screen"

//nolint:revive // What screens see is the same wherever it comes from, and is documented in package screen.
type (
	Sync              = screen.Sync
	AppState          = screen.AppState
	Place             = screen.Place
	BoardSummary      = screen.BoardSummary
	Account           = screen.Account
	SignUp            = screen.SignUp
	Settings          = screen.Settings
	SyncState         = screen.SyncState
	SyncStatus        = screen.SyncStatus
	BoardHead         = screen.BoardHead
	BoardView         = screen.BoardView
	WidgetView        = screen.WidgetView
	BoardPatch        = screen.BoardPatch
	WidgetPatch       = screen.WidgetPatch
	ShareView         = screen.ShareView
	BoardOrganisation = screen.BoardOrganisation
	Present           = screen.Present
	Person            = screen.Person
	PersonChange      = screen.PersonChange
	PersonAction      = screen.PersonAction
	InvitationView    = screen.InvitationView
	Invited           = screen.Invited
	Organisation      = screen.Organisation
	LinkState         = screen.LinkState
	Views             = screen.Views
	ShareChange       = screen.ShareChange
	Secret            = screen.Secret
	WaitingCommand    = screen.WaitingCommand
	RefusedCommand    = screen.RefusedCommand
	Receipt           = screen.Receipt
	Do                = screen.Do
	Edit              = screen.Edit
	Edited            = screen.Edited
	EventType         = screen.EventType
	Event             = screen.Event
	NoticeKind        = screen.NoticeKind
	Notice            = screen.Notice
	Tray              = screen.Tray
	TrayChange        = screen.TrayChange
	History           = screen.History
	HistoryChange     = screen.HistoryChange
	HistoryItem       = screen.HistoryItem
	Then              = screen.Then
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
