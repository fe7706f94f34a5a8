package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/screen"
)

// Archive asks a server what was on a dashboard before. Token is the account's session. Errors are faults: Unavailable where
// the server cannot be reached, and the server's own.
type Archive interface {
	// History is a page before a place that Next of another one named, "" for the newest; of one widget if one is named.
	History(ctx context.Context, server, token string, id board.ID, before, widget string) (History, error)
	// Then is the dashboard as it was at a position.
	Then(ctx context.Context, server, token string, id board.ID, position string) (Then, error)
}

// History is a page of a dashboard's history, or of one widget's if one is named, before the place that Next of another page
// named. It begins with what waits on this device; what is older the server tells, if there is a connection, and otherwise
// Missing says so. Faults name before or widget.
func (w *Workspace) History(ctx context.Context, id board.ID, before, widget string) (History, error) {
	var from screen.Position
	if before != "" {
		var err error
		if from, err = screen.ParsePosition(before); err != nil || from.Lost > 0 {
			return History{}, fault.Field("before", "This is no place in the history of a dashboard.").WithCause(err)
		}
	}
	if widget != "" {
		if _, err := board.ParseWidgetID(widget); err != nil {
			return History{}, fault.Field("widget", "This is no widget.").WithCause(err)
		}
	}
	h := History{Changes: []HistoryChange{}}
	var home source
	var err error
	if before == "" || from.Unsent {
		h, home, err = w.unsent(id, from.Seq, widget)
		before = ""
	} else {
		home, err = w.source(id)
	}
	if err != nil || h.Next != "" {
		return h, err
	}
	if h.Missing = home.missing; home.server == "" {
		return h, nil
	}
	older, err := home.history(ctx, w, id, before, widget)
	switch {
	case err == nil:
		older.Changes = append(h.Changes, older.Changes...)
		return older, nil
	case before != "" || ctx.Err() != nil:
		return History{}, err
	case fault.KindOf(err) == fault.Unavailable:
		h.Missing = home.unreachable()
	default:
		h.Missing = sentence(fault.From(err))
	}
	return h, nil
}

// source is where the history of a dashboard is told that does not wait on this device. Where server is "", nobody tells it
// now, and missing says why if there is any.
type source struct {
	server, key, missing string
}

func (s source) unreachable() string {
	return "Older changes are told when there is a connection to " + host(s.server) + "."
}

func (s source) token(w *Workspace) (string, error) {
	token, err := w.deps.Credentials.Load(s.key)
	if err != nil || token == "" {
		return "", fault.Newf(fault.Unauthenticated, "Your session at %s has ended.", host(s.server)).WithHint("Sign in again.").WithCause(err)
	}
	return token, nil
}

func (s source) history(ctx context.Context, w *Workspace, id board.ID, before, widget string) (History, error) {
	token, err := s.token(w)
	if err != nil {
		return History{}, err
	}
	h, err := w.deps.Archive.History(ctx, s.server, token, id, before, widget)
	if err != nil {
		return h, fmt.Errorf("ask for the history of %s: %w", id, err)
	}
	return h, nil
}

// source says who tells the history of a dashboard, if its user may see it at all.
func (w *Workspace) source(id board.ID) (source, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	d := w.boards[id]
	if d == nil {
		return source{}, notFound()
	}
	return w.sourceOf(d)
}

// sourceOf is source for a holder of w.mu.
func (w *Workspace) sourceOf(d *dashboard) (source, error) {
	if err := d.mayEdit(); err != nil {
		return source{}, err
	}
	if d.rec.Home == "" || !d.rec.Known {
		return source{}, nil
	}
	server, _, _ := strings.Cut(d.rec.Home, " ")
	s := source{server: server, key: d.rec.Home}
	switch {
	case w.account == nil || w.account.Key() != d.rec.Home:
		return source{missing: "Older changes are told when you are signed in to " + host(server) + "."}, nil
	case w.link.State != StateSynced && w.link.State != StateSyncing:
		return source{missing: s.unreachable()}, nil
	}
	return s, nil
}

