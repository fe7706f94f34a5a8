package source

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNumberText bounds the text that can be a number; the longest useful ones are far shorter.
const maxNumberText = 48

// parseNumber reads a number as people write them: sign or brackets for negative ones, one currency sign or code, a
// percent sign (45 % is 45), groups of thousands, an exponent. Decimal is '.' or ','.
func parseNumber(s string, decimal byte) (float64, bool) {
	core, negative, ok := numberCore(s)
	if !ok {
		return 0, false
	}
	var buf [maxNumberText]byte
	plain, ok := normalise(core, decimal, buf[:0])
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(plain), 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	if negative && v != 0 {
		v = -v
	}
	return v, true
}

// numberCore strips what may stand around the digits: spaces, a sign, brackets, currency and percent.
func numberCore(s string) (core string, negative, ok bool) {
	if len(s) == 0 || len(s) > maxNumberText {
		return "", false, false
	}
	if c := s[0]; c >= '0' && c <= '9' { // the common case
		if last := s[len(s)-1]; last >= '0' && last <= '9' {
			return s, false, true
		}
	}
	s = trimSpaces(s)
	if inner, found := strings.CutPrefix(s, "("); found {
		if inner, found = strings.CutSuffix(inner, ")"); !found {
			return "", false, false
		}
		s, negative = trimSpaces(inner), true
	}
	signed, money := negative, false
	for s != "" {
		c, size := utf8.DecodeRuneInString(s)
		switch {
		case !signed && (c == '-' || c == '+' || c == '\u2212'):
			signed, negative = true, c != '+'
			s = trimSpaces(s[size:])
			continue
		case !money:
			if rest, found := cutCurrency(s); found {
				money = true
				s = trimSpaces(rest)
				continue
			}
		}
		break
	}
	s, ok = trimUnit(s, money)
	return s, negative, ok && s != ""
}

// trimUnit strips one percent sign, or one currency if there was none in front.
func trimUnit(s string, money bool) (string, bool) {
	if s == "" {
		return "", false
	}
	if c := s[len(s)-1]; c >= '0' && c <= '9' || c == '.' || c == ',' {
		return s, true
	}
	for _, unit := range []string{"%", "‰"} {
		if rest, found := strings.CutSuffix(s, unit); found {
			return trimSpaces(rest), true
		}
	}
	if money {
		return s, false
	}
	for _, unit := range currencies() {
		if rest, found := strings.CutSuffix(s, unit); found {
			return trimSpaces(rest), true
		}
	}
	return s, false
}

func cutCurrency(s string) (string, bool) {
	if c := s[0]; c >= '0' && c <= '9' || c == '.' || c == ',' {
		return s, false
	}
	for _, unit := range currencies() {
		if rest, found := strings.CutPrefix(s, unit); found {
			return rest, true
		}
	}
	return s, false
}

// currencies lists the signs and ISO 4217 codes that are understood, longer ones before those that they begin with.
func currencies() []string {
	return []string{
		"US$", "A$", "C$", "NZ$", "HK$", "R$", "S$", "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₫", "฿", "₴", "₪", "₦", "₱",
		"USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "AUD", "CAD",
		"NZD", "BRL", "MXN", "ZAR", "TRY", "KRW", "SGD", "HKD", "THB", "ILS", "UAH", "kr.", "kr", "zł", "Kč", "Ft", "Fr.", "Rs.", "Rs",
	}
}

// normalise writes core to dst in the form that strconv reads. It checks the grouping: one kind of separator, the last
// group three digits, the ones before it two (as in India) or three.
func normalise(core string, decimal byte, dst []byte) ([]byte, bool) {
	whole, fraction, exponent := splitNumber(core, decimal)
	if whole == "" && fraction == "" {
		return nil, false
	}
	dst, ok := appendGroups(dst, whole, decimal)
	if !ok {
		return nil, false
	}
	if fraction != "" {
		if !allDigits(fraction) {
			return nil, false
		}
		dst = append(append(dst, '.'), fraction...)
	}
	if exponent != "" {
		digits := strings.TrimLeft(exponent[:1], "+-") + exponent[1:]
		if digits == "" || !allDigits(digits) || len(digits) > 4 {
			return nil, false
		}
		dst = append(append(dst, 'e'), exponent...)
	}
	return dst, true
}

// splitNumber cuts at the decimal sign and the exponent. A missing exponent is "".
func splitNumber(s string, decimal byte) (whole, fraction, exponent string) {
	if i := strings.IndexAny(s, "eE"); i > 0 {
		s, exponent = s[:i], s[i+1:]
		if exponent == "" {
			exponent = "x" // no digits: refused by normalise
		}
	}
	if i := strings.LastIndexByte(s, decimal); i >= 0 {
		if i == len(s)-1 && i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
			return s[:i], "", exponent
		}
		if s[i+1:] == "" {
			return "", "", ""
		}
		return s[:i], s[i+1:], exponent
	}
	return s, "", exponent
}

func appendGroups(dst []byte, s string, decimal byte) ([]byte, bool) {
	group, run, groups := rune(0), 0, 0
	for i, c := range s {
		if c >= '0' && c <= '9' {
			dst = append(dst, byte(c))
			run++
			continue
		}
		if !isGroupSign(c, decimal) || group != 0 && c != group || run == 0 || run > 3 || groups > 0 && run == 1 || i == len(s)-1 {
			return nil, false
		}
		if groups == 0 && s[0] == '0' { // a leading zero is never followed by a group of thousands
			return nil, false
		}
		if c == '.' && groups > 0 && run != 3 { // 1.2.3 is a version, not a number
			return nil, false
		}
		group, run = c, 0
		groups++
	}
	return dst, groups == 0 || run == 3
}

func isGroupSign(c rune, decimal byte) bool {
	switch c {
	case '.', ',':
		return byte(c) != decimal
	case ' ', '\u00a0', '\u202f', '\u2009', '\'', '’':
		return true
	}
	return false
}

// decimalHint tells which decimal sign a text that looks like a number speaks for: '.', ',', or 0 when it reads the same
// or differently both ways; either reports the latter (1,234).
func decimalHint(s string) (sign byte, either, number bool) {
	core, _, ok := numberCore(s)
	if !ok {
		return 0, false, false
	}
	var a, b [maxNumberText]byte
	point, okPoint := normalise(core, '.', a[:0])
	comma, okComma := normalise(core, ',', b[:0])
	switch {
	case okPoint && okComma:
		return 0, string(point) != string(comma), true
	case okPoint:
		return '.', false, true
	case okComma:
		return ',', false, true
	}
	return 0, false, false
}

// isCode reports whether a text of digits is rather a code than a number: leading zeros, or more digits than a number
// keeps.
func isCode(s string) bool {
	s = trimSpaces(s)
	digits := strings.TrimLeft(s, "+-")
	if !allDigits(digits) || len(digits) < 2 {
		return false
	}
	return digits[0] == '0' || len(digits) > 15
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func trimSpaces(s string) string {
	if s == "" || s[0] > ' ' && s[0] < utf8.RuneSelf && s[len(s)-1] > ' ' && s[len(s)-1] < utf8.RuneSelf {
		return s
	}
	return strings.Trim(s, " \t\r\n\u00a0\u202f\u2009\ufeff")
}
