package config_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/config"
)

func load(args []string, env, files map[string]string) (config.Config, error) {
	return config.Load(args, config.Environment{
		Lookup: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
		ReadFile: func(p string) ([]byte, error) {
			if v, ok := files[p]; ok {
				return []byte(v), nil
			}
			return nil, fs.ErrNotExist
		},
	}, new(bytes.Buffer))
}

func TestDefaults(t *testing.T) {
	c, err := load(nil, nil, nil)
	if err != nil || c.Listen != "127.0.0.1:8080" || c.Base != "http://127.0.0.1:8080" || c.Data != "widgets.db" || c.LogLevel != slog.LevelInfo || c.LogJSON {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := load([]string{"--listen", ":9000"}, nil, nil); err != nil || c.Base != "http://localhost:9000" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestFlagWinsOverVariableWinsOverFile(t *testing.T) {
	env := map[string]string{"WIDGETS_DATA": "env.db", "WIDGETS_LISTEN": ":1", "WIDGETS_BASE_URL_FILE": "/base", "WIDGETS_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1"}
	c, err := load([]string{"--listen=:2", "--log-level", "debug", "--log-format=json"}, env, map[string]string{"/base": "https://example.org/\n"})
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}
	if c.Listen != ":2" || c.Data != "env.db" || c.Base != "https://example.org" || !slices.Equal(c.TrustedProxies, want) || c.LogLevel != slog.LevelDebug || !c.LogJSON {
		t.Errorf("%+v", c)
	}
}

func TestB1_BadSettingsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		in   string
	}{
		"unknown flag":     {[]string{"--nothing"}, nil, "nothing"},
		"stray argument":   {[]string{"stray"}, nil, "stray"},
		"listen":           {[]string{"--listen", "8080"}, nil, "--listen"},
		"base with a path": {nil, map[string]string{"WIDGETS_BASE_URL": "https://example.org/path"}, "WIDGETS_BASE_URL"},
		"base of no kind":  {nil, map[string]string{"WIDGETS_BASE_URL": "ftp://example.org"}, "WIDGETS_BASE_URL"},
		"proxies":          {nil, map[string]string{"WIDGETS_TRUSTED_PROXIES": "everyone"}, "everyone"},
		"level":            {[]string{"--log-level=loud"}, nil, "--log-level"},
		"format":           {[]string{"--log-format=xml"}, nil, "--log-format"},
		"both":             {nil, map[string]string{"WIDGETS_DATA": "a", "WIDGETS_DATA_FILE": "b"}, "WIDGETS_DATA_FILE"},
		"no such file":     {nil, map[string]string{"WIDGETS_DATA_FILE": "b"}, "WIDGETS_DATA_FILE"},
	} {
		_, err := load(c.args, c.env, nil)
		if f := fault.From(err); f.Kind != fault.Invalid || !strings.Contains(f.Message, c.in) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHelpPrintsTheTable(t *testing.T) {
	var out bytes.Buffer
	_, err := config.Load([]string{"--help"}, config.Environment{}, &out)
	if !errors.Is(err, config.ErrHelp) {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		if !strings.Contains(out.String(), "--"+s.Flag) || !strings.Contains(out.String(), s.Env) {
			t.Errorf("%s is missing in\n%s", s.Flag, out.String())
		}
	}
}
