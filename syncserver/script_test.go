package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/servertest"
)

// The commands of whoever runs a server, as they are used: on the data file DATA of a server that does not run, with the
// accounts of ann and bob, with SPARE as a copy of it, beside one that does run, on RUNNING, and with the mail server SMTP.
func TestScripts(t *testing.T) {
	t.Parallel()
	running := filepath.Join(t.TempDir(), "running.db")
	servertest.Start(t, servertest.Options{Data: running})
	data := filepath.Join(t.TempDir(), "server.db")
	srv := servertest.Start(t, servertest.Options{Data: data})
	for _, who := range []string{"ann", "bob"} {
		srv.SignUp(who + "@example.org")
	}
	srv.Close()
	// Scripts run side by side, and a data file is for one at a time.
	spare := filepath.Join(t.TempDir(), "server.db")
	raw, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spare, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	mailbox, err := devmail.Start(devmail.Config{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailbox.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", data)
			env.Setenv("SPARE", spare)
			env.Setenv("RUNNING", running)
			env.Setenv("SMTP", net.JoinHostPort("127.0.0.1", strconv.Itoa(mailbox.Server().Port)))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// reset opens the link in a file, chooses another password, and logs ann in with it.
			"reset": func(ts *testscript.TestScript, _ bool, args []string) {
				link, err := url.Parse(strings.TrimSpace(ts.ReadFile(args[0])))
				ts.Check(err)
				srv.Restart()
				defer srv.Close()
				const password = "quite another one"
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+link.Path, strings.NewReader(url.Values{"password": {password}}.Encode()))
				ts.Check(err)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
				ts.Check(err)
				ts.Check(res.Body.Close())
				if status, body := srv.Post("/api/v1/login", "", map[string]string{"email": "ann@example.org", "password": password}); status != http.StatusOK {
					ts.Fatalf("log in after %s: %d %s", res.Status, status, body)
				}
			},
			// arrived looks for a letter to an address.
			"arrived": func(ts *testscript.TestScript, _ bool, args []string) {
				for _, m := range mailbox.List() {
					if m.To == args[0] && strings.Contains(m.Text, "tried whether its mail arrives") {
						return
					}
				}
				ts.Fatalf("no letter for %s", args[0])
			},
		},
	})
	if _, err := os.Stat(data); err != nil {
		t.Error(err)
	}
}
