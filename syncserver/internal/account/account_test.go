package account_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	netmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	message "github.com/emersion/go-message/mail"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/ratelimit"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const password = "correct horse battery staple"

type world struct {
	service *account.Service
	store   store.Store
	path    string
	now     atomic.Int64 // seconds
	ticks   atomic.Int64 // how often the clock was read, each of which takes a ms, so that mail is in order
	ended   atomic.Int32
	log     bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{path: filepath.Join(t.TempDir(), "server.db")}
	w.now.Store(1_790_000_000)
	st, err := boltstore.Open(boltstore.Options{Path: w.path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w.store = st
	w.serve(t)
	return w
}

// serve makes the service, anew after a restart.
func (w *world) serve(t *testing.T) {
	t.Helper()
	now := func() time.Time { return time.Unix(w.now.Load(), w.ticks.Add(1)*int64(time.Millisecond)) }
	office, err := mail.New(mail.Config{ // which is not started: what is queued stays
		Store: w.store, Now: now, Random: rand.Reader, Base: base,
		From: netmail.Address{Name: "Widgets", Address: "no-reply@dash.example"}, Server: relay.Server{Host: "localhost", Port: 25},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service, err = account.New(account.Config{
		Store: w.store, Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: now, Random: rand.Reader, Mail: office, Base: base, Events: room.New(),
		Ended: func(store.Hash) { w.ended.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
}

// restart closes the data file and opens it again.
func (w *world) restart(t *testing.T) {
	t.Helper()
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := boltstore.Open(boltstore.Options{Path: w.path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w.store = st
	w.serve(t)
}

const base = "https://dash.example"

// mails are the texts of the mail for an address, the oldest first.
func (w *world) mails(t *testing.T, to string) (texts []string) {
	t.Helper()
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		all, _, err := tx.Outbox().Due(math.MaxInt64, math.MaxInt)
		for _, m := range all {
			if m.To == to {
				texts = append(texts, textOf(t, m.Data))
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return texts
}

func textOf(t *testing.T, data []byte) string {
	t.Helper()
	r, err := message.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		h, ok := p.Header.(*message.InlineHeader)
		if !ok {
			continue
		}
		if typ, _, _ := h.ContentType(); typ == "text/plain" {
			b, err := io.ReadAll(p.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
}

// ticket is the secret behind a path in the latest mail for an address.
func (w *world) ticket(t *testing.T, to, path string) string {
	t.Helper()
	all := w.mails(t, to)
	if len(all) == 0 {
		t.Fatalf("no mail for %s", to)
	}
	_, rest, ok := strings.Cut(all[len(all)-1], base+path)
	if !ok {
		t.Fatalf("no link to %s in %s", path, all[len(all)-1])
	}
	return strings.Fields(rest)[0]
}

// signUp makes an account, by way of its mail.
func (w *world) signUp(t *testing.T, c account.Credentials) account.SignIn {
	t.Helper()
	if _, err := w.service.SignUp(t.Context(), c, ""); err != nil {
		t.Fatal(err)
	}
	email := strings.ToLower(strings.TrimSpace(c.Email))
	in, _, err := w.service.Confirm(t.Context(), w.ticket(t, email, "/confirm/"), account.Credentials{Client: c.Client, Password: c.Password}, account.Confirmation{}, account.AppLifetime)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func from(ip, email, pass string) account.Credentials {
	return account.Credentials{Email: email, Password: pass, Client: netip.MustParseAddr(ip)}
}

func TestA1_SignUpMakesAPersonalOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.1", "  Ann@Example.ORG ", password))
	if in.Email != "ann@example.org" || !strings.HasPrefix(in.Token.Reveal(), "ses_") {
		t.Errorf("%+v", in)
	}
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		a, ok, err := tx.Accounts().Get(in.Account)
		if err != nil || !ok {
			return fmt.Errorf("account: %v, %w", ok, err)
		}
		o, ok, err := tx.Organisations().Get(a.Personal)
		role, err2 := tx.Organisations().Member(a.Personal, a.ID)
		if !ok || !o.Personal || role != store.MemberOwner {
			return fmt.Errorf("organisation %+v, role %q, %w", o, role, errors.Join(err, err2))
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	id, err := w.service.Authenticate(t.Context(), in.Token.Reveal())
	if err != nil || id.Account != in.Account || id.Email != in.Email {
		t.Errorf("authenticate: %+v, %v", id, err)
	}
}

func TestLogInAndOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	up := w.signUp(t, from("192.0.2.1", "ann@example.org", password))
	in, err := w.service.LogIn(t.Context(), from("192.0.2.1", "ANN@example.org", password), account.WebLifetime)
	if err != nil || in.Account != up.Account || in.Token == up.Token {
		t.Fatalf("log in: %+v, %v", in, err)
	}
	for name, c := range map[string]account.Credentials{
		"wrong password":   from("192.0.2.2", "ann@example.org", password+"x"),
		"unknown address":  from("192.0.2.3", "bob@example.org", password),
		"password too big": from("192.0.2.4", "ann@example.org", strings.Repeat("x", account.MaxPassword+1)),
	} {
		_, err := w.service.LogIn(t.Context(), c, account.WebLifetime)
		if f := fault.From(err); f.Kind != fault.Unauthenticated || f.Message != "The address or the password is not right." {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.service.LogOut(t.Context(), in.Token.Reveal()); err != nil {
		t.Fatal(err)
	}
	if w.ended.Load() != 1 {
		t.Errorf("%d sessions were reported as ended", w.ended.Load())
	}
	if _, err := w.service.Authenticate(t.Context(), in.Token.Reveal()); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after log-out: %v", err)
	}
	if _, err := w.service.Authenticate(t.Context(), up.Token.Reveal()); err != nil {
		t.Errorf("the other session: %v", err)
	}
	w.now.Add(int64(account.AppLifetime/time.Second) + 1)
	if _, err := w.service.Authenticate(t.Context(), up.Token.Reveal()); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after its lifetime: %v", err)
	}
}

func TestB1_BadCredentialsNameTheField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ email, password, field string }{
		{"", password, "email"},
		{"ann", password, "email"},
		{"ann@", password, "email"},
		{"Ann <ann@example.org>", password, "email"},
		{"ann@example.org, bob@example.org", password, "email"},
		{"ann@example.org\r\nBcc: x@example.org", password, "email"},
		{"ann\x00@example.org", password, "email"},
		{strings.Repeat("a", 300) + "@example.org", password, "email"},
		{"ann@example.org", "", "password"},
		{"ann@example.org", "1234567", "password"},
		{"ann@example.org", strings.Repeat("x", 1025), "password"},
	} {
		_, err := w.service.SignUp(t.Context(), from("192.0.2.1", c.email, c.password), "")
		if f := fault.From(err); f.Kind != fault.Invalid || f.Field != c.field {
			t.Errorf("%.40q, %d characters: %v", c.email, len(c.password), err)
		}
	}
}

// Guessing is stopped before anything is hashed, by client and account, and does not keep the owner out.
func TestLogInIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp(t, from("192.0.2.9", "ann@example.org", password))
	var wrong, busy int
	for range 40 {
		_, err := w.service.LogIn(t.Context(), from("192.0.2.1", "ann@example.org", "guess guess"), account.AppLifetime)
		if fault.KindOf(err) == fault.Unauthenticated {
			wrong++
			continue
		}
		busy++
		if ex, ok := errors.AsType[*ratelimit.ExceededError](err); !ok || ex.After <= 0 || fault.KindOf(err) != fault.Busy {
			t.Fatalf("not a limit with a time to come back: %v", err)
		}
	}
	if wrong != 10 || busy != 30 {
		t.Errorf("%d attempts were checked and %d refused, want 10 and 30", wrong, busy)
	}
	// The right password does not help at the attacker's address, and does at the owner's.
	if _, err := w.service.LogIn(t.Context(), from("192.0.2.1", "ann@example.org", password), account.AppLifetime); fault.KindOf(err) != fault.Busy {
		t.Errorf("at the attacker's address: %v", err)
	}
	if _, err := w.service.LogIn(t.Context(), from("192.0.2.9", "ann@example.org", password), account.AppLifetime); err != nil {
		t.Errorf("at the owner's address: %v", err)
	}
	w.now.Add(300)
	if _, err := w.service.LogIn(t.Context(), from("192.0.2.1", "ann@example.org", password), account.AppLifetime); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestOldestSessionsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signUp(t, from("192.0.2.1", "ann@example.org", password))
	for range account.MaxSessions {
		w.now.Add(60)
		if _, err := w.service.LogIn(t.Context(), from("192.0.2.1", "ann@example.org", password), account.AppLifetime); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.service.Authenticate(t.Context(), first.Token.Reveal()); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("the first of %d sessions: %v", account.MaxSessions+1, err)
	}
	if w.ended.Load() != 1 {
		t.Errorf("%d ended", w.ended.Load())
	}
}

// Neither passwords nor tokens are in the file or in a log.
func TestSecretsAreNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.signUp(t, from("192.0.2.1", "ann@example.org", password))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"password": password, "token": in.Token.Reveal(), "token without prefix": in.Token.Reveal()[4:]} {
		if bytes.Contains(file, []byte(secret)) {
			t.Errorf("the %s is in the file", name)
		}
		if strings.Contains(w.log.String()+fmt.Sprintf("%v %+v %#v", in, in, in.Token), secret) {
			t.Errorf("the %s is printed", name)
		}
	}
	if !bytes.Contains(file, []byte("$argon2id$v=19$m=19456,t=2,p=1$")) {
		t.Error("the hash does not have OWASP's parameters")
	}
}
