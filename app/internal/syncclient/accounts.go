package syncclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
)

// Accounts signs up and in over HTTP. It is a workspace.Accounts.
type Accounts struct{ client *http.Client }

// NewAccounts returns an Accounts that uses client.
func NewAccounts(client *http.Client) *Accounts { return &Accounts{client: client} }

const accountTimeout = 30 * time.Second // hashing a password takes its time, and may have to queue for it

// SignUp begins a sign-up on a server, which then sends a mail.
func (a *Accounts) SignUp(ctx context.Context, address, email, password string) (workspace.Pending, error) {
	var answer struct {
		Claim string `json:"claim"`
	}
	server, about, err := a.enter(ctx, "/api/v1/signup", address, email, password, &answer)
	if err != nil {
		return workspace.Pending{}, err
	}
	if answer.Claim == "" {
		return workspace.Pending{}, notOurs(server)
	}
	return workspace.Pending{Server: server, Claim: workspace.Secret(answer.Claim), Mailbox: mailbox(server, about.Mailbox)}, nil
}

// mailbox is the page of a development server's mailbox, "" where that is no page of the web.
func mailbox(server, told string) string {
	base, err := url.Parse(server)
	if err != nil || told == "" {
		return ""
	}
	u, err := base.Parse(told)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// session is how a server tells of a session that has begun.
type session struct {
	Token   string `json:"token"`
	Account string `json:"account"`
	Email   string `json:"email"`
}

func (s session) at(server string) (workspace.Session, error) {
	if s.Token == "" || s.Account == "" {
		return workspace.Session{}, notOurs(server)
	}
	return workspace.Session{Server: server, Account: s.Account, Email: s.Email, Token: s.Token}, nil
}

// LogIn signs in to an account on a server.
func (a *Accounts) LogIn(ctx context.Context, address, email, password string) (workspace.Session, error) {
	var answer session
	server, _, err := a.enter(ctx, "/api/v1/login", address, email, password, &answer)
	if err != nil {
		return workspace.Session{}, err
	}
	return answer.at(server)
}

// Claim asks whether a sign-up was confirmed, and takes its session.
func (a *Accounts) Claim(ctx context.Context, server string, claim workspace.Secret) (s workspace.Session, ok bool, err error) {
	var answer session
	status, err := a.claim(ctx, server, "/api/v1/signup/claim", claim, &answer)
	if err != nil || status == http.StatusAccepted {
		return workspace.Session{}, false, err
	}
	s, err = answer.at(server)
	return s, err == nil, err
}

// Resend asks for the mail of a sign-up once more.
func (a *Accounts) Resend(ctx context.Context, server string, claim workspace.Secret) error {
	_, err := a.claim(ctx, server, "/api/v1/signup/resend", claim, nil)
	return err
}

func (a *Accounts) claim(ctx context.Context, server, path string, claim workspace.Secret, into any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]string{"claim": string(claim)})
	if err != nil {
		return 0, fmt.Errorf("encode: %w", err)
	}
	status, err = a.post(ctx, server, path, "", body, into)
	if status == http.StatusNotFound {
		return status, fault.New(fault.NotFound, "This sign-up is over.").WithCause(err)
	}
	return status, err
}

// enter sends what was typed into the form for signing up or in.
func (a *Accounts) enter(ctx context.Context, path, address, email, password string, into any) (server string, about about, err error) {
	if server, err = normalServer(address); err != nil {
		return "", about, err
	}
	if strings.TrimSpace(email) == "" {
		return "", about, fault.Field("email", "The e-mail address is missing.")
	}
	if password == "" {
		return "", about, fault.Field("password", "The password is missing.")
	}
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	if about, err = probe(ctx, a.client, server); err != nil {
		return "", about, err
	}
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		return "", about, fmt.Errorf("encode: %w", err)
	}
	_, err = a.post(ctx, server, path, "", body, into)
	return server, about, err
}

// LogOut ends a session on the server.
func (a *Accounts) LogOut(ctx context.Context, server, token string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	_, err := a.post(ctx, server, "/api/v1/logout", token, nil, nil)
	return err
}

// post sends one request. A fault in the answer is returned as it is. An answer without content leaves into as it is.
func (a *Accounts) post(ctx context.Context, server, path, token string, body []byte, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+path, bytes.NewReader(body))
	if err != nil {
		return 0, notOurs(server)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return 0, unreachable(server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, unreachable(server, err)
	}
	if resp.StatusCode < 300 {
		if into == nil || len(text) == 0 {
			return resp.StatusCode, nil
		}
		if err := json.Unmarshal(text, into); err != nil {
			return resp.StatusCode, notOurs(server)
		}
		return resp.StatusCode, nil
	}
	var failed struct {
		Error *fault.Error `json:"error"`
	}
	if err := json.Unmarshal(text, &failed); err == nil && failed.Error != nil && failed.Error.Message != "" {
		return resp.StatusCode, failed.Error
	}
	return resp.StatusCode, fault.Newf(fault.Unavailable, "%s did not accept this (status %d).", hostOf(server), resp.StatusCode).WithHint("Try again later.")
}
