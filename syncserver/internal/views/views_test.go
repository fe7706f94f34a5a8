package views_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/internal/views"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	one = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	two = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

var tokens = map[board.ID]sharing.Token{one: sharing.Token("shr_" + strings.Repeat("a", 24)), two: sharing.Token("shr_" + strings.Repeat("b", 24))}

// disk is a store that can be made to fail, and counts what is written.
type disk struct {
	store.Store
	mu      sync.Mutex
	broken  error
	updates int
}

func (d *disk) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.mu.Lock()
	d.updates++
	err := d.broken
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.Store.Update(ctx, fn)
}

func (d *disk) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
}

type world struct {
	t       *testing.T
	disk    *disk
	counter *views.Counter
	counted []board.ID
	mu      sync.Mutex
}

// newWorld has two dashboards with links. It must be made in a bubble, which begins at midnight UTC.
func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db"), Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, disk: &disk{Store: st}}
	w.counter = views.New(views.Config{Store: w.disk, Log: slog.New(slog.DiscardHandler), Now: time.Now, Counted: func(id board.ID) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.counted = append(w.counted, id)
	}})
	t.Cleanup(func() {
		w.counter.Close()
		_ = st.Close()
	})
	for id, tok := range tokens {
		w.put(id, tok)
	}
	return w
}

func (w *world) put(id board.ID, tok sharing.Token) {
	w.t.Helper()
	if err := w.disk.Store.Update(w.t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Links().Put(id, store.Link{Enabled: true, Token: tok, ShortID: store.ShortID(tok[4:14])}), tx.Views().Put(id, store.ViewCount{}))
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open(id board.ID, times int) {
	for range times {
		w.counter.Opened(id, tokens[id])
	}
}

// views is what is stored of the first dashboard's link.
func (w *world) views() (v store.ViewCount) {
	w.t.Helper()
	if err := w.disk.View(w.t.Context(), func(tx store.Tx) (err error) {
		v, err = tx.Views().Get(one)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return v
}

func today() int64 { return time.Now().Unix() / 86400 }

func after(d time.Duration) {
	time.Sleep(d) // in a bubble
	synctest.Wait()
}

func TestL7_ViewsAreWrittenTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		after(time.Hour)
		if w.disk.updates != 0 {
			t.Error("something is written although nothing was opened")
		}
		begun := time.Now()
		w.open(one, 5)
		w.open(two, 1)
		after(10 * time.Second)
		if v := w.views(); !slices.Equal(v.Days, []uint32{5}) || v.Day != today() || v.Last != begun.UnixMilli() {
			t.Errorf("%+v", v)
		}
		if w.disk.updates != 1 || len(w.counted) != 2 || !slices.Contains(w.counted, two) {
			t.Errorf("%d updates, told of %v", w.disk.updates, w.counted)
		}
		w.open(one, 1)
		w.counter.Close()
		if v := w.views(); !slices.Equal(v.Days, []uint32{6}) {
			t.Errorf("after the end: %+v", v)
		}
	})
}

func TestL7_DaysAreKeptForAMonth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.open(one, 1)
		after(24*time.Hour - time.Second)
		w.open(one, 2) // a second before midnight
		after(time.Second)
		w.open(one, 3) // written together with those of the day before
		after(3 * 24 * time.Hour)
		w.open(one, 4)
		after(time.Minute)
		if v := w.views(); !slices.Equal(v.Days, []uint32{3, 3, 0, 0, 4}) || v.Day != today() {
			t.Errorf("%+v", v)
		}
		for range 60 {
			after(24 * time.Hour)
			w.open(one, 7)
		}
		after(time.Minute)
		if v := w.views(); len(v.Days) != views.MaxDays || v.Days[0] != 7 || v.Day != today() {
			t.Errorf("%+v", v)
		}
		after(400 * 24 * time.Hour)
		w.open(one, 1)
		after(time.Minute)
		if v := w.views(); len(v.Days) != views.MaxDays || v.Days[views.MaxDays-1] != 1 || v.Days[0] != 0 {
			t.Errorf("after a year: %+v", v)
		}
	})
}

func TestL7_CountsDoNotOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := w.disk.Update(t.Context(), func(tx store.Tx) error {
			return tx.Views().Put(one, store.ViewCount{Last: 1, Day: today(), Days: []uint32{math.MaxUint32 - 1}})
		}); err != nil {
			t.Fatal(err)
		}
		w.open(one, 3)
		after(time.Minute)
		if v := w.views(); v.Days[0] != math.MaxUint32 {
			t.Errorf("%+v", v)
		}
	})
}

