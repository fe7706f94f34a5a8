package preview_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"

	"widgets.pro/shared/board"
)

// today is a Friday noon. The dashboards below are those that the app comes with.
var today = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// shopSample is the dashboard of a small web shop.
func shopSample(now time.Time) board.View {
	s := newSample("Web shop – this week", "Sales, orders and what the team should know.", 1, now)
	revenue, orders, basket, conversion := s.shopDays()
	s.stat("Revenue", at(0, 0, 3, 2), options{"prefix": "€", "trend": true, "better": "up", "decimals": 0}, "Revenue", revenue)
	s.stat("Orders", at(3, 0, 3, 2), options{"trend": true, "better": "up"}, "Orders", orders)
	s.stat("Average order", at(6, 0, 3, 2), options{"prefix": "€", "trend": true, "better": "up", "decimals": 2}, "Average", basket)
	s.stat("Conversion", at(9, 0, 3, 2), options{"unit": "%", "trend": true, "better": "up", "decimals": 1}, "Conversion", conversion)

	s.add(board.KindLine, "Revenue by hour", at(0, 2, 8, 5), options{"prefix": "€", "y": []string{"This week", "Week before"}, "legend": true, "decimals": 0},
		columns("Time", board.TypeTime, "This week", board.TypeNumber, "Week before", board.TypeNumber), s.shopHours())
	s.add(board.KindBar, "Orders by category", at(8, 2, 4, 5), options{"x": "Category", "y": []string{"Orders"}, "horizontal": true},
		columns("Category", board.TypeText, "Orders", board.TypeNumber), s.counts(
			[]string{"Coffee", "Tea", "Cups & pots", "Grinders", "Gift sets", "Spare parts"}, []float64{184, 121, 76, 41, 33, 18}))
	s.add(board.KindTable, "Latest orders", at(0, 7, 8, 6), options{"limit": 50, "newestFirst": true},
		columns("Time", board.TypeTime, "Order", board.TypeText, "Country", board.TypeText, "Items", board.TypeNumber, "Amount (€)", board.TypeNumber, "State", board.TypeText),
		s.shopOrders())
	s.add(board.KindStatus, "Operations", at(8, 7, 4, 3), nil,
		columns("Service", board.TypeText, "State", board.TypeText, "Detail", board.TypeText), [][]any{
			{"Checkout", "ok", "median 380 ms"},
			{"Payments", "ok", "99.2 % accepted"},
			{"Warehouse", "delayed", "41 parcels behind"},
			{"Newsletter", "ok", "sent Tuesday 09:00"},
		})
	s.add(board.KindMarkdown, "Notes", at(8, 10, 4, 3), options{"text": "**Spring sale** starts on Friday.\n\n- Banner is live\n- Stock of *Chemex 6 cup* is low\n- New returns page: ask Noor\n"}, nil, nil)
	return s.view
}

// shopDays is the last two weeks, day by day.
func (s *sample) shopDays() (revenue, orders, basket, conversion []float64) {
	for i := range 14 {
		weekday := s.day(13 - i).Weekday()
		n := s.around(78+1.6*float64(i), 0.09)
		if weekday == time.Saturday || weekday == time.Sunday {
			n *= 1.35
		}
		n = round(n, 0)
		each := round(s.around(42, 0.08), 2)
		orders, basket = append(orders, n), append(basket, each)
		revenue = append(revenue, round(n*each, 0))
		conversion = append(conversion, round(s.around(2.6+0.03*float64(i), 0.06), 1))
	}
	return revenue, orders, basket, conversion
}

// shopHours is the last seven days by the hour, beside the same hours a week earlier.
func (s *sample) shopHours() [][]any {
	rows := [][]any{}
	end := s.now.Truncate(time.Hour)
	for t := end.Add(-7 * 24 * time.Hour); t.Before(end); t = t.Add(time.Hour) {
		h := hourOf(t)
		base := 14 + 150*bell(h, 12, 3) + 260*bell(h, 20, 2.4)
		if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
			base *= 1.3
		}
		rows = append(rows, []any{t.UnixMilli(), round(s.around(base*1.08, 0.18), 0), round(s.around(base, 0.18), 0)})
	}
	return rows
}

