// Package replicatest simulates devices, a server and the network between them, to find schedules in which a replica breaks
// its rules.
//
// It runs the code that ships (replica.Client, replica.Hub, hlc.Clock) inside small shells that stand for the programs: they
// open transactions, crash, reconnect and answer. Time is virtual, one goroutine does everything, and every choice comes
// from one function, so a seed always gives the same run. Rules are checked while it runs and again after everything has
// healed (check.go). Bugs can be planted in the shells (bug.go) to show that the checks find them. Start reading at Run.
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
	// Restore lets the server be put back to an earlier copy. Rights do not change then, and the rules about the log are
	// not checked, since the log they are about is gone.
	Restore bool
}

// Result is the outcome of one run. Trace is a hash of everything that happened; Err the first broken rule, with its
// number, or nil.
type Result struct {
	Trace uint64
	Err   error
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
	return Result{Trace: w.trace, Err: w.err}
}

// world is everything there is in a run.
type world struct {
	pick    func(n int) int
	cfg     Config
	now     int64 // the server's clock, milliseconds
	trace   uint64
	err     error
	server  *server
	devices []*device
	links   []*link // every connection ever made, in order
	values  int     // the last value that an edit wrote
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
	for i := range devices {
		d := &device{w: w, id: uint64(i) + 1, user: i / 2}
		d.skew = w.skew()
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

// broken records the first rule that does not hold.
func (w *world) broken(rule, format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%s: %s", rule, fmt.Sprintf(format, args...))
	}
}

// must takes errors that no rule speaks of: code that fails on what it wrote itself.
func (w *world) must(err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("unexpected: %w", err)
	}
}

// skew is how wrong a device's clock is, in milliseconds.
func (w *world) skew() int64 {
	if w.cfg.Restore {
		return []int64{-60_000, 0, 0, 1_000, 60_000}[w.choose(5)]
	}
	return []int64{-3_600_000, -60_000, 0, 0, 1_000, 60_000, 600_000, 3_600_000}[w.choose(8)]
}

// step lets one thing happen.
func (w *world) step() {
	w.now += []int64{0, 0, 1, 20, 1_000, 90_000}[w.choose(6)]
	d := w.devices[w.choose(devices)]
	switch n := w.choose(40); {
	case n < 10:
		d.edit()
	case n < 14:
		d.push(false)
	case n < 16 || d.link == nil:
		d.connect()
	case n < 26:
		w.deliver(up)
	case n < 36:
		w.deliver(down)
	case n == 36:
		w.trouble(d)
	case n == 37:
		d.push(true)
	case n == 38:
		w.server.change()
	default:
		w.server.keepHouse()
	}
}

// trouble is what goes wrong by itself.
func (w *world) trouble(d *device) {
	switch w.choose(6) {
	case 0:
		d.crash()
	case 1:
		w.server.die()
	case 2:
		d.skew = w.skew()
	case 3:
		d.away = !d.away
	case 4:
		d.hangUp()
	default:
		w.server.noticeDead(w.choose(max(1, len(w.links))))
	}
}

// crash decides whether a process ends here. Nothing crashes any more once everything heals.
func (w *world) crash(oneIn int) bool { return !w.healing && w.chance(oneIn) }
