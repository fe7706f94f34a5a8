package httpsync_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

const hidden = "CANARY"

func set(entity, field, value string) replica.Edit {
	v, _ := json.Marshal(value)
	return replica.Edit{Kind: replica.OpSet, Entity: entity, Field: field, Value: v}
}

// heard reads a message as text, so that nothing in it is overlooked.
func (d *device) heard(into *strings.Builder) wire.Message {
	d.t.Helper()
	m, err := d.next()
	if err != nil {
		d.t.Fatal(err)
	}
	frame, err := wire.Encode(m)
	if err != nil {
		d.t.Fatal(err)
	}
	into.Write(frame)
	return m
}

// A viewer with an account gets what is published and nothing else, by snapshot, by delta from the log and live; who
// becomes an editor gets the rest at once, and loses it with the role.
func TestA6_ViewersWithAnAccountGetThePublishedProjection(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	w := string(board.NewWidgetID(ulid.Make()))
	a.edit(id, set(w, board.FieldKind, "table"), set(w, board.FieldTitle, "Orders"), alive(true),
		replica.Edit{Kind: replica.OpSet, Entity: w, Field: board.FieldAlive, Value: json.RawMessage("true")},
		set(board.BoardEntity, "source", hidden+" of the board"), set(w, "query", hidden+" of the widget"), set(w, board.OptionPrefix+"headers", hidden+" of an option"),
		replica.Edit{Kind: replica.OpSet, Entity: w, Field: board.OptionPrefix + "limit", Value: json.RawMessage("7")})
	a.push(id)

	bob := srv.SignUp("bob@example.org")
	srv.SetRole(id, bob, sharing.RoleViewer)
	b := newDevice(t, srv, bob)
	b.client(id)
	b.connect()
	var told strings.Builder
	seen := func(title string) func() bool {
		return func() bool { v := b.view(id); return v.Title == title && len(v.Widgets) == 1 }
	}
	read := func(done func() bool) {
		t.Helper()
		for !done() {
			b.heard(&told)
		}
	}
	read(seen("First"))
	if string(b.view(id).Widgets[0].Options["limit"]) != "7" {
		t.Error("a viewer lacks what is published")
	}
	// Live, then from the log after a while away.
	a.edit(id, set(board.BoardEntity, "source", hidden+" changed"), title("Second"))
	a.push(id)
	read(seen("Second"))
	b.cut()
	a.edit(id, set(w, "query", hidden+" changed"), title("Third"))
	a.push(id)
	b.connect()
	read(seen("Third"))
	if strings.Contains(told.String(), hidden) {
		t.Fatalf("a viewer was told %s", told.String())
	}

	has := func() bool {
		s, err := b.client(id).View()
		if err != nil {
			t.Fatal(err)
		}
		raw, _, ok := s.Register(board.BoardEntity, "source")
		return ok && strings.Contains(string(raw), hidden)
	}
	srv.SetRole(id, bob, sharing.RoleEditor)
	b.until("an editor has everything", has)
	b.edit(id, title("Fourth"))
	if k := b.push(id); len(k.Outcomes) != 0 {
		t.Fatalf("%+v", k)
	}
	srv.SetRole(id, bob, sharing.RoleViewer)
	epoch := b.client(id).Status().Epoch
	b.until("the log is another", func() bool { return b.client(id).Status().Epoch != epoch })
	b.send(b.pending(id)) // as after every change of the log, what is held beyond it is offered, and refused
	await[wire.Ack](b)
	if has() {
		t.Error("the rest stays when the role is lost")
	}
	a.edit(id, title("Fifth"))
	a.push(id)
	read(seen("Fifth"))
	if strings.Contains(told.String(), hidden) {
		t.Errorf("a viewer was told %s", told.String())
	}
}

// What a widget held as another kind is not published any more, whether a viewer comes later or was there.
func TestA6_OptionsOfAnotherKindStayBehind(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	first, second := string(board.NewWidgetID(ulid.Make())), string(board.NewWidgetID(ulid.Make()))
	for _, w := range []string{first, second} {
		a.edit(id, set(w, board.FieldKind, "markdown"), set(w, board.OptionPrefix+"text", hidden+" of "+w),
			replica.Edit{Kind: replica.OpSet, Entity: w, Field: board.FieldAlive, Value: json.RawMessage("true")})
	}
	a.edit(id, set(first, board.FieldKind, "table"))
	a.push(id)
	bob := srv.SignUp("bob@example.org")
	srv.SetRole(id, bob, sharing.RoleViewer)
	b := newDevice(t, srv, bob)
	b.client(id)
	b.connect()
	var told strings.Builder
	for len(b.view(id).Widgets) != 2 {
		b.heard(&told)
	}
	if strings.Contains(told.String(), hidden+" of "+first) || !strings.Contains(told.String(), hidden+" of "+second) {
		t.Errorf("a viewer was told %s", told.String())
	}
	has := func() bool {
		s, err := b.client(id).View()
		if err != nil {
			t.Fatal(err)
		}
		_, _, ok := s.Register(second, board.OptionPrefix+"text")
		return ok
	}
	a.edit(id, set(second, board.FieldKind, "stat"))
	a.edit(id, set(second, board.OptionPrefix+"text", hidden+" afterwards"), title("Second"))
	a.push(id)
	b.until("the kind has changed", func() bool { return b.view(id).Title == "Second" })
	if has() {
		t.Error("what the other kind held stays")
	}
	a.edit(id, set(second, board.FieldKind, "markdown"), title("Third"))
	a.push(id)
	b.until("the kind has changed back", func() bool { return b.view(id).Title == "Third" })
	if !has() {
		t.Error("what belongs to the kind again is missing")
	}
}