// What was counted of a link that is replaced, or whose dashboard is deleted, before it was written is nobody's.
func TestL7_AReplacedLinkStartsAtNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.open(one, 5)
		w.put(one, sharing.Token("shr_"+strings.Repeat("c", 24)))
		w.open(one, 1) // a viewer of the old link who had just come in
		after(time.Minute)
		if v := w.views(); len(v.Days) != 0 || len(w.counted) != 0 {
			t.Errorf("%+v", v)
		}
	})
}

func TestL7_AStoreThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.disk.set(errors.New("no space"))
		w.open(one, 2)
		after(10 * time.Minute)
		if w.disk.updates > 30 {
			t.Errorf("it tried %d times", w.disk.updates)
		}
		w.open(one, 1)
		w.disk.set(nil)
		after(time.Minute)
		if v := w.views(); !slices.Equal(v.Days, []uint32{3}) {
			t.Errorf("%+v", v)
		}
	})
}

// Counting does not wait for the store.
func TestL7_CountingNeverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		release := make(chan struct{})
		held := make(chan struct{})
		go func() {
			_ = w.disk.Store.Update(context.Background(), func(store.Tx) error {
				close(held)
				<-release
				return nil
			})
		}()
		<-held
		w.open(one, 1)
		after(time.Minute) // the write waits behind the other
		begun := time.Now()
		w.open(one, 1000)
		if took := time.Since(begun); took != 0 {
			t.Errorf("took %s", took)
		}
		close(release)
		after(time.Minute)
		if v := w.views(); !slices.Equal(v.Days, []uint32{1001}) {
			t.Errorf("%+v", v)
		}
	})
}

func front() fs.FS {
	return fstest.MapFS{
		"share/share.js":   {Data: []byte("1")},
		"share/share.css":  {Data: []byte("body{}")},
		"render/render.js": {Data: []byte(`globalThis.widgets = {board: (j) => JSON.stringify({title: "", body: "<main>", css: ""}), widget: (j) => ""}`)},
	}
}

// The whole way: a browser that has opened the page connects, the owner is told, and the data file holds nothing of who it
// was.
func TestL7_TheOwnerSeesHowOftenTheLinkWasOpened(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "server.db")
	srv := servertest.Start(t, servertest.Options{Front: front(), Data: path, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	own, err := owner.SignUp(ctx, srv.URL(), "ann@example.org", servertest.Password, time.Now, srv.Letters)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	id, err := own.Create(ctx, "Sales")
	if err != nil {
		t.Fatal(err)
	}
	link, err := own.Command(ctx, id, sharing.Enable)
	if err != nil {
		t.Fatal(err)
	}
	const agent, cookie, address = "Mozilla-of-somebody", "somebodys-cookie", "203.0.113.77"
	join := func(query string) {
		t.Helper()
		ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL(), "http")+"/share/"+link.Token.Reveal()+"/live"+query, &websocket.DialOptions{ //nolint:bodyclose // websocket.Dial has closed it
			HTTPHeader: http.Header{"User-Agent": {agent}, "Cookie": {"x=" + cookie}, "X-Forwarded-For": {address}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil {
			t.Fatal(err)
		}
		_ = ws.CloseNow()
	}
	begun := time.Now()
	join("?v=0&open=1")
	join("?v=0")        // a connection that came back
	join("?open=2&v=0") // and nonsense
	join("?open=1")
	total := func(v *wire.Views) (n uint32) {
		if v == nil {
			t.Fatal("the owner is told nothing of views")
		}
		for _, d := range v.Days {
			n += d
		}
		return n
	}
	var seen *wire.Views
	if err := own.Watch(ctx, id, func(s wire.Share) bool { seen = s.Views; return total(s.Views) == 2 }); err != nil {
		t.Fatal(err)
	}
	day, err := time.Parse(time.DateOnly, seen.Day)
	if err != nil || time.Since(day) > 25*time.Hour || seen.Last < begun.UnixMilli() || seen.Last > time.Now().UnixMilli() {
		t.Errorf("%+v, %v", seen, err)
	}
	// Who watches by a dead link has opened nothing.
	if _, err := own.Command(ctx, id, sharing.Disable); err != nil {
		t.Fatal(err)
	}
	join("?open=1")
	if link, err = own.Command(ctx, id, sharing.Enable); err != nil {
		t.Fatal(err)
	}
	join("?open=1")
	join("?open=1") // these are written when the server goes down
	srv.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{agent, cookie, address} {
		if bytes.Contains(raw, []byte(who)) {
			t.Errorf("the data file holds %q", who)
		}
	}
	st, err := boltstore.Open(boltstore.Options{Path: path, Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	if err := st.View(ctx, func(tx store.Tx) error {
		v, err := tx.Views().Get(id)
		if n := total(&wire.Views{Days: v.Days}); n != 4 {
			t.Errorf("%d views in the end", n)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
