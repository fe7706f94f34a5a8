package workspace

import (
	"time"

	"widgets.pro/shared/board"
)

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
