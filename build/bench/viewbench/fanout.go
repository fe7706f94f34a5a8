package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"widgets.pro/build/bench/bare"
	"widgets.pro/build/bench/crowd"
	"widgets.pro/build/bench/process"
	"widgets.pro/build/bench/report"
	"widgets.pro/shared/board"
	"widgets.pro/syncserver/servertest/owner"
)

const (
	perSecond = 20 // edits
	maxP99    = 50 * time.Millisecond
	settling  = time.Second // for what is still on its way
)

// delivery is one run: from the moment an edit was sent, or acknowledged, to its arrival at each viewer; the server's
// processor time for each arrival.
type delivery struct {
	p50, p99, acked50 time.Duration
	cpu               float64 // µs
	frames, bytes     int     // that each viewer got, and the size of one
}

// fanOut measures edits on their way to viewers: a widget that gets another title 20 times a second.
func fanOut(ctx context.Context, out io.Writer, o options, dir string) (missed bool, err error) {
	var ours, floors []delivery
	for round := range o.rounds {
		a, err := fan(ctx, o, roundDir(dir, "fan", round))
		if err != nil {
			return false, fmt.Errorf("server: %w", err)
		}
		b, err := fanFloor(ctx, o, a.bytes)
		if err != nil {
			return false, fmt.Errorf("floor: %w", err)
		}
		ours, floors = append(ours, a), append(floors, b)
	}
	a, b := middle(ours), middle(floors)
	report.Say(out, "%d edits a second to %d viewers of a link with a password, from sending to arrival, median of %d\n", perSecond, o.watching, o.rounds)
	report.Say(out, "             p50       p99    processor time per delivery\n")
	report.Say(out, "  server  %6.1f ms %6.1f ms %6.1f µs  (p99 below %.0f ms) %s\n", report.MS(a.p50), report.MS(a.p99), a.cpu, report.MS(maxP99), report.Mark(a.p99 < maxP99, &missed))
	report.Say(out, "  floor   %6.1f ms %6.1f ms %6.1f µs  bare websockets, frames of the same %d bytes\n", report.MS(b.p50), report.MS(b.p99), b.cpu, a.bytes)
	report.Say(out, "  ratio   %6.2f    %6.2f    %6.2f\n", float64(a.p50)/float64(b.p50), float64(a.p99)/float64(b.p99), a.cpu/b.cpu)
	report.Say(out, "  from acknowledgement to arrival %.1f ms (p50); %d frames for %d edits\n", report.MS(a.acked50), a.frames, int(o.duration.Seconds())*perSecond)
	return missed, nil
}

func middle(ds []delivery) delivery {
	pick := func(of func(delivery) time.Duration) time.Duration {
		var all []time.Duration
		for _, d := range ds {
			all = append(all, of(d))
		}
		return report.Median(all)
	}
	var cpu []float64
	for _, d := range ds {
		cpu = append(cpu, d.cpu)
	}
	m := ds[len(ds)/2]
	m.p50, m.p99 = pick(func(d delivery) time.Duration { return d.p50 }), pick(func(d delivery) time.Duration { return d.p99 })
	m.acked50, m.cpu = pick(func(d delivery) time.Duration { return d.acked50 }), report.Median(cpu)
	return m
}

// arrivals notes when each viewer first saw each edit. An edit that came together with a later one has arrived with it.
type arrivals struct {
	now    func() time.Time
	mu     sync.Mutex
	latest []int         // by viewer, the newest edit seen
	at     [][]time.Time // by edit, in any order
	frames int           // of the first viewer
	size   int
}

// number is the number of the edit that a frame brings, 0 if there is none.
func number(frame []byte) (n int) {
	_, rest, _ := bytes.Cut(frame, []byte("Edit "))
	for _, digit := range rest {
		if digit < '0' || digit > '9' {
			break
		}
		n = 10*n + int(digit-'0')
	}
	return n
}

func (a *arrivals) frame(i int, frame []byte) {
	at := a.now()
	n := number(frame)
	if n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i == 0 {
		a.frames, a.size = a.frames+1, len(frame)
	}
	for k := a.latest[i] + 1; k <= n && k < len(a.at); k++ {
		a.at[k] = append(a.at[k], at)
	}
	a.latest[i] = max(a.latest[i], n)
}

