// The command line of widgets.pro: lists dashboards, pushes rows and changes who can see them, on a sync server. See
// widgetsctl help.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"syscall"
	"time"

	"widgets.pro/app/internal/ctl"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := ctl.Run(ctx, os.Args[1:], ctl.Environment{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Lookup: os.LookupEnv, ConfigDir: os.UserConfigDir, Now: time.Now, Random: rand.Reader,
	})
	stop()
	os.Exit(code)
}