func (s *sample) counts(names []string, means []float64) [][]any {
	rows := make([][]any, len(names))
	for i, n := range names {
		rows[i] = []any{n, round(s.around(means[i], 0.07), 0)}
	}
	return rows
}

func (s *sample) shopOrders() [][]any {
	countries := []string{"Germany", "Netherlands", "France", "Austria", "Denmark", "Belgium", "Sweden"}
	rows := [][]any{}
	t := s.now.Add(-20 * time.Hour)
	for i := range 40 {
		t = t.Add(time.Duration(10+s.rand.IntN(36)) * time.Minute)
		if t.After(s.now) {
			break
		}
		state := "shipped"
		switch {
		case i > 34:
			state = "new"
		case i > 26:
			state = "packing"
		case i%17 == 5:
			state = "returned"
		}
		items := 1 + s.rand.IntN(5)
		rows = append(rows, []any{
			t.UnixMilli(), fmt.Sprintf("WS-%d", 20871+i), countries[s.rand.IntN(len(countries))], items,
			round(s.around(16.5*float64(items), 0.3), 2), state,
		})
	}
	return rows
}

// serviceSample is the dashboard of a team that runs a few services.
func serviceSample(now time.Time) board.View {
	s := newSample("Service status", "What runs, how fast, and what went wrong.", 2, now)
	uptime, rate, errors, slow := make([]float64, 30), make([]float64, 30), make([]float64, 30), make([]float64, 30)
	for i := range 30 {
		uptime[i] = round(100-0.04*s.rand.Float64(), 2)
		rate[i] = round(s.around(1180+9*float64(i), 0.05), 0)
		errors[i] = round(s.around(0.21, 0.25), 2)
		slow[i] = round(s.around(212-1.1*float64(i), 0.06), 0)
	}
	uptime[9], errors[9], slow[9] = 99.61, 1.32, 341
	s.stat("Uptime", at(0, 0, 3, 2), options{"unit": "%", "decimals": 2, "trend": true, "better": "up"}, "Uptime", uptime)
	s.stat("Requests per second", at(3, 0, 3, 2), options{"trend": true, "better": "neither"}, "Requests", rate)
	s.stat("Errors", at(6, 0, 3, 2), options{"unit": "%", "decimals": 2, "trend": true, "better": "down"}, "Errors", errors)
	s.stat("Slowest 5 %", at(9, 0, 3, 2), options{"unit": "ms", "trend": true, "better": "down"}, "Latency", slow)

	s.add(board.KindStatus, "Services", at(0, 2, 4, 5), nil,
		columns("Service", board.TypeText, "State", board.TypeText, "Detail", board.TypeText), [][]any{
			{"Website", "ok", "184 ms"},
			{"API", "ok", "96 ms"},
			{"Search", "degraded", "2 of 3 nodes"},
			{"Images", "ok", "61 ms"},
			{"E-mail", "ok", "queue empty"},
			{"Backups", "ok", "last at 03:10"},
			{"Staging", "down", "being rebuilt"},
		})
	s.add(board.KindLine, "Response time, last 24 hours", at(4, 2, 8, 5), options{"unit": "ms", "y": []string{"Median", "95 %"}, "zero": true, "legend": true, "decimals": 0},
		columns("Time", board.TypeTime, "Median", board.TypeNumber, "95 %", board.TypeNumber), s.latency())
	s.add(board.KindBar, "Errors by service, last 7 days", at(0, 7, 6, 5), options{"x": "Day", "y": []string{"API", "Search", "Website"}, "stack": true, "legend": true},
		columns("Day", board.TypeText, "API", board.TypeNumber, "Search", board.TypeNumber, "Website", board.TypeNumber), s.errorDays())
	s.add(board.KindTable, "Incidents", at(6, 7, 6, 5), options{"newestFirst": true},
		columns("Began", board.TypeTime, "Service", board.TypeText, "What happened", board.TypeText, "Minutes", board.TypeNumber), s.incidents())
	s.add(board.KindMarkdown, "On call", at(0, 12, 12, 2), options{"text": "This week **Mira**, next week **Jonas**. Runbook: check the *Search* nodes first; a rebuild takes about 20 minutes. Staging is down on purpose until Thursday.\n"}, nil, nil)
	return s.view
}

