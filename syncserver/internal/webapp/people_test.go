package webapp_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest"
)

func TestI1_I5_I6_PeopleOfADashboard(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	id := ann.shop()
	at := "boards/" + string(id)
	var out screen.Invited
	invite := map[string]string{"addresses": "Bob <Bob@example.org>, nonsense; cid@example.org bob@example.org", "role": "viewer", "message": "Hello"}
	ann.do(http.MethodPost, at+"/invite", invite, &out)
	if !slices.Equal(out.Invited, []string{"bob@example.org", "cid@example.org"}) || !slices.Equal(out.Bad, []string{"nonsense"}) || len(out.Present) != 0 {
		t.Fatalf("%+v", out)
	}
	v := ann.view(id).Share
	if len(v.Invitations) != 2 || v.Invitations[0].By != "ann" || v.Invitations[0].Expired || v.Invitations[0].Waiting != nil || !v.Mail ||
		len(v.People) != 1 || !v.People[0].You || v.People[0].Email != "ann@example.org" || v.Organisation == nil || v.Organisation.ID == "" {
		t.Fatalf("%+v", v)
	}
	ann.do(http.MethodPost, at+"/invite", invite, &out)
	if len(out.Invited) != 0 || len(out.Present) != 2 {
		t.Errorf("a second time: %+v", out)
	}
	ann.refused(fault.Invalid, http.MethodPost, at+"/invite", map[string]string{"addresses": "", "role": "viewer"})
	ann.refused(fault.Invalid, http.MethodPost, at+"/invite", map[string]string{"addresses": "dan@example.org", "role": "owner"})
	to := map[string]sharing.InvitationID{}
	for _, i := range v.Invitations {
		to[i.Email] = i.ID
	}
	ann.share(id, map[string]any{"action": "revoke", "invitation": to["bob@example.org"]})
	ann.share(id, map[string]any{"action": "resend", "invitation": to["cid@example.org"]})
	if v := ann.view(id).Share; len(v.Invitations) != 1 || v.Invitations[0].Email != "cid@example.org" {
		t.Errorf("%+v", v.Invitations)
	}

	// Roles change at once, and who looks is shown to those who edit.
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleViewer)
	bob := open(t, srv, bobIn)
	if v := bob.view(id).Share; len(v.People) != 1 || !v.People[0].You || len(v.Invitations) != 0 || v.Organisation != nil || v.CanManage {
		t.Errorf("a viewer is told %+v", v)
	}
	bob.refused(fault.Denied, http.MethodPost, at+"/invite", map[string]string{"addresses": "dan@example.org", "role": "viewer"})
	bob.refused(fault.Denied, http.MethodPost, at+"/share", map[string]any{"action": "role", "account": ann.who.Account, "role": ""})
	ann.share(id, map[string]any{"action": "role", "account": bobIn.Account, "role": "editor"})
	bob.hearOf(id)
	if bob.view(id).Role != sharing.RoleEditor {
		t.Error("not an editor")
	}
	bob.do(http.MethodPost, "look", map[string]any{"board": id, "editing": true}, nil)
	for len(ann.view(id).Share.Presence) == 0 {
		ann.hearOf(id)
	}
	if p := ann.view(id).Share.Presence[0]; p.Name != "bob" || !p.Editing || p.Account != bobIn.Account {
		t.Errorf("%+v", p)
	}
	bob.do(http.MethodPost, "look", map[string]any{"board": "", "editing": false}, nil)
	for len(ann.view(id).Share.Presence) != 0 {
		ann.hearOf(id)
	}
	ann.share(id, map[string]any{"action": "editors_share", "allow": true})
	if v := bob.view(id).Share; !v.CanManage || !v.EditorsShare || len(v.Invitations) != 1 {
		t.Errorf("an editor who may share is told %+v", v)
	}
	bob.share(id, map[string]any{"action": "enable"})
	bob.refused(fault.Denied, http.MethodPost, at+"/share", map[string]any{"action": "editors_share", "allow": false})
	bob.share(id, map[string]any{"action": "role", "account": bobIn.Account, "role": ""}) // whoever wants to go may
	bob.refused(fault.NotFound, http.MethodGet, at, nil)
	eve := open(t, srv, srv.SignUp("eve@example.org"))
	eve.refused(fault.NotFound, http.MethodPost, "look", map[string]any{"board": id, "editing": false})
	eve.refused(fault.NotFound, http.MethodPost, at+"/invite", map[string]string{"addresses": "dan@example.org", "role": "viewer"})
}

func TestA1_DashboardsOfOrganisations(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	ann := open(t, srv, srv.SignUp("ann@example.org"))
	s := ann.state()
	if len(s.Organisations) != 1 || !s.Organisations[0].Personal || s.Place != screen.PlaceWeb || s.Account.Email != "ann@example.org" || s.Sync.State != screen.StateSynced {
		t.Fatalf("%+v", s)
	}
	var made struct{ ID board.ID }
	ann.do(http.MethodPost, "boards", map[string]string{"title": "Mine", "organisation": s.Organisations[0].ID}, &made)
	if b, ok := ann.listed(made.ID); !ok || b.Organisation != s.Organisations[0].ID {
		t.Errorf("%v %+v", ok, b)
	}
	ann.refused(fault.NotFound, http.MethodPost, "boards", map[string]string{"title": "Theirs", "organisation": "org_somebody_elses"})
	if n := len(ann.state().Boards); n != 1 {
		t.Errorf("%d dashboards", n)
	}
}

