package app_test

import (
	"context"
	"os"
	"testing"
	"time"

	"widgets.pro/app"
	"widgets.pro/build/crash/desk"
	"widgets.pro/build/crash/victim"
	"widgets.pro/syncserver/servertest"
)

const asProgram = "WIDGETS_TEST_AS_PROGRAM"

// TestMain lets the test's binary be the program, so that tests can kill a real process.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(app.Run(app.Environment{Args: os.Args[1:], Getenv: os.Getenv, Now: time.Now, Stdout: os.Stdout, Stderr: os.Stderr}))
	}
	os.Exit(m.Run())
}

// server is a sync server in this process, which is killed as far as that goes.
type server struct {
	*servertest.Server
	down bool
}

func (s *server) Run(context.Context) error {
	if s.down {
		s.Restart() //nolint:contextcheck // a test's server ends with the test
		s.down = false
	}
	return nil
}

func (s *server) Kill() error {
	s.Server.Kill()
	s.down = true
	return nil
}

// The short form of what `make crash` does at length: this very binary is the program, and it is killed while clients edit and
// it syncs. What it said is saved is there when it has started again, and in the end on the server, once.
func TestSI1_SI2_SI3_SI4_TheProgramKilledWhileItSyncsKeepsItsWord(t *testing.T) {
	srv := &server{Server: servertest.Start(t, servertest.Options{})}
	core := victim.NewCore(os.Args[0], t.TempDir(), srv.URL(), asProgram+"=1")
	r, err := desk.Run(t.Context(), core, srv, desk.Options{
		Seed: 29, Kills: 8, Clients: 6, Edits: 100, Mail: srv.Letters, Say: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if len(r.Breaches) > 0 || r.Kills != 8 || r.Saved == 0 || r.OnServer < r.Saved {
		t.Errorf("%d of %d edits saved after %d kills, %d on the server; %v", r.Saved, r.Checked, r.Kills, r.OnServer, r.Breaches)
	}
}
