// Package ledger keeps account of what clients asked the desktop program for and what they were told, and holds against it
// what is there when the program has been started again, and what is on the server in the end.
//
// A change whose answer did not come is in doubt until the program has been started again: from then on it is there for good,
// or never. A change that was answered must be there always, once, and whole. Start reading at Ledger.
package ledger

import (
	"encoding/json"
	"fmt"
	"slices"

	"widgets.pro/build/crash/journal"
	"widgets.pro/shared/board"
)

// Ledger is the account of one data folder. It is not safe for concurrent use.
type Ledger struct {
	batches  []*batch
	boards   []*made              // by titles that nothing else has
	widgets  []*made              // likewise
	fields   map[field][]*attempt // in order
	breaches []journal.Breach
}

// New returns an empty Ledger.
func New() *Ledger { return &Ledger{fields: map[field][]*attempt{}} }

// Claim is what is known of one change. It begins in doubt.
type Claim struct{ state state }

// Told notes that the client was told that the change is saved.
func (c *Claim) Told() { c.state = told }

type state int

const (
	open state = iota // the answer has not come
	told              // it is saved: the client was told so, or has seen it
	void              // it was not there when the program had been started again
)

type batch struct {
	Claim
	board   board.ID
	widgets []board.WidgetID
	row     string
}

// made is a dashboard, or a widget on one.
type made struct {
	Claim
	board board.ID // of a dashboard that nobody has seen: empty
	title string
}

type field struct {
	board  board.ID
	widget board.WidgetID
	name   string
}

type attempt struct {
	Claim
	value string
}

// Batch is about to be one edit that puts a row, which is like no other, into each of some widgets: all of them, or none.
func (l *Ledger) Batch(id board.ID, widgets []board.WidgetID, row json.RawMessage) *Claim {
	b := &batch{board: id, widgets: widgets, row: string(row)}
	l.batches = append(l.batches, b)
	return &b.Claim
}

// Board is about to be a dashboard with a title that no other has.
func (l *Ledger) Board(title string) *Claim {
	m := &made{title: title}
	l.boards = append(l.boards, m)
	return &m.Claim
}

// Widget is about to be a widget with a title that no other has.
func (l *Ledger) Widget(id board.ID, title string) *Claim {
	m := &made{board: id, title: title}
	l.widgets = append(l.widgets, m)
	return &m.Claim
}

// Field is about to be the value of a widget's option, which one client alone writes, each time something else.
func (l *Ledger) Field(id board.ID, widget board.WidgetID, name string, value json.RawMessage) *Claim {
	f, a := field{id, widget, name}, &attempt{value: string(value)}
	l.fields[f] = append(l.fields[f], a)
	return &a.Claim
}

// Known are the dashboards that were seen to be there.
func (l *Ledger) Known() (ids []board.ID) {
	for _, m := range l.boards {
		if m.board != "" {
			ids = append(ids, m.board)
		}
	}
	return ids
}

// Count is how many changes were told to be saved, or seen, and how many there are in all.
func (l *Ledger) Count() (saved, all int) {
	add := func(c Claim) {
		all++
		if c.state == told {
			saved++
		}
	}
	for _, b := range l.batches {
		add(b.Claim)
	}
	for _, m := range slices.Concat(l.boards, l.widgets) {
		add(m.Claim)
	}
	for _, as := range l.fields {
		for _, a := range as {
			add(a.Claim)
		}
	}
	return saved, all
}

// Breaches are the rules that were broken, of which the first ones say what happened.
func (l *Ledger) Breaches() []journal.Breach { return l.breaches }

func (l *Ledger) broken(rule, format string, args ...any) {
	const most = 20
	if len(l.breaches) < most {
		l.breaches = append(l.breaches, journal.Breach{Rule: rule, Text: fmt.Sprintf(format, args...)})
	}
}

// List holds the titles of all dashboards that somebody has against the ledger.
func (l *Ledger) List(where string, titles map[string][]board.ID) {
	for _, m := range l.boards {
		ids := titles[m.title]
		l.settle(&m.Claim, len(ids), where, "the dashboard "+m.title)
		if m.state == told && len(ids) > 0 {
			m.board = ids[0]
		}
	}
}

// settle holds how often something is there against what is known of it, and ends the doubt.
func (l *Ledger) settle(c *Claim, have int, where, what string) {
	switch {
	case have > 1:
		l.broken("SI3", "%s: %s is there %d times", where, what, have)
	case c.state == told && have == 0:
		l.broken("SI2", "%s: %s was saved and is lost", where, what)
		c.state = void // told once
	case c.state == void && have > 0:
		l.broken("SI3", "%s: %s was not there before, and is now", where, what)
	case c.state == open && have > 0:
		c.state = told
	case c.state == open:
		c.state = void
	}
}

// Look holds the dashboards that somebody has, all that are known, against the ledger.
func (l *Ledger) Look(where string, views map[board.ID]board.View) {
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
		l.settle(&m.Claim, titles[string(m.board)+m.title], where, "the widget "+m.title)
	}
	for f, as := range l.fields {
		l.field(where, f, as, options)
	}
}

type place struct {
	widget board.WidgetID
	row    string
}

func (l *Ledger) batch(where string, b *batch, rows map[place]int) {
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
	l.settle(&b.Claim, min(there, 1), where, "the edit "+b.row)
}

// field holds a field's value against the attempts to write it: it is that of the last one that is saved.
func (l *Ledger) field(where string, f field, as []*attempt, options map[field]string) {
	value, there := options[f]
	at := slices.IndexFunc(as, func(a *attempt) bool { return there && a.value == value })
	switch {
	case there && at < 0:
		l.broken("SI3", "%s: %s holds %s, which nobody wrote", where, f.name, value)
		return
	case there && as[at].state == void:
		l.broken("SI3", "%s: %s holds %s, which was not there before", where, f.name, value)
		return
	}
	for i, a := range as {
		switch {
		case i > at && a.state == told:
			l.broken("SI2", "%s: %s was saved as %s and is %s", where, f.name, a.value, value)
		case i > at && a.state == open:
			a.state = void
		case i == at:
			a.state = told
		case a.state == open:
			a.state = void // or overwritten, which is the same from now on
		}
	}
}

// Same compares what two have of the known dashboards.
func (l *Ledger) Same(where, other string, a, b map[board.ID]board.View) {
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
