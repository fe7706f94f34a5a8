package webapp

import (
	"net/http"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/source"
	"widgets.pro/syncserver/internal/account"
)

// readFile takes a file's bytes and describes what is in it. The file stays in memory, within bounds and for as long as the
// browser is there, until it is put into a widget.
func (s *Service) readFile(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	q := r.URL.Query()
	name, options := q.Get("name"), q.Get("options")
	if len(name) > maxName {
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
	d, err := s.desk(me)
	if err != nil {
		return nil, err
	}
	if len(data) > 0 && !s.shelfRoom(d, len(data)) {
		return nil, fault.New(fault.Busy, "Too many files are being imported on this server at the moment.").WithHint("Try again in a moment.")
	}
	return d.shelf.Put(r.Context(), name, data, opt) //nolint:wrapcheck // a fault of the file
}

// shelfRoom reports whether the shelves of all browsers have room for a file on top of what they hold.
func (s *Service) shelfRoom(mine *desk, size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := size
	for _, d := range s.desks {
		if d != mine { // what is on one's own shelf makes room by itself
			all += d.shelf.Bytes()
		}
	}
	return all <= maxShelves
}

// reread describes a file anew, under other options.
func (s *Service) reread(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	var in struct {
		Options source.Options `json:"options"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	d, err := s.desk(me)
	if err != nil {
		return nil, err
	}
	return d.shelf.Again(r.Context(), r.PathValue("import"), in.Options) //nolint:wrapcheck // a fault of the file
}

// apply puts a file's rows into a widget, a new one if none is named.
func (s *Service) apply(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
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
		return nil, fault.New(fault.NotFound, "There is no such dashboard, or you have no access to it.").WithCause(err)
	}
	d, err := s.desk(me)
	if err != nil {
		return nil, err
	}
	table, err := d.shelf.Take(r.Context(), r.PathValue("import"))
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of the file
	}
	columns, rows := table.Kept()
	edit := screen.Edit{Do: screen.DoAdd, Kind: board.Kind(in.Kind), Title: in.Title, Columns: columns, Rows: rows}
	var widget board.WidgetID
	if in.Widget != "" {
		if widget, err = widgetID(in.Widget); err != nil {
			return nil, err
		}
		edit = screen.Edit{Do: screen.DoRows, Widget: widget, Columns: columns, Rows: rows}
	}
	made, err := s.edit(r, me, id, []screen.Edit{edit}, "Import data")
	if err != nil {
		return nil, err
	}
	if widget == "" {
		widget = made.Added[0]
	}
	d.shelf.Drop(r.PathValue("import"))
	return struct {
		Widget board.WidgetID `json:"widget"`
	}{widget}, nil
}
