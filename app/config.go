package app

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"widgets.pro/shared/fault"
)

const (
	anyPort       = "127.0.0.1:0"
	defaultServer = "https://www.widgets.pro"
)

// config is what flags and environment say.
type config struct {
	dir      string // of the data
	server   string // offered in the sign-in form
	loopback string // address to serve a browser at; "" is a window
	headless bool   // there is no display
	keychain bool   // the operating system's keychain may be asked
	version  bool   // only tell the version
}

// parse reads the flags, then the environment for those that are not given. The error is flag.ErrHelp or a fault.
func parse(env Environment) (config, error) {
	cfg := config{}
	flags := flag.NewFlagSet("widgets", flag.ContinueOnError)
	flags.SetOutput(env.Stderr)
	flags.StringVar(&cfg.dir, "data", env.Getenv("WIDGETS_DATA"), "`folder` of the dashboards (WIDGETS_DATA)")
	flags.StringVar(&cfg.server, "server", env.Getenv("WIDGETS_SERVER"), "`address` of the server that the sign-in form offers (WIDGETS_SERVER)")
	flags.BoolVar(&cfg.version, "version", false, "tell the version and end")
	loopback := loopbackFlag(env.Getenv("WIDGETS_LOOPBACK"))
	flags.Var(&loopback, "loopback", "show the screens in a browser on this machine, at an `address` such as 127.0.0.1:8100 if one is given (WIDGETS_LOOPBACK)")
	if err := flags.Parse(joinLoopback(env.Args)); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return config{}, flag.ErrHelp
		}
		return config{}, fault.Newf(fault.Invalid, "The command line is not right: %w", err)
	}
	if flags.NArg() > 0 {
		return config{}, fault.New(fault.Invalid, fmt.Sprintf("The program does not know what to do with %q.", flags.Arg(0)))
	}
	cfg.loopback = loopback.address()
	if cfg.server == "" {
		cfg.server = defaultServer
	}
	var err error
	if cfg.dir == "" {
		cfg.dir, err = defaultDir(runtime.GOOS, env.Getenv)
	} else {
		cfg.dir, err = filepath.Abs(cfg.dir)
	}
	if err != nil {
		return config{}, fault.New(fault.Invalid, "There is no folder for the data.").WithHint("Name one with --data.").WithCause(err)
	}
	display := runtime.GOOS != "linux" || env.Getenv("DISPLAY") != "" || env.Getenv("WAYLAND_DISPLAY") != ""
	cfg.headless = !display
	// Without a session bus the keychain's library would start one, and without a display nobody could unlock it.
	cfg.keychain = display && (runtime.GOOS != "linux" || env.Getenv("DBUS_SESSION_BUS_ADDRESS") != "")
	return cfg, nil
}

// defaultDir is where programs keep a user's data: by the XDG base directories, or the system's own habit.
func defaultDir(system string, getenv func(string) string) (string, error) {
	type place struct{ variable, rest string }
	places := []place{{"XDG_DATA_HOME", ""}, {"HOME", ".local/share"}}
	switch system {
	case "windows":
		places = []place{{"LOCALAPPDATA", ""}, {"USERPROFILE", `AppData\Local`}}
	case "darwin":
		places = []place{{"HOME", "Library/Application Support"}}
	}
	for _, p := range places {
		if base := getenv(p.variable); filepath.IsAbs(base) {
			return filepath.Join(base, p.rest, "widgets.pro"), nil
		}
	}
	return "", errors.New("no home folder")
}

// loopbackFlag is "" (a window), yes (any port) or an address.
type loopbackFlag string

// Set implements flag.Value.
func (l *loopbackFlag) Set(s string) error { *l = loopbackFlag(s); return nil }

// String implements flag.Value.
func (l *loopbackFlag) String() string { return string(*l) }

// IsBoolFlag lets the flag stand without a value.
func (l *loopbackFlag) IsBoolFlag() bool { return true }

func (l *loopbackFlag) address() string {
	switch strings.ToLower(string(*l)) {
	case "", "0", "false", "no", "off":
		return ""
	case "1", "true", "yes", "on":
		return anyPort
	}
	return string(*l)
}

// joinLoopback lets the address follow the flag after a space, which the flag package does not allow for flags that may
// stand alone.
func joinLoopback(args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		if (args[i] == "--loopback" || args[i] == "-loopback") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			out = append(out, args[i]+"="+args[i+1])
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}
