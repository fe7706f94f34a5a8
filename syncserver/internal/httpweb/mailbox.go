package httpweb

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/internal/httpmw"
)

// Mailbox is the development mailbox; see devmail.Mailbox.
type Mailbox interface {
	List() []devmail.Mail
	Get(id string) (devmail.Mail, bool)
}

// letter is a mail as a page shows it.
type letter struct {
	ID, To, From, Subject, Machine, At string
	HTML                               bool
	Text                               []span
}

// span is a piece of text, or an address in it.
type span struct{ Text, URL string }

// MailboxPath is the page of the development mailbox.
const MailboxPath = "/dev/mail"

// mailboxRoutes lists the routes of the development mailbox: none if there is no mailbox.
func (s *Site) mailboxRoutes() []httpmw.Route {
	if s.cfg.Mailbox == nil {
		return nil
	}
	const limits = "only from this machine"
	return []httpmw.Route{
		{Pattern: "GET " + MailboxPath, Audience: httpmw.Everybody, Limits: limits, Handler: s.local(s.mailboxList)},
		{Pattern: "GET " + MailboxPath + ".json", Audience: httpmw.Everybody, Limits: limits, Handler: s.local(s.mailboxJSON)},
		{Pattern: "GET " + MailboxPath + "/{id}", Audience: httpmw.Everybody, Limits: limits, Handler: s.local(s.mailboxMail)},
		{Pattern: "GET " + MailboxPath + "/{id}/html", Audience: httpmw.Everybody, Limits: limits, Handler: s.local(s.mailboxHTML)},
	}
}

// local answers this machine only: not what comes through a proxy on it, nor pages that a name server had sent here. To
// everybody else there is nothing.
func (s *Site) local(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		forwarded := r.Header.Get("X-Forwarded-For") + r.Header.Get("Forwarded") + r.Header.Get("X-Real-Ip")
		if err != nil || !peer.Addr().Unmap().IsLoopback() || forwarded != "" || !s.ownName(r.Host) {
			s.notFound.ServeHTTP(w, r)
			return
		}
		h(w, r)
	})
}

// ownName tells whether a Host header names this machine or the public address.
func (s *Site) ownName(host string) bool {
	u, err := url.Parse("http://" + host)
	if err != nil {
		return false
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.IsLoopback() {
		return true
	}
	return u.Hostname() == "localhost" || strings.TrimPrefix(strings.TrimPrefix(s.cfg.Base, "https://"), "http://") == host
}

func (s *Site) mailboxList(w http.ResponseWriter, r *http.Request) {
	all := s.cfg.Mailbox.List()
	list := make([]letter, 0, len(all))
	for _, m := range all {
		list = append(list, shownLetter(m))
	}
	s.page(w, r, http.StatusOK, "mailbox.html", list)
}

func (s *Site) mailboxJSON(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(s.cfg.Mailbox.List()); err != nil {
		s.cfg.Logger.DebugContext(r.Context(), "mailbox could not be written", "error", err)
	}
}

func (s *Site) mailboxMail(w http.ResponseWriter, r *http.Request) {
	m, ok := s.cfg.Mailbox.Get(r.PathValue("id"))
	if !ok {
		s.notFound.ServeHTTP(w, r)
		return
	}
	l := shownLetter(m)
	l.Text = spans(m.Text)
	if f := s.draw(w, r, http.StatusOK, "mail.html", l); f != nil {
		f.policy = []string{s.policy[0] + "; frame-src 'self'"}
		f.ServeHTTP(w, r)
	}
}

// mailboxHTML is a mail's own page. It stands in a frame where nothing runs and nothing is loaded, and where links open
// elsewhere: a mail is as foreign here as in any mail program (rule B2).
func (s *Site) mailboxHTML(w http.ResponseWriter, r *http.Request) {
	m, ok := s.cfg.Mailbox.Get(r.PathValue("id"))
	if !ok || m.HTML == "" {
		s.notFound.ServeHTTP(w, r)
		return
	}
	h := w.Header()
	h.Del("X-Frame-Options")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox")
	h["Content-Type"] = htmlType
	_, _ = w.Write([]byte(m.HTML)) // a client that went away is no failure
}

func shownLetter(m devmail.Mail) letter {
	at := time.UnixMilli(m.At).UTC()
	return letter{
		ID: m.ID, To: m.To, From: m.From, Subject: m.Subject, HTML: m.HTML != "",
		Machine: at.Format(time.RFC3339), At: at.Format("2 January 2006, 15:04:05") + " (UTC)",
	}
}

var addresses = regexp.MustCompile(`https?://[^\s<>"]+`)

// spans finds the addresses in a text.
func spans(text string) (out []span) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	end := 0
	for _, at := range addresses.FindAllStringIndex(text, -1) {
		out = append(out, span{Text: text[end:at[0]]}, span{URL: text[at[0]:at[1]]})
		end = at[1]
	}
	return append(out, span{Text: text[end:]})
}
