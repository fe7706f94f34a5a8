// Ahead is the sync server with its clock put forward, for tests of what takes days: --ahead 192h, then the settings of the
// server. Nothing of it is in the server itself, whose clock nobody can set.
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
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: --ahead DURATION, then the settings of the server")

func run(ctx context.Context, args []string, logs io.Writer) error {
	if len(args) < 2 || args[0] != "--ahead" {
		return errUsage
	}
	ahead, err := time.ParseDuration(args[1])
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	cfg, err := config.Load(args[2:], config.Environment{Lookup: os.LookupEnv, ReadFile: os.ReadFile}, logs)
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	s, err := server.New(server.Deps{ //nolint:contextcheck // what it starts is ended by Serve
		Config: cfg, Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: cfg.LogLevel})),
		Now: func() time.Time { return time.Now().Add(ahead) }, Random: rand.Reader, Front: frontend.Dist(),
	})
	if err != nil {
		return fmt.Errorf("prepare the server: %w", err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), s.Close()) //nolint:contextcheck // it ends at once
	}
	if err := s.Serve(ctx, ln); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
