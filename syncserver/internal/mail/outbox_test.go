package mail_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
	letters "widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/internal/store"
	"widgets.pro/syncserver/internal/store/boltstore"
)

const (
	bob   = "bob@example.org"
	eve   = "eve@example.net"
	token = "ivt_thesecretofthelink"
)

// disk is a store that can be made to fail.
type disk struct {
	*boltstore.Store
	mu     sync.Mutex
	broken error
}

func (d *disk) Update(ctx context.Context, fn func(store.Tx) error) error {
	d.mu.Lock()
	err := d.broken
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.Store.Update(ctx, fn)
}

func (d *disk) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
}

// world is an office over a store.
type world struct {
	t      *testing.T
	path   string
	cfg    letters.Config
	disk   *disk
	office *letters.Office
	log    lockedBuffer
	told   chan store.Invitation
	closed bool
}

func newWorld(t *testing.T, server relay.Server, fill func(*letters.Config)) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "server.db"), told: make(chan store.Invitation, 10_000)}
	w.cfg = letters.Config{
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: time.Now, Random: rand.Reader, Base: base,
		From: mail.Address{Name: "Widgets", Address: "no-reply@example.org"}, Server: server,
		Delivered: func(i store.Invitation) { w.told <- i },
	}
	if fill != nil {
		fill(&w.cfg)
	}
	w.open()
	t.Cleanup(func() {
		w.close(t.Context())
		for _, secret := range []string{"bob@", "eve@", "example.org", "example.net", token, "opensesame", "SMTP's own words"} {
			if strings.Contains(w.log.String(), secret) {
				t.Errorf("the log has %q:\n%s", secret, w.log.String())
			}
		}
	})
	return w
}

func (w *world) open() {
	w.t.Helper()
	st, err := boltstore.Open(boltstore.Options{Path: w.path})
	if err != nil {
		w.t.Fatal(err)
	}
	w.disk = &disk{Store: st}
	w.cfg.Store = w.disk
	if w.office, err = letters.New(w.cfg); err != nil {
		w.t.Fatal(err)
	}
	w.closed = false
	w.office.Start()
}

func (w *world) close(ctx context.Context) {
	if w.closed {
		return
	}
	w.closed = true
	w.office.Close(ctx)
	_ = w.disk.Close()
}

