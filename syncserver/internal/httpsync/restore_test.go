package httpsync_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/config"
	"widgets.pro/syncserver/internal/server"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/servertest"
)

// upkeep is what the commands of whoever runs the server on a data file are given.
func upkeep(data string) server.Deps {
	return server.Deps{Config: config.Config{Data: data}, Log: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader}
}

// backup copies a data file and fails the test unless the copy is sound.
func backup(t *testing.T, data string) (path string, b server.Backup) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "backup.db")
	b, err := server.MakeBackup(t.Context(), upkeep(data), path)
	if err != nil || len(b.Report.Problems) > 0 {
		t.Fatalf("backup: %v, %v", b.Report.Problems, err)
	}
	return path, b
}

func restore(t *testing.T, data, from string, o server.RestoreOptions) server.Restored {
	t.Helper()
	r, err := server.Restore(t.Context(), upkeep(data), from, o)
	if err != nil {
		t.Fatalf("restore: %v", err)
	}
	return r
}

// titleIn is a dashboard's title in a data file.
func titleIn(t *testing.T, st *boltstore.Store, id board.ID) (title string) {
	t.Helper()
	if err := st.View(t.Context(), func(tx store.Tx) error {
		hub, err := replica.OpenHub(tx.Replica(id))
		if err != nil {
			return err
		}
		raw, _, err := hub.Register(board.BoardEntity, board.FieldTitle)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &title)
	}); err != nil {
		t.Fatal(err)
	}
	return title
}

