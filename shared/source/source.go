// Package source turns the text of a file, or what somebody pasted, into columns and rows for a widget.
//
// Read finds out what the text is (CSV in its many dialects, or JSON in several shapes), which encoding, delimiter,
// header, decimal sign and order of day and month it uses, and which type each column has; Options overrides any of
// that. What cannot be kept is told in sentences, never dropped silently; what cannot be read at all is a fault that
// names line and column. The package does no I/O, reads no clock and knows nothing of dashboards beyond their columns.
//
// Start reading at Read, then csv.go and json.go, which both fill a grid, and infer.go, which gives the grid its types.
package source

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

// Limits of one text. Of rows beyond MaxRows the last ones are kept.
const (
	MaxFile     = 32 << 20 // bytes
	MaxRows     = replica.MaxRows
	maxWarnings = 12
	maxSample   = 50 // rows of Preview.Sample
)

// Format is what a text is written in.
type Format string

// The formats. JSON includes one JSON value a line (NDJSON).
const (
	CSV  Format = "csv"
	JSON Format = "json"
)

// DateOrder is the order of day, month and year in dates such as 3/4/2026.
type DateOrder string

// The orders.
const (
	DayFirst   DateOrder = "dmy"
	MonthFirst DateOrder = "mdy"
	YearFirst  DateOrder = "ymd"
)

// Options says how a text is to be read; what is nil (or, in Types, empty) is detected.
type Options struct {
	Format *Format `json:"format,omitempty"`
	// Delimiter is one character.
	Delimiter *string `json:"delimiter,omitempty"`
	// Header says whether the first row holds names.
	Header *bool `json:"header,omitempty"`
	// Decimal is "." or ",".
	Decimal   *string    `json:"decimal,omitempty"`
	DateOrder *DateOrder `json:"dateOrder,omitempty"`
	// Types are by column of the text; null and missing ones are detected.
	Types []*board.ColumnType `json:"types,omitempty"`
	// Keep lists the columns to keep by index, all when nil.
	Keep []int `json:"keep,omitempty"`
}

// Settled is Options with every question answered.
type Settled struct {
	Format    Format             `json:"format"`
	Delimiter string             `json:"delimiter"`
	Header    bool               `json:"header"`
	Decimal   string             `json:"decimal"`
	DateOrder DateOrder          `json:"dateOrder"`
	Types     []board.ColumnType `json:"types"`
	Keep      []int              `json:"keep"`
}

// Table is a text that was read. Columns and Rows hold all columns of the text; Kept reduces them to those in Options.Keep.
type Table struct {
	Options Settled
	Columns []board.Column
	// Rows holds one JSON array a row, cells in the order of Columns.
	Rows []json.RawMessage
	// Total is the number of rows in the text; the last len(Rows) of them are here.
	Total int
	// Warnings are sentences about what was left out, changed or guessed.
	Warnings []string
	// Suggested is the kind of widget that suits the kept columns best.
	Suggested board.Kind

	grid *grid
}

// Preview is what the import dialog shows of a Table. Columns and Sample hold all columns, also those that Options.Keep
// leaves out, so that they can be chosen again.
type Preview struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Options   Settled           `json:"options"`
	Columns   []board.Column    `json:"columns"`
	Sample    []json.RawMessage `json:"sample"`
	TotalRows int               `json:"totalRows"`
	KeptRows  int               `json:"keptRows"`
	Warnings  []string          `json:"warnings"`
	Suggested board.Kind        `json:"suggested"`
}

// Preview describes t under the given id and file name.
func (t *Table) Preview(id, name string) Preview {
	return Preview{
		ID: id, Name: name, Options: t.Options, Columns: t.Columns, Sample: t.Rows[:min(len(t.Rows), maxSample)],
		TotalRows: t.Total, KeptRows: len(t.Rows), Warnings: t.Warnings, Suggested: t.Suggested,
	}
}

// Kept returns the columns and rows that Options.Keep leaves.
func (t *Table) Kept() ([]board.Column, []json.RawMessage) {
	if len(t.Options.Keep) == len(t.Columns) && slices.IsSorted(t.Options.Keep) {
		return t.Columns, t.Rows
	}
	columns := make([]board.Column, len(t.Options.Keep))
	for i, k := range t.Options.Keep {
		columns[i] = t.Columns[k]
	}
	return columns, t.grid.rows(t.Options.Keep)
}

