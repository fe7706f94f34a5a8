package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"widgets.pro/shared/board"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"widgetsctl": main}) }

// The program as people use it, on a real server. Each script has one of its own, with a dashboard Sales and a widget By day
// on it, and tokens in WIDGETS_TOKEN and READ_TOKEN.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("there are no scripts", err)
	}
	for _, file := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{Files: []string{file}, Setup: prepare(t), RequireExplicitExec: true})
		})
	}
}

func prepare(t *testing.T) func(*testscript.Env) error {
	t.Helper()
	srv := servertest.Start(t, servertest.Options{})
	ann, err := owner.SignUp(t.Context(), srv.URL(), "ann@example.org", servertest.Password, time.Now, srv.Letters)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ann.Close)
	id, err := ann.Create(t.Context(), "Sales")
	if err != nil {
		t.Fatal(err)
	}
	widget := board.NewWidgetID(ulid.Make())
	empty := board.NewWidgetID(ulid.Make())
	edits := owner.Widget(board.Widget{
		ID: widget, Kind: board.KindTable, Title: "By day", Layout: board.Layout{W: 4, H: 4},
		Columns: []board.Column{{Name: "day", Type: board.TypeTime}, {Name: "sales", Type: board.TypeNumber}},
		Rows:    []json.RawMessage{json.RawMessage(`[1764201600000,1]`)},
	})
	edits = append(edits, owner.Widget(board.Widget{ID: empty, Kind: board.KindTable, Title: "Empty", Layout: board.Layout{Y: 4, W: 4, H: 4}})...)
	if err := ann.Edit(t.Context(), id, edits...); err != nil {
		t.Fatal(err)
	}
	session := srv.LogIn("ann@example.org").Token
	token := func(scopes ...string) string {
		var made struct{ Secret string }
		status, body := srv.Post("/api/v1/account/tokens", session, map[string]any{
			"name": "a script", "scopes": scopes, "expires": time.Now().Add(time.Hour).UnixMilli(),
		})
		if err := json.Unmarshal(body, &made); err != nil || status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
		return made.Secret
	}
	all, read := token("boards:read", "boards:write", "boards:share"), token("boards:read")
	return func(env *testscript.Env) error {
		env.Setenv("WIDGETS_SERVER", srv.URL())
		env.Setenv("WIDGETS_TOKEN", all)
		env.Setenv("READ_TOKEN", read)
		env.Setenv("BOARD", string(id))
		env.Setenv("WIDGET", string(widget))
		env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
		env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
		return nil
	}
}
