// Package victim runs the real programs as processes that can be killed at any moment and started again on the same data.
//
// Each program is in a process group of its own and does not outlive the one that started it. Start reading at Program;
// server.go and core.go know how the two programs are started and when they are ready.
package victim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Program is what is started again and again: a binary with its arguments and what it needs in its environment.
type Program struct {
	Path string
	Args []string
	Env  []string // beside the present one; later ones win
	// Log is a file to which everything that the program says on standard error is added.
	Log string
	// Stdout receives what it prints; nil means nobody.
	Stdout io.Writer

	cmd   *exec.Cmd // nil while it does not run
	ended chan struct{}
	err   error // after ended
}

var errRunning = errors.New("it runs already")

// Start starts the program and does not wait for anything. Kill must follow; ctx's end does the same.
func (p *Program) Start(ctx context.Context) error {
	if p.cmd != nil {
		return errRunning
	}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	cmd := exec.CommandContext(ctx, p.Path, p.Args...) //nolint:gosec // the developer's own program
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stderr, cmd.Stdout = log, p.Stdout
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", p.Path, err), log.Close())
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		p.err = errors.Join(cmd.Wait(), log.Close())
		close(ended)
	}(p.ended)
	return nil
}

// Ended is closed when the program has ended, by itself or otherwise. It must have been started.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Kill ends the program and whatever it started with SIGKILL, and returns when it is gone. It reports an error if the program
// had ended before by itself. Killing one that does not run does nothing.
func (p *Program) Kill() error {
	if p.cmd == nil {
		return nil
	}
	killed := killGroup(p.cmd.Process)
	<-p.ended
	state := p.cmd.ProcessState
	p.cmd = nil
	if killed != nil || state == nil || state.Exited() {
		return fmt.Errorf("%s had ended by itself: %w", filepath.Base(p.Path), errors.Join(p.err, killed))
	}
	return nil
}

// KillAfter is Kill after d, to which the moment of a kill is left, or once the program has ended by itself.
func (p *Program) KillAfter(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-p.ended:
	case <-time.After(d):
	}
	return p.Kill()
}

// Tail is the end of what the program has said on standard error, for people.
func (p *Program) Tail() string {
	const most = 2 << 10
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// Cries are lines in which a program said something that it must not have to say, whatever is done to it: a panic, a data
// race, or a failure that somebody has to look at.
func (p *Program) Cries() ([]string, error) {
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	var cries []string
	for line := range strings.Lines(string(text)) {
		for _, sign := range []string{"panic:", "fatal error:", "DATA RACE", "level=ERROR"} {
			if strings.Contains(line, sign) {
				cries = append(cries, strings.TrimSpace(line))
				break
			}
		}
	}
	return cries, nil
}