// crash ends everything as a power cut would: what is under way breaks off, and nothing more is kept.
func (w *world) crash() {
	w.disk.Abandon()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	w.close(ended)
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.disk.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// invite puts an invitation and queues its mail.
func (w *world) invite(id, to string) store.Mail {
	w.t.Helper()
	var m store.Mail
	w.queue(func(tx store.Tx) error {
		var err error
		m, err = w.mail(tx, id, to)
		return err
	})
	return m
}

func (w *world) queue(fn func(store.Tx) error) { w.t.Helper(); w.update(fn) }

// mail queues within a transaction. Composing in it is for tests, whose transactions run once.
func (w *world) mail(tx store.Tx, id, to string) (store.Mail, error) {
	m, err := w.office.Compose(letters.Invite{To: to, By: "Ann", What: "Sales", As: "to view", URL: base + "/invite/" + token})
	if err != nil {
		return m, err
	}
	m.Invitation = store.InvitationID(id)
	inv := store.Invitation{
		ID: m.Invitation, Board: "dsh_1", Email: to, State: store.InvitationOpen, Mail: m.ID, Delivery: sharing.DeliveryQueued, Hash: store.Hash([]byte(fmt.Sprintf("%32s", m.ID[2:]))),
	}
	return m, errors.Join(tx.Invitations().Put(inv), w.office.Queue(tx, m))
}

func (w *world) invitation(id string) (inv store.Invitation) {
	w.t.Helper()
	if err := w.disk.View(w.t.Context(), func(tx store.Tx) (err error) {
		inv, _, err = tx.Invitations().Get(store.InvitationID(id))
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return inv
}

func (w *world) waiting() (all []store.Mail) {
	w.t.Helper()
	if err := w.disk.View(w.t.Context(), func(tx store.Tx) (err error) {
		all, _, err = tx.Outbox().Due(math.MaxInt64, math.MaxInt)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// hears waits until the delivery of an invitation is told to be so.
func (w *world) hears(id string, d sharing.Delivery) store.Invitation {
	w.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case i := <-w.told:
			if string(i.ID) == id && i.Delivery == d {
				if now := w.invitation(id); now != i {
					w.t.Errorf("told %+v, kept %+v", i, now)
				}
				return i
			}
		case <-timeout:
			w.t.Fatalf("not told that %s is %s", id, d)
		}
	}
}

func (w *world) ids(mails []taken) (out []string) {
	w.t.Helper()
	for _, m := range mails {
		h := parse(w.t, m.raw).header
		id, err := h.MessageID()
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, "mail_"+strings.TrimSuffix(id, "@example.org"))
	}
	return out
}

// after lets time pass in a bubble and everything come to rest.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// later is a reply that asks to come again, refused one that does not.
func later() error {
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "SMTP's own words"}
}

func refused() error {
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "SMTP's own words"}
}

func TestI7_AMailIsSentOnceAndForgotten(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	w := newWorld(t, p.at(relay.IfOffered), nil)
	m := w.invite("inv_1", bob)
	if i := w.hears("inv_1", sharing.DeliverySent); i.Reason != "" {
		t.Errorf("%+v", i)
	}
	got := p.mails()
	if len(got) != 1 || got[0].to != bob || got[0].from != "no-reply@example.org" || string(got[0].raw) != string(m.Data) {
		t.Errorf("%+v", got)
	}
	if left := w.waiting(); len(left) != 0 {
		t.Errorf("%d left", len(left))
	}
}

func TestI7_NothingIsSentOfWhatWasNotCommitted(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	w := newWorld(t, p.at(relay.IfOffered), nil)
	no := errors.New("no")
	if err := w.disk.Update(t.Context(), func(tx store.Tx) error {
		_, err := w.mail(tx, "inv_1", bob)
		return errors.Join(err, no)
	}); !errors.Is(err, no) {
		t.Fatal(err)
	}
	w.invite("inv_2", eve)
	w.hears("inv_2", sharing.DeliverySent)
	if got := p.mails(); len(got) != 1 || got[0].to != eve {
		t.Errorf("%+v", got)
	}
}

// inside is what a test in a bubble has.
type inside struct {
	t       *testing.T
	post    *post
	outside *outside
}

// bubble runs a test with a clock of its own, and what it needs of the network outside of it.
func bubble(t *testing.T, fill func(*post), test func(inside)) {
	t.Helper()
	p, o := newPost(t, fill), newOutside(t)
	synctest.Test(t, func(t *testing.T) { test(inside{t, p, o}) })
}

func TestI5_I7_Greylisting(t *testing.T) {
	t.Parallel()
	var tries atomic.Int64
	bubble(t, func(p *post) {
		p.rcpt = func(string) error {
			if tries.Add(1) == 1 {
				return later()
			}
			return nil
		}
	}, func(in inside) {
		t, p := in.t, in.post
		w := newWorld(t, p.at(relay.IfOffered), nil)
		m := w.invite("inv_1", bob)
		after(time.Second)
		if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != "The mail server of example.org asked to try again later. Another try follows." {
			t.Errorf("%+v", i)
		}
		after(46 * time.Second)
		if len(p.mails()) != 0 {
			t.Error("tried again too soon")
		}
		after(25 * time.Second)
		if ids := w.ids(p.mails()); !slices.Equal(ids, []string{string(m.ID)}) {
			t.Errorf("%v", ids)
		}
		if i := w.invitation("inv_1"); i.Delivery != sharing.DeliverySent || i.Reason != "" || len(w.waiting()) != 0 {
			t.Errorf("%+v", i)
		}
	})
}

func TestI7_TheConnectionIsLostInTheMiddle(t *testing.T) {
	t.Parallel()
	var tries atomic.Int64
	bubble(t, func(p *post) {
		p.data = func(c *smtp.Conn, _ string, raw []byte) error {
			if raw != nil {
				return nil
			}
			if tries.Add(1) <= 2 {
				_ = c.Conn().Close()
			}
			return nil
		}
	}, func(in inside) {
		t, p := in.t, in.post
		w := newWorld(t, p.at(relay.IfOffered), nil)
		m := w.invite("inv_1", bob)
		after(5 * time.Minute)
		if ids := w.ids(p.mails()); !slices.Equal(ids, []string{string(m.ID)}) || tries.Load() != 3 {
			t.Errorf("%v after %d tries", ids, tries.Load())
		}
		if i := w.invitation("inv_1"); i.Delivery != sharing.DeliverySent {
			t.Errorf("%+v", i)
		}
	})
}

func TestI5_I7_RefusedForGood(t *testing.T) {
	t.Parallel()
	p := newPost(t, func(p *post) {
		p.rcpt = func(to string) error {
			if to == eve {
				return refused()
			}
			return nil
		}
	})
	w := newWorld(t, p.at(relay.IfOffered), nil)
	w.update(func(tx store.Tx) error {
		_, err := w.mail(tx, "inv_1", eve)
		_, err2 := w.mail(tx, "inv_2", bob)
		return errors.Join(err, err2)
	})
	if i := w.hears("inv_1", sharing.DeliveryFailed); i.Reason != "The mail server of example.net does not know this address." {
		t.Errorf("%+v", i)
	}
	if w.invitation("inv_2").Delivery != sharing.DeliverySent {
		w.hears("inv_2", sharing.DeliverySent)
	}
	if left := w.waiting(); len(left) != 0 {
		t.Errorf("%d left", len(left))
	}
	if got := p.mails(); len(got) != 1 || got[0].to != bob {
		t.Errorf("%+v", got)
	}
}

func TestI5_TheReasonIsInWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code     int
		enhanced smtp.EnhancedCode
		over     bool
		want     string
	}{
		"no such address":        {550, smtp.EnhancedCode{5, 1, 1}, true, "The mail server of example.org does not know this address."},
		"no such address, plain": {553, smtp.EnhancedCode{5, 0, 0}, true, "The mail server of example.org does not know this address."},
		"takes no mail at all":   {556, smtp.EnhancedCode{5, 1, 10}, true, "There is no mail server for example.org."},
		"switched off":           {550, smtp.EnhancedCode{5, 2, 1}, true, "This mailbox takes no mail at present."},
		"full":                   {552, smtp.EnhancedCode{5, 2, 2}, true, "The mailbox is full."},
		"full for now":           {452, smtp.EnhancedCode{4, 2, 2}, false, "The mailbox is full. Another try follows."},
		"too large":              {552, smtp.EnhancedCode{5, 3, 4}, true, "The mail is too large for the mail server of example.org."},
		"policy":                 {550, smtp.EnhancedCode{5, 7, 1}, true, "The mail server of example.org refused the mail."},
		"whatever":               {554, smtp.EnhancedCode{5, 0, 0}, true, "The mail server of example.org refused the mail."},
		"busy":                   {450, smtp.EnhancedCode{4, 2, 0}, false, "The mail server of example.org asked to try again later. Another try follows."},
		"log in first":           {530, smtp.EnhancedCode{5, 7, 0}, false, "The mail server did not let this server in. Whoever runs this server has to see to it. Another try follows."},
		"goodbye":                {421, smtp.EnhancedCode{4, 3, 0}, false, "The mail server could not be reached. Another try follows."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t, func(p *post) {
				p.rcpt = func(string) error {
					return &smtp.SMTPError{Code: c.code, EnhancedCode: c.enhanced, Message: "SMTP's own words"}
				}
			})
			w := newWorld(t, p.at(relay.IfOffered), nil)
			w.invite("inv_1", bob)
			d := sharing.DeliveryQueued
			if c.over {
				d = sharing.DeliveryFailed
			}
			if i := w.hears("inv_1", d); i.Reason != c.want {
				t.Errorf("%q", i.Reason)
			}
			if left := w.waiting(); (len(left) == 0) != c.over {
				t.Errorf("%d left", len(left))
			}
		})
	}
}

