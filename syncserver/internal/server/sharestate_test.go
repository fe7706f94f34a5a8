package server_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.etcd.io/bbolt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	someHash  = sharing.Hash("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	otherHash = sharing.Hash("$argon2id$v=19$m=19456,t=2,p=1$BBBBBBBBBBBBBBBBBBBBBA$BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA")
)

// tiny is a front end that draws a title.
func tiny() fstest.MapFS {
	return fstest.MapFS{
		"share/share.js": {Data: []byte("1")}, "share/share.css": {Data: []byte("body{}")},
		"render/render.js": {Data: []byte(`globalThis.widgets = {board: (j) => JSON.stringify({title: "", body: "<h1>" + JSON.parse(j).title + "</h1>", css: ""}), widget: (j) => ""}`)},
	}
}

// machine drives one link of a real server through random commands, its owner's present device and one that is behind,
// restarts, crashes and compactions of the data file, and asks after each step every address that there ever was.
type machine struct {
	t    *testing.T
	r    *rand.Rand
	srv  *servertest.Server
	data string
	own  *owner.Owner
	id   board.ID
	link sharing.Link // as the server said last
	// seen are versions that some device may still believe in.
	seen []uint64
	// dead are paths that must not work any more, ever; slugs those that go when the link is replaced.
	dead  map[string]bool
	slugs map[sharing.Slug]bool
	asked int
	steps []string
}

func newMachine(t *testing.T, seed uint64) *machine {
	t.Helper()
	m := &machine{t: t, r: rand.New(rand.NewPCG(seed, 1)), data: filepath.Join(t.TempDir(), "server.db"), dead: map[string]bool{}, slugs: map[sharing.Slug]bool{}}
	m.srv = servertest.Start(t, servertest.Options{Front: tiny(), Data: m.data})
	var err error
	if m.own, err = owner.SignUp(t.Context(), m.srv.URL(), "ann@example.org", servertest.Password, time.Now, m.srv.Letters); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.own.Close() })
	if m.id, err = m.own.Create(t.Context(), "Figures"); err != nil {
		t.Fatal(err)
	}
	return m
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// step sends a random command, one in six from a device that is behind.
func (m *machine) step() {
	m.command(m.r.IntN(6) == 0)
}

// command sends a random command, based on the present version or on one that a device which was away still believes in.
func (m *machine) command(stale bool) {
	m.t.Helper()
	before := m.link
	var sent sharing.Command
	link, err := m.own.Do(m.t.Context(), m.id, func(c *sharing.Command) {
		c.Base = before.Version
		if stale && len(m.seen) > 0 {
			c.Base = pick(m.r, m.seen...)
		}
		c.Action = pick(m.r, sharing.Enable, sharing.Enable, sharing.Enable, sharing.Disable, sharing.Rotate, sharing.Rotate, sharing.SetPassword, sharing.RemovePassword,
			sharing.SetExpiry, sharing.SetSlug, sharing.SetStill, sharing.SetOrigins)
		switch c.Action {
		case sharing.SetPassword:
			c.Hash = pick(m.r, someHash, otherHash)
		case sharing.Enable:
			c.Hash = pick(m.r, "", "", someHash)
		case sharing.SetExpiry:
			c.Expires = pick(m.r, 0, 0, time.Now().Add(time.Hour).UnixMilli(), time.Now().Add(time.Minute).UnixMilli(), time.Now().Add(-time.Hour).UnixMilli())
		case sharing.SetSlug:
			c.Slug = pick(m.r, sharing.Slug(""), "team-status", "report", "figures-2026")
		case sharing.SetStill:
			c.Still = m.r.IntN(2) == 0
		case sharing.SetOrigins:
			c.Origins = pick(m.r, sharing.Origins(""), "https://a.example", "https://a.example https://b.example")
		case sharing.Disable, sharing.Rotate, sharing.RemovePassword, sharing.Delete:
		case sharing.Invite, sharing.Resend, sharing.Revoke, sharing.SetMemberRole, sharing.SetEditorShare, sharing.Move: // leave the link as it is
		}
		if m.r.IntN(5) == 0 && (c.Action == sharing.Enable || c.Action == sharing.Rotate) { // one that was revoked, or is in use
			c.Token, c.ShortID = m.former()
		}
		sent = *c
	})
	var f *fault.Error
	if err != nil && !errors.As(err, &f) {
		m.t.Fatalf("%s: %v", sent.Action, err)
	}
	m.steps = append(m.steps, fmt.Sprintf("%s base %d at %d: %v", sent.Action, sent.Base, before.Version, err))
	m.judge(before, link, sent, err)
	m.link = link
	m.seen = append(m.seen, before.Version)
	m.bury(before, link)
}

