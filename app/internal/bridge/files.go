package bridge

import (
	"net/http"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/source"
)

const maxQuery = 16 << 10 // bytes of the options in a query

// readFile takes a file's bytes and describes what is in it.
func (b *Bridge) readFile(w http.ResponseWriter, r *http.Request, _ *workspace.Workspace) (any, error) {
	q := r.URL.Query()
	name, options := q.Get("name"), q.Get("options")
	if len(name) > 1<<10 {
		return nil, fault.Field("name", "The file's name is too long.")
	}
	var opt source.Options
	if options != "" {
		if len(options) > maxQuery {
			return nil, screen.TooLarge(maxQuery)
		}
		if err := screen.Read([]byte(options), &opt); err != nil {
			return nil, err
		}
	}
	data, err := body(w, r, source.MaxFile)
	if err != nil {
		return nil, err
	}
	return b.imports.Put(r.Context(), name, data, opt)
}

// reread describes a file anew, under other options.
func (b *Bridge) reread(w http.ResponseWriter, r *http.Request, _ *workspace.Workspace) (any, error) {
	var in struct {
		Options source.Options `json:"options"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	return b.imports.Again(r.Context(), r.PathValue("import"), in.Options)
}

// apply puts a file's rows into a widget, a new one if none is named.
func (b *Bridge) apply(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	var in struct {
		Board  string `json:"board"`
		Widget string `json:"widget"`
		Kind   string `json:"kind"`
		Title  string `json:"title"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	id, err := board.ParseID(in.Board)
	if err != nil {
		return nil, fault.New(fault.NotFound, "There is no such dashboard.").WithCause(err)
	}
	table, err := b.imports.Take(r.Context(), r.PathValue("import"))
	if err != nil {
		return nil, err
	}
	columns, rows := table.Kept()
	var widget board.WidgetID
	if in.Widget != "" {
		if widget, err = widgetID(in.Widget); err != nil {
			return nil, err
		}
		if _, err := ws.PutRows(id, widget, columns, rows); err != nil {
			return nil, err
		}
	} else {
		add := workspace.Edit{Do: workspace.DoAdd, Kind: board.Kind(in.Kind), Title: in.Title, Columns: columns, Rows: rows}
		made, err := ws.Edit(id, []workspace.Edit{add}, "import")
		if err != nil {
			return nil, err
		}
		widget = made.Added[0]
	}
	b.imports.Drop(r.PathValue("import"))
	return struct {
		Widget board.WidgetID `json:"widget"`
	}{widget}, nil
}
