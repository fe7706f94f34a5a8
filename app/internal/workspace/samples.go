package workspace

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/board"
)

// makeSamples puts the sample dashboards into a new store, in one transaction. They stay on this device until they are
// edited or shared.
func (w *Workspace) makeSamples() error {
	now := w.deps.Now()
	all := make([]newBoard, 0, 3)
	for _, v := range []board.View{shopSample(now), serviceSample(now), energySample(now)} {
		n, err := w.prepare(v, false)
		if err != nil {
			return err
		}
		n.rec.Sample = true
		all = append(all, n)
	}
	settings := w.settings
	settings.Samples = true
	wall := w.wall()
	err := w.deps.Store.Update(func(tx *localstore.Tx) error {
		for i := range all {
			// The list shows the newest first: a millisecond between them keeps the order the same everywhere.
			if err := all[i].store(tx, wall-int64(i)); err != nil {
				return err
			}
		}
		return tx.SetSettings(settings)
	})
	if err != nil {
		return err
	}
	w.settings = settings
	for _, n := range all {
		w.boards[n.rec.ID] = &dashboard{rec: n.rec}
	}
	return nil
}

// sample builds one sample dashboard. Its numbers are made up, but always the same for the same day.
type sample struct {
	view board.View
	rand *rand.Rand
	// now is the wall-clock time of this device, kept as UTC like all times in data.
	now time.Time
}

func newSample(title, description string, seed uint64, now time.Time) *sample {
	wall := time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), 0, 0, time.UTC)
	return &sample{
		view: board.View{Title: title, Description: description, Theme: board.ThemeSystem},
		rand: rand.New(rand.NewPCG(seed, uint64(wall.YearDay()))), //nolint:gosec // numbers for show; the day of the year is positive
		now:  wall,
	}
}

// day is midnight n days ago.
func (s *sample) day(n int) time.Time {
	return time.Date(s.now.Year(), s.now.Month(), s.now.Day()-n, 0, 0, 0, 0, time.UTC)
}

// around is v, give or take the given part of it.
func (s *sample) around(v, part float64) float64 { return v * (1 + part*(2*s.rand.Float64()-1)) }

type options map[string]any

func (s *sample) add(k board.Kind, title string, l board.Layout, o options, columns []board.Column, rows [][]any) {
	x := board.Widget{Kind: k, Title: title, Layout: l, Options: map[string]json.RawMessage{}, Columns: columns, Rows: make([]json.RawMessage, 0, len(rows))}
	for name, v := range o {
		x.Options[name] = mustJSON(v)
	}
	for _, r := range rows {
		x.Rows = append(x.Rows, mustJSON(r))
	}
	s.view.Widgets = append(s.view.Widgets, x)
}

// stat adds a number with its course over the last days.
func (s *sample) stat(title string, l board.Layout, o options, name string, values []float64) {
	rows := make([][]any, len(values))
	for i, v := range values {
		rows[i] = []any{s.day(len(values) - 1 - i).UnixMilli(), v}
	}
	s.add(board.KindStat, title, l, o, columns("Day", board.TypeTime, name, board.TypeNumber), rows)
}

// mustJSON encodes what this file makes: strings, numbers, times and lists of them, which cannot fail.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sample data: %v", err))
	}
	return b
}

// columns reads pairs of name and type.
func columns(pairs ...any) []board.Column {
	out := make([]board.Column, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		kind, _ := pairs[i+1].(board.ColumnType)
		out = append(out, board.Column{Name: name, Type: kind})
	}
	return out
}

func at(x, y, w, h int) board.Layout { return board.Layout{X: x, Y: y, W: w, H: h} }

func round(v float64, decimals int) float64 {
	p := math.Pow10(decimals)
	return math.Round(v*p) / p
}

// bell is a smooth hill around the hour top, width hours wide, over the hours of a day.
func bell(hour, top, width float64) float64 {
	d := math.Mod(hour-top+36, 24) - 12
	return math.Exp(-d * d / (2 * width * width))
}

func hourOf(t time.Time) float64 { return float64(t.Hour()) + float64(t.Minute())/60 }
