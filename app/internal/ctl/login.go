package ctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"widgets.pro/shared/fault"
)

// login is a server's address and a token, kept in a file that only its user can read.
type login struct {
	Server string `json:"server"`
	Token  string `json:"token"`
}

func (r *run) loginFile() (string, error) {
	dir, err := r.env.ConfigDir()
	if err != nil {
		return "", fault.New(fault.Invalid, "There is no directory for settings.").WithHint("Set XDG_CONFIG_HOME or HOME.").WithCause(err)
	}
	return filepath.Join(dir, "widgetsctl", "login.json"), nil
}

func (r *run) kept() (l login, err error) {
	path, err := r.loginFile()
	if err != nil {
		return l, nil //nolint:nilerr // where nothing can be kept, nothing is
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the program's own file
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &l)
	}
	if err != nil {
		return l, fault.Newf(fault.Invalid, "The file %s cannot be read: %w.", path, err).WithHint("Log in again: widgetsctl login.")
	}
	return l, nil
}

// who is the server to speak to, and the token to show. A token that was kept for one server is shown to no other.
func (r *run) who() (l login, err error) {
	kept, err := r.kept()
	if err != nil {
		return l, err
	}
	if l.Server = r.cli.Server; l.Server == "" {
		l.Server, _ = r.env.Lookup("WIDGETS_SERVER")
	}
	if l.Server == "" {
		l.Server = kept.Server
	}
	if l.Server == "" {
		return l, fault.New(fault.Invalid, "No server was named.").WithHint("Give --server, set WIDGETS_SERVER, or log in: widgetsctl login URL.")
	}
	if l.Server, err = base(l.Server); err != nil {
		return l, err
	}
	if l.Token, err = r.givenToken(); err != nil {
		return l, err
	}
	if l.Token == "" && l.Server == kept.Server {
		l.Token = kept.Token
	}
	if l.Token == "" {
		return l, fault.Newf(fault.Unauthenticated, "There is no token for %s.", l.Server).
			WithHint("Give --token, set WIDGETS_TOKEN or WIDGETS_TOKEN_FILE, or log in: widgetsctl login URL.")
	}
	return l, nil
}

// givenToken is the token of the command line or of the environment, "" if there is none.
func (r *run) givenToken() (string, error) {
	if r.cli.Token != "" {
		return r.cli.Token, nil
	}
	if t, ok := r.env.Lookup("WIDGETS_TOKEN"); ok && t != "" {
		return t, nil
	}
	path, ok := r.env.Lookup("WIDGETS_TOKEN_FILE")
	if !ok || path == "" {
		return "", nil
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the user names it
	if err != nil {
		return "", fault.Newf(fault.Invalid, "The file that WIDGETS_TOKEN_FILE names cannot be read: %w.", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// base brings a server's address into its one form.
func base(s string) (string, error) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return "", fault.New(fault.Invalid, "This is not the address of a server.").WithHint("It has the form https://dash.example.org.")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

type loginCommand struct {
	URL string `arg:"" optional:"" help:"Address of the server, such as https://dash.example.org."`
}

// Run tries a token and keeps it.
func (c loginCommand) Run(r *run) (err error) {
	if c.URL != "" {
		r.cli.Server = c.URL
	}
	if r.cli.Token, err = r.givenToken(); err != nil {
		return err
	}
	if r.cli.Token == "" {
		if r.cli.Token, err = r.secret("Token: "); err != nil {
			return err
		}
	}
	l, err := r.who()
	if err != nil {
		return err
	}
	var boards struct{ Boards []boardLine }
	if err := r.ask("GET", "/api/v1/boards", nil, &boards); err != nil {
		return err
	}
	path, err := r.loginFile()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode the login: %w", err)
	}
	if err := keep(path, raw); err != nil {
		return fault.Newf(fault.Invalid, "The token could not be kept: %w.", err)
	}
	return r.say(map[string]any{"server": l.Server, "file": path}, "Logged in to %s.", l.Server)
}

// keep writes a file that only its user can read, whole or not at all.
func keep(path string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err //nolint:wrapcheck // names the path
	}
	f, err := os.CreateTemp(filepath.Dir(path), "login") // for its user alone
	if err != nil {
		return err //nolint:wrapcheck // names the path
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

type logoutCommand struct{}

// Run forgets what login kept.
func (logoutCommand) Run(r *run) error {
	path, err := r.loginFile()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Newf(fault.Invalid, "The token could not be forgotten: %w.", err)
	}
	return r.say(map[string]any{"file": path}, "The token is forgotten here. It works until you revoke it on the page of your account.")
}

// maxSecret bounds a secret that is read from elsewhere than a terminal.
const maxSecret = 4 << 10 // bytes

// secret asks for a secret on a terminal, without showing it, or else reads the first line of the input.
func (r *run) secret(prompt string) (string, error) {
	fd := int(r.env.In.Fd())
	if term.IsTerminal(fd) {
		_, _ = fmt.Fprint(r.env.Err, prompt)
		b, err := term.ReadPassword(fd)
		_, _ = fmt.Fprintln(r.env.Err)
		if err != nil {
			return "", fault.Newf(fault.Invalid, "Nothing could be read from the terminal: %w.", err)
		}
		return string(b), nil
	}
	raw, err := io.ReadAll(io.LimitReader(r.env.In, maxSecret))
	if err != nil {
		return "", fault.Newf(fault.Invalid, "Nothing could be read from the input: %w.", err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}
