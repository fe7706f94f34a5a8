package mail

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Letter is one of the letters of this package.
type Letter interface {
	to() string
	content() content
}

// ConfirmSignUp asks whoever reads the address to finish signing up. Expires is when the link ends, if it does.
type ConfirmSignUp struct {
	To, URL string
	Expires time.Time
}

// AlreadyHere tells the owner of an account that somebody wanted to sign up with its address.
type AlreadyHere struct{ To, LogIn, Reset string }

// ResetPassword brings the link by which another password can be set.
type ResetPassword struct {
	To, URL string
	Expires time.Time
}

// NoAccount tells somebody who asked for another password that the address has no account here.
type NoAccount struct{ To, SignUp string }

// ConfirmAddress asks whoever reads the new address of an account, or its present one, to prove it.
type ConfirmAddress struct {
	To, URL string
	Expires time.Time
}

// Changed tells the owner of an account, at the address from before, of a change that could be a thief's. What is a
// sentence.
type Changed struct{ To, What string }

// Deleted tells the owner of an account, at its address, that it is gone.
type Deleted struct{ To string }

// Invite invites to a dashboard or to an organisation. By is who invites, What its title or name, As the role in words,
// such as "to view" or "as an editor".
type Invite struct {
	To, By, What, As, Message, URL string
	Organisation                   bool
	Expires                        time.Time
}

func (l ConfirmSignUp) to() string  { return l.To }
func (l AlreadyHere) to() string    { return l.To }
func (l ResetPassword) to() string  { return l.To }
func (l NoAccount) to() string      { return l.To }
func (l ConfirmAddress) to() string { return l.To }
func (l Changed) to() string        { return l.To }
func (l Deleted) to() string        { return l.To }
func (l Invite) to() string         { return l.To }

// content is what a letter says, in the order in which it says it. Every text is one line, but for those of the quote.
type content struct {
	Subject, Title string
	Before         []string // paragraphs
	Quote          []string // lines that somebody else wrote
	Quoted         string   // who
	Button, Other  link
	After          []string // paragraphs in small print
}

type link struct{ Label, URL string }

const unexpected = "If you did not expect this mail, ignore it: nothing happens then."

func (l ConfirmSignUp) content() content {
	return content{
		Subject: "Confirm your address", Title: "Confirm your address",
		Before: []string{"Somebody, most likely you, is making an account with this address. Confirm that it is yours, and the account is ready."},
		Button: link{"Confirm address", l.URL},
		After:  []string{"The link works once" + until(l.Expires) + ".", unexpected},
	}
}

func (l AlreadyHere) content() content {
	return content{
		Subject: "You have an account already", Title: "You have an account already",
		Before: []string{"Somebody, most likely you, wanted to make an account with this address. There is one already: log in with its password, or choose another if you have forgotten it."},
		Button: link{"Log in", l.LogIn}, Other: link{"Choose another password", l.Reset},
		After: []string{"If it was not you, ignore this mail: nothing was changed."},
	}
}

func (l ResetPassword) content() content {
	return content{
		Subject: "Choose another password", Title: "Choose another password",
		Before: []string{"Somebody, most likely you, asked for another password for the account with this address."},
		Button: link{"Choose a password", l.URL},
		After:  []string{"The link works once" + until(l.Expires) + ".", "If it was not you, ignore this mail: your password stays as it is."},
	}
}

func (l NoAccount) content() content {
	return content{
		Subject: "There is no account with this address", Title: "There is no account with this address",
		Before: []string{"Somebody, most likely you, asked for another password for an account with this address. There is none. You may have signed up with another address, or you can make an account with this one."},
		Button: link{"Make an account", l.SignUp},
		After:  []string{unexpected},
	}
}

func (l ConfirmAddress) content() content {
	return content{
		Subject: "Confirm your address", Title: "Confirm your address",
		Before: []string{"This address was entered as that of an account. Confirm that it is yours."},
		Button: link{"Confirm address", l.URL},
		After:  []string{"The link works once" + until(l.Expires) + ".", unexpected},
	}
}

func (l Changed) content() content {
	return content{
		Subject: "Your account was changed", Title: "Your account was changed",
		Before: []string{line(l.What, maxSentence)},
		After:  []string{"If it was not you, choose another password for your account at once, and for your mailbox too if others may have been in it."},
	}
}

func (l Deleted) content() content {
	return content{
		Subject: "Your account was deleted", Title: "Your account was deleted",
		Before: []string{"Your account was deleted, as somebody who knows its password asked. Nothing of it is left on the server."},
		After:  []string{"If it was not you, tell whoever runs the server, and choose another password for your mailbox too if others may have been in it."},
	}
}

func (l Invite) content() content {
	by, what, as := line(l.By, maxName), line(l.What, maxName), line(l.As, maxName)
	if by == "" {
		by = "Somebody"
	}
	if what == "" {
		what = "Untitled"
	}
	c := content{
		Subject: by + " invites you to “" + what + "”",
		Title:   by + " invites you to “" + what + "”",
		Button:  link{"See the invitation", l.URL},
		Quote:   lines(l.Message), Quoted: by,
		After: []string{
			"The link is meant for " + l.To + " alone and works once" + until(l.Expires) + ". You will need an account with this address; if you have none, you make it on the way.",
			unexpected,
		},
	}
	kind := "a dashboard"
	if l.Organisation {
		kind = "an organisation"
	}
	c.Before = []string{"“" + what + "” is " + kind + ". You are invited " + as + "."}
	if as == "" {
		c.Before = []string{"“" + what + "” is " + kind + "."}
	}
	if len(c.Quote) == 0 {
		c.Quoted = ""
	}
	return c
}

// until says when a link ends, in words and without doubt about the time zone.
func until(t time.Time) string {
	if t.IsZero() {
		return ", for a short while"
	}
	return ", until " + t.UTC().Format("Monday, 2 January 2006, 15:04") + " (UTC)"
}

// Lengths of what others write, in characters; what is longer is cut.
const (
	maxName     = 100
	maxSentence = 500
	maxLines    = 60 // of a message
)

// line makes one line of a text that somebody else wrote: nothing in it can end a line, hide, or turn the direction in
// which the rest is read (rule B2).
func line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(visible(text), unicode.IsSpace), " ")
	if utf8.RuneCountInString(text) > most {
		text = strings.TrimSpace(string([]rune(text)[:most-1])) + "…"
	}
	return text
}

// lines makes lines of a message.
func lines(text string) (out []string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return nil
	}
	for l := range strings.SplitSeq(text, "\n") {
		out = append(out, strings.TrimRightFunc(visible(l), unicode.IsSpace))
	}
	if len(out) > maxLines {
		out = append(out[:maxLines-1], "…")
	}
	return out
}

// visible takes away what is no visible character and no space: controls, and marks that turn the direction of writing. The
// joiners of scripts and of emoji stay.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
