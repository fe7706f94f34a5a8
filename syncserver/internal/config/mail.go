package config

import (
	"errors"
	"net/mail"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail/relay"
)

// devFrom is whom mail comes from that stays in the mailbox for development.
const devFrom = "Widgets <no-reply@localhost>"

func parseMailServer(v string) (relay.Server, error) {
	if v == "" {
		return relay.Server{}, nil
	}
	return relay.Parse(v) //nolint:wrapcheck // says what the setting needs
}

// setMailPassword comes after the server's own setting in the table.
func (c *Config) setMailPassword(v string) error {
	switch {
	case v == "":
		return nil
	case c.Mail.User == "":
		return errors.New("goes with a mail server and a user: smtp-url has to name both")
	case c.Mail.Password != "":
		return errors.New("is in smtp-url too; give it once")
	}
	c.Mail.Password = relay.Secret(v)
	return nil
}

func parseFrom(v string) (mail.Address, error) {
	if v == "" {
		return mail.Address{}, nil
	}
	bad := errors.New("needs the form Widgets <no-reply@example.org>")
	a, err := mail.ParseAddress(v)
	if err != nil {
		return mail.Address{}, bad
	}
	if _, f := sharing.NormaliseEmail(a.Address); f != nil {
		return mail.Address{}, bad
	}
	if _, plain := relay.ASCII(a.Address); !plain {
		return mail.Address{}, errors.New("takes an address of plain letters only")
	}
	return *a, nil
}

func parseSwitch(v string) (bool, error) {
	if v != "true" && v != "false" {
		return false, errors.New("is true or false")
	}
	return v == "true", nil
}

// checkMail looks at the settings of mail together.
func (c *Config) checkMail() error {
	sends := c.Mail != (relay.Server{})
	problem := func(field, message string) error {
		f := fault.New(fault.Invalid, message)
		f.Field = field
		return f.WithHint("See --help.")
	}
	switch {
	case sends && c.DevMailbox:
		return problem("dev-mailbox", "With --dev-mailbox all mail stays here, so it does not go with --smtp-url.")
	case sends && c.From.Address == "":
		return problem("mail-from", "A mail server is named, but not whom mail comes from: --mail-from or WIDGETS_MAIL_FROM is missing.")
	case c.DevMailbox && c.From.Address == "":
		from, err := parseFrom(devFrom)
		c.From = from
		return err
	}
	return nil
}
