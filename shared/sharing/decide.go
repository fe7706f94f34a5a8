package sharing

import "widgets.pro/shared/fault"

// CanView reports whether the role may see the dashboard.
func (r Role) CanView() bool { return r == RoleOwner || r == RoleEditor || r == RoleViewer }

// CanEdit reports whether the role may change the dashboard's content (rule A3).
func (r Role) CanEdit() bool { return r == RoleOwner || r == RoleEditor }

// CanShare reports whether the role may manage sharing (rule A3).
func (r Role) CanShare() bool { return r == RoleOwner }

// Decide applies c to l and returns the new state of the link, or a fault and l unchanged. unusable reports whether a
// token or short id was ever revoked or belongs to another dashboard; nil means that none is.
//
// A disable always applies: less access needs no agreement about what was before. Enable and rotate apply only to the
// version they were based on, so that a change queued on one device never undoes what was revoked from another (rule
// V3). Where a command changes nothing, the version stays.
func Decide(l Link, c Command, unusable func(Token, ShortID) bool) (Link, *fault.Error) {
	switch c.Action {
	case Disable:
		if l.Enabled {
			l.Enabled = false
			l.Version++
		}
		return l, nil
	case Delete:
		return Link{Version: l.Version + 1}, nil
	case Enable:
		if l.Enabled {
			return l, nil
		}
		if c.Base != l.Version {
			return l, stale("Sharing was changed elsewhere before this reached the server, so the link was not turned on.")
		}
		if l.Token == "" {
			if f := fresh(c, unusable); f != nil {
				return l, f
			}
			l.Token, l.ShortID = c.Token, c.ShortID
		}
		l.Enabled = true
		l.Version++
		return l, nil
	case Rotate:
		if c.Base != l.Version {
			return l, stale("Sharing was changed elsewhere before this reached the server, so the link was not replaced.")
		}
		if l.Token == "" {
			return l, fault.New(fault.Conflict, "There is no link to replace yet.").WithHint("Turn the public link on first.")
		}
		if c.Token == l.Token || c.ShortID == l.ShortID {
			return l, fault.Field("token", "A new link needs a new token and a new short id.")
		}
		if f := fresh(c, unusable); f != nil {
			return l, f
		}
		l.Token, l.ShortID = c.Token, c.ShortID
		l.Version++
		return l, nil
	}
	return l, fault.Field("action", "This change of sharing is not known to this version.").WithHint("Update the program.")
}

func stale(message string) *fault.Error {
	return fault.New(fault.Conflict, message).WithHint("Look at what is in force now and decide again.")
}

// fresh checks the token and short id that c brings along.
func fresh(c Command, unusable func(Token, ShortID) bool) *fault.Error {
	if _, ok := ParseToken(string(c.Token)); !ok {
		return fault.Field("token", "This is not a share token.")
	}
	if _, ok := ParseShortID(string(c.ShortID)); !ok {
		return fault.Field("shortId", "This is not a short link's name.")
	}
	if unusable != nil && unusable(c.Token, c.ShortID) {
		return fault.New(fault.Conflict, "This link was in use before and cannot be used again.").WithHint("Replace the link by a new one.")
	}
	return nil
}
