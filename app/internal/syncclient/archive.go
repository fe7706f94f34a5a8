package syncclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// Archive asks a server over HTTP what was on a dashboard before. It is a workspace.Archive.
type Archive struct{ client *http.Client }

// NewArchive returns an Archive that uses client.
func NewArchive(client *http.Client) *Archive { return &Archive{client: client} }

// Limits of one request.
const (
	archiveTimeout = 60 * time.Second // a state of the past may be large, and others may be looked up before it
	maxHistory     = 16 << 20         // bytes of a page of history
	maxThen        = 2*board.MaxDataBytes + 64<<20
)

// History asks for a page of a dashboard's history.
func (a *Archive) History(ctx context.Context, server, token string, id board.ID, before, widget string) (h workspace.History, err error) {
	q := url.Values{}
	if before != "" {
		q.Set("before", before)
	}
	if widget != "" {
		q.Set("widget", widget)
	}
	err = a.get(ctx, server, "/api/v1/boards/"+string(id)+"/history?"+q.Encode(), token, maxHistory, &h)
	switch {
	case err == nil && h.Changes == nil:
		err = notOurs(server)
	case fault.KindOf(err) == fault.NotFound:
		err = fault.Newf(fault.Outdated, "%s does not tell the history of this dashboard.", hostOf(server)).
			WithHint("It may be of an earlier version than this program.").WithCause(err)
	}
	return h, err
}

// Then asks for a dashboard as it was.
func (a *Archive) Then(ctx context.Context, server, token string, id board.ID, position string) (t workspace.Then, err error) {
	if err = a.get(ctx, server, "/api/v1/boards/"+string(id)+"/history/"+url.PathEscape(position), token, maxThen, &t); err == nil && t.Position != position {
		err = notOurs(server)
	}
	return t, err
}

// get reads an answer of at most limit bytes. A fault in the answer is returned as it is.
func (a *Archive) get(ctx context.Context, server, path, token string, limit int64, into any) error {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, http.NoBody)
	if err != nil {
		return notOurs(server)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := a.client.Do(req)
	if err != nil {
		return unreachable(server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return unreachable(server, err)
	case int64(len(text)) > limit:
		return fault.Newf(fault.TooLarge, "What %s tells of the past is too large for this program.", hostOf(server))
	}
	if resp.StatusCode < 300 {
		if err := json.Unmarshal(text, into); err != nil {
			return notOurs(server).WithCause(err)
		}
		return nil
	}
	var failed struct {
		Error *fault.Error `json:"error"`
	}
	if err := json.Unmarshal(text, &failed); err == nil && failed.Error != nil && failed.Error.Message != "" {
		switch failed.Error.Kind { //nolint:exhaustive // the others are for people as they are
		case fault.Unauthenticated:
			return signInAgain(server)
		case fault.Busy:
			return fault.Newf(fault.Busy, "%s has too much to do at the moment.", hostOf(server)).WithHint("Try again in a moment.").WithCause(failed.Error)
		}
		return failed.Error
	}
	return fault.Newf(fault.Unavailable, "%s did not answer this (status %d).", hostOf(server), resp.StatusCode).WithHint("Try again later.").
		WithCause(fmt.Errorf("not a fault: %d bytes", len(text)))
}
