package page

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/ratelimit"
)

// dashboard is what is kept of one dashboard: its latest snapshot and its viewers.
type dashboard struct {
	id     board.ID
	tokens []sharing.Token // that open it, under Service.mu

	gen   atomic.Uint64 // grows with every change; a state of an older gen is not served any more
	state atomic.Pointer[state]
	used  atomic.Int64 // Service.tick when somebody last looked

	reading sync.Mutex // held by the one that reads and prepares the next state

	mu      sync.Mutex
	conns   map[*conn]struct{}
	base    *snapshot     // what the viewers were last sent
	timer   bool          // an update is on its way
	rested  time.Time     // when the budget of updates is full again, see pace
	pause   time.Duration // from one to the next, on average: longer for a dashboard that takes long to draw
	held    bool          // access changed: nothing is sent until it is decided anew
	changes uint64        // of access
	told    int           // the number of viewers that OnWatching was last told
}

// state is a snapshot and the generation of content it is good for.
type state struct {
	gen  uint64
	snap *snapshot
}

func (d *dashboard) touch(tick int64) {
	if d.used.Load() != tick {
		d.used.Store(tick)
	}
}

func (d *dashboard) size() int64 {
	if st := d.state.Load(); st != nil {
		return st.snap.size.Load()
	}
	return 0
}

// refresh returns a snapshot of at least generation want. However many ask at once, the content is read once: whoever
// comes while it is read waits, and then finds it done.
func (d *dashboard) refresh(ctx context.Context, s *Service, g Grant, want uint64) (*snapshot, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	st := d.state.Load()
	if st != nil && st.gen >= want {
		return st.snap, nil
	}
	gen := d.gen.Load()
	// The work is for everybody who waits, so it does not end with the one who happened to come first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drawTimeout)
	defer cancel()
	view, version, err := s.cfg.Source.Published(ctx, g)
	if err != nil {
		return nil, fmt.Errorf("read a published dashboard: %w", err)
	}
	if !view.Alive {
		return nil, errNotFound()
	}
	var old *snapshot
	if st != nil {
		old = st.snap
	}
	snap, err := newSnapshot(view, version, old)
	if err != nil {
		return nil, err
	}
	d.state.Store(&state{gen: gen, snap: snap})
	return snap, nil
}

// schedule sees to it that the viewers get what changed, now or when the last update is long enough ago.
func (d *dashboard) schedule(s *Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scheduleLocked(s)
}

func (d *dashboard) scheduleLocked(s *Service) {
	if d.timer || d.held || len(d.conns) == 0 || s.ctx.Err() != nil {
		return
	}
	d.timer = true
	now, pace := s.cfg.Now(), d.pace()
	wait := pace.Wait(d.rested, now)
	d.rested = pace.Spend(d.rested, now.Add(wait))
	s.wg.Add(1)
	time.AfterFunc(wait, func() {
		defer s.wg.Done()
		d.flush(s)
	})
}

// pace is how often there are updates. One may come early, so that edits at an even pace, of which now and then one is late,
// do not wait for ever because of that one.
func (d *dashboard) pace() ratelimit.Rate {
	return ratelimit.Rate{Burst: 2, Interval: max(coalesce, d.pause)}
}

