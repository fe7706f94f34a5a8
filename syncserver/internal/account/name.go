package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"widgets.pro/shared/fault"
)

// MaxName is the length of the longest name in characters.
const MaxName = 80

// CheckName brings the name of a person into the form in which it is stored. The empty name is one. It fails with an
// Invalid fault for the field "name".
func CheckName(name string) (string, *fault.Error) {
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > MaxName {
		return "", fault.Field("name", "A name has at most 80 characters.")
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	}) {
		return "", fault.Field("name", "A name is plain text.")
	}
	return name, nil
}
