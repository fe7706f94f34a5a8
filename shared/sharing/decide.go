package sharing

import (
	"strings"

	"widgets.pro/shared/fault"
)

// MaxExpiry is how far ahead an expiry may lie, in milliseconds: ten years.
const MaxExpiry = 10 * 365 * 24 * 3600 * 1000

// CanView reports whether the role may see the dashboard.
func (r Role) CanView() bool { return r == RoleOwner || r == RoleEditor || r == RoleViewer }

// CanEdit reports whether the role may change the dashboard's content (rule A3).
func (r Role) CanEdit() bool { return r == RoleOwner || r == RoleEditor }

// CanShare reports whether the role may manage sharing (rule A3).
func (r Role) CanShare() bool { return r == RoleOwner }

// Names tells which names cannot be taken. A nil field means that all can.
type Names struct {
	// Link reports whether a token or short id was ever revoked or belongs to another dashboard.
	Link func(Token, ShortID) bool
	// Slug reports whether a slug is another dashboard's, or was and is dead.
	Slug func(Slug) bool
}

// Decide applies c to l at now and returns the new state of the link, or a fault and l unchanged.
//
// What takes access away always applies: less access needs no agreement about what was before. What gives access, and
// what replaces, applies only to the version it was based on, so that a change queued on one device never undoes what
// was revoked from another (rule V3). Each action changes only its own fields and, where sessions must end, Revision.
// Where a command changes nothing, the version stays. The hash that SetPassword or Enable brings along is for the caller
// to store, in the same transaction, when the Revision has grown and the new state has a password.
func Decide(l Link, c Command, now int64, names Names) (Link, *fault.Error) {
	next, f := decide(l, c, now, names)
	if f != nil {
		return l, f
	}
	next.Version = l.Version
	if next != l || c.Action == Delete {
		next.Version++
	}
	return next, nil
}

func decide(l Link, c Command, now int64, names Names) (Link, *fault.Error) {
	current := c.Base == l.Version
	switch c.Action {
	case Disable:
		if l.Enabled {
			l.Enabled = false
			l.Revision++
		}
		return l, nil
	case Delete:
		return Link{}, nil
	case Enable:
		return enable(l, c, now, names)
	case Rotate:
		return rotate(l, c, names)
	case SetPassword:
		if !current && l.Password {
			return l, stale("the password was not changed.")
		}
		return withPassword(l, c.Hash)
	case RemovePassword:
		if !l.Password {
			return l, nil
		}
		if !current {
			return l, stale("the password was not removed.")
		}
		l.Password = false
		l.Revision++
		return l, nil
	case SetExpiry:
		return setExpiry(l, c, now)
	case SetSlug:
		return setSlug(l, c, names)
	case SetStill:
		if !c.Still && l.Still && !current {
			return l, stale("interaction was not allowed.")
		}
		l.Still = c.Still
		return l, nil
	case SetOrigins:
		if o, ok := ParseOrigins(strings.Fields(string(c.Origins))); !ok || o != c.Origins {
			return l, fault.Field("origins", "These are not the addresses of sites.")
		}
		if !current && !c.Origins.Within(l.Origins) {
			return l, stale("the sites that may embed it were not changed.")
		}
		l.Origins = c.Origins
		return l, nil
	case Invite, Resend, Revoke, SetMemberRole, SetEditorShare, Move: // are about people, and change no link
	}
	return l, fault.Field("action", "This change of sharing is not known to this version.").WithHint("Update the program.")
}

func enable(l Link, c Command, now int64, names Names) (Link, *fault.Error) {
	current := c.Base == l.Version
	if c.Hash != "" {
		if !current && l.Password {
			return l, stale("the password was not changed.")
		}
		var f *fault.Error
		if l, f = withPassword(l, c.Hash); f != nil {
			return l, f
		}
	}
	switch {
	case l.Enabled && !l.Ended(now):
		return l, nil
	case !current:
		return l, stale("the link was not turned on.")
	case l.Ended(now):
		return l, fault.New(fault.Conflict, "The time at which this link was to end has passed, so it was not turned on.").
			WithHint("Choose another time, or none, first.")
	}
	if l.Token == "" {
		if f := fresh(c, names); f != nil {
			return l, f
		}
		l.Token, l.ShortID = c.Token, c.ShortID
	}
	l.Enabled = true
	return l, nil
}

