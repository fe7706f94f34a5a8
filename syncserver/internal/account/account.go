// Package account signs people up, in and out.
//
// An account is an e-mail address and a password (argon2id); a sign-in is a session with an opaque token, of which only
// the hash is stored. Attempts are limited before anything is hashed, hashing is limited in how much of it runs at once,
// and an address without an account costs as much time as one with. The package knows nothing of HTTP. Start reading at
// Service; password.go holds the hashing, email.go the form of addresses.
package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// How long sessions last, and how many an account has at most; the oldest goes when there would be more.
const (
	AppLifetime = 365 * 24 * time.Hour
	WebLifetime = 30 * 24 * time.Hour
	MaxSessions = 25
)

// Token is a session's secret: "ses_" and 32 base64url characters (192 random bits). It prints as [redacted].
type Token string

const (
	tokenPrefix = "ses_"
	tokenBytes  = 24
)

// Reveal is the token itself, for the client that it was made for.
func (t Token) Reveal() string { return string(t) }

// String is "[redacted]".
func (Token) String() string { return "[redacted]" }

// GoString is "[redacted]".
func (Token) GoString() string { return "[redacted]" }

// LogValue is "[redacted]".
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func hashToken(token string) store.Hash { return sha256.Sum256([]byte(token)) }

// Credentials are what somebody signs up or in with. Client is the address the request came from. Name is what others see
// of a new account, empty for the address up to its @.
type Credentials struct {
	Email    string
	Password string
	Client   netip.Addr
	Name     string
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
	// Ended, if not nil, is called after a session's end is durable. It must not block.
	Ended func(session store.Hash)
}

// Service signs people up, in and out. It is safe for concurrent use.
type Service struct {
	cfg    Config
	hasher *hasher

	byClient, byAddress, byPair, signUps *ratelimit.Limiter
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
		signUps:   ratelimit.New(20, time.Minute, 0),
	}, nil
}

// SignUp makes an account with its personal organisation (rule A1) and signs it in for lifetime. Faults: Invalid names
// the field; Conflict if the address has an account with another password (with the right one it is a log-in); Busy.
func (s *Service) SignUp(ctx context.Context, c Credentials, lifetime time.Duration) (SignIn, error) {
	email, f := sharing.NormaliseEmail(c.Email)
	if f != nil {
		return SignIn{}, f
	}
	if f := checkPassword(c.Password); f != nil {
		return SignIn{}, f
	}
	if err := s.limit(email, c.Client, s.signUps); err != nil {
		return SignIn{}, err
	}
	existing, found, err := s.lookUp(ctx, email)
	if err != nil {
		return SignIn{}, err
	}
	if found {
		ok, err := s.hasher.verify(ctx, existing.Password, c.Password)
		if err != nil {
			return SignIn{}, err
		}
		if !ok {
			return SignIn{}, taken()
		}
		return s.signIn(ctx, existing, lifetime, nil)
	}
	return s.create(ctx, email, c, lifetime, 0, nil)
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
	if err := s.limit(email, c.Client, s.signUps); err != nil {
		return SignIn{}, err
	}
	existing, found, err := s.lookUp(ctx, email)
	if err != nil {
		return SignIn{}, err
	}
	if !found {
		in, err := s.create(ctx, email, c, lifetime, s.cfg.Now().UnixMilli(), and)
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
	return s.signIn(ctx, existing, lifetime, func(tx store.Tx) error {
		a, ok, err := tx.Accounts().Get(existing.ID)
		if err != nil {
			return err
		}
		if !ok || a.Email != email || a.Password != existing.Password {
			return wrong()
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

// create makes an account with its personal organisation and signs it in.
func (s *Service) create(ctx context.Context, email string, c Credentials, lifetime time.Duration, verified int64, and func(store.Tx, store.AccountID) error) (SignIn, error) {
	hash, err := s.hasher.hash(ctx, c.Password)
	if err != nil {
		return SignIn{}, err
	}
	now := s.cfg.Now()
	accountID, err := s.newID("acc_", now)
	if err != nil {
		return SignIn{}, err
	}
	orgID, err := s.newID("org_", now)
	if err != nil {
		return SignIn{}, err
	}
	a := store.Account{
		ID: store.AccountID(accountID), Email: email, Password: hash, Name: c.Name, Verified: verified,
		Personal: store.OrganisationID(orgID), Created: now.UnixMilli(),
	}
	in, err := s.signIn(ctx, a, lifetime, func(tx store.Tx) error {
		if err := tx.Accounts().Put(a); err != nil {
			return err
		}
		o := store.Organisation{ID: a.Personal, Name: a.Shown(), Personal: true, Created: a.Created}
		if err := tx.Organisations().Put(o); err != nil {
			return err
		}
		if err := tx.Organisations().SetMember(o.ID, a.ID, store.MemberOwner); err != nil {
			return err
		}
		if and != nil {
			return and(tx, a.ID)
		}
		return nil
	})
	if errors.Is(err, store.ErrTaken) && and == nil {
		return SignIn{}, taken()
	}
	return in, err
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
	return s.signIn(ctx, a, lifetime, nil)
}

// LogOut ends the session of a token; it is no error if there is none.
func (s *Service) LogOut(ctx context.Context, token string) error {
	h := hashToken(token)
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if err := tx.Sessions().Delete(h); err != nil {
			return err
		}
		s.afterEnd(tx, h)
		return nil
	})
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// Authenticate tells whose session a token is. If it is nobody's, or has expired, it fails with Unauthenticated.
func (s *Service) Authenticate(ctx context.Context, token string) (id Identity, err error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) != len(tokenPrefix)+base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return Identity{}, ended()
	}
	now := s.cfg.Now()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		id, err = Session(tx, hashToken(token), now)
		return err
	})
	return id, err
}

