// Command simulate runs the simulation of replicas for long: make simulate.
//
// It tries schedules of all families until so many steps were simulated, tells how it gets on, and ends with a failure at the
// first schedule that breaks a rule, with what is needed to run that one again. Start reading at run.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"widgets.pro/shared/replica/replicatest"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// family is a kind of schedule.
type family struct {
	name string
	cfg  replicatest.Config
}

// families are tried in turn, those that come more than once more often.
func families() []family {
	usual := replicatest.Config{Steps: 150}
	long, restored, copied := usual, usual, usual
	long.Steps, restored.Restore, copied.Copies = 1_000, true, true
	return []family{{"usual", usual}, {"restored", restored}, {"usual", usual}, {"copied", copied}, {"long", long}}
}

// hunt is what the workers share.
type hunt struct {
	mu        sync.Mutex
	next      uint64
	steps     uint64
	schedules uint64
	checked   replicatest.Rules
	failed    error
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	steps := flags.Uint64("steps", 10_000_000, "how many steps to simulate")
	first := flags.Uint64("from", uint64(time.Now().UnixNano())%1_000_000_000, "the first seed; by default another one each time")
	seed := flags.Int64("seed", -1, "run this one schedule instead")
	kind := flags.String("family", "usual", "its family")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	if *seed >= 0 {
		return one(*kind, uint64(*seed), out)
	}
	say(out, "%d steps from seed %d on, on %d processors\n", *steps, *first, runtime.GOMAXPROCS(0))
	h := &hunt{next: *first}
	began := time.Now()
	done := make(chan struct{})
	var workers, teller sync.WaitGroup
	teller.Go(func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				h.tell(out, time.Since(began))
			}
		}
	})
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() { h.work(*steps) })
	}
	workers.Wait()
	close(done)
	teller.Wait()
	h.tell(out, time.Since(began))
	return h.failed
}

// one runs a single schedule.
func one(name string, seed uint64, out io.Writer) error {
	for _, f := range families() {
		if f.name == name {
			r := replicatest.Run(replicatest.Seed(seed), f.cfg)
			say(out, "family %s, seed %d: trace %016x\n", name, seed, r.Trace)
			return r.Err
		}
	}
	return fmt.Errorf("there is no family %q", name)
}

// work tries schedules until there were enough steps, or one has failed.
func (h *hunt) work(steps uint64) {
	all := families()
	for {
		h.mu.Lock()
		seed, over := h.next, h.failed != nil || h.steps >= steps
		h.next++
		h.mu.Unlock()
		if over {
			return
		}
		f := all[seed%uint64(len(all))]
		r := replicatest.Run(replicatest.Seed(seed), f.cfg)
		h.mu.Lock()
		h.schedules++
		h.steps += uint64(f.cfg.Steps) //nolint:gosec // small
		for i, n := range r.Checked {
			h.checked[i] += n
		}
		if r.Err != nil && h.failed == nil {
			h.failed = fmt.Errorf("seed %d of the family %q: %w\nagain: go run ./build/simulate -family %s -seed %d", seed, f.name, r.Err, f.name, seed)
		}
		h.mu.Unlock()
	}
}

// tell says how far it is.
func (h *hunt) tell(out io.Writer, passed time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rules []string
	checks := uint64(0)
	for i, n := range h.checked {
		if checks += n; n > 0 {
			rules = append(rules, fmt.Sprintf("SI%d", i))
		}
	}
	s := max(passed.Seconds(), 0.001)
	say(out, "%5.0f s: %d steps (%.0f/s), %d schedules (%.0f/s), %d checks of %d rules: %s\n",
		s, h.steps, float64(h.steps)/s, h.schedules, float64(h.schedules)/s, checks, len(rules), strings.Join(rules, " "))
}

// say writes a line of the report; if nobody can read it there is nobody to tell.
func say(out io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }
