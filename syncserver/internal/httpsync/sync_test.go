package httpsync_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

func TestTwoDevicesConverge(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	b.until("the title is there", func() bool { return b.view(id).Title == "First" })
	if b.roles[id] != sharing.RoleOwner {
		t.Errorf("role %q", b.roles[id])
	}
	a.edit(id, title("From a"))
	a.push(id)
	b.until("a's edit arrives", func() bool { return b.view(id).Title == "From a" })
	b.edit(id, title("From b"), alive(true))
	b.push(id)
	a.until("b's edit arrives", func() bool { return a.view(id).Title == "From b" })
	assertEqual(t, a, b, id)
}

// assertEqual holds what two devices have confirmed against each other, register by register and stamp by stamp.
func assertEqual(t *testing.T, a, b *device, id board.ID) {
	t.Helper()
	sa, err := a.client(id).Confirmed()
	if err != nil {
		t.Fatal(err)
	}
	sb, err := b.client(id).Confirmed()
	if err != nil {
		t.Fatal(err)
	}
	if !sa.Equal(sb) {
		t.Errorf("the devices differ: %+v and %+v", a.view(id), b.view(id))
	}
}

// A device that is new, one that comes back within the log, and one that is current get a snapshot, the missing edits,
// and nothing.
// A device takes whoever does not begin with a welcome for no server at all.
func TestTheWelcomeComesFirstWhateverElseThereIsToTell(t *testing.T) {
	t.Parallel()
	srv, other, _ := start(t, servertest.Options{})
	d := newDevice(t, srv, srv.LogIn("ann@example.org"))
	for range 20 {
		d.dial()
		other.send(wire.Subscribe{Cursor: wire.Cursor{Board: newBoard(), New: true}})
		await[wire.Boards](other)
		d.send(wire.Hello{Versions: []int{wire.Version}, App: "test", Dev: fmt.Sprintf("%x", d.clock.Dev)})
		if m, err := d.next(); err != nil {
			t.Fatal(err)
		} else if _, ok := m.(wire.Welcome); !ok {
			t.Fatalf("the first message is a %T", m)
		}
	}
}

func TestSI4_ResumeFromCursor(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	if s := await[wire.Snapshot](b); !s.Last || s.Page != 0 {
		t.Errorf("a new device got %+v", s)
	}
	b.cut()
	for i := range 5 {
		a.edit(id, title(fmt.Sprint(i)))
		a.push(id)
	}
	since := b.client(id).Status().Seen
	b.connect()
	if d := await[wire.Delta](b); d.From != since || len(d.Entries) != 5 {
		t.Errorf("a device that was away got %d edits from %d", len(d.Entries), d.From)
	}
	b.connect()
	if d := await[wire.Delta](b); d.From != d.To || len(d.Entries) != 0 {
		t.Errorf("a device that has everything got %+v", d)
	}
	b.send(wire.Subscribe{Cursor: wire.Cursor{Board: id, Epoch: 1, Since: 3}})
	if s := await[wire.Snapshot](b); !s.Last {
		t.Errorf("a device of another epoch got %+v", s)
	}
	assertEqual(t, a, b, id)
}

// Nobody else is there whose edits would bring the device on: what the store holds beyond the first step of the log comes
// all the same.
func TestSI1_ALongAbsenceEndsWithAllOfTheLogThoughNobodyEdits(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	b.until("it is up to date", func() bool { return b.view(id).Title == "First" })
	b.cut()
	edits := make([]replica.Edit, 2*wire.MaxBatchOps+1)
	for i := range edits {
		edits[i] = title(fmt.Sprint("title ", i))
	}
	a.edit(id, edits...)
	for a.client(id).Status().Waiting > 0 {
		a.push(id)
	}
	want := a.client(id).Status().Seen
	a.cut()
	srv.Kill()
	srv.Restart()
	b.connect()
	b.until("it has caught up", func() bool { return b.client(id).Status().Seen >= want })
	assertEqual(t, a, b, id)
}

