package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	texttemplate "text/template"

	message "github.com/emersion/go-message/mail"
	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/store"
)

//go:embed letter.html letter.txt
var templates embed.FS

//nolint:gochecknoglobals // constants: the templates are files of this package
var (
	asHTML = htmltemplate.Must(htmltemplate.ParseFS(templates, "letter.html"))
	asText = texttemplate.Must(texttemplate.ParseFS(templates, "letter.txt"))
)

// Compose writes a letter, ready to be queued. It reads clock and randomness, so it belongs outside the transaction. It
// fails with an Invalid fault if the address is none.
func (o *Office) Compose(l Letter) (store.Mail, error) {
	to, f := sharing.NormaliseEmail(l.to())
	if f != nil {
		return store.Mail{}, f
	}
	now := o.cfg.Now()
	u, err := ulid.New(ulid.Timestamp(now), o.ids)
	if err != nil {
		return store.Mail{}, fmt.Errorf("make a mail's id: %w", err)
	}
	c := l.content()
	var h message.Header
	h.SetDate(now.UTC())
	h.SetMessageID(u.String() + "@" + domainOf(o.cfg.From.Address))
	h.SetAddressList("From", []*message.Address{{Name: line(o.cfg.From.Name, maxName), Address: o.cfg.From.Address}})
	address, _ := relay.ASCII(to)
	h.SetAddressList("To", []*message.Address{{Address: address}})
	h.SetSubject(c.Subject)
	h.Set("Auto-Submitted", "auto-generated")           // RFC 3834: no out-of-office notes, please
	h.Set("X-Auto-Response-Suppress", "OOF, AutoReply") // the same, as Exchange understands it
	var data bytes.Buffer
	if err := o.write(&data, h, c); err != nil {
		return store.Mail{}, fmt.Errorf("write a mail: %w", err)
	}
	if data.Len() > MaxSize {
		return store.Mail{}, fault.New(fault.TooLarge, "The mail is too large.")
	}
	return store.Mail{
		ID: store.MailID("mail_" + u.String()), To: to, Data: data.Bytes(), Created: now.UnixMilli(), Next: now.UnixMilli(),
	}, nil
}

func (o *Office) write(out io.Writer, h message.Header, c content) error {
	w, err := message.CreateInlineWriter(out, h)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by the caller
	}
	what := struct {
		content
		Host string
	}{c, o.host}
	part := func(kind string, fill func(io.Writer, any) error) error {
		var h message.InlineHeader
		h.SetContentType(kind, map[string]string{"charset": "utf-8"})
		p, err := w.CreatePart(h)
		if err != nil {
			return err //nolint:wrapcheck // wrapped by the caller
		}
		if err := fill(p, what); err != nil {
			return err
		}
		return p.Close() //nolint:wrapcheck // wrapped by the caller
	}
	if err := part("text/plain", asText.Execute); err != nil {
		return err
	}
	if err := part("text/html", asHTML.Execute); err != nil {
		return err
	}
	return w.Close() //nolint:wrapcheck // wrapped by the caller
}
