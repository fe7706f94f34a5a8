package server

import (
	"context"
	"fmt"
	"net/url"
	"runtime"

	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/httpweb"
	"widgets.pro/syncserver/internal/organisation"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/people"
	"widgets.pro/syncserver/internal/preview"
	"widgets.pro/syncserver/internal/published"
	"widgets.pro/syncserver/internal/render"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/unlock"
	"widgets.pro/syncserver/internal/views"
)

// web is what browsers see: share pages with their viewers, and the forms for signing in.
type web struct {
	engine *render.Engine
	pages  *page.Service
	views  *views.Counter
	site   *httpweb.Site
	assets *httpweb.Assets
}

// newWeb wires what browsers see.
func newWeb(d Deps, st store.Store, rooms *room.Rooms, accounts *account.Service, invites *people.Service, orgs *organisation.Service, clients httpmw.Clients, mailbox *devmail.Mailbox) (*web, error) {
	assets, err := httpweb.LoadAssets(d.Front)
	if err != nil {
		return nil, fmt.Errorf("load the front end: %w", err)
	}
	base, err := url.Parse(d.Config.Base)
	if err != nil {
		return nil, fmt.Errorf("public base URL: %w", err)
	}
	artist, err := preview.New()
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	source := published.New(st, d.Now)
	w := &web{assets: assets, engine: render.New(render.Config{Script: assets.RenderScript(), Size: min(runtime.GOMAXPROCS(0), maxEngines)})}
	w.views = views.New(views.Config{Store: st, Log: d.Log, Now: d.Now, Counted: rooms.Viewed})
	w.pages = page.New(page.Config{
		Source: source, Drawer: w.engine, Painter: artist, Bundle: assets.Bundle(), Logger: d.Log, Now: d.Now,
		Origins: []string{base.Host}, Base: d.Config.Base, ConnectSrc: websocketOf(base), OnWatching: rooms.Watching, OnCut: rooms.Cut, OnOpen: w.views.Opened,
	})
	rooms.Attach(w.pages)
	site := httpweb.Config{
		Base: d.Config.Base, Pages: w.pages, Core: source, Locks: unlock.New(unlock.Config{Store: st, Now: d.Now, Random: d.Random}), Accounts: accounts, Invitations: invites, Organisations: orgs, Assets: assets, Clients: clients, Logger: d.Log, Now: d.Now,
	}
	if mailbox != nil {
		site.Mailbox, site.MailboxURL = mailbox, d.Config.Base+httpweb.MailboxPath
	}
	if w.site, err = httpweb.New(site); err != nil {
		w.close(context.Background())
		return nil, fmt.Errorf("prepare the site: %w", err)
	}
	return w, nil
}

// maxEngines bounds the drawing engines, each of which may take hundreds of megabytes for a very large dashboard.
const maxEngines = 4

// websocketOf is the base URL's origin for websockets, which not every browser counts as the page's own.
func websocketOf(base *url.URL) string {
	if base.Scheme == "https" {
		return "wss://" + base.Host
	}
	return "ws://" + base.Host
}

// close tells the viewers that the server goes down and waits for them until ctx ends.
func (w *web) close(ctx context.Context) {
	w.pages.Close(ctx)
	w.engine.Close()
	w.views.Close() //nolint:contextcheck // what was counted is written, whether or not viewers went in time
}
