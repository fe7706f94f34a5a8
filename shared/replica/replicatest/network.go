package replicatest

import "widgets.pro/shared/replica"

// The directions of a connection.
const (
	up   = 0 // from device to server
	down = 1
)

// link is one connection. Either side may believe that it still is there while the other has left (half open), and what is
// under way may arrive long after a newer connection has been made.
type link struct {
	id     int
	device *device
	open   bool // at the server
	frames [2][]frame

	// What the server keeps of a connection.
	subscribed bool
	sent       uint64 // log position up to which the device was told
	mayEdit    bool   // right when it connected; only a planted bug looks at it
}

// frame is one message.
type frame struct {
	subscribe *subscribe
	ops       *replica.Submission
	ack       *replica.Ack
	delta     *replica.Delta
	page      *replica.Snapshot
	answers   int // subscription that a page belongs to
	snapshot  int // which of the answers to it
	denied    bool
}

// subscribe asks for the log from a place on.
type subscribe struct {
	id           int
	epoch, since uint64
}

func (l *link) send(way int, f frame) {
	const window = 64 // frames under way; more are lost, as with a slow reader
	if len(l.frames[way]) < window {
		l.frames[way] = append(l.frames[way], f)
	}
}

// deliver takes one frame that is under way in the given direction, on any connection, out of order if it comes to that,
// and loses it, delivers it, or delivers it and leaves a copy for later.
func (w *world) deliver(way int) {
	var ready []*link
	for _, l := range w.links {
		if len(l.frames[way]) > 0 && !l.device.away {
			ready = append(ready, l)
		}
	}
	if len(ready) == 0 {
		return
	}
	l := ready[w.choose(len(ready))]
	i := 0
	if w.chance(6) {
		i = w.choose(len(l.frames[way]))
	}
	f := l.frames[way][i]
	again := w.chance(12)
	if !again {
		l.frames[way] = append(l.frames[way][:i:i], l.frames[way][i+1:]...)
		if w.chance(16) {
			return // lost
		}
	}
	w.arrive(l, way, f)
}

func (w *world) arrive(l *link, way int, f frame) {
	w.note(uint64(l.id), uint64(way)) //nolint:gosec // small
	if way == up {
		if l.open {
			w.server.receive(l, f)
		}
		return
	}
	l.device.receive(l, f)
}
