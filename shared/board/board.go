// Package board is the vocabulary of dashboards: what a dashboard and its widgets are made of, which values each field
// may hold, how large anything may be, and what of it is published.
//
// A dashboard is stored as replica registers; this package names their entities and fields (fields.go), checks values
// before they are written or accepted (validate.go), turns a replica's state into a View that screens draw (view.go),
// and reduces a View to what viewers of a share link may have (publish.go). It does no I/O.
package board

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
)

// ID names a dashboard: "dsh_" and a ULID. It is no secret.
type ID string

// WidgetID names a widget: "wgt_" and a ULID. Unique in all dashboards.
type WidgetID string

const (
	idPrefix     = "dsh_"
	widgetPrefix = "wgt_"
)

// NewID makes the id of a new dashboard from a fresh ULID.
func NewID(u ulid.ULID) ID { return ID(idPrefix + u.String()) }

// NewWidgetID makes the id of a new widget from a fresh ULID.
func NewWidgetID(u ulid.ULID) WidgetID { return WidgetID(widgetPrefix + u.String()) }

// ParseID accepts exactly the form that NewID makes.
func ParseID(s string) (ID, error) {
	if !validULID(s, idPrefix) {
		return "", fmt.Errorf("not a dashboard id: %.40q", s)
	}
	return ID(s), nil
}

// ParseWidgetID accepts exactly the form that NewWidgetID makes.
func ParseWidgetID(s string) (WidgetID, error) {
	if !validULID(s, widgetPrefix) {
		return "", fmt.Errorf("not a widget id: %.40q", s)
	}
	return WidgetID(s), nil
}

func validULID(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok || len(rest) != ulid.EncodedSize {
		return false
	}
	u, err := ulid.ParseStrict(rest)
	return err == nil && u.String() == rest
}

// Kind is a kind of widget. Kinds from a newer version are kept and shown as a placeholder.
type Kind string

// The kinds of widget this version draws.
const (
	KindStat     Kind = "stat"
	KindLine     Kind = "line"
	KindBar      Kind = "bar"
	KindTable    Kind = "table"
	KindMarkdown Kind = "markdown"
	KindStatus   Kind = "status"
)

// Kinds lists the kinds in the order in which they are offered.
func Kinds() []Kind {
	return []Kind{KindStat, KindLine, KindBar, KindTable, KindMarkdown, KindStatus}
}

// Known reports whether this version can draw k.
func (k Kind) Known() bool {
	switch k {
	case KindStat, KindLine, KindBar, KindTable, KindMarkdown, KindStatus:
		return true
	}
	return false
}

// Theme is how a dashboard is coloured.
type Theme string

// The themes. System follows the viewer's device.
const (
	ThemeSystem Theme = "system"
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Layout is a widget's place on the grid: X and W in columns (0 <= X, X+W <= GridColumns), Y and H in rows.
type Layout struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// GridColumns is the width of the grid.
const GridColumns = 12

// ColumnType is the type of a data column.
type ColumnType string

// The column types. Times are milliseconds since 1970 in UTC; the wall-clock time that the source showed is kept as UTC.
const (
	TypeNumber ColumnType = "number"
	TypeTime   ColumnType = "time"
	TypeText   ColumnType = "text"
)

// Column is one column of a widget's data.
type Column struct {
	Name string     `json:"name"`
	Type ColumnType `json:"type"`
}

// Limits of one dashboard. MaxRows is replica.MaxRows; it is a limit of the row log itself.
const (
	MaxTitle       = 200       // characters of a dashboard's or widget's title
	MaxDescription = 2_000     // characters
	MaxMarkdown    = 64 << 10  // bytes of a Markdown text
	MaxOption      = 16 << 10  // bytes of any other option's JSON
	MaxWidgets     = 200       // live widgets
	MaxColumns     = 64        // columns of a widget's data
	MaxColumnName  = 120       // characters
	MaxCell        = 4 << 10   // bytes of one text cell
	MaxRowBytes    = 64 << 10  // bytes of one row's JSON
	MaxOpBytes     = 256 << 10 // bytes of one operation's JSON; larger row changes are split
	MaxDataBytes   = 16 << 20  // bytes of all rows of a dashboard
	MaxGridY       = 10_000    // rows down the grid
	MaxGridH       = 100       // height of a widget in rows
)

// View is a dashboard as screens draw it: merged, with the live widgets in reading order (by y, then x, then id).
// It is what the desktop's bridge, the web workspace and, reduced by Publish, the share page show.
type View struct {
	ID          ID       `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Theme       Theme    `json:"theme"`
	Alive       bool     `json:"alive"`
	Widgets     []Widget `json:"widgets"`
}

// Widget is one widget in a View. Options holds the kind's options by name (see Options); Rows holds one JSON array a
// row, cells in the order of Columns: numbers, strings, booleans or null.
type Widget struct {
	ID      WidgetID                   `json:"id"`
	Kind    Kind                       `json:"kind"`
	Title   string                     `json:"title"`
	Layout  Layout                     `json:"layout"`
	Options map[string]json.RawMessage `json:"options"`
	Columns []Column                   `json:"columns"`
	Rows    []json.RawMessage          `json:"rows"`
}