// device is an app's device that follows one dashboard.
type device struct {
	t      *testing.T
	ws     *websocket.Conn
	id     board.ID
	memory replica.Memory
	clock  hlc.Clock
}

func connect(t *testing.T, srv *servertest.Server, who servertest.SignedIn, id board.ID) *device {
	t.Helper()
	ws, res, err := websocket.Dial(t.Context(), srv.SyncURL(), &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + who.Token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(2 * wire.MaxFrame)
	d := &device{t: t, ws: ws, id: id, clock: hlc.Clock{Dev: 77}}
	d.send(wire.Hello{Versions: []int{wire.Version}, App: "test", Dev: "4d", Boards: []wire.Cursor{{Board: id}}})
	return d
}

func (d *device) send(m wire.Message) {
	d.t.Helper()
	frame, err := wire.Encode(m)
	if err == nil {
		err = d.ws.Write(d.t.Context(), websocket.MessageText, frame)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) client() *replica.Client {
	d.t.Helper()
	c, err := replica.OpenClient(&d.memory)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *device) edit(edits ...replica.Edit) {
	d.t.Helper()
	ops, err := d.client().Edit(&d.clock, time.Now().UnixMilli(), edits)
	if err != nil {
		d.t.Fatal(err)
	}
	d.send(wire.Ops{Board: d.id, Ops: ops})
}

// until takes in what the server sends until the dashboard looks as ok wants.
func (d *device) until(what string, ok func(board.View) bool) board.View {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	for {
		state, err := d.client().View()
		if err != nil {
			d.t.Fatal(err)
		}
		if v := board.NewView(d.id, state); ok(v) {
			return v
		}
		_, frame, err := d.ws.Read(ctx)
		if err != nil {
			d.t.Fatalf("%s: %v", what, err)
		}
		m, err := wire.Decode(frame)
		if err != nil {
			d.t.Fatal(err)
		}
		switch m := m.(type) {
		case wire.Snapshot:
			_, err = d.client().Snapshot(m.Snapshot, &d.clock, time.Now().UnixMilli())
		case wire.Delta:
			_, err = d.client().Delta(m.Delta, &d.clock)
		case wire.Ack:
			_, err = d.client().Ack(m.Ack)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// Two browsers and a device that edit at the same time end with the same dashboard, with everything in it.
func TestQ3_BrowsersAndADeviceConverge(t *testing.T) {
	t.Parallel()
	srv := servertest.Start(t, servertest.Options{})
	annIn := srv.SignUp("ann@example.org")
	ann := open(t, srv, annIn)
	id := ann.shop()
	bobIn := srv.SignUp("bob@example.org")
	srv.SetRole(id, bobIn, sharing.RoleEditor)
	bob := open(t, srv, bobIn)
	w := ann.table(id, "Orders", "first")
	dev := connect(t, srv, annIn, id)
	dev.until("the widget", func(v board.View) bool { return len(v.Widgets) == 1 })

	const each = 12
	done := make(chan error, 2)
	for _, b := range []*browser{ann, bob} {
		go func() {
			for i := range each {
				in := map[string]any{"label": "Append", "edits": []screen.Edit{
					{Do: screen.DoAppend, Widget: w, Rows: rows(fmt.Sprintf("%s %d", b.who.Email, i))},
					title(fmt.Sprintf("%s %d", b.who.Email, i)),
				}}
				a, err := b.send(t.Context(), http.MethodPost, "boards/"+string(id)+"/edits", in)
				if err == nil && a.status != http.StatusOK {
					err = fmt.Errorf("%d %s", a.status, a.body)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for i := range each {
		dev.edit(replica.Edit{Kind: replica.OpRows, Entity: string(w), Rows: &replica.RowChange{Rows: rows(fmt.Sprintf("device %d", i))}})
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	all := 1 + 3*each
	want := dev.until("everything", func(v board.View) bool { return len(v.Widgets) == 1 && len(v.Widgets[0].Rows) == all })
	a, b := ann.view(id), bob.view(id)
	if content(a) != content(b) {
		t.Errorf("the browsers see\n%s\nand\n%s", content(a), content(b))
	}
	for len(a.Widgets[0].Rows) < all { // the last of the device's may be on its way to the picture
		ann.hearOf(id)
		a = ann.view(id)
	}
	if got := text(a.Widgets[0].Rows); !slices.Equal(got, text(want.Widgets[0].Rows)) {
		t.Errorf("the browser has %v\nthe device %v", got, text(want.Widgets[0].Rows))
	}
	ann.edit(id, "Rename", title("The end"))
	dev.until("the title", func(v board.View) bool { return v.Title == "The end" })
}

func text[T ~[]byte](rows []T) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = string(r)
	}
	return out
}
