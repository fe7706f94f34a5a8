package sharing

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of Origins.
const (
	MaxOrigins     = 20
	maxOriginBytes = 255
)

// ParseOrigin brings the address of a site into the form of an origin, which is also a host source of a Content Security
// Policy: scheme, host and, if it is not the scheme's own, port. A path behind it is left away, a missing scheme is
// https, and "*." before a host stands for all below it.
func ParseOrigin(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	scheme := "https"
	if before, rest, ok := strings.Cut(s, "://"); ok {
		scheme, s = before, rest
	}
	host, _, _ := strings.Cut(s, "/")
	host, port, hasPort := strings.Cut(host, ":")
	if (scheme != "https" && scheme != "http") || len(host) > maxOriginBytes || !isHost(strings.TrimPrefix(host, "*.")) {
		return "", false
	}
	if !hasPort {
		return scheme + "://" + host, true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return "", false
	}
	if (scheme == "https" && n == 443) || (scheme == "http" && n == 80) {
		return scheme + "://" + host, true
	}
	return scheme + "://" + host + ":" + port, true
}

// isHost reports whether s is a host name in letters, digits and hyphens, such as every name is on the wire.
func isHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// ParseOrigins makes Origins of a list; ok is false if one of them is none or there are too many.
func ParseOrigins(list []string) (o Origins, ok bool) {
	var all []string
	for _, s := range list {
		origin, ok := ParseOrigin(s)
		if !ok {
			return "", false
		}
		all = append(all, origin)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return Origins(strings.Join(all, " ")), len(all) <= MaxOrigins
}

// List is the origins one by one.
func (o Origins) List() []string { return strings.Fields(string(o)) }

// Within reports whether everything that o allows is named in other too.
func (o Origins) Within(other Origins) bool {
	if other == "" {
		return true
	}
	if o == "" {
		return false
	}
	theirs := other.List()
	for _, s := range o.List() {
		if !slices.Contains(theirs, s) {
			return false
		}
	}
	return true
}

// FrameAncestors is the source list of the Content Security Policy's directive of that name.
func (o Origins) FrameAncestors() string {
	if o == "" {
		return "*"
	}
	return string(o)
}
