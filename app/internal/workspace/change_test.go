package workspace_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

// cloud is the link of one dashboard as a server keeps it: it decides by sharing.Decide, and answers a command that it
// has had before as it did then.
type cloud struct {
	d    *device
	id   board.ID
	link sharing.Link
	hash sharing.Hash
	past map[string]*fault.Error
	same map[string]bool // commands that found done what they ask for
	// taken are names that belong to others.
	taken []sharing.Slug
}

func newCloud(d *device, id board.ID) *cloud {
	return &cloud{d: d, id: id, past: map[string]*fault.Error{}, same: map[string]bool{}}
}

func (c *cloud) now() int64 { return c.d.clock().UnixMilli() }

// decide applies a command, whoever sent it.
func (c *cloud) decide(cmd sharing.Command) *fault.Error {
	if f, repeated := c.past[cmd.ID]; repeated && cmd.ID != "" {
		return f
	}
	before := sharing.Expire(c.link, c.now())
	next, f := sharing.Decide(before, cmd, c.now(), sharing.Names{
		Slug: func(s sharing.Slug) bool { return slices.Contains(c.taken, s) },
	})
	c.same[cmd.ID] = f == nil && next == before
	if cmd.Hash != "" && next.Revision != c.link.Revision {
		c.hash = cmd.Hash
	}
	c.link, c.past[cmd.ID] = next, f
	return f
}

// elsewhere is a change that another device of the owner makes on what it sees.
func (c *cloud) elsewhere(cmd sharing.Command) {
	cmd.Base = c.link.Version
	if f := c.decide(cmd); f != nil {
		c.d.t.Fatalf("%s elsewhere: %v", cmd.Action, f)
	}
}

// take takes the oldest waiting command, and reports whether there was one that may be sent.
func (c *cloud) take() (cmd sharing.Command, f *fault.Error, ok bool) {
	cmd, ok, err := c.d.Command(c.id)
	c.d.must(err)
	if ok {
		f = c.decide(cmd)
	}
	return cmd, f, ok
}

func (c *cloud) answer(cmd sharing.Command, f *fault.Error) {
	c.d.must(c.d.Result(wire.Result{ID: cmd.ID, Board: c.id, Link: c.link, Fault: f, Same: c.same[cmd.ID]}))
}

// drain takes and answers all that waits, and returns what was refused.
func (c *cloud) drain() (refused []string) {
	for {
		cmd, f, ok := c.take()
		if !ok {
			return refused
		}
		if f != nil {
			refused = append(refused, string(cmd.Action))
		}
		c.answer(cmd, f)
	}
}

func (c *cloud) tell() { c.d.must(c.d.ShareState(wire.Share{Board: c.id, Link: c.link})) }

// shared is a device with a dashboard whose link is on, here and there.
func shared(t *testing.T) (*device, board.ID, *cloud) {
	t.Helper()
	d := bare(t)
	id := d.create("Shop")
	newServer(d, id)
	c := newCloud(d, id)
	d.must(d.Share(id, to(sharing.Enable)))
	c.drain()
	if !d.share(id).InForce.Enabled {
		t.Fatal("the link is not on")
	}
	return d, id, c
}

func (d *device) in(after time.Duration) int64 { return d.clock().Add(after).UnixMilli() }

const canary = "Kanarienvogel-"

// everything is what is on disk in the data folder, in the log, and what screens get.
func (d *device) everything(id board.ID, events *workspace.Subscription) []byte {
	d.t.Helper()
	var all bytes.Buffer
	d.must(filepath.WalkDir(filepath.Dir(d.path), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(raw)
		return err
	}))
	all.Write(d.log.Bytes())
	all.WriteString(text(d.State()) + text(d.view(id)))
	happened, err := events.Wait(d.t.Context())
	d.must(err)
	all.WriteString(text(happened))
	cmd, ok, err := d.Command(id)
	d.must(err)
	if ok {
		all.WriteString(text(wire.Command{Command: cmd}))
	}
	return all.Bytes()
}