// Session is the identity behind a session at now, or an Unauthenticated fault.
func Session(tx store.Tx, session store.Hash, now time.Time) (Identity, error) {
	rec, ok, err := tx.Sessions().Get(session)
	if err != nil {
		return Identity{}, fmt.Errorf("read session: %w", err)
	}
	if !ok || now.UnixMilli() >= rec.Expires {
		return Identity{}, ended()
	}
	a, ok, err := tx.Accounts().Get(rec.Account)
	if err != nil {
		return Identity{}, fmt.Errorf("read account: %w", err)
	}
	if !ok {
		return Identity{}, ended()
	}
	return Identity{
		Account: a.ID, Email: a.Email, Session: session, Expires: time.UnixMilli(rec.Expires),
		Name: a.Shown(), Verified: a.Verified != 0, Scopes: scopesOf(rec),
	}, nil
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

// signIn makes a session, in one transaction with what before does, and ends the oldest ones beyond MaxSessions.
func (s *Service) signIn(ctx context.Context, a store.Account, lifetime time.Duration, before func(store.Tx) error) (SignIn, error) {
	secret := make([]byte, tokenBytes)
	if _, err := io.ReadFull(s.cfg.Random, secret); err != nil {
		return SignIn{}, fmt.Errorf("make session token: %w", err)
	}
	token := Token(tokenPrefix + base64.RawURLEncoding.EncodeToString(secret))
	now := s.cfg.Now()
	rec := store.Session{Hash: hashToken(token.Reveal()), Account: a.ID, Created: now.UnixMilli(), Expires: now.Add(lifetime).UnixMilli()}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		all, err := tx.Sessions().Of(a.ID)
		if err != nil {
			return err
		}
		// Expired ones first, then the oldest.
		slices.SortStableFunc(all, func(x, y store.Session) int { return int(x.Created - y.Created) })
		for i, old := range all {
			if old.Expires <= rec.Created || i <= len(all)-MaxSessions {
				if err := tx.Sessions().Delete(old.Hash); err != nil {
					return err
				}
				s.afterEnd(tx, old.Hash)
			}
		}
		return tx.Sessions().Put(rec)
	})
	if err != nil {
		return SignIn{}, fmt.Errorf("sign in: %w", err)
	}
	return SignIn{Token: token, Account: a.ID, Email: a.Email, Expires: time.UnixMilli(rec.Expires)}, nil
}

func (s *Service) afterEnd(tx store.Tx, h store.Hash) {
	if s.cfg.Ended != nil {
		tx.After(func() { s.cfg.Ended(h) })
	}
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

func taken() *fault.Error {
	f := fault.New(fault.Conflict, "No account can be made with this address and password.")
	f.Field = "email"
	return f.WithHint("If you have an account here, log in instead.")
}

func wrong() *fault.Error {
	return fault.New(fault.Unauthenticated, "The address or the password is not right.").WithHint("Check both and try again.")
}

func ended() *fault.Error {
	return fault.New(fault.Unauthenticated, "You are not signed in, or your session has ended.").WithHint("Log in again.")
}
