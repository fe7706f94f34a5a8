package mail

import (
	"context"

	"widgets.pro/shared/fault"
)

// trial is the letter of Try, by the address that it goes to.
type trial string

func (l trial) to() string { return string(l) }

func (trial) content() content {
	return content{
		Subject: "This server can send mail", Title: "This server can send mail",
		Before: []string{"Whoever runs this server of widgets.pro tried whether its mail arrives. It does."},
		After:  []string{unexpected},
	}
}

// Try sends a letter at once, past the outbox, so that whoever runs the server sees whether it can send mail. Faults: Invalid
// for the address; Unavailable says at which step the mail server would not go on.
func (o *Office) Try(ctx context.Context, to string) error {
	if !o.Enabled() {
		return fault.New(fault.Unavailable, "No mail server is named, so no mail can be sent.").WithHint("Set smtp-url and mail-from.")
	}
	m, err := o.Compose(trial(to))
	if err != nil {
		return err
	}
	c, failed := o.send(ctx, nil, m)
	if c != nil {
		c.Close(ctx)
	}
	if failed != nil {
		return fault.Newf(fault.Unavailable, "The mail was not taken: %w.", failed).WithHint(reason(failed, m.To))
	}
	return nil
}
