//go:build !race

package servertest

import "time"

// AtOnce is how long what happens at once may take in a test: a second, as rule V1 promises. The race detector makes
// everything some ten times slower, so under it the bound only tells what happens by itself from what waits for a timeout.
const AtOnce = time.Second
