package account_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/store"
)

var here = netip.MustParseAddr("192.0.2.1")

// begin begins a sign-up from an address of its own.
func (w *world) begin(t *testing.T, ip, email, kept string) (claim string) {
	t.Helper()
	c, err := w.service.SignUp(t.Context(), from(ip, email, password), kept)
	if err != nil {
		t.Fatal(err)
	}
	return c.Reveal()
}

func (w *world) confirm(t *testing.T, ticket string) (account.SignIn, string, error) {
	t.Helper()
	return w.confirmWith(t, ticket, password, account.Confirmation{})
}

func (w *world) confirmWith(t *testing.T, ticket, pass string, shown account.Confirmation) (account.SignIn, string, error) {
	t.Helper()
	c := account.Credentials{Client: here, Kind: store.KindWeb, Label: "Firefox on Linux", Password: pass, Name: "The reader"}
	return w.service.Confirm(t.Context(), ticket, c, shown, account.WebLifetime)
}

func isKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestA1_ASignUpIsConfirmedByMailAndClaimedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claim := w.begin(t, "192.0.2.7", "Ann@example.org", "/invite/ivt_0")
	if _, err := w.service.LogIn(t.Context(), from("192.0.2.7", "ann@example.org", password), account.AppLifetime); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("before it was confirmed: %v", err)
	}
	if in, done, err := w.service.Claim(t.Context(), claim, here, account.AppLifetime); done || err != nil || in.Token != "" {
		t.Errorf("a claim that waits: %v %v", done, err)
	}
	w.restart(t)
	ticket := w.ticket(t, "ann@example.org", "/confirm/")
	for range 3 { // as mail scanners do
		if email, began, err := w.service.Confirmable(t.Context(), ticket, ""); err != nil || email != "ann@example.org" || began {
			t.Fatalf("%q, %v", email, err)
		}
	}
	in, kept, err := w.confirm(t, ticket)
	if err != nil || in.Email != "ann@example.org" || kept != "/invite/ivt_0" {
		t.Fatalf("%+v %q %v", in, kept, err)
	}
	id, err := w.service.Authenticate(t.Context(), in.Token.Reveal())
	if err != nil || !id.Verified {
		t.Errorf("%+v, %v", id, err)
	}
	_, _, err = w.confirm(t, ticket)
	isKind(t, "the ticket once more", err, fault.NotFound)
	w.restart(t)
	app, done, err := w.service.Claim(t.Context(), claim, here, account.AppLifetime)
	if err != nil || !done || app.Account != in.Account || app.Token == in.Token {
		t.Fatalf("claim: %+v %v %v", app, done, err)
	}
	_, _, err = w.service.Claim(t.Context(), claim, here, account.AppLifetime)
	isKind(t, "the claim once more", err, fault.NotFound)
	_, err = w.service.Resend(t.Context(), claim, here)
	isKind(t, "resend of a claim that was used", err, fault.NotFound)
}

func TestA1_TicketsThatAreNoGoodMakeNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claim := w.begin(t, "192.0.2.7", "ann@example.org", "")
	ticket := w.ticket(t, "ann@example.org", "/confirm/")
	for name, bad := range map[string]string{"nothing": "", "nonsense": "x", "another": ticket[:len(ticket)-1] + "x", "the claim": claim, "longer": ticket + "0"} {
		_, _, err := w.confirm(t, bad)
		isKind(t, name, err, fault.NotFound)
		_, err = w.service.Verify(t.Context(), bad, "", here)
		isKind(t, name+" as a verification", err, fault.NotFound)
		isKind(t, name+" as a reset", w.service.Reset(t.Context(), bad, password, here), fault.NotFound)
	}
	isKind(t, "a ticket of another kind", w.service.Reset(t.Context(), ticket, password, here), fault.NotFound)
	_, _, err := w.service.Claim(t.Context(), ticket, here, account.AppLifetime)
	isKind(t, "a ticket as a claim", err, fault.NotFound)
	w.now.Add(int64(account.SignUpLifetime / time.Second))
	_, _, err = w.confirm(t, ticket)
	isKind(t, "after a day", err, fault.NotFound)
	w.now.Add(3600)
	_, _, err = w.service.Claim(t.Context(), claim, here, account.AppLifetime)
	isKind(t, "the claim after a day", err, fault.NotFound)
}

