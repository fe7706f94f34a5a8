// Package webapp is the workspace in a browser: the screens of the desktop program, served by the sync server to whoever is
// signed in.
//
// It answers the requests that the desktop's bridge answers, in the same JSON, over the server's own store: the browser holds
// no merge logic and nothing works offline. Who may do what is decided anew by access in each request's transaction; whoever
// may only view gets the published projection (rule A6). To a dashboard's replica each account is one more device (package
// author); what screens need beyond the store is kept in memory within bounds and made again when it is gone: pictures of
// dashboards (live.go), steps to undo (steps.go), what a browser is waiting for (desk.go).
//
// Start reading at Service.Routes, then serve.go.
package webapp

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/longpoll"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/source"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/gate"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
)

// Limits of one server.
const (
	maxDesks       = 5_000 // browsers with a workspace open
	maxSeats       = 16    // dashboards that one of them follows; the one not looked at for longest is followed no more
	maxPolls       = 8     // that wait in one browser; one more ends the oldest
	maxReads       = 2     // files read at the same time
	maxLarge       = 8     // requests with a large body served at the same time
	maxLargeWait   = 64    // that may wait or be served
	maxLargeOfOne  = 4     // of one account
	maxHashes      = 32    // passwords hashed or waiting for it
	maxHashesOfOne = 2
	maxShelves     = 256 << 20        // bytes of files that wait to be imported
	idleAfter      = 90 * time.Second // since a browser's last request; then it is gone
)

// Budgets of one account: changes, and what is costly (making a dashboard, reading a file).
const (
	changesAtOnce, changesEvery = 300, 100 * time.Millisecond
	costlyAtOnce, costlyEvery   = 40, 3 * time.Second
)

// Accounts tells whose session a token is, and ends it; see account.Service.
type Accounts interface {
	Person(ctx context.Context, token string) (account.Identity, error)
	LogOut(ctx context.Context, token string) error
}

// Config is what a Service needs. Store, Rooms, Pasts, Accounts, People, Log, Now, Random, Base and Fail are
// required.
type Config struct {
	Store    store.Store
	Rooms    *room.Rooms
	Pasts    *content.Pasts
	Accounts Accounts
	// People prepares invitations; see people.Service. Mails says that the server can send them.
	People Inviter
	Mails  bool
	Log    *slog.Logger
	Now    func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL, without a slash at its end.
	Base string
	// Secure says that the public address is https.
	Secure bool
	// Page is the HTML of the workspace's page, nil where it was not built.
	Page []byte
	// Fail answers a request for the page that failed.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// Version is the program's version.
	Version string
	// PollWait bounds a long poll, Idle how long a browser may be silent before it is gone; 0 means the defaults.
	PollWait, Idle time.Duration
	// Hash hashes the password of a link; nil means sharing.HashPassword.
	Hash func(random io.Reader, password string) (sharing.Hash, error)
}

// Service answers browsers. It is safe for concurrent use. Close it when done.
type Service struct {
	cfg     Config
	cross   *http.CrossOriginProtection
	lives   *lives
	steps   *stepbook
	lines   *lines
	reads   *source.Reads
	large   *gate.Gate
	hashing *gate.Gate

	changes, costly *ratelimit.Limiter

	mu     sync.Mutex
	desks  map[store.Hash]*desk
	closed bool
	pumps  sync.WaitGroup
}

// New makes a Service.
func New(cfg Config) (*Service, error) {
	if cfg.PollWait == 0 {
		cfg.PollWait = longpoll.Wait
	}
	if cfg.Idle == 0 {
		cfg.Idle = idleAfter
	}
	if cfg.Hash == nil {
		cfg.Hash = sharing.HashPassword
	}
	s := &Service{
		cfg: cfg, cross: http.NewCrossOriginProtection(), lives: newLives(), lines: newLines(),
		reads: source.NewReads(maxReads), large: gate.New(maxLarge, maxLargeWait), hashing: gate.New(1, maxHashes), desks: map[store.Hash]*desk{},
		changes: ratelimit.New(changesAtOnce, changesEvery, 0), costly: ratelimit.New(costlyAtOnce, costlyEvery, 0),
	}
	s.steps = newStepbook(cfg.Random)
	base, err := url.Parse(cfg.Base)
	if err != nil {
		return nil, fmt.Errorf("public base URL: %w", err)
	}
	if err := s.cross.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, fmt.Errorf("public base URL %q: %w", cfg.Base, err)
	}
	s.cross.SetDenyHandler(http.HandlerFunc(crossOrigin))
	return s, nil
}

// Close ends the polls that wait, so that a server can go down, and lets no more begin.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	for hash, d := range s.desks {
		delete(s.desks, hash)
		d.end()
	}
	s.mu.Unlock()
	s.pumps.Wait()
}

func (s *Service) now() int64 { return s.cfg.Now().UnixMilli() }

func (s *Service) newULID() (ulid.ULID, error) {
	u, err := ulid.New(ulid.Timestamp(s.cfg.Now()), s.cfg.Random)
	if err != nil {
		return u, fmt.Errorf("make an id: %w", err)
	}
	return u, nil
}

func (s *Service) newWidgetID() (board.WidgetID, error) {
	u, err := s.newULID()
	return board.NewWidgetID(u), err
}
