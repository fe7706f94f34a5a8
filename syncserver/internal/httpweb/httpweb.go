// Package httpweb is what people meet in a browser: share pages and short links, signing up, in and out, the list of
// one's dashboards, and designed answers where something cannot be shown.
//
// It turns requests into calls and outcomes into pages. What a link opens is decided by access (through page and Core),
// who somebody is by account. Every route is listed with its audience in Routes; share.go holds those of links, web.go
// those of accounts, refusal.go the answers to what fails. Start reading at Site.
package httpweb

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/store"
)

// Pages shows dashboards by their links; see page.Service.
type Pages interface {
	Document(ctx context.Context, t sharing.Token, p page.Proof, o page.Options) (*page.Document, error)
	Live(w http.ResponseWriter, r *http.Request, t sharing.Token, p page.Proof, have uint64, client string) error
}

// Core is what the pages need from the rest of the server.
type Core interface {
	// ShortLink finds the token behind a short link that is in force; every other is the same NotFound fault.
	ShortLink(ctx context.Context, short string) (sharing.Token, error)
	// Dashboards lists what an account may open, by title.
	Dashboards(ctx context.Context, id store.AccountID) ([]Dashboard, error)
}

// Dashboard is one line of "My dashboards".
type Dashboard struct {
	ID      board.ID
	Title   string
	Link    sharing.Link
	Trashed bool
	Role    sharing.Role
}

// Accounts signs people up, in and out; see account.Service.
type Accounts interface {
	SignUp(ctx context.Context, c account.Credentials, lifetime time.Duration) (account.SignIn, error)
	LogIn(ctx context.Context, c account.Credentials, lifetime time.Duration) (account.SignIn, error)
	LogOut(ctx context.Context, token string) error
	Authenticate(ctx context.Context, token string) (account.Identity, error)
}

// Config is what a Site needs; everything must be given. Base is the public base URL without a slash at its end.
type Config struct {
	Base     string
	Pages    Pages
	Core     Core
	Accounts Accounts
	Assets   *Assets
	Clients  httpmw.Clients
	Logger   *slog.Logger
	Now      func() time.Time
}

// Audience says who may use a route.
type Audience string

// The audiences. LinkHolder routes show something only to who has a share link in force.
const (
	Everybody  Audience = "everybody"
	LinkHolder Audience = "link holder"
	SignedIn   Audience = "signed in"
)

// Route is one route of the site.
type Route struct {
	Pattern  string
	Audience Audience
	Handler  http.Handler
}

// Site answers browsers. Safe for concurrent use.
type Site struct {
	cfg    Config
	secure bool // the public address is https
	pages  *template.Template
	policy []string // Content-Security-Policy of the site's own pages
	cross  *http.CrossOriginProtection
	misses *ratelimit.Limiter

	unavailable, notFound *fixed
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
	css, err := templates.ReadFile("templates/web.css")
	if err != nil {
		return nil, fmt.Errorf("read the pages' style sheet: %w", err)
	}
	style := template.CSS(strings.TrimSpace(string(css))) //nolint:gosec // a file of this package
	s.pages, err = template.New("").Funcs(template.FuncMap{
		"style":   func() template.CSS { return style },
		"favicon": func() template.URL { return page.Favicon },
	}).ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the pages: %w", err)
	}
	s.policy = []string{"default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src data:; style-src " + page.StyleHash(string(style))}
	if s.unavailable, err = s.fix(http.StatusNotFound, unavailable); err != nil {
		return nil, err
	}
	s.notFound, err = s.fix(http.StatusNotFound, notFound)
	return s, err
}

// Routes lists every route of the site.
func (s *Site) Routes() []Route {
	form := func(h http.HandlerFunc) http.Handler { return s.cross.Handler(h) }
	return []Route{
		{"GET /share/{token}", LinkHolder, http.HandlerFunc(s.share)},
		{"GET /share/{token}/live", LinkHolder, http.HandlerFunc(s.live)},
		{"GET /s/{short}", LinkHolder, http.HandlerFunc(s.short)},
		{"GET /assets/{name}", Everybody, s.cfg.Assets},
		{"GET /{$}", Everybody, http.HandlerFunc(s.home)},
		{"GET /signup", Everybody, http.HandlerFunc(s.signUpForm)},
		{"POST /signup", Everybody, form(s.signUp)},
		{"GET /login", Everybody, http.HandlerFunc(s.logInForm)},
		{"POST /login", Everybody, form(s.logIn)},
		{"POST /logout", SignedIn, form(s.logOut)},
		{"/", Everybody, http.HandlerFunc(s.other)},
	}
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
		s.unavailable.ServeHTTP(w, r)
		return
	}
	s.notFound.ServeHTTP(w, r)
}
