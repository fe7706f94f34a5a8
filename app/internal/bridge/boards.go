package bridge

import (
	"net/http"
	"strconv"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

func boardID(r *http.Request) (board.ID, error) {
	id, err := board.ParseID(r.PathValue("id"))
	if err != nil {
		return "", fault.New(fault.NotFound, "There is no such dashboard.").WithCause(err)
	}
	return id, nil
}

func onBoard(fn func(*workspace.Workspace, board.ID) (any, error)) call {
	return func(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
		id, err := boardID(r)
		if err != nil {
			return nil, err
		}
		if _, err := body(w, r, maxSmall); err != nil {
			return nil, err
		}
		return fn(ws, id)
	}
}

func made(id board.ID, err error) (any, error) { return newID{id}, err }

func state(_ http.ResponseWriter, _ *http.Request, ws *workspace.Workspace) (any, error) {
	return ws.State(), nil
}

func settings(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	var s workspace.Settings
	if err := decode(w, r, maxSmall, &s); err != nil {
		return nil, err
	}
	return done{}, ws.Settings(s)
}

func getBoard(_ http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	if !r.URL.Query().Has("have") {
		return ws.Board(id)
	}
	have, err := strconv.ParseInt(r.URL.Query().Get("have"), 10, 64)
	if err != nil {
		return nil, fault.Field("have", "The version must be a number.")
	}
	patch, view, err := ws.BoardSince(id, have)
	if patch != nil {
		return patch, err
	}
	return view, err
}

func create(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	var in struct {
		Title        string `json:"title"`
		Organisation string `json:"organisation"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	return made(ws.CreateIn(in.Title, in.Organisation))
}

func importBoard(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	text, err := body(w, r, maxBoard)
	if err != nil {
		return nil, err
	}
	return made(ws.ImportBoard(text))
}

func edit(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Edits []workspace.Edit `json:"edits"`
		Label string           `json:"label"`
	}
	if err := decode(w, r, maxEdits, &in); err != nil {
		return nil, err
	}
	return ws.Edit(id, in.Edits, in.Label)
}

func share(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in workspace.ShareChange
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	return done{}, ws.Share(id, in)
}

func invite(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Addresses string       `json:"addresses"`
		Role      sharing.Role `json:"role"`
		Message   string       `json:"message"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	return ws.Invite(id, in.Addresses, in.Role, in.Message)
}

func tray(_ http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	return ws.Tray(id)
}

func (b *Bridge) exportTray(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	return b.file(w, r, ws.ExportTray)
}

func (b *Bridge) export(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	return b.file(w, r, ws.Export)
}

// file answers with a dashboard as the text of a JSON file.
func (b *Bridge) file(w http.ResponseWriter, r *http.Request, text func(board.ID) ([]byte, error)) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	out, err := text(id)
	if err != nil {
		return nil, err
	}
	b.send(w, r, http.StatusOK, "application/json; charset=utf-8", out)
	return nil, nil //nolint:nilnil // the answer is on its way
}

func (b *Bridge) rowsCSV(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	widget, err := widgetID(r.PathValue("w"))
	if err != nil {
		return nil, err
	}
	text, err := ws.RowsCSV(id, widget)
	if err != nil {
		return nil, err
	}
	b.send(w, r, http.StatusOK, "text/csv; charset=utf-8", text)
	return nil, nil //nolint:nilnil // the answer is on its way
}

func widgetID(s string) (board.WidgetID, error) {
	id, err := board.ParseWidgetID(s)
	if err != nil {
		return "", fault.New(fault.NotFound, "There is no such widget.").WithCause(err)
	}
	return id, nil
}
