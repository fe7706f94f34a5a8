package workspace

import (
	"fmt"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/replica"
)

// overtaken tells that edits came to the server after later ones, which stay (rule Q3). Whose those are is not known here.
// The caller holds w.write.
func overtaken(d *dashboard, lost []replica.Op) Event {
	type field struct{ entity, field string }
	fields := map[field]bool{}
	for i := range lost {
		fields[field{lost[i].Entity, lost[i].Field}] = true
	}
	if len(fields) == 1 {
		return inHistory(notice(NoticeInfo, d.rec.ID, fmt.Sprintf("“%s”: your change of %s reached the server after a later one, which stays.", d.rec.Title, d.subject(&lost[0])),
			"Yours is in the history."))
	}
	return inHistory(notice(NoticeInfo, d.rec.ID, fmt.Sprintf("“%s”: %d of your changes reached the server after later ones, which stay.", d.rec.Title, len(fields)),
		"Yours are in the history."))
}

// subject is what an operation is about, in words.
func (d *dashboard) subject(op *replica.Op) string {
	what := ""
	switch {
	case op.Kind == replica.OpRows:
		what = "the data"
	case op.Field == board.FieldTitle:
		what = "the title"
	case op.Field == board.FieldDescription:
		return "the description"
	case op.Field == board.FieldTheme:
		return "the theme"
	case op.Field == board.FieldLayout:
		what = "the place"
	case op.Field == board.FieldKind:
		what = "the kind"
	case strings.HasPrefix(op.Field, board.OptionPrefix):
		what = "a setting"
	}
	if op.Entity == board.BoardEntity {
		if what == "" {
			return "the dashboard"
		}
		return what
	}
	widget := "a widget"
	if t := d.titleOf(board.WidgetID(op.Entity)); t != "" {
		widget = "“" + t + "”"
	}
	if what == "" {
		return widget
	}
	return what + " of " + widget
}
