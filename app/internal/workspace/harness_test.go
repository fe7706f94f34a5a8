package workspace_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// device is a workspace on a real data file with a clock that the test moves.
type device struct {
	*workspace.Workspace
	t     *testing.T
	path  string
	store *localstore.Store
	log   bytes.Buffer

	mu   sync.Mutex
	now  time.Time
	fail error // what the next commits meet
	real bool  // passwords are hashed, which takes long; otherwise a hash of no password stands for each
	keys *keys

	server workspace.Accounts // nil is accounts
}

func newDevice(t *testing.T) *device {
	t.Helper()
	d := &device{t: t, path: filepath.Join(t.TempDir(), "data.db"), now: time.Date(2026, 3, 18, 14, 2, 0, 0, time.UTC), keys: &keys{m: map[string]string{}}}
	d.open()
	t.Cleanup(func() { _ = d.store.Close() })
	return d
}

// bare is a device without the sample dashboards.
func bare(t *testing.T) *device {
	t.Helper()
	d := newDevice(t)
	for _, b := range d.State().Boards {
		d.must(d.Trash(b.ID))
		d.must(d.Destroy(b.ID))
	}
	return d
}

func (d *device) open() {
	d.t.Helper()
	var err error
	d.store, err = localstore.Open(d.path, localstore.Options{Random: rand.Reader, BeforeCommit: func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.fail
	}})
	d.must(err)
	hash := func(random io.Reader, _ string) (sharing.Hash, error) { return sharing.NoPassword(random) }
	if d.real {
		hash = nil
	}
	server := d.server
	if server == nil {
		server = accounts{}
	}
	d.Workspace, err = workspace.New(workspace.Deps{
		Hash:  hash,
		Store: d.store, Now: d.clock, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Accounts: server, Credentials: d.keys,
		Version: "test", DefaultServer: "https://widgets.example.org",
	})
	d.must(err)
}

// hashing is the device from now on with passwords that are really hashed.
func (d *device) hashing() {
	d.t.Helper()
	d.real = true
	d.restart()
}

// restart closes and opens everything, as a new run of the program does.
func (d *device) restart() {
	d.t.Helper()
	d.must(d.store.Close())
	d.open()
}

func (d *device) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *device) wait(s time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(s)
}

func (d *device) breakDisk(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

func (d *device) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) create(title string) board.ID {
	d.t.Helper()
	id, err := d.Create(title)
	d.must(err)
	return id
}

func (d *device) edit(id board.ID, label string, edits ...workspace.Edit) workspace.Edited {
	d.t.Helper()
	e, err := d.Edit(id, edits, label)
	d.must(err)
	return e
}

// add adds a widget of the given kind with two columns and rows, and returns its id.
func (d *device) add(id board.ID, kind board.Kind, title string, rows ...string) board.WidgetID {
	d.t.Helper()
	return d.edit(id, "Add", workspace.Edit{
		Do: workspace.DoAdd, Kind: kind, Title: title, Rows: raws(rows...),
		Columns: []board.Column{{Name: "Name", Type: board.TypeText}, {Name: "Value", Type: board.TypeNumber}},
	}).Added[0]
}

func (d *device) view(id board.ID) workspace.BoardView {
	d.t.Helper()
	v, err := d.Board(id)
	d.must(err)
	return v
}

func (d *device) widget(id board.ID, w board.WidgetID) workspace.WidgetView {
	d.t.Helper()
	for _, x := range d.view(id).Widgets {
		if x.ID == w {
			return x
		}
	}
	d.t.Fatalf("there is no widget %s", w)
	return workspace.WidgetView{}
}

func (d *device) summary(id board.ID) workspace.BoardSummary {
	d.t.Helper()
	for _, b := range d.State().Boards {
		if b.ID == id {
			return b
		}
	}
	d.t.Fatalf("there is no dashboard %s", id)
	return workspace.BoardSummary{}
}

func raws(s ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(s))
	for i := range s {
		out[i] = json.RawMessage(s[i])
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// setTitle is an edit of a widget's title, or of the dashboard's if w is "".
func setTitle(w board.WidgetID, title string) workspace.Edit {
	if w == "" {
		return workspace.Edit{Do: workspace.DoBoard, Field: "title", Value: json.RawMessage(text(title))}
	}
	return workspace.Edit{Do: workspace.DoTitle, Widget: w, Value: json.RawMessage(text(title))}
}

// isFault fails the test unless err is a fault of the kind, with a sentence.
func isFault(t *testing.T, err error, kind fault.Kind) fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != kind || f.Message == "" {
		t.Fatalf("got %v, want a fault %s", err, kind)
	}
	return *f
}

// accounts lets in whoever has the right password.
type accounts struct{}

func (accounts) SignUp(context.Context, string, string, string) (workspace.Pending, error) {
	return workspace.Pending{}, fault.New(fault.Unavailable, "Nobody is there.")
}

func (accounts) Claim(context.Context, string, workspace.Secret) (workspace.Session, bool, error) {
	return workspace.Session{}, false, fault.New(fault.Unavailable, "Nobody is there.")
}

func (accounts) Resend(context.Context, string, workspace.Secret) error {
	return fault.New(fault.Unavailable, "Nobody is there.")
}

func (accounts) LogIn(_ context.Context, server, email, password string) (workspace.Session, error) {
	if password != "right" {
		return workspace.Session{}, fault.New(fault.Unauthenticated, "E-mail address or password is wrong.")
	}
	return workspace.Session{Server: server, Account: "acc_1", Email: email, Token: "ses_1"}, nil
}

func (accounts) LogOut(context.Context, string, string) error { return nil }

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

func (k *keys) token(key string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.m[key]
}

func (k *keys) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.m)
}
