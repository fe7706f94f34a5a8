package bridge

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
)

// statusOf is the one table from a kind of failure to an HTTP status.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Denied:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Conflict:
		return http.StatusConflict
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Busy:
		return http.StatusTooManyRequests
	case fault.Outdated:
		return http.StatusPreconditionFailed
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
	}
	return http.StatusInternalServerError
}

// answer sends v as JSON.
func (b *Bridge) answer(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		b.fail(w, r, err)
		return
	}
	b.send(w, r, http.StatusOK, "application/json; charset=utf-8", body)
}

// fail sends err's fault. What is not a fault, or an internal one, is logged here and nowhere else.
func (b *Bridge) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal && r.Context().Err() == nil && f != b.failure {
		b.deps.Log.ErrorContext(r.Context(), "call failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	b.sendFault(w, r, f)
}

func (b *Bridge) sendFault(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	body, err := json.Marshal(map[string]*fault.Error{"error": f})
	if err != nil {
		body = []byte(`{"error":{"kind":"internal","message":"Something went wrong inside the program."}}`)
	}
	b.send(w, r, statusOf(f.Kind), "application/json; charset=utf-8", body)
}

func (b *Bridge) send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil { //nolint:gosec // not HTML made here: JSON, CSV, or the built page, each with its type and nosniff
		b.deps.Log.DebugContext(r.Context(), "answer not delivered", "path", r.URL.Path, "error", err)
	}
}

// body reads at most limit bytes of the request.
func body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, screen.TooLarge(limit)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, screen.TooLarge(limit)
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The request did not arrive whole.").WithCause(err)
	}
	return data, nil
}

// decode reads the request's JSON into v, see screen.Read.
func decode(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	data, err := body(w, r, limit)
	if err != nil {
		return err
	}
	return screen.Read(data, v)
}
