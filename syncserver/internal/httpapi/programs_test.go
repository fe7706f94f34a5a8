package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/servertest"
	"widgets.pro/syncserver/servertest/owner"
)

// bench is a server with ann's dashboard, which has a widget with a table, and people with every role on it.
type bench struct {
	t      *testing.T
	srv    *servertest.Server
	ann    *owner.Owner
	id     board.ID
	widget board.WidgetID
	people map[string]servertest.SignedIn
}

func newBench(t *testing.T, o servertest.Options) *bench {
	t.Helper()
	b := &bench{t: t, srv: servertest.Start(t, o), people: map[string]servertest.SignedIn{}, widget: board.NewWidgetID(ulid.Make())}
	var err error
	if b.ann, err = owner.SignUp(t.Context(), b.srv.URL(), "ann@example.org", servertest.Password, time.Now, b.srv.Letters); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.ann.Close() })
	if b.id, err = b.ann.Create(t.Context(), "Sales"); err != nil {
		t.Fatal(err)
	}
	b.edit(owner.Widget(board.Widget{
		ID: b.widget, Kind: board.KindTable, Title: "By day", Layout: board.Layout{W: 4, H: 4},
		Columns: []board.Column{{Name: "day", Type: board.TypeText}, {Name: "sales", Type: board.TypeNumber}},
		Rows:    []json.RawMessage{json.RawMessage(`["Mon",1]`), json.RawMessage(`["Tue",2]`)},
	})...)
	b.people["owner"] = b.srv.LogIn("ann@example.org")
	for name, role := range map[string]sharing.Role{"editor": sharing.RoleEditor, "viewer": sharing.RoleViewer, "stranger": sharing.RoleNone} {
		b.people[name] = b.srv.SignUp(name + "@example.org")
		if role != sharing.RoleNone {
			b.srv.SetRole(b.id, b.people[name], role)
		}
	}
	return b
}

func (b *bench) path(rest string) string { return "/api/v1/boards/" + string(b.id) + rest }

func (b *bench) rowsPath() string { return b.path("/widgets/" + string(b.widget) + "/rows") }

// reply is an answer to a program.
type reply struct {
	status int
	header http.Header
	fault  *fault.Error
	body   []byte
}

func (r reply) read(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
}

// ask sends a request with a token. body is JSON, or "" for none; header are pairs.
func (b *bench) ask(token, method, path, body string, header ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.srv.URL()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var e struct {
		Error *fault.Error `json:"error"`
	}
	_ = json.Unmarshal(raw, &e)
	return reply{res.StatusCode, res.Header, e.Error, bytes.TrimSpace(raw)}
}

func (b *bench) as(who, method, path, body string, header ...string) reply {
	b.t.Helper()
	return b.ask(b.people[who].Token, method, path, body, header...)
}

// rows are the widget's rows, as JSON without the brackets around all.
func (b *bench) rows() string {
	b.t.Helper()
	var p struct{ Rows []json.RawMessage }
	b.as("owner", http.MethodGet, b.rowsPath(), "").read(b.t, &p)
	var out []string
	for _, r := range p.Rows {
		out = append(out, string(r))
	}
	return strings.Join(out, " ")
}

// token makes a token for programs of ann's with some scopes.
func (b *bench) token(scopes ...account.Scope) string {
	b.t.Helper()
	var made struct{ Secret string }
	status, body := b.srv.Post("/api/v1/account/tokens", b.people["owner"].Token, map[string]any{
		"name": "a script", "scopes": scopes, "expires": time.Now().Add(time.Hour).UnixMilli(),
	})
	if err := json.Unmarshal(body, &made); err != nil || status != http.StatusCreated {
		b.t.Fatalf("%d %s", status, body)
	}
	return made.Secret
}

