package workspace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/fault"
)

// Delays between two questions whether a sign-up was confirmed: they grow from the first to the last, as somebody who does
// not open the mail at once may open it much later.
const (
	firstAsk = 2 * time.Second
	lastAsk  = 10 * time.Second
)

// SignUp begins a sign-up on a server, in place of one that waits. Once the link in the mail was opened, WatchSignUp signs
// in, and dashboards that belong to this device alone become the account's.
func (w *Workspace) SignUp(ctx context.Context, server, email, password string) error {
	p, err := w.deps.Accounts.SignUp(ctx, server, email, password)
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	u, err := w.newULID()
	if err != nil {
		return err
	}
	next := localstore.SignUp{Server: p.Server, Email: strings.TrimSpace(email), Mailbox: p.Mailbox, Key: p.Server + " signup " + u.String()}
	if err := w.deps.Credentials.Store(next.Key, string(p.Claim)); err != nil {
		return fault.New(fault.Unavailable, "The sign-up could not be stored on this device.").
			WithHint("Check that the keychain is unlocked, or that the data folder can be written.").WithCause(err)
	}
	old, err := w.setSignUp(&next, nil)
	if err != nil {
		w.forgetClaim(next.Key)
		return err
	}
	if old != nil {
		w.forgetClaim(old.Key)
	}
	return nil
}

// ResendSignUp asks for the mail of the sign-up that waits once more.
func (w *Workspace) ResendSignUp(ctx context.Context) error {
	s := w.pending()
	if s == nil {
		return noSignUp()
	}
	claim, err := w.deps.Credentials.Load(s.Key)
	if err != nil || claim == "" {
		return fault.New(fault.Unavailable, "What identifies the sign-up could not be read from this device.").
			WithHint("Unlock the keychain, or cancel and sign up again.").WithCause(err)
	}
	if err := w.deps.Accounts.Resend(ctx, s.Server, Secret(claim)); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return fault.New(fault.Conflict, "This sign-up is over.").WithHint("Sign in if you have confirmed it, or sign up again.").WithCause(err)
		}
		return fmt.Errorf("send the mail again: %w", err)
	}
	w.watchSoon()
	return nil
}

// CancelSignUp forgets the sign-up that waits. A link that was mailed can still be opened, but signs nobody in here.
func (w *Workspace) CancelSignUp() error {
	s := w.pending()
	if s == nil {
		return nil
	}
	old, err := w.setSignUp(nil, s)
	if err != nil {
		return err
	}
	if old != nil {
		w.forgetClaim(old.Key)
	}
	return nil
}

func noSignUp() error {
	return fault.New(fault.Conflict, "No sign-up is waiting.").WithHint("Sign up first.")
}

// WatchSignUp asks the server whether the sign-up that waits was confirmed, and signs in once it was. It runs until ctx
// ends; after is time.After. Call it once.
func (w *Workspace) WatchSignUp(ctx context.Context, after func(time.Duration) <-chan time.Time) {
	delay := firstAsk
	for ctx.Err() == nil {
		s := w.pending()
		var due <-chan time.Time
		if s != nil {
			due = after(delay)
		}
		select {
		case <-ctx.Done():
			return
		case <-w.signing:
			delay = firstAsk
			continue
		case <-due:
		}
		delay = min(delay*5/4, lastAsk)
		if err := w.ask(ctx, s); err != nil && ctx.Err() == nil {
			w.deps.Log.InfoContext(ctx, "sign-up not asked about", "kind", fault.KindOf(err), "error", err)
			delay = lastAsk
		}
	}
}

// ask asks once about a sign-up, and ends it here if it is over there. The error says that it may be asked again.
func (w *Workspace) ask(ctx context.Context, s *localstore.SignUp) error {
	claim, err := w.deps.Credentials.Load(s.Key)
	if err != nil {
		return fmt.Errorf("load claim: %w", err)
	}
	session, ok, err := Session{}, false, error(fault.New(fault.NotFound, "The claim is lost."))
	if claim != "" {
		session, ok, err = w.deps.Accounts.Claim(ctx, s.Server, Secret(claim))
	}
	switch kind := fault.KindOf(err); {
	case kind == fault.NotFound, kind == fault.Invalid, kind == fault.Denied:
		return w.endSignUp(s, "The sign-up at "+host(s.Server)+" is over.",
			"If you have confirmed your address, sign in with your password; otherwise sign up again.")
	case err != nil:
		return fmt.Errorf("claim: %w", err)
	case !ok:
		return nil
	}
	if w.pending() != s { // cancelled, or replaced, while the server answered
		return w.deps.Accounts.LogOut(ctx, session.Server, session.Token)
	}
	if err := w.signIn(session); err != nil {
		// The session was given once; without it the password is the way in.
		out := w.deps.Accounts.LogOut(ctx, session.Server, session.Token)
		f := fault.From(err)
		return errors.Join(out, w.endSignUp(s, "Your account is there, but you were not signed in. "+f.Message, "Sign in with your password. "+f.Hint))
	}
	w.publish(notice(NoticeInfo, "", "Your address is confirmed, and you are signed in to "+host(s.Server)+".", ""))
	return nil
}

func (w *Workspace) endSignUp(s *localstore.SignUp, message, hint string) error {
	old, err := w.setSignUp(nil, s)
	if err != nil || old == nil {
		return err
	}
	w.forgetClaim(old.Key)
	w.publish(notice(NoticeWarning, "", message, strings.TrimSpace(hint)))
	return nil
}

// pending is the sign-up that waits, nil if none does.
func (w *Workspace) pending() *localstore.SignUp {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.signUp
}

// setSignUp stores which sign-up waits and returns the one before. If only is not nil and another one waits, nothing is
// changed and nil returned.
func (w *Workspace) setSignUp(next, only *localstore.SignUp) (old *localstore.SignUp, err error) {
	w.write.Lock()
	defer w.write.Unlock()
	old = w.pending()
	if only != nil && old != only {
		return nil, nil //nolint:nilnil // as documented
	}
	err = w.deps.Store.Update(func(tx *localstore.Tx) error {
		if next == nil {
			return tx.ClearSignUp()
		}
		return tx.SetSignUp(*next)
	})
	if err != nil {
		return nil, fmt.Errorf("store sign-up: %w", err)
	}
	w.mu.Lock()
	w.signUp = next
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	w.watchSoon()
	return old, nil
}

func (w *Workspace) watchSoon() {
	select {
	case w.signing <- struct{}{}:
	default:
	}
}

// forgetClaim removes a claim from the credential store. What stays there by mistake is of no use to anybody once the
// sign-up is over.
func (w *Workspace) forgetClaim(key string) {
	if err := w.deps.Credentials.Delete(key); err != nil {
		w.deps.Log.Warn("claim of a sign-up not removed", "error", err)
	}
}
