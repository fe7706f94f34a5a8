package httpweb

import (
	"net/http"

	"widgets.pro/shared/fault"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
)

// farewellPage says what becomes of everything when the account is deleted, and asks.
type farewellPage struct {
	problem
	account.Leaving

	Bar   bar
	Typed string
}

func (s *Site) farewell(w http.ResponseWriter, r *http.Request, me account.Identity) {
	s.showFarewell(w, r, me, http.StatusOK, farewellPage{})
}

func (s *Site) showFarewell(w http.ResponseWriter, r *http.Request, me account.Identity, status int, p farewellPage) {
	var err error
	if p.Leaving, err = s.cfg.Accounts.Leaving(r.Context(), me); err != nil {
		s.fail(w, r, err)
		return
	}
	p.Bar = bar{me.Email, hereAccount}
	s.page(w, r, status, "delete.html", p)
}

// deleteAccount deletes the account for whoever has proved to be its owner and typed its address.
func (s *Site) deleteAccount(w http.ResponseWriter, r *http.Request, me account.Identity) {
	var err error
	if f := readForm(w, r); f != nil {
		err = f
	} else {
		err = s.cfg.Accounts.Delete(r.Context(), me, r.PostForm.Get("email"), r.PostForm.Get("password"), s.cfg.Clients.Addr(r))
	}
	if err == nil {
		http.SetCookie(w, account.NoCookie(s.secure))
		s.page(w, r, http.StatusOK, "notice.html", notice{
			Title: "Your account is deleted", Message: "Nothing of it is left on this server.", URL: "/", Action: "To the start page",
		})
		return
	}
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unauthenticated {
		s.fail(w, r, err)
		return
	}
	httpapi.RetryAfter(w.Header(), f)
	s.showFarewell(w, r, me, httpapi.Status(f.Kind), farewellPage{problem: problemOf(f), Typed: r.PostForm.Get("email")})
}
