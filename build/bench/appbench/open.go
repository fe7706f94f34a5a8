package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"widgets.pro/app/apptest"
	"widgets.pro/build/bench/process"
	"widgets.pro/build/bench/report"
	"widgets.pro/build/bench/sample"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	password     = "correct horse battery staple"
	largeWidgets = 200
)

// opening measures how soon a dashboard of 200 widgets is there: in the app, from its data file to the picture that a screen
// gets, and on the server, from the request for its page to the last byte.
func opening(ctx context.Context, out io.Writer, o options, dir string) (missed bool, err error) {
	local, bare, bytes, err := openLocally(o, filepath.Join(dir, "app"))
	if err != nil {
		return false, fmt.Errorf("app: %w", err)
	}
	report.Say(out, "opening a dashboard of %d widgets with %d KiB of content, median of %d\n", largeWidgets, bytes>>10, o.rounds)
	report.Say(out, "  ratio            %7.2f of the floor\n", float64(local)/float64(bare))
	report.Say(out, "  app              %7.1f ms, from the data file to the screen's picture\n", report.MS(local))
	report.Say(out, "  floor            %7.1f ms, reading the same records with bbolt alone\n", report.MS(bare))
	first, again, health, size, err := openPage(ctx, o, filepath.Join(dir, "server"))
	if err != nil {
		return false, fmt.Errorf("server: %w", err)
	}
	report.Say(out, "  its share page   %7.1f ms, drawn and compressed for the first time, %d KiB\n", report.MS(first), size>>10)
	report.Say(out, "                   %7.1f ms, when it has been drawn\n", report.MS(again))
	report.Say(out, "  floor            %7.1f ms, an answer of three bytes\n", report.MS(health))
	return false, nil
}

// openLocally opens the data file anew for each round, and reads it with bbolt alone beside.
func openLocally(o options, dir string) (ours, bare time.Duration, bytes int, err error) {
	p, err := apptest.Open(dir, o.now)
	if err != nil {
		return 0, 0, 0, err
	}
	id, _, err := build(p, "Everything", sample.Large(largeWidgets))
	if err == nil {
		bytes, err = p.Size(id)
	}
	if err = errors.Join(err, p.Close()); err != nil {
		return 0, 0, 0, err
	}
	var a, b []time.Duration
	for range o.rounds {
		p, err := apptest.Open(dir, o.now)
		if err != nil {
			return 0, 0, 0, err
		}
		begun := o.now()
		v, err := p.Board(id)
		a = append(a, o.now().Sub(begun))
		if err = errors.Join(err, p.Close()); err != nil {
			return 0, 0, 0, err
		}
		if len(v.Widgets) != largeWidgets {
			return 0, 0, 0, fmt.Errorf("the dashboard has %d widgets", len(v.Widgets))
		}
		took, err := readBare(filepath.Join(dir, "widgets.db"), string(id), o.now)
		if err != nil {
			return 0, 0, 0, err
		}
		b = append(b, took)
	}
	return report.Median(a), report.Median(b), bytes, nil
}

// readBare copies every record of a dashboard's replica.
func readBare(path, id string, now func() time.Time) (took time.Duration, err error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return 0, fmt.Errorf("open the file: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	begun := now()
	var all []byte
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("replicas")).Bucket([]byte(id)).ForEach(func(k, v []byte) error {
			all = append(append(all, k...), v...)
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("read the file: %w", err)
	}
	return now().Sub(begun), nil
}

// openPage measures the share page of the same dashboard. Each round starts with an edit, after which it is drawn anew.
func openPage(ctx context.Context, o options, dir string) (first, again, health time.Duration, size int64, err error) {
	server, err := serverIn(ctx, o, dir)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	defer server.End()
	own, err := owner.SignUp(ctx, server.Base, "owner@example.org", password, o.now, owner.Mailbox(server.Base))
	if err != nil {
		return 0, 0, 0, 0, err
	}
	defer own.Close()
	id, err := own.Create(ctx, "Everything")
	if err != nil {
		return 0, 0, 0, 0, err
	}
	var widgets []string
	for _, w := range sample.Large(largeWidgets) {
		if err := own.Edit(ctx, id, owner.Widget(w)...); err != nil {
			return 0, 0, 0, 0, err
		}
		widgets = append(widgets, string(w.ID))
	}
	link, err := own.Command(ctx, id, sharing.Enable)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	url := link.Token.URL(server.Base)
	if _, _, err := get(ctx, url, o.now); err != nil { // starts the drawing engine
		return 0, 0, 0, 0, err
	}
	var a, b, c []time.Duration
	for n := range o.rounds {
		if err := own.Edit(ctx, id, owner.Set(widgets[n], "title", fmt.Sprintf("Edit %d", n))); err != nil {
			return 0, 0, 0, 0, err
		}
		for _, to := range []struct {
			url  string
			took *[]time.Duration
		}{{url, &a}, {url, &b}, {server.Base + "/healthz", &c}} {
			took, n, err := get(ctx, to.url, o.now)
			if err != nil {
				return 0, 0, 0, 0, err
			}
			*to.took = append(*to.took, took)
			size = max(size, n)
		}
	}
	return report.Median(a), report.Median(b), report.Median(c), size, nil
}

// get reads an answer, compressed as browsers ask for it.
func get(ctx context.Context, url string, now func() time.Time) (time.Duration, int64, error) {
	begun := now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, 0, fmt.Errorf("ask: %w", err)
	}
	req.Header.Set("Accept-Encoding", "br")
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return 0, 0, errors.Join(fmt.Errorf("the server answers %s", res.Status), err)
	}
	return now().Sub(begun), n, nil
}

func serverIn(ctx context.Context, o options, dir string) (*process.Process, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	return process.Server(ctx, o.server, dir)
}
