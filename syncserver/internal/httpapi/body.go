package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"widgets.pro/shared/fault"
)

// body reads a JSON object of at most maxProgramBody bytes into what v points to, a struct, and returns the bytes. A member
// that v has no field for is a fault: what is misspelt is not silently without effect.
func (c *call) body(v any) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, fault.Field("Content-Type", "A request must have the content type application/json.")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxProgramBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, fault.Newf(fault.TooLarge, "A request has at most %d MiB.", maxProgramBody>>20).WithHint("Send the rows in several requests.")
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "The request ended before its time.").WithCause(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, fault.New(fault.Invalid, "The request is not a JSON object.").WithCause(err)
	}
	known := fieldsOf(v)
	for name := range members {
		if !known[name] {
			return nil, fault.Field(clip(name), "There is no such member here.")
		}
	}
	err = json.Unmarshal(raw, v)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, fault.Field(t.Field, "This must be "+inWords(t.Type)+".")
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "The request is not a JSON object of the form that is documented.").WithCause(err)
	}
	return raw, nil
}

// maxNamed is how many bytes of a name from outside are repeated in an answer.
const maxNamed = 64

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxNamed)], "�") }

// fieldsOf are the members that a struct is read from.
func fieldsOf(v any) map[string]bool {
	t := reflect.TypeOf(v).Elem()
	out := make(map[string]bool, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = true
	}
	return out
}

func inWords(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the kinds that a request is made of
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}
