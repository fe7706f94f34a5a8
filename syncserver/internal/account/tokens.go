package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/store"
)

// Limits of tokens for programs.
const (
	MaxTokens        = 20 // of one account
	MaxTokenLifetime = 366 * 24 * time.Hour
)

// Key is a token for programs as its owner sees it. Used is the zero Time where it never was.
type Key struct {
	ID      string
	Name    string
	Scopes  []Scope
	Created time.Time
	Used    time.Time
	Expires time.Time
}

// CreateToken makes a token for programs with a name, which may do what the scopes say until expires. The secret is told
// this once. Faults: Invalid for the fields "name", "scopes" and "expires"; Conflict if there are MaxTokens already.
func (s *Service) CreateToken(ctx context.Context, who Identity, name string, scopes []Scope, expires time.Time) (Token, Key, error) {
	name, f := CheckName(name)
	if f == nil && name == "" {
		f = fault.Field("name", "A token needs a name, by which you know it later.")
	}
	if f != nil {
		return "", Key{}, f
	}
	wanted := []string{}
	for _, sc := range Scopes() {
		if slices.Contains(scopes, sc) {
			wanted = append(wanted, string(sc))
		}
	}
	for _, sc := range scopes {
		if !slices.Contains(Scopes(), sc) {
			return "", Key{}, fault.Field("scopes", "There is no such scope.")
		}
	}
	if len(wanted) == 0 {
		return "", Key{}, fault.Field("scopes", "Choose at least one thing that the token may do.")
	}
	slices.Sort(wanted)
	now := s.cfg.Now()
	if !expires.After(now) || expires.After(now.Add(MaxTokenLifetime)) {
		return "", Key{}, fault.Field("expires", "A token ends in the future, within a year.")
	}
	if err := s.take(s.changes, string(who.Account)); err != nil {
		return "", Key{}, err
	}
	token, err := s.newToken(apiPrefix)
	if err != nil {
		return "", Key{}, err
	}
	rec := store.Session{
		Hash: hashToken(token.Reveal()), Account: who.Account, Created: now.UnixMilli(), Expires: expires.UnixMilli(),
		Label: name, Kind: store.KindAPI, Scopes: strings.Join(wanted, " "),
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if _, ok, err := tx.Accounts().Get(who.Account); err != nil || !ok {
			return orEnded(err)
		}
		recs, err := tx.Sessions().Of(who.Account)
		if err != nil {
			return err
		}
		n := 0
		for _, old := range recs {
			switch {
			case old.Kind != store.KindAPI:
			case old.Expires <= rec.Created:
				if err := s.end(tx, old.Hash); err != nil {
					return err
				}
			default:
				n++
			}
		}
		if n >= MaxTokens {
			return fault.Newf(fault.Conflict, "An account has at most %d tokens.", MaxTokens).WithHint("Revoke one that is not used any more.")
		}
		return tx.Sessions().Put(rec)
	})
	if err != nil {
		return "", Key{}, fmt.Errorf("make a token: %w", err)
	}
	return token, keyOf(rec), nil
}

func orEnded(err error) error {
	if err == nil {
		return ended()
	}
	return err
}

func keyOf(rec store.Session) Key {
	k := Key{ID: rec.ID(), Name: rec.Label, Scopes: scopesOf(rec), Created: time.UnixMilli(rec.Created), Expires: time.UnixMilli(rec.Expires)}
	if rec.Seen != 0 {
		k.Used = time.UnixMilli(rec.Seen)
	}
	return k
}

// Tokens lists the account's tokens for programs, the newest first.
func (s *Service) Tokens(ctx context.Context, who Identity) (out []Key, err error) {
	now := s.cfg.Now().UnixMilli()
	err = s.cfg.Store.View(ctx, func(tx store.Tx) error {
		out = nil
		recs, err := tx.Sessions().Of(who.Account)
		for _, rec := range recs {
			if rec.Kind == store.KindAPI && now < rec.Expires {
				out = append(out, keyOf(rec))
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	slices.SortStableFunc(out, func(a, b Key) int { return b.Created.Compare(a.Created) })
	return out, nil
}

// RevokeToken ends a token for programs, by its id. It fails with NotFound if there is none.
func (s *Service) RevokeToken(ctx context.Context, who Identity, id string) error {
	return s.endOne(ctx, who, id, true)
}