func TestI5_TheReasonIsNotTheRecipients(t *testing.T) {
	t.Parallel()
	says := func(code int) error { return &smtp.SMTPError{Code: code, Message: "SMTP's own words"} }
	for name, c := range map[string]struct {
		fill func(*post)
		want string
	}{
		"sender": {
			func(p *post) { p.sender = func() error { return says(553) } },
			"The mail server does not take mail from this server. Whoever runs this server has to see to it.",
		},
		"content": {
			func(p *post) { p.data = func(*smtp.Conn, string, []byte) error { return says(550) } },
			"The mail server of example.org refused the mail.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, newPost(t, c.fill).at(relay.IfOffered), nil)
			w.invite("inv_1", bob)
			if i := w.hears("inv_1", sharing.DeliveryFailed); i.Reason != c.want {
				t.Errorf("%q", i.Reason)
			}
		})
	}
}

func TestI7_ASlowServerIsGivenUpOn(t *testing.T) {
	t.Parallel()
	const soon = 50 * time.Millisecond
	for name, c := range map[string]struct {
		fill     func(p *post, release <-chan struct{})
		timeouts relay.Timeouts
	}{
		"at the greeting": {func(p *post, release <-chan struct{}) { p.greet = func() { <-release } }, relay.Timeouts{Connect: soon}},
		"at a command": {func(p *post, release <-chan struct{}) {
			p.rcpt = func(string) error { <-release; return nil }
		}, relay.Timeouts{Command: soon}},
		"at the end": {func(p *post, release <-chan struct{}) {
			p.data = func(_ *smtp.Conn, _ string, raw []byte) error {
				if raw != nil {
					<-release
				}
				return nil
			}
		}, relay.Timeouts{Submit: soon}},
		"all in all": {func(p *post, release <-chan struct{}) {
			p.rcpt = func(string) error { <-release; return nil }
		}, relay.Timeouts{Mail: soon}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			p := newPost(t, func(p *post) { c.fill(p, release) })
			t.Cleanup(func() { close(release) })
			w := newWorld(t, p.at(relay.IfOffered), func(cfg *letters.Config) { cfg.Timeouts = c.timeouts })
			w.invite("inv_1", bob)
			if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != "The mail server could not be reached. Another try follows." {
				t.Errorf("%+v", i)
			}
			if left := w.waiting(); len(left) != 1 || left[0].Attempts != 1 {
				t.Errorf("%+v", left)
			}
		})
	}
}

