// Package server puts the sync server together: the one place where its parts meet.
//
// New opens the store and wires the parts; Serve answers until its context ends and then drains. web.go wires what
// browsers see. Start reading at New.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/release"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/author"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/control"
	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/internal/expiry"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/httpsync"
	"widgets.pro/syncserver/internal/httpweb"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/internal/webapp"
)

// Timeouts and sizes of HTTP.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 60 * time.Second // one request, body included; websockets are not meant
	idleTimeout    = 2 * time.Minute
	maxHeaders     = 16 << 10         // bytes
	drainTimeout   = 10 * time.Second // for connections to go when the server goes down
)

// Deps are what a Server does not make by itself. All but Front, Timeouts, MaxBytes and Rehearse must be given.
type Deps struct {
	Config config.Config
	Log    *slog.Logger
	Now    func() time.Time
	// Random is cryptographically secure and safe for concurrent use.
	Random io.Reader
	// Front is what the front end's build made; nil means that it was not built in, and share pages say so.
	Front fs.FS
	// Timeouts of sync connections; zero values are the defaults.
	Timeouts httpsync.Timeouts
	// MaxBytes bounds the data file; 0 means no bound.
	MaxBytes int
	// Rehearse has the store run each closure twice, for tests; see boltstore.Options.
	Rehearse bool
}

// Server is a running sync server but for its listener. Close or Kill it.
type Server struct {
	log     *slog.Logger
	store   *boltstore.Store
	rooms   *room.Rooms
	devices *httpsync.Handler
	web     *web
	app     *webapp.Service
	expiry  *expiry.Job
	office  *mail.Office
	door    *control.Door    // nil where no socket could be made
	mailbox *devmail.Mailbox // nil unless it was asked for
	routes  []httpmw.Route
	handler http.Handler

	draining atomic.Bool
	ending   sync.Once
}

// New opens the data file and puts the server together. Failures of the data file are faults.
func New(d Deps) (*Server, error) {
	st, err := boltstore.Open(boltstore.Options{Path: d.Config.Data, Log: d.Log, MaxBytes: d.MaxBytes, Rehearse: d.Rehearse})
	if err != nil {
		return nil, err
	}
	s, err := assemble(d, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if s.door, err = control.Open(d.Config.Data, st, d.Log); err != nil {
		d.Log.Warn("no backup can be made while this server runs", "error", err)
	}
	return s, nil
}

func assemble(d Deps, st *boltstore.Store) (*Server, error) {
	s := &Server{log: d.Log, store: st, rooms: room.New()}
	s.rooms.Time(d.Now)
	if err := s.prepareMail(d); err != nil {
		return nil, err
	}
	accounts, err := account.New(account.Config{Store: st, Log: d.Log, Now: d.Now, Random: d.Random, Mail: s.office, Base: d.Config.Base, Events: s.rooms, Ended: s.rooms.EndSession})
	if err != nil {
		return nil, fmt.Errorf("prepare accounts: %w", err)
	}
	server, err := author.New(d.Random)
	if err != nil {
		return nil, fmt.Errorf("prepare editing: %w", err)
	}
	base, err := url.Parse(d.Config.Base)
	if err != nil {
		return nil, fmt.Errorf("public base URL: %w", err)
	}
	clients := httpmw.NewClients(d.Config.TrustedProxies)
	secure := base.Scheme == "https"
	invites := people.New(people.Config{Store: st, Mail: s.office, Events: s.rooms, Now: d.Now, Random: d.Random, Base: d.Config.Base})
	orgs := organisation.New(organisation.Config{Store: st, Mail: s.office, Events: s.rooms, Now: d.Now, Random: d.Random, Base: d.Config.Base})
	s.devices = httpsync.New(httpsync.Config{
		Store: st, Rooms: s.rooms, Accounts: accounts, Log: d.Log, Now: d.Now, Random: d.Random,
		People: invites, Mails: s.office.Enabled(), Base: d.Config.Base, Cookie: func(r *http.Request) string { return account.Cookie(r, secure) }, Timeouts: d.Timeouts,
	})
	if s.web, err = newWeb(d, st, s.rooms, accounts, invites, orgs, clients, s.mailbox); err != nil {
		return nil, fmt.Errorf("prepare pages: %w", err)
	}
	pasts := content.NewPasts()
	if s.app, err = webapp.New(webapp.Config{
		Store: st, Rooms: s.rooms, Pasts: pasts, Accounts: accounts, People: invites, Mails: s.office.Enabled(), Log: d.Log, Now: d.Now,
		Random: d.Random, Base: d.Config.Base, Secure: secure, Page: s.web.assets.Workspace(), Fail: s.web.site.Fail, Version: release.Version(),
	}); err != nil {
		return nil, fmt.Errorf("prepare the workspace: %w", err)
	}
	s.expiry = expiry.New(expiry.Config{Store: st, Events: s.rooms, Log: d.Log, Now: d.Now})
	s.rooms.Attach(s.expiry)
	s.routes = slices.Concat(
		[]httpmw.Route{
			{Pattern: "GET /healthz", Audience: httpmw.Everybody, Handler: http.HandlerFunc(alive)},
			{Pattern: "GET /readyz", Audience: httpmw.Everybody, Handler: http.HandlerFunc(s.ready)},
			{
				Pattern: "GET " + wire.SyncPath, Audience: httpmw.SignedIn, Handler: s.devices,
				Limits: fmt.Sprintf("websocket; with a cookie: same origin; frame %d KiB; %d connections by account, %d in all",
					wire.MaxFrame>>10, httpsync.MaxAccountConnections, httpsync.MaxConnections),
			},
		},
		httpapi.New(httpapi.Config{Accounts: accounts, Base: d.Config.Base, Mailbox: s.mailboxURL(d), Client: clients.Addr, Log: d.Log}).Routes(),
		httpapi.NewOrganisations(httpapi.OrganisationsConfig{
			Service: orgs, Accounts: accounts, Cookie: func(r *http.Request) string { return account.Cookie(r, secure) }, Log: d.Log,
		}).Routes(),
		httpapi.NewPrograms(httpapi.ProgramsConfig{
			Store: st, Events: s.rooms, Pasts: pasts, Author: server, People: invites, Authenticate: accounts.Authenticate, Log: d.Log, Now: d.Now, Random: d.Random,
			Base: d.Config.Base, Watching: s.rooms.Watchers,
		}).Routes(),
		s.web.site.Routes(),
		s.app.Routes(),
	)
	mux := http.NewServeMux()
	httpmw.Handle(mux, s.routes, s.web.site.WrongMethod(), "/api/", webapp.Prefix)
	s.handler, err = httpmw.Wrap(s.web.site.Fast(mux), httpmw.Options{
		Logger: d.Log, Now: d.Now, Random: d.Random, HSTS: secure, OnPanic: s.web.site.Panicked(),
		Larger: map[string]int64{webapp.Prefix: webapp.MaxBody},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the handler: %w", err)
	}
	s.expiry.Start()
	s.office.Start()
	return s, nil
}

// prepareMail makes what writes and sends mail, and the mailbox for development if it was asked for.
func (s *Server) prepareMail(d Deps) (err error) {
	server := d.Config.Mail
	if d.Config.DevMailbox {
		if s.mailbox, err = devmail.Start(devmail.Config{Log: d.Log, Now: d.Now}); err != nil {
			return fmt.Errorf("start the development mailbox: %w", err)
		}
		server = s.mailbox.Server()
		d.Log.Warn("no mail leaves this server: it is all at /dev/mail, for this machine to read", "page", d.Config.Base+httpweb.MailboxPath)
	}
	s.office, err = mail.New(mail.Config{
		Store: s.store, Log: d.Log, Now: d.Now, Random: d.Random, Base: d.Config.Base, From: d.Config.From, Server: server,
		Delivered: func(i store.Invitation) {
			if i.Board != "" {
				s.rooms.People([]board.ID{i.Board})
			}
		},
	})
	if err != nil {
		return fmt.Errorf("prepare mail: %w", err)
	}
	if !s.office.Enabled() {
		d.Log.Warn("no mail server is named, so nobody can sign up, be invited or get another password", "setting", "smtp-url")
	}
	return nil
}

// mailboxURL is the address of the development mailbox's page, "" if there is none.
func (s *Server) mailboxURL(d Deps) string {
	if s.mailbox == nil {
		return ""
	}
	return d.Config.Base + httpweb.MailboxPath
}

// SetRole sets what an account is to a dashboard, in the name of its owner.
func (s *Server) SetRole(ctx context.Context, id board.ID, account store.AccountID, role sharing.Role) error {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		rec, _, err := tx.Boards().Get(id)
		if err != nil {
			return err
		}
		return sharelink.SetRole(tx, s.rooms, access.Account(rec.Owner), id, account, role)
	})
	if err != nil {
		return fmt.Errorf("set role: %w", err)
	}
	return nil
}

