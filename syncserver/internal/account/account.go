// Package account is about the people who can sign in: how they sign up, in and out, and what they can do to their account.
//
// An account is an e-mail address and a password (argon2id); a sign-in is a session with an opaque token, of which only
// the hash is stored, and so is a token for programs. Whoever signs up proves the address by a ticket that comes by mail.
// Attempts are limited before anything is hashed, hashing is limited in how much of it runs at once, and what happens for
// an address without an account looks and costs as with one (rule I8). The package knows nothing of HTTP but cookies and
// what programs call themselves. Start reading at Service; signup.go, reset.go and address.go hold what goes by mail,
// sessions.go and tokens.go what is signed in, delete.go the end of an account, password.go the hashing.
package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// How long sessions last, and how many an account has at most; the oldest goes when there would be more. Tokens for
// programs do not count.
const (
	AppLifetime = 365 * 24 * time.Hour
	WebLifetime = 30 * 24 * time.Hour
	MaxSessions = 25
)

// Credentials are what somebody signs up or in with. Client is the address the request came from. Name is what others see
// of a new account, empty for the address up to its @. Kind and Label are those of the session to be; see LabelOf.
type Credentials struct {
	Email    string
	Password string
	Client   netip.Addr
	Name     string
	Kind     store.SessionKind
	Label    string
}

// SignIn is a session that was just made.
type SignIn struct {
	Token   Token
	Account store.AccountID
	Email   string
	Expires time.Time
}

// Identity is who a session belongs to. Session names it without being its secret.
type Identity struct {
	Account store.AccountID
	Email   string
	Session store.Hash
	Expires time.Time
	Name    string
	// Verified says that the address was proved to be the account's.
	Verified bool
	// Scopes bound what a token for programs may do; nil for a session of a person, which may do everything.
	Scopes []Scope
}

// Config is what a Service needs; all but the hooks must be given.
type Config struct {
	Store store.Store
	Log   *slog.Logger
	// Now is the clock; Random a cryptographically secure source, safe for concurrent use.
	Now    func() time.Time
	Random io.Reader
	// Mail sends letters; nil only where none is ever needed.
	Mail *mail.Office
	// Base is the public base URL, without a slash at its end.
	Base string
	// Events hears of what becomes of dashboards when an account is deleted.
	Events content.Events
	// Ended, if not nil, is called after a session's end is durable. It must not block.
	Ended func(session store.Hash)
}

// Service signs people up, in and out. It is safe for concurrent use.
type Service struct {
	cfg    Config
	hasher *hasher

	byClient, byAddress, byPair, signUps *ratelimit.Limiter
	opened, polled, changes, touched     *ratelimit.Limiter
}

// New makes a Service.
func New(cfg Config) (*Service, error) {
	h, err := newHasher(cfg.Random)
	if err != nil {
		return nil, err
	}
	return &Service{
		cfg: cfg, hasher: h,
		// Whoever guesses is slowed down by client address, and by client and account together. The limit by account
		// alone is wide, since it also meets the rightful owner; it only stops a guess from very many places at once.
		byClient:  ratelimit.New(30, 10*time.Second, 0),
		byPair:    ratelimit.New(10, 30*time.Second, 0),
		byAddress: ratelimit.New(100, 10*time.Second, 0),
		signUps:   ratelimit.New(mailsOfClient.Burst, mailsOfClient.Interval, 0),
		opened:    ratelimit.New(60, 5*time.Second, 0),
		polled:    ratelimit.New(120, 500*time.Millisecond, 0),
		changes:   ratelimit.New(60, 10*time.Second, 0),
		touched:   ratelimit.New(1, seenEvery, 0),
	}, nil
}

// SignUpInvited makes an account whose address is proved already, by the secret of an invitation, or signs in to the one
// that is there if the password is right; and calls and in the same transaction with the account. Faults are those of
// LogIn and of SignUp's fields, and those of and.
func (s *Service) SignUpInvited(ctx context.Context, c Credentials, lifetime time.Duration, and func(store.Tx, store.AccountID) error) (SignIn, error) {
	email, f := sharing.NormaliseEmail(c.Email)
	if f != nil {
		return SignIn{}, f
	}
	if f := checkPassword(c.Password); f != nil {
		return SignIn{}, f
	}
	if c.Name, f = CheckName(c.Name); f != nil {
		return SignIn{}, f
	}
	if err := s.limit(email, c.Client, s.signUps); err != nil {
		return SignIn{}, err
	}
	existing, found, err := s.lookUp(ctx, email)
	if err != nil {
		return SignIn{}, err
	}
	if !found {
		in, err := s.createProved(ctx, email, c, lifetime, and)
		if errors.Is(err, store.ErrTaken) {
			return SignIn{}, wrong() // somebody else was faster
		}
		return in, err
	}
	ok, err := s.hasher.verify(ctx, existing.Password, c.Password)
	if err != nil {
		return SignIn{}, err
	}
	if !ok {
		return SignIn{}, wrong()
	}
	now := s.cfg.Now().UnixMilli()
	return s.signIn(ctx, existing, c, lifetime, func(tx store.Tx) error {
		a, err := still(tx, existing)
		if err != nil {
			return err
		}
		if a.Verified == 0 {
			a.Verified = now
			if err := tx.Accounts().Put(a); err != nil {
				return err
			}
		}
		return and(tx, a.ID)
	})
}

