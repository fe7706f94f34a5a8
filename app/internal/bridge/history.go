package bridge

import (
	"net/http"

	"widgets.pro/app/internal/workspace"
)

// history answers with a page of a dashboard's history, or of one widget's.
func history(_ http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	return ws.History(r.Context(), id, r.URL.Query().Get("before"), r.URL.Query().Get("widget"))
}

// then answers with a dashboard as it was at a position of its history.
func then(_ http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	return ws.Then(r.Context(), id, r.PathValue("position"))
}

// restoreTo makes a dashboard, or a part of it, as it was then.
func restoreTo(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Widget string `json:"widget"`
		Field  string `json:"field"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	return ws.RestoreTo(r.Context(), id, r.PathValue("position"), in.Widget, in.Field)
}
