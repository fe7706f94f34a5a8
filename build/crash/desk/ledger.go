package desk

import (
	"encoding/json"
	"fmt"
	"slices"

	"widgets.pro/build/crash/journal"
	"widgets.pro/shared/board"
)

// ledger is what clients asked the desktop program for and what they were told. A change whose answer did not come is in
// doubt until the program has been started again: from then on it is there for good, or never.
type ledger struct {
	batches  []*batch
	boards   []*made              // by titles that nothing else has
	widgets  []*made              // likewise
	fields   map[field][]*attempt // in order: each field has one client
	breaches []journal.Breach
}

// doubt is what is known of a change.
type doubt int

const (
	open doubt = iota // the answer has not come
	told              // it is saved: the client was told so, or has seen it
	void              // it was not there when the program had been started again
)

// batch is one edit that puts a row into each of some widgets: all of them, or none.
type batch struct {
	doubt
	board   board.ID
	widgets []board.WidgetID
	row     string
}

// made is a dashboard, or a widget on one.
type made struct {
	doubt
	board board.ID // of a dashboard that is in doubt: empty
	title string
}

type field struct {
	board  board.ID
	widget board.WidgetID
	name   string
}

type attempt struct {
	doubt
	value string
}

func newLedger() *ledger { return &ledger{fields: map[field][]*attempt{}} }

// known are the dashboards that are there.
func (l *ledger) known() (ids []board.ID) {
	for _, m := range l.boards {
		if m.doubt == told {
			ids = append(ids, m.board)
		}
	}
	return ids
}

// count is how many changes were told to be saved, and how many there are in all.
func (l *ledger) count() (saved, all int) {
	add := func(d doubt) {
		all++
		if d == told {
			saved++
		}
	}
	for _, b := range l.batches {
		add(b.doubt)
	}
	for _, m := range slices.Concat(l.boards, l.widgets) {
		add(m.doubt)
	}
	for _, as := range l.fields {
		for _, a := range as {
			add(a.doubt)
		}
	}
	return saved, all
}

func (l *ledger) broken(rule, format string, args ...any) {
	const most = 20 // the first ones say what happened
	if len(l.breaches) < most {
		l.breaches = append(l.breaches, journal.Breach{Rule: rule, Text: fmt.Sprintf(format, args...)})
	}
}

// list holds the titles of all dashboards that somebody has against the ledger.
func (l *ledger) list(where string, titles map[string][]board.ID) {
	for _, m := range l.boards {
		ids := titles[m.title]
		l.settle(&m.doubt, len(ids), where, "the dashboard "+m.title)
		if m.doubt == told && len(ids) > 0 {
			m.board = ids[0]
		}
	}
}

// settle holds how often something is there against what is known of it, and ends the doubt.
func (l *ledger) settle(d *doubt, have int, where, what string) {
	switch {
	case have > 1:
		l.broken("SI3", "%s: %s is there %d times", where, what, have)
	case *d == told && have == 0:
		l.broken("SI2", "%s: %s was saved and is lost", where, what)
	case *d == void && have > 0:
		l.broken("SI3", "%s: %s was not there before, and is now", where, what)
	case *d == open && have > 0:
		*d = told
	case *d == open:
		*d = void
	}
}

// look holds the dashboards that somebody has, all that are known, against the ledger.
func (l *ledger) look(where string, views map[board.ID]board.View) {
	rows, titles := map[place]int{}, map[string]int{}
	options := map[field]string{}
	for id, v := range views {
		for _, w := range v.Widgets {
			titles[string(id)+w.Title]++
			for _, r := range w.Rows {
				rows[place{w.ID, string(r)}]++
			}
			for name, value := range w.Options {
				options[field{id, w.ID, name}] = string(value)
			}
		}
	}
	for _, b := range l.batches {
		l.batch(where, b, rows)
	}
	for _, m := range l.widgets {
		l.settle(&m.doubt, titles[string(m.board)+m.title], where, "the widget "+m.title)
	}
	for f, as := range l.fields {
		l.field(where, f, as, options)
	}
}

type place struct {
	widget board.WidgetID
	row    string
}

func (l *ledger) batch(where string, b *batch, rows map[place]int) {
	there := 0
	for _, w := range b.widgets {
		n := rows[place{w, b.row}]
		if n > 1 {
			l.broken("SI3", "%s: the row %s is there %d times", where, b.row, n)
		}
		there += min(n, 1)
	}
	if there > 0 && there < len(b.widgets) {
		l.broken("SI2", "%s: of the edit %s only %d of %d parts are there", where, b.row, there, len(b.widgets))
		return
	}
	l.settle(&b.doubt, min(there, 1), where, "the edit "+b.row)
}

// field holds a field's value against the attempts to write it: it is that of the last one that is saved.
func (l *ledger) field(where string, f field, as []*attempt, options map[field]string) {
	value, there := options[f]
	at := slices.IndexFunc(as, func(a *attempt) bool { return there && a.value == value })
	switch {
	case there && at < 0:
		l.broken("SI3", "%s: %s holds %s, which nobody wrote", where, f.name, value)
		return
	case there && as[at].doubt == void:
		l.broken("SI3", "%s: %s holds %s, which was not there before", where, f.name, value)
		return
	}
	for i, a := range as {
		switch {
		case i > at && a.doubt == told:
			l.broken("SI2", "%s: %s was saved as %s and is %s", where, f.name, a.value, value)
		case i > at && a.doubt == open:
			a.doubt = void
		case i == at:
			a.doubt = told
		case a.doubt == open:
			a.doubt = void // or overwritten, which is the same from now on
		}
	}
}

// same compares what two have of the known dashboards.
func (l *ledger) same(where, other string, a, b map[board.ID]board.View) {
	for id, v := range a {
		x, err := json.Marshal(bare(v))
		y, err2 := json.Marshal(bare(b[id]))
		if err != nil || err2 != nil || string(x) != string(y) {
			l.broken("SI1", "%s and %s differ in %s (%s): %.300s … %.300s", where, other, id, v.Title, x, y)
		}
	}
}

// bare is a view without what only screens need.
func bare(v board.View) board.View {
	v.Alive = true
	v.Widgets = slices.Clone(v.Widgets)
	slices.SortFunc(v.Widgets, board.ByPlace)
	return v
}