// requests are one of each kind, with what they need.
func (b *bench) requests() map[string]struct {
	method, path, body string
	scope              account.Scope
	role               sharing.Role
} {
	type request = struct {
		method, path, body string
		scope              account.Scope
		role               sharing.Role
	}
	return map[string]request{
		"list":    {http.MethodGet, "/api/v1/boards", "", account.ScopeRead, sharing.RoleNone},
		"create":  {http.MethodPost, "/api/v1/boards", `{"title":"New"}`, account.ScopeWrite, sharing.RoleNone},
		"read":    {http.MethodGet, b.path(""), "", account.ScopeRead, sharing.RoleViewer},
		"rows":    {http.MethodGet, b.rowsPath(), "", account.ScopeRead, sharing.RoleViewer},
		"append":  {http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`, account.ScopeWrite, sharing.RoleEditor},
		"replace": {http.MethodPut, b.rowsPath(), `{"columns":[{"name":"a","type":"text"}],"rows":[["x"]]}`, account.ScopeWrite, sharing.RoleEditor},
		"trash":   {http.MethodPost, b.path("/trash"), "", account.ScopeWrite, sharing.RoleEditor},
		"restore": {http.MethodPost, b.path("/restore"), "", account.ScopeWrite, sharing.RoleEditor},
		"link":    {http.MethodGet, b.path("/link"), "", account.ScopeRead, sharing.RoleOwner},
		"change":  {http.MethodPost, b.path("/link"), `{"action":"enable"}`, account.ScopeShare, sharing.RoleOwner},
		"people":  {http.MethodGet, b.path("/people"), "", account.ScopeRead, sharing.RoleEditor},
		"settle":  {http.MethodPatch, b.path("/people"), `{"editorsShare":false}`, account.ScopeShare, sharing.RoleOwner},
		"invite":  {http.MethodPost, b.path("/invitations"), `{"addresses":["new@example.org"]}`, account.ScopeShare, sharing.RoleOwner},
		"role":    {http.MethodPut, b.path("/members/" + b.people["editor"].Account), `{"role":"editor"}`, account.ScopeShare, sharing.RoleOwner},
	}
}

// Every request × every role × every scope: what is permitted is done, what is not is told in words and looks, to a stranger,
// like what is not there.
func TestA3_A5_RolesAndScopes(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	may := map[string]func(sharing.Role) bool{
		"owner": func(sharing.Role) bool { return true }, "editor": func(r sharing.Role) bool { return r != sharing.RoleOwner },
		"viewer":   func(r sharing.Role) bool { return r == sharing.RoleViewer || r == sharing.RoleNone },
		"stranger": func(r sharing.Role) bool { return r == sharing.RoleNone },
	}
	tokens := map[account.Scope]string{}
	for _, s := range account.Scopes() {
		tokens[s] = b.token(s)
	}
	order := []string{"list", "create", "read", "rows", "append", "replace", "link", "change", "people", "settle", "invite", "role", "trash", "restore"}
	all := b.requests()
	if len(order) != len(all) {
		t.Fatal("not every request is asked")
	}
	for _, name := range order {
		q := all[name]
		for who, permitted := range may {
			a := b.as(who, q.method, q.path, q.body)
			want := http.StatusForbidden
			switch {
			case permitted(q.role):
				want = map[string]int{"create": http.StatusCreated}[name]
				if want == 0 {
					want = http.StatusOK
				}
			case who == "stranger":
				want = http.StatusNotFound
			}
			if a.status != want || want >= 400 && (a.fault == nil || a.fault.Message == "") {
				t.Errorf("%s by the %s: %d %s", name, who, a.status, a.body)
			}
		}
		for s, token := range tokens {
			a := b.ask(token, q.method, q.path, q.body)
			if s == q.scope && a.status >= 300 {
				t.Errorf("%s with %s: %d %s", name, s, a.status, a.body)
			}
			if s != q.scope && (a.status != http.StatusForbidden || a.fault == nil || !strings.Contains(a.fault.Message, string(q.scope))) {
				t.Errorf("%s with %s: %d %s", name, s, a.status, a.body)
			}
		}
		for what, token := range map[string]string{"no token": "", "a wrong one": "ses_" + strings.Repeat("A", 32), "another": "api_" + strings.Repeat("A", 32), "nonsense": "x"} {
			if a := b.ask(token, q.method, q.path, q.body, "Cookie", "widgets-session="+b.people["owner"].Token); a.status != http.StatusUnauthorized ||
				a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s with %s: %d %s", name, what, a.status, a.body)
			}
		}
	}
	never := strings.Replace(b.path(""), string(b.id), string(board.NewID(ulid.Make())), 1)
	for _, path := range []string{"/api/v1/boards/x", "/api/v1/boards/%00", never} {
		if a, theirs := b.as("stranger", http.MethodGet, path, ""), b.as("stranger", http.MethodGet, b.path(""), ""); !bytes.Equal(a.body, theirs.body) || a.status != theirs.status {
			t.Errorf("%s: %d %s, and one that is there %s", path, a.status, a.body, theirs.body)
		}
	}
	for h, v := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
		a := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"disable"}`, h, v)
		if a.status != http.StatusForbidden || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("a page of another site: %d %s %v", a.status, a.body, a.header)
		}
	}
}

