package bridge

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode"

	qrcode "github.com/piglig/go-qr"

	"widgets.pro/app/internal/workspace"
	"widgets.pro/shared/fault"
)

const (
	quiet    = 4    // modules around a code, as ISO/IEC 18004 asks for
	pngSide  = 1024 // pixels at least
	maxTitle = 80   // characters of a dashboard's title in the name of a file
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
	var url string
	switch r.URL.Query().Get("of") {
	case "link":
		url = share.URL
	case "short":
		url = share.ShortURL
	case "slug":
		url = share.SlugURL
	default:
		return nil, fault.Field("of", "The code is one of link, short or slug.")
	}
	var draw func(code *qrcode.QrCode, url string) ([]byte, error)
	var kind string
	format := r.URL.Query().Get("format")
	switch format {
	case "svg":
		draw, kind = qrSVG, "image/svg+xml"
	case "png":
		draw, kind = qrPNG, "image/png"
	default:
		return nil, fault.Field("format", "The format is svg or png.")
	}
	if url == "" {
		return nil, fault.New(fault.Conflict, "There is no such address yet.").WithHint("Sign in and turn the link on first.")
	}
	code, err := qrcode.EncodeText(url, qrcode.Quartile) // what is printed gets dirty
	if err != nil {
		return nil, fmt.Errorf("encode an address of %d bytes: %w", len(url), err)
	}
	image, err := draw(code, url)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Disposition", attachment(title, " QR code."+format))
	b.send(w, r, http.StatusOK, kind, image)
	return nil, nil //nolint:nilnil // the answer is on its way
}

// qrSVG draws a code in black on white, one unit a module, with the address as its name: that tells nothing that the code
// does not.
func qrSVG(code *qrcode.QrCode, url string) ([]byte, error) {
	var title, path strings.Builder
	if err := xml.EscapeText(&title, []byte(url)); err != nil {
		return nil, fmt.Errorf("write a title: %w", err)
	}
	for y := range code.Size() {
		for x := 0; x < code.Size(); x++ {
			start := x
			for x < code.Size() && code.Module(x, y) {
				x++
			}
			if x > start {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", start+quiet, y+quiet, x-start, x-start)
			}
		}
	}
	side := code.Size() + 2*quiet
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" shape-rendering="crispEdges">`+
		`<title>%s</title><rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`+"\n",
		side, side, side*8, side*8, title.String(), side, side, path.String())
	return out.Bytes(), nil
}

// qrPNG draws a code at least pngSide pixels wide, every module the same whole number of them.
func qrPNG(code *qrcode.QrCode, _ string) ([]byte, error) {
	side := code.Size() + 2*quiet
	image, err := code.ToPNGBytes(qrcode.NewQrCodeImgConfig((pngSide+side-1)/side, quiet))
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return image, nil
}

// attachment is a Content-Disposition that names a file after a dashboard's title, without what file systems do not take.
func attachment(title, suffix string) string {
	name := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, title))
	clean := strings.Trim(string(name[:min(len(name), maxTitle)]), " .")
	if clean == "" {
		clean = "Dashboard"
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": clean + suffix})
}
