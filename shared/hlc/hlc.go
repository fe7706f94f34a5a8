// Package hlc is a hybrid logical clock: timestamps that follow wall-clock time, never repeat on one device and never
// run behind what the device has seen (Kulkarni et al., "Logical Physical Clocks", 2014).
//
// A stamp orders edits. Stamps of two devices can only tie in T, and the device id breaks the tie, so a greatest
// stamp always exists. The package reads no clock: callers pass wall time in.
package hlc

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// counterBits is the width of the logical counter in the low bits of T (milliseconds above it). 16 bits leave the
// milliseconds 48 bits, enough until the year 10889.
const counterBits = 16

// Stamp is one point in the order of edits: T is milliseconds since 1970 shifted left by 16, plus a counter; Dev is
// the device (its present incarnation) that made it. The zero Stamp is before every other.
type Stamp struct {
	T   uint64 `cbor:"1,keyasint"`
	Dev uint64 `cbor:"2,keyasint"`
}

// Millis is the wall-clock part of s, in milliseconds since 1970.
func (s Stamp) Millis() int64 { return int64(s.T >> counterBits) }

// IsZero reports whether s is the zero stamp.
func (s Stamp) IsZero() bool { return s == Stamp{} }

// Compare orders stamps by (T, Dev).
func (s Stamp) Compare(o Stamp) int {
	if c := cmp.Compare(s.T, o.T); c != 0 {
		return c
	}
	return cmp.Compare(s.Dev, o.Dev)
}

// Less reports whether s is before o.
func (s Stamp) Less(o Stamp) bool { return s.Compare(o) < 0 }

// Max is the later of two stamps.
func Max(a, b Stamp) Stamp {
	if a.Less(b) {
		return b
	}
	return a
}

// At is the T of the first instant of the given millisecond.
func At(millis int64) uint64 {
	if millis < 0 {
		return 0
	}
	return uint64(millis) << counterBits
}

// String is T and Dev in lower-case hexadecimal, joined by a hyphen. It is also the form on the wire, since JSON
// numbers lose bits above 2^53.
func (s Stamp) String() string {
	return strconv.FormatUint(s.T, 16) + "-" + strconv.FormatUint(s.Dev, 16)
}

// MarshalText writes the String form.
func (s Stamp) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the String form and nothing else.
func (s *Stamp) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

var errSyntax = errors.New("not a timestamp of the form hex-hex")

// Parse reads the String form. Only the canonical spelling is accepted.
func Parse(text string) (Stamp, error) {
	t, d, ok := strings.Cut(text, "-")
	if !ok || len(t) > 16 || len(d) > 16 {
		return Stamp{}, errSyntax
	}
	T, err := strconv.ParseUint(t, 16, 64)
	if err != nil {
		return Stamp{}, fmt.Errorf("%w: %q", errSyntax, text)
	}
	dev, err := strconv.ParseUint(d, 16, 64)
	if err != nil {
		return Stamp{}, fmt.Errorf("%w: %q", errSyntax, text)
	}
	s := Stamp{T: T, Dev: dev}
	if s.String() != text {
		return Stamp{}, fmt.Errorf("%w: %q", errSyntax, text)
	}
	return s, nil
}

// Clock makes the stamps of one device. Its state (Last) must be stored in the transaction that stores an edit
// stamped by it. A Clock is not safe for concurrent use.
type Clock struct {
	// Dev is the device's incarnation, random and not zero.
	Dev uint64
	// Last is the greatest T made or received so far.
	Last uint64
}

// Now makes the next stamp for an edit done at wall (milliseconds since 1970, already corrected for the server's
// time where that is known). It is greater than every stamp made or received before, whatever wall says.
func (c *Clock) Now(wall int64) Stamp {
	c.Last = max(At(wall), c.Last+1)
	return Stamp{T: c.Last, Dev: c.Dev}
}

// Receive takes note of a stamp from elsewhere, so that later edits here come after it.
func (c *Clock) Receive(s Stamp) { c.Last = max(c.Last, s.T) }