// rotate gives a link new names. The chosen name goes too: it led whoever had it to the old link, and would to the new.
func rotate(l Link, c Command, names Names) (Link, *fault.Error) {
	if c.Base != l.Version {
		return l, stale("the link was not replaced.")
	}
	if l.Token == "" {
		return l, fault.New(fault.Conflict, "There is no link to replace yet.").WithHint("Turn the link on first.")
	}
	if c.Token == l.Token || c.ShortID == l.ShortID {
		return l, fault.Field("token", "A new link needs a new token and a new short id.")
	}
	if f := fresh(c, names); f != nil {
		return l, f
	}
	l.Token, l.ShortID, l.Slug = c.Token, c.ShortID, ""
	l.Revision++
	return l, nil
}

func withPassword(l Link, h Hash) (Link, *fault.Error) {
	if _, ok := ParseHash(string(h)); !ok {
		return l, fault.Field("hash", "A password must come as an argon2id hash of the parameters that this server takes.")
	}
	l.Password = true
	l.Revision++
	return l, nil
}

// setExpiry always brings an end nearer, and moves it away only from the version that the author saw.
func setExpiry(l Link, c Command, now int64) (Link, *fault.Error) {
	if c.Expires < 0 || c.Expires > now+MaxExpiry {
		return l, fault.Field("expires", "A link may end at most ten years from now.")
	}
	nearer := !l.Expired && c.Expires != 0 && (l.Expires == 0 || c.Expires <= l.Expires)
	if !nearer && c.Base != l.Version && (c.Expires != l.Expires || l.Expired) {
		return l, stale("the link's end was not changed.")
	}
	l.Expires, l.Expired = c.Expires, false
	return carryOut(l, now), nil
}

func setSlug(l Link, c Command, names Names) (Link, *fault.Error) {
	if c.Slug == l.Slug {
		return l, nil
	}
	if c.Base != l.Version {
		return l, stale("its name was not changed.")
	}
	if c.Slug != "" {
		if _, ok := ParseSlug(string(c.Slug)); !ok {
			return l, fault.Field("slug", "A name has 3 to 64 small letters, digits and single hyphens between them.")
		}
		if names.Slug != nil && names.Slug(c.Slug) {
			f := fault.New(fault.Conflict, "The name “"+string(c.Slug)+"” is taken.").WithHint("Choose another one.")
			f.Field = "slug"
			return l, f
		}
	}
	l.Slug = c.Slug
	return l, nil
}

// Expire carries a link's expiry out if its time has come: sessions end, and what was queued before does not apply any
// more. The link stays as it is otherwise; another expiry revives it (rule L5).
func Expire(l Link, now int64) Link {
	next := carryOut(l, now)
	if next != l {
		next.Version++
	}
	return next
}

func carryOut(l Link, now int64) Link {
	if l.Enabled && !l.Expired && l.Ended(now) {
		l.Expired = true
		l.Revision++
	}
	return l
}

func stale(what string) *fault.Error {
	return fault.New(fault.Conflict, "Sharing was changed elsewhere before this reached the server, so "+what).
		WithHint("Look at what is in force now and decide again.")
}

// fresh checks the token and short id that c brings along.
func fresh(c Command, names Names) *fault.Error {
	if _, ok := ParseToken(string(c.Token)); !ok {
		return fault.Field("token", "This is not a share token.")
	}
	if _, ok := ParseShortID(string(c.ShortID)); !ok {
		return fault.Field("shortId", "This is not a short link's name.")
	}
	if names.Link != nil && names.Link(c.Token, c.ShortID) {
		return fault.New(fault.Conflict, "This link was in use before and cannot be used again.").WithHint("Replace the link by a new one.")
	}
	return nil
}
