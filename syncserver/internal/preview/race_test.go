//go:build race

package preview_test

// What the race detector slows down twenty times is tried with a part of the data.
const (
	raceEnabled = true
	share       = 20
)
