package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/mail/relay"
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
		"mail server":      {[]string{"--smtp-url", "http://ann:opensesame@mail.example.org", "--mail-from=a@b.org"}, nil, "--smtp-url"},
		"mail from nobody": {[]string{"--smtp-url", "smtp://ann:opensesame@mail.example.org"}, nil, "--mail-from"},
		"mail from":        {[]string{"--mail-from", "Widgets"}, nil, "--mail-from"},
		"mail from two":    {[]string{"--mail-from", "a@b.org, c@d.org"}, nil, "--mail-from"},
		"mail from afar":   {[]string{"--mail-from", "bücher@example.org"}, nil, "--mail-from"},
		"two passwords":    {[]string{"--smtp-url", "smtp://ann:opensesame@mail.example.org", "--mail-from=a@b.org"}, map[string]string{"WIDGETS_SMTP_PASSWORD": "opensesame"}, "WIDGETS_SMTP_PASSWORD"},
		"whose password":   {[]string{"--smtp-url", "smtp://mail.example.org", "--mail-from=a@b.org"}, map[string]string{"WIDGETS_SMTP_PASSWORD": "opensesame"}, "WIDGETS_SMTP_PASSWORD"},
		"mailbox":          {[]string{"--dev-mailbox=yes"}, nil, "--dev-mailbox"},
		"mailbox and mail": {[]string{"--dev-mailbox=true", "--smtp-url", "smtp://mail.example.org", "--mail-from=a@b.org"}, nil, "--dev-mailbox"},
		"both":             {nil, map[string]string{"WIDGETS_DATA": "a", "WIDGETS_DATA_FILE": "b"}, "WIDGETS_DATA_FILE"},
		"no such file":     {nil, map[string]string{"WIDGETS_DATA_FILE": "b"}, "WIDGETS_DATA_FILE"},
	} {
		_, err := load(c.args, c.env, nil)
		if f := fault.From(err); f.Kind != fault.Invalid || !strings.Contains(f.Message, c.in) || strings.Contains(f.Error(), "opensesame") {
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

func TestI7_HowMailGoesOut(t *testing.T) {
	c, err := load(nil, nil, nil)
	if err != nil || c.Mail != (relay.Server{}) || c.DevMailbox {
		t.Errorf("%+v, %v", c, err)
	}
	env := map[string]string{"WIDGETS_SMTP_URL": "smtp://ann@mail.example.org", "WIDGETS_SMTP_PASSWORD_FILE": "/password", "WIDGETS_MAIL_FROM": "Widgets Inc. <no-reply@example.org>"}
	c, err = load(nil, env, map[string]string{"/password": "open sesame\n"})
	want := relay.Server{Host: "mail.example.org", Port: 587, Security: relay.StartTLS, User: "ann", Password: "open sesame"}
	if err != nil || c.Mail != want || c.From != (mail.Address{Name: "Widgets Inc.", Address: "no-reply@example.org"}) {
		t.Errorf("%+v, %v", c, err)
	}
	if out := fmt.Sprintf("%+v", c); strings.Contains(out, "sesame") {
		t.Error(out)
	}
	c, err = load([]string{"--dev-mailbox", "true"}, nil, nil)
	if err != nil || !c.DevMailbox || c.From != (mail.Address{Name: "Widgets", Address: "no-reply@localhost"}) {
		t.Errorf("%+v, %v", c, err)
	}
}
