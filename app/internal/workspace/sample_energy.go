package workspace

import (
	"math"
	"time"

	"widgets.pro/shared/board"
)

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
