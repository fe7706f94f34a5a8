// Package page shows published dashboards to the viewers of their links: as one HTML document, drawn and compressed once
// for each version however many ask for it, and live over websockets.
//
// A Service keeps the dashboards that are looked at. What it keeps of a link is a grant that access gave, which it uses for
// those alone who show what access asked them for; AccessChanged takes all of a dashboard's grants away before it returns,
// so nothing here outlives a revocation. The package knows nothing of storage, passwords and routes; whoever calls it
// decides how a refusal looks. Start reading at Service; link.go holds what is kept of a link, dashboard.go what is kept of
// a dashboard, snapshot.go one version of it, document.go the HTML in its variants, live.go the connections.
package page

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/render"
)

// Grant is leave to show one dashboard, given by access for one link: Link as it was then.
type Grant interface {
	Board() board.ID
	Link() sharing.Link
}

// Source is where grants and content come from.
type Source interface {
	// OpenLink decides whether t opens a dashboard at this moment for who shows p. Every refusal is the same NotFound fault
	// (rule A5), but for a link in force that asks for a password which p does not prove: that one is Unauthenticated.
	OpenLink(ctx context.Context, t sharing.Token, p Proof) (Grant, error)
	// Published is the dashboard's published projection with its version, which grows whenever the content does. It
	// fails with NotFound if g does not hold any more.
	Published(ctx context.Context, g Grant) (board.View, uint64, error)
}

// Drawer draws; see render.Engine.
type Drawer interface {
	Board(ctx context.Context, view []byte) (render.Board, error)
	Widget(ctx context.Context, widget []byte) (string, error)
}

// Bundle is what the front end gives to every document: the style sheet that is put into it and the address of the script.
type Bundle struct {
	CSS       string
	ScriptURL string
}

// Limits unless Config says otherwise.
const (
	DefaultMaxBytes     = 256 << 20 // of all that is kept
	DefaultPerDashboard = 10_000    // connections
	DefaultPerClient    = 256       // connections of one address (an office behind one address is one client)
	DefaultTotal        = 20_000    // connections
	DefaultWriteTimeout = 20 * time.Second

	queueFrames = 16                    // frames that wait for one slow viewer; beyond that it gets everything anew
	coalesce    = 50 * time.Millisecond // at most one update in this time for each dashboard, on average
	pauseFactor = 3                     // an update may use one part in this and one of an engine's time
	maxPause    = 2 * time.Second
	cutDeadline = 800 * time.Millisecond // after which a revoked connection is broken off unasked (rule V1: 1 s)
	goneTimeout = 500 * time.Millisecond // for telling a revoked viewer why
	pingEvery   = 25 * time.Second       // keeps proxies from closing a quiet connection
	pingTimeout = 15 * time.Second
	readLimit   = 1 << 10          // bytes of what a viewer may send: nothing but control frames
	drawTimeout = 20 * time.Second // waiting for an engine included
	retryFailed = 10 * time.Second // how long a drawing that failed is not tried again
	idleFor     = 10 * time.Minute // after which a dashboard nobody looks at is forgotten
	sweepEvery  = time.Second
)

// Config is what a Service needs. Source, Drawer, Logger and Now must be given; zero limits mean the defaults.
type Config struct {
	Source Source
	Drawer Drawer
	// Painter draws preview images; nil means that there are none.
	Painter Painter
	Bundle  Bundle
	Logger  *slog.Logger
	Now     func() time.Time
	// Origins are host patterns besides the request's own host from which a websocket may be opened, such as the host
	// of the public base URL.
	Origins []string
	// Base is the public base URL without a slash at its end, for what documents tell of themselves.
	Base string
	// ConnectSrc are further sources for the policy's connect-src, such as the websocket form of the public base URL.
	ConnectSrc string

	MaxBytes                       int64
	PerDashboard, PerClient, Total int
	// WriteTimeout is how long a viewer may take for one frame before it is cut, and may come back, to a second or two; 0
	// means DefaultWriteTimeout.
	WriteTimeout time.Duration

	// OnWatching is told how many viewers watch a dashboard, at most once a second each; OnCut how many connections a
	// change of access ended and how long the slowest took (rule V2). Both may be nil; they must not block.
	OnWatching func(id board.ID, n int)
	OnCut      func(id board.ID, cut int, slowest time.Duration)
	// OnOpen is told of each viewer who was let in by a page that somebody has just opened, which its script says by
	// "open=1" (rule L7). It may be nil; it must not block.
	OnOpen func(id board.ID, t sharing.Token)
}

