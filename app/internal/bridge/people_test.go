package bridge_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
)

func TestI1_I5_PeopleThroughTheBridge(t *testing.T) {
	f, id := signedIn(t, t.TempDir())
	at := "/api/boards/" + string(id)
	w := f.do("POST", at+"/invite", `{"addresses":"Bob <bob@example.org>, nobody, ada@example.org","role":"editor","message":"Look."}`)
	if w.Code != 200 || w.Body.String() != `{"invited":["bob@example.org"],"bad":["nobody"],"present":["ada@example.org"]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	v := f.view(id).Share
	if len(v.Invitations) != 1 || *v.Invitations[0].Waiting != sharing.Invite {
		t.Fatalf("%+v", v)
	}
	f.ask("POST", at+"/share", map[string]any{"action": "revoke", "invitation": v.Invitations[0].ID}, nil)
	f.ask("POST", at+"/share", `{"action":"editors_share","allow":true}`, nil)
	if v := f.view(id).Share; len(v.Invitations) != 0 || len(v.Waiting) != 1 || !v.EditorsShare {
		t.Errorf("%+v", v)
	}
	f.ask("DELETE", "/api/account/signup", nil, nil)
	var s workspace.AppState
	f.ask("GET", "/api/state", nil, &s)
	if s.Place != workspace.PlaceDesktop || s.Account == nil || s.Account.ManageURL != "https://widgets.example.org/account" || s.Organisations == nil {
		t.Errorf("%+v", s)
	}
}

// A screen that stops asking for events does not look at anything; when it asks again, it looks at what it did.
func TestLookingEndsWithTheScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bridge.New(bridge.Deps{Start: 1000, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
		defer b.Close()
		ws := workspaceIn(t, t.TempDir(), someServer{}, slog.New(slog.DiscardHandler))
		b.Open(ws)
		f := fixture{b, t, nil}
		f.ask("POST", "/api/account/login", `{"server":"https://widgets.example.org","email":"ada@example.org","password":"p"}`, nil)
		id := f.create("Shop")
		if _, err := ws.Boards(wire.Boards{Boards: []wire.Access{{Board: id, Role: sharing.RoleOwner}}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until all that has happened is there to be told
		first := <-poll(t.Context(), f, "a", 0)
		f.ask("POST", "/api/look", map[string]any{"board": id, "editing": true}, nil)
		looks := func(at board.ID) {
			t.Helper()
			if got := ws.Looking().Board; got != at {
				t.Errorf("looks at %q, want %q", got, at)
			}
		}
		if !ws.Looking().Editing {
			t.Error("does not edit")
		}
		ctx, cancel := context.WithCancel(t.Context())
		waiting := poll(ctx, f, "a", first.Next)
		time.Sleep(19 * time.Second)
		looks(id)
		cancel()
		<-waiting
		time.Sleep(9 * time.Second)
		looks(id)
		time.Sleep(2 * time.Second)
		looks("")
		<-poll(t.Context(), f, "a", 0)
		looks(id)
		f.ask("POST", "/api/look", `{"board":"","editing":false}`, nil)
		looks("")
		time.Sleep(20 * time.Second)
		<-poll(t.Context(), f, "a", 0)
		looks("")
	})
}
