package httpweb

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/store"
)

// Organisations changes who is in which organisation; see organisation.Service.
type Organisations interface {
	Of(ctx context.Context, account store.AccountID) ([]organisation.Summary, error)
	Look(ctx context.Context, account store.AccountID, id store.OrganisationID) (organisation.Details, error)
	Create(ctx context.Context, by store.AccountID, name string) (store.Organisation, error)
	Rename(ctx context.Context, by store.AccountID, id store.OrganisationID, name string) error
	Delete(ctx context.Context, by store.AccountID, id store.OrganisationID) error
	SetMember(ctx context.Context, by store.AccountID, id store.OrganisationID, account store.AccountID, role store.MemberRole) error
	Invite(ctx context.Context, by store.AccountID, id store.OrganisationID, g organisation.Guest) error
	Resend(ctx context.Context, by store.AccountID, id store.OrganisationID, which store.InvitationID) error
	Revoke(ctx context.Context, by store.AccountID, id store.OrganisationID, which store.InvitationID) error
}

func organisationPage(id store.OrganisationID) string { return "/organisations/" + string(id) }

func (s *Site) organisationRoutes(form func(http.HandlerFunc) http.Handler) []httpmw.Route {
	const limits = "body 16 KiB; same origin; "
	return []httpmw.Route{
		{Pattern: "GET /organisations", Audience: httpmw.SignedIn, Handler: s.signedIn(s.organisations)},
		{Pattern: "POST /organisations", Audience: httpmw.SignedIn, Handler: form(s.signedIn(s.makeOrganisation)), Limits: limits + "50 by account"},
		{Pattern: "GET /organisations/{organisation}", Audience: httpmw.SignedIn, Handler: s.signedIn(s.organisation)},
		{
			Pattern: "POST /organisations/{organisation}", Audience: httpmw.SignedIn, Handler: form(s.signedIn(s.changeOrganisation)),
			Limits: limits + "invitations: 50 by account and hour, 5 by address and day",
		},
	}
}

// signedIn lets whoever is signed in through to h, and shows everybody else where to log in.
func (s *Site) signedIn(h func(http.ResponseWriter, *http.Request, account.Identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		me, ok, err := s.who(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case !ok:
			seeOther(w, "/login?next="+url.QueryEscape(r.URL.Path))
		default:
			h(w, r, me)
		}
	}
}

// organisationList is the page of all of an account's organisations.
type organisationList struct {
	problem

	Bar  bar
	List []organisation.Summary
	Name string
}

func (s *Site) organisations(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.listOrganisations(w, r, me, "", nil)
}

func (s *Site) listOrganisations(w http.ResponseWriter, r *http.Request, me account.Identity, name string, wrong error) {
	all, err := s.cfg.Organisations.Of(r.Context(), me.Account)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	l := organisationList{Bar: bar{me.Email, hereOrganisations}, List: all, Name: name}
	s.page(w, r, l.say(w, wrong), "organisations.html", l)
}

// say puts what is wrong into a page and tells the status of the answer.
func (p *problem) say(w http.ResponseWriter, wrong error) int {
	if wrong == nil {
		return http.StatusOK
	}
	why := fault.From(wrong)
	httpapi.RetryAfter(w.Header(), why)
	*p = problemOf(why)
	return httpapi.Status(why.Kind)
}

func (s *Site) makeOrganisation(w http.ResponseWriter, r *http.Request, me account.Identity) {
	if f := readForm(w, r); f != nil {
		s.listOrganisations(w, r, me, "", f)
		return
	}
	name := r.PostForm.Get("name")
	o, err := s.cfg.Organisations.Create(r.Context(), me.Account, name)
	switch {
	case err == nil:
		seeOther(w, organisationPage(o.ID))
	case fault.KindOf(err) == fault.Internal:
		s.fail(w, r, err)
	default:
		s.listOrganisations(w, r, me, name, err)
	}
}

// organisationView is the page of one organisation.
type organisationView struct {
	problem
	organisation.Details

	Bar    bar
	Myself store.AccountID
	Done   string
	// What was entered in the form for inviting, where it has to be shown again.
	Emails, Note, As string
	Expired          func(int64) bool
}

// Change reports whether whoever looks may change what a member is.
func (v organisationView) Change(p organisation.Person) bool {
	return v.MayInvite() && (v.Owned() || p.Role != store.MemberOwner)
}

// doneThere are the sentences about what has just been done, by the name that stands in the address.
func doneThere(what string) string {
	switch what {
	case "invite":
		return "The invitation is on its way."
	case "resend":
		return "The invitation was sent again. The earlier link does not work any more."
	case "revoke":
		return "The invitation was withdrawn."
	case "role":
		return "The role was changed."
	case "remove":
		return "The member was removed."
	case "rename":
		return "The name was changed."
	}
	return ""
}