func (s *sample) latency() [][]any {
	rows := [][]any{}
	end := s.now.Truncate(5 * time.Minute)
	for t := end.Add(-24 * time.Hour); t.Before(end); t = t.Add(5 * time.Minute) {
		h := hourOf(t)
		median := s.around(74+26*bell(h, 14, 5), 0.05)
		tail := s.around(median*2.1, 0.09)
		if ago := end.Sub(t); ago > 6*time.Hour && ago < 6*time.Hour+35*time.Minute {
			tail *= 1.9
		}
		rows = append(rows, []any{t.UnixMilli(), round(median, 0), round(tail, 0)})
	}
	return rows
}

func (s *sample) errorDays() [][]any {
	rows := [][]any{}
	for i := 6; i >= 0; i-- {
		search := s.around(34, 0.3)
		if i == 2 {
			search *= 3.4
		}
		rows = append(rows, []any{s.day(i).Format("Mon 2 Jan"), round(s.around(61, 0.2), 0), round(search, 0), round(s.around(23, 0.3), 0)})
	}
	return rows
}

func (s *sample) incidents() [][]any {
	rows := [][]any{}
	for _, x := range []struct {
		days, hour, minutes int
		service, what       string
	}{
		{24, 4, 12, "E-mail", "Certificate renewed by hand"},
		{20, 15, 48, "Website", "Slow database query after release"},
		{16, 11, 9, "Images", "Disk full on one node"},
		{11, 22, 31, "API", "Network provider, two short outages"},
		{6, 9, 17, "Search", "Index rebuilt after a crash"},
		{2, 13, 64, "Search", "One of three nodes lost"},
	} {
		rows = append(rows, []any{s.day(x.days).Add(time.Duration(x.hour)*time.Hour + 7*time.Minute).UnixMilli(), x.service, x.what, x.minutes})
	}
	return rows
}

// energySample is the dashboard of a house with solar panels.
func energySample(now time.Time) board.View {
	s := newSample("Household energy", "Power from the roof and from the grid.", 3, now)
	used, solar, bought, cost := make([]float64, 14), make([]float64, 14), make([]float64, 14), make([]float64, 14)
	for i := range 14 {
		used[i] = round(s.around(11.8, 0.14), 1)
		solar[i] = round(s.around(9.4, 0.45), 1)
		bought[i] = round(math.Max(0.8, used[i]-0.62*solar[i]), 1)
		cost[i] = round(bought[i]*0.31, 2)
	}
	s.stat("Used yesterday", at(0, 0, 3, 2), options{"unit": "kWh", "decimals": 1, "trend": true, "better": "down"}, "Used", used)
	s.stat("Solar yesterday", at(3, 0, 3, 2), options{"unit": "kWh", "decimals": 1, "trend": true, "better": "up"}, "Solar", solar)
	s.stat("Bought yesterday", at(6, 0, 3, 2), options{"unit": "kWh", "decimals": 1, "trend": true, "better": "down"}, "Bought", bought)
	s.stat("Cost, 14 days", at(9, 0, 3, 2), options{"prefix": "€", "decimals": 2, "aggregate": "sum"}, "Cost", cost)

	s.add(board.KindLine, "Power, last 48 hours", at(0, 2, 8, 5), options{"unit": "W", "y": []string{"Solar", "Used"}, "area": true, "zero": true, "legend": true, "decimals": 0},
		columns("Time", board.TypeTime, "Solar", board.TypeNumber, "Used", board.TypeNumber), s.power())
	s.add(board.KindBar, "Where it goes", at(8, 2, 4, 5), options{"x": "Use", "y": []string{"kWh"}, "horizontal": true, "unit": "kWh", "decimals": 1},
		columns("Use", board.TypeText, "kWh", board.TypeNumber), [][]any{
			{"Heat pump", 31.4}, {"Kitchen", 19.7}, {"Laundry", 11.2}, {"Office", 9.8}, {"Light", 5.6}, {"Standby", 4.9},
		})
	s.add(board.KindBar, "By month", at(0, 7, 5, 4), options{"x": "Month", "y": []string{"Solar", "Bought"}, "stack": true, "legend": true, "unit": "kWh", "decimals": 0},
		columns("Month", board.TypeText, "Solar", board.TypeNumber, "Bought", board.TypeNumber), s.months())
	s.add(board.KindTable, "Meter readings", at(5, 7, 4, 4), options{"newestFirst": true},
		columns("Date", board.TypeTime, "Grid (kWh)", board.TypeNumber, "Feed-in (kWh)", board.TypeNumber), s.readings())
	s.add(board.KindStatus, "Devices", at(9, 7, 3, 4), nil,
		columns("Device", board.TypeText, "State", board.TypeText, "Detail", board.TypeText), [][]any{
			{"Inverter", "ok", "41 °C"},
			{"Battery", "ok", "68 %"},
			{"Heat pump", "ok", "eco"},
			{"Wallbox", "offline", "since Sunday"},
		})
	s.add(board.KindMarkdown, "", at(0, 11, 12, 2), options{"text": "### To do\nRead the meter on the first of the month. *Wallbox:* firmware update 2.4, then pair it again. Panels were cleaned in March.\n"}, nil, nil)
	return s.view
}

