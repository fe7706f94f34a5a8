package bridge

import (
	"context"
	"net/http"
	"strings"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
)

// Limits of request bodies in bytes.
const (
	maxSmall = 64 << 10
	maxEdits = 24 << 20 // a whole dashboard's rows typed or pasted at once
	maxBoard = 32 << 20 // an exported dashboard
)

type done struct{}

type newID struct {
	ID board.ID `json:"id"`
}

// call is one use case: it reads the request and returns what is answered as JSON.
type call func(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error)

// routes lists everything that the screens may ask.
func (b *Bridge) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, fn := range map[string]call{
		"GET /api/state":                            state,
		"PUT /api/settings":                         settings,
		"GET /api/boards/{id}":                      getBoard,
		"POST /api/boards":                          create,
		"POST /api/boards/import":                   importBoard,
		"DELETE /api/boards/{id}":                   onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.Destroy(id) }),
		"POST /api/boards/{id}/duplicate":           onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return made(ws.Duplicate(id)) }),
		"POST /api/boards/{id}/trash":               onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.Trash(id) }),
		"POST /api/boards/{id}/restore":             onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.Restore(id) }),
		"POST /api/boards/{id}/undo":                onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.Undo(id) }),
		"POST /api/boards/{id}/redo":                onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.Redo(id) }),
		"POST /api/boards/{id}/share/dismiss":       onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.DismissRefusal(id) }),
		"POST /api/boards/{id}/keep-copy":           onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return made(ws.KeepCopy(id)) }),
		"POST /api/boards/{id}/discard":             onBoard(func(ws *workspace.Workspace, id board.ID) (any, error) { return done{}, ws.DiscardRefused(id) }),
		"GET /api/boards/{id}/tray":                 tray,
		"GET /api/boards/{id}/tray/export":          b.exportTray,
		"POST /api/boards/{id}/edits":               edit,
		"POST /api/boards/{id}/share":               share,
		"POST /api/boards/{id}/invite":              invite,
		"POST /api/look":                            b.look,
		"GET /api/boards/{id}/qr":                   b.qr,
		"GET /api/boards/{id}/export":               b.export,
		"GET /api/boards/{id}/widgets/{w}/rows.csv": b.rowsCSV,
		"POST /api/files":                           b.readFile,
		"POST /api/files/{import}":                  b.reread,
		"POST /api/files/{import}/apply":            b.apply,
		"POST /api/account/signup":                  account(func(ws *workspace.Workspace) signIn { return ws.SignUp }),
		"POST /api/account/signup/resend":           plain(func(ctx context.Context, ws *workspace.Workspace) error { return ws.ResendSignUp(ctx) }),
		"DELETE /api/account/signup":                plain(func(_ context.Context, ws *workspace.Workspace) error { return ws.CancelSignUp() }),
		"POST /api/account/login":                   account(func(ws *workspace.Workspace) signIn { return ws.LogIn }),
		"POST /api/account/logout":                  plain(func(ctx context.Context, ws *workspace.Workspace) error { return ws.LogOut(ctx) }),
		"POST /api/sync/retry":                      retry,
	} {
		mux.Handle(pattern, b.serve(fn))
	}
	mux.Handle("GET /api/boards/{id}/history", b.serve(history))
	mux.Handle("GET /api/boards/{id}/history/{position}", b.serve(then))
	mux.Handle("POST /api/boards/{id}/history/{position}/restore", b.serve(restoreTo))
	mux.HandleFunc("GET /api/events", b.events)
	mux.HandleFunc("POST /api/external", b.external)
	mux.HandleFunc("POST /api/clipboard", b.clipboard)
	mux.HandleFunc("POST /api/farewell", b.takeFarewell)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api" && !strings.HasPrefix(r.URL.Path, "/api/") {
			b.page(w, r)
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			b.fail(w, r, fault.New(fault.NotFound, "The program does not know this request."))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serve runs a use case once the workspace is open. Some write their answer themselves and return nil.
func (b *Bridge) serve(fn call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := b.workspace(r.Context())
		if err != nil {
			b.fail(w, r, err)
			return
		}
		v, err := fn(w, r, ws)
		switch {
		case err != nil:
			b.fail(w, r, err)
		case v != nil:
			b.answer(w, r, v)
		}
	})
}

// signIn is one of the two ways to an account.
type signIn func(ctx context.Context, server, email, password string) error

func account(way func(*workspace.Workspace) signIn) call {
	return func(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
		var in struct {
			Server   string `json:"server"`
			Email    string `json:"email"`
			Password string `json:"password"`
		}
		if err := decode(w, r, maxSmall, &in); err != nil {
			return nil, err
		}
		return done{}, way(ws)(r.Context(), in.Server, in.Email, in.Password)
	}
}

// plain is a call that needs nothing but its name.
func plain(fn func(context.Context, *workspace.Workspace) error) call {
	return func(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
		if _, err := body(w, r, maxSmall); err != nil {
			return nil, err
		}
		return done{}, fn(r.Context(), ws)
	}
}

func retry(_ http.ResponseWriter, _ *http.Request, ws *workspace.Workspace) (any, error) {
	ws.RetrySync()
	return done{}, nil
}
