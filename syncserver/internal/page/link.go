package page

import (
	"time"

	"widgets.pro/shared/sharing"
)

// Proof is what a viewer shows to have given a link's password: a session that was opened under this revision of the link
// and is over at Until, in ms since 1970 (rule P3). The zero Proof is none. Package unlock makes it, which has checked the
// session.
type Proof struct {
	Revision uint64
	Until    int64
}

// link is a token that opens a dashboard, with what its grant says. It dies with the next change of access.
type link struct {
	d     *dashboard
	token sharing.Token
	grant Grant

	locked   bool // asks for a password
	revision uint64
	expires  int64 // ms since 1970, 0 if never
	still    bool
	origins  sharing.Origins
}

func newLink(d *dashboard, t sharing.Token, g Grant) *link {
	l := g.Link()
	return &link{
		d: d, token: t, grant: g,
		locked: l.Password, revision: l.Revision, expires: l.Expires, still: l.Still, origins: l.Origins,
	}
}

// admits reports whether who shows p is let in at this moment (rules P1, L5). The clock is read only where it matters.
func (l *link) admits(p Proof, now func() time.Time) bool {
	if l.locked && (p.Until == 0 || p.Revision != l.revision) {
		return false
	}
	until := l.until(p)
	return until == 0 || now().UnixMilli() < until
}

// until is when who shows p is not let in any more, 0 if never.
func (l *link) until(p Proof) int64 {
	if l.locked && (l.expires == 0 || p.Until < l.expires) {
		return p.Until
	}
	return l.expires
}

// looksLike reports whether pages of l and o are alike, so that those who have one need not load the other.
func (l *link) looksLike(o *link) bool { return l.still == o.still && l.origins == o.origins }
