package replica_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/wire"
)

var update = flag.Bool("update", false, "write the transcript of the present version anew")

const transcribed = "dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D"

// line is one thing that happened in a recorded conversation, or how it ended. A recorded line is never changed: what a
// released version once said must be understood for ever.
type line struct {
	At     int64           `json:"at,omitempty"`  // by the clock of whoever it happened to
	Dev    uint64          `json:"dev,omitempty"` // the device
	Up     json.RawMessage `json:"up,omitempty"`  // it sent this frame
	Down   json.RawMessage `json:"down,omitempty"`
	Edit   []change        `json:"edit,omitempty"`   // its user did this
	Server string          `json:"server,omitempty"` // the server did this: mark, bury, compact, remake, view or edit (the device's right)
	Tray   []uint64        `json:"tray,omitempty"`   // at the end: what the device was refused
	Final  json.RawMessage `json:"final,omitempty"`  // at the end: the dashboard, as one snapshot
}

// change is a replica.Edit as it is written down.
type change struct {
	Kind   replica.Kind       `json:"k"`
	Entity string             `json:"e"`
	Field  string             `json:"f,omitempty"`
	Value  json.RawMessage    `json:"v,omitempty"`
	Rows   *replica.RowChange `json:"r,omitempty"`
}

// conversation is a server with its devices, live.
type conversation struct {
	t      *testing.T
	server *replica.Memory
	views  map[uint64]bool // devices that may only view
	desks  map[uint64]*device
	acks   map[uint64]replica.Ack
}

func newConversation(t *testing.T) *conversation {
	t.Helper()
	c := &conversation{t: t, server: start(t), views: map[uint64]bool{}, desks: map[uint64]*device{}, acks: map[uint64]replica.Ack{}}
	for dev := range uint64(2) {
		c.desks[dev+1] = &device{clock: hlc.Clock{Dev: dev + 1}}
	}
	return c
}

func (c *conversation) hub() *replica.Hub {
	h, err := replica.OpenHub(c.server)
	must(c.t, err)
	return h
}

func (c *conversation) decode(frame []byte) wire.Message {
	c.t.Helper()
	m, err := wire.Decode(frame)
	must(c.t, err)
	return m
}

// serve lets the server do or hear what a line says, and compares what it answers.
func (c *conversation) serve(l line) {
	c.t.Helper()
	word, arg, _ := strings.Cut(l.Server, " ")
	switch {
	case l.Up != nil:
		switch m := c.decode(l.Up).(type) {
		case wire.Hello:
			if _, ok := wire.Negotiate(m.Versions); !ok {
				c.t.Errorf("version %v is not spoken any more", m.Versions)
			}
		case wire.Ops:
			ack, _, err := c.hub().Submit(replica.Submission{Dev: l.Dev, Floor: m.Floor, Ops: m.Ops}, replica.Policy{Now: l.At, MayEdit: !c.views[l.Dev]})
			must(c.t, err)
			c.acks[l.Dev] = ack
		}
	case l.Down != nil:
		switch m := c.decode(l.Down).(type) {
		case wire.Ack:
			if got := c.acks[l.Dev]; !reflect.DeepEqual(got, m.Ack) {
				c.t.Errorf("the answer was %+v and is %+v", m.Ack, got)
			}
		case wire.Delta:
			got, ok, err := c.hub().Since(m.Epoch, m.From, 100, 1<<20)
			must(c.t, err)
			for i := range got.Entries {
				got.Entries[i].By, got.Entries[i].At = "", 0 // stay on the server
			}
			if !ok || !reflect.DeepEqual(got, m.Delta) {
				c.t.Errorf("what follows %d was %+v and is %+v", m.From, m.Delta, got)
			}
		case wire.Snapshot:
			if epoch, head := c.hub().Head(); epoch != m.Epoch || head != m.Seq {
				c.t.Errorf("the snapshot was of %d.%d and is of %d.%d", m.Epoch, m.Seq, epoch, head)
			}
		}
	case word == "mark":
		_, err := c.hub().Mark()
		must(c.t, err)
	case word == "bury":
		_, _, err := c.hub().Bury(arg, l.At)
		must(c.t, err)
	case word == "compact":
		must(c.t, c.hub().Compact(0))
	case word == "remake":
		n, err := strconv.ParseUint(arg, 10, 64)
		must(c.t, err)
		must(c.t, c.hub().Remake(n))
	case l.Server != "":
		c.views[l.Dev] = word == "view"
	}
}

