// Package crowd is many viewers of a share link, each with a websocket as the link's page opens one. They come from many
// addresses of 127.0.0.0/8, since the server bounds the connections of one. Start reading at Gather.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	perAddress = 200 // viewers from one address, below the server's bound
	atOnce     = 64  // connections that are opened at the same time
	maxFrame   = 1 << 22
)

var crowds atomic.Uint32 //nolint:gochecknoglobals // numbers the crowds of the program

// Options say how viewers come and what they do.
type Options struct {
	Now func() time.Time
	// Session is what a viewer shows who has given the link's password; empty for a link without one.
	Session string
	// Frame is called with each frame that viewer i gets after its first one, on the viewer's goroutine; nil means that
	// frames are dropped.
	Frame func(i int, frame []byte)
}

// Crowd is many viewers, who stay until the server ends their connections or Leave is called.
type Crowd struct {
	o      Options
	number uint32      // of the crowd, so that no two come from the same addresses
	took   []time.Time // when each connection ended
	wg     sync.WaitGroup
	cancel context.CancelFunc
}

// Gather connects n viewers and returns when each has got its first frame. The address begins with ws://.
func Gather(ctx context.Context, address string, n int, o Options) (*Crowd, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &Crowd{o: o, number: crowds.Add(1), took: make([]time.Time, n), cancel: cancel}
	errs := make(chan error, n)
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			errs <- c.join(ctx, address, i)
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			c.Leave()
			return nil, err
		}
	}
	return c, nil
}

func (c *Crowd) join(ctx context.Context, address string, i int) error {
	from := net.IPv4(127, byte(c.number), byte(1+i/perAddress/250), byte(1+i/perAddress%250)) //nolint:gosec // small
	client := &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext, DisableKeepAlives: true,
	}}
	protocols := []string{"widgets.view"}
	if c.o.Session != "" {
		protocols = append(protocols, "session."+c.o.Session)
	}
	ws, res, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: client, Subprotocols: protocols})
	if err != nil {
		return fmt.Errorf("viewer %d: %w", i, err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	ws.SetReadLimit(maxFrame)
	if _, _, err := ws.Read(ctx); err != nil {
		return fmt.Errorf("viewer %d: %w", i, err)
	}
	c.wg.Go(func() {
		stop := context.AfterFunc(ctx, func() { _ = ws.CloseNow() })
		defer stop()
		reading := context.WithoutCancel(ctx) // which costs less for each frame
		for {
			_, frame, err := ws.Read(reading)
			if err != nil {
				c.took[i] = c.o.Now()
				_ = ws.CloseNow()
				return
			}
			if c.o.Frame != nil {
				c.o.Frame(i, frame)
			}
		}
	})
	return nil
}

// Ended waits until every connection has ended, at most so long, and tells how long after begun each did.
func (c *Crowd) Ended(ctx context.Context, begun time.Time, most time.Duration) ([]time.Duration, error) {
	done := make(chan struct{})
	go func() { c.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(most):
		return nil, errors.New("some connections did not end")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	took := make([]time.Duration, len(c.took))
	for i, at := range c.took {
		took[i] = at.Sub(begun)
	}
	return took, nil
}

// Leave breaks off what is still connected.
func (c *Crowd) Leave() {
	c.cancel()
	c.wg.Wait()
}
