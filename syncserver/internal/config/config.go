// Package config reads the server's settings from flags and the environment.
//
// There is one table of settings (Settings); --help prints it. A flag wins over its environment variable, and that over
// the file which the variable of the same name with _FILE names. Start reading at Load.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"text/tabwriter"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/mail/relay"
)

// Config is what the server is told.
type Config struct {
	// Listen is the address and port to serve HTTP on.
	Listen string
	// Data is the path of the data file.
	Data string
	// Base is the public base URL of share links, without a slash at its end.
	Base string
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Mail is the mail server through which mail goes out, the zero Server if there is none.
	Mail relay.Server
	// From is whom mail comes from.
	From mail.Address
	// DevMailbox has the server take its own mail and show it on a page, for development.
	DevMailbox bool
	LogLevel   slog.Level
	LogJSON    bool
}

// Setting is one row of the table.
type Setting struct {
	Flag, Env, Default, Help string
	set                      func(*Config, string) error
}

// Settings is the table.
func Settings() []Setting {
	return []Setting{
		{
			"listen", "WIDGETS_LISTEN", "127.0.0.1:8080", "address and port to serve on",
			func(c *Config, v string) error {
				if _, _, err := net.SplitHostPort(v); err != nil {
					return errors.New("needs the form address:port, such as 127.0.0.1:8080 or :8080")
				}
				c.Listen = v
				return nil
			},
		},
		{
			"data", "WIDGETS_DATA", "widgets.db", "path of the data file; made if it is not there",
			func(c *Config, v string) error { c.Data = v; return nil },
		},
		{
			"base-url", "WIDGETS_BASE_URL", "", "public address under which people reach this server, such as https://widgets.example.org (default: http:// and the listening address)",
			func(c *Config, v string) (err error) { c.Base, err = parseBase(v); return err },
		},
		{
			"trusted-proxies", "WIDGETS_TRUSTED_PROXIES", "", "addresses or networks of reverse proxies whose X-Forwarded-For is believed, separated by commas",
			func(c *Config, v string) (err error) { c.TrustedProxies, err = parsePrefixes(v); return err },
		},
		{
			"smtp-url", "WIDGETS_SMTP_URL", "", "mail server that takes the mail of this server: smtp://user@host:587 (with STARTTLS) or smtps://user@host:465; without it nobody can sign up or be invited",
			func(c *Config, v string) (err error) { c.Mail, err = parseMailServer(v); return err },
		},
		{
			"smtp-password", "WIDGETS_SMTP_PASSWORD", "", "password for the mail server; better given in a file than here",
			func(c *Config, v string) error { return c.setMailPassword(v) },
		},
		{
			"mail-from", "WIDGETS_MAIL_FROM", "", "whom mail comes from, such as Widgets <no-reply@example.org>; needed with smtp-url",
			func(c *Config, v string) (err error) { c.From, err = parseFrom(v); return err },
		},
		{
			"dev-mailbox", "WIDGETS_DEV_MAILBOX", "false", "true keeps all mail here and shows it at /dev/mail on this machine, for development",
			func(c *Config, v string) (err error) { c.DevMailbox, err = parseSwitch(v); return err },
		},
		{
			"log-level", "WIDGETS_LOG_LEVEL", "info", "debug, info, warn or error",
			func(c *Config, v string) error {
				if c.LogLevel.UnmarshalText([]byte(v)) != nil {
					return errors.New("is one of debug, info, warn and error")
				}
				return nil
			},
		},
		{
			"log-format", "WIDGETS_LOG_FORMAT", "text", "text or json",
			func(c *Config, v string) error {
				if v != "text" && v != "json" {
					return errors.New("is text or json")
				}
				c.LogJSON = v == "json"
				return nil
			},
		},
	}
}

// Environment is where settings that are not flags come from.
type Environment struct {
	// Lookup reads an environment variable.
	Lookup func(name string) (string, bool)
	// ReadFile reads a file that a variable with _FILE names.
	ReadFile func(path string) ([]byte, error)
}

// ErrHelp says that the table was asked for and printed.
var ErrHelp = flag.ErrHelp

// Line is one setting as it was understood. Source is where it comes from: a flag, a variable, or "default".
type Line struct{ Flag, Value, Source string }

// shown is a setting's value without what is secret in it.
func (s Setting) shown(value string) string {
	switch s.Flag {
	case "smtp-password":
		if value != "" {
			return "(hidden)"
		}
	case "smtp-url":
		if u, err := url.Parse(value); err == nil {
			return u.Redacted()
		}
	}
	return value
}

// Explain reads the settings as Load does, and tells what each is and where it comes from; secrets are hidden.
func Explain(args []string, env Environment, out io.Writer) ([]Line, error) {
	c, lines, err := load(args, env, out)
	for i := range lines {
		if lines[i].Flag == "base-url" && lines[i].Value == "" {
			lines[i].Value = c.Base
		}
	}
	return lines, err
}

