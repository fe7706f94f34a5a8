package httpweb

import (
	"context"
	"net/http"
	"time"
	"unicode"
	"unicode/utf8"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/store"
)

// Invitations says what an invitation's link leads to, and lets in; see people.Service.
type Invitations interface {
	Open(ctx context.Context, token string) (people.Opened, error)
	Accept(ctx context.Context, account store.AccountID, token string) (people.Joined, error)
	AcceptIn(tx store.Tx, account store.AccountID, token string, now time.Time) (people.Joined, error)
	Waiting(ctx context.Context, account store.AccountID) ([]people.Opened, error)
	AcceptWaiting(ctx context.Context, account store.AccountID, id store.InvitationID) (people.Joined, error)
}

// Addresses to which pages lead that are made elsewhere.
const (
	// workspace is where the workspace on the web is, and workspaceBoard below which it shows a dashboard.
	workspace      = "/app"
	workspaceBoard = workspace + "/d/"
)

func (s *Site) invitationRoutes(form func(http.HandlerFunc) http.Handler) []httpmw.Route {
	return []httpmw.Route{
		{Pattern: "GET /invite/{invite}", Audience: httpmw.Invited, Handler: http.HandlerFunc(s.invitation), Limits: "shares the misses of GET /s/{short}"},
		{
			Pattern: "POST /invite/{invite}", Audience: httpmw.Invited, Handler: form(s.acceptInvitation),
			Limits: "body 16 KiB; same origin; shares the misses of GET /s/{short} and the attempts of POST /login; hashing bounded",
		},
		{
			Pattern: "POST /invite/{invite}/switch", Audience: httpmw.Invited, Handler: form(s.switchAccount),
			Limits: "same origin; shares the misses of GET /s/{short}",
		},
		{Pattern: "POST /invitations/{invitation}", Audience: httpmw.SignedIn, Handler: form(s.acceptWaiting), Limits: "body 16 KiB; same origin"},
	}
}

// invite is the page of an invitation's link (rule I3).
type invite struct {
	problem

	Token, Email, By, What, As, Note, Until string
	Organisation                            bool
	State                                   people.State
	// Me is the address of whoever is signed in, "" if nobody is; Mine says that the invitation is for them, and Prove that
	// it would be, if only the address was proved.
	Me          string
	Mine, Prove bool
	Name        string
}

// Bar is the top of the page for whoever is signed in.
func (p invite) Bar() bar { return bar{Email: p.Me} }

// invitation shows who invites to what, and changes nothing: programs that look at mail follow links too (rule I3).
func (s *Site) invitation(w http.ResponseWriter, r *http.Request) {
	if o, ok := s.openInvitation(w, r); ok {
		s.showInvitation(w, r, o, "", nil)
	}
}

// openInvitation finds the invitation that a request is about, or answers that there is none. Misses are counted by client.
func (s *Site) openInvitation(w http.ResponseWriter, r *http.Request) (people.Opened, bool) {
	client, now := s.cfg.Clients.Key(r), s.cfg.Now()
	if err := s.misses.Check(client, now); err != nil {
		s.fail(w, r, tooManyMisses(err))
		return people.Opened{}, false
	}
	o, err := s.cfg.Invitations.Open(r.Context(), r.PathValue("invite"))
	if fault.KindOf(err) == fault.NotFound {
		_ = s.misses.Take(client, now) // whether it was the last one is asked the next time
		s.page(w, r, http.StatusNotFound, "refusal.html", refusal{
			Title: "This invitation does not work", Message: "The link may have been cut off or mistyped.",
			Hint: "Open it from the mail once more, or ask whoever invited you to send it again.", Home: true,
		})
		return people.Opened{}, false
	}
	if err != nil {
		s.fail(w, r, err)
		return people.Opened{}, false
	}
	return o, true
}

// showInvitation shows the page of an invitation to whoever comes, with what was wrong with what they have sent, if
// anything. A password is never sent back.
func (s *Site) showInvitation(w http.ResponseWriter, r *http.Request, o people.Opened, name string, err error) {
	me, ok, failed := s.who(r)
	if failed != nil {
		s.fail(w, r, failed)
		return
	}
	p := invite{
		Token: r.PathValue("invite"), By: o.By, What: o.What, As: o.As, Note: o.Message, Until: dayOf(o.Expires),
		Organisation: o.Organisation != "", State: o.State, Name: name, Email: o.Email,
	}
	if ok {
		p.Me, p.Mine, p.Prove = me.Email, me.Email == o.Email && me.Verified, me.Email == o.Email && !me.Verified
	}
	status := http.StatusOK
	if o.State != people.Open {
		status = http.StatusGone
	}
	if err != nil {
		f := fault.From(err)
		status, p.Field, p.Message, p.Hint = httpapi.Status(f.Kind), f.Field, f.Message, f.Hint
		httpapi.RetryAfter(w.Header(), f)
	}
	s.page(w, r, status, "invite.html", p)
}

