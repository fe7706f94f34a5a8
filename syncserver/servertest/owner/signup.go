package owner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Letters reads mail: the links in the mail to an address that comes after the skip oldest ones. It waits for that mail until
// ctx ends.
type Letters func(ctx context.Context, to string, skip int) (links []string, err error)

// Account is an account with a session.
type Account struct {
	Token   string `json:"token"`
	Account string `json:"account"`
	Email   string `json:"email"`
}

// Register makes an account at the server with this base URL, as a person does who reads the mail, opens its link and gives
// the password there, and signs it in.
func Register(ctx context.Context, base, email, password string, mail Letters) (a Account, err error) {
	var began struct{ Claim string }
	if _, err := post(ctx, base+"/api/v1/signup", map[string]string{"email": email, "password": password}, &began); err != nil {
		return a, fmt.Errorf("sign up: %w", err)
	}
	// The address may have got other mail before. A link that is good for nothing any more changes nothing.
	for skip := 0; ; skip++ {
		links, err := mail(ctx, email, skip)
		if err != nil {
			return a, fmt.Errorf("read mail: %w", err)
		}
		for _, l := range links {
			u, err := url.Parse(l)
			if err != nil || !strings.HasPrefix(u.Path, "/confirm/") {
				continue
			}
			if err := press(ctx, base+u.Path, url.Values{"password": {password}}); err != nil {
				return a, err
			}
			status, err := post(ctx, base+"/api/v1/signup/claim", map[string]string{"claim": began.Claim}, &a)
			if err != nil {
				return a, fmt.Errorf("claim: %w", err)
			}
			if status == http.StatusOK {
				return a, nil
			}
		}
	}
}

// press sends the form of the page at an address.
func press(ctx context.Context, address string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	return res.Body.Close()
}

// Mailbox reads the mail of a server with this base URL that has a development mailbox.
func Mailbox(base string) Letters {
	return func(ctx context.Context, to string, skip int) ([]string, error) {
		for {
			var all []struct{ To, Text string }
			if err := get(ctx, base+"/dev/mail.json", &all); err != nil {
				return nil, err
			}
			older := 0
			for _, m := range slices.Backward(all) { // the newest is first
				if m.To != to {
					continue
				}
				if older == skip {
					return linksIn(m.Text), nil
				}
				older++
			}
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("wait for mail: %w", ctx.Err())
			case <-time.After(mailPause):
			}
		}
	}
}

// mailPause is the time between two looks into a mailbox.
const mailPause = 50 * time.Millisecond

func linksIn(text string) (links []string) {
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			links = append(links, word)
		}
	}
	return links
}

func get(ctx context.Context, url string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	_, err = ask(req, out)
	return err
}

func post(ctx context.Context, url string, in, out any) (status int, err error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return 0, fmt.Errorf("write the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return 0, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	return ask(req, out)
}

var errAnswer = errors.New("the server answered")

// ask sends a request and reads what it is answered, unless that is a failure.
func ask(req *http.Request, out any) (status int, err error) {
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusMultipleChoices {
		return res.StatusCode, fmt.Errorf("%w %s", errAnswer, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return res.StatusCode, fmt.Errorf("read the answer: %w", err)
	}
	return res.StatusCode, nil
}
