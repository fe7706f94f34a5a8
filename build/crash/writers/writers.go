// Package writers kills the sync server under writers. Devices of several accounts, with the client core that ships, edit
// dashboards over real websockets as fast as the server takes it; the server is killed at any moment, also while it starts,
// and started again on the same file; the devices come back, resume and go on. In the end everybody's journal is held against
// the server.
//
// Start reading at Run; device.go is one writer.
package writers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/build/crash/journal"
	"widgets.pro/build/crash/victim"
	"widgets.pro/build/crash/witness"
	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/syncserver/servertest/owner"
)

// Options say how many of everything there are. All are needed.
type Options struct {
	// Dir is where the server's data lie, and the journals if something was lost.
	Dir      string
	Seed     uint64
	Kills    int
	Accounts int
	Devices  int // of each account, each with every dashboard of it
	Boards   int // of each account
	Edits    int // most edits that are acknowledged between two kills
	Now      func() time.Time
	Say      func(format string, args ...any)
}

// Result is what was done. Acknowledged and Checked count edits, of which each that was made is checked.
type Result struct {
	Kills, Starting, Acknowledged, Checked, Deliveries, Resubscribed int
	Breaches                                                         []journal.Breach
}

const (
	widgets   = 4 // of each dashboard, which keeps their rows below what a row log holds
	oneOf     = 8 // of so many kills one comes while the server starts
	starts    = 80 * time.Millisecond
	nipped    = 2 // kills before anything was made
	patience  = 2 * time.Minute
	sayEvery  = 20
	password  = "correct horse battery staple"
	fewWrites = 5 * time.Millisecond // about what a few transactions take
)

var errStuck = errors.New("nothing is acknowledged any more")

// storm is one run.
type storm struct {
	Options
	server  *victim.Server
	random  *rand.Rand
	tally   *tally
	gate    *gate
	devices []*device
	lanes   []*lane
	boards  map[board.ID]string // a token for each
	result  Result
}

// Run lets the server run and kills it, and tells what was broken in the result. The error says that it could not be tried.
func Run(ctx context.Context, server *victim.Server, o Options) (Result, error) {
	s := &storm{
		Options: o, server: server, tally: newTally(), gate: newGate(), boards: map[board.ID]string{},
		random: rand.New(rand.NewPCG(o.Seed, 0)), //nolint:gosec // repeatable
	}
	defer func() { _ = server.Kill() }()
	if err := s.nip(ctx); err != nil {
		return s.result, err
	}
	if err := server.Run(ctx); err != nil {
		return s.result, err
	}
	if err := s.enrol(ctx); err != nil {
		return s.result, err
	}
	writing, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for _, d := range s.devices {
		group.Go(func() { d.run(writing, s.gate) })
	}
	s.gate.lift()
	err := s.kill(ctx)
	if err == nil {
		err = s.drain(ctx)
	}
	cancel()
	group.Wait()
	if err != nil {
		return s.result, errors.Join(err, s.dump())
	}
	return s.result, s.check(ctx)
}

// nip kills the server in its first moments, when it is about to make its data file.
func (s *storm) nip(ctx context.Context) error {
	for range min(nipped, s.Kills) {
		if err := s.server.Start(ctx); err != nil {
			return err
		}
		if err := s.server.KillAfter(ctx, time.Duration(s.random.Int64N(int64(starts)))); err != nil {
			return fmt.Errorf("a first start: %w:\n%s", err, s.server.Tail())
		}
		if err := victim.Sound(s.server.Data()); err != nil {
			return fmt.Errorf("after a first start: %w", err)
		}
		s.result.Kills++
		s.result.Starting++
	}
	return nil
}

// enrol makes accounts, devices and the names of dashboards.
func (s *storm) enrol(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for a := range s.Accounts {
		who, err := owner.Register(ctx, s.server.URL(), fmt.Sprintf("writer%d@example.org", a), password, owner.Mailbox(s.server.URL()))
		if err != nil {
			return fmt.Errorf("sign up: %w", err)
		}
		type plan struct {
			id      board.ID
			widgets []board.WidgetID
		}
		plans := make([]plan, s.Boards)
		for b := range plans {
			plans[b].id = board.NewID(ulid.Make())
			for range widgets {
				plans[b].widgets = append(plans[b].widgets, board.NewWidgetID(ulid.Make()))
			}
			s.boards[plans[b].id] = who.Token
		}
		for range s.Devices {
			dev, err := witness.NewDevice()
			if err != nil {
				return err
			}
			n := len(s.devices)
			d := &device{
				name: fmt.Sprintf("w%02d", n), base: s.server.URL(), token: who.Token, clock: hlc.Clock{Dev: dev},
				random: rand.New(rand.NewPCG(s.Seed, uint64(n)+1)), now: s.Now, tally: s.tally, //nolint:gosec // repeatable
			}
			for _, p := range plans {
				l := &lane{id: p.id, widgets: p.widgets, journal: &journal.Journal{Device: d.name, Dev: dev}}
				d.lanes, s.lanes = append(d.lanes, l), append(s.lanes, l)
			}
			s.devices = append(s.devices, d)
		}
	}
	return nil
}

