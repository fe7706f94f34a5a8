package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

var update = flag.Bool("update", false, "write testdata anew")

// Every route there is, with who may use it and what it is limited by: a new one, or another audience, is a decision that
// shows in this file.
func TestA5_B1_TheRoutesAreTheseAndNoOthers(t *testing.T) {
	srv := servertest.Start(t, servertest.Options{Front: telling()})
	var got strings.Builder
	for _, r := range srv.Routes() {
		fmt.Fprintf(&got, "%-34s %-12s %s\n", r.Pattern, r.Audience, r.Limits)
	}
	file := filepath.Join("testdata", "routes.golden")
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the routes are\n%s\nnot\n%s", got.String(), want)
	}
}

// telling is a front end that shows everything it is given, so that whatever reaches the drawing can be found.
func telling() fstest.MapFS {
	return fstest.MapFS{
		"share/share.js": {Data: []byte("1")}, "share/share.css": {Data: []byte("body{}")}, "share/embed.js": {Data: []byte("2")},
		"render/render.js": {Data: []byte(`(() => {
			const esc = (s) => s.replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
			const widget = (j) => '<section id="w-' + JSON.parse(j).id + '">' + esc(j) + "</section>";
			globalThis.widgets = {
				board: (j) => { const b = JSON.parse(j); return JSON.stringify({title: b.title, body: '<main id="board">' + esc(j) + b.widgets.map((w) => widget(JSON.stringify(w))).join("") + "</main>", css: ""}); },
				widget,
			};
		})()`)},
	}
}

// The dashboards of the walk. Each has words of its own in everything that is published (see shown) and in everything
// that is not (see hidden).
const (
	open    = "open"
	locked  = "locked"
	off     = "off"
	ended   = "ended"
	trashed = "trashed"
	private = "private" // never had a link
	other   = "other"   // somebody else's, open
)

// An invitation to the open dashboard that waits for its answer, to somebody without an account.
const (
	invitedAddress = "waiting@elsewhere.example"
	invitedMessage = "HIDDENMESSAGE of an invitation"
)

// The name of an organisation of ann's in which nobody else is.
const teamName = "HIDDENTEAM"

const linkPassword = "the link's own password"

func shown(name string) string  { return "SHOWN" + strings.ToUpper(name) }
func hidden(name string) string { return "HIDDEN" + strings.ToUpper(name) }

// lockedBuffer takes the logs of a server and of the one that comes after it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// walk is a server with people, dashboards and links of every kind.
type walk struct {
	t     *testing.T
	srv   *servertest.Server
	log   lockedBuffer
	data  string
	ids   map[string]board.ID
	links map[string]sharing.Link
	// widgets are one of each dashboard.
	widgets map[string]board.WidgetID
	was     sharing.Link // of the open dashboard, before it was replaced
	// invite is the secret of the invitation, team the id of the organisation.
	invite, team string
	// people by what they are to ann's dashboards, each signed in twice: for the web and for the app.
	people map[string]person
	// unlocked and over are sessions of the locked link: one that holds, and one that was ended by a change of password.
	unlocked, over string
	asked          atomic.Int64
}

