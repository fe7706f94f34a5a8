package httpapi

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/ratelimit"
)

// Status is the table from kinds of failure to HTTP statuses.
func Status(k fault.Kind) int {
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
		return http.StatusUnprocessableEntity
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Busy:
		return http.StatusTooManyRequests
	case fault.Outdated:
		return http.StatusUpgradeRequired
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
	}
	return http.StatusInternalServerError
}

// RetryAfter sets the header of that name if f was caused by a spent budget.
func RetryAfter(h http.Header, f *fault.Error) {
	if ex, ok := errors.AsType[*ratelimit.ExceededError](f); ok {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(max(ex.After, time.Second).Seconds()))))
	}
}

// WriteFault answers {"error": f} with the status of its kind.
func WriteFault(w http.ResponseWriter, f *fault.Error) {
	RetryAfter(w.Header(), f)
	if f.Kind == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, Status(f.Kind), map[string]*fault.Error{"error": f})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone; there is nobody to tell
}