// unsent is the part of the history that waits on this device, before an operation's number, 0 for all of it; and who
// tells what is older.
func (w *Workspace) unsent(id board.ID, before uint64, widget string) (h History, older source, err error) {
	w.write.Lock()
	defer w.write.Unlock()
	d, err := w.open(id)
	if err != nil {
		return h, older, err
	}
	w.mu.RLock()
	older, err = w.sourceOf(d)
	me := w.userName()
	w.mu.RUnlock()
	if err != nil {
		return h, older, err
	}
	var past []replica.Past
	var next uint64
	err = w.viewClient(id, func(c *replica.Client) (err error) {
		past, next, err = c.Unsent(before, widget, screen.PageRecords)
		if s := c.Status(); s.Epoch == 0 && s.Acked > 0 {
			older.missing = "Older changes are not kept."
		}
		return err
	})
	if err != nil {
		return h, older, err
	}
	who := func(string) (string, bool) { return me, true }
	return screen.HistoryPage(past, next, true, who, d.titleOf), older, nil
}

// titleOf is what a widget is called, or was when it was removed. The caller holds w.write and has opened the dashboard.
func (d *dashboard) titleOf(id board.WidgetID) (title string) {
	raw, _, _ := d.state.Register(string(id), board.FieldTitle)
	_ = json.Unmarshal(raw, &title) // nonsense reads as no title, as everywhere
	return title
}

// Then is a dashboard as it was at a position of its history. Faults name the position: NotFound says that nothing is known
// of it any more.
func (w *Workspace) Then(ctx context.Context, id board.ID, position string) (Then, error) {
	p, err := screen.ParsePosition(position)
	if err != nil {
		return Then{}, err //nolint:wrapcheck // a fault of what is asked for
	}
	from, err := w.source(id)
	switch {
	case err != nil:
		return Then{}, err
	case p.Unsent:
		return w.thenHere(id, position, p.Seq)
	case from.missing != "":
		return Then{}, fault.New(fault.Unavailable, "What the dashboard was then is known to its server alone.").WithHint(from.missing)
	case from.server == "":
		return Then{}, unknownPosition("The history of this dashboard does not tell of that.")
	}
	token, err := from.token(w)
	if err != nil {
		return Then{}, err
	}
	then, err := w.deps.Archive.Then(ctx, from.server, token, id, position)
	if err != nil {
		return Then{}, fmt.Errorf("ask what %s was: %w", id, err)
	}
	return then, nil
}

func (w *Workspace) thenHere(id board.ID, position string, n uint64) (Then, error) {
	var s *replica.State
	ok := false
	if err := w.viewClient(id, func(c *replica.Client) (err error) {
		s, ok, err = c.ViewAt(n)
		return err
	}); err != nil {
		return Then{}, err
	}
	if !ok {
		return Then{}, unknownPosition("This change does not wait on this device any more.")
	}
	return screen.NewThen(position, board.NewView(id, s), true), nil
}

func unknownPosition(message string) error {
	f := fault.New(fault.NotFound, message).WithHint("Look at the history again.")
	f.Field = "position"
	return f
}

// RestoreTo makes a dashboard as it was at a position of its history, or a widget, or with board.BoardEntity as widget its
// head, or one field of those. It is an edit like others: Undo takes it back. The fault is Conflict where it is like that
// already; others name position, widget or field.
func (w *Workspace) RestoreTo(ctx context.Context, id board.ID, position, widget, field string) (Edited, error) {
	entity, err := screen.ParseTarget(widget, field)
	if err != nil {
		return Edited{}, err //nolint:wrapcheck // a fault of what is asked for
	}
	then, err := w.Then(ctx, id, position)
	if err != nil {
		return Edited{}, err
	}
	view := then.View(id)
	return w.apply(id, screen.RestoreLabel(view, entity), func(d *dashboard) (screen.Planned, error) {
		return screen.Restore(d.state, id, view, then.Rows, entity, field, w.newWidgetID)
	})
}
