package httpweb

import (
	"net/http"
	"net/url"
	"strconv"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/page"
)

// share shows the dashboard behind a link (rules L1, L2).
func (s *Site) share(w http.ResponseWriter, r *http.Request) {
	s.serveShare(w, r, sharing.Token(r.PathValue("token")))
}

func (s *Site) serveShare(w http.ResponseWriter, r *http.Request, t sharing.Token) {
	doc, err := s.cfg.Pages.Document(r.Context(), t, s.proof(r, t), options(r))
	if err != nil {
		s.turnAway(w, r, t, err, nil)
		return
	}
	doc.ServeHTTP(w, r)
}

// options are what the address of a share page asks for (rules E1-E4).
func options(r *http.Request) (o page.Options) {
	if r.URL.RawQuery != "" {
		o = page.ParseOptions(r.URL.Query())
	}
	return o
}

// live is the websocket of a share page. The viewer says in v which version it holds, and shows its session in the cookie or,
// where browsers keep cookies from frames, in a subprotocol (rule P3).
func (s *Site) live(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		s.notFound.ServeHTTP(w, r)
		return
	}
	have, err := strconv.ParseUint(r.URL.Query().Get("v"), 10, 64)
	if err != nil {
		have = 0
	}
	t := sharing.Token(r.PathValue("token"))
	if err := s.cfg.Pages.Live(w, r, t, s.liveProof(r, t), have, s.cfg.Clients.Key(r)); err != nil {
		s.refuse(w, r, err)
	}
}

// short leads from a short link to the share page with the same query, which may hold parameters of the page (rules S1,
// E4). Misses are counted by client: whoever has spent theirs learns nothing any more, not even of links that are there.
func (s *Site) short(w http.ResponseWriter, r *http.Request) {
	client := s.cfg.Clients.Key(r)
	now := s.cfg.Now()
	if err := s.misses.Check(client, now); err != nil {
		s.refuse(w, r, tooManyMisses(err))
		return
	}
	t, err := s.cfg.Core.ShortLink(r.Context(), r.PathValue("short"))
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			_ = s.misses.Take(client, now) // whether it was the last one is asked the next time
		}
		s.refuse(w, r, err)
		return
	}
	to := url.URL{Path: "/share/" + t.Reveal(), RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", to.String())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusFound)
}

func tooManyMisses(err error) error {
	return fault.New(fault.Busy, "Too many links that do not work were tried from your address.").WithHint("Wait a minute, then try again.").WithCause(err)
}
