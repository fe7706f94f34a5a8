package board

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

// CheckOp checks one operation against the vocabulary: sizes always, meaning where this version knows the field. Fields,
// options, widget kinds and operation kinds from a newer version pass if they are small enough (they are kept, not drawn).
func CheckOp(op *replica.Op) *fault.Error {
	return checkEdit(op.Kind, op.Entity, op.Field, op.Value, op.Rows)
}

// CheckEdit is CheckOp for an edit that is not stamped yet, and strict: a widget kind that this version does not know is
// refused, since nothing here can have made it.
func CheckEdit(e replica.Edit) *fault.Error {
	if f := checkEdit(e.Kind, e.Entity, e.Field, e.Value, e.Rows); f != nil {
		return f
	}
	if e.Kind == replica.OpSet && e.Field == FieldKind {
		var k Kind
		if json.Unmarshal(e.Value, &k) != nil || !k.Known() {
			return fault.Field(FieldKind, "There is no such kind of widget: "+quote(string(e.Value))+".").
				WithHint("Choose one of stat, line, bar, table, markdown or status.")
		}
	}
	return nil
}

func checkEdit(kind replica.Kind, entity, field string, value json.RawMessage, rows *replica.RowChange) *fault.Error {
	if entity != BoardEntity {
		if _, err := ParseWidgetID(entity); err != nil {
			return fault.Field("entity", "An edit must name a widget or the dashboard.")
		}
	}
	switch kind {
	case replica.OpSet:
		if rows != nil {
			return fault.Field("rows", "An edit changes a field or rows, not both.")
		}
		if entity == BoardEntity {
			return checkBoardField(field, value)
		}
		return checkWidgetField(field, value)
	case replica.OpRows:
		if entity == BoardEntity {
			return fault.Field("entity", "Only widgets hold rows.")
		}
		if rows == nil || field != "" || value != nil {
			return fault.Field("rows", "A change of rows must say what changes.")
		}
		return CheckRows(rows)
	case replica.OpBury: // the server alone makes it
	}
	if len(kind) == 0 || len(kind) > maxName || len(field) > maxName || len(value) > MaxOption || rows != nil {
		return fault.Field("kind", "This kind of edit is not known to this version.")
	}
	return nil
}

const maxName = 64 // bytes of a field's, option's or kind's name

func checkBoardField(field string, value json.RawMessage) *fault.Error {
	switch field {
	case FieldTitle:
		return checkLine(field, "The title", value, MaxTitle)
	case FieldDescription:
		return checkText(field, "The description", value, MaxDescription)
	case FieldTheme:
		return checkChoice(field, value, string(ThemeSystem), string(ThemeLight), string(ThemeDark))
	case FieldAlive:
		return checkBool(field, value)
	}
	return checkUnknown(field, value)
}

func checkWidgetField(field string, value json.RawMessage) *fault.Error {
	switch field {
	case FieldTitle:
		return checkLine(field, "The title", value, MaxTitle)
	case FieldAlive:
		return checkBool(field, value)
	case FieldKind:
		return checkName(field, value)
	case FieldLayout:
		return checkLayout(value)
	}
	if name, ok := strings.CutPrefix(field, OptionPrefix); ok {
		return checkOption(name, value)
	}
	return checkUnknown(field, value)
}

func checkUnknown(field string, value json.RawMessage) *fault.Error {
	if field == "" || len(field) > maxName {
		return fault.Field("field", "An edit must name a field.")
	}
	if len(value) > MaxOption {
		return tooLarge(field, "This value", MaxOption)
	}
	if !json.Valid(value) {
		return fault.Field(field, "This value is not JSON.")
	}
	return nil
}

// checkOption knows an option by its name alone, since the kind is another register and may change on its own: where
// several kinds share a name they share its type.
func checkOption(name string, value json.RawMessage) *fault.Error {
	field := OptionPrefix + name
	if name == "" || len(field) > maxName {
		return fault.Field("field", "An option needs a short name.")
	}
	if string(value) == "null" {
		return nil
	}
	if name == "text" {
		return checkText(field, "The text", value, MaxMarkdown)
	}
	if len(value) > MaxOption {
		return tooLarge(field, "This setting", MaxOption)
	}
	for _, k := range Kinds() {
		for _, o := range Options(k) {
			if o.Name == name {
				return checkTyped(field, o, value)
			}
		}
	}
	return checkUnknown(field, value)
}