// former is the name of a link that was replaced, if there is one.
func (m *machine) former() (sharing.Token, sharing.ShortID) {
	for path := range m.dead {
		if tok, ok := sharing.ParseToken(strings.TrimPrefix(path, "/share/")); ok {
			return tok, sharing.ShortID("ABCDEFGHI" + fmt.Sprint(m.r.IntN(10)))
		}
	}
	return "", ""
}

func (m *machine) judge(before, after sharing.Link, c sharing.Command, err error) {
	m.t.Helper()
	now := time.Now().UnixMilli()
	rank := map[sharing.Mode]int{sharing.Private: 0, sharing.Password: 1, sharing.Public: 2}
	switch {
	case err != nil && after != before:
		m.fail("a refused %s changed %+v to %+v", c.Action, before, after)
	case c.Base != before.Version && rank[after.Mode(now)] > rank[before.Mode(now)]:
		m.fail("a stale %s opened %+v to %+v", c.Action, before, after)
	case after != before && after.Version != before.Version+1:
		m.fail("%s: version %d after %d", c.Action, after.Version, before.Version)
	case m.dead["/share/"+after.Token.Reveal()] || m.dead["/s/"+after.ShortID.Reveal()] || after.Slug != "" && m.dead["/s/"+string(after.Slug)]:
		m.fail("%s revived a dead name", c.Action)
	}
	if after.Slug != "" {
		m.slugs[after.Slug] = true
	}
}

// bury notes what is dead for ever.
func (m *machine) bury(before, after sharing.Link) {
	if before.Token == "" || after.Token == before.Token {
		return
	}
	m.dead["/share/"+before.Token.Reveal()] = true
	m.dead["/s/"+before.ShortID.Reveal()] = true
	for s := range m.slugs {
		m.dead["/s/"+string(s)] = true
	}
	clear(m.slugs)
}

func (m *machine) restart(how string) {
	m.t.Helper()
	m.steps = append(m.steps, how)
	m.own.Close() // it does not read while nothing is asked of it, so the server would wait for it
	switch how {
	case "kill":
		m.srv.Kill()
	default:
		m.srv.Close()
	}
	if how == "compact" {
		m.compact()
	}
	m.srv.Restart()
	if err := m.own.Connect(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
}

// compact writes the data file anew, without what was freed in it.
func (m *machine) compact() {
	m.t.Helper()
	src, err := bbolt.Open(m.data, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		m.t.Fatal(err)
	}
	dst, err := bbolt.Open(m.data+".new", 0o600, nil)
	if err == nil {
		err = errors.Join(bbolt.Compact(dst, src, 0), dst.Close())
	}
	if err := errors.Join(err, src.Close(), os.Rename(m.data+".new", m.data)); err != nil {
		m.t.Fatal(err)
	}
}

// look asks every address for what it leads to.
func (m *machine) look() {
	m.t.Helper()
	page, short := http.StatusNotFound, http.StatusNotFound
	switch m.link.Mode(time.Now().UnixMilli()) {
	case sharing.Public:
		page, short = http.StatusOK, http.StatusFound
	case sharing.Password:
		page, short = http.StatusUnauthorized, http.StatusFound
	case sharing.Private:
	}
	want := map[string]int{}
	for p := range m.dead {
		want[p] = http.StatusNotFound
	}
	for s := range m.slugs {
		want["/s/"+string(s)] = http.StatusNotFound // given up, but not dead
	}
	if m.link.Token != "" {
		want["/share/"+m.link.Token.Reveal()], want["/s/"+m.link.ShortID.Reveal()] = page, short
	}
	if m.link.Slug != "" {
		want["/s/"+string(m.link.Slug)] = short
	}
	for path, status := range want {
		if got := m.get(path); got != status {
			m.fail("%s answers %d, not %d, for %+v (%s %s)", path, got, status, m.link, m.link.Token.Reveal(), m.link.Slug)
		}
	}
}

// get asks from an address of its own, so that the budget of misses is not what is tested.
func (m *machine) get(path string) int {
	m.t.Helper()
	m.asked++
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+m.asked/60_000), byte(m.asked/250%240), byte(1+m.asked%250))}
	client := http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.srv.URL()+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func (m *machine) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf(format+"\nafter\n%s", append(args, strings.Join(m.steps[max(0, len(m.steps)-12):], "\n"))...)
}

// Whatever comes in between, a real server's addresses lead where the state of the link says: a replaced token, short id
// or slug never lives again, what a stale device sends never opens anything, a refusal changes nothing.
func TestL3_L4_L5_S2_V3_RandomSharingOnARealServer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, seed)
			for i := range 80 {
				m.step()
				m.look()
				if i%20 == 19 {
					m.restart([]string{"restart", "kill", "compact", "kill"}[i/20])
					m.look()
				}
			}
			if len(m.dead) == 0 {
				t.Errorf("no link was replaced in\n%s", strings.Join(m.steps, "\n"))
			}
		})
	}
}
