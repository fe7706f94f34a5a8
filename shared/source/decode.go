package source

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"widgets.pro/shared/fault"
)

type encoding string

const (
	utf8Text    encoding = "UTF-8"
	utf16Text   encoding = "UTF-16"
	windows1252 encoding = "Windows-1252"
)

// decode turns a file's bytes into text. A byte order mark decides; without one, UTF-16 is told by its zero bytes, UTF-8
// by being valid, and the rest is Windows-1252, of which ISO 8859-1 is in effect a part.
func decode(data []byte) (string, encoding, *fault.Error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return decodeUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return decodeUTF16(data[2:], binary.BigEndian)
	}
	if order := guessUTF16(data); order != nil {
		return decodeUTF16(data, order)
	}
	if f := checkBinary(data); f != nil {
		return "", "", f
	}
	if utf8.Valid(data) {
		return string(data), utf8Text, nil
	}
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		b.WriteRune(rune1252(c))
	}
	return b.String(), windows1252, nil
}

// checkBinary refuses what is no text: files that begin like a well-known binary format, or contain a zero byte.
func checkBinary(data []byte) *fault.Error {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return fileFault("This is a spreadsheet or an archive, not a text.").WithHint("In the spreadsheet program, save the sheet as CSV and choose that file.")
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return fileFault("This file is compressed.").WithHint("Unpack it first.")
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return fileFault("This is a PDF, not a table of text.")
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		line, column := position(string(data[:i]), i)
		return fileFault("Line %d, column %d: this file contains bytes that no text has.", line, column).
			WithHint("Choose a CSV or JSON file.")
	}
	return nil
}

// guessUTF16 tells UTF-16 without a mark by the zero bytes that it has in every other place for western text.
func guessUTF16(data []byte) binary.ByteOrder {
	head := data[:min(len(data), 1<<10)&^1]
	if len(head) < 4 {
		return nil
	}
	var even, odd int
	for i := 0; i < len(head); i += 2 {
		if head[i] == 0 {
			even++
		}
		if head[i+1] == 0 {
			odd++
		}
	}
	pairs := len(head) / 2
	switch {
	case odd*10 >= pairs*7 && even*20 <= pairs:
		return binary.LittleEndian
	case even*10 >= pairs*7 && odd*20 <= pairs:
		return binary.BigEndian
	}
	return nil
}

func decodeUTF16(data []byte, order binary.ByteOrder) (string, encoding, *fault.Error) {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	if len(data)%2 != 0 {
		return "", "", fileFault("The file is cut off: it is in UTF-16, and its last character is not complete.")
	}
	text := string(utf16.Decode(units))
	if i := strings.IndexByte(text, 0); i >= 0 {
		line, column := position(text, i)
		return "", "", fileFault("Line %d, column %d: this file contains characters that no text has.", line, column)
	}
	return text, utf16Text, nil
}

// rune1252 is the character of a Windows-1252 byte; the five unassigned ones stay control characters, as in browsers
// (WHATWG Encoding).
func rune1252(c byte) rune {
	if c < 0x80 || c >= 0xa0 {
		return rune(c)
	}
	return [...]rune{
		'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
		0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
	}[c-0x80]
}

// position is the line and column, counted from 1 in characters, of the byte at offset.
func position(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	line = 1 + strings.Count(before, "\n")
	if line == 1 && !strings.Contains(text, "\n") {
		line += strings.Count(before, "\r")
		return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\r')+1:])
	}
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}