func TestI7_ServerDownForADay(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(in inside) {
		t, p, o := in.t, in.post, in.outside
		o.run(p.shut)
		w := newWorld(t, p.at(relay.IfOffered), nil)
		m := w.invite("inv_1", bob)
		after(24 * time.Hour)
		i, left := w.invitation("inv_1"), w.waiting()
		if i.Delivery != sharing.DeliveryQueued || i.Reason != "The mail server could not be reached. Another try follows." || len(left) != 1 {
			t.Fatalf("%+v, %d left", i, len(left))
		}
		// Doubling from a minute to two hours makes 7 tries in the first two hours and about one in two hours from then on.
		if n := left[0].Attempts; n < 14 || n > 24 {
			t.Errorf("%d tries in a day", n)
		}
		o.run(func() { p.up(t) })
		after(2*time.Hour + 30*time.Minute)
		if ids := w.ids(p.mails()); !slices.Equal(ids, []string{string(m.ID)}) || w.invitation("inv_1").Delivery != sharing.DeliverySent {
			t.Errorf("%v, %+v", ids, w.invitation("inv_1"))
		}
	})
}

func TestI5_I7_GivenUpAfterTwoDays(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(in inside) {
		t, p, o := in.t, in.post, in.outside
		o.run(p.shut)
		w := newWorld(t, p.at(relay.IfOffered), nil)
		w.invite("inv_1", bob)
		after(48*time.Hour - time.Second)
		if i := w.invitation("inv_1"); i.Delivery != sharing.DeliveryQueued || len(w.waiting()) != 1 {
			t.Fatalf("%+v", i)
		}
		after(2 * time.Second)
		want := "It could not be delivered within two days. The mail server could not be reached."
		if i := w.invitation("inv_1"); i.Delivery != sharing.DeliveryFailed || i.Reason != want || len(w.waiting()) != 0 {
			t.Fatalf("%+v", i)
		}
		o.run(func() { p.up(t) })
		after(24 * time.Hour)
		if got := p.mails(); len(got) != 0 {
			t.Errorf("sent all the same: %+v", got)
		}
	})
}