func TestQ2_SI3_RepeatedEditsTakeEffectOnce(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	a.edit(id, title("Once"), replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: board.FieldTheme, Value: json.RawMessage(`"nonsense"`)})
	ops := a.pending(id)
	var acks []wire.Ack
	for range 3 {
		a.send(ops)
		acks = append(acks, await[wire.Ack](a))
	}
	a.connect()
	a.send(ops)
	acks = append(acks, await[wire.Ack](a))
	for i, k := range acks {
		if k.UpTo != acks[0].UpTo || k.Seq != acks[0].Seq || len(k.Outcomes) != 1 || k.Outcomes[0].Verdict != replica.Rejected {
			t.Errorf("repeat %d was answered %+v, first %+v", i, k, acks[0])
		}
	}
	b.until("the edit arrives", func() bool { return b.view(id).Title == "Once" })
	if s := b.client(id).Status().Seen; s != acks[0].Seq {
		t.Errorf("the log stands at %d, want %d", s, acks[0].Seq)
	}
}

func TestQ2_RepeatedCommandsChangeNothing(t *testing.T) {
	t.Parallel()
	_, a, id := start(t, servertest.Options{})
	enable := a.newCommand(id, sharing.Enable)
	a.send(wire.Command{Command: enable})
	first := await[wire.Result](a)
	stale := a.newCommand(id, sharing.Rotate)
	stale.Base = 0
	a.send(wire.Command{Command: stale})
	if r := await[wire.Result](a); r.Fault == nil || r.Fault.Kind != fault.Conflict {
		t.Fatalf("a stale rotate was answered %+v", r)
	}
	if r := a.command(id, sharing.Disable); r.Fault != nil || r.Link.Enabled {
		t.Fatalf("disable: %+v", r)
	}
	a.connect()
	a.send(wire.Command{Command: enable})
	if r := await[wire.Result](a); r.Fault != nil || r.Link.Enabled || r.Link.Version != first.Link.Version+1 {
		t.Errorf("the repeated enable switched the link on again: %+v", r)
	}
	a.send(wire.Command{Command: stale})
	if r := await[wire.Result](a); r.Fault == nil || r.Fault.Kind != fault.Conflict {
		t.Errorf("the repeated refusal was answered %+v", r)
	}
}

func TestL1_L3_L4_LinkOverTheSocket(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	on := a.command(id, sharing.Enable)
	if on.Fault != nil || !on.Link.Enabled {
		t.Fatalf("enable: %+v", on)
	}
	b.until("the other device hears of it", func() bool { return b.links[id] == on.Link })
	off := b.command(id, sharing.Disable)
	a.until("this device hears of it", func() bool { return a.links[id].Version == off.Link.Version })
	if a.links[id].Token != on.Link.Token || a.links[id].Enabled {
		t.Errorf("disabled: %+v", a.links[id])
	}
	if again := a.command(id, sharing.Enable); again.Link.Token != on.Link.Token || !again.Link.Enabled {
		t.Errorf("enabled again: %+v", again)
	}
	rotated := a.command(id, sharing.Rotate)
	if rotated.Fault != nil || rotated.Link.Token == on.Link.Token || rotated.Link.ShortID == on.Link.ShortID {
		t.Fatalf("rotate: %+v", rotated)
	}
	other := newBoard()
	a.edit(other, title("Other"))
	a.connect()
	a.push(other)
	c := a.newCommand(other, sharing.Enable)
	c.Token, c.ShortID = on.Link.Token, on.Link.ShortID
	a.cut()
	b.cut()
	srv.Restart()
	a.connect()
	a.send(wire.Command{Command: c})
	if r := await[wire.Result](a); r.Fault == nil || r.Link.Enabled {
		t.Errorf("the old token came back on another dashboard: %+v", r)
	}
}

func TestV3_QueuedCommandsDoNotUndoARevocation(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	a.command(id, sharing.Enable)
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	seen := b.links[id]
	b.cut()
	// While b is away, a replaces the link and switches it off.
	a.command(id, sharing.Rotate)
	off := a.command(id, sharing.Disable)
	b.connect()
	for _, action := range []sharing.Action{sharing.Rotate, sharing.Enable} {
		c := b.newCommand(id, action)
		c.Base = seen.Version
		b.send(wire.Command{Command: c})
		if r := await[wire.Result](b); r.Fault == nil || r.Fault.Kind != fault.Conflict || r.Link != off.Link {
			t.Errorf("queued %s: %+v", action, r)
		}
	}
}