// since lists the time from when each edit left until each of its arrivals.
func (a *arrivals) since(left []time.Time) (took []time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k := 1; k < len(a.at); k++ {
		for _, at := range a.at[k] {
			took = append(took, at.Sub(left[k]))
		}
	}
	return took
}

// everyone waits until every viewer has seen edit n.
func (a *arrivals) everyone(ctx context.Context, n int) error {
	for {
		missing := 0
		a.mu.Lock()
		for _, l := range a.latest {
			if l < n {
				missing++
			}
		}
		a.mu.Unlock()
		if missing == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d viewers have not got edit %d: %w", missing, n, ctx.Err())
		case <-time.After(settling / 100):
		}
	}
}

// fan is one run against the server.
func fan(ctx context.Context, o options, dir string) (d delivery, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration+2*time.Minute)
	defer cancel()
	s, err := open(ctx, o, dir)
	if err != nil {
		return d, err
	}
	defer s.end()
	return o.send(ctx, s.live, s.session, s.server, func(k int) error {
		return s.own.Edit(ctx, s.board, owner.Set(string(s.widgets[0]), board.FieldTitle, fmt.Sprintf("Edit %d", k)))
	})
}

// fanFloor is one run against the floor, which gets frames of size bytes.
func fanFloor(ctx context.Context, o options, size int) (d delivery, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.duration+2*time.Minute)
	defer cancel()
	floor, err := process.Self(ctx, "-floor")
	if err != nil {
		return d, err
	}
	defer floor.End()
	client := &http.Client{}
	return o.send(ctx, "ws"+floor.Base[len("http"):]+bare.LivePath, "", floor, func(k int) error {
		body, err := json.Marshal(map[string]string{"t": fmt.Sprintf("Edit %d ", k)})
		if err != nil {
			return fmt.Errorf("write a frame: %w", err)
		}
		body = append(body, bytes.Repeat([]byte("."), max(0, size-len(body)))...)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, floor.Base+bare.SayPath, bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("ask the floor: %w", err)
		}
		res, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("ask the floor: %w", err)
		}
		return res.Body.Close()
	})
}

// send makes edits at an even pace, first some that are not counted, and measures how they arrive.
func (o options) send(ctx context.Context, live, session string, from *process.Process, edit func(k int) error) (d delivery, err error) {
	warm := perSecond
	total := warm + int(o.duration.Seconds()*perSecond)
	a := &arrivals{now: o.now, latest: make([]int, o.watching), at: make([][]time.Time, total+1)}
	viewers, err := crowd.Gather(ctx, live, o.watching, crowd.Options{Now: o.now, Session: session, Frame: a.frame})
	if err != nil {
		return d, err
	}
	defer viewers.Leave()
	left, acked := make([]time.Time, total+1), make([]time.Time, total+1)
	var before time.Duration
	pace := time.NewTicker(time.Second / perSecond)
	defer pace.Stop()
	for k := 1; k <= total; k++ {
		if k == warm+1 {
			if err := a.everyone(ctx, warm); err != nil {
				return d, err
			}
			a.mu.Lock()
			a.frames, a.at = 0, make([][]time.Time, total+1)
			a.mu.Unlock()
			if before, err = from.CPU(); err != nil {
				return d, err
			}
		}
		<-pace.C
		left[k] = o.now()
		if err := edit(k); err != nil {
			return d, fmt.Errorf("edit: %w", err)
		}
		acked[k] = o.now()
	}
	if err := a.everyone(ctx, total); err != nil {
		return d, err
	}
	after, err := from.CPU()
	if err != nil {
		return d, err
	}
	sent := a.since(left)
	d.p50, d.p99, d.acked50 = report.At(sent, 0.5), report.At(sent, 0.99), report.At(a.since(acked), 0.5)
	d.frames, d.bytes = a.frames, a.size
	d.cpu = float64((after - before).Microseconds()) / float64(max(1, a.frames*o.watching))
	return d, nil
}
