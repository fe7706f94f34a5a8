package replicatest_test

import (
	"testing"

	"widgets.pro/shared/replica/replicatest"
)

// Schedules that once broke a rule, by what they did. They are tried in every run, whatever the range of seeds.
func TestFoundSchedulesHold(t *testing.T) {
	for _, r := range []struct {
		name  string
		seed  uint64
		steps int
		cfg   replicatest.Config
	}{
		{name: "a trim behind restamped rows removes nothing", seed: 474, steps: 150},
		{name: "a viewer's offers are refused after an old snapshot", seed: 1434, steps: 150},
		{name: "pages of two answers are mixed", seed: 1013586, steps: 300},
		{name: "pages of two answers are mixed, unnoticed", seed: 1004741, steps: 300},
		{name: "pages of two answers are mixed after a restore", seed: 1003778, steps: 300, cfg: replicatest.Config{Restore: true}},
		{name: "pages of two epochs are mixed", seed: 1007902, steps: 300, cfg: replicatest.Config{Restore: true}},
	} {
		t.Run(r.name, func(t *testing.T) {
			r.cfg.Steps = r.steps
			if got := replicatest.Run(replicatest.Seed(r.seed), r.cfg); got.Err != nil {
				t.Errorf("seed %d: %v", r.seed, got.Err)
			}
		})
	}
}