func TestI7_ACrashBetweenTriesLosesNothing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	grey := true
	bubble(t, func(p *post) {
		p.rcpt = func(string) error {
			mu.Lock()
			defer mu.Unlock()
			if grey {
				return later()
			}
			return nil
		}
	}, func(in inside) {
		t, p := in.t, in.post
		w := newWorld(t, p.at(relay.IfOffered), nil)
		m := w.invite("inv_1", bob)
		after(10 * time.Second)
		w.crash()
		mu.Lock()
		grey = false
		mu.Unlock()
		after(time.Hour) // it becomes due while nothing runs
		w.open()
		after(time.Second)
		if ids := w.ids(p.mails()); !slices.Equal(ids, []string{string(m.ID)}) || w.invitation("inv_1").Delivery != sharing.DeliverySent {
			t.Errorf("%v, %+v", ids, w.invitation("inv_1"))
		}
	})
}

func TestI7_ACrashAfterTheServerTookIt(t *testing.T) {
	t.Parallel()
	var w *world
	p := newPost(t, func(p *post) {
		p.data = func(_ *smtp.Conn, _ string, raw []byte) error {
			if raw != nil {
				w.disk.Abandon() // the power goes before the outbox hears of it
			}
			return nil
		}
	})
	w = newWorld(t, p.at(relay.IfOffered), nil)
	m := w.invite("inv_1", bob)
	p.wait(t, "the first mail", func() bool { return len(p.mails()) == 1 })
	w.crash()
	p.set(func(p *post) { p.data = nil })
	w.open()
	w.hears("inv_1", sharing.DeliverySent)
	if ids := w.ids(p.mails()); !slices.Equal(ids, []string{string(m.ID), string(m.ID)}) {
		t.Errorf("%v: the second must be known as the first", ids)
	}
}

func TestI7_ADiskThatFailsSendsNothingTwice(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(in inside) {
		t, p := in.t, in.post
		w := newWorld(t, p.at(relay.IfOffered), nil)
		w.office.Close(t.Context())
		w.invite("inv_1", bob)
		w.disk.set(fault.New(fault.Unavailable, "The disk is full."))
		office, err := letters.New(w.cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.office = office
		office.Start()
		after(10 * time.Minute)
		if n := len(p.mails()); n != 1 || w.invitation("inv_1").Delivery != sharing.DeliveryQueued {
			t.Fatalf("sent %d times", n)
		}
		w.disk.set(nil)
		after(2 * time.Minute)
		if n := len(p.mails()); n != 1 || w.invitation("inv_1").Delivery != sharing.DeliverySent || len(w.waiting()) != 0 {
			t.Errorf("sent %d times, %+v", n, w.invitation("inv_1"))
		}
	})
}

func TestI7_MailsToOneAddressKeepTheirOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tries := 0
	bubble(t, func(p *post) {
		p.rcpt = func(to string) error {
			mu.Lock()
			defer mu.Unlock()
			if to != bob {
				return nil
			}
			if tries++; tries <= 2 {
				return later()
			}
			return nil
		}
	}, func(in inside) {
		t, p := in.t, in.post
		w := newWorld(t, p.at(relay.IfOffered), nil)
		var want []string
		w.update(func(tx store.Tx) error {
			for i := range 12 {
				m, err := w.mail(tx, fmt.Sprintf("inv_%02d", i), bob)
				_, err2 := w.mail(tx, fmt.Sprintf("inv_x%02d", i), fmt.Sprintf("eve%d@example.net", i))
				if err := errors.Join(err, err2); err != nil {
					return err
				}
				want = append(want, string(m.ID))
			}
			return nil
		})
		after(10 * time.Second)
		if n := len(p.mails()); n != 12 {
			t.Errorf("%d mails to others", n)
		}
		after(time.Hour)
		var bobs []taken
		for _, m := range p.mails() {
			if m.to == bob {
				bobs = append(bobs, m)
			}
		}
		if ids := w.ids(bobs); !slices.Equal(ids, want) {
			t.Errorf("%v\n%v", ids, want)
		}
	})
}

