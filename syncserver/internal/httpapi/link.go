package httpapi

import (
	"errors"
	"fmt"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

// link is the state of a dashboard's link. The addresses are there from when it was first turned on, also while it is off.
type link struct {
	Mode     sharing.Mode `json:"mode"`
	Enabled  bool         `json:"enabled"`
	URL      string       `json:"url,omitempty"`
	ShortURL string       `json:"shortUrl,omitempty"`
	SlugURL  string       `json:"slugUrl,omitempty"`
	Password bool         `json:"password"`
	Expires  *time.Time   `json:"expires"`
	Expired  bool         `json:"expired"`
	Slug     sharing.Slug `json:"slug"`
	Still    bool         `json:"still"`
	Origins  []string     `json:"origins"`
	// Version is for base.
	Version  uint64 `json:"version"`
	Watching int    `json:"watching"`
	Opened   opened `json:"opened"`
}

// opened says how often the link was opened, by day (UTC), the latest last. Last is when it was last.
type opened struct {
	Last *time.Time `json:"last"`
	Days []day      `json:"days"`
}

type day struct {
	Day   string `json:"day"`
	Times uint32 `json:"times"`
}

// link tells the state of a dashboard's link.
func (p *Programs) link(c *call) (any, error) {
	var out link
	err := p.cfg.Store.View(c.ctx(), func(tx store.Tx) error {
		g, err := access.Open(tx, c.principal(), c.id(), access.Share)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		out, err = p.linkOf(tx, g, c.now)
		return err
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

func (p *Programs) linkOf(tx store.Tx, g access.Grant, now int64) (out link, err error) {
	l, err := tx.Links().Get(g.Board())
	if err != nil {
		return out, fmt.Errorf("read link of %s: %w", g.Board(), err)
	}
	v, err := tx.Views().Get(g.Board())
	if err != nil {
		return out, fmt.Errorf("read views of %s: %w", g.Board(), err)
	}
	state := screen.NewLinkState(l, now)
	out = link{
		Mode: state.Mode, Enabled: state.Enabled, Password: state.Password, Expires: moment(state.Expires), Expired: state.Expired, Slug: state.Slug,
		Still: state.Still, Origins: state.Origins, Version: state.Version, Watching: p.cfg.Watching(g.Board()),
		Opened: opened{Last: moment(v.Last), Days: make([]day, len(v.Days))},
	}
	if l.Token != "" {
		if out.URL, out.ShortURL = l.Token.URL(p.cfg.Base), l.ShortID.URL(p.cfg.Base); l.Slug != "" {
			out.SlugURL = l.Slug.URL(p.cfg.Base)
		}
	}
	for i, n := range v.Days {
		at := (v.Day - int64(len(v.Days)-1-i)) * dayMillis
		out.Opened.Days[i] = day{Day: time.UnixMilli(at).UTC().Format(time.DateOnly), Times: n}
	}
	return out, nil
}

// moment is a time in ms since 1970, nil for 0.
func moment(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// linkChange is a change of a link. Base is the version that it is based on, the present one if it is left out.
type linkChange struct {
	Action   sharing.Action  `json:"action"`
	Base     *uint64         `json:"base"`
	Token    sharing.Token   `json:"token"`
	ShortID  sharing.ShortID `json:"shortId"`
	Hash     sharing.Hash    `json:"hash"`
	Password string          `json:"password"`
	Expires  *time.Time      `json:"expires"`
	Slug     string          `json:"slug"`
	Still    bool            `json:"still"`
	Origins  []string        `json:"origins"`
}

// changeLink changes a link as the share dialog does. A password comes as its hash and never itself (rule P2).
func (p *Programs) changeLink(c *call) (any, error) {
	var in linkChange
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	cmd, err := p.command(c, key, in)
	if err != nil {
		return nil, err
	}
	var out struct {
		Link    link `json:"link"`
		Changed bool `json:"changed"`
	}
	var refused *fault.Error
	err = p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
		cmd := cmd
		if _, _, err := key.again(tx); err != nil {
			return err
		}
		l, err := tx.Links().Get(cmd.Board)
		if err != nil {
			return fmt.Errorf("read link: %w", err)
		}
		if cmd.Base = sharing.Expire(l, c.now).Version; in.Base != nil {
			cmd.Base = *in.Base
		}
		o, err := sharelink.Apply(tx, p.cfg.Events, c.principal(), cmd, c.now)
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
		if refused = o.Fault; refused != nil {
			return nil //nolint:nilerr // the refusal is remembered too
		}
		out.Changed = !o.Same
		g, err := access.Open(tx, c.principal(), cmd.Board, access.Share)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		if out.Link, err = p.linkOf(tx, g, c.now); err != nil {
			return err
		}
		return key.remember(tx, store.Answer{Board: cmd.Board})
	})
	if refused != nil && err == nil {
		err = refused
	}
	return out, err //nolint:wrapcheck // says what it was doing
}

// command checks a change and makes a command of it that lacks only its base.
func (p *Programs) command(c *call, key once, in linkChange) (cmd sharing.Command, err error) {
	if in.Password != "" {
		return cmd, fault.Field("password", "A password is never sent itself: send its argon2id hash in “hash”.").
			WithHint("The command widgetsctl makes one: widgetsctl hash.")
	}
	change := screen.ShareChange{Action: in.Action, Slug: in.Slug, Still: in.Still, Origins: in.Origins}
	if in.Expires != nil {
		change.Expires = in.Expires.UnixMilli()
	}
	hashes := in.Action == sharing.SetPassword || in.Action == sharing.Enable && in.Hash != ""
	if hashes {
		if _, ok := sharing.ParseHash(string(in.Hash)); !ok {
			return cmd, fault.Field("hash", "A password must come as an argon2id hash of the parameters that this server takes.").
				WithHint("The command widgetsctl makes one: widgetsctl hash.")
		}
		change.Password = "hashed already"
	} else if in.Hash != "" {
		return cmd, fault.Field("hash", "This does not belong to the change that is asked for.")
	}
	if cmd, err = screen.Ask(change, c.now, func(string) (sharing.Hash, error) { return in.Hash, nil }); err != nil {
		return cmd, err //nolint:wrapcheck // a fault with its field
	}
	names := in.Action == sharing.Enable || in.Action == sharing.Rotate
	if !names && (in.Token != "" || in.ShortID != "") {
		return cmd, fault.Field("token", "This does not belong to the change that is asked for.")
	}
	if cmd.Token, cmd.ShortID = in.Token, in.ShortID; names {
		var err1, err2 error
		if cmd.Token == "" {
			cmd.Token, err1 = sharing.NewToken(p.cfg.Random)
		}
		if cmd.ShortID == "" {
			cmd.ShortID, err2 = sharing.NewShortID(p.cfg.Random)
		}
		if err := errors.Join(err1, err2); err != nil {
			return cmd, fmt.Errorf("make a link: %w", err)
		}
	}
	u, err := p.newID(c, key, "command")
	if err != nil {
		return cmd, err
	}
	cmd.ID, cmd.Board = sharing.NewCommandID(u), c.id()
	return cmd, nil
}