// Service keeps and serves published dashboards. Safe for concurrent use.
type Service struct {
	cfg Config

	ctx    context.Context //nolint:containedctx // ends the goroutines that New and Live start
	cancel context.CancelFunc
	wg     sync.WaitGroup
	tick   atomic.Int64 // seconds since New, for what was used when

	mu      sync.RWMutex // before dashboard.mu where both are held
	links   map[sharing.Token]*link
	boards  map[board.ID]*dashboard
	access  uint64 // grows with every change of access
	clients map[string]int
	conns   int
	closed  bool
}

// New starts a Service. Close it.
func New(cfg Config) *Service {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.PerDashboard <= 0 {
		cfg.PerDashboard = DefaultPerDashboard
	}
	if cfg.PerClient <= 0 {
		cfg.PerClient = DefaultPerClient
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = DefaultWriteTimeout
	}
	if cfg.Total <= 0 {
		cfg.Total = DefaultTotal
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{
		cfg: cfg, ctx: ctx, cancel: cancel,
		links: map[sharing.Token]*link{}, boards: map[board.ID]*dashboard{}, clients: map[string]int{},
	}
	s.wg.Go(s.sweep)
	return s
}

// Close tells every viewer that the server is going down and waits until all have gone or ctx ends, when the rest is
// broken off.
func (s *Service) Close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	for _, d := range s.boards {
		d.endAll(endRestarting)
	}
	s.mu.Unlock()
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, s.breakOff)
	go func() { s.wg.Wait(); close(drained) }()
	s.drain(drained)
	stop()
}

// drain lets the connections end before everything else is cancelled.
func (s *Service) drain(drained <-chan struct{}) {
	s.mu.RLock()
	left := s.conns
	s.mu.RUnlock()
	if left == 0 {
		s.cancel()
	}
	<-drained
}

func (s *Service) breakOff() {
	s.cancel()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.boards {
		d.breakOff(func(*conn) bool { return true })
	}
}

// Document is the dashboard that t opens for who shows p, as HTML, in the variant that o asks for. Errors are faults:
// NotFound whenever the link does not open anything, Unauthenticated where it asks for a password, and whatever Source or
// Drawer failed with. It blocks while the document is made.
func (s *Service) Document(ctx context.Context, t sharing.Token, p Proof, o Options) (*Document, error) {
	l, st := s.lookup(t, p)
	if l != nil && st != nil {
		if doc := st.snap.kept(l, o); doc != nil {
			return doc, nil
		}
	}
	for range maxTries {
		l, snap, err := s.fresh(ctx, t, p)
		if err != nil {
			return nil, err
		}
		doc, err := snap.document(ctx, s, l, o)
		if err != nil {
			return nil, err
		}
		s.evict(l.d)
		if s.holds(t, l) { // not revoked while the document was made
			return doc, nil
		}
	}
	return nil, errBusy()
}

// maxTries bounds how often a request starts again because access changed under it.
const maxTries = 5

func errBusy() error {
	return fault.New(fault.Busy, "This dashboard is changing too quickly to be shown.").WithHint("Try again in a moment.")
}

func errNotFound() error {
	return fault.New(fault.NotFound, "This link does not work, or does not work any more.")
}

// lookup is the whole work for a dashboard that is kept and current; st is nil if it is not. A link that is kept but not
// open to p is as if it were not kept: Source says what is to be answered.
func (s *Service) lookup(t sharing.Token, p Proof) (l *link, st *state) {
	s.mu.RLock()
	l = s.links[t]
	s.mu.RUnlock()
	if l == nil || !l.admits(p, s.cfg.Now) {
		return nil, nil
	}
	l.d.touch(s.tick.Load())
	if st = l.d.state.Load(); st != nil && st.gen == l.d.gen.Load() {
		return l, st
	}
	return l, nil
}

// holds reports whether l is still what t opens.
func (s *Service) holds(t sharing.Token, l *link) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.links[t] == l
}

// fresh finds what t opens for who shows p, with a snapshot at least as new as the moment of the call.
func (s *Service) fresh(ctx context.Context, t sharing.Token, p Proof) (*link, *snapshot, error) {
	l, st := s.lookup(t, p)
	if st != nil {
		return l, st.snap, nil
	}
	if l == nil {
		var err error
		if l, err = s.open(ctx, t, p); err != nil {
			return nil, nil, err
		}
	}
	snap, err := l.d.refresh(ctx, s, l.grant, l.d.gen.Load())
	s.evict(l.d)
	return l, snap, err
}

