package victim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"regexp"
	"strings"
)

// Core is the desktop program without a display: it serves its screens on loopback, at another address in each life.
type Core struct {
	Program
	dir string

	page *firstAddress
	base string
	http *http.Client
}

// NewCore prepares the desktop program's binary for data in dir; env is what else the binary needs in its environment.
func NewCore(binary, dir, server string, env ...string) *Core {
	return &Core{dir: dir, Program: Program{
		Path: binary, Log: filepath.Join(dir, "core.log"),
		Args: []string{"--loopback", "--data", filepath.Join(dir, "core"), "--server", server},
		Env: append([]string{
			"HOME=" + dir, "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "XDG_DATA_HOME=" + filepath.Join(dir, "share"),
			"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "DISPLAY=", "WAYLAND_DISPLAY=",
		}, env...),
	}}
}

// Data is the path of its data file.
func (c *Core) Data() string { return filepath.Join(c.dir, "core", "widgets.db") }

// Launch starts the program and does not wait for anything.
func (c *Core) Launch(ctx context.Context) error {
	c.page = &firstAddress{found: make(chan struct{})}
	c.Stdout = c.page
	return c.Start(ctx)
}

// Run starts the program and comes in by the address that it prints.
func (c *Core) Run(ctx context.Context) error {
	if err := c.Launch(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-ctx.Done():
		return fmt.Errorf("desktop program: %w:\n%s", errNotReady, c.Tail())
	case <-c.Ended():
		return fmt.Errorf("desktop program: %w:\n%s", errNotReady, c.Tail())
	case <-c.page.found:
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("make a browser: %w", err)
	}
	c.http = &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	c.base = c.page.address[:strings.Index(c.page.address, "?")]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.page.address, http.NoBody)
	if err != nil {
		return fmt.Errorf("come in: %w", err)
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("come in: %w:\n%s", err, c.Tail())
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("come in: %w: %s", errNotReady, res.Status)
	}
	return nil
}

// Door is the way into the program in its present life. It may be used until the program is killed, by any number of
// goroutines.
func (c *Core) Door() Door { return Door{c.base, c.http} }

// Door is a browser that was let in.
type Door struct {
	base string
	http *http.Client
}

// Ask sends a request to the screens' API, such as POST api/boards, and returns status and answer. The error says that there
// was no answer: what was asked for may have been done or not.
func (d Door) Ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("make the request: %w", err)
	}
	res, err := d.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	return res.StatusCode, answer, nil
}

// Leave gives up the connections of a life that is over.
func (d Door) Leave() {
	if d.http != nil {
		d.http.CloseIdleConnections()
	}
}

// firstAddress is a writer that finds the first address with a key in what is written.
type firstAddress struct {
	found   chan struct{} // closed once address is there
	address string
	seen    []byte // what was written until then
}

var withKey = regexp.MustCompile(`(http://\S+\?key=\S+)\n`)

// Write implements io.Writer.
func (f *firstAddress) Write(b []byte) (int, error) {
	if f.address == "" {
		f.seen = append(f.seen, b...)
		if m := withKey.FindSubmatch(f.seen); m != nil {
			f.address = string(m[1])
			close(f.found)
		}
	}
	return len(b), nil
}
