package mail

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/store"
)

const (
	// Lifetime is how long a mail is tried.
	Lifetime = 48 * time.Hour

	againFirst = time.Minute // after the first try that failed; doubled each time
	againMost  = 2 * time.Hour

	// longest is how long the outbox is left alone at most while something waits in it: timers do not notice that the
	// machine was suspended or that its clock was set.
	longest = time.Minute

	retryFirst = time.Second // after the store failed; doubled each time
	retryMost  = time.Minute

	lookAtOnce   = 256 // mails that are read at once; what is beyond them has its turn later
	settleAtOnce = 64  // mails whose failure is noted in one transaction
)

// outcome is what came of the mails to one address. Shared is why none could be sent at all, to nobody.
type outcome struct {
	to     string
	shared *relay.Error
}

// run looks through the outbox and hands what is due to the lanes, all mails to one address to one lane, in order. The one
// place that knows what is under way is here.
func (o *Office) run(ctx context.Context) {
	var pending [][]store.Mail
	var failures int
	busy := map[string]bool{}
	for {
		sleep, wake := time.Duration(math.MaxInt64), o.wake
		if len(pending) == 0 {
			var next int64
			var err error
			pending, next, err = o.due(ctx, busy)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				sleep, wake = retryIn(failures), nil
				failures++
				o.cfg.Log.WarnContext(ctx, "outbox could not be read", "error", err, "retry_in", sleep)
			case len(busy) > 0:
				sleep, failures = longest, 0
			case next != 0:
				sleep, failures = min(longest, max(0, time.UnixMilli(next).Sub(o.cfg.Now()))), 0
			}
		}
		var work chan<- []store.Mail
		var first []store.Mail
		if len(pending) > 0 {
			// What is queued meanwhile is due later than what is pending, so nobody needs to look before that is handed out.
			work, first, wake = o.work, pending[0], nil
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case work <- first:
			busy[first[0].To] = true
			pending = pending[1:]
		case b := <-o.back:
			delete(busy, b.to)
			if b.shared != nil {
				o.failAll(ctx, pending, b.shared)
				pending = nil
			}
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// due reads the mails that are due, by address, but for those to busy addresses, and tells when the first of all is due, 0
// if none waits.
func (o *Office) due(ctx context.Context, busy map[string]bool) (groups [][]store.Mail, next int64, err error) {
	now := o.cfg.Now().UnixMilli()
	var all []store.Mail
	err = o.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		all, next, err = tx.Outbox().Due(now, lookAtOnce)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, 0, fmt.Errorf("look for mails that are due: %w", err)
	}
	at := map[string]int{}
	for _, m := range all {
		if busy[m.To] {
			continue
		}
		i, ok := at[m.To]
		if !ok {
			i = len(groups)
			at[m.To] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups, next, nil
}

// failAll notes for mails which were not tried what would have come of it.
func (o *Office) failAll(ctx context.Context, groups [][]store.Mail, f *relay.Error) {
	var all []store.Mail
	for _, g := range groups {
		all = append(all, g...)
	}
	for len(all) > 0 && ctx.Err() == nil {
		n := min(settleAtOnce, len(all))
		o.settle(ctx, all[:n], f)
		all = all[n:]
	}
}

// sent notes that a mail was taken: nothing of it is kept.
func (o *Office) sent(ctx context.Context, m store.Mail) {
	o.update(ctx, func(tx store.Tx) error {
		if err := tx.Outbox().Delete(m.ID); err != nil {
			return err //nolint:wrapcheck // the store's
		}
		return o.tell(tx, m, sharing.DeliverySent, "")
	})
}

// settle notes that mails could not be sent, and when each is tried again, or that it is given up. Those to one address
// stay in order.
func (o *Office) settle(ctx context.Context, mails []store.Mail, f *relay.Error) {
	now := o.cfg.Now().UnixMilli()
	again := map[string]int64{}
	given := 0
	type change struct {
		mail   store.Mail
		reason string
		over   bool
	}
	changes := make([]change, 0, len(mails))
	for _, m := range mails {
		c := change{mail: m, reason: reason(f, m.To)}
		end := m.Created + Lifetime.Milliseconds()
		if _, ok := again[m.To]; !ok {
			again[m.To] = now + o.backoff(m.Attempts).Milliseconds()
		}
		c.mail.Attempts++
		c.mail.Next = min(again[m.To], max(end, now))
		switch {
		case f.Permanent():
			c.over = true
		case now >= end:
			c.over, c.reason = true, "It could not be delivered within two days. "+c.reason
		default:
			c.reason += " Another try follows."
		}
		if c.over {
			given++
		}
		changes = append(changes, c)
	}
	o.report(ctx, f, len(mails)-given, given)
	o.update(ctx, func(tx store.Tx) error {
		for _, c := range changes {
			if _, ok, err := tx.Outbox().Get(c.mail.ID); err != nil || !ok {
				if err != nil {
					return err //nolint:wrapcheck // the store's
				}
				continue // it was taken back meanwhile
			}
			var err error
			delivery := sharing.DeliveryQueued
			if c.over {
				delivery = sharing.DeliveryFailed
				err = tx.Outbox().Delete(c.mail.ID)
			} else {
				err = tx.Outbox().Put(c.mail)
			}
			if err != nil {
				return err //nolint:wrapcheck // the store's
			}
			if err := o.tell(tx, c.mail, delivery, c.reason); err != nil {
				return err
			}
		}
		return nil
	})
}

// report logs what whoever runs the server can do something about.
func (o *Office) report(ctx context.Context, f *relay.Error, later, given int) {
	say := o.cfg.Log.WarnContext
	switch {
	case f.Cause == relay.Insecure || f.Cause == relay.Unauthorised:
		say = o.cfg.Log.ErrorContext // nothing gets better by itself
	case !f.Shared() && given == 0:
		say = o.cfg.Log.InfoContext // as it happens
	}
	say(ctx, "mail was not sent", "error", f, "tried_again", later, "given_up", given)
}

// tell writes onto the invitation how its mail fares, if it is its latest one.
func (o *Office) tell(tx store.Tx, m store.Mail, d sharing.Delivery, reason string) error {
	if m.Invitation == "" {
		return nil
	}
	inv, ok, err := tx.Invitations().Get(m.Invitation)
	if err != nil || !ok || inv.Mail != m.ID || inv.Delivery == d && inv.Reason == reason {
		return err //nolint:wrapcheck // the store's
	}
	inv.Delivery, inv.Reason = d, reason
	if o.cfg.Delivered != nil {
		tx.After(func() { o.cfg.Delivered(inv) })
	}
	return tx.Invitations().Put(inv) //nolint:wrapcheck // the store's
}

// update changes the store, however often that takes: what has happened to a mail must not be forgotten while the server
// runs, or it would be sent twice. It gives up when ctx ends.
func (o *Office) update(ctx context.Context, fn func(store.Tx) error) {
	for failures := 0; ; failures++ {
		err := o.cfg.Store.Update(ctx, fn)
		if err == nil || ctx.Err() != nil {
			return
		}
		sleep := retryIn(failures)
		o.cfg.Log.WarnContext(ctx, "outbox could not be written", "error", err, "retry_in", sleep)
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func retryIn(failures int) time.Duration { return min(retryFirst<<min(failures, 6), retryMost) }

// backoff is how long a mail waits that was tried attempts times before: doubled each time, and a fifth more or less, so
// that mails which failed together do not all come back together.
func (o *Office) backoff(attempts int) time.Duration {
	d := min(againFirst<<min(attempts, 10), againMost)
	var b [4]byte
	if _, err := io.ReadFull(o.cfg.Random, b[:]); err != nil {
		return d
	}
	part := float64(binary.BigEndian.Uint32(b[:])) / (1 << 32)
	return time.Duration((0.8 + 0.4*part) * float64(d))
}
