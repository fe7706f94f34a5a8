package mail_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/mail"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	message "github.com/emersion/go-message/mail"

	"widgets.pro/shared/fault"
	letters "widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const base = "https://dash.example.org"

func office(t *testing.T, from string) *letters.Office {
	t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "server.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	o, err := letters.New(letters.Config{
		Store: st, Now: time.Now, Random: rand.Reader, Base: base,
		From: mail.Address{Name: from, Address: "no-reply@example.org"}, Server: relay.Server{Host: "localhost", Port: 25},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// read is a mail as a program reads it.
type read struct {
	header     message.Header
	subject    string
	text, html string
	parts      []string
}

func parse(t *testing.T, data []byte) (m read) {
	t.Helper()
	for l := range bytes.SplitSeq(data, []byte("\r\n")) {
		if len(l) > 998 || bytes.ContainsAny(l, "\r\n") || bytes.ContainsFunc(l, func(r rune) bool { return r > 126 }) {
			t.Errorf("a line that is too long, or not plain: %q", l)
		}
	}
	r, err := message.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	m.header = r.Header
	if m.subject, err = r.Header.Subject(); err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := p.Header.(*message.InlineHeader).ContentType()
		if err != nil {
			t.Fatal(err)
		}
		m.parts = append(m.parts, kind)
		switch kind {
		case "text/plain":
			m.text = strings.ReplaceAll(string(b), "\r\n", "\n")
		case "text/html":
			m.html = string(b)
		}
	}
}

func compose(t *testing.T, o *letters.Office, l letters.Letter) read {
	t.Helper()
	m, err := o.Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, m.Data)
}

func invite() letters.Invite {
	return letters.Invite{
		To: "bob@example.org", By: "Ann", What: "Sales", As: "as an editor", Message: "Have a look.\n\nAnn", URL: base + "/invite/ivt_secret",
		Expires: time.Date(2026, 12, 4, 9, 30, 0, 0, time.UTC),
	}
}

func TestI2_ALetterIsTextAndHTMLAlike(t *testing.T) {
	t.Parallel()
	o := office(t, "Widgets")
	for name, c := range map[string]struct {
		letter  letters.Letter
		subject string
		says    []string
	}{
		"invitation": {invite(), "Ann invites you to “Sales”", []string{"“Sales” is a dashboard. You are invited as an editor.", "Have a look.", base + "/invite/ivt_secret", "until Friday, 4 December 2026, 09:30 (UTC)", "did not expect", "bob@example.org"}},
		"to an organisation": {
			letters.Invite{To: "bob@example.org", By: "Ann", What: "Firm", As: "as a member", URL: base + "/invite/ivt_2", Organisation: true},
			"Ann invites you to “Firm”",
			[]string{"“Firm” is an organisation. You are invited as a member.", base + "/invite/ivt_2"},
		},
		"sign-up":      {letters.ConfirmSignUp{To: "bob@example.org", URL: base + "/confirm/1"}, "Confirm your address", []string{base + "/confirm/1", "ignore it"}},
		"already here": {letters.AlreadyHere{To: "bob@example.org", LogIn: base + "/login", Reset: base + "/reset"}, "You have an account already", []string{base + "/login", base + "/reset"}},
		"reset":        {letters.ResetPassword{To: "bob@example.org", URL: base + "/reset/1"}, "Choose another password", []string{base + "/reset/1", "stays as it is"}},
		"no account":   {letters.NoAccount{To: "bob@example.org", SignUp: base + "/signup"}, "There is no account with this address", []string{base + "/signup"}},
		"address":      {letters.ConfirmAddress{To: "bob@example.org", URL: base + "/confirm/2"}, "Confirm your address", []string{base + "/confirm/2"}},
		"changed":      {letters.Changed{To: "bob@example.org", What: "Your password was changed."}, "Your account was changed", []string{"Your password was changed."}},
		"deleted":      {letters.Deleted{To: "bob@example.org"}, "Your account was deleted", []string{"Nothing of it is left", "whoever runs the server"}},
	} {
		m := compose(t, o, c.letter)
		if m.subject != c.subject {
			t.Errorf("%s: subject %q", name, m.subject)
		}
		if kind, _, _ := m.header.ContentType(); kind != "multipart/alternative" || strings.Join(m.parts, " ") != "text/plain text/html" {
			t.Errorf("%s: %s of %v", name, kind, m.parts)
		}
		for _, s := range c.says {
			if !strings.Contains(m.text, s) || !strings.Contains(m.html, s) {
				t.Errorf("%s: %q is missing in\n%s\n%s", name, s, m.text, m.html)
			}
		}
		if strings.Contains(m.html, "src=") || strings.Contains(m.html, "<table") || !strings.Contains(m.html, "prefers-color-scheme:dark") {
			t.Errorf("%s: loads something, or has no dark colours:\n%s", name, m.html)
		}
		if m.header.Get("Auto-Submitted") != "auto-generated" || m.header.Get("From") != `"Widgets" <no-reply@example.org>` || m.header.Get("To") != "<bob@example.org>" {
			t.Errorf("%s: %v", name, m.header.Map())
		}
	}
}