func checkTyped(field string, o Option, value json.RawMessage) *fault.Error {
	switch o.Type {
	case OptText:
		return checkLine(field, "This text", value, MaxTitle)
	case OptBool:
		return checkBool(field, value)
	case OptInt:
		var n int
		if json.Unmarshal(value, &n) != nil || n < o.Min || n > o.Max {
			return fault.Field(field, fmt.Sprintf("This must be a whole number from %d to %d.", o.Min, o.Max))
		}
	case OptChoice:
		return checkChoice(field, value, o.Choices...)
	case OptColumn:
		return checkLine(field, "A column's name", value, MaxColumnName)
	case OptColumns:
		var names []string
		if json.Unmarshal(value, &names) != nil || len(names) > MaxColumns {
			return fault.Field(field, "This must be a list of column names.")
		}
		for _, n := range names {
			if utf8.RuneCountInString(n) > MaxColumnName {
				return tooLarge(field, "A column's name", MaxColumnName)
			}
		}
	}
	return nil
}

func checkLayout(value json.RawMessage) *fault.Error {
	var l struct{ X, Y, W, H *int }
	if len(value) > MaxOption || json.Unmarshal(value, &l) != nil || l.X == nil || l.Y == nil || l.W == nil || l.H == nil {
		return fault.Field(FieldLayout, "A place on the grid needs whole numbers x, y, w and h.")
	}
	return Layout{X: *l.X, Y: *l.Y, W: *l.W, H: *l.H}.Check()
}

// Check reports a fault if l does not lie on the grid.
func (l Layout) Check() *fault.Error {
	if l.X < 0 || l.W < 1 || l.W > GridColumns || l.X > GridColumns-l.W {
		return fault.Field(FieldLayout, "The widget would stick out of the grid's twelve columns.")
	}
	if l.Y < 0 || l.Y > MaxGridY || l.H < 1 || l.H > MaxGridH {
		return fault.Field(FieldLayout, "The widget would be too tall or too far down.")
	}
	return nil
}

func checkString(field, what string, value json.RawMessage, maxBytes int) (string, *fault.Error) {
	if len(value) > 6*maxBytes+2 {
		return "", tooLarge(field, what, maxBytes)
	}
	var s string
	if !bytes.HasPrefix(value, []byte{'"'}) || json.Unmarshal(value, &s) != nil {
		return "", fault.Field(field, what+" must be text.")
	}
	return s, nil
}

// checkLine checks a text of one line: at most limit characters, none of them a control character.
func checkLine(field, what string, value json.RawMessage, limit int) *fault.Error {
	s, f := checkString(field, what, value, limit*utf8.UTFMax)
	if f != nil {
		return f
	}
	if utf8.RuneCountInString(s) > limit {
		return tooLarge(field, what, limit)
	}
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) >= 0 {
		return fault.Field(field, what+" contains characters that cannot be shown on one line.")
	}
	return nil
}

// checkText checks a text of many lines, at most limit bytes.
func checkText(field, what string, value json.RawMessage, limit int) *fault.Error {
	s, f := checkString(field, what, value, limit)
	if f != nil {
		return f
	}
	if len(s) > limit {
		return tooLarge(field, what, limit)
	}
	if strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r) }) >= 0 {
		return fault.Field(field, what+" contains characters that cannot be shown.")
	}
	return nil
}

func checkBool(field string, value json.RawMessage) *fault.Error {
	if s := string(value); s != "true" && s != "false" {
		return fault.Field(field, "This must be yes or no.")
	}
	return nil
}

