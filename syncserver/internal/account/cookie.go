package account

import (
	"net/http"
	"time"
)

// CookieName is the name of the cookie that holds a browser's session token. Under https the browser itself holds it to
// this host and to https (the __Host- prefix of RFC 6265bis).
func CookieName(https bool) string {
	if https {
		return "__Host-widgets-session"
	}
	return "widgets-session"
}

// Cookie is the session token that a browser sent, "" if none.
func Cookie(r *http.Request, https bool) string {
	c, err := r.Cookie(CookieName(https))
	if err != nil {
		return ""
	}
	return c.Value
}

// NewCookie holds in's token: out of reach of scripts, and not sent with requests that other sites make but for plain
// links to here.
func NewCookie(in SignIn, https bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is set wherever the server is reached by https
		Name: CookieName(https), Value: in.Token.Reveal(), Path: "/", Expires: in.Expires,
		HttpOnly: true, Secure: https, SameSite: http.SameSiteLaxMode,
	}
}

// NoCookie takes the cookie away.
func NoCookie(https bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is set wherever the server is reached by https
		Name: CookieName(https), Path: "/", MaxAge: -1, HttpOnly: true, Secure: https, SameSite: http.SameSiteLaxMode,
	}
}

func claimCookieName(https bool) string {
	if https {
		return "__Host-widgets-signup"
	}
	return "widgets-signup"
}

// ClaimCookie is the claim of the sign-up that a browser began last, "" if none.
func ClaimCookie(r *http.Request, https bool) string {
	c, err := r.Cookie(claimCookieName(https))
	if err != nil {
		return ""
	}
	return c.Value
}

// NewClaimCookie holds the claim of a sign-up that began just now, so that its browser is known again when the mail is opened
// there.
func NewClaimCookie(claim Token, https bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is set wherever the server is reached by https
		Name: claimCookieName(https), Value: claim.Reveal(), Path: "/", MaxAge: int((SignUpLifetime + claimGrace) / time.Second),
		HttpOnly: true, Secure: https, SameSite: http.SameSiteLaxMode,
	}
}

// NoClaimCookie takes the claim away.
func NoClaimCookie(https bool) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is set wherever the server is reached by https
		Name: claimCookieName(https), Path: "/", MaxAge: -1, HttpOnly: true, Secure: https, SameSite: http.SameSiteLaxMode,
	}
}