type person struct {
	servertest.SignedIn
	cookie string
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	w := &walk{t: t, ids: map[string]board.ID{}, widgets: map[string]board.WidgetID{}, links: map[string]sharing.Link{}, people: map[string]person{}, data: filepath.Join(t.TempDir(), "server.db")}
	w.srv = servertest.Start(t, servertest.Options{Front: telling(), Log: &w.log, Data: w.data, Now: func() time.Time {
		return time.Now().Add(time.Duration(w.asked.Load()) * time.Second) // so that no budget of an account is ever spent
	}})
	ann, bob := w.owner("ann@example.org"), w.owner("bob@example.org")
	for _, name := range []string{open, locked, off, ended, trashed, private} {
		w.dashboard(ann, name)
	}
	w.dashboard(bob, other)
	w.must(bob.Command(t.Context(), w.ids[other], sharing.Enable))
	hash := func(password string) sharing.Hash {
		h, err := sharing.HashPassword(strings.NewReader(strings.Repeat(password, 8)), password)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, name := range []string{open, off, ended, trashed} {
		w.must(ann.Command(t.Context(), w.ids[name], sharing.Enable))
	}
	w.was = w.must(ann.Do(t.Context(), w.ids[open], func(c *sharing.Command) { c.Action, c.Slug = sharing.SetSlug, "old-name" }))
	w.must(ann.Command(t.Context(), w.ids[open], sharing.Rotate))
	w.links[open] = w.must(ann.Do(t.Context(), w.ids[open], func(c *sharing.Command) { c.Action, c.Slug = sharing.SetSlug, "open-name" }))
	w.must(ann.Do(t.Context(), w.ids[open], func(c *sharing.Command) {
		c.Action, c.Invitation, c.Email = sharing.Invite, sharing.NewInvitationID(ulid.Make()), invitedAddress
		c.Role, c.Message = sharing.RoleEditor, invitedMessage
	}))
	for _, l := range w.srv.Mail(invitedAddress, 0).Links {
		if rest, ok := strings.CutPrefix(l, w.srv.URL()+"/invite/"); ok {
			w.invite = rest
		}
	}
	w.links[off] = w.must(ann.Command(t.Context(), w.ids[off], sharing.Disable))
	w.links[ended] = w.must(ann.Do(t.Context(), w.ids[ended], func(c *sharing.Command) { c.Action, c.Expires = sharing.SetExpiry, 1 }))
	if err := ann.Edit(t.Context(), w.ids[trashed], owner.Set(board.BoardEntity, board.FieldAlive, false)); err != nil {
		t.Fatal(err)
	}
	w.must(ann.Do(t.Context(), w.ids[locked], func(c *sharing.Command) { c.Action, c.Hash = sharing.Enable, hash("an earlier one") }))
	for name, id := range w.ids {
		w.links[name] = ann.Link(id)
	}
	w.links[other] = bob.Link(w.ids[other])
	w.over = w.unlock("an earlier one")
	w.must(ann.Do(t.Context(), w.ids[locked], func(c *sharing.Command) { c.Action, c.Hash = sharing.SetPassword, hash(linkPassword) }))
	w.links[locked] = ann.Link(w.ids[locked])
	w.unlocked = w.unlock(linkPassword)
	w.gatherPeople(ann)
	return w
}

func (w *walk) must(l sharing.Link, err error) sharing.Link {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *walk) owner(email string) *owner.Owner {
	w.t.Helper()
	o, err := owner.SignUp(w.t.Context(), w.srv.URL(), email, servertest.Password, time.Now, w.srv.Letters)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(o.Close)
	return o
}

// dashboard makes one with canaries everywhere.
func (w *walk) dashboard(o *owner.Owner, name string) {
	w.t.Helper()
	id, err := o.Create(w.t.Context(), shown(name)+" title")
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[name] = id
	text := func(s string) json.RawMessage { b, _ := json.Marshal(s); return b }
	wid := board.Widget{
		ID: board.NewWidgetID(ulid.Make()), Kind: board.KindTable, Title: shown(name) + " widget", Layout: board.Layout{W: 4, H: 4},
		Columns: []board.Column{{Name: shown(name) + " column", Type: board.TypeText}}, Rows: []json.RawMessage{json.RawMessage(`["` + shown(name) + ` row"]`)},
		Options: map[string]json.RawMessage{"limit": json.RawMessage(`7`), "source": text(hidden(name) + " https://user:pass@data.example/?key=1"), "headers": text("Authorization: " + hidden(name))},
	}
	w.widgets[name] = wid.ID
	gone := wid
	gone.ID, gone.Title = board.NewWidgetID(ulid.Make()), hidden(name)+" removed"
	gone.Columns, gone.Rows = nil, nil
	edits := append(owner.Widget(wid), owner.Widget(gone)...)
	edits = append(edits,
		owner.Set(string(gone.ID), board.FieldAlive, false),
		owner.Set(board.BoardEntity, board.FieldDescription, shown(name)+" description"),
		owner.Set(board.BoardEntity, "source", hidden(name)+" of the dashboard"),
		owner.Set(board.BoardEntity, "credential", hidden(name)+" password"),
		owner.Set(string(wid.ID), "query", "select "+hidden(name)),
	)
	if err := o.Edit(w.t.Context(), id, edits...); err != nil {
		w.t.Fatal(err)
	}
}

// unlock gives the locked link's password, as the page's script does.
func (w *walk) unlock(password string) string {
	w.t.Helper()
	a := w.do(http.MethodPost, "/share/"+w.links[locked].Token.Reveal(), http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}, url.Values{"password": {password}}.Encode())
	var got struct{ Session string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK || got.Session == "" {
		w.t.Fatalf("unlock: %d %s", a.status, a.body)
	}
	return got.Session
}

// gatherPeople signs everybody in and gives them what they are to ann's dashboards.
func (w *walk) gatherPeople(ann *owner.Owner) {
	w.t.Helper()
	for _, name := range []string{"editor", "viewer", "member", "admin", "former", "stranger", "invited"} {
		in := w.srv.SignUp(name + "@example.org")
		w.people[name] = person{SignedIn: in}
	}
	w.people["owner"] = person{SignedIn: w.srv.LogIn(ann.Email)}
	w.must(ann.Do(w.t.Context(), w.ids[open], func(c *sharing.Command) {
		c.Action, c.Invitation = sharing.Invite, sharing.NewInvitationID(ulid.Make())
		c.Email, c.Role = w.people["invited"].Email, sharing.RoleEditor
	}))
	status, body := w.srv.Post("/api/v1/organisations", w.people["owner"].Token, map[string]string{"name": teamName})
	var made struct{ ID string }
	if err := json.Unmarshal(body, &made); err != nil || status != http.StatusCreated {
		w.t.Fatalf("make an organisation: %d %s", status, body)
	}
	w.team = made.ID
	for _, name := range []string{open, locked, off, ended, trashed, private} {
		w.srv.SetRole(w.ids[name], w.people["editor"].SignedIn, sharing.RoleEditor)
		w.srv.SetRole(w.ids[name], w.people["viewer"].SignedIn, sharing.RoleViewer)
		w.srv.SetRole(w.ids[name], w.people["former"].SignedIn, sharing.RoleEditor)
		w.srv.SetRole(w.ids[name], w.people["former"].SignedIn, sharing.RoleNone)
	}
	w.srv.Close()
	st, err := boltstore.Open(boltstore.Options{Path: w.data})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := st.Update(w.t.Context(), func(tx store.Tx) error {
		b, _, err := tx.Boards().Get(w.ids[open])
		if err != nil {
			return err
		}
		return errors.Join(
			tx.Organisations().SetMember(b.Organisation, store.AccountID(w.people["member"].Account), store.MemberMember),
			tx.Organisations().SetMember(b.Organisation, store.AccountID(w.people["admin"].Account), store.MemberAdmin),
		)
	}); err != nil {
		w.t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.srv.Restart()
	for name, p := range w.people {
		a := w.do(http.MethodPost, "/login", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, url.Values{"email": {p.Email}, "password": {servertest.Password}}.Encode())
		p.cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
		if a.status != http.StatusSeeOther || p.cookie == "" {
			w.t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		w.people[name] = p
	}
}

// principals are who walks, by the headers that they send.
func (w *walk) principals() map[string]http.Header {
	all := map[string]http.Header{
		"anonymous":          {},
		"unlocked":           {"Cookie": {w.sessionCookie(w.unlocked)}},
		"expired session":    {"Cookie": {w.sessionCookie(w.over)}},
		"holder of another":  {"Cookie": {w.sessionCookie(strings.Repeat("A", len(w.unlocked)))}, "Referer": {w.links[other].Token.URL(w.srv.URL())}},
		"a forged signed in": {"Authorization": {"Bearer ses_" + strings.Repeat("A", 43)}, "Cookie": {"widgets-session=ses_" + strings.Repeat("A", 43)}},
	}
	for name, p := range w.people {
		all[name] = http.Header{"Authorization": {"Bearer " + p.Token}, "Cookie": {p.cookie}}
	}
	return all
}

func (w *walk) sessionCookie(session string) string { return "widgets-unlocked=" + session }

// may reports whether a principal may see what is published of a dashboard over HTTP, by the address of a link to target.
func (w *walk) may(principal, route, target, name string) bool {
	// Who deletes an account is told first which dashboards go with it.
	own := ofBoards(route) && w.roles(principal, name) != sharing.RoleNone ||
		strings.HasSuffix(route, " /account/delete") && w.roles(principal, name) == sharing.RoleOwner ||
		route == "GET /{$}" && principal == "invited" && name == open
	if name != target {
		return own
	}
	return own || name == open || name == other || (name == locked && principal == "unlocked")
}

// ofBoards reports whether a route tells of the dashboards that an account may open.
func ofBoards(route string) bool {
	return route == "GET /{$}" || strings.Contains(route, "/api/v1/boards") || strings.Contains(route, "/app/api/")
}

// roles is what a principal is to a dashboard by account.
func (w *walk) roles(principal, name string) sharing.Role {
	if name == other {
		return sharing.RoleNone
	}
	switch principal {
	case "owner", "admin":
		return sharing.RoleOwner
	case "editor":
		return sharing.RoleEditor
	case "viewer", "member":
		return sharing.RoleViewer
	}
	return sharing.RoleNone
}

type answered struct {
	status int
	header http.Header
	body   string
}

// do asks from an address of its own, a second after the one before, so that no budget of another request is spent.
func (w *walk) do(method, path string, h http.Header, body string) answered {
	w.t.Helper()
	n := w.asked.Add(1)
	from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(n/250), byte(1+n%250))}
	client := http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{LocalAddr: from}).DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.srv.URL()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(req.Header, h)
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, string(raw)}
}

