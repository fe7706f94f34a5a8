package source

import (
	"strings"
	"time"
)

// maxTimeText bounds the text that can be a point in time.
const maxTimeText = 48

// date is a date as written, before the order of day and month is known. Exact dates have year, month and day; the
// others hold the two small numbers A and B of dates such as 3/4/2026 (or 03/04/26, where Year may be any of the three).
type date struct {
	exact            bool
	year, month, day int
	a, b             int
	short            bool // two-digit year
	slash            bool // written with slashes, as in the United States
}

// moment is a point in time as written.
type moment struct {
	date  date
	clock int64 // milliseconds since midnight
	zone  string
}

// parseMoment reads a date, with a time of day or without. The zone is returned but not applied: what counts is the
// clock on the wall where the text was written.
func parseMoment(s string) (moment, bool) {
	s = trimSpaces(s)
	if len(s) < 6 || len(s) > maxTimeText {
		return moment{}, false
	}
	day, clock := cutClock(cutWeekday(s))
	m := moment{}
	if clock != "" {
		var ok bool
		if m.clock, m.zone, ok = parseClock(clock); !ok {
			return moment{}, false
		}
	}
	var ok bool
	m.date, ok = parseDate(day)
	return m, ok
}

// millis is m in milliseconds since 1970, with day and month in the given order.
func (m moment) millis(order DateOrder) (int64, bool) {
	year, month, day, ok := m.date.resolve(order)
	if !ok {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).UnixMilli() + m.clock, true
}

func (d date) resolve(order DateOrder) (year, month, day int, ok bool) {
	year, month, day = d.year, d.month, d.day
	if !d.exact {
		switch {
		case order == YearFirst && d.short:
			year, month, day = d.a, d.b, d.year
		case order == MonthFirst:
			month, day = d.a, d.b
		default:
			day, month = d.a, d.b
		}
		if d.short {
			year = fullYear(year)
		}
	}
	return year, month, day, validDate(year, month, day)
}

// fullYear gives two-digit years their century as POSIX does: 69 to 99 are in the twentieth.
func fullYear(y int) int {
	switch {
	case y >= 100:
		return y
	case y >= 69:
		return 1900 + y
	}
	return 2000 + y
}

func validDate(year, month, day int) bool {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	return day <= 28 || day <= time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// cutWeekday drops a leading "Mon, " or "Monday ".
func cutWeekday(s string) string {
	if c := s[0]; c >= '0' && c <= '9' {
		return s
	}
	word := leadingLetters(s)
	for d := time.Sunday; d <= time.Saturday; d++ {
		if len(word) >= 3 && len(word) <= len(d.String()) && strings.EqualFold(word, d.String()[:len(word)]) {
			return strings.TrimLeft(s[len(word):], ",. ")
		}
	}
	return s
}

// cutClock splits "2026-03-04T10:15:00Z" and the like between date and time of day.
func cutClock(s string) (day, clock string) {
	if len(s) == 16 && s[8] == 'T' && s[15] == 'Z' || len(s) == 15 && s[8] == 'T' { // 20260304T101500Z
		if allDigits(s[:8]) && allDigits(s[9:15]) {
			return s[:8], s[9:11] + ":" + s[11:13] + ":" + s[13:]
		}
	}
	i := strings.IndexByte(s, ':')
	if i < 0 {
		return s, ""
	}
	start := i
	for start > 0 && s[start-1] >= '0' && s[start-1] <= '9' {
		start--
	}
	if start == 0 {
		return "", s
	}
	day = strings.TrimRight(s[:start], " ,\u00a0")
	if rest, found := strings.CutSuffix(day, "T"); found {
		day = rest
	} else if rest, found := strings.CutSuffix(day, " at"); found {
		day = rest
	}
	return day, s[start:]
}

// parseClock reads H:MM, H:MM:SS, fractions, AM and PM, and a zone (Z, UTC, +02:00, CEST).
func parseClock(s string) (ms int64, zone string, ok bool) {
	hour, s, ok := leadingInt(s, 1, 2)
	if !ok || s == "" || s[0] != ':' {
		return 0, "", false
	}
	minute, s, ok := leadingInt(s[1:], 2, 2)
	if !ok {
		return 0, "", false
	}
	second, fraction := 0, int64(0)
	if strings.HasPrefix(s, ":") {
		if second, s, ok = leadingInt(s[1:], 2, 2); !ok {
			return 0, "", false
		}
		if s != "" && (s[0] == '.' || s[0] == ',') {
			digits := s[1:]
			n := 0
			for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
				if n < 3 {
					fraction = fraction*10 + int64(digits[n]-'0')
				}
				n++
			}
			for k := n; k < 3; k++ {
				fraction *= 10
			}
			if n == 0 || n > 9 {
				return 0, "", false
			}
			s = digits[n:]
		}
	}
	s = trimSpaces(s)
	if hour, s, ok = halfDay(hour, s); !ok || hour > 23 || minute > 59 || second > 60 || !validZone(s) {
		return 0, "", false
	}
	second = min(second, 59) // a leap second has no place of its own in milliseconds since 1970
	return int64(hour*3600+minute*60+second)*1000 + fraction, s, true
}

// halfDay applies AM or PM, if there is one in front of s.
func halfDay(hour int, s string) (h int, rest string, ok bool) {
	for _, half := range []string{"a.m.", "p.m.", "am", "pm"} {
		if len(s) >= len(half) && strings.EqualFold(s[:len(half)], half) {
			if hour < 1 || hour > 12 {
				return 0, "", false
			}
			hour %= 12
			if half[0] == 'p' {
				hour += 12
			}
			return hour, trimSpaces(s[len(half):]), true
		}
	}
	return hour, s, true
}