func TestListsAndReads(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	var made struct{ ID board.ID }
	b.as("owner", http.MethodPost, "/api/v1/boards", `{"title":"A first"}`).read(t, &made)
	var list struct {
		Boards []struct {
			ID           board.ID
			Title, Owner string
			Role         string
			Mode, URL    *string
			Mine         bool
			Organisation *struct{ ID, Name string }
		}
	}
	b.as("owner", http.MethodGet, "/api/v1/boards", "").read(t, &list)
	if len(list.Boards) != 2 || list.Boards[0].ID != made.ID || list.Boards[0].Title != "A first" || !list.Boards[1].Mine || list.Boards[1].Mode == nil ||
		*list.Boards[1].Mode != "private" || list.Boards[1].URL != nil || list.Boards[1].Organisation == nil || list.Boards[1].Organisation.Name != "ann" || list.Boards[1].Owner != "ann" {
		t.Errorf("%+v", list)
	}
	if a := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"enable"}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	b.as("owner", http.MethodGet, "/api/v1/boards", "").read(t, &list)
	if u := list.Boards[1].URL; u == nil || !strings.HasPrefix(*u, b.srv.URL()+"/share/shr_") || *list.Boards[1].Mode != "public" {
		t.Errorf("%+v", list.Boards[1])
	}
	list.Boards = nil
	b.as("viewer", http.MethodGet, "/api/v1/boards", "").read(t, &list)
	if len(list.Boards) != 1 || list.Boards[0].Mine || list.Boards[0].Role != "viewer" || list.Boards[0].URL != nil || list.Boards[0].Mode != nil ||
		list.Boards[0].Organisation != nil || list.Boards[0].Owner != "ann" {
		t.Errorf("a viewer: %+v", list)
	}
	var one struct {
		Title   string
		Widgets []struct {
			ID      board.WidgetID
			Kind    board.Kind
			Columns []board.Column
			Rows    int
		}
	}
	b.as("viewer", http.MethodGet, b.path(""), "").read(t, &one)
	if one.Title != "Sales" || len(one.Widgets) != 1 || one.Widgets[0].ID != b.widget || one.Widgets[0].Rows != 2 || len(one.Widgets[0].Columns) != 2 {
		t.Errorf("%+v", one)
	}
}