// use lets a device do or hear what a line says, and compares what it sends.
func (c *conversation) use(l line) {
	c.t.Helper()
	d := c.desks[l.Dev]
	switch {
	case l.Edit != nil:
		edits := make([]replica.Edit, len(l.Edit))
		for i, e := range l.Edit {
			edits[i] = replica.Edit(e)
		}
		d.edit(c.t, l.At, edits...)
	case l.Up != nil:
		s := d.open(c.t).Status()
		switch m := c.decode(l.Up).(type) {
		case wire.Hello:
			if b := m.Boards[0]; b.Epoch != s.Epoch || b.Since != s.Seen {
				c.t.Errorf("device %d asked from %d.%d and now asks from %d.%d", l.Dev, b.Epoch, b.Since, s.Epoch, s.Seen)
			}
		case wire.Ops:
			got, err := d.open(c.t).Pending(0, len(m.Ops), 1<<20)
			must(c.t, err)
			if m.Floor != s.Acked || !reflect.DeepEqual(got, m.Ops) {
				c.t.Errorf("device %d sent %+v above %d and now sends %+v above %d", l.Dev, m.Ops, m.Floor, got, s.Acked)
			}
		}
	case l.Down != nil:
		var err error
		switch m := c.decode(l.Down).(type) {
		case wire.Ack:
			_, err = d.open(c.t).Ack(m.Ack)
		case wire.Delta:
			_, err = d.open(c.t).Delta(m.Delta, &d.clock)
		case wire.Snapshot:
			_, err = d.open(c.t).Snapshot(m.Snapshot, &d.clock, l.At)
		}
		must(c.t, err)
	}
}

// over compares how it ended.
func (c *conversation) over(end []line) {
	c.t.Helper()
	for _, l := range end {
		if l.Final == nil {
			if got := c.refused(l.Dev); !reflect.DeepEqual(got, l.Tray) {
				c.t.Errorf("device %d was refused %v, and now %v", l.Dev, l.Tray, got)
			}
			continue
		}
		reader := &device{clock: hlc.Clock{Dev: 9}}
		page, isPage := c.decode(l.Final).(wire.Snapshot)
		if !isPage {
			c.t.Fatal("the end is no snapshot")
		}
		_, err := reader.open(c.t).Snapshot(page.Snapshot, &reader.clock, 0)
		must(c.t, err)
		want, err := reader.open(c.t).Confirmed()
		must(c.t, err)
		if got := same(c.t, c.server, c.desks[1], c.desks[2]); !got.Equal(want) {
			c.t.Error("the dashboard ends as another")
		}
	}
}

func (c *conversation) refused(dev uint64) (numbers []uint64) {
	tray, err := c.desks[dev].open(c.t).Tray()
	must(c.t, err)
	for _, r := range tray {
		numbers = append(numbers, r.Op.N)
	}
	return numbers
}

// TestSI18_RecordedConversationsEndAsTheyDid replays what released versions of the protocol said: each side's frames are given
// to today's other side, which has to say what was said then, and to end where it ended then.
func TestSI18_RecordedConversationsEndAsTheyDid(t *testing.T) {
	name := filepath.Join("testdata", "conversation-v"+strconv.Itoa(wire.Version)+".jsonl")
	if *update {
		must(t, os.WriteFile(name, record(t), 0o600))
	}
	files, err := filepath.Glob(filepath.Join("testdata", "conversation-v*.jsonl"))
	must(t, err)
	if len(files) < wire.Version-wire.MinVersion+1 {
		t.Errorf("%d transcripts for versions %d to %d", len(files), wire.MinVersion, wire.Version)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			must(t, err)
			c := newConversation(t)
			var end []line
			seen := map[string]bool{}
			for n, raw := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
				var l line
				if err := json.Unmarshal(raw, &l); err != nil {
					t.Fatalf("line %d: %v", n+1, err)
				}
				if l.Final != nil || l.Tray != nil {
					end = append(end, l)
					continue
				}
				for _, frame := range [][]byte{l.Up, l.Down} {
					if frame != nil {
						seen[string(c.decode(frame).Type())] = true
					}
				}
				c.serve(l)
				c.use(l)
			}
			for _, kind := range []string{"hello", "welcome", "ops", "ack", "delta", "snap"} {
				if !seen[kind] {
					t.Errorf("there is no %s in it", kind)
				}
			}
			if len(end) < 2 {
				t.Fatal("how it ended is missing")
			}
			c.over(end)
		})
	}
}

