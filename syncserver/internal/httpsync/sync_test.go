package httpsync_test

import (
	"errors"
	"testing"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

func asClose(err error, ce *websocket.CloseError) bool { return errors.As(err, ce) }

func TestTwoDevicesConverge(t *testing.T) {
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
	if va, vb := a.view(id), b.view(id); va.Title != vb.Title || va.Alive != vb.Alive {
		t.Errorf("%+v and %+v", va, vb)
	}
	_ = board.View{}
}
