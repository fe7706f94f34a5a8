package httpapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

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
		a := b.as(c.who, c.method, c.path, c.body)
		if a.status != c.status {
			t.Errorf("%s %s %s by the %s: %d %s", c.method, c.path, c.body, c.who, a.status, a.body)
		}
		path, _, _ := strings.Cut(strings.NewReplacer(string(b.id), "{board}", string(b.widget), "{widget}").Replace(c.path), "?")
		d.check(c.method, path, c.body, !slices.Contains([]int{http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge}, c.status), a)
		seen[c.method+" "+path] = seen[c.method+" "+path] || c.status < 300
	}
	for path, item := range d.doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			name := strings.ToUpper(method) + " " + path
			if method != "parameters" && strings.HasPrefix(path, "/api/v1/boards") && !seen[name] {
				t.Errorf("%s was not asked", name)
			}
		}
	}
}
