// Package unlock is the one place where passwords of share links are tried, and where the sessions that they open are made
// and checked (rules P3, P5-P7).
//
// An attempt is paid for in the data file before anything is hashed, so that neither many at once nor a restart buy more
// than the budget allows; what was right is paid back. Few hashes are computed at once and few may wait, for the server,
// for one link, for one address and for one address at one link. A session is not stored but sealed: it names the link's token and revision
// and the time at which it is over, so that it ends with either. Whether it still opens anything is decided by access,
// which holds its revision against the link's. The package knows nothing of HTTP. Start reading at Service.Try.
package unlock

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/text/unicode/norm"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/gate"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// What one client address may try at one link (rule P5).
const (
	Burst    = 5
	Interval = 2 * time.Minute
)

// Lifetime is how long a session lasts (rule P3).
const Lifetime = 24 * time.Hour

// How many attempts may be hashed or wait for it, in all, at one link and of one client address, whose right ones cost it
// nothing. One address has no more at one link than it may try at once.
const (
	maxPlaces    = 128
	maxPerLink   = 32
	maxPerClient = 16
)

// crowdedFor is how long somebody is told to wait where too many try at once.
const crowdedFor = 3 * time.Second

// Config is what a Service needs; all but Matches must be given.
type Config struct {
	Store store.Store
	Now   func() time.Time
	// Random is a cryptographically secure source, safe for concurrent use.
	Random io.Reader
	// Matches compares a password with a hash; nil means sharing.Hash.Matches.
	Matches func(h sharing.Hash, password string) bool
}

// Service tries passwords and checks sessions. It is safe for concurrent use.
type Service struct {
	cfg  Config
	gate *gate.Gate
	rate ratelimit.Rate
	key  atomic.Pointer[[]byte] // once it is known
}

// New makes a Service.
func New(cfg Config) *Service {
	if cfg.Matches == nil {
		cfg.Matches = sharing.Hash.Matches
	}
	return &Service{
		cfg: cfg, gate: gate.New(runtime.GOMAXPROCS(0)/2, maxPlaces), rate: ratelimit.Rate{Burst: Burst, Interval: Interval},
	}
}

// Session is what the right password opened: what the viewer has to show from then on, until Expires, in ms since 1970.
type Session struct {
	Secret  Secret
	Expires int64
}

// Try tries a password at a link, for a client at this address. A link that asks for none is opened without: the zero
// Session is returned. Faults: NotFound, as from access, where the link does not work; Unauthenticated if the password is
// not right; Invalid names the field; Busy, caused by a *ratelimit.ExceededError, says how long to wait. It blocks while
// the password is hashed.
func (s *Service) Try(ctx context.Context, t sharing.Token, password string, client netip.Addr) (Session, error) {
	budget := budgetOf(t, client)
	l, err := s.look(ctx, t, budget)
	if err != nil || !l.asks {
		return Session{}, err
	}
	password, f := normalise(password)
	if f != nil {
		return Session{}, f
	}
	if err := s.within(l.full, s.cfg.Now()); err != nil {
		return Session{}, err
	}
	link := t.Hash()
	place := s.gate.Enter(gate.Claim{Key: string(link[:]), Most: maxPerLink}, gate.Claim{Key: string(budget), Most: Burst},
		gate.Claim{Key: ratelimit.Client(client), Most: maxPerClient})
	if place == nil {
		return Session{}, crowded()
	}
	defer place.Leave()
	if err := s.pay(ctx, budget); err != nil {
		return Session{}, err
	}
	var right bool
	if err := place.Work(ctx, func() { right = s.cfg.Matches(l.hash, password) }); err != nil {
		return Session{}, err //nolint:wrapcheck // says what it was doing
	}
	if !right {
		return Session{}, wrong()
	}
	return s.open(ctx, t, l, budget)
}

// lock is what an attempt has to know of a link.
type lock struct {
	asks     bool // for a password
	revision uint64
	hash     sharing.Hash
	full     int64 // when the client's budget is full again
}

func (s *Service) look(ctx context.Context, t sharing.Token, budget []byte) (l lock, err error) {
	now := s.cfg.Now().UnixMilli()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		if l, err = read(tx, t, now); err != nil {
			return err
		}
		l.full, err = tx.Guard().Budget(budget)
		return err
	})
	if err != nil {
		return lock{}, fmt.Errorf("look at a link's lock: %w", err)
	}
	return l, nil
}

// read asks access about t for somebody who has not given a password.
func read(tx store.Tx, t sharing.Token, now int64) (l lock, err error) {
	_, err = access.OpenLink(tx, access.LinkHolder(t), now)
	if _, asks := errors.AsType[*access.LockedError](err); !asks {
		return lock{}, err //nolint:wrapcheck // a fault, answered as it is
	}
	id, _, err := tx.Links().ByToken(t)
	if err != nil {
		return lock{}, fmt.Errorf("look up a link: %w", err)
	}
	link, err := tx.Links().Get(id)
	if err != nil {
		return lock{}, fmt.Errorf("read a link: %w", err)
	}
	hash, err := tx.Links().Hash(id)
	if err != nil {
		return lock{}, fmt.Errorf("read a link's password: %w", err)
	}
	return lock{asks: true, revision: link.Revision, hash: hash}, nil
}

