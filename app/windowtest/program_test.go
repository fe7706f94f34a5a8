//go:build window

package windowtest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take before a test gives up.
const patience = 40 * time.Second

// results is where pictures of the window go.
const results = "../../build/test-results"

// home is a user's home folder, which outlives a run of the program.
type home struct {
	dir  string
	vars []string // more environment
}

func newHome(t *testing.T, vars ...string) home {
	t.Helper()
	return home{dir: t.TempDir(), vars: vars}
}

// data is the folder of the dashboards.
func (h home) data() string { return filepath.Join(h.dir, "share", "widgets.pro") }

// program is a running program with its window.
type program struct {
	page
	cmd    *exec.Cmd
	output *buffer
	ended  chan struct{}
	err    error // after ended
}

// start runs the program and waits for its page.
func (h home) start(t *testing.T) *program {
	t.Helper()
	binary := os.Getenv("WIDGETS_BINARY")
	if binary == "" {
		t.Fatal("WIDGETS_BINARY must name the built program; build/scripts/window-test.sh sets it")
	}
	addr := freeAddress(t)
	p := &program{output: &buffer{}, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary) // ended by kill, after the test
	p.cmd.Dir = h.dir
	p.cmd.Env = append(cleanEnvironment(),
		"HOME="+h.dir, "XDG_DATA_HOME="+filepath.Join(h.dir, "share"), "XDG_CONFIG_HOME="+filepath.Join(h.dir, "config"),
		"XDG_CACHE_HOME="+filepath.Join(h.dir, "cache"), "WEBKIT_INSPECTOR_HTTP_SERVER="+addr,
		"NO_AT_BRIDGE=1", "GSETTINGS_BACKEND=memory", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")
	p.cmd.Env = append(p.cmd.Env, h.vars...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the program said: %s", p.output)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		select {
		case <-p.ended:
			cancel() // no page will come any more
		case <-ctx.Done():
		}
	}()
	in, err := connect(ctx, addr)
	if err != nil {
		t.Fatalf("%v; the program said: %s", err, p.output)
	}
	p.page = page{t: t, in: in}
	t.Cleanup(in.close)
	p.loaded(ctx)
	return p
}

// quit closes the window as its user does, and waits for the program to end.
func (p *program) quit(t *testing.T) {
	t.Helper()
	_ = p.in.eval(t.Context(), "window.runtime.Quit()", nil) // the page may be gone before it answers
	p.wait(t)
	if p.err != nil {
		t.Errorf("the program ended with %v: %s", p.err, p.output)
	}
}

// wait waits for the program to end.
func (p *program) wait(t *testing.T) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		t.Fatalf("the program does not end: %s", p.output)
	}
}

// kill ends the program at once, as a power cut does.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// terminate asks the program to end, as the system does at the end of a session.
func (p *program) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// cleanEnvironment is this process's environment without what would change the program.
func cleanEnvironment() []string {
	var out []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "WIDGETS_") && !strings.HasPrefix(name, "XDG_") && name != "HOME" && name != "DBUS_SESSION_BUS_ADDRESS" {
			out = append(out, v)
		}
	}
	return out
}

// buffer collects what the program writes; it is safe for concurrent use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