// open asks access for a grant and keeps it, unless access changed while it was asked.
func (s *Service) open(ctx context.Context, t sharing.Token, p Proof) (*link, error) {
	for range maxTries {
		s.mu.RLock()
		epoch := s.access
		s.mu.RUnlock()
		grant, err := s.cfg.Source.OpenLink(ctx, t, p)
		if err != nil {
			return nil, fmt.Errorf("open a share link: %w", err)
		}
		if l := s.keep(t, p, grant, epoch); l != nil {
			return l, nil
		}
	}
	return nil, errBusy()
}

// keep notes what a grant says of t, unless access changed since epoch. A link that is kept already stays, so that one who
// asks at the same time is not sent away, unless it says that p must not be let in: then the grant is newer.
func (s *Service) keep(t sharing.Token, p Proof, grant Grant, epoch uint64) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access != epoch {
		return nil
	}
	old := s.links[t]
	if old != nil && old.admits(p, s.cfg.Now) {
		return old
	}
	id := grant.Board()
	d := s.boards[id]
	if d == nil {
		d = &dashboard{id: id, conns: map[*conn]struct{}{}}
		s.boards[id] = d
	}
	d.touch(s.tick.Load())
	l := newLink(d, t, grant)
	s.links[t] = l
	if old == nil {
		d.tokens = append(d.tokens, t)
	}
	return l
}

// unlink forgets every link of d. The caller holds s.mu.
func (s *Service) unlink(d *dashboard) {
	for _, t := range d.tokens {
		delete(s.links, t)
	}
	d.tokens = nil
}

// Changed tells that the content of a dashboard changed. Whoever asks afterwards gets the new content, and viewers are
// sent it. It does not block.
func (s *Service) Changed(id board.ID) {
	s.mu.RLock()
	d := s.boards[id]
	s.mu.RUnlock()
	if d != nil {
		d.gen.Add(1)
		d.schedule(s)
	}
}

// AccessChanged tells that it was decided anew who may see a dashboard, or how: its link was changed in whatever way, or it
// was trashed, restored or deleted. When it returns, no request is served by an earlier decision and no viewer is
// sent anything before a new decision about it is made; that happens in the background, at once. It does not block.
func (s *Service) AccessChanged(id board.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access++
	d := s.boards[id]
	if d == nil {
		return
	}
	s.unlink(d)
	d.gen.Add(1)
	d.hold(s)
}

// Watching is how many viewers are connected to a dashboard.
func (s *Service) Watching(id board.ID) int {
	s.mu.RLock()
	d := s.boards[id]
	s.mu.RUnlock()
	if d == nil {
		return 0
	}
	return d.watching()
}

// sweep forgets what nobody looks at, cuts the viewers whose time is over and pings the others.
func (s *Service) sweep() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
		}
		now := s.tick.Add(1)
		s.tellWatching()
		s.forget(func(d *dashboard) bool { return now-d.used.Load() > int64(idleFor/sweepEvery) })
		s.lapse()
		s.tend(now)
	}
}

// lapse cuts the viewers whose session or link has come to its end without anybody having changed anything.
func (s *Service) lapse() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.boards {
		d.lapse(s)
	}
}

func (s *Service) tellWatching() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.boards {
		s.tell(d)
	}
}

// tell tells how many watch d, if that is not what was last told. The caller holds s.mu, so that what is told of a dashboard
// that is forgotten comes last.
func (s *Service) tell(d *dashboard) {
	if n, changed := d.news(); changed && s.cfg.OnWatching != nil {
		s.cfg.OnWatching(d.id, n)
	}
}

// forget drops the dashboards for which drop holds and that have no viewers, with their links.
func (s *Service) forget(drop func(*dashboard) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, d := range s.boards {
		if d.watching() == 0 && drop(d) {
			delete(s.boards, id)
			s.unlink(d)
			s.tell(d)
		}
	}
}

// evict keeps the total within MaxBytes by forgetting the dashboards that were looked at longest ago, never keep itself.
func (s *Service) evict(keep *dashboard) {
	for {
		s.mu.RLock()
		var total int64
		var oldest *dashboard
		for _, d := range s.boards {
			total += d.size()
			if d != keep && d.watching() == 0 && (oldest == nil || d.used.Load() < oldest.used.Load()) {
				oldest = d
			}
		}
		s.mu.RUnlock()
		if total <= s.cfg.MaxBytes || oldest == nil {
			return
		}
		s.forget(func(d *dashboard) bool { return d == oldest })
	}
}
