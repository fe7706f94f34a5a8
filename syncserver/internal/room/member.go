package room

import (
	"fmt"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

const (
	maxPiece      = wire.MaxBatchBytes // bytes of values in one piece; a frame is at most twice that
	entryOverhead = 192                // bytes of JSON around the values of one entry
)

// Member is one connection. Its methods are for the one goroutine that writes to the connection, but for Leave.
type Member struct {
	rooms   *Rooms
	account store.AccountID
	session store.Hash
	wakeup  chan struct{}
	pending Pending // under Rooms.mu, as is all below
	seats   map[board.ID]*Seat
	look    *look
	gone    bool
}

// Pending is what has happened since a connection last looked.
type Pending struct {
	// List says that the account's list of dashboards has changed.
	List bool
	// Share holds the dashboards whose link or viewers have changed.
	Share map[board.ID]Receipt
	// People and Presence hold those followed dashboards of which the people have changed, and who looks at them.
	People, Presence map[board.ID]struct{}
	// Seats are those for which Seat.Next may have something.
	Seats []*Seat
	// Ended says that the session is over.
	Ended bool
}

// Receipt says how many viewers a change of access cut off and how long the slowest took (rule V2). Watching is how many
// look now.
type Receipt struct {
	Cut      int
	Slowest  time.Duration
	Watching int
}

// Enter makes a connection known. Leave must be called when it ends.
func (r *Rooms) Enter(account store.AccountID, session store.Hash) *Member {
	m := &Member{rooms: r, account: account, session: session, wakeup: make(chan struct{}, 1), seats: map[board.ID]*Seat{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accounts[account] == nil {
		r.accounts[account] = map[*Member]struct{}{}
	}
	r.accounts[account][m] = struct{}{}
	return m
}

// Connections counts the connections of an account.
func (r *Rooms) Connections(account store.AccountID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.accounts[account])
}

// Leave takes the connection out of every room.
func (m *Member) Leave() {
	m.rooms.mu.Lock()
	defer m.rooms.mu.Unlock()
	m.gone = true
	m.lookAway()
	for _, s := range m.seats {
		s.leave()
	}
	delete(m.rooms.accounts[m.account], m)
	if len(m.rooms.accounts[m.account]) == 0 {
		delete(m.rooms.accounts, m.account)
	}
}

// Wake receives when Take has something.
func (m *Member) Wake() <-chan struct{} { return m.wakeup }

// Take returns what is pending and clears it.
func (m *Member) Take() Pending {
	m.rooms.mu.Lock()
	defer m.rooms.mu.Unlock()
	p := m.pending
	m.pending = Pending{}
	for _, s := range p.Seats {
		s.awake = false
	}
	for id, rc := range p.Share {
		rc.Watching = m.rooms.watching[id]
		p.Share[id] = rc
	}
	return p
}

func (m *Member) nudge() {
	select {
	case m.wakeup <- struct{}{}:
	default: // it is awake already
	}
}

func (m *Member) share(id board.ID, rc Receipt) {
	if m.pending.Share == nil {
		m.pending.Share = map[board.ID]Receipt{}
	}
	have := m.pending.Share[id]
	have.Cut += rc.Cut
	have.Slowest = max(have.Slowest, rc.Slowest)
	m.pending.Share[id] = have
	m.nudge()
}

// Seat is a connection's place in the room of one dashboard.
type Seat struct {
	member *Member
	board  board.ID
	room   *room
	awake  bool // listed in the member's pending seats
}

// Join takes a seat, or returns the one that the connection has. Whoever joins reads the store from its cursor afterwards.
func (m *Member) Join(id board.ID) *Seat {
	m.rooms.mu.Lock()
	defer m.rooms.mu.Unlock()
	if s := m.seats[id]; s != nil {
		return s
	}
	rm := m.rooms.rooms[id]
	if rm == nil {
		rm = &room{seats: map[*Seat]struct{}{}}
		m.rooms.rooms[id] = rm
	}
	s := &Seat{member: m, board: id, room: rm}
	rm.seats[s] = struct{}{}
	m.seats[id] = s
	return s
}

// CutOff gives the seat up of somebody who could see the dashboard and may not any more, and tells those who remain (rule V2).
func (s *Seat) CutOff() {
	r := s.member.rooms
	r.mu.Lock()
	defer r.mu.Unlock()
	rc := Receipt{Cut: 1}
	if r.now != nil && !s.room.lastChange.IsZero() {
		rc.Slowest = max(0, r.now().Sub(s.room.lastChange))
	}
	s.leave()
	r.tellShare(s.board, rc)
}

// Leave gives the seat up.
func (s *Seat) Leave() {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	s.leave()
}

func (s *Seat) leave() {
	delete(s.member.seats, s.board)
	delete(s.room.seats, s)
	if len(s.room.seats) == 0 && s.member.rooms.rooms[s.board] == s.room {
		delete(s.member.rooms.rooms, s.board)
	}
}

// Again lists the seat as pending, for a connection that has not taken everything at once.
func (s *Seat) Again() {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	s.wake()
}

func (s *Seat) wake() {
	if !s.awake {
		s.awake = true
		s.member.pending.Seats = append(s.member.pending.Seats, s)
	}
	s.member.nudge()
}

// Board is the dashboard.
func (s *Seat) Board() board.ID { return s.board }

// Position is up to where a connection has the log.
type Position struct {
	Epoch, Seq uint64
}

// State says how things stand for a connection at a position.
type State int

// The states: a piece follows; there is nothing more; the pieces are gone and the store must be read; the grant is void
// and access must be asked again.
const (
	Piece State = iota
	UpToDate
	Behind
	Void
)

// Next returns the frame that follows position at, and the position after it.
func (s *Seat) Next(g access.Grant, at Position) (frame []byte, next Position, st State, err error) {
	p, st := s.next(g, at)
	if p == nil {
		return nil, at, st, nil
	}
	e := &p.viewers
	if g.May(access.Edit) {
		e = &p.editors
	}
	e.once.Do(func() {
		var d replica.Delta
		if d, e.whole = p.step.For(g); e.whole {
			e.frame, e.err = wire.Encode(wire.Delta{Board: s.board, Delta: d})
		}
	})
	switch {
	case e.err != nil:
		return nil, at, st, fmt.Errorf("encode changes of %s: %w", s.board, e.err)
	case !e.whole:
		return nil, at, Behind, nil
	}
	return e.frame, Position{Epoch: at.Epoch, Seq: p.step.To}, Piece, nil
}

func (s *Seat) next(g access.Grant, at Position) (*piece, State) {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	if g.Epoch() < s.room.epoch || !g.May(access.View) {
		return nil, Void
	}
	n := len(s.room.pieces)
	if n == 0 {
		return nil, UpToDate
	}
	last := s.room.pieces[n-1].step
	if last.Epoch != content.Epoch(g, at.Epoch) {
		return nil, Behind
	}
	if at.Seq >= last.To {
		return nil, UpToDate
	}
	for _, p := range s.room.pieces {
		if p.step.From == at.Seq {
			return p, Piece
		}
	}
	return nil, Behind
}

// Valid reports whether a grant is still good.
func (s *Seat) Valid(g access.Grant) bool {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	return g.Epoch() >= s.room.epoch && g.May(access.View)
}
