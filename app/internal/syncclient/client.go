// Package syncclient keeps one websocket to the sync server: it sends what waits in the workspace, hands over what comes,
// and tells in words how things stand. Local work never waits for it.
//
// It keeps no state of its own that matters: whatever must survive is in the workspace's store, so the program may be
// killed at any moment. It must not know how dashboards are stored or shown. Start reading at Client.Run, then connection.
package syncclient

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
)

// Deps is what a Client needs; all but Network is required.
type Deps struct {
	Workspace   *workspace.Workspace
	Credentials Credentials
	// HTTP opens the connection; it must have no timeout of its own.
	HTTP *http.Client
	Now  func() time.Time
	// After is time.After, or a test's clock.
	After func(time.Duration) <-chan time.Time
	// Jitter returns a random number from 0 up to 1.
	Jitter func() float64
	Log    *slog.Logger
	// App names the program and its version to the server.
	App string
	// Network, if set, describes the network interfaces; when it changes during back-off, the server is tried at once.
	Network func() string
}

// Credentials hands out session tokens, "" if there is none for the key.
type Credentials interface {
	Load(key string) (token string, err error)
}

// Client is the sync client. Make one with New and run it once.
type Client struct {
	deps Deps
	// since is when the connection was lost, zero while there is one.
	since time.Time
	best  sample
}

// New returns a client.
func New(deps Deps) *Client { return &Client{deps: deps} }

// Delays between attempts: they double from the first to the last, and each is shortened at random by up to a half, so that
// many devices do not come back at one moment.
const (
	firstDelay   = time.Second
	lastDelay    = time.Minute
	restartDelay = 2 * time.Second
	// networkPoll is how often the network interfaces are looked at while waiting.
	networkPoll = 2 * time.Second
)

// errSignedInAnew ends a connection because somebody else signed in, or nobody is any more.
var errSignedInAnew = errors.New("the account has changed")

// Run keeps the connection until ctx ends.
func (c *Client) Run(ctx context.Context) {
	w := c.deps.Workspace
	for attempt := 0; ctx.Err() == nil; {
		login, ok := w.Login()
		if !ok {
			c.since = time.Time{}
			w.SetConnection(workspace.Connection{State: workspace.StateOff})
			select {
			case <-ctx.Done():
			case <-w.Retried():
			}
			continue
		}
		if attempt == 0 && c.since.IsZero() {
			w.SetConnection(workspace.Connection{State: workspace.StateConnecting, Since: c.deps.Now()})
		}
		caughtUp, err := c.connect(ctx, login)
		if ctx.Err() != nil {
			return
		}
		if now, ok := w.Login(); !ok || now.Number != login.Number || errors.Is(err, errSignedInAnew) {
			attempt, c.since = 0, time.Time{}
			continue
		}
		if caughtUp {
			attempt = 0
		}
		if c.since.IsZero() {
			c.since = c.deps.Now()
		}
		if c.pause(ctx, err, attempt) {
			attempt = 0
		} else {
			attempt++
		}
	}
}

// pause tells why there is no connection and waits until it is to be tried again. It reports whether the user, or a change
// of the network, asked for that.
func (c *Client) pause(ctx context.Context, err error, attempt int) (asked bool) {
	f := fault.From(err)
	c.deps.Log.InfoContext(ctx, "connection ended", "kind", f.Kind, "attempt", attempt, "error", err)
	state, delay := workspace.StateOffline, c.delay(attempt)
	switch f.Kind {
	case fault.Unauthenticated:
		state, delay = workspace.StateRefused, 0 // no use in trying again before somebody signs in
	case fault.Denied, fault.Outdated, fault.Invalid, fault.TooLarge, fault.NotFound:
		state, delay = workspace.StateRefused, lastDelay
	case fault.Conflict, fault.Busy, fault.Unavailable, fault.Internal:
	}
	if errors.Is(err, errRestarting) {
		delay = time.Duration(c.deps.Jitter() * float64(restartDelay))
	}
	c.deps.Workspace.SetConnection(workspace.Connection{State: state, Since: c.since, Reason: f})
	return c.wait(ctx, delay)
}

func (c *Client) delay(attempt int) time.Duration {
	d := min(firstDelay<<min(attempt, 10), lastDelay)
	return time.Duration(float64(d) * (1 - c.deps.Jitter()/2))
}

// wait waits for delay (0 is for ever), ctx, the user or a change of the network.
func (c *Client) wait(ctx context.Context, delay time.Duration) (asked bool) {
	var over, poll <-chan time.Time
	if delay > 0 {
		over = c.deps.After(delay)
	}
	network := ""
	if c.deps.Network != nil && delay > networkPoll {
		network, poll = c.deps.Network(), c.deps.After(networkPoll)
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return false
		case <-c.deps.Workspace.Retried():
			return true
		case <-poll:
			if c.deps.Network() != network {
				return true
			}
			poll = c.deps.After(networkPoll)
		}
	}
}