func (s *sample) power() [][]any {
	rows := [][]any{}
	end := s.now.Truncate(15 * time.Minute)
	cloud := 0.8
	for t := end.Add(-48 * time.Hour); t.Before(end); t = t.Add(15 * time.Minute) {
		h := hourOf(t)
		cloud = math.Min(1, math.Max(0.35, cloud+0.16*(s.rand.Float64()-0.5)))
		sun := 0.0
		if h > 6 && h < 20 {
			sun = 3900 * math.Pow(math.Sin((h-6)/14*math.Pi), 1.7) * cloud
		}
		used := s.around(210+720*bell(h, 7.5, 1)+480*bell(h, 12.5, 0.9)+1250*bell(h, 19, 1.6), 0.22)
		rows = append(rows, []any{t.UnixMilli(), round(sun, 0), round(used, 0)})
	}
	return rows
}

func (s *sample) months() [][]any {
	rows := [][]any{}
	first := time.Date(s.now.Year(), s.now.Month()-11, 1, 0, 0, 0, 0, time.UTC)
	for i := range 12 {
		m := first.AddDate(0, i, 0)
		summer := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(m.Month())-0.5)/12)
		rows = append(rows, []any{m.Format("Jan"), round(s.around(70+430*summer, 0.08), 0), round(s.around(330-220*summer, 0.08), 0)})
	}
	return rows
}

func (s *sample) readings() [][]any {
	rows := [][]any{}
	grid, feed := 18204.0, 9371.0
	first := time.Date(s.now.Year(), s.now.Month()-8, 1, 0, 0, 0, 0, time.UTC)
	for i := range 9 {
		rows = append(rows, []any{first.AddDate(0, i, 0).UnixMilli(), round(grid, 0), round(feed, 0)})
		grid, feed = grid+s.around(210, 0.3), feed+s.around(190, 0.4)
	}
	return rows
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
		view: board.View{Title: title, Description: description, Theme: board.ThemeSystem, Alive: true},
		rand: rand.New(rand.NewPCG(seed, uint64(wall.YearDay()))),
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
	x := board.Widget{ID: board.NewWidgetID(ulid.MustNew(uint64(len(s.view.Widgets)+1), zeroes{})), Kind: k, Title: title, Layout: l, Options: map[string]json.RawMessage{}, Columns: columns, Rows: make([]json.RawMessage, 0, len(rows))}
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

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }
