package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	canary     = "Written after the link was gone"
	perAddress = 200 // viewers from one address, below the server's bound
	atOnce     = 64  // connections that are opened at the same time
)

// crowd is many viewers.
type crowd struct {
	now    func() time.Time
	took   []time.Time // when each connection ended
	leaked atomic.Int64
	wg     sync.WaitGroup
	cancel context.CancelFunc
}

// gather connects n viewers, and returns when each has got its first frame.
func gather(ctx context.Context, now func() time.Time, url string, n int) (*crowd, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{now: now, took: make([]time.Time, n), cancel: cancel}
	errs := make(chan error, n)
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			errs <- c.join(ctx, url, i)
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			c.leave()
			return nil, err
		}
	}
	return c, nil
}

func (c *crowd) join(ctx context.Context, url string, i int) error {
	from := net.IPv4(127, 0, byte(1+i/perAddress/250), byte(1+i/perAddress%250)) //nolint:gosec // small
	client := &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext, DisableKeepAlives: true,
	}}
	ws, res, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"widgets.view"}})
	if err != nil {
		return fmt.Errorf("viewer %d: %w", i, err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	ws.SetReadLimit(1 << 22)
	if _, _, err := ws.Read(ctx); err != nil {
		return fmt.Errorf("viewer %d: %w", i, err)
	}
	c.wg.Go(func() {
		for {
			_, data, err := ws.Read(ctx)
			if err != nil {
				c.took[i] = c.now()
				_ = ws.CloseNow()
				return
			}
			if bytes.Contains(data, []byte(canary)) {
				c.leaked.Add(1)
			}
		}
	})
	return nil
}

// ended waits until every connection has ended, and tells how long after begun each did.
func (c *crowd) ended(ctx context.Context, begun time.Time) (took []time.Duration, leaked int, err error) {
	done := make(chan struct{})
	go func() { c.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(maxRun):
		return nil, 0, errors.New("some connections did not end")
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	for _, at := range c.took {
		took = append(took, at.Sub(begun))
	}
	return took, int(c.leaked.Load()), nil
}

// leave breaks off what is still connected.
func (c *crowd) leave() {
	c.cancel()
	c.wg.Wait()
}

// receipt is how many viewers the server says it has cut (rule V2).
func receipt(ctx context.Context, own *owner.Owner, id board.ID) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	n := -1
	_ = own.Watch(ctx, id, func(s wire.Share) bool { n = max(n, s.Cut); return s.Cut > 0 }) // without one, n says so
	return n
}
