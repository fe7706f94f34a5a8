// Package apptest is the desktop program without screens and without the processes around it, for benchmarks: its data
// file, its workspace and its sync client, as the program itself puts them together. Start reading at Open.
package apptest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/app/internal/syncclient"
	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
)

// Program is a desktop program with its data open. Its methods may be called concurrently, but for Connect and Disconnect.
type Program struct {
	*workspace.Workspace
	store  *localstore.Store
	keys   *keys
	now    func() time.Time
	client *http.Client

	cancel context.CancelFunc // nil while there is no connection
	done   chan struct{}
}

// Open opens or makes the data file in a directory. Nothing is sent anywhere before Connect. Close the program.
func Open(dir string, now func() time.Time) (*Program, error) {
	store, err := localstore.Open(filepath.Join(dir, "widgets.db"), localstore.Options{Random: rand.Reader})
	if err != nil {
		return nil, fmt.Errorf("open the data: %w", err)
	}
	p := &Program{store: store, keys: &keys{}, now: now, client: &http.Client{}}
	p.Workspace, err = workspace.New(workspace.Deps{
		Store: store, Now: now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Accounts: syncclient.NewAccounts(p.client), Credentials: p.keys, Version: "bench",
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the workspace: %w", err), store.Close())
	}
	return p, nil
}

// Connect keeps the connection to the account's server until Disconnect.
func (p *Program) Connect(ctx context.Context) {
	ctx, p.cancel = context.WithCancel(ctx)
	p.done = make(chan struct{})
	c := syncclient.New(syncclient.Deps{
		Workspace: p.Workspace, Credentials: p.keys, HTTP: p.client, Now: p.now, After: time.After, Log: slog.New(slog.DiscardHandler),
		Jitter: func() float64 { return 0 }, App: "bench",
	})
	go func() { defer close(p.done); c.Run(ctx) }()
}

// Disconnect ends the connection.
func (p *Program) Disconnect() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	<-p.done
	p.cancel = nil
}

// Close ends the connection and closes the data file.
func (p *Program) Close() error {
	p.Disconnect()
	return p.store.Close()
}

// Settled waits until everything was exchanged with the server and nothing waits on this device.
func (p *Program) Settled(ctx context.Context) error {
	events := p.Subscribe()
	defer events.Close()
	for {
		if s := p.State().Sync; s.State == workspace.StateSynced && s.Queued == 0 {
			return nil
		}
		if _, err := events.Wait(ctx); err != nil {
			return fmt.Errorf("wait for the server, to which %d edits go: %w", p.State().Sync.Queued, err)
		}
	}
}

// Size is how many bytes the data file holds of a dashboard, keys included: its state, and what waits for the server.
func (p *Program) Size(id board.ID) (n int, err error) {
	err = p.store.View(func(tx *localstore.Tx) error {
		rtx, err := tx.Replica(id)
		if err != nil {
			return err
		}
		return rtx.Scan(nil, nil, func(key, value []byte) bool {
			n += len(key) + len(value)
			return true
		})
	})
	if err != nil {
		return 0, fmt.Errorf("measure dashboard %s: %w", id, err)
	}
	return n, nil
}

// keys keeps tokens for as long as the program runs.
type keys struct{ m sync.Map }

// Load returns a token, "" if there is none.
func (k *keys) Load(key string) (string, error) {
	v, _ := k.m.Load(key)
	token, _ := v.(string)
	return token, nil
}

// Store keeps a token.
func (k *keys) Store(key, token string) error { k.m.Store(key, token); return nil }

// Delete forgets a token.
func (k *keys) Delete(key string) error { k.m.Delete(key); return nil }
