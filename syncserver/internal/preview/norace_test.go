//go:build !race

package preview_test

const (
	raceEnabled = false
	share       = 1
)