// A password is hashed before anything is stored; no way of making an error or printing it gives it away.
func TestP2_NoPlaintextAnywhere(t *testing.T) {
	d := bare(t)
	d.hashing()
	events := d.Subscribe()
	defer events.Close()
	id := d.create("Shop")
	long := canary + strings.Repeat("x", sharing.MaxPassword)
	for i, ask := range []workspace.ShareChange{
		{Action: sharing.Enable, Password: canary + "1"},
		{Action: sharing.SetPassword, Password: canary + "2"},
		{Action: sharing.Enable, Password: canary + "3"},
	} {
		d.must(d.Share(id, ask))
		if all := d.everything(id, events); bytes.Contains(all, []byte(canary)) {
			t.Fatalf("the password of step %d is in plain text somewhere", i)
		} else if !bytes.Contains(all, []byte("$argon2id$")) {
			t.Fatalf("the hash of step %d is nowhere: nothing was looked at", i)
		}
	}
	for _, ask := range []workspace.ShareChange{
		{Action: sharing.SetPassword, Password: workspace.Secret(long)},
		{Action: sharing.SetPassword, Password: canary + "\xff"},
		{Action: sharing.Rotate, Password: canary},
		{Action: "publish", Password: canary},
	} {
		err := d.Share(id, ask)
		if err == nil || strings.Contains(err.Error()+text(fault.From(err)), canary) {
			t.Errorf("%s: %v", ask.Action, err)
		}
		slog.New(slog.NewJSONHandler(&d.log, nil)).Info("asked", "ask", ask, "password", ask.Password)
		slog.New(slog.NewTextHandler(&d.log, nil)).Info("asked", "ask", ask, "password", ask.Password)
		fmt.Fprintf(&d.log, "%v %+v %#v %s", ask, ask, ask, ask.Password)
	}
	d.breakDisk(os.ErrPermission)
	if err := d.Share(id, workspace.ShareChange{Action: sharing.SetPassword, Password: canary + "4"}); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
	d.log.WriteString(text(d.view(id)))
	if strings.Contains(d.log.String(), canary) {
		t.Error("a password is printed")
	}
}

// Passwords that look the same are the same, whichever way the keyboard makes the letters.
func TestP2_PasswordsAreComposed(t *testing.T) {
	d, id, c := shared(t)
	d.hashing()
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetPassword, Password: "cafe\u0301s"}))
	c.drain()
	if !c.hash.Matches("caf\u00e9s") {
		t.Error("the hash is of another spelling")
	}
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetPassword, Password: workspace.Secret(strings.Repeat("a", sharing.MaxPassword))}))
	c.drain()
	if !c.hash.Matches(strings.Repeat("a", sharing.MaxPassword)) {
		t.Error("the longest password was cut")
	}
}

// Turning on with a password is one command: the link is not open without it at any time.
func TestP2_TurnedOnWithAPasswordFromTheFirstMoment(t *testing.T) {
	d := bare(t)
	d.hashing()
	id := d.create("Shop")
	newServer(d, id)
	c := newCloud(d, id)
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.Enable, Password: "open sesame"}))
	if v := d.share(id); len(v.Waiting) != 1 || v.Wanted.Mode != sharing.Password || v.InForce.Mode != sharing.Private {
		t.Errorf("%s", text(v))
	}
	for {
		cmd, f, ok := c.take()
		if !ok {
			break
		}
		if c.link.Mode(c.now()) == sharing.Public {
			t.Fatal("the link was open without its password")
		}
		c.answer(cmd, f)
	}
	if c.link.Mode(c.now()) != sharing.Password || !c.hash.Matches("open sesame") {
		t.Errorf("%+v", c.link)
	}
}

