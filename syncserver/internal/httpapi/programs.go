package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/author"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// How often one account may ask: a burst at once, then one in each interval. Tokens of one account share it.
const (
	requestBurst = 120
	requestEvery = 500 * time.Millisecond
)

// maxProgramBody is the size in bytes of the largest body of a program's request, such as rows.
const maxProgramBody = 1 << 20

// ProgramsConfig is what Programs need; everything must be given.
type ProgramsConfig struct {
	Store  store.Store
	Events content.Events
	Pasts  *content.Pasts
	Author *author.Author
	// People makes what an invitation needs; see people.Service.
	People *people.Service
	// Authenticate tells whose a token is; see account.Service.
	Authenticate func(ctx context.Context, token string) (account.Identity, error)
	Log          *slog.Logger
	Now          func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Base is the public base URL, without a slash at its end.
	Base string
	// Watching tells how many viewers look at a dashboard by its link now.
	Watching func(board.ID) int
}

// Programs answers programs that act for an account: list dashboards, push rows, change links. They show a token in the
// Authorization header, a person's session or one made for programs, which may do what its scopes say. Cookies are not
// looked at. Use NewPrograms.
type Programs struct {
	cfg   ProgramsConfig
	cross *http.CrossOriginProtection
	rate  *ratelimit.Limiter
}

// NewPrograms makes Programs.
func NewPrograms(cfg ProgramsConfig) *Programs {
	return &Programs{cfg: cfg, cross: sameOrigin(), rate: ratelimit.New(requestBurst, requestEvery, 0)}
}

// Routes lists the routes of programs.
func (p *Programs) Routes() []httpmw.Route {
	const limits = "120 by account, then 1 in 500 ms"
	get := func(path string, h func(*call) (any, error)) httpmw.Route {
		return httpmw.Route{Pattern: "GET " + path, Audience: httpmw.SignedIn, Handler: p.route(account.ScopeRead, http.StatusOK, h), Limits: limits}
	}
	large := func(r httpmw.Route) httpmw.Route {
		r.Handler = compressed(r.Handler)
		return r
	}
	change := func(pattern string, s account.Scope, status int, h func(*call) (any, error)) httpmw.Route {
		return httpmw.Route{Pattern: pattern, Audience: httpmw.SignedIn, Handler: p.route(s, status, h), Limits: "body 1 MiB; same origin; " + limits}
	}
	return append([]httpmw.Route{
		{Pattern: "GET /api/v1/openapi.json", Audience: httpmw.Everybody, Handler: http.HandlerFunc(describe)},
		get("/api/v1/boards", p.list),
		change("POST /api/v1/boards", account.ScopeWrite, http.StatusCreated, p.create),
		get("/api/v1/boards/{board}", p.board),
		change("POST /api/v1/boards/{board}/trash", account.ScopeWrite, http.StatusOK, p.trash),
		change("POST /api/v1/boards/{board}/restore", account.ScopeWrite, http.StatusOK, p.restore),
		get("/api/v1/boards/{board}/widgets/{widget}/rows", p.rows),
		change("POST /api/v1/boards/{board}/widgets/{widget}/rows", account.ScopeWrite, http.StatusOK, p.appendRows),
		change("PUT /api/v1/boards/{board}/widgets/{widget}/rows", account.ScopeWrite, http.StatusOK, p.replaceRows),
		large(get("/api/v1/boards/{board}/history", p.history)),
		large(get("/api/v1/boards/{board}/history/{position}", p.then)),
		change("POST /api/v1/boards/{board}/history/{position}/restore", account.ScopeWrite, http.StatusOK, p.restoreTo),
		get("/api/v1/boards/{board}/link", p.link),
		change("POST /api/v1/boards/{board}/link", account.ScopeShare, http.StatusOK, p.changeLink),
		get("/api/v1/boards/{board}/people", p.people),
	}, p.peopleRoutes(change)...)
}

// call is one request of an account.
type call struct {
	r   *http.Request
	w   http.ResponseWriter
	me  account.Identity
	now int64 // ms since 1970
}

func (c *call) ctx() context.Context { return c.r.Context() }

func (c *call) principal() access.Principal { return access.Account(c.me.Account) }

// id is the dashboard that the path names; what is no id leads to no dashboard, which is for access to say.
func (c *call) id() board.ID {
	id, err := board.ParseID(c.r.PathValue("board"))
	if err != nil {
		return ""
	}
	return id
}

// route answers with what h returns, for whoever may use the scope.
func (p *Programs) route(scope account.Scope, status int, h func(*call) (any, error)) http.Handler {
	return p.cross.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{r: r, w: w, now: p.cfg.Now().UnixMilli()}
		var out any
		err := p.enter(c, scope) //nolint:contextcheck // the call has its request's
		if err == nil {
			out, err = h(c)
		}
		if err != nil {
			fail(w, r, p.cfg.Log, err)
			return
		}
		writeJSON(w, status, out)
	}))
}

// enter finds out who asks and whether they may.
func (p *Programs) enter(c *call, scope account.Scope) (err error) {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fault.New(fault.Unauthenticated, "This request shows no token.").WithHint("Send it in the header Authorization: Bearer …")
	}
	if c.me, err = p.cfg.Authenticate(c.ctx(), token); err != nil {
		return err
	}
	if err := p.rate.Take(string(c.me.Account), time.UnixMilli(c.now)); err != nil {
		return fault.New(fault.Busy, "This account has sent too many requests.").WithHint("Wait as long as the header Retry-After says.").WithCause(err)
	}
	if !c.me.Can(scope) {
		return fault.Newf(fault.Denied, "This token may not be used for that: it lacks the scope %s.", scope).
			WithHint("Make a token that has it on the page of your account.")
	}
	return nil
}
