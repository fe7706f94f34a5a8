package app

import (
	"context"
	"crypto/rand"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/app/internal/credential"
	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/syncclient"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/release"
)

// dataFile is the name of the data file in its folder.
const dataFile = "widgets.db"

// program is the composition root: what the window and the browser have in common.
type program struct {
	cfg config
	env Environment
	log *slog.Logger
	ui  fs.FS // nil if the front end is not built
}

// core is the running program without its screens.
type core struct {
	program
	bridge *bridge.Bridge
	ctx    context.Context //nolint:containedctx // the lifetime of the background work, ended by stop
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	ws      *workspace.Workspace // nil until the data is open
}

// newCore makes the screens' door; calls through it wait until start has opened the data. Stop must follow.
func (p program) newCore(system bridge.System) *core {
	c := &core{program: p, bridge: bridge.New(bridge.Deps{
		UI: p.ui, System: system, Start: p.env.Now().UnixMilli(), Random: rand.Reader, Log: p.log,
	})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// start opens the data and then keeps the connection to the server, in the background: the window does not wait for it.
func (c *core) start(desktop bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.work.Go(func() { c.run(c.ctx, desktop) })
	}
}

func (c *core) run(ctx context.Context, desktop bool) {
	path := filepath.Join(c.cfg.dir, dataFile)
	store, err := localstore.Open(path, localstore.Options{Random: rand.Reader})
	if err != nil {
		c.log.ErrorContext(ctx, "data file not opened", "path", path, "error", err)
		c.bridge.Fail(err)
		return
	}
	defer func() {
		if err := store.Close(); err != nil {
			c.log.ErrorContext(ctx, "data file not closed", "error", err)
		}
	}()
	client := &http.Client{Transport: http.DefaultTransport}
	credentials := credential.New(filepath.Join(c.cfg.dir, "credentials.json"), c.cfg.keychain, c.log)
	ws, err := workspace.New(workspace.Deps{
		Store: store, Now: c.env.Now, Random: rand.Reader, Log: c.log,
		Accounts: syncclient.NewAccounts(client), Archive: syncclient.NewArchive(client), Credentials: credentials,
		Version: release.Version(), Desktop: desktop, DefaultServer: c.cfg.server,
	})
	if err != nil {
		c.log.ErrorContext(ctx, "data not read", "path", path, "error", err)
		c.bridge.Fail(err)
		return
	}
	c.mu.Lock()
	c.ws = ws
	c.mu.Unlock()
	c.bridge.Open(ws)
	c.work.Go(func() { ws.WatchEnds(ctx, time.After) })
	c.work.Go(func() { ws.WatchSignUp(ctx, time.After) })
	syncclient.New(syncclient.Deps{
		Workspace: ws, Credentials: credentials, HTTP: client, Now: c.env.Now, After: time.After, Jitter: mathrand.Float64,
		Log: c.log, App: "widgets.pro/" + release.Version(), Network: network,
	}).Run(ctx)
	<-ctx.Done()
}

// stop ends the connection, the waiting calls and, last, the data file.
func (c *core) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.bridge.Close()
	c.cancel()
	c.work.Wait()
}

// workspace is the open workspace, or nil.
func (c *core) workspace() *workspace.Workspace {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws
}

// network describes this machine's addresses; it changes when the machine joins or leaves a network.
func network() string {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	var all strings.Builder
	for _, a := range list {
		all.WriteString(a.String() + " ")
	}
	return all.String()
}
