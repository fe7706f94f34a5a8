package app

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"widgets.pro/shared/fault"
)

func environment(vars map[string]string, args ...string) Environment {
	return Environment{Args: args, Getenv: func(k string) string { return vars[k] }, Stdout: io.Discard, Stderr: io.Discard}
}

func TestFlagsAndEnvironment(t *testing.T) {
	home := map[string]string{"HOME": "/home/ann", "DISPLAY": ":0"}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		maps.Copy(m, home)
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	usual := config{dir: "/home/ann/.local/share/widgets.pro", server: defaultServer}
	for name, c := range map[string]struct {
		env  Environment
		want func(*config)
	}{
		"nothing":              {environment(home), func(*config) {}},
		"XDG":                  {environment(with("XDG_DATA_HOME", "/data")), func(c *config) { c.dir = "/data/widgets.pro" }},
		"relative XDG":         {environment(with("XDG_DATA_HOME", "data")), func(*config) {}},
		"data":                 {environment(home, "--data", "/srv/x"), func(c *config) { c.dir = "/srv/x" }},
		"data by environment":  {environment(with("WIDGETS_DATA", "/srv/x")), func(c *config) { c.dir = "/srv/x" }},
		"flag over environ.":   {environment(with("WIDGETS_DATA", "/srv/x"), "--data=/srv/y"), func(c *config) { c.dir = "/srv/y" }},
		"server":               {environment(with("WIDGETS_SERVER", "http://a"), "--server", "http://b"), func(c *config) { c.server = "http://b" }},
		"loopback":             {environment(home, "--loopback"), func(c *config) { c.loopback = anyPort }},
		"loopback, more flags": {environment(home, "--loopback", "--data", "/srv/x"), func(c *config) { c.loopback, c.dir = anyPort, "/srv/x" }},
		"loopback at":          {environment(home, "--loopback", "127.0.0.1:81", "--data", "/srv/x"), func(c *config) { c.loopback, c.dir = "127.0.0.1:81", "/srv/x" }},
		"loopback=at":          {environment(home, "-loopback=127.0.0.1:81"), func(c *config) { c.loopback = "127.0.0.1:81" }},
		"loopback by environ.": {environment(with("WIDGETS_LOOPBACK", "1")), func(c *config) { c.loopback = anyPort }},
		"loopback at environ.": {environment(with("WIDGETS_LOOPBACK", "127.0.0.1:81")), func(c *config) { c.loopback = "127.0.0.1:81" }},
		"loopback not":         {environment(with("WIDGETS_LOOPBACK", "0")), func(*config) {}},
		"loopback off again":   {environment(with("WIDGETS_LOOPBACK", "1"), "--loopback=false"), func(*config) {}},
		"no display":           {environment(with("DISPLAY", "")), func(c *config) { c.headless = true }},
		"Wayland":              {environment(with("DISPLAY", "", "WAYLAND_DISPLAY", "wayland-0")), func(*config) {}},
		"session bus":          {environment(with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")), func(c *config) { c.keychain = true }},
		"bus, no display":      {environment(with("DISPLAY", "", "DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")), func(c *config) { c.headless = true }},
		"version":              {environment(home, "--version"), func(c *config) { c.version = true }},
	} {
		t.Run(name, func(t *testing.T) {
			want := usual
			c.want(&want)
			got, err := parse(c.env)
			if err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestRelativeDataFolders(t *testing.T) {
	got, err := parse(environment(nil, "--data", "here"))
	if err != nil || !filepath.IsAbs(got.dir) || filepath.Base(got.dir) != "here" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestB1_WrongCommandLines(t *testing.T) {
	for name, env := range map[string]Environment{
		"unknown flag": environment(nil, "--data", "/x", "--colour"),
		"stray word":   environment(nil, "--data", "/x", "dashboard.json"),
		"no home":      environment(nil),
	} {
		if _, err := parse(env); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		var said bytes.Buffer
		env.Stderr = &said
		if code := Run(env); code != exitUsage || said.Len() == 0 || strings.Contains(said.String(), "panic") {
			t.Errorf("%s: exit code %d, %q", name, code, &said)
		}
	}
	if _, err := parse(environment(nil, "--help")); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("help: %v", err)
	}
}

func TestDataFoldersByHabit(t *testing.T) {
	for system, want := range map[string]string{"linux": "/h/.local/share/widgets.pro", "darwin": "/h/Library/Application Support/widgets.pro", "windows": "/l/widgets.pro"} {
		vars := map[string]string{"HOME": "/h", "LOCALAPPDATA": "/l"}
		if got, err := defaultDir(system, func(k string) string { return vars[k] }); err != nil || got != want {
			t.Errorf("%s: %q, %v", system, got, err)
		}
	}
}
