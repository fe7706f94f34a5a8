package webapp

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// Limits of the pictures that are kept. One dashboard alone may be larger than maxLiveBytes.
const (
	maxLives     = 512
	maxLiveBytes = 384 << 20 // of rows, roughly
)

// live is one dashboard's content in memory, for all browsers that show it. It follows the dashboard's log: refresh brings
// it to what a transaction holds.
//
// There are two screens of it, one for those who edit and one, of what is published, for those who view. They step forward
// together. A version as browsers see it is twice that of the screens, plus one for viewers: so somebody whose role has
// changed has a version of which no changes are known, and gets everything anew.
type live struct {
	id board.ID

	// mu guards what follows. It is held while the store is read, never while it is written.
	mu      sync.Mutex
	state   *replica.State // nil until somebody looks
	at      content.Version
	access  uint64 // epoch of access
	editors *screen.Screen
	viewers *screen.Screen

	// Under lives.mu.
	used  time.Time
	bytes int
}

// audience says which of the screens a grant's holder sees.
func (l *live) audience(g access.Grant) (s *screen.Screen, parity int64) {
	if g.May(access.Edit) {
		return l.editors, 0
	}
	return l.viewers, 1
}

// version is that of the picture as a grant's holder has it. The caller holds l.mu.
func (l *live) version(g access.Grant) int64 {
	s, parity := l.audience(g)
	return 2*s.Version() + parity
}

// afterAll is a version that is later than all those of a dashboard which is not in memory: they begin with the time in ms,
// doubled, and a dashboard does not change as fast as that counts.
func afterAll(now int64) int64 { return 2*now + 2 }

// touch makes a new version in which something beside the content has changed. The caller holds l.mu.
func (l *live) touch() {
	if l.state != nil {
		l.editors.Touch()
		l.viewers.Touch()
	}
}

// refresh brings l to what tx holds. g must have been made in tx, which must have begun while l.mu was held.
func (l *live) refresh(tx store.Tx, g access.Grant, now int64) error {
	hub, err := content.Open(tx, g)
	if err != nil {
		return err //nolint:wrapcheck // says what it was doing
	}
	if l.access != g.Epoch() {
		l.access = g.Epoch()
		l.touch()
	}
	epoch, seq := hub.Head()
	for l.state != nil && epoch == l.at.Epoch && l.at.Seq < seq {
		d, ok, err := hub.Since(epoch, l.at.Seq, wire.MaxBatchOps, wire.MaxBatchBytes)
		if err != nil {
			return fmt.Errorf("read the log of %s: %w", l.id, err)
		}
		if !ok || d.To <= l.at.Seq {
			break
		}
		l.take(d.Entries)
		l.at.Seq = d.To
	}
	if l.state != nil && l.at == (content.Version{Epoch: epoch, Seq: seq}) {
		return nil
	}
	state, err := hub.State()
	if err != nil {
		l.state = nil
		return fmt.Errorf("read dashboard %s: %w", l.id, err)
	}
	view := board.NewView(l.id, state)
	if l.editors == nil {
		l.editors, l.viewers = screen.New(view, now), screen.New(board.Publish(view), now)
	} else {
		l.show(view, 0)
	}
	l.state, l.at = state, content.Version{Epoch: epoch, Seq: seq}
	return nil
}

// take merges entries of the log, as one version for each run of entries that one device made.
func (l *live) take(entries []replica.Entry) {
	for len(entries) > 0 {
		by, n := entries[0].Op.At().Dev, 1
		for n < len(entries) && entries[n].Op.At().Dev == by {
			n++
		}
		ops := make([]replica.Op, n)
		for i := range ops {
			ops[i] = entries[i].Op
		}
		l.show(screen.Apply(l.state, l.editors.View(), ops), by)
		entries = entries[n:]
	}
}

func (l *live) show(view board.View, by uint64) {
	l.editors.Advance(view, by)
	l.viewers.Advance(board.Publish(view), by)
}

// size is roughly what the rows take. The caller holds l.mu.
func (l *live) size() int {
	n := 0
	if l.editors == nil {
		return n
	}
	for _, w := range l.editors.View().Widgets {
		for _, r := range w.Rows {
			n += len(r) + 64 // in the replica and in two pictures
		}
	}
	return n
}

// lives are the dashboards in memory. Those that were not used for longest go first.
type lives struct {
	mu    sync.Mutex
	all   map[board.ID]*live
	bytes int
}

func newLives() *lives { return &lives{all: map[board.ID]*live{}} }

// get returns a dashboard's place in memory, empty if it was not there. Whoever is done with it says so by used.
func (m *lives) get(id board.ID, now time.Time) *live {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.all[id]
	if l == nil {
		l = &live{id: id}
		m.all[id] = l
	}
	l.used = now
	return l
}

// weigh notes how much memory a dashboard takes by now, and makes room. Whoever still holds one that goes may use it on: it
// is not wrong, only not shared any more.
func (m *lives) weigh(l *live, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all[l.id] != l {
		return
	}
	m.bytes += bytes - l.bytes
	l.bytes = bytes
	if len(m.all) <= maxLives && m.bytes <= maxLiveBytes {
		return
	}
	byUse := make([]*live, 0, len(m.all))
	for _, o := range m.all {
		byUse = append(byUse, o)
	}
	slices.SortFunc(byUse, func(a, b *live) int { return cmp.Compare(a.used.UnixNano(), b.used.UnixNano()) })
	for _, o := range byUse {
		if o == l || len(m.all) <= maxLives && m.bytes <= maxLiveBytes {
			break
		}
		delete(m.all, o.id)
		m.bytes -= o.bytes
	}
}

// drop takes out a dashboard of which nothing is in memory.
func (m *lives) drop(l *live) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all[l.id] == l {
		m.bytes -= l.bytes
		delete(m.all, l.id)
	}
}

// forget drops a dashboard.
func (m *lives) forget(id board.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.all[id]; l != nil {
		m.bytes -= l.bytes
		delete(m.all, id)
	}
}
