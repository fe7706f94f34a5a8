// Package desk kills the desktop program under clients of its screens' API, while it syncs with a server that is killed now
// and then too. Everything that a client was told is saved must be there when the program has been started again on the same
// data, and in the end be on the server once.
//
// Start reading at Run; client.go is one client, package ledger what is checked.
package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"widgets.pro/build/crash/journal"
	"widgets.pro/build/crash/ledger"
	"widgets.pro/build/crash/victim"
	"widgets.pro/build/crash/witness"
	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/servertest/owner"
)

// Server is a sync server that can be killed and started again on the same data and address. Run returns when it serves.
type Server interface {
	Run(ctx context.Context) error
	Kill() error
	URL() string
}

// Options say how many of everything there are. All are needed.
type Options struct {
	Seed    uint64
	Kills   int // of the desktop program
	Clients int
	Edits   int // most edits that are answered between two kills
	// Mail reads the mail that the server sends.
	Mail owner.Letters
	Say  func(format string, args ...any)
}

// Result is what was done. Saved counts edits that a client was told are saved, Checked all that were tried.
type Result struct {
	Kills, Starting, ServerKills, Saved, Checked, OnServer int
	Breaches                                               []journal.Breach
}

const (
	baseBoards  = 6 // dashboards that all clients edit
	oneOf       = 8 // of so many kills one comes while the program starts
	oneOfServer = 5 // at so many kills the server is killed, or started again
	starts      = 150 * time.Millisecond
	nipped      = 2                    // kills before anything was made
	fewWrites   = 5 * time.Millisecond // about what a few transactions take
	patience    = 2 * time.Minute
	look        = 20 * time.Millisecond // between two looks whether all is synced
	askAgain    = 50                    // looks after which the program is asked to try its server again
	sayEvery    = 20
	email       = "desk@example.org"
	password    = "correct horse battery staple"
)

var (
	errStuck  = errors.New("it does not go on")
	errAnswer = errors.New("the program answered")
)

// base is a dashboard that all clients edit, with the widgets that it has from the first.
type base struct {
	id      board.ID
	widgets []board.WidgetID
}

// storm is one run.
type storm struct {
	Options
	core   *victim.Core
	server Server
	random *rand.Rand
	token  string
	bases  []base
	up     bool // the server

	// flow is held for reading by clients while they ask, and for writing while there is no program to ask.
	flow   sync.RWMutex
	door   victim.Door
	life   int
	reborn chan struct{} // closed when there is another life

	mu       sync.Mutex // guards what follows
	ledger   *ledger.Ledger
	answered int
	changed  chan struct{} // closed and replaced at each answer
	troubles []error

	result Result
}

// Run lets both programs run and kills them, and tells what was broken in the result. The error says that it could not be
// tried.
func Run(ctx context.Context, core *victim.Core, server Server, o Options) (Result, error) {
	s := &storm{
		Options: o, core: core, server: server, ledger: ledger.New(), reborn: make(chan struct{}), changed: make(chan struct{}),
		random: rand.New(rand.NewPCG(o.Seed, 0)), //nolint:gosec // repeatable
	}
	defer func() { _ = core.Kill(); _ = server.Kill() }()
	if err := s.begin(ctx); err != nil {
		return s.result, err
	}
	working, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for i := range o.Clients {
		c := &client{storm: s, name: fmt.Sprintf("c%d", i), random: rand.New(rand.NewPCG(o.Seed, uint64(i)+1))} //nolint:gosec // repeatable
		group.Go(func() { c.run(working) })
	}
	if err := s.kill(ctx); err != nil {
		return s.result, err
	}
	cancel()
	group.Wait()
	err := s.finish(ctx)
	s.result.Saved, s.result.Checked = s.ledger.Count()
	s.result.Breaches = append(s.result.Breaches, s.ledger.Breaches()...)
	return s.result, err
}

