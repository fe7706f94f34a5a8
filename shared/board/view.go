package board

import (
	"cmp"
	"encoding/json"
	"slices"

	"widgets.pro/shared/replica"
)

// NewView draws the picture of a dashboard from its replica: titles and options as stored, live widgets in reading order.
// Registers that hold nonsense (from a broken or newer program) are read as their defaults, never as an error.
func NewView(id ID, s *replica.State) View {
	v := View{ID: id, Title: text(s, BoardEntity, FieldTitle), Description: text(s, BoardEntity, FieldDescription), Theme: ThemeSystem, Alive: true, Widgets: []Widget{}}
	if t := Theme(text(s, BoardEntity, FieldTheme)); t == ThemeLight || t == ThemeDark {
		v.Theme = t
	}
	if raw, _, ok := s.Register(BoardEntity, FieldAlive); ok && string(raw) == "false" {
		v.Alive = false
	}
	for _, e := range s.Entities() {
		if w, ok := NewWidget(s, e); ok {
			v.Widgets = append(v.Widgets, w)
		}
	}
	slices.SortFunc(v.Widgets, ByPlace)
	return v
}

// ByPlace orders widgets for reading: by y, then x, then id.
func ByPlace(a, b Widget) int {
	return cmp.Or(cmp.Compare(a.Layout.Y, b.Layout.Y), cmp.Compare(a.Layout.X, b.Layout.X), cmp.Compare(a.ID, b.ID))
}

// NewWidget reads one widget from a replica; ok is false if entity is no widget or not alive.
func NewWidget(s *replica.State, entity string) (w Widget, ok bool) {
	id, err := ParseWidgetID(entity)
	if err != nil {
		return Widget{}, false
	}
	if raw, _, found := s.Register(entity, FieldAlive); !found || string(raw) != "true" {
		return Widget{}, false
	}
	w = Widget{
		ID: id, Kind: Kind(text(s, entity, FieldKind)), Title: text(s, entity, FieldTitle), Layout: Layout{W: 4, H: 4},
		Options: map[string]json.RawMessage{}, Columns: []Column{}, Rows: []json.RawMessage{},
	}
	if raw, _, found := s.Register(entity, FieldLayout); found && checkLayout(raw) == nil {
		_ = json.Unmarshal(raw, &w.Layout)
	}
	for _, f := range s.Fields(entity) {
		if name, isOption := cutOption(f); isOption {
			if raw, _, found := s.Register(entity, f); found && string(raw) != "null" {
				w.Options[name] = raw
			}
		}
	}
	if rows := s.Rows(entity); rows != nil {
		if cols, f := ParseColumns(rows.Columns); f == nil {
			w.Columns = cols
		}
		w.Rows = slices.AppendSeq(make([]json.RawMessage, 0, rows.Len()), rows.All())
	}
	return w, true
}

func cutOption(field string) (string, bool) {
	if len(field) > len(OptionPrefix) && field[:len(OptionPrefix)] == OptionPrefix {
		return field[len(OptionPrefix):], true
	}
	return "", false
}

func text(s *replica.State, entity, field string) string {
	var t string
	if raw, _, ok := s.Register(entity, field); ok {
		_ = json.Unmarshal(raw, &t)
	}
	return t
}

// Published reports whether viewers may have a register: what the projection of Publish is made of, and whether something
// is alive. kind is that of the widget: what it held as another kind is not published. Everything that this version does not
// know stays with those who edit.
func Published(entity, field string, kind Kind) bool {
	switch field {
	case FieldTitle, FieldAlive:
		return true
	case FieldDescription, FieldTheme:
		return entity == BoardEntity
	case FieldKind, FieldLayout:
		return entity != BoardEntity
	}
	name, ok := cutOption(field)
	return ok && entity != BoardEntity && slices.ContainsFunc(Options(kind), func(o Option) bool { return o.Name == name })
}

// Publish is what of a dashboard reaches viewers of its link (rule A6): title, description, theme, and of each widget its
// place, kind, title, the options its kind knows, and the result rows. Whatever else a View or a newer version may come
// to hold stays behind, because only what is named here is taken.
func Publish(v View) View {
	p := View{ID: v.ID, Title: v.Title, Description: v.Description, Theme: v.Theme, Alive: v.Alive, Widgets: make([]Widget, 0, len(v.Widgets))}
	for _, w := range v.Widgets {
		q := Widget{ID: w.ID, Kind: w.Kind, Title: w.Title, Layout: w.Layout, Options: map[string]json.RawMessage{}, Columns: w.Columns, Rows: w.Rows}
		for _, o := range Options(w.Kind) {
			if raw, ok := w.Options[o.Name]; ok {
				q.Options[o.Name] = raw
			}
		}
		p.Widgets = append(p.Widgets, q)
	}
	return p
}
