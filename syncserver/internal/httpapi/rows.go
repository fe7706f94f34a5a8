package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// Limits of one page of rows.
const (
	pageRows     = 1_000 // if nothing is asked for
	maxPageRows  = 10_000
	maxPageBytes = 1 << 20
)

// page is a part of a widget's rows. Next is the offset of the following part, if there is one.
type page struct {
	Columns []board.Column    `json:"columns"`
	Rows    []json.RawMessage `json:"rows"`
	Offset  int               `json:"offset"`
	Total   int               `json:"total"`
	Next    *int              `json:"next,omitempty"`
}

// pushed is what came of a push: how many rows were in it, and how many the widget has now.
type pushed struct {
	Added int `json:"added"`
	Rows  int `json:"rows"`
}

// rows reads a page of a widget's rows.
func (p *Programs) rows(c *call) (any, error) {
	offset, f := c.number("offset", 0, -replica.MaxRows, replica.MaxRows)
	if f != nil {
		return nil, f
	}
	limit, f := c.number("limit", pageRows, 1, maxPageRows)
	if f != nil {
		return nil, f
	}
	var out page
	err := p.cfg.Store.View(c.ctx(), func(tx store.Tx) error {
		w, err := openWidget(tx, c, access.View)
		if err != nil {
			return err
		}
		rows, err := w.hub.Rows(string(w.id))
		if err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		out = cut(rows, offset, limit)
		out.Columns = w.columns
		return nil
	})
	return out, err //nolint:wrapcheck // says what it was doing
}

// cut takes a page out of the rows, with at least one row if there is any. A negative offset counts from the end.
func cut(rows *replica.Rows, offset, limit int) page {
	n := rows.Len()
	if offset < 0 {
		offset += n
	}
	out := page{Rows: []json.RawMessage{}, Offset: min(max(offset, 0), n), Total: n}
	i, size := 0, 0
	for r := range rows.All() {
		if i++; i <= out.Offset {
			continue
		}
		size += len(r)
		if len(out.Rows) == limit || len(out.Rows) > 0 && size > maxPageBytes {
			next := i - 1
			out.Next = &next
			break
		}
		out.Rows = append(out.Rows, r)
	}
	return out
}

// number is a whole number in the query.
func (c *call) number(name string, otherwise, least, most int) (int, *fault.Error) {
	s := c.r.URL.Query().Get(name)
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, fault.Field(name, fmt.Sprintf("This must be a whole number from %d to %d.", least, most))
	}
	return n, nil
}

// target is a widget that is there, on a dashboard that may be opened. Header is its columns as they are stored.
type target struct {
	hub     *replica.Hub
	id      board.WidgetID
	header  json.RawMessage
	columns []board.Column
	rows    int
}

// openWidget opens the widget that the path names.
func openWidget(tx store.Tx, c *call, a access.Action) (w target, err error) {
	g, err := access.Open(tx, c.principal(), c.id(), a)
	if err == nil && a == access.Edit {
		g, err = openAlive(tx, c)
	}
	if err != nil {
		return w, err //nolint:wrapcheck // access's fault is the answer
	}
	if w.hub, err = content.Open(tx, g); err != nil {
		return w, err //nolint:wrapcheck // says what it was doing
	}
	missing := fault.New(fault.NotFound, "There is no such widget on this dashboard.")
	missing.Field = "widget"
	if w.id, err = board.ParseWidgetID(c.r.PathValue("widget")); err != nil {
		return w, missing
	}
	alive, _, err := w.hub.Register(string(w.id), board.FieldAlive)
	if err != nil {
		return w, fmt.Errorf("read widget: %w", err)
	}
	if string(alive) != "true" {
		return w, missing
	}
	if w.header, w.rows, err = w.hub.Header(string(w.id)); err != nil {
		return w, fmt.Errorf("read rows: %w", err)
	}
	if w.columns = []board.Column{}; w.header != nil {
		if cols, f := board.ParseColumns(w.header); f == nil {
			w.columns = cols
		}
	}
	return w, nil
}

