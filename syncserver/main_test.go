package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest/owner"
)

// TestMain lets the test's binary be the server, so that tests can kill a real process.
func TestMain(m *testing.M) {
	if os.Getenv("WIDGETS_TEST_AS_SERVER") != "" {
		main()
		os.Exit(0)
	}
	testscript.Main(m, map[string]func(){"widgets-server": main})
}

// program runs the server as a process of its own.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string
	out  bytes.Buffer
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "WIDGETS_TEST_AS_SERVER=1")
	return cmd
}

func launch(t *testing.T, data, addr string) *program {
	t.Helper()
	p := &program{t: t, addr: addr, cmd: command(t, "--listen", addr, "--data", data, "--dev-mailbox=true")}
	p.cmd.Stderr = &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		res, err := get(t.Context(), "http://"+addr+"/readyz")
		if err == nil && res == http.StatusOK {
			return p
		}
		if time.Now().After(deadline) {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
			t.Fatalf("the server did not start: %s", p.out.String())
		}
		<-time.After(20 * time.Millisecond)
	}
}

func get(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func (p *program) end(sig syscall.Signal) error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	return p.cmd.Wait()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func (p *program) signUp() (token string) {
	p.t.Helper()
	base := "http://" + p.addr
	a, err := owner.Register(p.t.Context(), base, "ann@example.org", "correct horse", owner.Mailbox(base))
	if err != nil {
		p.t.Fatal(err)
	}
	return a.Token
}

// journal is a device that edits one title as fast as it can and remembers what was acknowledged.
type journal struct {
	t     *testing.T
	token string
	id    board.ID
	clock hlc.Clock
	mem   replica.Memory
	heard chan struct{} // receives at each acknowledgement, if anybody waits
}

func (j *journal) client() *replica.Client {
	j.t.Helper()
	c, err := replica.OpenClient(&j.mem)
	if err != nil {
		j.t.Fatal(err)
	}
	return c
}

// run edits until the connection breaks or enough edits were acknowledged, and returns how many that were.
func (j *journal) run(ctx context.Context, addr string, edits int) (acknowledged int) {
	j.t.Helper()
	ws, _, err := websocket.Dial(ctx, "ws://"+addr+wire.SyncPath, &websocket.DialOptions{ //nolint:bodyclose // websocket.Dial has closed it
		Subprotocols: []string{wire.Subprotocol}, HTTPHeader: http.Header{"Authorization": {"Bearer " + j.token}},
	})
	if err != nil {
		j.t.Fatalf("dial: %v", err)
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(wire.MaxFrame)
	send := func(m wire.Message) bool {
		frame, err := wire.Encode(m)
		if err != nil {
			j.t.Fatal(err)
		}
		return ws.Write(ctx, websocket.MessageText, frame) == nil
	}
	s := j.client().Status()
	if !send(wire.Hello{Versions: []int{1}, App: "test", Dev: fmt.Sprintf("%x", j.clock.Dev), Boards: []wire.Cursor{{Board: j.id, Epoch: s.Epoch, Since: s.Seen, New: true}}}) {
		return 0
	}
	push := func() bool {
		ops, err := j.client().Pending(0, wire.MaxBatchOps, wire.MaxBatchBytes)
		if err != nil {
			j.t.Fatal(err)
		}
		return send(wire.Ops{Board: j.id, Floor: j.client().Status().Acked, Ops: ops})
	}
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return acknowledged
		}
		m, err := wire.Decode(frame)
		if err != nil {
			j.t.Fatal(err)
		}
		switch m := m.(type) {
		case wire.Snapshot:
			_, err = j.client().Snapshot(m.Snapshot, &j.clock, time.Now().UnixMilli())
		case wire.Delta:
			_, err = j.client().Delta(m.Delta, &j.clock)
		case wire.Ack:
			if _, err = j.client().Ack(m.Ack); err == nil && j.client().Status().Waiting == 0 {
				acknowledged++
				select {
				case j.heard <- struct{}{}:
				default:
				}
			}
		default:
			continue
		}
		if err != nil {
			j.t.Fatal(err)
		}
		if acknowledged >= edits {
			return acknowledged
		}
		if st := j.client().Status(); st.Waiting == 0 && st.Epoch != 0 {
			title, _ := json.Marshal(fmt.Sprint("edit ", st.LastN+1))
			if _, err := j.client().Edit(&j.clock, time.Now().UnixMilli(), []replica.Edit{{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTitle, Value: title}}); err != nil {
				j.t.Fatal(err)
			}
		}
		if j.client().Status().Waiting > 0 && !push() {
			return acknowledged
		}
	}
}

// The server is killed in the middle of a stream of edits, again and again; whatever it acknowledged is there afterwards.
func TestSI2_KillMinusNineLosesNothingAcknowledged(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "server.db"), freeAddress(t)
	p := launch(t, data, addr)
	j := &journal{t: t, token: p.signUp(), id: board.NewID(ulid.Make()), clock: hlc.Clock{Dev: 77}, heard: make(chan struct{})}
	for round := range 8 {
		done := make(chan int, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		go func() { done <- j.run(ctx, addr, 1_000_000) }()
		for range 5 + 7*round { // then somewhere in the stream
			select {
			case <-j.heard:
			case <-ctx.Done():
				t.Fatalf("round %d: no acknowledgement came: %s", round, p.out.String())
			}
		}
		_ = p.end(syscall.SIGKILL)
		n := <-done
		cancel()
		p = launch(t, data, addr)
		t.Logf("round %d: %d acknowledged", round, n)
	}
	// A new device gets the newest acknowledged edit, or the one after it that was on its way.
	acked := j.client().Status().Acked
	other := &journal{t: t, token: j.token, id: j.id, clock: hlc.Clock{Dev: 78}}
	other.run(t.Context(), addr, 0)
	st, err := other.client().Confirmed()
	if err != nil {
		t.Fatal(err)
	}
	title, _, _ := st.Register(board.BoardEntity, board.FieldTitle)
	if got := string(title); got != fmt.Sprintf(`"edit %d"`, acked) && got != fmt.Sprintf(`"edit %d"`, acked+1) {
		t.Errorf("%d edits were acknowledged, the server has %s", acked, got)
	}
	// And the journal goes on where it was.
	if j.run(t.Context(), addr, 1) != 1 {
		t.Error("no edit is acknowledged any more")
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.out.String())
	}
	if strings.Contains(p.out.String(), j.token) {
		t.Error("the session token is in the log")
	}
}

func TestB1_StartFailuresAreSentences(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.db")
	if err := os.WriteFile(bad, bytes.Repeat([]byte("not a database "), 4000), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, filepath.Join(dir, "good.db"), freeAddress(t))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"damaged file": {[]string{"--data", bad}, "is damaged or is not a data file"},
		"file in use":  {[]string{"--data", filepath.Join(dir, "good.db")}, "is in use by another process"},
		"port in use":  {[]string{"--data", filepath.Join(dir, "other.db"), "--listen", p.addr}, "cannot listen on"},
		"bad setting":  {[]string{"--log-level", "loud"}, "is one of debug"},
	} {
		out, err := command(t, c.args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) || strings.Contains(string(out), "goroutine") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	if out, err := command(t, "--help").CombinedOutput(); err != nil || !strings.Contains(string(out), "WIDGETS_TRUSTED_PROXIES") {
		t.Errorf("help: %v: %s", err, out)
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
