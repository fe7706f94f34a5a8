package expiry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/expiry"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

// patience bounds how long a test waits for something that must come.
const patience = 20 * time.Second

func front() fs.FS {
	return fstest.MapFS{
		"share/share.js":   {Data: []byte("1")},
		"share/share.css":  {Data: []byte("body{}")},
		"render/render.js": {Data: []byte(`globalThis.widgets = {board: (j) => JSON.stringify({title: "", body: "<main>" + JSON.parse(j).title, css: ""}), widget: (j) => ""}`)},
	}
}

// site is a real server with an owner.
type site struct {
	*servertest.Server
	t   *testing.T
	own *owner.Owner
}

func start(t *testing.T) *site {
	t.Helper()
	s := &site{Server: servertest.Start(t, servertest.Options{Front: front()}), t: t}
	own, err := owner.SignUp(t.Context(), s.URL(), "ann@example.org", servertest.Password, time.Now, s.Letters)
	if err != nil {
		t.Fatal(err)
	}
	s.own = own
	t.Cleanup(own.Close)
	return s
}

// share makes a dashboard with a link.
func (s *site) share(title string) (board.ID, sharing.Link) {
	s.t.Helper()
	id, err := s.own.Create(s.t.Context(), title)
	if err != nil {
		s.t.Fatal(err)
	}
	return id, s.do(id, func(c *sharing.Command) { c.Action = sharing.Enable })
}

func (s *site) do(id board.ID, fill func(*sharing.Command)) sharing.Link {
	s.t.Helper()
	l, err := s.own.Do(s.t.Context(), id, fill)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *site) endIn(id board.ID, in time.Duration) (at time.Time) {
	s.t.Helper()
	at = time.Now().Add(in)
	s.do(id, func(c *sharing.Command) { c.Action, c.Expires = sharing.SetExpiry, at.UnixMilli() })
	return at
}

func (s *site) status(l sharing.Link) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL()+"/share/"+l.Token.Reveal(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// watch opens a viewer's websocket and takes the first message.
func (s *site) watch(l sharing.Link) *websocket.Conn {
	s.t.Helper()
	ws, _, err := websocket.Dial(s.t.Context(), "ws"+strings.TrimPrefix(s.URL(), "http")+"/share/"+l.Token.Reveal()+"/live", nil) //nolint:bodyclose // websocket.Dial has closed it
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = ws.CloseNow() })
	s.read(ws)
	return ws
}

// read is the type of the next message, or how the connection was closed.
func (s *site) read(ws *websocket.Conn) (message string, code websocket.StatusCode) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	_, b, err := ws.Read(ctx)
	if err != nil {
		return "", websocket.CloseStatus(err)
	}
	var m struct{ T string }
	if err := json.Unmarshal(b, &m); err != nil {
		s.t.Fatal(err)
	}
	return m.T, 0
}

// gone expects that a viewer is told and cut, at most a second after at, and not before.
func (s *site) gone(ws *websocket.Conn, at time.Time) {
	s.t.Helper()
	if m, code := s.read(ws); m != "gone" {
		s.t.Fatalf("got %q, %d", m, code)
	}
	if late := time.Since(at); late < -time.Millisecond || late > servertest.AtOnce {
		s.t.Errorf("cut %s after the end", late)
	}
	if _, code := s.read(ws); code != wire.CloseDenied {
		s.t.Errorf("closed with %d", code)
	}
}

func (s *site) told(id board.ID, done func(wire.Share) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.own.Watch(ctx, id, done); err != nil {
		s.t.Fatal(err)
	}
}

