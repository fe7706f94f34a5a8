package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/store"
)

// OrganisationService changes who is in which organisation; see organisation.Service.
type OrganisationService interface {
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

// Authenticator tells whose session a token is, if it is a person's; see account.Service.
type Authenticator interface {
	Person(ctx context.Context, token string) (account.Identity, error)
}

// OrganisationsConfig is what Organisations needs; everything must be given.
type OrganisationsConfig struct {
	Service  OrganisationService
	Accounts Authenticator
	// Cookie reads the session token that a browser sent, "" if none.
	Cookie func(*http.Request) string
	Log    *slog.Logger
}

// Organisations answers requests about organisations, for people who are signed in by a token or a cookie. Make it with
// NewOrganisations.
type Organisations struct {
	api *API
	cfg OrganisationsConfig
}

// NewOrganisations makes an Organisations.
func NewOrganisations(cfg OrganisationsConfig) *Organisations {
	return &Organisations{api: New(Config{Log: cfg.Log}), cfg: cfg}
}

// asks is a request that may be answered: who asks, about which organisation, and what came along.
type asks struct {
	context.Context //nolint:containedctx // one request's, passed on

	me   store.AccountID
	id   store.OrganisationID
	r    *http.Request
	body organisationBody
}

// organisationBody is what any of the requests may bring.
type organisationBody struct {
	Name    string           `json:"name"`
	Role    store.MemberRole `json:"role"`
	Email   string           `json:"email"`
	Message string           `json:"message"`
}

// summaryJSON, personJSON, invitedJSON and detailsJSON are how organisations are told of. Times are in ms since 1970.
type (
	summaryJSON struct {
		ID         store.OrganisationID `json:"id"`
		Name       string               `json:"name"`
		Role       store.MemberRole     `json:"role"`
		Personal   bool                 `json:"personal"`
		Members    int                  `json:"members"`
		Dashboards int                  `json:"dashboards"`
	}
	personJSON struct {
		Account store.AccountID  `json:"account"`
		Name    string           `json:"name"`
		Email   string           `json:"email,omitempty"`
		Role    store.MemberRole `json:"role"`
	}
	invitedJSON struct {
		ID       store.InvitationID `json:"id"`
		Email    string             `json:"email"`
		Role     store.MemberRole   `json:"role"`
		By       string             `json:"by"`
		Invited  int64              `json:"invited"`
		Expires  int64              `json:"expires"`
		Delivery sharing.Delivery   `json:"delivery"`
		Reason   string             `json:"reason,omitempty"`
	}
	detailsJSON struct {
		summaryJSON

		People      []personJSON  `json:"people"`
		Invitations []invitedJSON `json:"invitations"`
	}
)

func tellSummary(o organisation.Summary) summaryJSON {
	return summaryJSON{ID: o.ID, Name: o.Name, Role: o.Role, Personal: o.Personal, Members: o.Members, Dashboards: o.Dashboards}
}

func tellDetails(d organisation.Details) detailsJSON {
	out := detailsJSON{summaryJSON: tellSummary(d.Summary), People: []personJSON{}, Invitations: []invitedJSON{}}
	for _, p := range d.People {
		out.People = append(out.People, personJSON(p))
	}
	for _, i := range d.Invitations {
		out.Invitations = append(out.Invitations, invitedJSON(i))
	}
	return out
}

// Routes lists the routes of organisations. Those that change something take nothing from pages of other sites.
func (o *Organisations) Routes() []httpmw.Route {
	const (
		list    = "/api/v1/organisations"
		one     = list + "/{organisation}"
		member  = one + "/members/{account}"
		invited = one + "/invitations"
		limits  = "body 16 KiB; same origin"
		mails   = limits + "; 50 mails by account and hour, 5 by address and day"
	)
	s := o.cfg.Service
	return []httpmw.Route{
		o.route("GET "+list, "", func(a asks) (any, error) {
			all, err := s.Of(a, a.me)
			out := []summaryJSON{}
			for _, x := range all {
				out = append(out, tellSummary(x))
			}
			return map[string]any{"organisations": out}, err
		}),
		o.route("POST "+list, limits+"; 50 by account", func(a asks) (any, error) {
			made, err := s.Create(a, a.me, a.body.Name)
			return summaryJSON{ID: made.ID, Name: made.Name, Role: store.MemberOwner, Members: 1}, err
		}),
		o.route("GET "+one, "", func(a asks) (any, error) {
			d, err := s.Look(a, a.me, a.id)
			return tellDetails(d), err
		}),
		o.route("PATCH "+one, limits, func(a asks) (any, error) { return nil, s.Rename(a, a.me, a.id, a.body.Name) }),
		o.route("DELETE "+one, limits, func(a asks) (any, error) { return nil, s.Delete(a, a.me, a.id) }),
		o.route("PUT "+member, limits, func(a asks) (any, error) {
			if a.body.Role == store.MemberNone {
				return nil, fault.Field("role", "A member is owner, admin or member.")
			}
			return nil, s.SetMember(a, a.me, a.id, store.AccountID(a.r.PathValue("account")), a.body.Role)
		}),
		o.route("DELETE "+member, limits, func(a asks) (any, error) {
			return nil, s.SetMember(a, a.me, a.id, store.AccountID(a.r.PathValue("account")), store.MemberNone)
		}),
		o.route("POST "+invited, mails, func(a asks) (any, error) {
			return nil, s.Invite(a, a.me, a.id, organisation.Guest{Email: a.body.Email, Role: a.body.Role, Message: a.body.Message})
		}),
		o.route("POST "+invited+"/{invitation}/resend", mails, func(a asks) (any, error) {
			return nil, s.Resend(a, a.me, a.id, store.InvitationID(a.r.PathValue("invitation")))
		}),
		o.route("DELETE "+invited+"/{invitation}", limits, func(a asks) (any, error) {
			return nil, s.Revoke(a, a.me, a.id, store.InvitationID(a.r.PathValue("invitation")))
		}),
	}
}

// route lets people who are signed in through to do, and answers what it returns: nil is no content.
func (o *Organisations) route(pattern, limits string, do func(asks) (any, error)) httpmw.Route {
	h := func(w http.ResponseWriter, r *http.Request) {
		a, err := o.ask(w, r)
		var out any
		if err == nil {
			out, err = do(a)
		}
		switch {
		case err != nil:
			o.api.fail(w, r, err)
		case out == nil:
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodPost:
			writeJSON(w, http.StatusCreated, out)
		default:
			writeJSON(w, http.StatusOK, out)
		}
	}
	return httpmw.Route{Pattern: pattern, Audience: httpmw.SignedIn, Limits: limits, Handler: o.api.cross.Handler(http.HandlerFunc(h))}
}

// ask reads a request. Only people may ask, not programs with a token of theirs.
func (o *Organisations) ask(w http.ResponseWriter, r *http.Request) (asks, error) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		token = o.cfg.Cookie(r)
	}
	me, err := o.cfg.Accounts.Person(r.Context(), token)
	if err != nil {
		return asks{}, err //nolint:wrapcheck // a fault, answered as it is
	}
	if me.Program() {
		return asks{}, fault.New(fault.Denied, "A token for programs cannot change organisations.").WithHint("Log in instead.")
	}
	a := asks{Context: r.Context(), me: me.Account, r: r}
	if text := r.PathValue("organisation"); text != "" {
		id, ok := organisation.ParseID(text)
		if !ok {
			return asks{}, organisation.NotThere()
		}
		a.id = id
	}
	if r.Method == http.MethodPatch || r.Method == http.MethodPut || r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/resend") {
		if f := readJSON(w, r, &a.body); f != nil {
			return asks{}, f
		}
	}
	return a, nil
}
