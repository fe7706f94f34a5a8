package preview

import (
	"image"
	"image/color"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	notojp "eliasnaur.com/font/noto/sans/jp/regular"
	"eliasnaur.com/font/roboto/robotobold"
	"eliasnaur.com/font/roboto/robotomedium"
	"eliasnaur.com/font/roboto/robotoregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// weight is an index into fonts.faces.
type weight int

const (
	regular weight = iota
	medium
	bold
)

type style struct {
	weight weight
	size   float64 // pixels
}

type align int

const (
	left align = iota
	right
	center
)

// fonts are Roboto, which has Latin, Greek and Cyrillic letters, in three weights; DejaVu Sans for further alphabets and
// signs; Noto Sans JP for Chinese characters and kana.
type fonts struct{ all []*sfnt.Font }

const firstFallback = int(bold) + 1

func loadFonts() (*fonts, error) {
	f := &fonts{}
	for _, data := range [][]byte{robotoregular.TTF, robotomedium.TTF, robotobold.TTF, dejavusans.TTF, notojp.TTF} {
		parsed, err := sfnt.Parse(data)
		if err != nil {
			return nil, err //nolint:wrapcheck // wrapped by New
		}
		f.all = append(f.all, parsed)
	}
	return f, nil
}

// setter sets text on a canvas. It is for one goroutine.
type setter struct {
	fonts  *fonts
	canvas *canvas
	faces  map[faceKey]font.Face
	buf    sfnt.Buffer
}

type faceKey struct {
	font int
	size float64
}

func (f *fonts) setter(c *canvas) *setter {
	return &setter{fonts: f, canvas: c, faces: map[faceKey]font.Face{}}
}

// run is a piece of text in one font.
type run struct {
	font int
	text string
}

// settable reports whether letters of r's script can be set by putting them one beside the other. What needs joined
// letters or moving signs would come out wrong.
func settable(r rune) bool {
	return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Georgian, unicode.Hebrew, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Common)
}

// runs splits text by the fonts that have its characters, in the order in which it is written from left to right. What no
// font has is left away; ok is false if that is a good part of the letters, so that what is left makes no sense.
func (t *setter) runs(text string, w weight) (out []run, ok bool) {
	letters, lost := 0, 0
	for _, r := range order(norm.NFC.String(text)) {
		if unicode.IsLetter(r) {
			letters++
		}
		at := t.fontOf(r, w)
		if at < 0 {
			if unicode.IsLetter(r) {
				lost++
			}
			continue
		}
		if n := len(out); n > 0 && (out[n-1].font == at || r == ' ') {
			out[n-1].text += string(r)
		} else {
			out = append(out, run{at, string(r)})
		}
	}
	return out, lost*4 <= letters
}

// fontOf is the font that has r, or -1.
func (t *setter) fontOf(r rune, w weight) int {
	if !settable(r) || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) || r == utf8.RuneError {
		return -1
	}
	for i := range 1 + len(t.fonts.all) - firstFallback {
		at := int(w)
		if i > 0 {
			at = firstFallback + i - 1
		}
		if g, err := t.fonts.all[at].GlyphIndex(&t.buf, r); err == nil && g != 0 {
			return at
		}
	}
	return -1
}

// order puts text that has letters written from right to left into the order in which it stands from left to right.
func order(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Hebrew, r) }) {
		return text
	}
	var p bidi.Paragraph
	if _, err := p.SetString(text); err != nil {
		return text
	}
	o, err := p.Order()
	if err != nil {
		return text
	}
	var b strings.Builder
	for i := range o.NumRuns() {
		r := o.Run(i)
		if r.Direction() == bidi.RightToLeft {
			b.WriteString(bidi.ReverseString(r.String()))
		} else {
			b.WriteString(r.String())
		}
	}
	return b.String()
}

func (t *setter) face(at int, size float64) font.Face {
	k := faceKey{at, size}
	if f := t.faces[k]; f != nil {
		return f
	}
	f, err := opentype.NewFace(t.fonts.all[at], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil // cannot happen: NewFace fails for no size
	}
	t.faces[k] = f
	return f
}

