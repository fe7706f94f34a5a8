package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/release"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/server"
)

// operator is what the commands of whoever runs a server are given from outside.
type operator struct {
	env  config.Environment
	deps server.Deps // but for Config and Log
	out  io.Writer
	logs io.Writer
}

// command carries out what stands before the settings on the command line; ok is false if nothing does.
func (p operator) command(ctx context.Context, args []string) (ok bool, err error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return false, nil
	}
	name, args := args[0], args[1:]
	switch name {
	case "help":
		_, err = config.Load([]string{"--help"}, p.env, p.out)
	case "version":
		_, err = fmt.Fprintln(p.out, "widgets-server", release.Version())
	case "check-config":
		err = p.checkConfig(args)
	case "accounts":
		err = p.withData(args, func(o *server.Operator) error { return p.accounts(ctx, o) })
	case "reset-link":
		err = p.about(args, func(address string, rest []string) error {
			return p.withData(rest, func(o *server.Operator) error { return p.resetLink(ctx, o, address) })
		})
	case "backup":
		err = p.backup(ctx, args)
	case "restore":
		err = p.restore(ctx, args)
	case "check":
		err = p.check(ctx, args)
	case "compact":
		err = p.compact(ctx, args)
	case "mail-test":
		err = p.about(args, func(address string, rest []string) error { return p.mailTest(ctx, address, rest) })
	default:
		err = fault.Newf(fault.Invalid, "The command line was not understood: there is no command %q.", name).WithHint("See widgets-server help.")
	}
	return true, err
}

// about takes the address that a command is about from before or behind the settings.
func (p operator) about(args []string, do func(address string, rest []string) error) error {
	n := len(args)
	switch {
	case n > 0 && !strings.HasPrefix(args[0], "-"):
		return do(args[0], args[1:])
	case n > 0 && strings.Contains(args[n-1], "@") && !strings.HasPrefix(args[n-1], "-"):
		return do(args[n-1], args[:n-1])
	case n > 0 && (args[0] == "--help" || args[0] == "-h"):
		return do("", args)
	}
	return fault.New(fault.Invalid, "The command needs an e-mail address.").WithHint("See widgets-server help.")
}

// configured reads the settings.
func (p operator) configured(args []string) (server.Deps, error) {
	d := p.deps
	var err error
	d.Config, err = config.Load(args, p.env, p.out)
	d.Log = slog.New(slog.NewTextHandler(p.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return d, err
}

func (p operator) withData(args []string, do func(*server.Operator) error) error {
	d, err := p.configured(args)
	if err != nil {
		return err
	}
	o, err := server.Operate(d)
	if f := fault.From(err); err != nil && f.Kind == fault.Unavailable {
		return f.WithHint("Stop the server first: this command needs the data file for itself.")
	}
	if err != nil {
		return err
	}
	return errors.Join(do(o), o.Close())
}

func (p operator) checkConfig(args []string) error {
	lines, err := config.Explain(args, p.env, p.out)
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		value := l.Value
		if value == "" {
			value = "-"
		}
		_, e := fmt.Fprintf(w, "%s\t%s\t(%s)\n", l.Flag, value, l.Source)
		err = errors.Join(err, e)
	}
	return errors.Join(err, w.Flush())
}

func (p operator) accounts(ctx context.Context, o *server.Operator) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(w, "ADDRESS\tCREATED\tVERIFIED\tSESSIONS\tTOKENS")
	n := 0
	err = errors.Join(err, o.Accounts(ctx, func(a server.AccountLine) error {
		verified := "no"
		if a.Verified {
			verified = "yes"
		}
		n++
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", a.Address, a.Created.Format(time.DateOnly), verified, a.Sessions, a.Tokens)
		return err
	}), w.Flush())
	if err == nil && n == 0 {
		_, err = fmt.Fprintln(p.logs, "There are no accounts yet.")
	}
	return err
}

func (p operator) resetLink(ctx context.Context, o *server.Operator, address string) error {
	url, expires, err := o.ResetLink(ctx, address)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.out, url); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.logs, "It works once, until %s, when the server runs again.\n", expires.UTC().Format("15:04 MST"))
	return err
}

func (p operator) mailTest(ctx context.Context, address string, args []string) error {
	d, err := p.configured(args)
	if err != nil {
		return err
	}
	if err := server.TryMail(ctx, d, address); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "The mail server took a letter to %s. See whether it arrives.\n", address)
	return err
}
