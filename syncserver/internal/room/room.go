// Package room knows which devices are connected and tells them what was committed.
//
// Each connection is a Member, with a Seat in the room of each dashboard that it follows. Nothing is queued for a
// connection: a room keeps the latest pieces of its dashboard's log, each encoded once for all, and a seat is woken when
// there is more. The connection takes the pieces one after the other from where it is; when it was too slow and they are
// gone, it reads the store from its cursor instead. So memory is bounded for each room and slow devices are
// resynchronised rather than cut.
//
// A change of access reaches seats in the same order as the pieces: from then on Seat.Next gives nothing to a grant of an
// earlier epoch, and the connection has to ask access again (rules V1, SI6). The package knows neither sockets nor the
// store. Start reading at Rooms, then Seat.Next.
package room

import (
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// What a room keeps of its dashboard's log, beyond which slow devices read the store.
const (
	keepPieces = 64
	keepBytes  = 2 << 20
)

// Rooms are all rooms and connections of a server. It hears of commits as content.Events. It is safe for concurrent use.
type Rooms struct {
	relays []Relay
	now    func() time.Time // nil means that nobody asks how long anything took

	mu       sync.Mutex
	rooms    map[board.ID]*room
	accounts map[store.AccountID]map[*Member]struct{}
	watching map[board.ID]int
	looks    map[board.ID]*looking
}

// Relay passes on what happens to a dashboard to the viewers of its link. Its methods must not block.
type Relay interface {
	// Changed tells that the content is another.
	Changed(id board.ID)
	// AccessChanged tells that who may look has changed: after it returns nobody is shown anything without being asked
	// for leave again.
	AccessChanged(id board.ID)
}

var _ content.Events = (*Rooms)(nil)

// New makes empty Rooms. Attach a Relay before the first commit if there are viewers to tell.
func New() *Rooms {
	return &Rooms{
		rooms:    map[board.ID]*room{},
		accounts: map[store.AccountID]map[*Member]struct{}{},
		watching: map[board.ID]int{},
		looks:    map[board.ID]*looking{},
	}
}

// Time gives the clock by which is told how long it took to cut somebody off. Call it before the first connection.
func (r *Rooms) Time(now func() time.Time) { r.now = now }

// Attach names one more who passes on what happens, such as to the viewers of links.
func (r *Rooms) Attach(relay Relay) { r.relays = append(r.relays, relay) }

// room is one dashboard with connections. All fields are under Rooms.mu.
type room struct {
	seats  map[*Seat]struct{}
	epoch  uint64 // of access: grants of an earlier one are void
	pieces []*piece
	bytes  int
	people people
	// lastChange is when access last changed.
	lastChange time.Time
}

// piece is one step of a dashboard's log, encoded when first needed: once for all who edit and once for all who view.
type piece struct {
	step             content.Step
	size             int
	editors, viewers encoded
}

// encoded is a frame that is made once; whole is false where the step alone does not do, see content.Step.For.
type encoded struct {
	once  sync.Once
	whole bool
	frame []byte
	err   error
}

// Content hands a step of the log to everybody in the room.
func (r *Rooms) Content(id board.ID, step content.Step) {
	r.mu.Lock()
	if rm := r.rooms[id]; rm != nil {
		for _, p := range split(step) {
			rm.pieces = append(rm.pieces, p)
			rm.bytes += p.size
		}
		for len(rm.pieces) > 1 && (len(rm.pieces) > keepPieces || rm.bytes > keepBytes) {
			rm.bytes -= rm.pieces[0].size
			rm.pieces[0] = nil
			rm.pieces = rm.pieces[1:]
		}
		for s := range rm.seats {
			s.wake()
		}
	}
	r.mu.Unlock()
	if len(step.Entries) == 0 {
		return
	}
	for _, relay := range r.relays {
		relay.Changed(id)
	}
}

// Access voids the grants of everybody in the room and tells those who manage sharing.
func (r *Rooms) Access(c content.AccessChange) {
	r.mu.Lock()
	if rm := r.rooms[c.Board]; rm != nil {
		rm.epoch = max(rm.epoch, c.Epoch)
		if r.now != nil {
			rm.lastChange = r.now()
		}
		rm.changed()
		for s := range rm.seats {
			s.wake()
			s.member.share(c.Board, Receipt{})
			s.tellPeople()
			s.tellPresence()
		}
	}
	for _, a := range c.Accounts {
		for m := range r.accounts[a] {
			m.share(c.Board, Receipt{})
		}
	}
	r.mu.Unlock()
	for _, relay := range r.relays {
		relay.AccessChanged(c.Board)
	}
}

// List tells accounts' connections that there are more or fewer dashboards for them.
func (r *Rooms) List(accounts []store.AccountID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range accounts {
		for m := range r.accounts[a] {
			m.pending.List = true
			m.nudge()
		}
	}
}

// Watching tells those in the room how many viewers look at the dashboard by its link.
func (r *Rooms) Watching(id board.ID, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watching[id] == n {
		return
	}
	if n == 0 {
		delete(r.watching, id)
	} else {
		r.watching[id] = n
	}
	r.tellShare(id, Receipt{})
}

// Watchers is how many viewers look at the dashboard by its link, as was told last.
func (r *Rooms) Watchers(id board.ID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watching[id]
}

// Cut tells those in the room how many viewers a change of access has cut off and how long the slowest took (rule V2).
func (r *Rooms) Cut(id board.ID, cut int, slowest time.Duration) {
	if cut == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellShare(id, Receipt{Cut: cut, Slowest: slowest})
}

// Viewed tells those in the room that the dashboard's link was opened (rule L7).
func (r *Rooms) Viewed(id board.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellShare(id, Receipt{})
}

func (r *Rooms) tellShare(id board.ID, rc Receipt) {
	if rm := r.rooms[id]; rm != nil {
		for s := range rm.seats {
			s.member.share(id, rc)
		}
	}
}

// EndSession ends the connections of a session that is over.
func (r *Rooms) EndSession(session store.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, members := range r.accounts {
		for m := range members {
			if m.session == session {
				m.pending.Ended = true
				m.nudge()
			}
		}
	}
}

// split cuts a step of the log into pieces that fit into a frame each.
func split(step content.Step) []*piece {
	var out []*piece
	start, size, from := 0, 0, step.From
	for i := range step.Entries {
		n := step.Entries[i].Op.Size() + entryOverhead
		if i > start && size+n > maxPiece {
			to := step.Entries[i-1].Seq
			out = append(out, &piece{step: step.Part(from, to, step.Entries[start:i]), size: size})
			start, size, from = i, 0, to
		}
		size += n
	}
	return append(out, &piece{step: step.Part(from, step.To, step.Entries[start:]), size: size})
}
