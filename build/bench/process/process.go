// Package process starts the real server for a benchmark and tells what it uses: processor time, memory, bytes on disk.
// It reads /proc, so it works on Linux alone. Start reading at Start.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"widgets.pro/build/bench/report"
)

// Process is a program that was started for a benchmark. It is not safe for concurrent use.
type Process struct {
	// Base is the address at which it answers HTTP, without a slash at its end.
	Base string
	cmd  *exec.Cmd
	data string
}

const (
	patience  = 20 * time.Second // for a program to listen
	lookAgain = 20 * time.Millisecond
)

// Server starts the sync server with an empty data file in dir and waits until it listens. Further arguments are put behind
// those that name address and file. End it.
func Server(ctx context.Context, binary, dir string, args ...string) (*Process, error) {
	addr, err := report.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "server.db")
	args = append([]string{"--listen", addr, "--data", data, "--log-level", "error", "--dev-mailbox=true"}, args...)
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the developer's own program
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	p := &Process{Base: "http://" + addr, cmd: cmd, data: data}
	if err := p.listens(ctx, addr); err != nil {
		p.End()
		return nil, err
	}
	return p, nil
}

// Self starts the running program once more, with other arguments, and waits for the address that it prints as its first
// line. End it.
func Self(ctx context.Context, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", self, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", self, err)
	}
	p := &Process{cmd: cmd}
	line := make([]byte, 0, 64)
	for one := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); {
		if _, err := io.ReadFull(stdout, one); err != nil {
			p.End()
			return nil, fmt.Errorf("hear from %s: %w", self, err)
		}
		line = append(line, one...)
	}
	p.Base = strings.TrimSpace(string(line))
	return p, nil
}

func (p *Process) listens(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return errors.New("the server does not answer")
		case <-time.After(lookAgain):
		}
	}
}

// End kills the program and waits until it is gone.
func (p *Process) End() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() }

// CPU is the processor time that the threads of the program have used so far.
func (p *Process) CPU() (total time.Duration, err error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(threads) == 0 {
		return 0, errors.Join(errors.New("read processor time: there are no threads"), err)
	}
	for _, t := range threads {
		raw, err := os.ReadFile(t) //nolint:gosec // of the kernel
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has just ended
		}
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		ran, _, _ := strings.Cut(string(raw), " ") // in ns; what follows is how long it waited, and how often it ran
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		total += time.Duration(ns)
	}
	return total, nil
}

// Resident is the memory of the program that is in use at this moment, in bytes, without what the kernel keeps for its
// sockets.
func (p *Process) Resident() (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0, errors.New("read memory: there is too little")
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// DataFile is the path of the server's data file.
func (p *Process) DataFile() string { return p.data }

// Files raises the number of files that this process, and those that it starts, may have open to at least n.
func Files(n uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if l.Cur >= n {
		return nil
	}
	l.Cur, l.Max = n, max(l.Max, n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("raise the limit of open files to %d: %w", n, err)
	}
	return nil
}
