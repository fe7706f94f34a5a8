// Package sharelink changes who has access to a dashboard: by link, and by role.
//
// A command is judged by sharing.Decide in the transaction that stores its outcome, takes a position in the dashboard's
// log, so that every edit comes before or after it, and is remembered, so that a repeat changes nothing and is told the
// same (rules L3, L4, V3, Q2). The package knows nothing of connections: content.Events hears of each change once it is
// durable. Start reading at Apply.
package sharelink

import (
	"fmt"
	"slices"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/invitation"
	"widgets.pro/syncserver/internal/store"
)

// Outcome is what became of a command: the link as it now is, and why the command did not apply, if so. Same says that it
// found the link as it asks for and changed nothing.
type Outcome struct {
	Link  sharing.Link
	Fault *fault.Error
	Same  bool
}

// Apply applies a command on the link at now (ms since 1970). Faults of the command are in the Outcome; the error is the
// store's.
func Apply(tx store.Tx, ev content.Events, p access.Principal, c sharing.Command, now int64) (Outcome, error) {
	need := access.Share
	if c.Action == sharing.Delete {
		need = access.Own
	}
	return Once(tx, p, c, need, now, func(g access.Grant, link sharing.Link) (Outcome, error) {
		return apply(tx, ev, g, link, c, now)
	})
}

