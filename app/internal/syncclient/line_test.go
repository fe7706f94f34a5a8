package syncclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
)

// line is a device's way to the server: it counts what goes over it, and breaks where a test says so.
type line struct {
	sent, received atomic.Int64 // bytes
	// cut is how many bytes may be sent in all before the line breaks, and stays broken; 0 is no bound.
	cut atomic.Int64
}

var errCut = errors.New("the line is cut")

func (l *line) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: l.dial}}
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if l.broken() {
		return nil, errCut
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &counted{conn, l}, nil
}

func (l *line) broken() bool {
	cut := l.cut.Load()
	return cut > 0 && l.sent.Load() >= cut
}

type counted struct {
	net.Conn
	line *line
}

func (c *counted) Write(b []byte) (int, error) {
	if c.line.sent.Add(int64(len(b))); c.line.broken() {
		_ = c.Close()
		return 0, errCut
	}
	return c.Conn.Write(b)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.line.received.Add(int64(n))
	return n, err
}