// Of many who confirm at once one makes the account, and of many who claim at once one is signed in.
func TestA1_ConfirmingAtOnceMakesOneAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claim := w.begin(t, "192.0.2.7", "ann@example.org", "")
	ticket := w.ticket(t, "ann@example.org", "/confirm/")
	once := func(name string, f func() error) {
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := f(); err == nil {
					won.Add(1)
				} else if fault.KindOf(err) == fault.NotFound {
					lost.Add(1)
				} else {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 7 {
			t.Errorf("%s: %d won and %d lost", name, won.Load(), lost.Load())
		}
	}
	once("confirm", func() error {
		_, _, err := w.service.Confirm(context.Background(), ticket, account.Credentials{Client: here}, account.Confirmation{Claim: claim}, account.WebLifetime)
		return err
	})
	once("claim", func() error {
		_, _, err := w.service.Claim(context.Background(), claim, here, account.AppLifetime)
		return err
	})
}

// Two who signed up with one address: whoever confirms first has the account, and the other is told to log in.
func TestA1_AnAddressThatGotAnAccountInBetween(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.begin(t, "192.0.2.7", "ann@example.org", "")
	first := w.ticket(t, "ann@example.org", "/confirm/")
	second := w.begin(t, "192.0.2.8", "ann@example.org", "")
	later := w.ticket(t, "ann@example.org", "/confirm/")
	if _, _, err := w.confirm(t, first); err != nil {
		t.Fatal(err)
	}
	_, _, err := w.confirm(t, later)
	isKind(t, "the second", err, fault.Conflict)
	if _, done, err := w.service.Claim(t.Context(), second, here, account.AppLifetime); done || err != nil {
		t.Errorf("the second's claim: %v, %v", done, err)
	}
}

// Whoever signs up with somebody else's address waits, with a password of their own, for the other to press a button. What is
// confirmed with another password than theirs is nothing that they get into.
func TestI4_I8_WhoSignsUpWithAnothersAddressIsNotLetIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := from("192.0.2.66", "ann@example.org", "the stranger's own")
	c.Name = "The stranger's name"
	stranger, err := w.service.SignUp(t.Context(), c, "/invite/ivt_0")
	if err != nil {
		t.Fatal(err)
	}
	ticket := w.ticket(t, "ann@example.org", "/confirm/")
	mine := w.begin(t, "192.0.2.7", "ben@example.org", "")
	if _, began, err := w.service.Confirmable(t.Context(), ticket, mine); err != nil || began {
		t.Errorf("another sign-up's claim: %v, %v", began, err)
	}
	if _, began, err := w.service.Confirmable(t.Context(), ticket, stranger.Reveal()); err != nil || !began {
		t.Errorf("its own claim: %v, %v", began, err)
	}
	for name, try := range map[string]struct {
		password string
		shown    account.Confirmation
	}{
		"no password":          {"", account.Confirmation{}},
		"a password of ann's":  {password, account.Confirmation{}},
		"an endless password":  {strings.Repeat("x", account.MaxPassword+1), account.Confirmation{}},
		"another claim":        {"", account.Confirmation{Claim: mine}},
		"a short new password": {"short", account.Confirmation{Anew: true}},
	} {
		_, _, err := w.confirmWith(t, ticket, try.password, try.shown)
		isKind(t, name, err, fault.Invalid)
		if fault.From(err).Field != "password" {
			t.Errorf("%s: the field is %q", name, fault.From(err).Field)
		}
	}
	if _, done, err := w.service.Claim(t.Context(), stranger.Reveal(), here, account.AppLifetime); done || err != nil {
		t.Fatalf("the claim of what is not confirmed: %v, %v", done, err)
	}

	in, kept, err := w.confirmWith(t, ticket, password, account.Confirmation{Anew: true})
	if err != nil || in.Email != "ann@example.org" || kept != "" {
		t.Fatalf("%+v %q %v", in, kept, err)
	}
	if id, err := w.service.Authenticate(t.Context(), in.Token.Reveal()); err != nil || id.Name != "The reader" {
		t.Errorf("%+v, %v", id, err)
	}
	w.restart(t)
	_, _, err = w.service.Claim(t.Context(), stranger.Reveal(), here, account.AppLifetime)
	isKind(t, "the stranger's claim", err, fault.NotFound)
	_, err = w.service.Resend(t.Context(), stranger.Reveal(), here)
	isKind(t, "the stranger's claim, for another mail", err, fault.NotFound)
	_, err = w.service.LogIn(t.Context(), c, account.AppLifetime)
	isKind(t, "the stranger's password", err, fault.Unauthenticated)
	if _, err := w.service.LogIn(t.Context(), from("192.0.2.7", "ann@example.org", password), account.AppLifetime); err != nil {
		t.Errorf("ann's password: %v", err)
	}
	_, _, err = w.confirmWith(t, ticket, "the stranger's own", account.Confirmation{})
	isKind(t, "the ticket once more", err, fault.NotFound)
}