// Once has do carry out a command in the name of p at now (ms since 1970), who must be allowed what need says, unless a command with its id was
// answered before: then that answer is given again, with the link as it is by now. Whoever may not share is told no link.
// Faults of the command are in the Outcome; the error is the store's, or do's.
func Once(tx store.Tx, p access.Principal, c sharing.Command, need access.Action, now int64, do func(access.Grant, sharing.Link) (Outcome, error)) (Outcome, error) {
	if f := checkForm(c); f != nil {
		return Outcome{Fault: f}, nil //nolint:nilerr // a fault of the command is its outcome
	}
	past, repeated, err := tx.Commands().Get(p.AccountID(), c.ID)
	if err != nil {
		return Outcome{}, fmt.Errorf("look up command %s: %w", c.ID, err)
	}
	if repeated && past.Board != c.Board {
		return Outcome{Fault: fault.Field("id", "This command's id belongs to another command.")}, nil
	}
	g, err := access.Open(tx, p, c.Board, need)
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Denied {
		out := Outcome{Fault: fault.From(err)}
		if repeated {
			out.Fault = past.Fault // such as of a delete that is sent again: the dashboard is gone, and the answer stays
		}
		return out, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	link, err := tx.Links().Get(c.Board)
	if err != nil {
		return Outcome{}, fmt.Errorf("read link: %w", err)
	}
	told := func(o Outcome) Outcome {
		if !g.May(access.Share) { // its token is for those who may share alone
			o.Link = sharing.Link{}
		}
		return o
	}
	if repeated {
		return told(Outcome{Link: link, Fault: past.Fault, Same: past.Same}), nil
	}
	out, err := do(g, link)
	if err != nil {
		return Outcome{}, err
	}
	return told(out), tx.Commands().Put(p.AccountID(), c.ID, store.Answer{Board: c.Board, Fault: out.Fault, Same: out.Same, At: now})
}

func apply(tx store.Tx, ev content.Events, g access.Grant, link sharing.Link, c sharing.Command, now int64) (Outcome, error) {
	var lookUp error
	check := func(used bool, err error) bool {
		if err != nil {
			lookUp = err
		}
		return used || err != nil
	}
	before := link
	link = sharing.Expire(link, now) // its time may have come without its having been carried out yet
	next, f := sharing.Decide(link, c, now, sharing.Names{
		Link: func(t sharing.Token, s sharing.ShortID) bool { return check(tx.Links().Used(t, s)) },
		Slug: func(s sharing.Slug) bool { return check(tx.Links().SlugTaken(c.Board, s)) },
	})
	if lookUp != nil {
		return Outcome{}, fmt.Errorf("look up token: %w", lookUp)
	}
	out := Outcome{Link: next, Fault: f, Same: f == nil && next == link}
	if next == before {
		return out, nil
	}
	hash := sharing.Hash("")
	if f == nil && (c.Action == sharing.SetPassword || c.Action == sharing.Enable) {
		hash = c.Hash
	}
	if err := put(tx, c.Board, link, next, hash); err != nil {
		return Outcome{}, err
	}
	if f == nil && c.Action == sharing.Delete {
		return out, destroy(tx, ev, c.Board, now)
	}
	return out, Announce(tx, ev, g, nil)
}

// put stores a link with the hash of its password: hash where the step from old sets one, none where there is no
// password any more (rule P2).
func put(tx store.Tx, id board.ID, old, next sharing.Link, hash sharing.Hash) error {
	if err := tx.Links().Put(id, next); err != nil {
		return fmt.Errorf("store link of %s: %w", id, err)
	}
	if !next.Password || (hash != "" && next.Revision != old.Revision) {
		if err := tx.Links().SetHash(id, hash); err != nil {
			return fmt.Errorf("store password of %s: %w", id, err)
		}
	}
	if next.Token != old.Token { // another link, which nobody has opened yet (rule L7)
		if err := tx.Views().Put(id, store.ViewCount{}); err != nil {
			return fmt.Errorf("forget views of %s: %w", id, err)
		}
	}
	return nil
}

// Expire carries out what has come to its end at now, at most atOnce links in one transaction, and tells when the next is
// due: now or before if there are more, 0 if there is none (rule L5). It acts for nobody: the owner decided when the
// expiry was set.
func Expire(tx store.Tx, ev content.Events, now int64) (next int64, err error) {
	ids, _, err := tx.Links().Expiring(now, atOnce)
	if err != nil {
		return 0, fmt.Errorf("find links that end: %w", err)
	}
	for _, id := range ids {
		link, err := tx.Links().Get(id)
		if err != nil {
			return 0, fmt.Errorf("read link of %s: %w", id, err)
		}
		if err := put(tx, id, link, sharing.Expire(link, now), ""); err != nil {
			return 0, err
		}
		g, err := access.Steward(tx, id)
		if err != nil {
			return 0, fmt.Errorf("end the link of %s: %w", id, err)
		}
		if err := Announce(tx, ev, g, nil); err != nil {
			return 0, err
		}
	}
	_, next, err = tx.Links().Expiring(now, 0)
	if err != nil {
		return 0, fmt.Errorf("find the next link that ends: %w", err)
	}
	return next, nil
}

// atOnce bounds the links that one transaction ends.
const atOnce = 100

// Remove deletes a dashboard for ever, with its link, as the command does: for when the account or organisation that it
// belongs to is deleted.
func Remove(tx store.Tx, ev content.Events, id board.ID, now int64) error {
	link, err := tx.Links().Get(id)
	if err != nil {
		return fmt.Errorf("read link: %w", err)
	}
	next, f := sharing.Decide(link, sharing.Command{Board: id, Action: sharing.Delete}, now, sharing.Names{})
	if f != nil {
		return f
	}
	if err := put(tx, id, link, next, ""); err != nil {
		return err
	}
	return destroy(tx, ev, id, now)
}

// Withdraw takes the role of an account that is deleted from a dashboard. heir, if any, owns it from then on (SI19).
func Withdraw(tx store.Tx, ev content.Events, id board.ID, account, heir store.AccountID) error {
	g, err := access.Steward(tx, id)
	if err != nil {
		return fmt.Errorf("withdraw from %s: %w", id, err)
	}
	before, err := access.Audience(tx, id)
	if err != nil {
		return err
	}
	if err := Hand(tx, id, account, sharing.RoleNone, heir); err != nil {
		return err
	}
	if err := Announce(tx, ev, g, before); err != nil {
		return err
	}
	tx.After(func() { ev.List(before) })
	return nil
}

// destroy deletes a dashboard for ever, and takes back the invitations to it that wait. Its link has been buried already.
func destroy(tx store.Tx, ev content.Events, id board.ID, now int64) error {
	accounts, err := access.Audience(tx, id)
	if err != nil {
		return err
	}
	invitations, err := tx.Invitations().OfBoard(id)
	if err != nil {
		return fmt.Errorf("list invitations to %s: %w", id, err)
	}
	for _, inv := range invitations {
		if inv.State != store.InvitationOpen {
			continue
		}
		if err := invitation.Withdraw(tx, inv); err != nil {
			return err //nolint:wrapcheck // says what it was doing
		}
	}
	if err := tx.Views().Put(id, store.ViewCount{}); err != nil {
		return fmt.Errorf("forget views of %s: %w", id, err)
	}
	if err := tx.Boards().Destroy(id, now); err != nil {
		return fmt.Errorf("destroy %s: %w", id, err)
	}
	rec, _, err := tx.Boards().Get(id)
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", id, err)
	}
	tx.After(func() {
		ev.Access(content.AccessChange{Board: id, Epoch: rec.Epoch, Accounts: slices.Clone(accounts)})
		ev.List(accounts)
	})
	return nil
}

// checkForm refuses what no app sends, naming the field.
func checkForm(c sharing.Command) *fault.Error {
	if !sharing.ParseCommandID(c.ID) {
		return fault.Field("cmd.id", "A command needs an id.")
	}
	if _, err := board.ParseID(string(c.Board)); err != nil {
		return fault.Field("cmd.board", "A command must name a dashboard.")
	}
	return nil
}
