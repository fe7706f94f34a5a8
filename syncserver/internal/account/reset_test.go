package account_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/store"
)

const another = "another password entirely"

// me is who a session belongs to.
func (w *world) me(t *testing.T, in account.SignIn) account.Identity {
	t.Helper()
	id, err := w.service.Person(t.Context(), in.Token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// forgot asks for another password for ann.
func (w *world) forgot(t *testing.T) (ticket string) {
	t.Helper()
	if err := w.service.Forgot(t.Context(), "ann@example.org", here); err != nil {
		t.Fatal(err)
	}
	return w.ticket(t, "ann@example.org", "/reset/")
}

func (w *world) logsIn(t *testing.T, email, pass string) bool {
	t.Helper()
	_, err := w.service.LogIn(t.Context(), from("192.0.2.77", email, pass), account.AppLifetime)
	if err != nil && fault.KindOf(err) != fault.Unauthenticated {
		t.Fatal(err)
	}
	return err == nil
}

// A reset sets the password and ends whatever was signed in, programs too; the ticket is good for it once.
func TestAResetEndsWhateverWasSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ben := w.signUp(t, from("192.0.2.9", "ben@example.org", password))
	token, _, err := w.service.CreateToken(t.Context(), w.me(t, in), "script", account.Scopes(), time.Unix(w.now.Load(), 0).Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	earlier := w.forgot(t)
	ticket := w.forgot(t)
	w.restart(t)
	if email, err := w.service.Resettable(t.Context(), ticket); err != nil || email != "ann@example.org" {
		t.Fatalf("%q, %v", email, err)
	}
	isKind(t, "a short password", w.service.Reset(t.Context(), ticket, "short", here), fault.Invalid)
	if err := w.service.Reset(t.Context(), ticket, another, here); err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]account.Token{"the session": in.Token, "the token for programs": token} {
		_, err := w.service.Authenticate(t.Context(), secret.Reveal())
		isKind(t, name, err, fault.Unauthenticated)
	}
	if w.ended.Load() != 2 {
		t.Errorf("%d ends were told", w.ended.Load())
	}
	w.me(t, ben)
	if w.logsIn(t, "ann@example.org", password) || !w.logsIn(t, "ann@example.org", another) || !w.logsIn(t, "ben@example.org", password) {
		t.Error("the password is not the new one")
	}
	isKind(t, "the ticket once more", w.service.Reset(t.Context(), ticket, password, here), fault.NotFound)
	isKind(t, "a ticket from before the change", w.service.Reset(t.Context(), earlier, password, here), fault.NotFound)
	all := w.mails(t, "ann@example.org")
	if last := all[len(all)-1]; !strings.Contains(last, "password was changed") {
		t.Errorf("the owner was told %q", last)
	}
}

func TestResetTicketsThatAreNoGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ticket := w.forgot(t)
	_, _, err := w.confirm(t, ticket)
	isKind(t, "to confirm a sign-up", err, fault.NotFound)
	_, err = w.service.Verify(t.Context(), ticket, "", here)
	isKind(t, "to verify an address", err, fault.NotFound)
	w.now.Add(int64(account.ResetLifetime / time.Second))
	isKind(t, "after an hour", w.service.Reset(t.Context(), ticket, another, here), fault.NotFound)
	if err := w.service.Forgot(t.Context(), "nobody@example.org", here); err != nil {
		t.Fatal(err)
	}
	if text := w.mails(t, "nobody@example.org")[0]; strings.Contains(text, "/reset/") {
		t.Errorf("an address without an account got %q", text)
	}
	if !w.logsIn(t, "ann@example.org", password) {
		t.Error("the password is another")
	}
}

func TestOfManyResetsAtOnceOneCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ticket := w.forgot(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := w.service.Reset(context.Background(), ticket, another, here); err == nil {
				won.Add(1)
			} else if fault.KindOf(err) != fault.NotFound {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d resets counted", won.Load())
	}
}

