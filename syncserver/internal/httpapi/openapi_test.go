package httpapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/servertest"
)

// described checks what is sent and answered against the description of the API.
type described struct {
	t        *testing.T
	doc      map[string]any
	compiler *jsonschema.Compiler
}

func newDescribed(t *testing.T) *described {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(httpapi.Description()))
	if err != nil {
		t.Fatal(err)
	}
	d := &described{t: t, doc: doc.(map[string]any), compiler: jsonschema.NewCompiler()}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows names from the top of the description, and references on the way; where is the place that it ends at.
func (d *described) at(names ...string) (v any, where string) {
	d.t.Helper()
	v, where = d.doc, "openapi.json#"
	for _, n := range names {
		o, _ := v.(map[string]any)
		if v = o[n]; v == nil {
			return nil, ""
		}
		where += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(n)
		if o, _ = v.(map[string]any); o["$ref"] != nil && n != "schema" {
			named := strings.Split(o["$ref"].(string), "/")[1:]
			if v, where = d.at(named...); v == nil {
				d.t.Fatalf("there is no %v", named)
			}
		}
	}
	return v, where
}

// fits reports what of a JSON text is not as the schema at a place of the description says.
func (d *described) fits(text []byte, names ...string) error {
	d.t.Helper()
	_, where := d.at(names...)
	if where == "" {
		return fmt.Errorf("%v is not described", names)
	}
	schema, err := d.compiler.Compile(where)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// check holds an exchange against the description: what was asked, if it is well formed, and the answer.
func (d *described) check(method, path, body string, good bool, a reply) {
	d.t.Helper()
	operation := []string{"paths", path, strings.ToLower(method)}
	content := []string{"content", "application/json", "schema"}
	if good && body != "" {
		if err := d.fits([]byte(body), slices.Concat(operation, []string{"requestBody"}, content)...); err != nil {
			d.t.Errorf("%s %s takes %s, which is not as described: %v", method, path, body, err)
		}
	}
	if len(a.body) == 0 {
		if o, _ := d.at(slices.Concat(operation, []string{"responses", strconv.Itoa(a.status)})...); o == nil || o.(map[string]any)["content"] != nil {
			d.t.Errorf("%s %s answers %d without a body, which is not as described", method, path, a.status)
		}
		return
	}
	if err := d.fits(a.body, slices.Concat(operation, []string{"responses", strconv.Itoa(a.status)}, content)...); err != nil {
		d.t.Errorf("%s %s answers %d %s, which is not as described: %v", method, path, a.status, a.body, err)
	}
}

// Real answers, good and bad, are as the description says, with every member that it requires and none that it does not name.
func TestB1_AnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	b, d := newBench(t, servertest.Options{}), newDescribed(t)
	hash, err := sharing.HashPassword(strings.NewReader(strings.Repeat("salt", 8)), "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	link, rows := b.path("/link"), b.rowsPath()
	seen := map[string]bool{}
	names := map[string]string{string(b.id): "{board}", "/history/1": "/history/{position}", "/history/7": "/history/{position}", string(b.widget): "{widget}", b.people["editor"].Account: "{account}"}
	ask := func(who, method, path, body string, status int) reply {
		t.Helper()
		a := b.as(who, method, path, body)
		if a.status != status {
			t.Errorf("%s %s %s by the %s: %d %s", method, path, body, who, a.status, a.body)
		}
		path, _, _ = strings.Cut(path, "?")
		for id, name := range names {
			path = strings.ReplaceAll(path, id, name)
		}
		d.check(method, path, body, !slices.Contains([]int{http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge}, status), a)
		seen[method+" "+path] = seen[method+" "+path] || status < 300
		return a
	}
	for _, c := range []struct {
		who, method, path, body string
		status                  int
	}{
		{"owner", http.MethodGet, "/api/v1/server", "", 200},
		{"owner", http.MethodGet, "/api/v1/openapi.json", "", 200},
		{"owner", http.MethodGet, "/api/v1/boards", "", 200},
		{"owner", http.MethodPost, "/api/v1/boards", `{"title":"New"}`, 201},
		{"owner", http.MethodPost, "/api/v1/boards", `{"titel":"New"}`, 422},
		{"owner", http.MethodGet, b.path(""), "", 200},
		{"viewer", http.MethodGet, b.path(""), "", 200},
		{"stranger", http.MethodGet, b.path(""), "", 404},
		{"viewer", http.MethodGet, rows + "?offset=-1&limit=1", "", 200},
		{"viewer", http.MethodGet, rows + "?limit=1", "", 200},
		{"editor", http.MethodPost, rows, `{"rows":[["Wed",3],[null]],"keep":3}`, 200},
		{"viewer", http.MethodPost, rows, `{"rows":[["Wed",3]]}`, 403},
		{"editor", http.MethodPost, rows, `{"rows":[["Wed",3,4]]}`, 422},
		{"editor", http.MethodPost, rows, `{"rows":[["` + strings.Repeat("x", board.MaxCell+1) + `"]]}`, 413},
		{"editor", http.MethodPut, rows, `{"columns":[{"name":"when","type":"time"}],"rows":[[1764201600000]]}`, 200},
		{"editor", http.MethodGet, b.path("/history"), "", 200},
		{"editor", http.MethodGet, b.path("/history?widget=" + string(b.widget)), "", 200},
		{"editor", http.MethodGet, b.path("/history?before=x"), "", 422},
		{"viewer", http.MethodGet, b.path("/history"), "", 403},
		{"editor", http.MethodGet, b.path("/history/1"), "", 200},
		{"editor", http.MethodPost, b.path("/history/1/restore"), `{}`, 200},
		{"editor", http.MethodPost, b.path("/history/1/restore"), `{"widget":"board"}`, 409},
		{"editor", http.MethodPost, b.path("/history/1/restore"), `{"wiget":"board"}`, 422},
		{"editor", http.MethodPost, b.path("/history/7/restore"), `{}`, 200},
		{"owner", http.MethodGet, link, "", 200},
		{"owner", http.MethodPost, link, `{"action":"rotate"}`, 409},
		{"owner", http.MethodPost, link, `{"action":"enable","hash":"` + string(hash) + `"}`, 200},
		{"owner", http.MethodPost, link, `{"action":"no_password","base":1}`, 200},
		{"owner", http.MethodPost, link, `{"action":"password","hash":"` + string(hash) + `"}`, 200},
		{"owner", http.MethodPost, link, `{"action":"rotate","token":"shr_0123456789abcdefghijKLMN","shortId":"0123456789"}`, 200},
		{"owner", http.MethodPost, link, `{"action":"slug","slug":"team-status"}`, 200},
		{"owner", http.MethodPost, link, `{"action":"still","still":true}`, 200},
		{"owner", http.MethodPost, link, `{"action":"origins","origins":["https://a.example"]}`, 200},
		{"owner", http.MethodPost, link, `{"action":"expiry","expires":"2030-01-02T03:04:05Z"}`, 200},
		{"owner", http.MethodGet, link, "", 200},
		{"owner", http.MethodGet, "/api/v1/boards", "", 200},
		{"owner", http.MethodPost, link, `{"action":"expiry","expires":null}`, 200},
		{"owner", http.MethodPost, link, `{"action":"disable"}`, 200},
		{"editor", http.MethodPost, link, `{"action":"enable"}`, 403},
		{"owner", http.MethodPost, b.path("/trash"), "", 200},
		{"owner", http.MethodPost, rows, `{"rows":[["Wed"]]}`, 409},
		{"owner", http.MethodPost, b.path("/restore"), "", 200},
		{"nobody", http.MethodGet, "/api/v1/boards", "", 401},
	} {
		ask(c.who, c.method, c.path, c.body, c.status)
	}
	ask("owner", http.MethodPost, b.path("/invitations"), `{"addresses":["cy@example.org, nobody"],"role":"editor","message":"Look."}`, 200)
	var p struct{ Invitations []struct{ ID string } }
	ask("owner", http.MethodGet, b.path("/people"), "", 200).read(t, &p)
	ask("editor", http.MethodGet, b.path("/people"), "", 200)
	ask("viewer", http.MethodGet, b.path("/people"), "", 403)
	names[p.Invitations[0].ID] = "{invitation}"
	ask("owner", http.MethodPost, b.path("/invitations/"+p.Invitations[0].ID+"/resend"), "", 200)
	ask("owner", http.MethodDelete, b.path("/invitations/"+p.Invitations[0].ID), "", 200)
	ask("owner", http.MethodPatch, b.path("/people"), `{"editorsShare":true}`, 200)
	ask("owner", http.MethodPut, b.path("/members/"+b.people["editor"].Account), `{"role":"viewer"}`, 200)
	ask("owner", http.MethodDelete, b.path("/members/"+b.people["editor"].Account), "", 200)

	var org struct{ ID string }
	ask("owner", http.MethodPost, "/api/v1/organisations", `{"name":"A team"}`, 201).read(t, &org)
	names[org.ID] = "{organisation}"
	ask("owner", http.MethodGet, "/api/v1/organisations", "", 200)
	ask("owner", http.MethodPost, "/api/v1/boards", `{"title":"New","organisation":"`+org.ID+`"}`, 201)
	ask("owner", http.MethodPost, "/api/v1/organisations/"+org.ID+"/invitations", `{"email":"cy@example.org","role":"admin"}`, 204)
	ask("owner", http.MethodGet, "/api/v1/organisations/"+org.ID, "", 200)
	ask("owner", http.MethodDelete, "/api/v1/organisations/"+org.ID, "", 409)

	ask("owner", http.MethodGet, "/api/v1/account", "", 200)
	ask("owner", http.MethodPatch, "/api/v1/account", `{"name":"Ann"}`, 204)
	ask("owner", http.MethodGet, "/api/v1/account/sessions", "", 200)
	ask("owner", http.MethodPost, "/api/v1/account/tokens", `{"name":"a script","scopes":["boards:read"],"expires":`+strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10)+`}`, 201)
	ask("owner", http.MethodGet, "/api/v1/account/tokens", "", 200)
	ask("owner", http.MethodPost, "/api/v1/signup", `{"email":"new@example.org","password":"correct horse"}`, 202)
	ask("owner", http.MethodPost, "/api/v1/login", `{"email":"ann@example.org","password":"`+servertest.Password+`"}`, 200)
	ask("owner", http.MethodPost, "/api/v1/reset", `{"email":"ann@example.org"}`, 202)
	ask("owner", http.MethodPost, "/api/v1/logout", "", 204)
	for path, item := range d.doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			name := strings.ToUpper(method) + " " + path
			if method != "parameters" && strings.HasPrefix(path, "/api/v1/boards") && !seen[name] {
				t.Errorf("%s was not asked", name)
			}
		}
	}
}
