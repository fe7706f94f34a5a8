package webapp

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/longpoll"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/source"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/room"
)

// desk is one browser that is signed in and has the workspace open, in however many tabs. It hears of what happens from the
// rooms, as a device does, and tells it by long polls. It ends with its session, with the server, and when the browser has
// been silent for long.
type desk struct {
	s      *Service
	me     account.Identity
	member *room.Member
	hub    *longpoll.Hub
	shelf  *source.Shelf
	idle   *time.Timer
	done   chan struct{}

	mu    sync.Mutex
	ended bool
	seats map[board.ID]*seat
}

// seat is a dashboard that a browser follows.
type seat struct {
	room *room.Seat
	used time.Time
	// title and alive are as they were last told, if they were (noted), so that the list is told of others.
	noted bool
	title string
	alive bool
	// receipt is what the latest revocation did (rule V2).
	receipt *screen.Receipt
}

// desk finds the desk of a session, or sets one up.
func (s *Service) desk(me account.Identity) (*desk, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.desks[me.Session]; d != nil {
		d.idle.Reset(s.cfg.Idle)
		return d, nil
	}
	if s.closed {
		return nil, fault.New(fault.Unavailable, "The server is going down.").WithHint("Try again in a moment.")
	}
	if len(s.desks) >= maxDesks {
		return nil, fault.New(fault.Busy, "Too many people work on this server at the moment.").WithHint("Try again in a moment.")
	}
	d := &desk{
		s: s, me: me, member: s.cfg.Rooms.Enter(me.Account, me.Session), hub: longpoll.New(s.now(), maxPolls),
		shelf: source.NewShelf(s.cfg.Random, s.reads), done: make(chan struct{}), seats: map[board.ID]*seat{},
	}
	d.idle = time.AfterFunc(s.cfg.Idle, func() { s.leave(d) })
	s.desks[me.Session] = d
	s.pumps.Go(d.pump)
	return d, nil
}

// leave ends a desk.
func (s *Service) leave(d *desk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.desks[d.me.Session] == d {
		delete(s.desks, d.me.Session)
		d.end()
	}
}

func (d *desk) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	d.ended = true
	d.idle.Stop()
	d.member.Leave()
	d.hub.Close()
	close(d.done)
}

// gone reports whether the desk has ended.
func (d *desk) gone() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// sit follows a dashboard. Whoever reads the dashboard sits down first: what is committed after that is told.
func (d *desk) sit(id board.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	now := d.s.cfg.Now()
	if st := d.seats[id]; st != nil {
		st.used = now
		return
	}
	if len(d.seats) >= maxSeats {
		ids := make([]board.ID, 0, len(d.seats))
		for id := range d.seats {
			ids = append(ids, id)
		}
		oldest := slices.MinFunc(ids, func(a, b board.ID) int {
			return cmp.Or(d.seats[a].used.Compare(d.seats[b].used), cmp.Compare(a, b))
		})
		d.seats[oldest].room.Leave()
		delete(d.seats, oldest)
	}
	d.seats[id] = &seat{room: d.member.Join(id), used: now, alive: true}
}

// rise stops following a dashboard.
func (d *desk) rise(id board.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.member.LookAway(id)
	if st := d.seats[id]; st != nil && !d.ended {
		st.room.Leave()
		delete(d.seats, id)
	}
}

func (d *desk) receipt(id board.ID) *screen.Receipt {
	d.mu.Lock()
	defer d.mu.Unlock()
	if st := d.seats[id]; st != nil {
		return st.receipt
	}
	return nil
}

// seen notes title and whereabouts of a followed dashboard, and reports whether they are others than were noted before:
// then the list of dashboards is another, and the browser is to be told so by whoever found out.
func (d *desk) seen(id board.ID, v board.View) (changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := d.seats[id]
	if st == nil {
		return false
	}
	changed = st.noted && (st.title != v.Title || st.alive != v.Alive)
	st.noted, st.title, st.alive = true, v.Title, v.Alive
	return changed
}

// pump turns what the rooms tell into events until the desk ends.
func (d *desk) pump() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-d.done
		cancel()
	}()
	for {
		select {
		case <-d.done:
			return
		case <-d.member.Wake():
		}
		p := d.member.Take()
		if p.Ended {
			d.s.leave(d)
			return
		}
		d.tell(ctx, p)
	}
}

// tell makes events of what has happened. Whether the account may still see a dashboard is asked anew for each of them; if
// not, the browser is told to look, and will find out (rule V1).
func (d *desk) tell(ctx context.Context, p room.Pending) {
	moved := map[board.ID]bool{} // dashboards, with whether something beside the content has changed
	for _, st := range p.Seats {
		moved[st.Board()] = false
	}
	for id := range p.People {
		moved[id] = true
	}
	for id := range p.Presence {
		moved[id] = true
	}
	state := p.List
	for id, rc := range p.Share {
		state = true
		d.mu.Lock()
		st := d.seats[id]
		if st != nil && rc.Cut > 0 {
			st.receipt = &screen.Receipt{Cut: rc.Cut, MS: rc.Slowest.Milliseconds()}
		}
		d.mu.Unlock()
		if st != nil {
			moved[id] = true
		}
	}
	var events []screen.Event
	for id, beside := range moved {
		version, changed, err := d.advance(ctx, id, beside)
		if fault.KindOf(err) == fault.Unauthenticated { // the session's time is over
			d.s.leave(d)
			return
		}
		if fault.KindOf(err) == fault.NotFound {
			d.rise(id)
			version, changed, err = afterAll(d.s.now()), true, nil
		}
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			d.s.cfg.Log.ErrorContext(ctx, "a browser could not be told of a change", "error", err)
			version = afterAll(d.s.now()) // it is to look by itself
		}
		state = state || changed
		events = append(events, screen.Event{Type: screen.EventBoard, ID: id, Version: version})
	}
	if state {
		events = append(events, screen.Event{Type: screen.EventState})
	}
	d.hub.Publish(events...)
}

// advance brings a dashboard up to date and tells the version that the account sees of it now, and whether its line in the
// list has changed.
func (d *desk) advance(ctx context.Context, id board.ID, beside bool) (version int64, changed bool, err error) {
	l := d.s.lives.get(id, d.s.cfg.Now())
	err = d.s.look(ctx, d.me, l, access.View, nil, func(g access.Grant) error {
		if beside {
			l.touch()
		}
		version = l.version(g)
		pic, _ := l.audience(g)
		changed = d.seen(id, pic.View())
		return nil
	})
	return version, changed, err
}
