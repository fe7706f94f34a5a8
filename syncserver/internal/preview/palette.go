package preview

import (
	"image/color"

	"widgets.pro/shared/board"
)

// palette holds the colours of a theme; the values are those of the front end's tokens.css.
type palette struct {
	page, card, sunken, line, soft, strong color.NRGBA
	text, text2, text3                     color.NRGBA
	accent, brand                          color.NRGBA
	ok, warn, down                         color.NRGBA
	okSoft, warnSoft, downSoft             color.NRGBA
	series                                 [maxSeries]color.NRGBA
}

// paletteOf is light unless the dashboard is dark: who looks at the picture is not known.
func paletteOf(t board.Theme) palette {
	if t == board.ThemeDark {
		return palette{
			page: rgb(0x0e1013), card: rgb(0x16181d), sunken: rgb(0x111317), line: rgb(0x272b33), soft: rgb(0x20242b), strong: rgb(0x6b7382),
			text: rgb(0xeceef2), text2: rgb(0xb4bac5), text3: rgb(0x929aa8),
			accent: rgb(0x8ba3ff), brand: rgb(0x3656d4),
			ok: rgb(0x4fce8d), warn: rgb(0xf0b44c), down: rgb(0xff8380), okSoft: rgb(0x12281d), warnSoft: rgb(0x2e2412), downSoft: rgb(0x331a1c),
			series: [maxSeries]color.NRGBA{rgb(0x7699fb), rgb(0xf39b45), rgb(0x22ead0), rgb(0xd0528a), rgb(0xf8d86a), rgb(0x7c64de), rgb(0x6fc6fb), rgb(0xa4a6aa)},
		}
	}
	return palette{
		page: rgb(0xf7f8fa), card: rgb(0xffffff), sunken: rgb(0xf1f3f6), line: rgb(0xe5e8ee), soft: rgb(0xeef0f4), strong: rgb(0x878f9d),
		text: rgb(0x151922), text2: rgb(0x464e5c), text3: rgb(0x5f6877),
		accent: rgb(0x3656d4), brand: rgb(0x3656d4),
		ok: rgb(0x0b7a45), warn: rgb(0x8f5a00), down: rgb(0xc0292f), okSoft: rgb(0xe5f5ec), warnSoft: rgb(0xfdf2dc), downSoft: rgb(0xfdebeb),
		series: [maxSeries]color.NRGBA{rgb(0x4059cc), rgb(0xc2613d), rgb(0x1f8f80), rgb(0xe550a3), rgb(0xbb8900), rgb(0x4c2d7e), rgb(0x1b9ecc), rgb(0x455561)},
	}
}

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255} //nolint:gosec // the parts of a colour
}
