// Package bridge is the one door from the screens to the program: an HTTP handler that the desktop window reaches through
// its asset server and the browser through package loopback.
//
// It offers the workspace's use cases as JSON under /api, tells of changes by long polls, and serves the built front end.
// It holds no state of dashboards. Failures are faults with the status that statusOf gives them; a panic in one call ends
// that call alone. Start reading at Bridge, then routes.go.
package bridge

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/longpoll"
	"widgets.pro/shared/source"
)

// Deps is what a Bridge needs. Random and Log are required.
type Deps struct {
	// UI holds the built front end, index.html at its root. Nil says that it was not built.
	UI fs.FS
	// System does for the screens what only a program with a window can; nil in a browser, which can do it itself.
	System System
	// Start numbers the first event, so that a screen left over from an earlier run does not take its numbers for ours.
	// The time of the start in milliseconds will do.
	Start int64
	// PollWait bounds a long poll; 0 is 20 seconds.
	PollWait time.Duration
	// LookAway is how long no screen asks for events before nobody counts as looking; 0 is 10 seconds.
	LookAway time.Duration
	// Random is a cryptographically secure source, safe for concurrent use.
	Random io.Reader
	Log    *slog.Logger
}

// System is what the desktop offers to a page that cannot reach it.
type System interface {
	// OpenURL opens a web or mail address in the user's own program for it.
	OpenURL(url string) error
	// SetClipboard writes a text to the clipboard.
	SetClipboard(text string) error
}

// Bridge answers the screens. It can be served before the workspace is open: calls wait until Open or Fail.
type Bridge struct {
	deps    Deps
	handler http.Handler
	hub     *longpoll.Hub
	imports *source.Shelf
	calls   *calls
	looks   *looks
	// farewell holds a token once a page has said that it is done.
	farewell chan struct{}

	settle  sync.Once
	settled chan struct{} // closed by Open and Fail
	ws      *workspace.Workspace
	failure *fault.Error

	stop context.CancelFunc // ends the pump
	life context.Context    //nolint:containedctx // the pump's and the calls' lifetime is the bridge's own
	pump sync.WaitGroup
}

// New returns a bridge that waits for Open or Fail. Close it when done.
func New(deps Deps) *Bridge {
	if deps.PollWait == 0 {
		deps.PollWait = longpoll.Wait
	}
	if deps.LookAway == 0 {
		deps.LookAway = lookAway
	}
	b := &Bridge{
		deps: deps, hub: longpoll.New(deps.Start, maxPolls), imports: source.NewShelf(deps.Random, source.NewReads(maxReads)),
		calls: &calls{idle: make(chan struct{})}, farewell: make(chan struct{}, 1), settled: make(chan struct{}),
	}
	b.looks = &looks{away: deps.LookAway, log: deps.Log}
	b.life, b.stop = context.WithCancel(context.Background())
	b.handler = b.guard(b.routes())
	return b
}

// Open lets the calls through to ws.
func (b *Bridge) Open(ws *workspace.Workspace) {
	b.settle.Do(func() {
		b.ws = ws
		sub := ws.Subscribe()
		b.pump.Go(func() {
			defer sub.Close()
			for {
				events, err := sub.Wait(b.life)
				if err != nil {
					return
				}
				b.hub.Publish(events...)
			}
		})
		close(b.settled)
		b.hub.Publish(workspace.Event{Type: workspace.EventState})
	})
}

// Fail answers every call with err's fault from now on: the program cannot work with its data.
func (b *Bridge) Fail(err error) {
	b.settle.Do(func() {
		b.failure = fault.From(err)
		close(b.settled)
		b.hub.Publish(workspace.Event{Type: workspace.EventState})
	})
}

// Close ends the waiting polls and the pump, refuses new calls and waits for those under way, a few seconds at most. It
// may be called twice.
func (b *Bridge) Close() {
	b.stop()
	b.hub.Close()
	b.looks.close()
	b.calls.close(closeWait)
	b.pump.Wait()
}

const (
	maxPolls = 4 // waiting at once
	maxReads = 2 // texts read at the same time
)

const closeWait = 3 * time.Second

// ServeHTTP answers a request. It may be called concurrently.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }

// workspace waits until the workspace is open, and returns it or the reason why it will not be.
func (b *Bridge) workspace(ctx context.Context) (*workspace.Workspace, error) {
	select {
	case <-b.settled: // first, so that a call that came before the end is not turned away
	default:
		select {
		case <-b.settled:
		case <-b.life.Done():
			return nil, closing()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if b.failure != nil {
		return nil, b.failure
	}
	return b.ws, nil
}

func closing() *fault.Error { return fault.New(fault.Unavailable, "The program is closing.") }

// guard sets the headers that every answer has, and turns a panic into a fault.
func (b *Bridge) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !b.calls.enter() {
			b.sendFault(w, r, closing())
			return
		}
		defer b.calls.leave()
		r, release := b.bound(r)
		defer release()
		defer b.rescue(w, r)
		next.ServeHTTP(w, r)
	})
}

// rescue ends a call that panicked; it must be deferred.
func (b *Bridge) rescue(w http.ResponseWriter, r *http.Request) {
	if v := recover(); v != nil {
		b.deps.Log.ErrorContext(r.Context(), "call panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
		b.sendFault(w, r, fault.New(fault.Internal, "Something went wrong inside the program.").WithHint("Try again; what was saved before is still there."))
	}
}