// Every setting can be changed offline, is shown as waiting beside what is in force, and outlives a restart.
func TestQ1_EverySettingWorksOfflineAndIsShownAsWaiting(t *testing.T) {
	d, id, c := shared(t)
	end := d.in(48 * time.Hour)
	for _, s := range []struct {
		ask   workspace.ShareChange
		field func(workspace.LinkState) any
		want  any
	}{
		{workspace.ShareChange{Action: sharing.SetPassword, Password: "open sesame"}, func(l workspace.LinkState) any { return l.Mode }, sharing.Password},
		{workspace.ShareChange{Action: sharing.SetExpiry, Expires: end}, func(l workspace.LinkState) any { return l.Expires }, end},
		{workspace.ShareChange{Action: sharing.SetExpiry}, func(l workspace.LinkState) any { return l.Expires }, int64(0)},
		{workspace.ShareChange{Action: sharing.SetSlug, Slug: "team-status"}, func(l workspace.LinkState) any { return l.Slug }, sharing.Slug("team-status")},
		{workspace.ShareChange{Action: sharing.SetSlug}, func(l workspace.LinkState) any { return l.Slug }, sharing.Slug("")},
		{workspace.ShareChange{Action: sharing.SetStill, Still: true}, func(l workspace.LinkState) any { return l.Still }, true},
		{workspace.ShareChange{Action: sharing.SetStill}, func(l workspace.LinkState) any { return l.Still }, false},
		{workspace.ShareChange{Action: sharing.SetOrigins, Origins: []string{"Example.org/page", "https://*.example.com"}}, func(l workspace.LinkState) any { return text(l.Origins) }, `["https://*.example.com","https://example.org"]`},
		{workspace.ShareChange{Action: sharing.SetOrigins}, func(l workspace.LinkState) any { return text(l.Origins) }, `[]`},
		{workspace.ShareChange{Action: sharing.RemovePassword}, func(l workspace.LinkState) any { return l.Mode }, sharing.Public},
		{workspace.ShareChange{Action: sharing.Disable}, func(l workspace.LinkState) any { return l.Mode }, sharing.Private},
	} {
		before := d.share(id)
		d.must(d.Share(id, s.ask))
		d.restart()
		v := d.share(id)
		if !reflect.DeepEqual(v.InForce, before.InForce) || len(v.Waiting) != 1 || v.Waiting[0].Action != s.ask.Action || s.field(v.Wanted) != s.want || d.view(id).Sync != workspace.SyncWaiting {
			t.Errorf("%s, before it was sent: %s", s.ask.Action, text(v))
		}
		if s.ask.Action != sharing.SetPassword && s.ask.Action != sharing.Disable {
			d.must(d.Share(id, s.ask)) // nothing changes
			if n := len(d.share(id).Waiting); n != 1 {
				t.Errorf("%s again: %d commands wait", s.ask.Action, n)
			}
		}
		if refused := c.drain(); refused != nil {
			t.Errorf("%s: refused", s.ask.Action)
		}
		if v := d.share(id); !reflect.DeepEqual(v.InForce, v.Wanted) || len(v.Waiting) != 0 || s.field(v.InForce) != s.want {
			t.Errorf("%s, after it was sent: %s", s.ask.Action, text(v))
		}
	}
}

func TestB1_BadChangesNameTheFieldAndChangeNothing(t *testing.T) {
	d, id, _ := shared(t)
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("https://%d.example.org", i)
	}
	before := text(d.view(id))
	for field, asks := range map[string][]workspace.ShareChange{
		"action":     {{}, {Action: "publish"}, {Action: sharing.Delete}},
		"password":   {{Action: sharing.SetPassword}, {Action: sharing.SetPassword, Password: "short"}, {Action: sharing.SetPassword, Password: workspace.Secret(strings.Repeat("a", 1025))}, {Action: sharing.SetPassword, Password: workspace.Secret(strings.Repeat("\u0958", 200))}, {Action: sharing.Enable, Password: "short"}, {Action: sharing.Enable, Password: "not utf-8 \xff"}, {Action: sharing.Rotate, Password: "open sesame"}},
		"expires":    {{Action: sharing.SetExpiry, Expires: d.in(0)}, {Action: sharing.SetExpiry, Expires: -1}, {Action: sharing.SetExpiry, Expires: d.in(0) + sharing.MaxExpiry + 1}, {Action: sharing.Disable, Expires: 1}},
		"slug":       {{Action: sharing.SetSlug, Slug: "ab"}, {Action: sharing.SetSlug, Slug: "Team"}, {Action: sharing.SetSlug, Slug: "a--b"}, {Action: sharing.SetSlug, Slug: strings.Repeat("a", 65)}, {Action: sharing.Enable, Slug: "team"}},
		"still":      {{Action: sharing.Enable, Still: true}},
		"origins":    {{Action: sharing.SetOrigins, Origins: many}, {Action: sharing.SetSlug, Origins: many[:1]}},
		"origins[1]": {{Action: sharing.SetOrigins, Origins: []string{"https://example.org", "javascript:alert(1)"}}, {Action: sharing.SetOrigins, Origins: []string{"example.org", ""}}, {Action: sharing.SetOrigins, Origins: []string{"a.example", "b.example c.example"}}},
	} {
		for _, ask := range asks {
			f := isFault(t, d.Share(id, ask), fault.Invalid)
			if f.Field != field {
				t.Errorf("%s: names %q, want %q", ask.Action, f.Field, field)
			}
		}
	}
	if after := text(d.view(id)); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	d.must(d.Trash(id))
	isFault(t, d.Share(id, workspace.ShareChange{Action: sharing.SetStill, Still: true}), fault.Conflict)
	d.must(d.Share(id, to(sharing.Disable)))
}

