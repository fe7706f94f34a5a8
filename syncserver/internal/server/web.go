package server

import (
	"context"
	"net/http"

	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpmw"
	"widgets.pro/syncserver/internal/room"
	"widgets.pro/syncserver/internal/store"
)

// web is what browsers see: share pages with their viewers, and the forms for signing in.
type web struct{}

// newWeb wires what browsers see and adds its routes.
func newWeb(_ Deps, _ store.Store, _ *room.Rooms, _ *account.Service, _ httpmw.Clients, _ *http.ServeMux) (*web, error) {
	return &web{}, nil
}

// close tells the viewers that the server goes down and waits for them until ctx ends.
func (w *web) close(context.Context) {}
