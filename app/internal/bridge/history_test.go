package bridge_test

import (
	"net/http"
	"testing"

	"widgets.pro/app/internal/bridge"
	"widgets.pro/app/internal/workspace"
)

func TestQ3_AScreenTellsTheHistoryAndRestores(t *testing.T) {
	f := opened(t, bridge.Deps{})
	id := f.create("Shop")
	at := "/api/boards/" + string(id)
	rename := `{"label":"rename","edits":[{"do":"board","field":"title","value":"Store"}]}`
	var h workspace.History
	f.ask("GET", at+"/history?", nil, &h)
	first := h.Changes[0].Position
	f.ask("POST", at+"/edits", rename, nil)
	f.ask("GET", at+"/history", nil, &h)
	if c := h.Changes[0]; !c.Waiting || !c.Mine || len(c.Items) != 1 || string(c.Items[0].Value) != `"Store"` {
		t.Fatalf("%+v", h)
	}
	f.ask("GET", at+"/history?before="+h.Changes[0].Position, nil, &h)
	if len(h.Changes) != 1 || string(h.Changes[0].Items[0].Value) != `"Shop"` {
		t.Errorf("%+v", h)
	}
	var then workspace.Then
	f.ask("GET", at+"/history/"+first, nil, &then)
	if then.Title != "Shop" || then.Position != first || !then.Rows {
		t.Errorf("%+v", then)
	}
	var done workspace.Edited
	f.ask("POST", at+"/history/"+first+"/restore", `{"widget":"board","field":"title"}`, &done)
	if v := f.view(id); v.Title != "Shop" || v.Version != done.Version || v.Undo == nil || *v.Undo != "Restore an earlier version" {
		t.Errorf("%+v", v)
	}
	f.ask("POST", at+"/undo", nil, nil)
	if v := f.view(id); v.Title != "Store" {
		t.Errorf("%+v", v)
	}
}

func TestB1_BadPlacesInTheHistory(t *testing.T) {
	f := opened(t, bridge.Deps{})
	at := "/api/boards/" + string(f.create("Shop")) + "/history"
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"GET", "?before=x", "", 400, "before"},
		{"GET", "?widget=x", "", 400, "widget"},
		{"GET", "/x", "", 400, "position"},
		{"GET", "/3", "", 404, "position"},
		{"POST", "/device-9/restore", "{}", 404, "position"},
		{"POST", "/device-1/restore", `{"widget":"x"}`, 400, "widget"},
		{"POST", "/device-1/restore", `{"widget":"board","field":"x"}`, 400, "field"},
		{"POST", "/device-1/restore", `{"wiget":"board"}`, 400, "body"},
		{"POST", "/device-1/restore", "", 400, "body"},
		{"POST", "/device-1/restore", "{}", 409, ""},
	} {
		w := f.do(c.method, at+c.path, c.body)
		if got := faultIn(t, w); w.Code != c.status || got.Field != c.field {
			t.Errorf("%s %s: %d %+v", c.path, c.body, w.Code, got)
		}
	}
	unknown := "/api/boards/dsh_01J9ZQ0V9K3N8Y2T6W4X5B7C1D/history"
	for _, path := range []string{unknown, unknown + "/1", "/api/boards/x/history"} {
		if w := f.do("GET", path, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if f.log.Len() > 0 {
		t.Errorf("a screen's mistakes are logged: %s", f.log)
	}
}
