// Package bare is the floor of what the server does for viewers: a program that takes websockets of the same library and
// writes the same bytes to all of them, and knows nothing of dashboards and access. A benchmark starts itself as it, see
// process.Self. Start reading at Serve.
package bare

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/build/bench/report"
)

// Paths at which Serve answers. LivePath takes a websocket and greets it; a POST to SayPath writes its body to all, one to
// CutPath too, which then closes them.
const (
	LivePath = "/live"
	SayPath  = "/say"
	CutPath  = "/cut"
)

const (
	maxBody   = 1 << 20
	closeCode = 4003
)

// Serve prints its address and answers until ctx ends.
func Serve(ctx context.Context, out io.Writer) error {
	f := &floor{ctx: ctx}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+LivePath, f.live)
	mux.HandleFunc("POST "+SayPath, f.say)
	mux.HandleFunc("POST "+CutPath, f.cut)
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	report.Say(out, "http://%s\n", ln.Addr())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	return srv.Serve(ln)
}

type floor struct {
	ctx context.Context //nolint:containedctx // ends the connections, which outlive their requests
	mu  sync.Mutex
	all []*websocket.Conn
}

func (f *floor) live(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"widgets.view"}})
	if err != nil {
		return
	}
	if err := ws.Write(f.ctx, websocket.MessageText, []byte("{}")); err != nil { //nolint:contextcheck // the connection outlives the request
		return
	}
	f.mu.Lock()
	f.all = append(f.all, ws)
	f.mu.Unlock()
	_, _, _ = ws.Read(f.ctx) //nolint:contextcheck // the connection outlives the request
}

func (f *floor) say(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ws := range f.all {
		_ = ws.Write(f.ctx, websocket.MessageText, body) //nolint:contextcheck // the connection outlives the request
	}
}

func (f *floor) cut(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ws := range f.all {
		go func() {
			if err := ws.Write(f.ctx, websocket.MessageText, body); err == nil {
				_ = ws.Close(closeCode, "This link does not work any more.")
			}
		}()
	}
	f.all = nil
}
