// Package app is the desktop program: it puts the pieces together and shows them in a window, or in a browser on the same
// machine where there is no display.
//
// The pieces are in internal: workspace (what a user can do) over localstore (the data file), syncclient (the server),
// source (files to import), credential (the session token), bridge (the screens' door) and loopback (a browser's way to
// it). Start reading at Run, then core.go; window.go and browser.go are the two ways to be shown.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"widgets.pro/frontend"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/release"
)

// Environment is what the program takes from the process that it runs in.
type Environment struct {
	Args   []string // without the program's name
	Getenv func(string) string
	Now    func() time.Time
	Stdout io.Writer
	Stderr io.Writer
}

// Exit codes of Run.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Run runs the program until its window is closed, or in a browser until it is interrupted. It returns the exit code.
func Run(env Environment) int {
	cfg, err := parse(env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		complain(env.Stderr, err)
		return exitUsage
	case cfg.version:
		_, _ = fmt.Fprintln(env.Stdout, "widgets.pro", release.Version())
		return exitOK
	}
	log := slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if cfg.loopback == "" && cfg.headless {
		_, _ = fmt.Fprintln(env.Stdout, "There is no display, so widgets.pro shows itself in a browser.")
		cfg.loopback = anyPort
	}
	ui, err := frontend.AppFS()
	if err != nil {
		log.Warn("no screens", "error", err)
		ui = nil
	}
	p := program{cfg: cfg, env: env, log: log, ui: ui}
	if cfg.loopback == "" {
		err = p.window()
		if noWindow, ok := errors.AsType[*windowError](err); ok {
			log.Warn("no window", "error", noWindow)
			_, _ = fmt.Fprintln(env.Stdout, "The window could not be opened, so widgets.pro shows itself in a browser.")
			cfg.loopback = anyPort
			p.cfg = cfg
		}
	}
	if cfg.loopback != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		err = p.browser(ctx)
	}
	if err != nil {
		complain(env.Stderr, err)
		return exitFailed
	}
	return exitOK
}

// complain writes err for the person at the terminal.
func complain(w io.Writer, err error) {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		_, _ = fmt.Fprintln(w, f.Message)
		if f.Hint != "" {
			_, _ = fmt.Fprintln(w, f.Hint)
		}
		return
	}
	_, _ = fmt.Fprintln(w, err)
}
