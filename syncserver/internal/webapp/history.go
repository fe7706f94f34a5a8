package webapp

import (
	"context"
	"fmt"
	"net/http"

	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/content"
	"widgets.pro/syncserver/internal/store"
)

// history answers with a page of a dashboard's history, or of one widget's.
func (s *Service) history(_ http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var out screen.History
	err = s.view(r.Context(), me, func(tx store.Tx) error {
		g, err := access.Open(tx, access.Account(me.Account), id, access.Edit)
		if err != nil {
			return err //nolint:wrapcheck // access's fault is the answer
		}
		out, err = content.History(tx, g, r.URL.Query().Get("before"), r.URL.Query().Get("widget"))
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("tell the history of %s: %w", id, err)
	}
	return out, nil
}

// then answers with a dashboard as it was at a position of its history.
func (s *Service) then(_ http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	v, rows, err := s.past(r.Context(), me, id, r.PathValue("position"))
	if err != nil {
		return nil, err
	}
	return screen.NewThen(r.PathValue("position"), v, rows), nil
}

// past is the dashboard at a position of its history.
func (s *Service) past(ctx context.Context, me account.Identity, id board.ID, position string) (v board.View, rows bool, err error) {
	at, err := screen.ParsePosition(position)
	if err != nil {
		return v, false, err //nolint:wrapcheck // a fault of what is asked for
	}
	err = s.cfg.Pasts.InTurn(ctx, me.Account, func() error {
		return s.view(ctx, me, func(tx store.Tx) error {
			g, err := access.Open(tx, access.Account(me.Account), id, access.Edit)
			if err != nil {
				return err //nolint:wrapcheck // access's fault is the answer
			}
			v, rows, err = content.At(tx, g, at)
			return err //nolint:wrapcheck // wrapped below
		})
	})
	if err != nil {
		return v, false, fmt.Errorf("look up what %s was: %w", id, err)
	}
	return v, rows, nil
}

// restoreTo makes a dashboard, or a part of it, as it was at a position of its history.
func (s *Service) restoreTo(w http.ResponseWriter, r *http.Request, me account.Identity) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Widget string `json:"widget"`
		Field  string `json:"field"`
	}
	if err := decode(w, r, maxSmall, &in); err != nil {
		return nil, err
	}
	entity, err := screen.ParseTarget(in.Widget, in.Field)
	if err != nil {
		return nil, err //nolint:wrapcheck // a fault of what is asked for
	}
	v, rows, err := s.past(r.Context(), me, id, r.PathValue("position"))
	if err != nil {
		return nil, err
	}
	return s.write(r, me, id, screen.RestoreLabel(v, entity), func(l *live) (screen.Planned, error) {
		return screen.Restore(l.state, id, v, rows, entity, in.Field, s.newWidgetID) //nolint:wrapcheck // a fault of what is asked for
	})
}
