package journal

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"widgets.pro/shared/replica"
)

// Check holds the journals of every device that edits a dashboard against the server. It returns what is broken:
//
//   - SI1 a device that differs from the server, or has edits that wait;
//   - SI2 an edit that was saved and is neither on the server nor in its author's tray, or was acknowledged and is not in
//     the log where the acknowledgement says;
//   - SI3 an edit that took effect twice, or that nobody made;
//   - SI4 a log with a hole, with two operations for one position, with a device's operations out of order, or that does
//     not come to the content.
func Check(s Server, all []*Journal) []Breach {
	c := newChecker(s)
	c.log(all)
	made := map[ID]bool{}
	for _, j := range all {
		for _, op := range j.Saved {
			made[idOf(op)] = true
		}
	}
	for seq := uint64(1); seq <= s.Head; seq++ {
		if e, ok := c.at[seq]; ok && !made[e.ID] {
			c.broken("SI3", "position %d holds %v, which no device made", seq, e.ID)
		}
	}
	want := newContent()
	for _, j := range all {
		c.verdicts(j, want)
	}
	c.content(want)
	for _, j := range all {
		switch {
		case j.Waiting > 0:
			c.broken("SI1", "%s still has %d edits that wait", j.Device, j.Waiting)
		case j.View == nil || !j.View.Equal(s.State):
			c.broken("SI1", "%s differs from the server", j.Device)
		}
	}
	return c.breaches
}

// CheckLog is the part of Check that needs no device: that the log has no holes, names no operation twice, keeps each
// device's order and comes to the content (SI3, SI4).
func CheckLog(s Server) []Breach {
	c := newChecker(s)
	c.log(nil)
	return c.breaches
}

type checker struct {
	server   Server
	at       map[uint64]Entry // by position
	seq      map[ID]uint64    // by operation
	breaches []Breach
}

func newChecker(s Server) *checker {
	return &checker{server: s, at: map[uint64]Entry{}, seq: map[ID]uint64{}}
}

func (c *checker) broken(rule, format string, args ...any) {
	if len(c.breaches) < maxBreaches {
		c.breaches = append(c.breaches, Breach{rule, string(c.server.Board) + ": " + fmt.Sprintf(format, args...)})
	}
}

// log joins what everybody was told of the log.
func (c *checker) log(all []*Journal) {
	s := c.server
	whole := NewHeard(replica.Delta{Epoch: s.Epoch, To: s.Head, Entries: s.Log})
	c.heard("the server", whole)
	for _, j := range all {
		for _, h := range j.Heard {
			c.heard(j.Device, h)
		}
	}
	last := map[uint64]uint64{}
	for seq := uint64(1); seq <= s.Head; seq++ {
		e, ok := c.at[seq]
		if !ok {
			c.broken("SI4", "position %d is a hole: the log goes to %d", seq, s.Head)
			continue
		}
		if e.ID.N <= last[e.ID.Dev] {
			c.broken("SI4", "position %d holds %v after %d of that device", seq, e.ID, last[e.ID.Dev])
		}
		last[e.ID.Dev] = max(last[e.ID.Dev], e.ID.N)
	}
	replayed := replica.NewState()
	for _, e := range s.Log {
		replayed.Apply(e.Op)
	}
	if !replayed.Equal(s.State) {
		c.broken("SI4", "the log, replayed, is not the content")
	}
}

// heard takes note of a piece of the log.
func (c *checker) heard(who string, h Heard) {
	if h.Epoch != c.server.Epoch {
		c.broken("SI4", "%s was told of epoch %d, the server has %d", who, h.Epoch, c.server.Epoch)
		return
	}
	if h.To > c.server.Head {
		c.broken("SI4", "%s was told of positions up to %d, the server's log ends at %d", who, h.To, c.server.Head)
	}
	next := h.From + 1
	for _, e := range h.Entries {
		if e.Seq != next {
			c.broken("SI4", "%s was told of position %d where %d comes next", who, e.Seq, next)
		}
		next = e.Seq + 1
		if before, ok := c.at[e.Seq]; ok && before != e {
			c.broken("SI4", "position %d is %v for %s and %v for somebody else", e.Seq, e.ID, who, before.ID)
			continue
		}
		c.at[e.Seq] = e
		if before, ok := c.seq[e.ID]; ok && before != e.Seq {
			c.broken("SI3", "%v took effect at positions %d and %d", e.ID, before, e.Seq)
			continue
		}
		c.seq[e.ID] = e.Seq
	}
	if next != h.To+1 {
		c.broken("SI4", "%s was told of positions up to %d, but got them up to %d", who, h.To, next-1)
	}
}