// kill kills the server again and again. It runs when kill is called, and when kill returns without an error.
func (s *storm) kill(ctx context.Context) error {
	for s.result.Kills < s.Kills {
		if err := s.work(ctx, s.random.IntN(s.Edits)); err != nil {
			return err
		}
		soon := time.Duration(s.random.Int64N(int64(fewWrites)))
		for starting := false; ; starting = true {
			s.gate.drop()
			if err := s.server.KillAfter(ctx, soon); err != nil {
				return fmt.Errorf("kill %d: %w:\n%s", s.result.Kills, err, s.server.Tail())
			}
			s.result.Kills++
			if starting {
				s.result.Starting++
			}
			if err := victim.Sound(s.server.Data()); err != nil {
				return fmt.Errorf("after kill %d: %w", s.result.Kills, err)
			}
			if s.result.Kills%sayEvery == 0 {
				s.Say("  %d kills, %d edits acknowledged\n", s.result.Kills, s.count())
			}
			if s.result.Kills == s.Kills || s.random.IntN(oneOf) > 0 {
				break
			}
			if err := s.server.Start(ctx); err != nil {
				return err
			}
			s.gate.lift() // who comes early may come
			soon = time.Duration(s.random.Int64N(int64(starts)))
		}
		if err := s.server.Run(ctx); err != nil {
			return err
		}
		s.gate.lift()
	}
	return nil
}

// work waits until the server has acknowledged more edits.
func (s *storm) work(ctx context.Context, more int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	target := uint64(s.count() + more) //nolint:gosec // counted from 0
	if s.tally.until(ctx, func() bool { return s.tally.count >= target }) {
		return nil
	}
	return errors.Join(errStuck, errors.Join(s.tally.troubles...), ctx.Err())
}

func (s *storm) count() int {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	return int(s.tally.count) //nolint:gosec // far from overflowing
}

// drain lets the writers come to rest: nothing waits, and everybody has seen everything.
func (s *storm) drain(ctx context.Context) error {
	s.tally.sleep()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !s.tally.until(ctx, func() bool { return s.tally.drained(s.lanes) }) {
		return fmt.Errorf("drain: %w", errors.Join(errStuck, errors.Join(s.tally.troubles...), ctx.Err()))
	}
	heads := map[board.ID]uint64{}
	for id, token := range s.boards {
		told, err := witness.Read(ctx, s.server.URL(), token, id)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		heads[id] = told.Head
	}
	if !s.tally.until(ctx, func() bool { return s.tally.caughtUp(s.lanes, heads) }) {
		return fmt.Errorf("catch up: %w", errors.Join(errStuck, errors.Join(s.tally.troubles...), ctx.Err()))
	}
	return nil
}

// check holds the journals against the server: it is killed once more, so that what it says comes from the file.
func (s *storm) check(ctx context.Context) error {
	if err := errors.Join(s.server.Kill(), victim.Sound(s.server.Data())); err != nil {
		return err
	}
	if err := s.server.Run(ctx); err != nil {
		return err
	}
	for _, l := range s.lanes {
		if err := l.finish(); err != nil {
			return err
		}
	}
	for id, token := range s.boards {
		told, err := witness.Read(ctx, s.server.URL(), token, id)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		s.result.Breaches = append(s.result.Breaches, journal.Check(told, s.journals(id))...)
	}
	s.result.Checked, s.result.Acknowledged = journal.Count(s.journals(""))
	for _, j := range s.journals("") {
		for _, h := range j.Heard {
			s.result.Deliveries += len(h.Entries)
		}
	}
	s.result.Resubscribed = s.tally.gaps
	cries, err := s.server.Cries()
	for _, cry := range cries {
		s.result.Breaches = append(s.result.Breaches, journal.Breach{Rule: "B1", Text: "the server says " + cry})
	}
	if len(s.result.Breaches) > 0 {
		err = errors.Join(err, s.dump())
	}
	return err
}

// journals are those of a dashboard, or all.
func (s *storm) journals(id board.ID) (all []*journal.Journal) {
	for _, l := range s.lanes {
		if id == "" || l.id == id {
			all = append(all, l.journal)
		}
	}
	return all
}

// dump writes the journals beside the server's data, for whoever looks into what was lost.
func (s *storm) dump() error {
	for _, l := range s.lanes {
		file := filepath.Join(s.Dir, fmt.Sprintf("journal-%s-%s.json", l.journal.Device, l.id))
		b, err := json.MarshalIndent(map[string]any{
			"device": fmt.Sprintf("%x", l.journal.Dev), "saved": l.journal.Saved, "acks": l.journal.Acks, "heard": l.journal.Heard, "tray": l.journal.Tray,
		}, "", " ")
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	return nil
}