// width is how wide text is, in pixels.
func (t *setter) width(text string, s style) float64 {
	runs, ok := t.runs(text, s.weight)
	if !ok {
		return t.barWidth(text, s)
	}
	return t.measure(runs, s)
}

func (t *setter) measure(runs []run, s style) float64 {
	var w fixed.Int26_6
	for _, r := range runs {
		w += font.MeasureString(t.face(r.font, s.size), r.text)
	}
	return float64(w) / 64
}

// barWidth is how wide the bar is that stands for text which cannot be set.
func (t *setter) barWidth(text string, s style) float64 {
	return min(40, float64(utf8.RuneCountInString(text))) * s.size * 0.5
}

// draw sets text on the base line y, cut with an ellipsis to the width room: from x on, up to x, or around x. Text in a
// script that cannot be set is drawn as a bar of about its length.
func (t *setter) draw(text string, s style, col color.NRGBA, x, y, room float64, a align) {
	if room <= 0 || text == "" {
		return
	}
	runs, ok := t.runs(text, s.weight)
	var w float64
	if ok {
		runs, w = t.fit(text, runs, s, room)
	} else {
		w = min(room, t.barWidth(text, s))
	}
	switch a {
	case right:
		x -= w
	case center:
		x -= w / 2
	case left:
	}
	if !ok {
		col.A = 70
		t.canvas.fill(roundRect(rect{x, y - s.size*0.66, w, s.size * 0.6}, s.size*0.2), col)
		return
	}
	dst, is := t.canvas.img.SubImage(t.canvas.clip).(*image.RGBA)
	if !is || t.canvas.clip.Empty() {
		return
	}
	d := font.Drawer{Dst: dst, Src: image.NewUniform(col), Dot: fixed.Point26_6{X: fixed.Int26_6(math.Round(bound(x) * 64)), Y: fixed.Int26_6(math.Round(bound(y) * 64))}}
	for _, r := range runs {
		d.Face = t.face(r.font, s.size)
		d.DrawString(r.text)
	}
}

const ellipsis = "…"

// fit cuts text to a width.
func (t *setter) fit(text string, runs []run, s style, room float64) ([]run, float64) {
	w := t.measure(runs, s)
	if w <= room {
		return runs, w
	}
	all := []rune(text)
	lo, hi := 0, len(all) // the first lo characters fit, the first hi do not
	best, bestW := []run(nil), 0.0
	for lo < hi {
		mid := (lo + hi) / 2
		cut, _ := t.runs(strings.TrimRight(string(all[:mid]), " ,.;:-–")+ellipsis, s.weight)
		if w := t.measure(cut, s); w <= room {
			lo, best, bestW = mid+1, cut, w
		} else {
			hi = mid
		}
	}
	return best, bestW
}

// wrap breaks text into at most the given number of lines. The last one may be too long; draw cuts it.
func (t *setter) wrap(text string, s style, room float64, lines int) []string {
	if _, ok := t.runs(text, s.weight); !ok {
		return []string{text}
	}
	var out []string
	line := ""
	parts := breakable(text)
	for i, part := range parts {
		if line == "" || t.width(strings.TrimRight(line+part, " "), s) <= room {
			line += part
			continue
		}
		if len(out) == lines-1 {
			return append(out, line+strings.Join(parts[i:], ""))
		}
		out = append(out, strings.TrimRight(line, " "))
		line = part
	}
	return append(out, strings.TrimRight(line, " "))
}

// breakable splits text behind spaces and beside characters that stand for words.
func breakable(text string) []string {
	var out []string
	from := 0
	for i, r := range text {
		next := i + utf8.RuneLen(r)
		if r == ' ' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			out = append(out, text[from:next])
			from = next
		}
	}
	if from < len(text) {
		out = append(out, text[from:])
	}
	return out
}

// clip is at most the first n characters of s, without what has no place in a line.
func clip(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		if n == 0 {
			break
		}
		n--
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.Is(unicode.C, r) || r == utf8.RuneError:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
