package source

import (
	"encoding/json"
	"strings"

	"widgets.pro/shared/board"
)

const (
	maxBars     = 40 // rows beyond which bars get too thin
	maxStatuses = 200
)

// suggest finds the kind of widget that suits the kept columns: states as a status list, a series over time as a line,
// a few named numbers as bars, a single number as a stat, and everything else as a table.
func (g *grid) suggest(keep []int, rows []json.RawMessage) board.Kind {
	numbers, times, texts, states := 0, 0, 0, 0
	for _, k := range keep {
		switch g.columns[k].typ {
		case board.TypeNumber:
			numbers++
		case board.TypeTime:
			times++
		case board.TypeText:
			texts++
			if g.columns[k].filled > 0 && tolerates(g.count(k, isState), g.columns[k].filled) {
				states++
			}
		}
	}
	switch {
	case states > 0 && texts > states && len(rows) <= maxStatuses:
		return board.KindStatus
	case numbers == 0:
		return board.KindTable
	case times > 0 && texts == 0 && len(rows) > 1:
		return board.KindLine
	case numbers == 1 && texts == 0 && times == 0, len(rows) == 1 && texts == 0:
		return board.KindStat
	case texts == 1 && times == 0 && len(rows) <= maxBars:
		return board.KindBar
	case texts == 0 && g.rising(keep[0]):
		return board.KindLine
	}
	return board.KindTable
}

// rising reports whether a column's numbers only grow: an axis for the others.
func (g *grid) rising(col int) bool {
	last, seen := 0.0, 0
	e := encoder{decimal: g.decimalSign}
	for i := range g.height() {
		v, ok := e.number(g.at(i, col))
		if !ok || seen > 0 && v <= last {
			return false
		}
		last = v
		seen++
	}
	return seen > 2
}

// isState recognises the words in which states of services and tasks are told.
func isState(s string) bool {
	switch strings.ToLower(trimSpaces(s)) {
	case "ok", "up", "online", "healthy", "operational", "good", "green", "pass", "passed", "success", "running", "active", "done", "available",
		"warn", "warning", "degraded", "slow", "yellow", "amber", "pending", "maintenance", "partial", "unknown", "queued",
		"error", "err", "down", "offline", "failed", "fail", "failing", "critical", "red", "outage", "stopped", "bad", "unavailable", "major outage", "partial outage":
		return true
	}
	return false
}
