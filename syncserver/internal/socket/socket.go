// Package socket takes HTTP connections over for websockets, so that several frames can leave in one piece: a write to
// the network costs more than making a frame. It knows nothing of what is written. Start reading at Take.
package socket

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

const (
	// frameBuffer is the size of the buffer in which the websocket package puts a frame together, in bytes. It is small, since
	// Conn gathers what does not fit.
	frameBuffer = 256
	// keepBuffer is up to which size the buffer of what is held is kept for the next time, in bytes.
	keepBuffer = 4 << 10
)

// Taker is a response writer whose connection, once it is taken over, is a Conn.
type Taker struct {
	http.ResponseWriter
	conn *Conn
}

// Take prepares w for a websocket's handshake.
func Take(w http.ResponseWriter) *Taker { return &Taker{ResponseWriter: w} }

// Conn is the connection, nil before it was taken over.
func (t *Taker) Conn() *Conn { return t.conn }

// Unwrap lets others reach what is below.
func (t *Taker) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Hijack takes the connection over.
func (t *Taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take the connection over: %w", err)
	}
	t.conn = &Conn{Conn: conn}
	return t.conn, bufio.NewReadWriter(rw.Reader, bufio.NewWriterSize(t.conn, frameBuffer)), nil
}

// Conn is a connection on which writes can be held back until there are some. It is safe for concurrent use; whoever calls
// Hold must be one goroutine, and must call Flush.
type Conn struct {
	net.Conn
	mu   sync.Mutex // held while writing, so that everything leaves in order
	hold bool
	held []byte
}

// Write writes p, or holds it back: then it does not fail, and Flush does.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p) //nolint:wrapcheck // this is the connection
}

// Hold holds back what is written from now on, whoever writes it, until Flush.
func (c *Conn) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = true
}

// Held is how many bytes are held back.
func (c *Conn) Held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held)
}

// Flush writes what was held back, and holds no more. If ctx ends before the network has taken it, the connection is closed.
func (c *Conn) Flush(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = false
	if len(c.held) == 0 {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	_, err := c.Conn.Write(c.held)
	if c.held = c.held[:0]; cap(c.held) > keepBuffer {
		c.held = nil
	}
	if err != nil {
		return fmt.Errorf("write to the network: %w", err)
	}
	return nil
}
