package httpweb

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// reference is the page that lists what programs can ask of the server, made from the description of the API.
type reference struct {
	Base, Intro string
	Calls       []apiCall
}

// apiCall is one request. Status is what it answers if all is well.
type apiCall struct {
	ID, Method, Path, Summary, Description, Status string
	Open                                           bool // to everybody
	Parts                                          []apiPart
}

// apiPart is something that goes into a request: a member of its body, or a parameter.
type apiPart struct {
	Name, In, Type, Description string
	Required                    bool
}

// schema is as much of a JSON Schema as the page tells.
type schema struct {
	Ref         string            `json:"$ref"`
	Type        json.RawMessage   `json:"type"` // a name or several
	Description string            `json:"description"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
	Items       *schema           `json:"items"`
	Enum        []string          `json:"enum"`
}

type parameter struct {
	Ref                   string `json:"$ref"`
	Name, In, Description string
	Required              bool
	Schema                schema
}

type operation struct {
	OperationID, Summary, Description string
	Parameters                        []parameter
	RequestBody                       struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]json.RawMessage
	Security  []json.RawMessage
}

// openAPI is as much of the description as the page tells.
type openAPI struct {
	Info       struct{ Description string }
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas    map[string]schema
		Parameters map[string]parameter
	}
}

func newReference(description []byte, base string) (r reference, err error) {
	var doc openAPI
	if err := json.Unmarshal(description, &doc); err != nil {
		return r, fmt.Errorf("read the description of the API: %w", err)
	}
	r.Base, r.Intro = base, doc.Info.Description
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			if method == "parameters" {
				continue
			}
			var o operation
			if err := json.Unmarshal(raw, &o); err != nil {
				return r, fmt.Errorf("read the description of %s %s: %w", method, path, err)
			}
			c := apiCall{ID: o.OperationID, Method: strings.ToUpper(method), Path: path, Summary: o.Summary, Description: o.Description, Open: len(o.Security) == 0}
			c.Status = slices.Sorted(maps.Keys(o.Responses))[0]
			c.Parts = doc.parts(o)
			r.Calls = append(r.Calls, c)
		}
	}
	slices.SortFunc(r.Calls, func(a, b apiCall) int {
		return cmp.Or(cmp.Compare(rank(a.Path, "boards", "organisations", "account"), rank(b.Path, "boards", "organisations", "account")),
			cmp.Compare(a.Path, b.Path), cmp.Compare(rank(a.Method, "GET", "POST", "PUT", "PATCH"), rank(b.Method, "GET", "POST", "PUT", "PATCH")))
	})
	return r, nil
}

// rank is the place of the first of some words that s holds.
func rank(s string, words ...string) int {
	i := slices.IndexFunc(words, func(w string) bool { return strings.Contains(s, w) })
	if i < 0 {
		return len(words)
	}
	return i
}

// parts lists the members of the body, the required ones first, then the parameters.
func (d openAPI) parts(o operation) (out []apiPart) {
	for _, c := range o.RequestBody.Content {
		body := d.resolve(c.Schema)
		for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
			p := body.Properties[name]
			out = append(out, apiPart{
				Name: name, In: "body", Type: d.typeOf(p), Description: cmp.Or(p.Description, d.resolve(p).Description), Required: slices.Contains(body.Required, name),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b apiPart) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		}
		return 1
	})
	for _, p := range o.Parameters {
		if named, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = d.Components.Parameters[named]
		}
		out = append(out, apiPart{Name: p.Name, In: p.In, Type: d.typeOf(p.Schema), Description: p.Description, Required: p.Required})
	}
	return out
}

func (d openAPI) resolve(s schema) schema {
	if named, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.Components.Schemas[named]
	}
	return s
}

// typeOf is a schema's type in words.
func (d openAPI) typeOf(s schema) string {
	s = d.resolve(s)
	switch {
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, " | ")
	case s.Items != nil:
		item := d.resolve(*s.Items)
		if len(item.Properties) > 0 {
			return "list of {" + strings.Join(slices.Sorted(maps.Keys(item.Properties)), ", ") + "}"
		}
		return "list of " + d.typeOf(item)
	}
	return strings.NewReplacer(`"`, "", "[", "", "]", "", ",", " or ").Replace(string(s.Type))
}

// api is the page that lists the calls.
func (s *Site) api(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, http.StatusOK, "api.html", s.reference)
}