// targets are the values of a route's parts, by the dashboard that they lead to; "" leads nowhere.
func (w *walk) targets(part string) map[string]string {
	out := map[string]string{}
	for name, l := range w.links {
		switch part {
		case "token":
			out[name] = l.Token.Reveal()
		case "short":
			out[name] = l.ShortID.Reveal()
		}
	}
	if part == "invite" {
		out[open] = w.invite
	}
	delete(out, private)
	switch part {
	case "token":
		out["replaced"] = w.was.Token.Reveal()
	case "short":
		out["replaced"], out["replaced name"] = w.was.ShortID.Reveal(), "old-name"
	}
	return out
}

// paths are the addresses of a route, by what they lead to.
func (w *walk) paths(pattern string) map[string]string {
	_, path, _ := strings.Cut(pattern, " ")
	if path == "" {
		path = pattern
	}
	path = strings.ReplaceAll(path, "{$}", "")
	out := map[string]string{}
	switch {
	case strings.Contains(path, "{token}"):
		for name, v := range w.targets("token") {
			out[name] = strings.ReplaceAll(path, "{token}", v)
		}
	case strings.Contains(path, "{short}"):
		for name, v := range w.targets("short") {
			out[name] = strings.ReplaceAll(path, "{short}", v)
		}
	case strings.Contains(path, "{board}"), strings.Contains(path, "{id}") && strings.Contains(path, "/history"):
		for name, id := range w.ids {
			// Position 7 is of the widget's making, with some of what is not published.
			out[name] = strings.NewReplacer("{board}", string(id), "{id}", string(id), "{widget}", string(w.widgets[name]), "{position}", "7").Replace(path)
		}
	case strings.Contains(path, "{invite}"):
		for name, v := range w.targets("invite") {
			out[name] = strings.ReplaceAll(path, "{invite}", v)
		}
	case strings.Contains(path, "{organisation}"):
		out[""] = strings.ReplaceAll(path, "{organisation}", w.team)
	case path == "/oembed":
		for name, v := range w.targets("token") {
			out[name] = path + "?format=json&url=" + url.QueryEscape(w.srv.URL()+"/share/"+v)
		}
	case path == "/" || path == "/api/":
		out[""] = path + "nowhere" // what is no route, unless the pattern is exact
		if strings.Contains(pattern, "{$}") {
			out[""] = path
		}
	default:
		out[""] = strings.ReplaceAll(path, "{name}", "share.js")
	}
	return out
}