func (s *Site) organisation(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.showOrganisation(w, r, me, organisationView{Done: doneThere(r.URL.Query().Get("done"))}, nil)
}

func (s *Site) showOrganisation(w http.ResponseWriter, r *http.Request, me account.Identity, v organisationView, wrong error) {
	id, ok := organisation.ParseID(r.PathValue("organisation"))
	err := error(organisation.NotThere())
	if ok {
		v.Details, err = s.cfg.Organisations.Look(r.Context(), me.Account, id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v.Bar, v.Myself = bar{me.Email, hereOrganisations}, me.Account
	now := s.cfg.Now().UnixMilli()
	v.Expired = func(ms int64) bool { return ms <= now }
	s.page(w, r, v.say(w, wrong), "organisation.html", v)
}

// changeOrganisation does what one of the forms of an organisation's page asks for, by the button that was pressed.
func (s *Site) changeOrganisation(w http.ResponseWriter, r *http.Request, me account.Identity) {
	if f := readForm(w, r); f != nil {
		s.showOrganisation(w, r, me, organisationView{}, f)
		return
	}
	id, ok := organisation.ParseID(r.PathValue("organisation"))
	if !ok {
		s.fail(w, r, organisation.NotThere())
		return
	}
	ctx, get := r.Context(), r.PostForm.Get
	member, which := store.AccountID(get("member")), store.InvitationID(get("invitation"))
	to := organisationPage(id) + "?done=" + get("do")
	var v organisationView
	var err error
	switch get("do") {
	case "rename":
		err = s.cfg.Organisations.Rename(ctx, me.Account, id, get("name"))
	case "delete":
		err, to = s.cfg.Organisations.Delete(ctx, me.Account, id), "/organisations"
	case "leave":
		err, to = s.cfg.Organisations.SetMember(ctx, me.Account, id, me.Account, store.MemberNone), "/organisations"
	case "role":
		role := store.MemberRole(get("role"))
		if role == store.MemberNone { // which removes, and that is another button
			err = fault.Field("role", "A member is owner, admin or member.")
			break
		}
		err = s.cfg.Organisations.SetMember(ctx, me.Account, id, member, role)
	case "remove":
		err = s.cfg.Organisations.SetMember(ctx, me.Account, id, member, store.MemberNone)
	case "resend":
		err = s.cfg.Organisations.Resend(ctx, me.Account, id, which)
	case "revoke":
		err = s.cfg.Organisations.Revoke(ctx, me.Account, id, which)
	case "invite":
		v, err = s.inviteAll(r, me, id)
	default:
		err = fault.New(fault.Invalid, "This form could not be read.").WithHint("Open the page anew and try again.")
	}
	switch {
	case err == nil:
		seeOther(w, to)
	case fault.KindOf(err) == fault.Internal:
		s.fail(w, r, err)
	default:
		s.showOrganisation(w, r, me, v, err)
	}
}

func notAddresses(bad []string) string {
	if len(bad) == 1 {
		return "This is not an e-mail address: " + bad[0] + "."
	}
	return "These are not e-mail addresses: " + strings.Join(bad, ", ") + "."
}

// inviteAll invites every address of the form that can be. The rest stays in the form, with what is wrong with it: bad ones
// keep the good ones from nothing (rule I1).
func (s *Site) inviteAll(r *http.Request, me account.Identity, id store.OrganisationID) (v organisationView, err error) {
	v = organisationView{Emails: r.PostForm.Get("emails"), Note: strings.ReplaceAll(r.PostForm.Get("message"), "\r\n", "\n"), As: r.PostForm.Get("role")}
	good, bad := sharing.ParseInvitees(v.Emails)
	switch {
	case len(good)+len(bad) == 0:
		return v, fault.Field("email", "An e-mail address is needed.")
	case len(good) > sharing.MaxInvitees:
		return v, fault.Newf(fault.TooLarge, "At most %d people can be invited in one go.", sharing.MaxInvitees)
	}
	left := bad
	if len(bad) > 0 {
		wrong := fault.Field("email", notAddresses(bad))
		if len(good) > 0 {
			wrong = wrong.WithHint("The others were invited.")
		}
		err = wrong
	}
	for _, email := range good {
		e := s.cfg.Organisations.Invite(r.Context(), me.Account, id, organisation.Guest{Email: email, Role: store.MemberRole(v.As), Message: v.Note})
		if k := fault.KindOf(e); k == fault.Internal || k == fault.Denied || k == fault.NotFound {
			return v, e //nolint:wrapcheck // answered as it is
		}
		if e != nil {
			left, err = append(left, email), e
		}
	}
	v.Emails = strings.Join(left, ", ")
	return v, err
}