func TestS2_SlugHasAnAddressAndARefusalSaysThatItIsTaken(t *testing.T) {
	d, id, c := shared(t)
	c.taken = []sharing.Slug{"taken"}
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetSlug, Slug: "team-status"}))
	if v := d.share(id); v.SlugURL != "https://x/s/team-status" || v.EmbedScript != "https://x/embed.js" {
		t.Errorf("%q, %q", v.SlugURL, v.EmbedScript)
	}
	c.drain()
	// What was asked for after the name that is taken has nothing to do with it, and is done.
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetPassword, Password: "open sesame"}))
	c.drain()
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetSlug, Slug: "taken"}))
	d.must(d.Share(id, to(sharing.RemovePassword)))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(time.Hour)}))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(2 * time.Hour)}))
	if refused := c.drain(); !slices.Equal(refused, []string{"slug"}) {
		t.Errorf("refused %v", refused)
	}
	v := d.share(id)
	if v.Refused == nil || v.Refused.Action != sharing.SetSlug || !strings.Contains(v.Refused.Message, "“taken” is taken") || v.InForce.Slug != "team-status" ||
		v.InForce.Mode != sharing.Public || v.InForce.Expires != d.in(2*time.Hour) || v.SlugURL != "https://x/s/team-status" {
		t.Errorf("%s", text(v))
	}
	d.must(d.Share(id, to(sharing.Rotate)))
	if v := d.share(id); v.SlugURL != "" || v.Wanted.Slug != "" || v.Refused != nil {
		t.Errorf("%s", text(v))
	}
}

// Edits and changes of access arrive in the order in which they were made, over restarts: what lets people in waits for
// the edits before it, what shuts them out does not, and edits after it wait for it.
func TestQ2_ChangesKeepTheirPlaceAmongEdits(t *testing.T) {
	d, id, c := shared(t)
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetPassword, Password: "open sesame"}))
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(time.Hour)}))
	c.drain()
	s := newHub(d, id)
	s.push()
	for name, ask := range map[string]struct {
		workspace.ShareChange
		waits bool
	}{
		"remove the password":  {to(sharing.RemovePassword), true},
		"no end":               {workspace.ShareChange{Action: sharing.SetExpiry}, true},
		"a later end":          {workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(2 * time.Hour)}, true},
		"an earlier end":       {workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(time.Minute)}, false},
		"another password":     {workspace.ShareChange{Action: sharing.SetPassword, Password: "close sesame"}, false},
		"a password, on anew":  {workspace.ShareChange{Action: sharing.Enable, Password: "close sesame"}, false},
		"replace":              {to(sharing.Rotate), false},
		"no interaction":       {workspace.ShareChange{Action: sharing.SetStill, Still: true}, false},
		"some sites":           {workspace.ShareChange{Action: sharing.SetOrigins, Origins: []string{"example.org"}}, false},
		"a name":               {workspace.ShareChange{Action: sharing.SetSlug, Slug: "team"}, false},
		"turn off (and on)":    {to(sharing.Disable), false},
		"turn on what was off": {to(sharing.Enable), true},
	} {
		t.Run(name, func(t *testing.T) {
			if ask.Action == sharing.Enable && ask.waits {
				d.must(d.Share(id, to(sharing.Disable)))
				c.drain()
			}
			before, after := name+" before", name+" after"
			d.edit(id, "Rename", setTitle("", before))
			d.must(d.Share(id, ask.ShareChange))
			d.edit(id, "Rename", setTitle("", after))
			d.restart()
			if _, ok, err := d.Command(id); ok == ask.waits || err != nil {
				t.Errorf("may be sent: %v, %v", ok, err)
			}
			s.push()
			if st, err := s.hub.State(); err != nil || boardTitle(st) != before {
				t.Errorf("%q arrived before the change was made (%v)", boardTitle(st), err)
			}
			d.restart()
			if refused := c.drain(); refused != nil {
				t.Errorf("refused %v", refused)
			}
			s.push()
			if st, err := s.hub.State(); err != nil || boardTitle(st) != after {
				t.Errorf("%q is there, want %q (%v)", boardTitle(st), after, err)
			}
			for _, back := range []workspace.ShareChange{{Action: sharing.SetPassword, Password: "open sesame"}, {Action: sharing.SetExpiry, Expires: d.in(time.Hour)}, to(sharing.Enable)} {
				d.must(d.Share(id, back))
				c.drain()
			}
		})
	}
}

