package bridge

import (
	"net/http"
	"net/url"

	"widgets.pro/shared/fault"
)

// offered says whether the program did what it was asked, or has no means to and leaves it to the page.
type offered struct {
	Done bool `json:"done"`
}

const maxURL = 8 << 10 // bytes

// openable reports whether u may go to a program outside: no files, scripts or options of a command.
func openable(u *url.URL) bool {
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return u.Opaque != ""
	}
	return false
}

func (b *Bridge) external(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		b.fail(w, r, err)
		return
	}
	u, err := url.Parse(in.URL)
	if err != nil || len(in.URL) > maxURL || !openable(u) {
		b.fail(w, r, fault.Field("url", "Only web and mail addresses can be opened."))
		return
	}
	if b.deps.System == nil {
		b.answer(w, r, offered{})
		return
	}
	if err := b.deps.System.OpenURL(u.String()); err != nil {
		b.fail(w, r, fault.New(fault.Unavailable, "The link could not be opened.").WithHint("Copy it into a browser by hand.").WithCause(err))
		return
	}
	b.answer(w, r, offered{Done: true})
}

func (b *Bridge) clipboard(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if err := decode(w, r, maxEdits, &in); err != nil {
		b.fail(w, r, err)
		return
	}
	if b.deps.System == nil {
		b.answer(w, r, offered{})
		return
	}
	if err := b.deps.System.SetClipboard(in.Text); err != nil {
		b.fail(w, r, fault.New(fault.Unavailable, "The clipboard could not be written.").WithHint("Select the text and copy it by hand.").WithCause(err))
		return
	}
	b.answer(w, r, offered{Done: true})
}
