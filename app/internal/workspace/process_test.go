package workspace_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
)

// TestMain runs the child of TestQ1_KilledProgramLosesNothing instead of tests where that asks for it.
func TestMain(m *testing.M) {
	if path := os.Getenv("WIDGETS_TEST_CHILD"); path != "" {
		child(path)
		return
	}
	os.Exit(m.Run())
}

// child edits without end, and says of each edit that it is done.
func child(path string) {
	t := &testing.T{}
	d := &device{t: t, path: path, now: time.Now(), keys: &keys{m: map[string]string{}}}
	d.open()
	id, w := counterOf(d)
	for n := len(d.widget(id, w).Rows); ; n++ {
		d.edit(id, "Count", workspace.Edit{Do: workspace.DoAppend, Widget: w, Rows: raws(fmt.Sprintf("[%d]", n))}, setTitle("", strconv.Itoa(n)))
		if n%7 == 0 {
			d.must(d.Undo(id))
			d.must(d.Redo(id))
		}
		fmt.Println(n)
	}
}

// counterOf is the dashboard in which the child counts, and its table.
func counterOf(d *device) (board.ID, board.WidgetID) {
	for _, b := range d.State().Boards {
		if !b.Sample {
			return b.ID, d.view(b.ID).Widgets[0].ID
		}
	}
	id := d.create("0")
	w := d.edit(id, "Add", workspace.Edit{Do: workspace.DoAdd, Kind: board.KindTable, Title: "n", Columns: []board.Column{{Name: "n", Type: board.TypeNumber}}})
	return id, w.Added[0]
}

// The program is killed in the middle of its work, as by kill -9: what it had said to be saved is there, and nothing is half
// done.
func TestQ1_SI2_KilledProgramLosesNothing(t *testing.T) {
	d := newDevice(t)
	id, w := counterOf(d)
	for round := range 5 {
		start := len(d.widget(id, w).Rows)
		d.must(d.store.Close())
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "WIDGETS_TEST_CHILD="+d.path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		d.must(err)
		d.must(cmd.Start())
		told := -1
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, err := strconv.Atoi(lines.Text())
			d.must(err)
			if told = n; n > start+20+13*round { // some time, a different one each round
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		if told < start+20 {
			t.Fatalf("the child ended by itself after edit %d", told)
		}
		d.open()
		rows := d.widget(id, w).Rows
		if len(rows) <= told {
			t.Fatalf("round %d: %d rows, but %d were said to be saved", round, len(rows), told+1)
		}
		for i, r := range rows {
			if string(r) != fmt.Sprintf("[%d]", i) {
				t.Fatalf("row %d is %s", i, r)
			}
		}
		if got := d.view(id).Title; got != strconv.Itoa(len(rows)-1) {
			t.Errorf("title %q with %d rows: half an edit", got, len(rows))
		}
	}
}