// The browser that began is known by its claim, and asked for nothing; elsewhere the password of the sign-up lets in, and lets
// whoever began in too.
func TestI4_WhoBeganConfirmsByTheClaimOrThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claim := w.begin(t, "192.0.2.7", "ann@example.org", "/app")
	in, kept, err := w.confirmWith(t, w.ticket(t, "ann@example.org", "/confirm/"), "", account.Confirmation{Claim: claim})
	if err != nil || kept != "/app" {
		t.Fatalf("%q, %v", kept, err)
	}
	if _, err := w.service.LogIn(t.Context(), from("192.0.2.7", "ann@example.org", password), account.AppLifetime); err != nil {
		t.Error(err)
	}
	claim = w.begin(t, "192.0.2.7", "ben@example.org", "")
	if _, _, err := w.confirmWith(t, w.ticket(t, "ben@example.org", "/confirm/"), password, account.Confirmation{}); err != nil {
		t.Fatal(err)
	}
	app, done, err := w.service.Claim(t.Context(), claim, here, account.AppLifetime)
	if err != nil || !done || app.Email != "ben@example.org" || app.Account == in.Account {
		t.Errorf("%+v %v %v", app, done, err)
	}
}

// A mail that is sent again leaves the first one good, whichever is opened.
func TestResendLeavesTheFirstMailGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claim := w.begin(t, "192.0.2.7", "ann@example.org", "")
	first := w.ticket(t, "ann@example.org", "/confirm/")
	if email, err := w.service.Resend(t.Context(), claim, here); err != nil || email != "ann@example.org" {
		t.Fatalf("%q, %v", email, err)
	}
	again := w.ticket(t, "ann@example.org", "/confirm/")
	if first == again || len(w.mails(t, "ann@example.org")) != 2 {
		t.Fatal("there is no other mail")
	}
	if _, _, err := w.confirm(t, first); err != nil {
		t.Fatal(err)
	}
	_, _, err := w.confirm(t, again)
	isKind(t, "the other mail's", err, fault.NotFound)
	if email, err := w.service.Resend(t.Context(), claim, here); err != nil || email != "ann@example.org" || len(w.mails(t, "ann@example.org")) != 2 {
		t.Errorf("once it is confirmed: %q, %v", email, err)
	}
}