func TestL5_V1_TheLinkEndsByItself(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, l := s.share("Sales")
	other, l2 := s.share("Others")
	viewers := []*websocket.Conn{s.watch(l), s.watch(l), s.watch(l)}
	bystander := s.watch(l2)
	at := s.endIn(id, 400*time.Millisecond)
	for _, ws := range viewers {
		s.gone(ws, at)
	}
	if got := s.status(l); got != http.StatusNotFound {
		t.Errorf("the page is answered %d", got)
	}
	s.told(id, func(w wire.Share) bool { return w.Link.Expired && w.Link.Enabled && w.Link.Token == l.Token })
	// Nobody else notices.
	if err := s.own.Edit(t.Context(), other, owner.Set(board.BoardEntity, board.FieldTitle, "Still here")); err != nil {
		t.Fatal(err)
	}
	if m, _ := s.read(bystander); m != "patch" {
		t.Errorf("a viewer of another dashboard got %q", m)
	}
	// Another end revives the same address (rule L5).
	s.endIn(id, time.Hour)
	if got := s.status(l); got != http.StatusOK {
		t.Errorf("revived, the page is answered %d", got)
	}
	s.watch(l)
}

func TestL5_V2_TheOwnerGetsAReceipt(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, l := s.share("Sales")
	viewers := []*websocket.Conn{s.watch(l), s.watch(l)}
	at := s.endIn(id, 300*time.Millisecond)
	for _, ws := range viewers {
		s.gone(ws, at)
	}
	cut := 0
	s.told(id, func(w wire.Share) bool {
		cut += w.Cut
		return cut == len(viewers) && w.CutMS < 1000
	})
}

func TestL5_P4_SessionsEnd(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, _ := s.share("Sales")
	before := s.do(id, func(c *sharing.Command) {
		c.Action = sharing.SetExpiry
		c.Expires = time.Now().Add(200 * time.Millisecond).UnixMilli()
	})
	s.told(id, func(w wire.Share) bool { return w.Link.Expired && w.Link.Revision > before.Revision })
}

func TestL5_V3_ACommandFromBeforeTheEndIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, _ := s.share("Sales")
	set := s.do(id, func(c *sharing.Command) {
		c.Action = sharing.SetExpiry
		c.Expires = time.Now().Add(200 * time.Millisecond).UnixMilli()
	})
	s.told(id, func(w wire.Share) bool { return w.Link.Expired })
	for _, a := range []sharing.Action{sharing.Enable, sharing.SetExpiry, sharing.Rotate} {
		l, err := s.own.Do(t.Context(), id, func(c *sharing.Command) { c.Action, c.Base = a, set.Version })
		if fault.KindOf(err) != fault.Conflict || !l.Expired {
			t.Errorf("%s: %v, %+v", a, err, l)
		}
	}
}

func TestL5_OverdueAfterARestart(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, l := s.share("Sales")
	at := s.endIn(id, 300*time.Millisecond)
	s.Kill()
	select {
	case <-time.After(time.Until(at) + 50*time.Millisecond): // the end passes while nothing runs
	case <-t.Context().Done():
	}
	s.Restart()
	if got := s.status(l); got != http.StatusNotFound {
		t.Errorf("the page is answered %d", got)
	}
	again, err := owner.LogIn(t.Context(), s.URL(), "ann@example.org", servertest.Password, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for deadline := time.Now().Add(patience); !again.Link(id).Expired; {
		if time.Now().After(deadline) {
			t.Fatal("it was not carried out")
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := again.Watch(ctx, id, func(w wire.Share) bool { return w.Link.Expired }); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}

// disk is a store that can be made to fail.
type disk struct {
	store.Store
	mu     sync.Mutex
	broken error
}

func (d *disk) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.mu.Lock()
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

// heard notes when access to which dashboards changed.
type heard struct {
	mu  sync.Mutex
	ids []board.ID
	job *expiry.Job
}

func (h *heard) Content(board.ID, content.Step) {}
func (h *heard) List([]store.AccountID)         {}
func (h *heard) People([]board.ID)              {}
func (h *heard) Access(c content.AccessChange) {
	h.mu.Lock()
	h.ids = append(h.ids, c.Board)
	h.mu.Unlock()
	h.job.AccessChanged(c.Board)
}

func (h *heard) take() []board.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := h.ids
	h.ids = nil
	return ids
}

const (
	ann = store.AccountID("acc_ann")
	one = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1A")
	two = board.ID("dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1B")
)

// world is a Job over a store, in a bubble with its own clock.
type world struct {
	t     *testing.T
	disk  *disk
	heard *heard
	log   strings.Builder
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db"), Rehearse: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, disk: &disk{Store: st}, heard: &heard{}}
	w.heard.job = expiry.New(expiry.Config{Store: w.disk, Events: w.heard, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: time.Now})
	t.Cleanup(func() {
		w.heard.job.Close()
		_ = st.Close()
	})
	w.update(func(tx store.Tx) error {
		if err := tx.Accounts().Put(store.Account{ID: ann, Email: "ann", Personal: "org_ann"}); err != nil {
			return err
		}
		return content.Create(tx, w.heard, ann, []content.NewBoard{{ID: one, Epoch: 1}, {ID: two, Epoch: 2}})
	})
	return w
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.disk.Store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// endIn sets the end of a link, as a command that was committed.
func (w *world) endIn(id board.ID, in time.Duration) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		c := string(id[len(id)-1:])
		l := store.Link{Enabled: true, Token: store.Token("shr_" + strings.Repeat(c, 24)), ShortID: store.ShortID(strings.Repeat(c, 10)), Version: 1}
		l.Expires = time.Now().Add(in).UnixMilli()
		if in == 0 {
			l.Expires = 0
		}
		tx.After(func() { w.heard.job.AccessChanged(id) })
		return tx.Links().Put(id, l)
	})
}