func checkChoice(field string, value json.RawMessage, choices ...string) *fault.Error {
	var s string
	if len(value) > MaxOption || json.Unmarshal(value, &s) != nil || !slices.Contains(choices, s) {
		return fault.Field(field, "This must be one of "+strings.Join(choices, ", ")+".")
	}
	return nil
}

func checkName(field string, value json.RawMessage) *fault.Error {
	var s string
	if len(value) > maxName || json.Unmarshal(value, &s) != nil || s == "" ||
		strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) >= 0 {
		return fault.Field(field, "A kind's name is made of small letters, digits and hyphens.")
	}
	return nil
}

// CheckRows checks a change of rows: header, number and size of rows and cells.
func CheckRows(c *replica.RowChange) *fault.Error {
	width := MaxColumns
	if c.Replace {
		cols, f := ParseColumns(c.Columns)
		if f != nil {
			return f
		}
		width = len(cols)
	} else if c.Columns != nil {
		return fault.Field("columns", "Only a replacement brings new columns.")
	}
	if len(c.Rows) > replica.MaxRows {
		return fault.Field("rows", fmt.Sprintf("A widget holds at most %d rows.", replica.MaxRows))
	}
	size := len(c.Columns)
	for i, r := range c.Rows {
		if size += len(r); size > MaxOpBytes {
			return tooLarge("rows", "One change of rows", MaxOpBytes)
		}
		if f := checkRow(r, width); f != nil {
			f.Field = fmt.Sprintf("rows[%d]", i)
			return f
		}
	}
	return nil
}

// ParseColumns reads a row log's header, an array of Column. Names may repeat; an empty array is an empty table.
func ParseColumns(value json.RawMessage) ([]Column, *fault.Error) {
	var cols []Column
	if len(value) > MaxColumns*(MaxColumnName*6+64) || json.Unmarshal(value, &cols) != nil || cols == nil {
		return nil, fault.Field("columns", "The columns must be a list of names and types.")
	}
	if len(cols) > MaxColumns {
		return nil, fault.Field("columns", fmt.Sprintf("A widget holds at most %d columns.", MaxColumns))
	}
	for i, c := range cols {
		if utf8.RuneCountInString(c.Name) > MaxColumnName || strings.IndexFunc(c.Name, unicode.IsControl) >= 0 {
			return nil, fault.Field(fmt.Sprintf("columns[%d]", i), fmt.Sprintf("A column's name has at most %d characters, on one line.", MaxColumnName))
		}
		switch c.Type {
		case TypeNumber, TypeTime, TypeText:
		default:
			return nil, fault.Field(fmt.Sprintf("columns[%d]", i), "A column's type is number, time or text.")
		}
	}
	return cols, nil
}

func checkRow(row json.RawMessage, width int) *fault.Error {
	if len(row) > MaxRowBytes {
		return tooLarge("", "A row", MaxRowBytes)
	}
	var cells []json.RawMessage
	if json.Unmarshal(row, &cells) != nil || cells == nil {
		return fault.Field("", "A row must be a list of cells.")
	}
	if len(cells) > width {
		return fault.Field("", "A row has more cells than there are columns.")
	}
	for _, c := range cells {
		switch {
		case len(c) > MaxCell*6+2:
			return tooLarge("", "A cell", MaxCell)
		case c[0] == '{' || c[0] == '[':
			return fault.Field("", "A cell is a number, a text, yes, no or empty.")
		case c[0] == '"' && len(c) > MaxCell:
			var s string
			if json.Unmarshal(c, &s) != nil || len(s) > MaxCell {
				return tooLarge("", "A cell", MaxCell)
			}
		case c[0] != '"' && len(c) > maxNumber:
			return fault.Field("", "A number is too long.")
		}
	}
	return nil
}

const maxNumber = 32 // bytes of a number's JSON; the shortest form of any float64 has at most 24

func tooLarge(field, what string, limit int) *fault.Error {
	f := fault.Newf(fault.TooLarge, "%s is too long: the limit is %s.", what, size(limit))
	f.Field = field
	return f
}

func size(n int) string {
	if n >= 1<<10 && n%(1<<10) == 0 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d characters", n)
}

func quote(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