// Routes lists every route of the server; there is no other. For every request there are, beside its limits, those of the
// HTTP server and of httpmw: headers of 16 KiB, a body of 1 MiB, and a time for each.
func (s *Server) Routes() []httpmw.Route { return slices.Clone(s.routes) }

// Handler answers every request of the server.
func (s *Server) Handler() http.Handler { return s.handler }

// alive tells that the process answers.
func alive(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }

// ready tells whether new work is welcome: the store takes writes and the server is not going down.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		httpapi.WriteFault(w, fault.New(fault.Unavailable, "The server is going down."))
		return
	}
	if err := s.store.Healthy(); err != nil {
		httpapi.WriteFault(w, fault.From(err))
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// Serve answers requests from ln until ctx ends. Then it tells every connection to come back later, waits for what is
// under way and closes the data file: everything that was acknowledged is in it.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.ServeWith(ctx, ln, s.HTTP())
}

// ServeWith is Serve with an HTTP server that the caller got from HTTP.
func (s *Server) ServeWith(ctx context.Context, ln net.Listener, srv *http.Server) error {
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		s.log.InfoContext(ctx, "going down")
	}
	s.draining.Store(true)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if e := srv.Shutdown(drain); e != nil {
			_ = srv.Close()
		}
	}()
	s.endConnections(drain)
	<-stopped
	return errors.Join(err, s.store.Close())
}

// endConnections tells devices and viewers that the server goes down, and returns when they have gone or ctx has ended and
// they were cut.
func (s *Server) endConnections(ctx context.Context) {
	s.ending.Do(func() {
		if s.door != nil {
			s.door.Close()
		}
		var wg sync.WaitGroup
		wg.Go(func() { s.devices.Close(ctx) })
		wg.Go(func() { s.web.close(ctx) })
		wg.Go(s.app.Close)
		wg.Go(func() { s.office.Close(ctx) })
		wg.Wait()
		if s.mailbox != nil {
			s.mailbox.Close()
		}
		s.expiry.Close()
	})
}

// Close ends a server that does not Serve.
func (s *Server) Close() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s.endConnections(ended)
	return s.store.Close()
}

// Kill ends the server as a crash would, for tests: connections break off without a word and what waits for a commit is
// lost. srv is what ServeWith was given.
func (s *Server) Kill(srv *http.Server) error {
	s.store.Abandon()
	s.devices.Cut()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s.endConnections(ended)
	_ = srv.Close()
	return s.store.Close()
}

// HTTP is a new HTTP server for this server's handler, with its limits.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaders, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}
