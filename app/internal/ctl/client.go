package ctl

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/release"
)

// Limits of one request.
const (
	askTimeout = 60 * time.Second
	maxAnswer  = 16 << 20 // bytes
	maxTries   = 4
	firstWait  = time.Second // before the second try; twice as long before each further one
	maxWait    = 30 * time.Second
)

// ask sends a request, with in as its body unless that is nil, and reads the answer into out. What fails for a while, such
// as a connection, is tried again, under the same key: the server does it once.
func (r *run) ask(method, path string, in, out any) error {
	who, err := r.who()
	if err != nil {
		return err
	}
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	var key [16]byte
	if _, err := io.ReadFull(r.env.Random, key[:]); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	q := request{method: method, url: who.Server + path, token: who.Token, key: hex.EncodeToString(key[:]), body: body}
	wait := firstWait
	for try := 1; ; try++ {
		after, err := q.send(r.ctx, out)
		if err == nil || try == maxTries || after < 0 || r.ctx.Err() != nil {
			return err
		}
		if err := pause(r.ctx, min(max(after, wait), maxWait)); err != nil {
			return err
		}
		wait *= 2
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "Interrupted.").WithCause(ctx.Err())
	}
}

// request is a request that may be sent more than once.
type request struct {
	method, url, token, key string
	body                    []byte
}

// never says that trying again does not help.
const never = -1

// send sends the request. If it failed for a while, after is how long the server asks to wait.
func (q request) send(ctx context.Context, out any) (after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, q.url, bytes.NewReader(q.body))
	if err != nil {
		return never, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+q.token)
	req.Header.Set("User-Agent", "widgetsctl/"+release.Version())
	if q.method != http.MethodGet {
		req.Header.Set("Idempotency-Key", q.key)
	}
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, unreachable(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, unreachable(err)
	}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		if out == nil || len(raw) == 0 {
			return never, nil
		}
		if err := json.Unmarshal(raw, out); err != nil {
			return never, strange(res).WithCause(err)
		}
		return never, nil
	}
	var failure struct{ Error *fault.Error }
	if json.Unmarshal(raw, &failure) != nil || failure.Error == nil || failure.Error.Message == "" {
		return never, strange(res)
	}
	switch failure.Error.Kind { //nolint:exhaustive // those that pass by themselves
	case fault.Busy, fault.Unavailable:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return time.Duration(max(seconds, 0)) * time.Second, failure.Error
	}
	return never, failure.Error
}

func unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, "Interrupted.").WithCause(err)
	}
	return fault.Newf(fault.Unavailable, "The server cannot be reached: %w.", err).WithHint("Check the address and the connection.")
}

func strange(res *http.Response) *fault.Error {
	return fault.Newf(fault.Invalid, "What answers there is not a widgets.pro server, or one of another version (%s).", res.Status).WithHint("Check the address.")
}
