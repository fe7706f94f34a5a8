package syncclient_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest"
)

// serverLog is a log that a server writes and a test reads.
type serverLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Every setting that was changed offline is in force once the app has synced, over a crash; the password itself is
// nowhere, here or on the server.
func TestQ1_P2_SettingsMadeOfflineArrive(t *testing.T) {
	const canary = "Kanarienvogel"
	log, data := &serverLog{}, filepath.Join(t.TempDir(), "server.db")
	s := servertest.Start(t, servertest.Options{Log: log, Data: data})
	a, b := pair(t, s)
	id, err := a.Create("Shop")
	a.must(err)
	a.must(a.Share(id, to(sharing.Enable)))
	a.untilSame(b, id)
	if v := a.view(id).Share; v.InForce.Mode != sharing.Public {
		t.Fatalf("%s", text(v))
	}
	s.Kill()
	a.untilState(workspace.StateOffline)
	end := time.Now().Add(time.Hour).UnixMilli()
	for _, ask := range []workspace.ShareChange{
		{Action: sharing.SetPassword, Password: canary},
		{Action: sharing.SetExpiry, Expires: end},
		{Action: sharing.SetSlug, Slug: "team-status"},
		{Action: sharing.SetStill, Still: true},
		{Action: sharing.SetOrigins, Origins: []string{"example.org"}},
	} {
		a.must(a.Share(id, ask))
	}
	if v := a.view(id).Share; v.InForce.Mode != sharing.Public || v.Wanted.Mode != sharing.Password || len(v.Waiting) != 5 {
		t.Errorf("%s", text(v))
	}
	a.restart()
	s.Restart()
	a.RetrySync()
	a.untilSynced()
	b.RetrySync()
	settled := func(d *device) bool {
		l := d.view(id).Share.InForce
		return l.Mode == sharing.Password && l.Expires == end && l.Slug == "team-status" && l.Still && len(l.Origins) == 1
	}
	a.until("everything is in force", func() bool { return settled(a) })
	b.until("the other device knows", func() bool { return settled(b) })
	v := a.view(id).Share
	if len(v.Waiting) != 0 || v.Refused != nil {
		t.Errorf("%s", text(v))
	}
	a.kill()
	s.Close()
	all := log.String()
	for _, path := range []string{a.path, data} {
		raw, err := os.ReadFile(path)
		a.must(err)
		all += string(raw)
	}
	if strings.Contains(all, canary) || !strings.Contains(all, "$argon2id$") {
		t.Error("the password is in plain text, or its hash is nowhere")
	}
}

// A name that somebody else has is refused in words, and what was asked for after it is done.
func TestS2_V3_ATakenNameIsTold(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	a, b := newDevice(t), newDevice(t)
	a.enter(s, "ada@example.org")
	b.enter(s, "bob@example.org")
	for _, d := range []*device{a, b} {
		id, err := d.Create("Shop")
		d.must(err)
		d.must(d.Share(id, workspace.ShareChange{Action: sharing.SetSlug, Slug: "team-status"}))
		d.must(d.Share(id, to(sharing.Enable)))
		d.untilSynced()
		v := d.view(id).Share
		if status := get(t, v.URL); status == http.StatusNotFound || v.InForce.Mode != sharing.Public {
			t.Errorf("%d, %s", status, text(v))
		}
		if d == a && (v.Refused != nil || v.SlugURL != s.URL()+"/s/team-status") {
			t.Errorf("%s", text(v))
		}
		if d == b && (v.Refused == nil || v.Refused.Action != sharing.SetSlug || !strings.Contains(v.Refused.Message, "“team-status” is taken") || v.InForce.Slug != "") {
			t.Errorf("%s", text(v))
		}
	}
}