// Every route × every principal × every kind of link, with canaries in everything that is stored: nothing reaches anybody
// whom it is not for, in body or header; and whoever holds no role learns nothing about why a link does not work.
func TestA5_A6_P1_EveryRouteForEveryPrincipal(t *testing.T) {
	w := newWalk(t)
	reached, past := map[string]bool{}, map[string]bool{}
	for _, route := range w.srv.Routes() {
		if route.Pattern == "GET "+wire.SyncPath || strings.HasSuffix(route.Pattern, "/live") {
			continue // websockets: below
		}
		method, _, hasMethod := strings.Cut(route.Pattern, " ")
		if !hasMethod {
			method = http.MethodGet
		}
		for target, path := range w.paths(route.Pattern) {
			for who, headers := range w.principals() {
				methods := []string{method, http.MethodHead}
				if who == "anonymous" || who == "owner" {
					methods = []string{method, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodDelete}
				}
				for _, m := range methods {
					if strings.HasSuffix(route.Pattern, "logout") && m == http.MethodPost {
						continue // ends the walk of whoever it is; they are walked last
					}
					if (strings.HasSuffix(path, "/trash") || strings.HasSuffix(path, "/restore")) && m == http.MethodPost && w.roles(who, target).CanEdit() {
						continue // would make another one of the dashboard
					}
					if strings.HasSuffix(path, "/switch") || strings.HasSuffix(path, w.team) && m == http.MethodDelete {
						continue // the same, and the end of the organisation
					}
					a := w.do(m, path, headers, "")
					w.check(who, route.Pattern, target, m, a)
					if m == http.MethodGet && a.status == http.StatusOK && strings.Contains(a.body, shown(target)) {
						reached[target+" for "+who] = true
					}
					if m == http.MethodGet && a.status == http.StatusOK && strings.Contains(route.Pattern, "/history") {
						if !w.roles(who, target).CanEdit() {
							t.Errorf("the history of %s is told to %s by %s", target, who, route.Pattern)
						}
						past[route.Pattern+" with what is hidden"] = past[route.Pattern+" with what is hidden"] || strings.Contains(a.body, hidden(target))
						past[route.Pattern+" for "+who] = true
					}
				}
			}
		}
	}
	for _, want := range []string{"open for anonymous", "locked for unlocked", "other for stranger", "private for owner", "private for viewer"} {
		if !reached[want] {
			t.Errorf("the walk proves nothing: %s was not seen, only %v", want, slices.Sorted(maps.Keys(reached)))
		}
	}
	for _, route := range []string{"GET /api/v1/boards/{board}/history", "GET /app/api/boards/{id}/history", "GET /api/v1/boards/{board}/history/{position}", "GET /app/api/boards/{id}/history/{position}"} {
		for _, want := range []string{" with what is hidden", " for editor", " for owner"} {
			if !past[route+want] {
				t.Errorf("the walk proves nothing: %s%s was not seen, only %v", route, want, slices.Sorted(maps.Keys(past)))
			}
		}
	}
	w.sameLook()
	w.sockets()
	w.endings()
}

