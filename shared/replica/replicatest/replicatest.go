// Package replicatest simulates devices, a server and the network between them, to find schedules in which a replica breaks
// its rules.
//
// It runs the code that ships (replica.Client, replica.Hub, hlc.Clock, package wire, undo) inside small shells that stand for
// the programs: they open transactions, crash, reconnect and answer. Time is virtual, one goroutine does everything, and every
// choice comes from one function, so a seed always gives the same run. Rules are checked while it runs and again after
// everything has healed (check.go). Bugs can be planted in the shells (bug.go) to show that the checks find them.
//
// What goes wrong: frames are late, lost, repeated, cut in the middle and out of order (network.go); devices and server crash
// before and after commits, and their disks are full or fail (disk.go); clocks are wrong, jump and drift (clock.go); roles
// change, and links are rotated; the server is put back to a copy of its data; a device's disk is copied (copies.go).
//
// Programs of three versions take part side by side. Since there is one code, "newer" and "older" are made at the border, where
// bytes are written and read (wire.go): a newer program says more than this one understands, an older device does not know
// row logs. Both run the code of today inside.
//
// Start reading at Run.
package replicatest

import (
	"fmt"
	"math/rand/v2"
)

// Config says what to simulate.
type Config struct {
	// Steps is how many things happen before everything heals.
	Steps int
	// Bug is planted in the shells; the zero Bug is none.
	Bug Bug
	// Restore lets the server be put back to an earlier copy. SI2 is not checked then, since a user's edit may be refused
	// to others who offer it.
	Restore bool
	// Copies lets devices' disks be copied and put back.
	Copies bool
}

// Rules counts how often each rule was checked: Rules[7] is SI7.
type Rules [23]uint64

// Result is the outcome of one run. Trace is a hash of everything that happened; Err the first broken rule, with its
// number in Rule (0 where code failed of which no rule speaks), or nil.
type Result struct {
	Trace   uint64
	Err     error
	Rule    int
	Checked Rules
}

// Seed makes the choices of a run from a seed.
func Seed(seed uint64) func(n int) int {
	return rand.New(rand.NewPCG(seed, 0x5eed)).IntN //nolint:gosec // a reproducible simulation, no secret
}

// Run simulates one schedule. choose(n) picks one of 0 <= i < n; the same choices give the same Result.
func Run(choose func(n int) int, cfg Config) Result {
	w := newWorld(choose, cfg)
	for range cfg.Steps {
		if w.err != nil {
			break
		}
		w.step()
	}
	w.finish()
	return Result{Trace: w.trace, Err: w.err, Rule: w.rule, Checked: w.checked}
}

// world is everything there is in a run.
type world struct {
	pick    func(n int) int
	cfg     Config
	now     int64 // the server's clock, milliseconds
	trace   uint64
	err     error
	rule    int
	checked Rules
	server  *server
	devices []*device // the last one stands idle until it gets a copy
	links   []*link   // every connection ever made, in order
	devs    uint64    // the last incarnation
	values  int       // the last value that an edit wrote
	healing bool
	model   model
}

const (
	devices = 5
	start   = 1_700_000_000_000 // the first instant, milliseconds since 1970
)

func newWorld(choose func(int) int, cfg Config) *world {
	w := &world{pick: choose, cfg: cfg, now: start, trace: fnvBasis}
	w.model.init(w)
	w.server = newServer(w)
	for i := range devices + 1 {
		d := &device{w: w, machine: i + 1, user: min(i/2, users-1), idle: i == devices}
		d.version = []dialect{today, today, today, newer, older}[w.choose(5)]
		d.loose = w.chance(2)
		d.clock = wallClock{drift: []int64{-500, 0, 0, 500}[w.choose(4)], follows: w.chance(2)}
		w.set(&d.clock)
		w.devs++
		w.must(setNumber(d.disk.begin(), nameKey(), w.devs))
		w.devices = append(w.devices, d)
		d.restart()
	}
	return w
}

// choose is every choice of the run.
func (w *world) choose(n int) int {
	i := w.pick(n)
	w.note(uint64(i)) //nolint:gosec // not negative
	return i
}

func (w *world) chance(oneIn int) bool { return w.choose(oneIn) == 0 }

// The hash is FNV-1a, over words instead of bytes.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

// note adds to the trace.
func (w *world) note(values ...uint64) {
	for _, v := range values {
		w.trace = (w.trace ^ v) * fnvPrime
	}
}

// holds counts a check of a rule, and returns what came of it.
func (w *world) holds(rule int, ok bool) bool {
	w.checked[rule]++
	return ok
}

// broken records the first rule that does not hold.
func (w *world) broken(rule int, format string, args ...any) {
	if w.err == nil {
		w.rule, w.err = rule, fmt.Errorf("SI%d: %s", rule, fmt.Sprintf(format, args...))
	}
}

// must takes errors that no rule speaks of: code that fails on what it wrote itself.
func (w *world) must(err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("unexpected: %w", err)
	}
}

// step lets one thing happen.
func (w *world) step() {
	w.now += []int64{0, 0, 1, 20, 1_000, 90_000}[w.choose(6)]
	d := w.devices[w.choose(devices+1)]
	if d.idle {
		d = w.devices[0]
	}
	switch n := w.choose(45); {
	case n < 9:
		d.edit()
	case n < 11:
		d.undo()
	case n < 15:
		d.push(false)
	case n == 15 || d.link == nil:
		d.connect()
	case n < 27:
		w.deliver(up)
	case n < 37:
		w.deliver(down)
	case n == 37:
		w.trouble(d)
	case n == 38:
		d.push(true)
	case n < 41:
		w.server.change()
	case n < 43:
		w.server.keepHouse()
	default:
		w.server.write()
	}
}

// trouble is what goes wrong by itself.
func (w *world) trouble(d *device) {
	switch w.choose(8) {
	case 0:
		d.restart()
	case 1:
		w.server.die()
	case 2:
		w.set(&d.clock)
	case 3:
		away := !d.blocked[up]
		d.blocked = [2]bool{away, away}
	case 4:
		way := w.choose(2)
		d.blocked[way] = !d.blocked[way]
	case 5:
		if w.cfg.Copies {
			w.copyTo()
			return
		}
		d.hangUp()
	case 6:
		if d.link != nil {
			w.sever(d.link)
		}
	default:
		w.server.noticeDead(w.choose(max(1, len(w.links))))
	}
}

// crash decides whether a process ends here. Nothing crashes any more once everything heals.
func (w *world) crash(oneIn int) bool { return !w.healing && w.chance(oneIn) }