// createProved makes an account whose address is proved, and signs it in.
func (s *Service) createProved(ctx context.Context, email string, c Credentials, lifetime time.Duration, and func(store.Tx, store.AccountID) error) (SignIn, error) {
	hash, err := s.hasher.hash(ctx, c.Password)
	if err != nil {
		return SignIn{}, err
	}
	a, err := s.newAccount(email, hash, c.Name)
	if err != nil {
		return SignIn{}, err
	}
	return s.signIn(ctx, a, c, lifetime, func(tx store.Tx) error {
		if err := create(tx, a); err != nil {
			return err
		}
		return and(tx, a.ID)
	})
}

// newAccount is an account with a proved address, ready to be created.
func (s *Service) newAccount(email, hash, name string) (store.Account, error) {
	now := s.cfg.Now()
	accountID, err := s.newID("acc_", now)
	if err != nil {
		return store.Account{}, err
	}
	orgID, err := s.newID("org_", now)
	if err != nil {
		return store.Account{}, err
	}
	return store.Account{
		ID: store.AccountID(accountID), Email: email, Password: hash, Name: name, Verified: now.UnixMilli(),
		Personal: store.OrganisationID(orgID), Created: now.UnixMilli(),
	}, nil
}

// create stores a new account with its personal organisation (rule A1). It fails with store.ErrTaken if the address has an
// account already.
func create(tx store.Tx, a store.Account) error {
	if err := tx.Accounts().Put(a); err != nil {
		return fmt.Errorf("create an account: %w", err)
	}
	o := store.Organisation{ID: a.Personal, Name: a.Shown(), Personal: true, Created: a.Created}
	if err := tx.Organisations().Put(o); err != nil {
		return fmt.Errorf("create an organisation: %w", err)
	}
	if err := tx.Organisations().SetMember(o.ID, a.ID, store.MemberOwner); err != nil {
		return fmt.Errorf("create an organisation: %w", err)
	}
	return nil
}

// LogIn signs an account in for lifetime. A wrong password and an unknown address get the same Unauthenticated fault
// after the same time.
func (s *Service) LogIn(ctx context.Context, c Credentials, lifetime time.Duration) (SignIn, error) {
	email, f := sharing.NormaliseEmail(c.Email)
	if f != nil {
		return SignIn{}, f
	}
	if len(c.Password) > MaxPassword {
		return SignIn{}, wrong()
	}
	if err := s.limit(email, c.Client, nil); err != nil {
		return SignIn{}, err
	}
	a, found, err := s.lookUp(ctx, email)
	if err != nil {
		return SignIn{}, err
	}
	if !found {
		a.Password = s.hasher.dummy
	}
	ok, err := s.hasher.verify(ctx, a.Password, c.Password)
	if err != nil {
		return SignIn{}, err
	}
	if !ok || !found {
		return SignIn{}, wrong()
	}
	return s.signIn(ctx, a, c, lifetime, func(tx store.Tx) error {
		_, err := still(tx, a)
		return err
	})
}

// still is the account as it is in tx, which must have the address and the password that a was read with: they may have been
// changed while the password was compared.
func still(tx store.Tx, a store.Account) (store.Account, error) {
	now, ok, err := tx.Accounts().Get(a.ID)
	if err != nil {
		return now, fmt.Errorf("read account: %w", err)
	}
	if !ok || now.Email != a.Email || now.Password != a.Password {
		return now, wrong()
	}
	return now, nil
}

func (s *Service) lookUp(ctx context.Context, email string) (a store.Account, found bool, err error) {
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		a, found, err = tx.Accounts().ByEmail(email)
		return err
	})
	if err != nil {
		return a, false, fmt.Errorf("look up account: %w", err)
	}
	return a, found, nil
}

// limit spends one attempt.
func (s *Service) limit(email string, client netip.Addr, also *ratelimit.Limiter) error {
	now, who := s.cfg.Now(), ratelimit.Client(client)
	err := s.byClient.Take(who, now)
	if err == nil {
		err = s.byPair.Take(who+" "+email, now)
	}
	if err == nil {
		err = s.byAddress.Take(email, now)
	}
	if err == nil && also != nil {
		err = also.Take(who, now)
	}
	return busy(err)
}

// take spends one action of a limiter that counts by client, or by account.
func (s *Service) take(l *ratelimit.Limiter, who string) error { return busy(l.Take(who, s.cfg.Now())) }

// busy is the fault of a spent budget, nil if err is.
func busy(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Busy, "Too many attempts.").WithHint("Wait a little, then try again.").WithCause(err)
}

func (s *Service) newID(prefix string, now time.Time) (string, error) {
	u, err := ulid.New(ulid.Timestamp(now), s.cfg.Random)
	if err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return prefix + u.String(), nil
}

func wrong() *fault.Error {
	return fault.New(fault.Unauthenticated, "The address or the password is not right.").WithHint("Check both and try again.")
}

func ended() *fault.Error {
	return fault.New(fault.Unauthenticated, "You are not signed in, or your session has ended.").WithHint("Log in again.")
}
