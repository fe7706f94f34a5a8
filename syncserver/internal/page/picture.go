package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// Painter draws the preview image of a published dashboard as a PNG of PreviewWidth by PreviewHeight pixels; see
// preview.Artist. It may block while others are drawn.
type Painter interface {
	Draw(ctx context.Context, view board.View) ([]byte, error)
}

// Picture is the preview image of one version of a dashboard. It may be served any number of times.
type Picture struct {
	png    []byte
	length []string
}

// pictureOf is the place where a snapshot keeps its picture.
type pictureOf struct {
	mu   sync.Mutex // held while it is drawn
	kept atomic.Pointer[Picture]
}

// Summary is what an open link tells of its dashboard (rule L6).
type Summary struct {
	Title, Description string
}

// Summary is the title and description of the dashboard that t opens to everybody. A link that asks for a password gets
// the same NotFound fault as one that does not work (rules A5, L6).
func (s *Service) Summary(ctx context.Context, t sharing.Token) (Summary, error) {
	_, snap, err := s.public(ctx, t)
	if err != nil {
		return Summary{}, err
	}
	return Summary{Title: snap.title, Description: snap.description}, nil
}

// Picture is the preview image of the dashboard that t opens to everybody, drawn once for each version. Errors are as those
// of Summary.
func (s *Service) Picture(ctx context.Context, t sharing.Token) (*Picture, error) {
	for range maxTries {
		l, snap, err := s.public(ctx, t)
		if err != nil {
			return nil, err
		}
		p, err := snap.painted(ctx, s.cfg.Painter)
		if err != nil {
			return nil, err
		}
		s.evict(l.d)
		if s.holds(t, l) { // not revoked while it was drawn
			return p, nil
		}
	}
	return nil, errBusy()
}

// public is fresh for links that are open to everybody.
func (s *Service) public(ctx context.Context, t sharing.Token) (*link, *snapshot, error) {
	l, snap, err := s.fresh(ctx, t, Proof{})
	if fault.KindOf(err) == fault.Unauthenticated || (err == nil && l.locked) {
		return nil, nil, errNotFound()
	}
	return l, snap, err
}

// painted is the snapshot's picture, drawn when first needed. Whoever comes while it is drawn waits, and then finds it.
func (n *snapshot) painted(ctx context.Context, painter Painter) (*Picture, error) {
	if p := n.picture.kept.Load(); p != nil {
		return p, nil
	}
	if painter == nil {
		return nil, errNotFound()
	}
	n.picture.mu.Lock()
	defer n.picture.mu.Unlock()
	if p := n.picture.kept.Load(); p != nil {
		return p, nil
	}
	var view board.View
	if err := json.Unmarshal(n.json, &view); err != nil {
		return nil, fmt.Errorf("read a published dashboard: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drawTimeout)
	defer cancel()
	png, err := painter.Draw(ctx, view)
	if err != nil {
		return nil, errDraw(err)
	}
	p := &Picture{png: png, length: length(png)}
	n.picture.kept.Store(p)
	n.size.Add(int64(len(png)))
	return p, nil
}

//nolint:gochecknoglobals // shared header values, never written to
var (
	typePNG       = []string{"image/png"}
	fromElsewhere = []string{"cross-origin"}
)

// ServeHTTP answers a GET or HEAD with the picture, which pages of other sites may show.
func (p *Picture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"], h["Content-Length"], h["Cross-Origin-Resource-Policy"] = typePNG, p.length, fromElsewhere
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.png) // a client that went away is no failure
	}
}
