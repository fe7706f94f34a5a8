package httpmw

import (
	"net/http"
	"net/netip"
	"strings"

	"widgets.pro/syncserver/internal/ratelimit"
)

// maxHops bounds how many entries of X-Forwarded-For are looked at.
const maxHops = 16

// Clients tells which address a request came from. The zero Clients trusts no proxy.
type Clients struct {
	trusted []netip.Prefix
}

// NewClients returns a Clients that believes the X-Forwarded-For header of the proxies in trusted, and of nobody else
// (rule P6).
func NewClients(trusted []netip.Prefix) Clients { return Clients{trusted: trusted} }

// Addr is the address of r's client: the peer's, or, if the peer is a trusted proxy, the right-most address in
// X-Forwarded-For that is no trusted proxy. What stands left of that was written by strangers. The zero Addr means that
// the connection has no network address.
func (c Clients) Addr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	if !c.trusts(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops); i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr
		}
		addr = hop
		if !c.trusts(addr) {
			return addr
		}
	}
	return addr
}

func parseHop(s string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil { // some proxies add the port
		return ap.Addr().Unmap().WithZone(""), nil
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap().WithZone(""), err //nolint:wrapcheck // only asked whether it failed
}

func (c Clients) trusts(a netip.Addr) bool {
	for _, p := range c.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Key is what limits count per client; see ratelimit.Client.
func (c Clients) Key(r *http.Request) string { return ratelimit.Client(c.Addr(r)) }
