// Package preview draws the picture of a dashboard that messengers and social networks show beside a link: title,
// description, and its first widgets in their places, in the dashboard's theme.
//
// It is pure Go and needs neither a browser nor the drawing engine of share pages. What it draws follows the front end's
// lib/draw (the same axes, scales and ways to write numbers) with larger type, since such pictures are looked at in the
// size of a stamp. The work for one picture is bounded, whatever the dashboard holds, and the same view always gives the
// same bytes. Start reading at Artist.Draw; card.go, chart.go and status.go draw the widgets, canvas.go shapes, text.go
// letters; data.go reads what a widget holds, and number.go writes it.
package preview

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// Width and Height of a picture in pixels: the proportion that the Open Graph protocol's consumers expect.
const (
	Width  = 1200
	Height = 630
)

// Bounds of the work for one picture.
const (
	maxWidgets = 60              // that are looked at
	maxCards   = 24              // that are drawn
	maxRows    = replica.MaxRows // of a widget, as for all else
	maxSeries  = 8
	atOnce     = 2 // pictures
)

// Sizes in pixels.
const (
	margin     = 52.0
	foot       = 29.0 // below the last card: what comes further down shows its upper edge
	gridGap    = 14.0
	rowWanted  = 50.0
	rowLeast   = 42.0
	rowMost    = 78.0
	columnMost = 200.0 // so that a narrow dashboard is not blown up
)

// Artist draws pictures, a few at a time. It is safe for concurrent use.
type Artist struct {
	fonts *fonts
	turns chan struct{}
}

// New reads the fonts.
func New() (*Artist, error) {
	f, err := loadFonts()
	if err != nil {
		return nil, fmt.Errorf("read the fonts of preview pictures: %w", err)
	}
	return &Artist{fonts: f, turns: make(chan struct{}, atOnce)}, nil
}

// Draw draws a dashboard as a PNG. view must be a published one (board.Publish): all that is in it may be shown. It waits
// while others are drawn, until ctx ends.
func (a *Artist) Draw(ctx context.Context, view board.View) ([]byte, error) {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to draw a preview picture: %w", ctx.Err())
	}
	var out bytes.Buffer
	if err := png.Encode(&out, a.paint(view)); err != nil {
		return nil, fmt.Errorf("encode a preview picture: %w", err)
	}
	return out.Bytes(), nil
}

func (a *Artist) paint(view board.View) *image.RGBA {
	p := paletteOf(view.Theme)
	c := newCanvas(Width, Height, p.page)
	d := &drawing{canvas: c, text: a.fonts.setter(c), palette: p}
	d.page(view)
	return c.img
}

// drawing is one picture in the making.
type drawing struct {
	canvas  *canvas
	text    *setter
	palette palette
}

func (d *drawing) page(view board.View) {
	placed := pack(view.Widgets)
	if len(placed) == 0 {
		d.cover(view)
		return
	}
	grid := plan(placed, d.header(view, margin-4, false))
	top := 0.0
	if spare := Height - foot - grid.bottom; !grid.bleeds && spare > 40 {
		top = spare * 0.42 // what does not fill the picture stands a little above its middle
		grid = plan(placed, d.header(view, margin-4, false))
		grid.top += top
	}
	d.header(view, margin-4+top, true)
	for i, w := range placed {
		if i >= maxCards {
			return
		}
		if r := grid.rect(w.at); r.y < Height {
			d.card(*w.widget, r)
		}
	}
}

// header draws title, description and the product's mark, or only measures them, and returns where they end.
func (d *drawing) header(view board.View, top float64, paint bool) float64 {
	const brand = 176.0
	title := style{weight: bold, size: 46}
	lines := d.text.wrap(titleOf(view), title, Width-2*margin-brand-32, 2)
	y := top
	for _, l := range lines {
		if paint {
			d.text.draw(l, title, d.palette.text, margin, y+43, Width-2*margin-brand-32, left)
		}
		y += 54
	}
	if about := oneLine(view.Description); about != "" {
		if paint {
			d.text.draw(about, style{size: 24}, d.palette.text2, margin, y+25, Width-2*margin, left)
		}
		y += 38
	}
	if paint {
		d.brand(Width-margin, top+29)
	}
	return y + 22
}

// cover is the picture of a dashboard without widgets.
func (d *drawing) cover(view board.View) {
	title := style{weight: bold, size: 72}
	lines := d.text.wrap(titleOf(view), title, Width-4*margin, 2)
	about := oneLine(view.Description)
	y := (Height - float64(len(lines))*84) / 2
	if about != "" {
		y -= 26
	}
	for _, l := range lines {
		d.text.draw(l, title, d.palette.text, 2*margin, y+66, Width-4*margin, left)
		y += 84
	}
	if about != "" {
		d.text.draw(about, style{size: 30}, d.palette.text2, 2*margin, y+36, Width-4*margin, left)
	}
	d.brand(Width-margin, margin+25)
}

