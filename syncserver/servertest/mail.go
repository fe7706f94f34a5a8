package servertest

import (
	"bytes"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
)

// Letter is a mail that the server sent.
type Letter struct {
	Subject, Text, HTML string
	// Links are the addresses in Text, in order.
	Links []string
}

var links = regexp.MustCompile(`https?://[^\s<>"]+`)

// Mail waits for a letter to an address, the one after the skip oldest ones.
func (s *Server) Mail(to string, skip int) Letter {
	s.t.Helper()
	for range 500 {
		all, err := s.server.Waiting(s.t.Context(), to)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(all) > skip {
			return read(s.t, all[skip].Data)
		}
		time.Sleep(20 * time.Millisecond) //nolint:forbidigo // waits for the server's doing, which nothing announces
	}
	s.t.Fatalf("no mail for %s", to)
	return Letter{}
}

func read(tb testing.TB, data []byte) (l Letter) {
	tb.Helper()
	r, err := mail.CreateReader(bytes.NewReader(data))
	if err != nil {
		tb.Fatalf("read a mail: %v", err)
	}
	if l.Subject, err = r.Header.Subject(); err != nil {
		tb.Fatalf("read a subject: %v", err)
	}
	for {
		p, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // as the library says
			break
		}
		if err != nil {
			tb.Fatalf("read a part: %v", err)
		}
		b, err := io.ReadAll(p.Body)
		if err != nil {
			tb.Fatalf("read a part: %v", err)
		}
		if h, ok := p.Header.(*mail.InlineHeader); ok {
			if t, _, _ := h.ContentType(); t == "text/html" {
				l.HTML = string(b)
			} else {
				l.Text = string(b)
			}
		}
	}
	l.Links = links.FindAllString(l.Text, -1)
	return l
}
