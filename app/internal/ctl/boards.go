package ctl

import (
	"net/http"
	"strconv"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// organisation is whose dashboards are.
type organisation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// boardLine is a dashboard without what is on it.
type boardLine struct {
	ID           board.ID     `json:"id"`
	Title        string       `json:"title"`
	Role         string       `json:"role"`
	Mine         bool         `json:"mine"`
	Owner        string       `json:"owner"`
	Organisation organisation `json:"organisation"`
	Trashed      bool         `json:"trashed"`
	CanShare     bool         `json:"canShare"`
	Mode         string       `json:"mode,omitempty"`
	URL          string       `json:"url,omitempty"`
}

// widgetLine is a widget without its rows.
type widgetLine struct {
	ID      board.WidgetID `json:"id"`
	Kind    string         `json:"kind"`
	Title   string         `json:"title"`
	Columns []board.Column `json:"columns"`
	Rows    int            `json:"rows"`
}

type boardsCommand struct{}

// Run lists the dashboards.
func (boardsCommand) Run(r *run) error {
	all, err := r.boards()
	if err != nil {
		return err
	}
	if r.cli.JSON {
		return r.json(all)
	}
	lines := [][]string{{"ID", "TITLE", "ROLE", "LINK", "OWNER"}}
	for _, b := range all {
		mode := b.Mode
		if b.Trashed {
			mode = "in the trash"
		} else if mode == "" {
			mode = "-"
		}
		lines = append(lines, []string{string(b.ID), b.Title, b.Role, mode, b.Owner})
	}
	return r.table(lines)
}

func (r *run) boards() ([]boardLine, error) {
	var list struct{ Boards []boardLine }
	err := r.ask(http.MethodGet, "/api/v1/boards", nil, &list)
	return list.Boards, err
}

// board is the dashboard with an id, or the one with a title.
func (r *run) board(name string) (board.ID, error) {
	if id, err := board.ParseID(name); err == nil {
		return id, nil
	}
	all, err := r.boards()
	if err != nil {
		return "", err
	}
	var found []boardLine
	for _, b := range all {
		if !b.Trashed && strings.EqualFold(strings.TrimSpace(b.Title), strings.TrimSpace(name)) {
			found = append(found, b)
		}
	}
	switch len(found) {
	case 0:
		return "", fault.Newf(fault.NotFound, "There is no dashboard “%s” that you may open.", name).WithHint("List them: widgetsctl boards.")
	case 1:
		return found[0].ID, nil
	}
	return "", fault.Newf(fault.Conflict, "There are %d dashboards “%s”.", len(found), name).WithHint("Name it by its id: widgetsctl boards.")
}

func (r *run) widgets(id board.ID) ([]widgetLine, error) {
	var one struct{ Widgets []widgetLine }
	err := r.ask(http.MethodGet, "/api/v1/boards/"+string(id), nil, &one)
	return one.Widgets, err
}

// widget is the widget of a dashboard with an id, or the one with a title.
func (r *run) widget(id board.ID, name string) (w widgetLine, err error) {
	all, err := r.widgets(id)
	if err != nil {
		return w, err
	}
	n := 0
	for _, x := range all {
		if string(x.ID) == name {
			return x, nil
		}
		if strings.EqualFold(strings.TrimSpace(x.Title), strings.TrimSpace(name)) {
			w = x
			n++
		}
	}
	switch n {
	case 0:
		return w, fault.Newf(fault.NotFound, "There is no widget “%s” on this dashboard.", name).WithHint("List them: widgetsctl widgets " + string(id) + ".")
	case 1:
		return w, nil
	}
	return w, fault.Newf(fault.Conflict, "There are %d widgets “%s” on this dashboard.", n, name).WithHint("Name it by its id: widgetsctl widgets " + string(id) + ".")
}

type widgetsCommand struct {
	Board string `arg:"" help:"The dashboard."`
}

// Run lists a dashboard's widgets.
func (c widgetsCommand) Run(r *run) error {
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	all, err := r.widgets(id)
	if err != nil {
		return err
	}
	if r.cli.JSON {
		return r.json(all)
	}
	lines := [][]string{{"ID", "TITLE", "KIND", "ROWS", "COLUMNS"}}
	for _, w := range all {
		columns := make([]string, len(w.Columns))
		for i, col := range w.Columns {
			columns[i] = col.Name + " (" + string(col.Type) + ")"
		}
		lines = append(lines, []string{string(w.ID), w.Title, w.Kind, strconv.Itoa(w.Rows), strings.Join(columns, ", ")})
	}
	return r.table(lines)
}

type createCommand struct {
	Title        string `arg:"" help:"The title."`
	Organisation string `help:"Id of the organisation that it is to belong to; your own otherwise." placeholder:"ID"`
}

// Run makes a dashboard.
func (c createCommand) Run(r *run) error {
	var made boardLine
	in := map[string]string{"title": c.Title}
	if c.Organisation != "" {
		in["organisation"] = c.Organisation
	}
	if err := r.ask(http.MethodPost, "/api/v1/boards", in, &made); err != nil {
		return err
	}
	return r.say(made, "%s", made.ID)
}
