package bridge

import (
	"mime"
	"net/http"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/qr"
	"widgets.pro/shared/screen"
)

// qr answers with the QR code of one of a dashboard's addresses: of=link, short or slug, as format=svg or png.
func (b *Bridge) qr(w http.ResponseWriter, r *http.Request, ws *workspace.Workspace) (any, error) {
	id, err := boardID(r)
	if err != nil {
		return nil, err
	}
	title, share, err := ws.Sharing(id)
	if err != nil {
		return nil, err
	}
	format, err := qr.FormatOf(r.URL.Query().Get("format"))
	if err != nil {
		return nil, err
	}
	url, err := share.Address(r.URL.Query().Get("of"))
	if err != nil {
		return nil, err
	}
	image, err := format.Draw(url)
	if err != nil {
		return nil, err
	}
	name := map[string]string{"filename": screen.FileName(title, " QR code."+format.Name)}
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", name))
	b.send(w, r, http.StatusOK, format.Type, image)
	return nil, nil //nolint:nilnil // the answer is on its way
}