// appendRows adds rows to those of a widget. With keep, the newest that many rows stay.
func (p *Programs) appendRows(c *call) (any, error) {
	var in struct {
		Rows []json.RawMessage `json:"rows"`
		Keep *int              `json:"keep"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	keep := replica.MaxRows
	if in.Keep != nil {
		if keep = *in.Keep; keep < 1 || keep > replica.MaxRows {
			return nil, fault.Field("keep", fmt.Sprintf("This must be a whole number from 1 to %d.", replica.MaxRows))
		}
	}
	return p.push(c, raw, len(in.Rows), func(w target) ([]replica.Edit, error) {
		return plan(w, screen.Edit{Do: screen.DoAppend, Widget: w.id, Rows: in.Rows[max(0, len(in.Rows)-keep):]})
	}, keep)
}

// replaceRows puts columns and rows in the place of those that a widget has.
func (p *Programs) replaceRows(c *call) (any, error) {
	var in struct {
		Columns []board.Column    `json:"columns"`
		Rows    []json.RawMessage `json:"rows"`
	}
	raw, err := c.body(&in)
	if err != nil {
		return nil, err
	}
	if in.Columns == nil {
		return nil, fault.Field("columns", "The columns must be a list of names and types.")
	}
	return p.push(c, raw, len(in.Rows), func(w target) ([]replica.Edit, error) {
		return plan(w, screen.Edit{Do: screen.DoRows, Widget: w.id, Columns: in.Columns, Rows: in.Rows})
	}, replica.MaxRows)
}

func plan(w target, e screen.Edit) ([]replica.Edit, error) {
	columns := w.columns
	if e.Do == screen.DoRows {
		columns = e.Columns
	}
	var err error
	if e.Rows, err = settled(e.Rows, columns); err != nil {
		return nil, err
	}
	v := board.View{Widgets: []board.Widget{{ID: w.id, Columns: w.columns}}}
	planned, err := screen.Plan(v, []screen.Edit{e}, func() (board.WidgetID, error) { return "", errors.New("no widget is made") })
	return planned.Edits, err //nolint:wrapcheck // a fault with its field
}

// errMoved says that a widget has other columns than its rows were checked against.
var errMoved = errors.New("the widget has other columns")

// maxTries is how often rows are checked anew because the columns changed meanwhile.
const maxTries = 3

// push writes rows. They are checked before the transaction, since nobody else can write while it runs, and once more if the
// widget's columns have changed meanwhile.
func (p *Programs) push(c *call, raw []byte, added int, plan func(target) ([]replica.Edit, error), keep int) (any, error) {
	key, err := c.once(raw)
	if err != nil {
		return nil, err
	}
	for range maxTries {
		var w target
		var edits []replica.Edit
		var again bool
		if err = p.cfg.Store.View(c.ctx(), func(tx store.Tx) error {
			if w, err = openWidget(tx, c, access.Edit); err != nil {
				return err
			}
			_, again, err = key.again(tx)
			return err
		}); err != nil {
			return nil, err //nolint:wrapcheck // says what it was doing
		}
		if again {
			return pushed{Added: added, Rows: w.rows}, nil
		}
		if edits, err = plan(w); err != nil {
			return nil, err
		}
		out := pushed{Added: added}
		err = p.cfg.Store.Update(c.ctx(), func(tx store.Tx) error {
			out.Rows, err = p.write(tx, c, key, w, edits, keep)
			return err
		})
		if !errors.Is(err, errMoved) {
			return out, err //nolint:wrapcheck // says what it was doing
		}
	}
	return nil, fault.New(fault.Conflict, "The columns of this widget keep changing.").WithHint("Try again.").WithCause(err)
}

// write writes edits that were planned for was, and returns how many rows the widget has then.
func (p *Programs) write(tx store.Tx, c *call, key once, was target, edits []replica.Edit, keep int) (rows int, err error) {
	w, err := openWidget(tx, c, access.Edit)
	if err != nil {
		return 0, err
	}
	_, again, err := key.again(tx)
	if err != nil || again {
		return w.rows, err
	}
	if !bytes.Equal(w.header, was.header) {
		return 0, errMoved
	}
	if edits, err = trimmed(w, edits, keep); err != nil {
		return 0, err
	}
	if _, err := p.cfg.Author.Submit(tx, p.cfg.Events, c.principal(), c.id(), edits, c.now); err != nil {
		return 0, err //nolint:wrapcheck // says what it was doing
	}
	if err := key.remember(tx, store.Answer{Board: c.id()}); err != nil {
		return 0, err
	}
	_, rows, err = w.hub.Header(string(w.id))
	return rows, err //nolint:wrapcheck // says what it was doing
}

// trimmed makes the first of the edits drop as many of the widget's rows as are too many with those that are added.
func trimmed(w target, edits []replica.Edit, keep int) ([]replica.Edit, error) {
	adding := 0
	for _, e := range edits {
		adding += len(e.Rows.Rows)
	}
	drop := w.rows + adding - keep
	if drop <= 0 || edits[0].Rows.Replace || keep == replica.MaxRows {
		return edits, nil
	}
	last, err := w.hub.RowKey(string(w.id), drop-1)
	if err != nil {
		return nil, fmt.Errorf("find rows to drop: %w", err)
	}
	first := *edits[0].Rows
	first.DropTo = &replica.RowKey{Stamp: last.Stamp, Index: last.Index + 1}
	out := append([]replica.Edit{edits[0]}, edits[1:]...)
	out[0].Rows = &first
	return out, nil
}
