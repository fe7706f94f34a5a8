package account

import (
	"slices"
	"strings"

	"widgets.pro/syncserver/internal/store"
)

// Scope is something that a token for programs may do.
type Scope string

// The scopes. Each stands for itself: who is to read and to write has both.
const (
	ScopeRead  Scope = "boards:read"  // list dashboards and read them, with who can see them
	ScopeWrite Scope = "boards:write" // change content, such as push rows
	ScopeShare Scope = "boards:share" // change links, invitations and members
)

// Scopes lists all.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeShare} }

// Can reports whether whoever this is may use what needs the scope.
func (i Identity) Can(s Scope) bool { return i.Scopes == nil || slices.Contains(i.Scopes, s) }

// Program reports whether this is a token for programs rather than a person's session.
func (i Identity) Program() bool { return i.Scopes != nil }

// scopesOf is never nil for a token for programs.
func scopesOf(rec store.Session) []Scope {
	if rec.Kind != store.KindAPI {
		return nil
	}
	out := []Scope{}
	for s := range strings.FieldsSeq(rec.Scopes) {
		out = append(out, Scope(s))
	}
	return out
}
