package workspace

import (
	"fmt"
	"time"

	"widgets.pro/shared/board"
)

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
