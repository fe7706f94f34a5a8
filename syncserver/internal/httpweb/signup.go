package httpweb

import (
	"net/http"
	"net/url"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
)

// signUpForm is the form, or a page that says why there is none.
func (s *Site) signUpForm(w http.ResponseWriter, r *http.Request) {
	if !s.cfg.Accounts.CanMail() {
		s.page(w, r, http.StatusServiceUnavailable, "notice.html", notice{
			Title: "Nobody can sign up here", Message: "This server cannot send mail, so it cannot confirm an address.", Hint: "Ask its operator.", URL: "/login", Action: "Log in",
		})
		return
	}
	s.blank(w, r, "signup.html")
}

// signUp begins a sign-up. What it answers is the same whatever the address is (rule I8).
func (s *Site) signUp(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	shown := form{Email: r.PostForm.Get("email"), Name: r.PostForm.Get("name"), Next: account.LocalPath(r.PostForm.Get("next"))}
	if f != nil {
		s.again(w, r, "signup.html", shown, f)
		return
	}
	claim, err := s.cfg.Accounts.SignUp(r.Context(), s.credentials(r), shown.Next)
	if err != nil {
		s.again(w, r, "signup.html", shown, err)
		return
	}
	http.SetCookie(w, account.NewClaimCookie(claim, s.secure))
	s.page(w, r, http.StatusOK, "sent.html", sent{Email: shown.Email, Claim: claim.Reveal(), Next: shown.Next, Mailbox: s.cfg.MailboxURL})
}

// resend sends the mail of a sign-up once more.
func (s *Site) resend(w http.ResponseWriter, r *http.Request) {
	if f := readForm(w, r); f != nil {
		s.fail(w, r, f)
		return
	}
	claim, next := r.PostForm.Get("claim"), account.LocalPath(r.PostForm.Get("next"))
	email, err := s.cfg.Accounts.Resend(r.Context(), claim, s.cfg.Clients.Addr(r))
	if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
		again := "/signup"
		if next != "" {
			again += "?" + url.Values{"next": {next}}.Encode()
		}
		s.page(w, r, httpapi.Status(f.Kind), "notice.html", notice{
			Title: "This sign-up is over", Message: "It was finished already, or it was too long ago.", URL: again, Action: "Sign up again",
		})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.page(w, r, http.StatusOK, "sent.html", sent{Email: email, Claim: claim, Next: next, Mailbox: s.cfg.MailboxURL, Again: true})
}