func TestI7_ManyMailsOverFewConnections(t *testing.T) {
	t.Parallel()
	const many = 500
	p := newPost(t, nil)
	w := newWorld(t, p.at(relay.IfOffered), nil)
	w.update(func(tx store.Tx) error {
		for i := range many {
			if _, err := w.mail(tx, fmt.Sprintf("inv_%03d", i), fmt.Sprintf("eve%d@example.net", i)); err != nil {
				return err
			}
		}
		return nil
	})
	for sent := 0; sent < many; {
		if i := <-w.told; i.Delivery == sharing.DeliverySent {
			sent++
		}
	}
	seen := map[string]bool{}
	for _, m := range p.mails() {
		if seen[m.to] {
			t.Errorf("%s got it twice", m.to)
		}
		seen[m.to] = true
	}
	if len(seen) != many || len(w.waiting()) != 0 {
		t.Errorf("%d sent, %d left", len(seen), len(w.waiting()))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most > letters.Lanes || p.sessions > 2*letters.Lanes {
		t.Errorf("%d connections, %d at once", p.sessions, p.most)
	}
}

func TestI7_OneServerThatIsDownIsNotAskedForEachMail(t *testing.T) {
	t.Parallel()
	p := newPost(t, func(p *post) { p.users, p.ways = map[string]string{"widgets": "right"}, []string{"PLAIN"} })
	server := p.at(relay.IfOffered)
	server.User, server.Password = "widgets", "wrong"
	w := newWorld(t, server, nil)
	const many = 200
	w.update(func(tx store.Tx) error {
		for i := range many {
			if _, err := w.mail(tx, fmt.Sprintf("inv_%03d", i), fmt.Sprintf("eve%d@example.net", i)); err != nil {
				return err
			}
		}
		return nil
	})
	for range many {
		if i := <-w.told; i.Delivery != sharing.DeliveryQueued || i.Reason == "" {
			t.Fatalf("%+v", i)
		}
	}
	for _, m := range w.waiting() {
		if m.Attempts != 1 {
			t.Fatalf("%+v", m)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions > 2*letters.Lanes {
		t.Errorf("%d connections", p.sessions)
	}
}

func TestI7_AConnectionThatWentStaleCostsNoTry(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	all.Add(letters.Lanes)
	p := newPost(t, func(p *post) {
		p.timeout = 200 * time.Millisecond
		p.rcpt = func(string) error {
			all.Done()
			all.Wait()
			return nil
		}
	})
	w := newWorld(t, p.at(relay.IfOffered), nil)
	invite := func(round int) {
		w.update(func(tx store.Tx) error {
			for i := range letters.Lanes {
				if _, err := w.mail(tx, fmt.Sprintf("inv_%d_%d", round, i), fmt.Sprintf("eve%d@example.net", i)); err != nil {
					return err
				}
			}
			return nil
		})
		for sent := 0; sent < letters.Lanes; {
			if i := <-w.told; i.Delivery != sharing.DeliverySent {
				t.Fatalf("it took more than one try: %+v", i)
			}
			sent++
		}
	}
	invite(1) // each over a connection of its own, since all are under way at once
	p.set(func(p *post) { p.rcpt = nil })
	// The server hangs up before the office would.
	p.wait(t, "the end of the connections", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.open == 0
	})
	invite(2)
}

func TestI7_AServerThatSpeaksSomethingElse(t *testing.T) {
	t.Parallel()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("+OK hello " + bob + ", this is POP3\r\n"))
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		serving.Wait()
	})
	w := newWorld(t, relay.Server{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, Security: relay.IfOffered}, nil)
	w.invite("inv_1", bob)
	if i := w.hears("inv_1", sharing.DeliveryQueued); i.Reason != "The mail server could not be reached. Another try follows." {
		t.Errorf("%+v", i)
	}
}

func TestI5_ARevokedInvitationIsNotSent(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(in inside) {
		t, p, o := in.t, in.post, in.outside
		o.run(p.shut)
		w := newWorld(t, p.at(relay.IfOffered), nil)
		w.invite("inv_1", bob)
		old := w.invite("inv_2", eve)
		w.invite("inv_3", "carol@example.org")
		after(time.Second)
		w.update(func(tx store.Tx) error {
			inv, _, err := tx.Invitations().Get("inv_1")
			inv.State = store.InvitationRevoked
			return errors.Join(err, tx.Invitations().Put(inv), tx.Invitations().Delete("inv_3"))
		})
		again := w.invite("inv_2", eve)
		o.run(func() { p.up(t) })
		after(time.Hour)
		if ids := w.ids(p.mails()); !slices.Equal(ids, []string{string(again.ID)}) {
			t.Errorf("sent %v; the old one is %s", ids, old.ID)
		}
		if left := w.waiting(); len(left) != 0 || w.invitation("inv_2").Delivery != sharing.DeliverySent {
			t.Errorf("%d left, %+v", len(left), w.invitation("inv_2"))
		}
	})
}

