package workspace

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"

	"widgets.pro/shared/board"
)

// maxNotices bounds the notices that a subscription holds; the oldest go first.
const maxNotices = 32

// Subscription collects events until they are fetched: at most one EventState, one EventBoard for each dashboard (the
// latest), and the latest 32 notices. A subscriber that is slow therefore sees fewer events, and misses no change.
type Subscription struct {
	owner *Workspace
	ready chan struct{} // holds one token while there is something to fetch
	ended chan struct{}

	mu      sync.Mutex
	closed  bool
	state   bool
	boards  map[board.ID]int64
	notices []Notice
}

// Subscribe starts collecting events. Close the subscription when done.
func (w *Workspace) Subscribe() *Subscription {
	s := &Subscription{owner: w, ready: make(chan struct{}, 1), ended: make(chan struct{}), boards: map[board.ID]int64{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs[s] = struct{}{}
	return s
}

// Wait blocks until there are events and returns them, notices last. The error is ctx's, or io.EOF after Close.
func (s *Subscription) Wait(ctx context.Context) ([]Event, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ended:
		return nil, io.EOF
	case <-s.ready:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Event{}
	if s.state {
		out = append(out, Event{Type: EventState})
	}
	for _, id := range slices.Sorted(maps.Keys(s.boards)) {
		out = append(out, Event{Type: EventBoard, ID: id, Version: s.boards[id]})
	}
	for _, n := range s.notices {
		out = append(out, Event{Type: EventNotice, Notice: &n})
	}
	s.state, s.notices = false, nil
	clear(s.boards)
	return out, nil
}

// Close ends the subscription. It may be called twice.
func (s *Subscription) Close() {
	s.owner.mu.Lock()
	delete(s.owner.subs, s)
	s.owner.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.ended)
	}
}

func (s *Subscription) put(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		switch e.Type {
		case EventState:
			s.state = true
		case EventBoard:
			s.boards[e.ID] = e.Version
		case EventNotice:
			s.notices = append(s.notices, *e.Notice)
			s.notices = s.notices[max(0, len(s.notices)-maxNotices):]
		}
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// publish tells all subscribers. It does not block. The caller does not hold w.mu.
func (w *Workspace) publish(events ...Event) {
	w.mu.RLock()
	subs := slices.Collect(maps.Keys(w.subs))
	w.mu.RUnlock()
	for _, s := range subs {
		s.put(events)
	}
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// inHistory says of a notice that the dashboard's history tells more of it.
func inHistory(e Event) Event {
	e.Notice.History = true
	return e
}

func notice(kind NoticeKind, id board.ID, message, hint string) Event {
	return Event{Type: EventNotice, Notice: &Notice{Kind: kind, Message: message, Hint: hint, Board: id}}
}
