// Package ctl is the command line of widgets.pro: what a script does on a sync server, by its public API.
//
// Run takes one command from its arguments to its exit code. Each command prints what was asked for to standard output, as
// text or, with --json, as JSON; failures and remarks go to standard error in sentences. Nothing else is printed: no
// colours, no progress. client.go speaks to the server, login.go keeps its address and the token; the other files hold the
// commands. Start reading at Run.
package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/alecthomas/kong"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/release"
)

// Environment is everything that the program is given from outside.
type Environment struct {
	In       *os.File
	Out, Err io.Writer
	// Lookup reads an environment variable.
	Lookup func(name string) (string, bool)
	// ConfigDir is the directory of the user's settings.
	ConfigDir func() (string, error)
	Now       func() time.Time
	// Random is cryptographically secure.
	Random io.Reader
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // the server refused, could not be reached, or there is no such thing
	exitUsage  = 2 // the command line was not understood
)

// commands is the command line, as kong reads it.
type commands struct {
	Server string `help:"Address of the server, such as https://dash.example.org." placeholder:"URL"`
	Token  string `help:"Token for programs. The page of your account makes one." placeholder:"TOKEN"`
	JSON   bool   `help:"Print JSON." name:"json"`

	Login    loginCommand    `cmd:"" help:"Keep a server's address and a token for the commands to come."`
	Logout   logoutCommand   `cmd:"" help:"Forget the server's address and the token."`
	Boards   boardsCommand   `cmd:"" help:"List the dashboards that you may open."`
	Widgets  widgetsCommand  `cmd:"" help:"List the widgets of a dashboard."`
	Create   createCommand   `cmd:"" help:"Make an empty dashboard."`
	Rows     rowsCommand     `cmd:"" help:"Read and push rows."`
	History  historyCommand  `cmd:"" help:"Tell who changed what on a dashboard, and restore an earlier state."`
	Share    shareCommand    `cmd:"" help:"Show and change a dashboard's link."`
	People   peopleCommand   `cmd:"" help:"List who can open a dashboard with an account."`
	Invite   inviteCommand   `cmd:"" help:"Invite people by mail."`
	Uninvite uninviteCommand `cmd:"" help:"Revoke an invitation."`
	Resend   resendCommand   `cmd:"" help:"Send an invitation again."`
	Role     roleCommand     `cmd:"" help:"Change what somebody is to a dashboard, or take them off."`
	Hash     hashCommand     `cmd:"" help:"Print the hash of a password, as the API takes it."`
	Version  versionCommand  `cmd:"" help:"Print the version of this program."`
	Help     helpCommand     `cmd:"" help:"Explain a command."`
}

const about = `What a script does on a widgets.pro server: list dashboards, push rows, change who can see them.

BOARD and WIDGET are ids, or titles that only one has. The server and the token come from --server and --token, from
WIDGETS_SERVER and WIDGETS_TOKEN or the file that WIDGETS_TOKEN_FILE names, or from "widgetsctl login".`

// Run runs one command and returns the exit code.
func Run(ctx context.Context, args []string, env Environment) int {
	r := &run{ctx: ctx, env: env}
	code, err := r.parse(args)
	if err == nil {
		return code
	}
	f := fault.From(err)
	message := f.Message
	if f.Kind == fault.Internal {
		message = sentence(err.Error())
	}
	if f.Field != "" && f.Field != "title" {
		message += " (" + f.Field + ")"
	}
	_, _ = fmt.Fprintln(env.Err, plain(message))
	if f.Hint != "" {
		_, _ = fmt.Fprintln(env.Err, plain(f.Hint))
	}
	return code
}

// run is one command being carried out.
type run struct {
	ctx context.Context //nolint:containedctx // one command from its arguments to its exit code
	env Environment
	cli commands
}

func (r *run) parse(args []string) (code int, err error) {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	helped := false
	parser, err := kong.New(&r.cli, kong.Name("widgetsctl"), kong.Description(about), kong.Writers(r.env.Out, r.env.Err),
		kong.Exit(func(int) { helped = true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return exitFailed, fmt.Errorf("read the command line: %w", err)
	}
	parsed, err := parser.Parse(args)
	if helped {
		return exitDone, nil
	}
	if err != nil {
		return exitUsage, fault.New(fault.Invalid, sentence(err.Error())).WithHint("See widgetsctl help.").WithCause(err)
	}
	if err := parsed.Run(r); err != nil {
		if errors.Is(err, errUsage) {
			return exitUsage, err
		}
		return exitFailed, err
	}
	return exitDone, nil
}

// errUsage is the cause of faults of the command line itself.
var errUsage = errors.New("usage")

func usage(message string) error {
	return fault.New(fault.Invalid, message).WithHint("See widgetsctl help.").WithCause(errUsage)
}

// sentence makes a sentence of a library's error.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// plain takes out what a terminal would obey.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '�'
		}
		return c
	}, s)
}

// json prints v as JSON.
func (r *run) json(v any) error {
	e := json.NewEncoder(r.env.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// table prints lines of cells in columns.
func (r *run) table(lines [][]string) error {
	w := tabwriter.NewWriter(r.env.Out, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		for i := range cells {
			cells[i] = plain(cells[i])
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// say prints v as JSON if that was asked for, and the words otherwise.
func (r *run) say(v any, format string, args ...any) error {
	if r.cli.JSON {
		return r.json(v)
	}
	if _, err := fmt.Fprintln(r.env.Out, plain(fmt.Sprintf(format, args...))); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// remark tells something that is not the result.
func (r *run) remark(s string) { _, _ = fmt.Fprintln(r.env.Err, plain(s)) }

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(r *run) error {
	return r.say(map[string]string{"version": release.Version()}, "widgetsctl %s", release.Version())
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

// Run explains a command.
func (h helpCommand) Run(r *run) error {
	_, err := (&run{ctx: r.ctx, env: r.env}).parse(append(h.Command, "--help"))
	return err
}
