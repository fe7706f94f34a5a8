// Package qr draws the QR codes of addresses. It does no I/O. Start reading at SVG.
package qr

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	qrcode "github.com/piglig/go-qr"

	"widgets.pro/shared/fault"
)

// Format is a way to draw a code: its name, which is the end of a file's name too, and its media type.
type Format struct {
	Name, Type string
	Draw       func(url string) ([]byte, error)
}

// FormatOf finds a Format by its name, svg or png. The error is an Invalid fault.
func FormatOf(name string) (Format, error) {
	switch name {
	case "svg":
		return Format{name, "image/svg+xml", SVG}, nil
	case "png":
		return Format{name, "image/png", PNG}, nil
	}
	return Format{}, fault.Field("format", "The format is svg or png.")
}

const (
	quiet   = 4    // modules around a code, as ISO/IEC 18004 asks for
	pngSide = 1024 // pixels at least
)

// SVG draws the code of an address in black on white, one unit a module, with the address as its name: that tells nothing
// that the code does not.
func SVG(url string) ([]byte, error) {
	code, err := encode(url)
	if err != nil {
		return nil, err
	}
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

// PNG draws the code of an address at least 1,024 pixels wide, every module the same whole number of them.
func PNG(url string) ([]byte, error) {
	code, err := encode(url)
	if err != nil {
		return nil, err
	}
	side := code.Size() + 2*quiet
	image, err := code.ToPNGBytes(qrcode.NewQrCodeImgConfig((pngSide+side-1)/side, quiet))
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return image, nil
}

func encode(url string) (*qrcode.QrCode, error) {
	code, err := qrcode.EncodeText(url, qrcode.Quartile) // what is printed gets dirty
	if err != nil {
		return nil, fmt.Errorf("encode an address of %d bytes: %w", len(url), err)
	}
	return code, nil
}