// check looks for what must not be in an answer.
func (w *walk) check(who, route, target, method string, a answered) {
	w.t.Helper()
	all := a.body
	for k, vs := range a.header {
		all += "\n" + k + ": " + strings.Join(vs, ",")
	}
	where := fmt.Sprintf("%s, %s of %s to %s (%d)", who, method, route, target, a.status)
	programs := ofBoards(route)
	for name := range w.ids {
		// What is not published is in the history, which is for whoever may edit.
		past := strings.Contains(route, "/history") && name == target && w.roles(who, name).CanEdit()
		if strings.Contains(all, hidden(name)) && !past {
			w.t.Errorf("%s: what is hidden of %s is in %s", where, name, all)
		}
		if strings.Contains(all, shown(name)) && !w.may(who, route, target, name) {
			w.t.Errorf("%s: what is published of %s is in %s", where, name, all)
		}
	}
	for name, l := range w.links {
		t := l.Token.Reveal()
		mine := w.roles(who, name).CanShare() && programs && name != other
		if t != "" && strings.Contains(all, t) && !mine && (name != target || name == off || name == ended || name == trashed) {
			w.t.Errorf("%s: the token of %s is in %s", where, name, all)
		}
	}
	me := w.people[who].SignedIn
	secrets := []string{"$argon2id", "cmd_", w.was.Token.Reveal(), linkPassword, servertest.Password, w.unlocked, w.over}
	if !strings.Contains(route, "{invite}") || target != open {
		secrets = append(secrets, "ivt_", invitedAddress, invitedMessage)
	}
	ofOrganisations := strings.Contains(route, "/organisations")
	if me.Token == "" || !ofOrganisations && !programs {
		secrets = append(secrets, "org_") // which are told to those who are in them
	}
	if who != "owner" || !ofOrganisations {
		secrets = append(secrets, "acc_")
	}
	if who != "owner" || !ofOrganisations && !programs && !strings.HasSuffix(route, " /account/delete") {
		secrets = append(secrets, teamName)
	}
	for _, p := range w.people {
		secrets = append(secrets, p.Token, strings.TrimPrefix(p.cookie, "widgets-session="))
		if p.Email != me.Email {
			secrets = append(secrets, p.Email)
		}
	}
	all = strings.NewReplacer(
		`"^acc_"`, "", `"^org_"`, "", // in the description of the API
		"/login?next=%2Forganisations%2F"+w.team, "", // what was asked for
	).Replace(all)
	if me.Account != "" {
		all = strings.ReplaceAll(all, me.Account, "") // everybody may know their own
	}
	role := w.roles(who, target)
	for _, s := range secrets {
		if programs && (s == "acc_" && role.CanEdit() || (s == invitedAddress || strings.HasSuffix(s, "@example.org")) && role.CanShare()) {
			continue // they are told who can open the dashboard
		}
		if strings.Contains(all, s) {
			w.t.Errorf("%s: %q is in %s", where, s, all)
		}
	}
}

