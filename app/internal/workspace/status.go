package workspace

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// Connection is the state of the connection as the sync client tells it. Since is when it began; Reason says why there is
// none (StateOffline, StateRefused). Total is how many changes waited at most since the sending began (StateSyncing).
type Connection struct {
	State  SyncState
	Since  time.Time
	Reason *fault.Error
	Total  int
}

// SetConnection tells screens how the connection stands. Only the sync client calls it.
func (w *Workspace) SetConnection(c Connection) {
	w.mu.Lock()
	same := w.link == c
	w.link = c
	var left []*dashboard
	if c.State != StateSyncing && c.State != StateSynced {
		for _, d := range w.boards {
			if d.presence != nil {
				d.presence = nil
				left = append(left, d)
			}
		}
	}
	w.mu.Unlock()
	if !same {
		w.publish(Event{Type: EventState})
	}
	for _, d := range left {
		w.publish(w.turned(d)...)
	}
}

// status is the connection in words. The caller holds w.mu.
func (w *Workspace) status() SyncStatus {
	s := SyncStatus{State: w.link.State}
	if w.account == nil {
		s.State, s.Sentence = StateOff, "Saved on this device."
		s.Hint = "Sign in to share dashboards by link and to have them on your other devices."
		n := 0
		for _, c := range w.outbox {
			if c.Home == "" && c.Command.Action == sharing.Invite {
				n++
			}
		}
		if n > 0 {
			s.Hint = invitations(n) + " until you sign in."
		}
		return s
	}
	s.Queued, s.LastSynced = w.waitingFor(w.account.Key()), w.account.LastSynced
	s.Total = max(s.Queued, w.link.Total)
	wait := ""
	switch s.Queued {
	case 0:
	case 1:
		wait = "1 change waits"
	default:
		wait = thousands(s.Queued) + " changes wait"
	}
	switch w.link.State {
	case StateOff, StateConnecting:
		s.State, s.Sentence = StateConnecting, "Connecting to "+host(w.account.Server)+"…"
		if wait != "" {
			s.Sentence = "Saved on this device. Connecting to " + host(w.account.Server) + "; " + wait + "."
		}
	case StateOffline:
		s.Sentence = "Saved on this device. Offline since " + clock(w.link.Since, w.deps.Now()) + "."
		if wait != "" {
			s.Sentence = s.Sentence[:len(s.Sentence)-1] + "; " + wait + "."
		}
		s.Hint = "Everything works as usual. Changes are sent as soon as the server can be reached."
		if r := w.link.Reason; r != nil {
			s.Hint = r.Message + " " + r.Hint
		}
	case StateSyncing:
		s.Sentence = "Exchanging changes with " + host(w.account.Server) + "…"
		if wait != "" {
			s.Sentence = "Saved on this device. Sending to " + host(w.account.Server) + "; " + wait + "."
		}
		if s.Total > s.Queued && s.Queued > 0 {
			s.Sentence = "Saved on this device. Sending to " + host(w.account.Server) + "; " + thousands(s.Queued) + " of " + thousands(s.Total) + " changes to go."
		}
	case StateSynced:
		s.Sentence = "All changes are saved on " + host(w.account.Server) + "."
	case StateRefused:
		s.Sentence = "Saved on this device."
		if wait != "" {
			s.Sentence = "Saved on this device; " + wait + "."
		}
		if r := w.link.Reason; r != nil {
			s.Sentence, s.Hint = r.Message+" "+s.Sentence, r.Hint
		}
	}
	return s
}

// waitingFor counts the edits and commands that wait for an account's server.
func (w *Workspace) waitingFor(home string) int {
	n := 0
	for _, d := range w.boards {
		if goesTo(d.rec, home) {
			n += d.rec.Queued
		}
	}
	for _, c := range w.outbox {
		if c.Home == home || c.Home == "" {
			n++
		}
	}
	return n
}

// goesTo reports whether a dashboard is synced by the account named home: it is its own, or nobody's yet.
func goesTo(rec localstore.Board, home string) bool {
	return rec.Denied == "" && !rec.Sample && (rec.Home == home || rec.Home == "")
}

// syncOf says where a dashboard's edits are. The caller holds w.mu.
func (w *Workspace) syncOf(d *dashboard) Sync {
	switch {
	case d.rec.Denied != "":
		return SyncDenied
	case d.rec.Refused > 0:
		return SyncRefused
	case d.rec.Sample, d.rec.Home == "" && w.account == nil:
		return SyncDevice
	case d.rec.Queued > 0, !d.rec.Known:
		return SyncWaiting
	}
	for _, c := range w.outbox {
		if c.Command.Board == d.rec.ID {
			return SyncWaiting
		}
	}
	return SyncSaved
}

// thousands is a count as people read it, such as 20,000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func host(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		return u.Host
	}
	return server
}

// clock is a time of day, with the date unless it is today.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2 January, 15:04")
}

// maxSkew is how far this device's clock may differ from the server's before its edits are stamped by the server's.
const maxSkew = 2 * time.Second

// correction is what is added to this device's clock, given the measured difference; both in milliseconds.
func correction(offset int64) int64 {
	if d := time.Duration(offset) * time.Millisecond; d.Abs() > maxSkew {
		return offset
	}
	return 0
}

// duration is a span of time in words, from milliseconds.
func duration(ms int64) string {
	d := (time.Duration(ms) * time.Millisecond).Abs()
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
