package room

import (
	"widgets.pro/shared/board"
)

// Audience says how much of a dashboard's people somebody is told; see wire.People.
type Audience int

// The audiences.
const (
	Editors Audience = iota // names
	Sharers                 // addresses and invitations too
	audiences
)

// people is what was last told of a dashboard's people, once for each audience. Version counts the changes; a frame that
// was made before the latest one is not kept.
type people struct {
	version uint64
	frames  [audiences][]byte
}

func (r *room) changed() { r.people = people{version: r.people.version + 1} }

// People tells those in the rooms that what is told of the people of these dashboards has changed.
func (r *Rooms) People(boards []board.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range boards {
		if rm := r.rooms[id]; rm != nil {
			rm.changed()
			for s := range rm.seats {
				s.tellPeople()
			}
		}
	}
}

func (s *Seat) tellPeople() {
	p := &s.member.pending.People
	if *p == nil {
		*p = map[board.ID]struct{}{}
	}
	(*p)[s.board] = struct{}{}
	s.member.nudge()
}

// People is the frame that an audience was last told, nil if it must be made; and the version to hand to KeepPeople with it.
// Whether the connection belongs to the audience is for the caller to know.
func (s *Seat) People(a Audience) (frame []byte, version uint64) {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	return s.room.people.frames[a], s.room.people.version
}

// KeepPeople keeps a frame for the others in the room. The version must have been asked for before the store was read.
func (s *Seat) KeepPeople(a Audience, version uint64, frame []byte) {
	s.member.rooms.mu.Lock()
	defer s.member.rooms.mu.Unlock()
	if s.room.people.version == version {
		s.room.people.frames[a] = frame
	}
}
