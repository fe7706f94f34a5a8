package sharelink_test

import (
	"errors"
	"fmt"
	"testing"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/sharelink"
	"widgets.pro/syncserver/internal/store"
)

var errWrite = errors.New("the disk failed")

// failing is a transaction whose n-th write fails, counted from zero.
type failing struct {
	store.Tx
	left *int
}

func (f failing) write(do func() error) error {
	if *f.left == 0 {
		return errWrite
	}
	*f.left--
	return do()
}

func (f failing) Links() store.Links             { return failingLinks{f.Tx.Links(), f} }
func (f failing) Boards() store.Boards           { return failingBoards{f.Tx.Boards(), f} }
func (f failing) Commands() store.Commands       { return failingCommands{f.Tx.Commands(), f} }
func (f failing) Views() store.Views             { return failingViews{f.Tx.Views(), f} }
func (f failing) Replica(id board.ID) replica.Tx { return failingReplica{f.Tx.Replica(id), f} }
func (f failingLinks) Put(id board.ID, l store.Link) error {
	return f.f.write(func() error { return f.Links.Put(id, l) })
}

func (f failingLinks) SetHash(id board.ID, h store.Password) error {
	return f.f.write(func() error { return f.Links.SetHash(id, h) })
}

func (f failingBoards) Put(b store.Board) error {
	return f.f.write(func() error { return f.Boards.Put(b) })
}

func (f failingBoards) Destroy(id board.ID, at int64) error {
	return f.f.write(func() error { return f.Boards.Destroy(id, at) })
}

func (f failingCommands) Put(a store.AccountID, id string, r store.Answer) error {
	return f.f.write(func() error { return f.Commands.Put(a, id, r) })
}

func (f failingViews) Put(id board.ID, v store.ViewCount) error {
	return f.f.write(func() error { return f.Views.Put(id, v) })
}

func (f failingReplica) Put(k, v []byte) error {
	return f.f.write(func() error { return f.Tx.Put(k, v) })
}

type (
	failingLinks struct {
		store.Links
		f failing
	}
	failingBoards struct {
		store.Boards
		f failing
	}
	failingCommands struct {
		store.Commands
		f failing
	}
	failingViews struct {
		store.Views
		f failing
	}
	failingReplica struct {
		replica.Tx
		f failing
	}
)

const (
	hashA = sharing.Hash("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	hashB = sharing.Hash("$argon2id$v=19$m=19456,t=2,p=1$BBBBBBBBBBBBBBBBBBBBBA$BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA")
)

// everything is all that a command may change of the first dashboard, as text.
func (w *world) everything(id string) (all string) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		rec, ok, err := tx.Boards().Get(one)
		if err != nil {
			return err
		}
		l, err1 := tx.Links().Get(one)
		h, err2 := tx.Links().Hash(one)
		v, err3 := tx.Views().Get(one)
		a, known, err4 := tx.Commands().Get(ann, id)
		ends, first, err5 := tx.Links().Expiring(1<<50, 10)
		_, slug, err6 := tx.Links().BySlug("team-status")
		taken, err7 := tx.Links().SlugTaken(two, "team-status")
		var seq uint64 // stays 0 for a dashboard that is gone
		if hub, err := replica.OpenHub(tx.Replica(one)); err == nil {
			_, seq = hub.Head()
		}
		all = fmt.Sprintf("%+v %v link %t %q %q %d %d %t %d %t %q %t %q hash %q views %+v command %+v %v ends %v %d slug %v %v seq %d", rec, ok,
			l.Enabled, l.Token.Reveal(), l.ShortID.Reveal(), l.Version, l.Revision, l.Password, l.Expires, l.Expired, l.Slug, l.Still, l.Origins,
			string(h), v, a, known, ends, first, slug, taken, seq)
		return errors.Join(err1, err2, err3, err4, err5, err6, err7)
	}); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// Whatever write of a command fails, the old state stands whole: never a link without its password, a name without its
// link, or an answer without its deed. Once the disk works again the same command applies, once.
func TestP2_L3_L4_AFailureAtAnyStepLeavesTheOldState(t *testing.T) {
	with := func(a sharing.Action, set func(*sharing.Command)) func(*world) sharing.Command {
		return func(w *world) sharing.Command {
			c := w.command(one, a)
			if set != nil {
				set(&c)
			}
			return c
		}
	}
	for name, c := range map[string]struct {
		before  []func(*world) sharing.Command
		command func(*world) sharing.Command
	}{
		"on":                     {nil, with(sharing.Enable, nil)},
		"on with a password":     {nil, with(sharing.Enable, func(c *sharing.Command) { c.Hash = hashA })},
		"off":                    {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.Disable, nil)},
		"replaced":               {[]func(*world) sharing.Command{with(sharing.Enable, nil), with(sharing.SetSlug, slug)}, with(sharing.Rotate, nil)},
		"password set":           {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.SetPassword, func(c *sharing.Command) { c.Hash = hashA })},
		"password changed":       {[]func(*world) sharing.Command{with(sharing.Enable, func(c *sharing.Command) { c.Hash = hashA })}, with(sharing.SetPassword, func(c *sharing.Command) { c.Hash = hashB })},
		"password removed":       {[]func(*world) sharing.Command{with(sharing.Enable, func(c *sharing.Command) { c.Hash = hashA })}, with(sharing.RemovePassword, nil)},
		"end set":                {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 500 })},
		"end past when it comes": {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.SetExpiry, func(c *sharing.Command) { c.Expires = 1 })},
		"name":                   {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.SetSlug, slug)},
		"locked":                 {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.SetStill, func(c *sharing.Command) { c.Still = true })},
		"sites":                  {[]func(*world) sharing.Command{with(sharing.Enable, nil)}, with(sharing.SetOrigins, func(c *sharing.Command) { c.Origins = "https://a.example" })},
		"deleted":                {[]func(*world) sharing.Command{with(sharing.Enable, func(c *sharing.Command) { c.Hash = hashA })}, with(sharing.Delete, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, b := range c.before {
				if out := w.apply(b(w)); out.Fault != nil {
					t.Fatal(out.Fault)
				}
			}
			cmd := c.command(w)
			before := w.everything(cmd.ID)
			w.heard.what = nil
			steps := 0
			for n := 0; ; n++ {
				left := n
				err := w.store.Update(t.Context(), func(tx store.Tx) error {
					out, err := sharelink.Apply(failing{tx, &left}, &w.heard, access.Account(ann), cmd, 1)
					if err == nil && out.Fault != nil {
						t.Fatal(out.Fault)
					}
					return err
				})
				if err == nil {
					break
				}
				if !errors.Is(err, errWrite) {
					t.Fatal(err)
				}
				steps++
				if after := w.everything(cmd.ID); after != before || len(w.heard.what) > 0 {
					t.Fatalf("write %d failed and left\n%s\nof\n%s\nheard %v", n, after, before, w.heard.what)
				}
			}
			if steps < 3 {
				t.Errorf("only %d writes could fail", steps)
			}
			done := w.everything(cmd.ID)
			w.open()
			if after := w.everything(cmd.ID); done == before || after != done {
				t.Errorf("after it was opened again:\n%s\nnot\n%s", after, done)
			}
			if out := w.apply(cmd); out.Fault != nil || w.everything(cmd.ID) != done {
				t.Errorf("a repeat changed something: %v", out.Fault)
			}
		})
	}
}

func slug(c *sharing.Command) { c.Slug = "team-status" }
