package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

func (b *bench) history(who, query string) (h screen.History) {
	b.t.Helper()
	b.as(who, http.MethodGet, b.path("/history"+query), "").read(b.t, &h)
	return h
}

func (b *bench) then(position string) (then screen.Then) {
	b.t.Helper()
	b.as("owner", http.MethodGet, b.path("/history/"+position), "").read(b.t, &then)
	return then
}

func (b *bench) title() string {
	b.t.Helper()
	var h struct{ Title string }
	b.as("owner", http.MethodGet, b.path(""), "").read(b.t, &h)
	return h.Title
}

// Of two people's changes of one field the later one stays; the other is in the history under its author's name, and can be
// restored, also after a restart.
func TestQ3_TheLoserIsInTheHistory(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	if err := b.ann.Edit(t.Context(), b.id, owner.Set(board.BoardEntity, board.FieldTitle, "The later")); err != nil {
		t.Fatal(err)
	}
	late, err := owner.LogIn(t.Context(), b.srv.URL(), b.people["editor"].Email, servertest.Password, func() time.Time { return time.Now().Add(-time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(late.Close)
	if err := late.Edit(t.Context(), b.id, owner.Set(board.BoardEntity, board.FieldTitle, "The earlier")); err != nil {
		t.Fatal(err)
	}
	look := func() screen.HistoryChange {
		t.Helper()
		h := b.history("owner", "")
		lost := h.Changes[0]
		if len(h.Changes) != 2 || h.Next != "" || h.Missing != "" || !lost.Lost || lost.By != "editor" || lost.Mine || lost.Waiting ||
			len(lost.Items) != 1 || string(lost.Items[0].Value) != `"The earlier"` || lost.At < time.Now().Add(-time.Minute).UnixMilli() {
			t.Fatalf("%+v", h)
		}
		if c := h.Changes[1]; c.By != "ann" || !c.Mine || c.Lost || c.Items[0].Field != board.FieldTitle || string(c.Items[0].Value) != `"The later"` {
			t.Fatalf("%+v", c)
		}
		return lost
	}
	position := look().Position
	if b.title() != "The later" || b.then(position).Title != "The earlier" {
		t.Fatalf("%q, then %+v", b.title(), b.then(position))
	}
	if h := b.history("editor", ""); !h.Changes[0].Mine || h.Changes[1].Mine {
		t.Errorf("%+v", h)
	}
	b.srv.Restart()
	if got := look().Position; got != position {
		t.Errorf("after a restart it is at %s, not %s", got, position)
	}
	if a := b.as("owner", http.MethodPost, b.path("/history/"+position+"/restore"), `{"widget":"board","field":"title"}`); a.status != http.StatusOK || b.title() != "The earlier" {
		t.Errorf("%d %s, %q", a.status, a.body, b.title())
	}
}

// Rows, one widget and the whole dashboard are restored, once for each key; what was restored is in the history in turn.
func TestQ3_Q2_RestoreByTheAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	first := b.history("owner", "").Changes[0]
	if what := first.Items[len(first.Items)-1]; what.What != screen.ItemAdded && what.What != screen.ItemSet {
		t.Fatalf("%+v", first)
	}
	b.as("editor", http.MethodPut, b.rowsPath(), `{"columns":[{"name":"n","type":"number"}],"rows":[[1]]}`)
	if err := b.ann.Edit(t.Context(), b.id, owner.Set(string(b.widget), board.FieldTitle, "Renamed"), owner.Set(board.BoardEntity, board.FieldTitle, "Other")); err != nil {
		t.Fatal(err)
	}
	of := b.history("owner", "?widget="+string(b.widget))
	if len(of.Changes) != 3 || of.Changes[1].By != "editor" || of.Changes[1].Items[0].What != screen.ItemReplaced || of.Changes[1].Items[0].Rows != 1 || of.Changes[1].Items[0].Title != "Renamed" {
		t.Fatalf("%+v", of)
	}
	at := b.path("/history/" + first.Position + "/restore")
	if then := b.then(first.Position); !then.Rows || len(then.Widgets) != 1 || len(then.Widgets[0].Rows) != 2 || then.Widgets[0].Title != "By day" {
		t.Fatalf("%+v", then)
	}
	if a := b.as("editor", http.MethodPost, at, `{"widget":"`+string(b.widget)+`","field":"rows"}`); a.status != http.StatusOK || b.rows() != `["Mon",1] ["Tue",2]` {
		t.Errorf("%d %s: %s", a.status, a.body, b.rows())
	}
	var w struct {
		Title   string
		Widgets []struct{ Title string }
	}
	for range 2 {
		a := b.as("editor", http.MethodPost, at, `{}`, "Idempotency-Key", "once")
		if a.read(t, &w); a.status != http.StatusOK || w.Title != "Sales" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := b.as("editor", http.MethodPost, at, `{}`); a.status != http.StatusConflict {
		t.Errorf("%d %s", a.status, a.body)
	}
	b.as("owner", http.MethodGet, b.path(""), "").read(t, &w)
	if w.Widgets[0].Title != "By day" {
		t.Errorf("%+v", w)
	}
	if c := b.history("owner", "").Changes[0]; c.By != "editor" {
		t.Errorf("%+v", c)
	}
	if a := b.as("owner", http.MethodPost, b.path("/trash"), ""); a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	if a := b.as("owner", http.MethodPost, at, `{}`); a.status != http.StatusConflict || a.fault.Hint == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if c := b.history("owner", "").Changes[0]; c.Items[0].What != screen.ItemTrashed {
		t.Errorf("%+v", c)
	}
}

// A widget that was removed months ago and has gone for good comes back as a new one with what was on it.
func TestQ3_SI21_WhatIsGoneForGoodIsRestored(t *testing.T) {
	t.Parallel()
	var days atomic.Int64
	b := newBench(t, servertest.Options{Now: func() time.Time { return time.Now().AddDate(0, 0, int(days.Load())) }})
	first := b.history("owner", "").Changes[0].Position
	edits := []replica.Edit{owner.Set(string(b.widget), board.FieldAlive, false)}
	if err := b.ann.Edit(t.Context(), b.id, edits...); err != nil {
		t.Fatal(err)
	}
	days.Store(91)
	for i := range 1_000 { // among which the server looks for what is to be buried
		edits = append(edits[:i], owner.Set(board.BoardEntity, board.FieldDescription, fmt.Sprint(i)))
	}
	if err := b.ann.Edit(t.Context(), b.id, edits...); err != nil {
		t.Fatal(err)
	}
	h := b.history("owner", "?widget="+string(b.widget))
	if c := h.Changes[0]; c.Items[0].What != screen.ItemBuried || c.Items[0].Title != "By day" || c.By != "" || c.Mine {
		t.Fatalf("%+v", h)
	}
	if then := b.then(first); len(then.Widgets) != 1 || len(then.Widgets[0].Rows) != 2 {
		t.Fatalf("%+v", then)
	}
	if a := b.as("editor", http.MethodPost, b.path("/history/"+first+"/restore"), `{"widget":"`+string(b.widget)+`"}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var w struct{ Widgets []struct{ ID, Title string } }
	b.as("owner", http.MethodGet, b.path(""), "").read(t, &w)
	if len(w.Widgets) != 1 || w.Widgets[0].Title != "By day" || w.Widgets[0].ID == string(b.widget) {
		t.Fatalf("%+v", w)
	}
	b.widget = board.WidgetID(w.Widgets[0].ID)
	if b.rows() != `["Mon",1] ["Tue",2]` {
		t.Error(b.rows())
	}
}

// What was is compressed for those who take it, and says the same.
func TestTheHistoryIsCompressedOnRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	for _, path := range []string{"/history", "/history/7", "/history/999"} {
		plain := b.as("owner", http.MethodGet, b.path(path), "", "Accept-Encoding", "gzip;q=0, br")
		small := b.as("owner", http.MethodGet, b.path(path), "", "Accept-Encoding", "br, gzip")
		z, err := gzip.NewReader(bytes.NewReader(small.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(bytes.TrimSpace(text), plain.body) || small.status != plain.status || small.header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v, %d %s, plain %d %s", path, err, small.status, text, plain.status, plain.body)
		}
		if plain.header.Get("Content-Encoding") != "" || plain.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%v", plain.header)
		}
	}
}

// The history is for whoever may edit: it holds what was taken away. Others are refused as they are anywhere.
func TestA5_A6_TheHistoryIsForEditors(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	if err := b.ann.Edit(t.Context(), b.id, owner.Set(board.BoardEntity, board.FieldDescription, "canary"), owner.Set(board.BoardEntity, board.FieldDescription, "")); err != nil {
		t.Fatal(err)
	}
	last, err := strconv.Atoi(b.history("owner", "").Changes[0].Position)
	if err != nil {
		t.Fatal(err)
	}
	requests := []struct{ method, path, body string }{
		{http.MethodGet, "/history", ""}, {http.MethodGet, "/history/1", ""}, {http.MethodPost, "/history/1/restore", `{}`},
	}
	refused := func(who string, status int) {
		t.Helper()
		for _, r := range requests {
			a, edit := b.as(who, r.method, b.path(r.path), r.body), b.as(who, http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`)
			if a.status != status || string(a.body) != string(edit.body) {
				t.Errorf("%s by the %s: %d %s, an edit is answered %s", r.path, who, a.status, a.body, edit.body)
			}
		}
	}
	refused("viewer", http.StatusForbidden)
	refused("stranger", http.StatusNotFound)
	refused("nobody", http.StatusUnauthorized)
	if !strings.Contains(string(b.as("editor", http.MethodGet, b.path("/history/"+strconv.Itoa(last-1)), "").body), "canary") {
		t.Fatal("the canary is not there")
	}
	b.srv.SetRole(b.id, b.people["editor"], sharing.RoleViewer)
	refused("editor", http.StatusForbidden)
	b.srv.SetRole(b.id, b.people["editor"], sharing.RoleNone)
	refused("editor", http.StatusNotFound)

	read := b.token(account.ScopeRead)
	if a := b.ask(read, http.MethodGet, b.path("/history"), ""); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.ask(read, http.MethodPost, b.path("/history/1/restore"), `{}`); a.status != http.StatusForbidden || !strings.Contains(a.fault.Message, string(account.ScopeWrite)) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestB1_BadPlacesInTheHistory(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	other := "wgt_01J9ZQ0V9K3N8Y2T6W4X5B7C1A"
	for _, c := range []struct {
		method, path, body string
		kind               fault.Kind
		field              string
	}{
		{http.MethodGet, "/history?before=x", "", fault.Invalid, "before"},
		{http.MethodGet, "/history?before=0", "", fault.Invalid, "before"},
		{http.MethodGet, "/history?before=device-3", "", fault.Invalid, "before"},
		{http.MethodGet, "/history?widget=x", "", fault.Invalid, "widget"},
		{http.MethodGet, "/history/x", "", fault.Invalid, "position"},
		{http.MethodGet, "/history/0", "", fault.Invalid, "position"},
		{http.MethodGet, "/history/1.7", "", fault.NotFound, "position"},
		{http.MethodGet, "/history/9999", "", fault.NotFound, "position"},
		{http.MethodGet, "/history/device-1", "", fault.NotFound, "position"},
		{http.MethodPost, "/history/9999/restore", `{}`, fault.NotFound, "position"},
		{http.MethodPost, "/history/1/restore", `{"widget":"x"}`, fault.Invalid, "widget"},
		{http.MethodPost, "/history/1/restore", `{"field":"title"}`, fault.Invalid, "widget"},
		{http.MethodPost, "/history/1/restore", `{"widget":"board","field":"layout"}`, fault.Invalid, "field"},
		{http.MethodPost, "/history/1/restore", `{"widget":"` + other + `","field":"description"}`, fault.Invalid, "field"},
		{http.MethodPost, "/history/1/restore", `{"widget":"` + other + `"}`, fault.NotFound, "widget"},
		{http.MethodPost, "/history/1/restore", `{"position":1}`, fault.Invalid, "position"},
	} {
		if a := b.as("editor", c.method, b.path(c.path), c.body); a.fault == nil || a.fault.Kind != c.kind || a.fault.Field != c.field || a.fault.Message == "" {
			t.Errorf("%s %s: %d %s", c.path, c.body, a.status, a.body)
		}
	}
	if got := len(b.history("owner", "").Changes); got != 1 {
		t.Errorf("%d changes", got)
	}
}

// A long history comes in pages; each change is in one of them.
func TestQ3_TheHistoryComesInPages(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	begun, asked := time.Now(), 0
	now := func() time.Time { // later each time, so that no edit loses against one of the same millisecond
		asked++
		return begun.Add(time.Duration(asked) * time.Millisecond)
	}
	var both []*owner.Owner
	for _, who := range []string{"owner", "editor"} {
		o, err := owner.LogIn(t.Context(), b.srv.URL(), b.people[who].Email, servertest.Password, now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(o.Close)
		both = append(both, o)
	}
	const turns = 70
	for i := range turns {
		for _, o := range both {
			if err := o.Edit(t.Context(), b.id, owner.Set(board.BoardEntity, board.FieldDescription, fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen, pages := map[string]bool{}, 0
	for before := ""; ; pages++ {
		h := b.history("owner", "?before="+before)
		for i, c := range h.Changes {
			if seen[c.Position] || c.Position == "" || i > 0 && c.By == h.Changes[i-1].By {
				t.Fatalf("%+v after %+v", c, h.Changes[max(0, i-1)])
			}
			seen[c.Position] = true
		}
		if before = h.Next; before == "" {
			break
		}
		if len(h.Changes) != screen.PageChanges {
			t.Errorf("a page has %d changes", len(h.Changes))
		}
	}
	if len(seen) != 2*turns+1 && len(seen) != 2*turns {
		t.Errorf("%d changes on %d pages", len(seen), pages)
	}
	raw, _ := json.Marshal(b.history("owner", "?before=1"))
	if string(raw) != `{"changes":[],"next":"","missing":""}` {
		t.Errorf("%s", raw)
	}
}
