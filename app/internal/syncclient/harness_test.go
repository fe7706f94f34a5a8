package syncclient_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/syncclient"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

const password = servertest.Password

// device is a whole desktop program without its windows: data file, workspace and sync client.
type device struct {
	*workspace.Workspace
	t     *testing.T
	path  string
	store *localstore.Store
	keys  *keys
	skew  time.Duration // of this device's clock
	line  *line
	http  *http.Client

	commits  atomic.Int64  // changes of the data file
	patience time.Duration // of until, 0 is 20 s

	looks time.Duration // how often what is looked at is repeated, 0 is as in earnest

	stop context.CancelFunc
	done chan struct{}
	subs *workspace.Subscription

	ring  chan struct{} // holds one token after an event, of this device or of one that rings here too
	rings *rings

	mu      sync.Mutex
	notices []string
}

// rings is whom a device's events wake.
type rings struct {
	mu  sync.Mutex
	all []chan struct{}
}

func (r *rings) add(c chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, c)
}

func (r *rings) ring() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func newDevice(t *testing.T) *device {
	t.Helper()
	d := &device{t: t, path: filepath.Join(t.TempDir(), "data.db"), keys: &keys{m: map[string]string{}}, line: &line{}, ring: make(chan struct{}, 1), rings: &rings{}}
	d.http = d.line.client()
	d.rings.add(d.ring)
	d.start()
	t.Cleanup(d.kill)
	for _, b := range d.State().Boards {
		d.must(d.Trash(b.ID))
		d.must(d.Destroy(b.ID))
	}
	return d
}

// enter makes an account on a server, as its page does, and signs in to it.
func (d *device) enter(s *servertest.Server, email string) servertest.SignedIn {
	d.t.Helper()
	who := s.SignUp(email)
	d.must(d.LogIn(d.t.Context(), s.URL(), email, password))
	return who
}

// start runs the program.
func (d *device) start() {
	d.t.Helper()
	var err error
	d.store, err = localstore.Open(d.path, localstore.Options{Random: rand.Reader, BeforeCommit: func() error {
		d.commits.Add(1)
		return nil
	}})
	d.must(err)
	now := func() time.Time { return time.Now().Add(d.skew) }
	d.Workspace, err = workspace.New(workspace.Deps{
		Store: d.store, Now: now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Accounts: syncclient.NewAccounts(d.http), Archive: syncclient.NewArchive(d.http), Credentials: d.keys, Version: "test",
	})
	d.must(err)
	d.subs = d.Subscribe()
	go func(s *workspace.Subscription) {
		for {
			events, err := s.Wait(context.Background())
			if err != nil {
				return
			}
			for _, e := range events {
				if e.Type == workspace.EventNotice {
					d.mu.Lock()
					d.notices = append(d.notices, e.Notice.Message)
					d.mu.Unlock()
				}
			}
			d.rings.ring()
		}
	}(d.subs)
	c := syncclient.New(syncclient.Deps{
		Workspace: d.Workspace, Credentials: d.keys, HTTP: d.http, Now: now, Log: slog.New(slog.DiscardHandler), App: "test",
		Jitter: func() float64 { return 0.5 },
		After:  d.after,
	})
	ctx, cancel := context.WithCancel(context.Background())
	d.stop, d.done = cancel, make(chan struct{})
	go func() {
		defer close(d.done)
		var work sync.WaitGroup
		work.Go(func() { d.WatchSignUp(ctx, d.after) })
		c.Run(ctx)
		work.Wait()
	}()
}

// after is time.After in the test's haste: back-off is a hundredth of its real length; pings keep theirs.
func (d *device) after(wait time.Duration) <-chan time.Time {
	switch {
	case wait == wire.LookEvery*time.Millisecond && d.looks > 0:
		wait = d.looks
	case wait < 15*time.Second:
		wait /= 100
	}
	return time.After(wait)
}

// kill ends the program. Nothing is told to anybody that was not on disk before.
func (d *device) kill() {
	if d.stop == nil {
		return
	}
	d.stop()
	<-d.done
	d.stop = nil
	d.subs.Close()
	_ = d.store.Close()
}

// patient lets devices take their time: what they have to do is much, and under the race detector takes ten times as long.
func patient(all ...*device) {
	for _, d := range all {
		d.patience = 3 * time.Minute
	}
}

func (d *device) restart() {
	d.t.Helper()
	d.kill()
	d.start()
}

func (d *device) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// until waits for an event, here or on a device that rings here too, after which ok holds.
func (d *device) until(what string, ok func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), cmp.Or(d.patience, 20*time.Second))
	defer cancel()
	for !ok() {
		select {
		case <-d.ring:
		case <-ctx.Done():
			d.t.Fatalf("waited in vain until %s; state %s", what, text(d.State()))
		}
	}
}

func (d *device) untilSynced() {
	d.t.Helper()
	d.until("everything is synced", func() bool {
		s := d.State().Sync
		return s.State == workspace.StateSynced && s.Queued == 0
	})
}

func (d *device) untilState(state workspace.SyncState) workspace.SyncStatus {
	d.t.Helper()
	d.until("the connection is "+string(state), func() bool { return d.State().Sync.State == state })
	return d.State().Sync
}

// told counts the notices that contain words.
func (d *device) told(words string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.notices {
		if strings.Contains(m, words) {
			n++
		}
	}
	return n
}

func (d *device) edit(id board.ID, edits ...workspace.Edit) workspace.Edited {
	d.t.Helper()
	e, err := d.Edit(id, edits, "Edit")
	d.must(err)
	return e
}

func (d *device) view(id board.ID) workspace.BoardView {
	d.t.Helper()
	v, err := d.Board(id)
	d.must(err)
	return v
}

// content is what of a dashboard is the same on every device.
func (d *device) content(id board.ID) string {
	v := d.view(id)
	widgets := make([]board.Widget, 0, len(v.Widgets))
	for _, w := range v.Widgets {
		widgets = append(widgets, w.Widget)
	}
	return text(map[string]any{"title": v.Title, "description": v.Description, "widgets": widgets})
}

// to is a change of sharing that needs nothing but its action.
func to(a sharing.Action) workspace.ShareChange { return workspace.ShareChange{Action: a} }

func title(s string) workspace.Edit {
	return workspace.Edit{Do: workspace.DoBoard, Field: "title", Value: json.RawMessage(text(s))}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// keys is a credential store in memory.
type keys struct {
	mu sync.Mutex
	m  map[string]string
}

func (k *keys) Load(key string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.m[key], nil
}

func (k *keys) Store(key, token string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.m[key] = token
	return nil
}

func (k *keys) Delete(key string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.m, key)
	return nil
}

func columns(names ...string) []board.Column {
	out := make([]board.Column, len(names))
	for i, n := range names {
		out[i] = board.Column{Name: n, Type: board.TypeNumber}
	}
	return out
}

// count is an edit that appends a row with a number.
func count(w board.WidgetID, n int) workspace.Edit {
	return workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: []json.RawMessage{json.RawMessage(text([]int{n}))}}
}
