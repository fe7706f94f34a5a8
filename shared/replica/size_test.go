package replica_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// meter counts what is written.
type meter struct {
	replica.Memory
	puts, bytes int
}

func (m *meter) Put(key, value []byte) error {
	m.puts++
	m.bytes += len(key) + len(value)
	return m.Memory.Put(key, value)
}

// A long header and the rows that are there cost nothing; at capacity, neither does the row that falls off the other end.
func TestSI14_AppendingARowWritesAboutItsOwnSize(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{10_000, replica.MaxRows, replica.MaxRows + 50} {
		var tx meter
		h, err := replica.InitHub(&tx, epoch)
		must(t, err)
		clock, n := hlc.Clock{Dev: 1}, uint64(0)
		submit := func(e replica.Edit) {
			n++
			op := replica.Op{N: n, Stamp: clock.Now(1), Kind: e.Kind, Entity: e.Entity, Rows: e.Rows}
			_, _, err := h.Submit(replica.Submission{Dev: 1, Floor: n - 1, Ops: []replica.Op{op}}, replica.Policy{Now: 1, MayEdit: true})
			must(t, err)
		}
		head := appendRows(0, 0)
		head.Rows.Replace, head.Rows.Columns = true, json.RawMessage(fmt.Sprintf("[%q]", strings.Repeat("x", 4000)))
		submit(head)
		for i := 0; i < rows; i += 500 {
			submit(appendRows(i, 500))
		}
		submit(appendRows(rows, 1))
		tx.puts, tx.bytes = 0, 0
		submit(appendRows(rows+1, 1))
		if tx.puts > 5 || tx.bytes > 400 {
			t.Errorf("with %d rows: %d records of %d bytes for one row", rows, tx.puts, tx.bytes)
		}
	}
}
