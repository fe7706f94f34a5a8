// Viewbench measures what viewers of a share link cost the server: how soon an edit arrives at a thousand of them and what
// each delivery costs, and how much memory an idle viewer takes. The link has a password, which every viewer has given.
//
// Server and floor (package bare: websockets of the same library, and nothing else) are processes of their own, measured
// in turn; everything stays on loopback. It exits with 1 if a target is missed.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"widgets.pro/build/bench/bare"
	"widgets.pro/build/bench/process"
	"widgets.pro/build/bench/report"
	"widgets.pro/build/bench/sample"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	password  = "correct horse battery staple"
	phrase    = "open sesame, please" // which opens the link
	openFiles = 20_000
)

type options struct {
	server         string
	watching, idle int
	rounds         int
	duration       time.Duration
	floor          bool
	now            func() time.Time
}

func main() {
	o := options{now: time.Now}
	flag.StringVar(&o.server, "server", "build/bin/widgets-server", "the server's binary")
	flag.IntVar(&o.watching, "watching", 1000, "viewers whom edits are sent to")
	flag.IntVar(&o.idle, "idle", 5000, "viewers who only hold their connections")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds, of which the median counts")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "time of one run of edits")
	flag.BoolVar(&o.floor, "floor", false, "be the floor: see package bare")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "viewbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	if o.floor {
		return bare.Serve(ctx, out)
	}
	if err := process.Files(openFiles); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "viewbench")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	slow, err := fanOut(ctx, out, o, dir)
	if err != nil {
		return fmt.Errorf("fan-out: %w", err)
	}
	large, err := memory(ctx, out, o, dir)
	if err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	if slow || large {
		return report.ErrMissed
	}
	return nil
}

// show is a dashboard that is shown by a link with a password, which was given.
type show struct {
	server  *process.Process
	own     *owner.Owner
	board   board.ID
	widgets []board.WidgetID
	live    string // address of the websocket
	session string
}

// open starts a server in a directory of its own and publishes a dashboard of 12 widgets.
func open(ctx context.Context, o options, dir string) (_ *show, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	s := &show{}
	if s.server, err = process.Server(ctx, o.server, dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.server.End()
		}
	}()
	base := s.server.Base
	if s.own, err = owner.SignUp(ctx, base, "owner@example.org", password, o.now, owner.Mailbox(base)); err != nil {
		return nil, err
	}
	if s.board, err = s.own.Create(ctx, "Shop and hall"); err != nil {
		return nil, fmt.Errorf("make the dashboard: %w", err)
	}
	for _, w := range sample.Dashboard() {
		if err := s.own.Edit(ctx, s.board, owner.Widget(w)...); err != nil {
			return nil, fmt.Errorf("make widget %q: %w", w.Title, err)
		}
		s.widgets = append(s.widgets, w.ID)
	}
	hash, err := sharing.HashPassword(rand.Reader, phrase)
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	link, err := s.own.Do(ctx, s.board, func(c *sharing.Command) { c.Action, c.Hash = sharing.Enable, hash })
	if err != nil {
		return nil, fmt.Errorf("turn the link on: %w", err)
	}
	page := link.Token.URL(base)
	s.live = "ws" + page[len("http"):] + "/live?v=0"
	s.session, err = unlock(ctx, page)
	return s, err
}

// end breaks everything off.
func (s *show) end() { s.own.Close(); s.server.End() }

// unlock gives the link's password, as the page's script does, and returns the session.
func unlock(ctx context.Context, page string) (string, error) {
	form := url.Values{"password": {phrase}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(form))
	if err != nil {
		return "", fmt.Errorf("give the password: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return "", fmt.Errorf("give the password: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var in struct{ Session string }
	if err := json.NewDecoder(res.Body).Decode(&in); err != nil || in.Session == "" {
		return "", fmt.Errorf("give the password: the server answers %s", res.Status)
	}
	return in.Session, nil
}

func roundDir(dir, name string, round int) string { return filepath.Join(dir, fmt.Sprint(name, round)) }
