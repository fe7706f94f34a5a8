package preview

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// figure is how numbers are written.
type figure struct {
	decimals     int // -1 chooses by size
	compact      bool
	prefix, unit string
}

func (t table) figure() figure {
	f := figure{decimals: -1, prefix: clip(t.text("prefix"), 12), unit: clip(t.text("unit"), 24)}
	if n, ok := t.number("decimals", 0, 6); ok {
		f.decimals = n
	}
	return f
}

func (f figure) short(above float64, v float64) figure {
	f.compact = math.Abs(v) >= above
	return f
}

// write is a number in words: 1,234.5 in full and 12.3k compact, with a true minus sign.
func (f figure) write(v float64) string {
	sign, before, digits, after := f.parts(v)
	return sign + before + digits + after
}

func (f figure) parts(v float64) (sign, before, digits, after string) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "", "", "–", ""
	}
	digits = f.unsigned(math.Abs(v))
	if v < 0 && strings.ContainsAny(digits, "123456789") {
		sign = "−"
	}
	before = f.prefix
	if last, _ := utf8.DecodeLastRuneInString(before); utf8.RuneCountInString(before) > 1 && unicode.IsLetter(last) {
		before += "\u00a0"
	}
	if f.unit != "" {
		after = "\u00a0" + f.unit
		if strings.ContainsAny(f.unit[:1], "%") || (strings.HasPrefix(f.unit, "°") && f.unit != "°C" && f.unit != "°F") || strings.HasPrefix(f.unit, "‰") {
			after = f.unit
		}
	}
	return sign, before, digits, after
}

func (f figure) unsigned(v float64) string {
	switch {
	case v >= 1e15:
		return scientific(v)
	case f.compact && v >= 9_999.5:
		return compact(v)
	case f.decimals >= 0:
		return group(strconv.FormatFloat(v, 'f', f.decimals, 64))
	case v == 0:
		return "0"
	case v < 1e-6:
		return scientific(v)
	}
	decimals := 2
	switch {
	case v >= 10_000:
		decimals = 0
	case v >= 1_000:
		decimals = 1
	case v < 1:
		decimals = min(9, 2-int(math.Floor(math.Log10(v))))
	}
	return group(trim(strconv.FormatFloat(v, 'f', decimals, 64)))
}

func compact(v float64) string {
	scaled, i := v/1e3, 0
	for i < 3 && scaled >= 999.5 {
		scaled /= 1e3
		i++
	}
	decimals := 2
	if scaled >= 99.95 {
		decimals = 0
	} else if scaled >= 9.995 {
		decimals = 1
	}
	return trim(strconv.FormatFloat(scaled, 'f', decimals, 64)) + "kMBT"[i:i+1]
}

func scientific(v float64) string {
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', 2, 64), "e")
	n, _ := strconv.Atoi(exponent)
	return trim(digits) + "e" + strconv.Itoa(n)
}

func trim(digits string) string {
	if !strings.Contains(digits, ".") {
		return digits
	}
	return strings.TrimRight(strings.TrimRight(digits, "0"), ".")
}

func group(digits string) string {
	whole, rest, found := strings.Cut(digits, ".")
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if found {
		b.WriteString("." + rest)
	}
	return b.String()
}

// decimalsOf is how many digits after the point the values need, at most most.
func decimalsOf(values []float64, most int) int {
	n, power := 0, 1.0
	for _, v := range values {
		if math.IsNaN(v) || v == math.Trunc(v) {
			continue
		}
		slack := 1e-6 * max(1, math.Abs(v))
		for n < most && math.Abs(v*power-math.Round(v*power)) > slack {
			n++
			power *= 10
		}
	}
	return n
}

const (
	minute = 60_000.0
	day    = 24 * 60 * minute
)

// precision is how much of a time is written, as a layout of package time.
func precision(times []float64) string {
	out := "2 Jan 2006"
	for _, t := range times {
		switch {
		case math.IsNaN(t):
		case math.Mod(t, minute) != 0:
			return "2 Jan 2006, 15:04:05"
		case math.Mod(t, day) != 0:
			out = "2 Jan 2006, 15:04"
		}
	}
	return out
}

func writeTime(ms float64, layout string) string {
	if math.IsNaN(ms) {
		return "–"
	}
	return time.UnixMilli(int64(ms)).UTC().Format(layout)
}
