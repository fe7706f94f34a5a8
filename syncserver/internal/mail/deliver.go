package mail

import (
	"context"
	"time"

	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/store"
)

// idle is how long a connection is kept for the next mail: those that are due together follow each other at once.
const idle = 2 * time.Second

// lane sends mails over one connection at a time, until stop ends: the mail under way is finished, unless cut ends too.
func (o *Office) lane(stop, cut context.Context) {
	var c *relay.Conn
	hangUp := func() {
		if c != nil {
			c.Close(cut)
			c = nil
		}
	}
	defer hangUp()
	for {
		quiet := time.NewTimer(idle)
		expired := quiet.C
		if c == nil {
			expired = nil
		}
		select {
		case <-stop.Done():
			quiet.Stop()
			return
		case <-expired:
			hangUp()
		case group := <-o.work:
			var out outcome
			c, out = o.deliver(stop, cut, c, group)
			select {
			case o.back <- out:
			case <-stop.Done():
			}
		}
		quiet.Stop()
	}
}

// deliver sends mails to one address in order and notes what came of each. It takes the connection that is there, nil if
// none is, and returns the one that is there afterwards.
func (o *Office) deliver(stop, cut context.Context, c *relay.Conn, group []store.Mail) (*relay.Conn, outcome) {
	out := outcome{to: group[0].To}
	for i, m := range group {
		if stop.Err() != nil || !o.wanted(cut, m) {
			continue
		}
		var f *relay.Error
		c, f = o.send(cut, c, m)
		switch {
		case f == nil:
			o.sent(cut, m)
			continue
		case cut.Err() != nil:
			return c, out // we broke it off ourselves: it will be sent by whoever comes next
		case f.Permanent():
			o.settle(cut, group[i:i+1], f)
			continue
		}
		o.settle(cut, group[i:], f) // those behind it wait, too
		if f.Shared() {
			out.shared = f
		}
		break
	}
	return c, out
}

// send sends one mail, and connects for it if need be.
func (o *Office) send(ctx context.Context, c *relay.Conn, m store.Mail) (*relay.Conn, *relay.Error) {
	for {
		if c == nil {
			var f *relay.Error
			if c, f = o.dialer.Dial(ctx); f != nil {
				return nil, f
			}
		}
		f := c.Send(ctx, o.cfg.From.Address, m.To, m.Data)
		if f == nil || c.Usable() {
			return c, f
		}
		c.Close(ctx)
		c = nil
		if !f.Early || ctx.Err() != nil {
			return nil, f
		}
	}
}

// wanted tells whether a mail is still to be sent: it was not taken back, and the invitation that it brings, if it brings
// one, is open and has not been sent anew. A mail that nobody wants any more is forgotten.
func (o *Office) wanted(ctx context.Context, m store.Mail) bool {
	var there, wanted bool
	look := func(tx store.Tx) error {
		_, ok, err := tx.Outbox().Get(m.ID)
		if there, wanted = ok, ok; err != nil || !ok || m.Invitation == "" {
			return err //nolint:wrapcheck // the store's
		}
		inv, ok, err := tx.Invitations().Get(m.Invitation)
		wanted = ok && inv.State == store.InvitationOpen && inv.Mail == m.ID
		return err //nolint:wrapcheck // the store's
	}
	if err := o.cfg.Store.View(ctx, look); err != nil {
		return false // it stays in the outbox
	}
	if there && !wanted {
		o.update(ctx, func(tx store.Tx) error {
			if err := look(tx); err != nil || wanted {
				return err
			}
			return tx.Outbox().Delete(m.ID) //nolint:wrapcheck // the store's
		})
	}
	return wanted
}
