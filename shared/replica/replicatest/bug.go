package replicatest

// Bug is a mistake that can be planted in the shells around client and hub. Each is one that somebody could make, and each
// must be found by the rules; that is the test of the simulator.
type Bug int

// The bugs.
const (
	NoBug             Bug = iota
	NoDedupe              // the server takes operations that it had before as new
	VerdictForgotten      // a repeated acknowledgement leaves out the verdicts of the first
	QueueLostOnCrash      // the queue lives in memory
	SavedBeforeCommit     // the user is told "saved" before the transaction is on disk
	ArrivalOrder          // what arrives last wins, whatever its stamp
	NoClamp               // the server takes stamps from any future
	NaiveClamp            // stamps from the future become the server's time, all the same
	ClockNotPersisted     // after a restart the clock knows only the wall
	NoReceiveRule         // the clock does not note stamps from elsewhere
	DropAtAck             // operations leave the queue when acknowledged, not when seen
	IgnoredGap            // deltas are applied although some are missing before
	AckBeforeCommit       // the server acknowledges, then writes
	SendBeforeCommit      // the server tells others, then writes
	RoleAtConnect         // the right to edit is read when the connection is made
	NoUnsubscribe         // a revocation leaves subscriptions as they are
	TornSnapshot          // pages of a snapshot take effect one by one
	SnapshotTooNew        // a snapshot claims one position more than it holds
	FloorTooEarly         // the device gives up verdicts that it has not taken note of
	ResumeSkips           // resuming leaves out the first entry that is missing
	bugs                  // how many there are
)

// String names the bug.
func (b Bug) String() string {
	return [...]string{
		"no bug", "no dedupe", "verdict forgotten", "queue lost on crash", "saved before commit", "arrival order", "no clamp",
		"naive clamp", "clock not persisted", "no receive rule", "drop at ack", "ignored gap", "ack before commit",
		"send before commit", "role read at connect", "no unsubscribe", "torn snapshot", "snapshot too new", "floor too early",
		"resume skips",
	}[b]
}

// Bugs lists all bugs that can be planted.
func Bugs() []Bug {
	all := make([]Bug, 0, bugs-1)
	for b := NoBug + 1; b < bugs; b++ {
		all = append(all, b)
	}
	return all
}
