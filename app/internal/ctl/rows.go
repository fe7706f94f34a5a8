package ctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/source"
)

type rowsCommand struct {
	Push pushCommand `cmd:"" help:"Add rows from a CSV or JSON file to a widget."`
	Get  getCommand  `cmd:"" help:"Print a widget's rows, one JSON array a line."`
}

type pushCommand struct {
	Board     string `arg:"" help:"The dashboard."`
	Widget    string `arg:"" help:"The widget."`
	File      string `arg:"" optional:"" default:"-" help:"The file, - for the input."`
	Replace   bool   `help:"Put the file's columns and rows in the place of those that are there." xor:"what"`
	Keep      int    `help:"Keep the newest that many rows and drop the others." placeholder:"N" xor:"what"`
	Format    string `help:"csv or json; detected otherwise." enum:",csv,json" default:""`
	Delimiter string `help:"What stands between the cells of a CSV file; detected otherwise." placeholder:"CHAR"`
}

// maxPush is how many bytes of rows go into one request; the rest of the server's 1 MiB is room for its other parts.
const maxPush = 900 << 10

// Run pushes a file.
func (c pushCommand) Run(r *run) error {
	if c.Keep < 0 || c.Keep > source.MaxRows {
		return usage(fmt.Sprintf("--keep is a number from 1 to %d.", source.MaxRows))
	}
	data, err := r.input(c.File)
	if err != nil {
		return err
	}
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	w, err := r.widget(id, c.Widget)
	if err != nil {
		return err
	}
	opt := source.Options{}
	if c.Format != "" {
		f := source.Format(c.Format)
		opt.Format = &f
	}
	if c.Delimiter != "" {
		opt.Delimiter = &c.Delimiter
	}
	replace := c.Replace || len(w.Columns) == 0
	columns, rows, err := r.read(filepath.Base(c.File), data, opt, w, replace)
	if err != nil {
		return err
	}
	if len(rows) == 0 && !replace {
		return r.say(pushed{Rows: w.Rows}, "There are no rows in it, so nothing was changed.")
	}
	path := "/api/v1/boards/" + string(id) + "/widgets/" + string(w.ID) + "/rows"
	out := pushed{}
	for i, part := range parts(rows) {
		method, in := http.MethodPost, map[string]any{"rows": part}
		switch {
		case i == 0 && replace:
			method, in = http.MethodPut, map[string]any{"columns": columns, "rows": part}
		case c.Keep > 0:
			in["keep"] = c.Keep
		}
		var got pushed
		if err := r.ask(method, path, in, &got); err != nil {
			if out.Added > 0 {
				r.remark(fmt.Sprintf("%d of %d rows were taken before this:", out.Added, len(rows)))
			}
			return err
		}
		out.Added, out.Rows = out.Added+got.Added, got.Rows
	}
	return r.say(out, "%d rows pushed; the widget has %d now.", out.Added, out.Rows)
}

type pushed struct {
	Added int `json:"added"`
	Rows  int `json:"rows"`
}

// input reads a file, or the standard input.
func (r *run) input(name string) ([]byte, error) {
	in := r.env.In
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the user names it
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Newf(fault.NotFound, "There is no file %s.", name)
		}
		if err != nil {
			return nil, fault.Newf(fault.Invalid, "The file cannot be read: %w.", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, source.MaxFile+1))
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "The file cannot be read: %w.", err)
	}
	return data, nil
}

// read reads a text's columns and rows. Rows that are added come in the order and with the types of the widget's columns,
// which the text must have by name, or, without names, as many of.
func (r *run) read(name string, data []byte, opt source.Options, w widgetLine, replace bool) ([]board.Column, []json.RawMessage, error) {
	t, err := source.Read(name, data, opt)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // a fault about the file
	}
	if !replace {
		if opt.Keep, err = match(t, w.Columns); err != nil {
			return nil, nil, err
		}
		opt.Types = make([]*board.ColumnType, len(t.Columns))
		for i, k := range opt.Keep {
			opt.Types[k] = &w.Columns[i].Type
		}
		opt.Header = &t.Options.Header // as it was found, also with other types
		if t, err = source.Read(name, data, opt); err != nil {
			return nil, nil, err //nolint:wrapcheck // a fault about the file
		}
	}
	for _, s := range t.Warnings {
		r.remark(s)
	}
	columns, rows := t.Kept()
	return columns, rows, nil
}

// match finds the text's column for each of the widget's.
func match(t *source.Table, want []board.Column) ([]int, error) {
	out := make([]int, len(want))
	if t.Options.Format == source.CSV && !t.Options.Header {
		if len(t.Columns) != len(want) {
			return nil, fault.Newf(fault.Invalid, "The file has %d columns without names, and the widget has %d.", len(t.Columns), len(want)).
				WithHint("Give the columns names in the first line, or use --replace.")
		}
		for i := range out {
			out[i] = i
		}
		return out, nil
	}
	used := map[int]bool{}
	for i, col := range want {
		out[i] = -1
		for k, c := range t.Columns {
			if !used[k] && strings.EqualFold(strings.TrimSpace(c.Name), strings.TrimSpace(col.Name)) {
				out[i], used[k] = k, true
				break
			}
		}
		if out[i] < 0 {
			return nil, fault.Newf(fault.Invalid, "The file has no column “%s”, which the widget has.", col.Name).
				WithHint("Name its columns as the widget's, or use --replace.")
		}
	}
	for k, c := range t.Columns {
		if !used[k] {
			return nil, fault.Newf(fault.Invalid, "The file has a column “%s”, which the widget has not.", c.Name).
				WithHint("Leave it out, or use --replace.")
		}
	}
	return out, nil
}

// parts splits rows so that each piece fits into one request. There is at least one piece.
func parts(rows []json.RawMessage) [][]json.RawMessage {
	out := [][]json.RawMessage{}
	start, size := 0, 0
	for i, row := range rows {
		if size += len(row) + 1; size > maxPush && i > start {
			out = append(out, rows[start:i])
			start, size = i, len(row)+1
		}
	}
	return append(out, append([]json.RawMessage{}, rows[start:]...))
}

type getCommand struct {
	Board  string `arg:"" help:"The dashboard."`
	Widget string `arg:"" help:"The widget."`
	Last   int    `help:"Only the newest that many." placeholder:"N"`
}

// page is a part of a widget's rows.
type page struct {
	Columns []board.Column    `json:"columns"`
	Rows    []json.RawMessage `json:"rows"`
	Total   int               `json:"total"`
	Next    *int              `json:"next,omitempty"`
}

// Run prints rows.
func (c getCommand) Run(r *run) error {
	if c.Last < 0 || c.Last > source.MaxRows {
		return usage(fmt.Sprintf("--last is a number from 1 to %d.", source.MaxRows))
	}
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	w, err := r.widget(id, c.Widget)
	if err != nil {
		return err
	}
	all := page{Rows: []json.RawMessage{}}
	for offset := -c.Last; ; {
		var p page
		if err := r.ask(http.MethodGet, fmt.Sprintf("/api/v1/boards/%s/widgets/%s/rows?offset=%d&limit=10000", id, w.ID, offset), nil, &p); err != nil {
			return err
		}
		all.Columns, all.Total, all.Rows = p.Columns, p.Total, append(all.Rows, p.Rows...)
		if p.Next == nil {
			break
		}
		offset = *p.Next
	}
	if r.cli.JSON {
		return r.json(all)
	}
	for _, row := range all.Rows {
		if _, err := fmt.Fprintln(r.env.Out, plain(string(row))); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}
