package httpapi

import (
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
)

// compressed is h with its answers compressed for clients that say that they take it, for answers that may be large. Their
// length betrays nothing: requests show a token, which pages of other sites cannot make a browser send.
func compressed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !takesGzip(r.Header.Values("Accept-Encoding")) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		h.ServeHTTP(gzipped{w, z}, r)
		_ = z.Close() // the client may have gone; there is nobody to tell
	})
}

// takesGzip reports whether the lines of an Accept-Encoding header name gzip without a condition.
func takesGzip(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		return slices.ContainsFunc(strings.Split(line, ","), func(part string) bool { return strings.TrimSpace(part) == "gzip" })
	})
}

// gzipped compresses what is written.
type gzipped struct {
	http.ResponseWriter
	z *gzip.Writer
}

// Write compresses p.
func (w gzipped) Write(p []byte) (int, error) { return w.z.Write(p) } //nolint:wrapcheck // passed on as it is