func TestA2_A5_StrangersLearnNothing(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	a.command(id, sharing.Enable)
	eve := newDevice(t, srv, srv.SignUp("eve@example.org"))
	unknown := newBoard()
	eve.connect()
	if len(eve.roles) != 0 {
		t.Errorf("a stranger's list: %v", eve.roles)
	}
	answers := map[board.ID][]string{}
	for _, b := range []board.ID{id, unknown} {
		eve.clock.Last = 0
		eve.boards = map[board.ID]*replica.Memory{}
		eve.send(wire.Subscribe{Cursor: wire.Cursor{Board: b}})
		answers[b] = append(answers[b], text(t, await[wire.Denied](eve), b))
		eve.edit(b, title("Mine"))
		eve.send(eve.pending(b))
		answers[b] = append(answers[b], text(t, await[wire.Denied](eve), b))
		r := eve.command(b, sharing.Enable)
		r.ID = ""
		answers[b] = append(answers[b], text(t, r, b))
		r = eve.command(b, sharing.Delete)
		r.ID = ""
		answers[b] = append(answers[b], text(t, r, b))
	}
	if x, y := strings.Join(answers[id], "\n"), strings.Join(answers[unknown], "\n"); x != y {
		t.Errorf("a stranger can tell a dashboard that is there:\n%s\nfrom one that is not:\n%s", x, y)
	}
	// Not even by offering it as new.
	eve.send(wire.Subscribe{Cursor: wire.Cursor{Board: id, New: true}})
	await[wire.Denied](eve)
	a.edit(id, title("Still mine"))
	a.push(id)
}

func text(t *testing.T, m wire.Message, id board.ID) string {
	t.Helper()
	b, err := wire.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), string(id), "ID")
}

// The role counts at the moment of acceptance: a viewer's edits come back as forbidden, also on a connection that was an
// editor's when it was opened.
func TestSI5_RoleIsReadWhenAnEditIsAccepted(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	bob := srv.SignUp("bob@example.org")
	srv.SetRole(id, bob, sharing.RoleEditor)
	b := newDevice(t, srv, bob)
	b.client(id)
	b.connect()
	b.edit(id, title("As editor"))
	if k := b.push(id); len(k.Outcomes) != 0 {
		t.Fatalf("an editor's edit: %+v", k)
	}
	if r := b.command(id, sharing.Enable); r.Fault == nil || r.Fault.Kind != fault.Denied {
		t.Errorf("an editor shared: %+v", r)
	}
	srv.SetRole(id, bob, sharing.RoleViewer)
	b.edit(id, title("As viewer"))
	if k := b.push(id); len(k.Outcomes) != 1 || k.Outcomes[0].Reason != replica.ReasonForbidden {
		t.Fatalf("a viewer's edit: %+v", k)
	}
	if got := b.view(id).Title; got != "As editor" {
		t.Errorf("the viewer sees %q", got)
	}
	b.until("the list tells the role", func() bool { return b.roles[id] == sharing.RoleViewer })
	if b.links[id] != (sharing.Link{}) {
		t.Error("a viewer got the link")
	}
	a.until("the owner sees the editor's edit", func() bool { return a.view(id).Title == "As editor" })
}

