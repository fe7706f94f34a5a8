package replicatest_test

import (
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"widgets.pro/shared/replica/replicatest"
)

// A longer hunt: go test ./shared/replica/replicatest -run Hunt -hunt 100000 -from 1000000 -steps 300.
var (
	hunt  = flag.Uint64("hunt", 0, "how many further schedules to try")
	from  = flag.Uint64("from", 1_000_000, "the first seed of the hunt")
	steps = flag.Int("steps", 300, "steps of each schedule of the hunt")
)

const usual = 150 // steps of a schedule

// run tries the seeds from first on, in two halves at once.
func run(t *testing.T, first, n uint64, cfg replicatest.Config) {
	t.Helper()
	const parts = 2
	for part := range uint64(parts) {
		t.Run(fmt.Sprintf("part %d", part), func(t *testing.T) {
			t.Parallel()
			for seed := first + part; seed < first+n; seed += parts {
				if r := replicatest.Run(replicatest.Seed(seed), cfg); r.Err != nil {
					t.Errorf("seed %d: %v", seed, r.Err)
				}
			}
		})
	}
}

func TestSI1_to_SI11_SI17_SI22_HoldInEverySchedule(t *testing.T) {
	t.Parallel()
	run(t, 0, 3_000, replicatest.Config{Steps: usual})
}

func TestSI13_WhatEditorsHoldSurvivesARestoredServer(t *testing.T) {
	t.Parallel()
	run(t, 0, 1_000, replicatest.Config{Steps: usual, Restore: true})
}

func TestSI2_SI3_CopiedDevicesLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	run(t, 0, 1_000, replicatest.Config{Steps: usual, Copies: true})
}

func TestHunt(t *testing.T) {
	t.Parallel()
	for _, cfg := range []replicatest.Config{{}, {Restore: true}, {Copies: true}} {
		cfg.Steps = *steps
		run(t, *from, *hunt, cfg)
	}
}

// Rapid makes the choices here, so that a schedule that breaks a rule shrinks to a short one.
func TestSI1_to_SI11_HoldWhateverIsChosen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }
		if r := replicatest.Run(choose, replicatest.Config{Steps: 40}); r.Err != nil {
			t.Fatal(r.Err)
		}
	})
}

func TestSameSeedSameRun(t *testing.T) {
	seen := map[uint64]uint64{}
	for seed := range uint64(50) {
		a := replicatest.Run(replicatest.Seed(seed), replicatest.Config{Steps: usual})
		b := replicatest.Run(replicatest.Seed(seed), replicatest.Config{Steps: usual})
		if a.Trace != b.Trace {
			t.Errorf("seed %d ran as %x, then as %x", seed, a.Trace, b.Trace)
		}
		if other, ok := seen[a.Trace]; ok {
			t.Errorf("seeds %d and %d ran alike", seed, other)
		}
		seen[a.Trace] = seed
	}
}

// Each planted bug is one that these rules must find, within so many schedules.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	const within = 400
	for _, b := range replicatest.Bugs() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			cfg := b.Config
			cfg.Steps, cfg.Bug = max(usual, cfg.Steps), b.Bug
			other := ""
			for seed := range uint64(within) {
				r := replicatest.Run(replicatest.Seed(b.From+seed), cfg)
				if r.Err != nil && r.Rule == b.Rule {
					t.Logf("%s: schedule %d: %v", b.Name, seed+1, r.Err)
					return
				}
				if r.Err != nil && other == "" {
					other = fmt.Sprintf("; schedule %d: %v", seed+1, r.Err)
				}
			}
			t.Errorf(b.Name+": not found by SI%d in %d schedules%s", b.Rule, within, other)
		})
	}
}
