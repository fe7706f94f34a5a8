package replicatest

import "widgets.pro/shared/replica"

// Bug is a mistake that can be planted in the shells around client and hub. Each is one that somebody could make, and each
// must be found by the rules; that is the test of the simulator.
type Bug int

// The bugs.
const (
	NoBug                Bug = iota
	NoDedupe                 // the server takes operations that it had before as new
	VerdictForgotten         // a repeated acknowledgement leaves out the verdicts of the first
	QueueLostOnCrash         // the queue lives in memory
	SavedBeforeCommit        // the user is told "saved" before the transaction is on disk
	ArrivalOrder             // what arrives last wins, whatever its stamp
	NoClamp                  // the server takes stamps from any future
	NaiveClamp               // stamps from the future become the server's time, all the same
	ClockNotPersisted        // after a restart the clock knows only the wall
	NoReceiveRule            // the clock does not note stamps from elsewhere
	DropAtAck                // operations leave the queue when acknowledged, not when seen
	IgnoredGap               // deltas are applied although some are missing before
	AckBeforeCommit          // the server acknowledges, then writes
	SendBeforeCommit         // the server tells others, then writes
	RoleAtConnect            // the right to edit is read when the connection is made
	NoUnsubscribe            // a revocation leaves subscriptions as they are
	TornSnapshot             // pages of a snapshot take effect one by one
	SnapshotTooNew           // a snapshot claims one position more than it holds
	FloorTooEarly            // the device gives up verdicts that it has not taken note of
	ResumeSkips              // resuming leaves out the first entry that is missing
	EIOIgnored               // the user is told "saved" although the disk failed
	RetryAfterEIO            // a store goes on after the disk failed, on pages that are not on it
	HalfKept                 // a transaction that failed in the middle leaves its first half
	AckedWhenFull            // the server acknowledges what its disk did not take
	RoleBeforeCommit         // a change of access is stored beside the data, before the transaction that it belongs to
	HalfFrameApplied         // of a frame that was cut off what is there is taken
	OverflowSkips            // a device that was too slow is told only the newest, as if it followed
	OldPageTaken             // a snapshot counts although newer changes have overtaken it
	PagesMixed               // pages of two answers make one snapshot
	SentIsAcked              // what was sent counts as arrived
	TrayLost                 // what was refused is thrown away
	DevicesForgotten         // the server forgets at a restart up to where devices were judged
	WallAlone                // edits are stamped by the wall clock alone
	UndoOverOthers           // undo takes back what others wrote since
	UnknownEmptied           // operations of unknown kinds lose their value on their way
	UnknownClosed            // a message of an unknown type ends the connection
	SnapshotWithoutFloor     // snapshots leave out below which row everything is gone
	OfferUnmarked            // what is offered again counts as new
	FloorIgnored             // the server does not move its count to a device's floor
	EpochIgnored             // devices do not look at the epoch
	NeverRemade              // a server that was put back keeps its epoch
	IncarnationKept          // a device that is a copy goes on under the same name
	QueueNotTakenOver        // a new incarnation begins with an empty queue
	GraveForgotten           // the server does not remember what it has buried
	bugs                     // how many there are
)

// PlantedBug tells what is expected of the rules.
type PlantedBug struct {
	Bug  Bug
	Name string
	// Rule is the one that must find it: 7 is SI7.
	Rule int
	// Config is where it can be found: Restore or Copies.
	Config Config
	// From is the seed from which on to look for those that are rare; what they broke was found by long hunts.
	From uint64
}

// Bugs lists all bugs that can be planted, each with the rule that must find it.
func Bugs() []PlantedBug {
	restore, copies := Config{Restore: true}, Config{Copies: true}
	return []PlantedBug{
		{NoDedupe, "no dedupe", 3, Config{}, 0},
		{VerdictForgotten, "verdict forgotten", 2, Config{}, 0},
		{QueueLostOnCrash, "queue lost on crash", 10, Config{}, 0},
		{SavedBeforeCommit, "saved before commit", 2, Config{}, 0},
		{ArrivalOrder, "arrival order", 7, Config{}, 0},
		{NoClamp, "no clamp", 8, Config{}, 0},
		{NaiveClamp, "naive clamp", 11, Config{}, 0},
		{ClockNotPersisted, "clock not persisted", 9, Config{}, 0},
		{NoReceiveRule, "no receive rule", 9, Config{}, 0},
		{DropAtAck, "drop at ack", 10, Config{}, 0},
		{IgnoredGap, "ignored gap", 1, Config{}, 0},
		{AckBeforeCommit, "ack before commit", 2, Config{}, 0},
		{SendBeforeCommit, "send before commit", 4, Config{}, 0},
		{RoleAtConnect, "role read at connect", 5, Config{}, 0},
		{NoUnsubscribe, "no unsubscribe", 6, Config{}, 0},
		{TornSnapshot, "torn snapshot", 10, Config{}, 0},
		{SnapshotTooNew, "snapshot too new", 1, Config{}, 0},
		{FloorTooEarly, "floor too early", 10, Config{}, 0},
		{ResumeSkips, "resume skips", 1, Config{}, 0},
		{EIOIgnored, "EIO taken as saved", 2, Config{}, 0},
		{RetryAfterEIO, "going on after EIO", 2, Config{}, 0},
		{HalfKept, "half a transaction kept", 10, Config{}, 0},
		{AckedWhenFull, "acknowledged on a full disk", 4, Config{}, 0},
		{RoleBeforeCommit, "role changed before commit", 5, Config{}, 0},
		{HalfFrameApplied, "half a frame applied", 1, Config{}, 0},
		{OverflowSkips, "overflow without resync", 1, Config{}, 0},
		{OldPageTaken, "old snapshot taken", 10, Config{Steps: 300}, 0},
		{PagesMixed, "pages mixed", 10, Config{Steps: 300}, 4_400},
		{SentIsAcked, "sent taken as acknowledged", 2, Config{}, 0},
		{TrayLost, "tray lost", 2, Config{}, 0},
		{DevicesForgotten, "devices forgotten", 3, Config{}, 0},
		{WallAlone, "wall clock alone", 9, Config{}, 0},
		{UndoOverOthers, "undo over others", 22, Config{}, 0},
		{UnknownEmptied, "unknown kind emptied", 17, Config{}, 0},
		{UnknownClosed, "unknown message closes", 17, Config{}, 0},
		{SnapshotWithoutFloor, "snapshot without floor", 1, Config{}, 0},
		{GraveForgotten, "grave forgotten", 21, Config{}, 0},
		{OfferUnmarked, "offer not marked", 13, restore, 0},
		{FloorIgnored, "floor ignored", 1, restore, 0},
		{EpochIgnored, "epoch ignored", 1, restore, 0},
		{NeverRemade, "never a new epoch", 1, restore, 0},
		{IncarnationKept, "incarnation kept", 1, copies, 0},
		{QueueNotTakenOver, "queue not taken over", 10, copies, 0},
	}
}

// erase deletes every record of a kind.
func erase(w *world, mem *replica.Memory, kind byte) {
	var keys [][]byte
	w.must(mem.Scan([]byte{kind}, []byte{kind + 1}, func(k, _ []byte) bool {
		keys = append(keys, k)
		return true
	}))
	for _, k := range keys {
		w.must(mem.Delete(k))
	}
}
