package mail

import (
	"strings"

	"widgets.pro/syncserver/internal/mail/relay"
)

// domainOf is what stands behind the @ of an address.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// reason is why a mail to an address was not delivered, for whoever had it sent: nothing in it is the mail server's own
// words, nor tells how this server is set up.
func reason(f *relay.Error, to string) string {
	switch f.Cause {
	case relay.Unreachable, relay.Broken:
		return "The mail server could not be reached."
	case relay.Insecure:
		return "The connection to the mail server was not safe, so nothing was sent. Whoever runs this server has to see to it."
	case relay.Unauthorised:
		return "The mail server did not let this server in. Whoever runs this server has to see to it."
	case relay.Unsupported:
		return "The mail server cannot send to an address with such letters in it."
	case relay.Refused:
	}
	return refusal(f, domainOf(to))
}

// refusal reads the codes of a reply: the enhanced one (RFC 3463) where it says more than its class, and else the plain one.
func refusal(f *relay.Error, domain string) string {
	unknown := "The mail server of " + domain + " does not know this address."
	later := "The mail server of " + domain + " asked to try again later."
	full := "The mailbox is full."
	if f.Step == relay.Sender && f.Permanent() {
		return "The mail server does not take mail from this server. Whoever runs this server has to see to it."
	}
	switch [2]int{f.Enhanced[1], f.Enhanced[2]} {
	case [2]int{1, 2}, [2]int{1, 8}, [2]int{1, 10}, [2]int{4, 4}: // no such system, one that takes no mail, no way to it
		return "There is no mail server for " + domain + "."
	case [2]int{1, 0}, [2]int{1, 1}, [2]int{1, 3}, [2]int{1, 6}: // no such mailbox
		return unknown
	case [2]int{2, 1}:
		return "This mailbox takes no mail at present."
	case [2]int{2, 2}:
		return full
	case [2]int{2, 3}, [2]int{3, 4}:
		return "The mail is too large for the mail server of " + domain + "."
	}
	refused := "The mail server of " + domain + " refused the mail."
	switch {
	case f.Code == 552 || f.Code == 452:
		return full
	case f.Code/100 == 4:
		return later
	case f.Enhanced[1] == 7: // security or policy
		return refused
	case f.Step == relay.Recipient && (f.Code == 550 || f.Code == 551 || f.Code == 553):
		return unknown
	}
	return refused
}
