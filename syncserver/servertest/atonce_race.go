//go:build race

package servertest

import "time"

// AtOnce is how long what happens at once may take in a test under the race detector.
const AtOnce = 8 * time.Second