// Whoever loses access is told in the same stream, and nothing that came later reaches it.
func TestV1_SI6_RevocationReachesConnections(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	bob := srv.SignUp("bob@example.org")
	srv.SetRole(id, bob, sharing.RoleViewer)
	b := newDevice(t, srv, bob)
	b.client(id)
	b.connect()
	b.until("the title is there", func() bool { return b.view(id).Title == "First" })
	for i := range 20 {
		a.edit(id, title(fmt.Sprint("before ", i)))
	}
	a.push(id)
	srv.SetRole(id, bob, sharing.RoleNone)
	a.edit(id, title("secret"))
	a.push(id)

	began := time.Now()
	denied := false
	for {
		// The list without the dashboard is the last thing to come; whatever came before it is looked at.
		m, err := b.next()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case wire.Denied:
			denied = true
		case wire.Delta, wire.Snapshot:
			if denied {
				t.Errorf("data after the denial: %+v", m)
			}
		}
		if _, ok := b.roles[id]; !ok && denied {
			break
		}
	}
	if d := time.Since(began); d > servertest.AtOnce {
		t.Errorf("it took %s", d)
	}
	if got := b.view(id).Title; got == "secret" {
		t.Error("the secret was seen")
	}
	for range 2 {
		b.send(wire.Subscribe{Cursor: wire.Cursor{Board: id}})
		await[wire.Denied](b)
		b.connect()
	}
}

func TestV1_LogOutEndsConnections(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	other := newDevice(t, srv, srv.LogIn("ann@example.org"))
	other.client(id)
	other.connect()
	if status, body := srv.Post("/api/v1/logout", a.who.Token, nil); status != http.StatusNoContent {
		t.Fatalf("log out: %d %s", status, body)
	}
	if ce := a.closed(); ce.Code != wire.CloseUnauthenticated {
		t.Errorf("closed with %d %q", ce.Code, ce.Reason)
	}
	_, res, err := websocket.Dial(a.ctx(), srv.SyncURL(), &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + a.who.Token}}}) //nolint:bodyclose // websocket.Dial has closed it
	if err == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old session still connects: %v", err)
	}
	other.edit(id, title("Others go on"))
	other.push(id)
}

func TestDeleteIsForEver(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	on := a.command(id, sharing.Enable)
	a.send(wire.Command{Command: a.newCommand(id, sharing.Delete)})
	if d := await[wire.Denied](b); !d.Gone || d.Board != id {
		t.Errorf("the other device got %+v", d)
	}
	b.until("the list is empty", func() bool { return len(b.roles) == 0 })
	a.cut()
	b.cut()
	srv.Restart()
	a.connect() // it still offers the dashboard as new
	if d := await[wire.Denied](a); !d.Gone {
		t.Errorf("a device that offers it again got %+v", d)
	}
	other := newBoard()
	a.send(wire.Subscribe{Cursor: wire.Cursor{Board: other, New: true}})
	c := a.newCommand(other, sharing.Enable)
	c.Base, c.Token, c.ShortID = 0, on.Link.Token, on.Link.ShortID
	a.send(wire.Command{Command: c})
	if r := await[wire.Result](a); r.Fault == nil {
		t.Errorf("a deleted dashboard's token lives again: %+v", r)
	}
}

func TestTrashIsAChangeOfAccess(t *testing.T) {
	t.Parallel()
	_, a, id := start(t, servertest.Options{})
	a.command(id, sharing.Enable)
	a.edit(id, alive(false))
	a.send(a.pending(id))
	// The owner hears of the link anew, since it shows nothing now, and keeps the dashboard.
	await[wire.Share](a)
	a.edit(id, alive(true))
	a.push(id)
	if !a.view(id).Alive {
		t.Error("it is still in the trash")
	}
}

func TestKillKeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	for i := range 10 {
		a.edit(id, title(fmt.Sprint("title ", i)))
		a.push(id)
		if i%3 == 0 {
			srv.Kill()
			srv.Restart()
			a.connect()
		}
	}
	a.edit(id, title("sent but not acknowledged"))
	a.send(a.pending(id))
	srv.Kill()
	srv.Restart()
	a.connect()
	a.push(id)
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	b.until("everything is there", func() bool { return b.view(id).Title == "sent but not acknowledged" })
	assertEqual(t, a, b, id)
}

func TestShutdownSaysGoodbye(t *testing.T) {
	t.Parallel()
	srv, a, _ := start(t, servertest.Options{})
	done := make(chan struct{})
	go func() { srv.Close(); close(done) }()
	if ce := a.closed(); ce.Code != wire.CloseRestarting || ce.Reason == "" {
		t.Errorf("closed with %d %q", ce.Code, ce.Reason)
	}
	<-done
}

