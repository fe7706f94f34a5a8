package board

// BoardEntity is the entity of the dashboard's own registers; a widget's entity is its WidgetID.
const BoardEntity = "board"

// Fields of the dashboard's registers, and of a widget's. An option named o is the register OptionPrefix + o.
const (
	FieldTitle       = "title"       // string
	FieldDescription = "description" // string
	FieldTheme       = "theme"       // Theme
	FieldAlive       = "alive"       // bool; false is in the trash, or removed
	FieldKind        = "kind"        // Kind (widgets only)
	FieldLayout      = "layout"      // Layout (widgets only), one register so that it never tears
	OptionPrefix     = "opt."
)

// Option describes one option of a widget kind.
type Option struct {
	Name string
	Type OptionType
	// Choices lists the allowed values of a choice.
	Choices []string
	// Min and Max bound an int.
	Min, Max int
}

// OptionType is the JSON type of an option's value; every type also allows null, which means "automatic".
type OptionType string

// The option types. Column is a string naming a data column, Columns an array of such strings.
const (
	OptText    OptionType = "text"
	OptBool    OptionType = "bool"
	OptInt     OptionType = "int"
	OptChoice  OptionType = "choice"
	OptColumn  OptionType = "column"
	OptColumns OptionType = "columns"
)

// Options lists the options of a kind, in the order in which the settings panel shows them.
func Options(k Kind) []Option {
	unit := []Option{
		{Name: "prefix", Type: OptText},
		{Name: "unit", Type: OptText},
		{Name: "decimals", Type: OptInt, Min: 0, Max: 6},
	}
	switch k {
	case KindStat:
		return append([]Option{
			{Name: "value", Type: OptColumn},
			{Name: "aggregate", Type: OptChoice, Choices: []string{"last", "first", "sum", "mean", "min", "max", "count"}},
			{Name: "trend", Type: OptBool},
			{Name: "better", Type: OptChoice, Choices: []string{"up", "down", "neither"}},
		}, unit...)
	case KindLine:
		return append([]Option{
			{Name: "x", Type: OptColumn},
			{Name: "y", Type: OptColumns},
			{Name: "area", Type: OptBool},
			{Name: "stack", Type: OptBool},
			{Name: "zero", Type: OptBool},
			{Name: "legend", Type: OptBool},
		}, unit...)
	case KindBar:
		return append([]Option{
			{Name: "x", Type: OptColumn},
			{Name: "y", Type: OptColumns},
			{Name: "horizontal", Type: OptBool},
			{Name: "stack", Type: OptBool},
			{Name: "legend", Type: OptBool},
		}, unit...)
	case KindTable:
		return []Option{
			{Name: "columns", Type: OptColumns},
			{Name: "limit", Type: OptInt, Min: 1, Max: 1000},
			{Name: "newestFirst", Type: OptBool},
		}
	case KindMarkdown:
		return []Option{{Name: "text", Type: OptText}}
	case KindStatus:
		return []Option{
			{Name: "label", Type: OptColumn},
			{Name: "state", Type: OptColumn},
			{Name: "detail", Type: OptColumn},
		}
	}
	return nil
}
