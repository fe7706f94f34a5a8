// Package workspace holds the use cases of the desktop program: making, editing, arranging, sharing and deleting
// dashboards, and signing in. Every change is one transaction of the local store, on disk before the call returns; the
// network has no part in it. The sync client moves what waits, through the methods in replication.go.
//
// The package knows nothing of windows, HTTP or sockets. Start reading at Workspace, then edit.go.
package workspace

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// Deps is what a Workspace needs. Store, Now, Random, Log, Accounts and Credentials are required.
type Deps struct {
	Store *localstore.Store
	// Now is this device's clock, in the user's time zone.
	Now func() time.Time
	// Random is a cryptographically secure source, safe for concurrent use.
	Random      io.Reader
	Log         *slog.Logger
	Accounts    Accounts
	Credentials Credentials

	// Version is the program's version, Desktop whether it has a window of its own, DefaultServer the address offered in
	// the sign-in form.
	Version       string
	Desktop       bool
	DefaultServer string
}

// Accounts talks to a server about accounts. Errors are faults: Unauthenticated for a wrong password, Unavailable where
// the server cannot be reached, Outdated or Invalid where it is not one of ours.
type Accounts interface {
	SignUp(ctx context.Context, server, email, password string) (Session, error)
	LogIn(ctx context.Context, server, email, password string) (Session, error)
	LogOut(ctx context.Context, server, token string) error
}

// Session is what a server answers to a sign-up or log-in. Server is the address in its normal form (scheme, host and
// path, no slash at the end).
type Session struct {
	Server  string
	Account string
	Email   string
	Token   string
}

// Credentials keeps session tokens outside the data file. Key is the server's address and the account's id. Load returns
// "" if there is none.
type Credentials interface {
	Load(key string) (token string, err error)
	Store(key, token string) error
	Delete(key string) error
}

// Workspace is the program's model. Its methods may be called concurrently. Every error they return carries a
// *fault.Error; after an error nothing has changed, on disk or in memory.
type Workspace struct {
	deps Deps
}

// New opens the workspace on a store, and puts the sample dashboards into a new one.
func New(deps Deps) (*Workspace, error) { return &Workspace{deps: deps}, nil }

var errSoon = fault.New(fault.Internal, "This is not built yet.")

// State is the list of dashboards, the account and the state of the connection.
func (w *Workspace) State() AppState { return AppState{Boards: []BoardSummary{}} }

// Settings changes this device's preferences.
func (w *Workspace) Settings(s Settings) error { return errSoon }

// Board is a whole dashboard.
func (w *Workspace) Board(id board.ID) (BoardView, error) { return BoardView{}, errSoon }

// BoardSince is what changed since version have; where that is not known any more it is the whole dashboard. Exactly one
// of the two is not nil, unless there is an error.
func (w *Workspace) BoardSince(id board.ID, have int64) (*BoardPatch, *BoardView, error) {
	return nil, nil, errSoon
}

// Create makes an empty dashboard.
func (w *Workspace) Create(title string) (board.ID, error) { return "", errSoon }

// Duplicate makes a dashboard with the same content under new ids. It is private and belongs to this account.
func (w *Workspace) Duplicate(id board.ID) (board.ID, error) { return "", errSoon }

// Trash moves a dashboard to the trash; its link does not work while it is there.
func (w *Workspace) Trash(id board.ID) error { return errSoon }

// Restore takes a dashboard out of the trash.
func (w *Workspace) Restore(id board.ID) error { return errSoon }

// Destroy deletes a trashed dashboard for ever, here and on the server.
func (w *Workspace) Destroy(id board.ID) error { return errSoon }

// Edit changes a dashboard's content, all or nothing. Label names the change in the undo menu; edits of the same fields
// under the same label within a second are one step for Undo.
func (w *Workspace) Edit(id board.ID, edits []Edit, label string) (Edited, error) {
	return Edited{}, errSoon
}

// PutRows replaces a widget's columns and rows, as one undoable edit.
func (w *Workspace) PutRows(id board.ID, widget board.WidgetID, columns []board.Column, rows []json.RawMessage) (Edited, error) {
	return Edited{}, errSoon
}

// Undo takes back the latest edit made here, except where somebody else wrote later.
func (w *Workspace) Undo(id board.ID) error { return errSoon }

// Redo does again what Undo took back.
func (w *Workspace) Redo(id board.ID) error { return errSoon }

// Export is the dashboard as the text of a JSON file that ImportBoard reads.
func (w *Workspace) Export(id board.ID) ([]byte, error) { return nil, errSoon }

// RowsCSV is a widget's data as CSV (RFC 4180, UTF-8). Cells that a spreadsheet would take for a formula are defused.
func (w *Workspace) RowsCSV(id board.ID, widget board.WidgetID) ([]byte, error) { return nil, errSoon }

// ImportBoard makes a dashboard from the text of a file that Export wrote.
func (w *Workspace) ImportBoard(text []byte) (board.ID, error) { return "", errSoon }

// Share queues a change of the dashboard's link: sharing.Enable, Disable or Rotate.
func (w *Workspace) Share(id board.ID, action sharing.Action) error { return errSoon }

// DismissRefusal forgets the last refused command of a dashboard.
func (w *Workspace) DismissRefusal(id board.ID) error { return errSoon }

// KeepCopy makes a dashboard of one's own from one whose edits were refused, with the refused edits in it, and forgets
// them in the original.
func (w *Workspace) KeepCopy(id board.ID) (board.ID, error) { return "", errSoon }

// DiscardRefused forgets a dashboard's refused edits; a dashboard that the account may not open any more goes altogether.
func (w *Workspace) DiscardRefused(id board.ID) error { return errSoon }

// SignUp makes an account on a server and signs in to it.
func (w *Workspace) SignUp(ctx context.Context, server, email, password string) error { return errSoon }

// LogIn signs in to an account.
func (w *Workspace) LogIn(ctx context.Context, server, email, password string) error { return errSoon }

// LogOut forgets the session. Dashboards stay on this device.
func (w *Workspace) LogOut(ctx context.Context) error { return errSoon }

// RetrySync tries to reach the server now rather than later.
func (w *Workspace) RetrySync() {}

// Subscription collects events until they are fetched: at most one of EventState, one EventBoard for each dashboard (the
// latest), and the latest 32 notices.
type Subscription struct{}

// Subscribe starts collecting events.
func (w *Workspace) Subscribe() *Subscription { return &Subscription{} }

// Wait blocks until there are events, and returns them. The error is ctx's, or io.EOF after Close.
func (s *Subscription) Wait(ctx context.Context) ([]Event, error) { return nil, io.EOF }

// Close ends the subscription.
func (s *Subscription) Close() {}
