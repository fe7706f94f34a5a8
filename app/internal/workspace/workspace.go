// Package workspace holds the use cases of the desktop program: making, editing, arranging, sharing and deleting
// dashboards, and signing in. Every change is one transaction of the local store, on disk before the call returns; the
// network has no part in it. The sync client moves what waits, through the methods in replication.go.
//
// The package knows nothing of windows, HTTP or sockets. Start reading at Workspace, then edit.go.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// Deps is what a Workspace needs. Store, Now, Random, Log, Accounts, Archive and Credentials are required.
type Deps struct {
	Store *localstore.Store
	// Now is this device's clock, in the user's time zone.
	Now func() time.Time
	// Random is a cryptographically secure source, safe for concurrent use.
	Random      io.Reader
	Log         *slog.Logger
	Accounts    Accounts
	Archive     Archive
	Credentials Credentials
	// Hash hashes the password of a link; nil means sharing.HashPassword.
	Hash func(random io.Reader, password string) (sharing.Hash, error)

	// Version is the program's version, Desktop whether it has a window of its own, DefaultServer the address offered in
	// the sign-in form.
	Version       string
	Desktop       bool
	DefaultServer string
}

// Accounts talks to a server about accounts. Errors are faults: Unauthenticated for a wrong password, Unavailable where
// the server cannot be reached, Outdated or Invalid where it is not one of ours.
type Accounts interface {
	// SignUp begins a sign-up. Whether the address has an account already is told in the mail alone.
	SignUp(ctx context.Context, server, email, password string) (Pending, error)
	// Claim asks for the session of a sign-up; ok is false as long as the link in the mail was not opened. A session is given
	// once. A NotFound fault says that the sign-up is over.
	Claim(ctx context.Context, server string, claim Secret) (s Session, ok bool, err error)
	// Resend asks for the mail of a sign-up once more.
	Resend(ctx context.Context, server string, claim Secret) error
	LogIn(ctx context.Context, server, email, password string) (Session, error)
	LogOut(ctx context.Context, server, token string) error
}

// Pending is a sign-up that has begun. Server is the address in its normal form, Mailbox the page of a development server's
// mailbox, "" if it has none.
type Pending struct {
	Server  string
	Claim   Secret
	Mailbox string
}

// Session is what a server answers to a sign-up or log-in. Server is the address in its normal form (scheme, host and
// path, no slash at the end).
type Session struct {
	Server  string
	Account string
	Email   string
	Token   string
}

// Credentials keeps session tokens, and the claims of sign-ups, outside the data file. Key begins with the server's address
// and is unique. Load returns "" if there is none.
type Credentials interface {
	Load(key string) (token string, err error)
	Store(key, token string) error
	Delete(key string) error
}

// Workspace is the program's model. Its methods may be called concurrently. Every error they return carries a
// *fault.Error; after an error nothing has changed, on disk or in memory.
type Workspace struct {
	deps Deps

	// write is held by whoever changes something, through the local transaction and until memory shows it.
	write sync.Mutex

	// mu guards what follows. It is never held while waiting for the disk.
	mu       sync.RWMutex
	boards   map[board.ID]*dashboard
	outbox   []localstore.Command      // oldest first
	account  *localstore.Account       // nil: nobody is signed in; the record is replaced, never changed
	orgs     []localstore.Organisation // the account's, the personal one first; replaced, never changed
	signUp   *localstore.SignUp        // nil: none waits; the record is replaced, never changed
	settings localstore.Settings
	link     Connection
	gaze     gaze
	logins   int // counts sign-ins and sign-outs, so that the sync client sees that one happened
	subs     map[*Subscription]struct{}

	changed chan struct{} // holds one token when something new waits for the server
	retry   chan struct{} // holds one token when the connection is to be tried at once
	moved   chan struct{} // holds one token when something was published
	signing chan struct{} // holds one token when a sign-up began, ended, or is to be asked for soon
	gazed   chan struct{} // holds one token when another dashboard is looked at
}