func TestI7_AMailHasItsIDForGood(t *testing.T) {
	t.Parallel()
	o := office(t, "Widgets")
	seen := map[string]bool{}
	last := ""
	for range 100 {
		m, err := o.Compose(invite())
		if err != nil {
			t.Fatal(err)
		}
		h := parse(t, m.Data).header
		id, err := h.MessageID()
		if err != nil || !strings.HasSuffix(id, "@example.org") || "mail_"+strings.TrimSuffix(id, "@example.org") != string(m.ID) || seen[id] {
			t.Fatalf("%s: id %q, %v", m.ID, id, err)
		}
		seen[id] = true
		if string(m.ID) <= last {
			t.Errorf("%s comes after %s", m.ID, last)
		}
		last = string(m.ID)
	}
}

func TestB2_I7_TextIsNeverHeaderOrMarkup(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"line ends":     "Sales\r\nBcc: eve@example.org\r\n\r\n<p>Hello",
		"one return":    "Sales\rBcc: eve@example.org",
		"one new line":  "Sales\nBcc: eve@example.org",
		"other ends":    "Sales\u2028Bcc: eve@example.org\u2029\u0085Bcc: eve@example.org\v\f",
		"encoded":       "=?utf-8?q?Sales=0D=0ABcc:_eve@example.org?=",
		"markup":        `<script>alert(1)</script>"><img src=x onerror=alert(1)>'"`,
		"template":      "{{.Host}} {{template \"x\"}}",
		"right to left": "\u202egro.elpmaxe\u202c \u2066x\u2069 \u200f",
		"nothing":       "\x00\u200b \t",
		"long":          strings.Repeat("Wörter und mehr ", 500),
		"emoji":         strings.Repeat("👩‍👩‍👧 ", 200),
		"not UTF-8":     "Sales \xff\xfe",
		"address":       "Eve <eve@example.org>, bob@example.org",
		"quotes":        `"Sales" \ "`,
	} {
		l := invite()
		l.By, l.What, l.As, l.Message = text, text, text, text
		m := compose(t, office(t, text), l)
		if fields := m.header.Map(); len(fields) != 9 || m.header.Has("Bcc") {
			t.Errorf("%s: %v", name, fields)
		}
		for _, key := range []string{"From", "To"} {
			list, err := m.header.AddressList(key)
			if err != nil || len(list) != 1 || list[0].Address != map[string]string{"From": "no-reply@example.org", "To": "bob@example.org"}[key] {
				t.Errorf("%s: %s is %v, %v", name, key, list, err)
			}
		}
		if len([]rune(m.subject)) > 250 {
			t.Errorf("%s: the subject has %d characters", name, len([]rune(m.subject)))
		}
		hidden := func(r rune) bool {
			return r != '\n' && r != '\u200d' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) || r == unicode.ReplacementChar
		}
		for what, s := range map[string]string{"subject": m.subject, "text": m.text, "html": strings.ReplaceAll(m.html, "\r\n", "\n")} {
			if i := strings.IndexFunc(s, hidden); i >= 0 {
				t.Errorf("%s: something hides in the %s: %q", name, what, s[i:])
			}
		}
		if strings.Contains(m.html, "<script") || strings.Contains(m.html, "<img") || strings.Count(m.html, "<p") > 12 {
			t.Errorf("%s: markup in\n%s", name, m.html)
		}
		if name == "markup" && (!strings.Contains(m.text, "> <script>alert(1)</script>") || !strings.Contains(m.html, "&lt;script&gt;")) {
			t.Errorf("%s: the text is not what was written:\n%s\n%s", name, m.text, m.html)
		}
	}
}

func TestB1_AMailNeedsAnAddress(t *testing.T) {
	t.Parallel()
	o := office(t, "Widgets")
	for _, to := range []string{"", "bob", "bob@example.org\r\nBcc: eve@example.org", "bob@example.org, eve@example.org", "Bob <bob@example.org>", "bob@example.org> SIZE=1", strings.Repeat("b", 250) + "@example.org"} {
		if _, err := o.Compose(letters.NoAccount{To: to, SignUp: base}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", to, err)
		}
	}
	l := letters.ConfirmSignUp{To: "Bob@Bücher.example", URL: base}
	if m, err := o.Compose(l); err != nil || m.To != "bob@bücher.example" {
		t.Errorf("%+v, %v", m, err)
	} else if h := parse(t, m.Data).header; h.Get("To") != "<bob@xn--bcher-kva.example>" {
		t.Errorf("to %q", h.Get("To"))
	}
}
