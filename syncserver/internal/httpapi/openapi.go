package httpapi

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var description []byte // never changed

// Description is the description of the API in the form of OpenAPI 3.1 (JSON). It must not be changed.
func Description() []byte { return description }

func describe(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(description) // the client may have gone; there is nobody to tell
}