func TestB1_BadInputNamesWhatIsWrongAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	wide := `["` + strings.Repeat("x", board.MaxCell+1) + `",1]`
	rows, link := b.rowsPath(), b.path("/link")
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		field              string
	}{
		"no JSON":             {http.MethodPost, rows, `{`, 422, ""},
		"a list":              {http.MethodPost, rows, `[]`, 422, ""},
		"null":                {http.MethodPost, rows, `null`, 422, ""},
		"two values":          {http.MethodPost, rows, `{"rows":[]} {}`, 422, ""},
		"misspelt":            {http.MethodPost, rows, `{"row":[["x",1]]}`, 422, "row"},
		"no rows":             {http.MethodPost, rows, `{"rows":[]}`, 422, "rows"},
		"rows no list":        {http.MethodPost, rows, `{"rows":"x"}`, 422, "rows"},
		"a row no list":       {http.MethodPost, rows, `{"rows":[["x",1],7]}`, 422, "rows[1]"},
		"too many cells":      {http.MethodPost, rows, `{"rows":[["x",1],["x",1],["x",1],["x",1,2]]}`, 422, "rows[3]"},
		"an object in a cell": {http.MethodPost, rows, `{"rows":[[{},1]]}`, 422, "rows[0]"},
		"a wide cell":         {http.MethodPost, rows, `{"rows":[` + wide + `]}`, 413, "rows[0]"},
		"text for a number":   {http.MethodPost, rows, `{"rows":[["x",1],["x","1"]]}`, 422, "rows[1]"},
		"a number for yes":    {http.MethodPost, rows, `{"rows":[["x",true]]}`, 422, "rows[0]"},
		"no time in a column": {http.MethodPut, rows, `{"columns":[{"name":"t","type":"time"}],"rows":[["now"]]}`, 422, "rows[0]"},
		"keep nothing":        {http.MethodPost, rows, `{"rows":[["x",1]],"keep":0}`, 422, "keep"},
		"keep half":           {http.MethodPost, rows, `{"rows":[["x",1]],"keep":1.5}`, 422, "keep"},
		"oversized":           {http.MethodPost, rows, `{"rows":[["` + strings.Repeat("x", 1<<20) + `",1]]}`, 413, ""},
		"no columns":          {http.MethodPut, rows, `{"rows":[["x",1]]}`, 422, "columns"},
		"a bad type":          {http.MethodPut, rows, `{"columns":[{"name":"a","type":"text"},{"name":"b","type":"colour"}],"rows":[]}`, 422, "columns[1]"},
		"another widget":      {http.MethodPost, b.path("/widgets/" + string(board.NewWidgetID(ulid.Make())) + "/rows"), `{"rows":[["x",1]]}`, 404, "widget"},
		"no widget":           {http.MethodGet, b.path("/widgets/x/rows"), "", 404, "widget"},
		"offset":              {http.MethodGet, rows + "?offset=many", "", 422, "offset"},
		"limit":               {http.MethodGet, rows + "?limit=0", "", 422, "limit"},
		"a long title":        {http.MethodPost, "/api/v1/boards", `{"title":"` + strings.Repeat("x", board.MaxTitle+1) + `"}`, 413, "title"},
		"a title of lines":    {http.MethodPost, "/api/v1/boards", `{"title":"a\nb"}`, 422, "title"},
		"no organisation":     {http.MethodPost, "/api/v1/boards", `{"title":"a","organisation":"org_none"}`, 404, "organisation"},
		"no action":           {http.MethodPost, link, `{}`, 422, "action"},
		"delete":              {http.MethodPost, link, `{"action":"delete"}`, 422, "action"},
		"a password itself":   {http.MethodPost, link, `{"action":"password","password":"plain and simple"}`, 422, "password"},
		"no hash":             {http.MethodPost, link, `{"action":"password","hash":"plain and simple"}`, 422, "hash"},
		"a weak hash":         {http.MethodPost, link, `{"action":"enable","hash":"$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"}`, 422, "hash"},
		"a stray hash":        {http.MethodPost, link, `{"action":"disable","hash":"x"}`, 422, "hash"},
		"a stray token":       {http.MethodPost, link, `{"action":"disable","token":"x"}`, 422, "token"},
		"a bad token":         {http.MethodPost, link, `{"action":"enable","token":"x"}`, 422, "token"},
		"the past":            {http.MethodPost, link, `{"action":"expiry","expires":"2020-01-01T00:00:00Z"}`, 422, "expires"},
		"no time":             {http.MethodPost, link, `{"action":"expiry","expires":"tomorrow"}`, 422, ""},
		"a bad name":          {http.MethodPost, link, `{"action":"slug","slug":"No Name"}`, 422, "slug"},
		"a bad site":          {http.MethodPost, link, `{"action":"origins","origins":["https://a.example","javascript:alert(1)"]}`, 422, "origins[1]"},
		"no addresses":        {http.MethodPost, b.path("/invitations"), `{"addresses":[]}`, 422, "addresses"},
		"addresses no list":   {http.MethodPost, b.path("/invitations"), `{"addresses":"a@example.org"}`, 422, "addresses"},
		"an address no text":  {http.MethodPost, b.path("/invitations"), `{"addresses":["a@example.org",7]}`, 422, "addresses"},
		"invite an owner":     {http.MethodPost, b.path("/invitations"), `{"addresses":["a@example.org"],"role":"owner"}`, 422, "role"},
		"a long message":      {http.MethodPost, b.path("/invitations"), `{"addresses":["a@example.org"],"message":"` + strings.Repeat("x", 2000) + `"}`, 422, "message"},
		"no invitation":       {http.MethodDelete, b.path("/invitations/x"), "", 404, "invitation"},
		"no such role":        {http.MethodPut, b.path("/members/" + b.people["editor"].Account), `{"role":"king"}`, 422, "role"},
		"nobody's role":       {http.MethodPut, b.path("/members/acc_none"), `{"role":"viewer"}`, 404, ""},
		"no change":           {http.MethodPatch, b.path("/people"), `{}`, 422, ""},
		"two changes":         {http.MethodPatch, b.path("/people"), `{"editorsShare":true,"organisation":"org_x"}`, 422, ""},
		"nothing to replace":  {http.MethodPost, link, `{"action":"rotate"}`, 409, ""},
	} {
		a := b.as("owner", c.method, c.path, c.body)
		if a.status != c.status || a.fault == nil || a.fault.Message == "" || a.fault.Field != c.field {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := b.as("owner", http.MethodPost, rows, `{"rows":[["x",1]]}`, "Content-Type", "text/plain"); a.status != 422 || a.fault.Field != "Content-Type" {
		t.Errorf("a form: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodPost, rows, `{"rows":[["x",1]]}`, "Idempotency-Key", strings.Repeat("k", 300)); a.status != 422 || a.fault.Field != "Idempotency-Key" {
		t.Errorf("a long key: %d %s", a.status, a.body)
	}
	if got := b.rows(); got != `["Mon",1] ["Tue",2]` {
		t.Errorf("the rows are %s", got)
	}
	var l struct {
		Version uint64
		Enabled bool
	}
	b.as("owner", http.MethodGet, link, "").read(t, &l)
	if l.Version != 0 || l.Enabled {
		t.Errorf("the link is %+v", l)
	}
}

func TestRowsArePushedReplacedAndKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	for _, c := range []struct{ method, body, want string }{
		{http.MethodPost, `{"rows":[["Wed",3],["Thu",null]]}`, `["Mon",1] ["Tue",2] ["Wed",3] ["Thu",null]`},
		{http.MethodPost, `{"rows":[["Fri",5]],"keep":3}`, `["Wed",3] ["Thu",null] ["Fri",5]`},
		{http.MethodPost, `{"rows":[["Sat",6]],"keep":20}`, `["Wed",3] ["Thu",null] ["Fri",5] ["Sat",6]`},
		{http.MethodPost, `{"rows":[["a",1],["b",2],["c",3]],"keep":2}`, `["b",2] ["c",3]`},
		{http.MethodPost, `{"rows":[["d",1],["e",2]],"keep":2}`, `["d",1] ["e",2]`},
		{http.MethodPut, `{"columns":[{"name":"only","type":"number"}],"rows":[[1],[2],[3]]}`, `[1] [2] [3]`},
		{http.MethodPost, `{"rows":[[4]],"keep":2}`, `[3] [4]`},
		{
			http.MethodPut, `{"columns":[{"name":"t","type":"time"},{"name":"n","type":"number"}],"rows":[["2026-11-27",1],["2026-11-27T10:00:00+02:00",null],[1764201600000,-2]]}`,
			`[1795737600000,1] [1795773600000,null] [1764201600000,-2]`,
		},
		{http.MethodPost, `{"rows":[["2026-11-27 10:00:00.5",3]],"keep":1}`, `[1795773600500,3]`},
		{http.MethodPut, `{"columns":[{"name":"only","type":"number"}],"rows":[]}`, ``},
	} {
		a := b.as("editor", c.method, b.rowsPath(), c.body)
		var got struct{ Added, Rows int }
		a.read(t, &got)
		if rows := b.rows(); a.status != http.StatusOK || rows != c.want || got.Rows != strings.Count(rows, "[") {
			t.Errorf("%s %s: %d %s, and then %s", c.method, c.body, a.status, a.body, rows)
		}
	}
	// Much at once: several operations, and pages to read them by.
	var many strings.Builder
	for i := range 15_000 {
		fmt.Fprintf(&many, `,["%d %s"]`, i, strings.Repeat("x", 40))
	}
	a := b.as("owner", http.MethodPut, b.rowsPath(), `{"columns":[{"name":"t","type":"text"}],"rows":[`+many.String()[1:]+`]}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a = b.as("owner", http.MethodPost, b.rowsPath(), `{"rows":[`+many.String()[1:]+`],"keep":16000}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	type page struct {
		Rows          [][]string
		Offset, Total int
		Next          *int
	}
	seen, offset, pages := 0, 0, 0
	for {
		var p page
		b.as("viewer", http.MethodGet, fmt.Sprintf("%s?offset=%d&limit=10000", b.rowsPath(), offset), "").read(t, &p)
		if p.Total != 16_000 || p.Offset != offset {
			t.Fatalf("%+v", p)
		}
		for _, r := range p.Rows {
			want := seen - 1000 // of the second push; before it the last of the first
			if want < 0 {
				want += 15_000
			}
			if !strings.HasPrefix(r[0], fmt.Sprint(want, " ")) {
				t.Fatalf("row %d is %s", seen, r[0])
			}
			seen++
		}
		pages++
		if p.Next == nil {
			break
		}
		offset = *p.Next
	}
	if seen != 16_000 || pages < 2 {
		t.Errorf("%d rows on %d pages", seen, pages)
	}
	var last page
	b.as("viewer", http.MethodGet, b.rowsPath()+"?offset=-3", "").read(t, &last)
	if len(last.Rows) != 3 || last.Offset != 15_997 || last.Next != nil {
		t.Errorf("%+v", last)
	}
}

// A push whose answer was lost is sent again, also after a restart and by several at once: its rows are there once.
func TestQ2_RepeatedPushTakesEffectOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	const body = `{"rows":[["Wed",3]]}`
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK || string(a.body) != `{"added":1,"rows":3}` {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	b.srv.Restart()
	if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[["Thu",3]]}`, "Idempotency-Key", "run 1"); a.status != 422 || a.fault.Field != "Idempotency-Key" {
		t.Errorf("another request: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 1"); a.status != http.StatusOK {
		t.Errorf("another account: %d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), body, "Idempotency-Key", "run 2"); a.status != http.StatusOK {
		t.Errorf("another key: %d %s", a.status, a.body)
	}
	if got := b.rows(); got != `["Mon",1] ["Tue",2] ["Wed",3] ["Wed",3] ["Wed",3]` {
		t.Errorf("the rows are %s", got)
	}
	// What was refused may be sent again under the same key once it is right.
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[[1,2,3]]}`, "Idempotency-Key", "run 3"); a.status != 422 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[[1,2]]}`, "Idempotency-Key", "run 3"); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	// A new dashboard is made once, and a link replaced once.
	first := b.as("owner", http.MethodPost, "/api/v1/boards", `{"title":"New"}`, "Idempotency-Key", "make")
	if second := b.as("owner", http.MethodPost, "/api/v1/boards", `{"title":"New"}`, "Idempotency-Key", "make"); !bytes.Equal(first.body, second.body) || second.status != http.StatusCreated {
		t.Errorf("%s and %s", first.body, second.body)
	}
	b.as("owner", http.MethodPost, b.path("/link"), `{"action":"enable"}`)
	one := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"rotate"}`, "Idempotency-Key", "rotate")
	if two := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"rotate"}`, "Idempotency-Key", "rotate"); !bytes.Equal(one.body, two.body) || one.status != http.StatusOK {
		t.Errorf("%s and %s", one.body, two.body)
	}
}

// Keys are forgotten after a day or two, and not before.
func TestQ2_KeysAreKeptForADay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 27, 23, 59, 0, 0, time.UTC)
	b := newBench(t, servertest.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	push := func(want string) {
		t.Helper()
		if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[["Wed",3]]}`, "Idempotency-Key", "same"); string(a.body) != want {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	forward := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }
	push(`{"added":1,"rows":3}`)
	forward(2 * time.Minute) // another day
	push(`{"added":1,"rows":3}`)
	forward(23 * time.Hour)
	push(`{"added":1,"rows":3}`)
	forward(24 * time.Hour)
	push(`{"added":1,"rows":4}`)
}

