package replicatest

import "widgets.pro/shared/wire"

// The directions of a connection.
const (
	up   = 0 // from device to server
	down = 1
)

// frame is one message under way, as package wire writes it.
//
// A strict device reads its frames as a websocket brings them: in order, without loss, from the newest connection alone. A
// loose one is harder on the core than any transport that ships: its frames may be lost, repeated, overtake each other, and
// come from connections it has given up, and it answers before it has heard. Then the order numbers inside must be enough,
// except for pages of a snapshot: whoever loses the order must at least tell which answer a page belongs to, which is what
// asks, answers and snapshot are for. Strict devices do not look at them.
type frame struct {
	bytes    []byte
	cut      bool // the end is missing; its reader does not know
	asks     int  // up: the number of a subscription
	answers  int  // down: the subscription that a page belongs to
	snapshot int  // down: which of the answers to it
}

// link is one connection. Either side may believe that it still is there while the other has left (half open), and what is
// under way may arrive long after a newer connection has been made.
type link struct {
	id     int
	device *device
	open   bool    // at the server
	dead   [2]bool // what is sent from now on does not arrive
	frames [2][]frame
	// otherLog says that the server was put back since, and went on under the same epoch. What comes from here when the device
	// has given it up looks like the log that there is now, and is not: not even a loose device may take it.
	otherLog bool

	// What the server keeps of a connection.
	greeted bool
	dev     uint64 // of the hello
	asked   int    // number of the last subscription
	waiting []frame
	follows bool
	fresh   bool // nothing was sent since the last subscription
	at      place
	mayEdit bool // right when it connected; only a planted bug looks at it
}

// place is one in the server's log.
type place struct{ epoch, seq uint64 }

// window is how many frames fit on their way to a device. A server that has more to say waits, or reads it from the store
// when there is room.
const window = 6

// send puts a frame on its way.
func (l *link) send(way int, f frame) {
	if l.dead[way] {
		return
	}
	const limit = 64 // of a device's frames, which wait for no room
	if way == down || len(l.frames[way]) < limit {
		l.frames[way] = append(l.frames[way], f)
	}
}

// sever cuts a connection in one direction, in the middle of a frame: what comes after is lost. The other direction goes on
// for as long as the reader of the broken one does not notice.
func (w *world) sever(l *link) {
	way := w.choose(2)
	l.dead[way] = true
	if n := len(l.frames[way]); n > 0 {
		n = w.choose(n)
		l.frames[way] = l.frames[way][:n+1]
		l.frames[way][n] = w.shorten(l.frames[way][n])
	}
}

// shorten takes away the end of a frame, often a small one.
func (w *world) shorten(f frame) frame {
	n := len(f.bytes)
	if n == 0 {
		return f // there is nothing left of it
	}
	if w.chance(2) {
		n = min(n, 80)
	}
	f.bytes, f.cut = f.bytes[:len(f.bytes)-1-w.choose(n)], true
	return f
}

// deliver takes one frame that is under way in the given direction, on any connection. On loose ones it may be out of order,
// and be lost, cut, or left there for another time.
func (w *world) deliver(way int) {
	var ready []*link
	for _, l := range w.links {
		if len(l.frames[way]) > 0 && !l.device.blocked[way] && (way == down || len(l.waiting) == 0) {
			ready = append(ready, l)
		}
	}
	if len(ready) == 0 {
		return
	}
	l := ready[w.choose(len(ready))]
	i, again := 0, false
	if l.device.loose {
		if w.chance(4) {
			i = w.choose(len(l.frames[way]))
		}
		again = w.chance(12)
	}
	f := l.frames[way][i]
	if !again {
		l.frames[way] = append(l.frames[way][:i:i], l.frames[way][i+1:]...)
	}
	if l.device.loose && !again {
		switch w.choose(32) {
		case 0, 1:
			return // lost
		case 2, 3:
			f = w.shorten(f)
		}
	}
	w.arrive(l, way, f)
}

func (w *world) arrive(l *link, way int, f frame) {
	w.note(uint64(l.id), uint64(way), uint64(len(f.bytes))) //nolint:gosec // small
	m, ok := w.decode(f)
	if !ok && w.cfg.Bug == HalfFrameApplied {
		m, ok = salvage(f.bytes)
	}
	if way == up {
		if l.open {
			if !ok {
				w.server.close(l)
				return
			}
			w.server.receive(l, f, m)
			if u, unknown := m.(wire.Unknown); unknown && !w.holds(17, l.open) {
				w.broken(17, "the server closed on a %s, which it need not understand", u.Name)
			}
		}
		return
	}
	w.server.room(l)
	d := l.device
	if l != d.link && (!d.loose || l.otherLog) {
		return
	}
	if !ok {
		if l == d.link {
			d.hangUp()
		}
		return
	}
	was := d.link
	d.receive(l, f, m)
	if u, unknown := m.(wire.Unknown); unknown && !w.holds(17, d.link == was) {
		w.broken(17, "device %d hung up on a %s, which it need not understand", d.machine, u.Name)
	}
}

// salvage reads what is there of a delta whose end is missing, as a planted bug does.
func salvage(b []byte) (wire.Message, bool) {
	for n := len(b); n > 0; n-- {
		if b[n-1] == '}' || b[n-1] == '[' {
			for _, end := range []string{"}", "]}"} {
				if m, err := wire.Decode(append(b[:n:n], end...)); err == nil {
					_, delta := m.(wire.Delta)
					return m, delta
				}
			}
		}
	}
	return nil, false
}
