package webapp

import (
	"net/http"
	"strconv"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/longpoll"
	"widgets.pro/syncserver/internal/account"
)

// events is the long poll. It ends at once when the session does.
func (s *Service) events(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	q := r.URL.Query()
	client := q.Get("client")
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if err != nil {
		return nil, fault.Field("after", "The number of the last event must be a number.")
	}
	if client == "" || len(client) > longpoll.MaxClient {
		return nil, fault.Field("client", "Whoever asks must give a short name.")
	}
	d, err := s.desk(me)
	if err != nil {
		return nil, err
	}
	batch := d.hub.Wait(r.Context(), after, client, s.cfg.PollWait)
	if d.gone() {
		if _, err := s.who(r); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// offered says that the page is to do something by itself: a server can neither open a link nor reach a clipboard.
type offered struct {
	Done bool `json:"done"`
}

func offer(w http.ResponseWriter, r *http.Request, _ account.Identity) (any, error) {
	if _, err := body(w, r, maxEdits); err != nil {
		return nil, err
	}
	return offered{}, nil
}

// nothing takes what the page keeps by itself.
func nothing(w http.ResponseWriter, r *http.Request, _ account.Identity) (any, error) {
	if _, err := body(w, r, maxSmall); err != nil {
		return nil, err
	}
	return done{}, nil
}

// logOut ends the session, and with it everything that is open in this browser.
func (s *Service) logOut(w http.ResponseWriter, r *http.Request, _ account.Identity) (any, error) {
	if _, err := body(w, r, maxSmall); err != nil {
		return nil, err
	}
	if err := s.cfg.Accounts.LogOut(r.Context(), account.Cookie(r, s.cfg.Secure)); err != nil {
		return nil, err //nolint:wrapcheck // says what it was doing
	}
	http.SetCookie(w, account.NoCookie(s.cfg.Secure))
	return done{}, nil
}
