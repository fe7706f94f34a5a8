package replicatest

// wallClock is a device's clock: wrong from the start, set forwards and backwards in between, and too fast or too slow all the
// time.
type wallClock struct {
	skew    int64 // milliseconds ahead
	drift   int64 // parts per million too fast
	follows bool  // the device goes by the server's time where it knows that, as the app does
	offset  int64 // of the server's clock, as it was heard
}

// wall is the time by which the device stamps, when it is now at the server.
func (c *wallClock) wall(now int64) int64 {
	const tolerated = 2_000
	t := c.own(now)
	if c.follows && (c.offset > tolerated || c.offset < -tolerated) {
		t += c.offset
	}
	return t
}

func (c *wallClock) own(now int64) int64 { return now + c.skew + (now-start)*c.drift/1_000_000 }

// hear takes the server's time, however old the message is that brings it.
func (c *wallClock) hear(now, told int64) { c.offset = told - c.own(now) }

// set sets the clock, which may take it back.
func (w *world) set(c *wallClock) {
	if w.cfg.Restore || w.cfg.Copies {
		// Nothing is restamped then: rows that are, before a restore or by two copies of their author, may be there twice (SI3).
		c.skew = []int64{-60_000, 0, 0, 1_000, 60_000}[w.choose(5)]
		return
	}
	c.skew = []int64{-3_600_000, -60_000, 0, 0, 1_000, 60_000, 600_000, 3_600_000}[w.choose(8)]
}
