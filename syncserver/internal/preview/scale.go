package preview

import (
	"math"
	"slices"
	"time"
)

// scale is a range between two round numbers with ticks at equal steps, the first at lo and the last at hi.
type scale struct {
	lo, hi   float64
	ticks    []float64
	decimals int
}

// niceScale is the round range that holds lo to hi in about count equal steps of 1, 2, 2.5 or 5 times a power of ten: of
// the steps near that, the one that leaves the least of the range empty.
func niceScale(lo, hi float64, count int) scale {
	a, b := max(-huge, min(lo, hi)), min(huge, max(lo, hi))
	if b-a <= max(math.Abs(a), math.Abs(b))*1e-9 || b-a < 1e-280 {
		if math.Abs(a) < 1e-280 {
			a, b = 0, 1
		} else {
			a, b = a-math.Abs(a)*0.1, b+math.Abs(a)*0.1
		}
	}
	power := math.Floor(math.Log10((b - a) / float64(count)))
	best, cheapest := scale{lo: a, hi: b, ticks: []float64{a, b}}, math.Inf(1)
	for _, e := range []float64{power - 1, power, power + 1} {
		for _, factor := range []float64{1, 2, 2.5, 5} {
			if factor == 2.5 && e == 0 {
				continue // halves among whole numbers look like an error
			}
			step := factor * math.Pow(10, e)
			first := math.Floor(a/step + 1e-9)
			last := max(first+1, math.Ceil(b/step-1e-9))
			steps := last - first
			if math.IsNaN(steps) || steps > float64(count)*1.6+1 {
				continue
			}
			cost := 1 - (b-a)/(steps*step) + math.Abs(steps-float64(count))*0.22/float64(count)
			decimals := max(0, -e)
			if factor == 2.5 {
				cost += 0.02
				decimals = max(0, -e+1)
			}
			if cost >= cheapest {
				continue
			}
			cheapest = cost
			best = scale{lo: first * step, hi: last * step, decimals: int(min(100, decimals))}
			for i := first; i <= last; i++ {
				best.ticks = append(best.ticks, i*step)
			}
		}
	}
	return best
}

// part is where v lies on the scale: 0 at its foot, 1 at its top.
func (s scale) part(v float64) float64 {
	return min(1, max(0, (v/2-s.lo/2)/(s.hi/2-s.lo/2)))
}

// thin tells which of many values are drawn: all when there are few, otherwise the first, the last, and of each of buckets
// equal stretches the smallest and the largest, so that no peak is lost. Gaps (NaN) stay gaps.
func thin(values []float64, buckets int) []int {
	n := len(values)
	if n <= buckets*2 {
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out
	}
	keep := []int{0}
	for b := range buckets {
		lo, hi, gap := -1, -1, -1
		for i := b * n / buckets; i < (b+1)*n/buckets; i++ {
			v := values[i]
			if math.IsNaN(v) {
				gap = i
				continue
			}
			if lo < 0 || v < values[lo] {
				lo = i
			}
			if hi < 0 || v > values[hi] {
				hi = i
			}
		}
		some := []int{lo, hi, gap}
		slices.Sort(some)
		for _, i := range some {
			if i > keep[len(keep)-1] {
				keep = append(keep, i)
			}
		}
	}
	if keep[len(keep)-1] != n-1 {
		keep = append(keep, n-1)
	}
	return keep
}

// tick is a place on a chart's floor, in ms since 1970, and what is written there.
type tick struct {
	at    float64
	label string
}

// timeTicks are ticks on round times, at most about count.
func timeTicks(from, to float64, count int) []tick {
	if !(to > from) {
		return nil
	}
	const sec, hour = 1000.0, 60 * minute
	want := (to - from) / float64(max(1, count))
	for _, step := range []float64{
		sec, 2 * sec, 5 * sec, 10 * sec, 15 * sec, 30 * sec, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
		hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 3 * day, 7 * day, 14 * day,
	} {
		if step < want {
			continue
		}
		origin := 0.0
		if step >= 7*day {
			origin = 4 * day // weeks begin on Monday: 5 January 1970 was one
		}
		var out []tick
		for at := origin + math.Ceil((from-origin)/step)*step; at <= to; at += step {
			layout := "15:04"
			if step >= day || math.Mod(at, day) == 0 {
				layout = "2 Jan"
			} else if step < minute {
				layout = "15:04:05"
			}
			out = append(out, tick{at, writeTime(at, layout)})
		}
		return out
	}
	return monthTicks(from, to, want)
}

func monthTicks(from, to, want float64) (out []tick) {
	months := 1_200_000
	for _, m := range []int{1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 60_000} {
		if float64(m)*30.44*day >= want {
			months = m
			break
		}
	}
	start := time.UnixMilli(int64(from)).UTC()
	for m := int(math.Floor(float64(start.Year()*12+int(start.Month())-1)/float64(months))) * months; ; m += months {
		t := time.Date(0, time.Month(m+1), 1, 0, 0, 0, 0, time.UTC)
		at := float64(t.Unix()) * 1000
		if at > to {
			return out
		}
		if at < from {
			continue
		}
		layout := "Jan"
		if t.Month() == time.January || months >= 12 {
			layout = "2006"
		}
		out = append(out, tick{at, t.Format(layout)})
	}
}
