package devmail_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"widgets.pro/syncserver/internal/devmail"
	"widgets.pro/syncserver/internal/mail/relay"
)

func start(t *testing.T, keep int) (*devmail.Mailbox, *relay.Conn) {
	t.Helper()
	b, err := devmail.Start(devmail.Config{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(1234) }, Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	d := relay.Dialer{Server: b.Server(), Name: "localhost"}
	c, f := d.Dial(t.Context())
	if f != nil {
		t.Fatal(f)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return b, c
}

func send(t *testing.T, c *relay.Conn, data string) *relay.Error {
	t.Helper()
	return c.Send(t.Context(), "no-reply@example.org", "bob@example.org", []byte(data))
}

func TestItKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b, c := start(t, 3)
	for i := range 5 {
		changed := b.Changed()
		if f := send(t, c, fmt.Sprintf("From: Ann <ann@example.org>\r\nSubject: =?utf-8?q?N=C2=B0_%d?=\r\n\r\nHello\r\n.\r\n", i)); f != nil {
			t.Fatal(f)
		}
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Fatal("not told of a mail")
		}
	}
	list := b.List()
	if len(list) != 3 || list[0].ID != "5" || list[2].ID != "3" {
		t.Fatalf("%+v", list)
	}
	if m := list[0]; m.To != "bob@example.org" || m.From != "Ann <ann@example.org>" || m.Subject != "N° 4" || m.Text != "Hello\r\n.\r\n" || m.HTML != "" || m.At != 1234 {
		t.Errorf("%+v", m)
	}
	if _, ok := b.Get("2"); ok {
		t.Error("an old one is still there")
	}
	if m, ok := b.Get("4"); !ok || m.Subject != "N° 3" {
		t.Errorf("%+v", m)
	}
}

func TestB1_WhatIsNoMailIsRefused(t *testing.T) {
	t.Parallel()
	b, c := start(t, 0)
	for _, data := range []string{"no header at all", "From: <<<\r\n\r\nHello\r\n", "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n"} {
		if f := send(t, c, data); f == nil || !f.Permanent() {
			t.Errorf("%q: %v", data, f)
		}
	}
	if f := send(t, c, "Subject: x\r\n\r\n"+string(make([]byte, 2<<20))); f == nil || !f.Permanent() {
		t.Errorf("too large: %v", f)
	}
	if f := send(t, c, "Subject: x\r\n\r\nok\r\n"); f != nil || len(b.List()) != 1 {
		t.Errorf("%v, %+v", f, b.List())
	}
}

func TestClosingAtOnce(t *testing.T) {
	t.Parallel()
	for range 50 {
		b, err := devmail.Start(devmail.Config{Log: slog.New(slog.DiscardHandler), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		b.Close()
	}
}
