package webapp

import (
	"net/http"
	"strconv"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/source"
	"widgets.pro/syncserver/internal/account"
	"widgets.pro/syncserver/internal/httpapi"
	"widgets.pro/syncserver/internal/httpmw"
)

// Routes lists every route of the workspace. All are for whoever is signed in; those that change something take nothing from
// pages of other sites.
func (s *Service) Routes() []httpmw.Route {
	const (
		reads = "decided in each transaction"
		small = "body 64 KiB; same origin"
	)
	large := func(limit int64) string { return "body " + strconv.FormatInt(limit>>20, 10) + " MiB; same origin" }
	return []httpmw.Route{
		{Pattern: "GET /app", Audience: httpmw.SignedIn, Handler: http.HandlerFunc(s.page)},
		{Pattern: "/app/{path...}", Audience: httpmw.SignedIn, Handler: http.HandlerFunc(s.page)},
		{Pattern: Prefix, Audience: httpmw.Everybody, Handler: http.HandlerFunc(unknown)},
		{Pattern: "GET /embed-preview", Audience: httpmw.Everybody, Handler: http.HandlerFunc(preview)},
		s.route("GET state", reads, free, s.state),
		s.route("GET events", "8 wait by session; 5000 sessions at once", free, s.events),
		s.route("PUT settings", small, free, nothing),
		s.route("POST external", large(maxEdits), free, offer),
		s.route("POST clipboard", large(maxEdits), free, offer),
		s.route("POST sync/retry", small, free, nothing),
		s.route("POST account/logout", small, free, s.logOut),
		s.route("GET boards/{id}", reads, free, s.board),
		s.route("POST boards", small, costly, s.create),
		s.route("POST boards/import", large(maxBoard), costly, s.importBoard),
		s.route("DELETE boards/{id}", small, change, s.destroy),
		s.route("POST boards/{id}/duplicate", small, costly, s.duplicate),
		s.route("POST boards/{id}/trash", small, change, s.setAlive(false)),
		s.route("POST boards/{id}/restore", small, change, s.setAlive(true)),
		s.route("POST boards/{id}/edits", large(maxEdits), change, s.edits),
		s.route("POST boards/{id}/undo", small, change, s.undo),
		s.route("POST boards/{id}/redo", small, change, s.redo),
		s.route("GET boards/{id}/history", reads, free, s.history),
		s.route("GET boards/{id}/history/{position}", reads+"; 2 read at once", costly, s.then),
		s.route("POST boards/{id}/history/{position}/restore", small+"; 2 read at once", costly, s.restoreTo),
		s.route("POST boards/{id}/share", small+"; hashing bounded", change, s.changeShare),
		s.route("POST boards/{id}/invite", small+"; 50 addresses at once; mails by account and address", costly, s.invite),
		s.route("POST look", small, free, s.lookAt),
		s.route("POST boards/{id}/share/dismiss", small, free, nothing),
		s.route("POST boards/{id}/keep-copy", small, free, nothingRefused),
		s.route("POST boards/{id}/discard", small, free, nothingRefused),
		s.route("GET boards/{id}/tray", reads, free, nothingRefused),
		s.route("GET boards/{id}/tray/export", reads, free, nothingRefused),
		s.route("GET boards/{id}/qr", reads, free, s.qr),
		s.route("GET boards/{id}/export", reads, costly, s.export),
		s.route("GET boards/{id}/widgets/{w}/rows.csv", reads, costly, s.rowsCSV),
		s.route("POST files", large(source.MaxFile)+"; 2 read at once", costly, s.readFile),
		s.route("POST files/{import}", small+"; 2 read at once", costly, s.reread),
		s.route("POST files/{import}/apply", small, costly, s.apply),
	}
}

// nothingRefused answers what is for devices alone: here an edit is refused at once, and nothing of it is kept.
func nothingRefused(http.ResponseWriter, *http.Request, account.Identity) (any, error) {
	return nil, fault.New(fault.Conflict, "No edits of this dashboard were refused.").WithHint("Duplicate it to have a copy.")
}

// unknown answers requests that are none of the above.
func unknown(w http.ResponseWriter, _ *http.Request) {
	httpapi.WriteFault(w, fault.New(fault.NotFound, "The server does not know this request."))
}