// begin starts both programs, signs in and makes the dashboards that all clients edit.
func (s *storm) begin(ctx context.Context) error {
	if err := s.server.Run(ctx); err != nil {
		return err
	}
	s.up = true
	signing, cancel := context.WithTimeout(ctx, patience)
	who, err := owner.Register(signing, s.server.URL(), email, password, s.Mail)
	cancel()
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	s.token = who.Token
	if err := s.nip(ctx); err != nil {
		return err
	}
	if err := s.core.Run(ctx); err != nil {
		return err
	}
	s.door = s.core.Door()
	if err := s.ask(ctx, http.MethodPost, "api/account/login", map[string]string{"server": s.server.URL(), "email": email, "password": password}, nil); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	for i := range baseBoards {
		var b struct{ ID board.ID }
		title := fmt.Sprint("Base ", i)
		if err := s.ask(ctx, http.MethodPost, "api/boards", map[string]string{"title": title}, &b); err != nil {
			return fmt.Errorf("make a dashboard: %w", err)
		}
		s.ledger.Board(title).Told()
		edits := make([]screen.Edit, widgets)
		for j := range edits {
			edits[j] = newWidget(fmt.Sprintf("Base %d %d", i, j))
			s.ledger.Widget(b.ID, edits[j].Title).Told()
		}
		var edited screen.Edited
		if err := s.ask(ctx, http.MethodPost, "api/boards/"+string(b.ID)+"/edits", batchOf(edits...), &edited); err != nil {
			return fmt.Errorf("make widgets: %w", err)
		}
		s.bases = append(s.bases, base{b.ID, edited.Added})
	}
	return nil
}

// nip kills the program in its first moments, when it is about to make its data file and what is in it from the first.
func (s *storm) nip(ctx context.Context) error {
	for range min(nipped, s.Kills) {
		if err := s.core.Launch(ctx); err != nil {
			return err
		}
		if err := s.core.KillAfter(ctx, time.Duration(s.random.Int64N(int64(starts)))); err != nil {
			return fmt.Errorf("a first start: %w:\n%s", err, s.core.Tail())
		}
		if err := victim.Sound(s.core.Data()); err != nil {
			return fmt.Errorf("after a first start: %w", err)
		}
		s.result.Kills++
		s.result.Starting++
	}
	return nil
}

// ask sends a request that must be granted.
func (s *storm) ask(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
	}
	status, answer, err := s.door.Ask(ctx, method, path, body)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%w %s %s with %d: %.300s", errAnswer, method, path, status, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// kill kills the program again and again. It runs when kill is called, and when kill returns without an error.
func (s *storm) kill(ctx context.Context) error {
	for s.result.Kills < s.Kills {
		if err := s.work(ctx, s.random.IntN(s.Edits)); err != nil {
			return err
		}
		if err := s.nudgeServer(ctx); err != nil {
			return err
		}
		if err := s.core.KillAfter(ctx, time.Duration(s.random.Int64N(int64(fewWrites)))); err != nil {
			return fmt.Errorf("kill %d: %w:\n%s", s.result.Kills, err, s.core.Tail())
		}
		s.flow.Lock()
		err := s.rise(ctx)
		s.flow.Unlock()
		if err != nil {
			return fmt.Errorf("after kill %d: %w", s.result.Kills, err)
		}
	}
	return nil
}

// work waits until clients have got more answers.
func (s *storm) work(ctx context.Context, more int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	target := -1
	for {
		s.mu.Lock()
		if target < 0 {
			target = s.answered + more
		}
		done, changed, troubles := s.answered >= target, s.changed, errors.Join(s.troubles...)
		s.mu.Unlock()
		if troubles != nil || done {
			return troubles
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w:\n%s", errStuck, s.core.Tail())
		case <-changed:
		}
	}
}

// nudgeServer kills the server now and then, and starts it again some other time.
func (s *storm) nudgeServer(ctx context.Context) error {
	if s.random.IntN(oneOfServer) > 0 {
		return nil
	}
	if s.up {
		s.up = false
		s.result.ServerKills++
		return s.server.Kill()
	}
	s.up = true
	return s.server.Run(ctx)
}

