package source

import (
	"encoding/json"
	"strings"
)

// value is one JSON value inside a text that is known to be valid JSON, so that walking over it needs no error paths.
// Text begins with the value's first character; what follows the value may still be attached to containers.
type value struct {
	text string
	line int // of the file, counted from 1
}

// member is one member of an object.
type member struct {
	key   string
	value value
}

// kind is the value's first character: { [ " t f n, or that of a number.
func (v value) kind() byte {
	if v.text == "" {
		return 0
	}
	return v.text[0]
}

// trim drops the white space in front.
func (v value) trim() value {
	i := 0
	for i < len(v.text) {
		switch v.text[i] {
		case '\n':
			v.line++
		case ' ', '\t', '\r':
		default:
			v.text = v.text[i:]
			return v
		}
		i++
	}
	v.text = ""
	return v
}

// iterator walks over the elements of an array, or the members of an object.
type iterator struct{ rest value }

func (v value) iterate() *iterator {
	return &iterator{rest: value{text: v.text[1:], line: v.line}}
}

// next returns the next element of an array.
func (it *iterator) next() (value, bool) {
	it.rest = it.rest.trim()
	switch it.rest.kind() {
	case ']', '}', 0:
		return value{}, false
	case ',':
		it.rest.text = it.rest.text[1:]
		it.rest = it.rest.trim()
	}
	v := it.rest
	n, lines := span(v.text)
	v.text = v.text[:n]
	it.rest.text = it.rest.text[n:]
	it.rest.line += lines
	return v, true
}

// nextMember returns the next member of an object.
func (it *iterator) nextMember() (member, bool) {
	key, ok := it.next()
	if !ok {
		return member{}, false
	}
	it.rest = it.rest.trim()
	it.rest.text = it.rest.text[1:] // the colon
	it.rest = it.rest.trim()
	v := it.rest
	n, lines := span(v.text)
	v.text = v.text[:n]
	it.rest.text = it.rest.text[n:]
	it.rest.line += lines
	return member{key: key.str(), value: v}, true
}

// elements are the first elements of an array, at most n.
func (v value) elements(n int) []value {
	var list []value
	it := v.iterate()
	for len(list) < n {
		e, ok := it.next()
		if !ok {
			break
		}
		list = append(list, e)
	}
	return list
}

// members are all members of an object.
func (v value) members() []member {
	var list []member
	it := v.iterate()
	for {
		m, ok := it.nextMember()
		if !ok {
			return list
		}
		list = append(list, m)
	}
}

// empty reports whether v is an empty object or array.
func (v value) empty() bool {
	c := value{text: v.text[1:]}.trim().kind()
	return c == '}' || c == ']'
}

// str is the text of a JSON string.
func (v value) str() string {
	if strings.IndexByte(v.text, '\\') < 0 {
		return v.text[1 : len(v.text)-1]
	}
	var s string
	if json.Unmarshal([]byte(v.text), &s) != nil {
		return "" // cannot be: the text is valid
	}
	return s
}

// cell is v as a table's cell; lists and objects stay JSON.
func (v value) cell() cell {
	switch v.kind() {
	case '"':
		return cell{text: v.str()}
	case 't', 'f':
		return cell{text: v.text, kind: cellBool}
	case 'n':
		return cell{kind: cellNull}
	case '{', '[':
		return cell{text: v.text}
	}
	return cell{text: v.text, kind: cellNumber}
}

// span is the length of the value that text begins with, and how many line ends it holds.
func span(text string) (n, lines int) {
	switch text[0] {
	case '"':
		return stringSpan(text), 0
	case '{', '[':
		depth := 0
		for i := 0; i < len(text); i++ {
			switch text[i] {
			case '"':
				i += stringSpan(text[i:]) - 1
			case '\n':
				lines++
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1, lines
				}
			}
		}
		return len(text), lines
	}
	if i := strings.IndexAny(text, ",]} \t\r\n:"); i >= 0 {
		return i, 0
	}
	return len(text), 0
}

func stringSpan(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