// What was decided elsewhere stands: a chain of commands whose author did not see it is not let through by versions that
// happen to fit.
func TestV3_VersionsThatFitByChanceLetNothingThrough(t *testing.T) {
	password := func(p workspace.Secret) workspace.ShareChange {
		return workspace.ShareChange{Action: sharing.SetPassword, Password: p}
	}
	hash, err := sharing.HashPassword(bytes.NewReader(make([]byte, 16)), "of another device")
	if err != nil {
		t.Fatal(err)
	}
	for name, first := range map[string]workspace.ShareChange{
		"a name":                        {Action: sharing.SetSlug, Slug: "team"},
		"no interaction":                {Action: sharing.SetStill, Still: true},
		"a password":                    password("open sesame"),
		"an end":                        {Action: sharing.SetExpiry, Expires: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC).UnixMilli()},
		"a link replaced":               to(sharing.Rotate),
		"all sites, which is no change": {Action: sharing.SetOrigins},
	} {
		for _, toldBefore := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", name, toldBefore), func(t *testing.T) {
				d, id, c := shared(t)
				d.must(d.Share(id, password("first password")))
				c.drain()
				d.must(d.Share(id, first))
				d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetStill, Still: true}))
				d.must(d.Share(id, to(sharing.RemovePassword)))
				d.must(d.Share(id, to(sharing.Rotate)))
				c.elsewhere(sharing.Command{Action: sharing.SetPassword, Hash: hash})
				token := c.link.Token
				if toldBefore {
					c.tell()
				}
				d.restart()
				refused := c.drain()
				if !c.link.Password || c.link.Token != token || c.hash != hash || !slices.Contains(refused, "no_password") || !slices.Contains(refused, "rotate") {
					t.Errorf("refused %v, now %+v", refused, c.link)
				}
				v := d.share(id)
				if v.Refused == nil || v.Refused.Action != sharing.Rotate || !reflect.DeepEqual(v.Wanted, v.InForce) || len(v.Waiting) != 0 {
					t.Errorf("%s", text(v))
				}
				// Decided again, in sight of what is in force, it is done.
				d.must(d.Share(id, to(sharing.RemovePassword)))
				if refused := c.drain(); refused != nil || c.link.Password {
					t.Errorf("refused %v", refused)
				}
			})
		}
	}
}

// Another device does just what is at the head of the queue. The link then is as foreseen, but what follows in the queue was
// decided without knowing that somebody else turned the link off, and does not turn it on again.
func TestV3_TheSameChangeElsewhereLetsNothingThrough(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, told := range []bool{false, true} {
			t.Run(fmt.Sprintf("answer lost %v/told before %v", lost, told), func(t *testing.T) {
				d, id, c := shared(t)
				d.must(d.Share(id, to(sharing.Disable)))
				d.must(d.Share(id, to(sharing.Enable)))
				c.elsewhere(sharing.Command{Action: sharing.Disable})
				if told {
					c.tell()
				}
				if lost {
					if _, _, ok := c.take(); !ok {
						t.Fatal("nothing was sent")
					}
					d.restart()
					c.tell()
				}
				if refused := c.drain(); c.link.Enabled || !slices.Equal(refused, []string{"enable"}) {
					t.Errorf("refused %v, now %+v", refused, c.link)
				}
				if v := d.share(id); v.Refused == nil || v.InForce.Enabled || v.Wanted.Enabled {
					t.Errorf("%s", text(v))
				}
			})
		}
	}
	t.Run("but its own change does, though the answer was lost", func(t *testing.T) {
		d, id, c := shared(t)
		d.must(d.Share(id, to(sharing.Disable)))
		d.must(d.Share(id, to(sharing.Enable)))
		if _, _, ok := c.take(); !ok {
			t.Fatal("nothing was sent")
		}
		d.restart()
		c.tell()
		if refused := c.drain(); refused != nil || !c.link.Enabled {
			t.Errorf("refused %v, now %+v", refused, c.link)
		}
	})
}

