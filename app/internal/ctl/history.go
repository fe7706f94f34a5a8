package ctl

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
)

type historyCommand struct {
	List    changesCommand `cmd:"" default:"withargs" help:"Tell who changed what and when, the newest first."`
	Restore restoreCommand `cmd:"" help:"Make a dashboard, or a part of it, as it was."`
}

type changesCommand struct {
	Board  string `arg:"" help:"The dashboard."`
	Widget string `help:"Only changes of this widget; one that was removed is named by its id." placeholder:"WIDGET"`
	Limit  int    `help:"At most that many." default:"50" placeholder:"N"`
}

// maxChanges bounds what is printed at once.
const maxChanges = 100_000

// Run tells a dashboard's history.
func (c changesCommand) Run(r *run) error {
	if c.Limit < 1 || c.Limit > maxChanges {
		return usage(fmt.Sprintf("--limit is a number from 1 to %d.", maxChanges))
	}
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	query := url.Values{}
	if c.Widget != "" {
		w, err := r.anyWidget(id, c.Widget)
		if err != nil {
			return err
		}
		query.Set("widget", string(w))
	}
	all := screen.History{Changes: []screen.HistoryChange{}}
	for {
		var page screen.History
		if err := r.ask(http.MethodGet, boardPath(id, "/history?"+query.Encode()), nil, &page); err != nil {
			return err
		}
		all.Changes, all.Next, all.Missing = append(all.Changes, page.Changes...), page.Next, page.Missing
		if page.Next == "" || len(all.Changes) >= c.Limit {
			break
		}
		query.Set("before", page.Next)
	}
	all.Changes = all.Changes[:min(len(all.Changes), c.Limit)]
	if r.cli.JSON {
		return r.json(all)
	}
	lines := [][]string{{"POSITION", "WHEN", "WHO", "WHAT"}}
	for _, x := range all.Changes {
		who := x.By
		switch {
		case x.Mine:
			who = "you"
		case who == "":
			who = "-"
		}
		what := make([]string, len(x.Items))
		for i, it := range x.Items {
			what[i] = inWords(it)
		}
		if x.Lost {
			what[0] = "overtaken by a later change: " + what[0]
		}
		lines = append(lines, []string{x.Position, time.UnixMilli(x.At).Format("2006-01-02 15:04"), who, strings.Join(what, "; ")})
	}
	if err := r.table(lines); err != nil {
		return err
	}
	if all.Missing != "" {
		r.remark(all.Missing)
	}
	return nil
}

// anyWidget is the id of a widget, which may have been removed, or of the one with a title.
func (r *run) anyWidget(id board.ID, name string) (board.WidgetID, error) {
	if w, err := board.ParseWidgetID(name); err == nil {
		return w, nil
	}
	w, err := r.widget(id, name)
	return w.ID, err
}

// inWords tells one thing that was changed.
func inWords(it screen.HistoryItem) string {
	what := "the dashboard"
	if it.Widget != "" {
		if what = "a widget"; it.Title != "" {
			what = "“" + it.Title + "”"
		}
	}
	rows := strconv.Itoa(it.Rows) + " rows"
	if it.Rows == 1 {
		rows = "1 row"
	}
	switch it.What {
	case screen.ItemSet:
		s := strings.TrimPrefix(it.Field, board.OptionPrefix) + " of " + what
		var text string
		if json.Unmarshal(it.Value, &text) == nil && text != "" {
			s += ": " + text
		}
		return s
	case screen.ItemAdded:
		return "added " + what
	case screen.ItemRemoved:
		return "removed " + what
	case screen.ItemBack:
		return "brought back " + what
	case screen.ItemTrashed:
		return "moved to the trash"
	case screen.ItemUntrashed:
		return "took out of the trash"
	case screen.ItemAppended:
		return "added " + rows + " to " + what
	case screen.ItemReplaced:
		return "replaced the data of " + what + ": " + rows
	case screen.ItemTrimmed:
		return "dropped the oldest rows of " + what
	case screen.ItemBuried:
		return what + " went for good, long after it was removed"
	}
	return "changed " + what
}

type restoreCommand struct {
	Board    string `arg:"" help:"The dashboard."`
	Position string `arg:"" help:"The position of a change, as history tells it: what it was after that."`
	Widget   string `help:"Only this widget; one that was removed is named by its id. With board: title, description and theme." placeholder:"WIDGET"`
	Field    string `help:"Only this of it: title, kind, layout, rows (its data), opt.unit and the like." placeholder:"FIELD"`
}

// Run restores an earlier state.
func (c restoreCommand) Run(r *run) error {
	if c.Field != "" && c.Widget == "" {
		return usage("--field needs --widget.")
	}
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	in := map[string]string{}
	if c.Widget != "" {
		in["widget"] = c.Widget
		if c.Widget != board.BoardEntity {
			w, err := r.anyWidget(id, c.Widget)
			if err != nil {
				return err
			}
			in["widget"] = string(w)
		}
	}
	if c.Field != "" {
		in["field"] = c.Field
	}
	var out boardLine
	if err := r.ask(http.MethodPost, boardPath(id, "/history/"+url.PathEscape(c.Position)+"/restore"), in, &out); err != nil {
		return err
	}
	return r.say(out, "“%s” is as it was.", out.Title)
}
