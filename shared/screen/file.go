package screen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
)

// fileFormat marks a dashboard's JSON file; fileVersion is the version of its layout.
const (
	fileFormat  = "widgets.pro/dashboard"
	fileVersion = 1
)

// MaxImport is the size of a file that Import takes, in bytes: room for a dashboard with all the data it may hold.
const MaxImport = 2 * board.MaxDataBytes

// file is a dashboard in a JSON file. It holds no ids: what is imported is a dashboard of its own.
type file struct {
	Format      string       `json:"format"`
	Version     int          `json:"version"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Theme       board.Theme  `json:"theme,omitempty"`
	Widgets     []fileWidget `json:"widgets"`
}

type fileWidget struct {
	Kind    board.Kind                 `json:"kind"`
	Title   string                     `json:"title"`
	Layout  board.Layout               `json:"layout"`
	Options map[string]json.RawMessage `json:"options,omitempty"`
	Columns []board.Column             `json:"columns,omitempty"`
	Rows    []json.RawMessage          `json:"rows,omitempty"`
}

// Export is the dashboard as the text of a JSON file that Import reads.
func Export(v board.View) ([]byte, error) {
	f := file{Format: fileFormat, Version: fileVersion, Title: v.Title, Description: v.Description, Theme: v.Theme, Widgets: make([]fileWidget, 0, len(v.Widgets))}
	for _, x := range v.Widgets {
		x = widened(x)
		f.Widgets = append(f.Widgets, fileWidget{Kind: x.Kind, Title: x.Title, Layout: x.Layout, Options: x.Options, Columns: x.Columns, Rows: x.Rows})
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write dashboard %s: %w", v.ID, err)
	}
	return append(text, '\n'), nil
}

// Import reads the text of a file that Export wrote. Widgets in the picture have no ids. Faults name what is wrong as in
// "widgets[2].rows[7]".
func Import(text []byte) (board.View, error) {
	if len(text) > MaxImport {
		return board.View{}, fault.Newf(fault.TooLarge, "A dashboard's file may have at most %d MB.", MaxImport>>20)
	}
	var f file
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &f); err != nil {
		return board.View{}, unreadable(err)
	}
	switch {
	case f.Format != fileFormat:
		return board.View{}, fault.Field("format", "This is JSON, but not a dashboard.").
			WithHint("To show its data, import it into a widget.")
	case f.Version > fileVersion:
		return board.View{}, fault.New(fault.Outdated, "This file was written by a newer version of widgets.pro.").WithHint("Update the program.")
	}
	v := board.View{Title: f.Title, Description: f.Description, Theme: f.Theme}
	if len(f.Widgets) > board.MaxWidgets {
		return board.View{}, fault.Field("widgets", fmt.Sprintf("A dashboard holds at most %d widgets.", board.MaxWidgets))
	}
	for i, x := range f.Widgets {
		if err := x.check(); err != nil {
			err.Field = fmt.Sprintf("widgets[%d].%s", i, err.Field)
			return board.View{}, err
		}
		v.Widgets = append(v.Widgets, board.Widget{Kind: x.Kind, Title: x.Title, Layout: x.Layout, Options: x.Options, Columns: x.Columns, Rows: x.Rows})
	}
	return v, nil
}

// check tries the widget alone, so that a fault can be told with its place in the file.
func (x fileWidget) check() *fault.Error {
	layout, err := json.Marshal(x.Layout)
	if err != nil {
		return fault.From(err)
	}
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{board.FieldKind, jsonString(string(x.Kind))}, {board.FieldTitle, jsonString(x.Title)}, {board.FieldLayout, layout}} {
		if f := board.CheckEdit(replica.Edit{Kind: replica.OpSet, Entity: anyWidget, Field: f.name, Value: f.value}); f != nil {
			return f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.Options)) {
		if f := board.CheckEdit(replica.Edit{Kind: replica.OpSet, Entity: anyWidget, Field: board.OptionPrefix + name, Value: x.Options[name]}); f != nil {
			return f
		}
	}
	if x.Columns == nil {
		x.Columns = []board.Column{}
	}
	header, err := json.Marshal(x.Columns)
	if err != nil {
		return fault.From(err)
	}
	if _, err := canonicalRows(x.Rows, header); err != nil {
		return fault.From(err)
	}
	return nil
}

// anyWidget stands for a widget that has no id yet.
const anyWidget = "wgt_00000000000000000000000000"

func unreadable(err error) *fault.Error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fault.Field(t.Field, "This must not be a "+t.Value+".").WithHint("Choose a file that widgets.pro exported.").WithCause(err)
	}
	f := fault.Field("text", "This is not valid JSON.").WithHint("Choose a file that widgets.pro exported.").WithCause(err)
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		f.Message = fmt.Sprintf("This is not valid JSON: it breaks off or goes wrong at byte %d.", s.Offset)
	}
	return f
}

// CopyTitle is the title of a copy, within the limit.
func CopyTitle(title string) string {
	const suffix = " (copy)"
	if r := []rune(title); len(r) > board.MaxTitle-utf8.RuneCountInString(suffix) {
		title = string(r[:board.MaxTitle-utf8.RuneCountInString(suffix)])
	}
	return strings.TrimSpace(title) + suffix
}

// maxName is how many characters of a dashboard's title go into the name of a file.
const maxName = 80

// FileName is the name of a file after a dashboard's title, without what file systems do not take.
func FileName(title, suffix string) string {
	name := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, title))
	clean := strings.Trim(string(name[:min(len(name), maxName)]), " .")
	if clean == "" {
		clean = "Dashboard"
	}
	return clean + suffix
}