// New opens the workspace on a store, and puts the sample dashboards into a new one.
func New(deps Deps) (*Workspace, error) {
	if deps.Hash == nil {
		deps.Hash = sharing.HashPassword
	}
	w := &Workspace{
		deps: deps, boards: map[board.ID]*dashboard{}, subs: map[*Subscription]struct{}{},
		changed: make(chan struct{}, 1), retry: make(chan struct{}, 1), moved: make(chan struct{}, 1), link: Connection{State: StateOff},
		signing: make(chan struct{}, 1), gazed: make(chan struct{}, 1),
	}
	err := deps.Store.View(func(tx *localstore.Tx) error {
		records, err := tx.Boards()
		if err != nil {
			return err
		}
		people, err := tx.People()
		if err != nil {
			return err
		}
		for _, r := range records {
			d := &dashboard{rec: r}
			if p, ok := people[r.ID]; ok {
				d.people = &p
			}
			w.boards[r.ID] = d
		}
		if w.outbox, err = tx.Outbox(); err != nil {
			return err
		}
		if w.settings, err = tx.Settings(); err != nil {
			return err
		}
		if w.orgs, err = tx.Organisations(); err != nil {
			return err
		}
		a, ok, err := tx.Account()
		if err != nil {
			return err
		}
		if ok {
			w.account = &a
		}
		s, ok, err := tx.SignUp()
		if ok {
			w.signUp = &s
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	if w.settings.Theme == "" {
		w.settings.Theme = board.ThemeSystem
	}
	if !w.settings.Samples && len(w.boards) == 0 {
		if err := w.makeSamples(); err != nil {
			return nil, fmt.Errorf("make sample dashboards: %w", err)
		}
	}
	return w, nil
}

// State is the list of dashboards (oldest first), the account and the state of the connection.
func (w *Workspace) State() AppState {
	w.mu.RLock()
	defer w.mu.RUnlock()
	s := AppState{
		Boards: make([]BoardSummary, 0, len(w.boards)), Sync: w.status(), Settings: Settings{Theme: w.settings.Theme},
		Desktop: w.deps.Desktop, Place: PlaceLoopback, Version: w.deps.Version, DefaultServer: w.deps.DefaultServer,
		Organisations: make([]Organisation, 0, len(w.orgs)),
	}
	if w.deps.Desktop {
		s.Place = PlaceDesktop
	}
	if a := w.account; a != nil {
		s.Account = &Account{ID: a.ID, Email: a.Email, Name: a.Name, Server: a.Server, Verified: a.Verified, ManageURL: a.Server + "/account"}
	}
	if p := w.signUp; p != nil {
		s.SignUp = &SignUp{Email: p.Email, Server: p.Server, Mailbox: p.Mailbox}
	}
	for _, o := range w.orgs {
		s.Organisations = append(s.Organisations, Organisation(o))
	}
	now := w.clock()
	for _, id := range slices.Sorted(maps.Keys(w.boards)) {
		d := w.boards[id]
		mode, ends := d.rec.Link.Mode(now), d.rec.Link.Expires
		if mode == sharing.Private {
			ends = 0
		}
		b := BoardSummary{
			ID: id, Title: d.rec.Title, Role: d.role(), Trashed: d.rec.Trashed, Sample: d.rec.Sample, Sync: w.syncOf(d),
			Queued: d.rec.Queued, Refused: d.rec.Refused, Mode: mode, Ends: ends, Widgets: d.rec.Widgets, Updated: d.rec.Updated, Created: d.rec.Created,
			Mine: d.mine(), Organisation: w.organisation(d), CanShare: d.manages(),
		}
		if !b.Mine {
			b.Owner = d.rec.Owner
		}
		s.Boards = append(s.Boards, b)
	}
	return s
}

// Settings changes this device's preferences.
func (w *Workspace) Settings(s Settings) error {
	switch s.Theme {
	case board.ThemeSystem, board.ThemeLight, board.ThemeDark:
	default:
		return fault.Field("theme", "The theme is system, light or dark.")
	}
	w.write.Lock()
	defer w.write.Unlock()
	next := w.settings
	next.Theme = s.Theme
	if err := w.deps.Store.Update(func(tx *localstore.Tx) error { return tx.SetSettings(next) }); err != nil {
		return fmt.Errorf("store settings: %w", err)
	}
	w.mu.Lock()
	w.settings = next
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	return nil
}

// wall is the time by which edits are stamped, in milliseconds: this device's clock, corrected by the server's where the
// two are far apart.
func (w *Workspace) wall() int64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.clock()
}

// clock is wall for a holder of w.write or w.mu.
func (w *Workspace) clock() int64 {
	ms := w.deps.Now().UnixMilli()
	if w.account != nil {
		ms += correction(w.account.Offset)
	}
	return ms
}

func (w *Workspace) newULID() (ulid.ULID, error) {
	u, err := ulid.New(ulid.Timestamp(w.deps.Now()), w.deps.Random)
	if err != nil {
		return u, fmt.Errorf("make an id: %w", err)
	}
	return u, nil
}

func (w *Workspace) newWidgetID() (board.WidgetID, error) {
	u, err := w.newULID()
	return board.NewWidgetID(u), err
}

func (w *Workspace) newBoardID() (board.ID, error) {
	u, err := w.newULID()
	return board.NewID(u), err
}

// wake tells the sync client that something waits.
func (w *Workspace) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

var errNoBoard = errors.New("no such dashboard")

func notFound() error {
	return fault.New(fault.NotFound, "This dashboard does not exist on this device.").
		WithHint("It may have been deleted.").WithCause(errNoBoard)
}
