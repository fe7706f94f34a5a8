package main

import (
	"os"
	"testing"
	"time"

	"widgets.pro/build/crash/victim"
	"widgets.pro/build/crash/writers"
)

// The short form of what `make crash` does at length: this very binary is the server, 64 devices write to it, and it is
// killed under them. Their journals say whether anything was lost (SI2), took effect twice (SI3), got a position of its own in
// a log without holes (SI4), and is the same everywhere (SI1).
func TestSI1_SI2_SI3_SI4_TheServerKilledUnderManyWritersKeepsItsWord(t *testing.T) {
	server, err := victim.NewServer(t.Context(), os.Args[0], t.TempDir(), "WIDGETS_TEST_AS_SERVER=1")
	if err != nil {
		t.Fatal(err)
	}
	r, err := writers.Run(t.Context(), server, writers.Options{
		Dir: t.TempDir(), Seed: 3, Kills: 8, Accounts: 4, Devices: 16, Boards: 2, Edits: 100, Now: time.Now, Say: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if len(r.Breaches) > 0 || r.Kills != 8 || r.Acknowledged == 0 || r.Acknowledged != r.Checked {
		t.Errorf("%d of %d edits acknowledged after %d kills; %v", r.Acknowledged, r.Checked, r.Kills, r.Breaches)
	}
}
