package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/build/bench/report"
)

// goodbye is what the server says to a viewer that it cuts.
const goodbye = `{"t":"gone","reason":"This link does not work any more.","why":"gone"}`

// serveFloor is the floor: it takes websockets, greets each, and on GET /cut writes goodbye to all and closes them, as
// fast as the library allows. It prints its address.
func serveFloor(ctx context.Context, out io.Writer) error {
	var mu sync.Mutex
	var all []*websocket.Conn
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		if err := ws.Write(ctx, websocket.MessageText, []byte("{}")); err != nil {
			return
		}
		mu.Lock()
		all = append(all, ws)
		mu.Unlock()
		_, _, _ = ws.Read(ctx)
	})
	mux.HandleFunc("GET /cut", func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		for _, ws := range all {
			go func() {
				if err := ws.Write(ctx, websocket.MessageText, []byte(goodbye)); err == nil {
					_ = ws.Close(4003, "This link does not work any more.")
				}
			}()
		}
		all = nil
	})
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	report.Say(out, "http://%s\n", ln.Addr())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	return srv.Serve(ln)
}

// cutFloor is one run against the floor.
func cutFloor(ctx context.Context, o options) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, maxRun+2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "-floor") //nolint:gosec // this program
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, fmt.Errorf("start the floor: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return result{}, fmt.Errorf("start the floor: %w", err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return result{}, fmt.Errorf("hear from the floor: %w", err)
	}
	base := strings.TrimSpace(line)
	crowd, err := gather(ctx, o.now, "ws"+base[len("http"):]+"/live", o.viewers)
	if err != nil {
		return result{}, err
	}
	defer crowd.leave()
	begun := o.now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/cut", nil)
	if err != nil {
		return result{}, fmt.Errorf("ask the floor: %w", err)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return result{}, fmt.Errorf("ask the floor: %w", err)
	}
	_ = res.Body.Close()
	took, leaked, err := crowd.ended(ctx, begun)
	if err != nil {
		return result{}, err
	}
	return summarise(took, leaked, -1), nil
}
