package source_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/source"
)

func read(t *testing.T, name, text string, opt source.Options) *source.Table {
	t.Helper()
	table, err := source.Read(name, []byte(text), opt)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return table
}

func rowsOf(rows []json.RawMessage) string {
	var b strings.Builder
	for _, r := range rows {
		b.Write(r)
	}
	return b.String()
}

func columnsOf(columns []board.Column) string {
	var list []string
	for _, c := range columns {
		list = append(list, c.Name+":"+string(c.Type))
	}
	return strings.Join(list, "|")
}

const day = 86_400_000

// Days since 1970 of the dates that the tests use.
const (
	mar3 = 20515 * day // 2026-03-03
	mar4 = 20516 * day
	mar5 = 20517 * day
	apr3 = 20546 * day // 2026-04-03
	may3 = 20576 * day // 2026-05-03
)

func TestCSVDialects(t *testing.T) {
	num := func(n int64) string { return fmt.Sprint(n) }
	for name, c := range map[string]struct {
		text    string
		columns string
		rows    string
	}{
		"plain":                 {"name,price\na,1.5\nb,2\n", "name:text|price:number", `["a",1.5]["b",2]`},
		"semicolon and comma":   {"Tag;Umsatz\nMo;1.234,56\nDi;12,5\n", "Tag:text|Umsatz:number", `["Mo",1234.56]["Di",12.5]`},
		"tabs":                  {"a\tb\nx, y\t1\nz\t2\n", "a:text|b:number", `["x, y",1]["z",2]`},
		"pipes":                 {"a|b\n1|2\n3|4\n", "a:number|b:number", `[1,2][3,4]`},
		"sep line":              {"sep=;\r\na;b\r\n1;x,y\r\n", "a:number|b:text", `[1,"x,y"]`},
		"CRLF":                  {"a,b\r\n1,2\r\n", "a:number|b:number", `[1,2]`},
		"old Mac line ends":     {"a,b\r1,2\r3,4", "a:number|b:number", `[1,2][3,4]`},
		"no end of line":        {"a,b\n1,2", "a:number|b:number", `[1,2]`},
		"blank lines":           {"\n\na,b\n\n1,2\n  \n3,4\n\n", "a:number|b:number", `[1,2][3,4]`},
		"byte order mark":       {"\ufeffa,b\n1,2\n", "a:number|b:number", `[1,2]`},
		"quotes":                {"a,b\n\"x, \"\"y\"\"\nz\",2\n", "a:text|b:number", `["x, \"y\"\nz",2]`},
		"quotes after spaces":   {"a,b\nx, \"y,z\"\n", "a:text|b:text", `["x","y,z"]`},
		"stray quotes":          {"a,b\n5\" disk,1\n\"x\" y,2\n", "a:text|b:number", `["5\" disk",1]["x y",2]`},
		"no header":             {"1,2\n3,4\n", "Column 1:number|Column 2:number", `[1,2][3,4]`},
		"one column":            {"price\n1\n2\n", "price:number", `[1][2]`},
		"years in the header":   {"Region;2019;2020\nNorth;1;2\nSouth;3;4\n", "Region:text|2019:number|2020:number", `["North",1,2]["South",3,4]`},
		"texts only":            {"Name,City\nAnn,Ulm\nBob,Bonn\n", "Name:text|City:text", `["Ann","Ulm"]["Bob","Bonn"]`},
		"empty cells":           {"a,b\n,1\nx,\n", "a:text|b:number", `[null,1]["x",null]`},
		"words for nothing":     {"a,b\nx,1\ny,n/a\nz,-\n", "a:text|b:number", `["x",1]["y",null]["z",null]`},
		"trailing delimiters":   {"a,b,\n1,2,\n3,4,\n", "a:number|b:number", `[1,2][3,4]`},
		"short and long rows":   {"a,b\n1\n2,3,4\n", "a:number|b:number|Column 3:number", `[1,null,null][2,3,4]`},
		"names repeat":          {"a,a, ,a (2)\n1,2,3,4\n", "a:number|a (2):number|Column 3:number|a (2) (2):number", `[1,2,3,4]`},
		"currency and percent":  {"a,b,c\n$1,-€ 2.50,45%\n\"$1,234.50\",(3),5 %\n", "a:number|b:number|c:number", `[1,-2.5,45][1234.5,-3,5]`},
		"thousands by spaces":   {"a;b\n1 234,5;12\u00a0345\n", "a:number|b:number", `[1234.5,12345]`},
		"thousands apostrophe":  {"a;b\n1'234.5;1\n", "a:number|b:number", `[1234.5,1]`},
		"thousands of India":    {"a;b\n12,34,567.5;1\n", "a:number|b:number", `[1234567.5,1]`},
		"minus and exponent":    {"a,b\n−5,1e3\n+6,2.5E-2\n", "a:number|b:number", `[-5,1000][6,0.025]`},
		"leading zero":          {"a;b\n0,123;x\n0,456;y\n", "a:number|b:text", `[0.123,"x"][0.456,"y"]`},
		"codes stay text":       {"zip,long\n01234,12345678901234567890\n10115,12345678901234567891\n", "zip:text|long:text", `["01234","12345678901234567890"]["10115","12345678901234567891"]`},
		"versions stay text":    {"v,ip\n1.2.3,10.0.0.1\n1.10.12,192.168.100.200\n", "v:text|ip:text", `["1.2.3","10.0.0.1"]["1.10.12","192.168.100.200"]`},
		"ISO dates":             {"d,v\n2026-03-04,1\n2026-03-05,2\n", "d:time|v:number", `[` + num(mar4) + `,1][` + num(mar5) + `,2]`},
		"ISO times, zone kept":  {"d,v\n2026-03-04T10:30:00+02:00,1\n2026-03-04T10:30:01.250Z,2\n", "d:time|v:number", `[` + num(mar4+37_800_000) + `,1][` + num(mar4+37_801_250) + `,2]`},
		"day first by evidence": {"d,v\n3/4/2026,1\n13/4/2026,2\n", "d:time|v:number", `[` + num(apr3) + `,1][` + num(apr3+10*day) + `,2]`},
		"month first":           {"d,v\n3/4/2026,1\n3/13/2026,2\n", "d:time|v:number", `[` + num(mar4) + `,1][` + num(mar4+9*day) + `,2]`},
		"order by steadiness":   {"d;v\n03/03/2026;1\n04/03/2026;2\n05/03/2026;3\n06/03/2026;4\n01/04/2026;5\n", "d:time|v:number", `[` + num(mar3) + `,1][` + num(mar4) + `,2][` + num(mar5) + `,3][` + num(mar5+day) + `,4][` + num(apr3-2*day) + `,5]`},
		"German dates":          {"d;v\n04.03.2026 08:00;1\n05.03.2026 08:00;2\n", "d:time|v:number", `[` + num(mar4+28_800_000) + `,1][` + num(mar5+28_800_000) + `,2]`},
		"named months":          {"d,v\n4 Mar 2026,1\n\"March 5, 2026 3:00 PM\",2\n", "d:time|v:number", `[` + num(mar4) + `,1][` + num(mar5+54_000_000) + `,2]`},
		"mail dates":            {"d|v\nWed, 04 Mar 2026 00:00:01 GMT|1\n", "d:time|v:number", `[` + num(mar4+1000) + `,1]`},
		"months":                {"m,v\n2026-03,1\n2026-05,2\n", "m:time|v:number", `[` + num(mar3-2*day) + `,1][` + num(may3-2*day) + `,2]`},
		"compact by name":       {"date,v\n20260304,1\n", "date:time|v:number", `[` + num(mar4) + `,1]`},
		"digits are no dates":   {"id,v\n20260304,1\n20260305,2\n", "id:number|v:number", `[20260304,1][20260305,2]`},
		"seconds since 1970":    {"time,v\n1772582400,1\n1772668800,2\n", "time:time|v:number", `[` + num(mar4) + `,1][` + num(mar5) + `,2]`},
		"time of day is text":   {"t,v\n10:30,1\n11:30,2\n", "t:text|v:number", `["10:30",1]["11:30",2]`},
		"markup is data":        {"a,b\n<script>alert(1)</script>,=1+1\n", "a:text|b:text", `["<script>alert(1)</script>","=1+1"]`},
	} {
		t.Run(name, func(t *testing.T) {
			table := read(t, "data.csv", c.text, source.Options{})
			if got := columnsOf(table.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := rowsOf(table.Rows); got != c.rows {
				t.Errorf("rows %s, want %s", got, c.rows)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	const text = "Name,Größe\nÄrger,1\n€,2\n"
	units := utf16.Encode([]rune(text))
	little, big := []byte{0xff, 0xfe}, []byte{0xfe, 0xff}
	for _, u := range units {
		little = append(little, byte(u), byte(u>>8))
		big = append(big, byte(u>>8), byte(u))
	}
	var ansi []byte
	for _, r := range text {
		if r == '€' {
			r = 0x80
		}
		ansi = append(ansi, byte(r))
	}
	for name, data := range map[string][]byte{
		"UTF-8": []byte(text), "UTF-8 with a mark": append([]byte("\ufeff"), text...),
		"UTF-16 little": little, "UTF-16 big": big, "UTF-16 without a mark": little[2:], "Windows-1252": ansi,
	} {
		t.Run(name, func(t *testing.T) {
			table, err := source.Read("a.csv", data, source.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := columnsOf(table.Columns); got != "Name:text|Größe:number" {
				t.Errorf("columns %s", got)
			}
			if got := rowsOf(table.Rows); got != `["Ärger",1]["€",2]` {
				t.Errorf("rows %s", got)
			}
			if told := len(table.Warnings) > 0; told != (name == "Windows-1252") {
				t.Errorf("warnings %q", table.Warnings)
			}
		})
	}
}

func TestJSONShapes(t *testing.T) {
	for name, c := range map[string]struct {
		name, text, columns, rows string
	}{
		"objects":         {"", `[{"a":1,"b":"x"},{"b":"y","c":true},{"a":null}]`, "a:number|b:text|c:text", `[1,"x",null][null,"y",true][null,null,null]`},
		"arrays":          {"", `[["d","v"],["2026-03-04",1],["2026-03-05",2.5]]`, "d:time|v:number", fmt.Sprintf(`[%d,1][%d,2.5]`, mar4, mar5)},
		"bare arrays":     {"", `[[1,2],[3,4,5]]`, "Column 1:number|Column 2:number|Column 3:number", `[1,2,null][3,4,5]`},
		"columns, rows":   {"", `{"columns":["a",{"name":"t","type":"time"}],"rows":[["x",1000]]}`, "a:text|t:time", `["x",1000]`},
		"columns, object": {"", `{"columns":["b","a"],"rows":[{"a":1,"b":2}]}`, "b:number|a:number", `[2,1]`},
		"an answer":       {"", `{"next":null,"total":2,"data":[{"a":1},{"a":2}]}`, "a:number", `[1][2]`},
		"values":          {"", `[1,2,3]`, "Value:number", `[1][2][3]`},
		"members":         {"", `{"north":1,"south":2}`, "Name:text|Value:number", `["north",1]["south",2]`},
		"lines":           {"x.ndjson", "{\"a\":1}\n\n{\"a\":2,\"b\":\"x\"}\n", "a:number|b:text", `[1,null][2,"x"]`},
		"lines of arrays": {"x.jsonl", "[\"a\",\"b\"]\n[1,2]\n", "a:number|b:number", `[1,2]`},
		"nested":          {"", `[{"a":{"b":1,"c":{"d":"x"}},"e":[1,2],"f":{}}]`, "a.b:number|a.c.d:text|e:text|f:text", `[1,"x","[1,2]","{}"]`},
		"escapes":         {"", `[{"a\"\u00e4":"\ud83d\ude00\n"}]`, `a"ä:text`, `["😀\n"]`},
		"strings typed":   {"", `[{"a":"1,5"},{"a":"2,25"}]`, "a:number", `[1.5][2.25]`},
		"epoch":           {"", `[{"createdAt":1772582400000,"v":1}]`, "createdAt:time|v:number", fmt.Sprintf(`[%d,1]`, mar4)},
		"long numbers":    {"", `[{"id":12345678901234567890},{"id":12345678901234567891}]`, "id:text", `["12345678901234567890"]["12345678901234567891"]`},
		"spaced":          {"", " [ { \"a\" : 1 , \"b\" : [ ] } ,\n { \"a\" : 2 } ] \n", "a:number|b:text", `[1,"[ ]"][2,null]`},
	} {
		t.Run(name, func(t *testing.T) {
			table := read(t, c.name, c.text, source.Options{})
			if got := columnsOf(table.Columns); got != c.columns {
				t.Errorf("columns %s, want %s", got, c.columns)
			}
			if got := rowsOf(table.Rows); got != c.rows {
				t.Errorf("rows %s, want %s", got, c.rows)
			}
		})
	}
}

func TestOptionsOverrideWhatIsDetected(t *testing.T) {
	number, text := new(board.TypeNumber), new(board.TypeText)
	for name, c := range map[string]struct {
		text          string
		opt           source.Options
		columns, rows string
	}{
		"no header":   {"a,b\n1,2\n", source.Options{Header: new(false)}, "Column 1:text|Column 2:text", `["a","b"]["1","2"]`},
		"header":      {"1,2\n3,4\n", source.Options{Header: new(true)}, "1:number|2:number", `[3,4]`},
		"delimiter":   {"a;b,c\n1;2,3\n", source.Options{Delimiter: new(",")}, "a;b:text|c:number", `["1;2",3]`},
		"decimal":     {"a;b\n1.234;x\n", source.Options{Decimal: new(".")}, "a:number|b:text", `[1.234,"x"]`},
		"decimal too": {"a;b\n1.234;x\n", source.Options{Decimal: new(",")}, "a:number|b:text", `[1234,"x"]`},
		"month first": {"a;b\n03/04/2026;x\n", source.Options{DateOrder: new(source.MonthFirst)}, "a:time|b:text", fmt.Sprintf(`[%d,"x"]`, mar4)},
		"types":       {"a,b\n1,x\n2,3\n", source.Options{Types: []*board.ColumnType{text, number}}, "a:text|b:number", `["1",null]["2",3]`},
		"some types":  {"a,b\n1,2\n", source.Options{Types: []*board.ColumnType{nil, text}}, "a:number|b:text", `[1,"2"]`},
		"format":      {"[1]\n", source.Options{Format: new(source.CSV)}, "Column 1:text", `["[1]"]`},
	} {
		t.Run(name, func(t *testing.T) {
			table := read(t, "", c.text, c.opt)
			if got := columnsOf(table.Columns) + " " + rowsOf(table.Rows); got != c.columns+" "+c.rows {
				t.Errorf("got %s, want %s %s", got, c.columns, c.rows)
			}
		})
	}
}

func TestKeptColumns(t *testing.T) {
	table := read(t, "", "a,b,c\n1,x,2\n3,y,4\n", source.Options{Keep: []int{2, 0}})
	if got := columnsOf(table.Columns); got != "a:number|b:text|c:number" {
		t.Errorf("all columns: %s", got)
	}
	columns, rows := table.Kept()
	if got := columnsOf(columns) + " " + rowsOf(rows); got != "c:number|a:number [2,1][4,3]" {
		t.Errorf("kept: %s", got)
	}
	columns, rows = read(t, "", "a,b\n1,x\n", source.Options{}).Kept()
	if got := columnsOf(columns) + " " + rowsOf(rows); got != `a:number|b:text [1,"x"]` {
		t.Errorf("all kept: %s", got)
	}
}

func TestB1_UnreadableTextsAreNamedByLineAndColumn(t *testing.T) {
	wide := strings.Repeat("x,", board.MaxColumns) + "x\n"
	for name, c := range map[string]struct {
		file, text string
		opt        source.Options
		kind       fault.Kind
		field      string
		message    string
	}{
		"empty":               {"", "", source.Options{}, fault.Invalid, "file", "empty"},
		"blank":               {"", "\ufeff \n", source.Options{}, fault.Invalid, "file", "empty"},
		"open quote":          {"", "a,b\n1,2\n3,\"x\n4,5\n", source.Options{}, fault.Invalid, "file", "Line 3, column 3:"},
		"zero byte":           {"", "a,b\n1,\x002\n", source.Options{}, fault.Invalid, "file", "Line 2, column 3:"},
		"spreadsheet":         {"", "PK\x03\x04rest", source.Options{}, fault.Invalid, "file", "spreadsheet"},
		"compressed":          {"", "\x1f\x8brest", source.Options{}, fault.Invalid, "file", "compressed"},
		"cut UTF-16":          {"", "\xff\xfea\x00b", source.Options{}, fault.Invalid, "file", "cut off"},
		"many columns":        {"", wide, source.Options{}, fault.TooLarge, "columns", "Line 1 has more than 64"},
		"many columns later":  {"", "a,b\n" + wide, source.Options{Delimiter: new(",")}, fault.TooLarge, "columns", "Line 2 has more than 64"},
		"broken JSON":         {"", "[{\"a\":1},\n {\"a\":}]", source.Options{}, fault.Invalid, "file", "Line 2, column 7:"},
		"cut JSON":            {"", "[{\"a\":1},\n {\"a\":2}", source.Options{}, fault.Invalid, "file", "Line 2, column 9:"},
		"broken line":         {"a.ndjson", "{\"a\":1}\n{\"a\":\n", source.Options{}, fault.Invalid, "file", "Line 2, column 6:"},
		"text as JSON":        {"a.json", "a,b\n1,2\n", source.Options{}, fault.Invalid, "file", "Line 1, column 1:"},
		"a JSON value":        {"", "3", source.Options{Format: new(source.JSON)}, fault.Invalid, "file", "single value"},
		"no JSON rows":        {"", "[]", source.Options{}, fault.Invalid, "file", "no rows"},
		"many JSON columns":   {"", `[[` + strings.Repeat("1,", 64) + `1]]`, source.Options{}, fault.TooLarge, "columns", "more than 64"},
		"fat row":             {"", "a\n" + strings.Repeat(strings.Repeat("x", 4000)+",", 20) + "\n", source.Options{}, fault.TooLarge, "file", "Line 2"},
		"option format":       {"", "a", source.Options{Format: new(source.Format("xml"))}, fault.Invalid, "format", "csv or json"},
		"option delimiter":    {"", "a", source.Options{Delimiter: new("ab")}, fault.Invalid, "delimiter", "one character"},
		"option quote":        {"", "a", source.Options{Delimiter: new("\"")}, fault.Invalid, "delimiter", "one character"},
		"option decimal":      {"", "a", source.Options{Decimal: new(";")}, fault.Invalid, "decimal", "comma"},
		"option order":        {"", "a", source.Options{DateOrder: new(source.DateOrder("ydm"))}, fault.Invalid, "dateOrder", "dmy"},
		"option type":         {"", "a", source.Options{Types: []*board.ColumnType{new(board.ColumnType("blob"))}}, fault.Invalid, "types", "number"},
		"option keep nothing": {"", "a", source.Options{Keep: []int{}}, fault.Invalid, "keep", "at least one"},
		"option keep outside": {"", "a,b", source.Options{Keep: []int{2}}, fault.Invalid, "keep", "columns of the file"},
		"option keep twice":   {"", "a,b", source.Options{Keep: []int{0, 0}}, fault.Invalid, "keep", "once"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := source.Read(c.file, []byte(c.text), c.opt)
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("error %v", err)
			}
			if f.Kind != c.kind || f.Field != c.field || !strings.Contains(f.Message, c.message) {
				t.Errorf("got %s %q %q, want %s %q …%s…", f.Kind, f.Field, f.Message, c.kind, c.field, c.message)
			}
		})
	}
}

func TestB1_TooLargeFilesAreRefused(t *testing.T) {
	_, err := source.Read("a.csv", make([]byte, source.MaxFile+1), source.Options{})
	if fault.KindOf(err) != fault.TooLarge {
		t.Errorf("error %v", err)
	}
}

func TestTheLastRowsAreKept(t *testing.T) {
	const total = source.MaxRows + 7
	for _, header := range []bool{true, false} {
		var b strings.Builder
		if header {
			b.WriteString("n,label\n")
		}
		for i := range total {
			fmt.Fprintf(&b, "%d,x\n", i)
		}
		table := read(t, "", b.String(), source.Options{})
		if table.Total != total || len(table.Rows) != source.MaxRows || string(table.Rows[0]) != `[7,"x"]` || string(table.Rows[len(table.Rows)-1]) != fmt.Sprintf(`[%d,"x"]`, total-1) {
			t.Errorf("CSV: %d of %d rows, first %s", len(table.Rows), table.Total, table.Rows[0])
		}
		if len(table.Warnings) != 1 || !strings.Contains(table.Warnings[0], "20007 rows") {
			t.Errorf("warnings %q", table.Warnings)
		}
	}
	var b strings.Builder
	for i := range total {
		fmt.Fprintf(&b, "{\"n\":%d}\n", i)
	}
	table := read(t, "", b.String(), source.Options{})
	if table.Total != total || len(table.Rows) != source.MaxRows || string(table.Rows[0]) != `[7]` {
		t.Errorf("JSON: %d of %d rows, first %s", len(table.Rows), table.Total, table.Rows[0])
	}
	full := read(t, "", "a\n"+strings.Repeat("1\n", source.MaxRows), source.Options{})
	if len(full.Rows) != source.MaxRows || len(full.Warnings) != 0 {
		t.Errorf("exactly full: %d rows, %q", len(full.Rows), full.Warnings)
	}
}

func TestB1_WhatIsLostIsTold(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unreadable number": {"a,b\n" + strings.Repeat("x,1\n", 20) + "y,oops\n", "One cell of “b” is no number and left empty (first: “oops” in line 22)."},
		"two numbers":       {"a,b\n" + strings.Repeat("x,1\n", 30) + "y,oops\nz,ha\n", "2 cells of “b” are no numbers and left empty (first: “oops” in line 32)."},
		"unreadable date":   {"a,b\n" + strings.Repeat("2026-03-04,1\n", 20) + "soon,1\n", "One cell of “a” is no date or time and left empty (first: “soon” in line 22)."},
		"short row":         {"a,b\n1,2\n3\n", "One row has fewer cells than the others (first: line 3); the missing cells are left empty."},
		"either decimal":    {"a,b\n\"1,234\",x\n", "Numbers such as “1,234” can be read in two ways; the point was taken for the decimal sign."},
		"either order":      {"a,b\n3/4/2026,x\n", "Dates such as “3/4/2026” can be read in two ways; the month was taken to come first."},
		"zones":             {"a,b\n2026-03-04T10:00:00+01:00,1\n2026-04-04T10:00:00+02:00,1\n", "The times in “a” are in different zones; the time of day is kept as it is written."},
		"long text":         {"a,b\n" + strings.Repeat("x", 5000) + ",1\n", "Texts longer than 4 KiB were cut (1, first in line 2)."},
		"names only":        {"a,b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			opt := source.Options{}
			if c.want == "" {
				opt.Header, c.want = new(true), "The file has names of columns but no rows."
			}
			table := read(t, "", c.text, opt)
			if len(table.Warnings) != 1 || table.Warnings[0] != c.want {
				t.Errorf("warnings %q, want %q", table.Warnings, c.want)
			}
		})
	}
}

func TestDatesWithPointsAreNotAmbiguous(t *testing.T) {
	table := read(t, "", "d;v\n4.3.2026;1\n5.3.2026;2\n", source.Options{})
	if len(table.Warnings) > 0 || rowsOf(table.Rows) != fmt.Sprintf("[%d,1][%d,2]", mar4, mar5) {
		t.Errorf("%s %q", rowsOf(table.Rows), table.Warnings)
	}
}

func TestB1_RemarksAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "c%d,", i)
	}
	b.WriteString("end\n")
	for range 20 {
		b.WriteString(strings.Repeat("1,", 40) + "1\n")
	}
	b.WriteString(strings.Repeat("x,", 40) + "x\n")
	table := read(t, "", b.String(), source.Options{})
	if n := len(table.Warnings); n == 0 || n > 13 || !strings.Contains(table.Warnings[n-1], "more remarks") {
		t.Errorf("%d warnings: %q", n, table.Warnings)
	}
}

