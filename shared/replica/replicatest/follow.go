package replicatest

import (
	"slices"

	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

// What the server tells its connections, as syncserver's httpsync and room do: nothing is queued for a connection but the
// answers to what it sent. It takes the steps of the log one after the other from where it is, as there is room on the way
// to the device; when it was too slow and they are gone, it gets from the store what it lacks.

func (s *server) frame(m wire.Message) frame { return frame{bytes: s.w.encode(m, s.version)} }

// reply sends an answer, or keeps it until there is room. Meanwhile nothing more is read from the device.
func (s *server) reply(l *link, f frame) {
	l.waiting = append(l.waiting, f)
	s.room(l)
}

// room sends what waits while there is room.
func (s *server) room(l *link) {
	for l.open && len(l.waiting) > 0 && len(l.frames[down]) < window {
		f := l.waiting[0]
		if f.snapshot > 0 {
			if s.role(l.device.user) == none {
				// It may not have the rest of the snapshot any more; should it get its access back, it needs all of it.
				l.waiting, l.fresh = slices.DeleteFunc(l.waiting, func(f frame) bool { return f.snapshot > 0 }), true
				continue
			}
			s.w.model.sendingPage(l.device.user)
		}
		l.waiting = l.waiting[1:]
		l.send(down, f)
	}
	s.advance(l)
}

// subscribe begins, or begins anew, to send the log from where the device has it.
func (s *server) subscribe(l *link, f frame, c wire.Cursor) {
	if epoch, head := s.hub(s.disk.begin()).Head(); s.unmade > 0 && c.Epoch == epoch && c.Since > head {
		s.remake() // somebody has seen more of this log than there is: it was put back
		if !l.open {
			return
		}
	}
	l.asked, l.mayEdit = f.asks, s.role(l.device.user) == editor
	l.follows, l.fresh, l.at = true, true, place{c.Epoch, c.Since}
	s.advance(l)
}

// deny ends a subscription: nothing follows on this connection until there is another.
func (s *server) deny(l *link) {
	if s.w.cfg.Bug != NoUnsubscribe {
		l.follows = false
	}
	s.reply(l, s.frame(wire.Denied{Board: dashboard, Message: "You may not open this dashboard."}))
}

// tell notes a step of the log, and sends it to those who follow: to some later.
func (s *server) tell(from, head uint64, entries []replica.Entry) {
	epoch, _ := s.hub(s.disk.begin()).Head()
	if from < head {
		s.pieces = append(s.pieces, piece{epoch: epoch, from: from, to: head, entries: entries})
		s.pieces = s.pieces[max(0, len(s.pieces)-keepPieces):]
	}
	for _, l := range s.w.links {
		if l.open && l.follows && !s.w.chance(4) {
			s.advance(l)
		}
	}
}

// write lets the writer of some connection go on, or gives a device up that takes nothing.
func (s *server) write() {
	if len(s.w.links) == 0 {
		return
	}
	l := s.w.links[s.w.choose(len(s.w.links))]
	if l.open && len(l.waiting) > 0 && s.w.chance(4) {
		s.close(l)
		return
	}
	s.room(l)
}

// advance sends what the device does not have yet, while there is room and access.
func (s *server) advance(l *link) {
	for l.open && l.follows && len(l.waiting) == 0 && len(l.frames[down]) < window {
		if s.role(l.device.user) == none && (l.fresh || s.w.cfg.Bug != NoUnsubscribe) {
			s.deny(l)
			return
		}
		if !l.fresh {
			state := s.next(l)
			if state == upToDate {
				return
			}
			if state == sent {
				continue
			}
		}
		if !s.resume(l) {
			return
		}
	}
}

// The states of a connection that follows.
const (
	sent = iota
	upToDate
	behind
)

// next sends the step that follows what a connection has.
func (s *server) next(l *link) int {
	n := len(s.pieces)
	if n == 0 {
		epoch, head := s.hub(s.disk.begin()).Head()
		if l.at == (place{epoch, head}) {
			return upToDate
		}
		return behind
	}
	last := &s.pieces[n-1]
	switch {
	case last.epoch != l.at.epoch:
		return behind
	case l.at.seq >= last.to:
		return upToDate
	}
	for i := range s.pieces {
		p := &s.pieces[i]
		if p.from == l.at.seq || s.w.cfg.Bug == OverflowSkips && p.from > l.at.seq {
			if p.bytes[s.version] == nil {
				p.bytes[s.version] = s.frame(wire.Delta{Board: dashboard, Delta: replica.Delta{Epoch: p.epoch, From: p.from, To: p.to, Entries: p.entries}}).bytes
			}
			f := frame{bytes: p.bytes[s.version]}
			if p.from > l.at.seq { // the bug
				f = s.frame(wire.Delta{Board: dashboard, Delta: replica.Delta{Epoch: p.epoch, From: l.at.seq, To: p.to, Entries: p.entries}})
			}
			l.at.seq = p.to
			s.send(l, f, p.entries)
			return sent
		}
	}
	return behind
}

// resume sends what the store has beyond the device's position; false if the connection was closed.
func (s *server) resume(l *link) bool {
	if s.disk.broken {
		s.close(l)
		return false
	}
	const entries, bytes = 4, 1 << 20
	h := s.hub(s.disk.begin())
	epoch, head := h.Head()
	since := l.at.seq
	if s.w.cfg.Bug == ResumeSkips && since < head {
		since++
	}
	d, ok, err := h.Since(l.at.epoch, since, entries, bytes)
	s.w.must(err)
	if ok {
		if s.w.cfg.Bug == ResumeSkips {
			d.From = min(d.From, l.at.seq)
		}
		l.at.seq, l.fresh = d.To, false
		s.send(l, s.frame(wire.Delta{Board: dashboard, Delta: d}), d.Entries)
		return true
	}
	pages, err := h.Snapshot(100 + 150*s.w.choose(3))
	s.w.must(err)
	s.answers++
	l.at, l.fresh = place{epoch, head}, false
	for i := range pages {
		p := pages[i]
		switch s.w.cfg.Bug { //nolint:exhaustive // the other bugs are planted elsewhere
		case SnapshotTooNew:
			p.Seq++
		case SnapshotWithoutFloor:
			for k := range p.Rows {
				p.Rows[k].Floor = replica.RowKey{}
			}
		}
		f := s.frame(wire.Snapshot{Board: dashboard, Snapshot: p})
		f.answers, f.snapshot = l.asked, s.answers
		l.waiting = append(l.waiting, f) // pages may have to wait for room, but nothing comes between them
	}
	s.room(l)
	return l.open
}

// send puts a step of the log on its way, past the check of who may have it.
func (s *server) send(l *link, f frame, entries []replica.Entry) {
	s.w.model.sending(l.device.user, entries)
	if s.version == newer && s.w.chance(4) {
		l.send(down, frame{bytes: unknown})
	}
	l.send(down, f)
}
