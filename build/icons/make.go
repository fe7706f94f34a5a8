//go:build ignore

// Command make draws the program's icon in every size and form that is needed: `go run build/icons/make.go`.
//
// The drawing is the same as widgets.svg: three widgets on a dashboard.
package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"os"
	"path/filepath"
)

// box is a rounded rectangle on a square of 64 units.
type box struct {
	x, y, w, h, r float64
	top, bottom   color.NRGBA
}

func main() {
	root := "."
	for _, f := range []struct {
		name  string
		sizes []int
	}{
		{"app/icon.png", []int{128}},
		{"build/appicon.png", []int{1024}},
		{"build/linux/pro.widgets.app.png", []int{256}},
		{"build/windows/icon.ico", []int{16, 32, 48, 256}},
	} {
		var out []byte
		if filepath.Ext(f.name) == ".ico" {
			out = ico(f.sizes)
		} else {
			out = encode(f.sizes[0])
		}
		path := filepath.Join(root, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, out, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func drawing() []box {
	c := func(r, g, b uint8) color.NRGBA { return color.NRGBA{r, g, b, 255} }
	white, pale := c(255, 255, 255), c(0xa9, 0xb6, 0xf4)
	return []box{
		{2, 2, 60, 60, 14, c(0x4f, 0x6b, 0xed), c(0x2c, 0x3f, 0xb8)},
		{15, 15, 15.5, 34, 3.5, white, white},
		{33.5, 15, 15.5, 15.5, 3.5, white, white},
		{33.5, 33.5, 15.5, 15.5, 3.5, pale, pale},
	}
}

// inside reports whether a point lies in b: its distance from the box shrunk by the radius is at most the radius.
func (b box) inside(x, y float64) bool {
	dx := math.Max(math.Max(b.x+b.r-x, x-(b.x+b.w-b.r)), 0)
	dy := math.Max(math.Max(b.y+b.r-y, y-(b.y+b.h-b.r)), 0)
	return dx*dx+dy*dy <= b.r*b.r
}

func (b box) at(y float64) color.NRGBA {
	t := (y - b.y) / b.h
	mix := func(p, q uint8) uint8 { return uint8(float64(p) + t*(float64(q)-float64(p))) }
	return color.NRGBA{mix(b.top.R, b.bottom.R), mix(b.top.G, b.bottom.G), mix(b.top.B, b.bottom.B), 255}
}

// draw samples each pixel eight by eight times.
func draw(size int) image.Image {
	const samples = 8
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	scale := 64 / float64(size)
	for py := range size {
		for px := range size {
			var r, g, b, n float64
			for s := range samples * samples {
				x := (float64(px) + (float64(s%samples)+0.5)/samples) * scale
				y := (float64(py) + (float64(s/samples)+0.5)/samples) * scale
				var top *box
				for _, k := range drawing() {
					if k.inside(x, y) {
						top = &k
					}
				}
				if top != nil {
					c := top.at(y)
					r, g, b, n = r+float64(c.R), g+float64(c.G), b+float64(c.B), n+1
				}
			}
			if n > 0 {
				m.SetNRGBA(px, py, color.NRGBA{uint8(r / n), uint8(g / n), uint8(b / n), uint8(255 * n / (samples * samples))})
			}
		}
	}
	return m
}

func encode(size int) []byte {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, draw(size)); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

// ico packs PNGs of several sizes into a Windows icon.
func ico(sizes []int) []byte {
	var head, body bytes.Buffer
	w := func(v ...any) {
		for _, x := range v {
			_ = binary.Write(&head, binary.LittleEndian, x)
		}
	}
	w(uint16(0), uint16(1), uint16(len(sizes)))
	for _, s := range sizes {
		p := encode(s)
		w(uint8(s%256), uint8(s%256), uint8(0), uint8(0), uint16(1), uint16(32), uint32(len(p)), uint32(6+16*len(sizes)+body.Len()))
		body.Write(p)
	}
	return append(head.Bytes(), body.Bytes()...)
}
