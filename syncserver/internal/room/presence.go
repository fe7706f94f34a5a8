package room

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/store"
)

const (
	// lookLasts is how long somebody counts as looking who does not say so again.
	lookLasts = 3 * wire.LookEvery * time.Millisecond
	// presenceEvery is the least time between two tellings of who looks at a dashboard.
	presenceEvery = time.Second
	// maxPresent bounds how many of those who look are told of.
	maxPresent = 100
)

// look is what a connection has before it. It ends when its timer fires.
type look struct {
	member  *Member
	board   board.ID
	name    string
	editing bool
	over    *time.Timer
}

// looking is who looks at one dashboard, on however many connections.
type looking struct {
	looks map[*look]struct{}
	told  []wire.Present
	// pause runs from one telling until the next is allowed; nil while one is allowed.
	pause *time.Timer
}

// Look says that a connection has a dashboard before it that its account may see, under the name that others know the
// account by, and whether it has just changed it. It counts until it is said again of another, or lookLasts is over. The
// empty board is none.
func (m *Member) Look(id board.ID, name string, editing bool) {
	m.rooms.mu.Lock()
	defer m.rooms.mu.Unlock()
	if m.gone {
		return
	}
	if l := m.look; l != nil && l.board == id {
		l.over.Reset(lookLasts)
		if l.editing != editing || l.name != name {
			l.editing, l.name = editing, name
			m.rooms.presence(id)
		}
		return
	}
	m.lookAway()
	if id == "" {
		return
	}
	l := &look{member: m, board: id, name: name, editing: editing}
	l.over = time.AfterFunc(lookLasts, func() {
		m.rooms.mu.Lock()
		defer m.rooms.mu.Unlock()
		if m.look == l {
			m.lookAway()
		}
	})
	m.look = l
	at := m.rooms.looks[id]
	if at == nil {
		at = &looking{looks: map[*look]struct{}{}}
		m.rooms.looks[id] = at
	}
	at.looks[l] = struct{}{}
	m.rooms.presence(id)
}

// LookAway is Look at nothing, if what the connection has before it is this dashboard.
func (m *Member) LookAway(id board.ID) {
	m.rooms.mu.Lock()
	defer m.rooms.mu.Unlock()
	if m.look != nil && m.look.board == id {
		m.lookAway()
	}
}

func (m *Member) lookAway() {
	l := m.look
	if l == nil {
		return
	}
	m.look = nil
	l.over.Stop()
	delete(m.rooms.looks[l.board].looks, l)
	m.rooms.presence(l.board)
}

// presence tells who looks at a dashboard if that is somebody else than was told last: at once, or when it may be told
// again.
func (r *Rooms) presence(id board.ID) {
	at := r.looks[id]
	if at.pause != nil {
		return
	}
	now := at.present()
	if slices.Equal(now, at.told) {
		if len(at.looks) == 0 {
			delete(r.looks, id)
		}
		return
	}
	at.told = now
	if rm := r.rooms[id]; rm != nil {
		for s := range rm.seats {
			s.tellPresence()
		}
	}
	at.pause = time.AfterFunc(presenceEvery, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		at.pause = nil
		r.presence(id)
	})
}

// present is one entry for each account, in the order of their ids.
func (l *looking) present() []wire.Present {
	all := map[store.AccountID]wire.Present{}
	for k := range l.looks {
		p := all[k.member.account]
		all[k.member.account] = wire.Present{Account: string(k.member.account), Name: k.name, Editing: p.Editing || k.editing}
	}
	out := slices.SortedFunc(maps.Values(all), func(a, b wire.Present) int { return cmp.Compare(a.Account, b.Account) })
	return out[:min(len(out), maxPresent)]
}

// Present is who looks at the seat's dashboard now, as it was last told.
func (s *Seat) Present() []wire.Present {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	if at := s.member.rooms.looks[s.board]; at != nil {
		return slices.Clone(at.told)
	}
	return nil
}

func (s *Seat) tellPresence() {
	p := &s.member.pending.Presence
	if *p == nil {
		*p = map[board.ID]struct{}{}
	}
	(*p)[s.board] = struct{}{}
	s.member.nudge()
}