// Load reads the settings. Help and nothing else is printed to out. Errors other than ErrHelp are Invalid faults that
// name the setting.
func Load(args []string, env Environment, out io.Writer) (Config, error) {
	c, _, err := load(args, env, out)
	return c, err
}

func load(args []string, env Environment, out io.Writer) (c Config, lines []Line, err error) {
	fs := flag.NewFlagSet("syncserver", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	table := Settings()
	for _, s := range table {
		fs.String(s.Flag, s.Default, s.Help)
	}
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return Config{}, nil, errors.Join(ErrHelp, printHelp(out, table))
	} else if err != nil {
		return Config{}, nil, fault.Newf(fault.Invalid, "The command line was not understood: %w.", err).WithHint("See --help.")
	}
	if fs.NArg() > 0 {
		return Config{}, nil, fault.Newf(fault.Invalid, "The command line was not understood: there is no %q.", fs.Arg(0)).WithHint("See --help.")
	}
	given := map[string]string{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })

	for _, s := range table {
		value, source, err := s.find(given, env)
		if err != nil {
			return Config{}, nil, err
		}
		if err := s.set(&c, value); err != nil {
			f := fault.Newf(fault.Invalid, "The setting %s %w.", source, err)
			f.Field = s.Flag
			return Config{}, nil, f.WithHint("See --help.")
		}
		lines = append(lines, s.line(value, source, given))
	}
	if c.Base == "" {
		c.Base = "http://" + localAddress(c.Listen)
	}
	return c, lines, c.checkMail()
}

// line is what is shown of a setting.
func (s Setting) line(value, source string, given map[string]string) Line {
	if _, ok := given[s.Flag]; !ok && source == "--"+s.Flag {
		source = "default"
	}
	return Line{Flag: s.Flag, Value: s.shown(value), Source: source}
}

// find looks a setting up: flag, variable, file, default.
func (s Setting) find(given map[string]string, env Environment) (value, source string, err error) {
	if v, ok := given[s.Flag]; ok {
		return v, "--" + s.Flag, nil
	}
	v, ok := env.Lookup(s.Env)
	path, fromFile := env.Lookup(s.Env + "_FILE")
	switch {
	case ok && fromFile:
		return "", "", fault.Newf(fault.Invalid, "Both %s and %s_FILE are set.", s.Env, s.Env).WithHint("Set one of them.")
	case ok:
		return v, s.Env, nil
	case fromFile:
		b, err := env.ReadFile(path)
		if err != nil {
			return "", "", fault.Newf(fault.Invalid, "The file that %s_FILE names cannot be read: %w.", s.Env, err)
		}
		return strings.TrimSpace(string(b)), s.Env + "_FILE", nil
	}
	return s.Default, "--" + s.Flag, nil
}

const commands = "\nInstead of serving, with the same settings behind them:\n\n" +
	"  help\t\tprint this\n" +
	"  version\t\tprint the version\n" +
	"  check-config\t\tprint the settings as they are understood\n" +
	"  accounts\t\tlist the accounts; the server must not run\n" +
	"  reset-link ADDRESS\t\tprint a link that sets another password, for an hour; the server must not run\n" +
	"  mail-test ADDRESS\t\tsend a letter through the mail server\n" +
	"  backup FILE\t\tcopy the data file to a new file, also while the server runs\n" +
	"  restore FILE\t\tput a backup in the place of the data file; the server must not run\n" +
	"    --unchanged\t\tnobody's access was taken away since: give all of it back\n" +
	"    --end-sign-ins\t\tsign everybody out\n" +
	"  check [FILE]\t\tlook for damage in the data file, which no server must have open, or in a backup\n" +
	"  compact\t\tmake the data file as small as what it holds; the server must not run\n"

func printHelp(out io.Writer, table []Setting) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprint(w, "The sync server of widgets.pro: publishes dashboards and carries edits between devices.\n\n")
	for _, s := range table {
		def := ""
		if s.Default != "" {
			def = " (default " + s.Default + ")"
		}
		_, e := fmt.Fprintf(w, "  --%s\t%s\t%s%s\n", s.Flag, s.Env, s.Help, def)
		err = errors.Join(err, e)
	}
	_, e := fmt.Fprint(w, commands+"\nA variable's value may also be in a file that the variable of the same name with _FILE names. Flags win.\n")
	return errors.Join(err, e, w.Flush())
}

// parseBase brings a public base URL into its one form.
func parseBase(v string) (string, error) {
	if v == "" {
		return "", nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", errors.New("needs the form https://host or http://host:port, without a path")
	}
	return u.Scheme + "://" + u.Host, nil
}

func parsePrefixes(v string) (out []netip.Prefix, err error) {
	for _, s := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("has %q, which is neither an address nor a network", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// localAddress is where this machine reaches a listening address.
func localAddress(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if a, err := netip.ParseAddr(host); host == "" || (err == nil && a.IsUnspecified()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
