package replicatest_test

import (
	"testing"

	"widgets.pro/shared/replica/replicatest"
)

// Schedules that once broke a rule, or do so without what was done about it, by what they did. They are tried in every run,
// whatever the range of seeds. When choices are added, seeds mean other schedules: take the cure away and look for new ones.
func TestFoundSchedulesHold(t *testing.T) {
	t.Parallel()
	copies := replicatest.Config{Copies: true}
	for _, r := range []struct {
		name  string
		seeds []uint64
		steps int
		cfg   replicatest.Config
	}{
		{name: "a trim behind restamped rows removes nothing", seeds: []uint64{119, 450, 527}},
		{name: "what waits for a buried widget hides that it went", seeds: []uint64{67, 106, 108}},
		{name: "what waited for a buried widget goes unnoticed with the verdict", seeds: []uint64{30, 76, 150}},
		{name: "what waited for a buried widget goes unnoticed after a snapshot", seeds: []uint64{193, 253, 321}},
		{name: "pages of two answers are mixed", seeds: []uint64{1761}, steps: 250},
		{name: "a copy takes the verdicts on the other one's edits for its own", seeds: []uint64{1, 84, 109}, cfg: copies},
		{name: "a copy takes the other one's stamps for its own", seeds: []uint64{12, 39, 51}, cfg: copies},
		{name: "a copy gives up again what the other one has given up", seeds: []uint64{423, 1107, 1313}, cfg: copies},
		{name: "an answer speaks of edits that only the other copy has made", seeds: []uint64{1}, cfg: copies},
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
