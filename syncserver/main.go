// The sync server of widgets.pro: publishes dashboards and carries edits between devices. See --help.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"widgets.pro/frontend"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/release"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.Internal {
			fmt.Fprintln(os.Stderr, err)
		} else {
			fmt.Fprintln(os.Stderr, f.Message)
		}
		if f.Hint != "" {
			fmt.Fprintln(os.Stderr, f.Hint)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, logs io.Writer) error {
	p := operator{
		env: config.Environment{Lookup: os.LookupEnv, ReadFile: os.ReadFile}, out: out, logs: logs,
		deps: server.Deps{Now: time.Now, Random: rand.Reader, Front: frontend.Dist()},
	}
	done, err := p.command(ctx, args)
	if !done && err == nil {
		err = p.serve(ctx, args)
	}
	if errors.Is(err, config.ErrHelp) {
		return nil
	}
	return err
}

// serve serves until ctx ends.
func (p operator) serve(ctx context.Context, args []string) error {
	cfg, err := config.Load(args, p.env, p.out)
	if err != nil {
		return err
	}
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	log := slog.New(slog.NewTextHandler(p.logs, opts))
	if cfg.LogJSON {
		log = slog.New(slog.NewJSONHandler(p.logs, opts))
	}
	d := p.deps
	d.Config, d.Log = cfg, log
	s, err := server.New(d) //nolint:contextcheck // what it starts is ended by Serve
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fault.Newf(fault.Unavailable, "The server cannot listen on %s: %w.", cfg.Listen, err).
			WithHint("Is another program using this port? Choose another with --listen."), s.Close()) //nolint:contextcheck // it ends at once
	}
	log.InfoContext(ctx, "listening", "address", ln.Addr().String(), "base_url", cfg.Base, "data", cfg.Data, "version", release.Version())
	return s.Serve(ctx, ln)
}