// flush sends the viewers what changed since they were last sent something. There is one at a time.
func (d *dashboard) flush(s *Service) {
	ctx, cancel := context.WithTimeout(s.ctx, drawTimeout)
	defer cancel()
	start, gen := s.cfg.Now(), d.gen.Load()
	snap, err := d.latest(ctx, s, gen)
	var patch *frame
	if err == nil {
		d.mu.Lock()
		base := d.base
		d.mu.Unlock()
		if base != nil && base != snap {
			patch, err = newPatch(ctx, s, base, snap)
		}
	}
	if err != nil && fault.KindOf(err) != fault.NotFound && s.ctx.Err() == nil {
		s.cfg.Logger.ErrorContext(ctx, "dashboard could not be updated for its viewers", "board", string(d.id), "error", err)
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = false
	took := s.cfg.Now().Sub(start)
	d.pause = took + min(pauseFactor*took, maxPause)
	if d.held {
		return // the decision about access will schedule again
	}
	if patch != nil {
		for c := range d.conns {
			c.offer(patch)
		}
	}
	if err == nil {
		d.base = snap
	}
	if d.gen.Load() != gen {
		d.scheduleLocked(s)
	}
}

// latest is refresh for an update, with the grant of any link that opens the dashboard.
func (d *dashboard) latest(ctx context.Context, s *Service, want uint64) (*snapshot, error) {
	if st := d.state.Load(); st != nil && st.gen >= want {
		return st.snap, nil
	}
	s.mu.RLock()
	var g Grant
	for _, t := range d.tokens {
		g = s.links[t].grant
	}
	s.mu.RUnlock()
	if g == nil {
		return nil, errNotFound()
	}
	return d.refresh(ctx, s, g, want)
}

// hold stops all sending to viewers and has it decided anew, for each link in use, whether they may stay. The caller
// holds Service.mu.
func (d *dashboard) hold(s *Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes++
	if d.held || len(d.conns) == 0 || s.ctx.Err() != nil {
		return
	}
	d.held = true
	since := s.cfg.Now()
	s.wg.Go(func() { d.decide(s, since) })
}

// ticket is what a viewer was let in with.
type ticket struct {
	token sharing.Token
	proof Proof
}

// claim is what of a ticket there is to decide about. Sessions that differ only in when they are over are decided as one:
// each viewer's own time is seen to by lapse.
type claim struct {
	token    sharing.Token
	revision uint64
	proved   bool
}

func (t ticket) claim() claim { return claim{t.token, t.proof.Revision, t.proof.Until != 0} }

// verdict is what was decided about a claim: what it opens now, or why nothing.
type verdict struct {
	link *link
	end  end
}

// decide asks access about everything with which viewers were let in, cuts those that lost it and lets the others go on.
// An error of the store counts as a refusal: a viewer who was cut for it may come back.
func (d *dashboard) decide(s *Service, since time.Time) {
	ctx, cancel := context.WithTimeout(s.ctx, cutDeadline/2)
	defer cancel()
	for {
		d.mu.Lock()
		changes := d.changes
		latest := map[claim]ticket{}
		for c := range d.conns {
			if k := c.ticket.claim(); c.ticket.proof.Until >= latest[k].proof.Until {
				latest[k] = c.ticket
			}
		}
		d.mu.Unlock()
		verdicts := map[claim]verdict{}
		for k, t := range latest {
			l, err := s.open(ctx, t.token, t.proof)
			verdicts[k] = verdict{link: l, end: endFor(err)}
		}
		if d.settle(s, changes, verdicts, since) {
			return
		}
	}
}

func endFor(err error) end {
	switch {
	case err == nil:
		return endNot
	case fault.KindOf(err) == fault.NotFound:
		return endGone
	case fault.KindOf(err) == fault.Unauthenticated:
		return endLocked
	}
	return endRestarting
}

// settle carries the verdicts out, unless access changed again meanwhile.
func (d *dashboard) settle(s *Service, changes uint64, verdicts map[claim]verdict, since time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes != changes {
		return false
	}
	d.held = false
	cut := newReceipt(s, d.id, since)
	for c := range d.conns {
		if v, known := verdicts[c.ticket.claim()]; known {
			c.judge(v, cut)
		}
	}
	cut.close()
	if len(d.conns) > 0 {
		d.scheduleLocked(s)
	}
	for c := range d.conns {
		c.nudge()
	}
	return true
}

// lapse cuts the viewers whose time is over. There is a receipt for the end of the link, which its owner has chosen, and none
// for that of a session. The caller holds Service.mu.
func (d *dashboard) lapse(s *Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut := newReceipt(s, d.id, s.cfg.Now())
	for c := range d.conns {
		switch {
		case !c.late():
		case c.until == c.link.expires:
			c.finish(endGone, cut)
		default:
			c.finish(endLocked, nil)
		}
	}
	cut.close()
}

func (d *dashboard) endAll(e end) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.finish(e, nil)
	}
}

func (d *dashboard) breakOff(which func(*conn) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		if which(c) {
			c.kill()
		}
	}
}

func (d *dashboard) watching() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// news is how many watch, if that is not what was last told.
func (d *dashboard) news() (n int, changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed = d.told != len(d.conns)
	d.told = len(d.conns)
	return d.told, changed
}

// receipt counts the connections that a change of access ended (rule V2).
type receipt struct {
	s     *Service
	id    board.ID
	since time.Time

	mu      sync.Mutex
	open    int // connections not yet gone, and one for whoever is still adding
	cut     int
	slowest time.Duration
}

func newReceipt(s *Service, id board.ID, since time.Time) *receipt {
	return &receipt{s: s, id: id, since: since, open: 1}
}

func (r *receipt) add() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	r.cut++
}

// gone notes that a connection ended.
func (r *receipt) gone() {
	took := r.s.cfg.Now().Sub(r.since)
	r.mu.Lock()
	r.slowest = max(r.slowest, took)
	r.mu.Unlock()
	r.close()
}

func (r *receipt) close() {
	r.mu.Lock()
	r.open--
	last := r.open == 0 && r.cut > 0
	cut, slowest := r.cut, r.slowest
	r.mu.Unlock()
	if last && r.s.cfg.OnCut != nil {
		r.s.cfg.OnCut(r.id, cut, slowest)
	}
}

// errDraw is the fault for a dashboard that cannot be drawn.
func errDraw(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errBusy()
	}
	return fault.New(fault.Internal, "This dashboard cannot be drawn at the moment.").WithHint("Try again later, or tell its owner.").WithCause(err)
}