// record holds a conversation and writes it down.
func record(t *testing.T) []byte {
	t.Helper()
	c := newConversation(t)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	at := int64(1_000_000)
	note := func(l line) {
		if l.Final == nil && l.Tray == nil {
			at++
			if l.At == 0 {
				l.At = at
			}
			c.serve(l)
			c.use(l)
		}
		must(t, enc.Encode(l))
	}
	frame := func(m wire.Message) json.RawMessage {
		b, err := wire.Encode(m)
		must(t, err)
		return b
	}
	pull := func(dev uint64) {
		s := c.desks[dev].open(t).Status()
		d, ok, err := c.hub().Since(s.Epoch, s.Seen, 100, 1<<20)
		must(t, err)
		if ok {
			note(line{Dev: dev, Down: frame(wire.Delta{Board: transcribed, Delta: d})})
			return
		}
		pages, err := c.hub().Snapshot(200)
		must(t, err)
		for _, p := range pages {
			note(line{Dev: dev, Down: frame(wire.Snapshot{Board: transcribed, Snapshot: p})})
		}
	}
	hello := func(dev uint64) {
		s := c.desks[dev].open(t).Status()
		note(line{Dev: dev, Up: frame(wire.Hello{Versions: []int{wire.Version}, App: "0.1.0", Dev: strconv.FormatUint(dev, 16), Boards: []wire.Cursor{{Board: transcribed, Epoch: s.Epoch, Since: s.Seen}}})})
		note(line{Dev: dev, Down: frame(wire.Welcome{Version: wire.Version, Time: at, Account: "acc_1", Email: "ann@example.org", Base: "https://example.org"})})
		pull(dev)
	}
	push := func(dev uint64) {
		s := c.desks[dev].open(t).Status()
		ops, err := c.desks[dev].open(t).Pending(0, 100, 1<<20)
		must(t, err)
		note(line{Dev: dev, Up: frame(wire.Ops{Board: transcribed, Floor: s.Acked, Ops: ops})})
		note(line{Dev: dev, Down: frame(wire.Ack{Board: transcribed, Ack: c.acks[dev]})})
		pull(dev)
	}
	table := appendRows(0, 3)
	table.Rows.Replace, table.Rows.Columns = true, json.RawMessage(`[{"name":"day","type":"time"}]`)
	hello(1)
	note(line{Dev: 1, Edit: changes(edit("title", `"Sales <b>"`), table)})
	push(1)
	hello(2)
	note(line{Dev: 2, At: 900_000, Edit: changes(edit("theme", `"dark"`))})
	note(line{Dev: 1, Edit: changes(edit("theme", `"light"`), appendRows(3, 2))})
	note(line{Dev: 1, At: 9_000_000, Edit: changes(edit("description", `"from the future"`), appendRows(5, 1))}) // restamped
	push(1)
	push(2) // superseded
	note(line{Dev: 2, Server: "view"})
	note(line{Server: "mark"})
	note(line{Dev: 2, Edit: changes(edit("title", `"mine"`))})
	push(2) // refused
	note(line{Dev: 2, Server: "edit"})
	note(line{Server: "mark"})
	pull(2)
	key := replica.RowKey{Stamp: c.hubRows("w").Key(0).Stamp, Index: 2}
	trim := replica.Edit{Kind: replica.OpRows, Entity: "w", Rows: &replica.RowChange{DropTo: &key}}
	later := replica.Edit{Kind: "later", Entity: "w", Value: json.RawMessage(`{"a":[1]}`)}
	note(line{Dev: 2, Edit: changes(trim, later, replica.Edit{Kind: replica.OpSet, Entity: "gone", Field: "alive", Value: json.RawMessage("false")})})
	push(2)
	note(line{Server: "bury gone"})
	pull(1)
	note(line{Dev: 1, Edit: changes(replica.Edit{Kind: replica.OpSet, Entity: "gone", Field: "alive", Value: json.RawMessage("true")})})
	push(1) // gone
	note(line{Server: "compact"})
	note(line{Server: "remake 8"})
	hello(1)
	note(line{Dev: 1, Edit: changes(edit("title", `"after"`))})
	push(1)
	hello(2)
	push(2)
	pull(1)
	for dev := range uint64(2) {
		note(line{Dev: dev + 1, Tray: c.refused(dev + 1)})
	}
	pages, err := c.hub().Snapshot(1 << 20)
	must(t, err)
	note(line{Final: frame(wire.Snapshot{Board: transcribed, Snapshot: pages[0]})})
	return out.Bytes()
}

func changes(edits ...replica.Edit) []change {
	all := make([]change, len(edits))
	for i, e := range edits {
		all[i] = change(e)
	}
	return all
}

func (c *conversation) hubRows(entity string) *replica.Rows {
	r, err := c.hub().Rows(entity)
	must(c.t, err)
	return r
}