// Backups that are made while everybody writes are sound, and hold whatever was acknowledged before they began.
func TestSI2_ABackupUnderLoadHoldsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	const writers, backups = 8, 3
	data := filepath.Join(t.TempDir(), "s.db")
	srv := servertest.Start(t, servertest.Options{Data: data})
	var ids [writers]board.ID
	var acknowledged [writers]atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	who := srv.SignUp("ann@example.org")
	for i := range writers {
		ids[i] = newBoard()
		d := newDevice(t, srv, who)
		d.edit(ids[i], title("0"))
		d.connect()
		d.push(ids[i])
		wg.Go(func() {
			for n := int64(1); ctx.Err() == nil; n++ {
				d.edit(ids[i], title(strconv.FormatInt(n, 10)))
				d.push(ids[i]) //nolint:contextcheck // a push ends by itself
				acknowledged[i].Store(n)
			}
		})
	}
	for range backups {
		var before [writers]int64
		for i := range before {
			before[i] = acknowledged[i].Load()
		}
		path, b := backup(t, data)
		if !b.Live || b.Report.Boards != writers {
			t.Errorf("%+v", b)
		}
		st, err := boltstore.Open(boltstore.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			if n, err := strconv.ParseInt(titleIn(t, st, id), 10, 64); err != nil || n < before[i] {
				t.Errorf("edit %d was acknowledged, %d is in the backup, %v", before[i], n, err)
			}
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	wg.Wait()
}

func rowsEdit(entity string, rows ...string) replica.Edit {
	c := &replica.RowChange{}
	for _, r := range rows {
		c.Rows = append(c.Rows, json.RawMessage(r))
	}
	return replica.Edit{Kind: replica.OpRows, Entity: entity, Rows: c}
}

// What was done since the backup comes back with whoever did it, or saw it: edits that were acknowledged, edits that were
// not, rows, and dashboards that the backup has never heard of.
func TestSI13_ARestoredServerHealsFromItsEditors(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "s.db")
	srv, a, id := start(t, servertest.Options{Data: data})
	b := newDevice(t, srv, srv.SignUp("bob@example.org"))
	srv.SetRole(id, b.who, sharing.RoleEditor)
	b.client(id)
	b.connect()
	b.until("the title is there", func() bool { return b.view(id).Title == "First" })

	wid := "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"
	a.edit(id, rowsEdit(wid, `["mon",1]`))
	a.push(id)
	path, _ := backup(t, data)

	a.edit(id, title("Since"), rowsEdit(wid, `["tue",2]`))
	a.push(id)
	fresh := newBoard()
	a.edit(fresh, title("Made since"))
	a.connect()
	a.push(fresh)
	b.edit(id, rowsEdit(wid, `["wed",3]`))
	b.push(id)
	b.until("a's edit arrives", func() bool { return b.view(id).Title == "Since" })
	a.cut()
	b.edit(id, rowsEdit(wid, `["thu",4]`)) // never reaches the server of before
	b.cut()
	srv.Close()

	if r := restore(t, data, path, server.RestoreOptions{}); r.Report.Boards != 1 || !r.Known || r.Aside == "" {
		t.Errorf("%+v", r)
	}
	srv.Restart()
	// b comes first: it brings back a's edits too, as far as it has seen them.
	b.connect()
	b.until("b has the log of now", func() bool { return b.client(id).Status().Epoch != 0 && pendingOps(b, id) > 1 })
	b.push(id)
	a.connect()
	a.until("a sees b's edits", func() bool { return rowsOf(a, id, wid) == 4 })
	a.push(id)
	a.push(fresh)
	b.connect()
	b.until("b is up to date", func() bool { return b.client(id).Status().Seen == a.client(id).Status().Seen })
	assertEqual(t, a, b, id)
	if v := a.view(id); v.Title != "Since" || rowsOf(a, id, wid) != 4 {
		t.Errorf("%q with %d rows", v.Title, rowsOf(a, id, wid))
	}
	srv.Close()
	st, err := boltstore.Open(boltstore.Options{Path: data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	if one, two := titleIn(t, st, id), titleIn(t, st, fresh); one != "Since" || two != "Made since" {
		t.Errorf("the server has %q and %q", one, two)
	}
}

func pendingOps(d *device, id board.ID) int { return len(d.pending(id).Ops) }

func rowsOf(d *device, id board.ID, entity string) int {
	d.t.Helper()
	s, err := d.client(id).View()
	if err != nil {
		d.t.Fatal(err)
	}
	if r := s.Rows(entity); r != nil {
		return r.Len()
	}
	return 0
}

func (d *device) opens(tok sharing.Token) bool {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.ctx(), http.MethodGet, d.srv.URL()+"/share/"+tok.Reveal(), http.NoBody)
	if err != nil {
		d.t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode != http.StatusNotFound // without a front end, 503 stands for what would be shown
}

// lets reports whether a sign-in is one.
func lets(t *testing.T, srv *servertest.Server, who servertest.SignedIn) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/api/v1/account", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+who.Token)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// What was taken away since the backup does not come back with it: the replaced file knows it, or, where that is lost, what
// cannot be known is not given. Whoever knows that nothing was taken away gets all of it.
func TestL4_V3_ARestoreRevivesNothingThatWasRevoked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose           bool // the replaced file is lost
		o              server.RestoreOptions
		old, next      bool // whether the link of the backup, and that which replaced it, opens
		untouched      bool // whether a link that did not change since does
		bob, signedOut bool // whether bob, who was removed, sees the dashboard, and a device that was signed out gets in
		ann            bool // whether ann is signed in
	}{
		"the replaced file is there": {next: true, untouched: true, ann: true},
		"it is lost":                 {lose: true, bob: true, signedOut: true, ann: true},
		"it is lost, and everybody is to be signed out": {lose: true, o: server.RestoreOptions{EndSignIns: true}, bob: true},
		"nothing was taken away, says its operator":     {lose: true, o: server.RestoreOptions{Unchanged: true}, old: true, untouched: true, bob: true, signedOut: true, ann: true},
		"it is there, but is not to count":              {o: server.RestoreOptions{Unchanged: true}, old: true, untouched: true, bob: true, signedOut: true, ann: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "s.db")
			srv, a, id := start(t, servertest.Options{Data: data})
			steady := newBoard()
			a.edit(steady, title("Steady"))
			a.connect()
			a.push(steady)
			bob := srv.SignUp("bob@example.org")
			srv.SetRole(id, bob, sharing.RoleEditor)
			phone := srv.LogIn("ann@example.org")
			a.command(id, sharing.Enable)
			a.command(steady, sharing.Enable)
			old, kept := a.links[id].Token, a.links[steady].Token
			path, _ := backup(t, data)

			a.command(id, sharing.Rotate)
			next, version := a.links[id].Token, a.links[id].Version
			if !a.opens(next) || a.opens(old) || !a.opens(kept) {
				t.Fatal("the links are not what they are to be")
			}
			srv.SetRole(id, bob, sharing.RoleNone)
			if status, body := srv.Post("/api/v1/logout", phone.Token, map[string]string{}); status/100 != 2 {
				t.Fatalf("log out: %d %s", status, body)
			}
			a.cut()
			srv.Close()
			if c.lose {
				if err := os.WriteFile(data, []byte(fmt.Sprintf("%9000d", 1)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if r := restore(t, data, path, c.o); r.Known == (c.lose || c.o.Unchanged) {
				t.Errorf("%+v", r)
			}
			srv.Restart()
			if o, n, k := a.opens(old), a.opens(next), a.opens(kept); o != c.old || n != c.next || k != c.untouched {
				t.Errorf("the old link opens %v, that which replaced it %v, that which stayed %v", o, n, k)
			}
			if got := lets(t, srv, phone); got != c.signedOut {
				t.Errorf("a device that was signed out gets in: %v", got)
			}
			if got := lets(t, srv, a.who); got != c.ann {
				t.Errorf("ann is signed in: %v", got)
			}
			if !c.ann {
				a.who = srv.LogIn("ann@example.org")
			}
			a.connect()
			if v := a.links[id].Version; v <= version {
				t.Errorf("the link has version %d, which ann has seen before (%d)", v, version)
			}
			d := newDevice(t, srv, srv.LogIn("bob@example.org"))
			d.connect()
			if _, got := d.roles[id]; got != c.bob {
				t.Errorf("bob sees the dashboard: %v", got)
			}
			if c.lose && !c.o.Unchanged {
				if a.command(steady, sharing.Enable); !a.opens(kept) {
					t.Error("its owner cannot revive the link that stayed")
				}
			}
		})
	}
}
