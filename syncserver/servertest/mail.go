package servertest

import (
	"regexp"
	"slices"
	"time"

	"widgets.pro/syncserver/internal/devmail"
)

// Letter is a mail that the server sent.
type Letter struct {
	Subject, Text, HTML string
	// Links are the addresses in Text, in order.
	Links []string
}

// patience bounds how long a test waits for mail.
const patience = 20 * time.Second

// keptMails is how many mails a test may look back on.
const keptMails = 100_000

var links = regexp.MustCompile(`https?://[^\s<>"]+`)

// Mail waits for a letter to an address, the one after the skip oldest ones. Letters stay over Restart.
func (s *Server) Mail(to string, skip int) Letter {
	s.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		changed := s.mailbox.Changed()
		if all := s.Mails(to); len(all) > skip {
			return all[skip]
		}
		select {
		case <-changed:
		case <-timeout.C:
			s.t.Fatalf("no mail for %s", to)
		case <-s.t.Context().Done():
			s.t.Fatalf("no mail for %s before the end", to)
		}
	}
}

// Mails are the letters to an address that have come so far, the oldest first.
func (s *Server) Mails(to string) (out []Letter) {
	for _, m := range slices.Backward(s.mailbox.List()) {
		if m.To == to {
			out = append(out, letter(m))
		}
	}
	return out
}

func letter(m devmail.Mail) Letter {
	return Letter{Subject: m.Subject, Text: m.Text, HTML: m.HTML, Links: links.FindAllString(m.Text, -1)}
}
