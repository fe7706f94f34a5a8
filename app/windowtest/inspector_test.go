//go:build window

package windowtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// inspector is a connection to a web view's remote inspector: JSON commands to the page, wrapped into messages to a
// target, as WebKit wants them.
type inspector struct {
	conn   *websocket.Conn
	target string
	reader sync.WaitGroup

	mu    sync.Mutex
	last  int
	calls map[int]chan<- reply
	err   error // once the connection is gone
}

type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// socketPath is how the inspector's list of pages names a page's websocket.
var socketPath = regexp.MustCompile(`/socket/\d+/\d+/WebPage`)

// connect waits for the inspector at addr to list a page, and attaches to it.
func connect(ctx context.Context, addr string) (*inspector, error) {
	path, err := firstPage(ctx, addr)
	if err != nil {
		return nil, err
	}
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+path, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("attach to the page: %w", err)
	}
	conn.SetReadLimit(64 << 20)
	in := &inspector{conn: conn, calls: map[int]chan<- reply{}}
	targets := make(chan string, 1)
	in.reader.Go(func() { in.read(context.WithoutCancel(ctx), targets) })
	select {
	case in.target = <-targets:
		return in, nil
	case <-ctx.Done():
		in.close()
		return nil, fmt.Errorf("no target: %w", ctx.Err())
	}
}

// firstPage asks until the web view is up.
func firstPage(ctx context.Context, addr string) (string, error) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if list, err := fetch(ctx, "http://"+addr+"/"); err == nil {
			if path := socketPath.FindString(list); path != "" {
				return path, nil
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", fmt.Errorf("no page at %s: %w", addr, ctx.Err())
		}
	}
}

func fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// read sorts what arrives until the connection ends. Of the targets it tells the first page.
func (in *inspector) read(ctx context.Context, targets chan<- string) {
	for {
		_, raw, err := in.conn.Read(ctx)
		if err != nil {
			in.lose(err)
			return
		}
		var outer struct {
			Method string
			Params struct {
				TargetInfo struct{ TargetID, Type string }
				Message    string
			}
		}
		if err := json.Unmarshal(raw, &outer); err != nil {
			in.lose(err)
			return
		}
		switch outer.Method {
		case "Target.targetCreated":
			if outer.Params.TargetInfo.Type == "page" {
				select {
				case targets <- outer.Params.TargetInfo.TargetID:
				default:
				}
			}
		case "Target.dispatchMessageFromTarget":
			var inner struct {
				ID int
				reply
			}
			if err := json.Unmarshal([]byte(outer.Params.Message), &inner); err != nil {
				in.lose(err)
				return
			}
			in.mu.Lock()
			if c, ok := in.calls[inner.ID]; ok {
				delete(in.calls, inner.ID)
				c <- inner.reply
			}
			in.mu.Unlock()
		}
	}
}

// lose ends all calls that wait.
func (in *inspector) lose(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.err = fmt.Errorf("inspector gone: %w", err)
	for id, c := range in.calls {
		close(c)
		delete(in.calls, id)
	}
}

// call sends a command to the page and decodes its result into out, unless that is nil.
func (in *inspector) call(ctx context.Context, method string, params, out any) error {
	in.mu.Lock()
	if in.err != nil {
		defer in.mu.Unlock()
		return in.err
	}
	in.last += 2
	id, answer := in.last, make(chan reply, 1)
	in.calls[id] = answer
	in.mu.Unlock()

	inner, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		return err
	}
	outer, err := json.Marshal(map[string]any{
		"id": id + 1, "method": "Target.sendMessageToTarget", "params": map[string]any{"targetId": in.target, "message": string(inner)},
	})
	if err != nil {
		return err
	}
	if err := in.conn.Write(ctx, websocket.MessageText, outer); err != nil {
		return err
	}
	select {
	case r, ok := <-answer:
		switch {
		case !ok:
			return errors.New("the page went away")
		case r.Error != nil:
			return fmt.Errorf("%s: %s", method, r.Error.Message)
		case out == nil:
			return nil
		}
		return json.Unmarshal(r.Result, out)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (in *inspector) close() {
	_ = in.conn.CloseNow()
	in.reader.Wait()
}

// remote is a JavaScript value as the inspector tells it.
type remote struct {
	Result struct {
		Type, Subtype, ClassName, Description, ObjectID string
		Value                                           json.RawMessage
	}
	WasThrown bool
}

// eval runs an expression in the page, waits if it is a promise, and decodes the value into out, unless that is nil.
func (in *inspector) eval(ctx context.Context, expression string, out any) error {
	var r remote
	if err := in.call(ctx, "Runtime.evaluate", map[string]any{"expression": expression, "emulateUserGesture": true}, &r); err != nil {
		return err
	}
	if !r.WasThrown && r.Result.ObjectID != "" {
		how := "Runtime.callFunctionOn"
		params := map[string]any{"objectId": r.Result.ObjectID, "functionDeclaration": "function() { return this }", "returnByValue": true}
		if r.Result.ClassName == "Promise" {
			how, params = "Runtime.awaitPromise", map[string]any{"promiseObjectId": r.Result.ObjectID, "returnByValue": true}
		}
		r = remote{}
		if err := in.call(ctx, how, params, &r); err != nil {
			return err
		}
	}
	if r.WasThrown {
		return fmt.Errorf("the page threw: %s %s", r.Result.Description, r.Result.Value)
	}
	if out == nil || r.Result.Type == "undefined" {
		return nil
	}
	return json.Unmarshal(r.Result.Value, out)
}
