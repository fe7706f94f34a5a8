package syncclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

// SignUp makes an account on a server.
func (a *Accounts) SignUp(ctx context.Context, server, email, password string) (workspace.Session, error) {
	return a.enter(ctx, "/api/v1/signup", server, email, password)
}

// LogIn signs in to an account on a server.
func (a *Accounts) LogIn(ctx context.Context, server, email, password string) (workspace.Session, error) {
	return a.enter(ctx, "/api/v1/login", server, email, password)
}

func (a *Accounts) enter(ctx context.Context, path, address, email, password string) (workspace.Session, error) {
	server, err := normalServer(address)
	if err != nil {
		return workspace.Session{}, err
	}
	if strings.TrimSpace(email) == "" {
		return workspace.Session{}, fault.Field("email", "The e-mail address is missing.")
	}
	if password == "" {
		return workspace.Session{}, fault.Field("password", "The password is missing.")
	}
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	if err := probe(ctx, a.client, server); err != nil {
		return workspace.Session{}, err
	}
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		return workspace.Session{}, fmt.Errorf("encode: %w", err)
	}
	var answer struct {
		Token   string `json:"token"`
		Account string `json:"account"`
		Email   string `json:"email"`
	}
	if err := a.post(ctx, server, path, "", body, &answer); err != nil {
		return workspace.Session{}, err
	}
	if answer.Token == "" || answer.Account == "" {
		return workspace.Session{}, notOurs(server)
	}
	return workspace.Session{Server: server, Account: answer.Account, Email: answer.Email, Token: answer.Token}, nil
}

// LogOut ends a session on the server.
func (a *Accounts) LogOut(ctx context.Context, server, token string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return a.post(ctx, server, "/api/v1/logout", token, nil, nil)
}

// post sends one request. A fault in the answer is returned as it is.
func (a *Accounts) post(ctx context.Context, server, path, token string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+path, bytes.NewReader(body))
	if err != nil {
		return notOurs(server)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return unreachable(server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return unreachable(server, err)
	}
	if resp.StatusCode < 300 {
		if into == nil {
			return nil
		}
		if err := json.Unmarshal(text, into); err != nil {
			return notOurs(server)
		}
		return nil
	}
	var failed struct {
		Error *fault.Error `json:"error"`
	}
	if err := json.Unmarshal(text, &failed); err == nil && failed.Error != nil && failed.Error.Message != "" {
		return failed.Error
	}
	return fault.Newf(fault.Unavailable, "%s did not accept this (status %d).", hostOf(server), resp.StatusCode).WithHint("Try again later.")
}