// What is decided in sight of the other change is not held up by what was decided before it.
func TestV3_AFreshDecisionBehindAStaleOneStands(t *testing.T) {
	d, id, c := shared(t)
	d.must(d.Share(id, to(sharing.Rotate)))
	cmd, ok, err := d.Command(id) // on its way
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	c.elsewhere(sharing.Command{Action: sharing.SetStill, Still: true})
	c.tell()
	d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetStill}))
	c.answer(cmd, c.decide(cmd))
	if refused := c.drain(); refused != nil || c.link.Still {
		t.Errorf("refused %v, %+v", refused, c.link)
	}
}

func TestV2_ReceiptOfEveryRevocation(t *testing.T) {
	d, id, c := shared(t)
	for i, cmd := range []sharing.Command{
		{Action: sharing.SetPassword, Hash: sharing.Hash("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")},
		{Action: sharing.RemovePassword},
		{Action: sharing.SetExpiry, Expires: c.now() - 1},
	} {
		c.elsewhere(cmd)
		d.must(d.ShareState(wire.Share{Board: id, Link: c.link, Cut: i, CutMS: int64(i)}))
		if r := d.share(id).Receipt; r == nil || *r != (workspace.Receipt{Cut: i, MS: int64(i)}) {
			t.Errorf("%s: %+v", cmd.Action, r)
		}
	}
	c.elsewhere(sharing.Command{Action: sharing.SetExpiry})
	c.tell()
	if v := d.share(id); v.Receipt.Cut != 2 || v.InForce.Mode != sharing.Public {
		t.Errorf("giving access made a receipt: %s", text(v))
	}
	// The answer to a revocation may come before the news of it: the receipt is not the one of before.
	d.must(d.Share(id, to(sharing.Disable)))
	c.drain()
	if r := d.share(id).Receipt; r == nil || *r != (workspace.Receipt{}) {
		t.Errorf("%+v", r)
	}
	d.must(d.ShareState(wire.Share{Board: id, Link: c.link, Cut: 7, CutMS: 3}))
	if r := d.share(id).Receipt; *r != (workspace.Receipt{Cut: 7, MS: 3}) {
		t.Errorf("%+v", r)
	}
}

func TestL7_ViewsAreShownAsTheServerCounts(t *testing.T) {
	d, id, c := shared(t)
	if v := d.share(id).Views; v != nil {
		t.Errorf("%+v", v)
	}
	at := d.view(id).Version
	counts := &wire.Views{Last: 5, Day: "2026-03-18", Days: []uint32{1, 2}}
	list := func(v *wire.Views) {
		t.Helper()
		_, err := d.Boards(wire.Boards{Boards: []wire.Access{{Board: id, Role: sharing.RoleOwner, Link: c.link, Views: v}}})
		d.must(err)
	}
	list(counts)
	want := workspace.Views{Last: 5, Day: "2026-03-18", Days: []uint32{1, 2}}
	if v := d.view(id); v.Share.Views == nil || !reflect.DeepEqual(*v.Share.Views, want) || v.Version == at {
		t.Errorf("%s", text(v.Share))
	}
	c.tell() // without a count
	list(nil)
	if v := d.share(id).Views; v == nil || !reflect.DeepEqual(*v, want) {
		t.Errorf("%+v", v)
	}
	d.must(d.ShareState(wire.Share{Board: id, Link: c.link, Watching: 1, Views: &wire.Views{Last: 9, Day: "2026-03-19"}}))
	if v := d.share(id); v.Views.Last != 9 || v.Views.Days == nil || v.Watching != 1 {
		t.Errorf("%s", text(v))
	}
	d.must(d.Share(id, to(sharing.Rotate)))
	cmd, f, _ := c.take()
	c.tell()
	c.answer(cmd, f)
	if v := d.share(id).Views; v != nil {
		t.Errorf("a replaced link begins with %+v", v)
	}
}