func validZone(s string) bool {
	if s == "" || s == "Z" || s == "z" {
		return true
	}
	if s[0] == '+' || s[0] == '-' {
		digits := strings.Replace(s[1:], ":", "", 1)
		return allDigits(digits) && (len(digits) == 2 || len(digits) == 4)
	}
	return len(s) <= 5 && leadingLetters(s) == s
}

// parseDate reads a date without a time of day.
func parseDate(s string) (date, bool) {
	if len(s) == 8 && allDigits(s) {
		return exactDate(atoi(s[:4]), atoi(s[4:6]), atoi(s[6:]))
	}
	if len(s) == 10 && s[4] == '-' && s[7] == '-' && allDigits(s[:4]) && allDigits(s[5:7]) && allDigits(s[8:]) {
		return exactDate(atoi(s[:4]), atoi(s[5:7]), atoi(s[8:]))
	}
	parts, sep, ok := dateParts(s)
	if !ok {
		return date{}, false
	}
	for i, p := range parts {
		if !allDigits(p) {
			return namedDate(parts, i)
		}
	}
	return numericDate(parts, sep)
}

// dateParts splits at spaces, commas, hyphens, points and slashes; sep is the first separator.
func dateParts(s string) (parts []string, sep byte, ok bool) {
	isSep := func(r rune) bool { return strings.ContainsRune(" ,-./", r) }
	if i := strings.IndexFunc(s, isSep); i >= 0 {
		sep = s[i]
	}
	parts = strings.FieldsFunc(s, isSep)
	if len(parts) < 2 || len(parts) > 3 {
		return nil, 0, false
	}
	return parts, sep, true
}

func numericDate(parts []string, sep byte) (date, bool) {
	for _, p := range parts {
		if len(p) > 4 || len(p) == 3 {
			return date{}, false
		}
	}
	if sep == ' ' || sep == ',' {
		return date{}, false
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 2 { // 2026-03, 03/2026; not 03.2026, which is a number
		switch {
		case len(first) == 4 && len(last) <= 2 && sep != '.':
			return exactDate(atoi(first), atoi(last), 1)
		case len(last) == 4 && len(first) <= 2 && sep != '.':
			return exactDate(atoi(last), atoi(first), 1)
		}
		return date{}, false
	}
	if len(parts[1]) > 2 {
		return date{}, false
	}
	switch {
	case len(first) == 4 && len(last) <= 2:
		return exactDate(atoi(first), atoi(parts[1]), atoi(last))
	case sep == '.' && len(last) == 2 && len(first)+len(parts[1]) < 4: // 1.2.10 is rather a version
		return date{}, false
	case len(first) <= 2 && (len(last) == 4 || len(last) == 2):
		d := date{a: atoi(first), b: atoi(parts[1]), year: atoi(last), short: len(last) == 2, slash: sep == '/'}
		return d, d.possible()
	}
	return date{}, false
}

// possible reports whether d is a date in at least one order.
func (d date) possible() bool {
	for _, o := range []DateOrder{DayFirst, MonthFirst, YearFirst} {
		if _, _, _, ok := d.resolve(o); ok {
			return true
		}
	}
	return false
}

// namedDate reads "3 Mar 2026", "March 3, 2026", "Mar 2026", "2026 Mar 3" and "Q1 2026"; parts[i] is the first that is no
// number.
func namedDate(parts []string, i int) (date, bool) {
	if quarter := parts[i]; len(parts) == 2 && len(quarter) == 2 && (quarter[0] == 'Q' || quarter[0] == 'q') && quarter[1] >= '1' && quarter[1] <= '4' {
		year := parts[1-i]
		if len(year) != 4 || !allDigits(year) {
			return date{}, false
		}
		return exactDate(atoi(year), 3*int(quarter[1]-'1')+1, 1)
	}
	month := monthOf(parts[i])
	if month == 0 {
		return date{}, false
	}
	numbers := make([]string, 0, 2)
	for k, p := range parts {
		if k == i {
			continue
		}
		p = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(p, "st"), "nd"), "rd"), "th")
		if !allDigits(p) || len(p) > 4 || len(p) == 3 {
			return date{}, false
		}
		numbers = append(numbers, p)
	}
	if len(numbers) == 1 {
		if len(numbers[0]) != 4 {
			return date{}, false
		}
		return exactDate(atoi(numbers[0]), month, 1)
	}
	day, year := numbers[0], numbers[1]
	if len(day) == 4 {
		day, year = year, day
	}
	if len(day) > 2 || len(year) == 1 {
		return date{}, false
	}
	return exactDate(fullYear(atoi(year)), month, atoi(day))
}

func monthOf(s string) int {
	if strings.EqualFold(s, "sept") {
		return 9
	}
	for m := time.January; m <= time.December; m++ {
		if name := m.String(); strings.EqualFold(s, name) || strings.EqualFold(s, name[:3]) {
			return int(m)
		}
	}
	return 0
}

func exactDate(year, month, day int) (date, bool) {
	return date{exact: true, year: year, month: month, day: day}, validDate(year, month, day)
}

func leadingInt(s string, least, most int) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < most && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= least
}

func leadingLetters(s string) string {
	i := 0
	for i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z') {
		i++
	}
	return s[:i]
}

// atoi reads digits that allDigits has seen, at most four of them.
func atoi(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
