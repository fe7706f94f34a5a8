package replicatest_test

import (
	"testing"

	"widgets.pro/shared/replica/replicatest"
)

// Schedules that once broke a rule, or do so without what was done about it, by what they did. They are tried in every run,
// whatever the range of seeds. When choices are added, seeds mean other schedules: take the cure away and look for new ones.
func TestFoundSchedulesHold(t *testing.T) {
	t.Parallel()
	copies, restored := replicatest.Config{Copies: true}, replicatest.Config{Restore: true}
	for _, r := range []struct {
		name  string
		seeds []uint64
		steps int
		cfg   replicatest.Config
	}{
		{name: "a trim behind restamped rows removes nothing", seeds: []uint64{359, 416, 450}},
		{name: "what waits for a buried widget hides that it went", seeds: []uint64{200, 240, 396}},
		{name: "what waited for a buried widget goes unnoticed with the verdict", seeds: []uint64{37, 151, 228}},
		{name: "what waited for a buried widget goes unnoticed after a snapshot", seeds: []uint64{38, 73, 174}},
		{name: "pages of two answers are mixed", seeds: []uint64{4452, 4981}, steps: 300},
		{name: "a snapshot counts although newer changes have overtaken it", seeds: []uint64{3, 435, 761}, steps: 300},
		{name: "a late message of before a restore tells of a burial", seeds: []uint64{502, 716, 911}, cfg: restored},
		{name: "a late message of before a restore tells of positions that hold something else", seeds: []uint64{403024996}, cfg: restored},
		{name: "offers go without a word when access ends", seeds: []uint64{5003966}, cfg: restored},
		{name: "a copy takes the verdicts on the other one's edits for its own", seeds: []uint64{108, 243, 1277}, cfg: copies},
		{name: "a copy takes the other one's stamps for its own", seeds: []uint64{21, 49, 248}, cfg: copies},
		{name: "a copy gives up again what the other one has given up", seeds: []uint64{310, 573, 971}, cfg: copies},
		{name: "an answer speaks of edits that only the other copy has made", seeds: []uint64{335, 940, 1497}, cfg: copies},
		{name: "rows that two copies stamped alike show as they came", seeds: []uint64{809971913}, cfg: copies},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, seed := range r.seeds {
				r.cfg.Steps = max(r.steps, usual)
				if got := replicatest.Run(replicatest.Seed(seed), r.cfg); got.Err != nil {
					t.Errorf("seed %d: %v", seed, got.Err)
				}
			}
		})
	}
}