// A log-in whose password was compared before a reset and whose session would be made after it is refused.
func TestAResetAlsoStopsLogInsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	ticket := w.forgot(t)
	var wg sync.WaitGroup
	var tokens sync.Map
	for i := range 8 {
		wg.Go(func() {
			in, err := w.service.LogIn(context.Background(), from("192.0.2."+string(rune('1'+i)), "ann@example.org", password), account.AppLifetime)
			if err == nil {
				tokens.Store(in.Token, true)
			}
		})
	}
	wg.Go(func() {
		if err := w.service.Reset(context.Background(), ticket, another, here); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	tokens.Range(func(token, _ any) bool {
		_, err := w.service.Authenticate(t.Context(), token.(account.Token).Reveal())
		isKind(t, "a session with the old password", err, fault.Unauthenticated)
		return true
	})
}

func TestChangingThePasswordAsksForThePresentOneAndEndsOtherSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	other, err := w.service.LogIn(t.Context(), from("192.0.2.8", "ann@example.org", password), account.AppLifetime)
	if err != nil {
		t.Fatal(err)
	}
	me := w.me(t, in)
	token, _, err := w.service.CreateToken(t.Context(), me, "script", account.Scopes(), time.Unix(w.now.Load(), 0).Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ticket := w.forgot(t)
	for _, present := range []string{"", "wrong", strings.Repeat("x", 2000)} {
		err := w.service.ChangePassword(t.Context(), me, present, another, here)
		if f := fault.From(err); f.Kind != fault.Invalid || f.Field != "present" {
			t.Errorf("%.10q: %v", present, err)
		}
	}
	if f := fault.From(w.service.ChangePassword(t.Context(), me, password, "short", here)); f.Field != "password" {
		t.Errorf("a short one: %v", f)
	}
	w.me(t, other)
	if err := w.service.ChangePassword(t.Context(), me, password, another, here); err != nil {
		t.Fatal(err)
	}
	w.me(t, in)
	_, err = w.service.Authenticate(t.Context(), other.Token.Reveal())
	isKind(t, "another session", err, fault.Unauthenticated)
	if _, err := w.service.Authenticate(t.Context(), token.Reveal()); err != nil {
		t.Errorf("a token for programs: %v", err)
	}
	isKind(t, "a ticket from before", w.service.Reset(t.Context(), ticket, password, here), fault.NotFound)
	if w.logsIn(t, "ann@example.org", password) || !w.logsIn(t, "ann@example.org", another) {
		t.Error("the password is not the new one")
	}
	// Guessing it is limited like logging in.
	var busy int
	for range 15 {
		if fault.KindOf(w.service.ChangePassword(t.Context(), me, "a guess", password, here)) == fault.Busy {
			busy++
		}
	}
	if busy < 4 {
		t.Errorf("%d guesses were refused", busy)
	}
}

func TestAnotherAddressCountsOnceItIsConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	me := w.me(t, in)
	if f := fault.From(w.service.ChangeAddress(t.Context(), me, "new@example.org", "wrong", here)); f.Kind != fault.Invalid || f.Field != "password" {
		t.Errorf("with a wrong password: %v", f)
	}
	isKind(t, "the present address", w.service.ChangeAddress(t.Context(), me, "Ann@Example.org", password, here), fault.Conflict)
	if err := w.service.ChangeAddress(t.Context(), me, "New@example.org", password, here); err != nil {
		t.Fatal(err)
	}
	ticket := w.ticket(t, "new@example.org", "/verify/")
	if all := w.mails(t, "ann@example.org"); !strings.Contains(all[len(all)-1], "new@example.org") {
		t.Errorf("the present address was told %q", all)
	}
	if w.logsIn(t, "new@example.org", password) || !w.logsIn(t, "ann@example.org", password) {
		t.Error("it counts before it is confirmed")
	}
	w.restart(t)
	if v, err := w.service.Verifiable(t.Context(), ticket); err != nil || v != (account.Verification{Account: me.Account, Email: "new@example.org", Name: "ann", Change: true}) {
		t.Errorf("%+v, %v", v, err)
	}
	reset := w.forgot(t)
	// I4: whoever reads the mail of an address does not give it to a stranger's account by pressing a button.
	for _, by := range []store.AccountID{"", "acc_other"} {
		_, err := w.service.Verify(t.Context(), ticket, by, here)
		isKind(t, "for another account", err, fault.Denied)
	}
	if _, err := w.service.Verify(t.Context(), ticket, me.Account, here); err != nil {
		t.Fatal(err)
	}
	if !w.logsIn(t, "new@example.org", password) || w.logsIn(t, "ann@example.org", password) {
		t.Error("it does not count once it is confirmed")
	}
	if got := w.me(t, in); got.Email != "new@example.org" || !got.Verified {
		t.Errorf("%+v", got)
	}
	_, err := w.service.Verify(t.Context(), ticket, me.Account, here)
	isKind(t, "the ticket once more", err, fault.NotFound)
	isKind(t, "a ticket to the address from before", w.service.Reset(t.Context(), reset, another, here), fault.NotFound)
	if all := w.mails(t, "ann@example.org"); !strings.Contains(all[len(all)-1], "is now new@example.org") {
		t.Errorf("the address from before was told %q", all[len(all)-1])
	}
}

func TestAddressesThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.me(t, w.signUp(t, from("192.0.2.9", "ann@example.org", password)))
	w.signUp(t, from("192.0.2.8", "ben@example.org", password))
	// I8: somebody else's is answered as a free one is; only its owner learns of it.
	if err := w.service.ChangeAddress(t.Context(), me, "ben@example.org", password, here); err != nil {
		t.Fatal(err)
	}
	if all := w.mails(t, "ben@example.org"); len(all) != 2 || strings.Contains(all[1], "/verify/") {
		t.Errorf("its owner got %q", all)
	}
	for _, email := range []string{"cat@example.org", "dan@example.org", "eve@example.org"} {
		if err := w.service.ChangeAddress(t.Context(), me, email, password, here); err != nil {
			t.Fatal(err)
		}
	}
	w.signUp(t, from("192.0.2.8", "cat@example.org", password))
	_, err := w.service.Verify(t.Context(), w.ticketIn(t, "cat@example.org", "/verify/"), me.Account, here)
	isKind(t, "one that got an account in between", err, fault.Conflict)
	if err := w.service.ChangePassword(t.Context(), me, password, another, here); err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Verify(t.Context(), w.ticket(t, "dan@example.org", "/verify/"), me.Account, here)
	isKind(t, "after a change of the password", err, fault.NotFound)
	if err := w.service.ChangeAddress(t.Context(), me, "dan@example.org", another, here); err != nil {
		t.Fatal(err)
	}
	ticket := w.ticket(t, "dan@example.org", "/verify/")
	w.now.Add(int64(account.VerifyLifetime / time.Second))
	_, err = w.service.Verify(t.Context(), ticket, me.Account, here)
	isKind(t, "after a day", err, fault.NotFound)
	if !w.logsIn(t, "ann@example.org", another) {
		t.Error("the address is another")
	}
}

// ticketIn is ticket for whatever mail of the address has the path.
func (w *world) ticketIn(t *testing.T, to, path string) string {
	t.Helper()
	for _, text := range w.mails(t, to) {
		if _, rest, ok := strings.Cut(text, base+path); ok {
			return strings.Fields(rest)[0]
		}
	}
	t.Fatalf("no link to %s", path)
	return ""
}

// An account from before addresses were confirmed proves its own.
func TestAnOldAccountConfirmsItsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	isKind(t, "when it is confirmed", w.service.SendVerification(t.Context(), w.me(t, in), here), fault.Conflict)
	if err := w.store.Update(t.Context(), func(tx store.Tx) error {
		a, _, err := tx.Accounts().Get(in.Account)
		if err != nil {
			return err
		}
		a.Verified = 0
		return tx.Accounts().Put(a)
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.service.SendVerification(t.Context(), w.me(t, in), here); err != nil {
		t.Fatal(err)
	}
	ticket := w.ticket(t, "ann@example.org", "/verify/")
	if v, err := w.service.Verify(t.Context(), ticket, in.Account, here); err != nil || v.Change {
		t.Errorf("%+v, %v", v, err)
	}
	if !w.me(t, in).Verified {
		t.Error("it is not confirmed")
	}
}