// A device that reads nothing for a long time holds nobody up and loses nothing: it reads the store from its cursor.
func TestSlowDeviceIsResynchronised(t *testing.T) {
	t.Parallel()
	// It is not cut meanwhile, however long the edits take: it answers no pings either.
	srv, a, id := start(t, servertest.Options{Write: time.Hour, Ping: time.Hour})
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	b.until("it is up to date", func() bool { return b.view(id).Title == "First" })
	// Far more than sockets and the room hold: 150 edits of 60 KiB.
	w := board.WidgetID("wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1E")
	for i := range 150 {
		text, err := json.Marshal(fmt.Sprint(i, strings.Repeat("<", 60<<10)))
		if err != nil {
			t.Fatal(err)
		}
		a.edit(id, replica.Edit{Kind: replica.OpSet, Entity: string(w), Field: board.OptionPrefix + "text", Value: json.RawMessage(strings.ReplaceAll(string(text), `\u003c`, "<"))})
		a.push(id)
	}
	want := a.client(id).Status().Seen
	b.until("it has caught up", func() bool { return b.client(id).Status().Seen >= want })
	assertEqual(t, a, b, id)
}

func TestManyRowsTravelInPages(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	w := "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1E"
	row := json.RawMessage(`["` + strings.Repeat("x", 100) + `",1]`)
	first := replica.Edit{Kind: replica.OpRows, Entity: w, Rows: &replica.RowChange{Replace: true, Columns: json.RawMessage(`[{"name":"a","type":"text"},{"name":"b","type":"number"}]`)}}
	edits := []replica.Edit{{Kind: replica.OpSet, Entity: w, Field: board.FieldAlive, Value: json.RawMessage(`true`)}, first}
	for range 10 {
		rc := &replica.RowChange{}
		for range 2000 {
			rc.Rows = append(rc.Rows, row)
		}
		edits = append(edits, replica.Edit{Kind: replica.OpRows, Entity: w, Rows: rc})
	}
	a.edit(id, edits...)
	for a.client(id).Status().Waiting > 0 {
		if k := a.push(id); len(k.Outcomes) != 0 {
			t.Fatalf("refused: %+v", k.Outcomes)
		}
	}
	b := newDevice(t, srv, srv.LogIn("ann@example.org"))
	b.client(id)
	b.connect()
	pages := 0
	for {
		p := await[wire.Snapshot](b)
		pages++
		if p.Last {
			break
		}
	}
	if n := len(b.view(id).Widgets[0].Rows); n != 20_000 || pages < 5 {
		t.Errorf("%d rows in %d pages", n, pages)
	}
	assertEqual(t, a, b, id)
}

func TestSI8_ClockTooFarAheadIsRestamped(t *testing.T) {
	t.Parallel()
	_, a, id := start(t, servertest.Options{})
	if _, err := a.client(id).Edit(&a.clock, time.Now().Add(24*time.Hour).UnixMilli(), []replica.Edit{title("Tomorrow")}); err != nil {
		t.Fatal(err)
	}
	a.send(a.pending(id))
	k := await[wire.Ack](a)
	if len(k.Outcomes) != 1 || k.Outcomes[0].Verdict != replica.Restamped || k.Outcomes[0].Stamp.Millis() > time.Now().Add(time.Minute).UnixMilli() {
		t.Errorf("%+v", k)
	}
}