// sameLook holds every link that does not work against one that never was: same status, headers and body, whatever is
// asked of it and whoever asks.
func (w *walk) sameLook() {
	w.t.Helper()
	for _, route := range w.srv.Routes() {
		part := ""
		for _, p := range []string{"token", "short", "invite"} {
			if strings.Contains(route.Pattern, "{"+p+"}") {
				part = p
			}
		}
		if part == "" || strings.HasSuffix(route.Pattern, "/live") || strings.HasSuffix(route.Pattern, "/switch") {
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		never := map[string]string{"token": "shr_" + strings.Repeat("0", 24), "short": "0000000000", "invite": "ivt_" + strings.Repeat("0", 24)}[part]
		for who, headers := range w.principals() {
			ask := func(v string) string {
				a := w.do(method, strings.ReplaceAll(path, "{"+part+"}", url.PathEscape(v)), headers, "")
				a.header.Del("Date")
				return fmt.Sprintf("%d %v\n%s", a.status, a.header, a.body)
			}
			want := ask(never)
			for name, v := range w.targets(part) {
				dead := slices.Contains([]string{off, ended, trashed, "replaced", "replaced name"}, name)
				if got := ask(v); dead && got != want {
					w.t.Errorf("%s, %s: one that is %s answers\n%s\nand one that never was\n%s", who, route.Pattern, name, got, want)
				}
			}
			for name, v := range near(w.targets(part)[open]) {
				if got := ask(v); got != want {
					w.t.Errorf("%s, %s: %s answers\n%s\nand one that never was\n%s", who, route.Pattern, name, got, want)
				}
			}
		}
	}
}

// Links that do not work take as long to say so, whatever the reason: the medians of many requests in turn lie in one band.
func TestA5_TheTimeOfARefusalTellsNothing(t *testing.T) {
	w := newWalk(t)
	paths := map[string]string{"never": "/share/shr_" + strings.Repeat("0", 24)}
	for _, name := range []string{off, ended, trashed, "replaced"} {
		paths[name] = "/share/" + w.targets("token")[name]
	}
	took := map[string][]time.Duration{}
	for range 150 {
		for name, path := range paths { // in an order of its own each time
			begun := time.Now()
			if a := w.do(http.MethodGet, path, nil, ""); a.status != http.StatusNotFound {
				t.Fatalf("%s answers %d", name, a.status)
			}
			took[name] = append(took[name], time.Since(begun))
		}
	}
	median := func(name string) time.Duration { slices.Sort(took[name]); return took[name][len(took[name])/2] }
	for name := range paths {
		if a, b := median(name), median("never"); a > 2*b || b > 2*a {
			t.Errorf("%s takes %s, one that never was %s", name, a, b)
		}
	}
}

// near are values that a sloppy look-up would take for v.
func near(v string) map[string]string {
	n := len(v)
	return map[string]string{
		"a prefix": v[:n-1], "half": v[:n/2], "the first character": v[:1], "one more": v + "0", "upper case": strings.ToUpper(v), "lower case": strings.ToLower(v),
		"a NUL behind": v + "\x00", "a NUL before": "\x00" + v, "a space behind": v + " ", "the next key": v[:n-1] + string(v[n-1]+1), "the key before": v[:n-1] + string(v[n-1]-1),
		"a wild card": v[:n-1] + "%", "a pattern": v[:n-1] + "*", "a dot": v + ".", "a slash in it": v[:4] + "/" + v[4:], "full width": "ｓ" + v[1:], "two of them": v + v,
	}
}

// sockets opens every websocket as every principal, all at once, and reads what comes.
func (w *walk) sockets() {
	w.t.Helper()
	var wg sync.WaitGroup
	for who, headers := range w.principals() {
		for target, token := range w.targets("token") {
			wg.Go(func() {
				got, closed := w.listen("/share/"+token+"/live?v=0", headers, "widgets.view")
				w.check(who, "live", target, "websocket", answered{body: got})
				if may := w.may(who, "live", target, target); may != strings.Contains(got, shown(target)) || may == closed {
					w.t.Errorf("%s by the socket of %s: %s", who, target, got)
				}
			})
		}
		wg.Go(func() { w.checkSync(who, w.sync(headers)) })
	}
	wg.Wait()
	// Pages of other sites are turned away.
	if got, _ := w.listen("/share/"+w.links[open].Token.Reveal()+"/live?v=0", http.Header{"Origin": {"https://evil.example"}}, "widgets.view"); got != "" {
		w.t.Errorf("another site's page got %s", got)
	}
}

// checkSync looks at all that a device was sent that asked for every dashboard.
func (w *walk) checkSync(who, got string) {
	w.t.Helper()
	for name := range w.ids {
		role := w.roles(who, name)
		// The trash travels too: it is there to be restored by who may edit.
		if strings.Contains(got, shown(name)) != role.CanView() {
			w.t.Errorf("%s over sync: what is published of %s: %s", who, name, got)
		}
		if strings.Contains(got, hidden(name)) != role.CanEdit() {
			w.t.Errorf("%s over sync: what is hidden of %s: %s", who, name, got)
		}
		if t := w.links[name].Token.Reveal(); t != "" && strings.Contains(got, t) != role.CanShare() {
			w.t.Errorf("%s over sync: the token of %s", who, name)
		}
	}
	if strings.Contains(got, teamName) != (who == "owner") {
		w.t.Errorf("%s over sync: of the organisation: %s", who, got)
	}
	if strings.Contains(got, "$argon2id") {
		w.t.Errorf("%s over sync: a hash", who)
	}
	// Whoever shares is told the addresses of those who share with them, and of those whom they invited; nobody else is.
	for name, p := range w.people {
		if p.Email != w.people[who].Email && strings.Contains(got, p.Email) != (w.roles(who, open).CanShare() && (w.roles(name, open) != sharing.RoleNone || name == "invited")) {
			w.t.Errorf("%s over sync: %s", who, p.Email)
		}
	}
	if strings.Contains(got, invitedAddress) != w.roles(who, open).CanShare() || strings.Contains(got, invitedMessage) || strings.Contains(got, "ivt_") {
		w.t.Errorf("%s over sync: of the invitation: %s", who, got)
	}
}

// listen reads what comes over a websocket until it is quiet or closed; nothing where the handshake was refused.
func (w *walk) listen(path string, h http.Header, protocol string) (got string, closed bool) {
	w.t.Helper()
	ws, res, err := websocket.Dial(w.t.Context(), "ws"+w.srv.URL()[len("http"):]+path, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{protocol}}) //nolint:bodyclose // websocket.Dial has closed it
	if err != nil {
		if res == nil {
			w.t.Error(err)
		}
		return "", true
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(2 * wire.MaxFrame)
	return drain(w.t.Context(), ws)
}

// drain reads until nothing has come for a while: what a test like this waits for is that nothing more comes.
func drain(ctx context.Context, ws *websocket.Conn) (got string, closed bool) {
	for {
		quiet, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		_, frame, err := ws.Read(quiet)
		cancel()
		if err != nil {
			return got, websocket.CloseStatus(err) > 0
		}
		got += string(frame) + "\n"
	}
}

// sync asks for every dashboard there is, as a device does, and reads all that comes.
func (w *walk) sync(h http.Header) string {
	w.t.Helper()
	h = h.Clone()
	h.Del("Cookie")
	ws, _, err := websocket.Dial(w.t.Context(), w.srv.SyncURL(), &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{wire.Subprotocol}}) //nolint:bodyclose // websocket.Dial has closed it
	if err != nil {
		return ""
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(2 * wire.MaxFrame)
	hello := wire.Hello{Versions: []int{wire.Version}, App: "walk", Dev: "7"}
	for _, id := range w.ids {
		hello.Boards = append(hello.Boards, wire.Cursor{Board: id})
	}
	frame, err := wire.Encode(hello)
	if err == nil {
		err = ws.Write(w.t.Context(), websocket.MessageText, frame)
	}
	if err != nil {
		w.t.Error(err)
	}
	got, _ := drain(w.t.Context(), ws)
	return got
}

// endings logs everybody out, and reads the whole log.
func (w *walk) endings() {
	w.t.Helper()
	for who, headers := range w.principals() {
		for _, path := range []string{"/invite/ivt_" + strings.Repeat("0", 24) + "/switch", "/invite/%00/switch", "/logout", "/api/v1/logout"} {
			w.check(who, path, "", http.MethodPost, w.do(http.MethodPost, path, headers, ""))
		}
	}
	w.srv.Close()
	log := w.log.String()
	if !strings.Contains(log, `route="GET /share/{token}"`) {
		w.t.Error("the log names no routes")
	}
	secrets := []string{
		"SHOWN", "HIDDEN", "shr_", "ses_", "clm_", "tkt_", "api_", "$argon2id", linkPassword, servertest.Password, w.unlocked, w.over, "@example.org",
		invitedAddress, invitedMessage, "ivt_", "127.1.", "open-name", "old-name", w.invite, teamName,
	}
	for _, l := range w.links {
		if l.ShortID != "" {
			secrets = append(secrets, l.ShortID.Reveal())
		}
	}
	for _, s := range secrets {
		if i := strings.Index(log, s); i >= 0 {
			w.t.Errorf("%q is in the log: %s", s, log[max(0, i-200):min(len(log), i+200)])
		}
	}
}