// A device edits while programs push: nothing of either is lost, and the device sees every row.
func TestQ3_PushesBesideADevice(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	const each = 15
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for n := range each {
				if a := b.as("editor", http.MethodPost, b.rowsPath(), fmt.Sprintf(`{"rows":[["p%d",%d]]}`, i, n)); a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.body)
				}
			}
		})
	}
	for n := range each {
		b.edit(owner.Set(board.BoardEntity, board.FieldTitle, fmt.Sprint("title ", n)), replica.Edit{
			Kind: replica.OpRows, Entity: string(b.widget), Rows: &replica.RowChange{Rows: []json.RawMessage{json.RawMessage(fmt.Sprintf(`["device",%d]`, n))}},
		})
	}
	wg.Wait()
	got := b.rows()
	for _, who := range []string{"p0", "p1", "p2", "device"} {
		at := -1
		for n := range each {
			row := fmt.Sprintf(`["%s",%d]`, who, n)
			i := strings.Index(got, row)
			if i <= at || strings.Count(got, row) != 1 {
				t.Fatalf("%s is at %d after %d in %s", row, i, at, got)
			}
			at = i
		}
	}
	var one struct{ Title string }
	if b.as("owner", http.MethodGet, b.path(""), "").read(t, &one); one.Title != fmt.Sprint("title ", each-1) {
		t.Errorf("the title is %s", one.Title)
	}
}