func (w *world) ended(id board.ID) (is bool) {
	w.t.Helper()
	if err := w.disk.View(w.t.Context(), func(tx store.Tx) error {
		l, err := tx.Links().Get(id)
		is = l.Expired
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return is
}

// after lets time pass and everything come to rest.
func after(d time.Duration) {
	time.Sleep(d) // in a bubble
	synctest.Wait()
}

func TestL5_TheJobSleepsUntilTheNextEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.endIn(one, 10*time.Hour)
		w.heard.job.Start()
		after(9 * time.Hour)
		if w.ended(one) || len(w.heard.take()) != 0 {
			t.Error("it ended before its time")
		}
		w.endIn(two, 30*time.Minute) // nearer than what the job sleeps for
		after(30*time.Minute - time.Millisecond)
		if w.ended(two) {
			t.Error("the second ended before its time")
		}
		after(time.Millisecond)
		if !w.ended(two) || w.ended(one) {
			t.Error("the second did not end to the millisecond, or the first did too")
		}
		w.endIn(one, 0) // no end any more
		after(100 * time.Hour)
		if w.ended(one) {
			t.Error("a link without an end ended")
		}
	})
}

func TestL5_TwoAtTheSameMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.endIn(one, time.Minute)
		w.endIn(two, time.Minute)
		w.heard.job.Start()
		after(time.Minute)
		if !w.ended(one) || !w.ended(two) || len(w.heard.take()) != 2 {
			t.Error("not both ended, or not once")
		}
	})
}

func TestL5_WhatIsOverdueEndsAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.endIn(one, time.Minute)
		after(time.Hour)
		w.heard.job.Start()
		synctest.Wait()
		if !w.ended(one) {
			t.Error("it did not end")
		}
	})
}

// With a store that fails, viewers are sent away on time all the same, and the end is written when that works again.
func TestL5_V1_AStoreThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.endIn(one, time.Minute)
		w.heard.job.Start()
		w.disk.set(errors.New("no space"))
		after(time.Minute)
		if ids := w.heard.take(); len(ids) == 0 || ids[0] != one {
			t.Errorf("access was not asked for again: %v", ids)
		}
		after(10 * time.Minute)
		if n := len(w.heard.take()); n > 20 {
			t.Errorf("it tried %d times in ten minutes", n)
		}
		if w.ended(one) || !strings.Contains(w.log.String(), "no space") {
			t.Error("it ended, or nobody was told why not")
		}
		w.disk.set(nil)
		after(time.Minute)
		if !w.ended(one) {
			t.Error("it did not end when the store worked again")
		}
	})
}
