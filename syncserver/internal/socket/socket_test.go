package socket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/syncserver/internal/socket"
)

// accept starts a server that hands a websocket and its connection to serve, and returns the client's side and what is closed
// when serve has returned.
func accept(t *testing.T, serve func(*websocket.Conn, *socket.Conn)) (client *websocket.Conn, served <-chan struct{}) {
	t.Helper()
	done := make(chan struct{})
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		taker := socket.Take(w)
		ws, err := websocket.Accept(taker, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		serve(ws, taker.Conn())
		_ = ws.CloseNow()
	}))
	t.Cleanup(func() { ts.Close(); <-done })
	ws, _, err := websocket.Dial(t.Context(), ts.URL, nil) //nolint:bodyclose // Dial replaces the body
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return ws, done
}

func read(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	_, frame, err := ws.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(frame)
}

func TestHeldFramesLeaveTogetherAndInOrder(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 10_000)
	ws, _ := accept(t, func(ws *websocket.Conn, c *socket.Conn) {
		c.Hold()
		for _, m := range []string{"one", long, "three"} {
			if err := ws.Write(context.Background(), websocket.MessageText, []byte(m)); err != nil {
				t.Error(err)
			}
		}
		if n := c.Held(); n <= len(long) {
			t.Errorf("%d bytes are held", n)
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if n := c.Held(); n != 0 {
			t.Errorf("%d bytes are held after they were written", n)
		}
		// Held no more: this leaves by itself.
		if err := ws.Write(context.Background(), websocket.MessageText, []byte("four")); err != nil {
			t.Error(err)
		}
	})
	for _, want := range []string{"one", long, "three", "four"} {
		if got := read(t, ws); got != want {
			t.Fatalf("got %.20q, want %.20q", got, want)
		}
	}
}

func TestFlushOfNothingWritesNothing(t *testing.T) {
	t.Parallel()
	ws, _ := accept(t, func(_ *websocket.Conn, c *socket.Conn) {
		c.Hold()
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := ws.Read(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
}

func TestFlushEndsTheConnectionOfWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	_, served := accept(t, func(ws *websocket.Conn, c *socket.Conn) {
		c.Hold()
		if err := ws.Write(context.Background(), websocket.MessageText, make([]byte, 16<<20)); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := c.Flush(ctx); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want that the connection was closed", err)
		}
	})
	<-served
}