// rise counts a kill, starts the program again, and looks whether all is there. The caller holds flow.
func (s *storm) rise(ctx context.Context) error {
	s.door.Leave()
	for starting := false; ; starting = true {
		s.result.Kills++
		if starting {
			s.result.Starting++
		}
		if err := victim.Sound(s.core.Data()); err != nil {
			return err
		}
		if s.result.Kills%sayEvery == 0 {
			s.Say("  %d kills, %d edits answered\n", s.result.Kills, s.answered)
		}
		if s.result.Kills == s.Kills || s.random.IntN(oneOf) > 0 {
			break
		}
		if err := s.core.Launch(ctx); err != nil {
			return err
		}
		if err := s.core.KillAfter(ctx, time.Duration(s.random.Int64N(int64(starts)))); err != nil {
			return fmt.Errorf("%w:\n%s", err, s.core.Tail())
		}
	}
	if err := s.core.Run(ctx); err != nil {
		return err
	}
	s.door = s.core.Door()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.inspect(ctx, fmt.Sprintf("the program after kill %d", s.result.Kills)); err != nil {
		return err
	}
	s.life++
	close(s.reborn)
	s.reborn = make(chan struct{})
	return nil
}

// inspect reads everything from the program and holds it against the ledger.
func (s *storm) inspect(ctx context.Context, where string) (map[board.ID]board.View, error) {
	var state screen.AppState
	if err := s.ask(ctx, http.MethodGet, "api/state", nil, &state); err != nil {
		return nil, err
	}
	titles := map[string][]board.ID{}
	for _, b := range state.Boards {
		titles[b.Title] = append(titles[b.Title], b.ID)
	}
	s.ledger.List(where, titles)
	views := map[board.ID]board.View{}
	for _, id := range s.ledger.Known() {
		var v screen.BoardView
		if err := s.ask(ctx, http.MethodGet, "api/boards/"+string(id), nil, &v); err != nil {
			return nil, err
		}
		plain := board.View{ID: id, Title: v.Title, Description: v.Description, Theme: v.Theme, Alive: !v.Trashed, Widgets: []board.Widget{}}
		for _, w := range v.Widgets {
			plain.Widgets = append(plain.Widgets, w.Widget)
		}
		views[id] = plain
	}
	s.ledger.Look(where, views)
	return views, nil
}

// finish lets everything get to the server, kills both programs once more, and holds what is on the server, and in the
// program, against the ledger.
func (s *storm) finish(ctx context.Context) error {
	if !s.up {
		if err := s.server.Run(ctx); err != nil {
			return err
		}
		s.up = true
	}
	if err := s.synced(ctx); err != nil {
		return err
	}
	if err := errors.Join(s.core.Kill(), s.server.Kill(), victim.Sound(s.core.Data())); err != nil {
		return err
	}
	if err := errors.Join(s.server.Run(ctx), s.core.Run(ctx)); err != nil {
		return err
	}
	s.door = s.core.Door()
	if err := s.synced(ctx); err != nil {
		return err
	}
	here, err := s.inspect(ctx, "the program in the end")
	if err != nil {
		return err
	}
	there := map[board.ID]board.View{}
	for id := range here {
		told, err := witness.Read(ctx, s.server.URL(), s.token, id)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		s.result.Breaches = append(s.result.Breaches, journal.CheckLog(told)...)
		s.result.OnServer += len(told.Log)
		there[id] = board.NewView(id, told.State)
	}
	s.ledger.Look("the server", there)
	s.ledger.Same("the program", "the server", here, there)
	cries, err := s.core.Cries()
	for _, cry := range cries {
		s.result.Breaches = append(s.result.Breaches, journal.Breach{Rule: "B1", Text: "the program says " + cry})
	}
	return err
}

// synced waits until the program has exchanged everything with the server.
func (s *storm) synced(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i := 0; ; i++ {
		var state screen.AppState
		if err := s.ask(ctx, http.MethodGet, "api/state", nil, &state); err != nil {
			return err
		}
		if state.Sync.State == screen.StateSynced && state.Sync.Queued == 0 {
			return nil
		}
		if i%askAgain == 0 {
			if err := s.ask(ctx, http.MethodPost, "api/sync/retry", struct{}{}, nil); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sync: %w: %+v\n%s", errStuck, state.Sync, s.core.Tail())
		case <-time.After(look):
		}
	}
}
