package workspace

import (
	"context"
	"fmt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/fault"
)

// LogIn signs in to an account. Dashboards that belong to this device alone become the account's; those of another
// account stay on this device and wait until that one is signed in again.
func (w *Workspace) LogIn(ctx context.Context, server, email, password string) error {
	s, err := w.deps.Accounts.LogIn(ctx, server, email, password)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	return w.signIn(s)
}

func (w *Workspace) signIn(s Session) error {
	a := localstore.Account{Server: s.Server, ID: s.Account, Email: s.Email}
	w.mu.RLock()
	pending := w.signUp
	w.mu.RUnlock()
	if err := w.deps.Credentials.Store(a.Key(), s.Token); err != nil {
		return fault.New(fault.Unavailable, "The session could not be stored on this device, so you were not signed in.").
			WithHint("Check that the keychain is unlocked, or that the data folder can be written.").WithCause(err)
	}
	if err := w.setAccount(&a); err != nil {
		return err
	}
	if pending != nil {
		w.forgetClaim(pending.Key)
	}
	return nil
}

// LogOut forgets the session here, and on the server if it can be reached. Dashboards stay on this device.
func (w *Workspace) LogOut(ctx context.Context) error {
	w.mu.RLock()
	a := w.account
	w.mu.RUnlock()
	if a == nil {
		return nil
	}
	token, err := w.deps.Credentials.Load(a.Key())
	if err != nil {
		w.deps.Log.WarnContext(ctx, "session token could not be read", "error", err)
	}
	if err := w.setAccount(nil); err != nil {
		return err
	}
	if err := w.deps.Credentials.Delete(a.Key()); err != nil {
		return fault.New(fault.Unavailable, "You are signed out, but the stored session could not be removed from this device.").
			WithHint("Remove the widgets.pro entry from the keychain.").WithCause(err)
	}
	if token == "" {
		return nil
	}
	if err := w.deps.Accounts.LogOut(ctx, a.Server, token); err != nil {
		w.publish(notice(NoticeWarning, "", "You are signed out here, but "+host(a.Server)+" could not be told.", "The session there ends by itself."))
	}
	return nil
}

func (w *Workspace) setAccount(a *localstore.Account) error {
	w.write.Lock()
	defer w.write.Unlock()
	err := w.deps.Store.Update(func(tx *localstore.Tx) error {
		if err := tx.SetOrganisations(nil); err != nil {
			return err
		}
		if a == nil {
			return tx.ClearAccount()
		}
		if err := tx.ClearSignUp(); err != nil {
			return err
		}
		return tx.SetAccount(*a)
	})
	if err != nil {
		return fmt.Errorf("store account: %w", err)
	}
	w.mu.Lock()
	w.account, w.orgs = a, nil
	if a != nil {
		w.signUp = nil
	}
	w.logins++
	w.link = Connection{State: StateConnecting, Since: w.deps.Now()}
	if a == nil {
		w.link.State = StateOff
	}
	w.mu.Unlock()
	w.publish(Event{Type: EventState})
	w.RetrySync()
	w.watchSoon()
	return nil
}

// RetrySync tries to reach the server now rather than later. It does not wait for the outcome.
func (w *Workspace) RetrySync() {
	select {
	case w.retry <- struct{}{}:
	default:
	}
}

// dev is this device's incarnation.
func (w *Workspace) dev() (uint64, error) {
	var dev uint64
	err := w.deps.Store.View(func(tx *localstore.Tx) error {
		c, err := tx.Clock()
		dev = c.Dev
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read device: %w", err)
	}
	return dev, nil
}
