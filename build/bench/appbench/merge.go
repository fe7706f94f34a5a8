package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/coder/websocket"

	"widgets.pro/app/apptest"
	"widgets.pro/build/bench/floor"
	"widgets.pro/build/bench/report"
	"widgets.pro/build/bench/sample"
	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	offlineEdits = 10_000
	atOnce       = 100  // edits in one local transaction, of which there is no need to measure ten thousand here
	maxGrowth    = 1.02 // of the state
)

// merged is one run: how long it took from connecting until everything was acknowledged and settled, the floor, and the
// bytes of the dashboard's state before and after, on the server's wire and in the app's file.
type merged struct {
	took, bare   time.Duration
	server, file [2]int
}

// merge measures ten thousand edits of fields that are there, made without a connection, on their way to the server.
func merge(ctx context.Context, out io.Writer, o options, dir string) (missed bool, err error) {
	var took, bare []time.Duration
	var last merged
	for round := range o.rounds {
		if last, err = mergeOnce(ctx, o, filepath.Join(dir, fmt.Sprint(round))); err != nil {
			return false, err
		}
		took, bare = append(took, last.took), append(bare, last.bare)
	}
	a, b := report.Median(took), report.Median(bare)
	report.Say(out, "merging %d edits made offline, from connecting until all are acknowledged and settled, median of %d\n", offlineEdits, o.rounds)
	report.Say(out, "  ratio            %7.2f of the floor\n", float64(a)/float64(b))
	report.Say(out, "  app and server   %7.0f ms, %.0f edits per second\n", report.MS(a), offlineEdits/a.Seconds())
	report.Say(out, "  floor            %7.0f ms, the same records to two files with bbolt alone, %d to a commit\n", report.MS(b), wire.MaxBatchOps)
	report.Say(out, "state after %d edits of fields that were there\n", offlineEdits)
	for _, s := range []struct {
		name  string
		bytes [2]int
	}{{"server's snapshot", last.server}, {"app's records", last.file}} {
		growth := float64(s.bytes[1]) / float64(s.bytes[0])
		report.Say(out, "  %-17s%7.3f times %d bytes (at most %.2f) %s\n", s.name, growth, s.bytes[0], maxGrowth, report.Mark(growth <= maxGrowth, &missed))
	}
	return missed, nil
}

func mergeOnce(ctx context.Context, o options, dir string) (m merged, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	server, err := serverIn(ctx, o, dir)
	if err != nil {
		return m, err
	}
	defer server.End()
	account, err := owner.Register(ctx, server.Base, "owner@example.org", password, owner.Mailbox(server.Base))
	if err != nil {
		return m, err
	}
	p, err := apptest.Open(filepath.Join(dir, "app"), o.now)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	id, widgets, err := build(p, "Shop and hall", sample.Dashboard())
	if err != nil {
		return m, err
	}
	for n, w := range widgets { // so that the titles are as long before as after
		if _, err := p.Edit(id, []screen.Edit{titled(w, n)}, "Rename"); err != nil {
			return m, fmt.Errorf("edit: %w", err)
		}
	}
	if err := p.LogIn(ctx, server.Base, account.Email, password); err != nil {
		return m, fmt.Errorf("sign in: %w", err)
	}
	if _, err := exchange(ctx, p, o.now); err != nil {
		return m, err
	}
	measure := func(i int) (err error) {
		if m.file[i], err = p.Size(id); err != nil {
			return err
		}
		m.server[i], err = snapshot(ctx, server.Base, account.Token, id)
		return err
	}
	if err := measure(0); err != nil {
		return m, err
	}
	for n := 0; n < offlineEdits; n += atOnce {
		var edits []screen.Edit
		for i := range atOnce {
			edits = append(edits, titled(widgets[(n+i)%len(widgets)], n+i))
		}
		if _, err := p.Edit(id, edits, "Rename"); err != nil {
			return m, fmt.Errorf("edit offline: %w", err)
		}
	}
	if waiting := p.State().Sync.Queued; waiting != offlineEdits {
		return m, fmt.Errorf("%d edits wait", waiting)
	}
	if m.took, err = exchange(ctx, p, o.now); err != nil {
		return m, err
	}
	if err := measure(1); err != nil {
		return m, err
	}
	m.bare, err = writeBare(dir, o.now)
	return m, err
}

// exchange connects until everything is settled, and tells how long that took.
func exchange(ctx context.Context, p *apptest.Program, now func() time.Time) (time.Duration, error) {
	begun := now()
	p.Connect(ctx)
	defer p.Disconnect()
	if err := p.Settled(ctx); err != nil {
		return 0, err
	}
	return now().Sub(begun), nil
}

// writeBare writes the records of as many edits to two files, as server and app each do, in commits of the same size.
func writeBare(dir string, now func() time.Time) (total time.Duration, err error) {
	for _, name := range []string{"bare-server.db", "bare-app.db"} {
		b, err := floor.Open(filepath.Join(dir, name), 1, now)
		if err != nil {
			return 0, err
		}
		took, err := b.Batches(offlineEdits, wire.MaxBatchOps)
		if err = errors.Join(err, b.Close()); err != nil {
			return 0, err
		}
		total += took
	}
	return total, nil
}

// snapshot is how many bytes the server sends to a device that has nothing of a dashboard.
func snapshot(ctx context.Context, base, token string, id board.ID) (n int, err error) {
	ws, res, err := websocket.Dial(ctx, "ws"+base[len("http"):]+wire.SyncPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}, Subprotocols: []string{wire.Subprotocol},
	})
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	if res.Body != nil {
		_ = res.Body.Close()
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(2 * wire.MaxFrame)
	hello, err := wire.Encode(wire.Hello{Versions: []int{wire.Version}, App: "bench", Dev: "b", Boards: []wire.Cursor{{Board: id}}})
	if err != nil {
		return 0, fmt.Errorf("say hello: %w", err)
	}
	if err := ws.Write(ctx, websocket.MessageText, hello); err != nil {
		return 0, fmt.Errorf("say hello: %w", err)
	}
	for {
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return 0, fmt.Errorf("wait for the dashboard: %w", err)
		}
		if bytes.HasPrefix(frame, []byte(`{"t":"snap"`)) {
			n += len(frame)
			if bytes.Contains(frame, []byte(`"last":true`)) {
				return n, nil
			}
		}
	}
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	return nil
}
