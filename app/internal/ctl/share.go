package ctl

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
)

// shareCommand is "share BOARD" with what to do.
type shareCommand struct {
	Board struct {
		Board      string         `arg:"" help:"The dashboard."`
		Status     statusCommand  `cmd:"" default:"1" help:"Show the state of the link."`
		On         onCommand      `cmd:"" help:"Turn the link on."`
		Off        offCommand     `cmd:"" help:"Turn the link off. The same address works when it is turned on again."`
		Rotate     rotateCommand  `cmd:"" help:"Give the link another address. The old one never works again."`
		Password   passCommand    `cmd:"" help:"Ask viewers for a password, which is read from the terminal or the input."`
		NoPassword openCommand    `cmd:"" help:"Ask viewers for no password any more."`
		Expires    expiresCommand `cmd:"" help:"Let the link end by itself."`
		Slug       slugCommand    `cmd:"" help:"Choose a name for the short link."`
	} `arg:""`
}

// linkState is the state of a link as the server tells it.
type linkState struct {
	Mode     string     `json:"mode"`
	Enabled  bool       `json:"enabled"`
	URL      string     `json:"url,omitempty"`
	ShortURL string     `json:"shortUrl,omitempty"`
	SlugURL  string     `json:"slugUrl,omitempty"`
	Password bool       `json:"password"`
	Expires  *time.Time `json:"expires"`
	Expired  bool       `json:"expired"`
	Slug     string     `json:"slug"`
	Still    bool       `json:"still"`
	Origins  []string   `json:"origins"`
	Version  uint64     `json:"version"`
	Watching int        `json:"watching"`
	Opened   struct {
		Last *time.Time `json:"last"`
		Days []struct {
			Day   string `json:"day"`
			Times int    `json:"times"`
		} `json:"days"`
	} `json:"opened"`
}

func (r *run) linkPath() (string, error) {
	id, err := r.board(r.cli.Share.Board.Board)
	return "/api/v1/boards/" + string(id) + "/link", err
}

// show prints the state of a link.
func (r *run) show(l linkState) error {
	if r.cli.JSON {
		return r.json(l)
	}
	modes := map[string]string{"private": "nobody by link", "public": "everybody with the link", "password": "everybody with the link and the password"}
	lines := [][]string{{"Open to:", modes[l.Mode]}}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, []string{name, value})
		}
	}
	add("Link:", l.URL)
	add("Short:", l.ShortURL)
	add("Name:", l.SlugURL)
	if l.Expires != nil {
		what := "Ends:"
		if l.Expired {
			what = "Ended:"
		}
		add(what, l.Expires.Format(time.RFC3339))
	}
	add("Embedded by:", strings.Join(l.Origins, " "))
	if l.Enabled {
		add("Watching:", strconv.Itoa(l.Watching))
	}
	if l.Opened.Last != nil {
		times := 0
		for _, d := range l.Opened.Days {
			times += d.Times
		}
		add("Opened:", strconv.Itoa(times)+" times in "+strconv.Itoa(len(l.Opened.Days))+" days, last "+l.Opened.Last.Format(time.RFC3339))
	}
	return r.table(lines)
}

// change changes a link and shows it.
func (r *run) change(in map[string]any) error {
	path, err := r.linkPath()
	if err != nil {
		return err
	}
	var out struct{ Link linkState }
	if err := r.ask(http.MethodPost, path, in, &out); err != nil {
		return err
	}
	return r.show(out.Link)
}

type statusCommand struct{}

// Run shows the state of a link.
func (statusCommand) Run(r *run) error {
	path, err := r.linkPath()
	if err != nil {
		return err
	}
	var l linkState
	if err := r.ask(http.MethodGet, path, nil, &l); err != nil {
		return err
	}
	return r.show(l)
}

type onCommand struct {
	Password bool `help:"Ask viewers for a password from the first moment; it is read from the terminal or the input."`
}

// Run turns the link on.
func (c onCommand) Run(r *run) error {
	in := map[string]any{"action": sharing.Enable}
	if c.Password {
		hash, err := r.hashed()
		if err != nil {
			return err
		}
		in["hash"] = hash
	}
	return r.change(in)
}

type offCommand struct{}

// Run turns the link off.
func (offCommand) Run(r *run) error { return r.change(map[string]any{"action": sharing.Disable}) }

type rotateCommand struct{}

// Run replaces the link.
func (rotateCommand) Run(r *run) error { return r.change(map[string]any{"action": sharing.Rotate}) }

type passCommand struct{}

// Run sets the link's password.
func (passCommand) Run(r *run) error {
	hash, err := r.hashed()
	if err != nil {
		return err
	}
	return r.change(map[string]any{"action": sharing.SetPassword, "hash": hash})
}

type openCommand struct{}

// Run removes the link's password.
func (openCommand) Run(r *run) error {
	return r.change(map[string]any{"action": sharing.RemovePassword})
}

type expiresCommand struct {
	When string `arg:"" help:"A date such as 2026-12-31 (its end, UTC), a time such as 2026-12-31T18:00:00Z, from now such as 7d or 12h, or never."`
}

// Run sets the link's end.
func (c expiresCommand) Run(r *run) error {
	at, err := when(c.When, r.env.Now())
	if err != nil {
		return err
	}
	return r.change(map[string]any{"action": sharing.SetExpiry, "expires": at})
}

// when reads a point in time; nil is never.
func when(s string, now time.Time) (*time.Time, error) {
	if s == "never" {
		return nil, nil //nolint:nilnil // never is no time
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 {
			t := now.UTC().AddDate(0, 0, n).Truncate(time.Second)
			return &t, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		t := now.UTC().Add(d).Truncate(time.Second)
		return &t, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		t = t.AddDate(0, 0, 1)
		return &t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil, usage("This is no point in time: " + strconv.Quote(s) + ".")
	}
	return &t, nil
}

type slugCommand struct {
	Name string `arg:"" optional:"" help:"3 to 64 small letters, digits and hyphens; nothing takes the name away."`
}

// Run chooses the link's name.
func (c slugCommand) Run(r *run) error {
	return r.change(map[string]any{"action": sharing.SetSlug, "slug": c.Name})
}

// hashed asks for a password and hashes it here: it never leaves this machine (rule P2).
func (r *run) hashed() (sharing.Hash, error) {
	password, err := r.secret("Password: ")
	if err != nil {
		return "", err
	}
	if password == "" {
		return "", fault.New(fault.Invalid, "No password was given.")
	}
	c, err := screen.Ask(screen.ShareChange{Action: sharing.SetPassword, Password: screen.Secret(password)}, r.env.Now().UnixMilli(),
		func(p string) (sharing.Hash, error) { return sharing.HashPassword(r.env.Random, p) })
	return c.Hash, err //nolint:wrapcheck // a fault about the password
}

type hashCommand struct{}

// Run prints the hash of a password.
func (hashCommand) Run(r *run) error {
	hash, err := r.hashed()
	if err != nil {
		return err
	}
	return r.say(map[string]string{"hash": string(hash)}, "%s", string(hash))
}