func TestB1_MalformedMessagesNameTheFieldAndChangeNothing(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	other := hlc.Stamp{T: 1, Dev: 99}
	goodOp := func(dev hlc.Stamp) string {
		return fmt.Sprintf(`{"n":%d,"s":"%s","k":"set","e":"board","f":"title","v":"x"}`, a.client(id).Status().LastN+1, dev)
	}
	for name, c := range map[string]struct{ frame, field string }{
		"no JSON":               {`{`, ""},
		"binary":                {"", ""},
		"no type":               {`{}`, "t"},
		"wrong type":            {`{"t":"ops","b":7}`, "b"},
		"no such dashboard id":  {`{"t":"ops","b":"x","ops":[]}`, "b"},
		"hole":                  {`{"t":"ops","b":"` + string(id) + `","ops":[{"n":1,"s":"1-1"},{"n":3,"s":"1-1"}]}`, "ops[1].n"},
		"another device":        {`{"t":"ops","b":"` + string(id) + `","ops":[` + goodOp(other) + `]}`, "ops[0].s"},
		"bad cursor":            {`{"t":"sub","b":"dsh_x"}`, "b"},
		"a new board, bad id":   {`{"t":"sub","b":"../../etc","new":true}`, "b"},
		"a second hello":        {`{"t":"hello","v":[1],"dev":"1"}`, "t"},
		"a message of servers'": {`{"t":"ack","b":"` + string(id) + `","upTo":99}`, "t"},
	} {
		if name == "binary" {
			if err := a.ws.Write(a.ctx(), websocket.MessageBinary, []byte("x")); err != nil {
				t.Fatal(err)
			}
		} else {
			a.raw(c.frame)
		}
		e := await[wire.Error](a)
		if e.Fault == nil || e.Fault.Kind != fault.Invalid || e.Fault.Message == "" || !strings.HasSuffix(e.Fault.Field, c.field) {
			t.Errorf("%s: %+v", name, e.Fault)
		}
	}
	for name, cmd := range map[string]string{
		"cmd.id": `{"id":"x","board":"` + string(id) + `","action":"enable"}`, "cmd.board": `{"id":"cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1F","board":"x"}`,
		"action": `{"id":"cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1F","board":"` + string(id) + `","action":"explode"}`,
		"token":  `{"id":"cmd_01J9ZQ0V9K3N8Y2T6W4X5B7C1G","board":"` + string(id) + `","action":"enable","token":"shr_short"}`,
	} {
		a.raw(`{"t":"cmd","cmd":` + cmd + `}`)
		if r := await[wire.Result](a); r.Fault == nil || r.Fault.Kind != fault.Invalid || r.Fault.Field != name {
			t.Errorf("%s: %+v", name, r.Fault)
		}
	}
	// Content that is not acceptable comes back with a reason, and the rest of the batch applies.
	a.edit(id, replica.Edit{Kind: replica.OpSet, Entity: "nothing", Field: "title", Value: json.RawMessage(`"x"`)},
		replica.Edit{Kind: replica.OpSet, Entity: board.BoardEntity, Field: "title", Value: json.RawMessage(`"` + strings.Repeat("x", 300) + `"`)}, title("Good"))
	k := a.push(id)
	if len(k.Outcomes) != 2 || k.Outcomes[0].Reason != replica.ReasonInvalid || k.Outcomes[1].Reason != replica.ReasonTooLarge || k.Outcomes[0].Detail == "" {
		t.Errorf("%+v", k)
	}
	a.raw(`{"t":"from the future"}`)
	b := newDevice(t, srv, a.who)
	b.client(id)
	b.connect()
	b.until("only the good edit is there", func() bool { return b.view(id).Title == "Good" })
	if len(b.roles) != 1 {
		t.Errorf("there are dashboards that nobody made: %v", b.roles)
	}
}

