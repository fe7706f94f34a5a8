package preview

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// point and rect are in pixels, from the top left corner.
type point struct{ x, y float64 }

type rect struct{ x, y, w, h float64 }

func (r rect) inset(dx, dy float64) rect {
	return rect{r.x + dx, r.y + dy, max(0, r.w-2*dx), max(0, r.h-2*dy)}
}

func (r rect) right() float64  { return r.x + r.w }
func (r rect) bottom() float64 { return r.y + r.h }

// shape is a set of closed outlines that are filled together. Outlines that overlap must turn the same way.
type shape [][]point

// canvas is what is drawn on. Nothing is drawn outside clip.
type canvas struct {
	img  *image.RGBA
	clip image.Rectangle
	mask *image.Alpha
	r    vector.Rasterizer
}

func newCanvas(w, h int, ground color.NRGBA) *canvas {
	c := &canvas{img: image.NewRGBA(image.Rect(0, 0, w, h)), mask: image.NewAlpha(image.Rect(0, 0, w, h))}
	c.clip = c.img.Bounds()
	draw.Draw(c.img, c.clip, image.NewUniform(ground), image.Point{}, draw.Src)
	return c
}

// within draws only inside r while fn runs.
func (c *canvas) within(r rect, fn func()) {
	old := c.clip
	c.clip = image.Rect(int(math.Floor(r.x)), int(math.Floor(r.y)), int(math.Ceil(r.right())), int(math.Ceil(r.bottom()))).Intersect(old)
	if !c.clip.Empty() {
		fn()
	}
	c.clip = old
}

// fill fills a shape with one colour.
func (c *canvas) fill(s shape, col color.NRGBA) {
	c.paint(s, func(int) color.NRGBA { return col })
}

// fade fills a shape with a colour that fades from one opacity at the height top to another at bottom.
func (c *canvas) fade(s shape, col color.NRGBA, top, bottom, from, to float64) {
	c.paint(s, func(y int) color.NRGBA {
		part := 0.0
		if bottom > top {
			part = min(1, max(0, (float64(y)-top)/(bottom-top)))
		}
		faded := col
		faded.A = uint8(255 * (from + (to-from)*part))
		return faded
	})
}

// paint fills a shape, asking for the colour line by line.
func (c *canvas) paint(s shape, at func(y int) color.NRGBA) {
	box := s.bounds().Intersect(c.clip)
	if box.Empty() {
		return
	}
	c.r.Reset(box.Dx(), box.Dy())
	c.r.DrawOp = draw.Src
	dx, dy := float64(box.Min.X), float64(box.Min.Y)
	for _, outline := range s {
		for i, p := range outline {
			// Far away is far enough: no outline is followed for ever.
			x, y := float32(bound(p.x-dx)), float32(bound(p.y-dy))
			if i == 0 {
				c.r.MoveTo(x, y)
			} else {
				c.r.LineTo(x, y)
			}
		}
		c.r.ClosePath()
	}
	c.r.Draw(c.mask, image.Rect(0, 0, box.Dx(), box.Dy()), image.Opaque, image.Point{})
	for y := range box.Dy() {
		col := at(y + box.Min.Y)
		src := [4]uint32{uint32(col.R), uint32(col.G), uint32(col.B), 255}
		row := c.mask.Pix[y*c.mask.Stride : y*c.mask.Stride+box.Dx()]
		pix := c.img.Pix[c.img.PixOffset(box.Min.X, y+box.Min.Y):]
		for x, m := range row {
			a := uint32(m) * uint32(col.A)
			if a == 0 {
				continue
			}
			for k := range 4 {
				p := &pix[4*x+k]
				*p = uint8((src[k]*a + uint32(*p)*(255*255-a) + 255*255/2) / (255 * 255)) //nolint:gosec // a weighted mean of bytes
			}
		}
	}
}

func bound(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(4*Width, max(-4*Width, v))
}

func (s shape) bounds() image.Rectangle {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, outline := range s {
		for _, p := range outline {
			x, y := bound(p.x), bound(p.y)
			lo.x, lo.y, hi.x, hi.y = min(lo.x, x), min(lo.y, y), max(hi.x, x), max(hi.y, y)
		}
	}
	if lo.x > hi.x {
		return image.Rectangle{}
	}
	return image.Rect(int(math.Floor(lo.x)), int(math.Floor(lo.y)), int(math.Ceil(hi.x)), int(math.Ceil(hi.y)))
}

// stroke draws a line of a width through points, with round ends and corners.
func (c *canvas) stroke(points []point, width float64, col color.NRGBA) {
	h := width / 2
	var s shape
	var last point
	for i, p := range points {
		s = append(s, ring(p, h, 10))
		a := last
		last = p
		if i == 0 {
			continue
		}
		dx, dy := p.x-a.x, p.y-a.y
		l := math.Hypot(dx, dy)
		if l == 0 || math.IsNaN(l) || math.IsInf(l, 0) {
			continue
		}
		nx, ny := -dy/l*h, dx/l*h
		s = append(s, []point{{a.x + nx, a.y + ny}, {a.x - nx, a.y - ny}, {p.x - nx, p.y - ny}, {p.x + nx, p.y + ny}})
	}
	c.fill(s, col)
}

// hair draws a horizontal line one pixel high.
func (c *canvas) hair(x, y, w float64, col color.NRGBA) {
	c.fill(box(rect{math.Round(x), math.Round(y), w, 1}), col)
}

func box(r rect) shape {
	return shape{{{r.x, r.y}, {r.right(), r.y}, {r.right(), r.bottom()}, {r.x, r.bottom()}}}
}

func circle(at point, radius float64) shape { return shape{ring(at, radius, 28)} }

// ring is a circle as a polygon that turns as stroke's pieces do.
func ring(at point, radius float64, corners int) []point {
	out := make([]point, corners)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(corners))
		out[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	return out
}

func roundRect(r rect, radius float64) shape {
	radius = min(radius, r.w/2, r.h/2)
	const steps = 8
	out := make([]point, 0, 4*(steps+1))
	for corner, at := range []point{{r.right() - radius, r.bottom() - radius}, {r.x + radius, r.bottom() - radius}, {r.x + radius, r.y + radius}, {r.right() - radius, r.y + radius}} {
		for i := range steps + 1 {
			sin, cos := math.Sincos(math.Pi / 2 * (float64(corner) + float64(i)/steps))
			out = append(out, point{at.x + radius*cos, at.y + radius*sin})
		}
	}
	return shape{out}
}
