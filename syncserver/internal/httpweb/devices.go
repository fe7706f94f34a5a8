package httpweb

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/store"
)

// deviceLine is a session in the list of those that are signed in.
type deviceLine struct {
	ID, Label, Seen, Since string
	This                   bool
}

func deviceOf(d account.Device, now time.Time) deviceLine {
	l := deviceLine{ID: d.ID, Label: d.Label, Seen: roughly(d.Seen, now), Since: day(d.Created), This: d.This}
	switch {
	case l.Label != "":
	case d.Kind == store.KindWeb:
		l.Label = "A browser"
	default:
		l.Label = "An app"
	}
	return l
}

// tokenLine is a token for programs in their list.
type tokenLine struct {
	ID, Name, May, Used, Until string
}

func tokenOf(k account.Key, now time.Time) tokenLine {
	l := tokenLine{ID: k.ID, Name: k.Name, Used: "Never used", Until: day(k.Expires)}
	if !k.Used.IsZero() {
		l.Used = "Last used " + roughly(k.Used, now)
	}
	var may []string
	for _, sc := range k.Scopes {
		may = append(may, words(sc))
	}
	l.May = strings.Join(may, "; ")
	return l
}

// words says what a scope permits.
func words(sc account.Scope) string {
	switch sc {
	case account.ScopeRead:
		return "Read dashboards, and who can see them"
	case account.ScopeWrite:
		return "Change what is on dashboards, such as add rows"
	case account.ScopeShare:
		return "Change links, invitations and members"
	}
	return string(sc)
}

// scopeLine is a scope to choose.
type scopeLine struct {
	Value   account.Scope
	Words   string
	Checked bool
}

func scopes(chosen []string) (out []scopeLine) {
	for _, sc := range account.Scopes() {
		out = append(out, scopeLine{sc, words(sc), slices.Contains(chosen, string(sc))})
	}
	return out
}

// lifespan is how long a token may live, to choose.
type lifespan struct {
	Value, Words string
	Checked      bool
}

// onDate is the lifespan that a date says.
const onDate = "date"

func lifespans(chosen string) []lifespan {
	all := []lifespan{{Value: "30", Words: "30 days"}, {Value: "90", Words: "90 days"}, {Value: "365", Words: "A year"}, {Value: onDate, Words: "Until the end of"}}
	for i := range all {
		all[i].Checked = all[i].Value == chosen || chosen == "" && i == 1
	}
	return all
}

// ends reads a lifespan.
func (s *Site) ends(chosen, date string) (time.Time, *fault.Error) {
	const aDay = 24 * time.Hour
	switch chosen {
	case "30":
		return s.cfg.Now().Add(30 * aDay), nil
	case "90":
		return s.cfg.Now().Add(90 * aDay), nil
	case "365":
		return s.cfg.Now().Add(365 * aDay), nil
	case onDate:
		if at, err := time.Parse(time.DateOnly, date); err == nil {
			return at.Add(aDay - time.Second), nil
		}
	}
	return time.Time{}, fault.Field("expires", "Choose how long the token works.")
}

// roughly says when something was, as people do. Days are those of UTC.
func roughly(at, now time.Time) string {
	ago := now.Sub(at)
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit + " ago"
		}
		return fmt.Sprintf("%d %ss ago", n, unit)
	}
	switch {
	case ago < 15*time.Minute:
		return "in the last minutes"
	case ago < time.Hour:
		return "within the hour"
	case ago < 24*time.Hour:
		return count(int(ago.Hours()), "hour")
	case ago < 30*24*time.Hour:
		return count(int(ago.Hours()/24), "day")
	}
	return "on " + day(at)
}

func day(at time.Time) string { return at.UTC().Format("2 January 2006") }

// endSessions ends one session, or all but this one.
func (s *Site) endSessions(w http.ResponseWriter, r *http.Request, me account.Identity) {
	what := "session"
	var err error
	if f := readForm(w, r); f != nil {
		err = f
	}
	switch id := r.PostForm.Get("end"); {
	case err != nil:
	case id == "others":
		what, err = "others", s.cfg.Accounts.EndOthers(r.Context(), me)
	default:
		err = s.cfg.Accounts.EndSession(r.Context(), me, id)
	}
	s.changed(w, r, me, what, err, accountPage{Part: partSessions})
}

// createToken makes a token and shows its secret, in this answer alone.
func (s *Site) createToken(w http.ResponseWriter, r *http.Request, me account.Identity) {
	p := accountPage{Part: partTokens}
	f := readForm(w, r)
	chosen := r.PostForm["scope"]
	p.Scopes, p.Lifespan = scopes(chosen), lifespans(r.PostForm.Get("expires"))
	p.Typed = typed{Token: r.PostForm.Get("name"), Date: r.PostForm.Get("date")}
	var until time.Time
	if f == nil {
		until, f = s.ends(r.PostForm.Get("expires"), p.Typed.Date)
	}
	if f != nil {
		s.changed(w, r, me, "", f, p)
		return
	}
	var wanted []account.Scope
	for _, c := range chosen {
		wanted = append(wanted, account.Scope(c))
	}
	token, _, err := s.cfg.Accounts.CreateToken(r.Context(), me, p.Typed.Token, wanted, until)
	if err != nil {
		s.changed(w, r, me, "", err, p)
		return
	}
	s.showAccount(w, r, me, http.StatusOK, accountPage{Part: partTokens, Secret: token.Reveal()})
}

func (s *Site) revokeToken(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.entered(w, r, me, "revoked", accountPage{Part: partTokens}, func(field func(string) string) error {
		return s.cfg.Accounts.RevokeToken(r.Context(), me, field("id"))
	})
}
