// Package sample is what the benchmarks put on dashboards: widgets of every kind with numbers that wander as measured ones
// do, since smooth ones would compress too well. They are the same in every run. Start reading at Dashboard.
package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
)

// Dashboard is 12 widgets: 4 stats, 4 line charts of 500 points, 2 bar charts, a table of 50 rows and a text.
func Dashboard() []board.Widget {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // not a secret
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	var out []board.Widget
	add := func(kind board.Kind, title string, x, y, w, h int, options map[string]any, columns []board.Column, rows [][]any) {
		wd := board.Widget{
			ID: board.NewWidgetID(ulid.Make()), Kind: kind, Title: title, Layout: board.Layout{X: x, Y: y, W: w, H: h},
			Options: map[string]json.RawMessage{}, Columns: columns,
		}
		for k, v := range options {
			wd.Options[k] = encode(v)
		}
		for _, row := range rows {
			wd.Rows = append(wd.Rows, encode(row))
		}
		out = append(out, wd)
	}
	number, when, text := board.TypeNumber, board.TypeTime, board.TypeText
	for i, t := range []string{"Revenue", "Orders", "Conversion", "Response time"} {
		var rows [][]any
		v := 100 + 400*r.Float64()
		for d := range 30 {
			v *= 1 + (r.Float64()-0.48)/12
			rows = append(rows, []any{start.AddDate(0, 0, d).UnixMilli(), round(v)})
		}
		add(board.KindStat, t, 3*i, 0, 3, 2, map[string]any{"trend": true, "unit": []string{"k€", "", "%", "ms"}[i]},
			[]board.Column{{Name: "day", Type: when}, {Name: t, Type: number}}, rows)
	}
	for i, t := range []string{"Visits", "Temperature in the hall", "Load of the servers", "Energy drawn"} {
		var rows [][]any
		v := 50 + 100*r.Float64()
		for p := range 500 {
			v += 4*(r.Float64()-0.5) + math.Sin(float64(p)/18)
			rows = append(rows, []any{start.Add(time.Duration(p) * time.Hour).UnixMilli(), round(v)})
		}
		add(board.KindLine, t, 6*(i%2), 2+4*(i/2), 6, 4, map[string]any{"area": i == 0},
			[]board.Column{{Name: "time", Type: when}, {Name: t, Type: number}}, rows)
	}
	for i, t := range []string{"Sales by region", "Tickets by team"} {
		var rows [][]any
		for _, name := range []string{"North", "East", "South", "West", "Centre", "Coast", "Islands", "Abroad"} {
			rows = append(rows, []any{name, round(900 * r.Float64())})
		}
		add(board.KindBar, t, 6*i, 10, 6, 4, map[string]any{"horizontal": i == 1},
			[]board.Column{{Name: "name", Type: text}, {Name: "value", Type: number}}, rows)
	}
	var rows [][]any
	for i := range 50 {
		rows = append(rows, []any{fmt.Sprintf("Order %d", 48_210+i), []string{"Anders", "Baker", "Castillo", "Dubois", "Eriksson"}[r.IntN(5)], []string{"sent", "paid", "open", "returned"}[r.IntN(4)], round(2000 * r.Float64()), start.Add(time.Duration(r.IntN(100_000)) * time.Minute).UnixMilli()})
	}
	add(board.KindTable, "Latest orders", 0, 14, 8, 8, nil,
		[]board.Column{{Name: "order", Type: text}, {Name: "customer", Type: text}, {Name: "state", Type: text}, {Name: "amount", Type: number}, {Name: "placed", Type: when}}, rows)
	add(board.KindMarkdown, "About these numbers", 8, 14, 4, 8, map[string]any{"text": "Collected **every hour** from the shop, the hall and the machines.\n\n- Revenue is *net of returns*\n- Times are UTC\n- Ask [the data team](https://example.org/data) about anything odd\n\n| source | refreshed |\n| --- | --- |\n| shop | hourly |\n| hall | every minute |\n\n> Numbers older than a year are kept in the archive.\n"}, nil, nil)
	return out
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the values are written above
	}
	return b
}

// Large is a dashboard of n widgets: those of Dashboard over and over, one below the other, under ids of their own.
func Large(n int) []board.Widget {
	out := make([]board.Widget, 0, n)
	for part := 0; len(out) < n; part++ {
		for _, w := range Dashboard() {
			if len(out) == n {
				break
			}
			w.Layout.Y += part * height
			out = append(out, w)
		}
	}
	return out
}

// height is how many rows of the grid Dashboard takes.
const height = 22
