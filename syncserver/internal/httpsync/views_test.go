package httpsync_test

import (
	"testing"

	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

// How often a link was opened is told to those alone who may manage it, as is the link; that it never was is told too.
func TestL7_ViewsAreForThoseWhoShare(t *testing.T) {
	t.Parallel()
	srv, a, id := start(t, servertest.Options{})
	a.command(id, sharing.Enable)
	bob := srv.SignUp("bob@example.org")
	srv.SetRole(id, bob, sharing.RoleEditor)
	list := func(d *device) wire.Access {
		t.Helper()
		d.dial()
		d.send(wire.Hello{Versions: []int{wire.Version}, App: "test", Dev: "1"})
		m := await[wire.Boards](d)
		if len(m.Boards) != 1 {
			t.Fatalf("%+v", m)
		}
		return m.Boards[0]
	}
	if got := list(newDevice(t, srv, a.who)); got.Views == nil || got.Views.Last != 0 || len(got.Views.Days) != 0 || got.Link.Token == "" {
		t.Errorf("the owner is told %+v", got)
	}
	if got := list(newDevice(t, srv, bob)); got.Views != nil || got.Link != (sharing.Link{}) {
		t.Errorf("an editor is told %+v", got)
	}
}
