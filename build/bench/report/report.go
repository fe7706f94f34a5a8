// Package report is what the benchmarks have in common: lines of a report, marks for targets that were met or missed, and
// free addresses for the programs that are measured.
package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// ErrMissed is what a benchmark ends with when a target was missed.
var ErrMissed = errors.New("a target was missed")

// Say writes a line of the report; if nobody can read it there is nobody to tell.
func Say(out io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }

// Mark is what stands behind a number that has a target. It notes in missed that one was missed.
func Mark(ok bool, missed *bool) string {
	if ok {
		return "ok"
	}
	*missed = true
	return "MISSED"
}

// MS is d in milliseconds.
func MS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// FreeAddress is an address on loopback that was free a moment ago.
func FreeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return ln.Addr().String(), ln.Close()
}

// Median is the middle one of values, which it sorts; the zero value if there is none.
func Median[T cmp.Ordered](values []T) (m T) {
	if len(values) == 0 {
		return m
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// At is the value below which the given part (0 to 1) of values lies, which it sorts; the zero value if there is none.
func At[T cmp.Ordered](values []T, part float64) (v T) {
	if len(values) == 0 {
		return v
	}
	slices.Sort(values)
	return values[min(int(float64(len(values))*part), len(values)-1)]
}
