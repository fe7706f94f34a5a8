// Package httpweb is what people meet in a browser: share pages and short links, signing up, in and out, the list of
// one's dashboards, and designed answers where something cannot be shown.
//
// It turns requests into calls and outcomes into pages. What a link opens is decided by access (through page and Core),
// who somebody is by account, whether a password is right by unlock. Every route is listed with its audience in Routes;
// share.go holds those of links, lock.go what is in front of links with a password, web.go signing in and the list of
// dashboards, signup.go and letters.go what mails lead to, account.go, devices.go and farewell.go one's own account,
// refusal.go the answers to what fails. Start reading at Site.
package httpweb

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/unlock"
)

// Pages shows dashboards by their links; see page.Service.
type Pages interface {
	Document(ctx context.Context, t sharing.Token, p page.Proof, o page.Options) (*page.Document, error)
	Live(w http.ResponseWriter, r *http.Request, t sharing.Token, p page.Proof, have uint64, client string) error
	Summary(ctx context.Context, t sharing.Token) (page.Summary, error)
	Picture(ctx context.Context, t sharing.Token) (*page.Picture, error)
	// PromptPolicy is the Content-Security-Policy of a page that asks for a password and that o may frame.
	PromptPolicy(o sharing.Origins) string
}

// Locks tries the passwords of links and checks what they opened; see unlock.Service.
type Locks interface {
	Try(ctx context.Context, t sharing.Token, password string, client netip.Addr) (unlock.Session, error)
	Verify(ctx context.Context, t sharing.Token, secret string) page.Proof
}

// Core is what the pages need from the rest of the server.
type Core interface {
	// ShortLink finds the token behind a short link that is in force; every other is the same NotFound fault.
	ShortLink(ctx context.Context, short string) (sharing.Token, error)
}

// Accounts is what the pages ask of account.Service.
type Accounts interface {
	LogIn(ctx context.Context, c account.Credentials, lifetime time.Duration) (account.SignIn, error)
	LogOut(ctx context.Context, token string) error
	SignUpInvited(ctx context.Context, c account.Credentials, lifetime time.Duration, and func(store.Tx, store.AccountID) error) (account.SignIn, error)
	// Person tells whose session a token is.
	Person(ctx context.Context, token string) (account.Identity, error)
	Leaving(ctx context.Context, who account.Identity) (account.Leaving, error)
	Tickets
	httpapi.Newcomers
	httpapi.Owners
	httpapi.Devices
}

// Tickets is what the pages ask of account.Service for those who open the link in a mail.
type Tickets interface {
	Confirmable(ctx context.Context, ticket, claim string) (email string, began bool, err error)
	Confirm(ctx context.Context, ticket string, c account.Credentials, shown account.Confirmation, lifetime time.Duration) (in account.SignIn, kept string, err error)
	Resettable(ctx context.Context, ticket string) (email string, err error)
	Reset(ctx context.Context, ticket, password string, client netip.Addr) error
	Verifiable(ctx context.Context, ticket string) (account.Verification, error)
	Verify(ctx context.Context, ticket string, by store.AccountID, client netip.Addr) (account.Verification, error)
}

// Config is what a Site needs; everything but Mailbox and MailboxURL must be given. Base is the public base URL without a
// slash at its end.
type Config struct {
	Base     string
	Pages    Pages
	Locks    Locks
	Core     Core
	Accounts Accounts
	// Invitations and Organisations are what people are let into.
	Invitations   Invitations
	Organisations Organisations
	Assets        *Assets
	Clients       httpmw.Clients
	Logger        *slog.Logger
	Now           func() time.Time
	// Mailbox is the development mailbox, nil if there is none; MailboxURL the address of its page, "" if there is none.
	Mailbox    Mailbox
	MailboxURL string
}

// Site answers browsers. Safe for concurrent use.
type Site struct {
	cfg    Config
	secure bool // the public address is https
	pages  *template.Template
	policy []string // Content-Security-Policy of the site's own pages
	framed []string // that of pages which may be framed by everybody
	cross  *http.CrossOriginProtection
	misses *ratelimit.Limiter

	unavailable map[look]*fixed
	notFound    *fixed
	reference   reference
}

// Limits of what one client address may do. Whoever has spent the misses is not answered by short links until they
// have grown again; nobody else is affected.
const (
	shortMisses    = 20
	shortMissEvery = 6 * time.Second
	maxForm        = 16 << 10 // bytes of a form
)

//go:embed templates
var templates embed.FS