// edit edits as ann's device.
func (b *bench) edit(edits ...replica.Edit) {
	b.t.Helper()
	if err := b.ann.Edit(b.t.Context(), b.id, edits...); err != nil {
		b.t.Fatal(err)
	}
}

func TestL3_L4_P2_S2_E3_E5_LinkIsChangedAsInTheDialog(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	type state struct {
		Mode, URL, ShortURL, SlugURL, Slug string
		Enabled, Password, Still, Expired  bool
		Expires                            *time.Time
		Origins                            []string
		Version                            uint64
	}
	change := func(body string) (out struct {
		Link    state
		Changed bool
	}) {
		t.Helper()
		a := b.as("owner", http.MethodPost, b.path("/link"), body)
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", body, a.status, a.body)
		}
		a.read(t, &out)
		return out
	}
	hash, err := sharing.HashPassword(strings.NewReader(strings.Repeat("salt", 8)), "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	on := change(`{"action":"enable","hash":"` + string(hash) + `"}`)
	if on.Link.Mode != "password" || !on.Changed || on.Link.Version != 1 || on.Link.URL == "" {
		t.Errorf("%+v", on)
	}
	if again := change(`{"action":"enable"}`); again.Changed || again.Link.URL != on.Link.URL {
		t.Errorf("%+v", again)
	}
	if free := change(`{"action":"no_password"}`); free.Link.Mode != "public" {
		t.Errorf("%+v", free)
	}
	rotated := change(`{"action":"rotate","base":2}`)
	if rotated.Link.URL == on.Link.URL || rotated.Link.ShortURL == on.Link.ShortURL {
		t.Errorf("%+v", rotated)
	}
	if a := b.as("owner", http.MethodPost, b.path("/link"), `{"action":"rotate","base":2}`); a.status != http.StatusConflict || a.fault.Hint == "" {
		t.Errorf("based on what was before: %d %s", a.status, a.body)
	}
	change(`{"action":"slug","slug":"team-status"}`)
	change(`{"action":"still","still":true}`)
	change(`{"action":"origins","origins":["b.example","https://a.example"]}`)
	last := change(`{"action":"expiry","expires":"2030-01-02T03:04:05Z"}`).Link
	if last.SlugURL != b.srv.URL()+"/s/team-status" || !last.Still || strings.Join(last.Origins, " ") != "https://a.example https://b.example" || last.Expires.Year() != 2030 {
		t.Errorf("%+v", last)
	}
	if never := change(`{"action":"expiry"}`).Link; never.Expires != nil {
		t.Errorf("%+v", never)
	}
	off := change(`{"action":"disable"}`).Link
	if off.Mode != "private" || off.URL != rotated.Link.URL {
		t.Errorf("%+v", off)
	}
	if back := change(`{"action":"enable"}`).Link; back.URL != off.URL || back.Mode != "public" {
		t.Errorf("%+v", back)
	}
	for url, dead := range map[string]bool{on.Link.URL: true, rotated.Link.URL: false} {
		if a := b.ask("", http.MethodGet, strings.TrimPrefix(url, b.srv.URL()), ""); (a.status == http.StatusNotFound) != dead {
			t.Errorf("%s: %d", url, a.status)
		}
	}
}

