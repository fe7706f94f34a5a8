//go:build race

package preview_test

import "time"

// What the race detector slows down twenty times is tried with a part of the data.
const (
	raceEnabled = true
	share       = 20
	worst       = 20 * time.Second // for one picture, on a busy machine
)
