package mail_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	letters "widgets.pro/syncserver/internal/mail"
	"widgets.pro/syncserver/internal/mail/relay"
	"widgets.pro/syncserver/servertest"
)

// queued makes a data file with an invitation's mail in its outbox.
func queued(t *testing.T, now func() time.Time) (data, id string) {
	t.Helper()
	w := newWorld(t, relay.Server{Host: "127.0.0.1", Port: 1}, func(c *letters.Config) { c.Now = now })
	w.office.Close(t.Context())
	m := w.invite("inv_1", bob)
	w.close(t.Context())
	return w.path, string(m.ID)
}

func TestI7_AServerThatIsKilledSendsWhenItIsBack(t *testing.T) {
	t.Parallel()
	var grey atomic.Bool
	grey.Store(true)
	tried := make(chan struct{}, 100)
	p := newPost(t, func(p *post) {
		p.rcpt = func(string) error {
			tried <- struct{}{}
			if grey.Load() {
				return later()
			}
			return nil
		}
	})
	var ms atomic.Int64
	ms.Store(time.Now().UnixMilli())
	now := func() time.Time { return time.UnixMilli(ms.Load()) }
	data, id := queued(t, now)
	s := servertest.Start(t, servertest.Options{Data: data, Now: now, Mail: p.at(relay.IfOffered)})
	<-tried
	s.Kill()
	grey.Store(false)
	ms.Add((2 * time.Minute).Milliseconds())
	s.Restart()
	p.wait(t, "the mail", func() bool { return len(p.mails()) > 0 })
	w := &world{t: t}
	if ids := w.ids(p.mails()); !slices.Equal(ids, []string{id}) {
		t.Errorf("%v", ids)
	}
}

func TestI7_AServerInATestShowsItsMail(t *testing.T) {
	t.Parallel()
	data, _ := queued(t, time.Now)
	s := servertest.Start(t, servertest.Options{Data: data})
	l := s.Mail(bob, 0)
	if l.Subject != "Ann invites you to “Sales”" || !slices.Equal(l.Links, []string{base + "/invite/" + token}) || !strings.Contains(l.HTML, l.Links[0]) {
		t.Errorf("%+v", l)
	}
	s.Restart()
	if again := s.Mails(bob); len(again) != 1 {
		t.Errorf("%d mails", len(again))
	}
}
