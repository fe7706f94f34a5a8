package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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

func (p operator) backup(ctx context.Context, args []string) error {
	name, args := file(args)
	d, err := p.configured(args)
	if err != nil {
		return err
	}
	if name == "" {
		return fault.New(fault.Invalid, "The command needs the name of a file that is not there yet.").WithHint("See widgets-server help.")
	}
	b, err := server.MakeBackup(ctx, d, name)
	if f := fault.From(err); err != nil && f.Kind == fault.Unavailable && f.Hint == "" {
		return f.WithHint("Name a place where this user may write, with room for the whole data file.")
	}
	if err != nil {
		return err
	}
	how := "while no server ran"
	if b.Live {
		how = "while the server ran"
	}
	if _, err := fmt.Fprintf(p.out, "%s was copied to %s in %s, %s.\n", d.Config.Data, name, b.Took.Round(time.Millisecond), how); err != nil {
		return err
	}
	return p.report(name, b.Report)
}

// without takes a flag without a value away from args, and tells whether it was there.
func without(args []string, flag string) (rest []string, there bool) {
	rest = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--"+flag || a == "-"+flag })
	return rest, len(rest) < len(args)
}

func (p operator) restore(ctx context.Context, args []string) error {
	var o server.RestoreOptions
	args, o.Unchanged = without(args, "unchanged")
	args, o.EndSignIns = without(args, "end-sign-ins")
	name, args := file(args)
	d, err := p.configured(args)
	if err != nil {
		return err
	}
	if name == "" {
		return fault.New(fault.Invalid, "The command needs the name of a backup.").WithHint("See widgets-server help.")
	}
	r, err := server.Restore(ctx, d, name, o)
	if f := fault.From(err); err != nil && f.Kind == fault.Unavailable {
		return f.WithHint("The server must not run, and beside the data file there must be room for another.")
	}
	if err != nil {
		return err
	}
	if err := p.report(d.Config.Data, r.Report); err != nil {
		return err
	}
	lines := []string{"", "It holds what " + name + " held."}
	if r.Aside != "" {
		lines[1] += " What was there before is in " + r.Aside + "."
	}
	lines = append(lines, "Edits since the backup come back with their editors: every app that connects brings what it has and the server lacks.")
	lines = append(lines, p.access(o, r)...)
	_, err = fmt.Fprintln(p.out, strings.Join(lines, "\n"))
	return err
}

// access tells what a restore means for who may see what.
func (p operator) access(o server.RestoreOptions, r server.Restored) (lines []string) {
	switch {
	case o.Unchanged:
		lines = append(lines, "ACCESS IS AS IT WAS IN THE BACKUP: whatever was taken away since is in force again.")
	case r.Known:
		lines = append(lines, fmt.Sprintf("What was taken away since the backup stays taken away, as far as the file that was there before knows (links, roles, memberships and passwords that changed since: %d; invitations, letters and links in them that are over: %d; links of dashboards that it does not know, or that were in the trash by then, turned off: %d).",
			r.Changed, r.Void, r.LinksOff),
			"Accounts and dashboards that were deleted since are there again; delete them again if that is meant to last.")
	default:
		lines = append(lines, "NOBODY KNOWS WHAT WAS TAKEN AWAY SINCE THE BACKUP, since the file that was there before cannot be read or is another server's.",
			fmt.Sprintf("Therefore links are off (%d) and invitations, letters and the links in them are void (%d). Those who share turn on again, at the same address, what is still meant to be open;", r.LinksOff, r.Void),
			"whoever replaced a link since must replace it again, or the old address works.",
			"People on dashboards, members, passwords of accounts and sign-ins are as they were in the backup: go through them.")
	}
	if r.Ended > 0 {
		lines = append(lines, fmt.Sprintf("Apps, browsers and programs that were signed out: %d.", r.Ended))
	}
	return append(lines, "Everybody who had given the password of a link is asked for it again.")
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
	return p.report(name, r)
}

// report prints what was found in a file. What is wrong with it is the error.
func (p operator) report(name string, r server.Report) error {
	_, err := fmt.Fprintf(p.out, "%s: %s in %s, %s of it free, format %d\n%s, %s, %s (and %d deleted), %s, %s, %s, %s\n",
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