// brand draws the product's mark and name, ending at right and centred on y.
func (d *drawing) brand(right, y float64) {
	s := style{weight: medium, size: 21}
	const name = "widgets.pro"
	x := right - d.text.width(name, s)
	d.text.draw(name, s, d.palette.text2, x, y+7.5, 200, left)
	const size = 32.0
	x -= size + 11
	d.canvas.fill(roundRect(rect{x, y - size/2, size, size}, 7), d.palette.brand)
	unit := size / 16
	for _, b := range [][3]float64{{3.5, 8.5, 4}, {6.5, 5.5, 7}, {9.5, 7.5, 5}, {12.5, 3.5, 9}} {
		bx, by := x+b[0]*unit, y-size/2+b[1]*unit
		d.canvas.stroke([]point{{bx, by}, {bx, by + b[2]*unit}}, 1.6*unit, color.NRGBA{255, 255, 255, 255})
	}
}

func titleOf(view board.View) string {
	if t := oneLine(view.Title); t != "" {
		return t
	}
	return "Untitled dashboard"
}

func oneLine(s string) string { return strings.Join(strings.Fields(clip(s, 400)), " ") }

// placed is a widget and where it is drawn.
type placed struct {
	widget *board.Widget
	at     board.Layout
}

// pack resolves overlaps as share pages do: in reading order each widget keeps its place if it is free and otherwise moves
// straight down to the first place that is.
func pack(widgets []board.Widget) []placed {
	list := make([]placed, 0, min(len(widgets), maxWidgets))
	for i := range widgets {
		list = append(list, placed{&widgets[i], within(widgets[i].Layout)})
	}
	reading := func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.at.Y, b.at.Y), cmp.Compare(a.at.X, b.at.X), cmp.Compare(a.widget.ID, b.widget.ID))
	}
	slices.SortStableFunc(list, reading)
	list = list[:min(len(list), maxWidgets)]
	for i := range list {
		for moved := true; moved; {
			moved = false
			lowest := 0
			for _, o := range list[:i] {
				if overlap(o.at, list[i].at) && (!moved || o.at.Y+o.at.H < lowest) {
					lowest, moved = o.at.Y+o.at.H, true
				}
			}
			if moved {
				list[i].at.Y = lowest
			}
		}
	}
	slices.SortStableFunc(list, reading)
	return list
}

func overlap(a, b board.Layout) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

func within(l board.Layout) board.Layout {
	w := min(max(l.W, 1), board.GridColumns)
	return board.Layout{X: min(max(l.X, 0), board.GridColumns-w), Y: min(max(l.Y, 0), board.MaxGridY), W: w, H: min(max(l.H, 1), board.MaxGridH)}
}

// grid is where cells lie in the picture.
type grid struct {
	left, top, column, row float64
	firstX, firstY         int
	bottom                 float64
	bleeds                 bool // widgets go on below the picture
}

// plan finds the size of the grid's cells: rows so high that the picture ends where rows of cards do, if that is
// possible; otherwise the last cards run out of it.
func plan(list []placed, top float64) grid {
	firstX, lastX, firstY := board.GridColumns, 0, list[0].at.Y
	bottom := 0
	for _, p := range list {
		firstX, lastX = min(firstX, p.at.X), max(lastX, p.at.X+p.at.W)
		bottom = max(bottom, p.at.Y+p.at.H)
	}
	g := grid{top: top, firstX: firstX, firstY: firstY, row: rowWanted}
	columns := float64(lastX - firstX)
	g.column = min((Width-2*margin+gridGap)/columns-gridGap, columnMost)
	g.left = margin
	room := Height - foot - top + gridGap
	height := func(rows int) float64 { return room/float64(rows) - gridGap }
	best := math.Inf(1)
	ends := 0
	for _, p := range list {
		at := p.at.Y + p.at.H
		if crossed(list, at) {
			continue
		}
		h := height(at - firstY)
		if away := math.Abs(math.Log(h / rowWanted)); h >= rowLeast && h <= rowMost && away < best {
			best, ends, g.row = away, at, h
		}
	}
	switch {
	case ends != 0:
		g.bottom = Height - foot
	case height(bottom-firstY) > rowMost:
		g.row = rowMost
		g.bottom = top + float64(bottom-firstY)*(rowMost+gridGap) - gridGap
	default:
		g.bottom, g.bleeds = Height, true
	}
	if ends != 0 && ends < bottom {
		g.bleeds = true // and what comes further down is left away by being out of the picture
	}
	return g
}

func crossed(list []placed, y int) bool {
	return slices.ContainsFunc(list, func(p placed) bool { return p.at.Y < y && p.at.Y+p.at.H > y })
}

func (g grid) rect(l board.Layout) rect {
	return rect{
		g.left + float64(l.X-g.firstX)*(g.column+gridGap),
		g.top + float64(l.Y-g.firstY)*(g.row+gridGap),
		float64(l.W)*(g.column+gridGap) - gridGap,
		float64(l.H)*(g.row+gridGap) - gridGap,
	}
}
