package source_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/source"
)

// checkRead holds what must be true of any text: a fault with a sentence, or a table that a widget accepts.
func checkRead(t *testing.T, data []byte, format source.Format) {
	t.Helper()
	table, err := source.Read("", data, source.Options{Format: &format})
	if err != nil {
		if f := fault.From(err); f.Message == "" || f.Field == "" || f.Kind == fault.Internal {
			t.Fatalf("fault %#v", f)
		}
		return
	}
	columns, rows := table.Kept()
	header, err := json.Marshal(columns)
	if err != nil {
		t.Fatal(err)
	}
	change := replica.RowChange{Replace: true, Columns: header}
	if f := board.CheckRows(&change); f != nil {
		t.Fatalf("columns %s: %v", header, f)
	}
	for _, r := range rows {
		if !json.Valid(r) {
			t.Fatalf("row %q", r)
		}
		change.Rows = []json.RawMessage{r}
		if f := board.CheckRows(&change); f != nil {
			t.Fatalf("row %s: %v", r, f)
		}
	}
	if len(rows) > table.Total || len(table.Options.Types) != len(table.Columns) {
		t.Fatalf("%d of %d rows, %d types for %d columns", len(rows), table.Total, len(table.Options.Types), len(table.Columns))
	}
	// What was detected, given as options, leads to the same rows.
	o := table.Options
	again := source.Options{Format: &o.Format, Delimiter: &o.Delimiter, Header: &o.Header, Decimal: &o.Decimal, DateOrder: &o.DateOrder, Keep: o.Keep}
	if o.Delimiter == "\r" || o.Delimiter == "\n" {
		again.Delimiter = nil
	}
	second, err := source.Read("", data, again)
	if err != nil {
		t.Fatalf("with what was detected: %v", err)
	}
	if rowsOf(second.Rows) != rowsOf(table.Rows) {
		t.Fatalf("with what was detected: %s, then %s", rowsOf(table.Rows), rowsOf(second.Rows))
	}
}

func FuzzB1_CSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a;b\r\n\"x\"\"y\";1.234,5\r\n", "sep=|\na|b\n", "\ufeffa\tb\n3/4/2026\t5%\n", "\"open", "a,\"b\" c,d\n,,\n",
		"d\n2026-03-04T10:00:00+02:00\n", "\xff\xfea\x00,\x00b\x00", "\x80\xe4,1\n", "a\n1'234.5\n(3)\n-€ 5\n", "t\n1772582400\n", "d,e\nMar 3 2026,Q1 2026\n", "\r\r\n", "sep=\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkRead(t, data, source.CSV) })
}

func FuzzB1_JSON(f *testing.F) {
	for _, s := range []string{
		`[{"a":1},{"b":"x"}]`, `[["a"],[1]]`, `{"columns":["a"],"rows":[[1]]}`, "{\"a\":1}\n{\"a\":2}", `{"data":[1,2]}`, `{"a":{"b":{"c":{"d":{"e":1}}}}}`,
		`[{"":null}]`, `[[]]`, `[1,"2026-03-04",true,null,[],{}]`, `[{"a":"\ud800"}]`, `[1e999,-0,1E5]`, `{"rows":[{"a":1}]}`, "[]\n[1]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkRead(t, data, source.JSON) })
}

func tenMegabytes(line func(b *strings.Builder, i int)) []byte {
	var b strings.Builder
	for i := 0; b.Len() < 10_000_000; i++ {
		line(&b, i)
	}
	return []byte(b.String())
}

func BenchmarkRead10MB(b *testing.B) {
	wide := strings.Repeat(",1.5", 60)
	for name, data := range map[string][]byte{
		"csv": tenMegabytes(func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "%02d.%02d.2026 08:%02d;Region %d;\"Ort, %d\";%d.%03d,%02d;%d%%\n", i%28+1, i%12+1, i%60, i%7, i, i%9+1, i%1000, i%100, i%100)
		}),
		"wide":  tenMegabytes(func(b *strings.Builder, i int) { fmt.Fprintf(b, "2026-03-04%s\n", wide) }),
		"lines": tenMegabytes(func(b *strings.Builder, i int) { fmt.Fprintf(b, "%d\n", i) }),
		"ndjson": tenMegabytes(func(b *strings.Builder, i int) {
			fmt.Fprintf(b, "{\"time\":\"2026-03-04T10:%02d:00Z\",\"host\":\"web%d\",\"load\":%d.5}\n", i%60, i%9, i%100)
		}),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := source.Read("", data, source.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Ten times the file takes about ten times as long, and not a hundred. The best of three runs counts for each, so that a
// busy machine does not.
func TestReadingTakesTimeByTheSize(t *testing.T) {
	large := tenMegabytes(func(b *strings.Builder, i int) { fmt.Fprintf(b, "2026-03-04 10:%02d,%d,name %d\n", i%60, i, i) })
	small := large[:bytes.LastIndexByte(large[:len(large)/10], '\n')+1]
	took := func(data []byte) (best time.Duration) {
		for i := range 3 {
			begun := time.Now()
			if _, err := source.Read("", data, source.Options{}); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(begun); i == 0 || d < best {
				best = d
			}
		}
		return best
	}
	one, ten := took(small), took(large)
	t.Logf("1 MB in %v, 10 MB in %v", one, ten)
	if ten > 40*one {
		t.Errorf("10 MB took %v, and 1 MB %v", ten, one)
	}
}
