package syncclient

import "time"

// sample is one measurement of the server's clock against this device's.
type sample struct {
	offset int64 // milliseconds that the server is ahead
	trip   time.Duration
	at     time.Time
}

// sampleAge is how long a measurement counts: clocks are set and drift.
const sampleAge = time.Hour

// offset takes a new measurement and returns the best one: that of the shortest round trip, since its error is at most half
// of that. A newer one that contradicts it by more than both errors shows that a clock was set, and replaces it.
func (c *Client) offset(ms int64, trip time.Duration, now time.Time) int64 {
	s := sample{offset: ms, trip: trip, at: now}
	gap := time.Duration(s.offset-c.best.offset) * time.Millisecond
	if c.best.at.IsZero() || s.trip <= c.best.trip || now.Sub(c.best.at) > sampleAge || gap.Abs() > (s.trip+c.best.trip)/2+time.Second {
		c.best = s
	}
	return c.best.offset
}
