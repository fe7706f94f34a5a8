package httpmw

import (
	"net/http"
	"slices"
	"strings"
)

// Audience says who may use a route.
type Audience string

// The audiences. LinkHolder routes show something only to who has a share link in force, Invited ones to who has the link of
// an invitation.
const (
	Everybody  Audience = "everybody"
	LinkHolder Audience = "link holder"
	Invited    Audience = "invited"
	SignedIn   Audience = "signed in"
)

// Route is one route of the server: a pattern of net/http, who may use it, and in words what limits there are beside those
// of every request, such as the size of a body and how often somebody may come.
type Route struct {
	Pattern  string
	Audience Audience
	Limits   string
	Handler  http.Handler
}

// Handle adds routes to mux, and for each path that is there for some methods only an answer to the others: refuse, with
// what is allowed in the Allow header. Paths below an except are left to the route that is there for all of them.
func Handle(mux *http.ServeMux, routes []Route, refuse http.Handler, except ...string) {
	allowed := map[string][]string{}
	for _, r := range routes {
		mux.Handle(r.Pattern, r.Handler)
		method, path, ok := strings.Cut(r.Pattern, " ")
		if !ok || slices.ContainsFunc(except, func(p string) bool { return strings.HasPrefix(path, p) }) {
			continue
		}
		allowed[path] = append(allowed[path], method)
		if method == http.MethodGet {
			allowed[path] = append(allowed[path], http.MethodHead)
		}
	}
	for path, methods := range allowed {
		allow := strings.Join(methods, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			refuse.ServeHTTP(w, r)
		})
	}
}
