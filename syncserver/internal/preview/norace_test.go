//go:build !race

package preview_test

import "time"

const (
	raceEnabled = false
	share       = 1
	worst       = 10 * time.Second // for one picture, on a busy machine
)
