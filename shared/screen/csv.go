package screen

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"widgets.pro/shared/board"
)

// RowsCSV is a widget's data as CSV (RFC 4180, UTF-8, with a header line). Times are written in ISO 8601. Texts that a
// spreadsheet would take for a formula get an apostrophe in front (rule B2).
func RowsCSV(x board.Widget) ([]byte, error) {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	out.UseCRLF = true
	line := make([]string, len(x.Columns))
	for i, c := range x.Columns {
		line[i] = defuse(c.Name)
	}
	if err := out.Write(line); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	for _, row := range x.Rows {
		var cells []json.RawMessage
		if err := json.Unmarshal(row, &cells); err != nil {
			return nil, fmt.Errorf("read row: %w", err)
		}
		for i, c := range x.Columns {
			line[i] = ""
			if i < len(cells) {
				line[i] = cellText(cells[i], c.Type)
			}
		}
		if err := out.Write(line); err != nil {
			return nil, fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

func cellText(cell json.RawMessage, t board.ColumnType) string {
	switch {
	case len(cell) == 0, string(cell) == "null":
		return ""
	case cell[0] == '"':
		var s string
		if err := json.Unmarshal(cell, &s); err != nil {
			return ""
		}
		return defuse(s)
	case t == board.TypeTime:
		if ms, err := strconv.ParseFloat(string(cell), 64); err == nil && ms > -maxMillis && ms < maxMillis {
			return time.UnixMilli(int64(ms)).UTC().Format(timeFormat(int64(ms)))
		}
	}
	return string(cell) // a number, true or false
}

// maxMillis keeps times within the years that ISO 8601 writes with four digits.
const maxMillis = 62_000_000_000_000

// timeFormat leaves out what is zero: a day needs no time of day, most times no milliseconds.
func timeFormat(ms int64) string {
	switch {
	case ms%86_400_000 == 0:
		return time.DateOnly
	case ms%1000 == 0:
		return "2006-01-02T15:04:05Z"
	}
	return "2006-01-02T15:04:05.000Z"
}

// defuse puts an apostrophe before a text that begins like a formula, in the ASCII or the full-width form (OWASP, "CSV
// Injection"). A text that is nothing but a number stays as it is.
func defuse(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	if s == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
		return s
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && len(s) > 1 && (s[1] == '.' || s[1] >= '0' && s[1] <= '9') {
		return s
	}
	return "'" + s
}
