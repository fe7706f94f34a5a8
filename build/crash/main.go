// Crash kills the programs that ship, again and again, and tells whether anything was lost.
//
// First the sync server, under 64 devices that write to it; then the desktop program, under clients of its screens, while it
// syncs with a server that is killed too. Everything stays on loopback. It prints how much was tried; if a rule of
// shared/replica/SPEC.md was broken it says which and how, keeps the data and everybody's journal, and exits with 1. The same
// seed makes the same edits and the same choices, but not the same timing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"widgets.pro/build/bench/report"
	"widgets.pro/build/crash/desk"
	"widgets.pro/build/crash/journal"
	"widgets.pro/build/crash/victim"
	"widgets.pro/build/crash/writers"
	"widgets.pro/syncserver/servertest/owner"
)

type options struct {
	server, app string
	kills       int
	seed        uint64
	now         func() time.Time
}

var errBroken = errors.New("the programs did not keep their word")

func main() {
	o := options{now: time.Now}
	flag.StringVar(&o.server, "server", "build/bin/widgets-server", "the server's binary")
	flag.StringVar(&o.app, "app", "build/bin/widgets", "the desktop program's binary")
	flag.IntVar(&o.kills, "kills", 200, "how often each is killed")
	flag.Uint64Var(&o.seed, "seed", uint64(o.now().UnixNano()), "what is done, and in which order")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	report.Say(out, "seed %d, data in %s\n", o.seed, dir)
	err = errors.Join(killServer(ctx, out, o, filepath.Join(dir, "server")), killCore(ctx, out, o, filepath.Join(dir, "core")))
	if err != nil {
		report.Say(out, "seed %d; the data and the journals are kept in %s\n", o.seed, dir)
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}

// killServer is the first part.
func killServer(ctx context.Context, out io.Writer, o options, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	server, err := victim.NewServer(ctx, o.server, dir)
	if err != nil {
		return err
	}
	began := o.now()
	w := writers.Options{
		Dir: dir, Seed: o.seed, Kills: o.kills, Accounts: 4, Devices: 16, Boards: 4, Edits: 600, Now: o.now,
		Say: func(format string, args ...any) { report.Say(out, format, args...) },
	}
	report.Say(out, "The server under %d writers: %d accounts with %d devices each, %d dashboards\n", w.Accounts*w.Devices, w.Accounts, w.Devices, w.Accounts*w.Boards)
	r, err := writers.Run(ctx, server, w)
	report.Say(out, "  kills              %8d, %d of them while it started\n", r.Kills, r.Starting)
	report.Say(out, "  edits acknowledged %8d\n", r.Acknowledged)
	report.Say(out, "  edits checked      %8d\n", r.Checked)
	report.Say(out, "  edits delivered    %8d, to other devices and back\n", r.Deliveries)
	report.Say(out, "  time               %8.1f s\n", o.now().Sub(began).Seconds())
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return tell(out, r.Breaches)
}

// killCore is the second part.
func killCore(ctx context.Context, out io.Writer, o options, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	server, err := victim.NewServer(ctx, o.server, dir)
	if err != nil {
		return err
	}
	began := o.now()
	d := desk.Options{
		Seed: o.seed, Kills: o.kills, Clients: 8, Edits: 300, Mail: owner.Mailbox(server.URL()),
		Say: func(format string, args ...any) { report.Say(out, format, args...) },
	}
	report.Say(out, "The desktop program under %d clients, while it syncs\n", d.Clients)
	r, err := desk.Run(ctx, victim.NewCore(o.app, dir, server.URL()), server, d)
	report.Say(out, "  kills              %8d, %d of them while it started; its server was killed %d times\n", r.Kills, r.Starting, r.ServerKills)
	report.Say(out, "  edits saved        %8d\n", r.Saved)
	report.Say(out, "  edits checked      %8d, with those that were not answered\n", r.Checked)
	report.Say(out, "  on the server      %8d operations\n", r.OnServer)
	report.Say(out, "  time               %8.1f s\n", o.now().Sub(began).Seconds())
	if err != nil {
		return fmt.Errorf("desktop program: %w", err)
	}
	return tell(out, r.Breaches)
}

func tell(out io.Writer, breaches []journal.Breach) error {
	if len(breaches) == 0 {
		report.Say(out, "  nothing lost, nothing twice, no holes, the same everywhere\n")
		return nil
	}
	for _, b := range breaches {
		report.Say(out, "  BROKEN %s\n", b)
	}
	return errBroken
}