// pay takes one attempt from a budget, durably.
func (s *Service) pay(ctx context.Context, budget []byte) error {
	now := s.cfg.Now()
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		full, err := tx.Guard().Budget(budget)
		if err != nil {
			return fmt.Errorf("read a budget: %w", err)
		}
		if err := s.within(full, now); err != nil {
			return err
		}
		return tx.Guard().SetBudget(budget, s.rate.Spend(time.UnixMilli(full), now).UnixMilli(), now.UnixMilli())
	})
	if err != nil {
		return fmt.Errorf("pay for an attempt: %w", err)
	}
	return nil
}

// open pays a right attempt back and seals a session, if the link is still what the password was right for.
func (s *Service) open(ctx context.Context, t sharing.Token, tried lock, budget []byte) (Session, error) {
	fresh := make([]byte, keyBytes)
	if _, err := io.ReadFull(s.cfg.Random, fresh); err != nil {
		return Session{}, fmt.Errorf("make a key: %w", err)
	}
	now := s.cfg.Now()
	var l lock
	var refused error
	var key []byte
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		full, err := tx.Guard().Budget(budget)
		if err != nil {
			return fmt.Errorf("read a budget: %w", err)
		}
		if err := tx.Guard().SetBudget(budget, full-Interval.Milliseconds(), now.UnixMilli()); err != nil {
			return fmt.Errorf("pay an attempt back: %w", err)
		}
		l, refused = read(tx, t, now.UnixMilli())
		if key, err = tx.Guard().Key(); err != nil || len(key) == keyBytes {
			return err
		}
		key = fresh
		return tx.Guard().SetKey(key)
	})
	switch {
	case err != nil:
		return Session{}, fmt.Errorf("open a session: %w", err)
	case refused != nil:
		return Session{}, refused
	case !l.asks:
		return Session{}, nil
	case l.revision != tried.revision:
		return Session{}, wrong() // it was the password of before
	}
	s.key.Store(&key)
	until := now.Add(Lifetime).UnixMilli()
	return Session{Secret: seal(key, t, l.revision, until), Expires: until}, nil
}

// Verify is the proof that a session's secret is for the holder of t: none where the secret was not sealed by this server,
// or for another link, or its time is over.
func (s *Service) Verify(ctx context.Context, t sharing.Token, secret string) page.Proof {
	revision, until, ok := parse(secret)
	if !ok || s.cfg.Now().UnixMilli() >= until {
		return page.Proof{}
	}
	key := s.sealing(ctx)
	if key == nil || !sealed(key, t, secret) {
		return page.Proof{}
	}
	return page.Proof{Revision: revision, Until: until}
}

// sealing is the key that seals sessions, nil if no session was ever opened or the store cannot tell.
func (s *Service) sealing(ctx context.Context) (key []byte) {
	if known := s.key.Load(); known != nil {
		return *known
	}
	if err := s.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		key, err = tx.Guard().Key()
		return err
	}); err != nil || len(key) != keyBytes {
		return nil
	}
	s.key.Store(&key)
	return key
}

// within reports as a fault that a budget has nothing left.
func (s *Service) within(full int64, now time.Time) error {
	wait := s.rate.Wait(time.UnixMilli(full), now)
	if wait == 0 {
		return nil
	}
	return fault.Newf(fault.Busy, "Too many passwords were tried from here. Try again in %s.", words(wait)).WithCause(&ratelimit.ExceededError{After: wait})
}

// words says a wait as people do, and never less than it is.
func words(d time.Duration) string {
	count, unit := (d+time.Second-1)/time.Second, "second"
	if count >= 60 {
		count, unit = (d+time.Minute-1)/time.Minute, "minute"
	}
	if count != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", count, unit)
}

// normalise brings a password into the form in which it was hashed: what looks the same is the same, whatever keyboard it
// was typed on.
func normalise(password string) (string, *fault.Error) {
	const widest = 3 // as often as long may a text be as what it is normalised to
	if len(password) <= widest*sharing.MaxPassword {
		password = norm.NFC.String(password)
	}
	switch {
	case password == "":
		return "", fault.Field("password", "Enter the password.")
	case len(password) > sharing.MaxPassword:
		return "", fault.Field("password", "This password is too long: the limit is 1,024 bytes.")
	}
	return password, nil
}

// budgetOf names the budget of a client at a link. It is a digest, so that no address is kept.
func budgetOf(t sharing.Token, client netip.Addr) []byte {
	h := sha256.New()
	_, _ = io.WriteString(h, "attempts\x00"+t.Reveal()+"\x00"+ratelimit.Client(client)) // a hash does not fail
	return h.Sum(nil)
}

func wrong() error {
	return fault.New(fault.Unauthenticated, "That is not the password.")
}

func crowded() error {
	return fault.Newf(fault.Busy, "Too many passwords are being tried at this moment. Try again in %s.", words(crowdedFor)).
		WithCause(&ratelimit.ExceededError{After: crowdedFor})
}
