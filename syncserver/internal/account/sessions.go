package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
)

// seenEvery is how roughly it is kept when a session was last used: finer would cost a write for each request.
const seenEvery = 10 * time.Minute

// LogOut ends the session of a token; it is no error if there is none.
func (s *Service) LogOut(ctx context.Context, token string) error {
	if !hasForm(token, sessionPrefix) {
		return nil
	}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error { return s.end(tx, hashToken(token)) })
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// Authenticate tells who a token of a session, or for programs, stands for. If that is nobody, or the token has expired, it
// fails with Unauthenticated. Now and then it notes that the token was used.
func (s *Service) Authenticate(ctx context.Context, token string) (id Identity, err error) {
	if !hasForm(token, sessionPrefix) && !hasForm(token, apiPrefix) {
		return Identity{}, ended()
	}
	now := s.cfg.Now()
	var seen int64
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		if id, err = Session(tx, hashToken(token), now); err != nil {
			return err
		}
		rec, _, err := tx.Sessions().Get(id.Session)
		seen = rec.Seen
		return err
	})
	if err == nil && now.UnixMilli()-seen >= seenEvery.Milliseconds() {
		s.Seen(ctx, id.Session)
	}
	return id, err
}

// Seen notes that a session is in use, at most every ten minutes. Nobody is kept out if that cannot be written.
func (s *Service) Seen(ctx context.Context, session store.Hash) {
	at := s.cfg.Now()
	if s.touched.Take(string(session[:]), at) != nil {
		return
	}
	now := at.UnixMilli()
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		rec, ok, err := tx.Sessions().Get(session)
		if err != nil || !ok || now-rec.Seen < seenEvery.Milliseconds() {
			return err
		}
		rec.Seen = now
		return tx.Sessions().Put(rec)
	})
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.WarnContext(ctx, "the use of a session could not be noted", "error", err)
	}
}

// Person is Authenticate for what is not for programs: their tokens fail with Denied.
func (s *Service) Person(ctx context.Context, token string) (Identity, error) {
	id, err := s.Authenticate(ctx, token)
	if err == nil && id.Program() {
		return Identity{}, NotForPrograms()
	}
	return id, err
}

// NotForPrograms is the fault for a token for programs where a person is asked for.
func NotForPrograms() *fault.Error {
	return fault.New(fault.Denied, "A token for programs cannot be used for this.").WithHint("Log in with your address and password instead.")
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

// Device is a session as its owner sees it. Times are roughly when; This marks the session that asks.
type Device struct {
	ID      string
	Label   string
	Kind    store.SessionKind
	Created time.Time
	Seen    time.Time
	Expires time.Time
	This    bool
}

// Sessions lists where the account is signed in: the session that asks first, then the one used last.
func (s *Service) Sessions(ctx context.Context, who Identity) (out []Device, err error) {
	now := s.cfg.Now().UnixMilli()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		out = nil
		all, err := tx.Sessions().Of(who.Account)
		for _, rec := range all {
			if rec.Kind == store.KindAPI || now >= rec.Expires {
				continue
			}
			out = append(out, Device{
				ID: rec.ID(), Label: rec.Label, Kind: rec.Kind, Created: time.UnixMilli(rec.Created),
				Seen: time.UnixMilli(max(rec.Seen, rec.Created)), Expires: time.UnixMilli(rec.Expires), This: rec.Hash == who.Session,
			})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	slices.SortStableFunc(out, func(a, b Device) int {
		if a.This != b.This {
			return map[bool]int{true: -1, false: 1}[a.This]
		}
		return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// EndSession ends one of the account's sessions, by its id: whoever used it is signed out at once. It fails with NotFound if
// there is none.
func (s *Service) EndSession(ctx context.Context, who Identity, id string) error {
	return s.endOne(ctx, who, id, false)
}

func (s *Service) endOne(ctx context.Context, who Identity, id string, api bool) error {
	if err := s.take(s.changes, string(who.Account)); err != nil {
		return err
	}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		n := 0
		err := s.endSessions(tx, who.Account, func(rec store.Session) bool {
			if rec.ID() != id || (rec.Kind == store.KindAPI) != api {
				return false
			}
			n++
			return true
		})
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "It has ended already.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// EndOthers signs the account out everywhere but where it asks. Tokens for programs stay.
func (s *Service) EndOthers(ctx context.Context, who Identity) error {
	if err := s.take(s.changes, string(who.Account)); err != nil {
		return err
	}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error { return s.endSessions(tx, who.Account, others(who)) })
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// others are the sessions of people but the one that asks.
func others(who Identity) func(store.Session) bool {
	return func(rec store.Session) bool { return rec.Kind != store.KindAPI && rec.Hash != who.Session }
}

func all(store.Session) bool { return true }

// endSessions ends those sessions of an account for which which holds.
func (s *Service) endSessions(tx store.Tx, id store.AccountID, which func(store.Session) bool) error {
	recs, err := tx.Sessions().Of(id)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	for _, rec := range recs {
		if which(rec) {
			if err := s.end(tx, rec.Hash); err != nil {
				return err
			}
		}
	}
	return nil
}

// end ends one session.
func (s *Service) end(tx store.Tx, h store.Hash) error {
	if err := tx.Sessions().Delete(h); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	if s.cfg.Ended != nil {
		tx.After(func() { s.cfg.Ended(h) })
	}
	return nil
}

// signIn makes a session of the kind that c asks for, in one transaction with what before does, and ends the oldest ones
// beyond MaxSessions.
func (s *Service) signIn(ctx context.Context, a store.Account, c Credentials, lifetime time.Duration, before func(store.Tx) error) (SignIn, error) {
	token, err := s.newToken(sessionPrefix)
	if err != nil {
		return SignIn{}, err
	}
	now := s.cfg.Now()
	rec := store.Session{
		Hash: hashToken(token.Reveal()), Account: a.ID, Created: now.UnixMilli(), Expires: now.Add(lifetime).UnixMilli(),
		Seen: now.UnixMilli(), Kind: c.Kind, Label: c.Label,
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		recs, err := tx.Sessions().Of(a.ID)
		if err != nil {
			return err
		}
		recs = slices.DeleteFunc(recs, func(old store.Session) bool { return old.Kind == store.KindAPI })
		// Expired ones first, then the oldest.
		slices.SortStableFunc(recs, func(x, y store.Session) int { return int(x.Created - y.Created) })
		for i, old := range recs {
			if old.Expires <= rec.Created || i <= len(recs)-MaxSessions {
				if err := s.end(tx, old.Hash); err != nil {
					return err
				}
			}
		}
		return tx.Sessions().Put(rec)
	})
	if err != nil {
		return SignIn{}, fmt.Errorf("sign in: %w", err)
	}
	return SignIn{Token: token, Account: a.ID, Email: a.Email, Expires: time.UnixMilli(rec.Expires)}, nil
}