func TestI5_OnlyTheLatestMailTells(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	p := newPost(t, func(p *post) {
		p.rcpt = func(to string) error {
			if to != bob {
				return nil
			}
			arrived <- struct{}{}
			<-release
			return refused()
		}
	})
	w := newWorld(t, p.at(relay.IfOffered), nil)
	old := w.invite("inv_1", bob)
	<-arrived
	w.update(func(tx store.Tx) error { // sent anew while the old one is under way, to an address that is right
		inv, _, err := tx.Invitations().Get("inv_1")
		m, err2 := w.office.Compose(letters.NoAccount{To: eve, SignUp: base})
		m.Invitation, inv.Mail = "inv_1", m.ID
		return errors.Join(err, err2, tx.Invitations().Put(inv), w.office.Queue(tx, m))
	})
	w.hears("inv_1", sharing.DeliverySent)
	close(release)
	w.invite("inv_2", eve)
	w.hears("inv_2", sharing.DeliverySent)
	p.wait(t, "the old one's end", func() bool {
		return !slices.ContainsFunc(w.waiting(), func(m store.Mail) bool { return m.ID == old.ID })
	})
	if i := w.invitation("inv_1"); i.Delivery != sharing.DeliverySent || i.Reason != "" {
		t.Errorf("%+v", i)
	}
}

func TestB1_TheOutboxHasAnEnd(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	p.shut()
	w := newWorld(t, p.at(relay.IfOffered), nil)
	w.update(func(tx store.Tx) error {
		for i := range letters.MaxWaiting - 1 {
			if err := tx.Outbox().Put(store.Mail{ID: store.MailID(fmt.Sprintf("mail_%05d", i)), To: bob, Next: math.MaxInt64}); err != nil {
				return err
			}
		}
		return nil
	})
	w.invite("inv_1", bob)
	m, err := w.office.Compose(letters.NoAccount{To: bob, SignUp: base})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.disk.Update(t.Context(), func(tx store.Tx) error { return w.office.Queue(tx, m) }); fault.KindOf(err) != fault.Busy {
		t.Errorf("%v", err)
	}
	if n := len(w.waiting()); n != letters.MaxWaiting {
		t.Errorf("%d wait", n)
	}
}

func TestI7_WithoutAServerNothingIsQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t, relay.Server{}, nil)
	m, err := w.office.Compose(letters.NoAccount{To: bob, SignUp: base})
	if err != nil || w.office.Enabled() {
		t.Fatal(err, w.office.Enabled())
	}
	if err := w.disk.Update(t.Context(), func(tx store.Tx) error { return w.office.Queue(tx, m) }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestI7_ClosingWaitsOnlySoLong(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	p := newPost(t, func(p *post) {
		p.rcpt = func(string) error { arrived <- struct{}{}; <-release; return nil }
	})
	w := newWorld(t, p.at(relay.IfOffered), nil)
	m := w.invite("inv_1", bob)
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	w.office.Close(ctx)
	if left := w.waiting(); len(left) != 1 || left[0].Attempts != 0 {
		t.Errorf("%+v: breaking off is no failure", left)
	}
	w.close(ctx)
	close(release)
	p.set(func(p *post) { p.rcpt = nil })
	w.open()
	w.hears("inv_1", sharing.DeliverySent)
	if ids := w.ids(p.mails()); ids[len(ids)-1] != string(m.ID) {
		t.Errorf("%v", ids)
	}
}

func TestI7_ClosingFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	p := newPost(t, func(p *post) {
		p.rcpt = func(string) error { arrived <- struct{}{}; <-release; return nil }
	})
	w := newWorld(t, p.at(relay.IfOffered), nil)
	w.invite("inv_1", bob)
	<-arrived
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		w.office.Close(context.Background())
	}()
	close(release)
	<-closed
	if i := w.invitation("inv_1"); i.Delivery != sharing.DeliverySent || len(p.mails()) != 1 || len(w.waiting()) != 0 {
		t.Errorf("%+v, %d sent", i, len(p.mails()))
	}
}