// Read reads a text. Name is the file's name, which may help to tell the format, or empty. The error is a *fault.Error:
// TooLarge beyond a limit, Invalid with the field of Options that makes no sense or "file" for a text that cannot be
// read. Read takes well under a second for 10 MB and keeps nothing of data.
func Read(name string, data []byte, opt Options) (*Table, error) {
	if len(data) > MaxFile {
		return nil, fileTooLarge()
	}
	if f := opt.check(); f != nil {
		return nil, f
	}
	text, encoding, f := decode(data)
	if f != nil {
		return nil, f
	}
	if strings.TrimSpace(text) == "" {
		return nil, fileFault("The file is empty.")
	}
	var notes notes
	if encoding == windows1252 {
		notes.add("The file is not in UTF-8; it was read as Windows-1252. Check letters with accents.")
	}
	var g *grid
	if format := formatOf(name, text, opt.Format); format == JSON {
		g, f = readJSON(text, opt)
	} else {
		g, f = readCSV(text, opt, &notes)
	}
	if f != nil {
		return nil, f
	}
	return g.table(opt, &notes)
}

func fileTooLarge() *fault.Error {
	f := fault.Newf(fault.TooLarge, "The file is too large: the limit is %d MiB.", MaxFile>>20)
	f.Field = "file"
	return f.WithHint("Split it, or keep only the columns and rows that the dashboard needs.")
}

func fileFault(format string, args ...any) *fault.Error {
	return fault.Field("file", fmt.Sprintf(format, args...))
}

// formatOf decides between CSV and JSON: by the option, the file's ending, or the first character.
func formatOf(name, text string, want *Format) Format {
	if want != nil {
		return *want
	}
	name = strings.ToLower(name)
	for _, end := range []string{".json", ".ndjson", ".jsonl"} {
		if strings.HasSuffix(name, end) {
			return JSON
		}
	}
	for _, end := range []string{".csv", ".tsv", ".tab"} {
		if strings.HasSuffix(name, end) {
			return CSV
		}
	}
	if t := strings.TrimLeft(text, " \t\r\n"); t[0] == '{' || t[0] == '[' {
		return JSON
	}
	return CSV
}

func (o Options) check() *fault.Error {
	if o.Format != nil && *o.Format != CSV && *o.Format != JSON {
		return fault.Field("format", "The format is csv or json.")
	}
	if o.Delimiter != nil && !validDelimiter(*o.Delimiter) {
		return fault.Field("delimiter", "The delimiter must be one character that is no letter, digit, quote or line break.")
	}
	if o.Decimal != nil && *o.Decimal != "." && *o.Decimal != "," {
		return fault.Field("decimal", "The decimal sign is a point or a comma.")
	}
	if o.DateOrder != nil && *o.DateOrder != DayFirst && *o.DateOrder != MonthFirst && *o.DateOrder != YearFirst {
		return fault.Field("dateOrder", "The order of dates is dmy, mdy or ymd.")
	}
	if len(o.Types) > board.MaxColumns {
		return fault.Field("types", "There are more types than columns.")
	}
	for _, t := range o.Types {
		if t != nil && *t != "" && *t != board.TypeNumber && *t != board.TypeTime && *t != board.TypeText {
			return fault.Field("types", "A column's type is number, time or text.")
		}
	}
	return nil
}

func validDelimiter(s string) bool {
	if len(s) != 1 {
		return false
	}
	c := s[0]
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	return c == '\t' || c >= ' ' && c < 0x7f && !letter && c != '"'
}

// notes collects warnings, a bounded number of them.
type notes struct {
	list []string
	more int
}

func (n *notes) add(format string, args ...any) {
	if len(n.list) == maxWarnings {
		n.more++
		return
	}
	n.list = append(n.list, fmt.Sprintf(format, args...))
}

func (n *notes) sentences() []string {
	if n.more > 0 {
		return append(n.list, fmt.Sprintf("There are %d more remarks like these.", n.more))
	}
	return append([]string{}, n.list...)
}