// One click turns on a link whose end has passed: the end is removed first, and a password is there before that.
func TestL5_TurningOnRemovesAnEndThatHasPassed(t *testing.T) {
	for _, off := range []bool{false, true} {
		for _, password := range []workspace.Secret{"", "open sesame"} {
			for _, heard := range []bool{false, true} {
				t.Run(fmt.Sprintf("off %v, password %v, heard %v", off, password != "", heard), func(t *testing.T) {
					d, id, c := shared(t)
					d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetExpiry, Expires: d.in(time.Hour)}))
					if off {
						d.must(d.Share(id, to(sharing.Disable)))
					}
					c.drain()
					d.wait(2 * time.Hour)
					if v := d.share(id); v.InForce.Mode != sharing.Private || !v.InForce.Expired || v.Wanted.Mode != sharing.Private || d.summary(id).Mode != sharing.Private {
						t.Errorf("%s", text(v))
					}
					if heard {
						c.link = sharing.Expire(c.link, c.now())
						c.tell()
					}
					d.must(d.Share(id, workspace.ShareChange{Action: sharing.Enable, Password: password}))
					want := sharing.Public
					if password != "" {
						want = sharing.Password
					}
					if v := d.share(id); v.Wanted.Mode != want || v.Wanted.Expires != 0 {
						t.Errorf("%s", text(v))
					}
					for {
						cmd, f, ok := c.take()
						if !ok {
							break
						}
						if m := c.link.Mode(c.now()); f != nil || m != want && m != sharing.Private {
							t.Errorf("%s: %v, %s", cmd.Action, f, m)
						}
						c.answer(cmd, f)
					}
					if c.link.Mode(c.now()) != want {
						t.Errorf("%+v", c.link)
					}
				})
			}
		}
	}
}

// Every random sequence of changes, restarts, lost answers, failing disks and changes from elsewhere: a change touches
// its own field alone, one that fails touches nothing, what arrives late gives nobody access that was taken away
// meanwhile, and in the end both sides agree.
func TestQ1_V3_RandomChanges(t *testing.T) {
	d := bare(t)
	d.must(d.LogIn(t.Context(), "https://widgets.example.org", "ada@example.org", "right"))
	hash, err := sharing.HashPassword(bytes.NewReader(make([]byte, 16)), "of another device")
	d.must(err)
	rapid.Check(t, func(t *rapid.T) {
		id := d.create("Shop")
		newHub(d, id).push()
		c := newCloud(d, id)
		heard := uint64(0)          // version of the link up to which this device knows of changes elsewhere
		foreign := uint64(0)        // version that the latest change elsewhere made
		sawAll := map[string]bool{} // commands that were decided in sight of all changes elsewhere
		known := func() bool { return heard >= foreign }
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			default:
				ask := randomChange(t, d)
				before, waiting := d.share(id), text(d.view(id))
				broken := rapid.IntRange(0, 4).Draw(t, "disk") == 0
				if broken {
					d.breakDisk(os.ErrPermission)
				}
				err := d.Share(id, ask)
				if broken {
					d.breakDisk(nil)
				}
				after := d.share(id)
				if err != nil {
					if now := text(d.view(id)); now != waiting {
						t.Fatalf("%s failed and changed %s to %s", ask.Action, waiting, now)
					}
					if broken {
						d.restart() // the store writes nothing after a failure
					}
					break
				}
				for _, w := range after.Waiting[len(before.Waiting):] {
					sawAll[w.ID] = known()
				}
				onlyItsField(t, ask, before.Wanted, after.Wanted)
			case 6: // a command arrives, and its answer or the news of it are lost or not
				before := c.link
				cmd, f, ok := c.take()
				if !ok {
					break
				}
				if !sawAll[cmd.ID] && foreign > 0 && rank(c.link.Mode(c.now())) > rank(before.Mode(c.now())) {
					t.Fatalf("%s was decided before a change elsewhere, and turned %+v into %+v", cmd.Action, before, c.link)
				}
				if rapid.Bool().Draw(t, "told") {
					c.tell()
					heard = c.link.Version
				}
				if rapid.Bool().Draw(t, "answered") {
					c.answer(cmd, f)
					heard = c.link.Version
				}
			case 7:
				d.restart()
			case 8:
				d.wait(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
			case 9:
				c.link = sharing.Expire(c.link, c.now())
				was := c.link.Version
				switch rapid.IntRange(0, 4).Draw(t, "elsewhere") {
				case 0:
					c.elsewhere(sharing.Command{Action: sharing.SetPassword, Hash: hash})
				case 1:
					c.elsewhere(sharing.Command{Action: sharing.SetExpiry, Expires: c.now() + rapid.Int64Range(1, 1<<30).Draw(t, "end")})
				case 2:
					if c.link.Token == "" {
						break
					}
					tok, short := minted(t)
					c.elsewhere(sharing.Command{Action: sharing.Rotate, Token: tok, ShortID: short})
				case 3:
					c.elsewhere(sharing.Command{Action: sharing.Disable})
				case 4:
					if c.link.Token == "" || c.link.Ended(c.now()) {
						break
					}
					c.elsewhere(sharing.Command{Action: sharing.Enable})
				}
				if c.link.Version != was {
					foreign = c.link.Version
				}
				if rapid.Bool().Draw(t, "told") {
					c.tell()
					heard = c.link.Version
				}
			}
		}
		c.drain()
		c.link = sharing.Expire(c.link, c.now())
		c.tell()
		if v := d.share(id); !reflect.DeepEqual(v.InForce, v.Wanted) || len(v.Waiting) != 0 || v.InForce.Version != c.link.Version {
			t.Fatalf("in the end %s, and %+v there", text(v), c.link)
		}
		d.must(d.Trash(id))
		d.must(d.Destroy(id))
	})
}

