package content

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/gate"
	"widgets.pro/syncserver/internal/store"
)

// History is a page of a dashboard's history, or of one widget's if one is named, before the place that Next of another page
// named; "" is the newest. Only who may edit is told: it holds what was taken away, and what was never published (rule A6).
// tx must be the transaction in which g was made. Faults name before or widget.
func History(tx store.Tx, g access.Grant, before, widget string) (screen.History, error) {
	var from uint64
	var err error
	if before != "" {
		if from, err = strconv.ParseUint(before, 10, 64); err != nil || from == 0 {
			return screen.History{}, fault.Field("before", "This is no place in the history of a dashboard.").WithCause(err)
		}
	}
	if widget != "" {
		if _, err := board.ParseWidgetID(widget); err != nil {
			return screen.History{}, fault.Field("widget", "This is no widget.").WithCause(err)
		}
	}
	hub, err := openPast(tx, g)
	if err != nil {
		return screen.History{}, err
	}
	past, next, err := hub.Past(from, widget, screen.PageRecords, screen.PageLook)
	if err != nil {
		return screen.History{}, fmt.Errorf("read the history of %s: %w", g.Board(), err)
	}
	n := namer{tx: tx, hub: hub, me: g.Principal().AccountID(), people: map[string]string{}, widgets: map[board.WidgetID]string{}}
	h := screen.HistoryPage(past, next, false, n.who, n.title)
	if n.err != nil {
		return screen.History{}, fmt.Errorf("name who changed %s: %w", g.Board(), n.err)
	}
	if h.Next == "" && hub.HistoryFrom() > 0 {
		h.Missing = "Older changes are not kept."
	}
	return h, nil
}

// openPast opens the replica for whoever may see what was on the dashboard before.
func openPast(tx store.Tx, g access.Grant) (*replica.Hub, error) {
	if !g.May(access.Edit) {
		return nil, fault.New(fault.Denied, "Only who may edit this dashboard sees its history.")
	}
	return Open(tx, g)
}

// namer finds out what people and widgets are called, once each.
type namer struct {
	tx      store.Tx
	hub     *replica.Hub
	me      store.AccountID
	people  map[string]string
	widgets map[board.WidgetID]string
	err     error // the first
}

func (n *namer) who(account string) (name string, mine bool) {
	mine = account != "" && account == string(n.me)
	name, known := n.people[account]
	if known || account == "" || n.err != nil {
		return name, mine
	}
	a, ok, err := n.tx.Accounts().Get(store.AccountID(account))
	if n.err = err; ok {
		name = a.Shown()
	}
	n.people[account] = name
	return name, mine
}

// title is what a widget is called, or was when it was removed.
func (n *namer) title(id board.WidgetID) (title string) {
	title, known := n.widgets[id]
	if known || n.err != nil {
		return title
	}
	raw, ok, err := n.hub.Register(string(id), board.FieldTitle)
	if n.err = err; ok {
		_ = json.Unmarshal(raw, &title) // nonsense reads as no title, as everywhere
	}
	n.widgets[id] = title
	return title
}

// At is a dashboard as it was at a place of its history, for whoever may edit it. rows is false where its rows are later
// ones, because those of then are not kept. Faults name the position: NotFound says that the history does not tell of it.
func At(tx store.Tx, g access.Grant, p screen.Position) (v board.View, rows bool, err error) {
	hub, err := openPast(tx, g)
	if err != nil {
		return v, false, err
	}
	var s *replica.State
	ok := false
	if !p.Unsent { // which a device alone knows
		if s, rows, ok, err = hub.StateAt(p.Seq, p.Lost); err != nil {
			return v, false, fmt.Errorf("read the history of %s: %w", g.Board(), err)
		}
	}
	if !ok {
		f := fault.New(fault.NotFound, "The history of this dashboard does not tell of that.")
		f.Field = "position"
		return v, false, f
	}
	return board.NewView(g.Board(), s), rows, nil
}

// Limits of how many states of the past are put together at once: each may take much memory.
const (
	maxPasts      = 2
	maxPastsWait  = 64 // that wait or are made
	maxPastsOfOne = 3  // of one account
)

// Pasts bounds the work on states of the past. It is safe for concurrent use.
type Pasts struct{ gate *gate.Gate }

// NewPasts makes a Pasts. There is one for a server.
func NewPasts() *Pasts { return &Pasts{gate.New(maxPasts, maxPastsWait)} }

// InTurn calls fn when it is the account's turn, and returns its error. The fault is Busy where too many wait.
func (p *Pasts) InTurn(ctx context.Context, account store.AccountID, fn func() error) error {
	place := p.gate.Enter(gate.Claim{Key: string(account), Most: maxPastsOfOne})
	if place == nil {
		return fault.New(fault.Busy, "Too much of the past is being looked up on this server at the moment.").WithHint("Try again in a moment.")
	}
	defer place.Leave()
	var err error
	if failed := place.Work(ctx, func() { err = fn() }); failed != nil {
		return failed //nolint:wrapcheck // whoever asked has gone
	}
	return err
}