func TestB1_MessagesThatEndTheConnection(t *testing.T) {
	t.Parallel()
	srv, a, _ := start(t, servertest.Options{Hello: time.Second})
	for name, c := range map[string]struct {
		frames []string
		code   websocket.StatusCode
	}{
		"oversized":        {[]string{`{"t":"hello","v":[1],"dev":"1"}`, `{"t":"` + strings.Repeat("x", wire.MaxFrame) + `"}`}, wire.CloseTooLarge},
		"oversized hello":  {[]string{`{"t":"hello","app":"` + strings.Repeat("x", wire.MaxFrame) + `"}`}, wire.CloseTooLarge},
		"wrong version":    {[]string{`{"t":"hello","v":[99],"dev":"1"}`}, wire.CloseOutdated},
		"no version":       {[]string{`{"t":"hello","dev":"1"}`}, wire.CloseOutdated},
		"must understand":  {[]string{`{"t":"hello","v":[1],"dev":"1"}`, `{"t":"later","must":true}`}, wire.CloseOutdated},
		"no device":        {[]string{`{"t":"hello","v":[1]}`}, wire.CloseInvalid},
		"bad dashboard id": {[]string{`{"t":"hello","v":[1],"dev":"1","boards":[{"b":"x","epoch":"0"}]}`}, wire.CloseInvalid},
		"no hello":         {[]string{`{"t":"sub","b":"x"}`}, wire.CloseInvalid},
	} {
		a.dial()
		for _, f := range c.frames {
			a.raw(f)
		}
		if ce := a.closed(); ce.Code != c.code || ce.Reason == "" {
			t.Errorf("%s: closed with %d %q", name, ce.Code, ce.Reason)
		}
	}
	a.dial() // and says nothing
	if _, err := a.next(); err == nil {
		t.Error("a silent connection is kept")
	}
	_ = srv
}

func TestW1_Handshake(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	who := srv.SignUp("ann@example.org")
	host := strings.TrimPrefix(srv.URL(), "http://")
	cookie := "widgets-session=" + who.Token
	for name, c := range map[string]struct {
		header http.Header
		status int
	}{
		"nothing":                {http.Header{}, http.StatusForbidden},
		"bad token":              {http.Header{"Authorization": {"Bearer ses_x"}}, http.StatusUnauthorized},
		"token":                  {http.Header{"Authorization": {"Bearer " + who.Token}}, http.StatusSwitchingProtocols},
		"token, other site":      {http.Header{"Authorization": {"Bearer " + who.Token}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		"cookie, same site":      {http.Header{"Cookie": {cookie}, "Origin": {"http://" + host}}, http.StatusSwitchingProtocols},
		"cookie, other site":     {http.Header{"Cookie": {cookie}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		"cookie, no origin":      {http.Header{"Cookie": {cookie}}, http.StatusForbidden},
		"bad cookie, same site":  {http.Header{"Cookie": {"widgets-session=ses_x"}, "Origin": {"http://" + host}}, http.StatusUnauthorized},
		"token in another place": {http.Header{"Authorization": {who.Token}}, http.StatusForbidden},
	} {
		d := newDevice(t, srv, who)
		ws, res, err := websocket.Dial(d.ctx(), srv.SyncURL(), &websocket.DialOptions{HTTPHeader: c.header, Subprotocols: []string{wire.Subprotocol}}) //nolint:bodyclose // websocket.Dial has closed it
		if res == nil || res.StatusCode != c.status {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		if err == nil {
			if ws.Subprotocol() != wire.Subprotocol {
				t.Errorf("%s: subprotocol %q", name, ws.Subprotocol())
			}
			_ = ws.CloseNow()
		}
	}
}

func asClose(err error, ce *websocket.CloseError) bool { return errors.As(err, ce) }

// A device that stays connected is in use, for its owner's list of sessions.
func TestAConnectionKeepsItsSessionSeen(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	srv := servertest.Start(t, servertest.Options{
		Ping: 20 * time.Millisecond, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	})
	who := srv.SignUp("ann@example.org")
	asks := srv.LogIn("ann@example.org")
	ws, _, err := websocket.Dial(t.Context(), srv.SyncURL(), &websocket.DialOptions{ //nolint:bodyclose // websocket.Dial has closed it
		HTTPHeader: http.Header{"Authorization": {"Bearer " + who.Token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.CloseRead(t.Context()) // answers pings
	ahead.Store(int64(time.Hour))
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/api/v1/account/sessions", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+asks.Token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Sessions []struct {
				Seen int64
				Kind string
				This bool
			}
		}
		err = json.NewDecoder(res.Body).Decode(&list)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		for _, s := range list.Sessions {
			if s.Kind == "app" && !s.This && time.Since(time.UnixMilli(s.Seen)) < -30*time.Minute {
				return
			}
		}
	}
	t.Error("its use was not noted")
}
