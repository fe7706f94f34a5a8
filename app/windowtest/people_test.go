//go:build window

package windowtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"widgets.pro/syncserver/servertest"
)

// choose picks one of the choices of a list of them, as a person does.
func (p page) choose(name, value string) {
	p.t.Helper()
	p.until("one('combobox', " + quote(name) + ")")
	p.run("const e = one('combobox', "+quote(name)+"); e.scrollIntoView({ block: 'nearest' }); e.value = "+quote(value)+";"+
		"if (e.value !== "+quote(value)+") throw new Error('no such choice'); e.dispatchEvent(new Event('change', { bubbles: true }));", nil)
}

// row is an expression for the line of a list that speaks of somebody.
func row(who string) string {
	return "[...document.querySelectorAll('dialog[open] li')].find((e) => e.innerText.includes(" + quote(who) + "))"
}

// accept opens the invitation in the newest mail to an address and makes an account with it.
func accept(t *testing.T, s *servertest.Server, to, name string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, l := range s.Mail(to, 0).Links {
		if !strings.HasPrefix(l, s.URL()+"/invite/") {
			continue
		}
		form := url.Values{"name": {name}, "password": {servertest.Password}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("the invitation is answered with %s", res.Status)
		}
		return
	}
	t.Fatalf("no invitation for %s", to)
}

// People are invited in the real window, by a server that sends mail; who comes is given another role and removed.
func TestI1_I5_I6_PeopleInTheWindow(t *testing.T) {
	s := servertest.Start(t, servertest.Options{})
	s.SignUp("ann@example.org")
	p := newHome(t).start(t)
	p.ask("POST", "/api/account/login", map[string]string{"server": s.URL(), "email": "ann@example.org", "password": servertest.Password}, nil)
	var made struct{ ID string }
	p.ask("POST", "/api/boards", map[string]string{"title": "Team figures"}, &made)
	p.click("link", "Team figures")
	p.click("button", "Share")
	p.reads("Who has access")
	p.choose("They", "editor")
	p.typeInto("const e = one('textbox', 'Invite by e-mail');", "Bob <bob@example.org>, carol@example.org; nobody")
	p.click("button", "Invite 2 people")
	for _, who := range []string{"bob@example.org", "carol@example.org"} {
		p.until(row(who) + ".innerText.includes('Sent')")
	}
	p.until("one('textbox', 'Invite by e-mail').value === 'nobody'") // stays to be mended
	if _, colours, covered := p.look("people-invited"); colours < 20 || covered < 0.2 {
		t.Errorf("the dialog has %d colours and covers %.2f", colours, covered)
	}

	accept(t, s, "carol@example.org", "Carol")
	p.until("one('combobox', 'What Carol may do').value === 'editor' && !text().includes('carol@example.org\\nCan edit')")
	p.choose("What Carol may do", "viewer")
	carol := s.LogIn("carol@example.org")
	role := func() string {
		var view struct {
			Share struct {
				People []struct{ Email, Role string }
			}
		}
		p.ask("GET", "/api/boards/"+made.ID, nil, &view)
		for _, who := range view.Share.People {
			if who.Email == carol.Email {
				return who.Role
			}
		}
		return ""
	}
	p.until("!document.querySelector('dialog[open] [aria-busy=true]') && !text().includes('Changing …')")
	if got := role(); got != "viewer" {
		t.Errorf("carol is %q", got)
	}
	p.look("people-joined")
	p.click("button", "Remove Carol")
	p.until("!one('button', 'Remove Carol')")
	p.until("!text().includes('Removing …')")
	if got := role(); got != "" {
		t.Errorf("carol is still %q", got)
	}
	if status, body := s.Post("/api/v1/boards/"+made.ID+"/trash", carol.Token, struct{}{}); status != http.StatusNotFound {
		t.Errorf("who was removed is answered with %d %s", status, body)
	}

	p.click("button", "Send again to bob@example.org")
	s.Mail("bob@example.org", 1)
	p.until(row("bob@example.org") + ".innerText.includes('Sent')")
	p.click("button", "Withdraw the invitation of bob@example.org")
	p.until("!text().includes('not answered yet')")
	p.quit(t)
}