// Whatever is asked for an address, it gets one mail with an account and without, and nothing else is different.
func TestI8_AsMuchMailWithAnAccountAsWithout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(t, from("192.0.2.9", "known@example.org", password))
	had := len(w.mails(t, "known@example.org"))
	for i, email := range []string{"known@example.org", "other@example.org"} {
		claim := w.begin(t, "192.0.2.3", email, "")
		if _, done, err := w.service.Claim(t.Context(), claim, here, account.AppLifetime); done || err != nil {
			t.Errorf("%s: %v, %v", email, done, err)
		}
		if got, err := w.service.Resend(t.Context(), claim, here); got != email || err != nil {
			t.Errorf("%s: %q, %v", email, got, err)
		}
		if err := w.service.Forgot(t.Context(), " "+strings.ToUpper(email), here); err != nil {
			t.Error(err)
		}
		if n := len(w.mails(t, email)) - had*(1-i); n != 3 {
			t.Errorf("%s got %d mails", email, n)
		}
	}
	for _, text := range w.mails(t, "known@example.org")[had:] {
		if strings.Contains(text, "/confirm/") {
			t.Errorf("an account's address got a link to confirm: %s", text)
		}
	}
}

// Of a flood an address gets five mails an hour, without anybody's being told; a client is told, after twenty mails. A
// restart gives nothing back.
func TestI8_FloodsOfMailEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(t, from("192.0.2.9", "known@example.org", password))
	for _, email := range []string{"known@example.org", "other@example.org"} {
		for i := range 12 {
			ip := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
			if err := w.service.Forgot(t.Context(), email, ip); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(w.mails(t, email)); n != 5 {
			t.Errorf("%s got %d mails", email, n)
		}
	}
	w.restart(t)
	for i := range 25 {
		err := w.service.Forgot(t.Context(), "a"+string(rune('a'+i))+"@example.org", here)
		if i < 20 && err != nil || i >= 20 && fault.KindOf(err) != fault.Busy {
			t.Errorf("mail %d: %v", i, err)
		}
	}
	w.restart(t)
	isKind(t, "a client after a restart", w.service.Forgot(t.Context(), "x@example.org", here), fault.Busy)
	if err := w.service.Forgot(t.Context(), "other@example.org", netip.MustParseAddr("203.0.113.1")); err != nil || len(w.mails(t, "other@example.org")) != 5 {
		t.Errorf("an address after a restart: %d mails, %v", len(w.mails(t, "other@example.org")), err)
	}
	w.now.Add(12 * 60)
	if err := w.service.Forgot(t.Context(), "other@example.org", netip.MustParseAddr("203.0.113.1")); err != nil || len(w.mails(t, "other@example.org")) != 6 {
		t.Errorf("later: %d mails, %v", len(w.mails(t, "other@example.org")), err)
	}
}

func TestOnlyPagesOfThisSiteAreGoneOnTo(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]bool{
		"/": true, "/invite/ivt_0": true, "/app": true, "/app?x=1": true, "": false, "app": false, "//evil.example": false, "/\\evil.example": false,
		"https://evil.example/": false, "javascript:alert(1)": false, "/a\nb": false, "/a b": false, "/../x": false, "/./": false, "/a//b": false,
		"/%2f%2fevil.example": false, "/a#b": false, "/" + strings.Repeat("a", 600): false,
	} {
		if got := account.LocalPath(p); (got == p && p != "") != want || (!want && got != "") {
			t.Errorf("%q: %q", p, got)
		}
	}
}

func TestB1_NamesArePlainText(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "", "  Ann  O’Neil ": "Ann O’Neil", "安": "安", strings.Repeat("é", 80): strings.Repeat("é", 80)} {
		if got, f := account.CheckName(name); f != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, f)
		}
	}
	for _, name := range []string{strings.Repeat("a", 81), "a\x00b", "a\u202eb", "a\xffb", "a\u200bb"} {
		if _, f := account.CheckName(name); f == nil || f.Field != "name" {
			t.Errorf("%q: %v", name, f)
		}
	}
}