func rank(m sharing.Mode) int {
	return slices.Index([]sharing.Mode{sharing.Private, sharing.Password, sharing.Public}, m)
}

func minted(t *rapid.T) (sharing.Token, sharing.ShortID) {
	s := rapid.StringMatching(`[0-9A-Za-z]{24}`).Draw(t, "token")
	return sharing.Token("shr_" + s), sharing.ShortID(s[:10])
}

func randomChange(t *rapid.T, d *device) workspace.ShareChange {
	ask := workspace.ShareChange{Action: rapid.SampledFrom([]sharing.Action{
		sharing.Enable, sharing.Enable, sharing.Disable, sharing.Rotate, sharing.SetPassword, sharing.RemovePassword, sharing.SetExpiry,
		sharing.SetSlug, sharing.SetStill, sharing.SetOrigins,
	}).Draw(t, "action")}
	switch ask.Action {
	case sharing.SetPassword:
		ask.Password = "open sesame"
	case sharing.Enable:
		ask.Password = rapid.SampledFrom([]workspace.Secret{"", "", "", "open sesame"}).Draw(t, "password")
	case sharing.SetExpiry:
		if rapid.Bool().Draw(t, "ends") {
			ask.Expires = d.in(time.Duration(rapid.Int64Range(1, 1<<24).Draw(t, "end")) * time.Millisecond)
		}
	case sharing.SetSlug:
		ask.Slug = rapid.SampledFrom([]string{"", "team", "shop"}).Draw(t, "slug")
	case sharing.SetStill:
		ask.Still = rapid.Bool().Draw(t, "still")
	case sharing.SetOrigins:
		ask.Origins = rapid.SampledFrom([][]string{nil, {"example.org"}, {"example.org", "example.com"}}).Draw(t, "origins")
	case sharing.Disable, sharing.Rotate, sharing.RemovePassword, sharing.Delete, sharing.Invite, sharing.Resend, sharing.Revoke,
		sharing.SetMemberRole, sharing.SetEditorShare, sharing.Move:
	}
	return ask
}

// onlyItsField fails unless two states of a link differ in nothing but what an action is about.
func onlyItsField(t *rapid.T, ask workspace.ShareChange, before, after workspace.LinkState) {
	switch ask.Action {
	case sharing.Enable:
		before.Enabled = after.Enabled
		if before.Token == "" {
			before.Token, before.ShortID = after.Token, after.ShortID
		}
		if before.Expired {
			before.Expires, before.Expired = 0, false
		}
		before.Password = before.Password || ask.Password != ""
	case sharing.Disable:
		before.Enabled = false
	case sharing.Rotate:
		before.Token, before.ShortID, before.Slug = after.Token, after.ShortID, ""
	case sharing.SetPassword:
		before.Password = true
	case sharing.RemovePassword:
		before.Password = false
	case sharing.SetExpiry:
		before.Expires, before.Expired = ask.Expires, false
	case sharing.SetSlug:
		before.Slug = sharing.Slug(ask.Slug)
	case sharing.SetStill:
		before.Still = ask.Still
	case sharing.SetOrigins:
		before.Origins = after.Origins
	case sharing.Delete, sharing.Invite, sharing.Resend, sharing.Revoke, sharing.SetMemberRole, sharing.SetEditorShare, sharing.Move:
	}
	before.Version, before.Mode = after.Version, after.Mode
	if !reflect.DeepEqual(before, after) {
		t.Fatalf("%s made of what should be %s: %s", ask.Action, text(before), text(after))
	}
}
