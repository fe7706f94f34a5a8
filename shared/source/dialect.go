package source

import (
	"strings"

	"widgets.pro/shared/fault"
)

const (
	dialectBytes = 64 << 10 // of the text, by which the delimiter is told
	dialectRows  = 200
	headerSample = 200 // rows by which the header is told
)

// detectDelimiter tries the usual delimiters on the beginning of the text. The right one cuts all rows into the same
// number of cells, more than one, and leaves cells that look like data.
func detectDelimiter(text string) byte {
	head := text
	if len(head) > dialectBytes {
		head = head[:dialectBytes]
		if i := strings.LastIndexAny(head, "\r\n"); i > 0 {
			head = head[:i]
		}
	}
	best, bestScore := byte(','), 0.0
	for _, d := range []byte{',', ';', '\t', '|'} {
		if score := delimiterScore(head, d); score > bestScore {
			best, bestScore = d, score
		}
	}
	return best
}

func delimiterScore(text string, delimiter byte) float64 {
	s := newScanner(text, delimiter)
	var r record
	widths := map[int]int{}
	rows, cells, typed := 0, 0, 0
	for rows < dialectRows {
		ok, f := s.next(&r)
		if f != nil {
			if f.Kind == fault.TooLarge {
				return 0
			}
			break // an open quote at the cut end
		}
		if !ok {
			break
		}
		rows++
		widths[len(r.cells)]++
		for _, c := range r.cells {
			cells++
			if looksTyped(c) {
				typed++
			}
		}
	}
	width, most := 0, 0
	for w, n := range widths {
		if n > most || n == most && w > width {
			width, most = w, n
		}
	}
	if width < 2 {
		return 0
	}
	return float64(most)/float64(rows) + float64(typed)/float64(cells)/2
}

func looksTyped(s string) bool {
	if s == "" {
		return true
	}
	if _, _, ok := decimalHint(s); ok {
		return true
	}
	_, ok := parseMoment(s)
	return ok
}

// detectHeader tells whether the first row names the columns of the rows below it.
func detectHeader(first record, rows [][]string) bool {
	if len(rows) == 0 {
		return false
	}
	named, twice := 0, false
	seen := map[string]bool{}
	for _, c := range first.cells {
		c = trimSpaces(c)
		if c == "" {
			continue
		}
		if looksTyped(c) && !isYear(c) || len(c) > 200 {
			return false
		}
		if !isYear(c) {
			named++
		}
		twice = twice || seen[c]
		seen[c] = true
	}
	if named == 0 {
		return false
	}
	// A column of data below a text, or texts below that never repeat the one on top.
	for i, c := range first.cells {
		c = trimSpaces(c)
		typed, filled, repeated := 0, 0, false
		for _, row := range rows {
			if i >= len(row) || row[i] == "" {
				continue
			}
			filled++
			if looksTyped(row[i]) {
				typed++
			}
			repeated = repeated || trimSpaces(row[i]) == c
		}
		if repeated && c != "" && !isYear(c) {
			return false
		}
		if filled > 0 && typed*10 >= filled*9 && c != "" && !isYear(c) {
			return true
		}
	}
	return !twice && (len(rows) > 1 || len(first.cells) > 1)
}

// isYear recognises 1900 to 2100, which often stand in a header.
func isYear(s string) bool {
	return len(s) == 4 && allDigits(s) && s >= "1900" && s <= "2100"
}