// verdicts checks what became of each edit of a device, and adds those that were accepted to want.
func (c *checker) verdicts(j *Journal, want *content) {
	outcomes := map[uint64]replica.Outcome{}
	var acked uint64
	first := map[uint64]replica.Ack{} // the first acknowledgement of each edit
	for _, a := range j.Acks {
		if a.Epoch != c.server.Epoch {
			c.broken("SI4", "%s got an acknowledgement of epoch %d, the server has %d", j.Device, a.Epoch, c.server.Epoch)
		}
		for _, o := range a.Outcomes {
			outcomes[o.N] = o
		}
		for ; acked < a.UpTo; acked++ {
			first[acked+1] = a
		}
	}
	tray := map[uint64]bool{}
	for _, r := range j.Tray {
		tray[r.Op.N] = true
	}
	for _, op := range j.Saved {
		id := idOf(op)
		a, judged := first[op.N]
		seq, logged := c.seq[id]
		switch outcome := outcomes[op.N]; {
		case !judged:
			c.broken("SI2", "%v of %s was saved and never acknowledged", id, j.Device)
		case outcome.Verdict == replica.Rejected:
			if !tray[op.N] {
				c.broken("SI2", "%v of %s was refused (%s) and is not in the tray", id, j.Device, outcome.Detail)
			}
			if logged {
				c.broken("SI2", "%v of %s was refused and took effect at position %d", id, j.Device, seq)
			}
		case !logged && outcome.Verdict != replica.Superseded:
			c.broken("SI2", "%v of %s was acknowledged and is nowhere in the log", id, j.Device)
		case logged && seq > a.Seq:
			c.broken("SI2", "%v of %s was acknowledged with the log at %d, but took effect at %d", id, j.Device, a.Seq, seq)
		default:
			if outcome.Verdict == replica.Restamped {
				op.Stamp = outcome.Stamp
			}
			want.add(op)
		}
	}
}

// content is what accepted edits come to, computed apart from package replica.
type content struct {
	registers map[register]replica.Op // the latest
	rows      map[string]ID           // by entity and text
}

type register struct{ entity, field string }

func newContent() *content {
	return &content{registers: map[register]replica.Op{}, rows: map[string]ID{}}
}

func (w *content) add(op replica.Op) {
	if op.Kind == replica.OpSet {
		r := register{op.Entity, op.Field}
		if old, ok := w.registers[r]; !ok || old.At().Less(op.At()) {
			w.registers[r] = op
		}
		return
	}
	for _, row := range op.Rows.Rows {
		w.rows[rowKey(op.Entity, row)] = idOf(op)
	}
}

func rowKey(entity string, row []byte) string { return entity + " " + string(row) }

// content holds the server's content against what was accepted.
func (c *checker) content(want *content) {
	s := c.server.State
	for r, op := range want.registers {
		value, stamp, ok := s.Register(r.entity, r.field)
		switch {
		case !ok || stamp.Less(op.At()):
			c.broken("SI2", "%s %s: %v is lost, the server holds %s", r.entity, r.field, idOf(op), value)
		case stamp != op.At():
			c.broken("SI3", "%s %s: the server holds a value stamped %v, which nobody made", r.entity, r.field, stamp)
		case !bytes.Equal(value, op.Value):
			c.broken("SI2", "%s %s: the server holds %s, %v says %s", r.entity, r.field, value, idOf(op), op.Value)
		}
	}
	have := map[string]int{}
	for _, e := range s.Entities() {
		for _, f := range s.Fields(e) {
			if _, ok := want.registers[register{e, f}]; !ok {
				c.broken("SI3", "%s %s: the server holds a value that nobody made", e, f)
			}
		}
		if rows := s.Rows(e); rows != nil {
			for row := range rows.All() {
				have[rowKey(e, row)]++
			}
		}
	}
	for key, n := range have {
		if _, ok := want.rows[key]; !ok {
			c.broken("SI3", "the row %s is on the server, and nobody made it", key)
		} else if n > 1 {
			c.broken("SI3", "the row %s is there %d times", key, n)
		}
	}
	for key, id := range want.rows {
		if have[key] == 0 {
			c.broken("SI2", "the row %s of %v is lost", key, id)
		}
	}
}

// Count is how many edits and how many acknowledged ones are in journals.
func Count(all []*Journal) (saved, acknowledged int) {
	for _, j := range all {
		var acked uint64
		for _, a := range j.Acks {
			acked = max(acked, a.UpTo)
		}
		saved += len(j.Saved)
		i, _ := slices.BinarySearchFunc(j.Saved, acked+1, func(op replica.Op, n uint64) int {
			return cmp.Compare(op.N, n)
		})
		acknowledged += i
	}
	return saved, acknowledged
}