// dayOf is a time in ms since 1970 as people write it, "" for 0.
func dayOf(ms int64) string {
	if ms == 0 {
		return ""
	}
	return day(time.UnixMilli(ms))
}

// acceptInvitation lets in whoever is signed in and invited, or else whoever gives the password of the invited address: of
// the account that it has, or of the one that is made with it (rule I4).
func (s *Site) acceptInvitation(w http.ResponseWriter, r *http.Request) {
	o, ok := s.openInvitation(w, r)
	if !ok {
		return
	}
	if f := readForm(w, r); f != nil {
		s.showInvitation(w, r, o, "", f)
		return
	}
	me, in, err := s.who(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	token := r.PathValue("invite")
	if in && (me.Verified || me.Email != o.Email) {
		j, err := s.cfg.Invitations.Accept(r.Context(), me.Account, token)
		s.arrive(w, r, j, err, func(err error) { s.showAnew(w, r, "", err) })
		return
	}
	name, f := account.CheckName(r.PostForm.Get("name"))
	if f != nil {
		s.showInvitation(w, r, o, "", f)
		return
	}
	if o.State != people.Open {
		s.showInvitation(w, r, o, "", nil)
		return
	}
	var j people.Joined
	now := s.cfg.Now()
	c := account.Credentials{Email: o.Email, Password: r.PostForm.Get("password"), Client: s.cfg.Clients.Addr(r), Name: name, Kind: store.KindWeb, Label: account.LabelOf(r)}
	session, err := s.cfg.Accounts.SignUpInvited(r.Context(), c, account.WebLifetime, func(tx store.Tx, id store.AccountID) (err error) {
		j, err = s.cfg.Invitations.AcceptIn(tx, id, token, now)
		return err //nolint:wrapcheck // answered as it is
	})
	if err == nil {
		s.endSession(r)
		http.SetCookie(w, account.NewCookie(session, s.secure))
	}
	s.arrive(w, r, j, err, func(err error) { s.showAnew(w, r, name, err) })
}

// showAnew shows an invitation as it is by now, with what went wrong. Where that is what the page says anyway, it says it.
func (s *Site) showAnew(w http.ResponseWriter, r *http.Request, name string, err error) {
	o, ok := s.openInvitation(w, r)
	if !ok {
		return
	}
	if o.State != people.Open {
		err = nil
	}
	s.showInvitation(w, r, o, name, err)
}

// arrive leads to what somebody was let into, or has again answer what went wrong.
func (s *Site) arrive(w http.ResponseWriter, r *http.Request, j people.Joined, err error, again func(error)) {
	switch {
	case err == nil && j.Board != "":
		seeOther(w, workspaceBoard+string(j.Board))
	case err == nil:
		seeOther(w, organisationPage(j.Organisation))
	case fault.KindOf(err) == fault.Internal:
		s.fail(w, r, err)
	default:
		again(err)
	}
}

// switchAccount signs whoever is signed in out, so that the invited one can come in.
func (s *Site) switchAccount(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.openInvitation(w, r); !ok {
		return
	}
	s.endSession(r)
	http.SetCookie(w, account.NoCookie(s.secure))
	seeOther(w, "/invite/"+r.PathValue("invite"))
}

// waiting is one line of the invitations that wait for an account.
type waiting struct{ ID, By, What, As, Until string }

func (s *Site) waitingFor(r *http.Request, me account.Identity) ([]waiting, error) {
	open, err := s.cfg.Invitations.Waiting(r.Context(), me.Account)
	if err != nil {
		return nil, err //nolint:wrapcheck // answered as it is
	}
	out := make([]waiting, len(open))
	for i, o := range open {
		out[i] = waiting{ID: string(o.ID), By: o.By, What: o.What, As: capital(o.As), Until: dayOf(o.Expires)}
	}
	return out, nil
}

func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

func (s *Site) acceptWaiting(w http.ResponseWriter, r *http.Request) {
	me, ok, err := s.who(r)
	if err == nil && !ok {
		seeOther(w, "/login")
		return
	}
	var j people.Joined
	if err == nil {
		j, err = s.cfg.Invitations.AcceptWaiting(r.Context(), me.Account, store.InvitationID(r.PathValue("invitation")))
	}
	s.arrive(w, r, j, err, func(err error) { s.fail(w, r, err) })
}