// Inviting, resending, revoking, and what somebody is: all as in the dialog, and a repeat sends no second letter.
func TestI1_I5_I6_PeopleAreInvitedAndManaged(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	type people struct {
		Members     []struct{ Account, Name, Email, Role string }
		Invitations []struct{ ID, Email, Role, Delivery string }
	}
	const body = `{"addresses":["Cy <CY@example.org>, dan@example.org","not an address"],"role":"editor","message":"Look."}`
	want := `{"invited":["cy@example.org","dan@example.org"],"refused":[{"address":"not","message":"This is not an e-mail address."},` +
		`{"address":"an","message":"This is not an e-mail address."},{"address":"address","message":"This is not an e-mail address."}]}`
	for range 3 {
		if a := b.as("owner", http.MethodPost, b.path("/invitations"), body, "Idempotency-Key", "invite"); string(a.body) != want || a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	first := b.srv.Mail("cy@example.org", 0)
	if !strings.Contains(first.Text, "Look.") || len(first.Links) == 0 {
		t.Errorf("%+v", first)
	}
	var p people
	b.as("owner", http.MethodGet, b.path("/people"), "").read(t, &p)
	if len(p.Invitations) == 2 && p.Invitations[0].Email != "cy@example.org" {
		slices.Reverse(p.Invitations) // both were made at once
	}
	if len(p.Members) != 3 || len(p.Invitations) != 2 || p.Invitations[0].Email != "cy@example.org" || p.Invitations[0].Role != "editor" || p.Invitations[0].Delivery == "" {
		t.Fatalf("%+v", p)
	}
	var theirs people
	if b.as("editor", http.MethodGet, b.path("/people"), "").read(t, &theirs); len(theirs.Members) != 3 || theirs.Members[0].Email != "" || len(theirs.Invitations) != 0 {
		t.Errorf("an editor is told %+v", theirs)
	}
	cy, dan := p.Invitations[0].ID, p.Invitations[1].ID
	for range 2 {
		if a := b.as("owner", http.MethodPost, b.path("/invitations/"+cy+"/resend"), "", "Idempotency-Key", "again"); a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if second := b.srv.Mail("cy@example.org", 1); second.Links[0] == first.Links[0] {
		t.Error("the old link was sent again")
	}
	b.as("owner", http.MethodDelete, b.path("/invitations/"+dan), "").read(t, &p)
	if len(p.Invitations) != 1 || p.Invitations[0].ID != cy {
		t.Errorf("%+v", p)
	}
	editor := b.path("/members/" + b.people["editor"].Account)
	if a := b.as("owner", http.MethodPut, editor, `{"role":"viewer"}`); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`); a.status != http.StatusForbidden {
		t.Errorf("one who was made a viewer: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodDelete, editor, ""); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodGet, b.path(""), ""); a.status != http.StatusNotFound {
		t.Errorf("one who was removed: %d %s", a.status, a.body)
	}
	if a := b.as("owner", http.MethodDelete, b.path("/members/"+b.people["owner"].Account), ""); a.status != http.StatusConflict {
		t.Errorf("the only owner: %d %s", a.status, a.body)
	}
	b.as("owner", http.MethodGet, b.path("/people"), "").read(t, &p)
	if len(p.Members) != 2 || len(p.Invitations) != 1 {
		t.Errorf("%+v", p)
	}
}

// What is in the trash takes no rows, and its link shows nothing.
func TestA5_Trash(t *testing.T) {
	t.Parallel()
	b := newBench(t, servertest.Options{})
	var out struct {
		Link    struct{ URL string }
		Trashed bool
	}
	b.as("owner", http.MethodPost, b.path("/link"), `{"action":"enable"}`).read(t, &out)
	share := strings.TrimPrefix(out.Link.URL, b.srv.URL())
	for range 2 { // the second changes nothing
		b.as("editor", http.MethodPost, b.path("/trash"), "").read(t, &out)
	}
	if a := b.as("owner", http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`); !out.Trashed || a.status != http.StatusConflict || a.fault.Hint == "" {
		t.Errorf("%v, %d %s", out.Trashed, a.status, a.body)
	}
	if a := b.ask("", http.MethodGet, share, ""); a.status != http.StatusNotFound {
		t.Errorf("the link: %d", a.status)
	}
	b.as("editor", http.MethodPost, b.path("/restore"), "").read(t, &out)
	if a := b.as("owner", http.MethodPost, b.rowsPath(), `{"rows":[["x",1]]}`); out.Trashed || a.status != http.StatusOK {
		t.Errorf("%v, %d %s", out.Trashed, a.status, a.body)
	}
}

func TestB1_RateByAccount(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	b := newBench(t, servertest.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	for range 120 {
		if a := b.as("viewer", http.MethodGet, "/api/v1/boards", ""); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := b.as("viewer", http.MethodGet, "/api/v1/boards", ""); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" || a.fault.Kind != fault.Busy {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := b.as("editor", http.MethodGet, "/api/v1/boards", ""); a.status != http.StatusOK {
		t.Errorf("somebody else: %d %s", a.status, a.body)
	}
	mu.Lock()
	now = now.Add(time.Second)
	mu.Unlock()
	if a := b.as("viewer", http.MethodGet, "/api/v1/boards", ""); a.status != http.StatusOK {
		t.Errorf("later: %d %s", a.status, a.body)
	}
}
