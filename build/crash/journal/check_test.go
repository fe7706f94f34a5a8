package journal_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"widgets.pro/build/crash/journal"
	"widgets.pro/shared/board"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

const entity = "wgt_01J00000000000000000000000"

// story is a dashboard that two devices edited, with everything that anybody was told.
type story struct {
	server journal.Server
	devs   []*journal.Journal
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tell lets two devices edit in turn, by the code that ships. The last edit of the first device is refused.
func tell(t *testing.T) *story {
	t.Helper()
	var disk replica.Memory
	_, err := replica.InitHub(&disk, 7)
	must(t, err)
	s := &story{server: journal.Server{Board: "dsh_A", Epoch: 7}}
	var clients [2]replica.Memory
	clocks := [2]hlc.Clock{{Dev: 1}, {Dev: 2}}
	for i := range clients {
		s.devs = append(s.devs, &journal.Journal{Device: fmt.Sprint("device ", i+1), Dev: uint64(i) + 1})
		open(t, &clients[i], func(c *replica.Client) {
			_, err := c.Snapshot(replica.Snapshot{Epoch: 7, Last: true}, &clocks[i], 0)
			must(t, err)
		})
	}
	const steps = 10
	for step := range steps {
		i := step % 2
		j := s.devs[i]
		wall := int64(1_000 + step)
		open(t, &clients[i], func(c *replica.Client) {
			ops, err := c.Edit(&clocks[i], wall, []replica.Edit{
				{Kind: replica.OpSet, Entity: entity, Field: board.FieldTitle, Value: json.RawMessage(fmt.Sprintf(`"title %d"`, step))},
				{Kind: replica.OpRows, Entity: entity, Rows: &replica.RowChange{Rows: []json.RawMessage{json.RawMessage(fmt.Sprintf(`["row",%d]`, step))}}},
			})
			must(t, err)
			j.Saved = append(j.Saved, ops...)
			hub, err := replica.OpenHub(&disk)
			must(t, err)
			_, from := hub.Head()
			policy := replica.Policy{Now: wall, MayEdit: step != steps-2}
			ack, entries, err := hub.Submit(replica.Submission{Dev: j.Dev, Floor: c.Status().Acked, Ops: ops}, policy)
			must(t, err)
			j.Acks = append(j.Acks, ack)
			_, err = c.Ack(ack)
			must(t, err)
			d := replica.Delta{Epoch: 7, From: from, To: ack.Seq, Entries: entries}
			s.server.Log = append(s.server.Log, entries...)
			for k := range clients {
				s.devs[k].Heard = append(s.devs[k].Heard, journal.NewHeard(d))
				open(t, &clients[k], func(c *replica.Client) {
					_, err := c.Delta(d, &clocks[k])
					must(t, err)
				})
			}
		})
	}
	hub, err := replica.OpenHub(&disk)
	must(t, err)
	_, s.server.Head = hub.Head()
	s.server.State, err = hub.State()
	must(t, err)
	for i := range clients {
		open(t, &clients[i], func(c *replica.Client) {
			s.devs[i].View, err = c.View()
			must(t, err)
			s.devs[i].Tray, err = c.Tray()
			must(t, err)
			s.devs[i].Waiting = c.Status().Waiting
		})
	}
	return s
}

func open(t *testing.T, m *replica.Memory, fn func(*replica.Client)) {
	t.Helper()
	c, err := replica.OpenClient(m)
	must(t, err)
	fn(c)
}

// rebuild makes content and head those of the log.
func (s *story) rebuild() {
	s.server.State = replica.NewState()
	for i := range s.server.Log {
		s.server.Log[i].Seq = uint64(i) + 1
		s.server.State.Apply(s.server.Log[i].Op)
	}
	s.server.Head = uint64(len(s.server.Log))
}

// retell has everybody hear the log as the server has it, and nothing else: so only the content can tell.
func (s *story) retell() {
	for _, j := range s.devs {
		j.Heard = []journal.Heard{journal.NewHeard(replica.Delta{Epoch: 7, To: s.server.Head, Entries: s.server.Log})}
		j.View = s.server.State
	}
}

func TestAWholeStoryIsInOrder(t *testing.T) {
	t.Parallel()
	s := tell(t)
	if got := journal.Check(s.server, s.devs); len(got) > 0 {
		t.Errorf("%v", got)
	}
	if len(s.devs[0].Tray) == 0 || s.server.Head != 18 {
		t.Errorf("the story is another one: %d in the tray, head %d", len(s.devs[0].Tray), s.server.Head)
	}
	if saved, acked := journal.Count(s.devs); saved != 20 || acked != 20 {
		t.Errorf("%d saved, %d acknowledged", saved, acked)
	}
}

// Each lie is told on a story that is in order; the check must say which rule it breaks, and how.
func TestWhatIsBrokenIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lie        func(s *story)
		rule, says string
	}{
		"SI2 a lost edit that nobody else heard of": {func(s *story) {
			s.server.Log = s.server.Log[:len(s.server.Log)-1]
			s.rebuild()
			s.retell()
		}, "SI2", "acknowledged and is nowhere in the log"},
		"SI2 a lost edit that others heard of": {func(s *story) {
			s.server.Log = s.server.Log[:len(s.server.Log)-1]
			s.rebuild()
		}, "SI4", "the server's log ends at 17"},
		"SI2 an edit in the log that the content lacks": {func(s *story) {
			s.server.State = replica.NewState()
			for _, e := range s.server.Log[:len(s.server.Log)-1] {
				s.server.State.Apply(e.Op)
			}
			s.retell()
		}, "SI2", `the row ` + entity + ` ["row",9] of 2/10 is lost`},
		"SI2 a register that is older than what was acknowledged": {func(s *story) {
			s.server.State = replica.NewState()
			for i, e := range s.server.Log {
				if i != len(s.server.Log)-2 {
					s.server.State.Apply(e.Op)
				}
			}
			s.retell()
		}, "SI2", `2/9 is lost, the server holds "title 7"`},
		"SI2 another value under the same stamp": {func(s *story) {
			s.server.Log[16].Op.Value = json.RawMessage(`"forged"`)
			s.rebuild()
			s.retell()
		}, "SI2", `the server holds "forged"`},
		"SI2 a saved edit that was never judged": {func(s *story) {
			s.devs[1].Acks = s.devs[1].Acks[:4]
		}, "SI2", "saved and never acknowledged"},
		"SI2 a refused edit that is not in the tray": {func(s *story) {
			s.devs[0].Tray = nil
		}, "SI2", "is not in the tray"},
		"SI2 a refused edit that took effect": {func(s *story) {
			op := s.devs[0].Saved[9]
			s.server.Log = append(s.server.Log, replica.Entry{Op: op})
			s.rebuild()
			s.retell()
		}, "SI2", "1/10 of device 1 was refused and took effect at position 19"},
		"SI2 an acknowledgement ahead of its edit": {func(s *story) {
			s.devs[1].Acks[2].Seq = 3
		}, "SI2", "acknowledged with the log at 3, but took effect at"},
		"SI3 an edit at two positions": {func(s *story) {
			s.server.Log = append(s.server.Log, s.server.Log[17])
			s.rebuild()
			s.retell()
		}, "SI3", "2/10 took effect at positions 18 and 19"},
		"SI3 a row twice, under another number": {func(s *story) {
			op := s.server.Log[17].Op
			op.N, op.Stamp.T = op.N+1, op.Stamp.T+1
			s.server.Log = append(s.server.Log, replica.Entry{Op: op})
			s.rebuild()
			s.retell()
		}, "SI3", `["row",9] is there 2 times`},
		"SI3 an edit that nobody made": {func(s *story) {
			op := s.server.Log[16].Op
			op.N, op.Stamp = 1, hlc.Stamp{T: op.Stamp.T + 1, Dev: 9}
			s.server.Log = append(s.server.Log, replica.Entry{Op: op})
			s.rebuild()
			s.retell()
		}, "SI3", "holds 9/1, which no device made"},
		"SI4 a hole in what a device heard": {func(s *story) {
			h := &s.devs[0].Heard[3]
			h.Entries = slices.Delete(slices.Clone(h.Entries), 0, 1)
		}, "SI4", "was told of position 8 where 7 comes next"},
		"SI4 the end of a piece that did not come": {func(s *story) {
			h := &s.devs[0].Heard[3]
			h.Entries = h.Entries[:1]
		}, "SI4", "was told of positions up to 8, but got them up to 7"},
		"SI4 a hole in the server's log": {func(s *story) {
			s.server.Log = slices.Delete(s.server.Log, 5, 6)
			for _, j := range s.devs {
				j.Heard = nil
			}
		}, "SI4", "position 6 is a hole"},
		"SI4 two edits that changed places for one device": {func(s *story) {
			e := slices.Clone(s.devs[0].Heard[3].Entries)
			e[0].ID, e[1].ID, e[0].Print, e[1].Print = e[1].ID, e[0].ID, e[1].Print, e[0].Print
			s.devs[0].Heard[3].Entries = e
		}, "SI4", "position 7 is 2/4 for device 1 and 2/3 for somebody else"},
		"SI4 two edits that changed places for everybody": {func(s *story) {
			l := s.server.Log
			l[6].Op, l[7].Op = l[7].Op, l[6].Op
			s.rebuild()
			s.retell()
		}, "SI4", "position 8 holds 2/3 after 4 of that device"},
		"SI4 one position with two values": {func(s *story) {
			s.devs[1].Heard[3].Entries[0].Print++
		}, "SI4", "position 7 is"},
		"SI4 a piece of another epoch": {func(s *story) {
			s.devs[1].Heard[3].Epoch++
		}, "SI4", "was told of epoch 8"},
		"SI4 an acknowledgement of another epoch": {func(s *story) {
			s.devs[1].Acks[3].Epoch++
		}, "SI4", "an acknowledgement of epoch 8"},
		"SI4 content that the log does not come to": {func(s *story) {
			s.server.State.Apply(replica.Op{N: 11, Stamp: hlc.Stamp{T: 1, Dev: 2}, Kind: replica.OpSet, Entity: entity, Field: "stray", Value: json.RawMessage("1")})
		}, "SI4", "replayed, is not the content"},
		"SI1 a device that differs": {func(s *story) {
			s.devs[1].View = replica.NewState()
		}, "SI1", "device 2 differs"},
		"SI1 a device that still waits": {func(s *story) {
			s.devs[1].Waiting = 2
		}, "SI1", "device 2 still has 2 edits that wait"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			c.lie(s)
			found := journal.Check(s.server, s.devs)
			if !slices.ContainsFunc(found, func(b journal.Breach) bool { return b.Rule == c.rule && strings.Contains(b.Text, c.says) }) {
				t.Errorf("not found: %s: %s\nin %v", c.rule, c.says, found)
			}
		})
	}
}

func TestALogIsCheckedWithoutDevices(t *testing.T) {
	t.Parallel()
	s := tell(t)
	if got := journal.CheckLog(s.server); len(got) > 0 {
		t.Errorf("%v", got)
	}
	s.server.Log = append(s.server.Log, s.server.Log[17])
	s.rebuild()
	if got := journal.CheckLog(s.server); len(got) == 0 || got[0].Rule != "SI3" {
		t.Errorf("a double is not found: %v", got)
	}
}