func TestSuggestedKinds(t *testing.T) {
	for text, want := range map[string]board.Kind{
		"day,a,b\n2026-03-04,1,2\n2026-03-05,2,3\n":   board.KindLine,
		"region,sales\nNorth,1\nSouth,2\n":            board.KindBar,
		"value\n42\n":                                 board.KindStat,
		"a,b\n1,2\n":                                  board.KindStat,
		"x,y\n1,2\n2,5\n3,1\n":                        board.KindLine,
		"service,state\nWeb,ok\nMail,down\n":          board.KindStatus,
		"name,city\nAnn,Ulm\nBob,Bonn\n":              board.KindTable,
		"a,b,n\nx,y,1\nu,v,2\n":                       board.KindTable,
		"r,v\n" + strings.Repeat("somewhere,1\n", 60): board.KindTable,
	} {
		if got := read(t, "", text, source.Options{}).Suggested; got != want {
			t.Errorf("%.30q: %s, want %s", text, got, want)
		}
	}
}

func TestPreviewShowsTheFirstRows(t *testing.T) {
	p := read(t, "", "a\n"+strings.Repeat("1\n", 500), source.Options{}).Preview("imp_1", "a.csv")
	if p.ID != "imp_1" || p.Name != "a.csv" || len(p.Sample) != 50 || p.TotalRows != 500 || p.KeptRows != 500 {
		t.Errorf("%+v", p)
	}
	b, err := json.Marshal(p.Options)
	if err != nil || string(b) != `{"format":"csv","delimiter":",","header":true,"decimal":".","dateOrder":"ymd","types":["number"],"keep":[0]}` {
		t.Errorf("%s %v", b, err)
	}
}
