package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/server"
)

// file takes the name of a file from before or behind the settings, "" if there is none. Every setting has a value, so
// what follows a flag without one belongs to the flag.
func file(args []string) (name string, settings []string) {
	n := len(args)
	switch {
	case n > 0 && !strings.HasPrefix(args[0], "-"):
		return args[0], args[1:]
	case n > 1 && !strings.HasPrefix(args[n-1], "-") && (!strings.HasPrefix(args[n-2], "-") || strings.Contains(args[n-2], "=")):
		return args[n-1], args[:n-1]
	}
	return "", args
}

func (p operator) check(ctx context.Context, args []string) error {
	name, args := file(args)
	d, err := p.configured(args)
	if err != nil {
		return err
	}
	if name == "" {
		name = d.Config.Data
	}
	r, err := server.Check(ctx, name)
	if f := fault.From(err); err != nil && f.Kind == fault.Unavailable {
		return f.WithHint("Stop the server, or check a backup of it: a backup can be made while it runs.")
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s: %s in %s, %s of it free, format %d\n%s, %s, %s (and %d deleted), %s, %s, %s, %s\n",
		name, many(r.Records, "record"), size(r.Bytes), size(r.Free), r.Format,
		many(r.Accounts, "account"), many(r.Organisations, "organisation"), many(r.Boards, "dashboard"), r.Deleted, many(r.Links, "link"),
		many(r.Invitations, "invitation"), many(r.Mails, "waiting mail"), many(r.Commands, "answered command"))
	for _, problem := range r.Problems {
		_, e := fmt.Fprintln(p.out, problem)
		err = errors.Join(err, e)
	}
	if n := len(r.Problems) + r.More; n > 0 {
		return errors.Join(fault.Newf(fault.Internal, "The file %s is not sound: %s.", name, many(n, "problem")).
			WithHint("Keep it, and restore the latest backup that is sound."), err)
	}
	if err == nil {
		_, err = fmt.Fprintln(p.out, "It is sound.")
	}
	return err
}

func (p operator) compact(ctx context.Context, args []string) error {
	d, err := p.configured(args)
	if err != nil {
		return err
	}
	before, after, err := server.Compact(ctx, d)
	if f := fault.From(err); err != nil && f.Kind == fault.Unavailable {
		return f.WithHint("The server must not run, and there must be room for another file of what it holds.")
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s had %s and has %s now.\n", d.Config.Data, size(before), size(after))
	return err
}

// many is a number of things in words.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// size is a number of bytes in words.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1<<10-1)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