// New returns a Site over cfg.
func New(cfg Config) (*Site, error) {
	base, err := url.Parse(cfg.Base)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("public base URL %q is not one", cfg.Base)
	}
	s := &Site{
		cfg: cfg, secure: base.Scheme == "https",
		cross:  http.NewCrossOriginProtection(),
		misses: ratelimit.New(shortMisses, shortMissEvery, 0),
	}
	if err := s.cross.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, fmt.Errorf("public base URL %q: %w", cfg.Base, err)
	}
	s.cross.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	var css strings.Builder
	for _, name := range []string{"templates/web.css", "templates/people.css"} {
		b, err := templates.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the pages' style sheet: %w", err)
		}
		css.Write(b)
	}
	style := template.CSS(strings.TrimSpace(css.String())) //nolint:gosec // files of this package
	s.pages, err = template.New("").Funcs(template.FuncMap{
		"style":   func() template.CSS { return style },
		"favicon": func() template.URL { return page.Favicon },
	}).ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the pages: %w", err)
	}
	const policy = "default-src 'none'; base-uri 'none'; form-action %s; frame-ancestors %s; img-src data:; style-src %s"
	s.policy = []string{fmt.Sprintf(policy, "'self'", "'none'", page.StyleHash(string(style)))}
	s.framed = []string{fmt.Sprintf(policy, "'none'", "*", page.StyleHash(string(style)))}
	if s.reference, err = newReference(httpapi.Description(), cfg.Base); err != nil {
		return nil, err
	}
	s.unavailable = map[look]*fixed{}
	for _, l := range looks() {
		gone := unavailable
		gone.Look = l
		if s.unavailable[l], err = s.fix(http.StatusNotFound, gone); err != nil {
			return nil, err
		}
		s.unavailable[l].policy, s.unavailable[l].framed = s.framed, true
	}
	s.notFound, err = s.fix(http.StatusNotFound, notFound)
	return s, err
}

// Routes lists every route of the site.
func (s *Site) Routes() []httpmw.Route {
	form := func(h http.HandlerFunc) http.Handler { return s.cross.Handler(h) }
	routes := []httpmw.Route{
		{Pattern: sharePattern, Audience: httpmw.LinkHolder, Handler: http.HandlerFunc(s.share)},
		{
			Pattern: "POST /share/{token}", Audience: httpmw.LinkHolder, Handler: form(s.unlock),
			Limits: "body 16 KiB; same origin; 5 attempts by link and address, then 1 in 2 min; hashing bounded",
		},
		{
			Pattern: "GET /share/{token}/live", Audience: httpmw.LinkHolder, Handler: http.HandlerFunc(s.live),
			Limits: "websocket; same origin; 256 connections by address, 10000 by dashboard, 20000 in all; nothing is taken from viewers",
		},
		{
			Pattern: "GET /share/{token}/preview.png", Audience: httpmw.LinkHolder, Handler: http.HandlerFunc(s.preview),
			Limits: "drawn once a version, 2 at once",
		},
		{
			Pattern: "GET /oembed", Audience: httpmw.LinkHolder, Handler: http.HandlerFunc(s.oembed),
			Limits: "shares the misses of GET /s/{short}",
		},
		{Pattern: "GET /s/{short}", Audience: httpmw.LinkHolder, Handler: http.HandlerFunc(s.short), Limits: "20 misses by address, then 1 in 6 s"},
		{Pattern: "GET /assets/{name}", Audience: httpmw.Everybody, Handler: s.cfg.Assets},
		{Pattern: "GET /icon.svg", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.cfg.Assets.Icon)},
		{Pattern: "GET /embed.js", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.cfg.Assets.Embed)},
		{Pattern: "GET /{$}", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.home)},
		{Pattern: "GET /api", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.api)},
		{Pattern: "GET /login", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.logInForm)},
		{
			Pattern: "POST /login", Audience: httpmw.Everybody, Handler: form(s.logIn),
			Limits: "body 16 KiB; same origin; 30 by address, then 1 in 10 s, and 10 by address and account, then 1 in 30 s; hashing bounded",
		},
		{Pattern: "POST /logout", Audience: httpmw.SignedIn, Handler: form(s.logOut), Limits: "body 16 KiB; same origin"},
	}
	return slices.Concat(routes, s.mailboxRoutes(), s.letters(form), s.settings(form), s.invitationRoutes(form), s.organisationRoutes(form), []httpmw.Route{
		{Pattern: "/", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.other)},
	})
}

// WrongMethod answers a request whose path is there for other methods. It is the same whatever the path names.
func (s *Site) WrongMethod() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, http.StatusMethodNotAllowed, "refusal.html", refusal{
			Title: "That cannot be done here", Message: "This address takes no such request.", Hint: "Open it in a browser instead.", Home: true,
		})
	})
}

// sharePattern is the route that Fast answers; it is what the log calls it.
const sharePattern = "GET /share/{token}"

// Fast answers requests for share pages, which are most, before next has to find a route for them. next holds Routes and
// whatever else the server has.
func (s *Site) Fast(next http.Handler) http.Handler {
	const prefix = "/share/"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.HasPrefix(p, prefix) &&
			len(p) > len(prefix) && strings.IndexByte(p[len(prefix):], '/') < 0 {
			r.Pattern = sharePattern
			s.serveShare(w, r, sharing.Token(p[len(prefix):]))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// other answers everything that is no route.
func (s *Site) other(w http.ResponseWriter, r *http.Request) {
	if p, ok := strings.CutPrefix(r.URL.Path, "/share/"); ok && p != "" {
		s.gone(w, r)
		return
	}
	s.notFound.ServeHTTP(w, r)
}
