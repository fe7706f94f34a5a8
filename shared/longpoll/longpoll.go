// Package longpoll numbers the events that screens wait for and hands them to long polls.
//
// It does no I/O and knows neither HTTP nor where events come from. Start reading at Hub.
package longpoll

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
)

// Wait is how long a poll waits for an event, where nothing else is asked for.
const Wait = 20 * time.Second

// maxNotices is how many notices are kept for screens that are slow to ask.
const maxNotices = 32

// MaxClient bounds a client's name in bytes.
const MaxClient = 64

// Hub numbers events and hands them to long polls. Of each dashboard, and of the state, only the latest event is kept,
// so a screen that asks seldom gets few events and misses no change; nothing grows with time. It is safe for concurrent
// use.
type Hub struct {
	atOnce  int
	mu      sync.Mutex
	first   int64 // numbers before this one are of an earlier run
	seq     int64 // of the latest event
	state   int64
	boards  map[board.ID]numbered
	notices []numbered // the latest maxNotices
	told    int64      // number of the latest event that some screen has got
	wake    chan struct{}
	polls   []*poll // oldest first
	closed  bool
}

type numbered struct {
	seq   int64
	event screen.Event
}

type poll struct {
	client string
	end    chan struct{}
}

// Batch answers a poll. Reset says that the asker's number was not known and everything should be fetched again.
type Batch struct {
	Next   int64          `json:"next"`
	Events []screen.Event `json:"events"`
	Reset  bool           `json:"reset,omitempty"`
}

// New returns a Hub. Start numbers the first event, so that a screen left over from an earlier run does not take its numbers
// for ours: the time of the start in milliseconds will do. AtOnce bounds the polls that wait; one more ends the oldest.
func New(start int64, atOnce int) *Hub {
	start = max(start, 1)
	return &Hub{atOnce: atOnce, first: start, seq: start, told: start, boards: map[board.ID]numbered{}, wake: make(chan struct{})}
}

// Publish numbers events and wakes the polls. It does not block.
func (h *Hub) Publish(events ...screen.Event) {
	if len(events) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		h.seq++
		switch e.Type {
		case screen.EventState:
			h.state = h.seq
		case screen.EventBoard:
			h.boards[e.ID] = numbered{h.seq, e}
		case screen.EventNotice:
			h.notices = append(h.notices, numbered{h.seq, e})
			h.notices = h.notices[max(0, len(h.notices)-maxNotices):]
		}
	}
	close(h.wake)
	h.wake = make(chan struct{})
}

// Wait returns the events after number after, waiting for one until the time is up, ctx ends, the same client polls again
// or the Hub is closed; then the batch is empty.
func (h *Hub) Wait(ctx context.Context, after int64, client string, atMost time.Duration) Batch {
	h.mu.Lock()
	if after < h.first || after > h.seq {
		defer h.mu.Unlock()
		b := Batch{Next: h.seq, Events: []screen.Event{{Type: screen.EventState}}, Reset: true}
		for _, n := range h.notices { // those from before there was a screen to show them
			if n.seq > h.told {
				b.Events = append(b.Events, n.event)
			}
		}
		h.told = h.seq
		return b
	}
	p := h.enter(client)
	h.mu.Unlock()
	defer h.leave(p)
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for {
		h.mu.Lock()
		b, wake := h.since(after), h.wake
		h.mu.Unlock()
		if len(b.Events) > 0 {
			return b
		}
		select {
		case <-wake:
		case <-p.end:
			return b
		case <-timer.C:
			return b
		case <-ctx.Done():
			return b
		}
	}
}

// enter makes room for a poll. The caller holds h.mu.
func (h *Hub) enter(client string) *poll {
	for i := 0; i < len(h.polls); {
		if h.polls[i].client == client || len(h.polls) >= h.atOnce && i == 0 {
			close(h.polls[i].end)
			h.polls = slices.Delete(h.polls, i, i+1)
			continue
		}
		i++
	}
	p := &poll{client: client, end: make(chan struct{})}
	if h.closed {
		close(p.end)
		return p
	}
	h.polls = append(h.polls, p)
	return p
}

func (h *Hub) leave(p *poll) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.polls = slices.DeleteFunc(h.polls, func(q *poll) bool { return q == p })
}

// since collects the events after a number, in the order of their numbers, to be handed out. The caller holds h.mu.
func (h *Hub) since(after int64) Batch {
	var list []numbered
	if h.state > after {
		list = append(list, numbered{h.state, screen.Event{Type: screen.EventState}})
	}
	for _, n := range h.boards {
		if n.seq > after {
			list = append(list, n)
		}
	}
	for _, n := range h.notices {
		if n.seq > after {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Compare(a.seq, b.seq) })
	out := Batch{Next: h.seq, Events: make([]screen.Event, 0, len(list))}
	for _, n := range list {
		out.Events = append(out.Events, n.event)
	}
	if len(out.Events) > 0 {
		h.told = h.seq
	}
	return out
}

// Close ends all polls, and every later one at once.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, p := range h.polls {
		close(p.end)
	}
	h.polls = nil
}
