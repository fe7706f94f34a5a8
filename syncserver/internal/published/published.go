// Package published answers, over the store, what pages ask of the server: what a share link opens and shows, and where a
// short link leads. Access decides, content reads; nothing here is kept.
package published

import (
	"context"
	"errors"
	"fmt"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/sharing"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/httpweb"
	"widgets.pro/syncserver/internal/page"
	"widgets.pro/syncserver/internal/store"
)

var errForeignGrant = errors.New("a grant that access did not give")

// Source is a page.Source and an httpweb.Core over a store.
type Source struct {
	store store.Store
	now   func() time.Time
}

var (
	_ page.Source  = Source{}
	_ httpweb.Core = Source{}
)

// New returns a Source over st, with the server's clock.
func New(st store.Store, now func() time.Time) Source { return Source{store: st, now: now} }

// OpenLink asks access. A proof counts until its time is over.
func (s Source) OpenLink(ctx context.Context, t sharing.Token, p page.Proof) (page.Grant, error) {
	var g access.Grant
	now := s.now().UnixMilli()
	holder := access.LinkHolder(t)
	if now < p.Until {
		holder = access.Unlocked(t, p.Revision)
	}
	err := s.store.View(ctx, func(tx store.Tx) (err error) {
		g, err = access.OpenLink(tx, holder, now)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("decide about a share link: %w", err)
	}
	return g, nil
}

// Published has access decide again, since a grant is true only for the transaction it was made in, and reads.
func (s Source) Published(ctx context.Context, grant page.Grant) (view board.View, version uint64, err error) {
	old, ok := grant.(access.Grant)
	if !ok {
		return board.View{}, 0, errForeignGrant
	}
	err = s.store.View(ctx, func(tx store.Tx) error {
		g, err := access.Again(tx, old, s.now().UnixMilli())
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		var v content.Version
		view, v, err = content.Load(tx, g)
		version = v.Seq
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return board.View{}, 0, fmt.Errorf("read what is published: %w", err)
	}
	return view, version, nil
}

// ShortLink asks access for the token behind a short link.
func (s Source) ShortLink(ctx context.Context, short string) (t sharing.Token, err error) {
	err = s.store.View(ctx, func(tx store.Tx) (err error) {
		t, err = access.OpenShortID(tx, short, s.now().UnixMilli())
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return "", fmt.Errorf("decide about a short link: %w", err)
	}
	return t, nil
}
