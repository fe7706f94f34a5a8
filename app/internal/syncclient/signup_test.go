package syncclient_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
)

// office is a server at which sign-ups wait for the link in a mail to be opened.
type office struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	mailbox  string
	claims   map[string]string // claim -> address
	opened   bool              // the link in the mail was
	over     bool
	busy     int // how many questions are turned away
	asked    int
	resent   []string
	received []string // bodies
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, mailbox: "/dev/mail", claims: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/server", func(w http.ResponseWriter, _ *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		answer(w, http.StatusOK, map[string]any{"product": "widgets.pro", "versions": []int{1}, "mailbox": o.mailbox, "mail": true})
	})
	mux.HandleFunc("POST /api/v1/signup", o.signUp)
	mux.HandleFunc("POST /api/v1/signup/claim", o.claim)
	mux.HandleFunc("POST /api/v1/signup/resend", o.resend)
	mux.HandleFunc("GET "+wire.SyncPath, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer ses_1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		greet(`{"t":"welcome","v":1,"time":1,"account":"acc_1","email":"ada@example.org","base":"https://x","name":"Ada","verified":true,"mail":true}`,
			`{"t":"boards","boards":[],"orgs":[{"id":"org_1","name":"Ada","role":"owner","personal":true}]}`)(r.Context(), conn)
	})
	o.Server = httptest.NewServer(mux)
	t.Cleanup(o.Close)
	return o
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (o *office) read(r *http.Request) (in struct{ Email, Password, Claim string }) {
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		o.t.Errorf("%s: %s", r.URL.Path, body)
	}
	o.received = append(o.received, r.URL.Path+" "+string(body))
	return in
}

func (o *office) signUp(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in := o.read(r)
	if in.Password == "short" {
		answer(w, http.StatusBadRequest, map[string]any{"error": fault.Field("password", "A password needs at least 10 characters.")})
		return
	}
	o.claims["clm_1"] = in.Email
	answer(w, http.StatusAccepted, map[string]string{"claim": "clm_1"})
}

func (o *office) claim(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	email, ok := o.claims[o.read(r).Claim]
	o.asked++
	switch {
	case o.busy > 0:
		o.busy--
		answer(w, http.StatusTooManyRequests, map[string]any{"error": fault.New(fault.Busy, "Slower, please.")})
	case !ok || o.over:
		w.WriteHeader(http.StatusNotFound)
	case !o.opened:
		w.WriteHeader(http.StatusAccepted)
	default:
		o.over = true
		answer(w, http.StatusOK, map[string]string{"token": "ses_1", "account": "acc_1", "email": email})
	}
}

func (o *office) resend(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resent = append(o.resent, o.read(r).Claim)
	if o.over {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (o *office) do(fn func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fn()
}

func TestI8_SignUpByTheLinkInTheMail(t *testing.T) {
	o := newOffice(t)
	a := newDevice(t)
	id, err := a.Create("Made before")
	a.must(err)
	f := fault.From(a.SignUp(t.Context(), o.URL, "ada@example.org", "short"))
	if f.Field != "password" || a.State().SignUp != nil {
		t.Errorf("%+v", f)
	}
	a.must(a.SignUp(t.Context(), o.URL, "ada@example.org", "long enough to be one"))
	want := workspace.SignUp{Email: "ada@example.org", Server: o.URL, Mailbox: o.URL + "/dev/mail"}
	if s := a.State(); s.SignUp == nil || *s.SignUp != want || s.Account != nil {
		t.Fatalf("%s", text(s))
	}
	a.must(a.ResendSignUp(t.Context()))
	a.restart()
	o.do(func() { o.busy, o.asked = 2, 0 })
	a.restart()
	o.do(func() { o.opened = true })
	a.until("ada is signed in", func() bool { return a.State().Account != nil })
	if s := a.State(); s.SignUp != nil || s.Account.Email != "ada@example.org" {
		t.Errorf("%s", text(s))
	}
	a.until("the account is known", func() bool {
		s := a.State()
		return s.Account.Name == "Ada" && s.Account.Verified && len(s.Organisations) == 1
	})
	a.until("what was there is the account's", func() bool { return a.view(id).Sync != workspace.SyncDevice })
	o.do(func() {
		if !slices.Equal(o.resent, []string{"clm_1"}) || o.asked == 0 {
			t.Errorf("resent %v, asked %d times", o.resent, o.asked)
		}
		if o.received[0] != `/api/v1/signup {"email":"ada@example.org","password":"short"}` {
			t.Errorf("%s", o.received[0])
		}
	})
	a.kill()
	a.keys.mu.Lock()
	defer a.keys.mu.Unlock()
	if len(a.keys.m) != 1 {
		t.Errorf("%d secrets kept", len(a.keys.m))
	}
}

func TestASignUpThatIsOverIsTold(t *testing.T) {
	o := newOffice(t)
	a := newDevice(t)
	a.must(a.SignUp(t.Context(), o.URL, "ada@example.org", "long enough to be one"))
	o.do(func() { o.over = true })
	a.until("it is over", func() bool { return a.State().SignUp == nil })
	a.until("it is told", func() bool { return a.told("The sign-up at "+strings.TrimPrefix(o.URL, "http://")+" is over.") == 1 })
}

// What a server says of its mailbox leads to a page of the web, or nowhere.
func TestB1_MailboxesArePages(t *testing.T) {
	o := newOffice(t)
	a := newDevice(t)
	for told, want := range map[string]string{
		"": "", "/dev/mail": o.URL + "/dev/mail", "https://mail.example.org/x": "https://mail.example.org/x",
		"javascript:alert(1)": "", "file:///etc/passwd": "", "mailto:a@b.org": "", "http://": "", ":": "",
	} {
		o.do(func() { o.mailbox = told })
		a.must(a.SignUp(t.Context(), o.URL, "ada@example.org", "long enough to be one"))
		if got := a.State().SignUp.Mailbox; got != want {
			t.Errorf("%q leads to %q", told, got)
		}
	}
	a.must(a.CancelSignUp())
}

// Answers that make no sense sign nobody up or in.
func TestB1_StrangeAnswersToASignUp(t *testing.T) {
	for name, c := range map[string]struct {
		signUp string
		claim  string
	}{
		"no claim":   {`{}`, ``},
		"no session": {`{"claim":"clm_1"}`, `{}`},
		"no JSON":    {`{"claim":"clm_1"}`, `<html>`},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /api/v1/server", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"product":"widgets.pro","versions":[1]}`)
			})
			mux.HandleFunc("POST /api/v1/signup", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusAccepted)
				_, _ = io.WriteString(w, c.signUp)
			})
			mux.HandleFunc("POST /api/v1/signup/claim", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.claim) })
			s := httptest.NewServer(mux)
			t.Cleanup(s.Close)
			a := newDevice(t)
			err := a.SignUp(t.Context(), s.URL, "ada@example.org", "long enough to be one")
			if c.claim == "" {
				if f := fault.From(err); f.Field != "server" || a.State().SignUp != nil {
					t.Errorf("%+v", f)
				}
				return
			}
			a.must(err)
			a.until("it is over", func() bool { return a.State().SignUp == nil })
			if a.State().Account != nil {
				t.Error("signed in")
			}
		})
	}
}
